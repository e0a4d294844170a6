"""The facts of an incident that its own sender asks about: what decisions on it read now, for each victim.

Where a referral was made to the recipient in question, its facts count, because consent and overrides recorded since
are in them; for anybody else they are read from the record. Nothing of the record itself is given out. An incident of
another sender, or one that is erased, is none.

Source: design.md section 6 (decisions are explained to the sender).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select

from gateway.facts import Facts, facts_of
from gateway.store import tables
from gateway.store.records import Records
from mappings.record import Role


def facts_by_victim(
    connection: Connection, records: Records, *, log_id: str, incident: str, sender: str, recipient: str, now: datetime
) -> dict[str, Facts]:
    """The facts of each victim's part of an incident, by the victim's name within it; empty where there is none."""
    of: dict[str, Any] = {"log": log_id, "event": incident, "sender": sender}
    newest = connection.execute(_NEWEST, of).scalar()
    if newest is None:
        return {}
    record = records.load(connection, [newest]).get(newest)
    found: dict[str, Facts] = {}
    if record is not None:
        found = {one.ref: facts_of(record.for_victim(one.ref), now) for one in record.of_role(Role.VICTIM)}
    for row in connection.execute(_REFERRED, {"log": log_id, "event": incident, "team": recipient}):
        found[row.victim] = Facts.from_json(orjson.loads(row.facts))
    return found


_RECORD, _REFERRAL = tables.record.c, tables.referral.c
_NEWEST = (
    select(_RECORD.id)
    .where(
        _RECORD.log_id == bindparam("log"),
        _RECORD.event_id == bindparam("event"),
        _RECORD.organisation == bindparam("sender"),
    )
    .order_by(_RECORD.version.desc())
    .limit(1)
)
_REFERRED = select(_REFERRAL.victim, _REFERRAL.facts).where(
    _REFERRAL.log_id == bindparam("log"),
    _REFERRAL.event_id == bindparam("event"),
    _REFERRAL.team == bindparam("team"),
)
