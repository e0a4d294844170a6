"""The visibility table of domain.md section 4.4, cell by cell, against the shipped agreement.

V is released, a method is generalised (`there`: that there is one), X is withheld. What police hold reaches a recipient
by other flows than what the NHS holds. The Trust's safeguarding lead is two columns, one for each trust. What the table
gives the emergency department from its own record does not pass here, and is X. The conference and children's services,
which the table does not have, stand at its right; PDS, which it does not have either, is given so little that it has
tests of its own.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from gateway.decide import Facts, decide_on, facts_of
from gateway.decision import Outcome
from gateway.store.traced import ASKED
from mappings.items import CATALOGUE
from mappings.record import Consent, ConsentState, Grade, Role
from tests.support.agreements import provide
from tests.support.records import NOW, incident

COLUMNS = {
    "oic": "police-officer",
    "ana": "police-analyst",
    "idva": "idva-team",
    "bth": "bth-safeguarding",
    "uhmb": "uhmb-safeguarding",
    "ed": "ed-clinician",
    "eval": "evaluation",
    "marac": "marac",
    "mash": "mash",
}
OTHERS = {
    "police-analyst": "oversight",
    "ed-clinician": "hospital-flag",
    "evaluation": "evaluation",
    "marac": "marac",
    "mash": "children",
}
POLICE_INPUT = OTHERS | {
    "police-officer": "own-record",
    "idva-team": "safeguarding",
    "bth-safeguarding": "hospital-safeguarding",
    "uhmb-safeguarding": "safeguarding",
}
NHS_INPUT = OTHERS | {
    "police-officer": "feedback",
    "idva-team": "own-record",
    "bth-safeguarding": "own-record",
    "uhmb-safeguarding": "own-record",
}
AREAS = {"uhmb-safeguarding": "lancaster", "mash": "lancaster"}


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
item                            | held by | oic   | ana   | idva     | bth    | uhmb   | ed    | eval  | marac | mash
# incident summary (sanitised), time, type
statement.summary               | police  | V     | V     | V        | V      | V      | X     | coded | V     | V
event.times                     | police  | V     | V     | V        | V      | V      | X     | coded | V     | V
event.type                      | police  | V     | V     | V        | V      | V      | X     | coded | V     | V
# DASH answers (victim)
risk.answers                    | police  | V     | count | V        | V      | V      | X     | count | V     | X
risk.grade                      | police  | V     | V     | V        | V      | V      | X     | V     | V     | V
risk.count                      | police  | V     | V     | V        | V      | V      | X     | V     | V     | V
risk.assessment                 | police  | V     | V     | V        | V      | V      | X     | V     | V     | V
# DEP, PREG (victim health): to police only where police collected them
risk.answers.victim_health      | police  | V     | X     | V        | V      | V      | X     | X     | X     | X
risk.answers.victim_health      | nhs     | X     | X     | V        | V      | V      | X     | X     | X     | X
# SUB, SUI, CRIM (suspect)
risk.answers.suspect_background | police  | V     | X     | yes-no   | yes-no | yes-no | X     | X     | X     | X
risk.answers.suspect_background | nhs     | X     | X     | yes-no   | yes-no | yes-no | X     | X     | X     | X
# suspect name, birth, description, bail conditions, officer safety
suspect.name                    | police  | V     | X     | V        | V      | V      | X     | X     | V     | V
suspect.birth                   | police  | V     | X     | V        | V      | V      | X     | X     | V     | V
suspect.description             | police  | V     | X     | V        | V      | V      | X     | X     | X     | X
orders                          | police  | V     | X     | V        | V      | V      | X     | X     | V     | X
police.safety_warnings          | police  | V     | X     | V        | V      | V      | X     | X     | X     | X
suspect.police_identifiers      | police  | V     | X     | X        | X      | X      | X     | X     | X     | X
# arrest, charge, release: needed to plan, as bail conditions are
police.custody                  | police  | V     | X     | V        | V      | V      | X     | X     | X     | X
# criteria for a conference: for those who support her, and the conference
marac.criteria                  | police  | V     | X     | V        | V      | V      | X     | X     | V     | X
# whether the school knows: for whoever works with the child
encompass.status                | police  | V     | X     | V        | V      | V      | X     | X     | X     | V
# that somebody is victim and suspect of one event; that there are attachments: the force's own
people.counter_allegation       | police  | V     | X     | X        | X      | X      | X     | X     | X     | X
event.attachments               | police  | V     | X     | X        | X      | X      | X     | X     | X     | X
# suspect address, workplace
suspect.home_address            | police  | V     | X     | locality | X      | X      | X     | X     | V     | X
suspect.other_address           | police  | V     | X     | locality | X      | X      | X     | X     | X     | X
suspect.work_address            | police  | V     | X     | locality | X      | X      | X     | X     | X     | X
suspect.safe_address            | police  | X     | X     | X        | X      | X      | X     | X     | X     | X
# victim home address
victim.home_address             | police  | V     | X     | V        | V      | V      | X     | lsoa  | V     | V
victim.home_address             | nhs     | X     | X     | V        | V      | V      | X     | lsoa  | X     | X
# victim safe address, refuge, new telephone
victim.safe_address             | police  | X     | X     | V        | there  | there  | X     | X     | X     | X
victim.safe_address             | nhs     | X     | X     | V        | there  | V      | X     | X     | X     | X
victim.contact                  | nhs     | X     | X     | V        | V      | V      | X     | X     | X     | X
# safe-contact instructions
victim.safe_contact             | police  | V     | X     | V        | V      | V      | X     | X     | V     | V
# reporter, third-party source
third_party.listed              | police  | count | X     | X        | X      | X      | X     | X     | X     | X
third_party.name                | police  | X     | X     | X        | X      | X      | X     | X     | X     | X
third_party.contact             | police  | X     | X     | X        | X      | X      | X     | X     | X     | X
third_party.home_address        | police  | X     | X     | X        | X      | X      | X     | X     | X     | X
statement.third_party           | police  | coded | X     | X        | X      | X      | X     | X     | X     | X
# children: names, school
child.listed                    | police  | V     | X     | V        | V      | V      | X     | count | V     | V
child.name                      | police  | V     | X     | V        | V      | V      | X     | X     | V     | V
child.school                    | police  | V     | X     | V        | V      | V      | X     | X     | V     | V
# NHS number, practice, diagnoses, medication, attendances
victim.nhs_number               | police  | X     | X     | V        | V      | V      | V     | X     | X     | X
victim.general_practice         | police  | X     | X     | V        | V      | V      | X     | X     | X     | X
victim.clinical                 | police  | X     | X     | V        | V      | V      | X     | X     | X     | X
victim.nhs_number               | nhs     | X     | X     | V        | V      | V      | V     | X     | X     | X
victim.general_practice         | nhs     | X     | X     | V        | V      | V      | X     | X     | X     | X
victim.clinical                 | nhs     | X     | X     | V        | V      | V      | X     | X     | X     | X
child.nhs_number                | nhs     | X     | X     | V        | V      | V      | X     | X     | X     | X
# engagement status
engagement.status               | nhs     | V     | count | V        | V      | V      | X     | coded | V     | X
engagement.wishes               | nhs     | V     | X     | V        | V      | V      | X     | coded | X     | X
# adviser's case notes, counselling
adviser.case_notes              | police  | X     | X     | V        | V      | V      | X     | X     | X     | X
adviser.case_notes              | nhs     | X     | X     | V        | V      | V      | X     | X     | X     | X
# safety plan content: to police that there is one
adviser.safety_plan             | nhs     | there | X     | V        | V      | V      | there | X     | there | X
adviser.safety_plan             | police  | there | X     | V        | V      | V      | X     | X     | X     | X
# MARAC minutes: each its own
marac.minutes                   | police  | V     | X     | X        | X      | X      | X     | X     | X     | X
marac.minutes                   | nhs     | X     | X     | V        | V      | V      | X     | X     | X     | X
# 3x5x2 intelligence, covert activity
police.intelligence             | police  | V     | X     | X        | X      | X      | X     | X     | X     | X
police.covert                   | police  | V     | X     | X        | X      | X      | X     | X     | X     | X
police.intelligence             | nhs     | X     | X     | X        | X      | X      | X     | X     | X     | X
police.covert                   | nhs     | X     | X     | X        | X      | X      | X     | X     | X     | X
"""


_AS_WRITTEN = {"released": "V", "withheld": "X", "existence": "there"}


def cells() -> list[tuple[str, str, str, str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.splitlines() if "|" in line]
    columns = [COLUMNS[name] for name in rows[0][2:]]
    return [
        (item, held, who, cell) for item, held, *found in rows[1:] for who, cell in zip(columns, found, strict=True)
    ]


@pytest.mark.parametrize(("item", "held", "recipient", "cell"), cells())
def test_a_cell_of_the_table(item: str, held: str, recipient: str, cell: str) -> None:
    police = held == "police"
    purpose = (POLICE_INPUT if police else NHS_INPUT)[recipient]
    kind, source = ("incident", "04") if police else ("status", "RTX" if recipient == "uhmb-safeguarding" else "RXL")
    known = facts(kind, source, area=AREAS.get(recipient, "blackpool"))
    decision = decide_on(known, recipient, purpose, provide(), NOW)
    assert decision.outcome is Outcome.PERMITTED
    verdict = next(v for v in decision.verdicts if v.item == item)
    assert _AS_WRITTEN.get(verdict.method or verdict.effect.value, verdict.method) == cell


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


CONSENTS = [None, *(state.value for state in ConsentState)]
GRADES = [None, *(grade.value for grade in Grade)]


def expected(consent: str | None, grade: str | None, *, children: bool, to_police: bool) -> str:
    """Domain.md section 4.6, in words: what becomes of a record at this consent and risk."""
    if consent not in {"refused", "withdrawn"}:
        return "full"
    if grade in {"high", None} or children:
        return "human"
    return "reduced" if consent == "refused" and not to_police else "nothing"


@pytest.mark.parametrize(
    ("recipient", "purpose", "source", "area", "guardian"),
    [
        ("idva-team", "safeguarding", "04", "blackpool", "trust-caldicott"),
        ("uhmb-safeguarding", "safeguarding", "04", "lancaster", "bay-caldicott"),
        ("police-officer", "feedback", "RXL", "blackpool", "trust-caldicott"),
        ("police-officer", "feedback", "RTX", "morecambe", "bay-caldicott"),
    ],
)
@pytest.mark.parametrize(("consent", "grade", "children"), list(product(CONSENTS, GRADES, [False, True])))
def test_consent_by_grade_by_children(
    recipient: str,
    purpose: str,
    source: str,
    area: str,
    guardian: str,
    consent: str | None,
    grade: str | None,
    *,
    children: bool,
) -> None:
    """The whole matrix of domain.md section 4.6; a withdrawal lets nothing go, at risk by a person's decision."""
    to_police = recipient == "police-officer"
    known = facts("status" if to_police else "incident", source, area=area)
    known = replace(known, consent=consent, grade=grade, children=children)
    decision = decide_on(known, recipient, purpose, provide(), NOW)
    said = expected(consent, grade, children=children, to_police=to_police)
    outcome = {"human": Outcome.HELD, "nothing": Outcome.REFUSED}.get(said, Outcome.PERMITTED)
    assert decision.outcome is outcome
    if said == "human":
        assert decision.owner == guardian
        assert decision.respond_by
    if outcome is not Outcome.PERMITTED:
        assert decision.released == decision.generalised == ()
    if said == "reduced":
        assert set(decision.released) == REDUCED
        assert decision.generalised == ()
    if said == "full":
        assert set(decision.released) > (REDUCED if not to_police else {"engagement.status"})


@pytest.mark.parametrize(
    "how", [{"suspect_present": True}, {"suspect_channel": True}, {"suspect_present": True, "suspect_channel": True}]
)
def test_consent_that_the_suspect_could_hear_or_read_is_none(how: dict[str, bool]) -> None:
    """Given in his presence, or through his telephone: as if nobody had asked her, so her wishes stay with her."""
    said = Consent(ref="c-1", state=ConsentState.GIVEN, subject="victim-1", **how)
    record = incident().model_copy(update={"consents": (said,)})
    assert facts_of(record, NOW).consent == "not-asked"
    refused = said.model_copy(update={"state": ConsentState.REFUSED})
    assert facts_of(record.model_copy(update={"consents": (refused,)}), NOW).consent == "refused"


@pytest.mark.parametrize("consent", CONSENTS)
def test_a_child_is_told_of_whatever_the_adults_said(consent: str | None) -> None:
    known = replace(facts(area="lancaster"), consent=consent)
    assert "child.name" in decide_on(known, "mash", "children", provide(), NOW).released
    assert not decide_on(replace(known, children=False), "mash", "children", provide(), NOW).released


def test_the_conference_sees_high_risk_alone() -> None:
    decisions = {grade: decide_on(replace(facts(), grade=grade), "marac", "marac", provide(), NOW) for grade in GRADES}
    assert {grade for grade, decision in decisions.items() if decision.released} == {"high"}


def test_patients_of_lancaster_and_morecambe_are_told_to_their_own_trust_alone() -> None:
    for area in ("blackpool", "fylde", "wyre", "lancaster", "morecambe"):
        ours = decide_on(facts(area=area), "uhmb-safeguarding", "safeguarding", provide(), NOW)
        theirs = decide_on(facts(area=area), "bth-safeguarding", "hospital-safeguarding", provide(), NOW)
        assert (ours.outcome is Outcome.PERMITTED) is (area in {"lancaster", "morecambe"})
        assert (theirs.outcome is Outcome.PERMITTED) is (area not in {"lancaster", "morecambe"})


@pytest.mark.parametrize(
    ("recipient", "purpose", "source"),
    [
        ("uhmb-safeguarding", "own-record", "RXL"),
        ("idva-team", "own-record", "RTX"),
        ("bth-safeguarding", "own-record", "RTX"),
    ],
)
def test_the_two_trusts_are_separate_controllers(recipient: str, purpose: str, source: str) -> None:
    """What one of them recorded is not the other's own."""
    decision = decide_on(facts("status", source, area="lancaster"), recipient, purpose, provide(), NOW)
    assert decision.outcome is Outcome.DENIED


@pytest.mark.parametrize(("role", "clause"), [(Role.VICTIM, "F1-PDS-question"), (Role.CHILD, "F1-PDS-child")])
def test_pds_is_told_who_somebody_is_and_nothing_else(role: Role, clause: str) -> None:
    """Of everything there can be: the name, the date of birth, and where about they live; of one person at a time."""
    decision = decide_on(facts(), "pds", "tracing", provide(), NOW)
    assert decision.outcome is Outcome.PERMITTED
    assert {one.partition(".")[0] for one in (*decision.released, *decision.generalised)} == {"victim", "child"}
    asked = decision.narrow(ASKED[role])
    assert set(asked.released) == {f"{role}.listed", f"{role}.name", f"{role}.birth"}
    assert {v.item: v.method for v in asked.verdicts if v.method} == {f"{role}.home_address": "locality"}
    assert asked.clauses == (clause,)
    alone = decide_on(replace(facts(), children=False), "pds", "tracing", provide(), NOW)
    assert set(alone.ruling.methods) == ASKED[Role.VICTIM]


@pytest.mark.parametrize("state", [*(state.value for state in ConsentState), None])
def test_pds_is_not_asked_about_whoever_refused_or_withdrew(state: str | None) -> None:
    decision = decide_on(replace(facts(), consent=state), "pds", "tracing", provide(), NOW)
    assert (decision.outcome is Outcome.PERMITTED) is (state not in {"refused", "withdrawn"})


def test_pds_is_asked_about_nobody_by_a_broken_glass_or_a_retraction() -> None:
    for known in (replace(facts(), break_glass="life-or-limb"), facts("retraction")):
        assert decide_on(known, "pds", "tracing", provide(), NOW).outcome is not Outcome.PERMITTED


@pytest.mark.parametrize("consent", [None, "not-asked", "lacks-capacity", "under-16-gillick", "overridden"])
def test_what_she_wishes_goes_to_police_with_her_consent_alone(consent: str | None) -> None:
    decision = decide_on(facts("status", "RXL", consent=consent), "police-officer", "feedback", provide(), NOW)
    assert "engagement.status" in decision.released
    assert "engagement.wishes" in decision.withheld
