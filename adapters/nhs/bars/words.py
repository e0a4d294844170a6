"""The words and the errors of BaRS as data: `mappings/nhs/bars/words.toml`, read strictly once, and hashed.

Source: domain.md section 2.5; the file names the specification.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from mappings import strict
from mappings.referral import ReferralStatus


class Fault(StrEnum):
    """Why a message is not taken; each has one row of the taxonomy."""

    HEADER_MISSING = "header-missing"
    HEADER_INVALID = "header-invalid"
    HEADER_MALFORMED = "header-malformed"
    NOT_AUTHENTICATED = "not-authenticated"
    NOT_PERMITTED = "not-permitted"
    NOT_THIS_SERVICE = "not-this-service"
    NOTHING_OF_OURS = "nothing-of-ours"
    NOTHING_HERE = "nothing-here"
    WRONG_METHOD = "wrong-method"
    MEDIA_TYPE = "media-type"
    NOT_READABLE = "not-readable"
    VALUE_MISSING = "value-missing"
    VALUE_WRONG = "value-wrong"
    WORKFLOW_UNKNOWN = "workflow-unknown"
    EVENT_UNKNOWN = "event-unknown"
    EVENT_NOT_SERVED = "event-not-served"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    TOO_COSTLY = "too-costly"
    NOT_SUPPORTED = "not-supported"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the taxonomy: HTTP status, error code, FHIR issue type."""

    status: int
    code: str
    issue: str


@dataclass(frozen=True, slots=True)
class Words:
    """The file. `systems` are code systems by what they code; `delivered` is of `CODE issue`, `again` of statuses."""

    systems: Mapping[str, str]
    response: Mapping[str, ReferralStatus]
    delivered: frozenset[str]
    again: frozenset[int]
    faults: Mapping[Fault, Row]
    sha256: str


SYSTEMS: Final = ("event", "reason", "category", "service", "error")


@cache
def words() -> Words:
    """The shipped file."""
    return read(files("mappings").joinpath("nhs", "bars", "words.toml").read_bytes())


def read(content: bytes) -> Words:
    """Read a file of words. Raises ValueError, which begins with the place."""
    document = tomllib.loads(content.decode())
    top = {"systems", "response", "answer", "faults"}
    strict.keys("", document, top, top)
    strict.keys("systems", document["systems"], SYSTEMS, SYSTEMS)
    strict.keys("answer", document["answer"], {"delivered", "again"}, {"delivered", "again"})
    strict.keys("faults", document["faults"], [one.value for one in Fault], [one.value for one in Fault])
    again = [_status("answer.again", one) for one in strict.some("answer.again", document["answer"]["again"])]
    response = strict.texts("response", document["response"])
    return Words(
        systems=strict.texts("systems", document["systems"]),
        response={key: ReferralStatus(strict.one_of(f"response.{key}", to, _STATUSES)) for key, to in response.items()},
        delivered=frozenset(strict.strings("answer.delivered", document["answer"]["delivered"])),
        again=frozenset(again),
        faults={Fault(name): _row(f"faults.{name}", row) for name, row in document["faults"].items()},
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _row(where: str, value: strict.Foreign) -> Row:
    parts = {"status", "code", "issue"}
    strict.keys(where, value, parts, parts)
    code, issue = (strict.string(f"{where}.{name}", value[name]) for name in ("code", "issue"))
    return Row(_status(f"{where}.status", value["status"]), code, issue)


def _status(where: str, value: strict.Foreign) -> int:
    if not isinstance(value, int) or value not in _FAILURES:
        raise ValueError(f"{where}: not an HTTP status of a failure")
    return value


_STATUSES: Final = tuple(one.value for one in ReferralStatus)
_FAILURES: Final = range(400, 600)
