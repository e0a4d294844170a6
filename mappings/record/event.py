"""What happened, apart from who was there: its references, times, marking, texts, and who in the force answers for it.

Source: domain.md sections 1.3, 4.7 and 5.3.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field, StringConstraints

from mappings.record.part import Code, Item, Part, Ref
from mappings.record.vocabulary import Classification, Topic


class Reference(Part):
    """An identifier of the event in the sender's system: opaque, normalised, unique within its type."""

    gate: ClassVar[str | None] = "event.references"
    type: Annotated[Code, Item("event.references")]
    value: Annotated[str, Field(max_length=100), Item("event.references")]


class Link(Part):
    """Another record of the same incident, by its own reference: a section of it, or what became of a log (4.7 c, d).

    `kind` is `section`, `same-log` or `notice`; `section` names which, where the sender says it. Never merged.
    """

    gate: ClassVar[str | None] = "event.references"
    kind: Annotated[Code, Item("event.references")]
    section: Annotated[Code | None, Item("event.references")] = None
    references: tuple[Reference, ...] = ()


class Times(Part):
    """When things happened; every time carries its offset (RFC 3339)."""

    gate: ClassVar[str | None] = "event.times"
    reported: Annotated[AwareDatetime | None, Item("event.times")] = None
    occurred_from: Annotated[AwareDatetime | None, Item("event.times")] = None
    occurred_to: Annotated[AwareDatetime | None, Item("event.times")] = None
    attended: Annotated[AwareDatetime | None, Item("event.times")] = None
    recorded: Annotated[AwareDatetime | None, Item("event.times")] = None


class Marking(Part):
    """Protective marking and 3x5x2 intelligence grading (domain.md section 1.3).

    `source_grade` 1-3, `information_grade` A-E, `handling` P (lawful sharing permitted) or C (with conditions).
    """

    gate: ClassVar[str | None] = "police.marking"
    classification: Annotated[Classification | None, Item("police.marking")] = None
    source_grade: Annotated[str | None, StringConstraints(pattern=r"^[1-3]$"), Item("police.marking")] = None
    information_grade: Annotated[str | None, StringConstraints(pattern=r"^[A-E]$"), Item("police.marking")] = None
    handling: Annotated[str | None, StringConstraints(pattern=r"^[PC]$"), Item("police.marking")] = None
    conditions: Annotated[str | None, Item("police.marking")] = None


class Statement(Part):
    """A text, and whether it is fact, assessment or allegation (DPA 2018 s.38), and about whom."""

    gate: ClassVar[str | None] = "{topic}"
    fills: ClassVar[str | None] = "topic"
    choices: ClassVar[tuple[str, ...]] = tuple(t.item_word for t in Topic)
    topic: Annotated[Topic, Item("{topic}")]
    kind: Annotated[Code, Item("{topic}")] = "allegation"
    about: Annotated[tuple[Ref, ...], Item("{topic}")] = ()
    text: Annotated[str | None, Item("{topic}")] = None

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return self.topic.item_word


class Attachment(Part):
    """That police hold a photograph, a recording or a document: its kind, and never its name or content."""

    gate: ClassVar[str | None] = "event.attachments"
    kind: Annotated[Code | None, Item("event.attachments")] = None
    media_type: Annotated[Code | None, Item("event.attachments")] = None


class Officer(Part):
    """Who in the force answers for the record: collar number and team, never a personal number."""

    gate: ClassVar[str | None] = "police.officer"
    collar: Annotated[Code | None, Item("police.officer")] = None
    team: Annotated[str | None, Item("police.officer")] = None
