"""The delivery channel `mllp`: a referral as REF^I12 to a trust's integration engine, and its acknowledgement.

The control id of a message derives from the parcel's, so that every try has the same MSH-10, and a receiver knows a
message it has had. AE and CE are for a human, AR and CR are tried again unless they say why that cannot help, and so is
whatever nobody answered.

Options of an endpoint: `ca` (PEM of the receiver's authority), `application` and `facility` (MSH-5, MSH-6), `ack` (`AA`
by default; `CA` where the receiver sends no application acknowledgement).

Source: domain.md sections 1.1, 2.9.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Final

from adapters.nhs import hl7v2
from gateway.delivery.channel import CannotWrite, Endpoint, Parcel, Refused, Reply
from gateway.mllp.client import exchange, target
from gateway.mllp.tls import TlsUnusable, client_context

SENDER: Final = ("PROVIDE-GATEWAY", "PROVIDE")
"""MSH-3 and MSH-4 of what the gateway sends and answers."""

_OPTIONS: Final = frozenset({"ca", "application", "facility", "ack"})
_LAST: Final = frozenset({"AA", "CA"})
_HEX: Final = 25  # digits of the parcel's UUID that a control id holds: 100 bits
_CUTS: Final = (0, 8, 12, 16, 20, _HEX)  # where a UUID has its hyphens


def control_id(parcel_id: str) -> str:
    """The MSH-10 of a parcel: 100 bits of its UUID in base32, twenty characters, the most that version 2.4 has."""
    bits = int(uuid.UUID(parcel_id).hex[:_HEX], 16)
    return "".join(_DIGITS[bits >> at & 31] for at in range(95, -1, -5))


def parcels_of(control_id: str) -> str | None:
    """What the id of the parcel of a control id begins with; None where it is none of ours."""
    if not _ID.fullmatch(control_id):
        return None
    bits = 0
    for digit in control_id:
        bits = bits << 5 | _DIGITS.index(digit)
    digits = f"{bits:0{_HEX}x}"
    return "-".join(digits[start:end] for start, end in pairwise(_CUTS))


@dataclass(frozen=True, slots=True)
class Mllp:
    """The channel. `certificate` and `key` are the gateway's own, PEM files; without them it shows none.

    `processing` is MSH-11: `P` in production, `T` elsewhere, so that no trust takes a trial for a referral.
    """

    certificate: Path | None
    key: Path | None
    processing: str
    name: ClassVar[str] = "mllp"
    items: ClassVar[frozenset[str]] = hl7v2.ITEMS

    def check(self, address: str, options: Mapping[str, str], *, production: bool) -> None:
        """Refuse what could not be worked with. Raises ValueError."""
        to = target(address)
        if not to.secure and (production or not _is_loopback(to.host)):
            raise ValueError("without TLS the address must be this machine's own, and never in production")
        if not options.keys() <= _OPTIONS:
            raise ValueError(f"an option is none of {', '.join(sorted(_OPTIONS))}")
        if options.get("ack", "AA") not in _LAST:
            raise ValueError("the option ack is neither AA nor CA")
        try:
            client_context(options.get("ca"), self.certificate, self.key)
        except TlsUnusable as unusable:
            raise ValueError(str(unusable)) from None

    def write(self, parcel: Parcel, endpoint: Endpoint) -> bytes:
        """The REF^I12, the same at every try. Raises CannotWrite."""
        receiver = (endpoint.options.get("application", ""), endpoint.options.get("facility", endpoint.organisation))
        try:
            return hl7v2.write_referral(
                parcel.record,
                parcel.referral,
                parcel.reason.value,
                control_id=control_id(parcel.id),
                sender=SENDER,
                receiver=receiver,
                at=parcel.created_at,
                processing=self.processing,
            )
        except hl7v2.CannotSay as cannot:
            raise CannotWrite(str(cannot)) from cannot

    def send(self, endpoint: Endpoint, parcel_id: str, body: bytes, deadline: float) -> Reply:
        """Send and wait for the acknowledgement of this message. Raises TryAgain, NotSent, Refused, Unknown."""
        to = target(endpoint.address)
        try:
            tls = client_context(endpoint.options.get("ca"), self.certificate, self.key) if to.secure else None
        except TlsUnusable:
            raise Refused("tls-settings") from None
        said = exchange(to, body, control_id(parcel_id), deadline, tls, last=endpoint.options.get("ack", "AA"))
        return Reply(said.reference)


_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ID: Final = re.compile(rf"[{_DIGITS}]{{20}}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
