"""The facts a decision reads: what of a record conditions turn on, and nothing that tells who it is about.

Facts are sealed in the audit entry of the act they decided, so that the decision can be made again after the record is
erased (P4). They hold codes, a grade, an age in hours and the names of items; no value of any item.

Source: design.md section 7 (facts of an entry); domain.md sections 1.3 (marking), 1.6 (grades), 4.6 (consent).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

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
    `items` the names of the items the record holds, sorted.
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

    def to_json(self) -> dict[str, Any]:
        """The facts as plain JSON values, in the order of the fields."""
        return {name: getattr(self, name) for name in _NAMES} | {"items": list(self.items)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Facts:
        """The facts again. Raises ValueError where a key is missing or unknown, or a value has the wrong type."""
        if plain.keys() != set(_NAMES):
            raise ValueError("facts have a missing or an unknown key")
        for name, kinds in _TYPES.items():
            if type(plain[name]) not in kinds:
                raise ValueError(f"facts.{name} has the wrong type")
        if not all(type(item) is str for item in plain["items"]):
            raise ValueError("facts.items has the wrong type")
        return cls(**(plain | {"items": tuple(plain["items"])}))


_NAMES = tuple(f.name for f in fields(Facts))
_STATED: tuple[type, ...] = (str, type(None))
_TYPES: dict[str, tuple[type, ...]] = {
    name: {"kind": (str,), "children": (bool,), "hours_since_event": (int, type(None)), "items": (list,)}.get(
        name, _STATED
    )
    for name in _NAMES
}


def facts_of(record: Record, now: datetime) -> Facts:
    """What decisions read of a record at an instant."""
    marking = record.marking
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
        hours_since_event=_hours_since(record, now),
        items=tuple(sorted(present(record))),
    )


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


def _hours_since(record: Record, now: datetime) -> int | None:
    times = record.times
    event = times and (times.occurred_from or times.reported or times.recorded)
    return max(0, int((now - event).total_seconds()) // 3600) if event else None
