"""What happened in a case so far, and the clocks that run: rows become values again.

Whether somebody may read them is decided before (`case_history`).

Source: domain.md section 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select

from gateway.casework.acts import IN_ERROR
from gateway.casework.keeping import NOTICE_KINDS, content_name
from gateway.casework.replay import counted, standing
from gateway.keys import Keyring
from gateway.store import tables
from gateway.store.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Done:
    """An act as it was kept: what, when it happened and was recorded (aware), by whom, in codes and in words.

    `words` is empty where none were said, and None where they have been erased. `index` is that of its entry.
    `in_error` is what took it back, where it was entered by mistake: then it counts for nothing.
    """

    id: str
    referral_id: str
    index: int
    kind: str
    happened_at: datetime
    recorded_at: datetime
    by: str
    role: str | None
    codes: Mapping[str, Any]
    words: Mapping[str, Any] | None = field(repr=False)
    in_error: Done | None = None

    @property
    def stands(self) -> bool:
        """Whether it is something that was done, and not known to be a mistake."""
        return self.in_error is None and self.kind != IN_ERROR


def history(connection: Connection, keyring: Keyring, referrals: Sequence[str]) -> tuple[Done, ...]:
    """What happened in some cases, in the order it was recorded."""
    if not referrals:
        return ()
    envelope = Envelope(keyring.content_key)
    found = [_done(row, envelope) for row in connection.execute(_HISTORY, {"of": list(referrals)})]
    by = {one.codes["event"]: one for one in found if one.kind == IN_ERROR}
    return tuple(replace(one, in_error=by.get(one.id)) for one in found)


def tries(connection: Connection, referral: str) -> tuple[int, int]:
    """How often she was tried, and how often since she was last reached."""
    return counted(standing([_tried(row) for row in connection.execute(_TRIES, {"of": referral})]))


def running(connection: Connection, referrals: Sequence[str]) -> Sequence[Row[Any]]:
    """The clocks of some cases that have not been stopped, the one due first at the top; those that lapsed too."""
    return connection.execute(_RUNNING, {"of": list(referrals)}).all() if referrals else ()


def untaken(
    connection: Connection, referrals: Sequence[str], organisation: str, team: str | None
) -> Sequence[Row[Any]]:
    """What a team was told of some cases and has not acknowledged, the one due first at the top: corrections above all.

    What their clocks have said is not among it: the clocks say it themselves.
    """
    asked = {"of": list(referrals), "organisation": organisation, "team": team or ""}
    return connection.execute(_UNTAKEN, asked).all() if referrals else ()


@dataclass(frozen=True, slots=True)
class _Tried:
    """An attempt, or what says whether one counts."""

    id: str
    kind: str
    codes: Mapping[str, Any]
    happened_at: datetime


def _tried(row: Any) -> _Tried:  # noqa: ANN401 - a row of those columns
    return _Tried(row.id, row.kind, orjson.loads(row.codes), datetime.fromisoformat(row.happened_at))


def _done(row: Row[Any], envelope: Envelope) -> Done:
    words: Mapping[str, Any] | None = {}
    if row.content is not None:
        opens = row.content_key is not None
        words = orjson.loads(envelope.open(row.content, row.content_key, content_name(row.id))) if opens else None
    return Done(
        row.id,
        row.referral_id,
        row.seq,
        row.kind,
        datetime.fromisoformat(row.happened_at),
        datetime.fromisoformat(row.recorded_at),
        row.by,
        row.role,
        orjson.loads(row.codes),
        words,
    )


_e, _k, _t = tables.case_event, tables.data_key, tables.case_timer
_of: Any = bindparam("of", expanding=True)
_HISTORY = (
    select(_e, _k.c.content_key)
    .outerjoin(_k, _k.c.id == _e.c.id)
    .where(_e.c.referral_id.in_(_of))
    .order_by(_e.c.seq, _e.c.number)
)
_TRIES = (
    select(_e.c.id, _e.c.kind, _e.c.codes, _e.c.happened_at)
    .where(_e.c.referral_id == bindparam("of"), _e.c.kind.in_(("contact-attempt", "engage", IN_ERROR)))
    .order_by(_e.c.seq, _e.c.number)
)
_RUNNING = (
    select(_t).where(_t.c.referral_id.in_(_of), _t.c.stopped_at.is_(None)).order_by(_t.c.due_at, _t.c.referral_id)
)
_n = tables.notice
_UNTAKEN = (
    select(_n)
    .where(
        _n.c.referral_id.in_(_of),
        _n.c.organisation == bindparam("organisation"),
        _n.c.recipient.in_(("", bindparam("team"))),
        _n.c.acknowledged_at.is_(None),
        _n.c.kind.not_in(NOTICE_KINDS),
    )
    .order_by(_n.c.due_at, _n.c.seq)
)
