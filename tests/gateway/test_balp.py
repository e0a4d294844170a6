"""Every event of the log as an AuditEvent: held to the profile it claims, as the profile's own definition has it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from audit.entry import Actor, AgreementRef, Entry, Items, Operation, Outcome, Recipient
from audit.fhir import BALP, Setting, audit_event
from audit.shapes import ACTIVITY, DECIDED, LOGIN, LOGOUT
from gateway.balp import SHAPES, having, is_patient, shape_of
from gateway.evidence import GATEWAY, Event
from tests.support.profiles import Package
from tests.support.shared import shared_data

RECORD, CASE = "2f0c7f5e-0000-4000-8000-000000000001", "2f0c7f5e-0000-4000-8000-000000000002"
SETTING = Setting(
    site="https://gateway.test",
    namespace="https://gateway.test/fhir",
    log_id="operation-provide",
    origin="gateway.test/logs/operation-provide",
    gateway=GATEWAY.client,
    is_patient=is_patient,
)
WHOLE = Entry(
    id="2f0c7f5e-0000-4000-8000-000000000003",
    time="2026-03-01T10:00:00.345Z",
    operation=Operation.DISCLOSURE,
    outcome=Outcome.PERMITTED,
    event="referral-read",
    actor=Actor("RXL", "hospital", "idva-0042", "idva"),
    recipients=(Recipient("RXL", "idva-team"), Recipient("RTX", "idva-team")),
    subjects=(f"{RECORD}.suspect-1", f"{RECORD}.victim-1", f"{RECORD}.child-1"),
    record=RECORD,
    case=CASE,
    agreement=AgreementRef("operation-provide", "1", "ab" * 32),
    clauses=("F2-referral",),
    items=Items(("risk.grade",), ("victim.birth",), ("suspect.name",)),
    purpose="safeguarding",
    reason="clause",
    mapping="cd" * 32,
    payload="ef" * 32,
    request="req-1",
    correlation="cor-1",
    detail={"token": "jti-1", "types": "Task,Patient", "version": 1},
)
VARIANTS: dict[str, Callable[[Entry], Entry]] = {
    "whole": lambda entry: entry,
    "of one person": lambda entry: entry._replace(subjects=(f"{RECORD}.victim-1",)),
    "of the suspect": lambda entry: entry._replace(subjects=(f"{RECORD}.suspect-1",)),
    "of nobody": lambda entry: entry._replace(subjects=(), record=None, case=None),
    "by a system": lambda entry: entry._replace(actor=Actor("RXL", "hospital")),
    "by the gateway": lambda entry: entry._replace(actor=GATEWAY, detail=None, request=None),
    "under no agreement": lambda entry: entry._replace(agreement=None, clauses=(), purpose=None, reason=None),
    "to nobody": lambda entry: entry._replace(recipients=()),
    "bare": lambda entry: Entry(entry.id, entry.time, entry.operation, entry.outcome, entry.event, GATEWAY),
}


@cache
def balp() -> Package:
    return Package(shared_data("fhir", "ihe_balp_compiled_json"))


def made(entry: Entry) -> dict[str, Any]:
    shape = shape_of(entry.event, entry.outcome)
    return audit_event("operation-provide.7", 7, bytes(32), entry, shape, SETTING)


def claimed(resource: dict[str, Any]) -> set[str]:
    return {one.removeprefix(BALP) for one in resource["meta"].get("profile", ())}


def faults(resource: dict[str, Any]) -> list[str]:
    return [
        f"{profile}: {fault}"
        for profile in resource["meta"].get("profile", ())
        for fault in balp().faults(resource, profile)
    ]


def operation(event: Event) -> Operation:
    return Operation.ADMINISTRATION if event.value.startswith(("token", "gateway", "client")) else Operation.DISCLOSURE


FIRST = {(SHAPES[event], operation(event)): event for event in reversed(Event)}
"""The first event of each shape, by what it does: others of the shape differ from it in their code alone."""


def variants(event: Event) -> list[str]:
    """Every variant for the first event of a shape; for the others whole, and one more, each in its turn."""
    if FIRST[SHAPES[event], operation(event)] is event:
        return list(VARIANTS)
    others = [name for name in VARIANTS if name != "whole"]
    return ["whole", others[list(Event).index(event) % len(others)]]


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("event", Event)
def test_every_event_is_as_the_profiles_it_claims_say(event: Event, outcome: Outcome) -> None:
    for name in variants(event):
        entry = VARIANTS[name](WHOLE._replace(event=event.value, outcome=outcome, operation=operation(event)))
        entry.to_bytes()
        resource = made(entry)
        AuditEvent.model_validate(resource)
        assert faults(resource) == [], f"{event} {outcome} {name}"


_NO_PROFILE = (ACTIVITY, LOGIN, LOGOUT)


def test_every_event_has_a_shape_and_claims_its_profile_where_it_was_permitted() -> None:
    assert SHAPES.keys() == set(Event)
    one = VARIANTS["of one person"](WHOLE)
    for event, shape in SHAPES.items():
        found = claimed(made(one._replace(event=event.value, operation=operation(event))))
        assert bool(found - {"IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive"}) == (shape not in _NO_PROFILE), event


@pytest.mark.parametrize(
    ("event", "outcome", "variant", "expected"),
    [
        ("referral-read", Outcome.PERMITTED, "whole", "PrivacyDisclosure.Source"),
        ("incident-accepted", Outcome.PERMITTED, "whole", "PrivacyDisclosure.Recipient"),
        ("referral-read", Outcome.DENIED, "of one person", "AuthZconsent"),
        ("referral-read", Outcome.DENIED, "whole", None),
        ("referral-read", Outcome.DENIED, "by a system", None),
        ("referral-changed", Outcome.PERMITTED, "whole", "PatientUpdate"),
        ("referral-changed", Outcome.FAILED, "whole", None),
        ("notice-sent", Outcome.PERMITTED, "whole", "PatientCreate"),
        ("notice-sent", Outcome.PERMITTED, "of nobody", "Create"),
        ("notice-read", Outcome.PERMITTED, "whole", "PatientRead"),
        ("notice-read", Outcome.PERMITTED, "of the suspect", "Read"),
        ("log-read", Outcome.PERMITTED, "of nobody", "Query"),
        ("subjects-matched", Outcome.PERMITTED, "whole", "PatientQuery"),
        ("record-erased", Outcome.PERMITTED, "by the gateway", "PatientDelete"),
    ],
)
def test_what_an_act_claims(event: str, outcome: Outcome, variant: str, expected: str | None) -> None:
    found = claimed(made(VARIANTS[variant](WHOLE._replace(event=event, outcome=outcome))))
    token = "IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive"
    assert found - {token} == ({f"IHE.BasicAudit.{expected}"} if expected else set())
    assert (token in found) == (variant != "by the gateway")


def test_a_sign_in_is_that_of_the_token_profile() -> None:
    entry = WHOLE._replace(event="token-issued", operation=Operation.ADMINISTRATION)
    assert claimed(made(entry)) == {"IHE.IUA.71", "IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive"}


@pytest.mark.parametrize(("outcome", "code"), [("permitted", "0"), ("denied", "4"), ("failed", "8")])
def test_outcomes(outcome: str, code: str) -> None:
    assert made(WHOLE._replace(outcome=Outcome(outcome)))["outcome"] == code


def test_the_suspect_is_never_a_patient_and_the_victim_and_children_are() -> None:
    whats = [one["what"] for one in made(WHOLE)["entity"] if "what" in one]
    assert [what["reference"] for what in whats if "reference" in what] == [
        f"Patient/{RECORD}.victim-1",
        f"Patient/{RECORD}.child-1",
        f"ServiceRequest/{CASE}",
    ]
    assert f"{RECORD}.suspect-1" in [what["identifier"]["value"] for what in whats if "identifier" in what]


def test_an_audit_event_says_where_it_is_sealed() -> None:
    sealed = {one["url"]: one for one in made(WHOLE)["extension"][0]["extension"]}
    assert sealed["log"]["valueString"] == SETTING.origin
    assert sealed["index"]["valueInteger"] == 7
    assert sealed["proof"]["valueUrl"].endswith("/audit/v1/logs/operation-provide/entries/7/proof")


def test_an_event_of_a_later_version_is_an_activity() -> None:
    assert shape_of("moon-observed", Outcome.PERMITTED) is ACTIVITY
    assert made(WHOLE._replace(event="moon-observed"))["outcome"] == "0"


@pytest.mark.parametrize("action", "CRUDE")
def test_what_is_looked_for_is_what_has_the_shape(action: str) -> None:
    """Against every event and outcome."""
    terms = having(lambda shape: shape.action == action)
    for event in Event:
        for outcome in Outcome:
            held = {("event", event.value), ("outcome", outcome.value)}
            found = all(held & set(term) for term in terms)
            assert found == (shape_of(event.value, outcome).action == action), (event, outcome)
    assert DECIDED.action == "E"


def test_the_package_s_own_examples_are_valid_and_every_alteration_is_found() -> None:
    """Of the reader that the other tests rely on."""
    for example in balp().examples:
        assert faults(example) == []
    resource = made(VARIANTS["of one person"](WHOLE))
    assert faults(resource) == []
    alterations: list[Callable[[Any], object]] = [
        lambda one: one.update(action="C"),
        lambda one: one.pop("outcome"),
        lambda one: one["type"].update(code="110107"),
        lambda one: one["subtype"].clear(),
        lambda one: one["agent"].pop(0),
        lambda one: one["agent"].append(one["agent"][0]),
        lambda one: one["agent"][0].pop("network"),
        lambda one: one["agent"][0]["who"].update(display="another"),
        lambda one: one["entity"][0]["what"].update(reference="Person/1"),
        lambda one: one["entity"].pop(0),
        lambda one: one["agent"][3].pop("policy"),
    ]
    for alter in alterations:
        altered = copy.deepcopy(resource)
        alter(altered)
        assert faults(altered), resource["meta"]


def test_the_reader_knows_closed_slices_and_required_bindings() -> None:
    denied = made(VARIANTS["of one person"](WHOLE._replace(outcome=Outcome.DENIED)))
    assert faults(denied) == []
    denied["entity"].append({"type": {"system": "urn:x", "code": "other"}})
    assert [one.rpartition(": ")[2] for one in faults(denied)] == ["in no slice"]
    changed = made(WHOLE._replace(event="referral-changed"))
    changed["subtype"][0]["code"] = "read"
    assert any("anyUpdate" in fault for fault in faults(changed))
