"""What an act does: a step of the state machine, words to police, whose case it is, and the case as it stands then.

Pure. An act goes through the same machine as a change of a Task, so that both come to the same state, tell the same
words and set the same clocks. Whoever does something in a referral that nobody has taken has taken it.

    affected   one act: what it does, and the case after it
    happened   what a change of a Task was, as the acts it amounts to

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
from gateway.casework.rules import Case, check, refused
from gateway.casework.states import Step, Told, step
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


def _changes(act: Act, case: Case) -> Sequence[TaskChange]:
    """The changes of a Task that an act amounts to, one after another."""
    wanted = _wanted(act, case)
    if wanted is None:
        return ()
    if case.status in _UNANSWERED and wanted.status is not Status.ACCEPTED:
        return (_TAKEN, wanted)
    return (wanted,)


def _to(status: Status | None, state: State | None, *words: FeedbackIn) -> TaskChange:
    return TaskChange(status, state, words, None)


def _word(
    code: FeedbackCode, value: str | None = None, count: int | None = None, consent: acts.Consent | None = None
) -> FeedbackIn:
    if consent is None:
        return FeedbackIn(code, value, count, None, None)
    return FeedbackIn(code, value, count, None, consent.state, consent.ref, consent.expiry)


_UNANSWERED = frozenset({Status.REQUESTED, Status.RECEIVED})
_TAKEN = _to(Status.ACCEPTED, State.ACKNOWLEDGED)
_PLAIN: Mapping[type[Act], TaskChange | None] = {
    acts.Acknowledge: _TAKEN,
    acts.Assign: None,
    acts.HandOver: None,
    acts.UnableToContact: _to(None, State.UNABLE_TO_CONTACT),
    acts.UnsafeToContact: _to(None, State.UNSAFE_TO_CONTACT),
    acts.AlreadySupported: _to(None, State.ALREADY_KNOWN),
    acts.MaracReferral: _to(None, None, _word(FeedbackCode.MARAC_REFERRED)),
    acts.MaracHeard: None,
    acts.MaracFeedback: None,
    acts.ChildReferral: _to(None, None, _word(FeedbackCode.CHILD_REFERRAL_MADE)),
    acts.CpisChecked: None,
    acts.WelfareConcern: _to(None, None, _word(FeedbackCode.WELFARE_CONCERN)),
}
"""What the acts ask of the machine that always ask the same; None where neither it nor police learn of it."""


@singledispatch
def _wanted(act: Act, _: Case) -> TaskChange | None:
    """What an act asks of the machine."""
    return _PLAIN[type(act)]


@_wanted.register
def _(_: acts.ContactAttempt, case: Case) -> TaskChange:
    before = {State.OFFERED, State.ACKNOWLEDGED, State.UNABLE_TO_CONTACT, State.UNSAFE_TO_CONTACT}
    state = State.CONTACTING if case.state in before else None
    return _to(Status.IN_PROGRESS, state, _word(FeedbackCode.CONTACT_ATTEMPTED, count=case.attempts + 1))


@_wanted.register
def _(act: acts.Engage, _: Case) -> TaskChange:
    limited = act.level is Level.LIMITED
    code = FeedbackCode.ENGAGED_LIMITED if limited else FeedbackCode.ENGAGED
    return _to(Status.IN_PROGRESS, State.ENGAGED, _word(code))


@_wanted.register
def _(act: acts.Decline, _: Case) -> TaskChange:
    return _to(Status.IN_PROGRESS, State.DECLINED, *_wish(FeedbackCode.DECLINED_SUPPORT, None, act.consent))


@_wanted.register
def _(act: acts.Transfer, _: Case) -> TaskChange:
    return _to(None, State.OUT_OF_AREA, _word(FeedbackCode.TRANSFERRED, act.area))


@_wanted.register
def _(act: acts.SafetyPlan, _: Case) -> TaskChange | None:
    return _to(None, None, _word(FeedbackCode.SAFETY_PLAN_IN_PLACE)) if act.in_place else None


@_wanted.register
def _(act: acts.RequestCall, _: Case) -> TaskChange:
    return _to(None, None, _word(FeedbackCode.VICTIM_REQUESTS_CALL, safe_window(act.from_, act.until)))


@_wanted.register
def _(act: acts.SupportsProsecution, _: Case) -> TaskChange | None:
    words = _wish(FeedbackCode.SUPPORTS_PROSECUTION, act.value.value, act.consent)
    return _to(None, None, *words) if words else None


@_wanted.register
def _(act: acts.RiskChange, _: Case) -> TaskChange:
    return _to(None, None, _word(FeedbackCode.RISK_CHANGE, act.direction.value))


@_wanted.register
def _(act: acts.Close, _: Case) -> TaskChange:
    return _to(Status.COMPLETED, State.CLOSED, _word(FeedbackCode.CLOSED, act.how.value))


def _wish(code: FeedbackCode, value: str | None, consent: acts.Consent | None) -> tuple[FeedbackIn, ...]:
    """What she wishes, where something lets police be told of it; otherwise it stays with the team."""
    lets = consent is not None and consent.state in {ConsentState.GIVEN, ConsentState.OVERRIDDEN}
    return (_word(code, value, None, consent),) if lets else ()
