"""The downtime list: what a team needs to go on by telephone while no page answers.

The open referrals of whoever asks, in the order of the worklist, each decided now, cut down to what is needed (no
address of anybody, no narrative) and sealed as disclosed before it is given. How it is written is `console.downtime`.

Source: domain.md sections 3.10 (H9: downtime at night), 4.4, 4.5 (N8: unknown is unsafe).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.decide import Decision, Outcome
from gateway.disclosure import Disclose, Found, Opened, judged_of, whole_of
from gateway.evidence import Caller, Event
from gateway.minimise import minimise
from gateway.repeats import earlier_incidents
from gateway.same_incident import links_of
from gateway.searching import Search
from gateway.services import Services
from gateway.shifts import Turns
from gateway.shown import DOWNTIME_CASE, DOWNTIME_ITEMS
from gateway.store.batch import Batch, Unit
from gateway.store.records import Records
from gateway.terms import Standing
from gateway.ties import ties_of
from gateway.under_agreement import decided, log_of, standing_of
from gateway.worklist.by_shift import turns_of
from gateway.worklist.falling_due import window
from gateway.worklist.order import Asked, ordered_rows
from gateway.worklist.reading import areas_of_team
from mappings.record import Record

MOST_CASES = 200
"""Cases of one list: nobody telephones more in a night, and each is decrypted and written."""

REASON = "downtime"


@dataclass(frozen=True, slots=True)
class DowntimeCase:
    """One case: its id, its first clock, and the record as far as the list may carry it."""

    id: str
    due: datetime | None
    assigned_to: str | None
    record: Record


@dataclass(frozen=True, slots=True)
class DowntimeList:
    """The cases of what was asked for, in their order; whether there are more than fit; and where each is sealed.

    `areas` are the team's by name.
    """

    asked: Asked
    cases: tuple[DowntimeCase, ...]
    more: bool
    areas: Mapping[str, str]
    receipts: tuple[Receipt, ...]
    log_id: str
    made_at: datetime


async def make_downtime_list(services: Services, caller: Caller, asked: Asked) -> DowntimeList:
    """The list for a named person. Raises NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> DowntimeList:
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        check_named(caller)
        now = datetime.now(UTC)
        turns = turns_of(services.settings, standing, now)

        def find(connection: Connection) -> tuple[list[tuple[Opened, DowntimeCase]], bool]:
            return _find(connection, services.records, caller, asked, standing, log_id, turns, now)

        found, more = await services.database.read(find)
        unit = DiscloseList(tuple(opened for opened, _ in found), caller, standing)
        committed = await services.journals.of(log_id).submit(unit)
        areas = areas_of_team(standing, caller)
        cases = tuple(case for _, case in found)
        return DowntimeList(asked, cases, more, areas, committed.receipts, log_id, now)

    return await decided(services, caller, log_id, attempt)


@dataclass(frozen=True, slots=True)
class _CaseSearch(Search):
    """A search whose answer carries what a case of the list carries, and no resource."""

    @property
    def items(self) -> frozenset[str]:
        return DOWNTIME_ITEMS


@dataclass(frozen=True, slots=True)
class DiscloseList(Unit[None]):
    """Seal that every case of the list leaves, each as a reading of its own."""

    opened: tuple[Opened, ...]
    caller: Caller
    standing: Standing

    @property
    def referrals(self) -> Sequence[str]:
        """The referrals that must not have changed."""
        return [one.row.id for one in self.opened]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        search = _CaseSearch(types=(DOWNTIME_CASE,), event=Event.REFERRAL_READ)
        Disclose(Found(self.opened, None, None), search, self.caller, self.standing, REASON).apply(batch)


def _find(
    connection: Connection,
    records: Records,
    caller: Caller,
    asked: Asked,
    standing: Standing,
    log_id: str,
    turns: Turns | None,
    now: datetime,
) -> tuple[list[tuple[Opened, DowntimeCase]], bool]:
    due = window(asked.falls, turns, now)
    ordered, more = ordered_rows(connection, caller, asked, log_id, due, MOST_CASES)
    rows = [one.row for one in ordered]
    ties = ties_of(connection.execute, caller, log_id, rows)
    judged = [(row, *judged_of(row, standing, ties, now)) for row in rows]
    shown = [(row, facts, decision) for row, facts, decision in judged if _may_go(decision)]
    wanted = [id_ for row, *_ in shown for id_ in (row.record_id, *(link["record"] for link in links_of(row.linked)))]
    loaded = records.load(connection, wanted)
    history = earlier_incidents(
        connection.execute, [row for row, facts, _ in shown if "history.repeats" in facts.items]
    )
    clocks = {one.row.id: one.due for one in ordered}
    found: list[tuple[Opened, DowntimeCase]] = []
    for row, facts, decision in shown:
        if row.record_id not in loaded:
            continue
        narrowed = decision.narrow(DOWNTIME_ITEMS)
        record = minimise(whole_of(row, loaded, history.get(row.id, ()), now), narrowed)
        opened = Opened(row, facts, narrowed, withheld=bool(decision.withheld), matches=(), included=())
        found.append((opened, DowntimeCase(row.id, clocks[row.id], row.assigned_to, record)))
    return found, more


def _may_go(decision: Decision) -> bool:
    return decision.outcome is Outcome.PERMITTED and bool(decision.narrow(DOWNTIME_ITEMS).ruling.methods)
