"""The two passes of a trace: with the postcode's area, then without, before anybody says that there is no match.

A restricted patient is never found by a search that has a postcode or a practice, even where she fits. So the second
pass is made whenever the first found nobody, and also where it found somebody who is not plainly meant: that may be her
sister. Each pass is a request of its own; sent again, it is the same one.

Source: domain.md section 2.6.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from adapters.nhs import pds
from adapters.nhs.pds import Answer, Found, Nobody, Question, Several
from gateway.matching.model import Model
from gateway.tracing.bands import Judgement, Verdict, judge
from gateway.tracing.client import Call
from mappings.record import Person

Search = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Ask:
    """Whom to ask for. `organisation` is the ODS code of whom the agreement has PDS asked for.

    `trace` and `opened` name the requests: asked anew after an answer, they are others.
    """

    question: Question
    meant: Person
    event: date | None
    trace: str
    opened: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trace came to: somebody with a judgement, or why nobody (`no-match`, `invalidated`, `several`, …).

    `passes` counts the requests that were made.
    """

    found: Found | None
    judgement: Judgement | None
    reason: str | None
    passes: int


def trace(ask: Ask, search: Search, model: Model) -> Outcome:
    """Ask in two passes and judge. Raises what `search` raises."""
    first = _found(ask, search(_call(ask, 1, ask.question.within_area())), model, 1) if ask.question.area else None
    if first is not None and (first.reason == "several" or _is(first, Verdict.SAME)):
        return first
    passes = 2 if first is not None else 1
    second = _found(ask, search(_call(ask, 2, ask.question.everywhere())), model, passes)
    if _is(second, Verdict.SAME) or first is None or not _is(first, Verdict.REVIEW):
        return second
    return Outcome(first.found, first.judgement, None, passes)  # somebody near enough for a person to look at


def request_id(ask: Ask, number: int) -> str:
    """The id of a pass: the same whenever the same question of the same trace is sent, and no other."""
    return str(uuid.uuid5(uuid.UUID(ask.trace), f"{ask.opened} pass {number}"))


def _call(ask: Ask, number: int, parameters: pds.Parameters) -> Call:
    return Call(parameters, request_id(ask, number), ask.trace, ask.organisation)


def _found(ask: Ask, answer: Answer, model: Model, passes: int) -> Outcome:
    if isinstance(answer, Several):
        return Outcome(None, None, "several", passes)
    if isinstance(answer, Nobody):
        return Outcome(None, None, answer.reason, passes)
    judgement = judge(ask.meant, answer, ask.event, model)
    if judgement.verdict is Verdict.STRANGER:
        return Outcome(None, None, "stranger", passes)
    return Outcome(answer, judgement, None, passes)


def _is(outcome: Outcome, verdict: Verdict) -> bool:
    return outcome.judgement is not None and outcome.judgement.verdict is verdict
