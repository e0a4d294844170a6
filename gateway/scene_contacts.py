"""Co-response: an adviser in the car records a contact at the scene, and a human joins what no rule could.

    record_contact   what happened, under the reference the officer gave
    add_details      what there was no time for
    read_contact     one of the team's own, with its words
    read_contacts    all of them, by codes and clocks
    look_at          one that waits, by its references and nobody's words, for whoever must join it
    join_contact     join it to a referral, on a ground
    close_contact    no record will come

A contact of another team is as good as none (P8). Each act is a named person's, sealed before it answers.

Source: domain.md sections 0a (co-response), 4.1 (step 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from audit.entry import timestamp
from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.chance import fresh_id
from gateway.coresponse.contact import Attended, Contact, log_key, occurrence_key, scene_key
from gateway.coresponse.recording import (
    AddDetails,
    Names,
    RecordContact,
    Recorded,
    Scene,
    contact_of,
    content_name,
    open_content,
)
from gateway.coresponse.unjoined import CloseContact, JoinByHand, missing
from gateway.errors import IdempotencyConflict, NotFound, Unprocessable
from gateway.evidence import Caller, Event
from gateway.nothing_given import Missed
from gateway.quarantine import owner_named
from gateway.reading_log import Look
from gateway.services import Services
from gateway.store import tables
from gateway.store.envelope import Envelope
from gateway.store.journal import Committed
from gateway.terms import Standing
from gateway.under_agreement import decided, governed, log_of, standing_of


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened at the scene, in codes: when, in which area."""

    contact: Contact
    at: datetime
    area: str | None


async def record_contact(
    services: Services, caller: Caller, scene: Scene, happened: Happened, idempotency_key: str | None
) -> tuple[Recorded, Receipt]:
    """Keep a contact. Raises NotPermitted, Unprocessable, IdempotencyConflict, Busy, NotSealed."""
    log_id = await log_of(services, caller)
    now = datetime.now(UTC)
    id_ = fresh_id()
    said = Attended(
        id_,
        caller.organisation,
        caller.recipient or "",
        caller.client,
        caller.user or "",
        caller.role,
        happened.area,
        happened.contact,
        happened.at,
    )
    content = scene.content(now, said.user)
    sealed = Envelope(services.keyring.content_key).seal(content, content_name(id_))

    async def attempt() -> Committed[Recorded | None]:
        standing = await _team(services, log_id, caller)
        agreed = standing.content
        if agreed is None or scene.force not in {party.organisation for party in agreed.parties}:
            raise Unprocessable("force: is no party of the agreement")
        unit = RecordContact(
            contact=said,
            force=scene.force,
            content=sealed.content,
            key=sealed.key,
            names=_names(services, caller, scene, happened, idempotency_key),
            owner=owner_named(agreed, None, services.settings.duty_contact),
            hours=services.settings.co_response_hours,
            caller=caller,
            standing=standing,
            records=services.records,
        )
        return await services.journals.of(log_id).submit(unit)

    committed = await decided(services, caller, log_id, attempt)
    if committed.value is None:
        raise IdempotencyConflict("this key was used for another contact")
    return committed.value, committed.receipt


async def add_details(services: Services, caller: Caller, id_: str, words: str) -> Receipt:
    """Add words to one of the team's own contacts. Raises NotFound, NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)
    envelope = Envelope(services.keyring.content_key)

    async def attempt() -> Committed[None]:
        standing = await _team(services, log_id, caller)
        row, key = await _own(services, caller, log_id, id_, Event.CO_RESPONSE_DETAILED)
        content = open_content(envelope, row, key)
        at = timestamp(datetime.now(UTC))
        content["details"].append({"at": at, "by": caller.user, "words": words})
        sealed = envelope.seal(orjson.dumps(content), content_name(id_))
        return await services.journals.of(log_id).submit(AddDetails(row, sealed.content, sealed.key, caller, standing))

    return (await decided(services, caller, log_id, attempt)).receipt


async def read_contact(services: Services, caller: Caller, id_: str) -> tuple[Row[Any], dict[str, Any], Receipt]:
    """One of the team's own contacts, with its references and words. Raises NotFound, NotPermitted, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> tuple[Row[Any], dict[str, Any], Receipt]:
        await _team(services, log_id, caller)
        row, key = await _own(services, caller, log_id, id_, Event.CO_RESPONSE_READ)
        content = open_content(Envelope(services.keyring.content_key), row, key)
        look = Look(caller, {"co_response": id_}, Event.CO_RESPONSE_READ)
        return row, content, (await services.journals.of(log_id).submit(look)).receipt

    return await decided(services, caller, log_id, attempt)


async def read_contacts(services: Services, caller: Caller) -> tuple[Sequence[Row[Any]], Receipt]:
    """The team's own contacts that wait for a record, by codes and clocks. Raises NotPermitted, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> tuple[Sequence[Row[Any]], Receipt]:
        await _team(services, log_id, caller)
        rows = [row for row in await services.database.read(lambda c: missing(c, log_id)) if _is_own(row, caller)]
        look = Look(caller, {"co_responses": len(rows)}, Event.CO_RESPONSE_READ)
        return rows, (await services.journals.of(log_id).submit(look)).receipt

    return await decided(services, caller, log_id, attempt)


async def look_at(services: Services, caller: Caller, id_: str) -> tuple[Row[Any], dict[str, Any], Receipt]:
    """A contact that waits, by its references, for a human of a party. Raises NotFound, NotPermitted, NotSealed."""
    log_id = await governed(services, caller)
    row, key = await _waiting(services, caller, log_id, id_, Event.CO_RESPONSE_READ)
    content = open_content(Envelope(services.keyring.content_key), row, key)
    look = Look(caller, {"co_response": id_}, Event.CO_RESPONSE_READ)
    receipt = (await services.journals.of(log_id).submit(look)).receipt
    return row, {name: content[name] for name in ("log", "day", "occurrence")}, receipt


async def join_contact(services: Services, caller: Caller, id_: str, referral_id: str, reason: str) -> Receipt:
    """Join a contact to a referral of its team and force, as a human decided. Raises NotFound, NotPermitted."""
    log_id = await governed(services, caller)

    async def attempt() -> Committed[bool]:
        row, key = await _waiting(services, caller, log_id, id_, Event.CO_RESPONSE_JOINED)
        waits = _waits(services, row, open_content(Envelope(services.keyring.content_key), row, key))
        unit = JoinByHand(row, contact_of(row, None), waits, referral_id, reason, caller, services.records)
        return await services.journals.of(log_id).submit(unit)

    committed = await decided(services, caller, log_id, attempt)
    return await _done(services, caller, log_id, committed, Event.CO_RESPONSE_JOINED)


async def close_contact(services: Services, caller: Caller, id_: str, reason: str) -> Receipt:
    """Close a contact that no record will join. Raises NotFound, NotPermitted, Busy, NotSealed."""
    log_id = await governed(services, caller)

    async def attempt() -> Committed[bool]:
        row, key = await _waiting(services, caller, log_id, id_, Event.CO_RESPONSE_CLOSED)
        waits = _waits(services, row, open_content(Envelope(services.keyring.content_key), row, key))
        return await services.journals.of(log_id).submit(CloseContact(row, waits, reason, caller))

    committed = await decided(services, caller, log_id, attempt)
    return await _done(services, caller, log_id, committed, Event.CO_RESPONSE_CLOSED)


# Helpers of the steps above, in order of use.


async def _team(services: Services, log_id: str, caller: Caller) -> Standing:
    """The standing of the agreement, for a named person of one of its teams. Raises NotPermitted."""
    standing = await standing_of(services, log_id)
    check_recipient(standing, caller)
    check_named(caller)
    return standing


def _names(services: Services, caller: Caller, scene: Scene, happened: Happened, idempotency_key: str | None) -> Names:
    blind = services.keyring.blind
    request = f"{caller.client}|{idempotency_key}" if idempotency_key else None
    told = orjson.dumps([scene, happened], option=orjson.OPT_SORT_KEYS)
    return Names(
        waits=_scene(services, scene.force, scene.log, scene.day, scene.occurrence),
        shared=None if scene.occurrence else blind("log-day", log_key(scene.force, scene.log or "", scene.day)),
        occurrence=blind("occurrence", scene.occurrence.strip().casefold()) if scene.occurrence else None,
        idempotency=blind("co-response", request) if request else None,
        body=services.keyring.payload_hash(told),
    )


def _scene(services: Services, force: str, log: str | None, day: date, occurrence: str | None) -> bytes:
    """The name a contact waits under: its occurrence, or its log and day."""
    if occurrence:
        return scene_key(services.keyring.blind, "occurrence", occurrence_key(force, occurrence))
    return scene_key(services.keyring.blind, "log-day", log_key(force, log or "", day))


def _waits(services: Services, row: Row[Any], content: dict[str, Any]) -> bytes:
    day = date.fromisoformat(content["day"])
    return _scene(services, row.force, content["log"], day, content["occurrence"])


def _is_own(row: Row[Any], caller: Caller) -> bool:
    return (row.organisation, row.team) == (caller.organisation, caller.recipient)


async def _own(services: Services, caller: Caller, log_id: str, id_: str, wanted: Event) -> tuple[Row[Any], bytes]:
    """One of the team's own contacts and its wrapped key. Raises NotFound, sealed."""
    found = await services.database.read(lambda c: _contact(c, log_id, id_))
    if found is None or not _is_own(found[0], caller):
        await services.journals.of(log_id).submit(Missed(caller, wanted))
        raise NotFound("there is no such contact")
    return found


async def _waiting(services: Services, caller: Caller, log_id: str, id_: str, wanted: Event) -> tuple[Row[Any], bytes]:
    """A contact that waits, of the caller's organisation or force, and its wrapped key. Raises NotFound, sealed."""
    found = await services.database.read(lambda c: _contact(c, log_id, id_))
    own = found is not None and caller.organisation in {found[0].organisation, found[0].force}
    if found is None or not own or found[0].closed_at is not None:
        await services.journals.of(log_id).submit(Missed(caller, wanted))
        raise NotFound("there is no such contact")
    return found


def _contact(connection: Connection, log_id: str, id_: str) -> tuple[Row[Any], bytes] | None:
    table, key = tables.co_response, tables.data_key
    query = select(table).where(table.c.log_id == log_id, table.c.id == id_, table.c.erased_at.is_(None))
    row = connection.execute(query).one_or_none()
    wrapped = connection.execute(select(key.c.content_key).where(key.c.id == id_)).scalar()
    return (row, bytes(wrapped)) if row is not None and wrapped is not None else None


async def _done(services: Services, caller: Caller, log_id: str, committed: Committed[bool], wanted: Event) -> Receipt:
    """The receipt of what was done; what was not is sealed as missed, and raised."""
    if committed.value:
        return committed.receipt
    await services.journals.of(log_id).submit(Missed(caller, wanted))
    raise NotFound("there is no such referral of that team and force")
