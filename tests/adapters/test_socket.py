"""The seam keeps every adapter's promises for it (style.md habit 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from adapters import socket
from adapters.socket import Fault, Limits, Reading, Seam, Unreadable
from mappings import profile, reading
from mappings.profile import Profile

IHUB = profile.profile("ihub")


@dataclass(frozen=True)
class Broken:
    """An adapter that raises, or returns, whatever it is given."""

    outcome: Any
    name: str = "police.json"
    media_types: tuple[str, ...] = ()

    def read(self, body: bytes, profile: Profile, limits: Limits) -> Reading:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        assert body is not None
        assert profile is not None
        assert limits is not None
        return self.outcome  # type: ignore[no-any-return] # the point of it


@pytest.mark.parametrize(
    "error", [ValueError("Marianne"), KeyError("Marianne"), RecursionError(), MemoryError(), OSError()]
)
def test_whatever_an_adapter_raises_comes_out_as_unreadable(error: Exception) -> None:
    with pytest.raises(Unreadable) as caught:
        Seam(Broken(error)).read(b"", IHUB, Limits())
    assert caught.value.fault is Fault.READER_FAILED
    assert caught.value.__cause__ is error
    assert "Marianne" not in str(caught.value)


def test_what_the_adapter_says_itself_goes_through() -> None:
    said = Unreadable(reading.Problem("data", Fault.MISSING))
    with pytest.raises(Unreadable) as caught:
        Seam(Broken(said)).read(b"", IHUB, Limits())
    assert caught.value is said


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()])
def test_being_stopped_is_not_unreadable(error: BaseException) -> None:
    with pytest.raises(type(error)):
        Seam(Broken(error)).read(b"", IHUB, Limits())


@pytest.mark.parametrize("value", [None, iter(()), {"record": 1}])
def test_what_is_no_reading_does_not_get_through(value: object) -> None:
    with pytest.raises(Unreadable):
        Seam(Broken(value)).read(b"", IHUB, Limits())


def test_a_document_is_measured_before_anybody_reads_it() -> None:
    with pytest.raises(Unreadable) as caught:
        Seam(Broken(AssertionError())).read(b"x" * 11, IHUB, Limits(max_bytes=10))
    assert caught.value.fault is Fault.TOO_LARGE


def test_a_profile_for_another_format_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        Seam(Broken(AssertionError(), name="police.csv")).read(b"", IHUB, Limits())
    assert caught.value.fault is Fault.WRONG_PROFILE


def test_adapters_are_found_by_name() -> None:
    assert "police.json" in socket.readers()
    for name in socket.readers():
        found = socket.reader(name)
        assert found.name == name
        assert found.media_types


@pytest.mark.parametrize("name", ["police.telex", "police", "../police.json", "os.path", "police.__init__"])
def test_a_name_nobody_has_is_unknown(name: str) -> None:
    with pytest.raises(socket.UnknownReader):
        socket.reader(name)


def test_every_profile_is_for_an_adapter_there_is() -> None:
    assert {profile.profile(name).adapter for name in profile.profiles()} <= set(socket.readers())


def test_every_fault_has_its_words() -> None:
    assert set(reading.WORDS) == set(Fault)
