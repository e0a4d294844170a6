"""What leaves as FHIR: valid, labelled, no more than its items, and safe to read by accident."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.nhs import fhir
from adapters.nhs.fhir.canonical import AT_RISK, SUSPECTED_ABUSE
from adapters.nhs.fhir.consent import STATES
from adapters.nhs.fhir.models import model
from mappings.items import CATALOGUE
from mappings.record import (
    Address,
    AddressUse,
    Birth,
    Consent,
    ConsentState,
    Contact,
    Name,
    Person,
    Record,
    RecordKind,
    Relationship,
    Role,
    Source,
)
from mappings.referral import ReferralStatus
from tests.adapters.fhir_support import (
    BASE,
    REFERRAL_ID,
    everything,
    full_record,
    nodes,
    only,
    referral,
    sparse_record,
    written,
)
from tests.support.records import incident

NOTHING = Record(kind=RecordKind.INCIDENT)
RECORDS = {"worked": incident(), "full": full_record(), "sparse": sparse_record(), "nothing": NOTHING}


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("type_", fhir.TYPES)
def test_whatever_is_written_is_valid_r4(type_: str, name: str) -> None:
    """The models themselves validate it here, not the memory of shapes that validated before."""
    for resource in written(type_, RECORDS[name]):
        model(type_).model_validate(resource)


@pytest.mark.parametrize("type_", fhir.TYPES)
def test_a_type_carries_what_its_row_says_and_nothing_else(type_: str) -> None:
    """Narrowed to its row, a record is written the same; narrowed to all the rest, as if it held nothing."""
    whole = full_record()
    assert written(type_, only(whole, fhir.carries(type_))) == written(type_, whole)
    rest = frozenset(CATALOGUE) - fhir.carries(type_)
    nothing = only(whole, frozenset())
    assert written(type_, only(whole, rest)) == written(type_, nothing)


@pytest.mark.parametrize("type_", fhir.TYPES)
def test_each_item_of_a_row_is_carried_by_something(type_: str) -> None:
    """An item in a row that changes nothing would be sealed as released and never leave."""
    whole, row = _every_item(), fhir.carries(type_)
    before = written(type_, only(whole, row))
    unused = {item for item in row if written(type_, only(whole, row - {item})) == before}
    assert unused <= {"event.kind"}, "the kind is what a record is, and cannot be withheld"


def _every_item() -> Record:
    """The full record, its child with all that a victim has, its suspect with another address, and one suspect."""
    whole = full_record()
    victim, offender, _, child, _ = whole.people
    same = {n: getattr(victim, n) for n in ("contacts", "addresses", "needs", "general_practice", "nhs_number", "sex")}
    extra = Address(use=AddressUse.OTHER, town="Garstang")
    return whole.model_copy(
        update={
            "people": (
                victim.model_copy(update={"school": "Example College", "present": True}),
                offender.model_copy(update={"addresses": (*offender.addresses, extra)}),
                child.model_copy(update={**same, "ethnicity": "B", "language": "pl"}),
            ),
            "assessments": (
                *whole.assessments,
                whole.assessments[0].model_copy(update={"ref": "dash-2", "subject": "child-1"}),
            ),
            "consents": (*whole.consents, whole.consents[0].model_copy(update={"ref": "c-2", "subject": "child-1"})),
        }
    )


def test_a_task_says_nothing_of_who_the_victim_is() -> None:
    """Identity belongs to Patient: a worklist shows none (design.md section 9)."""
    identity = {i for i in CATALOGUE if i.startswith(("victim.", "child.", "suspect.", "third_party."))}
    assert fhir.carries("Task") & identity == {"victim.listed"}
    text = json.dumps(written("Task"))
    assert not [word for word in ("Ashdown", "Harbottle", "07700", "Example Row", "9990000018") if word in text]


def test_every_resource_is_restricted_sensitive_and_hidden_from_online_access() -> None:
    for resource in everything():
        labels = {(label["system"].rpartition("/")[2], label["code"]) for label in resource["meta"]["security"]}
        assert labels == {("v3-Confidentiality", "R"), ("v3-ActCode", "SDV"), ("v3-ActCode", "NOPAT")}
        assert {"url": f"{fhir.CANONICAL}/StructureDefinition/hide-from-online-access", "valueBoolean": True} in (
            resource["meta"]["extension"]
        )


@pytest.mark.parametrize("name", RECORDS)
def test_no_null_no_empty_list_and_no_blank_text_is_ever_written(name: str) -> None:
    for resource in everything(RECORDS[name]):
        assert [path for path, value in nodes(resource) if value is None or value in ([], {}, "")] == []


def test_the_suspect_is_in_the_contained_basic_and_nowhere_else() -> None:
    for resource in everything():
        hits = [path for path, value in nodes(resource) if isinstance(value, str) and _of_suspect(value)]
        assert all(path.startswith(".contained[") for path in hits)
        assert bool(hits) == (resource["resourceType"] == "ServiceRequest")
        for contained in resource.get("contained", ()):
            assert contained["resourceType"] == ("RelatedPerson" if resource["resourceType"] == "Patient" else "Basic")
            assert "meta" not in contained, "a contained resource has no labels of its own (dom-4, dom-5)"


def _of_suspect(value: str) -> bool:
    return any(word in value for word in ("Harbottle", "Quillfeather", "Sample Close", "roofer", "1988-11-30"))


def test_every_contained_resource_and_every_reference_has_its_other_end() -> None:
    """R4 invariant dom-3, and no reference of ours leads nowhere."""
    resources = everything()
    known = {f"{r['resourceType']}/{r['id']}" for r in resources}
    for resource in resources:
        found = {value for path, value in nodes(resource) if path.endswith(".reference")}
        assert {f"#{one['id']}" for one in resource.get("contained", ())} <= found
        assert {one for one in found if not one.startswith("#")} <= known


def test_only_the_victim_and_the_children_are_patients() -> None:
    assert [p["id"] for p in written("Patient")] == [f"{REFERRAL_ID}.victim-1", f"{REFERRAL_ID}.child-1"]
    assert all("contact" not in p for p in written("Patient"))


def test_a_child_is_tied_to_the_victim_as_it_was_stated() -> None:
    """The victim's Patient is also the child's RelatedPerson; nobody else is, and nothing is told of anybody by it."""
    victim, child = written("Patient")
    (related,) = victim["contained"]
    assert related == {
        "resourceType": "RelatedPerson",
        "id": "child-1",
        "patient": {"reference": f"Patient/{child['id']}"},
        "relationship": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
                        "code": "PRN",
                        "display": "parent",
                    }
                ]
            }
        ],
    }
    assert victim["link"] == [{"other": {"reference": "#child-1"}, "type": "seealso"}]
    assert not {"contained", "link"} & child.keys()


@pytest.mark.parametrize(
    ("a", "b", "type_", "code"),
    [
        ("victim-1", "child-1", "parent", "PRN"),
        ("child-1", "victim-1", "child", "PRN"),
        ("child-1", "victim-1", "step-child", "STPPRN"),
        ("victim-1", "child-1", "grandparent", "GRPRN"),
        ("victim-1", "child-1", "lodger", "lodger"),
        ("victim-1", "child-1", None, None),
        ("suspect-1", "child-1", "parent", None),
        ("victim-1", "suspect-1", "spouse", None),
        ("caller-1", "child-1", "neighbour", None),
    ],
)
def test_no_tie_is_made_up_and_none_is_with_a_suspect(a: str, b: str, type_: str | None, code: str | None) -> None:
    ties = (Relationship(a=a, b=b, type=type_),)
    (victim, _) = written("Patient", full_record().model_copy(update={"relationships": ties}))
    found = [one["relationship"][0]["coding"][0]["code"] for one in victim.get("contained", ())]
    assert found == ([] if code is None else [code])


def test_a_child_that_is_withheld_leaves_no_tie() -> None:
    without = only(full_record(), frozenset(CATALOGUE) - {"child.listed"})
    (victim,) = written("Patient", without)
    assert not {"contained", "link"} & victim.keys()


@given(
    safe=st.sampled_from([None, True, False]),
    shared=st.sampled_from([None, True, False]),
    voicemail=st.sampled_from([None, True, False]),
    texts=st.sampled_from([None, True, False]),
)
@settings(deadline=None)
def test_a_contact_not_stated_safe_is_no_telecom(
    safe: bool | None,  # noqa: FBT001 - hypothesis names them
    shared: bool | None,  # noqa: FBT001 - as above
    voicemail: bool | None,  # noqa: FBT001 - as above
    texts: bool | None,  # noqa: FBT001 - as above
) -> None:
    """P5 and N8: unknown is unsafe; a number is usable only where every word of permission was given."""
    number = "07700 900321"
    contact = Contact(
        system="phone", value=number, safe=safe, shared_with_suspect=shared, voicemail=voicemail, text=texts
    )
    person = Person(ref="victim-1", role=Role.VICTIM, contacts=(contact,))
    (patient,) = written("Patient", Record(kind=RecordKind.INCIDENT, people=(person,)))
    allowed = safe is True and shared is not True
    assert [t["value"] for t in patient.get("telecom", ())] == ([number] if allowed else [])
    if allowed:
        said = {p["url"]: p["valueBoolean"] for p in patient["telecom"][0]["extension"][0]["extension"]}
        assert said == {"safe": True, "voicemail": voicemail is True, "text": texts is True}
    else:
        (path,) = [path for path, value in nodes(patient) if value == number]
        assert path.startswith(".extension[0].extension[")
        assert patient["extension"][0]["url"].endswith("/unsafe-contact")


def test_withholding_how_to_make_contact_makes_every_contact_unsafe() -> None:
    record = only(incident(), fhir.carries("Patient") - {"victim.safe_contact"})
    victim = written("Patient", record)[0]
    assert "telecom" not in victim
    assert sum(e["url"].endswith("/unsafe-contact") for e in victim["extension"]) == 2


def test_a_safe_address_says_so_and_is_no_home() -> None:
    addresses = written("Patient")[0]["address"]
    safe = [a for a in addresses if "The Refuge" in a.get("line", ())]
    assert [a["use"] for a in safe] == ["temp"]
    assert safe[0]["extension"][0]["url"].endswith("/safe-address")


def test_an_unknown_date_of_birth_is_said_to_be_unknown_and_never_guessed() -> None:
    victim, child = written("Patient", sparse_record())
    assert victim["birthDate"] == "1990"
    assert "birthDate" not in child
    reason, age = child["_birthDate"]["extension"]
    assert (reason["valueCode"], age["extension"][0]["valueInteger"]) == ("unknown", 7)


def test_a_withheld_victim_leaves_a_masked_subject_where_r4_demands_one() -> None:
    record = only(full_record(), frozenset(CATALOGUE) - {"victim.listed"})
    for type_ in ("ServiceRequest", "RiskAssessment", "Flag"):
        for resource in written(type_, record):
            (reason,) = resource["subject"]["extension"]
            assert reason["valueCode"] == "masked"
    assert "for" not in written("Task", record)[0]


def test_a_grade_never_travels_without_instrument_assessor_and_age() -> None:
    """P10: wherever a grade stands, the assessment it is of stands beside it, and nothing is computed."""
    (risk, ungraded) = written("RiskAssessment")
    assert risk["prediction"][0]["qualitativeRisk"]["coding"][0]["code"] == "high"
    assert "prediction" not in ungraded
    assert not [path for path, _ in nodes(risk) if "probability" in path or "relativeRisk" in path]
    graded = [i for i in written("Task")[0]["input"] if i["type"]["coding"][0]["code"] == "risk-grade"]
    for holder in (risk, graded[0], written("QuestionnaireResponse")[0]):
        said = {p["url"] for p in holder["extension"][0]["extension"]}
        assert said >= {"instrument", "grade", "yes", "items", "assessorRole", "at"}


def test_each_instrument_has_a_questionnaire_of_its_own() -> None:
    canonical = [r["questionnaire"].rpartition("/")[2] for r in written("QuestionnaireResponse")]
    assert canonical == ["dash-2009-police-27", "dara"]


@pytest.mark.parametrize("state", ConsentState)
def test_only_consent_that_was_given_permits(state: ConsentState) -> None:
    record = Record(kind=RecordKind.INCIDENT, consents=(Consent(ref="consent-1", state=state),))
    (consent,) = written("Consent", record)
    given_ = state in {ConsentState.GIVEN, ConsentState.UNDER_16_GILLICK}
    assert consent["provision"]["type"] == ("permit" if given_ else "deny")
    assert (consent["status"] == "active") == given_
    assert consent["extension"][0]["valueCode"] == state
    assert set(STATES) == set(ConsentState)


def test_consent_given_beside_the_suspect_counts_as_not_asked() -> None:
    (consent,) = written("Consent")
    assert (consent["status"], consent["provision"]["type"]) == ("draft", "deny")
    codes = [e.get("valueCode") for e in consent["extension"]]
    assert codes[:2] == ["not-asked", "given"]


def test_officer_safety_codes_are_pinned_to_a_suspect_only_where_they_are_said_of_him() -> None:
    """What names nobody stays with the incident: one of two suspects may have been left out of what leaves (N9)."""
    (one,) = written("ServiceRequest", incident())
    assert "safety-warning" not in json.dumps(one["contained"])
    assert "safetyWarning" in json.dumps(one["extension"])
    (said,) = written("ServiceRequest", full_record())
    assert [basic["id"] for basic in said["contained"] if "safety-warning" in json.dumps(basic)] == ["suspect-1"]


def test_nothing_of_a_third_party_is_left_even_by_reference() -> None:
    assert "caller-1" not in json.dumps(everything())
    assert "neighbour" not in json.dumps(everything())


def test_statements_say_what_they_are_and_only_the_summary_is_told() -> None:
    notes = written("ServiceRequest")[0]["note"]
    assert [(n["text"], n["extension"][0]["valueCode"]) for n in notes] == [
        ("Pushed against a wall.", "allegation"),
        ("Officers attended.", "fact"),
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (ReferralStatus.REQUESTED, "active"),
        (ReferralStatus.IN_PROGRESS, "active"),
        (ReferralStatus.COMPLETED, "completed"),
        (ReferralStatus.REJECTED, "revoked"),
        (ReferralStatus.ENTERED_IN_ERROR, "entered-in-error"),
    ],
)
def test_the_request_follows_the_referral(status: ReferralStatus, expected: str) -> None:
    assert written("ServiceRequest", offered=referral(status=status))[0]["status"] == expected


def test_a_flag_is_for_review_after_twelve_months_leap_day_included() -> None:
    made = datetime(2028, 2, 29, 12, 0, tzinfo=UTC)
    (flag,) = written("Flag", offered=referral(created_at=made))
    assert flag["period"] == {"start": "2028-02-29T12:00:00Z", "end": "2029-02-28T12:00:00Z"}


def test_feedback_is_written_once_for_each_word_told_to_police() -> None:
    told = written("Communication")
    assert [t["id"].rpartition(".")[2] for t in told] == ["feedback-1", "feedback-2"]
    assert [t["topic"]["coding"][0]["code"] for t in told] == ["contact-attempted", "supports-prosecution"]
    assert "payload" not in told[0], "feedback is coded: there is no text in it"


def test_what_a_server_needs_stands_beside_the_bytes() -> None:
    (one,) = fhir.write("Task", incident(), referral(), BASE)
    assert (one.type, one.id, one.version, one.url) == ("Task", REFERRAL_ID, 3, f"{BASE}/Task/{REFERRAL_ID}")
    meta = json.loads(one.body)["meta"]
    assert (meta["versionId"], datetime.fromisoformat(meta["lastUpdated"])) == (one.tag, one.last_updated)
    assert re.fullmatch("3-[0-9a-f]{8}", meta["versionId"])
    assert written("Task", incident())[0]["meta"]["versionId"] == one.tag
    assert written("Task", NOTHING)[0]["meta"]["versionId"] != one.tag, "a version is of what is shown"


def test_a_type_that_is_not_written_gives_nothing() -> None:
    assert fhir.write("RelatedPerson", incident(), referral(), BASE) == ()
    assert fhir.carries("RelatedPerson") == frozenset()


def test_a_reference_too_long_for_an_id_is_refused_without_being_named() -> None:
    person = Person(ref="v" * 40, role=Role.VICTIM)
    with pytest.raises(fhir.FhirUnwritable) as refused:
        fhir.write("Patient", Record(kind=RecordKind.INCIDENT, people=(person,)), referral(), BASE)
    assert "vvv" not in str(refused.value)


def test_text_that_is_no_unicode_is_refused_without_being_named() -> None:
    person = Person(ref="victim-1", role=Role.VICTIM, names=(Name.model_construct(family="Ash\ud800", given=()),))
    record = Record(kind=RecordKind.INCIDENT).model_copy(update={"people": (person,)})
    with pytest.raises(fhir.FhirUnwritable) as refused:
        fhir.write("Patient", record, referral(), BASE)
    assert "Ash" not in str(refused.value)


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_blank_text_is_left_out(blank: str) -> None:
    person = Person(
        ref="victim-1",
        role=Role.VICTIM,
        names=(Name(family=blank, given=(blank,)),),
        contacts=(Contact(system="phone", value=blank, safe=True),),
        addresses=(Address(use=AddressUse.HOME, lines=(blank,), town=blank),),
        nhs_number=blank,
        general_practice=blank,
        school=blank,
        needs=(blank,),
    )
    record = Record(kind=RecordKind.INCIDENT, source=Source(organisation=blank), people=(person,), location=blank)
    assert set(written("Patient", record)[0]) == {"resourceType", "id", "meta"}
    assert "requester" not in written("ServiceRequest", record)[0]


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_MAYBE = st.none() | _TEXT
_CODE = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:/-]{0,8}\Z")
_PEOPLE = st.builds(
    Person,
    ref=st.just("person-1"),
    role=st.sampled_from([Role.VICTIM, Role.CHILD, Role.SUSPECT]),
    names=st.tuples(st.builds(Name, family=_MAYBE, given=st.tuples(_TEXT), prefix=_MAYBE, use=_CODE)),
    birth=st.builds(
        Birth,
        on=st.none() | st.dates(min_value=date(1900, 1, 1)),
        year=st.none() | st.integers(1880, 2200),
        age=st.none() | st.integers(0, 130),
    ),
    sex=_CODE | st.sampled_from(["F", "male", "unknown"]),
    ethnicity=_CODE,
    contacts=st.tuples(st.builds(Contact, system=_CODE, value=_MAYBE, safe=st.booleans(), times=_MAYBE)),
    addresses=st.tuples(
        st.builds(Address, use=st.sampled_from(AddressUse), lines=st.tuples(_TEXT), town=_MAYBE, uprn=_MAYBE)
    ),
    nhs_number=_MAYBE,
    general_practice=_MAYBE,
    language=_CODE,
    needs=st.tuples(_TEXT),
    description=_MAYBE,
    occupation=_MAYBE,
    school=_MAYBE,
)


@given(person=_PEOPLE)
@settings(deadline=None, max_examples=60)
def test_any_person_at_all_is_written_as_valid_r4(person: Person) -> None:
    """The memory of shapes never lets through what the models would refuse."""
    record = Record(kind=RecordKind.INCIDENT, people=(person,))
    for type_ in ("Patient", "ServiceRequest"):
        for resource in written(type_, record):
            model(type_).model_validate(resource)
            assert not [value for _, value in nodes(resource) if isinstance(value, str) and not value.strip()]


def test_a_resource_that_is_not_valid_is_not_written() -> None:
    from adapters.nhs.fhir.models import check  # noqa: PLC0415 - an inner function, tried alone

    with pytest.raises(fhir.FhirUnwritable, match=r"Task: status") as refused:
        check({"resourceType": "Task", "status": {"secret": "x"}, "intent": "order"})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("code", [AT_RISK[0], SUSPECTED_ABUSE[0]])
def test_every_snomed_code_has_its_check_digit(code: str) -> None:
    """Verhoeff's, which three codes published elsewhere fail (domain.md section 2.10)."""
    assert _verhoeff(code)
    assert not _verhoeff("1054321000000100"), "a code known to be wrong"


def _verhoeff(digits: str) -> bool:
    def multiply(a: int, b: int) -> int:  # the dihedral group of the pentagon
        return (a + b) % 5 if a < 5 and b < 5 else 5 + (a + b) % 5 if a < 5 else _reflected(a, b)

    def _reflected(a: int, b: int) -> int:
        return 5 + (a - b) % 5 if b < 5 else (a - b) % 5

    row = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    check = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = row[value]
        check = multiply(check, value)
    return check == 0


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("type_", [*fhir.TYPES, "RelatedPerson"])
def test_the_ids_are_known_without_writing(type_: str, name: str) -> None:
    made = fhir.write(type_, RECORDS[name], referral(), BASE)
    assert fhir.resource_ids(type_, RECORDS[name], referral()) == tuple(one.id for one in made)


@given(part=st.none() | st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,19}\Z"))
@settings(deadline=None)
def test_an_id_reads_back_as_it_was_made(part: str | None) -> None:
    made = fhir.resource_id(REFERRAL_ID, part)
    assert len(made) <= 64
    assert fhir.split_id(made) == (REFERRAL_ID, part)


@given(id_=st.text(max_size=70) | st.from_regex(r"[0-9a-f-]{36}(\.[a-z0-9-]*)*"))
@settings(deadline=None)
def test_no_text_at_all_breaks_the_reading_of_ids(id_: str) -> None:
    found = fhir.split_id(id_)
    assert found is None or fhir.resource_id(*found) == id_


def test_provenance_names_the_record_and_the_mapping_by_their_hashes() -> None:
    """What was read and by which mapping; of whom, only whoever leaves."""
    source = Source(organisation="04", system="rms", adapter="police.json", profile="flat", profile_hash="ab" * 32)
    record = full_record().model_copy(update={"source": source})
    (found,) = written("Provenance", record, replace(referral(), payload="cd" * 32))
    hashes = [(one["role"], one["what"]["identifier"]["value"]) for one in found["entity"]]
    assert hashes == [("source", "cd" * 32), ("source", "ab" * 32)]
    assert [one["type"]["coding"][0]["code"] for one in found["agent"]] == ["author", "assembler"]
    told = [one["reference"] for one in found["target"]]
    assert told == [
        f"ServiceRequest/{REFERRAL_ID}",
        f"Patient/{REFERRAL_ID}.victim-1",
        f"Patient/{REFERRAL_ID}.child-1",
    ]
    (withheld,) = written("Provenance", only(record, frozenset()), replace(referral(), payload="cd" * 32))
    assert [one["reference"] for one in withheld["target"]] == [f"ServiceRequest/{REFERRAL_ID}"]
    assert "entity" not in withheld
    assert [one["type"]["coding"][0]["code"] for one in withheld["agent"]] == ["assembler"]
