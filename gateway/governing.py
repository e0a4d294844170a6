"""What waits for a person, and what a person decides: a hold, a case that was stopped, and all that is outstanding.

    read_holds, read_hold   what waits, without anybody's name in it
    decide_hold, keep_back  let it go on, on a ground, or keep it back
    override                let a referral that was stopped go on
    read_outstanding        what nobody has acknowledged, reviewed (`reviewing`) or decided
    register_staff          what may connect a member of one's own staff with a party

Only named people of a party come in here, each sees what is theirs (`sides`), and each act is sealed before it answers.

Source: domain.md sections 4.1, 4.5 (N7, N11, N15), 4.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from adapters.socket import Unreadable
from audit.receipt import Receipt
from gateway.agreement.content import Content
from gateway.coresponse.unjoined import missing
from gateway.errors import Unprocessable
from gateway.evidence import Caller, Event
from gateway.intake import Offer, Submission, offers, stamped
from gateway.linking.unreviewed import open_matches
from gateway.london import day_of
from gateway.match_sides import Listed, listed
from gateway.notices import outstanding
from gateway.overrides import Override, OverrideReferral, Release, Uphold, released_offers
from gateway.profiles import read_by
from gateway.quarantine import Quarantine, holds
from gateway.reading_log import Look
from gateway.reviews import reviews_due
from gateway.services import Services
from gateway.sides import chased, decides, reviews
from gateway.store import tables
from gateway.store.journal import Committed
from gateway.store.records import address_key, family_key
from gateway.taking import Answer, TakeIn
from gateway.ties import MarkStaff, marks_of
from gateway.under_agreement import decided, governed, missed, standing_of
from mappings.record import Record, RecordKind


@dataclass(frozen=True, slots=True)
class Held:
    """What waits for a human: the row, and for each victim and recipient the facts and the decision."""

    row: Row[Any]
    judged: tuple[Offer, ...]


async def read_holds(services: Services, caller: Caller) -> tuple[Sequence[Row[Any]], Receipt]:
    """What waits for a human under the caller's agreement and is theirs to see, the one due first at the top."""
    log_id = await governed(services, caller)
    content = await _content(services, log_id)
    every = await services.database.read(lambda c: holds(c, log_id))
    rows = [row for row in every if decides(content, caller.organisation, row.organisation)]
    committed = await services.journals.of(log_id).submit(Look(caller, {"holds": len(rows)}, Event.HOLD_READ))
    return rows, committed.receipt


async def read_hold(services: Services, caller: Caller, hold_id: str) -> tuple[Held, Receipt]:
    """One of them, as far as a decision needs: facts, clauses and words, and nobody's name. Raises NotFound."""
    log_id = await governed(services, caller)
    row, key = await _hold(services, caller, log_id, hold_id)
    standing = await standing_of(services, log_id)
    judged: tuple[Offer, ...] = ()
    with suppress(Unprocessable):  # bytes nobody can read have no facts: the row says so
        judged = offers(await _reread(services, row, key), standing.terms, datetime.now(UTC))
    unit = Look(caller, {"quarantine": hold_id}, Event.HOLD_READ)
    committed = await services.journals.of(log_id).submit(unit)
    return Held(row, judged), committed.receipt


async def decide_hold(
    services: Services, caller: Caller, hold_id: str, override: Override, area: str | None
) -> tuple[Answer, Receipt]:
    """Let a held record go on, on a ground. Raises NotFound, Unprocessable, Busy, NotSealed."""
    log_id = await governed(services, caller)
    row, key = await _hold(services, caller, log_id, hold_id)
    record = await _reread(services, row, key)
    origin = Caller(
        row.client,
        row.organisation,
        None,
        frozenset(),
        frozenset({log_id}),
        request=caller.request,
        correlation=caller.correlation,
    )
    submission = Submission(origin, _opened(services, row, key), row.media_type, None, log_id)

    async def attempt() -> Committed[Answer]:
        standing = await standing_of(services, log_id)
        made = offers(record, standing.terms, datetime.now(UTC))
        made = released_offers(made, standing.terms, datetime.now(UTC), area)
        if not any(one.makes_referral for one in made):
            words = next((one.decision.words for one in made if one.is_referral), "no victim is named")
            raise Unprocessable(f"it would not go on all the same: {words}")
        content = standing.content
        prepared = services.preparer.prepare(submission, record, made, content)
        kept = await services.database.read(lambda c: _kept_version(c, log_id, prepared.occurrence, record.version))
        prepared = replace(prepared, record_id=kept) if kept else prepared
        taking = TakeIn(prepared, standing, services.records, released=hold_id)
        return await services.journals.of(log_id).submit(Release(override, hold_id, taking, caller))

    committed = await decided(services, caller, log_id, attempt)
    return committed.value, committed.receipt


async def keep_back(services: Services, caller: Caller, hold_id: str, reason: str) -> Receipt:
    """Keep a held record back for good. Raises NotFound, Unprocessable, Busy, NotSealed."""
    log_id = await governed(services, caller)
    await _hold(services, caller, log_id, hold_id)
    committed = await services.journals.of(log_id).submit(Uphold(hold_id, reason, caller))
    if not committed.value:
        raise Unprocessable("somebody has decided it")
    return committed.receipt


async def override(services: Services, caller: Caller, referral_id: str, given: Override) -> Receipt:
    """Let a referral that was stopped go on, on a ground. Raises NotFound, Busy, NotSealed."""
    log_id = await governed(services, caller)

    async def attempt() -> Committed[bool]:
        standing = await standing_of(services, log_id)
        return await services.journals.of(log_id).submit(OverrideReferral(given, referral_id, caller, standing))

    committed = await decided(services, caller, log_id, attempt)
    if not committed.value:
        raise await missed(services, caller, log_id, Event.OVERRIDE_RECORDED)
    return committed.receipt


@dataclass(frozen=True, slots=True)
class Due:
    """What is outstanding: notices nobody acknowledged, reviews, matches, and contacts without a police record."""

    notices: Sequence[Row[Any]]
    reviews: Sequence[tuple[str, Row[Any]]]
    matches: Sequence[Listed]
    contacts: Sequence[Row[Any]]


async def read_outstanding(services: Services, caller: Caller) -> tuple[Due, Receipt]:
    """Seal that somebody looks at what is outstanding, and read it: of each, the one due first at the top."""
    log_id = await governed(services, caller)
    unit = Look(caller, {"what": "outstanding"}, Event.REVIEWS_READ)
    receipt = (await services.journals.of(log_id).submit(unit)).receipt
    own = caller.organisation

    def read(connection: Connection) -> Due:
        standing = services.terms.read(connection, log_id)
        every = reviews_due(connection, log_id)
        return Due(
            chased(connection, outstanding(connection, log_id), own),
            [(what, row) for what, row in every if what == "break-glass" or reviews(row, own)],
            listed(connection.execute, caller, log_id, standing, open_matches(connection, log_id), datetime.now(UTC)),
            [row for row in missing(connection, log_id) if own in {row.organisation, row.force}],
        )

    return await services.database.read(read), receipt


async def register_staff(
    services: Services, caller: Caller, user: str, families: Sequence[str], addresses: Sequence[tuple[str, str]]
) -> tuple[int, Receipt]:
    """Register what may connect one of the caller's own staff with a party: names, addresses (first line, postcode).

    Returns how much of it is new. Raises Unprocessable where nothing is named, NotPermitted, Busy, NotSealed.
    """
    log_id = await governed(services, caller)
    keys = [address_key([line], postcode) for line, postcode in addresses]
    names = [family_key(one) for one in families]
    marks = marks_of(services.keyring, families=names, addresses=[key for key in keys if key])
    if not marks:
        raise Unprocessable("name a family name or an address")
    committed = await services.journals.of(log_id).submit(MarkStaff(user, marks, caller))
    return committed.value, committed.receipt


async def _hold(services: Services, caller: Caller, log_id: str, hold_id: str) -> tuple[Row[Any], bytes]:
    """An open hold and its wrapped key; one that is not the caller's to see is as good as none. Raises NotFound."""
    content = await _content(services, log_id)

    def find(connection: Connection) -> tuple[Row[Any], bytes] | None:
        row = connection.execute(_OPEN.where(_q.c.log_id == log_id, _q.c.id == hold_id)).one_or_none()
        key = connection.execute(select(tables.data_key.c.content_key).where(tables.data_key.c.id == hold_id)).scalar()
        seen = row is not None and decides(content, caller.organisation, row.organisation)
        return (row, bytes(key)) if row is not None and seen and key is not None else None

    found = await services.database.read(find)
    if found is None:
        raise await missed(services, caller, log_id, Event.HOLD_READ, "there is no such hold")
    return found


async def _content(services: Services, log_id: str) -> Content | None:
    return (await standing_of(services, log_id)).content


def _opened(services: Services, row: Row[Any], key: bytes) -> bytes:
    return Quarantine(services.keyring.content_key).open(row, key)


async def _reread(services: Services, row: Row[Any], key: bytes) -> Record:
    """The held record, read again as on the day it came in. Raises Unprocessable where the bytes are no record."""
    body = _opened(services, row, key)
    client = services.clients.get(row.client)
    received = day_of(datetime.fromisoformat(row.opened_at))
    origin = Caller(row.client, row.organisation, None, frozenset(), frozenset())
    for profile in services.profiles.fitting(client.profiles if client else (), row.media_type, received):
        with suppress(Unreadable):
            reading = await read_by(profile, body, services.limits)
            return stamped(reading.record, origin, profile)
    raise Unprocessable("the input cannot be read: its sender has to send it again")


def _kept_version(connection: Connection, log_id: str, occurrence: bytes, version: int) -> str | None:
    """The id of a record that is kept already as this version of its event."""
    claim, record = tables.claim, tables.record
    event = connection.execute(
        select(claim.c.value).where(claim.c.log_id == log_id, claim.c.key == occurrence)
    ).scalar()
    if event is None:
        return None
    query = select(record.c.id).where(
        record.c.event_id == bytes(event).decode(),
        record.c.version == version,
        record.c.occurrence.is_(None) | (record.c.occurrence == occurrence),
        record.c.kind != RecordKind.STATUS.value,
    )
    found: str | None = connection.execute(query).scalar()
    return found


_q = tables.quarantine
_OPEN = select(_q).where(_q.c.closed_at.is_(None)).order_by(_q.c.due_at, _q.c.id)
