"""What is to be done with a delivery whose turn has come: pure, from what may be said now and what went before.

    the receiver has nothing      it is new
    it has, or may have, another  an update takes its place
    nothing may be said any more  what it has, or may have, is recalled; what never left is not sent at all
    the same is to be said        the same bytes under the same id, until they are acknowledged

So a correction overtakes what waits, and becomes one message with it; a retraction of what never left leaves nothing.
Whether a try arrived that nobody answered, nobody knows: then an update goes, and where the receiver knows nothing of
the referral, it is sent it as new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Row

from gateway.decide import Outcome
from gateway.decision import Reason as Because
from gateway.delivery.channel import Reason
from gateway.delivery.content import Content
from gateway.delivery.policy import TRIES


@dataclass(frozen=True, slots=True)
class Held:
    """What a receiver has of a referral: the last it acknowledged, and the last it may have."""

    has: str | None = None
    digest: bytes | None = None
    may_have: str | None = None

    @property
    def newest(self) -> str | None:
        """The parcel that another takes the place of; None where the receiver has nothing, as far as is known."""
        return self.may_have or self.has


def held(rows: Sequence[Row[Any]]) -> Held:
    """What the deliveries of one referral to one endpoint, in their order, say of what the receiver has."""
    found = Held()
    for row in rows:
        cancel = row.reason == Reason.CANCEL
        if row.acknowledged_at is not None:
            found = Held() if cancel else Held(row.id, bytes(row.digest))
        elif row.unknown:
            found = Held()
        elif row.doubts:
            found = Held(found.has, found.digest, row.id)
    return found


class Do(Enum):
    """What to do."""

    SEND = "send"  # write it, and send it
    AGAIN = "again"  # send the same bytes again
    FORGET = "forget"  # nothing is to be said: the note goes
    STOP = "stop"  # it must not be said, and nothing of it was
    HAND_OVER = "hand-over"  # a human has to
    LEAVE = "leave"  # not now


@dataclass(frozen=True, slots=True)
class Turn:
    """What to do with a delivery. `replaces` says that it takes the place of the one whose turn it was.

    `settles` says that the receiver has, or lacks, what it should: what was given up before is nobody's task any more.
    """

    do: Do
    reason: Reason | None = None
    supersedes: str | None = None
    replaces: bool = False
    settles: bool = False
    why: str | None = None


def turn_of(  # noqa: PLR0911 - a line for each case, in the order in which they count
    own: Row[Any], others: Sequence[Row[Any]], content: Content | None, *, hides: bool
) -> Turn:
    """What to do with the delivery `own`; `others` are those before it. `content` None is erased."""
    written = own.reason is not None
    if content is None:
        return Turn(Do.STOP, why="erased")
    because = content.decision.reason
    if because is Because.NO_AGREEMENT:
        return Turn(Do.LEAVE)
    if because is Because.CONNECTED:
        return Turn(Do.HAND_OVER, why=because.value)
    if content.decision.outcome is Outcome.DENIED:  # the team is no recipient any more: not even a recall goes to it
        return Turn(Do.STOP, why=because.value)
    before = held([*others, own] if written else others)
    if content.record is None:
        return _recall(own, before, content)
    if not hides:
        return Turn(Do.HAND_OVER, why="online-access")
    if written and own.reason != Reason.CANCEL and bytes(own.digest) == content.digest:
        return _again(own)
    if before.has is not None and before.may_have is None and before.digest == content.digest:
        return Turn(Do.FORGET, settles=True)
    if before.newest is None and content.row.closed_at is not None:
        return Turn(Do.FORGET, settles=True)  # the team is done with it, by another way than this
    reason = Reason.UPDATE if before.newest else Reason.NEW
    return Turn(Do.SEND, reason, before.newest, replaces=written)


def _recall(own: Row[Any], before: Held, content: Content) -> Turn:
    if own.reason == Reason.CANCEL:
        return _again(own)
    if before.newest is not None:
        return Turn(Do.SEND, Reason.CANCEL, before.newest, replaces=own.reason is not None)
    if content.decision.reason is Because.NOTHING_RELEASED and not content.withdrawn:
        return Turn(Do.HAND_OVER, why=Because.NOTHING_RELEASED.value)  # this channel can carry none of it
    if own.number > 1 and own.reason is None:
        return Turn(Do.FORGET, settles=True)  # what was said before is recalled, or was never said
    return Turn(Do.STOP, settles=True, why="withdrawn" if content.withdrawn else content.decision.reason.value)


def _again(own: Row[Any]) -> Turn:
    if own.attempts >= TRIES:  # the last try never reported: its gateway stopped
        return Turn(Do.HAND_OVER, why="no-report")
    return Turn(Do.AGAIN, Reason(own.reason), own.supersedes)
