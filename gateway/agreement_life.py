"""An agreement as it stands over time: its versions, who signed them, what is left of its days, and who looked at it.

`overview` says where every version stands. `NoteExpiry` seals, once each, that an agreement runs out in 60, 30 and 7
days and that it has run out; from that instant nothing passes under it whether or not this ran, for decisions read the
dates themselves. What waits for delivery is stopped with it. Reading an agreement, and asking why a decision comes out
as it does, are consultations, sealed in the agreement's own log.

Source: design.md section 6 (life: expiry warns 60, 30 and 7 days ahead and then fails closed), section 7.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from audit.entry import AgreementRef, Operation, Outcome
from gateway import pending
from gateway.agreement import WARNING_DAYS, Agreement, State, Status
from gateway.evidence import Caller, Event, act
from gateway.logs import Line, say
from gateway.notices import Kind, Matter, organisations, tell
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.database import Database
from gateway.store.journal import Journals
from gateway.terms import agreement_ids, agreement_ref, current_terms, step, terms_of

EXPIRED = 0
"""The threshold that is no warning: no day is left."""


@dataclass(frozen=True, slots=True)
class NoteExpiry(Unit[int | None]):
    """Seal that the version in force runs out within 60, 30 or 7 days, or has; each once. The answer is what was noted.

    None where there is nothing new to say: no warning is due, it was said before, or the version is not in force.
    """

    agreement: Agreement

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """What says that a threshold was noted."""
        return [self._claim(days) for days in (EXPIRED, *WARNING_DAYS)]

    def apply(self, batch: Batch) -> int | None:  # noqa: D102 - said by Unit.apply
        until = self.agreement.content.in_force.until
        days = threshold(until, batch.now)
        if days is None or batch.owner(self._claim(days)) is not None:
            return None
        of = {"id": self.agreement.id, "version": self.agreement.version}
        row = next(iter(batch.read(_STANDS, of)), None)
        if row is None or not row.current or row.state != State.IN_FORCE:
            return None
        detail = {"days": (until - batch.now) // timedelta(days=1), "within": days}
        if days == EXPIRED:
            detail = {"deliveries_stopped": pending.count_waiting(batch)}
            pending.stop(batch)
        batch.claim(self._claim(days), b"\1")
        event = Event.AGREEMENT_EXPIRING if days else Event.AGREEMENT_EXPIRED
        batch.seal(step(event, batch, agreement_ref(self.agreement), None, detail))
        matter = Matter(Kind.AGREEMENT_ENDS, None, None, None, f"within-{days}-days" if days else "expired")
        parties = organisations(self.agreement.content)
        tell(batch, matter, parties, due=max(until, batch.now), caller=None, agreement=self.agreement)
        return days

    def _claim(self, days: int) -> bytes:
        return hashlib.sha256(f"agreement-expiry|{self.agreement.hash}|{days}".encode()).digest()


def threshold(until: datetime, now: datetime) -> int | None:
    """The tightest of 7, 30 and 60 days that an end is within; `EXPIRED` at and after it; None before any of them."""
    left = until - now
    if left <= timedelta():
        return EXPIRED
    return next((days for days in sorted(WARNING_DAYS) if left <= timedelta(days=days)), None)


def note_expiries(database: Database, journals: Journals, now: datetime) -> dict[str, int]:
    """Note of every agreement in force what its days left call for; returns what was noted, by agreement."""
    with database.reading() as connection:
        standing = {id_: current_terms(connection, id_) for id_ in agreement_ids(connection)}
    noted: dict[str, int] = {}
    for id_, terms in standing.items():
        if terms is None or threshold(terms.agreement.content.in_force.until, now) is None:
            continue
        days = journals.of(id_).submit_and_wait(NoteExpiry(terms.agreement)).value
        if days is not None:
            noted[id_] = days
            say(Line.AGREEMENT_EXPIRES, agreement=id_, days=days)
    return noted


@dataclass(frozen=True, slots=True)
class ReadAgreement(Unit[None]):
    """Seal that somebody looked at an agreement. `what` names the question, by codes and numbers alone."""

    caller: Caller | None
    agreement: AgreementRef | None
    what: Mapping[str, str | int]
    event: Event = Event.AGREEMENT_READ
    record: str | None = None
    reason: str | None = None
    outcome: Outcome = Outcome.PERMITTED

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        batch.seal(
            act(
                self.event,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                outcome=self.outcome,
                agreement=self.agreement,
                record=self.record,
                reason=self.reason,
                detail=self.what,
            )
        )


def overview(connection: Connection, agreement_id: str, now: datetime) -> dict[str, Any] | None:
    """Where an agreement and each of its versions stand, newest first, as plain JSON; None where there is none."""
    rows = connection.execute(_VERSIONS, {"id": agreement_id}).all()
    if not rows:
        return None
    signed: dict[tuple[int, str], str] = {
        (row.version, row.party): row.signed_at for row in connection.execute(_SIGNED, {"id": agreement_id})
    }
    versions = [_version(connection, agreement_id, row, signed, now) for row in rows]
    current = next((one for one in versions if one["current"]), None)
    in_force = current is not None and current["status"] == Status.IN_FORCE.value
    return {
        "id": agreement_id,
        "title": versions[0]["title"],
        "in_force": current["version"] if current is not None and in_force else None,
        "days_left": current["days_left"] if current is not None and in_force else None,
        "expires_within": current["expires_within"] if current is not None and in_force else None,
        "versions": versions,
    }


def _version(
    connection: Connection,
    agreement_id: str,
    row: Any,  # noqa: ANN401 - a row
    signed: Mapping[tuple[int, str], str],
    now: datetime,
) -> dict[str, Any]:
    terms = terms_of(connection, agreement_id, row.version)
    if terms is None:
        raise LookupError("a version that was listed is not there")
    content, standing = terms.agreement.content, terms.standing(now)
    dates = content.in_force
    return {
        "version": row.version,
        "title": content.title,
        "hash": terms.agreement.hash,
        "status": standing.status.value,
        "current": row.current,
        "in_force": {"from": dates.starts.isoformat(), "until": dates.until.isoformat()},
        "review_by": content.review_by.isoformat(),
        "days_left": max(0, (dates.until - now) // timedelta(days=1)),
        "expires_within": terms.expiry_warning(now),
        "drafted_at": row.created_at,
        "changed_at": row.changed_at,
        "parties": [
            {
                "id": party.id,
                "name": party.name,
                "organisation": party.organisation,
                "signed_at": None if party.id in terms.missing else signed.get((row.version, party.id)),
            }
            for party in content.parties
        ],
    }


_TABLE, _SIGNATURE = tables.agreement.c, tables.agreement_signature.c
_VERSIONS = (
    select(_TABLE.version, _TABLE.current, _TABLE.created_at, _TABLE.changed_at)
    .where(_TABLE.id == bindparam("id"))
    .order_by(_TABLE.version.desc())
)
_STANDS = select(_TABLE.state, _TABLE.current).where(
    _TABLE.id == bindparam("id"), _TABLE.version == bindparam("version")
)
_SIGNED = select(_SIGNATURE.version, _SIGNATURE.party, _SIGNATURE.signed_at).where(
    _SIGNATURE.agreement_id == bindparam("id")
)
