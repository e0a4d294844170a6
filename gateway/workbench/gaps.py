"""What a profile that loads still leaves unsaid or undone: lines that never do anything, and needs nobody meets.

Each is a warning, but for what makes every document unreadable. A profile of a court feed has no victim, and says so
here; whether that is right the integrator knows.

Source: domain.md sections 1.3 (fields), 1.6 (grades), 4.4 (safe contact), 4.6 (consent), 4.7 (keys).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from adapters.socket import UnknownReader, reader
from gateway.workbench.lines import Place
from mappings.codemap import CODES, CodeMapInvalid, load_codemap
from mappings.record import Code, Part, Record, Role
from mappings.targets import PARTS, needed
from mappings.transforms import TRANSFORMS, Takes

Tree = dict[str, Any]
Gap = tuple[str, Place, str]
"""Severity, place in the tree, words."""

ERROR, WARNING = "error", "warning"

_EVENT: Mapping[str, str] = {
    "references[occurrence].value": "a repeat, or a later version, is recognised by it",
    "version": "a later version of a record is told from a repeat by it",
    "times": "when it happened",
    "area": "the agreement says which team works where",
    "marking": "what is secret, or handed over on conditions, must not go on by itself",
    "assessments": "the grade, with its instrument, assessor and age, sets the clock",
    "consents": "what the victim said about sharing",
    "statements[summary].text": "what happened",
    "relationships": "how victim and suspect are connected",
}
_VICTIM: Mapping[str, str] = {
    "names": "the adviser must know whom to ask for",
    "birth": "who is under age, and who is who",
    "contacts": "an adviser who cannot call cannot help",
}
_PARTS: Mapping[str, Mapping[str, str]] = {
    "Assessment": {
        "grade": "the grade sets the clock",
        "instrument": "a grade is read with its instrument",
        "at": "its age",
    },
    "Contact": {"safe": "unknown is unsafe: nobody will call", "value": "the number or address itself"},
}
_CODE = re.compile(get_args(Code)[1].pattern)


def gaps(tree: Tree, folder: Path) -> Iterator[Gap]:
    """The gaps of a profile's tree; one that does not load is looked at as far as it is built as one is.

    `folder` is where it lies, and code maps of its own beside it.
    """
    shapes = tree.get("shapes")
    if not isinstance(shapes, dict):
        return
    name = tree.get("adapter")
    try:
        reader(str(name))
    except UnknownReader as unknown:
        yield ERROR, ("adapter",), str(unknown)
    for shape, one in shapes.items():
        yield from _idle(shape, one, shapes)
    yield from _maps(shapes, folder)
    yield from _unmet(shapes)
    yield from _unmet_of_people(shapes)


def _idle(name: str, shape: Tree, shapes: Mapping[str, Tree]) -> Iterator[Gap]:
    """Lines of a shape that never do anything."""
    parts = {place for section in _listed(shape, "sections") for place in _places(section, "at")}
    roles = {role for one in shapes.values() for role in _roles(one, shapes)}
    for index, row in enumerate(_listed(shape, "rows")):
        here: Place = ("shapes", name, "rows", index)
        transform = TRANSFORMS.get(str(row.get("transform")))
        links = transform is not None and transform.takes is Takes.LINK
        for place in _places(row, "from"):
            if place in parts and not links:
                yield WARNING, (*here, "from"), f"a section reads parts at {place}, so this row finds nothing there"
        if links and row["transform"] in set(Role) and row["transform"] not in roles:
            yield WARNING, (*here, "transform"), f"no section reads people in the role {row['transform']}"
    for index, section in enumerate(_listed(shape, "sections")):
        inner = shapes.get(str(section.get("shape")), {})
        if not section.get("to") or inner.get("part") not in PARTS:
            continue
        part: type[Part] = PARTS[inner["part"]]
        given = {*_set(section), *(["ref"] if section.get("ref") else []), *_written(inner, shapes)}
        for leaf in sorted((needed(part) | set(_places(section, "needs"))) - given):
            words = f"nothing writes {leaf!r}, so each of these parts is left out"
            yield WARNING, ("shapes", name, "sections", index), words


def _maps(shapes: Mapping[str, Tree], folder: Path) -> Iterator[Gap]:
    """Codes that lead to what the leaf cannot hold: a document with one of them would not be readable."""
    known: dict[str, tuple[str, ...]] = {}
    for name, shape in shapes.items():
        for index, row in enumerate(_listed(shape, "rows")):
            wanted = row.get("map")
            if not isinstance(wanted, str):
                continue
            if wanted not in known:
                known[wanted] = _targets(folder, wanted)
            bad = sorted({code for code in known[wanted] if not _CODE.fullmatch(code)})
            if bad:
                words = f"{wanted} leads to {', '.join(map(repr, bad))}, which is no code of ours"
                yield WARNING, ("shapes", name, "rows", index, "map"), words


def _unmet(shapes: Mapping[str, Tree]) -> Iterator[Gap]:
    """What a usable referral needs of the event and its parts, and no row writes."""
    event: set[str] = set()
    for name, shape in shapes.items():
        if shape.get("part") == Record.__name__:
            written = _written(shape, shapes, whole=True)
            event |= written | _heads({text for text in written if "[" not in text})
        said = _written(shape, shapes)
        for leaf, why in _PARTS.get(str(shape.get("part")), {}).items():
            if leaf not in said:
                yield WARNING, ("shapes", name), f"nothing writes {leaf!r}: {why}"
    if "kind" not in event:
        yield ERROR, ("root",), "nothing writes 'kind': every document would be unreadable"
    for leaf, why in _EVENT.items():
        if leaf not in event:
            yield WARNING, ("root",), f"nothing writes {leaf!r}: {why}"


def _unmet_of_people(shapes: Mapping[str, Tree]) -> Iterator[Gap]:
    """What a usable referral needs of the people, and no row writes."""
    roles = {role: shape for one in shapes.values() for role, shape in _roles(one, shapes).items()}
    if Role.VICTIM not in roles:
        yield WARNING, ("root",), "nobody is read as the victim, so every record waits for a human"
        return
    if Role.SUSPECT not in roles:
        yield WARNING, ("root",), "nobody is read as the suspect"
    victim = roles[Role.VICTIM]
    said = _written(shapes[victim], shapes)
    for leaf, why in _VICTIM.items():
        if leaf not in said:
            yield WARNING, ("shapes", victim), f"nothing writes {leaf!r} of the victim: {why}"


def _written(shape: Tree, shapes: Mapping[str, Tree], *, whole: bool = False) -> set[str]:
    """The leaves and parts that a shape writes; `whole` gives targets as the file says them."""
    found = {str(row.get("to")) for row in _listed(shape, "rows")} | set(_set(shape))
    for section in _listed(shape, "sections"):
        if section.get("to"):
            found.add(str(section["to"]))
        else:
            found |= _written(shapes.get(str(section.get("shape")), {}), shapes, whole=True)
    return found if whole else _heads(found)


def _heads(targets: set[str]) -> set[str]:
    return {re.split(r"[.\[]", text, maxsplit=1)[0] for text in targets}


def _roles(shape: Tree, shapes: Mapping[str, Tree]) -> dict[str, str]:
    """The roles people are read in by the sections of a shape, each with the shape that reads them.

    A person's shape that writes the role by itself can read any of them.
    """
    found: dict[str, str] = {}
    for section in _listed(shape, "sections"):
        inner = str(section.get("shape"))
        if section.get("to") != "people" or inner not in shapes:
            continue
        said = _set(section).get("role")
        roles = [str(said)] if said else [str(role) for role in Role]
        found |= dict.fromkeys(roles, inner)
    return found


def _listed(shape: object, kind: str) -> list[Tree]:
    listed = shape.get(kind) if isinstance(shape, dict) else None
    return [one if isinstance(one, dict) else {} for one in listed] if isinstance(listed, list) else []


def _set(section: Tree) -> Tree:
    constants = section.get("set", {})
    return constants if isinstance(constants, dict) else {}


def _places(row: Tree, key: str) -> list[str]:
    value = row.get(key, [])
    return [value] if isinstance(value, str) else [str(one) for one in value] if isinstance(value, list) else []


def _targets(folder: Path, name: str) -> tuple[str, ...]:
    beside = folder / f"{name}.json"
    try:
        return tuple(load_codemap(beside if beside.is_file() else CODES / f"{name}.json").codes.values())
    except (OSError, CodeMapInvalid):  # the loader has said so
        return ()
