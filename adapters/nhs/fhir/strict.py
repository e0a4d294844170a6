"""JSON read strictly: bounded in size and depth, no duplicate names, no NaN, no broken Unicode (RFC 8259, RFC 7493).

A null is no value of an element either (FHIR R4 JSON, 2.6.2); within a list it can be, and stays.

FHIR models recurse and dictionaries forget duplicates, so what could hurt either is refused before they see it. Numbers
with a decimal point become `Decimal`: FHIR keeps the precision that was sent. Nothing refused is echoed.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import orjson

from adapters.nhs.fhir.errors import FhirRefused
from adapters.quickjson import quick

_MAX_NUMBER: Final = 40  # digits, and power of ten; turning 1e-99999999 into an integer takes minutes
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much input is read at all. Depth counts nested objects and arrays; entries are those of a Bundle."""

    max_bytes: int = 1_048_576
    max_depth: int = 20  # the models exhaust the stack near 120 (tech.md section 1); real resources need about 12
    max_entries: int = 200


LIMITS = Limits()


def strict_json(body: bytes, limits: Limits = LIMITS) -> Any:  # noqa: ANN401 - JSON has no one type
    """The value of a JSON text; raises `FhirRefused` 400, or 413 where it is too large."""
    within_size(body, limits)
    body = body.removeprefix(codecs.BOM_UTF8)  # RFC 8259 section 8.1 lets a reader pass over it
    found = _quick(body, limits)
    return _careful(body, limits) if found is None else found


def _quick(body: bytes, limits: Limits) -> Any:  # noqa: ANN401 - JSON has no one type
    """The value of what plainly keeps all rules; None for what is to be read with care."""
    if b"null" in body:
        return None
    try:
        return quick(body, _DECODER, max_depth=limits.max_depth, written_as=str)
    except FhirRefused:  # a number
        return None


def _careful(body: bytes, limits: Limits) -> Any:  # noqa: ANN401 - JSON has no one type
    depth = deepest = 0
    for token in _TOKEN.finditer(body):
        opening = token[0]
        if opening in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif opening in b"]}":
            depth -= 1
    if deepest > limits.max_depth:
        raise FhirRefused(400, "too-costly", None, f"nested deeper than {limits.max_depth}")
    try:
        orjson.loads(body)  # refuses NaN, lone surrogates and bad UTF-8, which the standard library lets through
        return json.loads(body, object_pairs_hook=_object, parse_float=decimal, parse_int=integer)
    except ValueError:
        raise FhirRefused(400, "invalid", None, "the body is not JSON in UTF-8") from None


def within_size(body: bytes, limits: Limits) -> None:
    """Raise `FhirRefused` 413 where a body is larger than its limit."""
    if len(body) > limits.max_bytes:
        raise FhirRefused(413, "too-long", None, f"larger than {limits.max_bytes} bytes")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FhirRefused(400, "structure", None, "an object has the same name twice")
    if None in found.values():
        raise FhirRefused(400, "structure", None, "null as the value of an element")
    return found


def decimal(text: str) -> Decimal:
    """A decimal, every digit kept; raises `FhirRefused` 400 out of range, ArithmeticError for what is none."""
    number = Decimal(text)
    if len(text) > _MAX_NUMBER or not number.is_finite() or abs(number.adjusted()) > _MAX_NUMBER:
        raise FhirRefused(400, "value", None, "a number out of range")
    return number


def integer(text: str) -> int:
    """A whole number; raises `FhirRefused` 400 out of range, ValueError for none."""
    if len(text) > _MAX_NUMBER:
        raise FhirRefused(400, "value", None, "a number out of range")
    return int(text)


def _constant(_: str) -> None:
    raise ValueError  # NaN and the infinities


_DECODER: Final = json.JSONDecoder(parse_float=decimal, parse_int=integer, parse_constant=_constant)
