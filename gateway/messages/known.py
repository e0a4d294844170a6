"""Whom a message means: the open referrals of the sender's own organisation that hold a number it names.

A number finds a case; it does not yet say that it is she. Police give NHS numbers that nobody verified, and a message's
may be a slip. It is she where both numbers are verified (status 01), or where the birth date, or for want of it the
family name, agrees as well. Nothing is merged or changed here.

Source: domain.md sections 2.1 (only status 01 files itself), 2.9, 4.5 (N9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from gateway.keys import Keyring
from gateway.store import tables
from gateway.store.records import family_key
from mappings.record import Person

VERIFIED = "01"
_NHS, _LOCAL = "nhs-number", "local-number"


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a system calls a person: an NHS number, whether it is verified, and its own numbers with their authority."""

    nhs: str | None
    verified: bool
    local: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """An open referral whose victim a number was given for. `row.label` says that one of them is restricted."""

    row: Row[Any]
    by: frozenset[bytes]

    @property
    def subject(self) -> str:
        """How the log names its victim."""
        return f"{self.row.record_id}.{self.row.victim}"


def digests(keyring: Keyring, organisation: str, numbers: Numbers) -> Mapping[bytes, str]:
    """The blind index of each number, with its kind. Local numbers are the organisation's own."""
    found = {keyring.blind(_NHS, numbers.nhs): _NHS} if numbers.nhs else {}
    for authority, value in numbers.local:
        found[keyring.blind(_LOCAL, f"{organisation}|{authority}|{value}".casefold())] = _LOCAL
    return found


def cases(connection: Connection, log_id: str, organisation: str, wanted: Sequence[bytes]) -> list[Case]:
    """The open referrals of an organisation whose victim is known by one of these numbers.

    A number may have been given with an earlier version of the record.
    """
    if not wanted:
        return []
    asked = {"log": log_id, "digests": list(wanted), "organisation": organisation}
    rows: dict[str, Any] = {}
    by: dict[str, set[bytes]] = {}
    for row in connection.execute(_CASES, asked):
        if row.subject == f"{row.given_with}.{row.victim}":
            rows[row.id] = row
            by.setdefault(row.id, set()).add(bytes(row.digest))
    return [Case(row, frozenset(by[id_])) for id_, row in rows.items()]


def is_she(held: Person, said: Person, numbers: Numbers) -> bool:
    """Whether a message's patient is the victim of a record that one of her numbers led to."""
    if numbers.verified and numbers.nhs == held.nhs_number and held.nhs_number_status == VERIFIED:
        return True
    born = held.birth.on if held.birth else None
    said_born = said.birth.on if said.birth else None
    if born is not None and said_born is not None:
        return born == said_born
    return not families(held).isdisjoint(families(said))


def families(person: Person) -> set[str]:
    """The family names of a person, as they are compared."""
    return {family_key(name.family) for name in person.names if name.family}


_b, _r, _f = tables.blind_index, tables.record, tables.referral
_CASES = (
    select(
        _b.c.digest,
        _b.c.subject,
        _b.c.record_id.label("given_with"),
        _f.c.id,
        _f.c.version,
        _f.c.record_id,
        _f.c.event_id,
        _f.c.victim,
        _f.c.organisation,
        _f.c.team,
        _f.c.grade,
        _f.c.label,
    )
    .join(_r, _r.c.id == _b.c.record_id)
    .join(_f, _f.c.event_id == _r.c.event_id)
    .where(
        _b.c.log_id == bindparam("log"),
        _b.c.digest.in_(bindparam("digests", expanding=True)),
        _f.c.organisation == bindparam("organisation"),
        _f.c.closed_at.is_(None),
        _f.c.erased_at.is_(None),
    )
)
