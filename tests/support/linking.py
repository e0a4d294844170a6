"""Waiting for the clock that links the people of incidents: it moves on each referral that it has news for."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import func, select

from gateway.settings import Settings
from gateway.store import tables
from gateway.store.database import Database

PATIENCE_SECONDS = 60.0

UNLINKED: Any = select(func.count()).select_from(tables.match_event).where(tables.match_event.c.matched_at.is_(None))
"""How many incidents the gateway has not yet looked for the people of."""


def await_linked(settings: Settings) -> None:
    """Return when everybody is linked that a gateway of these settings, another process, has been told of."""
    database = Database(settings.database, readers=1)
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            with database.reading() as connection:
                if not connection.execute(UNLINKED).scalar_one():
                    return
            time.sleep(0.05)  # polled with a deadline: the gateway looks once a second
    finally:
        database.close()
    raise AssertionError("people were not linked in time")
