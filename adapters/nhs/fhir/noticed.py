"""The answer to a hospital's notice: what became of it, in the Bundle type that its own type asks for.

A `transaction` is answered by a transaction-response with one answer for each entry, a `message` by a message that
names the header it answers (FHIR R4 http 3.1.0.11.2, messaging 2.4.3.1). What became of the notice stands in an
OperationOutcome, and its reference in the Bundle's identifier. Nothing of a person is in either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson

from adapters.nhs.fhir.canonical import CANONICAL
from adapters.nhs.fhir.models import Json, check
from adapters.nhs.fhir.outcome import Issue, operation_outcome
from adapters.nhs.fhir.parse import parse
from adapters.nhs.fhir.strict import strict_json

NOTICE_ID = f"{CANONICAL}/Id/hospital-notice"
"""The system of the gateway's references of notices."""


def as_sent(body: bytes) -> Json:
    """A body as it was sent, its structure unchecked: enough to see what it is. Raises `FhirRefused`.

    Checking the structure of a Bundle takes a hundred times as long, and is done once, by whoever reads it.
    """
    if body.lstrip(_SPACE)[:1] == b"<":
        return parse(body).content
    found = strict_json(body)
    return found if isinstance(found, dict) else {}


_SPACE: Final = b" \t\r\n\xef\xbb\xbf"


def notice_answer(sent: Json, *, notice: str, new: bool, issues: Sequence[Issue], base_url: str) -> bytes:
    """The Bundle that answers `sent`, a Bundle that was read; `new` says that it was not known before."""
    outcome: Json = orjson.loads(operation_outcome(issues))
    status = "201 Created" if new else "200 OK"
    bundle: Json = {"resourceType": "Bundle", "identifier": {"system": NOTICE_ID, "value": notice}}
    if sent["type"] == "transaction":
        answers: list[Json] = [{"response": {"status": status}} for _ in sent["entry"]]
        answers[0]["response"]["outcome"] = outcome
        bundle |= {"type": "transaction-response", "entry": answers}
    else:
        header = sent["entry"][0]["resource"]
        answer: Json = {
            "resourceType": "MessageHeader",
            **{name: header[name] for name in ("eventCoding", "eventUri") if name in header},
            "source": {"endpoint": f"{base_url}/"},
            "response": {"identifier": header.get("id", "unstated"), "code": "ok"},
        }
        bundle |= {"type": "message", "entry": [{"resource": answer}, {"resource": outcome}]}
    check(bundle)
    return orjson.dumps(bundle)
