"""Claims: read strictly into a person, refused by the claim's name and never its value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.signin.claims import ClaimNames, ClaimsRefused, Person, Role, person_of
from tests.support.console import ADVISER, AUDITOR, OPERATOR, PEOPLE

NAMES = ClaimNames()
GOOD: dict[str, Any] = {
    "sub": "f3b1",
    "name": "Rosalind Featherstone",
    "staff_id": "idva-0042",
    "organisation": "RXL",
    "team": "idva-team",
    "agreement": "operation-provide",
    "roles": ["adviser", "some-other-system-s"],
    "areas": ["blackpool", "wyre"],
}


def test_claims_become_a_person_and_the_person_a_caller() -> None:
    person = person_of(GOOD, NAMES)
    assert person == Person(
        "idva-0042",
        "Rosalind Featherstone",
        "RXL",
        "idva-team",
        "operation-provide",
        (Role.ADVISER,),
        ("blackpool", "wyre"),
    )
    caller = person.caller("request-1", "correlation-1")
    assert (caller.client, caller.user, caller.role) == ("console", "idva-0042", "idva")
    assert (caller.organisation, caller.recipient) == ("RXL", "idva-team")
    assert caller.agreements == {"operation-provide"}
    assert caller.scopes == {"health:referral.read", "health:referral.write", "health:information.answer"}
    assert (caller.request, caller.correlation) == ("request-1", "correlation-1")


@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
def test_a_person_comes_out_of_a_session_as_they_went_in(person: Person) -> None:
    assert Person.from_json(person.to_json()) == person


def test_nobody_s_powers_reach_beyond_their_agreement() -> None:
    for person in PEOPLE.values():
        caller = person.caller(None)
        assert caller.agreements == ({"operator"} if person is OPERATOR else {"operation-provide"})
    assert AUDITOR.caller(None).scopes == {"audit:log.read", "audit:pack.export", "agreement:read"}
    assert OPERATOR.caller(None).scopes == frozenset()


@pytest.mark.parametrize(
    ("change", "claim", "reason"),
    [
        ({"staff_id": None}, "staff", "claim-missing"),
        ({"staff_id": 42}, "staff", "claim-malformed"),
        ({"staff_id": "a\nb"}, "staff", "claim-malformed"),
        ({"staff_id": "x" * 65}, "staff", "claim-malformed"),
        ({"organisation": ""}, "organisation", "claim-missing"),
        ({"organisation": "RXL "}, "organisation", "claim-malformed"),
        ({"organisation": "operator"}, "organisation", "operator-elsewhere"),
        ({"team": None}, "team", "team-missing"),
        ({"team": ["idva-team"]}, "team", "claim-malformed"),
        ({"team": "../idva-team"}, "team", "claim-malformed"),
        ({"agreement": None}, "agreement", "agreement-missing"),
        ({"roles": None}, "roles", "role-missing"),
        ({"roles": ["consultant"]}, "roles", "role-missing"),
        ({"roles": {"adviser": True}}, "roles", "claim-malformed"),
        ({"roles": ["adviser", 7]}, "roles", "claim-malformed"),
        ({"roles": ["adviser"] * 201}, "roles", "claim-malformed"),
        ({"roles": ["adviser", "auditor"]}, "roles", "roles-together"),
        ({"roles": ["adviser", "operator"]}, "roles", "roles-together"),
        ({"roles": ["officer", "guardian"]}, "roles", "roles-together"),
        ({"roles": ["operator"]}, "organisation", "operator-elsewhere"),
        ({"areas": "all of them, please <script>"}, "areas", "claim-malformed"),
    ],
)
def test_what_cannot_work_here_is_refused_by_the_claim_s_name(change: dict[str, Any], claim: str, reason: str) -> None:
    with pytest.raises(ClaimsRefused) as refused:
        person_of(GOOD | change, NAMES)
    assert (refused.value.claim, refused.value.reason) == (claim, reason)
    assert "<script>" not in str(refused.value)


def test_a_provider_may_call_everything_otherwise() -> None:
    names = ClaimNames(
        staff="sub",
        organisation="realm.ods",
        team="https://trust.example/team",
        roles="resource_access.gateway.roles",
        role_words={"R8000": "adviser", "R8001": "guardian"},
        agreement_of_all="operation-provide",
    )
    person = person_of(
        {
            "sub": "idva-0042",
            "realm": {"ods": "RXL"},
            "https://trust.example/team": "idva-team",
            "resource_access": {"gateway": {"roles": ["R8000", "adviser", "R9"]}},
        },
        names,
    )
    assert (person.id, person.name, person.roles) == ("idva-0042", "idva-0042", (Role.ADVISER,))
    assert person.agreement == "operation-provide"
    with pytest.raises(ClaimsRefused):  # our own word is nobody's where the provider has words of its own
        person_of({**GOOD, "roles": ["adviser"]}, ClaimNames(role_words={"R8000": "adviser"}))


def test_an_operator_is_of_no_team_and_a_default_agreement_is_not_for_them() -> None:
    claims = {"staff_id": "operator-1", "organisation": "operator", "roles": "operator"}
    assert person_of(claims, ClaimNames(agreement_of_all="operation-provide")).agreement is None
    with pytest.raises(ClaimsRefused):
        person_of({**claims, "team": "idva-team"}, NAMES)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.fixed_dictionaries({}, optional={name: _JSON | st.just(GOOD[name]) for name in GOOD}))
def test_any_claims_make_a_person_who_fits_or_are_refused(claims: dict[str, Any]) -> None:
    try:
        person = person_of(claims, NAMES)
    except ClaimsRefused:
        return
    assert person.roles
    assert person.id.isascii()
    assert person.name.isprintable()
    assert person.organisation == ADVISER.organisation or person.organisation.isascii()
    assert Person.from_json(person.to_json()) == person
