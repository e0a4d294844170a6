"""Sessions of the console: who has signed in, in which browser, and until when.

A session's name is 256 random bits that only its browser holds; here is their SHA-256. It ends where nothing was asked
for some minutes, after some hours in any case, at sign-out, here or at the provider, and at once where the person is
removed or changed. It is looked up in the database with every request, so that what one replica ends no other serves.

Every beginning and every end is sealed in the operator's log. What a person may see is not decided here.
Source: OWASP ASVS 5.0 chapter 7 (sessions); RFC 6265bis for the cookie.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Row, and_, bindparam, delete, or_, select, update

from audit.entry import timestamp
from gateway.evidence import OPERATOR_LOG, Caller, Event, administration
from gateway.services import Services
from gateway.signin.claims import Person
from gateway.signin.logouttoken import AtProvider, Ended
from gateway.signin.secrets import SignInKeys
from gateway.store import tables
from gateway.store.batch import Batch, Unit

SECRET_BYTES = 32
REFERENCE = 32  # hex digits of a session's id that entries carry: what was done leads to the sign-in
TOUCH_PARTS = 15  # of the idle time; a page a second is then written down once a minute
AT_ONCE = 100  # sessions that one unit ends

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that stands. `id` is the SHA-256 of its secret, in hex; `csrf` the token its forms carry."""

    id: str
    person: Person
    csrf: str
    id_token: str | None = None

    @property
    def reference(self) -> str:
        """What entries name it by."""
        return self.id[:REFERENCE]


class Sessions:
    """Opens, finds and ends sessions. Safe to share between threads."""

    def __init__(self, services: Services, clock: Clock = utc_now) -> None:
        self._services = services
        self._clock = clock
        self._keys = SignInKeys(services.keyring)
        self._idle = timedelta(seconds=services.settings.console_idle_seconds)
        self._longest = timedelta(seconds=services.settings.console_session_seconds)

    async def open(
        self,
        person: Person,
        caller: Caller,
        *,
        detail: Mapping[str, str | int] | None = None,
        id_token: str | None = None,
        at_provider: AtProvider | None = None,
        instead_of: str | None = None,
        account_version: int | None = None,
    ) -> str:
        """Begin a session and return its secret; it is always a new one (fixation).

        `at_provider` is what the provider calls it, and may end it by. `instead_of` is the secret of the one the
        browser came with, which ends. `account_version` is that of the embedded provider's account, where it signed the
        person in. Raises AccountChanged, NotSealed, Busy.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)
        id_ = _digest(secret)
        content = orjson.dumps([person.to_json().decode(), id_token])
        sealed = self._keys.sessions.seal(content, f"session|{id_}")
        now = self._clock()
        there = at_provider or AtProvider(None, None)
        row = {
            "id": id_,
            "organisation": person.organisation,
            "person": person.id,
            "content": sealed.content,
            "content_key": sealed.key,
            "provider_subject": self._keys.at_provider(there.subject),
            "provider_session": self._keys.at_provider(there.session),
            "created_at": timestamp(now),
            "seen_at": timestamp(now),
            "ends_at": timestamp(now + self._longest),
        }
        unit = OpenSession(
            row,
            replace(caller, token=None),
            {**(detail or {}), "session": id_[:REFERENCE]},
            instead_of=_digest(instead_of) if instead_of else None,
            account_version=account_version,
        )
        await self._submit(unit)
        return secret

    async def find(self, secret: str | None, *, active: bool = True) -> Session | None:
        """The session of a secret, while it stands; None otherwise.

        `active` says that a person asked, which is what keeps it from running idle; a script does not.
        """
        row = await self._services.database.read(_by_id(_digest(secret))) if secret else None
        return await self._standing(row, active=active) if row is not None else None

    async def stands(self, session: Session) -> bool:
        """Whether a session still stands: for an answer that goes on and on."""
        row = await self._services.database.read(_by_id(session.id))
        return row is not None and await self._standing(row, active=False) is not None

    async def end(self, session: Session, caller: Caller, reason: str = "signed-out") -> None:
        """End a session."""
        await self._submit(EndSessions(_IDS, {"ids": [session.id]}, reason, caller))

    async def end_all(self, person: Person, caller: Caller, reason: str = "signed-out-everywhere") -> int:
        """End every session of a person; returns how many there were."""
        of = {"organisation": person.organisation, "person": person.id}
        return await self._end_each(EndSessions(_OF_PERSON, of, reason, caller))

    async def end_at_provider(self, ended: Ended, skew_seconds: int) -> int:
        """End the sessions that the provider says have ended there; returns how many there were.

        Of one that began later than the provider's word, by more than clocks may differ, it says nothing.
        """
        until = datetime.fromtimestamp(ended.at + skew_seconds, UTC)
        named = {
            "subject": self._keys.at_provider(ended.who.subject),
            "session": self._keys.at_provider(ended.who.session),
        }
        where = and_(_S.created_at <= bindparam("until"), *(_AT_PROVIDER[name] for name in named if named[name]))
        parameters = {"until": timestamp(until), **{name: value for name, value in named.items() if value}}
        return await self._end_each(EndSessions(where, parameters, "ended-at-provider", None))

    async def _end_each(self, unit: EndSessions) -> int:
        ended = 0
        while some := await self._submit(unit):
            ended += some
        return ended

    async def _standing(self, row: Row[Any], *, active: bool) -> Session | None:
        now = self._clock()
        if reason := self._lapsed(row, now):
            await self._submit(EndSessions(_IDS, {"ids": [row.id]}, reason, None))
            return None
        if active and row.seen_at <= timestamp(now - self._idle / TOUCH_PARTS):
            await self._submit(_Touch(row.id, timestamp(now)))
        text, id_token = orjson.loads(self._keys.sessions.open(row.content, row.content_key, f"session|{row.id}"))
        return Session(row.id, Person.from_json(text.encode()), self._keys.csrf(row.id), id_token)

    def _lapsed(self, row: Row[Any], now: datetime) -> str | None:
        if row.ends_at <= timestamp(now):
            return "longest"
        return "idle" if row.seen_at <= timestamp(now - self._idle) else None

    async def _submit(self, unit: Unit[Any]) -> Any:  # noqa: ANN401 - the unit's own result
        return (await self._services.journals.of(OPERATOR_LOG).submit(unit)).value


class AccountChanged(Exception):
    """The account was removed or changed between its sign-in and the session."""


@dataclass(frozen=True, slots=True)
class OpenSession(Unit[None]):
    """Begins a session, ends the one before it, and seals both (operator's log). Raises AccountChanged."""

    row: Mapping[str, Any]
    caller: Caller
    detail: Mapping[str, str | int]
    instead_of: str | None
    account_version: int | None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        if self.account_version is not None:
            account = next(iter(batch.read(_ACCOUNT, {"id": self.caller.user})), None)
            if account is None or account.removed_at is not None or account.version != self.account_version:
                raise AccountChanged
        before = batch.read(_SELECT.where(_IDS), {"ids": [self.instead_of]}) if self.instead_of else ()
        _end(batch, before, "signed-in-anew", None)
        batch.insert(tables.console_session, self.row)
        batch.seal(administration(Event.PERSON_SIGNED_IN, at=batch.at, caller=self.caller, detail=self.detail))


@dataclass(frozen=True, slots=True)
class EndSessions(Unit[int]):
    """Ends the sessions that a condition finds, a hundred at most, and seals each; returns how many.

    `caller` is who ends them; the gateway itself where None.
    """

    where: Any
    parameters: Mapping[str, Any]
    reason: str
    caller: Caller | None

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        found = batch.read(
            _SELECT.where(self.where).order_by(tables.console_session.c.id).limit(AT_ONCE), self.parameters
        )
        _end(batch, found, self.reason, self.caller)
        return len(found)


def end_by_operator(organisation: str, person: str, caller: Caller | None = None) -> EndSessions:
    """The unit that ends a person's sessions for whoever runs the gateway, a hundred at a time.

    `caller` is the operator at a page; None is the one at the gateway itself.
    """
    return EndSessions(_OF_PERSON, {"organisation": organisation, "person": person}, "by-operator", caller)


def end_of_person(batch: Batch, found: Sequence[Any], reason: str, caller: Caller | None) -> None:
    """End sessions that `sessions_of_person` found, inside another unit."""
    _end(batch, found, reason, caller)


def sessions_of_person(batch: Batch, organisation: str, person: str) -> Sequence[Any]:
    """The sessions of a person, read inside a unit."""
    return batch.read(_SELECT.where(_OF_PERSON), {"organisation": organisation, "person": person})


@dataclass(frozen=True, slots=True)
class EndLapsed(Unit[int]):
    """Ends sessions whose time is over and that nobody came back to; returns how many."""

    idle_seconds: int

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        now = batch.now
        times = {"now": timestamp(now), "idle": timestamp(now - timedelta(seconds=self.idle_seconds))}
        return EndSessions(_LAPSED, times, "lapsed", None).apply(batch)


@dataclass(frozen=True, slots=True)
class _Touch(Unit[None]):
    """Writes down that a session was used."""

    id: str
    at: str

    def apply(self, batch: Batch) -> None:
        batch.update(_SEEN, {"of": self.id, "at": self.at})


def _end(batch: Batch, found: Sequence[Any], reason: str, caller: Caller | None) -> None:
    for row in found:
        batch.update(_DELETE, {"of": row.id})
        detail = {"session": row.id[:REFERENCE], "organisation": row.organisation, "person": row.person}
        entry = administration(Event.PERSON_SIGNED_OUT, at=batch.at, reason=reason, caller=caller, detail=detail)
        batch.seal(entry)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _by_id(id_: str) -> Callable[[Any], Row[Any] | None]:
    return lambda connection: connection.execute(_SELECT.where(_IDS), {"ids": [id_]}).first()


_S = tables.console_session.c
_SELECT = select(tables.console_session)
_IDS = _S.id.in_(bindparam("ids", expanding=True))
_OF_PERSON = (_S.organisation == bindparam("organisation")) & (_S.person == bindparam("person"))
_AT_PROVIDER = {
    "subject": _S.provider_subject == bindparam("subject"),
    "session": _S.provider_session == bindparam("session"),
}
_LAPSED = or_(_S.ends_at <= bindparam("now"), _S.seen_at <= bindparam("idle"))
_SEEN = (
    update(tables.console_session)
    .where(_S.id == bindparam("of"), _S.seen_at < bindparam("at"))
    .values(seen_at=bindparam("at"))
)
_DELETE = delete(tables.console_session).where(_S.id == bindparam("of"))
_ACCOUNT = select(tables.person.c.version, tables.person.c.removed_at).where(tables.person.c.id == bindparam("id"))
