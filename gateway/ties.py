"""What a member of staff is to a case, and which emergencies they have open: asked at every reading (N15).

A member of staff connected with a party (declared, of the same family name, at the same address) sees nothing of the
case without breaking the glass. Names and addresses of staff are kept as keyed digests alone and compared with the
blind index of the records. A staff id is its organisation's alone, in any case of its letters: what one party registers
of an id says nothing of whoever has the same id elsewhere. Every change here counts as a change of the agreement's
standing, so that no reading decided before it is sealed after it, in any process.

Source: domain.md section 4.5 (N15).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, literal, select, union_all

from audit.entry import Operation, timestamp
from gateway.evidence import Caller, Event, act
from gateway.keys import Keyring
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.records import ADDRESS, FAMILY


class Tie(StrEnum):
    """What a user is to a case."""

    ASSIGNED = "assigned"  # it is theirs
    TEAM = "team"  # it is their team's
    DECLARED = "declared"  # they said that they know a party
    SAME_NAME = "same-name"
    SAME_ADDRESS = "same-address"


CONNECTED: Mapping[str, Tie] = {"case": Tie.DECLARED, ADDRESS: Tie.SAME_ADDRESS, FAMILY: Tie.SAME_NAME}
"""What a kind of mark makes of a case it is found in, the strongest first."""


@dataclass(frozen=True, slots=True)
class Ties:
    """Who a caller is to each of some cases, by the case's id."""

    user: str | None
    connected: Mapping[str, Tie]
    emergencies: Mapping[str, tuple[str, str]]  # case: (ground, until)

    def relationship(self, row: Row[Any]) -> str | None:
        """The user's relationship to a referral; None where no person asks."""
        if self.user is None:
            return None
        if row.id in self.connected:
            return self.connected[row.id].value
        return (Tie.ASSIGNED if row.assigned_to == self.user else Tie.TEAM).value

    def emergency(self, row: Row[Any], now: datetime) -> str | None:
        """The ground of a break-glass of this user for a referral that is open at an instant."""
        ground, until = self.emergencies.get(row.id, (None, ""))
        return ground if until > timestamp(now) else None


Read = Callable[[Any, Mapping[str, Any]], Iterable[Any]]
"""Answers a query: a connection's `execute`, or a batch's `read`."""


def ties_of(read: Read, caller: Caller, log_id: str, rows: Sequence[Row[Any]]) -> Ties:
    """What a caller is to these referrals. One query where the person has neither marks nor emergencies."""
    if caller.user is None or not rows:
        return Ties(caller.user, {}, {})
    marks: dict[bytes, str] = {}
    emergencies: dict[str, tuple[str, str]] = {}
    for kind, digest, ground, until in read(_OF_USER, _person(log_id, caller, caller.user) | {"as_named": caller.user}):
        if digest is not None:
            marks[digest] = kind
        else:
            emergencies[kind] = (ground, until)
    connected: dict[str, Tie] = {}
    if marks:
        records: dict[str, list[str]] = {}
        for row in rows:
            records.setdefault(row.record_id, []).append(row.id)
        found: dict[str, set[str]] = {}
        asked = {"log": log_id, "records": list(records), "digests": list(marks)}
        for digest, record_id in read(_MARKED, asked):
            found.setdefault(record_id, set()).add(marks[digest])
        for row in rows:
            kinds = found.get(row.record_id, set()) | ({"case"} if row.event_id.encode() in marks else set())
            strongest = next((tie for kind, tie in CONNECTED.items() if kind in kinds), None)
            if strongest is not None:
                connected[row.id] = strongest
    return Ties(caller.user, connected, emergencies)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that connects a member of staff: the kind, and its digest (a case's reference stands for itself)."""

    kind: str
    digest: bytes


def marks_of(
    keyring: Keyring, *, families: Sequence[str] = (), addresses: Sequence[str] = (), case: str | None = None
) -> tuple[Mark, ...]:
    """The marks of family names and addresses in their normal forms, and of a case that somebody declared."""
    found = [Mark(FAMILY, keyring.blind(FAMILY, one)) for one in families]
    found += [Mark(ADDRESS, keyring.blind(ADDRESS, one)) for one in addresses]
    if case is not None:
        found.append(Mark("case", case.encode()))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class MarkStaff(Unit[int]):
    """Register what may connect a member of the caller's own staff with a party; returns how many marks are new."""

    user: str
    marks: tuple[Mark, ...]
    caller: Caller
    event: Event = Event.STAFF_REGISTERED
    case: str | None = None

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        person = _person(batch.log_id, self.caller, self.user)
        known = {(row.kind, bytes(row.digest)) for row in batch.read(_MARKS, person)}
        new = [mark for mark in self.marks if (mark.kind, mark.digest) not in known]
        for mark in new:
            batch.insert(
                tables.staff_mark,
                {
                    "log_id": batch.log_id,
                    "organisation": person["organisation"],
                    "user_id": person["user"],
                    "kind": mark.kind,
                    "digest": mark.digest,
                    "created_at": batch.at,
                },
            )
        if new:
            batch.change_terms()
        batch.seal(
            act(
                self.event,
                Operation.ADMINISTRATION,
                at=batch.at,
                caller=self.caller,
                case=self.case,
                detail={"user": self.user, "marks": len(new)},
            )
        )
        return len(new)


def _person(log_id: str, caller: Caller, user: str) -> dict[str, str]:
    """Whose marks are meant: of a user of the caller's own organisation."""
    return {"log": log_id, "organisation": caller.organisation, "user": user.lower()}


_MARKS = select(tables.staff_mark.c.kind, tables.staff_mark.c.digest).where(
    tables.staff_mark.c.log_id == bindparam("log"),
    tables.staff_mark.c.organisation == bindparam("organisation"),
    tables.staff_mark.c.user_id == bindparam("user"),
)
_glass = tables.break_glass
_OF_USER = union_all(
    _MARKS.add_columns(literal(None).label("ground"), literal(None).label("until")),
    select(_glass.c.referral_id, literal(None), _glass.c.ground, _glass.c.expires_at).where(
        _glass.c.log_id == bindparam("log"),
        _glass.c.organisation == bindparam("organisation"),
        _glass.c.user_id == bindparam("as_named"),
    ),
)
_MARKED = (
    select(tables.blind_index.c.digest, tables.blind_index.c.record_id)
    .where(
        tables.blind_index.c.log_id == bindparam("log"),
        tables.blind_index.c.digest.in_(bindparam("digests", expanding=True)),
        tables.blind_index.c.record_id.in_(bindparam("records", expanding=True)),
    )
    .distinct()
)
