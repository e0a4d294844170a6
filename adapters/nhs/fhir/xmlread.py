"""FHIR XML that was sent to us, as the JSON it means: every element in its place, values exactly as they were written.

The tree has been parsed without document types or entities and bounded by `parse.py`, which has also checked the
resource types. What an element may be is asked of the R4 models; whether the whole is a valid resource is judged on the
JSON, as for JSON that was sent. Source: FHIR R4 xml (2.6.1) and json (2.6.2).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel

from adapters.nhs.fhir.errors import FhirRefused
from adapters.nhs.fhir.models import Json, model
from adapters.nhs.fhir.places import ATTRIBUTES, FHIR_NS, XHTML_NS, Place, places
from adapters.nhs.fhir.strict import decimal, integer

_FHIR: Final = f"{{{FHIR_NS}}}"
_DIV: Final = f"{{{XHTML_NS}}}div"
_SCHEMA: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_BOOLEANS: Final = {"true": True, "false": False}


def from_xml(root: Any) -> Json:  # noqa: ANN401 - an element of lxml
    """The JSON content of a resource's element; raises `FhirRefused` 422 by path."""
    type_ = root.tag.removeprefix(_FHIR)
    return {"resourceType": type_, **_content(root, model(type_), type_, frozenset())}


def _content(element: Any, cls: type[BaseModel], at: str, attributes: frozenset[str]) -> Json:  # noqa: ANN401 - lxml
    """The elements of one model; `attributes` are those that its tag may hold."""
    found: Json = {}
    for name, value in element.attrib.items():
        if not name.startswith(_SCHEMA):
            if name not in attributes:
                raise FhirRefused(422, "structure", at, "an attribute that this element does not have")
            found[name] = value
    _no_text(element.text, at)
    known = places(cls)
    for child in element:
        _no_text(child.tail, at)
        place = known.get(child.tag.removeprefix(_FHIR)) if child.tag.startswith(_FHIR) else None
        if child.tag == _DIV:
            place = known.get("div")
        if place is None or place.name in attributes:
            raise FhirRefused(422, "structure", at, "an element that is not in the standard")
        _add(found, place, child, f"{at}.{place.name}")
    return found


def _add(found: Json, place: Place, child: Any, at: str) -> None:  # noqa: ANN401 - lxml
    beside: Json = {}
    if place.resource:
        _no_text(child.text, at)
        if len(child) != 1 or child.attrib:
            raise FhirRefused(422, "structure", at, "exactly one resource belongs here")
        _no_text(child[0].tail, at)
        value: Any = from_xml(child[0])
    elif place.holds is not None:
        url = place.holds.__name__ == "Extension"
        value = _content(child, place.holds, at, ATTRIBUTES if url else ATTRIBUTES - {"url"})
    elif child.tag == _DIV:
        value = _narrative(child)
    else:
        beside = _content(child, model("Element"), at, frozenset({"id", "value"}))
        value = _plain(place, beside.pop("value", None), at)
        if value is None and not beside:
            raise FhirRefused(422, "structure", at, "neither a value nor an extension")
    _put(found, place, value, beside, at)


def _put(found: Json, place: Place, value: Any, beside: Json, at: str) -> None:  # noqa: ANN401 - JSON has no one type
    other = f"_{place.name}"
    if not place.many:
        if place.name in found or other in found:
            raise FhirRefused(422, "structure", at, "given more than once")
        found |= {} if value is None else {place.name: value}
        found |= {other: beside} if beside else {}
        return
    values = found.setdefault(place.name, [])
    values.append(value)
    if beside and other not in found:
        found[other] = [None] * (len(values) - 1)
    if other in found:
        found[other].append(beside or None)


def _plain(place: Place, text: str | None, at: str) -> bool | int | Decimal | str | None:
    """A value as JSON has it: a number keeps its digits."""
    if text is None or place.kind is str:
        return text
    try:
        if place.kind is bool:
            return _BOOLEANS[text]
        return integer(text) if place.kind is int else decimal(text)
    except (LookupError, ValueError, ArithmeticError):
        raise FhirRefused(422, "value", at, "not a value of this element's type") from None


def _narrative(div: Any) -> str:  # noqa: ANN401 - lxml
    from lxml import etree  # noqa: PLC0415 - loaded with the first XML

    text: str = etree.tostring(div, encoding="unicode", with_tail=False)
    return text


def _no_text(text: str | None, at: str) -> None:
    if text is not None and text.strip():
        raise FhirRefused(422, "structure", at, "text where only elements belong")
