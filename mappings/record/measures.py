"""What courts and police did to protect somebody: orders and bail with their end, arrest and release.

Source: domain.md sections 1.3 and 4.1.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from mappings.record.part import Code, Item, Part, Ref

_LONDON = ZoneInfo("Europe/London")


class Order(Part):
    """A court or police order, or bail conditions: whom it binds, whom it protects, and when it ends.

    A day of expiry is its last day, in London. `expired` is said on the way out, at the moment of reading, and is no
    part of what is kept.
    """

    gate: ClassVar[str | None] = "orders"
    type: Annotated[Code, Item("orders")]
    subject: Annotated[Ref | None, Item("orders")] = None
    protects: Annotated[Ref | None, Item("orders")] = None
    conditions: Annotated[str | None, Item("orders")] = None
    starts: Annotated[datetime | date | None, Item("orders")] = None
    expires: Annotated[datetime | date | None, Item("orders")] = None
    expired: Annotated[bool | None, Item("orders")] = None

    @property
    def ends_at(self) -> datetime | None:
        """The instant from which it no longer holds; None where it has no end."""
        ends = self.expires
        if ends is None:
            return None
        if not isinstance(ends, datetime):
            ends = datetime.combine(ends + timedelta(days=1), time())
        return ends if ends.tzinfo else ends.replace(tzinfo=_LONDON)


class Custody(Part):
    """What police did with the suspect: arrested, charged, released and how. A release is time-critical (4.1, step 12).

    `event` is a code of `codes/custody.json`; an unknown one is kept.
    """

    gate: ClassVar[str | None] = "police.custody"
    event: Annotated[Code, Item("police.custody")]
    subject: Annotated[Ref | None, Item("police.custody")] = None
    at: Annotated[AwareDatetime | None, Item("police.custody")] = None

    @property
    def is_release(self) -> bool:
        """Whether the suspect is at large from then on, whatever the conditions."""
        return self.event.startswith("released")
