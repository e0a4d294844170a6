"""What every referral says of a trace: that there is a number, and that somebody of the household is restricted.

A referral bears the highest label of its victim and her children. Children are in the record of every victim of an
event, and live somewhere with one of them: where there are any, every referral of the event bears the highest of all.
So no child's address tells where a restricted mother lives, nor hers where a restricted child does.

Source: domain.md sections 2.6 (no address is written back), 2.11 (the highest label of all), 4.5 (N1).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, select

from gateway.decide import Facts
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead
from gateway.store.records import subject_of
from gateway.store.traced import Sought


def note(batch: Batch, row: Row[Any], record_id: str, *, label: str | None, number: bytes | None) -> None:
    """Have every referral of a version say what was traced; its next version tells every reader.

    `label` and `number`, the blind form of a verified one, are of whoever this trace looks for. Reads, so a unit calls
    it before it writes.
    """
    others = batch.read(_LABELS, {"log": batch.log_id, "event": row.event_id, "id": row.id})
    household = bool(row.child) or any(one.child for one in others)
    highest = _highest(label, *(one.label for one in others if household or one.victim == row.victim))
    rows = batch.read(_REFERRALS, {"log": batch.log_id, "event": row.event_id, "of": record_id})
    sought = Sought.of(row)
    subject = subject_of(record_id, sought.ref)
    name = {"log_id": batch.log_id, "digest": number, "record_id": record_id, "subject": subject}
    if number is not None and not batch.read(_NAMED, name):
        batch.insert(tables.blind_index, name)
    for one in rows:
        own = one.victim == row.victim
        added = number is not None and own
        said = highest if own or household else one.label
        if not added and one.label == said:
            continue
        facts = Facts.from_json(orjson.loads(one.facts))
        items = tuple(sorted({*facts.items, *((sought.number,) if added else ())}))
        known = orjson.dumps(replace(facts, items=items).to_json()).decode()
        head = ReferralHead(one.version + 1, one.status, one.state, record_id)
        batch.change_referral(one.id, head, {"facts": known, "label": said})


def _highest(*labels: str | None) -> str | None:
    """The strictest of these labels: V before R, and R before none."""
    return max(filter(None, labels), default=None)  # as the letters go


_t, _f, _b = tables.trace, tables.referral, tables.blind_index
_LABELS = select(_t.c.victim, _t.c.child, _t.c.label).where(
    _t.c.log_id == bindparam("log"), _t.c.event_id == bindparam("event"), _t.c.id != bindparam("id")
)
_REFERRALS = (
    select(_f.c.id, _f.c.victim, _f.c.version, _f.c.status, _f.c.state, _f.c.facts, _f.c.label)
    .where(
        _f.c.log_id == bindparam("log"),
        _f.c.event_id == bindparam("event"),
        _f.c.record_id == bindparam("of"),
        _f.c.erased_at.is_(None),
    )
    .order_by(_f.c.id)
)
_NAMED = select(_b.c.record_id).where(
    _b.c.log_id == bindparam("log_id"),
    _b.c.digest == bindparam("digest"),
    _b.c.record_id == bindparam("record_id"),
    _b.c.subject == bindparam("subject"),
)
