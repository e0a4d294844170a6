"""When an endpoint is left alone, and what a receiver has: pure, by examples and properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.delivery.channel import Reason
from gateway.delivery.circuit import CLOSED, FIRST, LONGEST, OPEN_AFTER, Circuit
from gateway.delivery.policy import AFTER_MAX
from gateway.delivery.turn import Held, held

NOW = datetime(2026, 4, 12, 20, 0, tzinfo=UTC)


def _failed(times: int, after: timedelta | None = None) -> Circuit:
    circuit = CLOSED
    for _ in range(times):
        circuit = circuit.failed(NOW, after)
    return circuit


def test_failures_one_after_another_open_it_for_longer_each_time_up_to_a_cap() -> None:
    assert not _failed(OPEN_AFTER - 1).is_open(NOW)
    for times, rest in ((0, FIRST), (1, 2 * FIRST), (2, 4 * FIRST), (50, LONGEST)):
        circuit = _failed(OPEN_AFTER + times)
        assert circuit.is_open(NOW + rest - timedelta(seconds=1))
        assert not circuit.is_open(NOW + rest)
        assert circuit.is_probing
    assert _failed(OPEN_AFTER).answered() == CLOSED


def test_an_endpoint_that_asks_for_time_is_given_it_from_the_first_failure_on() -> None:
    circuit = _failed(1, timedelta(minutes=7))
    assert circuit.is_open(NOW + timedelta(minutes=6))
    assert not circuit.is_open(NOW + timedelta(minutes=7))
    assert not circuit.is_probing


def test_a_clock_that_was_set_back_does_not_keep_it_open() -> None:
    assert not _failed(OPEN_AFTER).is_open(NOW - 3 * AFTER_MAX)


def _row(number: int, *, acked: bool, doubts: int, unknown: bool, reason: Reason) -> Any:
    at = "2026-04-12T20:00:00.000Z" if acked else None
    return SimpleNamespace(
        id=f"d{number}", acknowledged_at=at, doubts=doubts, unknown=unknown, reason=reason, digest=b"d%d" % number
    )


_ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.booleans(), st.sampled_from(Reason)), max_size=8).map(
    lambda drawn: [
        _row(number, acked=acked, doubts=doubts, unknown=unknown, reason=reason)
        for number, (acked, doubts, unknown, reason) in enumerate(drawn, 1)
    ]
)


@settings(max_examples=200)
@given(_ROWS)
def test_what_is_doubted_is_never_taken_for_nothing(rows: list[Any]) -> None:
    """After the last answer that says what the receiver has, a delivery that may have arrived counts as there."""
    found = held(rows)
    answered = max((n for n, one in enumerate(rows) if one.acknowledged_at or one.unknown), default=-1)
    doubted = [one.id for one in rows[answered + 1 :] if one.doubts]
    assert found.may_have == (doubted[-1] if doubted else None)
    assert found.newest in {found.may_have, found.has}


def test_a_recall_that_was_acknowledged_leaves_nothing() -> None:
    rows = [
        _row(1, acked=True, doubts=1, unknown=False, reason=Reason.NEW),
        _row(2, acked=True, doubts=1, unknown=False, reason=Reason.CANCEL),
    ]
    assert held(rows[:1]).has == "d1"
    assert held(rows) == Held()
