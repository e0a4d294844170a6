"""Plain nested JSON: ids that name parts of the document, circles, gaps, and whatever a hostile sender thinks of."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.socket import Fault, Limits, Reading, Unreadable, reader, readers
from mappings.profile import Profile, load, profile
from mappings.record import Role
from tests.support.athena import CHILD, NEIGHBOUR, SUSPECT, VICTIM, investigation

ATHENA = profile("athena")
READER = reader("police.plain")


def read(document: Any, by: Profile = ATHENA) -> Reading:
    return READER.read(document if isinstance(document, bytes) else json.dumps(document).encode(), by, Limits())


def found(reading: Reading) -> set[tuple[str, str]]:
    return {(one.path, one.code) for one in reading.findings}


def problems(body: bytes, by: Profile = ATHENA, limits: Limits | None = None) -> list[tuple[str, Fault]]:
    with pytest.raises(Unreadable) as caught:
        READER.read(body, by, limits or Limits())
    return [(one.path, one.fault) for one in caught.value.problems]


def test_it_is_found_by_its_name_and_reads_json() -> None:
    assert "police.plain" in readers()
    assert READER.media_types == ("application/json",)


# Ids that name a part of the document


def test_a_person_is_read_where_the_id_leads() -> None:
    people = read(investigation()).record.people
    assert [(one.ref, one.role, one.names[0].family) for one in people] == [
        ("victim-1", Role.VICTIM, "Ardenholme"),
        ("suspect-1", Role.SUSPECT, "Quarrie"),
        ("child-1", Role.CHILD, "Ardenholme"),
        ("reporter-1", Role.REPORTER, "Tolliver"),
    ]


def test_one_person_in_two_roles_is_two_people() -> None:
    """N9: a counter-allegation is kept apart, and each knows that the other is the same person."""
    document = investigation()
    document["involvements"].append({"personId": VICTIM, "role": "Suspect"})
    document["involvements"].append({"personId": SUSPECT, "role": "Victim"})
    people = {one.ref: one for one in read(document).record.people}
    assert [people[ref].names[0].family for ref in ("victim-1", "suspect-2")] == ["Ardenholme"] * 2
    assert (people["victim-1"].also, people["suspect-2"].also) == ("suspect-2", "victim-1")
    assert (people["victim-2"].also, people["suspect-1"].also) == ("suspect-1", "victim-2")


def test_two_victims_are_both_read() -> None:
    document = investigation()
    document["involvements"].append({"personId": NEIGHBOUR, "role": "Aggrieved"})
    assert [one.ref for one in read(document).record.of_role(Role.VICTIM)] == ["victim-1", "victim-2"]


def test_somebody_whom_no_role_leads_to_is_kept_as_a_third_party_and_the_role_is_a_loss() -> None:
    document = investigation()
    document["involvements"][3]["role"] = "Passer-by"
    reading = read(document)
    assert reading.record.people[-1].role is Role.OTHER
    assert ("involvements[3].role", "no-row") in {(one.path, one.reason) for one in reading.losses}


def test_an_id_is_text_or_a_whole_number() -> None:
    document = {
        "investigation": {"changeType": "New", "investigationReference": "1"},
        "persons": [{"personId": 7, "surname": "Ash"}, {"personId": " x ", "surname": "Birch"}],
        "involvements": [{"personId": "7", "role": "Victim"}, {"personId": "x", "role": "Suspect"}],
    }
    assert [one.names[0].family for one in read(document).record.people] == ["Ash", "Birch"]


@pytest.mark.parametrize(
    ("id_", "path", "code"),
    [
        ("P9", "involvements[0].personId", "link-to-nothing"),
        (["P9", VICTIM], "involvements[0].personId[0]", "link-to-nothing"),
        (True, "involvements[0].personId", "not-a-link"),
        ({"id": VICTIM}, "involvements[0].personId", "not-a-link"),
        ([[VICTIM]], "involvements[0].personId[0]", "not-a-link"),
        (1.5, "involvements[0].personId", "not-a-link"),
    ],
)
def test_an_id_that_names_nothing_is_a_finding(id_: Any, path: str, code: str) -> None:
    document = investigation()
    document["involvements"][0]["personId"] = id_
    assert (path, code) in found(read(document))


def test_an_id_given_twice_or_not_at_all_is_a_finding_and_nobody_is_lost() -> None:
    document = investigation()
    document["persons"] += [{"personId": VICTIM, "surname": "Other"}, {"surname": "Nameless"}, {"personId": " "}]
    reading = read(document)
    assert {("persons[4]", "identity-given-twice"), ("persons[5]", "part-without-identity")} <= found(reading)
    assert reading.record.people[0].names[0].family == "Ardenholme"
    assert {"Other", "Nameless"} <= {one.names[0].family for one in reading.record.people if one.names}


def test_ids_that_go_in_circles_are_read_once(tmp_path: Path) -> None:
    circle = load(_circle(tmp_path))
    people = [{"id": 1, "friend": 2, "name": "Ash"}, {"id": 2, "friend": [1, 2], "name": "Birch"}]
    reading = read({"number": "1", "people": people}, circle)
    assert [one.names[0].family for one in reading.record.people] == ["Ash", "Birch"]
    assert (reading.loss_count, reading.leaf_count) == (3, 8)  # whose friend who is has no row: three ids


def _circle(folder: Path) -> Path:
    path = folder / "circle.toml"
    path.write_text(
        """
name = "circle"
title = "People who name each other"
adapter = "police.plain"
standard = "of our own"
date = "2026-04-01"
root = "case"
identity = ["id"]
links = [{ from = "people.friend", to = "people.id" }]
[shapes.case]
part = "Record"
set = { kind = "incident" }
rows = [{ from = "number", to = "references[occurrence].value", transform = "reference", required = true }]
sections = [{ at = "people", to = "people", shape = "person", set = { role = "victim" }, ref = "victim" }]
[shapes.person]
part = "Person"
rows = [{ from = "name", to = "names[usual].family", transform = "line" }]
"""
    )
    return path


# Whatever is sent


GOOD = json.dumps(investigation()).encode()


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def incident(**more: Any) -> bytes:
    return json.dumps({"investigation": {"changeType": "New", "investigationReference": "1", **more}}).encode()


HOSTILE = [
    ("empty", b"", "", Fault.TRUNCATED),
    ("cut", GOOD[:-3], "", Fault.TRUNCATED),
    ("not JSON", b"<a/>", "", Fault.MALFORMED),
    ("CSV", b"a,b\n1,2\n", "", Fault.MALFORMED),
    ("a list of documents", b"[" + GOOD + b"," + GOOD + b"]", "", Fault.SEVERAL_INCIDENTS),
    ("a list behind a mark", b"\xef\xbb\xbf [" + GOOD + b"]", "", Fault.SEVERAL_INCIDENTS),
    ("two documents", GOOD + b"\n" + GOOD, "", Fault.MALFORMED),
    ("a text", b'"incident"', "", Fault.WRONG_TYPE),
    ("too large", b'{"a":"' + b"x" * (1024 * 1024) + b'"}', "", Fault.TOO_LARGE),
    ("too deep", deep(40), "a" + ".a" * 19, Fault.TOO_DEEP),
    ("a million brackets", b"[" * 1_000_000, "", Fault.TOO_DEEP),
    ("too many", b'{"a":[' + b"1," * 30_000 + b"1]}", "", Fault.TOO_MANY_ELEMENTS),
    ("overlong", b'{"a":"' + b"x" * 70_000 + b'"}', "a", Fault.TEXT_TOO_LONG),
    ("a key twice", b'{"persons":[],"persons":[]}', "persons", Fault.DUPLICATE_KEY),
    ("NaN", b'{"investigation":{"version":NaN}}', "investigation.version", Fault.NOT_A_NUMBER),
    ("Infinity", b'{"investigation":{"version":-Infinity}}', "investigation.version", Fault.NOT_A_NUMBER),
    ("1e999", b'{"investigation":{"version":1e999}}', "investigation.version", Fault.NOT_A_NUMBER),
    ("a huge number", b'{"a":' + b"9" * 400 + b"}", "a", Fault.NUMBER_TOO_LARGE),
    ("half a surrogate", b'{"a":"\\ud800"}', "a", Fault.LONE_SURROGATE),
    ("NUL escaped", b'{"a":"x\\u0000"}', "a", Fault.NUL_CHARACTER),
    ("NUL", b'{"a":"x\0"}', "", Fault.NUL_CHARACTER),
    ("UTF-16", json.dumps(investigation()).encode("utf-16"), "", Fault.WRONG_CHARSET),
    ("windows-1252", '{"a":"\xe9"}'.encode("cp1252"), "", Fault.WRONG_CHARSET),
    ("nothing in it", b"{}", "investigation", Fault.MISSING),
    ("several incidents", b'{"investigation":[{},{}]}', "investigation[1]", Fault.SEVERAL_INCIDENTS),
    ("wrong type", b'{"investigation":"New"}', "investigation", Fault.MISSING),
    ("a part for a code", incident(changeType={"a": 1}), "investigation.changeType", Fault.WRONG_TYPE),
    ("a version that is none", incident(version="two"), "investigation.version", Fault.NOT_READABLE),
    ("a marking nobody knows", incident(marking={"classification": "ULTRA"}),
     "investigation.marking.classification", Fault.UNKNOWN_CODE),
]  # fmt: skip


@pytest.mark.parametrize(("body", "path", "fault"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
def test_what_is_hostile_is_refused_by_its_place_in_bounded_time_and_memory(
    body: bytes, path: str, fault: Fault
) -> None:
    tracemalloc.start()
    started = time.process_time()
    try:
        assert (path, fault) in problems(body)
        assert time.process_time() - started < 5  # traced; untraced the slowest takes 50 ms
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    finally:
        tracemalloc.stop()


FORMULAS = ["=1+1", "@SUM(A1)", "+44", "-2", "=cmd|'/c calc'!A1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text(text: str) -> None:
    document = investigation()
    document["persons"][1]["surname"] = text
    assert read(document).record.people[1].names[0].family == text


MARK = "zqx"  # in every value and in no word of ours
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8).map(lambda text: MARK + text),
    st.sampled_from([VICTIM, SUSPECT, CHILD, "Victim", "Suspect", "2026-04-12", "High", "New"]),
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, one in members for path in paths(one, (*here, key)))] if here else [
        path for key, one in members for path in paths(one, (key,))
    ]  # fmt: skip


PATHS = paths(investigation())
ANY = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["personId", "role", "number", "surname"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(PATHS), ANY), min_size=1, max_size=6))
def test_an_investigation_with_anything_anywhere_reads_or_is_refused_and_no_value_is_told(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    """P7: what was put in shows in no error."""
    document = investigation()
    for path, value in changes:
        here: Any = document
        for step in path[:-1]:
            here = here.get(step) if isinstance(here, dict) else here[step] if _at(here, step) else None
        if isinstance(here, dict) or _at(here, path[-1]):
            here[path[-1]] = value
    _reads_or_refuses(json.dumps(document).encode())


def _at(here: Any, step: Any) -> bool:
    return isinstance(here, list) and isinstance(step, int) and step < len(here)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_any_bytes_anywhere_read_or_are_refused(given: bytes, at: int, cut: int) -> None:
    _reads_or_refuses(given)
    _reads_or_refuses(GOOD[:at] + given + GOOD[at + cut :])


def _reads_or_refuses(body: bytes) -> None:
    found = _outcome(body)
    if isinstance(found, Unreadable):
        assert MARK not in str(found)
        assert found.fault is not Fault.READER_FAILED


def _outcome(body: bytes) -> Reading | Unreadable:
    try:
        return read(body)
    except Unreadable as unreadable:
        return unreadable
