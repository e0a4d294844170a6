"""Quarantine after a profile was mended: every kept input is read again, what reads is taken in, the rest stays.

    replay   read what waits again, a page at a time, and take in what reads
    look_at  one input by its facts and problems; its content where somebody states why

The unit that does it is `taking_again.LeaveOrTake`.

An input is read by the profiles its client has now, in the versions valid on the day it came in. It is taken in as if
it came now, under the names it would have had then, so that nothing is taken twice; what a rule or an agreement leaves
to a human stays with a human, and no clock is ever lengthened. Who replayed, how many and by which profile is sealed;
after a crash the next replay goes on with what is still open.

Source: domain.md sections 4.1 (step 6), 4.5 (N7), 4.7 (keys).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, bindparam, func, or_, select

from adapters.nhs import fhir
from adapters.socket import Reading, Unreadable, reader
from audit.entry import Operation, Outcome
from audit.receipt import Receipt
from gateway.chance import fresh_id
from gateway.errors import IdempotencyConflict, MarkingRefused, NotFound, NotPermitted, StaleVersion, face
from gateway.evidence import Caller, Event, act
from gateway.hospital import take_notice
from gateway.hospital.bundles import PROFILE as NOTICE_PROFILE
from gateway.intake import Offer, Submission, offers, stamped
from gateway.london import day_of
from gateway.nothing_given import Missed
from gateway.quarantine import Quarantine
from gateway.reading_log import Look
from gateway.services import Services
from gateway.sides import decides
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.journal import Committed
from gateway.taking import TakeIn
from gateway.taking.again import CloseHold, LeaveOrTake, Left
from gateway.under_agreement import decided, governed, standing_of
from mappings.profile import Profile
from mappings.record import Record

PAGE = 32  # inputs that are open at once: at most 32 MiB at the largest body


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which inputs are read again: of a profile, for a reason, since a time (RFC 3339, UTC); None is any."""

    profile: str | None = None
    reason: str | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did. `counts` has the number of inputs by what became of them; `profiles` the hashes that read."""

    id: str
    counts: Mapping[str, int]
    profiles: tuple[str, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Reread:
    """One kept input, read again: its profile and reading, or what is wrong with it where."""

    row: Row[Any]
    body: bytes
    profile: Profile | None
    reading: Reading | None
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def fault(self) -> str:
        """Why it cannot be read, in a code."""
        return self.problems[0][1]


async def replay(
    services: Services,
    log_id: str,
    caller: Caller | None,
    wanted: Wanted,
    *,
    dry_run: bool = False,
    of_all: bool = False,
) -> Replayed:
    """Read what waits in a log again and take in what reads. Raises Busy, NotSealed.

    A reviewer's replay reads what is theirs to see (`sides`), the operator's everything: `caller` None is the operator
    at the gateway itself, `of_all` one at a page. A trial run reads the same, changes nothing, and is sealed all the
    same.
    """
    run = _Run(services, log_id, caller, fresh_id(), dry_run=dry_run)
    detail: dict[str, str | int] = {"replay": run.id, "trial": int(dry_run)}
    asked = {"profile": wanted.profile, "why": wanted.reason, "since": wanted.since}
    await run.seal(Outcome.PERMITTED, detail | {"what": "begun", **{k: v for k, v in asked.items() if v}})
    terms = (await standing_of(services, log_id)).terms
    content = terms.agreement.content if terms else None
    # What this run itself leaves to a human comes in later than all that it reads.
    last = await services.database.read(lambda c: c.execute(_NEWEST, {"log": log_id}).scalar() or "")
    place, counts, hashes = _Place("", "", last), Counter[str](), set[str]()
    while page := await services.database.read(partial(_page, log_id=log_id, wanted=wanted, place=place)):
        place = _Place(page[-1].opened_at, page[-1].id, last)
        found: list[Reread] = []
        for row in page:
            if not of_all and caller is not None and not decides(content, caller.organisation, row.organisation):
                continue
            fitting = [one for one in _fitting(services, row) if wanted.profile in {None, one.name}]
            if fitting or wanted.profile is None:
                found.append(_reread(services, row, fitting))
                await asyncio.sleep(0)  # other requests have their turn between two inputs
        hashes.update(one.profile.hash for one in found if one.profile)
        for state in await asyncio.gather(*(run.one(one) for one in found), return_exceptions=True):
            if isinstance(state, BaseException):  # the others of the page are done
                raise state
            counts[state] += 1
    said = detail | {"what": "ended", "inputs": counts.total(), **counts}
    receipt = await run.seal(Outcome.PERMITTED, said, next(iter(hashes)) if len(hashes) == 1 else None)
    return Replayed(run.id, dict(counts), tuple(sorted(hashes)), receipt)


async def replay_holds(services: Services, caller: Caller, wanted: Wanted, *, dry_run: bool) -> Replayed:
    """The same by a named person of a party, in the log of their agreement. Raises NotPermitted, Busy, NotSealed."""
    log_id = await governed(services, caller)
    return await replay(services, log_id, caller, wanted, dry_run=dry_run)


async def look_at(
    services: Services, log_id: str, caller: Caller | None, hold_id: str, reason: str | None
) -> tuple[Reread, tuple[Offer, ...], Receipt]:
    """One open input, read again: its problems, or each victim's facts and decisions. Raises NotFound, sealed.

    `reason` is the stated reason of whoever wants to see the content as well; it is sealed with the consultation.
    """
    row = await services.database.read(
        lambda c: c.execute(_OPEN.where(_q.c.log_id == log_id, _q.c.id == hold_id)).first()
    )
    if row is None:
        if caller is not None:
            await services.journals.of(log_id).submit(Missed(caller, Event.HOLD_READ))
        raise NotFound("there is no such hold")
    again = _reread(services, row, _fitting(services, row))
    standing = await standing_of(services, log_id)
    judged: tuple[Offer, ...] = ()
    if again.reading is not None and again.profile is not None:
        record = stamped(again.reading.record, _origin(row, log_id, caller), again.profile)
        judged = offers(record, standing.terms, datetime.now(UTC))
    what = {"quarantine": hold_id, "what": "content" if reason else "facts"}
    committed = await services.journals.of(log_id).submit(Look(caller, what, Event.HOLD_READ, reason))
    return again, judged, committed.receipt


@dataclass(frozen=True, slots=True)
class _Run:
    """One replay: who does it, where."""

    services: Services
    log_id: str
    caller: Caller | None
    id: str
    dry_run: bool = field(kw_only=True)

    async def seal(self, outcome: Outcome, detail: Mapping[str, str | int], mapping: str | None = None) -> Receipt:
        """Seal the begin or the end."""
        unit = _Sealed(self.caller, outcome, detail, mapping)
        return (await self.services.journals.of(self.log_id).submit(unit)).receipt

    async def one(self, again: Reread) -> str:
        """Take one input in, or leave it with its reason; returns what became of it."""
        if self.dry_run:
            return (Left.UNREADABLE if again.reading is None else Left.READABLE).value
        if again.reading is not None and again.profile is not None and again.profile.adapter == fhir.READER.name:
            return await self._notice(again, again.reading.record, again.profile)

        async def attempt() -> Committed[str]:
            taking = await self._taking(again)
            mapping = again.profile.hash if again.profile else None
            unit = LeaveOrTake(
                again.row, taking, again.fault if taking is None else None, mapping, self.caller, self.id
            )
            return await self.services.journals.of(self.log_id).submit(unit)

        origin = _origin(again.row, self.log_id, self.caller)
        return (await decided(self.services, origin, self.log_id, attempt)).value

    async def _notice(self, again: Reread, record: Record, profile: Profile) -> str:
        """Take a hospital's notice in, then close its hold; after a crash in between it is known, and closed then."""
        origin = _origin(again.row, self.log_id, self.caller)
        stamp = stamped(record, origin, profile)
        document = record.reference("document")
        media = again.row.media_type
        try:
            taken = await take_notice(self.services, origin, stamp, again.body, media, document=document)
        except (IdempotencyConflict, StaleVersion, MarkingRefused, NotPermitted) as refused:
            unit = LeaveOrTake(again.row, None, face(refused).type, profile.hash, self.caller, self.id)
            return (await self.services.journals.of(self.log_id).submit(unit)).value
        closing = CloseHold(again.row, taken.how.value, profile.hash, self.caller, self.id)
        return (await self.services.journals.of(self.log_id).submit(closing)).value

    async def _taking(self, again: Reread) -> TakeIn | None:
        if again.reading is None or again.profile is None:
            return None
        services = self.services
        origin = _origin(again.row, self.log_id, self.caller)
        standing = await standing_of(services, self.log_id)
        record = stamped(again.reading.record, origin, again.profile)
        made = offers(record, standing.terms, datetime.now(UTC))
        content = standing.content
        submission = Submission(origin, again.body, again.row.media_type, None, self.log_id)
        return TakeIn(services.preparer.prepare(submission, record, made, content), standing, services.records)


@dataclass(frozen=True, slots=True)
class _Sealed(Unit[None]):
    """Seal that a replay begins or has ended."""

    caller: Caller | None
    outcome: Outcome
    detail: Mapping[str, str | int]
    mapping: str | None

    def apply(self, batch: Batch) -> None:
        batch.seal(
            act(
                Event.QUARANTINE_REPLAYED,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                outcome=self.outcome,
                mapping=self.mapping,
                detail=self.detail,
            )
        )


def _fitting(services: Services, row: Row[Any]) -> Sequence[Profile]:
    """The profiles an input can be read by now: its client's, in the versions valid on the day it came in."""
    client = services.clients.get(row.client)
    received = day_of(datetime.fromisoformat(row.opened_at))
    own = services.profiles.fitting(client.profiles if client else (), row.media_type, received)
    return own or services.profiles.fitting((NOTICE_PROFILE,), row.media_type, received)


def _reread(services: Services, row: Row[Any], fitting: Sequence[Profile]) -> Reread:
    """An input by the first profile that reads it; where none does, what is wrong with it for the first of them."""
    body = Quarantine(services.keyring.content_key).open(row, row.content_key)
    failed: Reread | None = None
    for profile in fitting:
        try:
            return Reread(row, body, profile, reader(profile.adapter).read(body, profile, services.limits))
        except Unreadable as unreadable:
            problems = tuple((one.path, one.fault.value) for one in unreadable.problems)
            failed = failed or Reread(row, body, profile, None, problems)
    return failed or Reread(row, body, None, None, (("", "media-type"),))


def _origin(row: Row[Any], log_id: str, caller: Caller | None) -> Caller:
    """Who sent an input, under the ids of whoever replays it."""
    request, correlation = (caller.request, caller.correlation) if caller else (None, None)
    own = frozenset({log_id})
    return Caller(row.client, row.organisation, None, frozenset(), own, request=request, correlation=correlation)


class _Place(NamedTuple):
    """How far a replay has come: behind this input, and no further than what came in last when it began."""

    opened_at: str
    id: str
    last: str


def _page(connection: Connection, log_id: str, wanted: Wanted, place: _Place) -> Sequence[Row[Any]]:
    """The next open inputs in the order they came in, with their wrapped keys."""
    beyond = and_(_q.c.opened_at == place.opened_at, _q.c.id > place.id)
    query = _OPEN.where(
        _q.c.log_id == log_id, or_(_q.c.opened_at > place.opened_at, beyond), _q.c.opened_at <= place.last
    )
    if wanted.reason is not None:
        query = query.where(_q.c.reason == wanted.reason)
    if wanted.since is not None:
        query = query.where(_q.c.opened_at >= wanted.since)
    return connection.execute(query.limit(PAGE)).all()


_q, _k = tables.quarantine, tables.data_key
_OPEN = (
    select(_q, _k.c.content_key)
    .join(_k, _k.c.id == _q.c.id)
    .where(_q.c.closed_at.is_(None), _q.c.erased_at.is_(None))
    .order_by(_q.c.opened_at, _q.c.id)
)
_NEWEST = select(func.max(_q.c.opened_at)).where(_q.c.log_id == bindparam("log"), _q.c.closed_at.is_(None))
