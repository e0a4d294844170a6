"""UK Core details: both code systems of the NHS number's status, ODS in any case, ethnic codes, check digits, DASH."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lxml import etree

from adapters.nhs import fhir
from adapters.nhs.fhir import canonical
from adapters.nhs.fhir.models import Json, model
from adapters.nhs.fhir.ukcore import ETHNIC_CODES, VERIFICATION_STATUS
from mappings import snomed
from mappings.record import Instrument, Reply
from tests.adapters.fhir_support import full_record, referral, written
from tests.support.shared import shared_data

CODES = Path(snomed.__file__).with_name("codes")
F = {"f": "http://hl7.org/fhir"}
ENGLAND = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"
UK = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"


def patient(system: str, code: str, *, number_system: str = canonical.NHS_NUMBER, value: str = "999 000 0018") -> Json:
    status = {"coding": [{"system": system, "code": code}]}
    extension = [{"url": canonical.VERIFICATION, "valueCodeableConcept": status}]
    return {
        "resourceType": "Patient",
        "identifier": [
            {"system": "urn:local", "value": "7"},
            {"system": number_system, "value": value, "extension": extension},
        ],
    }


@pytest.mark.parametrize(
    ("system", "code", "status"),
    [
        (ENGLAND, "01", "01"),
        (UK, "01", "01"),  # the national service's own sandbox mixes them
        (UK, "number-present-and-verified", "01"),
        (UK, "number-present-but-not-traced", "02"),
        (UK, "trace-postponed", "08"),
        (UK, "number-present-and-traced-using-welsh-nhs-ar", None),
        (ENGLAND, "09", None),
    ],
)
def test_both_code_systems_of_the_status_are_read(system: str, code: str, status: str | None) -> None:
    assert fhir.nhs_number_of(patient(system, code)) == fhir.NhsNumber("9990000018", status)


def test_a_system_is_known_in_any_case() -> None:
    found = fhir.nhs_number_of(patient(ENGLAND, "01", number_system="https://fhir.nhs.uk/id/NHS-number"))
    assert found == fhir.NhsNumber("9990000018", "01")
    for system in ("https://fhir.nhs.uk/Id/ods-organization-code", "https://fhir.nhs.uk/id/ods-organization-code"):
        identifier = {"system": system, "value": "rxl "}
        assert fhir.ods_code_of({"identifier": identifier}) == "RXL"
        assert fhir.ods_code_of({"identifier": [identifier]}) == "RXL"
        assert fhir.ods_code_of(identifier) == "RXL"


@pytest.mark.parametrize("holder", [None, "RXL", {}, {"identifier": "RXL"}, {"system": "urn:x", "value": "RXL"}])
def test_what_holds_no_ods_code_gives_none(holder: object) -> None:
    assert fhir.ods_code_of(holder) is None


@pytest.mark.parametrize(
    "found", [{}, {"identifier": 7}, {"identifier": [7]}, {"identifier": [{"system": 1, "value": 2}]}]
)
def test_a_patient_without_a_number_has_none(found: Json) -> None:
    assert fhir.nhs_number_of(found) is None
    assert fhir.ethnic_category_of(found) is None


@pytest.mark.parametrize(("traced", "code"), [(None, "02"), ("01", "01"), ("04", "04"), ("zz", "02")])
def test_the_status_written_is_englands_and_unverified_unless_traced(traced: str | None, code: str) -> None:
    record = full_record()
    victim = record.people[0].model_copy(update={"nhs_number": "9990000018", "nhs_number_status": traced})
    (found, *_) = written("Patient", record.model_copy(update={"people": (victim, *record.people[1:])}))
    (identifier,) = found["identifier"]
    (coding,) = identifier["extension"][0]["valueCodeableConcept"]["coding"]
    assert coding == {"system": ENGLAND, "code": code, "display": VERIFICATION_STATUS[code]}
    assert fhir.nhs_number_of(found) == fhir.NhsNumber("9990000018", code)


def _published(name: str) -> dict[str, str]:
    root = etree.parse(shared_data("ukcore", "ukcore_r4", "codesystems") / f"CodeSystem-{name}.xml").getroot()
    return {
        one.find("f:code", F).get("value"): one.find("f:display", F).get("value")
        for one in root.iterfind(".//f:concept", F)
    }


def test_the_codes_are_those_that_uk_core_publishes() -> None:
    assert dict(VERIFICATION_STATUS) == _published("UKCore-NHSNumberVerificationStatusEngland")
    assert set(_published("UKCore-EthnicCategory")) | {"99"} == ETHNIC_CODES


@pytest.mark.parametrize("code", ["A", "C2", "CA", "GF", "Z", "99"])
def test_an_ethnic_category_is_written_and_read_as_the_code_it_is(code: str) -> None:
    record = full_record()
    victim = record.people[0].model_copy(update={"ethnicity": code})
    (found, *_) = written("Patient", record.model_copy(update={"people": (victim, *record.people[1:])}))
    assert fhir.ethnic_category_of(found) == code


# SNOMED CT

RIGHT = (
    *("707087005", "881081000000100", "697950003", "736792008", "766561000000109", "777996001", "417430008"),
    *("836881000000105", "1064961000000107", "878111000000109", "342191000000101", "375041000000100"),
    *("864491000000105", "713201008", "297591000000108", "771984002", "761571000000106", "706893006"),
)
WRONG = ("1054321000000100", "104586100000100", "1076171000000100")
"""Three that were published with a wrong check digit (domain.md section 2.10)."""


@pytest.mark.parametrize("code", RIGHT)
def test_a_published_code_has_its_check_digit(code: str) -> None:
    assert snomed.is_concept_id(code)
    for digit in "0123456789":
        assert snomed.is_concept_id(code[:-1] + digit) == (digit == code[-1])


@pytest.mark.parametrize("code", [*WRONG, "", "7", "70708700", "0707087005", "٧٠٧٠٨٧٠٠٥", "999002381000000108 "])
def test_a_wrong_code_is_known(code: str) -> None:
    assert not snomed.is_concept_id(code)


def test_two_digits_that_changed_places_are_found() -> None:
    for code in RIGHT:
        for at in range(len(code) - 1):
            swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
            assert swapped == code or not snomed.is_concept_id(swapped)


def test_no_code_of_ours_is_wrong() -> None:
    """In the code lists and in what we write."""
    for file in CODES.glob("*.json"):
        whole = json.loads(file.read_text())
        for group in whole.get("group", ()):
            for side, name in (("source", "element"), ("target", "target")):
                if group.get(side) == snomed.SYSTEM:
                    elements = (
                        group["element"] if name == "element" else [t for e in group["element"] for t in e["target"]]
                    )
                    assert all(snomed.is_concept_id(one["code"]) for one in elements), file.name
    for type_ in fhir.TYPES:
        assert not [issue for one in written(type_) for issue in fhir.remarks(one)]


def test_a_wrong_code_is_remarked_on_and_the_resource_is_read() -> None:
    codings = [{"system": snomed.SYSTEM.upper(), "code": code} for code in (RIGHT[0], WRONG[0])]
    found = fhir.parse(json.dumps({"resourceType": "Condition", "subject": {}, "code": {"coding": codings}}).encode())
    (issue,) = fhir.remarks(found.content)
    assert (issue.severity, issue.expression) == ("warning", "Condition.code.coding[1].code")
    assert WRONG[0] not in issue.diagnostics
    many = {"resourceType": "Condition", "code": {"coding": codings[1:] * 50}}
    assert len(fhir.remarks(many)) == 20


# The instruments


@pytest.mark.parametrize("id_", fhir.QUESTIONNAIRES)
def test_a_questionnaire_is_valid_and_says_no_more_than_short_words(id_: str) -> None:
    body = fhir.questionnaire(id_)
    assert body is not None
    found = json.loads(body)
    model("Questionnaire").model_validate(found)
    assert found["url"].endswith(f"/Questionnaire/{id_}")
    for item in found["item"]:
        assert [one["valueCoding"]["code"] for one in item["answerOption"]] == [one.value for one in Reply]
        assert 0 < len(item["text"]) < 90
        assert not re.search(r"\d", item["text"].replace("18 months", "")), "no threshold, no score"


def test_each_instrument_is_a_questionnaire_of_its_own() -> None:
    counts = {id_: len(json.loads(fhir.questionnaire(id_) or b"{}")["item"]) for id_ in fhir.QUESTIONNAIRES}
    assert counts == {"dash-2009-police-27": 27, "dash-safelives-24": 24, "dara": 21}
    assert fhir.questionnaire("unknown") is None
    assert fhir.questionnaire("none") is None


def test_every_risk_item_that_is_read_is_in_a_questionnaire() -> None:
    items = {
        target["code"]
        for group in json.loads((CODES / "risk-item.json").read_text())["group"]
        for element in group["element"]
        for target in element["target"]
    }
    asked = {
        item["linkId"] for id_ in fhir.QUESTIONNAIRES for item in json.loads(fhir.questionnaire(id_) or b"{}")["item"]
    }
    assert items == asked


def test_an_answer_leads_to_its_questionnaire() -> None:
    for one in written("QuestionnaireResponse"):
        id_ = one["questionnaire"].rpartition("/")[2]
        found = json.loads(fhir.questionnaire(id_) or b"{}")
        assert found["url"] == one["questionnaire"]
        assert {item["linkId"] for item in one["item"]} <= {item["linkId"] for item in found["item"]}


def test_an_instrument_that_nobody_named_has_no_questionnaire() -> None:
    record = full_record()
    one = record.assessments[0].model_copy(update={"instrument": Instrument.UNKNOWN})
    (found,) = written("QuestionnaireResponse", record.model_copy(update={"assessments": (one,)}), referral())
    assert "questionnaire" not in found
