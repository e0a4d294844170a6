"""What is due, by SQL and by a plain reading of the rule: the two agree on any history of any incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from audit.entry import timestamp
from gateway.agreement import shipped
from gateway.chance import fresh_id
from gateway.retention.due import count_due, find_due
from gateway.retention.schedule import Kept, Rule, rules_of
from gateway.store import tables
from gateway.store.database import Database

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class History:
    """An incident by days before now: its records (received, is a word, erased), its closings, a hold (lifted?)."""

    records: Sequence[tuple[int, bool, bool]]
    closings: Sequence[int | None]
    hold: bool | None


days = st.integers(0, 60)
histories = st.builds(
    History,
    st.lists(st.tuples(days, st.booleans(), st.booleans()), min_size=1, max_size=4),
    st.lists(st.none() | days, max_size=3),
    st.none() | st.booleans(),
)
rules = st.builds(Rule, st.integers(1, 40), st.sampled_from(["closed", "received", "created"]), st.integers(1, 50))


def due_plainly(one: History, kept: Kept, rule: Rule) -> bool:
    """The rule as the agreement says it."""
    ages = [age for age, is_word, erased in one.records if is_word == (kept is Kept.FEEDBACK) and not erased]
    if not ages:
        return False
    newest = min(ages)
    closed = bool(one.closings) and all(age is not None and age >= rule.days for age in one.closings)
    by_rule = newest >= rule.days and (closed or rule.starts != "closed")
    return by_rule or newest >= rule.backstop_days


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(histories, min_size=1, max_size=5), rules, st.sampled_from([Kept.RECORD, Kept.FEEDBACK]))
def test_incidents_are_due_as_the_rule_says(database: Database, made: list[History], rule: Rule, kept: Kept) -> None:
    log_id = fresh_id()
    ids = [fresh_id() for _ in made]
    with database.writing() as connection:
        for serial, (event_id, one) in enumerate(zip(ids, made, strict=True)):
            for row in _records(log_id, event_id, one):
                connection.execute(insert(tables.record).values(row))
            words = any(is_word for _, is_word, _ in one.records)
            for number, age in enumerate(one.closings):
                of_it = _referral(log_id, event_id, age)
                connection.execute(insert(tables.referral).values(of_it))
                if words and number == 0:  # every word to police belongs to a referral
                    connection.execute(insert(tables.feedback).values(_word(log_id, of_it["id"], serial)))
            if one.hold is not None:
                connection.execute(insert(tables.legal_hold).values(_hold(log_id, event_id, lifted=one.hold)))
    expected = {i: due_plainly(one, kept, rule) for i, one in zip(ids, made, strict=True)}
    on_hold = {i for i, one in zip(ids, made, strict=True) if one.hold is False}
    free = {i for i, is_due in expected.items() if is_due} - on_hold
    with database.reading() as connection:
        assert set(find_due(connection, log_id, kept, rule, NOW, 100)) == free
        assert count_due(connection, log_id, kept, rule, NOW) == len(free)
        held = {i for i, is_due in expected.items() if is_due} & on_hold
        assert count_due(connection, log_id, kept, rule, NOW, held=True) == len(held)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(days, st.none() | days, st.booleans()), min_size=1, max_size=5), rules)
def test_inputs_are_due_as_the_rule_says(
    database: Database, made: list[tuple[int, int | None, bool]], rule: Rule
) -> None:
    log_id = fresh_id()
    expected = set()
    with database.writing() as connection:
        for opened, closed, erased in made:
            closed_after = None if closed is None else min(opened, closed)
            id_ = fresh_id()
            connection.execute(
                insert(tables.quarantine).values(_input(log_id, id_, opened, closed_after, erased=erased))
            )
            counted = closed_after if rule.starts == "closed" else opened
            if not erased and ((counted is not None and counted >= rule.days) or opened >= rule.backstop_days):
                expected.add(id_)
    with database.reading() as connection:
        assert set(find_due(connection, log_id, Kept.QUARANTINE, rule, NOW, 100)) == expected


def test_the_longest_kept_goes_first(database: Database) -> None:
    log_id, ids = fresh_id(), [fresh_id() for _ in range(3)]
    with database.writing() as connection:
        for event_id, age in zip(ids, (35, 50, 40), strict=True):
            for row in _records(log_id, event_id, History([(age, False, False)], [], None)):
                connection.execute(insert(tables.record).values(row))
    rule = Rule(30, "received", 400)
    with database.reading() as connection:
        assert find_due(connection, log_id, Kept.RECORD, rule, NOW, 2) == [ids[1], ids[2]]


def test_the_shipped_agreement_says_how_long_each_class_is_kept() -> None:
    found = rules_of(shipped().content)
    assert found.keys() == set(Kept)
    assert all(rule.backstop_days >= rule.days for rule in found.values())


def _ago(age: int) -> str:
    return timestamp(NOW - timedelta(days=age))


def _records(log_id: str, event_id: str, one: History) -> list[dict[str, Any]]:
    return [
        {
            "id": fresh_id(),
            "log_id": log_id,
            "event_id": event_id,
            "organisation": "04",
            "version": number,
            "kind": "status" if is_word else "incident",
            "content": b"",
            "vault": None,
            "payload": "0" * 64,
            "mapping": None,
            "received_at": _ago(age),
            "erased_at": _ago(0) if erased else None,
        }
        for number, (age, is_word, erased) in enumerate(one.records)
    ]


def _word(log_id: str, referral_id: str, seq: int) -> dict[str, Any]:
    of = {"log_id": log_id, "seq": seq, "referral_id": referral_id, "record_id": fresh_id()}
    return {**of, "force": "04", "created_at": _ago(60), "acknowledged_at": None}


def _referral(log_id: str, event_id: str, closed: int | None) -> dict[str, Any]:
    words = ("victim", "force", "organisation", "team", "priority", "status", "state")
    return {
        **dict.fromkeys(words, "x"),
        "id": fresh_id(),
        "log_id": log_id,
        "record_id": event_id,
        "event_id": event_id,
        "version": 1,
        "created_at": _ago(60),
        "updated_at": _ago(60),
        "facts": "{}",
        "feedback": "[]",
        "closed_at": None if closed is None else _ago(closed),
    }


def _hold(log_id: str, event_id: str, *, lifted: bool) -> dict[str, Any]:
    return {
        "id": fresh_id(),
        "log_id": log_id,
        "event_id": event_id,
        "ground": "court",
        "authority": "x",
        "placed_by": "x",
        "placed_at": _ago(60),
        "lifted_at": _ago(1) if lifted else None,
    }


def _input(log_id: str, id_: str, opened: int, closed: int | None, *, erased: bool) -> dict[str, Any]:
    words = ("organisation", "client", "reason", "media_type", "risk", "owner")
    return {
        **dict.fromkeys(words, "x"),
        "id": id_,
        "log_id": log_id,
        "content": b"",
        "opened_at": _ago(opened),
        "due_at": _ago(opened),
        "closed_at": None if closed is None else _ago(closed),
        "erased_at": _ago(0) if erased else None,
    }
