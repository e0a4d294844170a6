"""Whether a child may be looked for: some NHS team of the victim's referrals may have who the child is, and the number.

A child is told to PDS for the sake of those who work with the family. Where the agreement gives none of them the
number with the child's name, or lets PDS be told of no child, nobody is asked: that is nobody's work; no clock runs.
Pure: rows, terms and time are arguments.

Source: domain.md sections 2.3 (a child is a patient of its own), 4.4 (children; NHS number).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row

from gateway.decide import Facts, Outcome, decide_on
from gateway.facts import hours_since
from gateway.intake import SAFEGUARDING
from gateway.store.traced import ASKED, NUMBER
from gateway.terms import Standing
from mappings.record import Role

PURPOSE = "tracing"
"""The purpose an agreement must name for asking PDS."""

NOBODYS, NOT_RELEASED = "nobody-may-have-it", "not-released"
"""Why a child is not looked for."""

_WHO = frozenset({"child.listed", "child.name", "child.birth"})
"""Less than this is no question."""

_TOLD = frozenset({"child.listed", "child.name", NUMBER[Role.CHILD]})
"""A number is of use to whoever knows whose it is."""


def why_not(teams: Iterable[Row[Any]], facts: Facts, pds: str, standing: Standing, now: datetime) -> str | None:
    """Why a child of these referrals is not looked for; None where it is.

    `facts` are those of the referral that PDS is asked for, `pds` the recipient that PDS is in the agreement.
    """
    if not any(may_know(row, standing, now) for row in teams):
        return NOBODYS
    asked = replace(facts, items=tuple(sorted({*facts.items, *ASKED[Role.CHILD]})))
    decision = decide_on(asked, pds, PURPOSE, standing.terms, now)
    # What is stopped whole is sealed as a decision: that of the victim's referral, whoever of it is asked about.
    if decision.outcome is Outcome.PERMITTED and not decision.ruling.methods.keys() >= _WHO:
        return NOT_RELEASED
    return None


def may_know(row: Row[Any], standing: Standing, now: datetime) -> bool:
    """Whether the team of a referral may have the identity and the NHS number of its children."""
    content = standing.terms.agreement.content if standing.terms else None
    if content is None or not any(one.is_nhs and one.organisation == row.organisation for one in content.parties):
        return False
    kept = Facts.from_json(orjson.loads(row.facts))
    hours = hours_since(datetime.fromisoformat(row.event_at), now) if row.event_at else kept.hours_since_event
    held = replace(kept.asked_by(None, None, hours), items=tuple(sorted({*kept.items, *_TOLD})))
    decision = decide_on(held, row.team, SAFEGUARDING, standing.terms, now)
    return decision.outcome is Outcome.PERMITTED and set(decision.released) >= _TOLD
