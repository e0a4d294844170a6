"""What waits in a queue of the database, and whose it is: open, its time come, and leased by nobody.

A lease that ran out is a gateway that stopped in between: the same goes again under the same id. A lease or a wait that
reaches further ahead than any does is of a clock that was set back, and holds nothing up. The rules are the same for
referrals and for words to police; each names its own table.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, or_

from audit.entry import timestamp
from gateway.delivery.policy import AFTER_MAX

LEASE = timedelta(seconds=120)  # a try ends within 20 s of its first connection, and a resolver within a minute


def times(now: datetime) -> dict[str, str]:
    """What the conditions below ask for: the time, and twice as far as a lease or a wait of now reaches."""
    return {"now": timestamp(now), "leased": timestamp(now + 2 * LEASE), "asked": timestamp(now + 2 * AFTER_MAX)}


def still_open(of: Any) -> ColumnElement[bool]:  # noqa: ANN401 - the columns of a queue's table, or of its alias
    """Whether something waits or is on its way."""
    return and_(of.acknowledged_at.is_(None), of.stopped_at.is_(None), of.given_up_at.is_(None))


def leased(of: Any) -> ColumnElement[bool]:  # noqa: ANN401 - as above
    """Whether somebody has it now."""
    return and_(of.leased_until > bindparam("now"), of.leased_until <= bindparam("leased"))


def free(of: Any) -> ColumnElement[bool]:  # noqa: ANN401 - as above
    """Whether nobody has leased it, and its time has come."""
    waits = and_(of.next_at > bindparam("now"), of.next_at <= bindparam("asked"))
    return and_(or_(of.leased_until.is_(None), ~leased(of)), or_(of.next_at.is_(None), ~waits))
