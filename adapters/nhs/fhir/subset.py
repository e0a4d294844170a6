"""Part of a resource: `_summary` and `_elements` (FHIR R4 search, sections 3.1.1.5.8 and 3.1.1.5.9).

What was written is cut down, never added to. What a type cannot stand without stays, and so do id, labels and version;
the tag SUBSETTED says that the resource is not whole. Which elements are of the summary the R4B models know.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Final, Protocol, cast

import orjson

from adapters.nhs.fhir.models import Json, check, model
from adapters.nhs.fhir.written import Written

SUMMARIES: Final = ("true", "text", "data", "count", "false")
"""The values of `_summary`. Ours have no narrative: `data` is the whole, and `text` no more than must be there."""

SUBSETTED: Final[Json] = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}


@dataclass(frozen=True, slots=True)
class Subset:
    """How much of each resource is wanted: a summary of all, or elements of the type asked for."""

    summary: str = "false"
    elements: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every element of a resource is wanted."""
        return self.summary in {"false", "data"} and not self.elements

    def of(self, written: Written, *, included: bool = False) -> Written:
        """As much of a resource as is wanted; the same where that is the whole of it."""
        if self.summary in {"true", "text"}:
            names = _summary(written.type) if self.summary == "true" else frozenset({"text"})
        elif self.elements and not included:
            names = frozenset(self.elements)
        else:
            return written
        return _cut(written, names | _ALWAYS | _mandatory(written.type))


def is_element(type_: str, name: str) -> bool:
    """Whether a type has an element of that name, at its top."""
    return name in _sequence(type_)


_ALWAYS: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})


def _cut(written: Written, names: frozenset[str]) -> Written:
    whole: Json = orjson.loads(written.body)
    part = {name: value for name, value in whole.items() if name in names}
    part["meta"] = {**part["meta"], "tag": [*part["meta"].get("tag", ()), SUBSETTED]}
    check(part)
    return replace(written, body=orjson.dumps(part))


class _Sequences(Protocol):
    """What the models say of their elements, by the names FHIR gives them."""

    def elements_sequence(self) -> list[str]: ...
    def summary_elements_sequence(self) -> list[str]: ...


@cache
def _sequence(type_: str) -> frozenset[str]:
    return frozenset(cast("_Sequences", model(type_)).elements_sequence())


@cache
def _summary(type_: str) -> frozenset[str]:
    return frozenset(cast("_Sequences", model(type_)).summary_elements_sequence())


@cache
def _mandatory(type_: str) -> frozenset[str]:
    """What a type cannot stand without; of a primitive the models say it apart, for an extension may stand in."""
    return frozenset(
        field.alias or name
        for name, field in model(type_).model_fields.items()
        if field.is_required() or (isinstance(extra := field.json_schema_extra, dict) and extra.get("element_required"))
    )
