"""Batches: many documents in one request, each taken in as if it had come alone.

    take_batch    begin, cut as it arrives, take each document in, end
    read_batch    where a batch stands, and how many of its rows came out how
    read_batches  the latest of an organisation
    read_rows     what became of each row

A bad row goes to a human with its reason and the others go on. Memory is bounded by what is in flight: the stream is
read no faster than the journal commits. A batch that breaks off keeps what it accepted; sent again, what is known is
known. How a batch is cut is for `adapters.batch`, and what becomes of a document for `journey.take_in`.

Source: domain.md sections 1.2 (exports), 4.1 (steps 1 to 6), 4.7 (keys).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from adapters.batch import MEDIA_TYPES, Broken, Part, Splitter, splitter
from adapters.delimited import MAX_HEADER
from audit.receipt import Receipt
from gateway.batch_rows import (
    STATES,
    BatchState,
    BeginBatch,
    EndBatch,
    RowOf,
    counts_of,
    find_batch,
    find_batches,
    find_rows,
)
from gateway.chance import fresh_id
from gateway.errors import (
    BadMediaType,
    BodyTooLarge,
    Busy,
    Detail,
    GatewayError,
    IdempotencyConflict,
    MarkingRefused,
    NotFound,
    NotSealed,
    StaleVersion,
    Unreachable,
    UnreadableInput,
)
from gateway.evidence import Caller, Event
from gateway.intake import Submission
from gateway.journey import take_in
from gateway.logs import Line, say
from gateway.london import day_of
from gateway.reading_log import Look
from gateway.services import Services
from gateway.setting_aside import set_aside
from gateway.under_agreement import log_of, missed, standing_of
from mappings.profile import Profile

IN_FLIGHT = 64  # documents: half wait for a commit while half are read; at most 64 MiB at the largest body
_TRIES = 4  # of a document that the journal could not take; with waits of a second, a failover is left to the sender

_DOCUMENTS: Mapping[str, tuple[str, ...]] = {
    "application/x-ndjson": ("application/json", "application/vnd.api+json"),
    "text/csv": ("text/csv",),
    "application/zip": ("application/zip",),
}
"""What the documents of a batch are, by what the batch is."""

_SETTLED = (UnreadableInput, MarkingRefused, IdempotencyConflict, StaleVersion)
"""What became of a row, and is written in it."""


@dataclass(frozen=True, slots=True)
class Batched:
    """Where a batch stands. `counts` has the number of rows by what became of them."""

    id: str
    state: BatchState
    reason: str | None
    began_at: str | None
    ended_at: str | None
    counts: Mapping[str, int]


async def take_batch(
    services: Services, caller: Caller, chunks: AsyncIterable[bytes], media_type: str, idempotency_key: str | None
) -> tuple[Batched, Receipt, str]:
    """Take a batch in; returns how it ended, the receipt of its end, and the log.

    Raises BadMediaType before anything is kept; BodyTooLarge, Busy, NotSealed or what the stream raises after what was
    accepted is kept and the batch noted as incomplete. `Location` of a GatewayError then names it.
    """
    # 1. Which log, and by which profile; the agreement is read once, so that rows are decided in their order.
    log_id = await log_of(services, caller)
    chunks, beginning = await _opened(services, caller, chunks, media_type)
    profile, document = reads(services, caller, media_type, beginning)
    await standing_of(services, log_id)
    cutting = splitter(media_type, profile, services.limits)

    # 2. Seal that it begins. Its rows' entries name it as their correlation.
    id_ = fresh_id()
    await services.journals.of(log_id).submit(BeginBatch(id_, caller, media_type, profile.hash))
    rows = _Rows(services, replace(caller, correlation=id_), log_id, id_, document, idempotency_key)

    # 3. Cut as it arrives, and take each document in; what is in flight when it breaks is waited for.
    try:
        try:
            await _walk(services, chunks, cutting, rows)
        finally:
            await rows.settled()
    except BaseException as broken:
        # 4a. It broke off: say so, and go on raising. Where even that cannot be sealed, `EndBroken` says it later.
        await asyncio.shield(_broke_off(services, log_id, EndBatch(id_, caller, _code_of(broken))))
        if isinstance(broken, GatewayError):
            broken.headers.setdefault("Location", location(id_))
        raise

    # 4b. Seal that it ended, with its counts.
    ended = await services.journals.of(log_id).submit(EndBatch(id_, caller))
    return Batched(id_, BatchState.COMPLETE, None, None, None, ended.value), ended.receipt, log_id


async def read_batch(services: Services, caller: Caller, batch_id: str) -> tuple[Batched, Receipt, str]:
    """Where a batch of the caller's own organisation stands. Raises NotFound, sealed."""
    log_id = await log_of(services, caller)

    def find(connection: Connection) -> Batched | None:
        row = find_batch(connection, log_id, caller.organisation, batch_id)
        return _batched(row, counts_of(connection, batch_id)) if row is not None else None

    found = await services.database.read(find)
    if found is None:
        raise await _missed(services, caller, log_id)
    return found, await _looked(services, caller, log_id, {"batch": batch_id}), log_id


async def read_batches(services: Services, caller: Caller, most: int) -> tuple[Sequence[Batched], Receipt, str]:
    """The latest batches of the caller's own organisation, the newest first, without their counts."""
    log_id = await log_of(services, caller)
    found = await services.database.read(lambda c: find_batches(c, log_id, caller.organisation, most))
    receipt = await _looked(services, caller, log_id, {"batches": len(found)})
    return [_batched(row, {}) for row in found], receipt, log_id


@dataclass(frozen=True, slots=True)
class RowsOf:
    """The rows of one batch that came out in some states, from a number on: a page at a time."""

    services: Services
    batch_id: str
    states: Sequence[str]

    async def page(self, after: int, most: int) -> Sequence[Row[Any]]:
        """The next rows beyond a number."""
        return await self.services.database.read(lambda c: find_rows(c, self.batch_id, after, most, self.states))


async def read_rows(
    services: Services, caller: Caller, batch_id: str, states: Sequence[str] = STATES
) -> tuple[RowsOf, Receipt, str]:
    """What became of each row of a batch of the caller's own organisation; sealed once. Raises NotFound, sealed."""
    log_id = await log_of(services, caller)
    found = await services.database.read(lambda c: find_batch(c, log_id, caller.organisation, batch_id))
    if found is None:
        raise await _missed(services, caller, log_id)
    receipt = await _looked(services, caller, log_id, {"batch": batch_id, "what": "rows"})
    return RowsOf(services, batch_id, states), receipt, log_id


def reads(services: Services, caller: Caller, media_type: str, beginning: bytes = b"") -> tuple[Profile, str]:
    """The profile that reads a caller's batch, and the media type of its documents. Raises BadMediaType.

    `beginning` holds the header of a table that several profiles could read.
    """
    today = day_of(datetime.now(UTC))
    for document in _DOCUMENTS.get(media_type, ()):
        try:
            profile = services.profiles.choose(caller.profiles, document, today, beginning, services.limits)
            splitter(media_type, profile, services.limits)
        except (BadMediaType, LookupError):
            continue
        return profile, document
    raise BadMediaType(f"send one of {', '.join(MEDIA_TYPES)}, as a profile of this client reads it")


def location(batch_id: str) -> str:
    """Where a batch can be read."""
    return f"/police/v1/batches/{batch_id}"


class _Rows:
    """Takes the documents of one batch in, a bounded number at a time."""

    def __init__(
        self, services: Services, caller: Caller, log_id: str, batch_id: str, media_type: str, key: str | None
    ) -> None:
        self._services = services
        self._caller = caller
        self._log_id = log_id
        self._batch_id = batch_id
        self._media_type = media_type
        self._key = key
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: BaseException | None = None

    async def take(self, piece: Part | Broken) -> None:
        """Begin with one piece, as soon as there is room. Raises what an earlier one could not be kept for."""
        await self._room.acquire()
        if self._failed is not None:
            raise self._failed
        task = asyncio.create_task(self._one(piece))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        await asyncio.sleep(0)  # other requests have their turn between two documents

    async def settled(self) -> None:
        """Wait for everything that was begun. Raises what one of them could not be kept for."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._failed is not None:
            raise self._failed

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()
        if not task.cancelled() and self._failed is None:
            self._failed = task.exception()

    async def _one(self, piece: Part | Broken) -> None:
        row = RowOf(self._batch_id, piece.number, piece.line)
        if isinstance(piece, Broken):
            fault = piece.problem.fault.value
            await self._aside(piece, fault, Detail(piece.problem.path, fault, piece.problem.words), row)
            return
        key = f"{self._key} {piece.number}" if self._key else None  # no key of a caller's has a space in it
        try:
            async for attempt in _again():
                with attempt:
                    await take_in(self._services, self._caller, piece.body, self._media_type, key, row)
        except _SETTLED:
            return
        except Exception as error:  # noqa: BLE001 - one document that cannot be taken keeps no other one back (P6)
            say(Line.ROW_SET_ASIDE, batch=self._batch_id, row=piece.number, error=type(error).__name__)
            await self._aside(piece, _NOT_TAKEN, Detail("", _NOT_TAKEN, "it could not be taken in"), row)

    async def _aside(self, piece: Part | Broken, fault: str, detail: Detail, row: RowOf) -> None:
        submission = Submission(self._caller, piece.body, self._media_type, None, self._log_id)
        async for attempt in _again():
            with attempt:
                await set_aside(self._services, submission, fault, detail.words, (detail,), row)


_NOT_TAKEN = "not-taken"


def _again() -> AsyncRetrying:
    """Tries again what the journal could not take: it may be busy with others."""
    return AsyncRetrying(
        retry=retry_if_exception_type((Busy, NotSealed, Unreachable)),
        stop=stop_after_attempt(_TRIES),
        wait=wait_random_exponential(multiplier=0.1, max=1),
        reraise=True,
    )


async def _opened(
    services: Services, caller: Caller, chunks: AsyncIterable[bytes], media_type: str
) -> tuple[AsyncIterable[bytes], bytes]:
    """The stream, and as much of its beginning as shows which profile it is for: nothing where that is plain."""
    today = day_of(datetime.now(UTC))
    if not any(services.profiles.has_rivals(caller.profiles, one, today) for one in _DOCUMENTS.get(media_type, ())):
        return chunks, b""
    most = services.limits.max_archive if media_type == "application/zip" else MAX_HEADER
    held, rest = bytearray(), aiter(chunks)
    async for chunk in rest:
        held += chunk
        if len(held) > most:
            break
    beginning = bytes(held)

    async def whole() -> AsyncIterator[bytes]:
        yield beginning
        async for chunk in rest:
            yield chunk

    return whole(), beginning


async def _walk(services: Services, chunks: AsyncIterable[bytes], cutting: Splitter, rows: _Rows) -> None:
    """Feed the stream to the splitter and its pieces to the rows, within the limits of a batch."""
    most_bytes, most_rows = services.settings.batch_max_bytes, services.settings.batch_max_rows
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most_bytes:
            raise BodyTooLarge(f"the batch is larger than {most_bytes} bytes")
        for piece in cutting.feed(chunk):
            await _within(rows, piece, most_rows)
    for piece in cutting.close():
        await _within(rows, piece, most_rows)


async def _within(rows: _Rows, piece: Part | Broken, most: int) -> None:
    if piece.number > most:
        raise BodyTooLarge(f"the batch has more than {most} rows")
    await rows.take(piece)


async def _broke_off(services: Services, log_id: str, unit: EndBatch) -> None:
    try:
        await services.journals.of(log_id).submit(unit)
    except GatewayError as error:
        say(Line.BATCH_OPEN, batch=unit.id, error=type(error).__name__)


def _code_of(broken: BaseException) -> str:
    """Why a batch is incomplete, in a code."""
    if isinstance(broken, BodyTooLarge):
        return "too-large"
    return "not-sealed" if isinstance(broken, GatewayError) else "connection-broken"


def _batched(row: Row[Any], counts: Mapping[str, int]) -> Batched:
    return Batched(row.id, BatchState(row.state), row.reason, row.began_at, row.ended_at, counts)


async def _looked(services: Services, caller: Caller, log_id: str, what: Mapping[str, str | int]) -> Receipt:
    return (await services.journals.of(log_id).submit(Look(caller, what, Event.BATCH_READ))).receipt


async def _missed(services: Services, caller: Caller, log_id: str) -> NotFound:
    return await missed(services, caller, log_id, Event.BATCH_READ, "there is no such batch")
