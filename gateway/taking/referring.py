"""A referral as an offer makes it: its row, its priority, and what past recipients are told when it changes.

Pure: an offer and a record in, values out. The units beside it write them.

Source: domain.md sections 4.1 (step 6), 4.5 (N10, N14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row

from audit.entry import timestamp
from gateway.chance import fresh_id
from gateway.facts import Facts
from gateway.grades import is_lower
from gateway.intake import Offer
from gateway.notices import Kind, Matter
from mappings.record import ConsentState, Grade, Record, RecordKind
from mappings.referral import Priority, Referral, ReferralState, ReferralStatus


def new_referral(offer: Offer, record: Record, now: datetime) -> Referral:
    """The referral a permitted offer makes."""
    decision = offer.decision
    return Referral(
        id=fresh_id(),
        version=1,
        status=ReferralStatus.REQUESTED,
        state=ReferralState.OFFERED,
        priority=priority_of(offer.facts.grade),
        team=offer.recipient,
        organisation=decision.organisation or "",
        force=offer.facts.source or "",
        area=offer.facts.area,
        grade=Grade(offer.facts.grade) if offer.facts.grade else None,
        assessed_at=assessed_at(record, offer.victim),
        created_at=now,
        updated_at=now,
        respond_by=decision.respond_by,
    )


def priority_of(grade: str | None) -> Priority:
    """How soon: high and unknown risk first (P6: an unknown grade is never taken for a low one)."""
    return _PRIORITIES.get(grade or "", Priority.ASAP)


_PRIORITIES: Mapping[str, Priority] = {Grade.STANDARD: Priority.ROUTINE, Grade.MEDIUM: Priority.URGENT}


def assessed_at(record: Record, victim: str) -> datetime | None:
    """When a victim was assessed last."""
    times = [a.at for a in record.assessments if a.at and a.subject in {None, victim}]
    return max(times, default=None)


def shown(
    reference: str, recipient: str, priority: Priority, respond_by: datetime | None, changes: Sequence[str] = ()
) -> Mapping[str, Any]:
    """A referral as its sender is told of it; `changes` are what a later record did to it, in codes."""
    told: dict[str, Any] = {
        "reference": reference,
        "recipient": recipient,
        "priority": priority.value,
        "respond_by": timestamp(respond_by) if respond_by else None,
    }
    return told | ({"changes": list(changes)} if changes else {})


def matter_of(offer: Offer, row: Row[Any], record: Record) -> Matter:
    """What past recipients are told of a later version: what became of the referral, and why, in codes."""
    before, now = Facts.from_json(orjson.loads(row.facts)), offer.facts
    kind, reason = Kind.CORRECTED, "content"
    if record.kind is RecordKind.RETRACTION:
        kind, reason = Kind.RETRACTED, "entered-in-error"
    elif offer.makes_referral:
        reason = "grade" if now.grade != before.grade else reason
        reason = "grade-lowered" if is_lower(now.grade, before.grade) else reason
    elif now.consent in _NO_LONGER:
        kind, reason = _NO_LONGER[now.consent], offer.decision.reason.value
    else:
        kind, reason = Kind.STOPPED, offer.decision.reason.value
    return Matter(kind, row.event_id, row.id, row.record_id, reason)


_NO_LONGER = {ConsentState.REFUSED.value: Kind.CONSENT_REFUSED, ConsentState.WITHDRAWN.value: Kind.CONSENT_WITHDRAWN}
