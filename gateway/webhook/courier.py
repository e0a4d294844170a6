"""Rounds of pushing: to each endpoint one word at a time, until nothing is due, side by side (`delivery.rounds`).

An endpoint that failed is left alone for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from sqlalchemy import Row

from gateway.delivery.fault import NotDelivered, Refused, TryAgain
from gateway.delivery.leases import LEASE
from gateway.delivery.policy import AFTER_MAX
from gateway.delivery.rounds import Rounds
from gateway.evidence import Caller
from gateway.feedback import Telling, feedback_recipient, find_word
from gateway.logs import Line, say
from gateway.services import Services
from gateway.settings import Environment
from gateway.store.batch import DecideAgain
from gateway.store.journal import Committed
from gateway.terms import Standing
from gateway.tokens.scopes import Scope
from gateway.webhook.address import AddressRefused, Resolve, pinned, system_resolve, target
from gateway.webhook.deliveries import Begin, Finish, Plan, next_due, unplanned
from gateway.webhook.endpoints import Endpoint, Pushed, endpoints
from gateway.webhook.folder import drop, folder_of
from gateway.webhook.posting import DEADLINE_SECONDS, post
from gateway.webhook.signing import Signer

PAUSE_MAX = timedelta(minutes=1)
"""How long an endpoint that failed is left alone; longer only where it asked for more."""
_ATTEMPTS = 5  # how often a word is decided again because what it was decided on changed


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Desk:
    """An endpoint with whoever is told through it, and under what."""

    endpoint: Endpoint
    caller: Caller
    standing: Standing
    recipient: str


class Courier:
    """Pushes what is due. Close it before the services."""

    def __init__(
        self,
        services: Services,
        *,
        clock: Callable[[], datetime] = _utc_now,
        resolve: Resolve = system_resolve,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._services = services
        self._clock = clock
        self._resolve = resolve
        self._deadline_seconds = deadline_seconds
        self._production = services.settings.environment is Environment.PRODUCTION
        self._signer = Signer(services.keyring)
        self._rounds = Rounds("courier")
        self._paused: dict[str, datetime] = {}

    def round(self, now: datetime) -> None:
        """Have every endpoint served that is not being served and is not left alone for a while."""
        with self._services.database.reading() as connection:
            registered = endpoints(connection)
        for endpoint in registered:
            self._rounds.serve(endpoint.id, partial(self._serve, endpoint, now))

    def wait(self) -> None:
        """Wait until what is being served is done with."""
        self._rounds.wait()

    def close(self) -> None:
        """Let the tries that run come to their end, and stop."""
        self._rounds.close()

    def test(self, endpoint: Endpoint) -> int:
        """Push a signed word about nothing; returns the status. Raises NotDelivered."""
        return self._post(endpoint, "test", orjson.dumps({"test": True}), time.monotonic())

    def _serve(self, endpoint: Endpoint, now: datetime) -> None:
        """Push everything that is due to one endpoint that is not left alone, until one fails."""
        paused = self._paused.get(endpoint.id)
        if paused is not None and now < paused <= now + AFTER_MAX:  # beyond: the clock was set back
            return
        desk = self._desk(endpoint)
        if desk is not None:
            self._plan(desk)
        passed: set[str] = set()
        while desk is not None and not self._rounds.closing and self._push_next(desk, passed):
            desk = self._desk(endpoint)

    def _desk(self, endpoint: Endpoint) -> _Desk | None:
        """Whoever is told; None where the client was revoked, or the agreement has nobody to tell."""
        services = self._services
        client = services.clients.get(endpoint.client)
        if client is None or client.revoked_at is not None:
            return None
        if Scope.FEEDBACK_READ.value not in client.scopes or endpoint.log_id not in client.agreements:
            return None
        standing = services.terms.peek(endpoint.log_id) or services.standing(endpoint.log_id)
        recipient = feedback_recipient(standing.terms, client.organisation)
        if recipient is None:
            return None
        caller = Caller(
            client=client.id,
            organisation=client.organisation,
            recipient=recipient,
            scopes=client.scopes,
            agreements=client.agreements,
            user=endpoint.user,
            role=endpoint.role,
        )
        return _Desk(endpoint, caller, standing, recipient)

    def _plan(self, desk: _Desk) -> None:
        """Make deliveries of the words that were said since the last round."""
        endpoint, force = desk.endpoint, desk.caller.organisation
        with self._services.database.reading() as connection:
            new = unplanned(connection, endpoint, force)
        if new:
            unit = Plan(endpoint, force, desk.recipient)
            self._services.journals.of(endpoint.log_id).submit_and_wait(unit)

    def _push_next(self, desk: _Desk, passed: set[str]) -> bool:
        """Push the word whose turn it is; False where there is none, or where it did not arrive.

        `passed` are those of this round that were not to be sent: none is looked at twice.
        """
        services, endpoint = self._services, desk.endpoint
        with services.database.reading() as connection:
            due = next_due(connection, endpoint, self._clock())
        if due is None or due.id in passed:
            return False
        leased = time.monotonic()
        begun, telling, standing = self._begin(desk, due)
        if begun.value is None or telling is None:
            passed.add(due.id)
            return True
        fault = self._send(endpoint, due.id, telling, begun, leased)
        now = self._clock()
        finish = Finish(endpoint, due.id, begun.value, fault, desk.caller, standing, now)
        services.journals.of(endpoint.log_id).submit_and_wait(finish)
        if fault is not None:
            say(Line.PUSH_FAILED, endpoint=endpoint.id, delivery=due.id, why=fault.code)
        if isinstance(fault, TryAgain):
            self._paused[endpoint.id] = now + (fault.after or PAUSE_MAX)
            return False
        return True

    def _begin(self, desk: _Desk, due: Row[Any]) -> tuple[Committed[int | None], Telling | None, Standing]:
        """Decide and seal, again where the agreement or the referral changed in between. Raises DecideAgain."""
        services, log_id = self._services, desk.endpoint.log_id
        standing = desk.standing
        for _ in range(_ATTEMPTS):
            now = self._clock()
            with services.database.reading() as connection:
                telling = find_word(
                    connection,
                    services.records,
                    standing,
                    log_id,
                    datetime.now(UTC),
                    seq=due.seq,
                    recipient=desk.recipient,
                )
            unit = Begin(desk.endpoint, due.id, telling, desk.caller, standing, now)
            try:
                return services.journals.of(log_id).submit_and_wait(unit), telling, standing
            except DecideAgain:
                services.terms.forget(log_id)
                standing = services.standing(log_id)
        raise DecideAgain("what it is decided on keeps changing")

    def _send(
        self, endpoint: Endpoint, delivery: str, telling: Telling, begun: Committed[int | None], leased: float
    ) -> NotDelivered | None:
        """Send a sealed word; returns why it did not arrive."""
        said = {"incident": telling.row.event_id, "cursor": telling.row.seq}
        if endpoint.content is Pushed.WORDS:
            said = telling.said()
        body = orjson.dumps({"delivery": delivery, **said, "receipt": begun.receipt.to_json()})
        try:
            self._post(endpoint, delivery, body, leased)
        except NotDelivered as fault:
            return fault
        return None

    def _post(self, endpoint: Endpoint, delivery: str, body: bytes, leased: float) -> int:
        """Resolve, sign and send, or put into a folder. Raises NotDelivered."""
        now = datetime.now(UTC)
        try:
            folder = folder_of(endpoint.url, production=self._production)
            if folder is not None:
                drop(folder, delivery, endpoint.url, self._signer.headers(endpoint.url, body, delivery, now), body)
                return HTTPStatus.CREATED
            to = target(endpoint.url, production=self._production)
        except AddressRefused:
            raise Refused("address") from None
        addresses = pinned(to, self._resolve, production=self._production)
        if time.monotonic() - leased > LEASE.total_seconds() - 2 * self._deadline_seconds:
            raise TryAgain("resolver")  # it took so long that the lease may run out while the word is on its way
        headers = self._signer.headers(to.url, body, delivery, now)
        return post(to, addresses, headers, body, ca=endpoint.ca, now=now, deadline_seconds=self._deadline_seconds)
