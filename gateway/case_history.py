"""What was done in a case, for whoever works on it: read, joined with what it is the repeat of, and sealed.

A new incident of hers within twelve months goes on with the same case: what was done then is read with what is done
now, as far as this caller may see each of the two. A case of another team is as good as none (P8).

Source: domain.md sections 1.8 (repeat), 4.1 (step 13), 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from audit.entry import Operation
from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.casework.reading import Done, history, running, untaken
from gateway.decide import Outcome
from gateway.disclosure import Disclose, Found, Reader, judged_of
from gateway.errors import NotFound
from gateway.evidence import Caller, Event, act
from gateway.repeats import closed_before, is_before, linked
from gateway.searching import Search
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.records import subject_of
from gateway.terms import Standing
from gateway.ties import ties_of
from gateway.under_agreement import decided, log_of, standing_of
from mappings.referral import ReferralStatus


@dataclass(frozen=True, slots=True)
class CaseActs:
    """What read_acts answers: what was done, the earliest record first; the clocks that run; and the receipt.

    `notices` are what the team was told of the case and has not acknowledged: corrections that wait.
    `done` holds what was done in `joined` too: the referrals of earlier incidents of hers with this team, as far as
    this caller may see them.
    """

    version: int
    done: tuple[Done, ...]
    clocks: Sequence[Row[Any]]
    notices: Sequence[Row[Any]]
    joined: tuple[str, ...]
    receipt: Receipt
    log_id: str


async def read_acts(
    services: Services, library: Reader, caller: Caller, referral_id: str, reason: str | None = None
) -> CaseActs:
    """What was done in a case. Raises NotFound, NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)
    search = Search(types=("Task",), ids=(referral_id,), event=Event.CASE_READ)

    async def attempt() -> CaseActs:
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        check_named(caller)

        def find(connection: Connection) -> _Seen:
            now = datetime.now(UTC)
            found = library.find(connection, caller, search, standing, log_id, now)
            if not found.opened:
                return _Seen(found)
            row = found.opened[0].row
            rows = (row, *_earlier(connection, row, caller, standing, now))
            ids = [one.id for one in rows]
            told = untaken(connection, ids, caller.organisation, caller.recipient)
            return _Seen(found, rows, history(connection, services.keyring, ids), running(connection, ids), told)

        seen = await services.database.read(find)
        journal = services.journals.of(log_id)
        if not seen.rows:
            await journal.submit(Disclose(seen.found, search, caller, standing))
            raise NotFound("there is no such referral")
        committed = await journal.submit(NoteReading(seen.rows, len(seen.done), caller, standing, reason))
        joined = tuple(one.id for one in seen.rows[1:])
        version = seen.rows[0].version
        return CaseActs(version, seen.done, seen.clocks, seen.notices, joined, committed.receipt, log_id)

    return await decided(services, caller, log_id, attempt)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found before it is sealed; no row where there is none for this caller."""

    found: Found
    rows: tuple[Row[Any], ...] = ()
    done: tuple[Done, ...] = ()
    clocks: Sequence[Row[Any]] = ()
    notices: Sequence[Row[Any]] = ()


@dataclass(frozen=True, slots=True)
class NoteReading(Unit[None]):
    """Seal that what was done in a case, and in those it continues, was read."""

    rows: Sequence[Row[Any]]
    acts: int
    caller: Caller
    standing: Standing
    reason: str | None

    @property
    def referrals(self) -> Sequence[str]:
        """The referrals that must not have changed."""
        return [row.id for row in self.rows]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        for row in self.rows:
            batch.same_referral(row.id, row.version)
        first = self.rows[0]
        batch.seal(
            act(
                Event.CASE_READ,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                agreement=self.standing.agreement_ref,
                subjects=tuple(sorted(subject_of(row.record_id, row.victim) for row in self.rows)),
                record=first.record_id,
                case=first.id,
                reason=self.reason,
                mapping=first.mapping,
                detail={"version": first.version, "acts": self.acts, "joined": len(self.rows) - 1},
            )
        )


def _earlier(
    connection: Connection, row: Row[Any], caller: Caller, standing: Standing, now: datetime
) -> tuple[Row[Any], ...]:
    """The team's referrals of earlier incidents of hers, in twelve months, that this caller may see; latest first."""
    me = (row.event_id, row.victim)
    others = linked(connection.execute, row.log_id, [me])[me]
    if not others:
        return ()
    asked = {"log": row.log_id, "events": sorted({event for event, _ in others})}
    asked |= {"team": row.team, "organisation": row.organisation}
    rows = [
        one
        for one in connection.execute(_OF_EVENTS, asked)
        if (one.event_id, one.victim) in others and (is_before(one, row) or closed_before(one, row))
    ]
    ties = ties_of(connection.execute, caller, row.log_id, rows)
    return tuple(one for one in rows if judged_of(one, standing, ties, now)[1].outcome is Outcome.PERMITTED)


_r = tables.referral
_OF_EVENTS = (
    select(_r)
    .where(
        _r.c.log_id == bindparam("log"),
        _r.c.event_id.in_(bindparam("events", expanding=True)),
        _r.c.team == bindparam("team"),
        _r.c.organisation == bindparam("organisation"),
        _r.c.erased_at.is_(None),
        _r.c.status != ReferralStatus.ENTERED_IN_ERROR.value,
    )
    .order_by(_r.c.created_at.desc(), _r.c.id)
)
