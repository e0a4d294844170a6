"""The elements that each R4 model has: their order, and what each holds. XML needs to know both, JSON neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel

FHIR_NS: Final = "http://hl7.org/fhir"
XHTML_NS: Final = "http://www.w3.org/1999/xhtml"
ATTRIBUTES: Final = frozenset({"id", "url"})
"""What XML says in the tag: the id of an element that is no resource, and the url of an extension."""


@dataclass(frozen=True, slots=True)
class Place:
    """One element of a model.

    `index` is its place in the standard's order; `holder` the models' type of its content, None for a plain value;
    `resource` says that it holds a whole resource of any type; `kind` is what a plain value is in JSON.
    """

    index: int
    name: str
    many: bool
    holder: Any | None
    resource: bool
    kind: type[bool | int | Decimal | str]

    @property
    def holds(self) -> type[BaseModel] | None:
        """The model of its content, None for a plain value; imported when first asked for."""
        found: type[BaseModel] | None = None if self.holder is None else self.holder.get_model_klass()
        return found


@cache
def places(cls: type[BaseModel]) -> Mapping[str, Place]:
    """The elements of a model by their names in JSON, in the order of the standard."""
    fields = {field.alias or name: field.annotation for name, field in cls.model_fields.items()}
    names: list[str] = cls.elements_sequence()  # type: ignore[attr-defined]  # of the models' own base class
    return {name: _place(index, name, fields[name]) for index, name in enumerate(names)}


def _place(index: int, name: str, annotation: Any) -> Place:  # noqa: ANN401 - a type
    within = list(_within(annotation))
    many = any(get_origin(one) is list for one in within)
    kind = next((one for one in within if hasattr(one, "get_model_klass")), None)
    if kind is not None:
        return Place(index, name, many, kind, kind.__name__ == "ResourceType", str)
    plain = next((one for one in (bool, Decimal, int) if one in within), str)
    return Place(index, name, many, None, resource=False, kind=plain)


def _within(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - a type
    yield annotation
    for one in get_args(annotation):
        yield from _within(one)
