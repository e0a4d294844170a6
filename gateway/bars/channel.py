"""The channel `bars`: a referral as a servicerequest-request, posted to a trust's `$process-message`.

Every try sends the same bytes under the same X-Request-Id, which is the delivery's, and is signed (RFC 9421). The
answer says whether this very message arrived; one that is about another counts for nothing.

Source: domain.md section 2.5; the taxonomy is `mappings/nhs/bars/words.toml`.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import orjson

from adapters.nhs import bars
from adapters.nhs.fhir import JSON_TYPE, FhirUnwritable, carries
from gateway.delivery.channel import CannotWrite, Endpoint, NotSent, Parcel, Reason, Refused, Reply, TryAgain
from gateway.webhook.address import AddressRefused, Resolve, Target, pinned, system_resolve, target
from gateway.webhook.posting import exchange
from gateway.webhook.signing import Signer

PREFIX: Final = "/bars/FHIR/R4"
"""Where messages to us are taken, below the public address."""
SERVICE, CA = "service", "ca"
"""The options: which service of the receiver is meant (its id, or `system|id`), and the PEM it is trusted by."""
ACCEPT: Final = f"{JSON_TYPE}; version=1.4"  # of the specification whose messages these are like
TAG: Final = "provide-gateway-message"
ITEMS: Final = frozenset[str]().union(*(carries(type_) for type_ in bars.TYPES))
_REASONS: Final = {Reason.NEW: bars.Reason.NEW, Reason.UPDATE: bars.Reason.UPDATE, Reason.CANCEL: bars.Reason.UPDATE}


class BarsChannel:
    """Writes and sends messages. `base_url` is where we are answered at, `version` the software's."""

    name = "bars"
    items = ITEMS

    def __init__(
        self, signer: Signer, *, base_url: str, version: str, production: bool, resolve: Resolve = system_resolve
    ) -> None:
        self._signer = signer
        self._base_url = base_url
        self._version = version
        self._production = production
        self._resolve = resolve

    def check(self, address: str, options: Mapping[str, str], *, production: bool) -> None:
        """Refuse an address or options that no message could go by. Raises ValueError."""
        try:
            target(address, production=production)
        except AddressRefused as refused:
            raise ValueError(str(refused)) from None
        if not options.keys() <= {SERVICE, CA}:
            raise ValueError(f"the options are {SERVICE} and {CA}")
        service_of(options)
        check_authority(options.get(CA))

    def write(self, parcel: Parcel, endpoint: Endpoint) -> bytes:
        """The message Bundle. Raises CannotWrite."""
        reply_to = f"{self._base_url}/$process-message"
        frame = bars.Frame(parcel.id, service_of(endpoint.options), reply_to, self._version, parcel.created_at)
        revoked = parcel.reason is Reason.CANCEL
        try:
            return bars.write_message(parcel.record, parcel.referral, frame, _REASONS[parcel.reason], revoked=revoked)
        except FhirUnwritable as fault:
            raise CannotWrite(str(fault)) from None

    def send(self, endpoint: Endpoint, parcel_id: str, body: bytes, deadline: float) -> Reply:
        """Post it, and judge the answer. Raises TryAgain, NotSent, Refused."""
        try:
            to = process_message(target(endpoint.address, production=self._production))
        except AddressRefused:
            raise Refused("address") from None
        now = datetime.now(UTC)
        try:
            addresses = pinned(to, self._resolve, production=self._production)
        except TryAgain as unresolved:
            raise NotSent(unresolved.code) from None
        signed = self._signer.headers(to.url, body, parcel_id, now, content_type=JSON_TYPE, tag=TAG)
        headers = {**signed, **self._named(endpoint, parcel_id, body), "Accept": ACCEPT}
        answer = exchange(
            to,
            addresses,
            headers,
            body,
            ca=endpoint.options.get(CA),
            now=now,
            deadline_seconds=deadline,
            answer_max_bytes=bars.ANSWER_MAX_BYTES,
        )
        judged = bars.judge(answer.status, answer.body, parcel_id)
        if judged.meaning is bars.Meaning.AGAIN:
            raise TryAgain(judged.code, answer.after)
        if judged.meaning is bars.Meaning.REFUSED:
            raise Refused(judged.code)
        return Reply(judged.reference)

    def _named(self, endpoint: Endpoint, parcel_id: str, body: bytes) -> dict[str, str]:
        """Who is meant and who asks, as the message itself says: its referral is the conversation."""
        entries = orjson.loads(body)["entry"]
        by_url = {one["fullUrl"]: one["resource"] for one in entries}
        sender = by_url[entries[0]["resource"]["sender"]["reference"]]
        referral = entries[1]["resource"]["id"]
        return bars.write_headers(service_of(endpoint.options), sender, self._version, parcel_id, referral)


def service_of(options: Mapping[str, str]) -> bars.Service:
    """The service of the receiver that an endpoint names. Raises ValueError."""
    system, bar, value = options.get(SERVICE, "").rpartition("|")
    if not value or not options[SERVICE].isprintable() or " " in options[SERVICE]:
        raise ValueError(f"the option {SERVICE} is the receiver's service id, or system|id")
    return bars.Service(system if bar else bars.words().systems["service"], value)


def check_authority(pem: str | None) -> None:
    """Refuse what is no PEM certificate. Raises ValueError."""
    if pem is None:
        return
    try:
        ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise ValueError("the authority is not a PEM certificate") from None


def process_message(base: Target) -> Target:
    """Where the messages of a receiver go, by its base address."""
    path = f"{base.path.rstrip('/')}/$process-message"
    return replace(base, url=f"{base.url.rstrip('/')}/$process-message", path=path)
