"""Forms: bounded bytes in, a strict model out, or words for whoever filled it in; never what they typed."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, StringConstraints, field_validator

from gateway.console.forms import MOST_BYTES, MOST_CHARACTERS, MOST_FIELDS, FieldError, FormModel, parse, read, typed
from gateway.errors import BadParameter, BodyTooLarge


class Way(StrEnum):
    PHONE = "phone"
    VISIT = "visit"


class Example(FormModel):
    when: date = Field(title="when you called")
    way: Way = Field(title="how you called")
    note: Annotated[str, StringConstraints(max_length=10)] | None = Field(default=None, title="the note")
    count: int = Field(default=0, ge=0, le=3, title="how often")
    kinds: tuple[Way, ...] = ()
    sure: bool = False
    level: Literal["low", "high"] = "low"

    @field_validator("note")
    @classmethod
    def _polite(cls, note: str | None) -> str | None:
        if note == "rude":
            raise ValueError("Say it politely")
        return note


GOOD = {"when-day": ("27",), "when-month": ("3",), "when-year": ("2026",), "way": ("phone",)}


def test_a_form_becomes_its_model() -> None:
    said = {**GOOD, "note": (" hello ",), "count": ("2",), "kinds": ("phone", "visit"), "sure": ("true",)}
    assert read(said, Example) == Example(
        when=date(2026, 3, 27), way=Way.PHONE, note="hello", count=2, kinds=(Way.PHONE, Way.VISIT), sure=True
    )


def test_what_is_left_empty_is_not_said() -> None:
    found = read({**GOOD, "note": ("  ",), "count": ("",), "kinds": ("",)}, Example)
    assert isinstance(found, Example)
    assert (found.note, found.count, found.kinds) == (None, 0, ())


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"when-day": ("",), "when-month": ("",), "when-year": ("",)}, "when", "Enter when you called"),
        ({"when-day": ("31",), "when-month": ("2",)}, "when", "When you called must be a real date, like 27 3 2026"),
        ({"when-day": ("x",)}, "when", "When you called must be a real date, like 27 3 2026"),
        ({"when-year": ("26",)}, "when", "When you called must be a real date, like 27 3 2026"),
        ({"way": ("",)}, "way", "Choose how you called"),
        ({"way": ("pigeon",)}, "way", "Choose how you called"),
        ({"note": ("far too long a note",)}, "note", "The note must be 10 characters or fewer"),
        ({"note": ("rude",)}, "note", "Say it politely"),
        ({"note": ("a", "b")}, "note", "Enter the note"),
        ({"count": ("often",)}, "count", "How often must be a whole number"),
        ({"count": ("4",)}, "count", "How often must be 3 or less"),
        ({"kinds": ("phone", "pigeon")}, "kinds", "Choose kinds"),
        ({"level": ("middling",)}, "level", "Choose level"),
        ({"else": ("1",)}, "", "This form has changed. Load the page again."),
    ],
)
def test_what_is_wrong_is_said_by_the_fields_own_name(
    change: dict[str, tuple[str, ...]], field: str, message: str
) -> None:
    assert read({**GOOD, **change}, Example) == (FieldError(field, message),)


def test_every_field_has_one_message_in_the_order_of_the_form() -> None:
    found = read({"count": ("x",), "note": ("rude",)}, Example)
    assert isinstance(found, tuple)
    assert [one.field for one in found] == ["when", "way", "note", "count"]


@given(st.text(min_size=3, max_size=40).filter(lambda text: text.strip() not in {"", "phone", "visit"}))
def test_no_message_repeats_what_was_typed(text: str) -> None:
    marked = f"zq{text}qz"
    said = {"when-day": (marked,), "way": (marked,), "note": (marked * 3,), "count": (marked,), "kinds": (marked,)}
    found = read(said, Example)
    assert isinstance(found, tuple)
    assert not any(marked in one.message for one in found)


_TYPED = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"), max_size=30)


@given(st.dictionaries(_TYPED.filter(bool), _TYPED, max_size=8))
def test_what_a_browser_sends_is_read_as_it_was_typed(fields: dict[str, str]) -> None:
    """Any text of any alphabet; line ends come as CRLF (HTML) and are read as LF."""
    body = urlencode({name: value.replace("\n", "\r\n") for name, value in fields.items()}).encode()
    assert parse(body) == {name: (value,) for name, value in fields.items()}
    assert typed(parse(body)) == fields


@pytest.mark.parametrize("body", [b"a=%00", b"%00=a", b"a=%ff", b"a=\xff", b"a", b"a=1&&b=2", b"a=%e2%82"])
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadParameter):
        parse(body)


def test_a_form_is_bounded() -> None:
    with pytest.raises(BodyTooLarge):
        parse(b"a=" + b"x" * MOST_BYTES)
    with pytest.raises(BodyTooLarge):
        parse(b"a=" + b"x" * (MOST_CHARACTERS + 1))
    with pytest.raises(BadParameter):
        parse(b"&".join(b"a=1" for _ in range(MOST_FIELDS + 1)))
