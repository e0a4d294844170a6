"""FHIR XML of a resource of ours, from the JSON it was written as: the same elements, the same texts, no more.

Order, and what is an attribute or a resource of its own, come from the R4 models; values are copied as they stand, so
that a time or a decimal is the same in both formats. What XML 1.0 cannot hold (control characters) becomes U+FFFD, for
a referral is not kept back for one character. XML that is sent to us is read by `xmlread.py`.

Source: FHIR R4 xml (2.6.1) and json (2.6.2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from operator import attrgetter
from typing import Any, Final

from pydantic import BaseModel

from adapters.nhs.fhir.errors import FhirUnwritable
from adapters.nhs.fhir.models import Json, model
from adapters.nhs.fhir.places import ATTRIBUTES, FHIR_NS, XHTML_NS, Place, places

_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_order: Final = attrgetter("index")


def to_xml(body: bytes, *, pretty: bool = False) -> bytes:
    """The XML document of one resource in our own JSON; raises `FhirUnwritable` for what no model of R4 knows."""
    resource: Json = json.loads(body, parse_float=str, parse_int=str)
    from lxml import etree  # noqa: PLC0415 - loaded when the first XML is asked for

    root = etree.Element(f"{{{FHIR_NS}}}{resource['resourceType']}", nsmap={None: FHIR_NS})
    _children(etree, root, model(resource["resourceType"]), resource, resource["resourceType"])
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=pretty)
    return document


def _children(etree: Any, parent: Any, cls: type[BaseModel], content: Json, at: str) -> None:  # noqa: ANN401 - lxml
    known = places(cls)
    names = {name.removeprefix("_") for name in content if name != "resourceType"}
    if not names <= known.keys():
        raise FhirUnwritable(at.partition(".")[0], at, "an element that no model of R4 has")
    for place in sorted((known[name] for name in names), key=_order):
        beside = content.get(f"_{place.name}")
        values = content.get(place.name)
        if values is None and isinstance(beside, list):
            values = [None] * len(beside)
        for value, extra in _pairs(values, beside):
            _one(etree, parent, place, value, extra, at)


def _one(etree: Any, parent: Any, place: Place, value: Any, extra: Json | None, at: str) -> None:  # noqa: ANN401 - lxml; one element
    tag = f"{{{FHIR_NS}}}{place.name}"
    if place.resource:
        inner = etree.SubElement(etree.SubElement(parent, tag), f"{{{FHIR_NS}}}{value['resourceType']}")
        _children(etree, inner, model(value["resourceType"]), value, f"{at}.{place.name}")
    elif place.holds is not None:
        _attributed(etree, etree.SubElement(parent, tag), place.holds, value, f"{at}.{place.name}")
    elif place.name == "div":
        parent.append(_narrative(etree, value))
    else:
        element = etree.SubElement(parent, tag)
        if value is not None:
            element.set("value", _plain(value))
        if extra is not None:
            _attributed(etree, element, _extended(), extra, f"{at}.{place.name}")


def _attributed(etree: Any, element: Any, cls: type[BaseModel], content: Json, at: str) -> None:  # noqa: ANN401 - lxml
    """An element that is no resource: its id, and the url of an extension, stand in the tag."""
    attributes = ATTRIBUTES if cls.__name__ == "Extension" else ATTRIBUTES - {"url"}
    for name in sorted(attributes & content.keys()):
        element.set(name, _plain(content[name]))
    _children(etree, element, cls, {k: v for k, v in content.items() if k not in attributes}, at)


def _narrative(etree: Any, div: str) -> Any:  # noqa: ANN401 - lxml
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        found = etree.fromstring(_NO_XML.sub("\ufffd", div).encode(), parser)
    except etree.XMLSyntaxError:
        found = None
    if found is None or found.tag != f"{{{XHTML_NS}}}div" or found.getroottree().docinfo.doctype:
        raise FhirUnwritable("Narrative", "div", "not XHTML")
    return found


def _pairs(values: Any, beside: Any) -> Iterator[tuple[Any, Json | None]]:  # noqa: ANN401 - JSON has no one type
    if not isinstance(values, list):
        yield values, beside
        return
    for index, value in enumerate(values):
        yield value, beside[index] if beside is not None else None


def _plain(value: object) -> str:
    """A value as XML says it; numbers are texts already."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NO_XML.sub("\ufffd", str(value))


@cache
def _extended() -> type[BaseModel]:
    """What stands beside a plain value: an id and extensions."""
    return model("Element")
