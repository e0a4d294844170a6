"""Who may say that two are one: whoever the agreement lets see both of them, and nobody else.

A side is seen through a referral of the reviewer's organisation or, by the force that sent the record, as its own
record; decided like any reading of that, for whoever asks, at that instant. Of a victim something that is compared must
be released, of a suspect who that is. To everybody else the match is not there, and what is asked of it is answered as
if there were none (P3, P8). Facts outlive content: a link with an incident that was erased is taken back by whoever it
was for. What no organisation may see both sides of is listed, and no more, for the organisation of the contact who
decides where the agreement says nothing (its `owner`), so that it lies with a named human (P6).

Reads only. Source: domain.md sections 4.5 (N9, N11, N15), 4.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Row, bindparam, select

from gateway.agreement.content import Content
from gateway.decide import Decision, Outcome, decide_on
from gateway.disclosure import judged_of
from gateway.evidence import Caller
from gateway.facts import Facts, hours_since
from gateway.intake import SAFEGUARDING
from gateway.repeats import COMPARED, Someone
from gateway.route import OWN_RECORD
from gateway.store import tables
from gateway.terms import Standing
from gateway.ties import Read, Ties, ties_of
from mappings.record import Role


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: the referral it is seen through, and what was decided of all that it holds."""

    row: Row[Any]
    facts: Facts
    decision: Decision


Sides = tuple[Side, Side]


@dataclass(frozen=True, slots=True)
class Listed:
    """A match as a list has it; one that is not `decidable` is there for its clock, and nobody may see both sides."""

    row: Row[Any]
    decidable: bool


def sides_of(
    read: Read, caller: Caller, log_id: str, standing: Standing, matches: Sequence[Row[Any]], now: datetime
) -> dict[str, Sides]:
    """The two sides of each match that the caller may see both of, by the match's id; the others are not in it."""
    rows = _Referrals(
        row for row in _referrals(read, log_id, matches) if caller.organisation in {row.organisation, row.force}
    )
    both = [one for one in matches if all(rows.of(someone) for someone in _people(one))]
    if not both:  # who has no case of one of them learns nothing, nor from how long it takes
        return {}
    ties = ties_of(read, caller, log_id, rows.every)
    return _both(_Eyes(caller.organisation, standing, ties, now), rows, both)


def listed(
    read: Read, caller: Caller, log_id: str, standing: Standing, matches: Sequence[Row[Any]], now: datetime
) -> list[Listed]:
    """Of matches, in their order, those the caller may decide, and open ones that lie with the agreement's owner."""
    own = sides_of(read, caller, log_id, standing, matches, now)
    content = standing.content
    waiting = [row for row in matches if row.id not in own and row.decided_at is None]
    nobodys: set[str] = set()
    if content is not None and waiting and caller.organisation == _owners(content):
        rows = _Referrals(_referrals(read, log_id, waiting))
        nobodys = {row.id for row in waiting}
        for party in content.parties:
            nobodys -= _both(_Eyes(party.organisation, standing, _ANYBODY, now), rows, waiting).keys()
    return [Listed(row, row.id in own) for row in matches if row.id in own or row.id in nobodys]


_ANYBODY: Final = Ties("", {}, {})
"""What somebody is to every case who is connected with none: of the team."""

_TELLING: Mapping[str, frozenset[str]] = {
    Role.VICTIM.value: COMPARED - {"victim.listed"},
    Role.SUSPECT.value: frozenset({"suspect.name", "suspect.birth"}),
}
"""Of which something must be released, by role, before somebody is said to be seen."""


@dataclass(frozen=True, slots=True)
class _Eyes:
    """Whose eyes see: an organisation's, under terms, of somebody with ties, at an instant."""

    organisation: str
    standing: Standing
    ties: Ties
    now: datetime

    def side(self, someone: Someone, rows: Iterable[Row[Any]]) -> Side | None:
        """One of the two, through the first of these referrals that shows who that is."""
        telling = _TELLING[_role(someone)]
        for row in rows:
            for recipient, purpose in self._ways(row):
                facts, decision = self._judged(row, recipient, purpose)
                if decision.outcome is Outcome.PERMITTED and not telling.isdisjoint(decision.ruling.methods):
                    return Side(row, facts, decision)
        return None

    def _ways(self, row: Row[Any]) -> Iterable[tuple[str, str]]:
        """As which recipients, and for what purpose, the organisation may see a referral."""
        if row.organisation == self.organisation:
            return ((row.team, SAFEGUARDING),)
        content = self.standing.content
        if row.force != self.organisation or content is None:
            return ()
        own = {party.id for party in content.parties if party.organisation == self.organisation}
        flows = [flow for flow in content.flows if flow.purpose == OWN_RECORD and not own.isdisjoint(flow.from_)]
        return tuple((recipient, OWN_RECORD) for flow in flows for recipient in flow.to)

    def _judged(self, row: Row[Any], recipient: str, purpose: str) -> tuple[Facts, Decision]:
        if purpose == SAFEGUARDING:
            return judged_of(row, self.standing, self.ties, self.now)
        kept = Facts.from_json(orjson.loads(row.facts))
        hours = hours_since(datetime.fromisoformat(row.event_at), self.now) if row.event_at else kept.hours_since_event
        facts = kept.asked_by(self.ties.relationship(row), None, hours)
        return facts, decide_on(facts, recipient, purpose, self.standing.terms, self.now)


class _Referrals:
    """Referrals of some events, by whom they tell of: a victim's own, and of a suspect every one of the event."""

    def __init__(self, rows: Iterable[Row[Any]]) -> None:
        self.every = list(rows)
        self._of_event: dict[str, list[Row[Any]]] = {}
        for row in self.every:
            self._of_event.setdefault(row.event_id, []).append(row)

    def of(self, someone: Someone) -> Sequence[Row[Any]]:
        """Those that may tell of somebody."""
        event, person = someone
        rows = self._of_event.get(event, [])
        return [row for row in rows if row.victim == person] if _role(someone) == Role.VICTIM.value else rows


def _both(eyes: _Eyes, rows: _Referrals, matches: Iterable[Row[Any]]) -> dict[str, Sides]:
    found: dict[str, Sides] = {}
    for match in matches:
        one, other = (eyes.side(someone, rows.of(someone)) for someone in _people(match))
        if one is not None and other is not None:
            found[match.id] = one, other
    return found


def _people(match: Row[Any]) -> tuple[Someone, Someone]:
    return (match.event_id, match.person), (match.other_event_id, match.other_person)


def _role(someone: Someone) -> str:
    return someone[1].partition("-")[0]


def _referrals(read: Read, log_id: str, matches: Iterable[Row[Any]]) -> Iterable[Row[Any]]:
    """Every referral of these events; of no match it is asked like of one, so that it takes as long."""
    events = sorted({event for match in matches for event, _ in _people(match)}) or ["", ""]
    return read(_OF_EVENTS, {"log": log_id, "events": events})


def _owners(content: Content) -> str:
    """The organisation of the contact who decides where nothing in the agreement says who."""
    (owner,) = (one for one in content.contacts if one.id == content.owner)
    return content.party(owner.party).organisation


_f = tables.referral
_OF_EVENTS = (
    select(_f)
    .where(_f.c.log_id == bindparam("log"), _f.c.event_id.in_(bindparam("events", expanding=True)))
    .order_by(_f.c.id)
)
