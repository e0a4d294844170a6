"""The state machine of a referral: every pair of states, and what a step tells police."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.nhs.fhir import FeedbackIn, TaskChange
from gateway.casework import NEXT_STATE, NEXT_STATUS, step
from gateway.errors import TransitionRefused
from mappings.record import ConsentState, FeedbackCode
from mappings.referral import ReferralState as State
from mappings.referral import ReferralStatus as Status

NOW = datetime(2026, 4, 12, 21, 30, tzinfo=UTC)
OPEN = [one for one in Status if NEXT_STATUS[one]]

FOLLOWS = {
    Status.REQUESTED: {Status.RECEIVED, Status.ACCEPTED, Status.REJECTED},
    Status.RECEIVED: {Status.ACCEPTED, Status.REJECTED},
    Status.ACCEPTED: {Status.IN_PROGRESS, Status.COMPLETED, Status.FAILED, Status.REJECTED},
    Status.IN_PROGRESS: {Status.COMPLETED, Status.FAILED},
}
"""The table as domain.md section 4.2 has it, written a second time."""


def change(
    status: Status | None = None, state: State | None = None, *feedback: FeedbackIn, reason: str | None = None
) -> TaskChange:
    return TaskChange(status, state, feedback, reason)


def word(code: FeedbackCode, *, at: datetime | None = None, consent: ConsentState | None = None) -> FeedbackIn:
    return FeedbackIn(code, None, None, at, consent)


@pytest.mark.parametrize("to", Status)
@pytest.mark.parametrize("status", Status)
def test_which_status_may_follow_which(status: Status, to: Status) -> None:
    wanted = change(to, None, word(FeedbackCode.WELFARE_CONCERN))
    allowed = to in FOLLOWS.get(status, set()) or (to is status and (status in FOLLOWS or status is Status.COMPLETED))
    if allowed:
        assert step(status, State.ACKNOWLEDGED, wanted, None, NOW).status is to
    else:
        with pytest.raises(TransitionRefused) as refused:
            step(status, State.ACKNOWLEDGED, wanted, None, NOW)
        assert refused.value.details[0].path in {"Task.status", "Task"}


@pytest.mark.parametrize("to", State)
@pytest.mark.parametrize("state", State)
def test_which_state_may_follow_which(state: State, to: State) -> None:
    wanted = change(None, to, word(FeedbackCode.WELFARE_CONCERN))
    if to is state or to in NEXT_STATE[state]:
        assert step(Status.IN_PROGRESS, state, wanted, None, NOW).state is to
    else:
        with pytest.raises(TransitionRefused) as refused:
            step(Status.IN_PROGRESS, state, wanted, None, NOW)
        assert refused.value.details[0].path == "Task.businessStatus"


def test_nothing_leads_back_to_the_offer_and_nothing_out_of_the_end() -> None:
    assert not any(State.OFFERED in found for found in NEXT_STATE.values())
    assert NEXT_STATE[State.CLOSED] == frozenset()
    assert {one for one in Status if not NEXT_STATUS[one]} == {
        Status.REJECTED,
        Status.COMPLETED,
        Status.FAILED,
        Status.ENTERED_IN_ERROR,
    }
    assert not any(Status.ENTERED_IN_ERROR in found for found in NEXT_STATUS.values())


def test_every_state_can_be_reached_from_the_offer() -> None:
    reached, edge = {State.OFFERED}, {State.OFFERED}
    while edge:
        edge = {to for one in edge for to in NEXT_STATE[one]} - reached
        reached |= edge
    assert reached == set(State)


@pytest.mark.parametrize(
    ("status", "state", "to", "brought", "told"),
    [
        (Status.REQUESTED, State.OFFERED, Status.RECEIVED, State.OFFERED, [FeedbackCode.RECEIVED]),
        (Status.REQUESTED, State.OFFERED, Status.ACCEPTED, State.ACKNOWLEDGED, [FeedbackCode.ACKNOWLEDGED]),
        (Status.REQUESTED, State.OFFERED, Status.REJECTED, State.OFFERED, []),
        (Status.ACCEPTED, State.ACKNOWLEDGED, Status.IN_PROGRESS, State.CONTACTING, []),
        (Status.ACCEPTED, State.ENGAGED, Status.IN_PROGRESS, State.ENGAGED, []),
        (Status.IN_PROGRESS, State.ENGAGED, Status.COMPLETED, State.CLOSED, [FeedbackCode.CLOSED]),
    ],
)
def test_a_status_brings_its_state_and_its_word(
    status: Status, state: State, to: Status, brought: State, told: list[FeedbackCode]
) -> None:
    found = step(status, state, change(to), "idva", NOW)
    assert (found.status, found.state, [one.feedback.code for one in found.told]) == (to, brought, told)
    assert all(one.feedback.author_role == "idva" and one.feedback.at == NOW for one in found.told)


def test_what_is_said_is_not_said_twice() -> None:
    """A word that comes with the change takes the place of the word that the change is; its consent covers both."""
    given_ = word(FeedbackCode.ENGAGED, consent=ConsentState.GIVEN)
    found = step(Status.IN_PROGRESS, State.CONTACTING, change(None, State.ENGAGED, given_), None, NOW)
    assert [(one.feedback.code, one.consent) for one in found.told] == [(FeedbackCode.ENGAGED, ConsentState.GIVEN)]
    other = word(FeedbackCode.MARAC_REFERRED, consent=ConsentState.GIVEN)
    found = step(Status.IN_PROGRESS, State.CONTACTING, change(None, State.DECLINED, other), None, NOW)
    assert [(one.feedback.code, one.consent) for one in found.told] == [
        (FeedbackCode.MARAC_REFERRED, ConsentState.GIVEN),
        (FeedbackCode.DECLINED_SUPPORT, ConsentState.GIVEN),
    ]


def test_a_change_that_changes_nothing_is_refused() -> None:
    with pytest.raises(TransitionRefused) as refused:
        step(Status.ACCEPTED, State.ACKNOWLEDGED, change(Status.ACCEPTED, State.ACKNOWLEDGED), None, NOW)
    assert refused.value.details[0].path == "Task"


@pytest.mark.parametrize("status", [Status.REJECTED, Status.FAILED, Status.ENTERED_IN_ERROR])
def test_a_referral_that_is_over_takes_no_more_words(status: Status) -> None:
    with pytest.raises(TransitionRefused):
        step(status, State.OFFERED, change(None, None, word(FeedbackCode.ENGAGED)), None, NOW)


def test_a_word_cannot_come_from_the_future() -> None:
    """A clock that runs ahead is brought back to now; an earlier time stays as it was said."""
    late, early = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    words = (word(FeedbackCode.CONTACT_ATTEMPTED, at=late), word(FeedbackCode.ENGAGED, at=early))
    found = step(Status.IN_PROGRESS, State.CONTACTING, change(None, None, *words), None, NOW)
    assert [one.feedback.at for one in found.told] == [NOW, early]


@given(
    steps=st.lists(
        st.tuples(st.none() | st.sampled_from(list(Status)), st.none() | st.sampled_from(list(State))), max_size=12
    )
)
def test_no_order_of_changes_reopens_what_is_over(steps: list[tuple[Status | None, State | None]]) -> None:
    status, state = Status.REQUESTED, State.OFFERED
    for to, into in steps:
        was_over = not NEXT_STATUS[status]
        try:
            found = step(status, state, change(to, into), None, NOW)
        except TransitionRefused:
            continue
        if was_over:
            assert found.status is status
        assert found.state is state or found.state in NEXT_STATE[state]
        status, state = found.status, found.state
