"""The diff of two versions: nothing escapes it, and it says which way a difference points."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.agreement import shipped
from gateway.agreement.diff import Change, diff, differences, reach, to_json
from gateway.agreement.reach import Way
from tests.support.agreements import clause, edited, plain

Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*path, key))
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from leaves(one, (*path, at))
    else:
        yield path


CONTENT = plain()
LEAVES = sorted(leaves(CONTENT), key=str)


def two() -> tuple[Any, Any]:
    """The content, and a copy of it to be changed."""
    return CONTENT, copy.deepcopy(CONTENT)


def at(content: Any, path: Path) -> Any:
    for step in path:
        content = content[step]
    return content


def names_on(content: Any, path: Path) -> list[str]:
    """The keys on the way to a leaf, and the ids of the named parts around it."""
    found: list[str] = []
    for step in path:
        content = content[step]
        if isinstance(step, str):
            found.append(step)
        elif isinstance(content, dict) and "id" in content:
            found.append(str(content["id"]))
    return found


@settings(max_examples=300)
@given(path=st.sampled_from(LEAVES), value=st.sampled_from(["other", "zz"]))
def test_every_leaf_that_changes_is_said_at_its_place(path: Path, value: Any) -> None:
    old, new = two()
    at(new, path[:-1])[path[-1]] = value
    found = list(differences(old, new))
    if old == new:
        assert found == []
        return
    assert found
    if path[-1] == "id":  # a part under another name is another part
        assert len([one for one in found if one.path[0] == path[0]]) >= 2
        return
    way = names_on(old, path)[:2]
    assert [one for one in found if list(one.path[: len(way)]) == way[: len(one.path)]]


@settings(max_examples=200)
@given(path=st.sampled_from([path for path in LEAVES if isinstance(path[-1], int)]))
def test_every_member_that_goes_is_said_and_so_is_one_that_comes(path: Path) -> None:
    old, new = two()
    del at(new, path[:-1])[path[-1]]
    gone, came = list(differences(old, new)), list(differences(new, old))
    assert gone
    assert len(gone) == len(came)
    ways = {Way.MORE: Way.LESS, Way.LESS: Way.MORE, Way.OTHER: Way.OTHER}
    assert sorted(ways[one.way] for one in gone) == sorted(one.way for one in came)


@settings(max_examples=60)
@given(lists=st.sampled_from([path[:-1] for path in LEAVES if isinstance(path[-1], int)]))
def test_order_alone_is_a_difference_that_points_nowhere(lists: Path) -> None:
    old, new = two()
    at(new, lists).reverse()
    found = list(differences(old, new))
    assert bool(found) == (old != new)
    assert {one.way for one in found} <= {Way.OTHER}


def test_the_same_content_differs_in_nothing() -> None:
    assert list(differences(*two())) == []
    assert diff(shipped(), shipped()) == ()
    assert reach(shipped(), shipped()) == ()


def changed(change: Any) -> tuple[Change, ...]:
    return diff(shipped(), edited(change))


def only(change: Any) -> Change:
    (found,) = changed(change)
    return found


def test_an_item_that_goes_now_goes_more() -> None:
    one = only(lambda c: clause(c, "F1-refused")["release"].append("victim.home_address"))
    assert (one.way, one.item, one.recipients[0]) == (Way.MORE, "victim.home_address", "idva-team")
    assert one.before is None
    assert one.after == {"effect": "whole"}
    assert "nothing → whole" in one.words
    back = diff(edited(lambda c: clause(c, "F1-refused")["release"].append("victim.home_address")), shipped())
    assert [(b.way, b.item) for b in back] == [(Way.LESS, "victim.home_address")]


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [("year", "age-band", Way.LESS), ("age-band", "year", Way.MORE), ("year", "year", None)],
)
def test_a_method_that_tells_more_or_less_is_said_so(before: str, after: str, way: Way | None) -> None:
    def with_birth(method: str) -> Any:
        def change(content: dict[str, Any]) -> None:
            one = clause(content, "F1-referral")
            one["release"].remove("suspect.birth")
            one["generalise"]["suspect.birth"] = method

        return edited(change)

    found = diff(with_birth(before), with_birth(after))
    assert [one.way for one in found] == ([way] if way else [])


@pytest.mark.parametrize(
    ("key", "value", "way"),
    [("grades", ["standard"], Way.LESS), ("grades", "any", Way.MORE), ("grades", ["medium", "high"], Way.OTHER)],
)
def test_a_condition_of_a_clause_is_wider_narrower_or_otherwise(key: str, value: Any, way: Way) -> None:
    one = only(lambda c: clause(c, "F1-refused")["when"].update({key: value}))
    assert (one.way, one.path[:2]) == (way, ("clauses", "F1-refused"))


def test_a_condition_of_a_hold_points_the_other_way() -> None:
    def change(content: dict[str, Any]) -> None:
        content["holds"][0]["when"]["grades"] = ["high"]

    assert only(change).way is Way.MORE


def test_a_prohibition_that_goes_lets_more_out() -> None:
    found = changed(lambda c: c["prohibitions"].pop())
    assert [one.way for one in found] == [Way.MORE]
    found = changed(lambda c: c["prohibitions"][0]["recipients"].pop())
    assert [one.way for one in found] == [Way.MORE]


def test_a_clause_that_goes_takes_its_items_along() -> None:
    found = changed(lambda c: c["clauses"].remove(clause(c, "F2-wishes")))
    assert {one.way for one in found} == {Way.LESS}
    assert [one.item for one in found] == [None, "engagement.wishes"]


def test_reach_adds_up_the_clauses_and_takes_off_what_is_prohibited() -> None:
    gone = edited(lambda c: [c["clauses"].remove(clause(c, id_)) for id_ in ("F2-wishes", "F2-UHMB-wishes")])
    (one,) = reach(shipped(), gone)
    assert (one.path, one.way) == (("reach", "police-officer", "feedback", "engagement.wishes"), Way.LESS)
    more = edited(lambda c: clause(c, "F2-wishes")["release"].append("victim.clinical"))
    assert reach(shipped(), more) == ()  # prohibited to police whatever a clause says


def test_the_comparison_as_json_counts_what_it_lists() -> None:
    new = edited(lambda c: clause(c, "F1-refused")["release"].append("victim.home_address"))
    found = to_json(shipped(), new)
    assert json.loads(json.dumps(found)) == found
    assert found["counts"] == {"more": 1, "less": 0, "other": 0}
    assert (found["same"], found["from"]["hash"], found["to"]["hash"]) == (False, shipped().hash, new.hash)
    assert len(found["changes"]) == 1
