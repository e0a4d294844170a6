"""What became of a story, as the acts an adviser records: each with the time it happened, in the past.

Every case comes to its end with the years, so that whoever looks at the work of today is not kept from it by theirs.

The same plan gives the same acts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from audit.entry import timestamp
from gateway.evaluation.synthetic.plan import Incident, Plan, Story

Act = dict[str, Any]
"""An act as JSON, for `POST /team/v1/referrals/{id}/acts`."""


def acts(plan: Plan, story: Story, incident: Incident) -> list[Act]:
    """The acts of one incident's referral, in order."""
    random = Random(f"{plan.seed}/{incident.serial}")  # noqa: S311 - not for secrets
    first = incident == story.first
    had = story.had if first else min(incident.reported + timedelta(minutes=random.randint(5, 180)), plan.until)
    course = _first(story, incident, random) if first else _later(story)
    found, at = [{"act": "acknowledge", "happened_at": timestamp(had)}], had
    for act, after in course:
        at = min(at + after, plan.until)
        found.append(act | {"happened_at": timestamp(at)})
        if act["act"] == "safety-plan":
            found[-1]["review_on"] = (at + timedelta(days=28)).date().isoformat()
    return found


Course = Iterator[tuple[Act, timedelta]]
"""Acts, each with how long after the one before it."""


def _first(story: Story, incident: Incident, random: Random) -> Course:
    if not story.reached:
        yield from _fruitless(random)
        yield {"act": "close", "how": "unplanned"}, timedelta(days=7)
        return
    if random.random() < _MISSED:
        yield _NO_ANSWER, _hours(random, 1, 6)
    yield {"act": "contact-attempt", "channel": "phone", "result": "reached"}, _hours(random, 1, 20)
    if not story.engaged:
        yield {"act": "decline", "reason": "not-now"}, timedelta(minutes=15)
    else:
        level = "limited" if random.random() < _LIMITED else "full"
        yield {"act": "engage", "level": level}, timedelta(minutes=15)
        yield {"act": "safety-plan", "in_place": True}, _hours(random, 1, 48)
        if story.household.children and incident.grade == "HIGH":
            yield {"act": "child-referral", "children": ["child-1"]}, timedelta(minutes=20)
    if story.supports is not None:
        value = "yes" if story.supports else random.choice(("no", "undecided", "withdrawn"))
        yield {"act": "supports-prosecution", "value": value, "consent": {"state": "given"}}, _hours(random, 2, 72)
    if story.safer is not None:
        exit_ = _exit(random, safer=story.safer)
        yield {"act": "close", "how": "planned", "exit": exit_}, timedelta(days=random.randint(35, 90))
    else:
        yield {"act": "close", "how": "unplanned"}, timedelta(days=random.randint(14, 80))


def _later(story: Story) -> Course:
    if not story.reached:
        yield _NO_ANSWER, timedelta(hours=3)
    else:
        yield {"act": "contact-attempt", "channel": "phone", "result": "reached"}, timedelta(hours=4)
        if story.engaged:
            yield {"act": "engage", "level": "full"}, timedelta(minutes=10)
    yield {"act": "close", "how": "unplanned"}, timedelta(days=30)


def _fruitless(random: Random) -> Course:
    yield _NO_ANSWER, _hours(random, 1, 12)
    yield _NO_ANSWER, _hours(random, 20, 50)
    yield _NO_ANSWER, _hours(random, 40, 90)
    yield {"act": "unable-to-contact"}, timedelta(hours=1)


_NO_ANSWER: Act = {"act": "contact-attempt", "channel": "phone", "result": "no-answer"}
_MISSED = 0.35
_LIMITED = 0.15


def _exit(random: Random, *, safer: bool) -> Act:
    ceased = "ceased" if safer else "continues"
    return {
        "safer": "yes" if safer else "no",
        "feels_safer": "yes" if safer else "not-known",
        "risk_reduction": random.choice(("significant", "moderate")) if safer else random.choice(("limited", "none")),
        "cessation": {"physical": ceased, "controlling": random.choice(("ceased", "continues", "not-known"))},
    }


def _hours(random: Random, least: int, most: int) -> timedelta:
    return timedelta(minutes=random.randint(least * 60, most * 60))
