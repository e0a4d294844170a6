"""FHIR XML, out and in: the same elements and texts as JSON, in the standard's order; what is not FHIR is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.nhs import fhir
from adapters.nhs.fhir.models import model
from tests.adapters.fhir_support import BASE, full_record, referral, sparse_record
from tests.support.shared import shared_data

RECORDS = {"full": full_record(), "sparse": sparse_record()}
NS = 'xmlns="http://hl7.org/fhir"'


def canonical(document: bytes) -> bytes:
    """A document in one form; the library writes a time's zone as an offset, and we as it was."""
    tree = etree.fromstring(document, etree.XMLParser(remove_comments=True, remove_blank_text=True))
    plain: bytes = etree.tostring(tree, method="c14n")
    return plain.replace(b"+00:00", b"Z")


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("type_", fhir.TYPES)
def test_what_we_write_reads_back_as_it_was(type_: str, name: str) -> None:
    for one in fhir.write(type_, RECORDS[name], referral(), BASE):
        assert fhir.parse(fhir.to_xml(one.body)).content == json.loads(one.body)


@pytest.mark.parametrize("type_", fhir.TYPES)
def test_what_we_write_is_what_the_library_writes(type_: str) -> None:
    """The library's own XML, which is fifty times slower and writes times anew, says the same in the same order."""
    for one in fhir.write(type_, full_record(), referral(), BASE):
        theirs = model(type_).model_validate(json.loads(one.body))
        assert canonical(fhir.to_xml(one.body)) == canonical(theirs.model_dump_xml())  # type: ignore[attr-defined]  # of the models' own base class


def test_a_bundle_holds_whole_resources() -> None:
    written = [one for type_ in fhir.TYPES for one in fhir.write(type_, full_record(), referral(), BASE)]
    body = fhir.bundle(written, total=len(written), receipts=[fhir.Receipt("log", 3, "AAAA", ("BBBB",))] * len(written))
    assert fhir.parse(fhir.to_xml(body)).content == json.loads(body)


def test_every_uk_core_example_means_the_same_as_the_library_says() -> None:
    """Elements, order and values of what others published, and the same again when we write it."""
    read = 0
    for file in sorted(shared_data("ukcore", "ukcore_r4", "examples").rglob("*.xml")):
        raw = file.read_bytes()
        try:
            ours = fhir.parse(raw)
        except fhir.FhirRefused:
            continue
        root = etree.fromstring(raw, etree.XMLParser(remove_comments=True))
        theirs = model(ours.type).model_validate_xml(etree.tostring(root))  # type: ignore[attr-defined]  # as above
        same = model(ours.type).model_validate(ours.content)
        assert _plain(same.model_dump()) == _plain(theirs.model_dump()), file.name
        again = fhir.to_xml(json.dumps(ours.content, default=str).encode())
        assert fhir.parse(again).content == ours.content, file.name
        read += 1
    assert read > 200


def _plain(value: Any) -> Any:
    """Without what the library changes: narratives, and the ids of elements that are no resource, which it loses."""
    if isinstance(value, dict):
        left_out = {"div"} if "resourceType" in value else {"div", "id"}
        return {name: _plain(one) for name, one in value.items() if name not in left_out}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def test_a_decimal_keeps_its_digits() -> None:
    document = f'<Observation {NS}><status value="final"/><code><text value="x"/></code><valueQuantity><value value="1.500"/></valueQuantity></Observation>'  # noqa: E501 - one document
    content = fhir.parse(document.encode()).content
    assert str(content["valueQuantity"]["value"]) == "1.500"


def test_an_element_may_have_an_extension_and_no_value() -> None:
    body = {
        "resourceType": "Patient",
        "birthDate": "1990",
        "_birthDate": {"id": "b", "extension": [{"url": "urn:x", "valueBoolean": True}]},
        "name": [
            {"given": ["A", None, "C"], "_given": [None, {"extension": [{"url": "urn:y", "valueCode": "z"}]}, None]}
        ],
    }
    document = fhir.to_xml(json.dumps(body).encode())
    assert b'<birthDate value="1990" id="b">' in document or b'<birthDate id="b" value="1990">' in document
    assert fhir.parse(document).content == body


def test_a_narrative_goes_through_as_it_is() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>One <b>bold</b> word</p></div>'
    body = {"resourceType": "Patient", "text": {"status": "generated", "div": div}}
    assert fhir.parse(fhir.to_xml(json.dumps(body).encode())).content == body


@pytest.mark.parametrize("div", ["plain", "<p/>", '<!DOCTYPE div []><div xmlns="http://www.w3.org/1999/xhtml"/>'])
def test_what_is_no_narrative_is_not_written(div: str) -> None:
    body = {"resourceType": "Patient", "text": {"status": "generated", "div": div}}
    with pytest.raises(fhir.FhirUnwritable):
        fhir.to_xml(json.dumps(body).encode())


def test_an_element_that_no_model_knows_is_not_written() -> None:
    with pytest.raises(fhir.FhirUnwritable) as refused:
        fhir.to_xml(b'{"resourceType": "Patient", "name": [{"secret": "word"}]}')
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("inner", "path"),
    [
        ("<secret/>", "Patient"),
        ('<active value="maybe"/>', "Patient.active"),
        ('<active value="true"/><active value="true"/>', "Patient.active"),
        ("<active/>", "Patient.active"),
        ('<active value="true" secret="x"/>', "Patient.active"),
        ('<active value="true">words</active>', "Patient.active"),
        ('<name url="x"/>', "Patient.name"),
        ("words", "Patient"),
        ('<multipleBirthInteger value="1.5"/>', "Patient.multipleBirthInteger"),
        ("<contained/>", "Patient.contained"),
        ("<contained><Patient/><Patient/></contained>", "Patient.contained"),
        ('<active xmlns="urn:other" value="true"/>', "Patient"),
    ],
)
def test_xml_that_is_not_fhir_is_refused_by_its_path(inner: str, path: str) -> None:
    with pytest.raises(fhir.FhirRefused) as refused:
        fhir.parse(f"<Patient {NS}>{inner}</Patient>".encode())
    assert (refused.value.status, refused.value.expression) == (422, path)
    assert "secret" not in str(refused.value)


_TEXT = st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip()))


@given(text=_TEXT.filter(lambda text: text.isprintable()))
@settings(deadline=None, max_examples=100)
def test_any_text_that_xml_can_hold_comes_back(text: str) -> None:
    body = {"resourceType": "Patient", "name": [{"text": text}]}
    assert fhir.parse(fhir.to_xml(json.dumps(body).encode())).content == body


@given(text=st.text(min_size=1, max_size=20))
@settings(deadline=None, max_examples=100)
def test_no_text_at_all_keeps_a_resource_from_being_written(text: str) -> None:
    """A character that XML has not is replaced; a referral is not kept back for it."""
    body = json.dumps({"resourceType": "Patient", "name": [{"text": text}]}).encode()
    root = etree.fromstring(fhir.to_xml(body))
    (name,) = root.iter("{http://hl7.org/fhir}text")
    assert len(name.get("value")) == len(text)
