"""The shipped agreement's clause for PDS, changed or struck out, and a tracer over a world with a simulator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import Row, select

from gateway.demo.pds import API_KEY, Patient, Simulator
from gateway.demo.pds_server import simulator
from gateway.store import tables
from gateway.tracing.client import Pds, Place
from gateway.tracing.tracer import Tracer
from tests.support.agreements import clause, plain
from tests.support.world import World

CLAUSE, CHILDREN = "F1-PDS-question", "F1-PDS-child"


def asking_pds(
    content: dict[str, Any],
    release: Sequence[str] | None = None,
    *,
    locality: bool = True,
    when: Mapping[str, Any] | None = None,
) -> None:
    """Let PDS be asked with other items than the shipped agreement releases, or under other conditions."""
    one = clause(content, CLAUSE)
    if release is not None:
        one["release"] = list(release)
    if not locality:
        del one["generalise"]
    one["when"] |= when or {}


def without_pds(content: dict[str, Any]) -> None:
    """Strike out whatever lets PDS be asked."""
    content["recipients"] = [one for one in content["recipients"] if one["id"] != "pds"]
    content["flows"] = [one for one in content["flows"] if one["id"] != "F1-PDS"]
    content["clauses"] = [one for one in content["clauses"] if one["flow"] != "F1-PDS"]
    for one in content["prohibitions"]:
        one["recipients"] = [to for to in one["recipients"] if to != "pds"]
    content["prohibitions"] = [one for one in content["prohibitions"] if one["recipients"]]


def without_children(content: dict[str, Any]) -> None:
    """Strike out what lets PDS be asked for a child."""
    content["clauses"] = [one for one in content["clauses"] if one["id"] != CHILDREN]


def with_pds(content: dict[str, Any]) -> None:
    """Let PDS be asked again, as the shipped agreement does."""
    content |= {group: plain()[group] for group in ("recipients", "flows", "clauses", "prohibitions")}


@cache
def signing_key() -> RSAKey:
    """The key these tests sign in with; made once, for making one takes long."""
    key = RSAKey.generate_key(2048, private=True)
    return RSAKey.import_key(key.as_pem(private=True), {"kid": "test-key", "use": "sig", "alg": "RS512"})


def public_keys() -> KeySet:
    """Its public half, as PDS has it."""
    return KeySet([RSAKey.import_key(signing_key().as_dict(private=False))])


def place(pds: Simulator) -> Place:
    """Where a simulator is."""
    return Place(pds.url, pds.token_url, API_KEY, signing_key())


def client(pds: Simulator, deadline_seconds: float = 5.0) -> Pds:
    """A client of a simulator that waits no time between its tries."""
    return Pds(place(pds), deadline_seconds=deadline_seconds, first_wait_seconds=0.0)


@dataclass
class Desk:
    """A world, PDS, and a tracer whose clock the test holds."""

    world: World
    pds: Simulator
    tracer: Tracer = field(init=False)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        """Open the tracer."""
        self.tracer = Tracer(self.world.services, client(self.pds).search, clock=lambda: self.now)

    def round(self, later: timedelta = timedelta()) -> None:
        """One round, so much later than the last."""
        self.now += later
        self.tracer.round(self.now)

    def row(self, referral: str, child: str = "") -> Row[Any]:
        """The trace of a referral's victim, or of a child of hers."""
        f, t = tables.referral, tables.trace
        joined = t.join(f, (f.c.event_id == t.c.event_id) & (f.c.victim == t.c.victim))
        asked = select(t).select_from(joined).where(f.c.id == referral, t.c.child == child)
        with self.world.services.database.reading() as connection:
            return connection.execute(asked).one()


@contextmanager
def desk(world: World, *patients: Patient) -> Iterator[Desk]:
    """A desk over a world, PDS knowing these patients."""
    with simulator(public_keys(), *patients) as pds:
        yield Desk(world, pds)
