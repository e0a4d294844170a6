"""A profile tried on a sample: the record item by item, what was lost, what was assumed, and what each side would get.

The sample is the integrator's own, on their own machine, so values are shown; `hide` leaves paths alone. What is given
to whom is decided by the gateway's own `decide`, under the agreement taken as signed and in force.

Source: design.md section 6 (decisions are explained); domain.md section 5.2, points 3 and 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.agreement import Terms
from gateway.explain import Explanation, explain
from gateway.intake import offers
from gateway.workbench.samples import Sampled
from mappings.items import CATALOGUE, leaves
from mappings.reading import Reading
from mappings.record import Record, Source

ASSUMED = {
    "birth-date-not-known": "the date of birth is given and said to be unknown",
    "time-missing": "a day without a time: the first or last second of it",
    "time-ambiguous": "an hour that the clock showed twice: the first of the two",
    "leading-zero-restored": "a leading zero was put back",
    "first-of-january": "01/01 looks like a default",
    "shared-with-suspect": "the suspect has the same number or address, so it is taken as shared",
    "safe-and-unsafe": "one number or address is said to be safe and not to be, so it is not",
    "more-than-one": "only the first of several was read",
    "answered-twice": "one question has two answers",
    "count-disagrees": "the count that is stated is not that of the answers",
}
"""The findings that say something was read with a doubt, in words; the others say that something was not read."""


@dataclass(frozen=True, slots=True)
class Given:
    """What one recipient would be given of one victim's record, and why."""

    victim: str
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one document. `given` is empty without an agreement, or where nobody is a victim."""

    sampled: Sampled
    given: tuple[Given, ...]

    def to_json(self, *, hide: bool) -> dict[str, Any]:
        """All of it as plain JSON values; `hide` leaves the values of the record out."""
        reading = self.sampled.reading
        if reading is None:
            problems = [{"path": p.path, "code": p.fault.value, "words": p.words} for p in self.sampled.problems]
            return {"file": str(self.sampled.file), "number": self.sampled.number, "unreadable": problems}
        told = [(one.victim, one.explanation) for one in self.given]
        return {
            "file": str(self.sampled.file),
            "number": self.sampled.number,
            "record": [
                {"path": path, "item": item} | ({} if hide else {"value": _plain(value)})
                for path, item, value in _leaves(reading.record)
            ],
            "leaves": {"of_document": reading.leaf_count, "lost": reading.loss_count, "ignored": reading.ignored_count},
            "lost": [{"path": one.path, "reason": one.reason} for one in reading.losses],
            "assumed": [{"path": f.path, "code": f.code, "words": ASSUMED[f.code]} for f in _assumed(reading)],
            "findings": [{"path": f.path, "code": f.code} for f in _unread(reading)],
            "recipients": [{"victim": victim, **explanation.whole()} for victim, explanation in told],
        }

    def in_words(self, *, hide: bool) -> Iterator[str]:
        """The same as lines a person reads."""
        reading = self.sampled.reading
        yield f"{self.sampled.file}, document {self.sampled.number}"
        if reading is None:
            yield "unreadable: it would be kept, encrypted, for a human"
            for problem in self.sampled.problems:
                yield f"  {problem.path or 'the document'}: {problem.words} ({problem.fault.value})"
            return
        yield from _record_in_words(reading.record, hide=hide)
        ignored = f"{reading.ignored_count} ignored for a stated reason"
        yield f"lost: {reading.loss_count} of {reading.leaf_count} ({ignored})"
        yield from (f"  {one.path}: {one.reason}" for one in reading.losses)
        yield "assumed:"
        yield from (f"  {one.path}: {ASSUMED[one.code]} ({one.code})" for one in _assumed(reading))
        yield "missing or not read:"
        yield from (f"  {one.path}: {one.code}" for one in _unread(reading))
        for one in self.given:
            yield f"for {one.victim}:"
            yield from (f"  {line}" for line in one.explanation.in_words())


def try_on(sampled: Sampled, terms: Terms | None, sender: str | None, now: datetime) -> Tried:
    """Judge one document of a sample for every recipient of an agreement; `sender` is the code of the organisation.

    Without a sender it is the one the document names. Without terms nobody is asked for.
    """
    if sampled.reading is None or terms is None:
        return Tried(sampled, ())
    record = sampled.reading.record
    said = sender or (record.source.organisation if record.source else "")
    stamped = record.model_copy(update={"source": Source(organisation=said)})
    given = [
        Given(offer.victim, explain(offer.facts, offer.recipient, offer.purpose, terms, now))
        for offer in offers(stamped, terms, now)
    ]
    return Tried(sampled, tuple(given))


def _record_in_words(record: Record, *, hide: bool) -> Iterator[str]:
    """The record as a tree: its parts, and in each the leaves with the item they belong to."""
    around = ""
    for path, item, value in _leaves(record):
        part, _, leaf = path.rpartition(".")
        if part != around:
            around = part
            yield f"{part or 'the record'}:"
        yield f"  {leaf}" + ("" if hide else f" = {_plain(value)}") + f"  [{item}: {CATALOGUE.get(item, item)}]"


def _leaves(record: Record) -> Iterator[tuple[str, str, object]]:
    """The leaves of a record but its remarks, which are shown apart."""
    return (one for one in leaves(record) if not one[0].startswith("quality["))


def _assumed(reading: Reading) -> list[Any]:
    return [one for one in reading.findings if one.code in ASSUMED]


def _unread(reading: Reading) -> list[Any]:
    return [one for one in reading.findings if one.code not in ASSUMED]


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """A leaf's value as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, bool | int) else str(value)
