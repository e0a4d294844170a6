"""OperationOutcomes of the BaRS taxonomy: what we answer with, and what an answer to a message of ours means.

What an answer means is said in three words, of which the sender makes what it does: it arrived, it is to be tried
again, or it is refused. An answer about another message is never taken for one about ours.

Source: domain.md section 2.5; the taxonomy is `mappings/nhs/bars/words.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

from adapters.nhs.bars.errors import BarsRefused
from adapters.nhs.bars.message import bare_id
from adapters.nhs.bars.words import words
from adapters.nhs.fhir import FhirRefused, Limits
from adapters.nhs.fhir.models import Json, check
from adapters.nhs.fhir.strict import strict_json

ANSWER_MAX_BYTES: Final = 262_144  # a receiver may send back the whole message it was sent


class Meaning(StrEnum):
    """What an answer says of a message of ours."""

    ARRIVED = "arrived"
    AGAIN = "again"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer judged: its meaning, a code of few characters, and the receiver's name for the message, if any."""

    meaning: Meaning
    code: str
    reference: str | None = None


def outcome(refused: BarsRefused) -> tuple[int, bytes]:
    """The HTTP status and the OperationOutcome that a refusal is answered with."""
    row = words().faults[refused.fault]
    issue: Json = {
        "severity": "error",
        "code": row.issue,
        "details": {"coding": [{"system": words().systems["error"], "code": row.code}]},
        "diagnostics": refused.diagnostics,
    }
    if refused.expression is not None:
        issue["expression"] = [refused.expression]
    found: Json = {"resourceType": "OperationOutcome", "issue": [issue]}
    check(found)
    return row.status, orjson.dumps(found)


def judge(status: int, body: bytes, message_id: str) -> Answer:
    """What an answer to our message of this id says; a body that nobody can read says what its status says."""
    content = _content(body)
    errors = _errors(content)
    if status in _SUCCESS:
        return _success(content, errors, body, message_id)
    if any(one in words().delivered for one in errors):
        return Answer(Meaning.ARRIVED, "duplicate")
    code = f"status-{status}"
    return Answer(Meaning.AGAIN if status in words().again else Meaning.REFUSED, code)


def _success(content: Json, errors: list[str], body: bytes, message_id: str) -> Answer:
    if errors:
        return Answer(Meaning.REFUSED, "refused-in-success")
    if not body.strip() or content.get("resourceType") == "OperationOutcome":
        return Answer(Meaning.ARRIVED, "ok")
    header = _header(content)
    if header is None:
        return Answer(Meaning.AGAIN, "answer-unreadable")  # a proxy's page, or an answer cut short
    return _response(content, header, message_id)


def _response(content: Json, header: Json, message_id: str) -> Answer:
    """What a message that is sent back says; without a response it is ours by its id, as the published examples are."""
    response = header.get("response", {"code": "ok"})
    response = response if isinstance(response, dict) else {}
    answered = {bare_id(response.get("identifier"))}
    if "response" not in header:
        answered = {bare_id(content.get("id")), bare_id(header.get("id"))}
    if message_id not in answered:
        return Answer(Meaning.AGAIN, "answer-of-another")
    code = str(response.get("code"))
    if code == "ok":
        return Answer(Meaning.ARRIVED, code, _name(content))
    return Answer(*(Meaning.AGAIN, code) if code == "transient-error" else (Meaning.REFUSED, "fatal-error"))


def _content(body: bytes) -> Json:
    try:
        found = strict_json(body, _LIMITS)
    except FhirRefused:
        return {}
    return found if isinstance(found, dict) else {}


def _errors(content: Json) -> list[str]:
    """The errors an OperationOutcome reports, each as its code and issue type."""
    if content.get("resourceType") != "OperationOutcome":
        return []
    found: list[str] = []
    for issue in _dicts(content.get("issue")):
        if issue.get("severity") not in {"error", "fatal"}:
            continue
        details = issue.get("details")
        codings = _dicts(details.get("coding")) if isinstance(details, dict) else []
        found += [f"{one.get('code')} {issue.get('code')}" for one in codings] or [f"- {issue.get('code')}"]
    return found


def _header(content: Json) -> Json | None:
    if content.get("resourceType") != "Bundle" or content.get("type") != "message":
        return None
    entries = _dicts(content.get("entry"))
    first = entries[0].get("resource") if entries else None
    return first if isinstance(first, dict) and first.get("resourceType") == "MessageHeader" else None


def _name(content: Json) -> str | None:
    """The receiver's own name of what it sent: the id of its Bundle, where that is one."""
    found = content.get("id")
    return found if isinstance(found, str) and found.isascii() and len(found) <= _ID_MAX else None


def _dicts(value: Any) -> list[Json]:  # noqa: ANN401 - what was sent
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


_SUCCESS: Final = range(200, 300)
_ID_MAX: Final = 64  # FHIR R4 id
_LIMITS: Final = Limits(max_bytes=ANSWER_MAX_BYTES)
