"""What this gateway does by the clock: erase, warn of ends, end overrides, seal what has run late, ask witnesses.

The list is here, and nothing else; each duty is the work of the module that owns it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from audit.sql import log_head
from gateway.agreement_life import note_expiries
from gateway.consent import EndOverrides
from gateway.notices import NoteOverdue
from gateway.retention.sweep import sweep
from gateway.reviews import NoteReviewsOverdue
from gateway.services import Services
from gateway.store.batch import Unit
from gateway.timekeeper import Job
from gateway.witnessing import Collector

OFTEN = timedelta(minutes=1)
"""An override or an agreement that has run out, and a notice that is late, are noticed within it."""


def jobs(services: Services) -> tuple[Job, ...]:
    """The duties of a gateway over open services."""

    def erase(now: datetime) -> None:
        sweep(services.database, services.journals, services.records, now)

    def warn(now: datetime) -> None:
        note_expiries(services.database, services.journals, now)

    every = timedelta(seconds=services.settings.retention_sweep_seconds)
    return (
        Job("overrides-ended", OFTEN, _in_every_log(services, EndOverrides)),
        Job("notices-overdue", OFTEN, _in_every_log(services, NoteOverdue)),
        Job("reviews-overdue", OFTEN, _in_every_log(services, NoteReviewsOverdue)),
        Job("agreements-expiring", OFTEN, warn),
        Job("retention-sweep", every, erase),
    )


def _in_every_log(services: Services, unit: Callable[[], Unit[int]]) -> Callable[[datetime], None]:
    """A duty done by a unit in each log, until it finds nothing more; the unit asks the time of its batch."""

    def run(_: datetime) -> None:
        with services.database.reading() as connection:
            logs = connection.execute(select(log_head.c.log_id).order_by(log_head.c.log_id)).scalars().all()
        for log_id in logs:
            while services.journals.of(log_id).submit_and_wait(unit()).value:
                pass

    return run


def witness_rounds(services: Services) -> tuple[Job, ...]:
    """The one duty that waits for other people's machines, and so is given a thread of its own."""
    every = timedelta(seconds=services.settings.witness_interval_seconds)
    return (Job("witness-round", every, Collector(services).round),)
