"""The sweep: log by log and class by class, find what is due and erase it, some at a time.

Every step is its own unit in the log's journal, so that a sweep stopped halfway has done whole pieces, and two replicas
that sweep at once erase and seal each thing once. After the sweep the files are told to let go of what was deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from audit import sql as log_sql
from gateway.agreement import AgreementUnreadable, Status
from gateway.retention.due import count_due, find_due, of_class
from gateway.retention.erase import Erase, People
from gateway.retention.schedule import Kept, Rule, Schedule, schedule_of
from gateway.store.batch import DecideAgain
from gateway.store.database import Database
from gateway.store.envelope import ContentUnreadable
from gateway.store.journal import Journals
from gateway.store.records import Records
from gateway.store.tables import legal_hold, record
from gateway.terms import agreement_ids, current_terms

AT_ONCE = 50
"""References erased by one unit: it holds the log for some milliseconds, and intake waits no longer than that."""

FOUND_AT_ONCE = 10_000
"""References one look returns: looking costs as much for one as for all."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is due in a log of one class, and what is only kept by a legal hold."""

    log_id: str
    kept: Kept
    count: int
    on_hold: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What an operator watches: what is due, holds that are open, days until the first agreement in force ends.

    `days_left` is None where no agreement is in force.
    """

    due: int
    holds: int
    days_left: int | None


def sweep(
    database: Database, journals: Journals, records: Records, now: datetime, logs: Sequence[str] | None = None
) -> Mapping[tuple[str, Kept], int]:
    """Erase what is due at an instant; returns how many incidents, or inputs, of which log and class.

    For a thread of its own. Raises NotSealed, Busy or Unreachable; what was done until then stands.
    """
    erased: dict[tuple[str, Kept], int] = {}
    try:
        for log_id in _all_logs(database) if logs is None else logs:
            for kept in Kept:
                count = _sweep_class(database, journals, records, log_id, kept, now)
                if count:
                    erased[log_id, kept] = count
    finally:
        database.purge()
    return erased


def all_due(connection: Connection, now: datetime) -> list[Due]:
    """What is due at an instant, in every log that an agreement governs."""
    found: list[Due] = []
    for log_id, kept, rule in _rules(connection):
        counts = (count_due(connection, log_id, kept, rule, now, held=held) for held in (False, True))
        found.append(Due(log_id, kept, *counts))
    return found


def figures(connection: Connection, now: datetime) -> Figures:
    """The figures of all logs together."""
    holds = connection.execute(select(func.count()).where(legal_hold.c.lifted_at.is_(None))).scalar_one()
    left: list[int] = []
    for log_id in agreement_ids(connection):
        try:
            terms = current_terms(connection, log_id)
        except AgreementUnreadable:
            continue
        if terms is not None and terms.standing(now).status is Status.IN_FORCE:
            left.append((terms.agreement.content.in_force.until - now).days)
    waiting = sum(count_due(connection, log_id, kept, rule, now) for log_id, kept, rule in _rules(connection))
    return Figures(waiting, holds, min(left, default=None))


def _rules(connection: Connection) -> Iterator[tuple[str, Kept, Rule]]:
    for log_id in agreement_ids(connection):
        schedule = schedule_of(connection, log_id)
        for kept, rule in schedule.rules.items() if schedule else ():
            yield log_id, kept, rule


def _all_logs(database: Database) -> Sequence[str]:
    with database.reading() as connection:
        return agreement_ids(connection)


def _sweep_class(
    database: Database, journals: Journals, records: Records, log_id: str, kept: Kept, now: datetime
) -> int:
    total = 0
    while found := look(database, log_id, kept, now):
        count = 0
        for start in range(0, len(found.references), AT_ONCE):
            unit = found.unit(database, records, found.references[start : start + AT_ONCE])
            try:
                count += journals.of(log_id).submit_and_wait(unit).value
            except DecideAgain:
                break
        else:
            if not count:  # another replica was here first, or holds were placed
                return total
        total += count
    return total


@dataclass(frozen=True, slots=True)
class Found:
    """What a look has found to be due, and what it was judged by."""

    log_id: str
    kept: Kept
    references: Sequence[str]
    schedule: Schedule
    epoch: int
    now: datetime

    def unit(self, database: Database, records: Records, references: Sequence[str]) -> Erase:
        """The unit that erases some of it."""
        people: Mapping[str, People] = {}
        if self.kept is not Kept.QUARANTINE:
            with database.reading() as connection:
                people = _people(connection, records, self.kept, references)
        return Erase(self.kept, references, self.schedule, self.epoch, self.now, people)


def look(database: Database, log_id: str, kept: Kept, now: datetime) -> Found | None:
    """Look for what is due of a class at an instant; None where nothing is, or no agreement says."""
    with database.reading() as connection:
        epoch = log_sql.read_head(connection, log_id).terms_epoch
        schedule = schedule_of(connection, log_id)
        if schedule is None or kept not in schedule.rules:
            return None
        references = find_due(connection, log_id, kept, schedule.rules[kept], now, FOUND_AT_ONCE)
    return Found(log_id, kept, references, schedule, epoch, now) if references else None


def _people(connection: Connection, records: Records, kept: Kept, events: Sequence[str]) -> dict[str, People]:
    """Whom the records of some events are about: the entry of their erasure must say."""
    query = select(record.c.id).where(record.c.event_id.in_(events), record.c.erased_at.is_(None), of_class(kept))
    ids = connection.execute(query).scalars().all()
    try:
        loaded = records.load(connection, ids)
    except _DAMAGED:  # erased like any other: the rest is read one by one
        loaded = {}
        for one in ids:
            with suppress(*_DAMAGED):
                loaded |= records.load(connection, [one])
    return {record_id: People.of(found) for record_id, found in loaded.items()}


_DAMAGED = (ContentUnreadable, ValueError)
