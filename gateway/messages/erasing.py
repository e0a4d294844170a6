"""Messages are erased: those of nobody here after a day, the others when an input that nobody could use would go.

A hospital's feed is of all its patients. What was never about a case is kept only as long as somebody might ask what
was sent (UK GDPR Art. 5(1)(c) and (e)); its digest and its answer stay. One on whose case a legal hold lies is kept.

Source: domain.md sections 3.7 (retention), 3.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, or_, select, update

from audit.entry import Operation, timestamp
from gateway.evidence import Event, act
from gateway.messages.keeping import Became
from gateway.store import tables
from gateway.store.batch import Batch, Unit

NOBODY_KEPT = timedelta(days=1)
"""How long the bytes of a message about nobody here are kept."""

_OF_NOBODY = frozenset(
    {Became.NOBODY.value, Became.NOTHING_TO_DO.value, Became.NOTHING_NEW.value, Became.NOT_SURE.value}
)


@dataclass(frozen=True, slots=True)
class EraseMessages(Unit[int]):
    """Erase the bytes of messages received before an instant; returns how many, at most `most`.

    `before` None is where no agreement says when the others go: then only those of nobody do.
    """

    before: datetime | None
    most: int = 200

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        asked = {
            "log": batch.log_id,
            "before": timestamp(self.before) if self.before else "",
            "nobody": timestamp(batch.now - NOBODY_KEPT),
            "most": self.most,
        }
        rows = batch.read(_DUE, asked)
        if not rows:
            return 0
        batch.update(_EMPTY, {"of": [row.id for row in rows], "now": batch.at})
        detail: dict[str, str | int] = {"class": "message", "messages": len(rows)}
        batch.seal(
            act(Event.RECORD_ERASED, Operation.ERASURE, at=batch.at, caller=None, reason="received", detail=detail)
        )
        return len(rows)


_m, _h = tables.hl7_message, tables.legal_hold
_DUE = (
    select(_m.c.id)
    .where(
        _m.c.log_id == bindparam("log"),
        _m.c.erased_at.is_(None),
        or_(
            _m.c.received_at <= bindparam("before"),
            _m.c.became.in_(sorted(_OF_NOBODY)) & (_m.c.received_at <= bindparam("nobody")),
        ),
        ~exists(
            select(_h.c.id).where(
                _h.c.log_id == bindparam("log"), _h.c.event_id == _m.c.about, _h.c.lifted_at.is_(None)
            )
        ),
    )
    .order_by(_m.c.received_at, _m.c.id)
    .limit(bindparam("most"))
)
_EMPTY = (
    update(_m)
    .where(_m.c.id.in_(bindparam("of", expanding=True)))
    .values(content=None, content_key=None, erased_at=bindparam("now"))
)
