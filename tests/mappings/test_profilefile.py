"""A profile loads strictly: what is wrong in it is refused, and the place is named (style.md habit 8)."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mappings import codemap, profile
from mappings.outcome import Cannot
from mappings.profile import ProfileInvalid
from mappings.profilefile import compiled
from mappings.transforms import TRANSFORMS, Takes

GOOD = """
name = "small"
title = "A small profile"
adapter = "police.json"
standard = "of our own"
date = "2026-04-01"
root = "case"
identity = ["id"]
maps = ["gender"]

[shapes.case]
part = "Record"
rows = [
  { from = "number", to = "references[occurrence].value", transform = "reference", required = true },
  { from = "notes", to = "statements[summary].text", transform = "text" },
]
sections = [{ at = "people", to = "people", shape = "person", set = { role = "victim" }, ref = "victim" }]
ignore = [{ from = "printed", reason = "says nothing" }]
keyed = { "statements[summary]" = { kind = "fact" } }

[shapes.person]
part = "Person"
rows = [{ from = "sex", to = "sex", transform = "mapped", map = "gender" }]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_profile_loads(tmp_path: Path) -> None:
    made = profile.load(written(tmp_path, GOOD))
    assert (made.name, made.adapter, list(made.files)) == ("small", "police.json", ["small.toml", "gender.json"])


def test_the_hash_is_that_of_the_files_as_sha256sum_prints_them(tmp_path: Path) -> None:
    """Anybody can derive the hash in a record again from the files."""
    path = written(tmp_path, GOOD)
    lines = "".join(
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in (path, codemap.CODES / "gender.json")
    )
    assert profile.load(path).hash == hashlib.sha256(lines.encode()).hexdigest()


def test_one_changed_byte_changes_the_hash(tmp_path: Path) -> None:
    before = profile.load(written(tmp_path, GOOD)).hash
    assert profile.load(written(tmp_path, GOOD + "# a remark\n")).hash != before


BROKEN = [
    ('title = "A', 'titel = "A', "titel: unknown key"),
    ('title = "A small profile"\n', "", "title: missing"),
    ('name = "small"', 'name = "other"', "name: not the name of the file"),
    ('transform = "text"', 'transform = "txt"', r"shapes.case.rows\[1\].transform"),
    ('transform = "text"', 'transform = "text", colour = 1', "colour: unknown key"),
    ('transform = "text"', 'transform = "boolean"', "does not hold a flag"),
    ('transform = "text"', 'transform = "text", map = "gender"', "the transform wants none"),
    ('map = "gender" }', 'map = "grade" }', "not one of the maps"),
    ('maps = ["gender"]', 'maps = ["gender", "grade"]', "nothing uses 'grade'"),
    ('maps = ["gender"]', "maps = []", "an empty one"),
    ('to = "sex"', 'to = "gender"', "Person has no 'gender'"),
    ('to = "sex"', 'to = "birth"', "is a part"),
    ('to = "sex"', 'to = "sex.code"', "has nothing inside"),
    ('to = "sex"', 'to = "names.family"', "told apart by a word"),
    ('to = "statements[summary].text"', 'to = "statements[gossip].text"', "'topic' cannot hold"),
    ('to = "statements[summary].text"', 'to = "references[occurrence].value"', "written twice"),
    ("required = true", 'required = "sometimes"', "true, false or when-present"),
    ('from = "notes"', 'from = "notes[0]"', "names with dots"),
    ('from = "printed"', 'from = "notes"', "a row or section reads there"),
    ('reason = "says nothing"', 'reason = " "', "blank"),
    ('ref = "victim"', 'ref = "Victim"', "'ref' cannot hold"),
    (', ref = "victim"', "", "given exactly where"),
    ('role = "victim"', 'role = "bystander"', "'role' cannot hold"),
    ('role = "victim"', 'role = "victim", sex = "male"', "'sex' is written by a row"),
    ('shape = "person"', 'shape = "case"', "contains itself"),
    ('shape = "person"', 'shape = "nobody"', "there is none"),
    ('to = "people", shape', 'to = "orders", shape', "does not belong here"),
    ('part = "Person"', 'part = "Alien"', "no such part"),
    ('"statements[summary]" =', '"statements[covert]" =', "no row writes"),
    ('kind = "fact"', 'kind = "two words"', "'kind' cannot hold"),
    ("[shapes.person]", "[shapes.spare]\npart = 'Birth'\n[shapes.person]", "shapes.spare: nothing uses it"),
    ("identity =", "identity =\n=", "line"),
]


@pytest.mark.parametrize(("good", "bad", "words"), BROKEN, ids=[words for _, _, words in BROKEN])
def test_what_is_wrong_is_refused_and_named(tmp_path: Path, good: str, bad: str, words: str) -> None:
    assert good in GOOD
    with pytest.raises(ProfileInvalid, match=words) as caught:
        profile.load(written(tmp_path, GOOD.replace(good, bad, 1)))
    assert str(caught.value).startswith("small.toml: ")


PLACES = [
    ("birth-date", "birth.on", "", ["a", "b", "c"], "takes 2 at most, and is given 3"),
    ("mapped-agreed", "sex", "gender", ["a"], "takes 2 places or more, and is given 1"),
]


@pytest.mark.parametrize(("verb", "target", "codes", "places", "words"), PLACES, ids=[one[0] for one in PLACES])
def test_a_transform_given_too_few_or_too_many_places_is_refused(
    tmp_path: Path, verb: str, target: str, codes: str, places: list[str], words: str
) -> None:
    """It would fail at the first document, or pass for a check that it does not make."""
    row = f'{{ from = {places}, to = "{target}", transform = "{verb}"'.replace("'", '"')
    row += (
        f', map = "{codes}" }}' if codes else ' }, { from = "sex", to = "sex", transform = "mapped", map = "gender" }'
    )
    text = GOOD.replace('{ from = "sex", to = "sex", transform = "mapped", map = "gender" }', row)
    with pytest.raises(ProfileInvalid, match=f"^small.toml: shapes.person.rows\\[0\\].from: '{verb}' {words}$"):
        profile.load(written(tmp_path, text))


def test_every_transform_can_be_run_with_as_many_places_as_a_row_may_give_it() -> None:
    """A profile that loads never fails in the reader for the number of its places."""
    for transform in TRANSFORMS.values():
        if transform.takes is not Takes.MANY:
            continue
        run = transform.run({"a": "b"}) if transform.maps else transform.run
        for places in range(transform.least, (transform.most or 9) + 1):
            with contextlib.suppress(Cannot):  # what it makes of the values is not asked here
                run(*["a"] * places)


ODD: list[Any] = [0, "", "x", [], {}, True, [1], ["x", "x"], {"a": 1}, {"a": {}}, date(2026, 4, 1), 1.5]


def test_whatever_stands_where_in_a_profile_it_loads_or_is_refused_by_name(tmp_path: Path) -> None:
    """An integrator's slip is never a traceback."""
    path = written(tmp_path, GOOD)
    whole = tomllib.loads(GOOD)
    said = []
    for place in list(_places(whole)):
        for odd in ODD:
            tree = copy.deepcopy(whole)
            here: Any = tree
            for step in place[:-1]:
                here = here[step]
            here[place[-1]] = copy.deepcopy(odd)
            said.append(_refusal(path, tree))
    assert all(one.startswith("small.toml: ") for one in said if one)
    assert sum(map(bool, said)) > 500


def _refusal(path: Path, tree: dict[str, Any]) -> str:
    try:
        compiled(path, tree)
    except ProfileInvalid as exc:
        return str(exc)
    return ""


def _places(node: Any, *before: str | int) -> Iterator[tuple[str | int, ...]]:
    steps = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    for step in steps:
        yield (*before, step)
        yield from _places(node[step], *before, step)


def test_a_map_whose_codes_the_target_cannot_hold_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace(
        'to = "statements[summary].text", transform = "text"', 'to = "kind", transform = "mapped", map = "gender"'
    )
    with pytest.raises(ProfileInvalid, match="'kind' does not hold 'female'"):
        profile.load(written(tmp_path, text.replace('keyed = { "statements[summary]" = { kind = "fact" } }', "")))


def test_a_profile_nobody_ships_is_not_found() -> None:
    with pytest.raises(ProfileInvalid, match="no profile is called"):
        profile.profile("../ihub")


MAP = (codemap.CODES / "age-band.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ('"status": "active"', '"status": "active", "colour": "red"', "colour: unknown key"),
        ('"status": "active",', "", "status: missing"),
        ('"code": "yes"', '"code": "TRUE"', r"element\[1\].code: given before"),
        ('"id": "age-band"', '"id": "other"', "id: not the name"),
        ('"equivalence": "equivalent"', '"equivalence": "same"', "neither equal nor equivalent"),
        ('"equivalence": "equivalent"', '"equivalence": "inexact"', r"target\[0\].equivalence: neither"),
        ('"resourceType": "ConceptMap"', '"resourceType": "ValueSet"', "not a ConceptMap"),
        ('"version"', '"id": "age-band", "version"', "given twice"),
        ('{"code": "18-or-over", "equivalence"', '{"code": " ", "equivalence"', "blank"),
        ('"group": [', '"group": [[', "Expecting"),
    ],
)
def test_a_code_map_is_read_as_strictly(tmp_path: Path, good: str, bad: str, words: str) -> None:
    assert good in MAP
    path = tmp_path / "age-band.json"
    path.write_text(MAP.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(codemap.CodeMapInvalid, match=words):
        codemap.load_codemap(path)


def test_every_map_that_ships_is_used_by_a_profile() -> None:
    used = {name for p in profile.profiles() for name in profile.profile(p).files}
    assert {p.name for p in codemap.CODES.glob("*.json")} <= used
