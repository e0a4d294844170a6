"""What a decision says: the outcome, and for each item what becomes of it, by which clause, in words.

A decision is explained twice: to the sender, who learns what was withheld and why, and to the recipient, who learns
that something was withheld and nothing more. It holds names of items and words of the agreement; never a value of a
record.

Source: design.md section 6 (decisions are explained).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from audit.entry import timestamp
from gateway.generalise import IN_WORDS, Method


class Outcome(StrEnum):
    """What is to happen."""

    PERMITTED = "permitted"
    HELD = "held"  # nothing goes; a human decides, with a clock
    REFUSED = "refused"  # nothing goes: the record, or the agreement, forbids it
    DENIED = "denied"  # nothing goes: whoever asks has no part in this


class Reason(StrEnum):
    """Why, as a code."""

    CLAUSE = "clause"  # a clause permits it
    TOO_SECRET = "marking-too-high"  # noqa: S105 - a reason
    MARKING = "marking"  # handling code C, or information graded E
    NO_AGREEMENT = "no-agreement"  # none, or none in force
    RECIPIENT_UNKNOWN = "recipient-unknown"
    PURPOSE_UNKNOWN = "purpose-unknown"
    NO_FLOW = "no-flow"  # the agreement has no way from this sender to this recipient
    CONNECTED = "connected"  # whoever asks is connected with a party to the case
    AREA_UNKNOWN = "area-unknown"
    OUTSIDE_AREA = "outside-area"
    HOLD = "hold"  # the agreement leaves it to a human
    NO_CLAUSE = "no-clause"
    NOTHING_RELEASED = "nothing-released"


class Effect(StrEnum):
    """What becomes of one item."""

    RELEASED = "released"
    GENERALISED = "generalised"
    WITHHELD = "withheld"


DEFAULT = "default"
"""What withholds an item that no clause names."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one item: by a clause, a prohibition, a hold, a rule no agreement can lift, or by default."""

    item: str
    effect: Effect
    method: Method | None
    by: str
    words: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdicts of a decision, sorted by item, with what is asked of them often worked out once.

    Built by `ruling`. Equal where the verdicts are; the hash is kept, since rulings are keys of caches.
    """

    verdicts: tuple[Verdict, ...]
    released: tuple[str, ...] = field(compare=False)
    generalised: tuple[str, ...] = field(compare=False)
    withheld: tuple[str, ...] = field(compare=False)
    methods: Mapping[str, Method | None] = field(compare=False)  # every item that may leave; None leaves it whole
    key: int = field(compare=False)

    def __hash__(self) -> int:
        return self.key


def ruling(verdicts: tuple[Verdict, ...]) -> Ruling:
    """A ruling of these verdicts, which are sorted by item."""

    def named(effect: Effect) -> tuple[str, ...]:
        return tuple(v.item for v in verdicts if v.effect is effect)

    methods = {v.item: v.method for v in verdicts if v.effect is not Effect.WITHHELD}
    withheld = named(Effect.WITHHELD)
    return Ruling(verdicts, named(Effect.RELEASED), named(Effect.GENERALISED), withheld, methods, hash(verdicts))


@dataclass(frozen=True, slots=True)
class AgreementRef:
    """Which agreement, in which version, with which hash."""

    id: str
    version: int
    hash: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What may be given of a record to a recipient for a purpose, and why.

    `organisation` is the recipient's code, `owner` the contact of the agreement who decides what is held or refused,
    `respond_by` when the clock for the grade runs out; both are None where nobody waits.
    """

    outcome: Outcome
    reason: Reason
    words: str
    recipient: str
    organisation: str | None
    purpose: str
    flow: str | None
    agreement: AgreementRef | None
    clauses: tuple[str, ...]
    ruling: Ruling
    respond_by: datetime | None
    owner: str | None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What becomes of each item the record holds, sorted by item."""
        return self.ruling.verdicts

    @property
    def released(self) -> tuple[str, ...]:
        """The items that go whole, sorted."""
        return self.ruling.released

    @property
    def generalised(self) -> tuple[str, ...]:
        """The items that go less exact, sorted."""
        return self.ruling.generalised

    @property
    def withheld(self) -> tuple[str, ...]:
        """The items that stay, sorted."""
        return self.ruling.withheld

    def narrow(self, items: frozenset[str]) -> Decision:
        """The decision about these items alone: what one response can carry. It never adds an item."""
        narrowed = _narrowed(self.ruling, items)
        contributing = {verdict.by for verdict in narrowed.verdicts}
        return replace(self, ruling=narrowed, clauses=tuple(c for c in self.clauses if c in contributing))

    def for_sender(self) -> dict[str, Any]:
        """What the sender is told: to whom, what was withheld or made less exact, and why."""
        return {
            "recipient": self.recipient,
            "organisation": self.organisation,
            "outcome": self.outcome.value,
            "reason": self.reason.value,
            "words": self.words,
            **told(self.ruling),
        }

    def for_recipient(self) -> dict[str, Any]:
        """What the recipient is told: that something was withheld, not what."""
        whole = not self.withheld and not self.generalised
        words = "Nothing was withheld." if whole else "Some information was withheld under the agreement."
        return {"withheld": not whole, "words": words}

    def to_json(self) -> dict[str, Any]:
        """The decision as plain JSON values; the same inputs give the same bytes again (P4)."""
        return {
            "outcome": self.outcome.value,
            "reason": self.reason.value,
            "words": self.words,
            "recipient": self.recipient,
            "organisation": self.organisation,
            "purpose": self.purpose,
            "flow": self.flow,
            "agreement": self.agreement
            and {"id": self.agreement.id, "version": self.agreement.version, "hash": self.agreement.hash},
            "clauses": list(self.clauses),
            "items": [
                {
                    "item": v.item,
                    "effect": v.effect.value,
                    "method": v.method and v.method.value,
                    "by": v.by,
                    "words": v.words,
                }
                for v in self.verdicts
            ],
            "respond_by": self.respond_by and timestamp(self.respond_by),
            "owner": self.owner,
        }


@lru_cache(maxsize=4096)
def _narrowed(whole: Ruling, items: frozenset[str]) -> Ruling:
    return ruling(tuple(v for v in whole.verdicts if v.item in items))


@lru_cache(maxsize=1024)
def told(one: Ruling) -> Mapping[str, list[dict[str, str]]]:
    """What the sender is told of the items, the same wherever the same may leave. Not to be changed."""
    return {
        "generalised": [
            {"item": v.item, "clause": v.by, "method": v.method.value, "words": IN_WORDS[v.method]}
            for v in one.verdicts
            if v.method
        ],
        "withheld": [
            {"item": v.item, "clause": v.by, "words": v.words} for v in one.verdicts if v.effect is Effect.WITHHELD
        ],
    }
