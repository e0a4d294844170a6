"""The channel `subscription`: a signed POST to a team's system, that a referral has come or changed.

It carries no data item but that there is one, so whatever changes a referral is worth telling. A referral that the
criteria do not ask for is passed over. Any 2xx acknowledges; nothing of the answer is read.

Source: FHIR R4 Subscription (rest-hook); RFC 9421.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from adapters.nhs.fhir import JSON_TYPE, FhirRefused
from adapters.nhs.fhir.subscription import Payload, Subscribed, criteria_of, write_notification
from gateway.chance import fresh_id
from gateway.delivery.channel import BARE, Endpoint, Parcel, Refused, Reply, Unwanted
from gateway.webhook.address import AddressRefused, Resolve, pinned, system_resolve, target
from gateway.webhook.posting import post
from gateway.webhook.signing import Signer

NAME: Final = "subscription"
TAG: Final = "provide-gateway-notification"
HANDSHAKE_SECONDS: Final = 5.0  # somebody waits for the answer to their request
_CRITERIA, _PAYLOAD = "criteria", "payload"


class SubscriptionChannel:
    """Tells of referrals. `ca` is the PEM of the authorities trusted in place of the machine's own."""

    name = NAME
    items = BARE

    def __init__(
        self, signer: Signer, *, production: bool, resolve: Resolve = system_resolve, ca: str | None = None
    ) -> None:
        self._signer = signer
        self._production = production
        self._resolve = resolve
        self._ca = ca

    def check(self, address: str, options: Mapping[str, str], *, production: bool) -> None:
        """Refuse an address nothing may be pushed to, and criteria that are not served. Raises ValueError."""
        try:
            target(address, production=production)
            criteria_of(subscribed(address, options).criteria)
        except AddressRefused as refused:
            raise ValueError(str(refused)) from None
        except (FhirRefused, KeyError):
            raise ValueError("the options are criteria and payload, as a Subscription has them") from None

    def write(self, parcel: Parcel, endpoint: Endpoint) -> bytes:
        """The notification. Raises Unwanted where the criteria do not ask for the referral."""
        kept = subscribed(endpoint.address, endpoint.options)
        if not criteria_of(kept.criteria).met(parcel.referral):
            raise Unwanted
        return write_notification(endpoint.id, kept.payload, parcel.referral, parcel.created_at)

    def send(self, endpoint: Endpoint, parcel_id: str, body: bytes, deadline: float) -> Reply:
        """Post it, signed. Raises TryAgain, Refused."""
        self._post(endpoint.address, parcel_id, body, deadline)
        return Reply()

    def handshake(self, address: str) -> None:
        """Post once, empty, before a subscription is kept. Raises TryAgain, Refused."""
        self._post(address, fresh_id(), b"", HANDSHAKE_SECONDS)

    def _post(self, address: str, id_: str, body: bytes, deadline: float) -> None:
        try:
            to = target(address, production=self._production)
        except AddressRefused:
            raise Refused("address") from None
        addresses = pinned(to, self._resolve, production=self._production)
        now = datetime.now(UTC)
        headers = self._signer.headers(to.url, body, id_, now, content_type=JSON_TYPE, tag=TAG)
        post(to, addresses, headers, body, ca=self._ca, now=now, deadline_seconds=deadline)


def options_of(kept: Subscribed) -> dict[str, str]:
    """A subscription as an endpoint's options."""
    return {_CRITERIA: kept.criteria, _PAYLOAD: kept.payload.value}


def subscribed(address: str, options: Mapping[str, str]) -> Subscribed:
    """The subscription that an endpoint holds. Raises KeyError, ValueError."""
    return Subscribed(options[_CRITERIA], address, Payload(options[_PAYLOAD]))
