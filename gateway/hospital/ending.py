"""Overrides that notices went on come to their end: each notice is decided again, and whoever was given it is told.

Who released a notice said for how long; a review may end it sooner. From that instant nothing of it is given any more,
for every reading decides anew; here it is made true where it stands, in the feed and before the hospital's people.

Source: domain.md section 4.6 (an override has an expiry).
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, or_

from audit.entry import timestamp
from gateway.hospital.changing import EndRelease
from gateway.hospital.standing import ONE, STANDING, State, consent_now, judged
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import DecideAgain

MOST = 50


def end_releases(services: Services, log_id: str) -> int:
    """Decide again what went on an override that has ended; returns how many there were, `MOST` at a time."""
    with services.database.reading() as connection:
        asked = {"log": log_id, "now": timestamp(datetime.now(UTC)), "most": MOST}
        ended = [row.id for row in connection.execute(_ENDED, asked)]
    return sum(_end(services, log_id, notice) for notice in ended)


def _end(services: Services, log_id: str, notice: str) -> int:
    """Decide one of them again; what changes meanwhile is looked at in the next round."""

    def unit(connection: Connection) -> EndRelease | None:
        row = connection.execute(ONE, {"log": log_id, "id": notice}).one_or_none()
        record = services.records.load(connection, [row.record_id]).get(row.record_id) if row is not None else None
        if row is None or record is None:
            return None
        now = datetime.now(UTC)
        made = judged(record, consent_now(row, now), standing.terms, now)
        return EndRelease(row, made, None, standing, record, services.settings.duty_contact)

    standing = services.standing(log_id)
    with services.database.reading() as connection:
        ending = unit(connection)
    if ending is None:
        return 0
    try:
        services.journals.of(log_id).submit_and_wait(ending)
    except DecideAgain:
        return 0
    return 1


_n, _o = tables.hospital_notice, tables.consent_override
_ENDED = (
    STANDING.where(
        _n.c.log_id == bindparam("log"),
        _n.c.state == State.OPEN.value,
        or_(_o.c.ended_at.is_not(None), _o.c.expires_at <= bindparam("now")),
    )
    .order_by(_n.c.id)
    .limit(bindparam("most"))
)
