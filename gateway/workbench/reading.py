"""A sample as the neutral tree its adapter makes, without a profile: what a draft is drawn from.

The adapter is given a profile that reads nothing and hands over the tree. Which adapter it is, is seen from the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lxml import etree

from adapters.batch import Broken, splitter
from adapters.socket import Limits, Unreadable, reader
from adapters.strictjson import parse
from gateway.workbench.naming import words_of
from gateway.workbench.related import related, unrelated
from gateway.workbench.vocabulary import PARTS, ROLES
from mappings.claims import Claims
from mappings.links import Link
from mappings.markup import XML_NAMESPACE, Markup
from mappings.profile import Profile
from mappings.reading import Reading
from mappings.record import Record, RecordKind
from mappings.shape import Shape
from mappings.tables import DELIMITERS, File, Tables
from mappings.tree import Trail, Value

Tree = dict[str, Value]


class NotDrafted(Exception):
    """A sample that no profile can be drafted from. The text is for the integrator."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample's tree, the adapter that made it, and what the profile must say for the adapter to make it again.

    `apart` are files of an export that nothing shows to belong to the others.
    """

    tree: Tree
    adapter: str
    links: tuple[Link, ...] = ()
    namespaces: Mapping[str, str] = field(default_factory=dict)
    tables: Tables | None = None
    refs: Mapping[str, str] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


def drawn(file: Path) -> Drawn:
    """Read a sample. Raises NotDrafted, `Unreadable`, OSError."""
    body = file.read_bytes()
    suffix = file.suffix.lower()
    if suffix == ".zip":
        return _from_export(body)
    if suffix in {".csv", ".txt"}:
        tables = _tables(body)
        first = _first(body, "text/csv", "police.csv", tables)
        return Drawn(_heard(first, "police.csv", tables=tables), "police.csv", tables=tables)
    if suffix in {".ndjson", ".jsonl"}:
        body = _first(body, "application/x-ndjson", "police.plain")
    if suffix == ".xml" or body.lstrip().startswith(b"<"):
        return _from_xml(body)
    whole = parse(body, Limits())
    data = whole.get("data")
    if isinstance(data, dict) and ("included" in whole or "jsonapi" in whole or "attributes" in data):
        return Drawn(_heard(body, "police.json"), "police.json")
    links = _links(whole)
    return Drawn(_heard(body, "police.plain", links=links), "police.plain", links=links)


@dataclass(frozen=True, slots=True)
class _Ear(Profile):
    """A profile that reads nothing and keeps the tree it is given."""

    heard: list[Tree] = field(default_factory=list)

    def apply(self, root: Tree, notes: tuple[tuple[Trail, str], ...] = ()) -> Reading:
        """Keep the tree; `notes` are of no use here."""
        del notes
        self.heard.append(root)
        return Reading(Record(kind=RecordKind.INCIDENT), (), 0, 0, 0, root)


def _heard(body: bytes, adapter: str, **said: Any) -> Tree:  # noqa: ANN401 - what a profile says of its format
    """The tree that an adapter makes of a document. Raises `Unreadable`."""
    ear = _ear(adapter, **said)
    reader(adapter).read(body, ear, Limits())
    return ear.heard[0]


def _first(body: bytes, media_type: str, adapter: str, tables: Tables | None = None) -> bytes:
    """The first document of a batch. Raises NotDrafted, `Unreadable`."""
    cutter = splitter(media_type, _ear(adapter, tables=tables), Limits())
    for part in (*cutter.feed(body), *cutter.close()):
        if isinstance(part, Broken):
            raise Unreadable(part.problem)
        return part.body
    raise NotDrafted("there is no document in it")


def _ear(adapter: str, **said: Any) -> _Ear:  # noqa: ANN401 - as above
    return _Ear("ear", "ear", adapter, "", {}, Shape("nothing", Record, {}, (), (), Claims()), **said)


def _from_export(body: bytes) -> Drawn:
    """Related files in a zip, by the first incident of them."""
    tables = related(body)
    if tables is None:
        raise NotDrafted("no file has a column that the others name their incident by: begin with `connect.toml`")
    first = _first(body, "application/zip", "police.csv", tables)
    identity = tuple(sorted({file.id for file in tables.files.values() if file.id}))
    tree = _heard(first, "police.csv", tables=tables, identity=identity)
    return Drawn(tree, "police.csv", identity=identity, tables=tables, apart=tuple(unrelated(body, tables)))


def _from_xml(body: bytes) -> Drawn:
    """An XML sample under a prefix for each namespace: none for that of the outermost element."""
    _heard(body, "police.xml")  # refuses what is hostile or not well formed, by its path
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    used: dict[str, str] = {}
    names = [etree.QName(name) for one in root.iter(etree.Element) for name in (one.tag, *one.attrib)]
    wished = {uri: prefix for one in root.iter(etree.Element) for prefix, uri in one.nsmap.items() if prefix}
    for name in names:
        if name.namespace and name.namespace not in used and not name.namespace.endswith("XMLSchema-instance"):
            first = name.namespace == etree.QName(root).namespace
            used[name.namespace] = "" if first else wished.get(name.namespace, f"n{len(used)}")
    used.pop(XML_NAMESPACE, None)
    prefixes = MappingProxyType({**used, XML_NAMESPACE: "xml"})
    first = _heard(body, "police.xml", markup=Markup(prefixes, MappingProxyType({})))
    said: dict[str, set[str]] = {}
    _attributes(first, said)
    ids = {name for name in said if _local(name) == "id"}
    known = {value for name in ids for value in said[name]}
    refs = {name: "*" for name in said if _local(name) in {"ref", "idref"} and said[name] <= known}
    declared = {prefix: uri for uri, prefix in used.items()}
    if not refs:
        return Drawn(first, "police.xml", namespaces=declared)
    markup = Markup(prefixes, MappingProxyType(refs))
    identity = tuple(sorted(ids))
    tree = _heard(body, "police.xml", markup=markup, identity=identity)
    return Drawn(tree, "police.xml", namespaces=declared, refs=refs, identity=identity)


def _local(name: str) -> str:
    return name.lstrip("@").rpartition(":")[2].lower()


def _attributes(node: Value, said: dict[str, set[str]]) -> None:
    """The values of each attribute of a tree, by its name."""
    if isinstance(node, list):
        for one in node:
            _attributes(one, said)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key.startswith("@") and isinstance(value, str):
                said.setdefault(key, set()).add(value)
            else:
                _attributes(value, said)


def _tables(body: bytes) -> Tables:
    """One file of one incident a row; columns with a role at the beginning of their names are that person's."""
    top = body.decode("utf-8-sig", "replace").partition("\n")[0]
    delimiter = max(DELIMITERS.values(), key=top.count)
    columns = [one.strip() for one in next(csv.reader([top], delimiter=delimiter), [])]
    groups: dict[str, str] = {}
    for column in columns:
        first = words_of(column).partition(" ")[0]
        known = first in ROLES or first in PARTS
        if known and sum(words_of(one).startswith(f"{first} ") for one in columns) > 1:
            groups.setdefault(column[: len(first)], first)
    file = File("incidents", id="", groups=tuple(groups.items()))
    return Tables(MappingProxyType({"incidents": file}), "cp1252", delimiter, quoted=True)


def _links(tree: Tree) -> tuple[Link, ...]:
    """The values that name a part of the document: an id of each part of one list, said by parts elsewhere."""
    lists = _lists(tree, ())
    definers: list[tuple[tuple[str, ...], str, frozenset[str]]] = []
    for path, key, ids in sorted(_ids(lists), key=_defines, reverse=True):
        if not any(known >= ids for _, _, known in definers):
            definers.append((path, key, ids))
    found: dict[tuple[str, ...], Link] = {}
    for path, parts in (*lists, *_singles(tree, ())):
        for key in dict.fromkeys(key for one in parts for key in one if words_of(key).endswith("id")):
            said = [one[key] for one in parts if isinstance(one.get(key), str)]
            for target, name, known in definers:
                if (target, name) != (path, key) and said and known.issuperset(map(str, said)):
                    found.setdefault((*path, key), Link((*path, key), target, name))
    return tuple(found.values())


def _ids(lists: list[tuple[tuple[str, ...], list[Tree]]]) -> Iterator[tuple[tuple[str, ...], str, frozenset[str]]]:
    """The members that could name the parts of a list: a text of each, and no two the same."""
    for path, parts in lists:
        for key in parts[0]:
            values = [one.get(key) for one in parts]
            ids = frozenset(str(one) for one in values if isinstance(one, str))
            if words_of(key).endswith("id") and len(ids) == len(parts):
                yield path, key, ids


def _defines(one: tuple[tuple[str, ...], str, frozenset[str]]) -> tuple[bool, int]:
    """How likely a list defines its ids rather than refers by them: `personId` is that of the `persons`."""
    path, key, ids = one
    return words_of(path[-1]).rstrip("s") in words_of(key), len(ids)


def _singles(node: Tree, around: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Tree]]]:
    """The parts that are no list, as lists of one: they can name another part, and are named by none."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield (*around, key), [value]
            yield from _singles(value, (*around, key))


def _lists(node: Tree, around: tuple[str, ...]) -> list[tuple[tuple[str, ...], list[Tree]]]:
    found: list[tuple[tuple[str, ...], list[Tree]]] = []
    for key, value in node.items():
        if isinstance(value, dict):
            found += _lists(value, (*around, key))
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            parts: list[Tree] = [one for one in value if isinstance(one, dict)]
            found.append(((*around, key), parts))
    return found
