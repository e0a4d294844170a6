"""The socket every way of delivery fits: a parcel becomes bytes, and bytes go to an endpoint until it says it has them.

A channel knows its format and its transport. It knows nothing of agreements, storage or evidence: what is in a parcel
was decided and minimised before, narrowed to the `items` the channel names. `write` is pure. `send` blocks, in a thread
of the courier, and ends by its deadline. Channels are listed in `gateway.channels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.delivery.fault import NotDelivered, NotSent, Refused, TryAgain, Unknown
from mappings.record import Record
from mappings.referral import Referral

__all__ = [
    "BARE",
    "CannotWrite",
    "Channel",
    "Endpoint",
    "NotDelivered",
    "NotSent",
    "Parcel",
    "Reason",
    "Refused",
    "Reply",
    "TryAgain",
    "Unknown",
    "Unwanted",
]


class Reason(StrEnum):
    """Why a parcel goes. An update that the receiver knows no referral for (`Unknown`) goes again as new."""

    NEW = "new"
    UPDATE = "update"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One referral on its way to one endpoint.

    `id` is a UUID, the delivery's, and the same at every try: message control id, request id and Bundle id derive from
    it. `record` is decided and minimised for the endpoint's team; on a cancel it holds nothing but its kind.
    `supersedes` is the id of the parcel of this referral that the endpoint acknowledged last, or may have since, None
    where it has none.
    `created_at` is aware, and the same at every try.
    """

    id: str
    reason: Reason
    referral: Referral
    record: Record
    supersedes: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A system of a team that is delivered to: `organisation` by its ODS code, `team` as the agreement names it.

    `address` is in the form of the channel (`mllps://host:port`, `https://…`, a folder), `options` are the channel's
    own. `hides_from_online_access` is declared by whoever runs the system: that the patient's online access, which a
    perpetrator may hold, does not show what is delivered (domain.md section 1.1).
    """

    id: str
    log_id: str
    organisation: str
    team: str
    channel: str
    address: str
    options: Mapping[str, str]
    hides_from_online_access: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """The receiver has this very message; `reference` is its own name for it, where it gave one."""

    reference: str | None = None


class CannotWrite(Exception):
    """A parcel that this channel's format cannot say: a human must. The message names a path, never a value."""


class Unwanted(CannotWrite):
    """A parcel that this endpoint asked not to be given: nothing goes, and nobody misses it."""

    def __init__(self) -> None:
        super().__init__("not asked for")


BARE = frozenset({"event.kind"})
"""The items of a channel that says no more than that there is a referral: whatever changes one is news to it."""


class Channel(Protocol):
    """One way of delivery."""

    @property
    def name(self) -> str:
        """What an endpoint names it by."""

    @property
    def items(self) -> frozenset[str]:
        """The data items its message can carry: the decision is narrowed to them."""

    def check(self, address: str, options: Mapping[str, str], *, production: bool) -> None:
        """Refuse an address or an option it could not work with. Raises ValueError, which never repeats the value."""

    def write(self, parcel: Parcel, endpoint: Endpoint) -> bytes:
        """The message, pure. Raises CannotWrite, Unwanted."""

    def send(self, endpoint: Endpoint, parcel_id: str, body: bytes, deadline: float) -> Reply:
        """Send what was written and wait until the receiver acknowledges this message, for `deadline` seconds at most.

        Raises TryAgain where nobody can tell whether it arrived, NotSent where no byte of it left; Refused where it
        would be refused again, Unknown where the receiver says that it knows nothing of what is changed or recalled.
        """
