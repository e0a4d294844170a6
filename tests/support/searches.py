"""Search parameters with values that fit a resource, in every way that FHIR has to say it, and values that fit none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.nhs.fhir import SEARCH, elements

NONE: Mapping[str, str] = {"date": "1890", "string": "Zaqxu", "reference": "none", "token": "none"}
"""A value that fits nothing, by the kind of the parameter."""


def fitting(resource: dict[str, Any], type_: str, name: str) -> list[tuple[str, str]]:
    """The ways to ask for a resource by one parameter: its name, with a modifier where one is needed, and a value."""
    parameter = SEARCH[type_][name]
    found = [value for path in parameter.paths for value in elements(resource, path)]
    led = (
        [one for one in found if one.get("reference", "").partition("/")[0] in parameter.targets]
        if parameter.targets
        else []
    )
    element = next(iter(led or found))
    if parameter.kind == "date":
        return [(name, f"ge{element['start']}" if isinstance(element, dict) else element)]
    if parameter.kind == "string" or parameter.canonical:
        return [(name, element)]
    if parameter.kind == "reference" and parameter.targets:
        whole = element["reference"]
        return [(name, whole), (name, whole.partition("/")[2]), (f"{name}:{parameter.targets[0]}", whole)]
    if parameter.kind == "reference":
        return [(f"{name}:identifier", f"{element['identifier']['system']}|{element['identifier']['value']}")]
    if isinstance(element, str):
        return [(name, element), *([(name, f"{parameter.system}|{element}")] if parameter.system else [])]
    coding = element.get("coding", [element])[0]
    code = coding.get("code", coding.get("value"))
    return [(name, code), (name, f"{coding['system']}|{code}"), (name, f"{coding['system']}|")]


def has(resource: dict[str, Any], type_: str, name: str) -> bool:
    """Whether a resource has an element that a parameter looks at."""
    return any(True for path in SEARCH[type_][name].paths for _ in elements(resource, path))
