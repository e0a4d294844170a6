"""What is asked of PDS, and what is read of its answers: published shapes, hostile ones, restricted patients."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.nhs import pds
from adapters.nhs.pds import Found, Nobody, Question, Several
from adapters.socket import Unreadable
from gateway.demo.pds import Patient, bundle, number
from mappings.record import Address, AddressUse, Birth, Name, Person, Role
from tests.support.shared import shared_data

MARIANNE = Patient(number(1), (("Ashdown", "Marianne"),), "1991-02-03")
BORN = Birth(on=date(1991, 2, 3))


def _person(**more: Any) -> Person:
    return Person(ref="victim-1", role=Role.VICTIM, **more)


def _changed(change: Any) -> bytes:
    """Marianne's answer after a change of its tree."""
    tree = json.loads(bundle(MARIANNE))
    change(tree["entry"][0]["resource"])
    return json.dumps(tree).encode()


def test_three_letters_a_birthday_and_an_area_are_asked_and_nothing_else() -> None:
    home = Address(use=AddressUse.HOME, lines=("12 Example Row",), postcode="zz99 3CZ")
    safe = Address(use=AddressUse.SAFE, lines=("1 Hidden Road",), postcode="ZZ11 1AA")
    name = Name(family="O'Neill-Smith", given=("Annabel", "Jane"))
    asked = pds.question(_person(names=(name,), birth=BORN, addresses=(safe, home), sex="female"))
    assert asked is not None
    assert dict(asked.within_area()) == {
        "family": "O'Neill-Smith",
        "given": "Ann*",
        "birthdate": "eq1991-02-03",
        "_history": "true",
        "_fuzzy-match": "false",
        "_exact-match": "false",
        "address-postalcode": "ZZ*",
    }
    assert set(asked.within_area()) - set(asked.everywhere()) == {("address-postalcode", "ZZ*")}


def test_a_safe_address_is_never_asked_for() -> None:
    safe = Address(use=AddressUse.SAFE, postcode="ZZ11 1AA")
    asked = pds.question(_person(names=(Name(family="Ashdown"),), birth=BORN, addresses=(safe,)))
    assert asked is not None
    assert asked.area is None


@pytest.mark.parametrize(
    "person",
    [
        _person(birth=BORN),
        _person(names=(Name(given=("Marianne",)),), birth=BORN),
        _person(names=(Name(family="Ashdown"),)),
        _person(names=(Name(family="Ashdown"),), birth=Birth(year=1991)),
        _person(names=(Name(family=" * "),), birth=BORN),
    ],
    ids=["no name", "no family name", "no birthday", "a year alone", "a wildcard alone"],
)
def test_too_little_asks_nothing(person: Person) -> None:
    assert pds.question(person) is None


@given(st.text(min_size=1, max_size=60), st.text(max_size=60), st.text(max_size=12))
@settings(max_examples=200)
def test_no_name_widens_a_question(family: str, given_name: str, postcode: str) -> None:
    """Whatever a name holds, it brings no wildcard of its own, and no more leaves than is said."""
    home = Address(use=AddressUse.HOME, postcode=postcode)
    asked = pds.question(_person(names=(Name(family=family, given=(given_name,)),), birth=BORN, addresses=(home,)))
    if asked is None:
        return
    said = dict(asked.within_area())
    assert "*" not in said["family"]
    assert len(said["family"]) <= 35
    assert len(said.get("given", "")) <= 4
    assert said.get("given", "xx*").count("*") == 1
    assert len(said.get("address-postalcode", "")) in {0, 3}


def test_a_single_patient_is_read_whole() -> None:
    found = pds.read(bundle(MARIANNE))
    assert isinstance(found, Found)
    assert (found.person.nhs_number, found.person.nhs_number_status, found.label) == (number(1), "01", None)
    assert (found.person.names[0].family, found.person.sex, found.score) == ("Ashdown", "female", 0.8343)
    assert found.person.addresses == (Address(use=AddressUse.HOME, lines=("12 Example Row",), postcode="ZZ99 3CZ"),)
    assert not found.person.contacts


@pytest.mark.parametrize("label", ["R", "V", "REDACTED?", "", None])
def test_of_anybody_not_plainly_unrestricted_no_address_comes_in(label: str | None) -> None:
    """Even where PDS sent one by mistake; a label nobody knows, or none, counts as restricted."""

    def change(patient: dict[str, Any]) -> None:
        patient["meta"] = {"security": [{"code": label}]} if label is not None else {}

    found = pds.read(_changed(change))
    assert isinstance(found, Found)
    assert found.label == ("V" if label == "V" else "R")
    assert found.person.addresses == ()


def test_nobody_several_and_invalidated() -> None:
    assert pds.read(bundle()) == Nobody()
    assert pds.read(bundle(MARIANNE, MARIANNE)) == Several()
    assert pds.read(_changed(lambda p: p.update(meta={"security": [{"code": "REDACTED"}]}))) == Nobody("invalidated")


@pytest.mark.parametrize(
    ("code", "status"),
    [(f"{n:02d}", f"{n:02d}") for n in range(1, 9)]
    + [*pds.STATUS_OF_TEXT.items(), ("09", "02"), ("verified", "02"), (1, "02")],
)
def test_both_code_systems_are_read_and_england_s_is_kept(code: Any, status: str) -> None:
    def change(patient: dict[str, Any]) -> None:
        patient["identifier"][0]["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] = code

    found = pds.read(_changed(change))
    assert isinstance(found, Found)
    assert found.person.nhs_number_status == status


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", ""),
        (b"[]", ""),
        (b'{"resourceType":"Bundle","type":"searchset","total":1}', "total"),
        (b'{"resourceType":"Bundle","type":"searchset","total":"1","entry":[]}', "total"),
        (b'{"resourceType":"Bundle","type":"searchset","entry":{}}', "entry"),
        (b'{"resourceType":"Bundle","type":"message"}', "resourceType"),
        (b'{"resourceType":"OperationOutcome","issue":[]}', "issue"),
        (_changed(lambda p: p.update(id="9990000026")), "entry[0].resource.id"),
        (_changed(lambda p: p["identifier"][0].update(value="9990000019")), "entry[0].resource.identifier[0].value"),
        (_changed(lambda p: p["identifier"][0].update(value="3333333333")), "entry[0].resource.identifier[0].value"),
        (_changed(lambda p: p.pop("identifier")), "entry[0].resource.identifier"),
        (_changed(lambda p: p.update(birthDate="1991-13-03")), "entry[0].resource.birthDate"),
        (_changed(lambda p: p.update(birthDate=1991)), "entry[0].resource.birthDate"),
        (_changed(lambda p: p.update(name=[{"family": 7}])), "entry[0].resource.family"),
        (_changed(lambda p: p.update(resourceType="Practitioner")), "entry[0].resource.resourceType"),
        (bundle(MARIANNE, score=7), "entry[0].search.score"),
    ],
)
def test_what_cannot_be_read_names_its_path_and_never_a_value(body: bytes, path: str) -> None:
    with pytest.raises(Unreadable) as refused:
        pds.read(body)
    assert refused.value.problems[0].path == path
    assert "Ashdown" not in str(refused.value)
    assert "333" not in str(refused.value)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(MARIANNE.resource())), _VALUES)
@settings(max_examples=300)
def test_any_value_in_any_place_is_read_or_refused(name: str, value: Any) -> None:
    """Nothing but `Unreadable` comes out, and never an address of somebody who is not plainly unrestricted."""
    try:
        found = pds.read(_changed(lambda patient: patient.update({name: value})))
    except Unreadable:
        return
    if isinstance(found, Found) and found.label is not None:
        assert found.person.addresses == ()


def test_error_codes_are_read_and_nothing_else() -> None:
    outcome = {"issue": [{"details": {"coding": [{"code": "INVALIDATED_RESOURCE"}]}}]}
    assert pds.error_code(json.dumps(outcome).encode()) == "INVALIDATED_RESOURCE"
    outcome["issue"][0]["details"]["coding"][0]["code"] = "Marianne Ashdown"
    assert pds.error_code(json.dumps(outcome).encode()) is None
    assert pds.error_code(b"<html>") is None


@pytest.mark.parametrize(
    ("file", "label"),
    [("PatientSearch", None), ("Sensitive_PatientSearch", "R"), ("Minimal_PatientSearch", None)],
)
def test_the_published_answers_are_read(file: str, label: str | None) -> None:
    found = pds.read(shared_data("pds", "pds_api", "sandbox", "mocks", f"{file}.json").read_bytes())
    assert isinstance(found, Found)
    assert (found.label, found.person.nhs_number_status, found.score) == (label, "01", 0.75)


def test_the_published_too_many_matches_comes_with_200() -> None:
    path = shared_data("pds", "pds_api", "tests", "functional", "data", "responses", "too_many_matches.json")
    assert pds.read(path.read_bytes()) == Several()


def test_a_question_is_its_parts() -> None:
    assert Question("Ashdown", "M", date(1991, 2, 3), None).everywhere()[1] == ("birthdate", "eq1991-02-03")
