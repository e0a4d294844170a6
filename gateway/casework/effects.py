"""What an act does: a step of the state machine, words to police, whose case it is, and the case as it stands then.

Pure. An act goes through the same machine as a change of a Task, so that both come to the same state, tell the same
words and set the same clocks. Whoever does something in a referral that nobody has taken has taken it.

    affected   one act: what it does, and the case after it
    happened   what a change of a Task was, as the acts it amounts to
    leads      where an act leads, by its kind and its codes
    may_follow whether an act of a kind may follow at all

Source: domain.md sections 4.2, 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import singledispatch
from typing import Any

from adapters.nhs.fhir import FeedbackIn, TaskChange
from gateway.casework import acts
from gateway.casework.acts import Act, safe_window
from gateway.casework.codes import Level, Result
from gateway.casework.rules import AFTERWARDS, Case, check, refused
from gateway.casework.states import NEXT_STATUS, Step, Told, following, step
from gateway.errors import TransitionRefused
from mappings.record import ConsentState, FeedbackCode
from mappings.referral import ReferralState as State
from mappings.referral import ReferralStatus as Status


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened in a case: what, when (aware), in codes, and in words that are kept encrypted."""

    kind: str
    at: datetime
    codes: Mapping[str, Any]
    words: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """What an act does. `assigned` is whose case it is from now on: a person, "" for nobody, None for as it was."""

    step: Step
    happened: Happened
    assigned: str | None
    case: Case


def affected(act: Act, case: Case, role: str | None, now: datetime, *, at: str, consent_ref: str) -> Effect:
    """What an act does in a case. Raises TransitionRefused; `at` is the act's path (`acts[0]`).

    `consent_ref` names the consent that came with the act, where the team gave it no reference of its own.
    """
    check(act, case, now, at)
    changes = _changes(act, case)
    status, state, told = case.status, case.state, tuple[Told, ...]()
    for change in changes:
        try:
            one = step(status, state, change, role, now, consent_ref)
        except TransitionRefused as cannot:
            raise refused(f"{at}.act", cannot.words) from None
        status, state, told = one.status, one.state, (*told, *one.told)
    then = min(act.happened_at, now) if act.happened_at else now
    told = tuple(replace(one, feedback=one.feedback.model_copy(update={"at": then})) for one in told)
    after = replace(case, status=status, state=state)
    if isinstance(act, acts.ContactAttempt):
        reached = act.result is Result.REACHED
        after = replace(after, attempts=case.attempts + 1, fruitless=0 if reached else case.fruitless + 1)
    elif isinstance(act, acts.Engage):
        after = replace(after, fruitless=0)  # as what was kept of it says, once it is read again
    return Effect(Step(status, state, told), Happened(act.act, then, act.codes, act.words), _assigned(act), after)


def happened(before: tuple[Status, State], done: Step, now: datetime) -> tuple[Happened, ...]:
    """What a change of a Task was: an act for each word it told, or where it told none, that the case moved."""
    found = [_said(told) for told in done.told]
    if not found and (done.status, done.state) != before:
        found.append(Happened(MOVED, now, {"status": done.status.value, "state": done.state.value}, {}))
    return tuple(found)


MOVED = "moved"
"""What happened where a case moved on and police were told no word of it: turned down, or entered in error."""


def _said(told: Told) -> Happened:
    kind, codes = _KIND_OF[told.feedback.code]
    beside = {name: told.feedback.value for name in codes if told.feedback.value is not None}
    fixed = _FIXED.get(told.feedback.code, {})
    counted = {"count": told.feedback.count} if told.feedback.count is not None else {}
    wish = told.feedback.code.item_word == "engagement.wishes"
    agreed = {"consent": {"state": told.consent.value}} if wish and told.consent else {}  # as its act says it
    return Happened(kind, told.feedback.at, {**beside, **fixed, **counted, **agreed}, {})


_KIND_OF: Mapping[FeedbackCode, tuple[str, tuple[str, ...]]] = {
    FeedbackCode.RECEIVED: ("received", ()),
    FeedbackCode.ACKNOWLEDGED: ("acknowledge", ()),
    FeedbackCode.CONTACT_ATTEMPTED: ("contact-attempt", ()),
    FeedbackCode.ENGAGED: ("engage", ()),
    FeedbackCode.ENGAGED_LIMITED: ("engage", ()),
    FeedbackCode.DECLINED_SUPPORT: ("decline", ()),
    FeedbackCode.UNABLE_TO_CONTACT: ("unable-to-contact", ()),
    FeedbackCode.UNSAFE_TO_CONTACT: ("unsafe-to-contact", ()),
    FeedbackCode.ALREADY_SUPPORTED: ("already-supported", ()),
    FeedbackCode.TRANSFERRED: ("transfer", ("area",)),
    FeedbackCode.SAFETY_PLAN_IN_PLACE: ("safety-plan", ()),
    FeedbackCode.MARAC_REFERRED: ("marac-referral", ()),
    FeedbackCode.CHILD_REFERRAL_MADE: ("child-referral", ()),
    FeedbackCode.SUPPORTS_PROSECUTION: ("supports-prosecution", ("value",)),
    FeedbackCode.VICTIM_REQUESTS_CALL: ("request-call", ()),  # when it is safe is hers, and not kept open
    FeedbackCode.RISK_CHANGE: ("risk-change", ("direction",)),
    FeedbackCode.WELFARE_CONCERN: ("welfare-concern", ()),
    FeedbackCode.CLOSED: ("close", ("how",)),
}
"""The act that a word amounts to, and what its detail is there."""

_FIXED: Mapping[FeedbackCode, Mapping[str, Any]] = {
    FeedbackCode.ENGAGED: {"level": Level.FULL.value},
    FeedbackCode.ENGAGED_LIMITED: {"level": Level.LIMITED.value},
    FeedbackCode.SAFETY_PLAN_IN_PLACE: {"in_place": True},
}


def _assigned(act: Act) -> str | None:
    if isinstance(act, acts.Assign):
        return act.to
    if isinstance(act, acts.HandOver):
        return "" if act.to == acts.NEXT_SHIFT else act.to
    return None


Lead = tuple[Status | None, State | None]
"""Where an act leads: a status and a state of work, None where it leaves it as it is."""

UNANSWERED = frozenset({Status.REQUESTED, Status.RECEIVED})
TAKEN: Lead = (Status.ACCEPTED, State.ACKNOWLEDGED)
"""Where whoever does something first in a referral leads it: somebody has taken it."""


def leads(kind: str, codes: Mapping[str, Any], status: Status, state: State) -> tuple[Lead, ...]:
    """Where an act leads, one step after another; nowhere where neither the machine nor police learn of it."""
    if kind not in _LEADS or not _learnt(kind, codes):
        return ()
    to, of = _LEADS[kind]
    if kind == "contact-attempt" and state not in _TRIED_FROM:
        of = None
    if status in UNANSWERED and to is not Status.ACCEPTED:
        return (TAKEN, (to, of))
    return ((to, of),)


def _learnt(kind: str, codes: Mapping[str, Any]) -> bool:
    """Whether the machine and police learn of an act: not of a plan that is none, nor of a wish that is kept."""
    if kind == "safety-plan":
        return bool(codes.get("in_place"))
    return kind != "supports-prosecution" or (codes.get("consent") or {}).get("state") in _LETS


def may_follow(kind: str, status: Status, state: State) -> bool:
    """Whether an act of a kind may be done in a case that stands so, if what is said in it is right."""
    if not NEXT_STATUS[status]:
        return status is Status.COMPLETED and kind in AFTERWARDS
    if kind == "acknowledge" and status not in UNANSWERED:
        return False
    after = status, state
    steps = leads(kind, _THAT_TELL, status, state)
    try:
        for to, of in steps:
            after = following(*after, to, of)
    except TransitionRefused:
        return False
    return not steps or after != (status, state) or kind not in _SAID_BY_STATE


_THAT_TELL: Mapping[str, Any] = {"in_place": True, "consent": {"state": ConsentState.GIVEN.value}}
_SAID_BY_STATE = frozenset({"unable-to-contact", "unsafe-to-contact", "already-supported"})
"""What says nothing but its state: of a case that is in it already, it says nothing."""

_TRIED_FROM = frozenset({State.OFFERED, State.ACKNOWLEDGED, State.UNABLE_TO_CONTACT, State.UNSAFE_TO_CONTACT})
"""The states that an attempt ends; in the others she was reached, and trying her again is part of the work."""

_LETS = frozenset({ConsentState.GIVEN.value, ConsentState.OVERRIDDEN.value})

_LEADS: Mapping[str, Lead] = {
    "acknowledge": TAKEN,
    "contact-attempt": (Status.IN_PROGRESS, State.CONTACTING),
    "engage": (Status.IN_PROGRESS, State.ENGAGED),
    "decline": (Status.IN_PROGRESS, State.DECLINED),
    "unable-to-contact": (None, State.UNABLE_TO_CONTACT),
    "unsafe-to-contact": (None, State.UNSAFE_TO_CONTACT),
    "already-supported": (None, State.ALREADY_KNOWN),
    "transfer": (None, State.OUT_OF_AREA),
    "close": (Status.COMPLETED, State.CLOSED),
    **dict.fromkeys(
        (
            *("safety-plan", "marac-referral", "child-referral", "request-call"),
            *("supports-prosecution", "risk-change", "welfare-concern"),
        ),
        (None, None),
    ),
}
"""Where the acts lead that the machine learns of."""


def _changes(act: Act, case: Case) -> Sequence[TaskChange]:
    """The changes of a Task that an act amounts to, one after another; its words go with the last."""
    steps = leads(act.act, act.codes, case.status, case.state)
    return [
        TaskChange(*where, _words(act, case) if number == len(steps) else (), None)
        for number, where in enumerate(steps, start=1)
    ]


@singledispatch
def _words(act: Act, _: Case) -> tuple[FeedbackIn, ...]:
    """What an act tells police beside what its state does."""
    code = _PLAIN.get(type(act))
    return () if code is None else (_word(code),)


_PLAIN: Mapping[type[Act], FeedbackCode] = {
    acts.SafetyPlan: FeedbackCode.SAFETY_PLAN_IN_PLACE,
    acts.MaracReferral: FeedbackCode.MARAC_REFERRED,
    acts.ChildReferral: FeedbackCode.CHILD_REFERRAL_MADE,
    acts.WelfareConcern: FeedbackCode.WELFARE_CONCERN,
}
"""The words that say no more than their code."""


@_words.register
def _(_: acts.ContactAttempt, case: Case) -> tuple[FeedbackIn, ...]:
    return (_word(FeedbackCode.CONTACT_ATTEMPTED, count=case.attempts + 1),)


@_words.register
def _(act: acts.Engage, _: Case) -> tuple[FeedbackIn, ...]:
    return (_word(FeedbackCode.ENGAGED_LIMITED if act.level is Level.LIMITED else FeedbackCode.ENGAGED),)


@_words.register
def _(act: acts.Decline, _: Case) -> tuple[FeedbackIn, ...]:
    return _wish(FeedbackCode.DECLINED_SUPPORT, None, act.consent)


@_words.register
def _(act: acts.Transfer, _: Case) -> tuple[FeedbackIn, ...]:
    return (_word(FeedbackCode.TRANSFERRED, act.area),)


@_words.register
def _(act: acts.RequestCall, _: Case) -> tuple[FeedbackIn, ...]:
    return (_word(FeedbackCode.VICTIM_REQUESTS_CALL, safe_window(act.from_, act.until)),)


@_words.register
def _(act: acts.SupportsProsecution, _: Case) -> tuple[FeedbackIn, ...]:
    return _wish(FeedbackCode.SUPPORTS_PROSECUTION, act.value.value, act.consent)


@_words.register
def _(act: acts.RiskChange, _: Case) -> tuple[FeedbackIn, ...]:
    return (_word(FeedbackCode.RISK_CHANGE, act.direction.value),)


@_words.register
def _(act: acts.Close, _: Case) -> tuple[FeedbackIn, ...]:
    return (_word(FeedbackCode.CLOSED, act.how.value),)


def _word(
    code: FeedbackCode, value: str | None = None, count: int | None = None, consent: acts.Consent | None = None
) -> FeedbackIn:
    if consent is None:
        return FeedbackIn(code, value, count, None, None)
    return FeedbackIn(code, value, count, None, consent.state, consent.ref, consent.expiry)


def _wish(code: FeedbackCode, value: str | None, consent: acts.Consent | None) -> tuple[FeedbackIn, ...]:
    """What she wishes, where something lets police be told of it; otherwise it stays with the team."""
    lets = consent is not None and consent.state.value in _LETS
    return (_word(code, value, None, consent),) if lets else ()
