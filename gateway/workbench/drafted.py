"""A draft as the text of a profile file (TOML), with a comment at each row on how sure it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date

from gateway.workbench.draft import Draft, Proposal, unmapped
from gateway.workbench.reading import Drawn
from gateway.workbench.walking import Drafted, Within
from mappings.tables import DELIMITERS, File

_KINDS = {"statements[intelligence]": "assessment", "statements[covert]": "fact"}
"""What a statement is that is no allegation (domain.md section 5.2, point 9)."""

SURE = 0.85
"""The score below which a person is told to look at a row again."""


def text_of(draft: Draft, name: str, today: date) -> str:
    """The file's text; `name` is what the profile, and the file, is called."""
    return "\n".join(_lines(draft, name, today)) + "\n"


def _lines(draft: Draft, name: str, today: date) -> Iterator[str]:
    drawn = draft.drawn
    yield "# Drafted from one sample by names and values. A guess, row by row: finish it before it is used."
    yield f"# Each row ends with how sure it is, of 1; below {SURE} look at it again. `gateway mapping check` says what"
    yield "# is missing, `gateway mapping try` what becomes of a sample."
    yield ""
    yield f"name = {_text(name)}"
    yield f"title = {_text(f'{name}, drafted from a sample')}"
    yield f"adapter = {_text(drawn.adapter)}"
    yield 'standard = "none is known"  # decide: who publishes this format, and where'
    yield f'date = "{today.isoformat()}"'
    yield f"root = {_text(draft.shapes[0][0].name)}"
    yield f"identity = {_list(_identity(drawn))}"
    maps = sorted({row.word.map for _, rows in draft.shapes for row in rows if row.word.map})
    if maps:
        yield f"maps = {_list(maps)}"
    yield from _format(draft)
    for shape, rows in draft.shapes:
        yield ""
        yield from _shape(draft, shape, rows)


def _used(draft: Draft) -> Iterator[tuple[str, str]]:
    """The namespaces that a path of the draft goes through: one that nothing uses does not load."""
    places = [place for _, rows in draft.shapes for row in rows for place in row.places]
    places += [place for shape, _ in draft.shapes for place, _, _ in shape.links]
    places += [place for shape, _ in draft.shapes for section in shape.sections for place in section.places]
    steps = {
        step for place in (*places, *draft.drawn.refs, *draft.drawn.identity) for step in re.split(r"[.\[\]=]", place)
    }
    for prefix, uri in draft.drawn.namespaces.items():
        if any(step.lstrip("@").startswith(f"{prefix}:") if prefix else ":" not in step for step in steps):
            yield prefix, uri


def _identity(drawn: Drawn) -> list[str]:
    if drawn.identity:
        return list(drawn.identity)
    if drawn.adapter == "police.json":
        return ["id", "type"]
    return sorted({link.key for link in drawn.links}) or ["id"]


def _format(draft: Draft) -> Iterator[str]:
    """What the adapter must be told of the format."""
    drawn = draft.drawn
    if drawn.links:
        yield "links = ["
        for one in drawn.links:
            source, target = ".".join(one.source), ".".join((*one.target, one.key))
            yield f"  {{ from = {_text(source)}, to = {_text(target)} }},"
        yield "]"
    if drawn.namespaces:
        yield "\n[xml.namespaces]"
        yield from (f"{_text(prefix)} = {_text(uri)}" for prefix, uri in _used(draft))
    if drawn.refs:
        yield "\n[xml.refs]"
        yield from (f"{_text(name)} = {_text(element)}" for name, element in drawn.refs.items())
    if drawn.tables is not None:
        delimiter = next(word for word, sign in DELIMITERS.items() if sign == drawn.tables.delimiter)
        yield f'\n[csv]\nincident = "{drawn.tables.incident.name}"\ncharset = "windows-1252"\ndelimiter = "{delimiter}"'
        for file in drawn.tables.files.values():
            yield from _file(file)
        yield from (
            f"# not mapped: the file {_text(name)}: nothing shows what its rows belong to" for name in drawn.apart
        )


def _file(file: File) -> Iterator[str]:
    """One file of an export, and how its rows belong to others."""
    here = f"csv.files.{file.name}"
    yield f"\n[{here}]"
    if file.id:
        yield f"id = {_text(file.id)}"
    if file.of:
        yield f"of = {_text(file.of)}\nkey = {_text(file.key)}"
    if file.links:
        links = ", ".join(f"{_text(column)} = {_text(to)}" for column, to in file.links.items())
        yield f"links = {{ {links} }}"
    if file.roles is not None:
        yield f"[{here}.roles]\ncolumn = {_text(file.roles.column)}"
        for role in dict.fromkeys(file.roles.words.values()):
            yield f"{role} = {_list([word for word, one in file.roles.words.items() if one == role])}"
    if file.groups:
        yield f"[{here}.groups]"
        yield from (f"{_text(start)} = {_text(group)}" for start, group in file.groups)


def _shape(draft: Draft, shape: Drafted, rows: Sequence[Proposal]) -> Iterator[str]:
    yield f"[shapes.{shape.name}]"
    yield f"part = {_text(shape.part)}"
    if shape is draft.shapes[0][0] and not draft.has_kind:
        yield 'set = { kind = "incident" }  # decide: nothing in the sample says what kind of record it is'
    if rows or shape.links:
        yield "rows = ["
        for row in rows:
            yield f"  {_row(row)},  # {_sure(row)}"
        for place, target, transform in shape.links:
            yield f"  {{ from = {_text(place)}, to = {_text(target)}, transform = {_text(transform)} }},"
        yield "]"
    keyed = [f"{_text(one)} = {{ kind = {_text(_KINDS[one])} }}" for one in _KINDS if _writes(rows, one)]
    if keyed:
        yield f"keyed = {{ {', '.join(keyed)} }}"
    if shape.sections:
        yield "sections = ["
        yield from (f"  {_section(one)}," for one in shape.sections)
        yield "]"
    yield from (f"# decide: {one}" for one in shape.decide)
    yield from (f"# not mapped: {one}" for one in (*unmapped(shape, rows), *shape.unread))


def _writes(rows: Sequence[Proposal], part: str) -> bool:
    return any(row.word.target.startswith(f"{part}.") for row in rows)


def _row(row: Proposal) -> str:
    places = _text(row.places[0]) if len(row.places) == 1 else _list(row.places)
    said = [f"from = {places}", f"to = {_text(row.word.target)}", f"transform = {_text(row.word.transform)}"]
    if row.word.map:
        said.append(f"map = {_text(row.word.map)}")
    if row.word.required:
        said.append("required = true" if row.word.required == "true" else f"required = {_text(row.word.required)}")
    return f"{{ {', '.join(said)} }}"


def _sure(row: Proposal) -> str:
    words = f"{row.score:.2f}"
    if row.score < SURE:
        words += "; decide: is it this"
    if row.known < 1:
        words += f"; decide: the map knows {row.known:.0%} of the sample's codes"
    return words


def _section(one: Within) -> str:
    at = _text(one.places[0]) if len(one.places) == 1 else _list(one.places)
    said = [f"at = {at}", *([f"to = {_text(one.to)}"] if one.to else []), f"shape = {_text(one.shape.name)}"]
    if one.constants:
        said.append("set = { " + ", ".join(f"{key} = {_text(value)}" for key, value in one.constants.items()) + " }")
    if one.ref:
        said.append(f"ref = {_text(one.ref)}")
    if one.shape.part == "Contact":
        said.append('needs = ["value"]')
    if one.shape.kind == "Address" and one.places == ["."]:
        said.append('needs = ["lines"]')
    if one.shape.part == "Answer":
        said.append('needs = ["reply"]')
    if one.unreached:
        said.append("unreached = true")
    return f"{{ {', '.join(said)} }}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(_text(one) for one in values)}]"
