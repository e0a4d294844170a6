"""Risk as professionals stated it: assessments with their answers and earlier grades, criteria, earlier incidents.

No grade is computed, raised or lowered here, and no instrument is converted into another (P10).

Source: domain.md sections 1.6 and 1.8.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from mappings.record.part import Code, Item, Part, Ref
from mappings.record.vocabulary import Grade, Instrument, Reply

_ANSWER_ITEMS = {
    "": "risk.answers",
    "DEP": "risk.answers.victim_health",
    "PREG": "risk.answers.victim_health",
    "SUB": "risk.answers.suspect_background",
    "SUI": "risk.answers.suspect_background",
    "CRIM": "risk.answers.suspect_background",
}
"""Answers on the victim's health, and on the suspect's health or past, are items of their own (domain.md 1.6, N4)."""


class Answer(Part):
    """One answer of a risk instrument, under its short code (domain.md section 1.6)."""

    gate: ClassVar[str | None] = "{answers}"
    fills: ClassVar[str | None] = "answers"
    choices: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys(_ANSWER_ITEMS.values()))
    code: Annotated[Code, Item("{answers}")]
    reply: Annotated[Reply, Item("{answers}")] = Reply.UNKNOWN
    source: Annotated[Code | None, Item("{answers}")] = None
    text: Annotated[str | None, Item("{answers}")] = None

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return _ANSWER_ITEMS.get(self.code.rpartition(".")[2].upper(), _ANSWER_ITEMS[""])


class Grading(Part):
    """A grade that stood before the one that stands now, with who gave it, when and on what (P10).

    `version` is that of the record which said it, where it was another.
    """

    gate: ClassVar[str | None] = "risk.grade"
    grade: Annotated[Grade, Item("risk.grade")]
    at: Annotated[AwareDatetime | None, Item("risk.grade")] = None
    by: Annotated[Code | None, Item("risk.grade")] = None
    basis: Annotated[Code | None, Item("risk.grade")] = None
    instrument: Annotated[Instrument | None, Item("risk.grade")] = None
    version: Annotated[int | None, Field(ge=1), Item("risk.grade")] = None
    yes: Annotated[int | None, Field(ge=0, le=64), Item("risk.count")] = None
    items: Annotated[int | None, Field(ge=0, le=64), Item("risk.count")] = None


class Assessment(Part):
    """A risk assessment as a professional made it: instrument, items, count, grade, assessor and age together (P10).

    `history` are the grades before, the oldest first.
    """

    gate: ClassVar[str | None] = "risk.assessment"
    ref: Annotated[Ref, Item("risk.assessment")]
    instrument: Annotated[Instrument, Item("risk.assessment")] = Instrument.UNKNOWN
    instrument_version: Annotated[Code | None, Item("risk.assessment")] = None
    subject: Annotated[Ref | None, Item("risk.assessment")] = None
    assessor_role: Annotated[Code | None, Item("risk.assessment")] = None
    at: Annotated[AwareDatetime | None, Item("risk.assessment")] = None
    supersedes: Annotated[Ref | None, Item("risk.assessment")] = None
    grade: Annotated[Grade | None, Item("risk.grade")] = None
    basis: Annotated[Code | None, Item("risk.grade")] = None
    yes: Annotated[int | None, Field(ge=0, le=64), Item("risk.count")] = None
    unknown: Annotated[int | None, Field(ge=0, le=64), Item("risk.count")] = None
    items: Annotated[int | None, Field(ge=0, le=64), Item("risk.count")] = None
    answers: tuple[Answer, ...] = ()
    history: tuple[Grading, ...] = ()

    def grading(self, version: int) -> Grading | None:
        """The grade as it will stand in the history; None where nobody gave one."""
        if self.grade is None:
            return None
        return Grading(
            grade=self.grade,
            at=self.at,
            by=self.assessor_role,
            basis=self.basis,
            instrument=self.instrument,
            version=version,
            yes=self.yes,
            items=self.items,
        )


class Criterion(Part):
    """A criterion for a multi-agency conference (MARAC) and what it rests on: a fact, never a grade (domain.md 1.8).

    `code` is `visible-high-risk`, `professional-judgement`, `escalation` or `repeat`. `basis` says whether the sender
    states it (`stated`), it was counted on the instrument that was used (`counted`), or among the incidents that the
    gateway took in (`found`). `count` is of answers yes, or of
    incidents; `since` the day of the last conference, or of the first incident counted.
    """

    gate: ClassVar[str | None] = "marac.criteria"
    code: Annotated[Code, Item("marac.criteria")]
    met: Annotated[bool | None, Item("marac.criteria")] = None
    subject: Annotated[Ref | None, Item("marac.criteria")] = None
    basis: Annotated[Code, Item("marac.criteria")] = "stated"
    by: Annotated[Code | None, Item("marac.criteria")] = None
    at: Annotated[AwareDatetime | None, Item("marac.criteria")] = None
    instrument: Annotated[Instrument | None, Item("marac.criteria")] = None
    count: Annotated[int | None, Field(ge=0, le=1000), Item("marac.criteria")] = None
    since: Annotated[date | None, Item("marac.criteria")] = None
    text: Annotated[str | None, Item("marac.criteria")] = None


class Earlier(Part):
    """An earlier incident of the same victim: its day and the grade it was given, nothing else of it.

    `pair` says that the suspect was the same as well. The grade is that of then, and never becomes one of now (P10).
    """

    gate: ClassVar[str | None] = "history.repeats"
    on: Annotated[date, Item("history.repeats")]
    grade: Annotated[Grade | None, Item("history.repeats")] = None
    pair: Annotated[bool | None, Item("history.repeats")] = None
