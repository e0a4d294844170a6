"""Canonical JSON (RFC 8785), in the part of JSON where a fast encoder already gives it.

Allowed: objects with ASCII keys, arrays, strings, integers within 2^53 - 1 either way, booleans, null.
Refused: floats (their shortest form is the hard half of RFC 8785), keys outside ASCII (RFC 8785 3.2.3
sorts by UTF-16 unit, the encoder by code point), lone surrogates (RFC 8785 3.2.2.2), every other type.
This module writes; it reads nothing.
"""

from collections.abc import Iterable
from typing import Any, Final

import orjson

from audit.errors import NotCanonical

_LARGEST: Final = 2**53 - 1
# Passthrough turns what the encoder would quietly convert (dates, dataclasses, subclasses) into an error.
_OPTIONS: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)


def canonical(value: object) -> bytes:
    """Return the RFC 8785 bytes of a value; raise `NotCanonical`, naming the path, where it does not fit."""
    check(value)
    return encode(value)


def encode(value: object) -> bytes:
    """Return the RFC 8785 bytes of a value that `check` has passed or that was built to fit."""
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError as fault:
        raise _at_fault(value) from fault


def check(value: Any) -> None:  # noqa: ANN401 - foreign JSON is what it is for
    """Raise `NotCanonical` where the value leaves the part of JSON named above.

    Strings are left to the encoder, which refuses a lone surrogate.
    """
    try:
        _check(value)
    except RecursionError:
        raise NotCanonical("", "the value is nested too deeply") from None


def _check(value: Any) -> None:  # noqa: ANN401 - foreign JSON
    kind = type(value)
    if kind is dict:
        for key in value:
            if type(key) is not str or not key.isascii():
                raise NotCanonical("", "a key is not an ASCII string")
        _check_all(value.items())
    elif kind is list or kind is tuple:
        _check_all(enumerate(value))
    elif kind is int:
        if not -_LARGEST <= value <= _LARGEST:
            raise NotCanonical("", "an integer is beyond 2^53 - 1")
    elif kind is not str and kind is not bool and value is not None:
        raise NotCanonical("", f"{kind.__name__} has no place in canonical JSON here")


def _check_all(steps: Iterable[tuple[str | int, Any]]) -> None:
    for step, item in steps:
        if type(item) is str or item is None:  # most values; saves the call
            continue
        try:
            _check(item)
        except NotCanonical as fault:
            raise fault.under(_shown(step)) from None


def _at_fault(value: Any) -> NotCanonical:  # noqa: ANN401 - foreign JSON
    """Find what the encoder stumbled over; it does not say where."""
    try:
        check(value)
    except NotCanonical as fault:
        return fault
    if isinstance(value, str):
        return NotCanonical("", "a string has a lone surrogate")
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        try:
            orjson.dumps(item, option=_OPTIONS)
        except orjson.JSONEncodeError:
            return _at_fault(item).under(_shown(step))
    return NotCanonical("", "the value is nested too deeply")


def _shown(step: str | int) -> str:
    return step if isinstance(step, str) else f"[{step}]"
