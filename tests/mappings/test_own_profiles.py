"""What an own profile may say: a version, its days, links, constants, maps of its own, and where to look."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.socket import Limits, Reading, reader
from mappings import codemap
from mappings.profile import Profile, ProfileInvalid, load

HEAD = """
name = "kestrel"
title = "A force's own export"
adapter = "police.plain"
standard = "of our own"
date = "2026-04-01"
root = "case"
identity = ["id"]
"""
GOOD = (
    HEAD
    + """
version = "2"
valid_from = 2026-10-01
valid_until = 2026-12-31
maps = ["gender"]
links = [{ from = "roles.who", to = "people.id" }]

[shapes.case]
part = "Record"
set = { kind = "notice" }
rows = [{ from = "number", to = "references[occurrence].value", transform = "reference", required = true }]
sections = [
  { at = "roles[as=Victim]", to = "people", shape = "role", set = { role = "victim" }, ref = "victim" },
  { at = "groups.members", to = "people", shape = "person", set = { role = "witness" }, ref = "witness" },
  { at = ".", to = "people", shape = "caller", set = { role = "reporter" }, ref = "reporter" },
]

[shapes.role]
part = "Person"
sections = [{ at = "who", shape = "person" }]

[shapes.person]
part = "Person"
rows = [
  { from = "name", to = "names[usual].family", transform = "line" },
  { from = "sex", to = "sex", transform = "mapped", map = "gender" },
]

[shapes.caller]
part = "Person"
rows = [{ from = "callerName", to = "names[usual].family", transform = "line" }]
"""
)


def written(folder: Path, text: str = GOOD, name: str = "kestrel@2.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(used: Profile, document: dict[str, Any]) -> Reading:
    return reader(used.adapter).read(json.dumps(document).encode(), used, Limits())


def test_a_version_and_its_days_are_read(tmp_path: Path) -> None:
    made = load(written(tmp_path))
    assert (made.name, made.version, list(made.files)) == ("kestrel", "2", ["kestrel@2.toml", "gender.json"])
    days = [date(2026, 9, 30), date(2026, 10, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [made.is_valid(day) for day in days] == [False, True, True, False]


def test_a_profile_that_says_no_days_is_always_valid(tmp_path: Path) -> None:
    text = GOOD.replace("valid_from = 2026-10-01\nvalid_until = 2026-12-31\n", "")
    assert load(written(tmp_path, text)).is_valid(date(1999, 1, 1))


def test_people_are_found_by_role_through_lists_and_beside_the_incident(tmp_path: Path) -> None:
    document = {
        "number": "1",
        "callerName": "Cole",
        "people": [{"id": "a", "name": "Ash", "sex": "F"}],
        "roles": [{"as": "VICTIM ", "who": "a"}, {"as": "Dog walker", "who": "a"}],
        "groups": [{"members": [{"name": "Birch"}, {"name": "Beech"}]}, {"members": {"name": "Box"}}, 7],
    }
    reading = read(load(written(tmp_path)), document)
    assert [(one.ref, one.names[0].family) for one in reading.record.people] == [
        ("victim-1", "Ash"),
        ("witness-1", "Birch"),
        ("witness-2", "Beech"),
        ("witness-3", "Box"),
        ("reporter-1", "Cole"),
    ]
    assert reading.record.kind == "notice"
    assert [one.path for one in reading.losses] == ["roles[1].as", "roles[1].who", "groups[2]"]


def test_a_map_beside_the_profile_is_the_one_that_is_read(tmp_path: Path) -> None:
    shipped = (codemap.CODES / "gender.json").read_text(encoding="utf-8")
    (tmp_path / "gender.json").write_text(shipped.replace('"code": "f"', '"code": "woman"'), encoding="utf-8")
    own = load(written(tmp_path))
    document = {"number": "1", "people": [{"id": "a", "sex": "woman"}], "roles": [{"as": "victim", "who": "a"}]}
    assert read(own, document).record.people[0].sex == "female"
    (tmp_path / "gender.json").unlink()
    assert load(written(tmp_path)).hash != own.hash
    assert read(load(written(tmp_path)), document).record.people[0].sex is None


BROKEN = [
    ('version = "2"', 'version = "2/3"', "version: letters"),
    ('version = "2"', "version = 2", "version: letters"),
    ('version = "2"', 'version = "3"', "name: not the name of the file"),
    ('name = "kestrel"', 'name = "Kestrel"', "name: small letters"),
    ("valid_from = 2026-10-01", 'valid_from = "2026-10-01"', "valid_from: not a day"),
    ("valid_from = 2026-10-01", "valid_from = 2026-10-01T00:00:00", "valid_from: not a day"),
    ("valid_from = 2026-10-01", "valid_from = 2027-10-01", "valid_until: before valid_from"),
    ('maps = ["gender"]', 'maps = ["../gender"]', "maps: small letters"),
    ('maps = ["gender"]', 'maps = ["colour"]', "maps: there is no 'colour'"),
    ('to = "people.id" }]', 'to = "id" }]', r"links\[0\].to: the parts"),
    ('to = "people.id" }]', 'to = "people.id", as = "x" }]', r"links\[0\].from and to"),
    ('from = "roles.who"', 'from = "roles[0].who"', r"links\[0\].from: steps are names"),
    ('links = [{ from = "roles.who", to = "people.id" }]', "links = []", "links: not a list, or an empty one"),
    ('set = { kind = "notice" }', 'set = { kind = "gossip" }', "shapes.case.set: 'kind' cannot hold"),
    ('set = { kind = "notice" }', 'set = { kindness = "x" }', "shapes.case.set"),
    ('to = "references[occurrence].value"', 'to = "kind"', "does not hold a text|written by a row"),
    ('{ at = "who", shape = "person" }', '{ at = "who", shape = "person", set = { sex = "x" } }', "written by a row"),
    ('{ at = "who", shape = "person" }', '{ at = "who", shape = "person", set = { school = "x" } }', "in its shape"),
]


@pytest.mark.parametrize(("good", "bad", "words"), BROKEN, ids=[f"{at}: {one[2]}" for at, one in enumerate(BROKEN)])
def test_what_is_wrong_is_refused_and_named(tmp_path: Path, good: str, bad: str, words: str) -> None:
    assert good in GOOD
    with pytest.raises(ProfileInvalid, match=words) as caught:
        load(written(tmp_path, GOOD.replace(good, bad, 1)))
    assert str(caught.value).startswith("kestrel@2.toml: ")


def test_a_version_stands_in_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match="NAME@VERSION"):
        load(written(tmp_path, GOOD, "kestrel.toml"))
