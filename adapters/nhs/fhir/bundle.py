"""Bundles of what has been written, each resource as the bytes it already is, each disclosure with its receipt.

A searchset or a collection is of resources; the answer to a batch is of answers, each with its status.

The envelope is checked; the resources in it were checked when they were written and are not read again. The bundle
carries the labels of what it may hold (the high-water mark, domain.md section 2.11), also when it holds nothing, so
that an empty answer looks like any other (P8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import orjson

from adapters.nhs.fhir.canonical import extension_url
from adapters.nhs.fhir.elements import HIDE, SECURITY, instant
from adapters.nhs.fhir.models import Json, check
from adapters.nhs.fhir.written import Written

RECEIPT: Final = extension_url("receipt")
CHECKPOINT: Final = extension_url("checkpoint")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where the disclosure of one resource is sealed: log origin, entry index, leaf hash and inclusion path in Base 64.

    The path runs from the leaf up (RFC 6962 section 2.1.1).
    """

    log: str
    index: int
    leaf_hash: str
    hashes: tuple[str, ...]


def bundle(  # noqa: PLR0913 - a bundle says many things, each by its name
    entries: Sequence[Written],
    *,
    included: Sequence[Written] = (),
    kind: Literal["searchset", "collection"] = "searchset",
    total: int | None = None,
    self_link: str | None = None,
    next_link: str | None = None,
    receipts: Sequence[Receipt | None] = (),
    checkpoint: str | None = None,
    outcome: bytes | None = None,
) -> bytes:
    """A Bundle of matches, then of what comes along with them, then of what is to be said of the search.

    `receipts` go with `entries`, one for one, or there are none; `checkpoint` is the signed note they all lead to. A
    `collection` has neither total nor search modes (R4 invariants bdl-1, bdl-2). Raises ValueError where the number of
    receipts differs.
    """
    if receipts and len(receipts) != len(entries):
        raise ValueError(f"{len(receipts)} receipts for {len(entries)} entries")
    searching = kind == "searchset"
    proofs = [*receipts, *[None] * (len(entries) + len(included) - len(receipts))]
    modes = ["match"] * len(entries) + ["include"] * len(included)
    body = [*entries, *included]
    rows = [_row(*row, searching=searching) for row in zip(body, modes, proofs, strict=True)]
    whole: Json = {"resourceType": "Bundle", "meta": _meta(checkpoint), "type": kind}
    if searching and total is not None:
        whole["total"] = total
    links = (("self", self_link), ("next", next_link))
    if found := [{"relation": relation, "url": url} for relation, url in links if url is not None]:
        whole["link"] = found
    bodies = [one.body for one in body]
    if outcome is not None:
        rows.append({"search": {"mode": "outcome"}})
        bodies.append(outcome)
    if rows:
        whole["entry"] = rows
    check(whole)
    for row, content in zip(rows, bodies, strict=True):
        row["resource"] = orjson.Fragment(content)
    return orjson.dumps(whole)


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one entry of a batch: an HTTP status, then a resource, or an OperationOutcome where it failed.

    `etag` and `last_modified` are of a resource that was read; `receipt` and `checkpoint` where it was sealed.
    """

    status: str
    body: bytes
    failed: bool = False
    etag: str | None = None
    last_modified: datetime | None = None
    receipt: Receipt | None = None
    checkpoint: str | None = None


def batch_response(kind: Literal["batch", "transaction"], answers: Sequence[Answered]) -> bytes:
    """The answer to a batch or a transaction, one entry for each that was asked, in their order."""
    rows: list[Json] = [{"response": _response(one)} for one in answers]
    whole: Json = {"resourceType": "Bundle", "meta": _meta(None), "type": f"{kind}-response", "entry": rows}
    check(whole)
    for row, one in zip(rows, answers, strict=True):
        if one.failed:
            row["response"]["outcome"] = orjson.Fragment(one.body)
        else:
            row["resource"] = orjson.Fragment(one.body)
    return orjson.dumps(whole)


def _response(one: Answered) -> Json:
    found: Json = {"status": one.status}
    if one.receipt is not None:
        found["extension"] = [_receipt(one.receipt)]
        if one.checkpoint is not None:
            found["extension"].append({"url": CHECKPOINT, "valueString": one.checkpoint})
    if one.etag is not None:
        found["etag"] = one.etag
    if one.last_modified is not None:
        found["lastModified"] = instant(one.last_modified)
    return found


def _meta(checkpoint: str | None) -> Json:
    notes = [] if checkpoint is None else [{"url": CHECKPOINT, "valueString": checkpoint}]
    return {"extension": [HIDE, *notes], "security": SECURITY}


def _row(one: Written, mode: str, receipt: Receipt | None, *, searching: bool) -> Json:
    proof: Json = {} if receipt is None else {"extension": [_receipt(receipt)]}
    if searching:
        return {"fullUrl": one.url, "search": proof | {"mode": mode}}
    return proof | {"fullUrl": one.url}


def _receipt(receipt: Receipt) -> Json:
    return {
        "url": RECEIPT,
        "extension": [
            {"url": "log", "valueString": receipt.log},
            {"url": "index", "valueInteger": receipt.index},
            {"url": "leafHash", "valueBase64Binary": receipt.leaf_hash},
            *({"url": "hash", "valueBase64Binary": one} for one in receipt.hashes),
        ],
    }
