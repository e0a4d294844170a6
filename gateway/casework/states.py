"""The state machine of a referral: which change may follow which, and what police are told of it.

Pure: a referral and the change asked for in, the next standing out, or TransitionRefused. A change of state is also a
word to police (domain.md section 4.3), so that nobody has to say it twice; whether the word may go is decided by the
agreement when it is told.

Source: domain.md sections 4.1 (steps 6 to 9), 4.2 (states), 4.3 (feedback).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.nhs.fhir import FeedbackIn, TaskChange
from gateway.errors import Detail, TransitionRefused
from mappings.record import ConsentState, Feedback, FeedbackCode
from mappings.referral import ReferralState, ReferralStatus

_S = ReferralStatus
_B = ReferralState

NEXT_STATUS: Mapping[ReferralStatus, frozenset[ReferralStatus]] = {
    _S.REQUESTED: frozenset({_S.RECEIVED, _S.ACCEPTED, _S.REJECTED}),
    _S.RECEIVED: frozenset({_S.ACCEPTED, _S.REJECTED}),
    _S.ACCEPTED: frozenset({_S.IN_PROGRESS, _S.COMPLETED, _S.FAILED, _S.REJECTED}),
    _S.IN_PROGRESS: frozenset({_S.COMPLETED, _S.FAILED}),
    _S.REJECTED: frozenset(),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.ENTERED_IN_ERROR: frozenset(),
}
"""Which status may follow which; what has no successor is closed."""

_CONTACT = frozenset({_B.CONTACTING, _B.ENGAGED, _B.DECLINED, _B.UNABLE_TO_CONTACT, _B.UNSAFE_TO_CONTACT, _B.CLOSED})

NEXT_STATE: Mapping[ReferralState, frozenset[ReferralState]] = {
    _B.OFFERED: frozenset({_B.ACKNOWLEDGED, _B.ALREADY_KNOWN, _B.OUT_OF_AREA}) | _CONTACT,
    _B.ACKNOWLEDGED: _CONTACT | {_B.ALREADY_KNOWN, _B.OUT_OF_AREA},
    _B.CONTACTING: _CONTACT - {_B.CONTACTING} | {_B.ALREADY_KNOWN, _B.OUT_OF_AREA},
    _B.ENGAGED: frozenset({_B.CLOSED, _B.DECLINED, _B.UNABLE_TO_CONTACT, _B.UNSAFE_TO_CONTACT}),
    _B.DECLINED: frozenset({_B.ENGAGED, _B.CLOSED}),
    _B.UNABLE_TO_CONTACT: frozenset({_B.CONTACTING, _B.ENGAGED, _B.CLOSED}),
    _B.UNSAFE_TO_CONTACT: frozenset({_B.CONTACTING, _B.ENGAGED, _B.CLOSED}),
    _B.ALREADY_KNOWN: frozenset({_B.CLOSED}),
    _B.OUT_OF_AREA: frozenset({_B.CLOSED}),
    _B.CLOSED: frozenset(),
}
"""Which state of the work may follow which."""

_STATE_WITH: Mapping[ReferralStatus, ReferralState] = {
    _S.RECEIVED: _B.OFFERED,
    _S.ACCEPTED: _B.ACKNOWLEDGED,
    _S.IN_PROGRESS: _B.CONTACTING,
    _S.COMPLETED: _B.CLOSED,
}
"""The state that a status brings where the caller names none and the work stands before it."""

_WORD_OF_STATE: Mapping[ReferralState, FeedbackCode] = {
    _B.ACKNOWLEDGED: FeedbackCode.ACKNOWLEDGED,
    _B.ENGAGED: FeedbackCode.ENGAGED,
    _B.DECLINED: FeedbackCode.DECLINED_SUPPORT,
    _B.UNABLE_TO_CONTACT: FeedbackCode.UNABLE_TO_CONTACT,
    _B.UNSAFE_TO_CONTACT: FeedbackCode.UNSAFE_TO_CONTACT,
    _B.ALREADY_KNOWN: FeedbackCode.ALREADY_SUPPORTED,
    _B.OUT_OF_AREA: FeedbackCode.TRANSFERRED,
    _B.CLOSED: FeedbackCode.CLOSED,
}
"""The word to police that a state of the work is."""

MOST_WORDS = 32
"""How many words to police one change can tell; a real one tells two or three."""

ACKNOWLEDGING = frozenset({_S.ACCEPTED, _S.REJECTED})
"""The statuses that stop the clock of the offer: somebody has answered."""


ACCEPTING = frozenset({_S.ACCEPTED, _S.IN_PROGRESS})
"""The statuses that make a case that of the person who set them."""


@dataclass(frozen=True, slots=True)
class Told:
    """A word to police, with what the victim said about telling it."""

    feedback: Feedback
    consent: ConsentState | None


@dataclass(frozen=True, slots=True)
class Step:
    """Where a referral stands after a change, and what the change tells police."""

    status: ReferralStatus
    state: ReferralState
    told: tuple[Told, ...]


def following(
    status: ReferralStatus, state: ReferralState, to: ReferralStatus | None, of: ReferralState | None
) -> tuple[ReferralStatus, ReferralState]:
    """Where a referral stands that goes to a status and a state of work, None where not said. Raises as `step`."""
    next_status = to or status
    if next_status is not status and next_status not in NEXT_STATUS[status]:
        raise _refused("Task.status", f"{next_status.value} does not follow {status.value}")
    next_state = of or _brought(next_status, status, state)
    if next_state is not state and next_state not in NEXT_STATE[state]:
        raise _refused("Task.businessStatus", f"{next_state.value} does not follow {state.value}")
    return next_status, next_state


def step(
    status: ReferralStatus,
    state: ReferralState,
    change: TaskChange,
    role: str | None,
    now: datetime,
    consent_ref: str | None = None,
) -> Step:
    """The next standing. Raises TransitionRefused naming the element that cannot follow.

    `consent_ref` names the consent of this change to police, where the team gave it no reference of its own.
    """
    next_status, next_state = following(status, state, change.status, change.state)
    if (next_status, next_state) == (status, state) and not change.feedback:
        raise _refused("Task", "nothing in it changes the referral")
    if not NEXT_STATUS[status] and (change.feedback or next_state is not state) and status is not _S.COMPLETED:
        raise _refused("Task", f"a referral that is {status.value} does not change")
    if len(change.feedback) > MOST_WORDS:
        raise _refused("Task.output", f"a change tells at most {MOST_WORDS} words")
    words = [_told(one, role, now, consent_ref) for one in change.feedback]
    said = {told.feedback.code for told in words}
    implied = [_WORD_OF_STATE[next_state]] if next_state is not state and next_state in _WORD_OF_STATE else []
    if FeedbackCode.ENGAGED_LIMITED in said:
        implied = [code for code in implied if code is not FeedbackCode.ENGAGED]  # it says as much, and more exactly
    if next_status is not status and next_status is _S.RECEIVED:
        implied.append(FeedbackCode.RECEIVED)
    agreed = next((one for one in words if one.consent), None)
    words += [_implied(code, role, now, agreed) for code in implied if code not in said]
    return Step(next_status, next_state, tuple(words))


def _brought(to: ReferralStatus, status: ReferralStatus, state: ReferralState) -> ReferralState:
    brought = _STATE_WITH.get(to) if to is not status else None
    return brought if brought is not None and brought in NEXT_STATE[state] else state


def _told(one: FeedbackIn, role: str | None, now: datetime, consent_ref: str | None) -> Told:
    if one.code is FeedbackCode.ENTERED_IN_ERROR:
        raise _refused("Task.output", "what was entered in error is taken back by naming the act, not by a word")
    if one.code.item_word == _WISHES and one.consent_state not in _LETS_TELL:
        raise _refused(_CONSENT, f"{one.code.value} goes to police with her consent, or an override, and says which")
    if one.consent_ref is not None and one.consent_state is None:
        raise _refused(_CONSENT, "a reference to a consent goes with its consent-state")
    if one.expiry is not None and one.expiry <= now:
        raise _refused(_CONSENT, f"what lets {one.code.value} be told has expired")
    at = min(one.at, now) if one.at else now
    feedback = Feedback(
        code=one.code,
        at=at,
        value=one.value,
        count=one.count,
        author_role=role,
        consent_ref=one.consent_ref or (consent_ref if one.consent_state else None),
        expiry=one.expiry,
    )
    return Told(feedback, one.consent_state)


_CONSENT = "Task.output.extension"
_WISHES = FeedbackCode.DECLINED_SUPPORT.item_word
_LETS_TELL = frozenset({ConsentState.GIVEN, ConsentState.OVERRIDDEN})
"""What lets the victim's wishes be told: her consent, or public interest that is documented (domain.md section 4.3)."""


def _implied(code: FeedbackCode, role: str | None, now: datetime, agreed: Told | None) -> Told:
    """The word that a change of state is, under the consent that came with the change."""
    word = Feedback(code=code, at=now, author_role=role)
    if agreed is None:
        return Told(word, None)
    under = {"consent_ref": agreed.feedback.consent_ref, "expiry": agreed.feedback.expiry}
    return Told(word.model_copy(update=under), agreed.consent)


def _refused(path: str, words: str) -> TransitionRefused:
    return TransitionRefused(words, details=(Detail(path, "business-rule", words),))
