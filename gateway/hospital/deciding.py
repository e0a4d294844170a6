"""What a person of the hospital decides of its own notices: what waits, and what she says now.

    read_held        what waits, or all of it, by codes and clocks
    look_at          one of them: its facts, and for each police recipient the decision in words
    release          let it go, on a ground that outweighs her wish (domain.md section 4.6)
    keep_back        it stays
    change_consent   what she says now; the notice is decided again, and whoever read it is told

Only named people of the hospital that sent a notice come in here; one of another organisation is as good as none (P8).
Each act is sealed before it answers.

Source: domain.md sections 4.5 (N11), 4.6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam

from audit.entry import Operation
from audit.receipt import Receipt
from gateway.callers import check_named
from gateway.evidence import Caller, Event, act
from gateway.hospital.changing import ChangeConsent, KeepBack, ReleaseNotice
from gateway.hospital.standing import ONE, STANDING, Judged, State, consent_now, judged
from gateway.overrides import Override
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.journal import Committed
from gateway.terms import Standing
from gateway.under_agreement import decided, governed, missed, standing_of
from mappings.record import ConsentState, Record


@dataclass(frozen=True, slots=True)
class Opened:
    """A notice of the caller's own organisation: the row, its record, and what is decided of it now."""

    row: Row[Any]
    record: Record
    made: tuple[Judged, ...]


async def read_held(services: Services, caller: Caller, *, every: bool) -> tuple[Sequence[Row[Any]], Receipt]:
    """The caller's organisation's notices that wait, the one due first at the top; `every` lists all of them."""
    log_id = await _governed(services, caller)

    def find(connection: Connection) -> Sequence[Row[Any]]:
        query = _OWN if every else _OWN.where(tables.hospital_notice.c.decided_at.is_(None))
        return connection.execute(query, {"log": log_id, "own": caller.organisation}).all()

    rows = await services.database.read(find)
    receipt = (await services.journals.of(log_id).submit(_Saw(caller, {"notices": len(rows)}))).receipt
    return rows, receipt


async def look_at(services: Services, caller: Caller, notice: str) -> tuple[Opened, Receipt]:
    """One of them, decided now. Raises NotFound, sealed."""
    log_id = await _governed(services, caller)
    standing = await standing_of(services, log_id)
    opened = await _open(services, caller, log_id, standing, notice)
    unit = _Saw(caller, {"version": opened.row.version}, opened.row)
    return opened, (await services.journals.of(log_id).submit(unit)).receipt


async def release(services: Services, caller: Caller, notice: str, override: Override) -> Receipt:
    """Let a notice go on a ground. Raises NotFound, Unprocessable, Busy, NotSealed."""
    overridden = ConsentState.OVERRIDDEN.value

    def unit(opened: Opened, standing: Standing) -> Unit[None]:
        made = judged(opened.record, overridden, standing.terms, datetime.now(UTC))
        return ReleaseNotice(opened.row, made, caller, standing, override)

    return await _change(services, caller, notice, unit)


async def keep_back(services: Services, caller: Caller, notice: str, reason: str) -> Receipt:
    """Keep a notice that waits. Raises NotFound, Unprocessable, Busy, NotSealed."""
    return await _change(services, caller, notice, lambda o, s: KeepBack(o.row, o.made, caller, s, reason))


async def change_consent(
    services: Services, caller: Caller, notice: str, state: ConsentState, reason: str | None
) -> tuple[Receipt, State]:
    """Record what she says now; returns where the notice stands. Raises NotFound, Unprocessable, Busy, NotSealed."""
    stands: list[State] = []
    duty = services.settings.duty_contact

    def unit(opened: Opened, standing: Standing) -> Unit[None]:
        row = dict(opened.row._mapping) | {"consent": state.value}  # noqa: SLF001 - SQLAlchemy's public name for it
        made = judged(opened.record, consent_now(row, datetime.now(UTC)), standing.terms, datetime.now(UTC))
        changed = ChangeConsent(opened.row, made, caller, standing, opened.record, duty, state, reason)
        stands[:] = [changed.state]
        return changed

    receipt = await _change(services, caller, notice, unit)
    return receipt, stands[0]


async def _change(
    services: Services, caller: Caller, notice: str, unit: Callable[[Opened, Standing], Unit[None]]
) -> Receipt:
    log_id = await _governed(services, caller)

    async def attempt() -> Committed[None]:
        standing = await standing_of(services, log_id)
        opened = await _open(services, caller, log_id, standing, notice)
        return await services.journals.of(log_id).submit(unit(opened, standing))

    return (await decided(services, caller, log_id, attempt)).receipt


async def _governed(services: Services, caller: Caller) -> str:
    check_named(caller)
    return await governed(services, caller)


async def _open(services: Services, caller: Caller, log_id: str, standing: Standing, notice: str) -> Opened:
    """A notice of the caller's own organisation with its record. Raises NotFound, sealed."""

    def find(connection: Connection) -> Opened | None:
        row = connection.execute(ONE, {"log": log_id, "id": notice}).one_or_none()
        if row is None or row.organisation != caller.organisation:
            return None
        record = services.records.load(connection, [row.record_id]).get(row.record_id)
        if record is None:
            return None
        now = datetime.now(UTC)
        return Opened(row, record, judged(record, consent_now(row, now), standing.terms, now))

    opened = await services.database.read(find)
    if opened is None:
        raise await missed(services, caller, log_id, Event.HOSPITAL_NOTICE_SEEN, "there is no such notice")
    return opened


@dataclass(frozen=True, slots=True)
class _Saw(Unit[None]):
    """Seal that somebody of the hospital saw what waits, or one of its notices."""

    caller: Caller
    what: dict[str, str | int]
    row: Row[Any] | None = None

    def apply(self, batch: Batch) -> None:
        batch.seal(
            act(
                Event.HOSPITAL_NOTICE_SEEN,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                record=self.row.record_id if self.row is not None else None,
                case=self.row.id if self.row is not None else None,
                detail=self.what,
            )
        )


_n = tables.hospital_notice
_OWN = (
    STANDING.where(_n.c.log_id == bindparam("log"), _n.c.organisation == bindparam("own"))
    .order_by(_n.c.decided_at.is_not(None), _n.c.due_at, _n.c.id)
    .limit(500)
)
