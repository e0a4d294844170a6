"""The static checks an agreement passes before it is signed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.agreement import shipped
from gateway.agreement_check import check
from tests.support.agreements import clause, edited

Change = Callable[[dict[str, Any]], object]


def test_the_shipped_agreement_has_no_findings() -> None:
    assert check(shipped()) == ()


def basis(content: dict[str, Any], flow: str) -> dict[str, Any]:
    found: dict[str, Any] = next(f for f in content["flows"] if f["id"] == flow)["lawful_basis"]
    return found


def prohibit(content: dict[str, Any], item: str, recipient: str) -> None:
    content["prohibitions"].append({"id": "PX", "items": [item], "recipients": [recipient], "reason": "no"})


def areas(content: dict[str, Any]) -> None:
    content["areas"]["preston"] = "Preston"
    clause(content, "F1-referral")["when"]["areas"] = ["preston"]


def copy_of_f1(content: dict[str, Any]) -> None:
    narrow = clause(content, "F1-refused")
    content["clauses"].append(narrow | {"id": "F1-more", "release": ["event.kind"], "withhold": [_KEPT]})


_KEPT = {"items": ["victim.name"], "reason": "no"}
_RECIPIENT = {"id": "x", "name": "x", "party": "lancashire-constabulary", "role": "x", "areas": "any"}


@pytest.mark.parametrize(
    ("code", "where", "change"),
    [
        ("released-and-prohibited", "clauses F1-referral", lambda c: prohibit(c, "victim.name", "idva-team")),
        ("released-and-prohibited", "clauses F6-extract", lambda c: prohibit(c, "event.type", "evaluation")),
        ("never-applies", "clauses F1-referral", areas),
        ("never-applies", "clauses F1-refused", lambda c: c["holds"][0]["when"].update(grades="any")),
        ("never-applies", "clauses F2-wishes", lambda c: clause(c, "F2-wishes").pop("release")),
        ("named-twice", "clauses F2-wishes", lambda c: clause(c, "F2-wishes")["release"].append("engagement.wishes")),
        ("named-twice", "clauses F1-referral", lambda c: clause(c, "F1-referral")["release"].append("police.covert")),
        ("flow-without-clause", "flows F9", lambda c: c["clauses"].remove(clause(c, "F9-own"))),
        (
            "recipient-without-flow",
            "recipients x",
            lambda c: c["recipients"].append(_RECIPIENT | {"end_user": "required", "systems": ["x"]}),
        ),
        ("review-after-end", "review_by", lambda c: c.update(review_by="2029-01-02")),
        ("never-in-force", "in_force", lambda c: c["in_force"].update(until="2025-01-01T00:00:00Z")),
        ("missing-clock", "clocks acknowledge", lambda c: c["clocks"]["acknowledge"].pop("unknown")),
        ("consent-as-lawful-basis", "flows F2", lambda c: basis(c, "F2").update(article_6="6(1)(a)")),
        ("basis-closed-to-authorities", "flows F1", lambda c: basis(c, "F1").update(article_6="6(1)(ea)")),
        ("power-cannot-carry", "flows F2", lambda c: basis(c, "F2")["powers"].append("pcsc-2022-s16")),
        ("power-cannot-carry", "flows F1", lambda c: basis(c, "F1")["powers"].append("care-act-2014-s42")),
        ("power-cannot-carry", "flows F1", lambda c: basis(c, "F1")["powers"].append("vpa-2024-s13")),
        ("clauses-disagree", "clauses F1-refused", copy_of_f1),
        (
            "released-against-rule",
            "clauses F1-referral",
            lambda c: clause(c, "F1-referral")["release"].append("statement.third_party"),
        ),
        ("part-withheld", "clauses F1-refused", lambda c: clause(c, "F1-refused")["release"].remove("victim.listed")),
    ],
)
def test_each_fault_is_found_where_it_is(code: str, where: str, change: Change) -> None:
    assert (code, where) in {(finding.code, finding.where) for finding in check(edited(change))}


def test_the_serious_violence_duty_may_stand_in_a_flow_that_police_alone_send() -> None:
    agreement = edited(lambda c: basis(c, "F1")["powers"].append("pcsc-2022-s16"))
    assert check(agreement) == ()


def test_errors_come_first() -> None:
    def change(content: dict[str, Any]) -> None:
        clause(content, "F1-refused")["release"].remove("victim.listed")
        content["review_by"] = "2030-01-01"
        prohibit(content, "victim.name", "idva-team")

    severities = [finding.severity for finding in check(edited(change))]
    assert severities == sorted(severities)
    assert set(severities) == {"error", "warning"}
