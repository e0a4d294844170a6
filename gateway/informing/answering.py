"""A person of the hospital sees what police ask, and answers it item by item: released, refused, or not held.

    read_requests   what waits for the team, the one due first at the top, by codes and clocks
    look_at         one of them, in the words of whoever asked
    answer          one item of it

Released is only what she agrees to give for this purpose, in the words that whoever answers writes, who says that no
clinical fact is in them; it is a record of its own, decided under the agreement before it is kept and again whenever
police read it. A refusal says a code and never what she wishes. A released answer can be taken back. A request of
another team, or about somebody whom the person is connected with, is as good as none (P8, N15).

Source: domain.md sections 3.6, 4.5 (N5, N15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select

from audit.entry import Operation
from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.decide import decide_on, facts_of
from gateway.errors import Detail, Unprocessable
from gateway.evidence import Caller, Event, act
from gateway.informing import VICTIM_INFORMATION
from gateway.informing.asking import request_name
from gateway.informing.keeping import Answer, AnswerItem, Made
from gateway.informing.request import asking_recipient
from gateway.keys import Keyring
from gateway.rules import CONNECTIONS
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.envelope import Envelope
from gateway.store.journal import Committed
from gateway.terms import Standing
from gateway.ties import ties_of
from gateway.under_agreement import decided, log_of, missed, standing_of


@dataclass(frozen=True, slots=True)
class Opened:
    """A request of the caller's team: the row, its items, and what police said, in words."""

    row: Row[Any]
    items: Sequence[Row[Any]]
    said: dict[str, Any]


async def read_requests(services: Services, caller: Caller, *, every: bool) -> tuple[Sequence[Row[Any]], Receipt]:
    """What waits for the caller's team; `every` lists what was answered as well. Raises NotPermitted, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> tuple[Sequence[Row[Any]], Receipt]:
        standing = await _team(services, log_id, caller)

        def find(connection: Connection) -> Sequence[Row[Any]]:
            query = _OWN if every else _OWN.where(_q.c.answered_at.is_(None))
            asked = {"log": log_id, "organisation": caller.organisation, "team": caller.recipient}
            rows = connection.execute(query, asked).all()
            ties = ties_of(connection.execute, caller, log_id, rows)
            return [row for row in rows if ties.relationship(row) not in CONNECTIONS]

        rows = await services.database.read(find)
        unit = _Saw(caller, standing, {"requests": len(rows)})
        return rows, (await services.journals.of(log_id).submit(unit)).receipt

    return await decided(services, caller, log_id, attempt)


async def look_at(services: Services, caller: Caller, request: str) -> tuple[Opened, Receipt]:
    """One of them, in words. Raises NotFound, NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> tuple[Opened, Receipt]:
        standing = await _team(services, log_id, caller)
        opened = await _open(services, caller, log_id, request)
        unit = _Saw(caller, standing, {"request": request}, opened.row)
        return opened, (await services.journals.of(log_id).submit(unit)).receipt

    return await decided(services, caller, log_id, attempt)


async def answer(services: Services, caller: Caller, request: str, number: int, given: Answer) -> tuple[bool, Receipt]:
    """Answer one item; returns whether every item of the request is answered by now.

    Raises NotFound, NotPermitted, Unprocessable, Busy, NotSealed.
    """
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[bool]:
        standing = await _team(services, log_id, caller)
        opened = await _open(services, caller, log_id, request)
        item = next((one for one in opened.items if one.number == number), None)
        if item is None:
            raise await missed(services, caller, log_id, Event.INFORMATION_ITEM_ANSWERED, "there is no such item")
        unit = AnswerItem(opened.row, item, given, _made(services, opened, item, given, standing), caller, standing)
        return await services.journals.of(log_id).submit(unit)

    committed = await decided(services, caller, log_id, attempt)
    return committed.value, committed.receipt


def read_words(connection: Connection, keyring: Keyring, log_id: str, request: str) -> bytes | None:
    """What police said in a request, for the operator who hands it to the person who answers; None where there is none.

    Whoever calls this seals why.
    """
    of = (_q.c.log_id == log_id, _q.c.id == request)
    query = select(_q.c.content, _k.c.content_key).join(_k, _k.c.id == _q.c.id).where(*of)
    found = connection.execute(query).one_or_none()
    if found is None:
        return None
    return Envelope(keyring.content_key).open(found.content, bytes(found.content_key), request_name(request))


def _made(services: Services, opened: Opened, item: Row[Any], given: Answer, standing: Standing) -> Made | None:
    """The record of what is released, decided now; None where nothing is. Raises Unprocessable."""
    if not given.releases:
        return None
    row, now = opened.row, datetime.now(UTC)
    record = given.record(item.item, organisation=row.organisation, area=row.area, now=now)
    facts = facts_of(record, now)
    recipient = asking_recipient(standing.terms, row.force) or ""
    decision = decide_on(facts, recipient, VICTIM_INFORMATION, standing.terms, now)
    if item.item not in decision.released:
        words = next((one.words for one in decision.verdicts if one.item == item.item), decision.words)
        raise Unprocessable(f"it would not be released: {words}", details=[Detail("answer", decision.reason, words)])
    return Made.of(services.records, record, facts, decision, row.log_id)


async def _team(services: Services, log_id: str, caller: Caller) -> Standing:
    """The standing of the agreement, for a named person of one of its teams. Raises NotPermitted."""
    standing = await standing_of(services, log_id)
    check_recipient(standing, caller)
    check_named(caller)
    return standing


async def _open(services: Services, caller: Caller, log_id: str, request: str) -> Opened:
    """A request of the caller's own team, opened. Raises NotFound, sealed."""

    def find(connection: Connection) -> tuple[Row[Any], Sequence[Row[Any]], bytes] | None:
        asked = {"log": log_id, "organisation": caller.organisation, "team": caller.recipient}
        row = connection.execute(_OWN.where(_q.c.id == request), asked).one_or_none()
        if row is None:
            return None
        if ties_of(connection.execute, caller, log_id, [row]).relationship(row) in CONNECTIONS:
            return None
        key = connection.execute(select(_k.c.content_key).where(_k.c.id == request)).scalar()
        items = connection.execute(_ITEMS, {"of": request}).all()
        return (row, items, bytes(key)) if key is not None else None

    found = await services.database.read(find)
    if found is None:
        raise await missed(services, caller, log_id, Event.INFORMATION_REQUEST_READ, "there is no such request")
    row, items, key = found
    said = orjson.loads(Envelope(services.keyring.content_key).open(row.content, key, request_name(request)))
    return Opened(row, items, said)


@dataclass(frozen=True, slots=True)
class _Saw(Unit[None]):
    """Seal that somebody of the team saw what police ask."""

    caller: Caller
    standing: Standing
    what: dict[str, str | int]
    row: Row[Any] | None = None

    def apply(self, batch: Batch) -> None:
        self.standing.check(batch)
        batch.seal(
            act(
                Event.INFORMATION_REQUEST_READ,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                agreement=self.standing.agreement_ref,
                case=self.row.referral_id if self.row is not None else None,
                detail=self.what,
            )
        )


_q, _i, _k, _r = tables.information_request, tables.information_item, tables.data_key, tables.referral
_OWN = (
    select(_q, _r.c.record_id, _r.c.victim, _r.c.area, _r.c.assigned_to, _r.c.facts)
    .join(_r, _r.c.id == _q.c.referral_id)
    .where(
        _q.c.log_id == bindparam("log"),
        _q.c.organisation == bindparam("organisation"),
        _q.c.team == bindparam("team"),
        _r.c.erased_at.is_(None),
    )
    .order_by(_q.c.answered_at.is_not(None), _q.c.due_at, _q.c.id)
    .limit(500)
)
_ITEMS = select(_i).where(_i.c.request_id == bindparam("of")).order_by(_i.c.number)
