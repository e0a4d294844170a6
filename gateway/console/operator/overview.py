"""The operator's first page: every log's health, what waits for somebody, and which agreement runs out when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response

from audit import sql as log_sql
from gateway.agreement import AgreementUnreadable
from gateway.agreement_life import overview as agreement_overview
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.operator.desk import HOME, Desk
from gateway.drift import counts as drift_counts
from gateway.notices import count_outstanding
from gateway.retention.sweep import all_due
from gateway.store import tables
from gateway.store.waiting_deliveries import OPEN
from gateway.terms import agreement_ids
from gateway.webhook.endpoints import endpoints, waiting
from gateway.witnesses import Standing, standings


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    return ((HOME, _Overview(console).page, "GET"),)


@dataclass(frozen=True, slots=True)
class LogHealth:
    """How a log stands: entries, when its last one was sealed and signed, units that wait here, and its witnesses.

    `cosigned_at` is the newest cosignature of any witness, None where there is none.
    """

    log_id: str
    size: int
    signed_at: datetime
    waiting: int
    cosigned_at: datetime | None
    witnesses: Sequence[Standing]

    @property
    def behind(self) -> timedelta | None:
        """How long the first entry that a witness has not seen waits, of the one furthest behind."""
        return max((timedelta(seconds=one.lag_seconds) for one in self.witnesses), default=None)


@dataclass(frozen=True, slots=True)
class Health:
    """What the page shows: the logs, the agreements, and counts of what waits."""

    logs: Sequence[LogHealth]
    agreements: Sequence[Mapping[str, Any] | str]
    waits: Mapping[str, int]


class _Overview:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        sight = await self._desk.look(request, "overview")
        health = await self._desk.read(self._health)
        began = datetime.now(UTC)
        await self._desk.read(lambda connection: connection.execute(select(1)).scalar_one())
        answered = (datetime.now(UTC) - began) / timedelta(milliseconds=1)
        view: dict[str, Any] = {"health": health, "database_ms": round(answered, 1)}
        return self._desk.page(request, "operator_overview.html.jinja", sight, **view)

    def _health(self, connection: Connection) -> Health:
        now = datetime.now(UTC)
        heads = connection.execute(_HEADS).all()
        ids = agreement_ids(connection)
        return Health(
            logs=[self._log(connection, row, now) for row in heads],
            agreements=[_agreement(connection, id_, now) for id_ in ids],
            waits=_waits(connection, now),
        )

    def _log(self, connection: Connection, row: Any, now: datetime) -> LogHealth:  # noqa: ANN401 - a row
        services = self._desk.services
        found = standings(connection, row.log_id, now, services.settings.witness_lag_seconds)
        cosigned = max((one.last.time for one in found if one.last), default=None)
        return LogHealth(
            log_id=row.log_id,
            size=row.size,
            signed_at=row.updated_at if row.updated_at.tzinfo else row.updated_at.replace(tzinfo=UTC),
            waiting=services.journals.of(row.log_id).waiting,
            cosigned_at=datetime.fromtimestamp(cosigned, UTC) if cosigned else None,
            witnesses=found,
        )


def _agreement(connection: Connection, id_: str, now: datetime) -> Mapping[str, Any] | str:
    """Where an agreement stands; its id alone where its text cannot be read, for then nothing passes under it."""
    try:
        return agreement_overview(connection, id_, now) or id_
    except AgreementUnreadable:
        return id_


def _waits(connection: Connection, now: datetime) -> Mapping[str, int]:
    """How much waits for somebody, over all logs."""
    outstanding, overdue = count_outstanding(connection, now)
    due = all_due(connection, now)
    return {
        "quarantine": connection.execute(_HOLDS).scalar_one(),
        "deliveries": connection.execute(_WITH_HUMAN).scalar_one(),
        "waiting": connection.execute(_WAITING).scalar_one(),
        "pushes": sum(waiting(connection, one)[1] for one in endpoints(connection)),
        "notices": outstanding,
        "overdue": overdue,
        "lapsed": connection.execute(_LAPSED).scalar_one(),
        "erasure": sum(one.count for one in due),
        "drift": sum(drift_counts(connection, now).values()),
    }


_q, _d, _t, _h = tables.quarantine, tables.delivery, tables.case_timer, log_sql.log_head
_HEADS = select(_h.c.log_id, _h.c.size, _h.c.updated_at).order_by(_h.c.log_id)
_HOLDS = select(func.count()).where(_q.c.closed_at.is_(None))
_WITH_HUMAN = select(func.count()).where(
    _d.c.given_up_at.is_not(None), _d.c.acknowledged_at.is_(None), _d.c.stopped_at.is_(None)
)
_WAITING = select(func.count()).select_from(_d).where(OPEN)
_LAPSED = select(func.count()).where(_t.c.fired_at.is_not(None), _t.c.stopped_at.is_(None))
