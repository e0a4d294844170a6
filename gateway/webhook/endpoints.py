"""The endpoints that feedback is pushed to: one for a client, registered and removed by the operator, sealed.

An endpoint names the person of the force who answers for what arrives there: the agreement wants somebody named on
whose behalf police are told, and a machine is nobody. What was said before it was registered is pulled, not pushed.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from audit import sql as log_sql
from audit.errors import LogUnknown
from gateway.chance import fresh_id
from gateway.evidence import Event, administration
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.telling import WORDS_PER_CHANGE
from gateway.tokens.scopes import Scope
from gateway.webhook.address import target
from gateway.webhook.folder import folder_of


class EndpointRefused(Exception):
    """An endpoint that cannot be added or removed. The message names the fault, never a value."""


class Pushed(StrEnum):
    """What a push carries: the coded words, or only that there are some for an incident, to be pulled."""

    WORDS = "words"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registered endpoint; the `url` of a folder is its twin for development.

    `ca` is the PEM of the authorities it is trusted by, None for the machine's own.
    """

    id: str
    client: str
    log_id: str
    url: str
    content: Pushed
    ca: str | None
    user: str
    role: str
    planned: int
    added_at: str


def endpoints(connection: Connection) -> list[Endpoint]:
    """The endpoints that are registered now, by client."""
    return [_endpoint(row) for row in connection.execute(_REGISTERED)]


def waiting(connection: Connection, endpoint: Endpoint) -> tuple[int, int]:
    """How many words wait for an endpoint, and how many were given up and nobody has fetched since."""
    found = connection.execute(_COUNTS, {"endpoint": endpoint.id}).one()
    return int(found[0]), int(found[1])


@dataclass(frozen=True, slots=True)
class AddEndpoint(Unit[str]):
    """Registers an endpoint (operator's log); returns its id. Raises EndpointRefused, AddressRefused."""

    client: str
    log_id: str
    url: str
    content: Pushed
    user: str
    role: str
    ca: str | None = None
    production: bool = True

    def check(self) -> None:
        """Refuse what no database is needed to refuse."""
        if folder_of(self.url, production=self.production) is None:
            target(self.url, production=self.production)
        if not _PERSON.fullmatch(self.user) or not _PERSON.fullmatch(self.role):
            raise EndpointRefused("the person and their role are codes of at most 64 characters")
        if self.ca is not None:
            try:
                ssl.create_default_context(cadata=self.ca)
            except (ssl.SSLError, ValueError):
                raise EndpointRefused("the authority is not a PEM certificate") from None

    def apply(self, batch: Batch) -> str:
        """Insert the row and seal `webhook-added`."""
        self.check()
        rows = batch.read(_CLIENT, {"client": self.client})
        if not rows or rows[0].revoked_at is not None:
            raise EndpointRefused("there is no such client, or it is revoked")
        if Scope.FEEDBACK_READ.value not in rows[0].scopes or f'"{self.log_id}"' not in rows[0].agreements:
            raise EndpointRefused("the client may not read feedback, or is not bound to this agreement")
        if batch.read(_OF_CLIENT, {"client": self.client}):
            raise EndpointRefused("the client has an endpoint: remove it first")
        try:
            said = batch.ask(lambda c: log_sql.read_head(c, self.log_id)).size * WORDS_PER_CHANGE - 1
        except LogUnknown:
            raise EndpointRefused("there is no such agreement") from None
        id_ = fresh_id()
        batch.insert(
            tables.webhook_endpoint,
            {
                "id": id_,
                "client": self.client,
                "log_id": self.log_id,
                "url": self.url,
                "content": self.content.value,
                "ca": self.ca,
                "user_id": self.user,
                "role": self.role,
                "planned_seq": said,
                "added_at": batch.at,
                "removed_at": None,
            },
        )
        detail = {"client": self.client, "log": self.log_id, "url": self.url, "content": self.content.value}
        batch.seal(administration(Event.WEBHOOK_ADDED, at=batch.at, detail={**detail, "person": self.user}))
        return id_


@dataclass(frozen=True, slots=True)
class RemoveEndpoint(Unit[None]):
    """Removes a client's endpoint (operator's log): nothing more is pushed to it. Raises EndpointRefused."""

    client: str

    def apply(self, batch: Batch) -> None:
        """Mark the row and seal `webhook-removed`. What waits is pulled instead."""
        rows = batch.read(_OF_CLIENT, {"client": self.client})
        if not rows:
            raise EndpointRefused("the client has no endpoint")
        batch.update(_REMOVE, {"of": rows[0].id, "at": batch.at})
        batch.seal(administration(Event.WEBHOOK_REMOVED, at=batch.at, detail={"client": self.client}))


@dataclass(frozen=True, slots=True)
class NoteTest(Unit[None]):
    """Seal that the operator has an endpoint tried, with nothing in it (operator's log)."""

    client: str

    def apply(self, batch: Batch) -> None:
        """Seal `webhook-tested`."""
        batch.seal(administration(Event.WEBHOOK_TESTED, at=batch.at, detail={"client": self.client}))


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        row.id,
        row.client,
        row.log_id,
        row.url,
        Pushed(row.content),
        row.ca,
        row.user_id,
        row.role,
        row.planned_seq,
        row.added_at,
    )


_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}")
_e, _o, _f = tables.webhook_endpoint, tables.outbox, tables.feedback
_REGISTERED = select(_e).where(_e.c.removed_at.is_(None)).order_by(_e.c.client, _e.c.id)
_OF_CLIENT = select(_e.c.id).where(_e.c.client == bindparam("client"), _e.c.removed_at.is_(None))
_CLIENT = select(tables.client.c.scopes, tables.client.c.agreements, tables.client.c.revoked_at).where(
    tables.client.c.id == bindparam("client")
)
_REMOVE = update(_e).where(_e.c.id == bindparam("of")).values(removed_at=bindparam("at"))
_COUNTS = (
    select(
        func.count().filter(_o.c.given_up_at.is_(None) & _o.c.stopped_at.is_(None)),
        func.count().filter(_o.c.given_up_at.is_not(None)),
    )
    .select_from(_o.join(_f, (_f.c.log_id == _o.c.log_id) & (_f.c.seq == _o.c.seq)))
    .where(
        _o.c.endpoint_id == bindparam("endpoint"),
        _o.c.acknowledged_at.is_(None),
        _f.c.acknowledged_at.is_(None),
    )
)
