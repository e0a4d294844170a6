"""Explanations: they say what decided and nothing else, and each side is told no more than is its own."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.agreement import State, shipped
from gateway.decide import Effect, Facts, Outcome, decide_on, facts_of
from gateway.explain import explain, for_recipient, for_sender
from mappings.items import CATALOGUE
from tests.support.agreements import provide, signed
from tests.support.records import NOW, incident

KNOWN = facts_of(incident(), NOW).to_json()
ROAD = ("idva-team", "safeguarding")
ROADS = sorted({(to, flow.purpose) for flow in shipped().content.flows for to in flow.to})


def facts(**changes: Any) -> Facts:
    return Facts.from_json(KNOWN | {"items": sorted(CATALOGUE)} | changes)


FACTS = st.builds(
    facts,
    kind=st.sampled_from(["incident", "update", "status"]),
    source=st.sampled_from(["04", "RXL", "RTX", None]),
    area=st.sampled_from(["blackpool", "morecambe", "elsewhere", None]),
    grade=st.sampled_from(["standard", "medium", "high", None]),
    consent=st.sampled_from(["given", "refused", "withdrawn", "not-asked", None]),
    classification=st.sampled_from(["official-sensitive", "secret", None]),
    handling=st.sampled_from(["C", None]),
    children=st.booleans(),
    hours_since_event=st.sampled_from([0, 100_000, None]),
    age_band=st.sampled_from(["under-16", "25-34", None]),
    relationship=st.sampled_from(["assigned", "team", "declared", None]),
    break_glass=st.sampled_from(["life-at-risk", None]),
)


@settings(max_examples=300)
@given(known=FACTS, road=st.sampled_from(ROADS))
def test_an_explanation_is_the_decision_and_says_truly_what_was_looked_at(known: Facts, road: tuple[str, str]) -> None:
    found = explain(known, *road, provide(), NOW)
    decision = decide_on(known, *road, provide(), NOW)
    assert found.decision == decision
    applying = {one.id for one in found.clauses if one.met}
    assert set(decision.clauses) <= applying
    for one in (*found.clauses, *found.holds):
        assert one.met is not bool(one.unmet)
    if decision.reason.value == "hold":
        assert decision.verdicts[0].by in {one.id for one in found.holds if one.met}
    if decision.reason.value == "no-clause":
        assert applying == set()


@settings(max_examples=100)
@given(known=FACTS, road=st.sampled_from(ROADS))
def test_every_item_is_explained_in_words(known: Facts, road: tuple[str, str]) -> None:
    found = explain(known, *road, provide(), NOW)
    whole = found.whole()
    assert json.loads(json.dumps(whole)) == whole
    assert [one["item"] for one in whole["items"]] == list(known.items)
    assert all(one["words"] and one["by"] and one["title"] for one in whole["items"])
    assert all((one["method"] is None) == (one["effect"] != "generalised") for one in whole["items"])
    lines = "\n".join(found.in_words())
    for verdict in found.decision.verdicts:
        assert f"({verdict.item})" in lines
    for effect in Effect:
        count = sum(verdict.effect is effect for verdict in found.decision.verdicts)
        assert f"{effect.value}: {count}\n" in lines + "\n"


@settings(max_examples=100)
@given(known=FACTS, road=st.sampled_from(ROADS))
def test_the_recipient_learns_that_something_was_withheld_and_never_what(known: Facts, road: tuple[str, str]) -> None:
    """The answer is one of two, whatever was decided."""
    decision = decide_on(known, *road, provide(), NOW)
    told = for_recipient(decision)
    assert told["withheld"] is bool(decision.withheld or decision.generalised)
    assert told.keys() == {"withheld", "words"}
    assert not any(item in told["words"] for item in CATALOGUE)
    assert told["words"] in {"Nothing was withheld.", "Some information was withheld under the agreement."}


def test_the_sender_learns_what_was_withheld_by_which_clause_and_why() -> None:
    told = for_sender(decide_on(facts(), "idva-team", "safeguarding", provide(), NOW))
    intelligence = next(one for one in told["withheld"] if one["item"] == "police.intelligence")
    assert intelligence == {
        "item": "police.intelligence",
        "clause": "P5",
        "words": "Intelligence and covert activity stay with police.",
        "title": "intelligence",
    }
    (coarse,) = [one for one in told["generalised"] if one["item"] == "suspect.home_address"]
    assert coarse["words"] == "town and postcode district"
    assert coarse["title"] == "suspect: home address"


def test_a_clause_that_does_not_apply_says_why() -> None:
    found = explain(facts(consent="refused", grade="high", children=False), "idva-team", "safeguarding", provide(), NOW)
    assert found.decision.outcome is Outcome.HELD
    unmet = {one.id: one.unmet for one in found.clauses}
    assert any("consent of the victim is refused" in words for words in unmet["F1-referral"])
    assert any("risk grade is high" in words for words in unmet["F1-refused"])
    assert unmet["F1-emergency"] == ("it is for an emergency, and nobody has broken the glass",)
    broken = explain(facts(consent="refused", grade="high", break_glass="life-at-risk"), *ROAD, provide(), NOW)
    assert not any(one.met for one in broken.holds)
    assert [one.id for one in broken.clauses if one.met] == ["F1-emergency"]
    old = explain(facts(hours_since_event=24 * 900), "evaluation", "evaluation", provide(), NOW)
    assert any("the event was 900 days ago" in words for one in old.clauses for words in one.unmet)
    undated = explain(facts(hours_since_event=None), "evaluation", "evaluation", provide(), NOW)
    assert any("nobody dated the event" in words for one in undated.clauses for words in one.unmet)


def test_without_an_agreement_that_holds_the_explanation_says_so() -> None:
    none = explain(facts(), "idva-team", "safeguarding", None, NOW)
    assert next(none.in_words()) == "HELD: there is no agreement (no-agreement)"
    draft = explain(facts(), "idva-team", "safeguarding", signed(shipped(), State.DRAFT), NOW)
    assert next(draft.in_words()) == "HELD: the agreement is a draft (no-agreement)"
    assert draft.clauses
