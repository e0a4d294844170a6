"""Subscriptions of a team's client: made after a handshake, read and ended by that client alone, each step sealed.

A subscription is an endpoint of `gateway.delivery`, with all that stops one: the agreement suspended, the client
revoked. What it is told holds nothing that online access could show, and so the endpoint counts as one that hides. One
of another client is as good as none (P8).

Source: FHIR R4 Subscription; design.md section 9.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.nhs.fhir.subscription import Status, Subscribed, read_subscription, write_subscription
from audit.entry import Operation
from audit.receipt import Receipt
from gateway.agreement import Status as AgreementStatus
from gateway.callers import check_named, check_recipient
from gateway.delivery.circuit import OPEN_AFTER
from gateway.delivery.endpoints import AddEndpoint, EndpointRefused, Find, Registered, RemoveEndpoint, endpoints
from gateway.delivery.fault import NotDelivered
from gateway.errors import Detail, NotFound, Unprocessable
from gateway.evidence import Caller, Event, act
from gateway.services import Services
from gateway.settings import Environment
from gateway.store.batch import Batch, Unit
from gateway.subscriptions.channel import NAME, SubscriptionChannel, options_of, subscribed
from gateway.terms import Standing
from gateway.under_agreement import decided, log_of, standing_of

MOST = 10
"""How many a client can have: each is served by a thread of its own while it has something to be told."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A subscription as it is answered: its id, its resource, and the receipt of the step, if there was one."""

    id: str
    body: bytes
    log_id: str
    receipt: Receipt | None = None


async def subscribe(services: Services, find: Find, caller: Caller, body: bytes) -> Kept:
    """Make a subscription. Raises FhirRefused, Unprocessable, NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)
    asked = read_subscription(body)
    options = options_of(asked)
    channel = find(NAME, options)

    async def attempt() -> Kept:
        # 1. Who asks: a recipient of the agreement, by a person who answers for what arrives.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        check_named(caller)
        unit = Subscribe(_endpoint(services, find, caller, asked, standing), caller, standing)
        try:
            # 2. Whether anything may be pushed there, and whether somebody is there who takes it.
            unit.endpoint.check()
            if isinstance(channel, SubscriptionChannel):
                await asyncio.to_thread(channel.handshake, asked.endpoint)
            # 3. Keep and seal.
            committed = await services.journals.of(log_id).submit(unit)
        except EndpointRefused as refused:
            raise _refused(str(refused)) from None
        except NotDelivered as fault:
            raise _refused(f"the endpoint did not take the handshake ({fault.code})") from None
        made = write_subscription(committed.value, asked, Status.ACTIVE, datetime.now(UTC))
        return Kept(committed.value, made, log_id, committed.receipt)

    return await decided(services, caller, log_id, attempt)


async def subscriptions(services: Services, caller: Caller) -> Sequence[Kept]:
    """The subscriptions of a client, the oldest first. Raises NotPermitted."""
    log_id = await log_of(services, caller)
    standing = await standing_of(services, log_id)
    found = await _own(services, caller, log_id)
    return [
        Kept(one.id, write_subscription(one.id, *_said(one, standing), datetime.fromisoformat(one.added_at)), log_id)
        for one in found
    ]


async def subscription(services: Services, caller: Caller, id_: str) -> Kept:
    """One subscription of a client. Raises NotFound."""
    found = next((one for one in await subscriptions(services, caller) if one.id == id_), None)
    if found is None:
        raise NotFound("there is no such subscription")
    return found


async def unsubscribe(services: Services, caller: Caller, id_: str) -> Kept:
    """End a subscription: nothing more is told. Raises NotFound, NotPermitted, Busy, NotSealed."""
    kept = await subscription(services, caller, id_)

    async def attempt() -> Kept:
        standing = await standing_of(services, kept.log_id)
        unit = Unsubscribe(RemoveEndpoint(id_, standing), caller, standing)
        try:
            committed = await services.journals.of(kept.log_id).submit(unit)
        except EndpointRefused:
            raise NotFound("there is no such subscription") from None
        return Kept(id_, kept.body, kept.log_id, committed.receipt)

    return await decided(services, caller, kept.log_id, attempt)


@dataclass(frozen=True, slots=True)
class Subscribe(Unit[str]):
    """Keep a subscription; returns its id. Raises EndpointRefused."""

    endpoint: AddEndpoint
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> str:
        """Register the endpoint and seal `subscription-created`."""
        held = batch.ask(lambda connection: len(_of_client(endpoints(connection, batch.log_id), self.caller)))
        if held >= MOST:
            raise EndpointRefused(f"a client has at most {MOST} subscriptions: end one first")
        id_ = self.endpoint.apply(batch)
        _seal(batch, Event.SUBSCRIPTION_CREATED, self.caller, self.standing, id_)
        return id_


@dataclass(frozen=True, slots=True)
class Unsubscribe(Unit[None]):
    """End a subscription. Raises EndpointRefused."""

    endpoint: RemoveEndpoint
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> None:
        """Remove the endpoint and seal `subscription-ended`."""
        self.endpoint.apply(batch)
        _seal(batch, Event.SUBSCRIPTION_ENDED, self.caller, self.standing, self.endpoint.endpoint_id)


def _endpoint(services: Services, find: Find, caller: Caller, asked: Subscribed, standing: Standing) -> AddEndpoint:
    return AddEndpoint(
        client=caller.client,
        channel=NAME,
        address=asked.endpoint,
        options=options_of(asked),
        user=caller.user or "",
        role=caller.role or "unknown",
        hides_from_online_access=True,
        standing=standing,
        find=find,
        production=services.settings.environment is Environment.PRODUCTION,
    )


async def _own(services: Services, caller: Caller, log_id: str) -> list[Registered]:
    return await services.database.read(lambda connection: _of_client(endpoints(connection, log_id), caller))


def _of_client(found: Sequence[Registered], caller: Caller) -> list[Registered]:
    return [one for one in found if one.client == caller.client and one.endpoint.channel == NAME]


def _said(one: Registered, standing: Standing) -> tuple[Subscribed, Status]:
    """A subscription and how it stands: off where nothing may go now, error where its endpoint does not answer."""
    kept = subscribed(one.endpoint.address, one.endpoint.options)
    terms = standing.terms
    if terms is None or terms.standing(datetime.now(UTC)).status is not AgreementStatus.IN_FORCE:
        return kept, Status.OFF
    return kept, Status.ERROR if one.circuit.failures >= OPEN_AFTER else Status.ACTIVE


def _seal(batch: Batch, event: Event, caller: Caller, standing: Standing, id_: str) -> None:
    detail = {"subscription": id_}
    ref = standing.agreement_ref
    batch.seal(act(event, Operation.ADMINISTRATION, at=batch.at, caller=caller, agreement=ref, detail=detail))


def _refused(words: str) -> Unprocessable:
    return Unprocessable(words, details=(Detail("Subscription.channel.endpoint", "not-supported", words),))
