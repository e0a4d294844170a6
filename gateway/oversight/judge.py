"""A sealed decision made again: from the facts, recipient, purpose and types of its entry, under given terms.

A year of decisions asks the same few thousand questions: who, for what, of which grade, in which area. Only which items
the record holds differs nearly every time, and `decide` judges each item by itself. So each question is decided once,
by `decide_on`, as if the record held every item there is; an answer is that decision, for the items the entry names.
The time changes nothing within one standing of the agreement but the clock to answer, which is left out here. A
property test holds every answer to `decide_on` itself.

Source: design.md sections 2 (P4) and 6.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import orjson

from adapters.nhs import fhir
from gateway.agreement import Agreement, Terms
from gateway.decide import Decision, Effect, Facts, Outcome, Reason, Verdict, decide_on
from gateway.decision import AgreementRef, Ruling
from gateway.repeats import COMPARED, PERSON_MATCH
from gateway.searching import Search
from gateway.shown import DOWNTIME_CASE, DOWNTIME_ITEMS, PARTS, ROW_ITEMS, WORKLIST_ROW
from gateway.store.traced import ASKED, PATIENT_MATCH, PDS_QUESTION, SHOWN
from mappings.items import CATALOGUE

MEMORY = 65_536
"""Questions kept for being asked again; then all are forgotten, so that memory stays bounded."""


class Why(StrEnum):
    """Why a decision cannot be made again here."""

    NO_TEXT = "no-text"  # the agreement's text is not at hand
    UNREADABLE_TEXT = "unreadable-text"  # written for another version of the gateway
    UNREADABLE_FACTS = "unreadable-facts"
    UNKNOWN_TYPES = "unknown-types"  # the answer carried resource types nobody knows now


class NotDerivable(Exception):
    """The decision of an entry cannot be made again; `why` says why."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What an entry says was asked: everything a decision reads but the agreement and the time.

    `held` are the items of the record, `items` those of them that the answer's types can carry; `rest` the other facts
    but the hours, as canonical JSON.
    """

    held: tuple[str, ...]
    items: tuple[str, ...]
    hours: Any
    rest: bytes
    recipient: str
    purpose: str


def asked(said: Mapping[str, Any]) -> Asked:
    """What was asked, of an entry that seals a decision. Raises NotDerivable."""
    plain = dict(said["facts"])
    items = plain.pop("items", None)
    if type(items) is not list or not {str}.issuperset(map(type, items)) or "hours_since_event" not in plain:
        raise NotDerivable(Why.UNREADABLE_FACTS)
    hours = plain.pop("hours_since_event")
    types = (said["detail"] or _NO_DETAIL).get("types")
    held = tuple(items)
    carried = held if not types else tuple(filter(_carried(types).__contains__, held))
    to = said["recipients"][0]["recipient"] if said["recipients"] else ""
    return Asked(held, carried, hours, orjson.dumps(plain), to, said["purpose"])


_NO_DETAIL: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A decision on every item there is, and its verdicts by item."""

    decision: Decision
    verdicts: Mapping[str, Verdict]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The decision of one entry."""

    question: Question
    asked: Asked
    outcome: Outcome
    reason: Reason

    @property
    def items(self) -> tuple[str, ...]:
        """The items it is about, in the order of the facts."""
        return self.asked.items

    @property
    def ruling(self) -> Ruling:
        """The ruling on every item there is; answers of one ruling differ in their items alone."""
        return self.question.decision.ruling

    @property
    def recipient(self) -> str:
        """The recipient the decision was made for."""
        return self.question.decision.recipient

    @property
    def organisation(self) -> str | None:
        """The recipient's organisation."""
        return self.question.decision.organisation

    @property
    def agreement(self) -> AgreementRef | None:
        """The agreement it was made under."""
        return self.question.decision.agreement

    def named(self, effect: Effect) -> list[str]:
        """The items of which this becomes, sorted."""
        verdicts = self.question.verdicts
        return [item for item in self.items if verdicts[item].effect is effect]

    @property
    def clauses(self) -> list[str]:
        """The clauses that gave a verdict on one of the items, in the agreement's order."""
        verdicts = self.question.verdicts
        by = {verdicts[item].by for item in self.items}
        return [one for one in self.question.decision.clauses if one in by]

    def to_json(self) -> dict[str, Any]:
        """The answer as plain JSON values; the same entry gives the same bytes again (P4)."""
        return {
            "outcome": self.outcome.value,
            "reason": self.reason.value,
            "recipient": self.recipient,
            "organisation": self.organisation,
            "clauses": self.clauses,
            "items": [
                [item, one.effect.value, one.method and one.method.value, one.by, one.words]
                for item in self.items
                for one in (self.question.verdicts[item],)
            ],
        }


def decided(said: Mapping[str, Any]) -> bool:
    """Whether an entry seals a decision at all: an act without facts, or without a purpose, was judged by nobody."""
    return said["facts"] is not None and said["purpose"] is not None


class Judge:
    """Answers the questions of entries."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Question] = {}
        self._by_item: dict[Ruling, Mapping[str, Verdict]] = {}  # many questions have one ruling
        self._items = frozenset(CATALOGUE)

    def answer(self, asked: Asked, at: datetime, terms: Terms | None) -> Answer:
        """The decision on what an entry says was asked, under terms, at its time. Raises NotDerivable."""
        if not self._items.issuperset(asked.held):  # of an older catalogue: judged as any item that no clause names
            self._items |= set(asked.held)
            self._forget()
        hours, status = asked.hours, None
        if terms is not None:
            hours = _rounded(terms.agreement, hours)
            status = terms.standing(at).status
        key = (asked.rest, hours, asked.recipient, asked.purpose, terms, status)
        question = self._known.get(key)
        if question is None:
            if len(self._known) >= MEMORY:
                self._forget()
            question = self._known[key] = self._ask(asked, hours, at, terms)
        decision = question.decision
        outcome, reason = decision.outcome, decision.reason
        if outcome is Outcome.PERMITTED and decision.ruling.methods.keys().isdisjoint(asked.held):
            outcome, reason = Outcome.REFUSED, Reason.NOTHING_RELEASED
        return Answer(question, asked, outcome, reason)

    def _ask(self, asked: Asked, hours: object, at: datetime, terms: Terms | None) -> Question:
        plain = orjson.loads(asked.rest) | {"hours_since_event": hours, "items": sorted(self._items)}
        try:
            facts = Facts.from_json(plain)
        except ValueError:
            raise NotDerivable(Why.UNREADABLE_FACTS) from None
        decision = replace(decide_on(facts, asked.recipient, asked.purpose, terms, at), respond_by=None)
        by_item = self._by_item.get(decision.ruling)
        if by_item is None:
            by_item = self._by_item[decision.ruling] = {verdict.item: verdict for verdict in decision.verdicts}
        return Question(decision, by_item)

    def _forget(self) -> None:
        self._known.clear()
        self._by_item.clear()


_NO_RESOURCES = {
    PERSON_MATCH: COMPARED,
    **{type_: SHOWN[role] for role, type_ in PATIENT_MATCH.items()},
    **{type_: ASKED[role] for role, type_ in PDS_QUESTION.items()},
    WORKLIST_ROW: ROW_ITEMS,
    DOWNTIME_CASE: DOWNTIME_ITEMS,
    **PARTS,
}
"""What is named as a type and is no resource: what each can carry."""


@lru_cache(maxsize=256)
def _carried(types: str) -> frozenset[str]:
    """The items that resource types can carry. Raises NotDerivable."""
    if types in _NO_RESOURCES:
        return _NO_RESOURCES[types]
    named = tuple(types.split(","))
    if not set(named) <= set(fhir.TYPES):
        raise NotDerivable(Why.UNKNOWN_TYPES)
    return Search(types=named).items


def _rounded(agreement: Agreement, hours: Any) -> Any:  # noqa: ANN401 - foreign JSON
    """The hours down to the last limit of the agreement's conditions: between two limits they decide the same."""
    if type(hours) is not int or hours < 0:
        return hours
    limits = _limits(agreement)
    return limits[bisect_right(limits, hours) - 1]


@lru_cache(maxsize=64)
def _limits(agreement: Agreement) -> tuple[int, ...]:
    content = agreement.content
    stated = [*(clause.when for clause in content.clauses), *(hold.when for hold in content.holds)]
    return (0, *sorted({when.within_days * 24 for when in stated if when.within_days is not None}))
