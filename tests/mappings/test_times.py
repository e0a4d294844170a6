from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings import times
from mappings.outcome import Cannot, Noted


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type] # at most six numbers, and the zone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-04-12", date(2026, 4, 12)),
        ("20260412", date(2026, 4, 12)),
        ("12/04/2026", date(2026, 4, 12)),
        ("1.4.2026", date(2026, 4, 1)),
        ("12-04-2026", date(2026, 4, 12)),
        ("12 Apr 2026", date(2026, 4, 12)),
        ("12th April 2026", date(2026, 4, 12)),
        ("12-APR-2026", date(2026, 4, 12)),
        ("29/02/2024", date(2024, 2, 29)),
        ("2026-04-12T23:30:00Z", date(2026, 4, 13)),
    ],
)
def test_dates_as_police_write_them(text: str, expected: date) -> None:
    """The day comes before the month; a date-time is a day of London."""
    assert times.read_date(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("29/02/2026", "date-impossible"),
        ("2026-13-01", "date-impossible"),
        ("04/13/2026", "date-impossible"),
        ("00/00/0000", "date-impossible"),
        ("12/04/26", "date-unreadable"),
        ("12/04.2026", "date-unreadable"),
        ("1066-10-14", "date-out-of-range"),
        ("2026-04-123", "date-unreadable"),
        ("last Tuesday", "date-unreadable"),
        (20260412, "wrong-type"),
    ],
)
def test_what_is_no_date_is_not_read(text: object, code: str) -> None:
    with pytest.raises(Cannot, match=rf"^{code}$"):
        times.read_date(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-10T09:00:00", utc(2026, 1, 10, 9)),
        ("2026-07-10T09:00:00", utc(2026, 7, 10, 8)),
        ("2026-07-10T09:00:00Z", utc(2026, 7, 10, 9)),
        ("2026-07-10T09:00:00+01:00", utc(2026, 7, 10, 8)),
        ("2026-07-10 09:00:00+0100", utc(2026, 7, 10, 8)),
        ("10/07/2026 09:00", utc(2026, 7, 10, 8)),
        ("10/07/2026, 0900 hrs", utc(2026, 7, 10, 8)),
        ("2026-07-10T09:00:00.123456789Z", utc(2026, 7, 10, 9).replace(microsecond=123456)),
    ],
)
def test_a_time_without_an_offset_is_londons(text: str, expected: datetime) -> None:
    assert times.read_moment(text) == expected


def test_the_hour_that_the_spring_clock_skips_is_not_read() -> None:
    with pytest.raises(Cannot, match=r"^time-skipped$"):
        times.read_moment("29/03/2026 01:30")
    assert times.read_moment("29/03/2026 00:59") == utc(2026, 3, 29, 0, 59)
    assert times.read_moment("29/03/2026 02:00") == utc(2026, 3, 29, 1)


def test_the_hour_that_the_autumn_clock_repeats_is_the_first_with_a_finding() -> None:
    assert times.read_moment("25/10/2026 01:30") == Noted(utc(2026, 10, 25, 0, 30), "time-ambiguous")
    assert times.read_moment("2026-10-25T01:30:00+00:00") == utc(2026, 10, 25, 1, 30)
    assert times.read_moment("25/10/2026 02:00") == utc(2026, 10, 25, 2)


@pytest.mark.parametrize("text", ["2026-07-10T24:01:00", "2026-07-10T12:60:00", "2026-07-10T12:00:00+99:00"])
def test_a_time_that_cannot_be_is_not_read(text: str) -> None:
    with pytest.raises(Cannot, match=r"^time-impossible$"):
        times.read_moment(text)


def test_midnight_is_not_guessed() -> None:
    with pytest.raises(Cannot, match=r"^time-missing$"):
        times.read_moment("2026-07-10")


def test_an_interval_of_days_is_from_the_first_second_to_the_last() -> None:
    assert times.read_moment_from("2026-07-10") == Noted(utc(2026, 7, 9, 23), "time-missing")
    assert times.read_moment_to("2026-07-10", None) == Noted(utc(2026, 7, 10, 22, 59, 59), "time-missing")


def test_a_date_and_a_time_apart_are_joined() -> None:
    assert times.read_moment_to("2026-07-10", "16:00:00") == utc(2026, 7, 10, 15)
    assert times.read_moment_to("2026-07-10T12:00:00Z", "16:00:00") == utc(2026, 7, 10, 15)
    assert times.read_moment_to("2026-07-10", "2026-07-11T16:00:00Z") == utc(2026, 7, 11, 16)
    with pytest.raises(Cannot, match=r"^date-missing$"):
        times.read_moment_to(None, "16:00:00")


def test_a_birth_date_that_is_only_a_year_is_left_to_the_year() -> None:
    assert times.read_birth_date("1966") is None
    assert times.read_year_alone("1966") == 1966
    assert times.read_year_alone("1966-05-01") is None
    assert times.read_birth_date("1966-05-01", "false") == Noted(date(1966, 5, 1), "birth-date-not-known")


READERS: list[Callable[[object], object]] = [
    times.read_date,
    times.read_birth_date,
    times.read_year_alone,
    times.read_moment,
    times.read_moment_from,
    times.read_date_or_moment,
    lambda v: times.read_moment_to(v, v),
]


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.text(max_size=30), st.from_regex(r"[0-9/: TZ+.-]{0,30}"), st.integers(), st.none(), st.booleans()))
def test_whatever_is_given_is_read_or_refused_by_code(value: object) -> None:
    for read in READERS:
        found = _read(read, value)
        if isinstance(found, Cannot):
            assert found.code.replace("-", "").isalpha()
        moment = found.value if isinstance(found, Noted) else found
        assert not isinstance(moment, datetime) or moment.tzinfo is UTC


def _read(read: Callable[[object], object], value: object) -> object:
    try:
        return read(value)
    except Cannot as cannot:
        return cannot


@settings(deadline=None, max_examples=100)
@given(st.integers(-2_000_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_an_instant_survives_its_iso_text(moment: datetime) -> None:
    assert times.read_moment(moment.isoformat()) == moment
