"""A referral as it may go to an endpoint at this instant: found, decided again, narrowed to the channel, minimised.

Nothing here may leave before it is sealed. The facts of the decision are those of the referral with the items that the
channel's message can carry, so that the entry alone says what was decided on (P4).

Source: design.md section 6; domain.md section 4.5 (N15).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select

from gateway.decide import Decision, Facts, Outcome, decide_on
from gateway.delivery.channel import BARE
from gateway.disclosure import judged_of, whole_of
from gateway.evidence import Caller
from gateway.intake import SAFEGUARDING
from gateway.keys import Keyring
from gateway.minimise import minimise
from gateway.repeats import earlier_incidents
from gateway.same_incident import links_of
from gateway.store import tables
from gateway.store.records import Records
from gateway.terms import Standing
from gateway.ties import Ties, ties_of
from mappings.record import Record, RecordKind
from mappings.referral import ReferralStatus

NOTHING = Record(kind=RecordKind.RETRACTION)
"""The record of a recall: its kind, and nothing of anybody."""


@dataclass(frozen=True, slots=True)
class Content:
    """What may be said of a referral now. `record` is None where nothing may, or where it was sent in error.

    `digest` is keyed, and the same where the same would be said again.
    """

    row: Row[Any]
    facts: Facts
    decision: Decision
    record: Record | None
    digest: bytes

    @property
    def withdrawn(self) -> bool:
        """Whether the referral was sent in error."""
        return bool(self.row.status == ReferralStatus.ENTERED_IN_ERROR.value)


@dataclass(frozen=True, slots=True)
class Library:
    """Where contents come from."""

    records: Records
    keyring: Keyring

    def content(
        self,
        connection: Connection,
        caller: Caller,
        standing: Standing,
        log_id: str,
        referral_id: str,
        items: frozenset[str],
        now: datetime,
    ) -> Content | None:
        """What may be said to a caller of a referral; None where it, or what it carries, was erased."""
        row = connection.execute(_REFERRAL, {"log": log_id, "id": referral_id}).one_or_none()
        if row is None:
            return None
        known = ties_of(connection.execute, caller, log_id, [row])
        # An emergency is a person's, for four hours; no system is given anything by it.
        facts, _ = judged_of(row, standing, Ties(known.user, known.connected, {}), now)
        facts = replace(facts, items=tuple(one for one in facts.items if one in items))
        decision = decide_on(facts, row.team, SAFEGUARDING, standing.terms, now)
        if decision.outcome is not Outcome.PERMITTED or row.status == ReferralStatus.ENTERED_IN_ERROR.value:
            return Content(row, facts, decision, None, b"")
        wanted = [row.record_id, *(link["record"] for link in links_of(row.linked))]
        loaded = self.records.load(connection, wanted)
        if row.record_id not in loaded:
            return None
        again = [row] if "history.repeats" in facts.items else []
        earlier = earlier_incidents(connection.execute, again).get(row.id, ())
        record = minimise(whole_of(row, loaded, earlier, now), decision)
        return Content(row, facts, decision, record, self._digest(row, record, bare=items <= BARE))

    def _digest(self, row: Row[Any], record: Record, *, bare: bool) -> bytes:
        """What a receiver would read: where the work stands is the team's own, and no news to it.

        One that is told no more than that there is a referral is told of every change.
        """
        routed = [row.priority, row.grade, row.area, row.respond_by, row.assessed_at, *([row.version] if bare else [])]
        said = record.__pydantic_serializer__.to_json(record, exclude_defaults=True)
        return bytes.fromhex(self.keyring.payload_hash(said + b"\0" + orjson.dumps(routed)))


_r = tables.referral
_REFERRAL = select(_r).where(_r.c.log_id == bindparam("log"), _r.c.id == bindparam("id"), _r.c.erased_at.is_(None))
