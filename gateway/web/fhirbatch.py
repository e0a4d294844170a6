"""A Bundle of reads (`POST /fhir/R4`): each entry decided, sealed and answered by itself.

In a batch an entry that fails says so in its own place. A transaction is given as a whole or not at all: where one
entry fails, its error is the answer. What cannot be sealed makes either fail as a whole. Reads alone are taken.

Source: FHIR R4 http, section 3.1.0.11.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response

from adapters.nhs import fhir
from audit.receipt import Receipt
from gateway.errors import BadParameter, GatewayError, NotFound
from gateway.web.fhirpages import proof

FAILED_HERE = 500  # from here on the fault is not the caller's


@dataclass(frozen=True, slots=True)
class Given:
    """What one read gave: the resource or the Bundle, and where it is sealed; of a resource, what was written too."""

    body: bytes
    receipt: Receipt
    log_id: str
    written: fhir.Written | None = None


Read = Callable[[fhir.Request], Awaitable[Given]]
"""Carries out one entry. Raises GatewayError or `FhirRefused`."""


async def carry_out(
    batch: fhir.Batch, read: Read, failed: Callable[[Exception], Response]
) -> tuple[bytes, Given | None]:
    """The answer to a batch, and the first entry that gave something. `failed` gives an error its face.

    Raises what an entry raised where the whole fails.
    """
    tasks = [_one(one, read) for one in batch.requests]
    done = await asyncio.gather(*tasks)
    for one in done:
        if isinstance(one, Exception) and (batch.kind == "transaction" or failed(one).status_code >= FAILED_HERE):
            raise one
    answers = [_failed(failed(one)) if isinstance(one, Exception) else _given(one) for one in done]
    return fhir.batch_response(batch.kind, answers), next((one for one in done if isinstance(one, Given)), None)


async def _one(asked: fhir.Request, read: Read) -> Given | Exception:
    try:
        if asked.method != "GET":
            raise BadParameter("only what is read, by GET, is taken in a batch")
        if not all(asked.path):
            raise NotFound("there is nothing at this address")
        return await read(asked)
    except (GatewayError, fhir.FhirRefused) as error:
        return error


def _failed(face: Response) -> fhir.Answered:
    return fhir.Answered(_status(face.status_code), bytes(face.body), failed=True)


def _given(one: Given) -> fhir.Answered:
    written = one.written
    if written is None:
        return fhir.Answered(_status(HTTPStatus.OK), one.body)
    return fhir.Answered(
        _status(HTTPStatus.OK),
        one.body,
        etag=f'W/"{written.tag}"',
        last_modified=written.last_updated,
        receipt=proof(one.receipt),
        checkpoint=one.receipt.checkpoint_text,
    )


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"
