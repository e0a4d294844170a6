"""Every type we write, held against UK Core's own StructureDefinitions: cardinalities, fixed values, required codes.

The published profiles are differentials: what they say is checked wherever the part it is said of is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from lxml import etree

from adapters.nhs import fhir
from tests.adapters.fhir_support import everything, full_record, nodes, sparse_record, written
from tests.support.shared import shared_data

F = "{http://hl7.org/fhir}"
UK = "https://fhir.hl7.org.uk/StructureDefinition/"
WITHOUT_PROFILE = {"RiskAssessment"}  # domain.md section 2.3
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a differential: `steps` from the resource down, `slice` its own slice's name if it is one."""

    id: str
    steps: tuple[str, ...]
    least: int
    most: int | None
    fixed: object
    values: str | None
    required: bool


def _text(node: Any, path: str) -> str | None:
    found = node.find("/".join(f"{F}{step}" for step in path.split("/")))
    return None if found is None else found.get("value")


@cache
def root_of(kind: str, name: str) -> Any:
    file = shared_data("ukcore", "ukcore_r4", kind) / f"{name}.xml"
    return etree.parse(file).getroot() if file.exists() else None


def elements(profile: str) -> list[Element]:
    root = root_of("structuredefinitions", profile)
    return [_element(one) for one in root.iterfind(f"{F}differential/{F}element")]


def _element(one: Any) -> Element:
    most = _text(one, "max")
    fixed = next((c.get("value") for c in one if c.tag.removeprefix(F).startswith(("fixed", "pattern"))), None)
    return Element(
        id=one.get("id"),
        steps=tuple((_text(one, "path") or "").split(".")[1:]),
        least=int(_text(one, "min") or 0),
        most=None if most in {None, "*"} else int(most or 0),
        fixed=fixed,
        values=_text(one, "binding/valueSet"),
        required=_text(one, "binding/strength") == "required",
    )


def holders(resource: Json, steps: tuple[str, ...]) -> Iterator[Json]:
    """Everything that has, or could have, the last of the steps."""
    level: list[Any] = [resource]
    for step in steps[:-1]:
        found = [one[step] for one in level if isinstance(one, dict) and step in one]
        level = [one for value in found for one in (value if isinstance(value, list) else [value])]
    yield from (one for one in level if isinstance(one, dict))


def at(holder: Json, step: str) -> list[Any]:
    """The values of an element, one of several types where it ends in [x]."""
    if step.endswith("[x]"):
        found = [value for name, value in holder.items() if name.startswith(step.removesuffix("[x]"))]
    else:
        found = [holder[step]] if step in holder else []
    return [one for value in found for one in (value if isinstance(value, list) else [value])]


@cache
def allowed(value_set: str) -> frozenset[str] | None:
    """The codes of a value set that is published with the profiles; None where it is not, or is not spelt out."""
    root = root_of("valuesets", f"ValueSet-{value_set.partition('|')[0].rpartition('/')[2].removeprefix('ValueSet-')}")
    if root is None:
        return None
    codes: set[str] = set()
    for include in root.iterfind(f"{F}compose/{F}include"):
        listed = [_text(one, "code") or "" for one in include.iterfind(f"{F}concept")]
        if not listed:
            system = root_of("codesystems", f"CodeSystem-{(_text(include, 'system') or '').rpartition('/')[2]}")
            if system is None:
                return None
            listed = [_text(one, "code") or "" for one in system.iter(f"{F}concept")]
        codes |= set(listed)
    return frozenset(codes)


def profiles(resource: Json) -> list[str]:
    return [one.removeprefix(UK) for one in resource.get("meta", {}).get("profile", ()) if one.startswith(UK)]


RESOURCES = [("full", full_record()), ("sparse", sparse_record())]


@pytest.mark.parametrize("type_", [*fhir.TYPES, "Questionnaire"])
def test_what_a_profile_says_of_an_element_holds(type_: str) -> None:
    found = [one for _, record in RESOURCES for one in written(type_, record)]
    if type_ == "Questionnaire":
        found = [json.loads(fhir.questionnaire(id_) or b"{}") for id_ in fhir.QUESTIONNAIRES]
    checked = 0
    for resource in found:
        assert profiles(resource) == ([] if type_ in WITHOUT_PROFILE else [f"UKCore-{type_}"])
        for profile in profiles(resource):
            assert _text(root_of("structuredefinitions", profile), "url") == resource["meta"]["profile"][0]
            for element in elements(profile):
                if element.steps and ":" not in element.id:
                    checked += _check(resource, element)
    assert checked or type_ in WITHOUT_PROFILE


def _check(resource: Json, element: Element) -> int:
    checked = 0
    for holder in holders(resource, element.steps):
        values = at(holder, element.steps[-1])
        masked = f"_{element.steps[-1]}" in holder
        assert len(values) >= element.least or masked, f"{element.id}: fewer than {element.least}"
        assert element.most is None or len(values) <= element.most, f"{element.id}: more than {element.most}"
        if element.fixed is not None:
            assert {_said(one) for one in values} <= {element.fixed}, element.id
        codes = allowed(element.values) if element.required and element.values else None
        if codes is not None:
            assert {code for one in values for code in _codes(one)} <= codes, element.id
        checked += 1
    return checked


def _said(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _codes(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one["code"] for one in value.get("coding", [value] if "code" in value else [])]


@pytest.mark.parametrize("type_", [one for one in fhir.TYPES if one not in WITHOUT_PROFILE])
def test_what_a_profile_says_of_a_slice_holds(type_: str) -> None:
    """Slices told apart by a fixed system or url: an NHS number has its status, and so on."""
    for resource in written(type_):
        _check_slices(resource, f"UKCore-{type_}")


def _check_slices(resource: Json, profile: str) -> None:
    by_slice: dict[str, list[Element]] = {}
    for element in elements(profile):
        head, colon, rest = element.id.partition(":")
        if colon and ":" not in rest:
            by_slice.setdefault(f"{head}:{rest.partition('.')[0]}", []).append(element)
    for name, parts in by_slice.items():
        base = tuple(name.partition(":")[0].split(".")[1:])
        told_by = {one.steps[-1]: one.fixed for one in parts if one.fixed and one.steps[-1] in {"system", "url"}}
        for holder in holders(resource, base):
            for value in at(holder, base[-1]):
                if told_by and isinstance(value, dict) and all(value.get(k) == v for k, v in told_by.items()):
                    for part in parts:
                        inner = part.steps[len(base) :]
                        assert len(inner) != 1 or len(at(value, inner[0])) >= part.least, f"{part.id}: missing"


def test_every_uk_core_extension_that_we_write_is_as_it_is_defined() -> None:
    """Its value is of a type that it allows, and a code of a required list is in that list."""
    seen: set[str] = set()
    for _, record in RESOURCES:
        for resource in everything(record):
            for _path, node in nodes(resource):
                url = node.get("url") if isinstance(node, dict) else None
                if isinstance(url, str) and url.startswith(f"{UK}Extension-"):
                    seen.add(url)
                    _check_extension(node, url)
    names = {one.rpartition("UKCore-")[2] for one in seen}
    assert {"EthnicCategory", "NHSNumberVerificationStatus", "AddressKey"} <= names


def _check_extension(node: Json, url: str) -> None:
    root = root_of("structuredefinitions", url.removeprefix(UK))
    assert root is not None, url
    assert _text(root, "url") == url
    for one in root.iterfind(f"{F}differential/{F}element"):
        if one.get("id") != "Extension.value[x]":
            continue
        kinds = {code for kind in one.iterfind(f"{F}type") if (code := _text(kind, "code"))}
        given = [name for name in node if name.startswith("value")]
        if not kinds or (_text(one, "max") == "0"):
            assert given == [], url
            continue
        assert [name for name in given if name[5:].lower() in {kind.lower() for kind in kinds}] == given, url
        codes = allowed(_text(one, "binding/valueSet") or "")
        if codes is not None and _text(one, "binding/strength") == "required":
            assert set(_codes(node[given[0]])) <= codes, url


def test_the_checker_finds_what_is_wrong() -> None:
    """Without what a profile demands, with too many, or with a value of another type, a resource of ours would fail."""
    patient = written("Patient")[0]
    number = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}
    _check_slices(patient | {"identifier": [number]}, "UKCore-Patient")
    with pytest.raises(AssertionError, match="missing"):
        _check_slices(patient | {"identifier": [{"system": number["system"]}]}, "UKCore-Patient")
    with pytest.raises(AssertionError, match="fewer than"):
        _check({}, Element("Task.status", ("status",), 1, 1, None, None, required=False))
    one_only = Element("Task.status", ("status",), 0, 1, None, None, required=False)
    with pytest.raises(AssertionError, match="more than"):
        _check({"status": ["a", "b"]}, one_only)
    url = f"{UK}Extension-UKCore-NHSNumberVerificationStatus"
    with pytest.raises(AssertionError):
        _check_extension({"url": url, "valueString": "01"}, url)
