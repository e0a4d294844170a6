"""The visibility table of domain.md section 4.4, cell by cell, against the shipped agreement.

V is released, a method is generalised, X is withheld. A column may have more than one source: what police hold reaches
a recipient by other flows than what the advisers hold.
"""

from __future__ import annotations

import pytest

from gateway.decide import Facts, decide_on
from gateway.decision import Outcome
from mappings.items import CATALOGUE
from tests.support.agreements import provide
from tests.support.records import NOW

POLICE_INPUT = {"police-officer": "own-record", "idva-team": "safeguarding", "evaluation": "evaluation"}
NHS_INPUT = {"police-officer": "feedback", "idva-team": "own-record", "evaluation": "evaluation"}


def facts(kind: str = "incident", source: str = "04", **changes: object) -> Facts:
    known: dict[str, object] = {
        "kind": kind,
        "source": source,
        "area": "blackpool",
        "grade": "high",
        "consent": "given",
        "classification": None,
        "handling": None,
        "information_grade": None,
        "children": True,
        "hours_since_event": 2,
        "items": sorted(CATALOGUE),
    }
    return Facts.from_json(known | changes)


TABLE = """
item                            | held by | police-officer | idva-team | evaluation
# incident summary (sanitised), time, type
statement.summary               | police  | V              | V         | coded
event.times                     | police  | V              | V         | coded
event.type                      | police  | V              | V         | coded
# DASH answers (victim)
risk.answers                    | police  | V              | V         | count
risk.grade                      | police  | V              | V         | V
risk.count                      | police  | V              | V         | V
risk.assessment                 | police  | V              | V         | V
# DEP, PREG (victim health): to police only where police collected them
risk.answers.victim_health      | police  | V              | V         | X
risk.answers.victim_health      | nhs     | X              | V         | X
# SUB, SUI, CRIM (suspect)
risk.answers.suspect_background | police  | V              | yes-no    | X
risk.answers.suspect_background | nhs     | X              | yes-no    | X
# suspect name, birth, description, bail conditions, officer safety
suspect.name                    | police  | V              | V         | X
suspect.birth                   | police  | V              | V         | X
suspect.description             | police  | V              | V         | X
orders                          | police  | V              | V         | X
police.safety_warnings          | police  | V              | V         | X
suspect.police_identifiers      | police  | V              | X         | X
# suspect address, workplace
suspect.home_address            | police  | V              | locality  | X
suspect.other_address           | police  | V              | locality  | X
suspect.work_address            | police  | V              | locality  | X
suspect.safe_address            | police  | X              | X         | X
# victim home address
victim.home_address             | police  | V              | V         | lsoa
victim.home_address             | nhs     | X              | V         | lsoa
# victim safe address, refuge, new telephone
victim.safe_address             | police  | X              | V         | X
victim.safe_address             | nhs     | X              | V         | X
victim.contact                  | nhs     | X              | V         | X
# safe-contact instructions
victim.safe_contact             | police  | V              | V         | X
# reporter, third-party source
third_party.listed              | police  | count          | X         | X
third_party.name                | police  | X              | X         | X
third_party.contact             | police  | X              | X         | X
third_party.home_address        | police  | X              | X         | X
statement.third_party           | police  | coded          | X         | X
# children: names, school
child.listed                    | police  | V              | V         | count
child.name                      | police  | V              | V         | X
child.school                    | police  | V              | V         | X
# NHS number, practice, diagnoses, medication, attendances
victim.nhs_number               | police  | X              | V         | X
victim.general_practice         | police  | X              | V         | X
victim.clinical                 | police  | X              | V         | X
victim.nhs_number               | nhs     | X              | V         | X
victim.general_practice         | nhs     | X              | V         | X
victim.clinical                 | nhs     | X              | V         | X
child.nhs_number                | nhs     | X              | V         | X
# engagement status
engagement.status               | nhs     | V              | V         | coded
engagement.wishes               | nhs     | V              | V         | coded
# adviser's case notes, counselling
adviser.case_notes              | police  | X              | V         | X
adviser.case_notes              | nhs     | X              | V         | X
# safety plan content: to police that there is one
adviser.safety_plan             | nhs     | existence      | V         | X
adviser.safety_plan             | police  | existence      | V         | X
# MARAC minutes: each its own
marac.minutes                   | police  | V              | X         | X
marac.minutes                   | nhs     | X              | V         | X
# 3x5x2 intelligence, covert activity
police.intelligence             | police  | V              | X         | X
police.covert                   | police  | V              | X         | X
police.intelligence             | nhs     | X              | X         | X
police.covert                   | nhs     | X              | X         | X
"""


def cells() -> list[tuple[str, str, str, str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.splitlines() if "|" in line]
    columns = rows[0][2:]
    return [
        (item, held, who, cell) for item, held, *found in rows[1:] for who, cell in zip(columns, found, strict=True)
    ]


@pytest.mark.parametrize(("item", "held", "recipient", "cell"), cells())
def test_a_cell_of_the_table(item: str, held: str, recipient: str, cell: str) -> None:
    police = held == "police"
    purpose = (POLICE_INPUT if police else NHS_INPUT)[recipient]
    known = facts("incident", "04") if police else facts("status", "RXL")
    decision = decide_on(known, recipient, purpose, provide(), NOW)
    assert decision.outcome is Outcome.PERMITTED
    verdict = next(v for v in decision.verdicts if v.item == item)
    assert {"released": "V", "withheld": "X"}.get(verdict.effect.value, verdict.method) == cell


REDUCED = {
    "event.kind",
    "event.references",
    "event.times",
    "event.area",
    "event.type",
    "risk.assessment",
    "risk.grade",
    "risk.count",
    "victim.listed",
    "victim.name",
    "victim.contact",
    "victim.safe_contact",
}


@pytest.mark.parametrize("grade", ["standard", "medium"])
def test_a_refusal_below_high_risk_without_children_leaves_the_reduced_set(grade: str) -> None:
    """Domain.md section 4.6: name, safe contact, offence type, risk grade, and what is needed to file them."""
    known = facts(consent="refused", grade=grade, children=False)
    decision = decide_on(known, "idva-team", "safeguarding", provide(), NOW)
    assert decision.outcome is Outcome.PERMITTED
    assert set(decision.released) == REDUCED
    assert decision.generalised == ()


@pytest.mark.parametrize(("recipient", "purpose"), [("idva-team", "safeguarding"), ("police-officer", "feedback")])
@pytest.mark.parametrize("consent", ["refused", "withdrawn"])
@pytest.mark.parametrize(
    ("grade", "children", "outcome"),
    [
        ("high", False, Outcome.HELD),
        ("high", True, Outcome.HELD),
        (None, False, Outcome.HELD),
        ("medium", True, Outcome.HELD),
        ("standard", True, Outcome.HELD),
        ("medium", False, None),
        ("standard", False, None),
    ],
)
def test_a_refusal_at_risk_is_decided_by_a_person(
    recipient: str, purpose: str, consent: str, grade: str | None, *, children: bool, outcome: Outcome | None
) -> None:
    """Nothing goes, and the Caldicott Guardian decides; below that, feedback stops and a withdrawal stops all."""
    to_police = recipient == "police-officer"
    kind, source = ("status", "RXL") if to_police else ("incident", "04")
    known = facts(kind, source, consent=consent, grade=grade, children=children)
    decision = decide_on(known, recipient, purpose, provide(), NOW)
    reduced = consent == "refused" and not to_police
    assert decision.outcome is (outcome or (Outcome.PERMITTED if reduced else Outcome.REFUSED))
    if outcome is Outcome.HELD:
        assert decision.released == decision.generalised == ()
        assert decision.owner == "trust-caldicott"
        assert decision.respond_by


@pytest.mark.parametrize("consent", [None, "not-asked", "lacks-capacity", "under-16-gillick", "overridden"])
def test_what_she_wishes_goes_to_police_with_her_consent_alone(consent: str | None) -> None:
    decision = decide_on(facts("status", "RXL", consent=consent), "police-officer", "feedback", provide(), NOW)
    assert "engagement.status" in decision.released
    assert "engagement.wishes" in decision.withheld
