"""UK Core details as others write them, read to one meaning: NHS number and its status, ODS codes, ethnic category.

System addresses are compared without regard to case and written canonically, because published examples differ
(domain.md section 2.2). The verification status has two code systems and both are read; England's is written (domain.md
section 2.1). A SNOMED CT code with a wrong check digit is remarked on and never a reason to refuse (section 2.10).
Nothing here decides what may be filed: only status 01 may file itself, and that is the gateway's to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from adapters.nhs.fhir.canonical import ETHNIC_CATEGORIES, ETHNIC_CATEGORY, NHS_NUMBER, ODS, VERIFICATION
from adapters.nhs.fhir.models import Json
from adapters.nhs.fhir.outcome import Issue
from mappings import snomed

VERIFICATION_STATUS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "01": "Number present and verified",
        "02": "Number present but not traced",
        "03": "Trace required",
        "04": "Trace attempted - No match or multiple match found",
        "05": "Trace needs to be resolved - (NHS number or patient detail conflict)",
        "06": "Trace in progress",
        "07": "Number not present and trace not required",
        "08": "Trace postponed (baby under six weeks old)",
    }
)
"""England's codes of the NHS number's verification status, with UK Core's words."""

_UK_STATUS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "number-present-and-verified": "01",
        "number-present-but-not-traced": "02",
        "trace-required": "03",
        "trace-attempted": "04",
        "trace-needs-to-be-resolved": "05",
        "trace-in-progress": "06",
        "number-not-present-and-trace-not-required": "07",
        "trace-postponed": "08",
    }
)
"""The words of the other code system. What Wales traced England did not, so that word says nothing here."""

_SUBCODES: Final = {
    "C": "23ABCDEFGHJKLMNPQRSTUVWXY",
    "G": "ABCDEF",
    "L": "ABCDEFGHJK",
    "P": "ABCDE",
    "S": "ABCDE",
}
ETHNIC_CODES: Final[frozenset[str]] = frozenset(
    {*"ABCDEFGHJKLMNPRSZ", "99", *(first + one for first, rest in _SUBCODES.items() for one in rest)}
)
"""UK Core's ethnic categories: 16+1 of the NHS Data Dictionary, not known, and the sub-codes."""

REMARKS_MAX: Final = 20
"""Remarks made on one input: the rest would say the same again."""


@dataclass(frozen=True, slots=True)
class NhsNumber:
    """An NHS number as stated, its check digit not looked at, and England's status, or None where none is said."""

    value: str
    status: str | None


def nhs_number_of(patient: Json) -> NhsNumber | None:
    """The first NHS number of a Patient, without its spaces; None where there is none."""
    for one in _list(patient.get("identifier")):
        value = one.get("value")
        if is_system(one.get("system"), NHS_NUMBER) and isinstance(value, str):
            return NhsNumber(value.replace(" ", ""), _status(one))
    return None


def ods_code_of(holder: Any) -> str | None:  # noqa: ANN401 - what was sent
    """The ODS code of an Organization, of a Reference by identifier, or of an Identifier; upper case."""
    if not isinstance(holder, dict):
        return None
    named = holder.get("identifier", holder)
    for one in named if isinstance(named, list) else [named]:
        if isinstance(one, dict) and is_system(one.get("system"), ODS) and isinstance(one.get("value"), str):
            return str(one["value"]).strip().upper()
    return None


def ethnic_category_of(patient: Json) -> str | None:
    """The ethnic category of a Patient, where it is a code of UK Core's list."""
    for one in _extensions(patient, ETHNIC_CATEGORY):
        for coding in _codings(one.get("valueCodeableConcept")):
            if is_system(coding.get("system"), ETHNIC_CATEGORIES) and coding.get("code") in ETHNIC_CODES:
                return str(coding["code"])
    return None


def remarks(content: Json) -> tuple[Issue, ...]:
    """What is odd in a resource and still was read: SNOMED CT codes whose check digit is wrong, by their paths."""
    found: list[Issue] = []
    for path, coding in _all_codings(content, str(content.get("resourceType", ""))):
        if is_system(coding.get("system"), snomed.SYSTEM) and not snomed.is_concept_id(str(coding.get("code", ""))):
            words = "not a SNOMED CT concept: its form or its check digit is wrong"
            found.append(Issue("warning", "code-invalid", words, f"{path}.code"))
            if len(found) == REMARKS_MAX:
                break
    return tuple(found)


def is_system(given: object, canonical: str) -> bool:
    """Whether an address is the one meant, in any case."""
    return isinstance(given, str) and given.lower() == canonical.lower()


def _status(identifier: Json) -> str | None:
    for one in _extensions(identifier, VERIFICATION):
        for coding in _codings(one.get("valueCodeableConcept")):
            code = coding.get("code")
            # Either code under either address: the national service itself mixes them (domain.md section 2.1).
            if code in VERIFICATION_STATUS:
                return str(code)
            if code in _UK_STATUS:
                return _UK_STATUS[str(code)]
    return None


def _extensions(holder: Json, url: str) -> Iterator[Json]:
    return (one for one in _list(holder.get("extension")) if is_system(one.get("url"), url))


def _codings(concept: object) -> Iterator[Json]:
    yield from _list(concept.get("coding") if isinstance(concept, dict) else None)


def _list(value: object) -> Iterator[Json]:
    yield from (one for one in (value if isinstance(value, list) else ()) if isinstance(one, dict))


def _all_codings(node: Any, path: str) -> Iterator[tuple[str, Json]]:  # noqa: ANN401 - JSON has no one type
    """Every coding within a resource, with its FHIRPath; the names of elements have been checked."""
    if isinstance(node, dict):
        if "code" in node and "system" in node:
            yield path, node
        for name, value in node.items():
            yield from _all_codings(value, f"{path}.{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _all_codings(value, f"{path}[{index}]")
