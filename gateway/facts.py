"""The facts a decision reads: what of a record conditions turn on, and nothing that tells who it is about.

Facts are sealed in the audit entry of the act they decided, so that the decision can be made again after the record is
erased (P4). They hold codes, a grade, an age in hours, a band of ages and the names of items; no value of any item.
What a record says is read by `facts_of`; who asks, and when, is added by `Facts.asked_by` at the moment of reading.

Source: design.md section 7 (facts of an entry); domain.md sections 1.3 (marking), 1.6 (grades), 4.6 (consent).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from gateway.generalise import age_band
from mappings.items import present
from mappings.record import GRADE_ORDER, ConsentState, Record, Role

_CAUTION = (
    ConsentState.REFUSED,
    ConsentState.WITHDRAWN,
    ConsentState.NOT_ASKED,
    ConsentState.LACKS_CAPACITY,
    ConsentState.UNDER_16_GILLICK,
    ConsentState.OVERRIDDEN,
    ConsentState.GIVEN,
)
"""Consent states, the most restrictive first: where several were recorded, the first of them counts."""
_CAUTION_RANK = {state: rank for rank, state in enumerate(_CAUTION)}


@dataclass(frozen=True, slots=True)
class Facts:
    """What decisions read of a record. None is *nobody stated it*.

    `grade` is the highest current one; `consent` the most restrictive effective one for the victim; `children` whether
    a child is in the record; `hours_since_event` whole hours, never negative; `source` the sending organisation's code;
    `items` the names of the items the record holds, sorted; `age_band` the victim's at the event. Of who asks:
    `relationship` to the case (`assigned`, `team`, `declared`, `same-name`, `same-address`) and `break_glass`, the
    ground of an emergency access that this person has open for this case.
    """

    kind: str
    source: str | None
    area: str | None
    grade: str | None
    consent: str | None
    classification: str | None
    handling: str | None
    information_grade: str | None
    children: bool
    hours_since_event: int | None
    items: tuple[str, ...]
    age_band: str | None = None
    relationship: str | None = None
    break_glass: str | None = None

    def asked_by(self, relationship: str | None, break_glass: str | None, hours_since_event: int | None) -> Facts:
        """The same facts at the moment somebody asks: who it is to the case, and how old the event is by now."""
        asked = (relationship, break_glass, hours_since_event)
        if asked == (self.relationship, self.break_glass, self.hours_since_event):
            return self
        return replace(self, relationship=relationship, break_glass=break_glass, hours_since_event=hours_since_event)

    def to_json(self) -> dict[str, Any]:
        """The facts as plain JSON values, in the order of the fields."""
        return {name: getattr(self, name) for name in _NAMES} | {"items": list(self.items)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Facts:
        """The facts again. Raises ValueError where a key is missing or unknown, or a value has the wrong type.

        Facts sealed before the last three were known are read without them.
        """
        if not _REQUIRED <= plain.keys() <= _KNOWN:
            raise ValueError("facts have a missing or an unknown key")
        for name, value in plain.items():
            if type(value) not in _TYPES[name]:
                raise ValueError(f"facts.{name} has the wrong type")
        if not all(type(item) is str for item in plain["items"]):
            raise ValueError("facts.items has the wrong type")
        return cls(**(plain | {"items": tuple(plain["items"])}))


_NAMES = tuple(f.name for f in fields(Facts))
_KNOWN = frozenset(_NAMES)
_REQUIRED = _KNOWN - {"age_band", "relationship", "break_glass"}
_STATED: tuple[type, ...] = (str, type(None))
_TYPES: dict[str, tuple[type, ...]] = {
    name: {"kind": (str,), "children": (bool,), "hours_since_event": (int, type(None)), "items": (list,)}.get(
        name, _STATED
    )
    for name in _NAMES
}


def facts_of(record: Record, now: datetime) -> Facts:
    """What decisions read of a record at an instant, whoever may ask."""
    marking = record.marking
    event = event_time(record)
    return Facts(
        kind=record.kind.value,
        source=record.source.organisation if record.source else None,
        area=record.area,
        grade=_grade(record),
        consent=_consent(record),
        classification=marking.classification.value if marking and marking.classification else None,
        handling=marking.handling if marking else None,
        information_grade=marking.information_grade if marking else None,
        children=any(person.role is Role.CHILD for person in record.people),
        hours_since_event=hours_since(event, now),
        items=tuple(sorted(present(record))),
        age_band=_age_band(record, event),
    )


def event_time(record: Record) -> datetime | None:
    """When it happened; where nobody said, when it was reported or recorded."""
    times = record.times
    return (times.occurred_from or times.reported or times.recorded) if times else None


def hours_since(event: datetime | None, now: datetime) -> int | None:
    """Whole hours from an event until an instant, never negative; None where nobody dated the event."""
    return max(0, int((now - event).total_seconds()) // 3600) if event else None


def _grade(record: Record) -> str | None:
    """The highest grade among assessments nobody superseded; where they all supersede each other, among all (P10)."""
    superseded = {a.supersedes for a in record.assessments if a.supersedes != a.ref}
    current = [a for a in record.assessments if a.ref not in superseded] or record.assessments
    grades = [a.grade.value for a in current if a.grade]
    return max(grades, key=GRADE_ORDER.__getitem__, default=None)


def _consent(record: Record) -> str | None:
    """The most restrictive effective state among what was asked of a victim, or of nobody named."""
    others = {person.ref for person in record.people if person.role is not Role.VICTIM}
    states = [consent.effective for consent in record.consents if consent.subject not in others]
    return min(states, key=_CAUTION_RANK.__getitem__).value if states else None


def _age_band(record: Record, event: datetime | None) -> str | None:
    """The victim's; None where victims of several bands are in one record."""
    day = event.date() if event else None
    bands = {age_band(victim.birth, day) if victim.birth else None for victim in record.of_role(Role.VICTIM)}
    return bands.pop() if len(bands) == 1 else None
