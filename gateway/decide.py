"""The judgement: what may be given of a record to a recipient, for a purpose, under an agreement, at an instant.

Pure: record, agreement and time are arguments. The order is fixed: what no agreement can lift; whether terms are in
force; whether the recipient, the purpose and the sender have a flow; whether whoever asks is connected with a party to
the case; the recipient's area; what a human must decide; the clauses that apply. Whatever is not named stays (P3). The
decision is made on facts alone, so that it can be made again from the sealed facts after the record is erased (P4).
Applying it to the record is `minimise.py`.

Several clauses may apply. What any of them withholds stays; what any of them generalises goes generalised; what is
left, and released by one of them, goes whole: the more restrictive wins. Two methods for one item cannot both be kept,
so the item stays. `agreement_check.py` reports clauses that disagree.

Where somebody broke the glass, emergency clauses apply and no others, under an agreement in force or expired. They name
their own areas, and the human that a hold waits for has decided; what no agreement can lift, and what an agreement
prohibits, stands.

Source: design.md sections 3, 6; domain.md sections 4.1 (clocks), 4.4 to 4.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from gateway import rules
from gateway.agreement import Status, Terms
from gateway.agreement.words import UNKNOWN
from gateway.clock import clock
from gateway.decision import DEFAULT, Decision, Effect, Outcome, Reason, Ruling, Verdict, ruling
from gateway.facts import Facts, facts_of
from gateway.generalise import IN_WORDS
from gateway.route import Lot, Route, route
from mappings.record import Grade, Record, RecordKind

__all__ = ["Decision", "Effect", "Facts", "Outcome", "Reason", "Verdict", "decide", "decide_on", "facts_of"]


def decide(record: Record, recipient: str, purpose: str, agreement: Terms | None, now: datetime) -> Decision:
    """What may be given of a record. `recipient` and `purpose` are ids of the agreement; `now` is aware."""
    return decide_on(facts_of(record, now), recipient, purpose, agreement, now)


def decide_on(facts: Facts, recipient: str, purpose: str, agreement: Terms | None, now: datetime) -> Decision:
    """The same, on facts alone: every decision is made here."""
    way = route(agreement.agreement if agreement else None, recipient, purpose, facts.source)
    stop = _without_authority(facts, way, agreement, now) or _before_a_human(facts, way)
    if stop:
        found = _all_withheld(facts.items, stop.by, stop.words)
        return _decision(way, facts, now, stop, found, ())
    emergency = facts.break_glass is not None
    applying = tuple(
        at for at, clause in enumerate(way.clauses) if clause.emergency is emergency and clause.when.met(facts)
    )
    if not applying:
        found = _all_withheld(facts.items, _NO_CLAUSE.by, _NO_CLAUSE.words)
        return _decision(way, facts, now, _NO_CLAUSE, found, ())
    found, clauses = _weighed(way, applying, facts.items)
    return _decision(way, facts, now, None if found.methods else _NOTHING_RELEASED, found, clauses)


@dataclass(frozen=True, slots=True)
class _Stop:
    """Why nothing goes: by what, in words, and who decides where the agreement says so."""

    outcome: Outcome
    reason: Reason
    words: str
    by: str = DEFAULT
    owner: str | None = None


_DEFAULT_URGENT = clock("PT1H")  # domain.md section 4.1, step 6: high risk
_DEFAULT_OTHER = clock("1 working day")  # the same step: everything else

_STANDING_WORDS = {
    Status.DRAFT: "the agreement is a draft",
    Status.UNSIGNED: "the agreement is not signed by every party",
    Status.NOT_YET: "the agreement is not yet in force",
    Status.SUSPENDED: "the agreement is suspended",
    Status.SUPERSEDED: "a later version of the agreement has taken its place",
    Status.ENDED: "the agreement has ended",
    Status.EXPIRED: "the agreement has expired",
}
_FAULT_WORDS = {
    Reason.RECIPIENT_UNKNOWN: "the agreement has no such recipient",
    Reason.PURPOSE_UNKNOWN: "the agreement has no such purpose for this recipient",
    Reason.NO_FLOW: "the agreement has no flow from this sender to this recipient",
}


def _without_authority(facts: Facts, way: Route, agreement: Terms | None, now: datetime) -> _Stop | None:
    """What stops any record of this marking, sender, recipient and purpose. Nothing else is asked before this."""
    if rule := rules.refuses(facts):
        return _Stop(Outcome.REFUSED, Reason.TOO_SECRET, rule.words, rule.id)
    status = agreement.standing(now).status if agreement else None
    if status is not Status.IN_FORCE and not (status is Status.EXPIRED and facts.break_glass is not None):
        words = _STANDING_WORDS[status] if status else "there is no agreement"
        # What police sent is kept for a human (P6); a status of the NHS side stays where it is.
        outcome = Outcome.DENIED if facts.kind == RecordKind.STATUS else Outcome.HELD
        return _Stop(outcome, Reason.NO_AGREEMENT, words)
    return _Stop(Outcome.DENIED, way.fault, _FAULT_WORDS[way.fault]) if way.fault else None


def _before_a_human(facts: Facts, way: Route) -> _Stop | None:
    """What a human has to see first. A sender that reads back what it sent is stopped by holds of its flow alone."""
    if rule := rules.connected(facts):
        return _Stop(Outcome.REFUSED, Reason.CONNECTED, rule.words, rule.id)
    emergency = facts.break_glass is not None
    if not way.own and not emergency and way.areas is not None and facts.area not in way.areas:
        return _OUTSIDE_AREA if facts.area else _AREA_UNKNOWN
    if not way.own and (rule := rules.holds(facts)):
        return _Stop(Outcome.HELD, Reason.MARKING, rule.words, rule.id)
    hold = None if emergency else next((hold for hold in way.holds if hold.when.met(facts)), None)
    return _Stop(Outcome.HELD, Reason.HOLD, hold.reason, hold.id, hold.owner) if hold else None


_AREA_UNKNOWN = _Stop(Outcome.HELD, Reason.AREA_UNKNOWN, "nobody stated the area")
_OUTSIDE_AREA = _Stop(Outcome.REFUSED, Reason.OUTSIDE_AREA, "the recipient does not work in this area")
_NO_CLAUSE = _Stop(Outcome.REFUSED, Reason.NO_CLAUSE, "no clause of the agreement applies")
_NOTHING_RELEASED = _Stop(
    Outcome.REFUSED, Reason.NOTHING_RELEASED, "the clauses that apply release nothing the record holds"
)


def _decision(
    way: Route, facts: Facts, now: datetime, stop: _Stop | None, found: Ruling, clauses: tuple[str, ...]
) -> Decision:
    denied = stop is not None and stop.outcome is Outcome.DENIED
    return Decision(
        outcome=stop.outcome if stop else Outcome.PERMITTED,
        reason=stop.reason if stop else Reason.CLAUSE,
        words=stop.words if stop else way.title,
        recipient=way.recipient,
        organisation=way.organisation,
        purpose=way.purpose,
        flow=way.flow,
        agreement=way.agreement,
        clauses=clauses,
        ruling=found,
        respond_by=None if denied else _respond_by(way, facts.grade, now),
        owner=(stop.owner or way.owner) if stop and not denied else None,
    )


def _respond_by(way: Route, grade: str | None, now: datetime) -> datetime:
    """The acknowledgement clock of the agreement for this grade; where it has none, the default of this page.

    An unknown grade is as urgent as a high one (P5).
    """
    stated = way.clocks.get(grade or UNKNOWN)
    if stated is None:
        stated = _DEFAULT_URGENT if grade in {None, Grade.HIGH} else _DEFAULT_OTHER
    return stated.from_(now, way.closed)


@lru_cache(maxsize=4096)
def _all_withheld(items: tuple[str, ...], by: str, words: str) -> Ruling:
    return ruling(tuple(Verdict(item, Effect.WITHHELD, None, by, words) for item in items))


@lru_cache(maxsize=4096)
def _weighed(way: Route, applying: tuple[int, ...], items: tuple[str, ...]) -> tuple[Ruling, tuple[str, ...]]:
    """The verdict on each item under the clauses that apply, and the clauses that gave one."""
    clauses = [way.clauses[at] for at in applying]
    verdicts = tuple(_verdict(way, clauses, item) for item in items)
    by = {verdict.by for verdict in verdicts}
    return ruling(verdicts), tuple(c.id for c in clauses if c.id in by)


def _verdict(way: Route, clauses: list[Lot], item: str) -> Verdict:
    kept = way.prohibited.get(item) or next(((c.id, c.withholds[item]) for c in clauses if item in c.withholds), None)
    coarse = {clause.generalises[item]: clause for clause in reversed(clauses) if item in clause.generalises}
    if kept or len(coarse) > 1:
        return Verdict(
            item, Effect.WITHHELD, None, *(kept or (DEFAULT, "clauses that apply generalise it differently"))
        )
    method = next(iter(coarse), None)
    clause = coarse[method] if method else next((c for c in clauses if item in c.releases), None)
    if clause is None:
        return Verdict(item, Effect.WITHHELD, None, DEFAULT, "no clause that applies here names it")
    if rule := rules.bar(item, method, police=way.police, own=way.own):
        return Verdict(item, Effect.WITHHELD, None, rule.id, rule.words)
    if method:
        return Verdict(item, Effect.GENERALISED, method, clause.id, f"{clause.title}: {IN_WORDS[method]}")
    return Verdict(item, Effect.RELEASED, None, clause.id, clause.title)
