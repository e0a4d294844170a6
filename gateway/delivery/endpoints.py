"""The systems of teams that referrals are delivered to: registered by the operator, removed, and what they declare.

An endpoint belongs to a client of the team, and to a person of the team who answers for what arrives there: they are
sealed with every delivery, and where the client is revoked nothing goes any more. Whoever runs the system must have
said whether it hides what it is given from the patient's online access; where it does not, nothing but a recall of what
it was given goes there. Everything is sealed in the agreement's own log, where its parties see it. An endpoint is
given what is made or changed from then on; what lies on the worklist already is there to be read.

Source: domain.md sections 1.1, 2.11 (online access).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, func, select, update

from audit.entry import Operation
from gateway.chance import fresh_id
from gateway.delivery.channel import Channel, Endpoint
from gateway.delivery.circuit import CLOSED, Circuit
from gateway.delivery.handing import OF_REFERRAL, Waiting, hand_over
from gateway.evidence import Event, act
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.waiting_deliveries import OPEN
from gateway.terms import Standing
from gateway.tokens.scopes import Scope

Find = Callable[[str, Mapping[str, str]], Channel | None]
"""The channel of a name, as an endpoint's options shape it; None where there is none."""


class EndpointRefused(Exception):
    """An endpoint that cannot be registered or changed. The message says why, and repeats nothing it was given."""


@dataclass(frozen=True, slots=True)
class Registered:
    """An endpoint, whose it is, who answers for what arrives there, and how it has answered."""

    endpoint: Endpoint
    client: str
    user: str
    role: str
    circuit: Circuit
    added_at: str

    @property
    def id(self) -> str:
        """The endpoint's."""
        return self.endpoint.id


def endpoints(connection: Connection, log_id: str | None = None) -> list[Registered]:
    """The endpoints that are registered now, of one log or of all."""
    found = map(registered_of, connection.execute(_REGISTERED))
    return [one for one in found if log_id in {None, one.endpoint.log_id}]


def registered_of(row: Row[Any]) -> Registered:
    """The endpoint a row holds."""
    return Registered(
        Endpoint(
            row.id,
            row.log_id,
            row.organisation,
            row.team,
            row.channel,
            row.address,
            orjson.loads(row.options),
            row.hides_from_online_access,
        ),
        row.client,
        row.user_id,
        row.role,
        Circuit(row.failures, row.open_until),
        row.added_at,
    )


@dataclass(frozen=True, slots=True)
class AddEndpoint(Unit[str]):
    """Registers an endpoint (the agreement's log); returns its id. Raises EndpointRefused.

    `hides_from_online_access` has no default: it is somebody's declaration.
    """

    client: str
    channel: str
    address: str
    options: Mapping[str, str]
    user: str
    role: str
    hides_from_online_access: bool
    standing: Standing
    find: Find
    production: bool = True

    def check(self) -> None:
        """Refuse what no database is needed to refuse. Raises EndpointRefused."""
        found = self.find(self.channel, self.options)
        if found is None:
            raise EndpointRefused("there is no such channel")
        if len(self.address) > _ADDRESS_MAX or not self.address.isprintable():
            raise EndpointRefused(f"the address is not plain text of at most {_ADDRESS_MAX} characters")
        try:
            found.check(self.address, self.options, production=self.production)
        except ValueError as fault:
            raise EndpointRefused(str(fault)) from None
        if not _PERSON.fullmatch(self.user) or not _PERSON.fullmatch(self.role):
            raise EndpointRefused("the person and their role are codes of at most 64 characters")

    def apply(self, batch: Batch) -> str:
        """Insert the row and seal `endpoint-added`."""
        self.check()
        self.standing.check(batch)
        owner = next(iter(batch.read(_CLIENT, {"client": self.client})), None)
        if owner is None or owner.revoked_at is not None:
            raise EndpointRefused("there is no such client, or it is revoked")
        if Scope.REFERRAL_READ.value not in owner.scopes or f'"{batch.log_id}"' not in owner.agreements:
            raise EndpointRefused("the client may not read referrals, or is not bound to this agreement")
        content = self.standing.content
        team = content.recipient(owner.recipient) if content and owner.recipient else None
        if content is None or team is None or content.party(team.party).organisation != owner.organisation:
            raise EndpointRefused("the client is of no team that the agreement names as a recipient")
        same = {"log": batch.log_id, "organisation": owner.organisation, "team": team.id, "address": self.address}
        if batch.read(_SAME, same):
            raise EndpointRefused("the team has an endpoint at this address: it would be given everything twice")
        id_ = fresh_id()
        batch.insert(
            tables.endpoint,
            {
                "id": id_,
                "log_id": batch.log_id,
                "organisation": owner.organisation,
                "team": team.id,
                "channel": self.channel,
                "address": self.address,
                "options": orjson.dumps(dict(self.options)).decode(),
                "hides_from_online_access": self.hides_from_online_access,
                "client": self.client,
                "user_id": self.user,
                "role": self.role,
                "failures": CLOSED.failures,
                "open_until": CLOSED.open_until,
                "added_at": batch.at,
            },
        )
        detail = {"client": self.client, "team": team.id, "channel": self.channel, "address": self.address}
        hides = int(self.hides_from_online_access)
        _seal(batch, Event.ENDPOINT_ADDED, self.standing, {**detail, "endpoint": id_, "hides": hides})
        return id_


@dataclass(frozen=True, slots=True)
class DeclareEndpoint(Unit[None]):
    """Note what whoever runs a system declares by now (the agreement's log). Raises EndpointRefused."""

    endpoint_id: str
    hides_from_online_access: bool
    standing: Standing

    def apply(self, batch: Batch) -> None:
        """Change the row and seal `endpoint-declared`."""
        _own(batch, self.endpoint_id)
        batch.update(_DECLARE, {"of": self.endpoint_id, "to": self.hides_from_online_access})
        detail: dict[str, str | int] = {"endpoint": self.endpoint_id, "hides": int(self.hides_from_online_access)}
        _seal(batch, Event.ENDPOINT_DECLARED, self.standing, detail)


@dataclass(frozen=True, slots=True)
class RemoveEndpoint(Unit[int]):
    """Remove an endpoint (the agreement's log): nothing more goes there. Returns how many deliveries still waited.

    Each of them is put in front of a human of the team: the referral lies on the worklist, and nobody's system has it.
    Raises EndpointRefused.
    """

    endpoint_id: str
    standing: Standing

    def apply(self, batch: Batch) -> int:
        """Mark the row, hand over what waits, and seal `endpoint-removed`."""
        self.standing.check(batch)
        _own(batch, self.endpoint_id)
        rows = batch.read(_WAITING, {"endpoint": self.endpoint_id})
        for row in rows:
            hand_over(batch, Waiting.of(row), self.standing, None, "endpoint-removed")
        batch.update(_REMOVE, {"of": self.endpoint_id, "at": batch.at})
        detail: dict[str, str | int] = {"endpoint": self.endpoint_id, "waiting": len(rows)}
        _seal(batch, Event.ENDPOINT_REMOVED, self.standing, detail)
        return len(rows)


def counts(connection: Connection, log_id: str) -> Mapping[str, tuple[int, int]]:
    """For each endpoint of a log, how many deliveries wait and how many lie with a human."""
    return {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(_COUNTS, {"log": log_id})}


def _own(batch: Batch, endpoint_id: str) -> None:
    if not batch.read(_ONE, {"id": endpoint_id, "log": batch.log_id}):
        raise EndpointRefused("the agreement has no such endpoint")


def _seal(batch: Batch, event: Event, standing: Standing, detail: Mapping[str, str | int]) -> None:
    ref = standing.agreement_ref
    batch.seal(act(event, Operation.ADMINISTRATION, at=batch.at, caller=None, agreement=ref, detail=detail))


_ADDRESS_MAX = 512
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}")
_e, _d, _r, _c = tables.endpoint, tables.delivery, tables.referral, tables.client
_REGISTERED = select(_e).where(_e.c.removed_at.is_(None)).order_by(_e.c.log_id, _e.c.client, _e.c.id)
_ONE = select(_e.c.id).where(_e.c.id == bindparam("id"), _e.c.log_id == bindparam("log"), _e.c.removed_at.is_(None))
_CLIENT = select(_c.c.organisation, _c.c.recipient, _c.c.scopes, _c.c.agreements, _c.c.revoked_at).where(
    _c.c.id == bindparam("client")
)
_SAME = select(_e.c.id).where(
    _e.c.log_id == bindparam("log"),
    _e.c.organisation == bindparam("organisation"),
    _e.c.team == bindparam("team"),
    _e.c.address == bindparam("address"),
    _e.c.removed_at.is_(None),
)
_WAITING = (
    select(_d, *OF_REFERRAL)
    .join(_r, _r.c.id == _d.c.referral_id)
    .where(_d.c.endpoint_id == bindparam("endpoint"), OPEN)
    .order_by(_d.c.created_at, _d.c.id)
)
_REMOVE = update(_e).where(_e.c.id == bindparam("of")).values(removed_at=bindparam("at"))
_DECLARE = update(_e).where(_e.c.id == bindparam("of")).values(hides_from_online_access=bindparam("to"))
_COUNTS = (
    select(_d.c.endpoint_id, func.count().filter(OPEN), func.count().filter(_d.c.given_up_at.is_not(None)))
    .where(_d.c.log_id == bindparam("log"))
    .group_by(_d.c.endpoint_id)
)
