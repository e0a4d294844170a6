"""Which act may follow what was done before, beyond what the state machine says of states.

Pure: a case as it stands and an act in, nothing out, or TransitionRefused naming the field.

    three attempts    before she counts as out of reach, unless a ground is said (domain.md section 1.9)
    stated alone      a message is left, or a text sent, only where that is stated to be safe (P5, N8)
    known here        a child is one of the case, an area one of the agreement
    no word missing   without consent the conference is told why; who was not asked, why not (domain.md section 1.8)

Source: domain.md sections 1.8, 1.9, 4.2, 4.5 (N8).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import singledispatch

from gateway.casework.acts import (
    UNBORN,
    Acknowledge,
    Act,
    ChildReferral,
    Close,
    ContactAttempt,
    CpisChecked,
    MaracHeard,
    MaracReferral,
    RequestCall,
    SafetyPlan,
    Transfer,
    UnableToContact,
)
from gateway.casework.codes import Channel, How, Result
from gateway.casework.states import NEXT_STATUS
from gateway.errors import Detail, TransitionRefused
from gateway.london import day_of
from mappings.record import ConsentState, Contact
from mappings.referral import ReferralState, ReferralStatus

ATTEMPTS = 3
"""Attempts without an answer before she counts as out of reach (domain.md section 1.9)."""

ELSEWHERE = "elsewhere"
"""Where somebody goes whom no area of the agreement takes on."""

_CLOCK_OFF = timedelta(minutes=5)  # how far ahead of ours a caller's clock may be
_OLDEST = timedelta(days=3660)  # ten years: before it is a mistake of the keyboard


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands: what the machine says, how often she was tried, and what the team may know of her.

    `fruitless` are the attempts since she was last reached. `areas` are the agreement's, `children` the references and
    `contacts` the channels of what the team is shown; empty where the act at hand asks for none of them.
    """

    status: ReferralStatus
    state: ReferralState
    attempts: int = 0
    fruitless: int = 0
    areas: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    contacts: tuple[Contact, ...] = field(default=(), repr=False)


def check(act: Act, case: Case, now: datetime, at: str) -> None:
    """Raise TransitionRefused unless an act may follow; `at` is its path (`acts[0]`)."""
    if act.happened_at is not None and not now - _OLDEST <= act.happened_at <= now + _CLOCK_OFF:
        raise refused(f"{at}.happened_at", "it is still to come, or too long ago to be meant")
    if not NEXT_STATUS[case.status] and not (case.status is ReferralStatus.COMPLETED and act.act in AFTERWARDS):
        raise refused(f"{at}.act", f"a referral that is {case.status.value} does not change so")
    if isinstance(act, Acknowledge) and case.status not in _UNANSWERED:
        raise refused(f"{at}.act", "somebody has taken the referral")
    consent = getattr(act, "consent", None)
    if consent is not None and consent.expiry is not None and not now < consent.expiry <= now + _FURTHEST:
        raise refused(f"{at}.consent.expiry", "it has expired, or is too far away to be meant")
    if (wrong := _wrong(act, case, now)) is not None:
        raise refused(f"{at}.{wrong[0]}", wrong[1])


def refused(path: str, words: str) -> TransitionRefused:
    """What an act is refused with."""
    return TransitionRefused(words, details=(Detail(path, "business-rule", words),))


_UNANSWERED = frozenset({ReferralStatus.REQUESTED, ReferralStatus.RECEIVED})
AFTERWARDS = frozenset({"marac-feedback", "request-call", "risk-change", "supports-prosecution", "welfare-concern"})
"""What may still be said of a case that was closed."""


Wrong = tuple[str, str] | None
"""What is wrong with an act: the field, and words."""


@singledispatch
def _wrong(_: Act, __: Case, ___: datetime) -> Wrong:
    """What is wrong with an act of its kind."""
    return None


@_wrong.register
def _(act: ContactAttempt, case: Case, _: datetime) -> Wrong:
    if act.contact is not None and act.contact >= len(case.contacts):
        return "contact", "is none of the channels that are shown"
    channels = case.contacts if act.contact is None else (case.contacts[act.contact],)
    message = act.result is Result.MESSAGE_LEFT
    if act.channel is Channel.TEXT:
        allowed = any(one.is_safe and one.text is True for one in channels)
    elif act.channel is Channel.VOICEMAIL or (message and act.channel is Channel.PHONE):
        allowed = any(one.may_leave_voicemail for one in channels)
    elif act.channel is Channel.EMAIL:
        allowed = any(one.is_safe and one.system == "email" for one in channels)
    else:
        return None
    return None if allowed else ("channel", "it is not stated that this may be done; unknown means unsafe")


@_wrong.register
def _(act: UnableToContact, case: Case, _: datetime) -> Wrong:
    if act.ground is not None or case.fruitless >= ATTEMPTS:
        return None
    return "ground", f"fewer than {ATTEMPTS} attempts are recorded since the last contact: say a ground"


@_wrong.register
def _(act: Transfer, case: Case, _: datetime) -> Wrong:
    return None if act.area in case.areas | {ELSEWHERE} else ("area", f"is no area of the agreement: say {ELSEWHERE}")


@_wrong.register
def _(act: SafetyPlan, _: Case, now: datetime) -> Wrong:
    made = day_of(min(act.happened_at or now, now))
    if act.review_on is None:
        words = "a safety plan that is in place has a day on which it is looked at again"
        return ("review_on", words) if act.in_place else None
    fits = made <= act.review_on <= made + _FURTHEST
    return None if fits else ("review_on", "it is before the plan, or too far away to be meant")


@_wrong.register
def _(act: MaracReferral, _: Case, now: datetime) -> Wrong:
    if not act.aware and act.why_not_aware is None:
        return "why_not_aware", "is missing, and she is not aware"
    if act.consent.state is not ConsentState.GIVEN and act.justification is None:
        return "justification", "is missing, and she has not consented"
    if act.referred_before is not None and act.referred_before > day_of(now):
        return "referred_before", "it is still to come"
    return None


@_wrong.register
def _(act: MaracHeard, _: Case, now: datetime) -> Wrong:
    today = day_of(now)
    return None if today - _OLDEST <= act.on <= today else ("on", "it is still to come, or too long ago to be meant")


@_wrong.register
def _(act: ChildReferral, case: Case, _: datetime) -> Wrong:
    unknown = next((n for n, one in enumerate(act.children) if one not in case.children | {UNBORN}), None)
    return None if unknown is None else (f"children[{unknown}]", "is no child of this case")


@_wrong.register
def _(act: CpisChecked, case: Case, _: datetime) -> Wrong:
    return None if act.child in case.children | {UNBORN} else ("child", "is no child of this case")


@_wrong.register
def _(act: RequestCall, _: Case, now: datetime) -> Wrong:
    said = min(act.happened_at or now, now)
    fits = said < act.until <= said + _FURTHEST and timedelta() < act.until - act.from_ <= _LONGEST_WINDOW
    return None if fits else ("until", "the time is over, or ends before it begins, or is longer than a week")


@_wrong.register
def _(act: Close, _: Case, __: datetime) -> Wrong:
    planned = act.how is How.PLANNED and act.exit is None
    return ("exit", "a planned end says how things stand") if planned else None


_LONGEST_WINDOW = timedelta(days=7)  # what is safe next month nobody knows
_FURTHEST = timedelta(days=731)  # two years ahead: beyond it is a mistake of the keyboard
