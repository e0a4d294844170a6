"""Read any R4 resource or Bundle sent to us, JSON or XML, without trusting it.

Size, depth, type names and (for XML) document types and entities are looked at before a model sees the input, because
the models recurse and stumble (tech.md section 1). What is wrong comes out as `FhirRefused`.
Terminology, references and profiles are not checked; narrative is not cleaned: nobody here shows it.

`Parsed.content` keeps what was sent. To hash or sign a message use the bytes received, never a copy of it written
anew: writing anew changes decimals and times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from adapters.nhs.fhir.errors import FhirRefused
from adapters.nhs.fhir.models import Json, complaint, model
from adapters.nhs.fhir.places import FHIR_NS
from adapters.nhs.fhir.strict import LIMITS, Limits, strict_json, within_size
from adapters.nhs.fhir.structure import is_plain
from adapters.nhs.fhir.types import RESOURCE_TYPES
from adapters.nhs.fhir.xmlread import from_xml

if TYPE_CHECKING:
    from lxml.etree import _Element

_HOLDERS: Final[dict[str, set[str] | None]] = {
    "contained": None,
    "resource": {"entry", "parameter", "part"},
    "outcome": {"response"},
}
"""The elements of R4 that hold a resource, by what they are part of; None: by anything."""

_XML_SPACE: Final = b" \t\r\n\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Parsed:
    """One resource read and found sound: its type, and its JSON content (decimals as `Decimal`)."""

    type: str
    content: Json


def parse(body: bytes, *, limits: Limits = LIMITS) -> Parsed:
    """Read one resource; raises `FhirRefused` (400, 413 or 422) and nothing else. XML is known by its first `<`."""
    if body.lstrip(_XML_SPACE)[:1] == b"<":
        return _parse_xml(body, limits)
    return validated(strict_json(body, limits), limits)


def validated(content: object, limits: Limits = LIMITS) -> Parsed:
    """Check JSON content that has been read strictly as one resource; raises `FhirRefused`."""
    if not isinstance(content, dict):
        raise FhirRefused(400, "structure", None, "the body is not an object")
    type_ = _known(content.get("resourceType"), "resourceType")
    plain = is_plain(content)
    if not plain:
        for path, name in _resource_types(content, type_):
            _known(name, path)
    entries = content.get("entry")
    if type_ == "Bundle" and isinstance(entries, list) and len(entries) > limits.max_entries:
        raise FhirRefused(413, "too-costly", "Bundle.entry", f"more than {limits.max_entries} entries")
    if not plain:
        _judge(type_, content)
    return Parsed(type_, content)


def _judge(type_: str, content: Json) -> None:
    """Raise `FhirRefused` 422 unless the model of a type takes its content."""
    try:
        model(type_).model_validate(content)
    except ValidationError as error:
        path, reason = complaint(error)
        raise FhirRefused(422, "structure", f"{type_}.{path}", reason) from None  # the cause would carry values
    except (AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise FhirRefused(422, "structure", type_, "not a valid resource") from None


def _known(name: object, path: str) -> str:
    if not isinstance(name, str) or name not in RESOURCE_TYPES:
        raise FhirRefused(422, "structure", path, "not a resource type of R4")
    return name


def _resource_types(node: object, path: str, within: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(node, dict):
        for name, value in node.items():
            holds = name in _HOLDERS and ((by := _HOLDERS[name]) is None or within in by)
            here = f"{path}.{name}" if holds else path
            if holds:
                for held in value if isinstance(value, list) else [value]:
                    yield here, held.get("resourceType") if isinstance(held, dict) else None
            yield from _resource_types(value, here, name)
    elif isinstance(node, list):
        for value in node:
            yield from _resource_types(value, path, within)


def _parse_xml(body: bytes, limits: Limits) -> Parsed:
    within_size(body, limits)
    from lxml import etree  # noqa: PLC0415 - loaded when the first XML arrives

    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise FhirRefused(400, "invalid", None, "the body is not well-formed XML") from None
    if root.getroottree().docinfo.doctype:
        raise FhirRefused(400, "security", None, "a document type is not taken")
    type_ = _whitelisted(root, limits)
    content = from_xml(root)
    if not is_plain(content):
        _judge(type_, content)
    return Parsed(type_, content)


def _whitelisted(root: _Element, limits: Limits) -> str:
    entries = 0
    stack: list[tuple[Any, int]] = [(root, 1)]
    while stack:
        element, depth = stack.pop()
        if depth > limits.max_depth:
            raise FhirRefused(400, "too-costly", None, f"nested deeper than {limits.max_depth}")
        namespace, _, name = str(element.tag).rpartition("}")
        if namespace == f"{{{FHIR_NS}" and (name[:1].isupper() or element is root):
            _known(name, "(element)")
        entries += name == "entry"
        stack.extend((child, depth + 1) for child in element)
    if entries > limits.max_entries:
        raise FhirRefused(413, "too-costly", "Bundle.entry", f"more than {limits.max_entries} entries")
    namespace, _, name = str(root.tag).rpartition("}")
    if namespace != f"{{{FHIR_NS}":
        raise FhirRefused(422, "structure", None, "not in the FHIR namespace")
    return _known(name, "(element)")
