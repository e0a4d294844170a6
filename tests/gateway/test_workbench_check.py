"""`mapping check`: everything that is wrong with a profile at once, by line and key, and what a referral would lack."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.workbench.check import ERROR, WARNING, Remark, check
from gateway.workbench.lines import lines_of, nearest
from mappings.profile import load, profile, profiles

ROOM = Path(__file__).parents[2] / "mappings"
SHIPPED = {path.stem: path for side in ("police", "nhs") for path in (ROOM / side).glob("*.toml")}
GOOD = """name = "mine"
title = "Mine"
adapter = "police.plain"
standard = "ours"
date = "2026-04-01"
root = "document"
identity = ["id"]
maps = ["gender"]

[shapes.document]
part = "Record"
set = { kind = "incident" }
rows = [
  # a bracket ] and a "quotation" in a comment
  { from = "ref", to = "references[occurrence].value", transform = "reference" },
  { from = "seen", to = "times.reported", transform = "moment" },
]
sections = [
  { at = "people", to = "people", shape = "person", set = { role = "victim" }, ref = "victim" },
]

[shapes.person]
part = "Person"
rows = [
  { from = "surname", to = "names[usual].family", transform = "line" },
  { from = "sex", to = "sex", transform = "mapped", map = "gender" },
]
"""


def checked(folder: Path, text: str, name: str = "mine") -> list[Remark]:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return list(check(path).remarks)


def errors(remarks: list[Remark]) -> list[tuple[int, str]]:
    return [(one.line, one.key) for one in remarks if one.severity == ERROR]


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


@pytest.mark.parametrize("name", profiles())
def test_every_profile_that_ships_has_no_error(name: str) -> None:
    found = check(SHIPPED[name])
    assert found.loads
    assert found.profile is not None
    assert found.profile.hash == profile(name).hash
    assert [one for one in found.remarks if one.severity == ERROR] == []


def test_all_faults_are_found_at_once_each_on_its_line(tmp_path: Path) -> None:
    text = GOOD
    for old, new in (
        ('standard = "ours"', 'standard = "ours"\ncolour = "blue"'),
        ('to = "times.reported"', 'to = "times.yesterday"'),
        ('transform = "line"', 'transform = "wobble"'),
        ('map = "gender" }', 'map = "sexes" }'),
        ('role = "victim" }', 'role = "victm" }'),
        (
            '  { from = "seen"',
            '  { from = "r2", to = "references[occurrence].value", transform = "line" },\n  { from = "seen"',
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    found = checked(tmp_path, text)
    assert set(errors(found)) == {
        (line_of(text, "colour"), "colour"),
        (line_of(text, "yesterday"), "shapes.document.rows[2].to"),
        (line_of(text, "r2"), "shapes.document.rows[1].to"),
        (line_of(text, "wobble"), "shapes.person.rows[0].transform"),
        (line_of(text, "sexes"), "shapes.person.rows[1].map"),
        (line_of(text, "victm"), "shapes.document.sections[0].set"),
        (line_of(text, "maps ="), "maps"),
    }


def test_what_follows_from_another_fault_is_no_finding(tmp_path: Path) -> None:
    text = GOOD.replace('transform = "mapped"', 'transform = "mappd"')
    assert errors(checked(tmp_path, text)) == [(line_of(text, "mappd"), "shapes.person.rows[1].transform")]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("[shapes.person]", "[shapes.persn]"), "shapes.document.sections[0].shape"),
        (('part = "Person"', 'part = "Peson"'), "shapes.person.part"),
        (('root = "document"', 'root = "dcument"'), "root"),
        (('identity = ["id"]', "identity = []"), "identity"),
        (('name = "mine"', 'name = "yours"'), "name"),
        (('adapter = "police.plain"', 'adapter = "police.pidgin"'), "adapter"),
        (("set = { kind", "set = { kid"), "shapes.document.set"),
    ],
)
def test_each_place_of_a_profile_is_named(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    found = checked(tmp_path, GOOD.replace(*change))
    assert key in [one.key for one in found if one.severity == ERROR]


def test_what_is_not_toml_is_said_with_its_line(tmp_path: Path) -> None:
    (found,) = checked(tmp_path, GOOD.replace('date = "2026-04-01"', 'date = "2026-04-01'))
    assert (found.severity, found.line) == (ERROR, 5)
    path = tmp_path / "bad.toml"
    path.write_bytes(b"name = '\xff'")
    assert not check(path).loads


@pytest.mark.parametrize(
    "text", ["", "shapes = 3", 'shapes = ["x"]', "[shapes]", "[shapes.a]\nrows = 3", 'maps = [""]']
)
def test_a_file_that_is_no_profile_is_refused_and_nothing_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    found = check(path)
    assert not found.loads
    assert found.remarks


def test_a_usable_referral_lacks_what_no_row_writes(tmp_path: Path) -> None:
    said = {one.words.partition(":")[0] for one in checked(tmp_path, GOOD) if one.severity == WARNING}
    assert {"nothing writes 'area'", "nothing writes 'marking'", "nothing writes 'assessments'"} <= said
    assert "nothing writes 'contacts' of the victim" in said
    assert "nothing writes 'times'" not in said
    assert "nothing writes 'names' of the victim" not in said


def test_without_a_victim_every_record_waits_for_a_human(tmp_path: Path) -> None:
    found = checked(tmp_path, GOOD.replace('role = "victim"', 'role = "other"'))
    assert "nobody is read as the victim, so every record waits for a human" in [one.words for one in found]


def test_without_a_kind_no_document_is_readable(tmp_path: Path) -> None:
    found = checked(tmp_path, GOOD.replace('set = { kind = "incident" }\n', ""))
    assert [one.words for one in found if one.severity == ERROR] == [
        "nothing writes 'kind': every document would be unreadable"
    ]


def test_lines_that_never_do_anything_are_named(tmp_path: Path) -> None:
    text = GOOD.replace(
        "sections = [\n",
        'sections = [\n  { at = "calls", to = "relationships", shape = "tie" },\n',
    ).replace('  { from = "seen"', '  { from = "people", to = "outcome", transform = "slug" },\n  { from = "seen"')
    text += '\n[shapes.tie]\npart = "Relationship"\nrows = [{ from = "s", to = "b", transform = "suspect" }]\n'
    found = {one.key: one.words for one in checked(tmp_path, text)}
    assert "so this row finds nothing there" in found["shapes.document.rows[1].from"]
    assert found["shapes.document.sections[0]"] == "nothing writes 'a', so each of these parts is left out"
    assert found["shapes.tie.rows[0].transform"] == "no section reads people in the role suspect"


def test_a_code_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    codes = ROOM / "codes" / "relationship.json"
    beside = (
        codes.read_text()
        .replace('"relationship"', '"ties"', 1)
        .replace('"code": "spouse", "equ', '"code": "two words", "equ', 1)
    )
    (tmp_path / "ties.json").write_text(beside)
    text = GOOD.replace('maps = ["gender"]', 'maps = ["gender", "ties"]').replace(
        '  { from = "seen"',
        '  { from = "tie", to = "category", transform = "mapped-or-kept", map = "ties" },\n  { from = "seen"',
    )
    found = {one.key: one.words for one in checked(tmp_path, text)}
    assert found["shapes.document.rows[1].map"] == "ties leads to 'two words', which is no code of ours"


@pytest.mark.parametrize("name", profiles())
def test_the_line_of_every_row_is_where_it_stands(name: str) -> None:
    text = SHIPPED[name].read_text()
    lines, rows = lines_of(text), text.splitlines()
    for shape, tree in tomllib.loads(text)["shapes"].items():
        for kind in ("rows", "sections"):
            for index, one in enumerate(tree.get(kind, ())):
                line = rows[lines["shapes", shape, kind, index] - 1]
                place = one["from" if kind == "rows" else "at"]
                assert (place if isinstance(place, str) else place[0]) in line


def test_a_row_cut_out_anywhere_is_found_alone_and_exactly(tmp_path: Path, seed: int) -> None:
    """Breaking any one row of a profile gives one error, on its line."""
    chance = random.Random(seed)
    text = SHIPPED["ihub"].read_text()
    numbered = [i for i, line in enumerate(text.splitlines()) if "transform = " in line]
    for at in chance.sample(numbered, 6):
        broken = text.splitlines()
        broken[at] = broken[at].replace("transform = ", 'transform = "wobble", was = ')
        found = errors(checked(tmp_path, "\n".join(broken), "ihub"))
        assert [line for line, _ in found] == [at + 1]


def test_nearest_gives_the_line_of_what_is_around() -> None:
    lines = lines_of("a = 1\n[b]\nc = [\n 1,\n { d = 2 },\n]\n")
    assert nearest(lines, ("b", "c", 1, "d")) == 5
    assert nearest(lines, ("b", "c", 1, "x", "y")) == 5
    assert nearest(lines, ("b", "z")) == 2
    assert nearest(lines, ("nothing",)) == 1


def test_what_check_loads_is_what_the_gateway_loads(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    found: Any = check(path).profile
    assert found.hash == load(path).hash
