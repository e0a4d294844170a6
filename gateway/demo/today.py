"""What lies open today: incidents of the last hours, each as far as an adviser has come with it.

Everything goes through the interfaces: police push, the team records its acts. The people are invented, and none of
them is in the synthetic years, but for one who comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx

from audit.entry import timestamp
from gateway.chance import fresh_id
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from gateway.demo.run import JSON_API, DemoFailed
from gateway.evaluation.synthetic.documents import document
from gateway.evaluation.synthetic.people import household
from gateway.evaluation.synthetic.plan import Incident, Plan, Story
from gateway.london import LONDON

COLLAR = "1234"
"""The officer in the case of all of them: the one a visitor can be."""

Act = Mapping[str, Any]
_MINUTES, _DAYS = "minutes", "days"
"""Of a time in an act: so many minutes, or days, after now; the day alone."""


@dataclass(frozen=True, slots=True)
class Case:
    """A referral of today: what it shows, its area, the grade, how long ago police were told, children, the acts."""

    shows: str
    area: str
    grade: str
    minutes: int
    children: int
    acts: tuple[Act, ...] = ()


def _tried(result: str = "no-answer") -> Act:
    return {"act": "contact-attempt", "channel": "phone", "result": result}


_GIVEN: Act = {"state": "given"}
_TAKEN: Act = {"act": "acknowledge"}
_MINE: Act = {"act": "assign", "to": "idva-0042"}
_HERS: Act = {"act": "assign", "to": "idva-0043"}
_ENGAGED: tuple[Act, ...] = (_TAKEN, _MINE, _tried("reached"), {"act": "engage", "level": "full"})

CASES: Sequence[Case] = (
    Case("nobody has answered it", "wyre", "STANDARD", 38, 0),
    Case("nobody has answered it, and a child is in the house", "blackpool", "HIGH", 52, 2),
    Case("nobody has answered it, from another area", "lancaster", "MEDIUM", 12, 1),
    Case("nobody has answered it, at night", "fylde", "STANDARD", 430, 0),
    Case("nobody has answered it, high risk", "morecambe", "HIGH", 18, 0),
    Case("nobody has answered it, medium risk", "blackpool", "MEDIUM", 29, 0),
    Case("nobody has answered it, and two children were there", "blackpool", "MEDIUM", 88, 2),
    Case("nobody has answered it, the shortest time ago", "wyre", "HIGH", 3, 0),
    Case("taken, and nobody's yet", "fylde", "HIGH", 75, 0, (_TAKEN,)),
    Case("tried once", "blackpool", "MEDIUM", 130, 1, (_TAKEN, _MINE, _tried())),
    Case("tried twice, by a colleague", "wyre", "MEDIUM", 300, 0, (_TAKEN, _HERS, _tried(), _tried())),
    Case(
        "she engaged, and has a safety plan",
        "blackpool",
        "HIGH",
        400,
        2,
        (
            *_ENGAGED,
            {"act": "safety-plan", "in_place": True, "review_on": (_DAYS, 28)},
            {"act": "supports-prosecution", "value": "yes", "consent": _GIVEN},
            {"act": "child-referral", "children": ["child-1"]},
        ),
    ),
    Case(
        "referred to the conference",
        "fylde",
        "HIGH",
        520,
        0,
        (*_ENGAGED, {"act": "marac-referral", "criteria": ["visible-high-risk"], "aware": True, "consent": _GIVEN}),
    ),
    Case(
        "she asks the officer to ring",
        "blackpool",
        "MEDIUM",
        610,
        0,
        (*_ENGAGED, {"act": "request-call", "from": (_MINUTES, 90), "until": (_MINUTES, 210)}),
    ),
    Case(
        "she declined",
        "wyre",
        "STANDARD",
        700,
        0,
        (_TAKEN, _tried("reached"), {"act": "decline", "reason": "not-now", "consent": _GIVEN}),
    ),
    Case(
        "it is not safe to try her",
        "blackpool",
        "HIGH",
        800,
        1,
        (_TAKEN, _MINE, _tried("not-safe-then"), {"act": "unsafe-to-contact", "ground": "suspect-answers"}),
    ),
    Case(
        "three attempts, and nobody reached her",
        "lancaster",
        "MEDIUM",
        2_900,
        0,
        (_TAKEN, _HERS, _tried(), _tried(), _tried(), {"act": "unable-to-contact"}),
    ),
    Case(
        "left for the next shift",
        "morecambe",
        "HIGH",
        900,
        0,
        (_TAKEN, _tried(), {"act": "hand-over", "note": "She is at work until four. Ring after that, not before."}),
    ),
    Case(
        "somebody must look after her now",
        "blackpool",
        "MEDIUM",
        180,
        0,
        (_TAKEN, _MINE, _tried("somebody-else"), {"act": "risk-change", "direction": "up"}, {"act": "welfare-concern"}),
    ),
)
"""Each in another state, so that a visitor sees what a day is like."""


@dataclass(frozen=True, slots=True)
class Today:
    """What was brought in: how many referrals, the one to open first, and the one of somebody who came back."""

    referrals: int
    first: str
    again: str | None


def call_on(team: Client, now: datetime) -> None:
    """Put a colleague on call from now on, so that what runs out at night is somebody's. Raises DemoFailed."""
    rota = {"person": "idva-0043", "from": timestamp(now), "until": timestamp(now + timedelta(hours=16))}
    answer = team.post("/team/v1/on-call", json=rota)
    if not answer.is_success:
        raise DemoFailed(f"the rota: {answer.status_code} {answer.text[:300]}")


def bring(plan: Plan, police: Client, team: Client, told: Callable[[int], None]) -> Today:
    """Bring everything in; `told` hears how many there are. Raises DemoFailed."""
    now = datetime.now(UTC).replace(microsecond=0)
    begin = len(list(plan.incidents())) + 1
    found: list[str] = []
    for at, case in enumerate(CASES):
        referral = _push(police, _document(plan, case, begin + at, len(plan.stories) + at, now))
        _work(team, referral, case, now)
        found.append(referral)
        told(len(found))
    again = _again(plan, police, begin + len(CASES), now)
    _odd(police, team)
    first = _push(police, _recent(incident(1), now - timedelta(minutes=6)))
    told(len(found) + 1 + (again is not None))
    return Today(len(found) + 1 + (again is not None), first, again)


def _document(plan: Plan, case: Case, serial: int, who: int, now: datetime) -> dict[str, Any]:
    reported = now - timedelta(minutes=case.minutes)
    one = Incident(serial, reported - timedelta(minutes=21), reported, case.grade)
    random = Random(f"{plan.seed}/today/{who}")  # noqa: S311 - not for secrets
    home = household(who, case.area, case.children, plan.until.date(), random)
    story = Story(
        serial=who,
        area=case.area,
        household=home,
        incidents=(one,),
        had=reported,
        reached=False,
        engaged=False,
        supports=None,
        safer=None,
    )
    return _not_to_come(_of_our_officer(document(plan.seed, story, one)), now)


def _again(plan: Plan, police: Client, serial: int, now: datetime) -> str | None:
    """Another incident of somebody whose case was closed within the last twelve months; None where there is nobody."""
    closed = [one for one in plan.stories if one.safer is not None and now - one.incidents[-1].reported < _A_YEAR]
    if not closed:
        return None
    story = closed[-1]
    reported = now - timedelta(minutes=24)
    one = Incident(serial, reported - timedelta(minutes=12), reported, "HIGH")
    return _push(police, _not_to_come(_of_our_officer(document(plan.seed, story, one)), now))


def _not_to_come(found: dict[str, Any], now: datetime) -> dict[str, Any]:
    """An incident of minutes ago: officers came, and assessed the risk, by now."""
    for one in (found["data"], *found["included"]):
        for name in {"attendedDateTime", "completedDateTime"} & one["attributes"].keys():
            at = min(datetime.fromisoformat(one["attributes"][name]), now)
            one["attributes"][name] = at.astimezone(LONDON).isoformat(timespec="seconds")
    return found


_A_YEAR = timedelta(days=360)


def _of_our_officer(found: dict[str, Any]) -> dict[str, Any]:
    for one in found["included"]:
        if one["type"] == "officer":
            one["attributes"]["collarNumber"] = COLLAR
    return found


def _recent(found: dict[str, Any], reported: datetime) -> dict[str, Any]:
    """The walk's own incident, which has something of everything in it, as one of just now."""

    def at(minutes: int) -> str:
        return (reported + timedelta(minutes=minutes)).astimezone(LONDON).isoformat(timespec="seconds")

    found["data"]["attributes"] |= {
        "incidentStartDateTime": {"dateFrom": at(-20)},
        "incidentEndDateTime": {"dateFrom": at(-4)},
        "reportedDateTime": at(0),
        "attendedDateTime": at(2),
    }
    for one in found["included"]:
        if one["type"] == "riskAssessment":
            one["attributes"]["completedDateTime"] = at(5)
    return found


def _push(police: Client, pushed: Mapping[str, Any]) -> str:
    answer = police.post("/police/v1/incidents", json=pushed, headers={"Content-Type": JSON_API})
    if answer.status_code != httpx.codes.CREATED:
        raise DemoFailed(f"an incident of today: {answer.status_code} {answer.text[:300]}")
    referral: str = answer.json()["referrals"][0]["reference"]
    return referral


def _work(team: Client, referral: str, case: Case, now: datetime) -> None:
    """The acts of a case, spread between its report and now."""
    if not case.acts:
        return
    step = timedelta(minutes=case.minutes) / (len(case.acts) + 1)
    begin = now - timedelta(minutes=case.minutes)
    acts = [
        {name: _time(value, now) for name, value in one.items()} | {"happened_at": timestamp(begin + step * at)}
        for at, one in enumerate(case.acts, 1)
    ]
    answer = team.post(f"/team/v1/referrals/{referral}/acts", json={"acts": acts})
    if not answer.is_success:
        raise DemoFailed(f"{case.shows}: {answer.status_code} {answer.text[:500]}")


def _time(value: object, now: datetime) -> object:
    match value:
        case (kind, int(number)) if kind == _MINUTES:
            return timestamp(now + timedelta(minutes=number))
        case (kind, int(number)) if kind == _DAYS:
            return (now + timedelta(days=number)).date().isoformat()
        case _:
            return value


def _odd(police: Client, team: Client) -> None:
    """What an auditor and an operator look for: something unreadable, held, refused, and a case that is nobody's."""
    json_api = {"Content-Type": JSON_API}
    police.post("/police/v1/incidents", content=b'{"data": {"type": "incident", "type"', headers=json_api)
    police.post("/police/v1/incidents", json=incident(3, handling="C"), headers=json_api)
    police.post("/police/v1/incidents", json=incident(4, marking="SECRET"), headers=json_api)
    team.get(f"/fhir/R4/ServiceRequest/{fresh_id()}")
    police.get("/police/v1/feedback")
