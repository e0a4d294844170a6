"""How a notice stands: for which police recipients, and what the agreement says of it now.

Pure but for one query: the consent a notice is decided on is what the victim says now, or an override that a person
made and that has not ended. Nothing is kept or sealed here.

Source: domain.md section 4.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, select

from audit.entry import timestamp
from gateway.agreement import Terms
from gateway.decide import Decision, Facts, Outcome, decide_on, facts_of
from gateway.sealing import decided_again
from gateway.store import tables
from mappings.record import ConsentState, Record, Role

NOTICE = "safeguarding-notice"
"""The purpose of the flows by which a hospital tells police."""


class State(StrEnum):
    """Where a notice stands."""

    OPEN = "open"  # police may read what the agreement releases of it
    HELD = "held"  # a named person decides
    STOPPED = "stopped"  # she refused, and nothing in the agreement lets it go all the same
    KEPT_BACK = "kept-back"  # a person decided that it stays
    RETRACTED = "retracted"  # it was sent in error


@dataclass(frozen=True, slots=True)
class Judged:
    """A notice judged for one police recipient."""

    recipient: str
    facts: Facts
    decision: Decision

    def decided_at(self, terms: Terms | None, now: datetime) -> Judged:
        """The same decided at another instant. Raises DecideAgain where it comes out otherwise."""
        return replace(self, decision=decided_again(self.facts, self.decision, terms, now))

    @property
    def goes(self) -> bool:
        """Whether the recipient may have something of it."""
        return self.decision.outcome is Outcome.PERMITTED


def judged(record: Record, consent: str | None, terms: Terms | None, now: datetime) -> tuple[Judged, ...]:
    """A notice judged for every police recipient its sender's flows name; for nobody in particular where there is none.

    `consent` is what she says now, where somebody recorded that apart from the document.
    """
    facts = facts_of(record, now)
    if consent is not None:
        facts = replace(facts, consent=consent)
    found = recipients_of(terms, facts.source) or ("",)
    return tuple(Judged(to, facts, decide_on(facts, to, NOTICE, terms, now)) for to in found)


def recipients_of(terms: Terms | None, sender: str | None) -> tuple[str, ...]:
    """The recipients that the sender's flows of this purpose name, in the agreement's order."""
    if terms is None:
        return ()
    content = terms.agreement.content
    party = next((p.id for p in content.parties if p.organisation == sender), None)
    flows = [flow for flow in content.flows if flow.purpose == NOTICE and party in flow.from_]
    return tuple(dict.fromkeys(to for flow in flows for to in flow.to))


def state_of(record: Record, made: tuple[Judged, ...]) -> State:
    """Where a notice stands after it was judged. What does not go for another reason than her wish waits for a person.

    A notice is about one victim: of several, or of none, a person says what is to go.
    """
    if len(record.of_role(Role.VICTIM)) != 1:
        return State.HELD
    if any(one.goes for one in made):
        return State.OPEN
    wish = all(one.facts.consent in AGAINST and one.decision.outcome is Outcome.REFUSED for one in made)
    return State.STOPPED if wish else State.HELD


AGAINST = frozenset({ConsentState.REFUSED.value, ConsentState.WITHDRAWN.value})


def consent_now(row: Mapping[str, Any] | Row[Any], now: datetime) -> str | None:
    """The consent a notice is decided on: an override that holds at an instant, or what was last recorded of her."""
    said = row if isinstance(row, Mapping) else row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    ends = said["override_expires"]
    if ends is not None and said["override_ended"] is None and ends > timestamp(now):
        return ConsentState.OVERRIDDEN.value
    consent: str | None = said["consent"]
    return consent


_n, _o = tables.hospital_notice, tables.consent_override
STANDING = select(_n, _o.c.expires_at.label("override_expires"), _o.c.ended_at.label("override_ended")).outerjoin(
    _o, _o.c.id == _n.c.override_id
)
"""Notices with the override each stands on."""
ONE = STANDING.where(_n.c.log_id == bindparam("log"), _n.c.id == bindparam("id"))
