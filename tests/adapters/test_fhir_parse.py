"""Reading foreign resources: whole values or a refusal, whatever is sent."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.nhs import fhir
from adapters.nhs.fhir import models, strict
from tests.adapters.fhir_support import everything, written
from tests.support.shared import shared_data

XML = '<Patient xmlns="http://hl7.org/fhir">{}</Patient>'
GENEROUS = fhir.Limits(max_bytes=16_000_000, max_entries=1000)


def refusal(body: bytes, limits: fhir.Limits = fhir.LIMITS) -> fhir.FhirRefused:
    with pytest.raises(fhir.FhirRefused) as refused:
        fhir.parse(body, limits=limits)
    return refused.value


def test_what_we_write_we_can_read() -> None:
    for resource in everything():
        assert fhir.parse(json.dumps(resource).encode()).content == resource


def test_an_unknown_type_in_a_bundle_is_refused() -> None:
    """The models stumble over it with a KeyError (tech.md section 1)."""
    entries: tuple[dict[str, Any], ...] = (
        {"resource": {"resourceType": "NopeType"}},
        {"resource": {}},
        {"resource": {"resourceType": 1}},
    )
    for entry in entries:
        body = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
        assert refusal(json.dumps(body).encode()).expression == "Bundle.resource"
    contained = {"resourceType": "Patient", "contained": [{"resourceType": "SubscriptionTopic"}]}
    assert refusal(json.dumps(contained).encode()).expression == "Patient.contained"


def test_nested_extensions_are_refused_before_the_stack_is_exhausted() -> None:
    inner: dict[str, object] = {"url": "urn:x"}
    for _ in range(200):
        inner = {"url": "urn:x", "extension": [inner]}
    body = json.dumps({"resourceType": "Patient", "extension": [inner]}).encode()
    assert refusal(body).issue_code == "too-costly"
    with contextlib.suppress(fhir.FhirRefused):  # however deep one may go, it is never a RecursionError
        fhir.parse(body, limits=fhir.Limits(max_depth=10_000))
    deep = '<extension url="urn:x">' * 200 + "</extension>" * 200
    assert refusal(XML.format(deep).encode()).issue_code == "too-costly"


def test_brackets_within_text_are_no_depth() -> None:
    body = {"resourceType": "Patient", "name": [{"family": '[{"\\' * 50}]}
    assert fhir.parse(json.dumps(body).encode()).type == "Patient"


def test_a_decimal_keeps_the_precision_it_was_sent_with() -> None:
    """And the bytes are what is hashed: writing a model anew turns 1.50 into 1.5 (tech.md section 1)."""
    body = b'{"resourceType":"Basic","code":{"text":"x"},"extension":[{"url":"urn:x","valueDecimal":1.50}]}'
    parsed = fhir.parse(body)
    assert str(parsed.content["extension"][0]["valueDecimal"]) == "1.50"
    assert parsed.content["extension"][0]["valueDecimal"] == Decimal("1.50")
    assert models.model(parsed.type).model_validate(parsed.content).model_dump_json().encode() != body


@pytest.mark.parametrize("number", ["1e99999999", "-1e-99999999", "1e400", "9" * 5000, "9" * 41, "0." + "1" * 41])
@pytest.mark.parametrize("element", ["valueInteger", "valueDecimal", "valuePositiveInt", "valueBoolean"])
def test_a_number_out_of_range_is_refused_before_anybody_reckons_with_it(element: str, number: str) -> None:
    """Turning 1e-99999999 into an integer takes minutes."""
    body = f'{{"resourceType":"Basic","code":{{"text":"x"}},"extension":[{{"url":"urn:x","{element}":{number}}}]}}'
    assert refusal(body.encode()).status == 400


def test_null_written_by_others_is_refused_or_read_but_never_breaks() -> None:
    assert refusal(b'{"resourceType":"Task","status":null,"intent":"order"}').issue_code == "structure"
    body = b'{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"extension":[{"url":"urn:x"}]}]}]}'
    assert fhir.parse(body).type == "Patient", "within a list of primitives a null stands for no value"


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE Patient [<!ENTITY a "b">]>' + XML.format('<id value="&a;"/>').encode(),
        b'<!DOCTYPE Patient SYSTEM "http://127.0.0.1:9/x.dtd">' + XML.format("").encode(),
        b'<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
        + XML.format('<id value="&c;"/>').encode(),
        b'<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + XML.format("&x;").encode(),
    ],
)
def test_a_document_type_is_refused(body: bytes) -> None:
    assert refusal(body).issue_code in {"security", "invalid"}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b"<"),
        (400, b"<Patient>"),
        (422, b"<Patient/>"),
        (422, b'<Patient xmlns="urn:other"/>'),
        (422, b'<NopeType xmlns="http://hl7.org/fhir"/>'),
        (422, b'<patient xmlns="http://hl7.org/fhir"/>'),
        (422, XML.format("<contained><NopeType/></contained>").encode()),
        (422, XML.format("<nonsense value='1'/>").encode()),
        (422, XML.format("<birthDate value='tomorrow'/>").encode()),
        (400, XML.format("").encode("utf-16")),
    ],
)
def test_bad_xml_is_refused(status: int, body: bytes) -> None:
    assert refusal(body).status == status


def test_a_bundle_of_too_many_entries_is_refused() -> None:
    entries = [{"resource": {"resourceType": "Patient"}}] * 201
    body = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()
    assert (refusal(body).status, refusal(body).expression) == (413, "Bundle.entry")
    xml = "<entry/>" * 201
    assert refusal(f'<Bundle xmlns="http://hl7.org/fhir">{xml}</Bundle>'.encode()).status == 413


def test_a_refusal_names_the_path_and_never_the_value() -> None:
    """P7, also for the name of an element that R4 does not have."""
    for body in (
        b'{"resourceType":"Patient","birthDate":"Marianne"}',
        b'{"resourceType":"Patient","Marianne":1}',
        b'{"resourceType":"Patient","name":[{"Marianne":1}]}',
        b'{"resourceType":"Patient","name":["Marianne"]}',
        b'{"resourceType":"Marianne"}',
        XML.format("<name><Marianne/></name>").encode(),
        XML.format("<name><marianne value='1'/></name>").encode(),
    ):
        refused = refusal(body)
        assert "arianne" not in f"{refused} {refused.__cause__} {refused.expression}"
        assert refused.__suppress_context__ or refused.__context__ is None


@given(body=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(deadline=None, max_examples=200)
def test_no_bytes_at_all_break_the_reader(body: bytes) -> None:
    refusal(body)


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_no_damage_to_a_resource_breaks_the_reader(data: st.DataObject) -> None:
    body = bytearray(json.dumps(written("Patient")[0]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        fhir.parse(bytes(body))
    except fhir.FhirRefused as refused:
        assert 400 <= refused.status < 500  # noqa: PT017 - either outcome is right


_WORDS = (
    rb"""NaN -Infinity 1.50 1e41 99999999999999999999 null true "\ud800" "\u0041":1 "a":1, "a": "a\":" { } ] , " \ """
)
_PIECES = st.sampled_from([*_WORDS.split(), b"9" * 41, b"[" * 20, b"\0", b" :", b"\xff", b"\xef\xbb\xbf", b"\n"])


@given(pieces=st.lists(_PIECES, max_size=8), wrap=st.booleans())
@settings(deadline=None, max_examples=300)
def test_what_is_read_quickly_is_what_is_read_with_care(pieces: list[bytes], wrap: bool) -> None:  # noqa: FBT001 - drawn
    body = b'{"a":[' + b",".join(pieces) + b"]}" if wrap else b'{"b":1,' + b"".join(pieces) + b'"c":2}'
    quick = strict._quick(body, fhir.LIMITS)
    assert quick is None or json.dumps(quick, default=repr) == json.dumps(
        strict._careful(body, fhir.LIMITS), default=repr
    )


def _examples(*parts: str, suffix: str) -> list[Path]:
    return sorted(shared_data(*parts).rglob(f"*{suffix}"))


def _counts(files: list[Path]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for file in files:
        try:
            fhir.parse(file.read_bytes(), limits=GENEROUS)
        except fhir.FhirRefused as refused:
            counts[f"refused: {refused.issue_code}"] += 1
            print(f"{file.name}: {refused}")
        else:
            counts["read"] += 1
    print(dict(counts))
    return counts


def test_every_uk_core_example_is_read_or_refused() -> None:
    counts = _counts(_examples("ukcore", "ukcore_r4", "examples", suffix=".xml"))
    assert counts["read"] >= 0.9 * counts.total()


def test_every_r4_example_is_read_or_refused() -> None:
    counts = _counts(_examples("fhir", "r4_base_examples", suffix=".json"))
    assert counts["read"] >= 0.9 * counts.total()


def test_every_booking_and_referral_example_is_read_or_refused() -> None:
    counts = _counts(_examples("bars", "bars_api", "examples", suffix=".json"))
    assert counts["read"]


@pytest.mark.parametrize("type_", fhir.TYPES)
def test_what_uk_core_demands_is_there(type_: str) -> None:
    """Elements with min >= 1 in the profile's differential, wherever what they are part of is written."""
    spaces = {"f": "http://hl7.org/fhir"}
    file = shared_data("ukcore", "ukcore_r4", "structuredefinitions") / f"UKCore-{type_}.xml"
    if not file.exists():
        assert type_ == "RiskAssessment"
        assert all("profile" not in r["meta"] for r in written(type_))
        return
    root = etree.parse(file).getroot()
    url = root.find("f:url", spaces).get("value")
    assert all(resource["meta"]["profile"] == [url] for resource in written(type_))
    for element in root.iterfind("f:differential/f:element", spaces):
        least = element.find("f:min", spaces)
        if least is None or least.get("value") == "0":
            continue
        path = element.find("f:path", spaces).get("value").split(".")[1:]
        holders: list[object] = list(written(type_))
        for step in path[:-1]:
            found = [h[step] for h in holders if isinstance(h, dict) and step in h]
            holders = [one for value in found for one in (value if isinstance(value, list) else [value])]
        assert all(isinstance(h, dict) and path[-1] in h for h in holders), element.get("id")


def test_importing_the_room_loads_no_models() -> None:
    """The models cost half a second and are loaded when first needed, or by `warm()`."""
    code = "import sys, adapters.nhs.fhir; print([m for m in ('fhir', 'lxml', 'jsonpatch') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"


def test_warming_makes_every_shape_of_an_empty_record_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was warmed is written again without asking a model."""
    fhir.warm()

    def asked(resource_type: str) -> None:
        pytest.fail(f"{resource_type} was validated again")

    monkeypatch.setattr(models, "model", asked)
    fhir.warm()
