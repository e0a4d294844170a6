"""hl7apy as a second opinion on what we write: the first message of each shape is read and validated by it.

A shape is which segments stand in which order with which fields; all messages of a shape come from the same few rows,
and reading one with hl7apy takes five times as long as everything else together. It drops segments that are not in the
structure without a word (tech.md section 2), and so what it read is counted.

hl7apy is loaded when the first message is written. Its refusals hold values: they are never shown.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hl7apy.core import Element

Shape = tuple[tuple[str, tuple[int, ...]], ...]
"""Each segment with the fields that are there."""

_MAX: Final = 4096  # shapes: a few optional fields and repeated observations make some hundred
_seen: set[Shape] = set()
_lock: Final = Lock()


class CannotSay(Exception):
    """A record that REF^I12 cannot say, or that came out as no REF^I12: a person must. The text is a path."""


def checked(text: str, shape: Shape) -> None:
    """Look at a message of a shape that was not seen before. Raises `CannotSay` with the segments it is about."""
    with _lock:
        if shape in _seen:
            return
    validated(text)
    with _lock:
        if len(_seen) < _MAX:
            _seen.add(shape)


def validated(text: str) -> None:
    """Read a message with hl7apy, validate it against version 2.4, and count its segments. Raises `CannotSay`."""
    from hl7apy.consts import VALIDATION_LEVEL  # noqa: PLC0415 - costs 50 ms, when the first referral is written
    from hl7apy.exceptions import HL7apyException  # noqa: PLC0415 - as above
    from hl7apy.parser import parse_message  # noqa: PLC0415 - as above

    try:
        message = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT)  # type: ignore[no-untyped-call] # hl7apy has no types
        message.validate()
    except (HL7apyException, AttributeError, LookupError, TypeError, ValueError):
        raise CannotSay("structure") from None  # the cause would carry values
    if _segments(message) != text.count("\r"):
        raise CannotSay("segments")


def _segments(element: Element) -> int:
    return sum(1 if one.classname == "Segment" else _segments(one) for one in element.children)
