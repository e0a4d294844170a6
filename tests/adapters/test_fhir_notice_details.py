"""A hospital's notice in UK Core: the status of its NHS number, the ethnic category and the ODS code come through."""

from __future__ import annotations

import json

import pytest

from adapters.nhs.fhir import canonical
from adapters.socket import Limits, reader
from mappings.profile import profile
from mappings.record import Record

UK = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"


def notice(status: str, ods_system: str) -> Record:
    found = profile("notice")
    victim = {
        "resourceType": "Patient",
        "id": "v",
        "extension": [
            {
                "url": canonical.ETHNIC_CATEGORY,
                "valueCodeableConcept": {"coding": [{"system": canonical.ETHNIC_CATEGORIES.upper(), "code": "CA"}]},
            }
        ],
        "identifier": [
            {
                "system": canonical.NHS_NUMBER.lower(),
                "value": "999 000 0018",
                "extension": [
                    {
                        "url": canonical.VERIFICATION,
                        "valueCodeableConcept": {"coding": [{"system": UK, "code": status}]},
                    }
                ],
            }
        ],
        "generalPractitioner": [{"identifier": {"system": ods_system, "value": "y06601"}, "display": "Surgery"}],
    }
    request = {
        "resourceType": "ServiceRequest",
        "id": "r",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/v"},
        "authoredOn": "2026-04-12T10:00:00Z",
        "reasonCode": [{"coding": [{"system": canonical.SNOMED, "code": canonical.AT_RISK[0]}]}],
    }
    entries = [
        {"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in (request, victim)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return reader(found.adapter).read(json.dumps(bundle).encode(), found, Limits()).record


@pytest.mark.parametrize(("word", "status"), [("number-present-and-verified", "01"), ("trace-required", "03")])
def test_the_status_comes_through_as_englands(word: str, status: str) -> None:
    (victim,) = notice(word, canonical.ODS).people
    assert (victim.nhs_number, victim.nhs_number_status, victim.ethnicity) == ("9990000018", status, "CA")


def test_a_practice_is_its_ods_code_in_any_spelling() -> None:
    """Where the system is no ODS system, what stands for people to read is kept."""
    assert notice("trace-required", canonical.ODS.lower()).people[0].general_practice == "Y06601"
    assert notice("trace-required", "urn:local").people[0].general_practice == "Surgery"
