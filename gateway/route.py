"""What an agreement says of one sender, one recipient and one purpose: looked up once, then kept.

An agreement is written for people; a decision asks it the same few questions many times a second. A `Route` is the
answer in sets and mappings: the flow, the clauses and holds of that flow for that recipient, what is prohibited, and
the clocks. It judges nothing; `decide.py` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from gateway.agreement import Agreement
from gateway.agreement.content import Clause, Conditions, Content
from gateway.agreement.flows import Flow
from gateway.agreement.words import UNKNOWN
from gateway.clock import Clock, clock
from gateway.decision import AgreementRef, Reason
from gateway.facts import Facts
from gateway.generalise import Method

OWN_RECORD = "own-record"
"""The purpose of reading back what one's own organisation sent: the only one in which what it sent is its own."""


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a clause or hold, as sets. None is met by everything."""

    kinds: frozenset[str] | None
    areas: frozenset[str] | None
    grades: frozenset[str] | None
    consent: frozenset[str] | None
    children: bool | None
    within_hours: int | None
    ages: frozenset[str] | None
    markings: frozenset[str] | None
    relationships: frozenset[str] | None

    def met(self, facts: Facts) -> bool:
        """Whether all hold. An event nobody dated is not within any limit."""
        return (
            (self.kinds is None or facts.kind in self.kinds)
            and (self.areas is None or facts.area in self.areas)
            and (self.grades is None or (facts.grade or UNKNOWN) in self.grades)
            and (self.consent is None or (facts.consent or UNKNOWN) in self.consent)
            and (self.children is None or facts.children is self.children)
            and (self.within_hours is None or _within(facts.hours_since_event, self.within_hours))
            and (self.ages is None or (facts.age_band or UNKNOWN) in self.ages)
            and (self.markings is None or (facts.classification or UNKNOWN) in self.markings)
            and (self.relationships is None or (facts.relationship or UNKNOWN) in self.relationships)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Lot:
    """A clause as decisions read it: when it applies, and what becomes of the items it names."""

    id: str
    title: str
    emergency: bool
    when: When
    releases: frozenset[str]
    generalises: Mapping[str, Method]
    withholds: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stop:
    """A hold as decisions read it."""

    id: str
    when: When
    owner: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """The way from a sender to a recipient for a purpose; `fault` says why there is none. Compared by identity."""

    recipient: str
    purpose: str
    agreement: AgreementRef | None = None
    owner: str | None = None
    organisation: str | None = None
    police: bool = False
    own: bool = False
    areas: frozenset[str] | None = None
    fault: Reason | None = None
    flow: str | None = None
    title: str = ""
    clauses: tuple[Lot, ...] = ()
    holds: tuple[Stop, ...] = ()
    prohibited: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    closed: frozenset[date] = frozenset()


@lru_cache(maxsize=1024)
def route(agreement: Agreement | None, recipient: str, purpose: str, source: str | None) -> Route:
    """The way an agreement gives, or one whose `fault` says why it gives none. `source` is an organisation's code."""
    if agreement is None:
        return Route(recipient, purpose)
    content = agreement.content
    ref = AgreementRef(agreement.id, agreement.version, agreement.hash)
    known = content.recipient(recipient)
    if known is None:
        return Route(recipient, purpose, ref, content.owner, fault=Reason.RECIPIENT_UNKNOWN)
    party = content.party(known.party)
    found, fault = _flow(content, recipient, purpose, source)
    return Route(
        recipient=recipient,
        purpose=purpose,
        agreement=ref,
        owner=content.owner,
        organisation=party.organisation,
        police=party.is_police,
        own=source == party.organisation and purpose == OWN_RECORD,
        areas=_set(known.areas),
        fault=fault,
        flow=found.id if found else None,
        title=found.title if found else "",
        clauses=tuple(_lot(c) for c in content.clauses if found and c.flow == found.id and recipient in c.recipients),
        holds=tuple(
            Stop(h.id, _when(h.when), h.owner, h.reason) for h in content.holds if found and h.flow == found.id
        ),
        prohibited={
            item: (p.id, p.reason)
            for p in reversed(content.prohibitions)
            if recipient in p.recipients
            for item in p.each()
        },
        clocks={grade: clock(text) for grade, text in content.clocks.acknowledge.items()},
        closed=frozenset(content.clocks.closed),
    )


def _flow(content: Content, recipient: str, purpose: str, source: str | None) -> tuple[Flow | None, Reason | None]:
    flows = [flow for flow in content.flows if recipient in flow.to and flow.purpose == purpose]
    if not flows:
        return None, Reason.PURPOSE_UNKNOWN
    for flow in flows:
        if source is not None and source in {content.party(id_).organisation for id_ in flow.from_}:
            return flow, None
    return None, Reason.NO_FLOW


def _lot(clause: Clause) -> Lot:
    withholds = {item: kept.reason for kept in clause.withhold for item in kept.each()}
    return Lot(
        id=clause.id,
        title=clause.title,
        emergency=clause.emergency,
        when=_when(clause.when),
        releases=frozenset(clause.release),
        generalises=dict(clause.generalise),
        withholds=withholds,
    )


def _when(conditions: Conditions) -> When:
    return When(
        kinds=_set(conditions.kinds),
        areas=_set(conditions.areas),
        grades=_set(conditions.grades),
        consent=_set(conditions.consent),
        children=conditions.children,
        within_hours=conditions.within_days * 24 if conditions.within_days else None,
        ages=_set(conditions.ages),
        markings=_set(conditions.markings),
        relationships=_set(conditions.relationships),
    )


def _set(values: tuple[str, ...] | None) -> frozenset[str] | None:
    """The values as a set of plain strings, which facts hold and which hash faster than members of an enumeration."""
    return None if values is None else frozenset(str(value) for value in values)


def _within(hours: int | None, limit: int) -> bool:
    return hours is not None and hours < limit
