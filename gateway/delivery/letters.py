"""The bytes of a delivery: written once, by the endpoint's channel, and kept encrypted until they are acknowledged.

Every try sends the same bytes, so that a receiver that had them knows them again. They lie under a data key of their
own; when they are acknowledged, stopped or erased, key and bytes go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from gateway.delivery.channel import CannotWrite, Channel, Endpoint, Parcel, Reason
from gateway.delivery.content import NOTHING, Content
from gateway.keys import Keyring
from gateway.store.envelope import Envelope
from gateway.store.records import referral_of


@dataclass(frozen=True, slots=True)
class Letter:
    """A written message, and as it is kept."""

    parcel: str
    body: bytes
    content: bytes
    content_key: bytes


class Letters:
    """Writes messages, and opens those that were written."""

    def __init__(self, keyring: Keyring) -> None:
        self._envelope = Envelope(keyring.content_key)

    def write(
        self,
        channel: Channel,
        endpoint: Endpoint,
        content: Content,
        *,
        parcel: str,
        reason: Reason,
        supersedes: str | None,
        at: datetime,
    ) -> Letter:
        """The message that says `content`. Raises CannotWrite, whatever the channel raises."""
        record = content.record if reason is not Reason.CANCEL and content.record is not None else NOTHING
        referral = referral_of(content.row)
        if reason is Reason.CANCEL:  # routing alone: what was graded and where is no longer to be said
            referral = replace(referral, area=None, grade=None, assessed_at=None, respond_by=None)
        referral = replace(referral, feedback=())  # what the team said itself
        made = Parcel(parcel, reason, referral, record, supersedes, at)
        try:
            body = channel.write(made, endpoint)
        except CannotWrite:
            raise
        except Exception as error:  # the seam owns its errors: whatever a format raises, a human must see to it
            raise CannotWrite(f"{type(error).__name__}") from error
        sealed = self._envelope.seal(body, _place(parcel))
        return Letter(parcel, body, sealed.content, sealed.key)

    def open(self, row: Row[Any]) -> Letter:
        """What was written before. Raises ContentUnreadable."""
        content, key = bytes(row.content), bytes(row.content_key)
        return Letter(row.id, self._envelope.open(content, key, _place(row.id)), content, key)


def _place(parcel: str) -> str:
    return f"delivery.content|{parcel}"
