"""Coded feedback as Task.output: the type says what, the value when; count, detail, consent, expiry are beside it.

Read and written here, so that what we write reads back as what it was. Vocabulary: domain.md section 4.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from adapters.nhs.fhir.canonical import code_system, extension_url
from adapters.nhs.fhir.elements import extension, instant, own
from adapters.nhs.fhir.errors import FhirRefused
from adapters.nhs.fhir.models import Json
from adapters.nhs.fhir.reading import code, coded
from mappings.record import ConsentState, Feedback, FeedbackCode

VALUES: Final[Mapping[FeedbackCode, frozenset[str] | None]] = MappingProxyType(
    {
        FeedbackCode.SUPPORTS_PROSECUTION: frozenset({"yes", "no", "undecided", "not-discussed", "withdrawn"}),
        FeedbackCode.RISK_CHANGE: frozenset({"up", "down"}),
        FeedbackCode.CLOSED: frozenset({"planned", "unplanned", "transferred", "deceased"}),
        FeedbackCode.TRANSFERRED: None,
        FeedbackCode.VICTIM_REQUESTS_CALL: None,
        FeedbackCode.ENTERED_IN_ERROR: frozenset(set(FeedbackCode) - {FeedbackCode.ENTERED_IN_ERROR}),
    }
)
"""The codes that take a detail, and which; None: an area or a safe window, a code the parties agree."""

_MAX_COUNT: Final = 1000  # mappings.record.Feedback
_REF: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")  # mappings.record.Ref
_NHS_LIKE: Final = re.compile(r"(?:^|-)(?:(?:[a-z]*[g-z])?\d{10}|\d{3}-\d{3}-\d{4})(?:-|$)")
"""Ten digits, also in threes and behind a word: a UUID's parts are never that."""
_PLAIN: Final = frozenset({"type", "valueDateTime", "valueBoolean", "extension"})


@dataclass(frozen=True, slots=True)
class FeedbackIn:
    """One output as sent: what, its detail, how often, when (aware, None: now), and the victim's consent to telling.

    `consent_ref` is the team's own reference to that consent; `expiry` (aware) is when the word is told no more.
    """

    code: FeedbackCode
    value: str | None
    count: int | None
    at: datetime | None
    consent_state: ConsentState | None
    consent_ref: str | None = None
    expiry: datetime | None = None


def write_details(feedback: Feedback) -> list[Json]:
    """The extensions that hold a feedback's detail, count, author's role, consent and expiry."""
    found: list[Json] = []
    if feedback.value is not None:
        found.append(extension("feedback-value", valueCode=feedback.value))
    if feedback.count is not None:
        found.append(extension("feedback-count", valueInteger=feedback.count))
    if feedback.author_role is not None:
        found.append(extension("feedback-author-role", valueCode=feedback.author_role))
    if feedback.consent_ref is not None:
        found.append(extension("feedback-consent-ref", valueCode=feedback.consent_ref))
    if feedback.expiry is not None:
        found.append(extension("feedback-expiry", valueDateTime=instant(feedback.expiry)))
    return found


def write_output(feedback: Feedback) -> Json:
    """One Task.output."""
    found: Json = {"type": own("feedback", feedback.code), "valueDateTime": instant(feedback.at)}
    if details := write_details(feedback):
        found["extension"] = details
    return found


def read_output(output: Json, path: str) -> FeedbackIn:
    """One Task.output as sent; raises `FhirRefused` for whatever is not coded feedback.

    The value is the time (`valueDateTime`), or `valueBoolean: true` where the sender has none.
    """
    if unknown := output.keys() - _PLAIN:
        named = next(iter(sorted(unknown)))
        where = f"{path}.value" if named.startswith("value") else path
        raise FhirRefused(422, "structure", where, "a time or true is the only value of coded feedback")
    name = coded(output["type"], f"{path}.type", system=code_system("feedback"))
    try:
        what = FeedbackCode(name)
    except ValueError:
        raise FhirRefused(422, "code-invalid", f"{path}.type.coding[0].code", "not a feedback code") from None
    details = _details(output.get("extension", ()), path)
    return FeedbackIn(
        code=what,
        value=_value(what, details.get("feedback-value"), path),
        count=details.get("feedback-count"),
        at=_at(output, path),
        consent_state=details.get("consent-state"),
        consent_ref=details.get("feedback-consent-ref"),
        expiry=details.get("feedback-expiry"),
    )


def _details(extensions: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 - what was sent
    found: dict[str, Any] = {}
    for index, one in enumerate(extensions):
        here = f"{path}.extension[{index}]"
        reader = _READERS.get(one.get("url"))
        if reader is None:
            raise FhirRefused(422, "extension", here, "not an extension of coded feedback")
        name, element, read = reader
        if name in found or one.keys() != {"url", element}:
            raise FhirRefused(422, "extension", here, f"given once, with {element}")
        found[name] = read(one[element], f"{here}.{element}")
    return found


def _count(value: object, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_COUNT:
        raise FhirRefused(422, "value", path, f"not a number from 0 to {_MAX_COUNT}")
    return value


def _consent(value: object, path: str) -> ConsentState:
    try:
        return ConsentState(code(value, path))
    except ValueError:
        raise FhirRefused(422, "code-invalid", path, "not a consent state") from None


def _reference(value: object, path: str) -> str:
    """A reference that means nothing to police. A number that could be an NHS number is none (domain.md N5)."""
    found = code(value, path)
    if _REF.fullmatch(found) is None or _NHS_LIKE.search(found):
        raise FhirRefused(422, "code-invalid", path, "not an opaque reference of a-z, 0-9 and -, or like an NHS number")
    return found


def _value(what: FeedbackCode, value: str | None, path: str) -> str | None:
    if value is None:
        return None
    allowed = VALUES.get(what, frozenset())
    if allowed is not None and value not in allowed:
        raise FhirRefused(422, "code-invalid", f"{path}.extension", "not a detail of this feedback")
    return value


def _at(output: Json, path: str) -> datetime | None:
    if "valueDateTime" not in output:
        if output.get("valueBoolean") is True:
            return None
        raise FhirRefused(422, "required", f"{path}.value", "a time or true is needed")
    return _time(output["valueDateTime"], f"{path}.valueDateTime")


def _time(value: Any, here: str) -> datetime:  # noqa: ANN401 - what was sent
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise FhirRefused(422, "value", here, "not a time") from None
    if at.tzinfo is None:
        raise FhirRefused(422, "value", here, "a time with its offset is needed")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise FhirRefused(422, "value", here, "a time that no calendar of ours reaches") from None


_READERS: Final[Mapping[str, tuple[str, str, Any]]] = MappingProxyType(
    {
        extension_url(name): (name, element, read)
        for name, element, read in (
            ("feedback-value", "valueCode", code),
            ("feedback-count", "valueInteger", _count),
            ("feedback-author-role", "valueCode", code),
            ("consent-state", "valueCode", _consent),
            ("feedback-consent-ref", "valueCode", _reference),
            ("feedback-expiry", "valueDateTime", _time),
        )
    }
)
