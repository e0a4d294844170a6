"""A Bundle of reads: a batch, or a transaction that is read as a whole or not at all.

Nothing here is carried out. An entry asks by GET; any other method is kept as it is, for the server to refuse by name.

Source: FHIR R4 http, section 3.1.0.11 (batch, transaction).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit

from adapters.nhs.fhir.errors import FhirRefused
from adapters.nhs.fhir.parse import Parsed

READS_MAX: Final = 50
"""Entries of one batch: each is decided, sealed and answered by itself."""


@dataclass(frozen=True, slots=True)
class Request:
    """One entry: the HTTP method, the path below the FHIR base, and the query as pairs of name and value."""

    method: str
    path: tuple[str, ...]
    query: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was sent: each entry for itself, or (a transaction) all or none."""

    kind: Literal["batch", "transaction"]
    requests: tuple[Request, ...]


def batch_of(parsed: Parsed, base_url: str) -> Batch:
    """The batch that a Bundle is. `base_url` is the FHIR base, which an absolute address may begin with.

    Raises `FhirRefused` 400 for what is no batch, an entry without a request or with an address that cannot be read,
    and 413 for more than `READS_MAX` entries.
    """
    kind = parsed.content.get("type")
    if parsed.type != "Bundle" or kind not in {"batch", "transaction"}:
        raise FhirRefused(400, "invalid", "Bundle.type", "a Bundle of type batch or transaction is taken here")
    entries = parsed.content.get("entry", [])
    if not entries:
        raise FhirRefused(400, "required", "Bundle.entry", "nothing is asked")
    if len(entries) > READS_MAX:
        raise FhirRefused(413, "too-costly", "Bundle.entry", f"more than {READS_MAX} entries")
    return Batch(kind, tuple(_request(one, f"Bundle.entry[{at}]", base_url) for at, one in enumerate(entries)))


def _request(entry: dict[str, object], path: str, base_url: str) -> Request:
    asked = entry.get("request")
    if not isinstance(asked, dict):
        raise FhirRefused(400, "required", f"{path}.request", "an entry says what it asks")
    url = str(asked["url"]).removeprefix(f"{base_url}/").removeprefix("/")
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None or parts.scheme or parts.netloc or parts.fragment or "%" in parts.path or "\0" in url:
        raise FhirRefused(400, "invalid", f"{path}.request.url", "not an address below this FHIR base")
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if any("\0" in part for pair in query for part in pair):
        raise FhirRefused(400, "invalid", f"{path}.request.url", "the address holds a zero character")
    return Request(str(asked["method"]), tuple(parts.path.split("/")), query)
