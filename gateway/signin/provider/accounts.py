"""The accounts of the embedded provider: who they are, encrypted, and what each change of one does at once.

A change is a unit of the operator's log: sealed, and with it every session of the person and every code that waits to
be exchanged ends. An id is given once and never again, for entries name people by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, delete, select, update

from gateway.evidence import Caller, Event, administration
from gateway.signin.claims import Person
from gateway.signin.secrets import SignInKeys
from gateway.signin.sessions import end_of_person, sessions_of_person
from gateway.store import tables
from gateway.store.batch import Batch, Unit


class PersonRefused(Exception):
    """An account that cannot be added or changed. The message names the fault and nobody."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it stands. `second_factor` says whether one is wanted, `secret` what it is once it is set up."""

    person: Person
    second_factor: bool
    password: str | None
    secret: str | None
    step: int | None
    version: int
    removed_at: str | None

    @property
    def claims(self) -> dict[str, Any]:
        """What the provider says of the person."""
        person = self.person
        said: dict[str, Any] = {
            "sub": person.id,
            "name": person.name,
            "staff_id": person.id,
            "organisation": person.organisation,
            "roles": [role.value for role in person.roles],
            "areas": list(person.areas),
            "account_version": self.version,
        }
        return said | {
            name: value for name, value in (("team", person.recipient), ("agreement", person.agreement)) if value
        }


class Accounts:
    """Reads and seals the rows of accounts."""

    def __init__(self, keys: SignInKeys) -> None:
        self._keys = keys

    def get(self, connection: Connection, person_id: str) -> Account | None:
        """The account of an id, removed or not."""
        row = connection.execute(_ONE, {"id": person_id}).first()
        return self._account(row) if row is not None else None

    def all(self, connection: Connection) -> Sequence[Account]:
        """Every account, by id."""
        return [self._account(row) for row in connection.execute(_ALL)]

    def columns(self, person: Person, *, second_factor: bool) -> dict[str, Any]:
        """What is kept of the person."""
        content = orjson.dumps([person.to_json().decode(), second_factor])
        sealed = self._keys.people.seal(content, f"person|{person.id}")
        return {"organisation": person.organisation, "content": sealed.content, "content_key": sealed.key}

    def factor(self, person_id: str, secret: str | None) -> dict[str, Any]:
        """What is kept of a second factor; None for one that is still to be set up."""
        if secret is None:
            return {"totp": None, "totp_key": None, "totp_step": None}
        sealed = self._keys.people.seal(secret.encode(), f"totp|{person_id}")
        return {"totp": sealed.content, "totp_key": sealed.key, "totp_step": None}

    def _account(self, row: Row[Any]) -> Account:
        envelope = self._keys.people
        text, second_factor = orjson.loads(envelope.open(row.content, row.content_key, f"person|{row.id}"))
        secret = envelope.open(row.totp, row.totp_key, f"totp|{row.id}").decode() if row.totp else None
        person = Person.from_json(text.encode())
        return Account(person, second_factor, row.password, secret, row.totp_step, row.version, row.removed_at)


@dataclass(frozen=True, slots=True)
class AddPerson(Unit[None]):
    """Adds an account (operator's log). Raises PersonRefused.

    `columns` and `factor` come from `Accounts`; `password` is as it is kept.
    """

    person: Person
    columns: Mapping[str, Any]
    factor: Mapping[str, Any]
    password: str
    caller: Caller | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        if batch.read(_ONE, {"id": self.person.id}):
            raise PersonRefused("there is an account of this id, or was one: an id is given once")
        row = {"id": self.person.id, **self.columns, **self.factor, "password": self.password}
        times = {"created_at": batch.at, "changed_at": batch.at, "removed_at": None}
        batch.insert(tables.person, {**row, **times, "version": 1})
        detail = {"person": self.person.id, "roles": ",".join(role.value for role in self.person.roles)}
        batch.seal(administration(Event.PERSON_ADDED, at=batch.at, caller=self.caller, detail=detail))


@dataclass(frozen=True, slots=True)
class ChangePerson(Unit[None]):
    """Changes an account, and ends its sessions and codes; `what` is the code to seal (operator's log).

    `values` are the columns to change; `REMOVED` ends the account for good. Where `version` is given, the account must
    be at it still. Raises PersonRefused.
    """

    person_id: str
    what: str
    values: Mapping[str, Any]
    caller: Caller | None = None
    version: int | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        row = next(iter(batch.read(_ONE, {"id": self.person_id})), None)
        if row is None or row.removed_at is not None or self.version not in {None, row.version}:
            raise PersonRefused("there is no such account, or it has changed")
        sessions = sessions_of_person(batch, row.organisation, self.person_id)
        end_of_person(batch, sessions, f"account-{self.what}", self.caller)
        removed = self.what == REMOVED
        values = {**self.values, "changed_at": batch.at, **({"removed_at": batch.at} if removed else {})}
        changed = update(tables.person).where(tables.person.c.id == bindparam("of"))
        batch.update(changed.values({**values, "version": row.version + 1}), {"of": self.person_id})
        batch.update(_FORGET_CODES, {"of": self.person_id})
        event = Event.PERSON_REMOVED if removed else Event.PERSON_CHANGED
        detail = {"person": self.person_id}
        batch.seal(administration(event, at=batch.at, reason=self.what, caller=self.caller, detail=detail))


REMOVED = "removed"
NO_PASSWORD: Mapping[str, Any] = {"password": None, "totp": None, "totp_key": None, "totp_step": None}
"""What a removed account keeps of how it was signed in with: nothing."""

_P = tables.person
_ONE = select(_P).where(_P.c.id == bindparam("id"))
_ALL = select(_P).order_by(_P.c.id)
_FORGET_CODES = delete(tables.sign_in_code).where(tables.sign_in_code.c.person_id == bindparam("of"))
