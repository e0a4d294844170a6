"""The facts of a risk assessment that travel together: instrument, count, grade, assessor, age, earlier grades (P10).

The same extension goes with every resource that shows any of them. Nothing is computed, and no instrument is
converted into another. It holds what the decision left.
"""

from __future__ import annotations

from adapters.nhs.fhir.elements import part, when
from adapters.nhs.fhir.models import Json
from mappings.record import Assessment, Grading


def assessment_details(one: Assessment) -> list[Json]:
    """The parts of the `assessment` extension."""
    return [
        *part("instrument", "valueCode", one.instrument.value),
        *part("instrumentVersion", "valueCode", one.instrument_version),
        *part("grade", "valueCode", one.grade.value if one.grade is not None else None),
        *part("basis", "valueCode", one.basis),
        *part("yes", "valueInteger", one.yes),
        *part("unknown", "valueInteger", one.unknown),
        *part("items", "valueInteger", one.items),
        *part("assessorRole", "valueCode", one.assessor_role),
        *when("at", one.at),
        *({"url": "earlier", "extension": _earlier(grading)} for grading in one.history),
    ]


def _earlier(one: Grading) -> list[Json]:
    return [
        *part("grade", "valueCode", one.grade.value),
        *when("at", one.at),
        *part("assessorRole", "valueCode", one.by),
        *part("basis", "valueCode", one.basis),
        *part("instrument", "valueCode", one.instrument.value if one.instrument is not None else None),
        *part("yes", "valueInteger", one.yes),
        *part("items", "valueInteger", one.items),
        *part("version", "valueInteger", one.version),
    ]
