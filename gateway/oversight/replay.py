"""Making every decision of a log again: whether what was sealed is what the agreement says, byte for byte.

An entry that was judged holds its question and its answer. Here the question is asked again, of the text whose hash the
entry names, standing as the log says it stood; clauses, items, recipient and reason must come out as they were sealed.

Source: design.md section 2 (P4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.decide import Effect, Outcome
from gateway.oversight.entries import Sealed, Source
from gateway.oversight.judge import Answer, Judge, NotDerivable, asked, decided
from gateway.oversight.standing import STEPS, Past, Texts

DIFFERENCES_MAX = 1000
"""Differences kept; a log with more is wrong as a whole."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry whose decision comes out otherwise; `parts` names what differs."""

    index: int
    id: str
    event: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rederived:
    """What making decisions again has shown. `nothing` counts entries that seal no decision."""

    entries: int
    same: int
    nothing: int
    not_derivable: Mapping[str, int]
    different: int
    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {
            "entries": self.entries,
            "same": self.same,
            "nothing_to_derive": self.nothing,
            "not_derivable": dict(self.not_derivable),
            "different": self.different,
            "differences": [
                {"index": one.index, "id": one.id, "event": one.event, "parts": list(one.parts)}
                for one in self.differences
            ],
        }


def rederive(source: Source, start: datetime | None = None, stop: datetime | None = None) -> Rederived:
    """Make the decisions of a range again. Memory does not grow with the log."""
    count = _Count()
    for one, decision in decisions(source, start, stop):
        count.entries += 1
        if decision is None:
            count.nothing += 1
        elif isinstance(decision, NotDerivable):
            count.not_derivable[decision.why.value] += 1
        elif parts := differing(one.said, decision):
            count.different += 1
            if len(count.differences) < DIFFERENCES_MAX:
                count.differences.append(Difference(one.index, one.id, one.said["event"], parts))
        else:
            count.same += 1
    return Rederived(
        count.entries,
        count.same,
        count.nothing,
        dict(sorted(count.not_derivable.items())),
        count.different,
        tuple(count.differences),
    )


def decisions(
    source: Source, start: datetime | None = None, stop: datetime | None = None
) -> Iterator[tuple[Sealed, Answer | NotDerivable | None]]:
    """Each entry of a range with its decision made again; None where it seals none."""
    past, judge = Past(Texts(source.texts)), Judge()
    for one in source.earlier(frozenset(STEPS), start):
        past.follow(one)
    for one in source.entries(start, stop):
        past.follow(one)
        if not decided(one.said):
            yield one, None
            continue
        agreement = one.said["agreement"]
        try:
            yield one, judge.answer(asked(one.said), one.at, past.terms(agreement["hash"]) if agreement else None)
        except NotDerivable as fault:
            yield one, fault


def differing(said: Mapping[str, Any], decision: Answer) -> tuple[str, ...]:
    """What of an entry is not as its decision comes out.

    Lists of strings that are equal have equal bytes in canonical JSON. The reason of what was permitted may be the
    reader's own; that of anything else is the decision's.
    """
    items, ref = said["items"], decision.agreement
    sealed_ref = said["agreement"]
    recipients = [decision.organisation] if decision.organisation else []
    compared = (
        ("clauses", said["clauses"], decision.clauses),
        ("items.released", items["released"], decision.named(Effect.RELEASED)),
        ("items.generalised", items["generalised"], decision.named(Effect.GENERALISED)),
        ("items.withheld", items["withheld"], decision.named(Effect.WITHHELD)),
        ("recipients", [one["organisation"] for one in said["recipients"]], recipients),
        ("agreement", sealed_ref and sealed_ref["hash"], ref and ref.hash),
    )
    parts = [name for name, sealed, made in compared if sealed != made]
    permitted = decision.outcome is Outcome.PERMITTED
    if said["reason"] != decision.reason.value and not (permitted and said["operation"] == "disclosure"):
        parts.append("reason")
    if said["operation"] == "disclosure" and said["outcome"] == "permitted" and not permitted:
        parts.append("outcome")
    return tuple(parts)


@dataclass(slots=True)
class _Count:
    entries: int = 0
    same: int = 0
    nothing: int = 0
    different: int = 0
    not_derivable: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
