"""A profile file, TOML, read strictly and compiled into shapes.

Refused, with the file and the key named: an unknown key, a missing one, an unknown transform or map, a target the
schema does not have or of another kind, a target or a place written twice, a map or shape that nothing uses, a shape
that contains itself, an empty list. A profile that loads is one whose every line does something.

A file is called `NAME.toml`, or `NAME@VERSION.toml` where it says its version. Its code maps lie beside it or, where
there is none of that name, among those that ship.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from mappings.claims import Claim, Claims
from mappings.codemap import CODES, CodeMap, CodeMapInvalid, fold, load_codemap
from mappings.links import Link, link
from mappings.markup import PLAIN, Markup, markup
from mappings.record import Part
from mappings.rows import Built, Need, Row, every, one
from mappings.shape import Place, Section, Shape, Table
from mappings.tables import Tables, tables
from mappings.targets import PARTS, Target, TargetInvalid, checked, needed, part_class, target
from mappings.transforms import TRANSFORMS, Takes, Transform

_TOP = {"name", "title", "adapter", "standard", "date", "root", "identity", "maps", "shapes"}
_MAY = {"maps", "version", "valid_from", "valid_until", "xml", "csv", "links"}
_SHAPE = {"part", "set", "rows", "sections", "ignore", "keyed"}
_ROW = {"from", "to", "transform", "required", "map"}
_SECTION = {"at", "to", "shape", "set", "ref", "needs", "unreached", "required"}
_IGNORE = {"from", "reason"}
_STEP = re.compile(r"@?(?:[A-Za-z_][A-Za-z0-9_-]*:)?[A-Za-z_][A-Za-z0-9_-]*|#text")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,15}", re.ASCII)
_ONE_OF = re.compile(r"([^\[\]=]+)\[(?:([^\[\]=]+)=)?([^\[\]=]+)\]")
_CLAIMS = {Takes.LIST: Claim.LIST, Takes.LINK: Claim.PARTS, Takes.LINKS: Claim.PARTS}


Foreign = Any
"""What a TOML document may hold; every function looks before it uses it."""


class ProfileInvalid(Exception):
    """A profile that does not load. The text names the file and the key."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A profile file at work: who it is, when it is valid, what it was made from, and its outermost shape."""

    name: str
    version: str
    title: str
    adapter: str
    valid_from: date | None
    valid_until: date | None
    hash: str
    files: Mapping[str, str]
    shape: Shape
    identity: tuple[str, ...]
    markup: Markup
    links: tuple[Link, ...]
    tables: Tables | None


def compiled(path: Path, tree: dict[str, Any] | None = None) -> Compiled:
    """Load and compile one file; `tree` stands for what it holds where a checker cut out what did not load.

    Raises `ProfileInvalid`.
    """
    body = path.read_bytes()
    try:
        return _Compiler(path, body, tomllib.loads(body.decode("utf-8")) if tree is None else tree).whole()
    except (ValueError, TargetInvalid, CodeMapInvalid) as exc:
        raise ProfileInvalid(f"{path.name}: {exc}") from exc


class _Compiler:
    """One file being compiled. `open` are the shapes being compiled now, outermost first."""

    def __init__(self, path: Path, body: bytes, tree: dict[str, Any]) -> None:
        self.path, self.body, self.tree = path, body, tree
        self.maps: dict[str, CodeMap] = {}
        self.used_maps: set[str] = set()
        self.done: dict[str, Shape] = {}
        self.targets: dict[str, frozenset[str]] = {}
        self.open: list[str] = []

    def whole(self) -> Compiled:
        tree = self.tree
        _keys("", tree, _TOP | _MAY, _TOP - {"maps"})
        version = self._called()
        begins, ends = (_day(key, tree[key]) if key in tree else None for key in ("valid_from", "valid_until"))
        if begins and ends and ends < begins:
            raise ValueError("valid_until: before valid_from")
        for key in _strings("maps", tree["maps"]) if "maps" in tree else ():
            self.maps[key] = self._codemap(key)
        shape = self._shape(_string("root", tree["root"]))
        for name in tree["shapes"].keys() - self.done.keys():
            raise ValueError(f"shapes.{name}: nothing uses it")
        for name in self.maps.keys() - self.used_maps:
            raise ValueError(f"maps: nothing uses {name!r}")
        files = {self.path.name: hashlib.sha256(self.body).hexdigest()}
        files |= {f"{name}.json": codemap.hash for name, codemap in sorted(self.maps.items())}
        listing = "".join(f"{digest}  {name}\n" for name, digest in files.items())
        digest = hashlib.sha256(listing.encode()).hexdigest()
        return Compiled(
            tree["name"],
            version,
            tree["title"],
            tree["adapter"],
            begins,
            ends,
            digest,
            MappingProxyType(files),
            shape,
            tuple(tree["identity"]),
            self._markup(),
            self._links(),
            self._tables(),
        )

    def _tables(self) -> Tables | None:
        """What a profile for delimited text says of its files; one for another format says nothing of them."""
        if ("csv" in self.tree) != (self.tree["adapter"] == "police.csv"):
            raise ValueError("csv: given where the adapter is police.csv, and nowhere else")
        return tables(self.tree["csv"]) if "csv" in self.tree else None

    def _links(self) -> tuple[Link, ...]:
        """The rules for values that name a part of the document."""
        found = []
        for i, rule in enumerate(_some("links", self.tree["links"]) if "links" in self.tree else ()):
            try:
                found.append(link(rule, _steps))
            except ValueError as exc:
                raise ValueError(f"links[{i}].{exc}") from None
        return tuple(found)

    def _markup(self) -> Markup:
        claims = [shape.claims for shape in self.done.values()]
        sections = [section for shape in self.done.values() for _, section in shape.sections]
        claims += [place.claims for section in sections for place in section.places if place.claims is not None]
        return markup(self.tree["xml"], self.tree["identity"], claims) if "xml" in self.tree else PLAIN

    def _called(self) -> str:
        """The version, "" where none is said; the file is called after the name and the version."""
        name = self.tree["name"]
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError("name: small letters, digits and hyphens, at most 32")
        version = self.tree.get("version", "")
        if "version" in self.tree and not (isinstance(version, str) and _VERSION.fullmatch(version)):
            raise ValueError("version: letters, digits, full stops and hyphens, at most 16")
        if self.path.stem != (f"{name}@{version}" if version else name):
            raise ValueError("name: not the name of the file, or the file is not called NAME@VERSION")
        return str(version)

    def _codemap(self, key: str) -> CodeMap:
        """A code map by name: the one beside the profile, or one that ships."""
        if not _NAME.fullmatch(key):
            raise ValueError("maps: small letters, digits and hyphens, at most 32")
        beside, shipped = self.path.parent / f"{key}.json", CODES / f"{key}.json"
        if not beside.is_file() and not shipped.is_file():
            raise ValueError(f"maps: there is no {key!r}")
        return load_codemap(beside if beside.is_file() else shipped)

    def _shape(self, name: str) -> Shape:
        if name in self.done:
            return self.done[name]
        where = f"shapes.{name}"
        if name in self.open:
            raise ValueError(f"{where}: contains itself")
        if name not in self.tree["shapes"]:
            raise ValueError(f"{where}: there is none")
        tree = self.tree["shapes"][name]
        _keys(where, tree, _SHAPE, {"part"})
        if tree["part"] not in PARTS:
            raise ValueError(f"{where}.part: the record has no such part")
        self.open.append(name)
        part = PARTS[tree["part"]]
        claims = Claims()
        for key in _strings("identity", self.tree["identity"]):
            claims.add((key,), Claim.SCALAR)
        keyed = dict(tree.get("keyed", {}))
        rows = [
            self._row(f"{where}.rows[{i}]", part, row, keyed, claims)
            for i, row in enumerate(_some(f"{where}.rows", tree["rows"]) if "rows" in tree else ())
        ]
        sections = [
            self._section(f"{where}.sections[{i}]", part, section, claims)
            for i, section in enumerate(_some(f"{where}.sections", tree["sections"]) if "sections" in tree else ())
        ]
        for i, ignored in enumerate(_some(f"{where}.ignore", tree["ignore"]) if "ignore" in tree else ()):
            _keys(f"{where}.ignore[{i}]", ignored, _IGNORE, _IGNORE)
            _string(f"{where}.ignore[{i}].reason", ignored["reason"])
            _unclaimed(f"{where}.ignore[{i}]", claims, _steps(f"{where}.ignore[{i}].from", ignored["from"]))
        self.open.pop()
        shape = Shape(
            name,
            part,
            _table(rows),
            tuple(every(r) for r in rows if not r.plain),
            tuple((s.probe, s) for s in sections),
            claims,
            {leaf: _checked(f"{where}.set", part, leaf, value) for leaf, value in tree.get("set", {}).items()},
        )
        self._targets(where, name, rows, sections)
        for leaf in shape.constants.keys() & self.targets[name]:
            raise ValueError(f"{where}.set: {leaf!r} is written by a row")
        for key in keyed.keys() - {f"{r.target.part}[{r.target.word}]" for r in rows}:
            raise ValueError(f"{where}.keyed: no row writes {key!r}")
        self.done[name] = shape
        return shape

    def _targets(self, where: str, name: str, rows: list[Row], sections: list[Section]) -> None:
        """A leaf is written by one row, those of shapes that only say more of the same part included."""
        found: set[str] = set()
        more = [text for section in sections if not section.to for text in self.targets[section.shape.name]]
        for text in [*(row.target.text for row in rows), *more]:
            if text in found:
                raise ValueError(f"{where}: {text!r} is written twice")
            found.add(text)
        self.targets[name] = frozenset(found)

    def _row(self, where: str, part: type[Part], row: Foreign, keyed: dict[str, Any], claims: Claims) -> Row:
        _keys(where, row, _ROW, {"from", "to", "transform"})
        if row["transform"] not in TRANSFORMS:
            raise ValueError(f"{where}.transform: there is no {row['transform']!r}")
        transform = TRANSFORMS[row["transform"]]
        aim = _target(where, part, row["to"])
        if transform.gives not in aim.accepts:
            raise ValueError(f"{where}.to: {aim.text!r} does not hold a {transform.gives.value}")
        need = {False: "no", True: "yes"}.get(row.get("required", False), row.get("required", False))
        if need not in get_args(Need):
            raise ValueError(f"{where}.required: true, false or when-present")
        places = tuple(_steps(f"{where}.from", place) for place in _one_or_more(f"{where}.from", row["from"]))
        for steps in places:
            claims.add(steps, _CLAIMS.get(transform.takes, Claim.SCALAR))
        inner = keyed.get(f"{aim.part}[{aim.word}]", {})
        constants = {k: _constant(where, part, aim, k, v) for k, v in inner.items()}
        run = self._run(where, transform, aim, row.get("map"))
        trusted = transform.maps and not transform.keeps
        return Row(places, run, transform.takes, aim, need, constants, trusted)

    def _run(self, where: str, transform: Transform, aim: Target, name: str | None) -> Callable[..., object]:
        if not transform.maps:
            if name is not None:
                raise ValueError(f"{where}.map: the transform wants none")
            return transform.run
        if name is None or name not in self.maps:
            raise ValueError(f"{where}.map: not one of the maps")
        self.used_maps.add(name)
        codes = self.maps[name].codes
        if aim.check is not None:
            for code in codes.values():
                try:
                    aim.check(code)
                except ValueError:
                    raise ValueError(f"{where}.map: {aim.text!r} does not hold {code!r}") from None
        made: Callable[..., object] = transform.run(codes)
        return made

    def _section(self, where: str, part: type[Part], section: Foreign, claims: Claims) -> Section:
        _keys(where, section, _SECTION, {"at", "shape"})
        shape = self._shape(_string(f"{where}.shape", section["shape"]))
        to = section.get("to", "")
        if to not in {"", *part.model_fields}:
            raise ValueError(f"{where}.to: {part.__name__} has no {to!r}")
        inner, many = part_class(part.model_fields[to]) if to else (part, False)
        if shape.part is not inner:
            raise ValueError(f"{where}.shape: builds a {shape.part.__name__}, which does not belong here")
        constants: Built = {k: _checked(f"{where}.set", inner, k, v) for k, v in section.get("set", {}).items()}
        for leaf in constants.keys() & (self.targets[shape.name] | shape.constants.keys()):
            raise ValueError(f"{where}.set: {leaf!r} is written by a row")
        if constants and not to:
            raise ValueError(f"{where}.set: what is said of the part around it stands in its shape")
        ref = section.get("ref", "")
        if bool(ref) != ("ref" in inner.model_fields and bool(to)):
            raise ValueError(f"{where}.ref: given exactly where the part has a reference")
        if ref:
            _checked(f"{where}.ref", inner, "ref", f"{ref}-1")
        needs = set(_strings(f"{where}.needs", section["needs"])) if "needs" in section else set()
        for leaf in needs - inner.model_fields.keys():
            raise ValueError(f"{where}.needs: {inner.__name__} has no {leaf!r}")
        if to:
            needs |= needed(inner)
        places = [_place(f"{where}.at", place, claims) for place in _one_or_more(f"{where}.at", section["at"])]
        switches = [_switch(f"{where}.{key}", section.get(key, False)) for key in ("unreached", "required")]
        return Section(tuple(places), shape, to, many, constants, ref, frozenset(needs), *switches)


def _table(rows: list[Row]) -> Table:
    """The plain rows by the key they read, nested as the document is."""
    table: Table = {}
    for row in rows:
        if not row.plain:
            continue
        *before, last = row.places[0]
        here = table
        for step in before:
            there, below = here.get(step, ((), None))
            below = {} if below is None else below
            here[step] = (there, below)
            here = below
        there, below = here.get(last, ((), None))
        here[last] = ((*there, one(row, row.places[0])), below)
    return table


def _place(where: str, place: str, claims: Claims) -> Place:
    """Where a section looks: `persons`, `persons[victim]` by the type, `persons[@role=VIC]` by what a leaf says.

    A full stop alone is the part itself.
    """
    if place == ".":
        return Place("", (), "")
    among = _ONE_OF.fullmatch(place)
    steps = _steps(where, among[1] if among else place)
    claims.add(steps, Claim.PARTS)
    if among is None:
        return Place(steps[0], steps[1:], ".".join(steps))
    key = _steps(where, among[2] or "type")
    read = None  # the type is what identifies a part, which every shape claims
    if among[2]:
        read = Claims()
        read.add(key, Claim.SCALAR)
    return Place(steps[0], steps[1:], ".".join(steps), key, fold(_string(where, among[3])), read)


def _steps(where: str, place: Foreign) -> tuple[str, ...]:
    steps = tuple(_string(where, place).split("."))
    if not all(_STEP.fullmatch(step) for step in steps):
        raise ValueError(f"{where}: steps are names with dots between them")
    return steps


def _unclaimed(where: str, claims: Claims, steps: tuple[str, ...]) -> None:
    here: Any = claims
    for step in steps:
        if here in (Claim.SCALAR, Claim.LIST):  # a row that reads a text reads nothing beside it
            here = None
        here = here.get(step) if isinstance(here, dict) else here
    if here is not None:
        raise ValueError(f"{where}.from: a row or section reads there")
    claims.add(steps, Claim.IGNORED)


def _constant(where: str, part: type[Part], aim: Target, leaf: str, value: Foreign) -> object:
    inner, _ = part_class(part.model_fields[aim.part])
    if inner is None:
        raise ValueError(f"{where}: {aim.part!r} holds no parts")
    return _checked(where, inner, leaf, value)


def _checked(where: str, part: type[Part], leaf: str, value: Foreign) -> object:
    try:
        return checked(part, leaf, value)
    except TargetInvalid as exc:
        raise ValueError(f"{where}: {exc}") from None


def _target(where: str, part: type[Part], text: Foreign) -> Target:
    try:
        return target(part, _string(f"{where}.to", text))
    except TargetInvalid as exc:
        raise ValueError(f"{where}.to: {exc}") from None


def _keys(where: str, value: Foreign, allowed: set[str], required: set[str]) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{where or 'top'}: not a table")  # noqa: TRY004 - what is invalid is the file
    for key in value.keys() - allowed:
        raise ValueError(f"{where}.{key}: unknown key".lstrip("."))
    for key in sorted(required - value.keys()):
        raise ValueError(f"{where}.{key}: missing".lstrip("."))


def _string(where: str, value: Foreign) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: not text, or blank")
    return value


def _some(where: str, value: Foreign) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{where}: not a list, or an empty one")
    return value


def _day(where: str, value: Foreign) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"{where}: not a day, as in 2026-04-01 without quotes")  # noqa: TRY004 - as above
    return value


def _switch(where: str, value: Foreign) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{where}: true or false")  # noqa: TRY004 - as above
    return value


def _strings(where: str, value: Foreign) -> list[str]:
    found = [_string(where, v) for v in _some(where, value)]
    if len(set(found)) != len(found):
        raise ValueError(f"{where}: the same twice")
    return found


def _one_or_more(where: str, value: Foreign) -> list[str]:
    return [_string(where, value)] if isinstance(value, str) else _strings(where, value)
