"""Why a decision came out as it did, item by item and clause by clause, in words; and what each side is told of it.

An explanation makes the decision itself (`decide.py`), from facts alone, and adds nothing to it. It has three faces:
the whole for whoever answers for the agreement, the sender's (what was withheld or made less exact, and why), and the
recipient's (that something was withheld, not what). Receipts and replies use the same faces, so that there is one
source of these words. Facts hold no value of a record, so an explanation cannot either.

Source: design.md section 6 (decisions are explained); domain.md section 3.3 (the system must show the rule it applied).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from gateway.agreement import Terms, phrases
from gateway.decide import Decision, Effect, Facts, Verdict, decide_on
from gateway.decision import Ruling, told
from gateway.generalise import IN_WORDS
from gateway.route import Lot, Stop, When, route
from mappings.items import CATALOGUE


@dataclass(frozen=True, slots=True)
class Applied:
    """A clause or hold of the flow: whether its conditions were met, and in words those that were not."""

    id: str
    title: str
    met: bool
    unmet: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {"id": self.id, "title": self.title, "applies": self.met, "unmet": list(self.unmet)}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with the facts it read, and what of the agreement was looked at on the way."""

    facts: Facts
    decision: Decision
    clauses: tuple[Applied, ...]
    holds: tuple[Applied, ...]

    def whole(self) -> dict[str, Any]:
        """Everything, for whoever answers for the agreement: facts, clauses, holds, and every item."""
        return {
            **self.decision.to_json(),
            "items": [_item(verdict) for verdict in self.decision.verdicts],
            "facts": self.facts.to_json(),
            "looked_at": {
                "clauses": [one.to_json() for one in self.clauses],
                "holds": [one.to_json() for one in self.holds],
            },
        }

    def in_words(self) -> Iterator[str]:
        """The same as lines a person reads."""
        decision = self.decision
        yield f"{decision.outcome.value.upper()}: {decision.words} ({decision.reason.value})"
        yield f"to {decision.recipient} ({decision.organisation or 'no organisation'}), for {decision.purpose}" + (
            f", flow {decision.flow}" if decision.flow else ""
        )
        if decision.agreement:
            ref = decision.agreement
            yield f"under {ref.id} version {ref.version}, hash {ref.hash}"
        for kind, looked_at in (("clause", self.clauses), ("hold", self.holds)):
            for one in looked_at:
                why = "its conditions are met" if one.met else f"does not apply: {'; '.join(one.unmet)}"
                yield f"{kind} {one.id} ({one.title}): {why}"
        for effect in Effect:
            found = [verdict for verdict in decision.verdicts if verdict.effect is effect]
            yield f"{effect.value}: {len(found)}"
            for verdict in found:
                less = f", as {IN_WORDS[verdict.method]}" if verdict.method else ""
                yield f"  {phrases.item(verdict.item)}{less}: {verdict.by}: {verdict.words}"


def explain(facts: Facts, recipient: str, purpose: str, terms: Terms | None, now: datetime) -> Explanation:
    """The decision on these facts, explained. `recipient` and `purpose` are ids of the agreement; `now` is aware."""
    way = route(terms.agreement if terms else None, recipient, purpose, facts.source)
    return Explanation(
        facts=facts,
        decision=decide_on(facts, recipient, purpose, terms, now),
        clauses=tuple(_applied(one, one.title, facts) for one in way.clauses),
        holds=tuple(_applied(one, one.reason, facts) for one in way.holds),
    )


def for_sender(decision: Decision) -> dict[str, Any]:
    """What the sender is told: to whom, what was withheld or made less exact by which clause, and why, in words."""
    return {**decision.for_sender(), **_titled(decision.ruling)}


def for_recipient(decision: Decision) -> dict[str, Any]:
    """What the recipient is told: whether something was withheld, never what."""
    return decision.for_recipient()


@lru_cache(maxsize=1024)
def _titled(ruling: Ruling) -> Mapping[str, list[dict[str, str]]]:
    groups = told(ruling)
    return {group: [{**one, "title": CATALOGUE[one["item"]]} for one in found] for group, found in groups.items()}


def _item(verdict: Verdict) -> dict[str, Any]:
    return {
        "item": verdict.item,
        "title": CATALOGUE[verdict.item],
        "effect": verdict.effect.value,
        "method": verdict.method and verdict.method.value,
        "method_in_words": verdict.method and IN_WORDS[verdict.method],
        "by": verdict.by,
        "words": verdict.words,
    }


def _applied(one: Lot | Stop, title: str, facts: Facts) -> Applied:
    """Which conditions hold: each is asked alone, so that the words can never differ from what decides."""
    unmet = tuple(_unmet(one.when, facts))
    if isinstance(one, Lot) and one.emergency is not (facts.break_glass is not None):
        unmet = (*unmet, _NOT_NOW if one.emergency else _EMERGENCY)
    if isinstance(one, Stop) and facts.break_glass is not None:
        unmet = (*unmet, _DECIDED)
    return Applied(one.id, title, not unmet, unmet)


_NOT_NOW = "it is for an emergency, and nobody has broken the glass"
_DECIDED = "the glass is broken, and whoever broke it has decided"
_EMERGENCY = "the glass is broken, and only what the agreement lets go in an emergency goes"


def _unmet(when: When, facts: Facts) -> Iterator[str]:
    free = When(**dict.fromkeys(_CONDITIONS))
    for name in _CONDITIONS:
        wanted = getattr(when, name)
        if wanted is not None and not replace(free, **{name: wanted}).met(facts):
            yield _in_words(name, wanted, getattr(facts, _FACTS[name]))


_CONDITIONS = tuple(field.name for field in fields(When))
_FACTS = {
    "kinds": "kind",
    "areas": "area",
    "grades": "grade",
    "consent": "consent",
    "children": "children",
    "within_hours": "hours_since_event",
    "ages": "age_band",
    "markings": "classification",
    "relationships": "relationship",
}
"""The fact that each condition asks."""


def _in_words(name: str, wanted: Any, found: Any) -> str:  # noqa: ANN401 - the value of a condition, and a fact
    if name == "within_hours":
        age = "nobody dated the event" if found is None else f"the event was {found // 24} days ago"
        return f"it is for events of the last {wanted // 24} days, and {age}"
    shown = phrases.code("unknown" if found is None else found)
    allowed = [phrases.code(one) for one in sorted(wanted)] if isinstance(wanted, frozenset) else [phrases.code(wanted)]
    return f"{phrases.label(name).lower()} is {shown}, and it is for {phrases.sentence(allowed, 'or')}"
