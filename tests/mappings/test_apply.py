"""What a reading keeps, notes and counts, by a small profile over plain trees."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings import profile
from mappings.profile import Profile
from mappings.reading import Fault, Unreadable
from mappings.record import Grade, Instrument, Role
from mappings.tree import MAX_PATH, Linked

SMALL = """
name = "small"
title = "Small"
adapter = "test"
standard = "of our own"
date = "2026-04-01"
root = "case"
identity = ["id"]
maps = ["record-kind", "grade", "instrument", "classification"]

[shapes.case]
part = "Record"
rows = [
  { from = "kind", to = "kind", transform = "mapped", map = "record-kind", required = true },
  { from = ["number", "id"], to = "references[occurrence].value", transform = "reference", required = true },
  { from = "version", to = "version", transform = "integer" },
{from = "mark", to = "marking.classification", transform = "mapped", map = "classification", required = "when-present"},
  { from = ["start.day", "start.clock"], to = "times.occurred_to", transform = "moment-to" },
  { from = "weapon", to = "flags[weapon]", transform = "boolean" },
]
sections = [
  { at = ["victims", "aggrieved"], to = "people", shape = "person", set = { role = "victim" }, ref = "victim" },
  { at = "suspects", to = "people", shape = "person", set = { role = "suspect" }, ref = "suspect" },
  { at = "assessment", to = "assessments", shape = "assessment", ref = "assessment" },
]
ignore = [{ from = "browser", reason = "never needed" }]

[shapes.person]
part = "Person"
rows = [
  { from = "name", to = "names[usual].family", transform = "line" },
  { from = ["first", "middle"], to = "names[usual].given", transform = "texts" },
  { from = "age", to = "birth.age", transform = "integer" },
]

[shapes.assessment]
part = "Assessment"
rows = [
  { from = "instrument", to = "instrument", transform = "mapped", map = "instrument" },
  { from = "grade", to = "grade", transform = "mapped", map = "grade" },
  { from = "about", to = "subject", transform = "victim" },
]
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    path: Path = tmp_path_factory.mktemp("profiles") / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return profile.load(path)


def case(**more: Any) -> dict[str, Any]:
    return {"kind": "incident", "number": "A1", **more}


def test_people_are_numbered_in_the_order_of_the_document(small: Profile) -> None:
    record = small.apply(case(victims=[{"name": "One"}, {"name": "Two"}], suspects={"name": "Three"})).record
    assert [(p.ref, p.names[0].family) for p in record.people] == [
        ("victim-1", "One"),
        ("victim-2", "Two"),
        ("suspect-1", "Three"),
    ]


def test_somebody_in_two_roles_is_two_people(small: Profile) -> None:
    """N9: never merged, each under a reference of their own."""
    both = {"name": "One"}
    reading = small.apply(case(victims=[both], suspects=[both]))
    assert [(p.ref, p.role) for p in reading.record.people] == [("victim-1", Role.VICTIM), ("suspect-1", Role.SUSPECT)]


def test_somebody_under_two_names_of_one_role_is_one_person(small: Profile) -> None:
    one: dict[str, Any] = {"name": "One"}
    assert len(small.apply(case(victims=[one], aggrieved=one)).record.people) == 1


def test_lists_of_several_places_come_one_after_the_other(small: Profile) -> None:
    record = small.apply(case(victims=[{"name": "X", "first": ["A"], "middle": "B"}])).record
    assert record.people[0].names[0].given == ("A", "B")


def test_what_cannot_be_read_is_left_out_with_its_place(small: Profile) -> None:
    reading = small.apply(case(victims=[{"age": "old"}, {"age": 200}, {"age": [1]}], version="0"))
    assert [p.birth for p in reading.record.people] == [None, None, None]
    found = {(f.path, f.code) for f in reading.findings}
    assert {
        ("victims[0].age", "not-a-number"),
        ("victims[1].age", "out-of-bounds"),
        ("victims[2].age", "wrong-type"),
        ("version", "out-of-bounds"),
    } <= found


def test_a_grade_is_read_or_left_out_and_never_made_up(small: Profile) -> None:
    """P10."""
    tree = case(victims=[{}], assessment=[{"instrument": "DARA", "grade": g} for g in ("HIGH", "very high", None)])
    reading = small.apply(tree)
    assert [a.grade for a in reading.record.assessments] == [Grade.HIGH, None, None]
    assert ("assessment[1].grade", "unknown-code") in {(f.path, f.code) for f in reading.findings}


def test_a_grade_travels_although_its_instrument_is_unknown(small: Profile) -> None:
    """P6 and P10: the instrument is said to be unknown, never guessed, and the grade is not lost with it."""
    reading = small.apply(case(assessment={"instrument": "DASH", "grade": "high"}))
    (assessment,) = reading.record.assessments
    assert (assessment.instrument, assessment.grade) == (Instrument.UNKNOWN, Grade.HIGH)
    assert ("assessment.instrument", "unknown-code") in {(f.path, f.code) for f in reading.findings}


def test_with_one_victim_an_assessment_is_hers_and_with_two_it_is_nobodys(small: Profile) -> None:
    one = small.apply(case(victims=[{}], assessment={"instrument": "DARA"})).record
    two = small.apply(case(victims=[{}, {}], assessment={"instrument": "DARA"})).record
    assert one.assessments[0].subject == "victim-1"
    assert two.assessments[0].subject is None
    assert ("assessments[0].subject", "missing") in {(f.path, f.code) for f in two.quality}


def test_a_link_to_somebody_who_is_no_victim_names_nobody(small: Profile) -> None:
    who: dict[str, Any] = {"name": "X"}
    tree = case(suspects=[who], assessment={"instrument": "DARA", "about": Linked((("suspects[0]", who),), 2)})
    reading = small.apply(tree)
    assert reading.record.assessments[0].subject is None
    assert ("assessment.about", "person-not-in-role") in {(f.path, f.code) for f in reading.findings}


def test_all_that_is_required_and_missing_is_named_at_once(small: Profile) -> None:
    with pytest.raises(Unreadable) as caught:
        small.apply({"kind": "party", "mark": "ultra"})
    assert [(p.path, p.fault) for p in caught.value.problems] == [
        ("mark", Fault.UNKNOWN_CODE),
        ("kind", Fault.UNKNOWN_CODE),
        ("number", Fault.MISSING),
    ]


def test_a_list_that_is_required_and_says_nothing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    row = '{ from = ["first", "middle"], to = "names[usual].given", transform = "texts"'
    path.write_text(SMALL.replace(row, f"{row}, required = true"), encoding="utf-8")
    strict = profile.load(path)
    strict.apply(case(victims=[{"middle": ["Ash"]}]))
    with pytest.raises(Unreadable) as caught:
        strict.apply(case(victims=[{"name": "Birch"}]))
    assert [(p.path, p.fault) for p in caught.value.problems] == [("victims[0].first", Fault.MISSING)]


def test_a_marking_that_is_not_understood_makes_the_document_unreadable(small: Profile) -> None:
    """N7: a mark left out could release what is secret."""
    with pytest.raises(Unreadable):
        small.apply(case(mark="SECERT"))
    assert small.apply(case(mark="secret")).record.marking is not None
    assert small.apply(case(mark=" ")).record.marking is None


def test_losses_are_named_and_counted_and_ignored_leaves_are_neither(small: Profile) -> None:
    tree = case(
        browser={"name": "x", "plugins": [1, 2]}, weather="rain", victims=[{"hair": {"colour": "red"}, "name": 5}]
    )
    reading = small.apply(tree)
    assert [(loss.path, loss.reason) for loss in reading.losses] == [
        ("weather", "no-row"),
        ("victims[0].hair.colour", "no-row"),
    ]
    assert (reading.loss_count, reading.ignored_count, reading.leaf_count) == (2, 3, 8)


def test_blank_text_is_no_leaf_whether_or_not_all_beside_it_is_read(small: Profile) -> None:
    for more in ({}, {"unread": "x"}, {"unread": 7}):
        bare = small.apply(case(victims=[{"name": "Ash", **more}])).leaf_count
        blank = small.apply(case(victims=[{"name": "Ash", "first": " \t", "middle": "", **more}])).leaf_count
        assert bare == blank == 3 + bool(more)


def test_a_part_where_a_value_belongs_is_a_loss_of_its_leaves(small: Profile) -> None:
    reading = small.apply(case(victims=[{"name": {"first": "A", "last": "B"}}], start="yesterday"))
    assert [(loss.path, loss.reason) for loss in reading.losses] == [
        ("victims[0].name.first", "no-row"),
        ("victims[0].name.last", "no-row"),
        ("start", "wrong-shape"),
    ]


def test_a_hundred_losses_are_named_and_all_are_counted(small: Profile) -> None:
    reading = small.apply(case(spare=list(range(250))))
    assert (len(reading.losses), reading.loss_count) == (100, 250)


def test_paths_are_escaped_and_capped(small: Profile) -> None:
    reading = small.apply(case(**{"a\x1b[31m.b\u202e": 1, "k" * 500: {"k" * 500: {"k" * 500: {"k" * 500: 1}}}}))
    assert reading.losses[0].path == "a\\u001b\\u005b31m\\u002eb\\u202e"
    assert all(
        len(loss.path) <= MAX_PATH and loss.path.isascii() and loss.path.isprintable() for loss in reading.losses
    )


def test_many_findings_do_not_swell_the_record(small: Profile) -> None:
    reading = small.apply(case(victims=[{"age": "old"} for _ in range(500)]))
    assert len(reading.findings) == 201
    assert reading.findings[-1].code == "more-findings"


# A slow twin of the accounting: which leaves are read, ignored or lost, worked out from the rows of the file alone.

Place = tuple[str | int, ...]


def leaf_places(value: Any, at: Place = ()) -> Iterator[Place]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaf_places(one, (*at, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from leaf_places(one, (*at, index))
    elif value is not None and not (isinstance(value, str) and not value.strip()):
        yield at


def twin(shape: dict[str, Any], node: dict[str, Any], at: Place, shapes: dict[str, Any]) -> dict[Place, str]:
    found: dict[Place, str] = {} if isinstance(node.get("id"), dict | list) else {(*at, "id"): "read"}
    for row in shape.get("rows", ()):
        for steps in _several(row["from"]):
            value = _value(node, steps)
            if row["transform"] == "texts" and isinstance(value, list):
                found |= {(*at, *steps, i): "read" for i, one in enumerate(value) if not isinstance(one, dict | list)}
            elif not isinstance(value, dict | list):
                found[(*at, *steps)] = "read"
    for ignored in shape.get("ignore", ()):
        found |= {(*at, ignored["from"], *rest): "ignored" for rest in leaf_places(node.get(ignored["from"]))}
    for section in shape.get("sections", ()):
        for steps in _several(section["at"]):
            value = _value(node, steps)
            parts = [((*at, *steps), value)] if isinstance(value, dict) else []
            parts += [((*at, *steps, i), one) for i, one in enumerate(value if isinstance(value, list) else ())]
            for place, part in parts:
                found |= twin(shapes[section["shape"]], part, place, shapes) if isinstance(part, dict) else {}
    return found


def _several(places: str | list[str]) -> list[tuple[str, ...]]:
    return [tuple(place.split(".")) for place in ([places] if isinstance(places, str) else places)]


def _value(node: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        node = node.get(step) if isinstance(node, dict) else None
    return node


KEYS = st.sampled_from(
    [
        "kind",
        "number",
        "id",
        "version",
        "mark",
        "start",
        "day",
        "clock",
        "weapon",
        "victims",
        "suspects",
        "assessment",
        "browser",
        "name",
        "first",
        "age",
        "grade",
        "x",
    ]
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(0, 99), st.sampled_from(["", " ", "a", "high", "2026-04-12"]))
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
        max_leaves=12,
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=300)
@given(tree=TREES)
def test_every_leaf_is_read_or_ignored_or_counted_as_lost(small: Profile, tree: dict[str, Any]) -> None:
    tree = {k: v for k, v in tree.items() if k != "mark"} | {"kind": "incident", "number": "A1"}
    reading = small.apply(tree)
    shapes = tomllib.loads(SMALL)["shapes"]
    found = twin(shapes["case"], tree, (), shapes)
    places = list(leaf_places(tree))
    expected = {w: sum(found.get(p, "lost") == w for p in places) for w in ("read", "ignored", "lost")}
    assert reading.leaf_count == len(places)
    assert reading.ignored_count == expected["ignored"]
    assert reading.loss_count == expected["lost"]
    assert len(reading.losses) == min(expected["lost"], 100)
