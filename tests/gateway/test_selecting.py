"""Which resources of a referral an answer holds: what fits, and what a reference leads to, and nothing beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from adapters.nhs.fhir import Written, read_condition
from gateway.searching import Search
from gateway.selecting import selected

AT = datetime(2026, 4, 12, tzinfo=UTC)


def written(type_: str, id_: str, **content: Any) -> Written:
    body = orjson.dumps({"resourceType": type_, "id": id_, **content})
    return Written(type_, id_, 1, AT, body, f"urn:{type_}/{id_}")


def about(id_: str) -> dict[str, str]:
    return {"reference": f"Patient/{id_}"}


VICTIM, CHILD = written("Patient", "a.victim-1", gender="female"), written("Patient", "a.child-1", gender="male")
OF_VICTIM = written("RiskAssessment", "a.dash-1", subject=about("a.victim-1"))
OF_CHILD = written("RiskAssessment", "a.dash-2", subject=about("a.child-1"))
MASKED = written("RiskAssessment", "a.dash-3", subject={"extension": []})
REFERRAL = {"Patient": (VICTIM, CHILD), "RiskAssessment": (OF_VICTIM, OF_CHILD, MASKED)}


def ids(found: tuple[Written, ...]) -> list[str]:
    return [one.id for one in found]


def test_what_comes_along_is_what_the_matches_refer_to() -> None:
    types = ("RiskAssessment", "Patient")
    for match, included in (("a.dash-1", ["a.victim-1"]), ("a.dash-2", ["a.child-1"]), ("a.dash-3", [])):
        search = Search(types=types, ids=(match,), links=("RiskAssessment:subject",))
        matches, others = selected(REFERRAL, search)
        assert (ids(matches), ids(others)) == ([match], included)
    _, others = selected(REFERRAL, Search(types=types, links=("RiskAssessment:subject", "RiskAssessment:patient")))
    assert ids(others) == ["a.victim-1", "a.child-1"]


def test_what_comes_along_backwards_refers_to_a_match() -> None:
    types = ("Patient", "RiskAssessment")
    for match, included in (("a.victim-1", ["a.dash-1"]), ("a.child-1", ["a.dash-2"])):
        search = Search(types=types, ids=(match,), links=("RiskAssessment:subject",))
        matches, others = selected(REFERRAL, search)
        assert (ids(matches), ids(others)) == ([match], included)


def test_nothing_comes_along_where_nothing_fits() -> None:
    condition = read_condition("RiskAssessment", "subject", "a.nobody-1", "urn:base")
    assert condition is not None
    search = Search(types=("RiskAssessment", "Patient"), conditions=(condition,), links=("RiskAssessment:subject",))
    assert selected(REFERRAL, search) == ((), ())


def test_a_type_that_was_written_to_be_looked_at_is_not_given() -> None:
    assert selected(REFERRAL, Search(types=("RiskAssessment", "Patient"))) == (REFERRAL["RiskAssessment"], ())


def test_everything_is_given_in_its_order() -> None:
    found, others = selected(REFERRAL, Search(types=("Patient", "RiskAssessment"), whole=True))
    assert [one.type for one in found] == ["Patient", "Patient", *["RiskAssessment"] * 3]
    assert others == ()
