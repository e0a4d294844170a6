"""Whose side a thing is on: what one organisation sent in is not for another's reviewers to see that it exists (N2).

What police sent may be seen, and decided, by whoever the agreement lets it go to: holds, clocks and reviews are there
for them. What a hospital sent about a patient is the hospital's alone until it is released: that something of it waits
would already tell police of her. What is withheld here is withheld alike from lists, counts and single answers.

Pure but for one query: the rows are the caller's.

Source: domain.md section 4.5 (N2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from gateway.agreement.content import Content
from gateway.notices import Kind
from gateway.store import tables


def decides(content: Content | None, reviewer: str, sender: str) -> bool:
    """Whether a reviewer's organisation may see what a sender's sent in: its own, or of police what may go to it."""
    if reviewer == sender:
        return True
    if content is None:
        return False
    by_code = {party.organisation: party for party in content.parties}
    sent, sees = by_code.get(sender), by_code.get(reviewer)
    if sent is None or sees is None or sees.is_police or not sent.is_police:
        return False
    own = {one.id for one in content.recipients if one.party == sees.id}
    return any(sent.id in flow.from_ and not own.isdisjoint(flow.to) for flow in content.flows)


def owner_of(content: Content | None, sender: str) -> str | None:
    """The contact who owns what an NHS party sent in and nobody could read: its Caldicott Guardian, who may see it."""
    parties = content.parties if content else ()
    return next((one.caldicott_guardian for one in parties if one.organisation == sender), None)


def reviews(override: Row[Any], reviewer: str) -> bool:
    """Whether a reviewer's organisation may see an override: of a referral, of a hold, or its own of its notice."""
    of_police = override.referral_id is not None or override.quarantine_id is not None
    return of_police or bool(override.organisation == reviewer)


def chased(connection: Connection, rows: Iterable[Row[Any]], reviewer: str) -> Sequence[Row[Any]]:
    """Of notices that nobody has acknowledged, those to the reviewer's organisation and those of what it sent."""
    found = list(rows)
    records = {row.record_id for row in found if row.kind in _OF_WHAT_WAS_SENT and row.record_id is not None}
    of = tables.record
    query = select(of.c.id).where(of.c.id.in_(records), of.c.organisation == reviewer)
    own = set(connection.execute(query).scalars())
    return [
        row for row in found if row.organisation == reviewer or (row.kind in _OF_WHAT_WAS_SENT and row.record_id in own)
    ]


_OF_WHAT_WAS_SENT: Final = frozenset(
    {
        Kind.CORRECTED,
        Kind.RETRACTED,
        Kind.STOPPED,
        Kind.CONSENT_REFUSED,
        Kind.CONSENT_WITHDRAWN,
        Kind.CONSENT_CORRECTED,
        Kind.SUSPECT_RELEASED,
        Kind.ORDER_EXPIRED,
        Kind.UNDELIVERED,
        Kind.HOSPITAL_NOTICE,
    }
)
"""What a sender's own record brought about, and it may want to see done; the others say what the other side does."""
