"""The static checks an agreement passes before it is signed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.agreement import parse, shipped
from gateway.agreement_check import check
from tests.support.agreements import clause, edited

Change = Callable[[dict[str, Any]], object]


def test_the_shipped_agreement_has_no_findings() -> None:
    assert check(shipped()) == ()


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
        ("never-in-force", "in_force until", lambda c: c["in_force"].update(until="2025-01-01T00:00:00Z")),
        ("missing-clock", "clocks acknowledge", lambda c: c["clocks"]["acknowledge"].pop("unknown")),
        ("review-before-start", "review_by", lambda c: c.update(review_by="2025-12-31")),
        (
            "of-another-party",
            "parties morecambe-bay-hospitals",
            lambda c: c["parties"][2].update(signatory="police-acc"),
        ),
        (
            "no-caldicott-guardian",
            "parties blackpool-teaching-hospitals",
            lambda c: c["parties"][1].pop("caldicott_guardian"),
        ),
        ("backstop-too-soon", "retention backstop_days", lambda c: c["retention"].update(backstop_days=29)),
        ("log-before-record", "retention classes", lambda c: c["retention"]["classes"][3].update(days=365)),
        (
            "log-not-from-creation",
            "retention classes",
            lambda c: c["retention"]["classes"][3].update({"from": "closed"}),
        ),
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


def test_an_emergency_clause_stands_apart_from_holds_areas_and_other_clauses() -> None:
    """It applies where a human broke the glass, who has decided what the others wait for."""

    def change(content: dict[str, Any]) -> None:
        emergency = clause(content, "F1-emergency")
        emergency["release"].remove("victim.name")
        emergency["withhold"].append({"items": ["victim.name"], "reason": "another say than F1-referral"})
        emergency["when"].update(areas=["lancaster"])
        clause(content, "F1-UHMB-emergency")["when"].update(areas=["blackpool"], consent=["refused"], grades=["high"])

    assert check(edited(change)) == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('  until: "2029-01-01T00:00:00+00:00"', '  until: "2025-01-01T00:00:00+00:00"', "never-in-force"),
        ("      - suspect.description\n", "      - suspect.contact\n", "named-twice"),
        ("      suspect.home_address: locality\n", "      statement.third_party: coded\n", "released-against-rule"),
        ("      article_6: [6(1)(e)]", "      article_6: [6(1)(a)]", "consent-as-lawful-basis"),
        ("  backstop_days: 400", "  backstop_days: 4", "backstop-too-soon"),
    ],
)
def test_a_finding_names_the_line_of_the_text(old: str, new: str, code: str) -> None:
    text = shipped().text.decode()
    faulty = text.replace(old, new, 1)
    line = faulty[: faulty.index(new)].count("\n") + 1
    assert (code, line) in {(finding.code, finding.line) for finding in check(parse(faulty.encode()))}


def test_errors_come_first() -> None:
    def change(content: dict[str, Any]) -> None:
        clause(content, "F1-refused")["release"].remove("victim.listed")
        content["review_by"] = "2030-01-01"
        prohibit(content, "victim.name", "idva-team")

    severities = [finding.severity for finding in check(edited(change))]
    assert severities == sorted(severities)
    assert set(severities) == {"error", "warning"}
