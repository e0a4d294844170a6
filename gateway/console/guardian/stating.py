"""What a person states who lets something go on against a hold or a wish, or keeps it back: the forms, and the facts.

Pure. The words are encrypted (`overrides.Override`), the codes are sealed. Source: domain.md section 4.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from gateway.console.forms import FormModel
from gateway.console.words import words
from gateway.facts import Facts
from gateway.overrides import MOST_DAYS, Ground, Override, VictimTold
from gateway.store.envelope import Envelope

DAYS = 28  # how long an override lasts where nobody says otherwise

KEPT: tuple[tuple[str, str], ...] = (
    ("not-necessary", "It is not necessary to share it"),
    ("not-proportionate", "It is not proportionate"),
    ("wrong-agreement", "It is not for this agreement"),
    ("sent-in-error", "It was sent in error"),
    ("dealt-with-otherwise", "It has been dealt with otherwise"),
)
"""Why something is kept back, as it is sealed."""

GROUNDS: Sequence[tuple[str, str]] = tuple((one.value, words(one.value, "override-ground")) for one in Ground)
TOLD: Sequence[tuple[str, str]] = tuple((one.value, words(one.value, "victim-told")) for one in VictimTold)
STATED: Mapping[str, Any] = {"grounds": GROUNDS, "told": TOLD, "reasons": KEPT, "days": DAYS, "most_days": MOST_DAYS}
"""What the forms of an override and of keeping back offer."""

Said = Annotated[str, Field(min_length=10, max_length=4000)]


class Overriding(FormModel):
    """An override as domain.md section 4.6 asks for it."""

    ground: Ground = Field(title="the ground")
    evidence: Said = Field(title="what you know")
    proportionality: Said = Field(title="why it is proportionate")
    minimum_set: Said = Field(title="why no less would do")
    victim_told: VictimTold = Field(title="whether the victim was told")
    why_not_told: Said | None = Field(None, title="why the victim was not told")
    days: int = Field(DAYS, title="for how many days", ge=1, le=MOST_DAYS)

    @model_validator(mode="after")
    def _said_why(self) -> Self:
        if self.victim_told is not VictimTold.YES and self.why_not_told is None:
            raise ValueError("Enter why the victim was not told")
        return self

    def made(self, envelope: Envelope) -> Override:
        """The override, its words encrypted."""
        told = {
            "evidence": self.evidence,
            "proportionality": self.proportionality,
            "minimum_set": self.minimum_set,
            "why_not_told": self.why_not_told or "",
        }
        return Override.of(envelope, self.ground, self.victim_told, self.days, told)


class Keep(FormModel):
    """Keep something back for good."""

    reason: Literal[
        "not-necessary", "not-proportionate", "wrong-agreement", "sent-in-error", "dealt-with-otherwise"
    ] = Field(title="why it is kept back")


@dataclass(frozen=True, slots=True)
class Shown:
    """What was judged on the same facts: the facts in words, and for each recipient what came of it."""

    facts: Sequence[tuple[str, str]]
    said: Sequence[tuple[str, str]]


def shown(made: Iterable[tuple[str, str, Facts]]) -> Sequence[Shown]:
    """Judgements (the recipient, the decision in words, its facts) put together, and nobody's name in them."""
    found: dict[tuple[tuple[str, str], ...], list[tuple[str, str]]] = {}
    for recipient, said, facts in made:
        sentence = said[:1].upper() + said[1:]
        found.setdefault(facts_in_words(facts), []).append((recipient or "Nobody in particular", sentence))
    return [Shown(facts, said) for facts, said in found.items()]


def facts_in_words(facts: Facts) -> tuple[tuple[str, str], ...]:
    """The facts a decision reads, as a person reads them; what nobody stated is said so where it counts."""
    found = [
        ("Kind", words(facts.kind, "kind")),
        ("Risk", words(facts.grade, "grade")),
        ("Consent", words(facts.consent, "consent")),
        ("Area", facts.area or "Not stated"),
        ("Children", "A child is in the record" if facts.children else "None in the record"),
        ("Age of the event", "Not stated" if facts.hours_since_event is None else _hours(facts.hours_since_event)),
    ]
    marks: Mapping[str, str | None] = {
        "Classification": words(facts.classification, "classification") if facts.classification else None,
        "Handling code": facts.handling,
        "Information grade": facts.information_grade,
        "Victim's age": facts.age_band,
    }
    return (*found, *((name, value) for name, value in marks.items() if value))


_DAY_HOURS = 24
_DAYS_FROM = 2 * _DAY_HOURS


def _hours(hours: int) -> str:
    if hours >= _DAYS_FROM:
        return f"{hours // _DAY_HOURS} days"
    return f"{hours} hour{'' if hours == 1 else 's'}"
