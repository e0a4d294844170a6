"""A team's system that misbehaves on command, the channel that speaks to it, and a courier whose clock the test holds.

The system remembers what it was given by the id of each message, and takes nothing twice. What it answers travels back
as (id, outcome), so that an answer may come late, twice, or be for another message; the channel counts only the answer
to what it sent. No socket and no sleep.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import select

from gateway.delivery.channel import Channel, Endpoint, NotSent, Parcel, Refused, Reply, TryAgain, Unknown
from gateway.delivery.courier import Courier
from gateway.delivery.endpoints import AddEndpoint, Registered, RemoveEndpoint, endpoints
from gateway.demo.run import LOG
from gateway.store import tables
from mappings.items import CATALOGUE
from tests.support.world import World

ACK, LOST, CUT, HANG, RESET, NACK, BUSY, LATE, OTHER, TWICE, KILLED = (
    "ack",  # taken, and said so
    "lost",  # nobody was there
    "cut",  # not taken, and nobody can tell
    "hang",  # taken, and nothing said
    "reset",  # taken, and the connection broken
    "nack",  # refused
    "busy",  # not taken; asks for more time
    "late",  # taken; the answer comes when nobody listens any more
    "other",  # taken; the answer is for another message
    "twice",  # taken, and said twice
    "killed",  # taken; the gateway is gone before the answer
)
MISBEHAVIOUR = (LOST, CUT, HANG, RESET, BUSY, LATE, OTHER, TWICE, KILLED)


class Killed(BaseException):
    """The gateway's process ends here: nothing is finished."""


@dataclass
class System:
    """A team's system. `script` says what it does with the next messages; then `always`, or ACK."""

    script: deque[str] = field(default_factory=deque)
    always: Callable[[], str] = lambda: ACK
    taken: dict[str, bytes] = field(default_factory=dict)
    sent: list[tuple[str, bytes, str]] = field(default_factory=list)
    cases: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    stray: list[tuple[str, bool]] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def holds(self, referral: str) -> Mapping[str, Any] | None:
        """What it has of a referral: the last it was told, unless that was a recall."""
        said = self.cases.get(referral, [])
        return said[-1] if said and said[-1]["reason"] != "cancel" else None

    def receive(self, id_: str, body: bytes, does: str) -> list[tuple[str, bool]]:
        """Take a message; returns what it answers, as (id, taken). Raises what the wire would."""
        with self.turn:
            self.sent.append((id_, body, does))
            if does == LOST:
                raise NotSent("connection")
            if does == BUSY:
                raise TryAgain("status-503", timedelta(minutes=3))
            if does == NACK:
                raise Refused("nack")
            if does == CUT:
                return []
            taken = self._take(id_, body)
            stray, self.stray = self.stray, []
            if does == KILLED:
                raise Killed
            if does in {HANG, RESET}:
                return []
            if does == LATE:
                self.stray.append((id_, taken))
                return []
            if does == OTHER:
                return [("another", True)]
            return [*stray, *[(id_, taken)] * (2 if does == TWICE else 1)]

    def _take(self, id_: str, body: bytes) -> bool:
        if id_ in self.taken:
            if self.taken[id_] != body:
                self.doubled.append(id_)
            return True
        said = orjson.loads(body)
        if said["reason"] != "new" and self.holds(said["referral"]) is None:
            return False  # it knows nothing that could be changed
        if said["reason"] == "new" and self.holds(said["referral"]) is not None:
            self.doubled.append(id_)
        self.taken[id_] = body
        self.cases.setdefault(said["referral"], []).append(said)
        return True


@dataclass
class InProcess:
    """A channel without a wire: JSON in, and the answer that is for this message."""

    system: System
    before_send: Callable[[str, bytes], None] = lambda _id, _body: None
    name: str = "test"
    items: frozenset[str] = frozenset(CATALOGUE)

    def check(self, address: str, options: Mapping[str, str], *, production: bool) -> None:
        """Take any address."""

    def write(self, parcel: Parcel, endpoint: Endpoint) -> bytes:
        """Everything that is in the parcel."""
        return orjson.dumps(
            {
                "id": parcel.id,
                "reason": parcel.reason.value,
                "referral": parcel.referral.id,
                "grade": parcel.referral.grade,
                "supersedes": parcel.supersedes,
                "at": parcel.created_at.isoformat(),
                "to": endpoint.team,
                "record": parcel.record.model_dump(mode="json", exclude_defaults=True),
            }
        )

    def send(self, endpoint: Endpoint, parcel_id: str, body: bytes, deadline: float) -> Reply:  # noqa: ARG002 - the socket's
        """Hand it over, and look for the answer to it."""
        self.before_send(parcel_id, body)
        system = self.system
        does = system.script.popleft() if system.script else system.always()
        for id_, taken in system.receive(parcel_id, body, does):
            if id_ == parcel_id:
                if not taken:
                    raise Unknown("unknown-referral")
                return Reply(f"ref-{id_[:8]}")
        raise TryAgain("reset" if does == RESET else "timeout")


@dataclass
class Post:
    """An endpoint of the demonstration's team, its system, and couriers over one database."""

    world: World
    system: System
    channel: InProcess
    endpoint_id: str
    couriers: list[Courier] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def registered(self) -> Registered:
        with self.world.services.database.reading() as connection:
            return next(one for one in endpoints(connection) if one.id == self.endpoint_id)

    def another(self) -> Courier:
        """A courier like that of another gateway."""
        self.couriers.append(Courier(self.world.services, finding(self.channel), clock=lambda: self.now))
        return self.couriers[-1]

    def round(self, after: timedelta = timedelta()) -> list[tuple[str, bytes, str]]:
        """Let time pass, make a round, and return what was sent in it."""
        self.now += after
        before = len(self.system.sent)
        self.couriers[0].round(self.now)
        self.couriers[0].wait()
        return self.system.sent[before:]

    def settle(self, most: int = 60) -> None:
        """Make rounds, an hour apart, until nothing waits."""
        for _ in range(most):
            self.round(timedelta(hours=1))
            if not any(
                one.acknowledged_at is None and not one.given_up_at and not one.stopped_at for one in self.rows()
            ):
                return
        raise AssertionError("it never settles")

    def rows(self, referral: str | None = None) -> list[Any]:
        """The deliveries to this endpoint, of one referral or of all, in their order."""
        of = tables.delivery
        query = select(of).where(of.c.endpoint_id == self.endpoint_id).order_by(of.c.created_at, of.c.number)
        query = query if referral is None else query.where(of.c.referral_id == referral)
        with self.world.services.database.reading() as connection:
            return list(connection.execute(query))

    def said(self, referral: str) -> list[str]:
        """The reasons of what the system has taken of a referral."""
        return [one["reason"] for one in self.system.cases.get(referral, [])]


def finding(channel: Channel) -> Callable[[str, Mapping[str, str]], Channel | None]:
    """Finds one channel, by its name."""
    return lambda name, _options: channel if name == channel.name else None


def endpoint_unit(world: World, channel: Channel, **changes: Any) -> AddEndpoint:
    """The registration of an endpoint of the demonstration's team."""
    given: dict[str, Any] = {
        "client": "demo-hospital",
        "channel": channel.name,
        "address": "test://system",
        "options": {},
        "user": "idva-0042",
        "role": "idva",
        "hides_from_online_access": True,
        "standing": world.services.standing(LOG),
        "find": finding(channel),
        "production": False,
    }
    return AddEndpoint(**(given | changes))


def open_post(world: World, **changes: Any) -> Post:
    """A registered endpoint with a courier."""
    system = System()
    channel = InProcess(system)
    id_ = world.services.journals.of(LOG).submit_and_wait(endpoint_unit(world, channel, **changes)).value
    post = Post(world, system, channel, id_)
    post.another()
    return post


def close_post(post: Post) -> None:
    """Stop the couriers and remove the endpoint."""
    for one in post.couriers:
        one.close()
    if any(one.id == post.endpoint_id for one in _all(post.world)):
        unit = RemoveEndpoint(post.endpoint_id, post.world.services.standing(LOG))
        post.world.services.journals.of(LOG).submit_and_wait(unit)


def _all(world: World) -> list[Registered]:
    with world.services.database.reading() as connection:
        return endpoints(connection)
