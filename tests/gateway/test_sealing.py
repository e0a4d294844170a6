"""What was decided is decided once more at the instant of sealing; what comes out otherwise is begun again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.agreement import State, Terms, shipped
from gateway.decide import Facts, Outcome, decide_on, facts_of
from gateway.sealing import decided_again
from gateway.store.batch import DecideAgain
from mappings.record import Classification
from tests.support.agreements import edited, provide, signed
from tests.support.records import NOW, incident

FACTS = facts_of(incident(), NOW)
AFTER = datetime(2029, 1, 1, tzinfo=UTC)  # the first instant at which the shipped agreement has expired
MADE = decide_on(FACTS, "idva-team", "safeguarding", provide(), NOW)


def without_her_name() -> Terms:
    """Terms of an agreement in which no clause releases the victim's name."""

    def change(content: dict[str, Any]) -> None:
        for one in content["clauses"]:
            if "victim.name" in one.get("release", ()):
                one["release"].remove("victim.name")
                one["release"] = one["release"] or ["victim.listed"]

    return signed(edited(change))


def test_what_comes_out_the_same_is_the_decision_at_that_instant() -> None:
    assert MADE.outcome is Outcome.PERMITTED
    assert decided_again(FACTS, MADE, provide(), NOW) == MADE


def test_what_was_narrowed_is_compared_as_it_was_narrowed() -> None:
    few = frozenset({"victim.name"})
    assert decided_again(FACTS, MADE.narrow(few), provide(), NOW, few) == MADE.narrow(few)
    with pytest.raises(DecideAgain):
        decided_again(FACTS, MADE.narrow(few), provide(), NOW)


@pytest.mark.parametrize(
    ("facts", "terms", "at"),
    [
        (FACTS, signed(shipped(), State.SUSPENDED), NOW),
        (FACTS, None, NOW),
        (FACTS, provide(), AFTER),
        (FACTS, without_her_name(), NOW),
        (replace(FACTS, relationship="declared"), provide(), NOW),
        (replace(FACTS, classification=Classification.SECRET.value), provide(), NOW),
    ],
    ids=["suspended", "no-agreement", "expired", "released-less", "connected", "secret"],
)
def test_what_comes_out_otherwise_is_begun_again(facts: Facts, terms: Terms | None, at: datetime) -> None:
    with pytest.raises(DecideAgain):
        decided_again(facts, MADE, terms, at)
