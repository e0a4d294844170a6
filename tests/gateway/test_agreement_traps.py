"""The traps of the law (domain.md sections 3.1, 3.4 to 3.6): each from the shipped agreement by the least change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.agreement_check import check
from tests.support.agreements import clause, edited

Change = Callable[[dict[str, Any]], object]


def flow(content: dict[str, Any], id_: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in content["flows"] if one["id"] == id_)
    return found


def basis(content: dict[str, Any], id_: str) -> dict[str, Any]:
    found: dict[str, Any] = flow(content, id_)["lawful_basis"]
    return found


def power(id_: str, name: str) -> Change:
    return lambda content: basis(content, id_)["powers"].append(name)


def stated(id_: str, **about: Any) -> Change:
    return lambda content: basis(content, id_).update(about)


def confidence(id_: str, **about: Any) -> Change:
    return lambda content: flow(content, id_)["confidentiality"].update(about)


def request(id_: str, kind: str, name: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        flow(content, id_)["request"] = {"kind": kind, "words": "in writing"}
        basis(content, id_)["powers"].append(name)

    return change


def research(
    *, applied: bool, item: str = "victim.birth", bases: tuple[str, ...] = ("overriding-public-interest",)
) -> Change:
    """The evaluation is given a birth date, say, which the shipped agreement prohibits as well."""

    def change(content: dict[str, Any]) -> None:
        clause(content, "F6-extract")["release"].append(item)
        flow(content, "F6")["national_data_opt_out"]["applied"] = applied
        flow(content, "F6")["confidentiality"]["bases"] = list(bases)

    return change


def asked_for(party: str) -> Change:
    """PDS is asked for another party than the trust."""
    return lambda content: next(one for one in content["recipients"] if one["id"] == "pds").update(party=party)


@pytest.mark.parametrize(
    ("code", "where", "change"),
    [
        # Article 6: consent answers confidentiality, and legitimate interests are closed to public authorities
        ("consent-as-lawful-basis", "flows F2", stated("F2", article_6=["6(1)(a)"])),
        ("consent-as-lawful-basis", "flows F2", stated("F2", article_6=["6(1)(e)", "6(1)(a)"])),
        ("no-contract", "flows F1", stated("F1", article_6=["6(1)(b)"])),
        ("basis-closed-to-authorities", "flows F1", stated("F1", article_6=["6(1)(ea)"])),
        ("basis-closed-to-authorities", "flows F1", stated("F1", article_6=["6(1)(f)"])),
        ("consent-as-special-category-basis", "flows F2", stated("F2", article_9=["9(2)(a)", "9(2)(g)", "9(2)(h)"])),
        # Part 3 of the DPA 2018 is for competent authorities, and for them alone
        ("part-3-not-open", "flows F2", stated("F2", discloser_regime="dpa-part-3")),
        ("part-3-not-open", "flows F1", stated("F1", recipient_regime="dpa-part-3")),
        ("part-3-not-open", "flows F5-POLICE", stated("F5-POLICE", recipient_regime="dpa-part-3")),
        ("part-3-not-open", "flows F6", stated("F6", discloser_regime="dpa-part-3")),
        ("police-without-part-3", "flows F1", stated("F1", discloser_regime="uk-gdpr")),
        ("police-without-part-3", "flows F2", stated("F2", recipient_regime="uk-gdpr")),
        ("sensitive-without-schedule-8", "flows F1", lambda c: basis(c, "F1").pop("schedule_8")),
        ("schedule-8-without-part-3", "flows F9", stated("F9", schedule_8=[4])),
        # Schedule 1: a condition carries its own point of Article 9 and no other
        ("condition-cannot-carry", "flows F1", stated("F1", schedule_1=[2, 4, 18])),
        ("condition-cannot-carry", "flows F1", stated("F1", schedule_1=[2, 5, 18])),
        ("condition-cannot-carry", "flows F2", stated("F2", schedule_1=[2, 18, 36])),
        ("condition-cannot-carry", "flows F6", stated("F6", schedule_1=[4, 18])),
        ("condition-missing", "flows F1", stated("F1", schedule_1=[6, 18])),
        ("condition-missing", "flows F1", stated("F1", schedule_1=[2])),
        ("condition-missing", "flows F6", stated("F6", article_9=["9(2)(g)", "9(2)(j)"])),
        # Offence data, allegations included
        ("offence-data-without-article-10", "flows F1", lambda c: basis(c, "F1").pop("article_10")),
        ("offence-data-without-article-10", "flows F1", stated("F1", article_10="because")),
        ("offence-data-without-article-10", "flows F3", lambda c: basis(c, "F3").pop("article_10")),
        # Powers that carry less than they seem to
        ("power-cannot-carry", "flows F2", power("F2", "pcsc-2022-s16")),
        ("power-cannot-carry", "flows F3", power("F3", "pcsc-2022-s16")),
        ("power-cannot-carry", "flows F5-NHS", power("F5-NHS", "pcsc-2022-s16")),
        ("power-cannot-carry", "flows F1", power("F1", "pcsc-2022-s16")),  # it holds the victim's health
        ("power-cannot-carry", "flows F1", power("F1", "care-act-2014-s42")),
        ("power-cannot-carry", "flows F1", power("F1", "care-act-2014-s45")),
        ("power-cannot-carry", "flows F1", request("F1", "victim-information-request", "care-act-2014-s45")),
        ("power-cannot-carry", "flows F1", power("F1", "vpa-2024-s13")),
        ("power-cannot-carry", "flows F2", power("F2", "pcsc-2022-s44a")),
        ("power-cannot-carry", "flows F2", request("F2", "safeguarding-adults-board", "pcsc-2022-s44a")),
        ("power-cannot-carry", "flows F1", request("F1", "victim-information-request", "pcsc-2022-s44a")),
        ("power-cannot-carry", "flows F3", lambda c: flow(c, "F3").pop("request")),
        ("power-cannot-carry", "flows F2", power("F2", "common-law-police")),
        ("power-cannot-carry", "flows F1", power("F1", "common-law-nhs")),
        ("power-cannot-carry", "flows F5-POLICE", power("F5-POLICE", "nhs-act-2006")),
        # Confidentiality is a question of its own
        ("confidence-not-met", "flows F2", confidence("F2", bases=["direct-care"])),
        ("confidence-not-met", "flows F2", confidence("F2", bases=["consent", "police-common-law"])),
        ("confidence-not-met", "flows F2", confidence("F2", bases=["pseudonymised"])),
        ("confidence-not-met", "flows F5-NHS", confidence("F5-NHS", bases=["police-common-law"])),
        ("confidence-not-met", "flows F1", confidence("F1", bases=["direct-care"])),
        ("pseudonymised-yet-identifying", "flows F1", confidence("F1", bases=["pseudonymised"])),
        ("confidentiality-by-lawful-basis", "flows F2", confidence("F2", words="UK GDPR Article 6(1)(e).")),
        ("confidentiality-by-lawful-basis", "flows F2", confidence("F2", words="The lawful basis is enough.")),
        (
            "confidentiality-by-lawful-basis",
            "flows F1",
            lambda c: flow(c, "F1")["confidentiality"].update(words=basis(c, "F1")["article_10"]),
        ),
        # The national data opt-out
        ("opt-out-not-applied", "flows F6", research(applied=False)),
        ("opt-out-not-applied", "flows F6", research(applied=False, item="adviser.safety_plan")),
        ("pseudonymised-yet-identifying", "flows F6", research(applied=True, bases=("pseudonymised",))),
        # PDS is asked by an organisation of the NHS
        ("asked-by-no-nhs-party", "flows F1-PDS", asked_for("lancashire-county-council")),
        ("asked-by-no-nhs-party", "flows F1-PDS", asked_for("lancashire-constabulary")),
        # What leaves is in the register
        ("not-in-register", "flows F2", lambda c: flow(c, "F2")["register"]["data_categories"].remove("support")),
        (
            "not-in-register",
            "flows F1",
            lambda c: (
                clause(c, "F1-referral")["release"].append("victim.occupation")
                or flow(c, "F1")["register"]["data_categories"].remove("identity")
            ),
        ),
        (
            "item-without-category",
            "flows F2",
            lambda c: c["data"]["categories"][7]["items"].remove("engagement.status"),
        ),
    ],
)
def test_a_basis_that_cannot_carry_its_flow_is_an_error(code: str, where: str, change: Change) -> None:
    findings = check(edited(change))
    assert (code, where) in {(one.code, one.where) for one in findings}
    assert all(one.severity == "error" and one.words for one in findings if one.code == code)


@pytest.mark.parametrize(
    "change",
    [
        power("F5-POLICE", "pcsc-2022-s16"),  # police alone give, and nothing of a patient
        request("F5-NHS", "safeguarding-adults-board", "care-act-2014-s45"),
        stated("F2", schedule_1=[2, 18, 36], article_10="DPA 2018 s.10(5)"),
        stated("F6", article_6=["6(1)(c)"]),
        confidence("F2", bases=["legal-duty", "court-order"]),
        lambda content: flow(content, "F6")["national_data_opt_out"].update(applied=False),  # nothing says who it is
        lambda content: basis(content, "F8").pop("article_10", None),  # police on both sides: Part 3 alone
    ],
)
def test_a_basis_that_can_is_none(change: Change) -> None:
    assert check(edited(change)) == ()
