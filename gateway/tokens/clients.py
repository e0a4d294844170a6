"""The clients: the systems that may ask for tokens, what each may do, and which of them or their tokens are revoked.

Read through a snapshot in memory, read anew when it is older than `refresh_seconds`; a client revoked by any process is
therefore refused by every process within that time, and where the database cannot be read nobody is let in. Whoever
answers on the event loop asks for `fresh` first, so that a database that hangs holds up nobody else. Changes
are units of the operator's log, sealed there (design.md sections 7 and 8). Nothing here authenticates anybody.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

import orjson
from joserfc.jwk import KeySet
from sqlalchemy import Row, bindparam, select, update

from audit.entry import Outcome, timestamp
from gateway.errors import NotSealed, Unreachable
from gateway.evidence import Caller, Event, administration
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.database import Database
from gateway.tokens.jwks import KeysInvalid, public_keys
from gateway.tokens.scopes import Scope


class ClientRefused(Exception):
    """A client that cannot be added or revoked. The message names the path or the fault, never a value."""


@dataclass(frozen=True, slots=True, eq=False)
class Client:
    """A registered client. `recipient` is the team it acts for in its organisation's worklist; police have none.

    `agreements` are the ids of those it may act under. `profiles` are the mapping profiles that read what it sends, in
    order, none for the deployment's own choice. `keys` are public.
    """

    id: str
    name: str
    organisation: str
    recipient: str | None
    scopes: frozenset[str]
    agreements: frozenset[str]
    keys: KeySet
    revoked_at: str | None
    profiles: tuple[str, ...] = ()


class Snapshot(NamedTuple):
    """The clients and the ids of revoked, unexpired tokens, as committed at `as_of` (seconds, monotonic)."""

    as_of: float
    clients: Mapping[str, Client]
    revoked: frozenset[str]


class Clients:
    """Reads the clients. Safe to share between threads."""

    def __init__(
        self, database: Database, refresh_seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._turn = threading.Lock()
        self._held: Snapshot | None = None
        self._rows: Mapping[str, tuple[Row[Any], Client]] = {}

    def get(self, client_id: str) -> Client | None:
        """The client of that id, revoked or not; None where there is none. Raises NotSealed as `current` does."""
        return self.current().clients.get(client_id)

    def current(self) -> Snapshot:
        """A snapshot no older than `refresh_seconds`. Raises NotSealed where the database cannot be read."""
        if (held := self._young()) is not None:
            return held
        with self._turn:
            held = self._young()
            if held is None:
                held = self._held = self._read()
            return held

    async def fresh(self) -> None:
        """See to it that `current` answers from memory; the database is read in a thread. Raises NotSealed."""
        if self._young() is None:
            await asyncio.to_thread(self.current)

    def _young(self) -> Snapshot | None:
        held = self._held
        return held if held is not None and self._clock() - held.as_of < self._refresh_seconds else None

    def refresh(self) -> None:
        """Read anew, after a change made in this process. Raises NotSealed."""
        with self._turn:
            self._held = self._read()

    def _read(self) -> Snapshot:
        as_of = self._clock()
        try:
            with self._database.reading() as connection:
                rows = connection.execute(_CLIENTS).all()
                revoked = connection.execute(_REVOKED, {"now": timestamp(datetime.now(UTC))}).scalars().all()
        except Unreachable as error:
            raise NotSealed(
                "the register of clients cannot be read; nothing is released", headers={"Retry-After": "1"}
            ) from error
        before = self._rows
        self._rows = {
            row.id: before[row.id] if row.id in before and before[row.id][0] == row else (row, _client(row))
            for row in rows
        }
        return Snapshot(as_of, {client.id: client for _, client in self._rows.values()}, frozenset(revoked))


class AddClient(Unit[None]):
    """Registers a client (operator's log). Raises ClientRefused and KeysInvalid when made, ClientRefused when applied.

    `jwks` is the client's JWKS document, public keys only; None where a certificate alone speaks for it
    (`certificates`). `profiles` are names of mapping profiles in the order they are tried; that there are such is for
    whoever knows them to see to. `caller` is who registers it; the gateway itself where None.
    """

    def __init__(  # noqa: PLR0913 - one for each thing the register says of a client
        self,
        client_id: str,
        name: str,
        organisation: str,
        *,
        scopes: Iterable[str],
        agreements: Iterable[str],
        jwks: Mapping[str, Any] | None,
        recipient: str | None = None,
        profiles: Iterable[str] = (),
        caller: Caller | None = None,
    ) -> None:
        self._scopes, self._agreements = sorted(set(scopes)), sorted(set(agreements))
        _check("client", client_id, _CODE_64)
        _check("name", name, _NAME)
        _check("organisation", organisation, _CODE_32)
        if recipient is not None:
            _check("recipient", recipient, _CODE_64)
        for at, agreement in enumerate(self._agreements):
            _check(f"agreements[{at}]", agreement, _CODE_64)
        self._profiles = _profiles(profiles)
        if not self._scopes or not set(self._scopes) <= set(Scope):
            raise ClientRefused("scopes: names none, or one there is not")
        self._id, self._name, self._organisation, self._recipient = client_id, name, organisation, recipient
        self._keys = public_keys(jwks) if jwks is not None else KeySet([])
        self._caller = caller
        self.claims = (claim_name("client", client_id),)

    def apply(self, batch: Batch) -> None:
        """Insert the row and seal `client-added`."""
        if batch.owner(self.claims[0]) is not None:
            raise ClientRefused("client: there is, or was, one of this id; ids are never used again")
        batch.claim(self.claims[0], b"client")
        row = {
            "id": self._id,
            "name": self._name,
            "organisation": self._organisation,
            "recipient": self._recipient,
            "scopes": orjson.dumps(self._scopes).decode(),
            "agreements": orjson.dumps(self._agreements).decode(),
            "profiles": orjson.dumps(self._profiles).decode(),
            "jwks": orjson.dumps(self._keys.as_dict()).decode(),
            "created_at": batch.at,
            "revoked_at": None,
        }
        batch.insert(tables.client, row)
        detail = {
            "client": self._id,
            "organisation": self._organisation,
            "recipient": self._recipient,
            "scopes": ",".join(self._scopes),
            "agreements": ",".join(self._agreements),
            "profiles": ",".join(self._profiles),
            "keys": ",".join(key.thumbprint() for key in self._keys),
        }
        told = {name: value for name, value in detail.items() if value}
        batch.seal(administration(Event.CLIENT_ADDED, at=batch.at, detail=told, caller=self._caller))


class SetProfiles(Unit[None]):
    """Says anew which mapping profiles read what a client sends (operator's log): a force changes its export.

    None given is the deployment's own choice. Raises ClientRefused. What was read before stays as it was read.
    """

    def __init__(self, client_id: str, profiles: Iterable[str], *, caller: Caller | None = None) -> None:
        self._id, self._profiles, self._caller = client_id, _profiles(profiles), caller
        self.claims = (claim_name("client", client_id), claim_name("client-revoked", client_id))

    def apply(self, batch: Batch) -> None:
        """Change the row and seal `client-profiles-set`."""
        there, revoked = self.claims
        if batch.owner(there) is None:
            raise ClientRefused("client: there is none of this id")
        if batch.owner(revoked) is not None:
            raise ClientRefused("client: has been revoked")
        batch.update(_SET_PROFILES, {"of": self._id, "profiles": orjson.dumps(self._profiles).decode()})
        detail = {"client": self._id, "profiles": ",".join(self._profiles) or "none"}
        batch.seal(administration(Event.CLIENT_PROFILES_SET, at=batch.at, detail=detail, caller=self._caller))


class RevokeClient(Unit[None]):
    """Revokes a client and with it every token it holds (operator's log), for good. Raises ClientRefused."""

    def __init__(self, client_id: str, *, caller: Caller | None = None) -> None:
        self._id, self._caller = client_id, caller
        self.claims = (claim_name("client", client_id), claim_name("client-revoked", client_id))

    def apply(self, batch: Batch) -> None:
        """Mark the row and seal `client-revoked`."""
        there, revoked = self.claims
        if batch.owner(there) is None:
            raise ClientRefused("client: there is none of this id")
        if batch.owner(revoked) is not None:
            raise ClientRefused("client: has been revoked before")
        batch.claim(revoked, b"client")
        batch.update(_REVOKE_CLIENT, {"of": self._id, "at": batch.at})
        batch.seal(administration(Event.CLIENT_REVOKED, at=batch.at, detail={"client": self._id}, caller=self._caller))


class RevokeToken(Unit[None]):
    """Revokes an access token (operator's log) until it expires. Revoking it twice is sealed twice and harmless.

    `jti` is the token's id, `expires` its `exp` in seconds since the epoch.
    """

    def __init__(self, jti: str, expires: int, *, caller: Caller | None = None) -> None:
        _check("jti", jti, _CODE_64)
        self._jti, self._expires, self._caller = jti, expires, caller
        self.claims = (claim_name("token-revoked", jti),)

    def apply(self, batch: Batch) -> None:
        """Insert the row, unless it is there, and seal `token-revoked`."""
        if batch.owner(self.claims[0]) is None:
            until = timestamp(datetime.fromtimestamp(self._expires, UTC))
            batch.claim(self.claims[0], b"token", until)
            batch.insert(tables.revocation, {"jti": self._jti, "expires_at": until})
        entry = administration(
            Event.TOKEN_REVOKED,
            at=batch.at,
            outcome=Outcome.PERMITTED,
            detail={"token": self._jti},
            caller=self._caller,
        )
        batch.seal(entry)


_CLIENTS = select(
    *(
        tables.client.c[name]
        for name in (
            "id",
            "name",
            "organisation",
            "recipient",
            "scopes",
            "agreements",
            "profiles",
            "jwks",
            "revoked_at",
        )
    )
)
_REVOKED = select(tables.revocation.c.jti).where(tables.revocation.c.expires_at > bindparam("now"))
_REVOKE_CLIENT = update(tables.client).where(tables.client.c.id == bindparam("of")).values(revoked_at=bindparam("at"))

_SET_PROFILES = (
    update(tables.client).where(tables.client.c.id == bindparam("of")).values(profiles=bindparam("profiles"))
)

_CODE_64 = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_CODE_32 = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,31}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


def _check(path: str, value: str, form: re.Pattern[str]) -> None:
    if not form.fullmatch(value):
        raise ClientRefused(f"{path}: is empty, too long, or has characters that are not allowed")


def _profiles(names: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(names))
    for at, name in enumerate(found):
        _check(f"profiles[{at}]", name, _CODE_32)
    return found


def claim_name(kind: str, value: str) -> bytes:
    """The name under which something of the register of clients is claimed, once."""
    return sha256(f"{kind}\0{value}".encode()).digest()


def _client(row: Row[Any]) -> Client:
    try:
        keys = public_keys(orjson.loads(row.jwks))
    except KeysInvalid:  # not as written here: this client can prove nothing, and the others are not kept out
        keys = KeySet([])
    return Client(
        id=row.id,
        name=row.name,
        organisation=row.organisation,
        recipient=row.recipient,
        scopes=frozenset(orjson.loads(row.scopes)),
        agreements=frozenset(orjson.loads(row.agreements)),
        keys=keys,
        revoked_at=row.revoked_at,
        profiles=tuple(orjson.loads(row.profiles)),
    )
