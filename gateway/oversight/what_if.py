"""A candidate agreement tried on the sealed past: which releases would have changed, by item, clause, recipient, area.

Every decision of the range is made twice on the facts its entry holds: under the text it was made under, and under the
candidate, taken as signed and in force all through the range. Nothing is stored, and nothing about a person is in the
answer: names of items and clauses, recipients, areas, counts, and the indexes of a few entries to look at.

Source: design.md section 6 (what-if replay over the sealed past).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from gateway.agreement import Agreement
from gateway.decide import Effect, Outcome, Reason, Verdict
from gateway.decision import Ruling
from gateway.oversight.entries import Sealed, Source
from gateway.oversight.judge import Answer, Judge, NotDerivable
from gateway.oversight.replay import decisions
from gateway.oversight.standing import Supposed

EXAMPLES_MAX = 20
"""Entries named beside a change, the first of the range."""

WITHHELD = "withheld"
WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Where:
    """Where a decision was made: the act, to whom, and the area of its facts."""

    event: str
    recipient: str
    area: str


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What would have become of an item instead: `whole`, `withheld`, or the method it is generalised by.

    `clause_before` and `clause_after` say by what: a clause, a prohibition, a hold, a rule, or `default`.
    """

    item: str
    before: str
    after: str
    clause_before: str
    clause_after: str

    @property
    def kind(self) -> str:
        """The change in a few words."""
        return f"{_short(self.before)} to {_short(self.after)}"


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """What would have been decided instead, and why."""

    before: str
    after: str
    reason_before: str
    reason_after: str

    @property
    def kind(self) -> str:
        """The change in a few words."""
        return f"{self.before} to {self.after}"


Change = ItemChange | OutcomeChange


@dataclass(slots=True)
class Tally:
    """How often, and the first entries of which it is so."""

    count: int = 0
    examples: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """One change at one place, how often, and the first entries."""

    where: Where
    change: Change
    count: int
    examples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a candidate would have changed. `changed` counts decisions; `rows` count items and outcomes."""

    candidate: Mapping[str, str | int]
    decisions: int
    changed: int
    not_derivable: int
    rows: tuple[Row, ...]

    def by(self, dimension: str) -> dict[str, dict[str, int]]:
        """The changes of items counted by one dimension: item, clause, recipient, area or event; then by kind.

        An item that passes from one clause to another counts for both.
        """
        found: dict[str, dict[str, int]] = {}
        for row in self.rows:
            if isinstance(row.change, ItemChange):
                for value in _values(row.where, row.change, dimension):
                    kinds = found.setdefault(value, {})
                    kinds[row.change.kind] = kinds.get(row.change.kind, 0) + row.count
        return {value: dict(sorted(found[value].items())) for value in sorted(found)}

    def outcomes(self) -> dict[str, int]:
        """The changes of outcome, by kind."""
        found: dict[str, int] = {}
        for row in self.rows:
            if isinstance(row.change, OutcomeChange):
                found[row.change.kind] = found.get(row.change.kind, 0) + row.count
        return dict(sorted(found.items()))

    def to_json(self) -> dict[str, Any]:
        """The answer as plain JSON values."""
        return {
            "candidate": dict(self.candidate),
            "decisions": self.decisions,
            "changed": self.changed,
            "unchanged": self.decisions - self.changed,
            "not_derivable": self.not_derivable,
            "outcomes": self.outcomes(),
            **{f"by_{dimension}": self.by(dimension) for dimension in DIMENSIONS},
            "rows": [dict(zip(COLUMNS, cells, strict=True)) for cells in self.table()],
        }

    def table(self) -> Iterator[tuple[str | int, ...]]:
        """The rows under `COLUMNS`, every cell a code or a number."""
        for row in self.rows:
            change, examples = row.change, " ".join(map(str, row.examples))
            where = (row.where.event, row.where.recipient, row.where.area)
            if isinstance(change, ItemChange):
                parts = ("item", change.item, change.before, change.after, change.clause_before, change.clause_after)
            else:
                parts = ("outcome", "", change.before, change.after, change.reason_before, change.reason_after)
            yield (*where, *parts, row.count, examples)


DIMENSIONS = ("item", "clause", "recipient", "area", "event")
COLUMNS = (
    "event",
    "recipient",
    "area",
    "what",
    "item",
    "before",
    "after",
    "by_before",
    "by_after",
    "count",
    "examples",
)


def try_on(source: Source, candidate: Agreement, start: datetime | None = None, stop: datetime | None = None) -> WhatIf:
    """Try a candidate on the decisions of a range. Memory grows with what differs, not with the log."""
    supposed, judge, changes = Supposed(candidate), Judge(), _Changes()
    made = changed = lost = 0
    for one, before in decisions(source, start, stop):
        if before is None:
            continue
        if isinstance(before, NotDerivable):
            lost += 1
            continue
        made += 1
        after = judge.answer(before.asked, one.at, supposed)
        if before.ruling is not after.ruling or before.outcome is not after.outcome:
            changed += changes.add(before, after, one)
    named: dict[str, str | int] = {"id": candidate.id, "version": candidate.version, "hash": candidate.hash}
    return WhatIf(named, made, changed, lost, changes.rows())


class _Changes:
    """The changes, counted. What a ruling in place of another changes is worked out once for each pair of them."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[Ruling, Ruling], Mapping[str, ItemChange]] = {}
        self._tallies: dict[tuple[Where, Change], Tally] = {}

    def add(self, before: Answer, after: Answer, one: Sealed) -> bool:
        """Count the changes of one decision; returns whether there was any."""
        where = Where(one.said["event"], before.recipient, one.said["facts"]["area"] or "unknown")
        by_item = self._between(before.ruling, after.ruling)
        found: list[Change] = [by_item[item] for item in before.items if item in by_item]
        if before.outcome is not after.outcome:
            found.append(_outcome_change(before.outcome, after.outcome, before.reason, after.reason))
        for change in found:
            tally = self._tallies.get((where, change))
            if tally is None:
                tally = self._tallies[(where, change)] = Tally()
            tally.count += 1
            if len(tally.examples) < EXAMPLES_MAX:
                tally.examples.append(one.index)
        return bool(found)

    def rows(self) -> tuple[Row, ...]:
        """Every change at every place, sorted."""
        rows = (Row(where, change, t.count, tuple(t.examples)) for (where, change), t in self._tallies.items())
        return tuple(sorted(rows, key=lambda row: (type(row.change).__name__, repr(row.where), repr(row.change))))

    def _between(self, before: Ruling, after: Ruling) -> Mapping[str, ItemChange]:
        found = self._pairs.get((before, after))
        if found is None:
            if len(self._pairs) >= _PAIRS_MAX:
                self._pairs.clear()
            found = self._pairs[(before, after)] = dict(_item_changes(before, after))
        return found


_PAIRS_MAX = 16_384


def _item_changes(before: Ruling, after: Ruling) -> Iterator[tuple[str, ItemChange]]:
    earlier = {verdict.item: verdict for verdict in before.verdicts}
    for verdict in after.verdicts:
        was = earlier.get(verdict.item)
        if was is not None and _exactness(was) != _exactness(verdict):
            yield verdict.item, ItemChange(verdict.item, _exactness(was), _exactness(verdict), was.by, verdict.by)


@lru_cache(maxsize=1024)
def _outcome_change(before: Outcome, after: Outcome, reason: Reason, reason_after: Reason) -> OutcomeChange:
    return OutcomeChange(before.value, after.value, reason.value, reason_after.value)


def _exactness(verdict: Verdict) -> str:
    if verdict.effect is Effect.WITHHELD:
        return WITHHELD
    return verdict.method.value if verdict.method else WHOLE


def _short(exactness: str) -> str:
    return exactness if exactness in {WITHHELD, WHOLE} else "generalised"


def _values(where: Where, change: ItemChange, dimension: str) -> tuple[str, ...]:
    if dimension == "clause":
        return tuple(dict.fromkeys((change.clause_before, change.clause_after)))
    values = {"item": change.item, "recipient": where.recipient, "area": where.area, "event": where.event}
    return (values[dimension],)
