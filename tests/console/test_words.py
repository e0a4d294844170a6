"""Codes and times in words: every code of a closed list has words, every time says its zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from importlib.resources import files

import orjson
import pytest

from gateway.break_glass import Ground
from gateway.casefile import Opening
from gateway.casework.timers import Kind as Clock
from gateway.console.times import ago, clock_time, day, due, short_when, span, when, years
from gateway.console.words import WORDS, risk_items, words
from gateway.notices import Kind as Notice
from gateway.signin.claims import Role as PersonRole
from mappings.record import (
    AddressUse,
    Classification,
    ConsentState,
    FeedbackCode,
    Grade,
    Instrument,
    RecordKind,
    Reply,
    Role,
    Topic,
)
from mappings.referral import Priority, ReferralState, ReferralStatus

CLOSED: dict[str, type[StrEnum]] = {
    "grade": Grade,
    "priority": Priority,
    "status": ReferralStatus,
    "state": ReferralState,
    "opening": Opening,
    "instrument": Instrument,
    "reply": Reply,
    "consent": ConsentState,
    "role": Role,
    "kind": RecordKind,
    "topic": Topic,
    "address": AddressUse,
    "classification": Classification,
    "feedback": FeedbackCode,
    "ground": Ground,
    "notice": Notice,
    "person-role": PersonRole,
    "clock": Clock,
}
LISTS = {
    "order": "order",
    "custody": "custody",
    "relationship": "relationship",
    "flag": "offence-flag",
    "warning": "safety-warning",
    "section": "record-section",
    "attachment": "attachment",
    "criterion": "marac-criterion",
    "statement-kind": "statement-kind",
}
NOW = datetime(2026, 11, 23, 17, 5, tzinfo=UTC)


@pytest.mark.parametrize("kind", CLOSED)
def test_every_code_of_a_closed_list_has_words(kind: str) -> None:
    assert {one.value for one in CLOSED[kind]} == WORDS[kind].keys()


@pytest.mark.parametrize("kind", LISTS)
def test_every_code_that_mappings_write_has_words(kind: str) -> None:
    text = files("mappings").joinpath("codes", f"{LISTS[kind]}.json").read_bytes()
    found = orjson.loads(text)
    codes = {target["code"] for group in found["group"] for element in group["element"] for target in element["target"]}
    assert codes <= WORDS[kind].keys()


def test_a_code_of_a_forces_own_is_shown_as_it_came_and_none_is_said_to_be_none() -> None:
    assert words("local-order-7", "order") == "Local order 7"
    assert words(None, "order") == "Not stated"
    assert words("STRG", "risk-item") == risk_items()["STRG"]
    assert words("victim.name", "item") == "Victim: name"


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOW, "23 November 2026 at 17:05 GMT"),
        (datetime(2026, 7, 1, 23, 30, tzinfo=UTC), "2 July 2026 at 00:30 BST"),
        (None, "not known"),
    ],
)
def test_a_time_is_londons_and_says_its_zone(moment: datetime | None, said: str) -> None:
    assert when(moment) == said


def test_the_same_hour_twice_in_autumn_is_told_apart() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert [clock_time(first), clock_time(first + timedelta(hours=1))] == ["01:30 BST", "01:30 GMT"]


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(hours=48), "2 days"),
        (timedelta(days=20, hours=23), "20 days"),
        (timedelta(days=21), "3 weeks"),
        (timedelta(days=95), "3 months"),
        (timedelta(days=800), "2 years"),
    ],
)
def test_a_length_of_time_is_said_in_one_unit(length: timedelta, said: str) -> None:
    assert span(length) == said
    assert ago(NOW - length, NOW) == f"{said} ago"


def test_a_clock_says_how_it_stands() -> None:
    assert due(NOW + timedelta(minutes=45), NOW) == "Due in 45 minutes"
    assert due(NOW - timedelta(hours=2), NOW) == "Overdue by 2 hours"
    assert due(NOW, NOW) == "Overdue by less than a minute"
    assert due(None, NOW) == "No clock"


def test_days_and_ages() -> None:
    assert day(date(2026, 3, 1)) == "1 March 2026"
    assert short_when(NOW, NOW) == "today at 17:05"
    assert short_when(NOW + timedelta(days=1), NOW) == "tomorrow at 17:05"
    assert short_when(NOW - timedelta(days=1), NOW) == "yesterday at 17:05"
    assert short_when(NOW - timedelta(days=9), NOW) == "14 November at 17:05"
    assert short_when(NOW - timedelta(days=365), NOW) == "23 November 2025 at 17:05"
    assert years(date(2000, 11, 23), date(2026, 11, 23)) == 26
    assert years(date(2000, 11, 24), date(2026, 11, 23)) == 25
