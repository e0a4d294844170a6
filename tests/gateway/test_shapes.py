"""Shapes of documents: what is new, what has vanished, which code nobody knows; names alone, and cheap."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from gateway import shapes
from gateway.shapes import Change, Kind, Shape
from mappings.reading import Reading
from mappings.record import Finding, Record, RecordKind

NOTHING: dict[str, Any] = {}


def reading(tree: dict[str, Any], *findings: tuple[str, str]) -> Reading:
    found = tuple(Finding(path=path, code=code) for path, code in findings)
    return Reading(Record(kind=RecordKind.INCIDENT, quality=found), (), 0, 0, 0, tree)


def shape(*trees: dict[str, Any]) -> Shape:
    """The shape of documents one after the other."""
    made = Shape()
    for tree in trees:
        made.saw(reading(tree), str)
    return made


def kept(of: Shape) -> Shape:
    return Shape.from_json(json.loads(json.dumps(of.to_json())))


def told(known: Shape, *trees: dict[str, Any]) -> list[Change]:
    """What these documents change after those that are known, as a process that starts again sees it."""
    now = shape(*trees)
    now.joined(kept(known))
    return list(now.changes(kept(known)))


def test_an_element_of_a_shape_that_is_known_is_new_once() -> None:
    known = shape(*[{"a": {"b": 1}}] * shapes.KNOWN_AFTER)
    later = {"a": {"b": 1, "c": 2}, "list": [{"x": 1}]}
    assert told(known, later) == [Change(Kind.NEW_ELEMENT, "a.c"), Change(Kind.NEW_ELEMENT, "list")]
    now = shape(later)
    now.joined(known)
    assert told(now, later) == []


def test_an_element_inside_a_list_is_one_element_whatever_its_place() -> None:
    known = shape(*[{"people": [{"name": "x"}, {"name": "y"}]}] * shapes.KNOWN_AFTER)
    assert told(known, {"people": [{"name": "x"}] * 9}) == []
    found = told(known, {"people": [{"name": "x"}, {"name": "y", "nick": "z"}]})
    assert found == [Change(Kind.NEW_ELEMENT, "people[].nick")]


def test_of_a_new_part_the_part_alone_is_told() -> None:
    known = shape(*[{"a": 1}] * shapes.KNOWN_AFTER)
    assert told(known, {"a": 1, "bail": {"from": 1, "to": 2}}) == [Change(Kind.NEW_ELEMENT, "bail")]


def test_what_turns_up_among_the_first_documents_is_optional_and_no_alarm() -> None:
    known = shape(*[{"a": 1}] * (shapes.KNOWN_AFTER - 1))
    assert told(known, {"a": 1, "b": 1}) == []


def test_an_element_that_was_always_there_vanishes_when_the_last_twenty_have_none_of_it() -> None:
    before = [{"a": 1, "b": 1}] * shapes.WINDOW
    gone = [{"a": 1}] * (shapes.GONE_AFTER - 1)
    assert told(shape(*before), *gone) == []
    assert told(shape(*before), *gone, {"a": 1}) == [Change(Kind.VANISHED_ELEMENT, "b")]


def test_blank_and_null_are_not_there() -> None:
    before = [{"a": 1, "b": "text", "c": 1}] * shapes.WINDOW
    gone = [{"a": 1, "b": "  ", "c": None}] * shapes.GONE_AFTER
    assert [one.path for one in told(shape(*before), *gone)] == ["b", "c"]


def test_a_vanished_element_is_told_once_and_again_after_it_came_back() -> None:
    """The second time when it is missing for twice as long: what comes and goes each day is no alarm each day."""
    whole, less = {"a": 1, "b": 1}, {"a": 1}
    known = shape(*[whole] * shapes.WINDOW)
    now = shape(*[less] * shapes.GONE_AFTER)
    now.joined(known)
    assert [one.path for one in now.changes(Shape())] == ["b"]
    assert told(now, *[less] * 5) == []
    back = shape(*[whole] * shapes.WINDOW)
    back.joined(kept(now))
    assert told(back, *[less] * (2 * shapes.GONE_AFTER - 1)) == []
    assert told(back, *[less] * (2 * shapes.GONE_AFTER)) == [Change(Kind.VANISHED_ELEMENT, "b")]


def test_what_comes_and_goes_with_the_kind_of_document_is_told_once_and_never_again(seed: int) -> None:
    """A force that sends its incidents and then its updates, night after night."""
    chance, known, found = random.Random(seed), Shape(), 0
    for _ in range(30):
        before = kept(known)
        night = shape(*[{"a": 1, "b": 1}] * 300, *[{"a": 1}] * chance.randrange(25, 40))
        night.joined(kept(known))
        found += len(list(night.changes(before)))
        known = kept(night)
    assert found == 1


def test_rare_optional_elements_are_told_once_each(seed: int) -> None:
    chance, known, found = random.Random(seed), Shape(), []
    for _ in range(30):
        before = kept(known)
        day = shape(*({"a": 1, **{f"rare{n}": 1 for n in range(10) if chance.random() < 0.01}} for _ in range(60)))
        day.joined(kept(known))
        found += [one.path for one in day.changes(before)]
        known = kept(day)
    assert len(found) == len(set(found)) <= 10


def test_names_that_are_data_are_no_new_elements() -> None:
    """An object of people by their ids: every document has others."""
    known = shape(*({"people": {f"P{number}": {"name": 1}}} for number in range(100)))
    assert told(known, *({"people": {f"P{number}": {"name": 1}}} for number in range(100, 110))) == []
    wide = shape(*[{f"n{number}": 1 for number in range(100)}] * shapes.KNOWN_AFTER)
    assert [one.path for one in told(wide, {"n1": 1, "more": 1})] == ["more"]


def test_a_text_that_is_no_code_is_told_of_and_then_no_more() -> None:
    """Somebody maps a free text with a code map: every document has another."""

    def noted(*texts: str) -> Shape:
        made = Shape()
        for text in texts:
            made.saw(reading({"sex": text}, ("sex", "unknown-code")), str)
        return made

    known = noted(*["f"] * shapes.KNOWN_AFTER)
    now = noted(*(f"text {number}" for number in range(300)))
    now.joined(kept(known))
    found = list(now.changes(known))
    assert found == [Change(Kind.NEW_CODE, "sex", shapes.MANY)]
    later = noted(*(f"more {number}" for number in range(300)))
    later.joined(kept(now))
    assert list(later.changes(now)) == []


def test_an_element_often_missing_is_never_told_to_have_vanished(seed: int) -> None:
    chance = random.Random(seed)
    before = [{"a": 1, **({"b": 1} if chance.random() < 0.9 else {})} for _ in range(shapes.WINDOW * 2)]
    before[-1]["b"] = 1
    assert told(shape(*before), *[{"a": 1}] * shapes.GONE_AFTER) == []


@pytest.mark.parametrize(("missing", "expected"), [(2, ["b"]), (3, [])])
def test_ninety_nine_in_a_hundred_is_expected(missing: int, expected: list[str]) -> None:
    before = [{"a": 1, "b": 1} for _ in range(shapes.WINDOW)]
    for at in range(missing):
        del before[50 * at + 10]["b"]
    assert [one.path for one in told(shape({"a": 1, "b": 1}, *before), *[{"a": 1}] * 20)] == expected


def test_the_slow_twin_agrees_on_what_has_vanished(seed: int) -> None:
    """Gaps are counted as if each document of the window were looked at."""
    chance = random.Random(seed)
    for _ in range(200):
        rate = chance.choice([0.0, 0.005, 0.02, 0.1])
        there = [chance.random() >= rate for _ in range(chance.randrange(150, 260))]
        there += [False] * chance.randrange(15, 25)
        made = shape(*({"a": 1, **({"b": 1} if one else {})} for one in there))
        last = max((i for i, one in enumerate(there) if one), default=0)
        first = there.index(True) if True in there else 0
        window = there[max(0, last - shapes.WINDOW + 1) : last + 1]
        vanished = (
            len(there) - 1 - last >= shapes.GONE_AFTER
            and first <= last - shapes.WINDOW + 1
            and window.count(False) <= shapes.WINDOW // 100
        )
        assert [one.path for one in made.changes(Shape())] == (["b"] if vanished else [])


def test_an_unknown_code_is_a_path_and_a_digest() -> None:
    finding = ("people[1].sex", "unknown-code")
    known = shape(*[{"people": [{"sex": "f"}]}] * shapes.KNOWN_AFTER)
    now = Shape()
    now.saw(reading({"people": [{"sex": "f"}, {"sex": "XX"}]}, finding), lambda text: f"digest of {len(text)}")
    now.joined(kept(known))
    assert list(now.changes(known)) == [Change(Kind.NEW_CODE, "people[].sex", "digest of 2")]
    assert list(now.changes(kept(now))) == []
    assert "XX" not in json.dumps(now.to_json())


def test_a_name_that_is_no_name_is_not_kept() -> None:
    made = shape({"people": {"Jane Q. Public": {"age": 3}, "07700 900123": 1}})
    assert list(made.top["people"].inner) == ["*"]
    assert "Jane" not in json.dumps(made.to_json())


def test_a_client_that_sends_other_names_every_time_fills_no_memory() -> None:
    made = shape(*({f"n{i}x{j}": 1 for j in range(500)} for i in range(10)))
    assert made.elements == shapes.ELEMENTS_MAX
    assert kept(made).elements == shapes.ELEMENTS_MAX


def test_a_shape_kept_and_taken_up_again_is_the_same_as_one_that_went_on(seed: int) -> None:
    chance = random.Random(seed)
    trees = [{n: 1 for n in "abcdef" if chance.random() < 0.8} for _ in range(300)]
    at = chance.randrange(1, 299)
    parts = shape(*trees[at:])
    parts.joined(kept(shape(*trees[:at])))
    whole = shape(*trees)
    assert parts.to_json() == {**whole.to_json(), "top": parts.to_json()["top"]}
    assert {n: one.to_json() for n, one in parts.top.items()} == {n: one.to_json() for n, one in whole.top.items()}
