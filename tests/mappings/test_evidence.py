"""What a stated fact rests on: set beside it, and never put in its place (P10)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from mappings import evidence, quality
from mappings.codemap import CODES, load_codemap

DAY = datetime(2026, 4, 12, 19, 0, tzinfo=UTC)


def built(**parts: Any) -> dict[str, Any]:
    people = [
        {"ref": "victim-1", "role": "victim", "birth": {"on": date(1991, 2, 3)}},
        {"ref": "suspect-1", "role": "suspect", "birth": {"on": date(1988, 11, 30)}},
    ]
    return {"people": people, "times": {"reported": DAY}, **parts}


def added(out: dict[str, Any]) -> list[tuple[Any, str]]:
    findings: list[tuple[Any, str]] = []
    evidence.add(out, findings)
    return findings


def connection(out: dict[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    codes = [code for _, code in added(out)]
    return out["relationships"][0]["evidence"], codes


@pytest.mark.parametrize(
    ("type_", "born", "stated", "said", "codes"),
    [
        ("ex-partner", date(1988, 1, 1), True, ("relationship-listed", "both-16-or-over", "stated-by-sender"), []),
        ("neighbour", date(1988, 1, 1), None, ("relationship-not-listed", "both-16-or-over"), []),
        (
            "neighbour",
            date(1988, 1, 1),
            True,
            ("relationship-not-listed", "both-16-or-over", "stated-by-sender"),
            ["evidence-disagrees"],
        ),
        (
            "partner",
            date(2010, 4, 13),
            True,
            ("relationship-listed", "one-under-16", "stated-by-sender"),
            ["evidence-disagrees"],
        ),
        ("partner", date(2010, 4, 12), None, ("relationship-listed", "both-16-or-over"), []),
        (
            "spouse",
            date(1988, 1, 1),
            False,
            ("relationship-listed", "both-16-or-over", "stated-by-sender"),
            ["evidence-disagrees"],
        ),
        ("something-else", None, None, ("relationship-not-known", "age-not-known"), []),
        (None, None, False, ("relationship-not-known", "age-not-known", "stated-by-sender"), []),
    ],
)
def test_personally_connected_is_stated_by_the_sender_and_weighed_by_nobody(
    type_: str | None, born: date | None, *, stated: bool | None, said: tuple[str, ...], codes: list[str]
) -> None:
    """Sixteen is reached on the birthday; what the sender states stands, whatever speaks against it."""
    one: dict[str, Any] = {"a": "victim-1", "b": "suspect-1"}
    one |= {k: v for k, v in (("type", type_), ("personally_connected", stated)) if v is not None}
    out = built(relationships=[one])
    out["people"][1]["birth"] = {"on": born} if born else {}
    assert connection(out) == (said, codes)
    assert out["relationships"][0].get("personally_connected") is stated


def test_every_relationship_of_the_map_is_listed_or_not_or_said_to_be_open() -> None:
    codes = set(load_codemap(CODES / "relationship.json").codes.values())
    assert codes - evidence.CONNECTED - evidence.NOT_CONNECTED == {"other-family"}
    assert not evidence.CONNECTED & evidence.NOT_CONNECTED
    assert codes >= evidence.CONNECTED | evidence.NOT_CONNECTED


def assessment(instrument: str, yes: int, **more: Any) -> dict[str, Any]:
    return {"ref": "a-1", "instrument": instrument, "yes": yes, "subject": "victim-1", "grade": "standard", **more}


def test_fourteen_on_the_safelives_instrument_is_the_criterion_and_no_grade() -> None:
    out = built(assessments=[assessment("dash-safelives-24", 14, at=DAY, assessor_role="officer")])
    assert added(out) == []
    assert out["criteria"] == [
        {
            "code": "visible-high-risk",
            "met": True,
            "basis": "counted",
            "instrument": "dash-safelives-24",
            "count": 14,
            "subject": "victim-1",
            "at": DAY,
            "by": "officer",
        }
    ]
    assert out["assessments"][0]["grade"] == "standard"


@pytest.mark.parametrize(
    ("instrument", "yes"), [("dash-safelives-24", 13), ("dash-2009-police-27", 27), ("dara", 20), ("unknown", 24)]
)
def test_no_other_instrument_and_no_lower_count_is_the_criterion(instrument: str, yes: int) -> None:
    out = built(assessments=[assessment(instrument, yes)])
    added(out)
    assert "criteria" not in out


def test_answers_are_counted_where_nobody_stated_a_count() -> None:
    answers = [{"code": f"C{n}", "reply": "yes" if n < 14 else "no"} for n in range(24)]
    one = assessment("dash-safelives-24", 0, answers=answers)
    del one["yes"]
    out = built(assessments=[one])
    added(out)
    assert out["criteria"][0]["count"] == 14


@pytest.mark.parametrize(
    ("criterion", "codes"),
    [
        ({"code": "visible-high-risk", "met": True}, []),
        ({"code": "visible-high-risk", "met": False}, ["evidence-disagrees"]),
        ({"code": "visible-high-risk", "met": True, "subject": "victim-2"}, ["without-evidence"]),
        ({"code": "escalation", "met": True, "count": 3}, []),
        ({"code": "escalation", "met": True, "count": 2}, ["evidence-disagrees"]),
        ({"code": "escalation", "met": False, "count": 3}, ["evidence-disagrees"]),
        ({"code": "escalation", "count": 2}, []),
        ({"code": "repeat", "met": True}, ["without-evidence"]),
        ({"code": "repeat", "met": True, "since": date(2026, 1, 1)}, []),
        ({"code": "professional-judgement", "met": True, "by": "supervisor"}, []),
        ({"code": "professional-judgement", "met": True}, ["without-evidence"]),
        ({"code": "professional-judgement", "met": False}, []),
    ],
)
def test_a_stated_criterion_is_kept_as_stated_and_remarked_on(criterion: dict[str, Any], codes: list[str]) -> None:
    stated = {"subject": "victim-1", **criterion}
    out = built(criteria=[dict(stated)], assessments=[assessment("dash-safelives-24", 15)])
    assert [code for _, code in added(out)] == codes
    assert stated.items() <= out["criteria"][0].items()


# What `quality` settles beside it.


def settled(out: dict[str, Any], same: list[list[str]] | None = None) -> set[tuple[str, str]]:
    findings: list[tuple[Any, str]] = []
    refs = same if same is not None else [[one["ref"]] for one in out["people"]]
    quality.settle(out, findings, refs)
    return {(path if isinstance(path, str) else str(path[-1]), code) for path, code in findings}


@pytest.mark.parametrize(
    ("instrument", "codes", "finding"),
    [
        ("dash-safelives-24", ["HHCH"], True),
        ("dash-safelives-24", ["DARA.FEAR"], True),
        ("dash-safelives-24", ["INJ"], False),
        ("dash-2009-police-27", ["HHCH", "THRC"], False),
        ("dash-2009-police-27", ["DARA.FEAR"], True),
        ("dara", ["DARA.FEAR"], False),
        ("dara", ["STRG"], True),
        ("unknown", ["STRG", "DARA.FEAR"], False),
    ],
)
def test_an_answer_of_another_instrument_is_remarked_on_and_kept(
    instrument: str, codes: list[str], *, finding: bool
) -> None:
    answers = [{"code": code, "reply": "yes"} for code in codes]
    out = built(assessments=[assessment(instrument, len(codes), answers=answers)])
    assert (("assessments[0].answers", "not-of-this-instrument") in settled(out)) is finding
    assert out["assessments"][0]["answers"] == answers


def test_more_answers_than_the_instrument_asks_are_remarked_on() -> None:
    out = built(assessments=[assessment("dash-safelives-24", 25, items=27)])
    found = settled(out)
    assert {("assessments[0].yes", "more-than-it-asks"), ("assessments[0].items", "more-than-it-asks")} <= found


@pytest.mark.parametrize(
    ("grade", "more", "code"),
    [
        ("high", {}, None),
        ("standard", {"assessor_role": "supervisor", "at": DAY}, "grade-lowered"),
        ("standard", {"assessor_role": "supervisor"}, "grade-lowered-by-nobody"),
        ("standard", {}, "grade-lowered-by-nobody"),
    ],
)
def test_a_grade_below_one_before_it_is_always_said(grade: str, more: dict[str, Any], code: str | None) -> None:
    one = assessment("dara", 0, history=[{"grade": "high"}], **more) | {"grade": grade}
    out = built(assessments=[one])
    codes = {found for path, found in settled(out) if path == "assessments[0].grade"}
    assert codes == ({code} if code else set())
    assert out["assessments"][0]["grade"] == grade


def two_ways(**victim_2: Any) -> dict[str, Any]:
    return {
        "people": [
            {"ref": "victim-1", "role": "victim", "names": [{"family": "Ashdown", "given": ["Marianne"]}]},
            {"ref": "victim-2", "role": "victim", **victim_2},
            {"ref": "suspect-1", "role": "suspect", **victim_2},
        ],
        "statements": [{"topic": "summary", "text": "Each says that the other began."}],
    }


@pytest.mark.parametrize(
    "who",
    [
        {"names": [{"family": "Harbottle", "given": ["Piers"]}], "birth": {"on": date(1988, 11, 30)}},
        {"nhs_number": "9990000018"},
        {"identifiers": [{"system": "pnc", "value": "88/123456K"}]},
    ],
)
def test_the_same_person_twice_is_victim_and_suspect_and_never_one_entry(who: dict[str, Any]) -> None:
    """Two entries of one export with one number, or one name and date of birth: marked, and not merged (N9)."""
    out = two_ways(**who)
    found = settled(out)
    assert [one.get("also") for one in out["people"]] == [None, "suspect-1", "victim-2"]
    assert ("statements[0].about", "goes-to-every-victim") in found
    assert len(out["people"]) == 3


@pytest.mark.parametrize(
    "who",
    [
        {"names": [{"family": "Harbottle", "given": ["Piers"]}]},
        {"names": [{"family": "Harbottle"}], "birth": {"on": date(1988, 11, 30)}},
        {"identifiers": [{"system": "pnc"}]},
        {},
    ],
)
def test_a_name_alone_shows_nobody_to_be_the_same(who: dict[str, Any]) -> None:
    out = two_ways(**who)
    settled(out)
    assert all("also" not in one for one in out["people"])


def test_one_part_of_the_document_in_two_roles_is_one_person() -> None:
    out = two_ways()
    settled(out, [["victim-1"], ["victim-2", "suspect-1"]])
    assert [one.get("also") for one in out["people"]] == [None, "suspect-1", "victim-2"]
