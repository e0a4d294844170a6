"""The quick reading of usual times against the careful one, its slow twin: the same moment, finding or refusal."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mappings import times
from mappings.outcome import Cannot, Noted

at = datetime.fromisoformat
MOMENTS = st.datetimes(at("1900-01-01"), at("2099-12-31T23:59:59")).map(lambda m: m.replace(microsecond=0))
SPRING, AUTUMN = at("2026-03-29"), at("2026-10-25")


@settings(deadline=None, max_examples=300)
@given(MOMENTS, st.sampled_from(["", "Z", "+00:00", "+01:00", "-11:30"]))
@example(at("1969-06-01T12:00:00"), "")  # British Standard Time all year round
@example(at("1943-06-01T12:00:00"), "")  # double summer time
def test_a_usual_time_reads_as_the_careful_reading_says(moment: datetime, offset: str) -> None:
    british = [] if offset else [f"{moment:%d/%m/%Y %H:%M:%S}"]
    for written in (moment.isoformat() + offset, *british):
        assert outcome(times.read_moment, written) == careful(written)


@pytest.mark.parametrize("day", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_every_quarter_of_an_hour_around_a_clock_change_reads_alike(day: datetime) -> None:
    findings = set()
    for quarter in range(96):
        moment = day + timedelta(minutes=15 * quarter)
        for written in (f"{moment:%d/%m/%Y %H:%M}", f"{moment:%Y-%m-%dT%H:%M:%S}"):
            came = outcome(times.read_moment, written)
            assert came == careful(written)
            findings |= {came if isinstance(came, str) else came.code if isinstance(came, Noted) else None}
    assert findings == {None, "time-skipped" if day is SPRING else "time-ambiguous"}


@pytest.mark.parametrize("written", ["31/02/2026 10:00", "12/13/2026 10:00", "12/04/2026 24:00", "12/04/2026 10:60"])
def test_what_is_no_time_is_refused_alike(written: str) -> None:
    came = outcome(times.read_moment, written)
    assert isinstance(came, str)
    assert came == careful(written)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["12/04/2026 21:40", "12/04/2026 21:40:10", "2026-04-12T21:40:10", "12/04/2026"]),
    st.integers(0, 18),
    st.sampled_from(list(" 09/:-+.TZWx\u0661\uff11")),
)
@example("12/04/2026 21:40", 13, "+")
def test_a_time_with_a_wrong_sign_in_it_is_read_or_refused_alike(written: str, place: int, sign: str) -> None:
    """Also where the standard library's own reading would take it: half an offset, a week, digits of another script."""
    written = written[:place] + sign + written[place + 1 :]
    assert outcome(times._split, written) == outcome(times._split_with_care, written)
    assert outcome(times.read_moment, written) == careful(written)


def outcome(read: object, written: str) -> object:
    try:
        return read(written)  # type: ignore[operator] # one of two readings
    except Cannot as cannot:
        return cannot.code


def careful(written: str) -> object:
    def slowly(text: str) -> object:
        found, rest = times._split_with_care(text.strip())
        return times._london(found, rest) if rest else "time-missing"

    return outcome(slowly, written)
