"""The R4 models that guard what we take and what we emit, loaded when first needed.

They check structure: elements, types, cardinality. They know no terminology and no profile; those are the writers'
and the tests' business. The library has no R4 (4.0.1) models: R4B (4.3.0) is the nearest, and every type we emit has
the same elements in both (tech.md section 1).

What we emit is built from the same few builders, so most resources differ in values alone. A resource whose shape
(elements, nesting, kinds of values) has validated before is not validated again: validating costs a hundred times
what writing does. The builders keep values within their lexical rules, and blank text never gets this far.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from importlib import import_module
from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError

from adapters.nhs.fhir.errors import FhirUnwritable

Json = dict[str, Any]

_MAX_SHAPES: Final = 4096  # a few megabytes; the worked suite needs about a hundred
_valid_shapes: set[tuple[str, Hashable]] = set()


@cache
def model(resource_type: str) -> type[BaseModel]:
    """The model class of a resource type that the caller knows to exist."""
    module = import_module(f"fhir.resources.R4B.{resource_type.lower()}")
    cls: type[BaseModel] = getattr(module, resource_type)
    return cls


def check(resource: Json) -> None:
    """Raise `FhirUnwritable` unless a resource that we built is structurally valid."""
    type_: str = resource["resourceType"]
    try:
        key = (type_, _shape(resource))
    except _BlankTextError:
        raise FhirUnwritable(type_, "(resource)", "blank text") from None
    if key in _valid_shapes:
        return
    try:
        model(type_).model_validate(resource)
    except ValidationError as error:
        path, reason = complaint(error)
        raise FhirUnwritable(type_, path, reason) from None  # the cause would carry values
    if len(_valid_shapes) >= _MAX_SHAPES:
        _valid_shapes.clear()
    _valid_shapes.add(key)


def complaint(error: ValidationError) -> tuple[str, str]:
    """The first complaint of a validation as (FHIRPath below the resource, kind of error): no value in either."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    steps = first["loc"]
    if first["type"] == "extra_forbidden":
        steps = steps[:-1]  # the name of an unknown element is the sender's text
    path = ""
    for step in steps:
        if step == "root":  # the models' own word for a primitive value
            continue
        path += f"[{step}]" if isinstance(step, int) else f".{_element(step)}"
    return path.removeprefix(".") or "(resource)", first["type"].replace("_", " ")


def _element(step: str) -> str:
    if step == "resource_type":
        return "resourceType"
    return step.removesuffix("__ext").removesuffix("_fhir") if step.isidentifier() else "(unknown)"


def _shape(node: object) -> Hashable:
    if type(node) is dict:
        return tuple([(name, _shape(value)) for name, value in node.items()])
    if type(node) is list:
        return ("[]", *dict.fromkeys([_shape(value) for value in node]))
    if type(node) is str and not node.strip():
        raise _BlankTextError  # the models let it pass, FHIR does not
    kind: type[object] = type(node)
    return cast("Hashable", kind)


class _BlankTextError(Exception):
    """A text without a visible character."""
