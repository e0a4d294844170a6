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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mappings.claims import Claim, Claims
from mappings.codemap import CODES, CodeMap, CodeMapInvalid, load_codemap
from mappings.links import Link, link
from mappings.markup import PLAIN, Markup, markup
from mappings.places import ignored, looked_at, steps
from mappings.record import Part
from mappings.rowfile import compiled_row, constant
from mappings.rows import Built, Row, every, one
from mappings.shape import Section, Shape, Table
from mappings.strict import Foreign, day, keys, one_or_more, some, string, strings, switch, table
from mappings.tables import Tables, tables
from mappings.targets import PARTS, TargetInvalid, needed, part_class
from mappings.transforms import Takes

_TOP = {"name", "title", "adapter", "standard", "date", "root", "identity", "maps", "shapes"}
_MAY = {"maps", "version", "valid_from", "valid_until", "xml", "csv", "links"}
_SHAPE = {"part", "set", "rows", "sections", "ignore", "keyed"}
_SECTION = {"at", "to", "shape", "set", "ref", "needs", "unreached", "required"}
_IGNORE = {"from", "reason"}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,15}", re.ASCII)
_CLAIMS = {Takes.LIST: Claim.LIST, Takes.LINK: Claim.PARTS, Takes.LINKS: Claim.PARTS}


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
        keys("", tree, _TOP | _MAY, _TOP - {"maps"})
        for key in ("title", "adapter", "standard"):
            string(key, tree[key])
        if not isinstance(tree["date"], date):
            string("date", tree["date"])
        table("shapes", tree["shapes"])
        version = self._called()
        begins, ends = (day(key, tree[key]) if key in tree else None for key in ("valid_from", "valid_until"))
        if begins and ends and ends < begins:
            raise ValueError("valid_until: before valid_from")
        for key in strings("maps", tree["maps"]) if "maps" in tree else ():
            self.maps[key] = self._codemap(key)
        shape = self._shape(string("root", tree["root"]))
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
        for i, rule in enumerate(some("links", self.tree["links"]) if "links" in self.tree else ()):
            try:
                found.append(link(rule, steps))
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
        keys(where, tree, _SHAPE, {"part"})
        if string(f"{where}.part", tree["part"]) not in PARTS:
            raise ValueError(f"{where}.part: the record has no such part")
        self.open.append(name)
        part = PARTS[tree["part"]]
        claims = Claims()
        for key in strings("identity", self.tree["identity"]):
            claims.add((key,), Claim.SCALAR)
        keyed = {
            key: table(f"{where}.keyed.{key}", one)
            for key, one in table(f"{where}.keyed", tree.get("keyed", {})).items()
        }
        rows = [
            self._row(f"{where}.rows[{i}]", part, row, keyed, claims)
            for i, row in enumerate(some(f"{where}.rows", tree["rows"]) if "rows" in tree else ())
        ]
        sections = [
            self._section(f"{where}.sections[{i}]", part, section, claims)
            for i, section in enumerate(some(f"{where}.sections", tree["sections"]) if "sections" in tree else ())
        ]
        for i, said in enumerate(some(f"{where}.ignore", tree["ignore"]) if "ignore" in tree else ()):
            keys(f"{where}.ignore[{i}]", said, _IGNORE, _IGNORE)
            string(f"{where}.ignore[{i}].reason", said["reason"])
            ignored(f"{where}.ignore[{i}]", said["from"], claims)
        self.open.pop()
        shape = Shape(
            name,
            part,
            _table(rows),
            tuple(every(r) for r in rows if not r.plain),
            tuple((s.probe, s) for s in sections),
            claims,
            {leaf: constant(f"{where}.set", part, leaf, value) for leaf, value in self._set(where, tree)},
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

    def _row(self, where: str, part: type[Part], row: Foreign, keyed: Mapping[str, Built], claims: Claims) -> Row:
        made = compiled_row(where, part, row, keyed, self.maps)
        if "map" in row:
            self.used_maps.add(row["map"])
        for place in made.places:
            claims.add(place, _CLAIMS.get(made.takes, Claim.SCALAR))
        return made

    def _section(self, where: str, part: type[Part], section: Foreign, claims: Claims) -> Section:
        keys(where, section, _SECTION, {"at", "shape"})
        shape = self._shape(string(f"{where}.shape", section["shape"]))
        to = section.get("to", "")
        if to != "":
            string(f"{where}.to", to)
        if to not in {"", *part.model_fields}:
            raise ValueError(f"{where}.to: {part.__name__} has no {to!r}")
        inner, many = part_class(part.model_fields[to]) if to else (part, False)
        if shape.part is not inner:
            raise ValueError(f"{where}.shape: builds a {shape.part.__name__}, which does not belong here")
        constants: Built = {k: constant(f"{where}.set", inner, k, v) for k, v in self._set(where, section)}
        for leaf in constants.keys() & (self.targets[shape.name] | shape.constants.keys()):
            raise ValueError(f"{where}.set: {leaf!r} is written by a row")
        if constants and not to:
            raise ValueError(f"{where}.set: what is said of the part around it stands in its shape")
        ref = section.get("ref", "")
        if bool(ref) != ("ref" in inner.model_fields and bool(to)):
            raise ValueError(f"{where}.ref: given exactly where the part has a reference")
        if ref:
            constant(f"{where}.ref", inner, "ref", f"{string(f'{where}.ref', ref)}-1")
        needs = set(strings(f"{where}.needs", section["needs"])) if "needs" in section else set()
        for leaf in needs - inner.model_fields.keys():
            raise ValueError(f"{where}.needs: {inner.__name__} has no {leaf!r}")
        if to:
            needs |= needed(inner)
        places = [looked_at(f"{where}.at", place, claims) for place in one_or_more(f"{where}.at", section["at"])]
        switches = [switch(f"{where}.{key}", section.get(key, False)) for key in ("unreached", "required")]
        return Section(tuple(places), shape, to, many, constants, ref, frozenset(needs), *switches)

    @staticmethod
    def _set(where: str, tree: dict[str, Any]) -> Iterable[tuple[str, Foreign]]:
        return table(f"{where}.set", tree.get("set", {})).items()


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
