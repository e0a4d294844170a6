"""What a hospital's HL7 v2 says was deleted, is no longer hers, or is somebody else's to answer, is not read of her."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.nhs.hl7v2 import concerns, patient_change
from adapters.nhs.hl7v2.facts import FactsInvalid
from adapters.nhs.hl7v2.words import _retired
from tests.adapters.hl7v2_support import adt, pid

CONCERN = "707087005^At risk^SCT"


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        (f"PRB|AD|20260501|{CONCERN}", True),
        (f"PRB||20260501|{CONCERN}", True),
        (f"PRB|DE|20260501|{CONCERN}", False),
        (f"PRB|de|20260501|{CONCERN}", False),
        (f"DG1|1||{CONCERN}|||W|||||||||||||||A", True),
        (f"DG1|1||{CONCERN}|||W|||||||||||||||D", False),
    ],
)
def test_a_problem_or_diagnosis_that_was_deleted_is_no_concern(segment: str, *, said: bool) -> None:
    assert bool(concerns(adt(segment))) is said


def person(addresses: str, telephones: str) -> Any:
    return patient_change(adt(person=pid(rest=f"||{addresses}||{telephones}"))).patient


def test_a_bad_address_and_one_of_birth_are_not_hers_and_are_told() -> None:
    found = person("1 A ROW^^BLACKPOOL^^ZZ99 9ZZ^^BA~2 B ROW^^BLACKPOOL^^ZZ99 8ZZ^^H~^^PRESTON^^^^BDL", "")
    assert [one.postcode for one in found.person.addresses] == ["ZZ99 8ZZ"]
    assert {one.path for one in found.findings} >= {"PID-11", "PID-11[3]"}


def test_a_number_to_ring_in_an_emergency_is_somebody_else_s() -> None:
    found = person("", "01632960111^EMR^PH~01632960112^PRN^PH")
    assert [one.value for one in found.person.contacts] == ["01632960112"]
    assert {one.path for one in found.findings} >= {"PID-13"}


@pytest.mark.parametrize("table", [{"OBX": ["D"]}, {"OBX-11": []}, {"OBX-11": "D"}])
def test_a_table_that_says_something_unknown_does_not_load(table: dict[str, Any]) -> None:
    with pytest.raises(FactsInvalid):
        _retired(table)
