"""A team's worklist as a person sees it: what waits longest first, then the higher risk, and nobody's identity.

    read_worklist   find a page, decide each row, seal it, and only then give it

The order is made of columns alone; what a row may show is decided like everything else, on its sealed facts, and is
sealed as a reading of the worklist, a row an entry, as the FHIR worklist is. A row that the reader holds already, in
the version that stands, is not given again: that it still stands is sealed as a number, and so is how many cases fall
to each shift.

The clock of a row is the first that runs in its case; where rows stand is `order`'s to say.

Source: domain.md sections 4.1 (clocks), 4.2 (states), 4.5 (N10: no grade without its age).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from audit.entry import Operation
from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.decide import Decision
from gateway.disclosure import Disclose, Found, Opened
from gateway.evidence import Caller, Event, act
from gateway.repeats import earlier_incidents
from gateway.searching import Search
from gateway.services import Services
from gateway.shifts import Turns
from gateway.shown import ROW_ITEMS, WORKLIST_ROW
from gateway.store.batch import Batch, Unit
from gateway.terms import Standing
from gateway.ties import ties_of
from gateway.under_agreement import decided, log_of, standing_of
from gateway.worklist.by_shift import OnShift, on_shift, opened_row, turns_of
from gateway.worklist.falling_due import window
from gateway.worklist.order import Asked, Waiting, Whose, ordered_rows
from mappings.record import Grade
from mappings.referral import Priority, ReferralState, ReferralStatus


@dataclass(frozen=True, slots=True)
class Listed:
    """One row. What the agreement withholds is None, as is what nobody stated.

    `due` is when the first clock of the case runs out and `clock` which it is; `repeats` counts earlier incidents
    within twelve months; `released_at` is when the suspect was let go.
    """

    id: str
    version: int
    status: ReferralStatus
    state: ReferralState
    priority: Priority
    came_at: datetime
    due: datetime | None
    clock: str | None
    assigned_to: str | None
    grade: Grade | None
    graded: bool
    assessed_at: datetime | None
    area: str | None
    repeats: int
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class Worklist:
    """A page: the ids in their order, the rows that are given, and whether there is a page after it.

    `areas` are those of the team under the agreement, by their ids, with their names. `shifts` is None of closed cases,
    and for a team that is always there.
    """

    order: tuple[str, ...]
    rows: tuple[Listed, ...]
    more: bool
    areas: Mapping[str, str]
    shifts: OnShift | None
    receipts: tuple[Receipt, ...]
    log_id: str


async def read_worklist(services: Services, caller: Caller, asked: Asked, reason: str | None = None) -> Worklist:
    """A page of the caller's team. Raises NotPermitted, Busy, NotSealed; nothing found is an answer."""
    log_id = await log_of(services, caller)

    async def attempt() -> Worklist:
        # 1. Who asks: a recipient of the agreement, by name.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        check_named(caller)

        # 2. The page in its order; each row decided on its facts.
        now = datetime.now(UTC)
        turns = None if asked.whose is Whose.CLOSED else turns_of(services.settings, standing, now)

        def find(connection: Connection) -> _Page:
            return _find(connection, caller, asked, standing, log_id, turns, now)

        page = await services.database.read(find)

        # 3. Seal each row that is given, and that others were found as the reader has them; only then let them leave.
        new = [one for one in page.rows if asked.known.get(one.opened.row.id) != one.opened.row.version]
        unit = ReadWorklist(
            given=tuple(one.opened for one in new),
            confirmed=len(page.rows) - len(new),
            by_shift=page.shifts.counted if page.shifts else None,
            caller=caller,
            standing=standing,
            reason=reason,
        )
        committed = await services.journals.of(log_id).submit(unit)
        return Worklist(
            order=tuple(one.opened.row.id for one in page.rows),
            rows=tuple(_listed(one) for one in new),
            more=page.more,
            areas=areas_of_team(standing, caller),
            shifts=page.shifts,
            receipts=committed.receipts,
            log_id=log_id,
        )

    return await decided(services, caller, log_id, attempt)


@dataclass(frozen=True, slots=True)
class _Found:
    opened: Opened
    waiting: Waiting
    repeats: int


@dataclass(frozen=True, slots=True)
class _Page:
    rows: tuple[_Found, ...]
    more: bool
    shifts: OnShift | None


@dataclass(frozen=True, slots=True)
class _RowSearch(Search):
    """A search whose answer carries what a row of the worklist carries, and no resource."""

    @property
    def items(self) -> frozenset[str]:
        return ROW_ITEMS


@dataclass(frozen=True, slots=True)
class ReadWorklist(Unit[None]):
    """Seal the rows that are given, and as numbers those that were confirmed and those counted by shift.

    It decides again like every reading. `by_shift` is None where nothing was counted.
    """

    given: tuple[Opened, ...]
    confirmed: int
    by_shift: int | None
    caller: Caller
    standing: Standing
    reason: str | None

    @property
    def referrals(self) -> Sequence[str]:
        """The referrals that must not have changed."""
        return [one.row.id for one in self.given]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        search = _RowSearch(types=(WORKLIST_ROW,), event=Event.WORKLIST_READ)
        if self.given or not self.confirmed:
            found = Found(self.given, None, None)
            Disclose(found, search, self.caller, self.standing, self.reason).apply(batch)
        if self.confirmed or self.by_shift is not None:
            self.standing.check(batch)
            numbers = {"total": self.confirmed, **({} if self.by_shift is None else {"by_shift": self.by_shift})}
            batch.seal(
                act(
                    Event.REFERRALS_COUNTED,
                    Operation.CONSULTATION,
                    at=batch.at,
                    caller=self.caller,
                    agreement=self.standing.agreement_ref,
                    reason=self.reason,
                    detail={"types": WORKLIST_ROW, **numbers},
                )
            )


def _find(
    connection: Connection,
    caller: Caller,
    asked: Asked,
    standing: Standing,
    log_id: str,
    turns: Turns | None,
    now: datetime,
) -> _Page:
    ordered, more = ordered_rows(connection, caller, asked, log_id, window(asked.falls, turns, now))
    ties = ties_of(connection.execute, caller, log_id, [one.row for one in ordered])
    judged = [(one, opened_row(one.row, standing, ties, now)) for one in ordered]
    shown = [(one, opened) for one, opened in judged if opened is not None]
    again = [opened.row for _, opened in shown if _goes(opened.decision, "history.repeats")]
    history = earlier_incidents(connection.execute, again)
    found = tuple(_Found(opened, one, len(history.get(one.row.id, ()))) for one, opened in shown)
    counted = on_shift(connection, caller, asked, standing, log_id, turns, now) if turns else None
    return _Page(found, more, counted)


def areas_of_team(standing: Standing, caller: Caller) -> Mapping[str, str]:
    """The areas of a caller's team under the agreement, by their ids, with their names."""
    content = standing.content
    recipient = content.recipient(caller.recipient) if content and caller.recipient else None
    if content is None or recipient is None:
        return {}
    names = content.areas
    return {id_: names[id_] for id_ in (names if recipient.areas is None else recipient.areas)}


def _goes(decision: Decision, item: str) -> bool:
    """Whether an item goes whole: a row has no place for what is less exact."""
    return decision.ruling.methods.get(item, "withheld") is None


def _listed(one: _Found) -> Listed:
    row, decision = one.opened.row, one.opened.decision
    graded = _goes(decision, "risk.grade")
    return Listed(
        id=row.id,
        version=row.version,
        status=ReferralStatus(row.status),
        state=ReferralState(row.state),
        priority=Priority(row.priority),
        came_at=datetime.fromisoformat(row.created_at),
        due=one.waiting.due,
        clock=one.waiting.clock,
        assigned_to=row.assigned_to,
        grade=Grade(row.grade) if row.grade and graded else None,
        graded=graded,
        assessed_at=_moment(row.assessed_at) if _goes(decision, "risk.assessment") else None,
        area=row.area if _goes(decision, "event.area") else None,
        repeats=one.repeats,
        released_at=_moment(row.released_at) if _goes(decision, "police.custody") else None,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
