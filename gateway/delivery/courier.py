"""Rounds of delivery: to each endpoint one delivery at a time, until nothing is due, side by side (`rounds`).

An endpoint that always has more gives its thread back after a while.

    1. whose turn it is       next_due
    2. what may be said now   Library.content, turn_of
    3. write it               Letters.write, encrypted
    4. seal the intention     Begin: everything is looked at again, and only then
    5. send it                Channel.send
    6. settle it              Finish: acknowledged, to be tried again, or in front of a human
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from gateway.agreement import Status
from gateway.callers import check_recipient
from gateway.chance import fresh_id
from gateway.delivery.begin import Begin
from gateway.delivery.channel import CannotWrite, Channel, NotDelivered, Reply, TryAgain, Unwanted
from gateway.delivery.content import Content, Library
from gateway.delivery.deliveries import next_due, of_case
from gateway.delivery.endpoints import Find, Registered, endpoints
from gateway.delivery.finish import Finish
from gateway.delivery.letters import Letter, Letters
from gateway.delivery.rounds import THREADS, Rounds
from gateway.delivery.turn import Do, Turn, turn_of
from gateway.errors import NotPermitted
from gateway.evidence import Caller
from gateway.logs import Line, say
from gateway.services import Services
from gateway.store.batch import DecideAgain
from gateway.terms import Standing

DEADLINE_SECONDS = 20.0  # for a whole try; far below the lease of a delivery
TURN_SECONDS = 30.0  # of an endpoint that always has more, before others that wait for a thread have theirs
_ATTEMPTS = 5  # how often a delivery is judged again because what it was judged on changed


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Desk:
    """An endpoint, how it is spoken to, and on whose behalf under what."""

    registered: Registered
    channel: Channel
    caller: Caller
    standing: Standing


@dataclass(frozen=True, slots=True)
class _Ready:
    """A delivery that was judged, and written where something is to be sent."""

    turn: Turn
    rows: tuple[Row[Any], ...]
    content: Content | None
    letter: Letter | None


class Courier:
    """Delivers what is due. Close it before the services."""

    def __init__(
        self,
        services: Services,
        find: Find,
        *,
        clock: Callable[[], datetime] = _utc_now,
        deadline_seconds: float = DEADLINE_SECONDS,
        threads: int = THREADS,
    ) -> None:
        self._services = services
        self._find = find
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._library = Library(services.records, services.keyring)
        self._letters = Letters(services.keyring)
        self._rounds = Rounds("delivery", threads)

    def round(self, now: datetime) -> None:
        """Have every endpoint served that is not being served and is not left alone for a while."""
        with self._services.database.reading() as connection:
            registered = endpoints(connection)
        for one in registered:
            if not one.circuit.is_open(now):
                self._rounds.serve(one.id, partial(self._serve, one))

    def wait(self) -> None:
        """Wait until what is being served is done with."""
        self._rounds.wait()

    def close(self) -> None:
        """Let the tries that run come to their end, and stop."""
        self._rounds.close()

    def _serve(self, registered: Registered) -> None:
        """Deliver what is due to one endpoint, until nothing is or one fails."""
        until = time.monotonic() + TURN_SECONDS
        while not self._rounds.closing and time.monotonic() < until and self._deliver_next(registered):
            pass

    def _deliver_next(self, registered: Registered) -> bool:
        """Do what is to be done with the delivery whose turn it is; False where there is none, or none gets through."""
        with self._services.database.reading() as connection:
            due = next_due(connection, registered.id, self._clock())
        if due is None:
            return False
        for _ in range(_ATTEMPTS):
            desk = self._desk(registered)
            if desk is None:
                return False
            ready = self._ready(desk, due)
            if ready is None or ready.turn.do is Do.LEAVE:
                return False
            try:
                return self._deliver(desk, due, ready)
            except DecideAgain:
                self._services.terms.forget(registered.endpoint.log_id)
                registered = self._again(registered) or registered
        raise DecideAgain("what it is judged on keeps changing")

    def _desk(self, registered: Registered) -> _Desk | None:
        """How and under what an endpoint is served; None where nothing may go to it now."""
        services, endpoint = self._services, registered.endpoint
        channel = self._find(endpoint.channel, endpoint.options)
        client = services.clients.get(registered.client)
        if channel is None or client is None or client.revoked_at is not None:
            return None
        standing = services.terms.peek(endpoint.log_id) or services.standing(endpoint.log_id)
        if standing.terms is None or standing.terms.standing(self._clock()).status is not Status.IN_FORCE:
            return None
        caller = Caller(
            client=registered.client,
            organisation=endpoint.organisation,
            recipient=endpoint.team,
            scopes=client.scopes,
            agreements=client.agreements,
            user=registered.user,
            role=registered.role,
        )
        try:
            check_recipient(standing, caller)
        except NotPermitted:
            return None
        return _Desk(registered, channel, caller, standing)

    def _ready(self, desk: _Desk, due: Row[Any]) -> _Ready | None:
        """Judge a delivery, and write it where it is to be sent; None where it has gone since."""
        endpoint = desk.registered.endpoint
        with self._services.database.reading() as connection:
            rows = tuple(of_case(connection.execute, endpoint.id, due.referral_id))
            own = next((one for one in rows if one.id == due.id), None)
            if own is None:
                return None
            content = self._content(connection, desk, due.referral_id)
        before = [one for one in rows if one.number < own.number]
        turn = turn_of(own, before, content, hides=endpoint.hides_from_online_access)
        if turn.do is Do.AGAIN:
            return _Ready(turn, rows, content, self._letters.open(own))
        if turn.do is not Do.SEND or content is None or turn.reason is None:
            return _Ready(turn, rows, content, None)
        parcel = fresh_id() if turn.replaces else own.id
        at = self._clock()
        try:
            letter = self._letters.write(
                desk.channel,
                endpoint,
                content,
                parcel=parcel,
                reason=turn.reason,
                supersedes=turn.supersedes,
                at=at.replace(microsecond=at.microsecond // 1000 * 1000),
            )
        except Unwanted:
            do = Do.STOP if turn.replaces else Do.FORGET  # what was written before may have gone: it stays on record
            return _Ready(Turn(do, why="not-asked-for"), rows, content, None)
        except CannotWrite:
            return _Ready(Turn(Do.HAND_OVER, why="cannot-write"), rows, content, None)
        return _Ready(turn, rows, content, letter)

    def _content(self, connection: Connection, desk: _Desk, referral_id: str) -> Content | None:
        return self._library.content(
            connection,
            desk.caller,
            desk.standing,
            desk.registered.endpoint.log_id,
            referral_id,
            desk.channel.items,
            datetime.now(UTC),
        )

    def _deliver(self, desk: _Desk, due: Row[Any], ready: _Ready) -> bool:
        """Seal, send and settle; False where the endpoint is to be left for now. Raises DecideAgain."""
        registered, endpoint = desk.registered, desk.registered.endpoint
        journal = self._services.journals.of(endpoint.log_id)
        leased = time.monotonic()
        begin = Begin(
            registered,
            due.id,
            ready.rows,
            ready.turn,
            ready.content,
            ready.letter,
            desk.caller,
            desk.standing,
            self._clock(),
        )
        attempt = journal.submit_and_wait(begin).value
        if attempt is None or ready.letter is None:
            if ready.turn.do is Do.HAND_OVER:
                say(Line.DELIVERY_FOR_HUMAN, endpoint=endpoint.id, delivery=due.id, why=ready.turn.why or "")
            return ready.letter is None
        came = self._send(desk, ready.letter, leased)
        parcel = ready.letter.parcel
        finish = Finish(registered, parcel, attempt, came, desk.caller, desk.standing, self._clock())
        settled = journal.submit_and_wait(finish).value
        if isinstance(came, NotDelivered):
            say(Line.DELIVERY_FAILED, endpoint=endpoint.id, delivery=parcel, why=came.code)
            if settled.given_up:
                say(Line.DELIVERY_FOR_HUMAN, endpoint=endpoint.id, delivery=parcel, why=came.code)
        if settled.opened:
            say(Line.ENDPOINT_LEFT_ALONE, endpoint=endpoint.id, failures=settled.circuit.failures)
        return not settled.circuit.is_open(self._clock())

    def _send(self, desk: _Desk, letter: Letter, leased: float) -> Reply | NotDelivered:
        """Send what is sealed; whatever the channel raises is why it did not arrive, as far as anybody can tell."""
        if time.monotonic() - leased > _BEGUN_WITHIN.total_seconds():
            return TryAgain("sealing")  # it took so long that the lease may run out while the message is on its way
        try:
            return desk.channel.send(desk.registered.endpoint, letter.parcel, letter.body, self._deadline_seconds)
        except NotDelivered as fault:
            return fault
        except Exception as error:  # noqa: BLE001 - the seam owns its errors: nobody knows whether it arrived
            say(Line.PUSH_ABANDONED, endpoint=desk.registered.id, error=type(error).__name__)
            return TryAgain("channel")

    def _again(self, registered: Registered) -> Registered | None:
        """An endpoint as it stands now."""
        with self._services.database.reading() as connection:
            return next((one for one in endpoints(connection) if one.id == registered.id), None)


_BEGUN_WITHIN = timedelta(seconds=60)
