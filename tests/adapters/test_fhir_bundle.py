"""Bundles, outcomes and the CapabilityStatement: the envelopes around what is disclosed."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.nhs import fhir
from adapters.nhs.fhir.models import model
from tests.adapters.fhir_support import BASE, full_record, nodes, referral
from tests.support.shared import shared_data

RECEIPT = fhir.Receipt("gateway.example/log/1", 41, "AAAA", ("AQID", "BAUG"))
NOTE = "gateway.example/log/1\n42\nAAAA\n\n- gateway.example BBBB\n"


def test_a_searchset_holds_the_very_bytes_that_were_written() -> None:
    """What was hashed and sealed is what leaves: a resource is never written anew."""
    tasks = fhir.write("Task", full_record(), referral(), BASE)
    requests = fhir.write("ServiceRequest", full_record(), referral(), BASE)
    body = fhir.bundle(
        tasks,
        included=requests,
        total=7,
        self_link=f"{BASE}/Task",
        next_link=f"{BASE}/Task?page=2",
        receipts=[RECEIPT],
        checkpoint=NOTE,
    )
    assert tasks[0].body in body
    assert requests[0].body in body
    whole = json.loads(body)
    model("Bundle").model_validate(whole)
    assert (whole["type"], whole["total"]) == ("searchset", 7)
    assert [link["relation"] for link in whole["link"]] == ["self", "next"]
    assert [(e["fullUrl"], e["search"]["mode"]) for e in whole["entry"]] == [
        (tasks[0].url, "match"),
        (requests[0].url, "include"),
    ]


def test_a_match_carries_its_receipt_and_the_bundle_the_checkpoint_once() -> None:
    tasks = fhir.write("Task", full_record(), referral(), BASE)
    whole = json.loads(fhir.bundle(tasks, total=1, receipts=[RECEIPT], checkpoint=NOTE))
    (receipt,) = whole["entry"][0]["search"]["extension"]
    assert receipt["url"] == f"{fhir.CANONICAL}/StructureDefinition/receipt"
    assert [tuple(part.values()) for part in receipt["extension"]] == [
        ("log", RECEIPT.log),
        ("index", 41),
        ("leafHash", "AAAA"),
        ("hash", "AQID"),
        ("hash", "BAUG"),
    ]
    assert [path for path, value in nodes(whole) if value == NOTE] == [".meta.extension[1].valueString"]


def test_an_empty_answer_is_labelled_like_any_other() -> None:
    """P8: no label tells whether anything was found."""
    whole = json.loads(fhir.bundle((), total=0, self_link=f"{BASE}/Task"))
    model("Bundle").model_validate(whole)
    assert "entry" not in whole
    found = json.loads(fhir.bundle(fhir.write("Task", full_record(), referral(), BASE), total=1))
    assert whole["meta"] == found["meta"]


def test_a_collection_has_no_search_and_no_total() -> None:
    """R4 invariants bdl-1 and bdl-2."""
    flags = fhir.write("Flag", full_record(), referral(), BASE)
    whole = json.loads(fhir.bundle(flags, kind="collection", total=1, receipts=[RECEIPT]))
    model("Bundle").model_validate(whole)
    assert "total" not in whole
    assert "search" not in whole["entry"][0]
    assert whole["entry"][0]["extension"][0]["url"].endswith("/receipt")


def test_receipts_go_with_matches_one_for_one() -> None:
    with pytest.raises(ValueError, match="2 receipts for 1 entries"):
        fhir.bundle(fhir.write("Flag", full_record(), referral(), BASE), receipts=[RECEIPT, RECEIPT])


@given(
    severity=st.sampled_from(["fatal", "error", "warning", "information"]),
    words=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
    expression=st.none() | st.just("Task.input[0]"),
)
@settings(deadline=None, max_examples=30)
def test_an_outcome_says_what_where_and_why(severity: str, words: str, expression: str | None) -> None:
    issue = fhir.Issue(severity, "invalid", words, expression)  # type: ignore[arg-type]  # drawn from its literals
    whole = json.loads(fhir.operation_outcome([issue]))
    model("OperationOutcome").model_validate(whole)
    (found,) = whole["issue"]
    assert (found["severity"], found["diagnostics"]) == (severity, words)
    assert found.get("expression", [None]) == [expression]


def test_the_capability_statement_declares_exactly_what_is_served() -> None:
    body = fhir.capability_statement(
        base_url=BASE, version="0.1.0", date=date(2026, 4, 1), token_url="https://gateway.example/token"
    )
    whole = json.loads(body)
    model("CapabilityStatement").model_validate(whole)
    assert (whole["kind"], whole["fhirVersion"]) == ("instance", "4.0.1")
    (rest,) = whole["rest"]
    declared = {r["type"]: {p["name"]: p["type"] for p in r.get("searchParam", ())} for r in rest["resource"]}
    assert declared.pop("AuditEvent") == dict(fhir.AUDIT_EVENT)
    assert declared.pop("Questionnaire") == dict(fhir.QUESTIONNAIRE_SEARCH)
    others = {one["type"]: one for one in rest["resource"] if one["type"] not in fhir.SEARCH}
    for type_ in ("AuditEvent", "Questionnaire"):  # what is read from the log, and what is the same for everybody
        assert [one["code"] for one in others[type_]["interaction"]] == ["read", "search-type"]
    declared.pop("Subscription")
    assert declared == {
        type_: {name: one.kind for name, one in found.items()} | dict.fromkeys(fhir.chains(type_), "token")
        for type_, found in fhir.SEARCH.items()
    }
    assert set(declared) == set(fhir.TYPES)
    for resource in (one for one in rest["resource"] if one["type"] in fhir.SEARCH):
        changeable = resource["type"] == "Task"
        assert ({"code": "update"} in resource["interaction"]) == changeable
        assert resource["versioning"] == ("versioned-update" if changeable else "versioned")
        assert tuple(resource.get("searchInclude", ())) == fhir.INCLUDES[resource["type"]]
        assert tuple(resource.get("searchRevInclude", ())) == fhir.REVINCLUDES[resource["type"]]
    assert "https://gateway.example/token" in body.decode()


def test_every_search_parameter_is_one_that_r4_defines_with_that_kind() -> None:
    """For the types of which the published set holds the parameters."""
    defined: dict[str, dict[str, str]] = {}
    covered = {"Task", "ServiceRequest", "Consent", "Flag", "AuditEvent"}
    for file in shared_data("fhir", "r4_search_params").rglob("*.json"):
        found = json.loads(file.read_bytes())
        for type_ in found.get("base", ()):
            defined.setdefault(type_, {})[found["code"]] = found["type"]
    ours = {type_: {name: one.kind for name, one in found.items()} for type_, found in fhir.SEARCH.items()}
    for type_, parameters in {**ours, "AuditEvent": fhir.AUDIT_EVENT}.items():
        own = {name: kind for name, kind in parameters.items() if not name.startswith("_")}
        known = defined.get(type_, {})
        assert type_ not in covered or own.keys() <= known.keys()
        assert {name: known.get(name, kind) for name, kind in own.items()} == own
        for include in fhir.INCLUDES.get(type_, ()):
            source, _, name = include.partition(":")
            assert (source, known.get(name, "reference")) == (type_, "reference")
            assert type_ not in covered or name in known
