"""What a profile says of delimited text: which files an export has, how their rows belong together, and how they look.

One file holds a row for each incident; each other file belongs to it or to another, by a column that holds what the
other file's own column holds. A file may say whose rows are people in roles, which columns lead to people, and which
columns are one thing under a common beginning of their names. Data only: nothing is read here.

Source: domain.md section 1.2 (CSV of several related files; pipe or comma, windows-1252).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mappings.codemap import fold
from mappings.strict import Foreign, keys, one_of, string, switch, table, texts

CHARSETS = {"utf-8": "utf-8", "windows-1252": "cp1252"}
"""The character sets a profile can name, and Python's names for them."""

DELIMITERS = {"comma": ",", "pipe": "|", "tab": "\t", "semicolon": ";"}
"""What can stand between two cells."""

ROLES = "roles"
"""Where the people in each role are found in the tree."""

UNJOINED = "unjoined"
"""Where the rows are found in the tree that belong to nothing in it: no profile reads there."""

_CSV = {"incident", "files", "charset", "delimiter", "quoted"}
_FILE = {"id", "of", "key", "roles", "links", "groups", "leads"}


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column says what part a person has, and the words for each part; a word is compared as code maps do."""

    column: str
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)  # one object for one profile: caches go by it
class File:
    """One file of an export.

    `id` is the column that names a row, "" where nothing refers to one. `of` is the file that its rows belong to and
    `key` its own column with the other's `id`; both are "" for the incidents. `links` gives, for a column, the file
    that it names a row of. `groups` are beginnings of column names and the name of what they describe together; `leads`
    gives, for a group, the groups of the same row that it leads to, as a relationship does to its two people.
    """

    name: str
    id: str = ""
    of: str = ""
    key: str = ""
    roles: Roles | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[tuple[str, str], ...] = ()
    leads: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)  # one object for one profile: caches go by it
class Tables:
    """An export: its files, each after the one it belongs to, the incidents first.

    `delimiter` is "" where the header shows it; `charset` is what bytes are in that are not UTF-8, "" where they must
    be; `quoted` is false where a quotation mark is a character like any other.
    """

    files: Mapping[str, File]
    charset: str
    delimiter: str
    quoted: bool

    @property
    def incident(self) -> File:
        """The file with one row for each incident."""
        return next(iter(self.files.values()))


def tables(tree: Foreign) -> Tables:
    """The `csv` table of a profile file. Raises ValueError naming the key."""
    keys("csv", tree, _CSV, {"incident", "files"})
    files = {name: _file(f"csv.files.{name}", name, file) for name, file in table("csv.files", tree["files"]).items()}
    first = string("csv.incident", tree["incident"])
    if first not in files:
        raise ValueError("csv.incident: none of the files")
    if files[first].of or files[first].key:
        raise ValueError(f"csv.files.{first}.of: the incidents belong to nothing")
    ordered = _parents_first(files, first)
    for file in ordered.values():
        _joined(file, files)
    if sum(file.roles is not None for file in files.values()) > 1:
        raise ValueError("csv.files: more than one has roles")
    return Tables(
        files=MappingProxyType(ordered),
        charset=CHARSETS[one_of("csv.charset", tree["charset"], CHARSETS)] if "charset" in tree else "",
        delimiter=DELIMITERS[one_of("csv.delimiter", tree["delimiter"], DELIMITERS)] if "delimiter" in tree else "",
        quoted=switch("csv.quoted", tree.get("quoted", True)),
    )


def _file(where: str, name: str, tree: Foreign) -> File:
    keys(where, tree, _FILE, set())
    if name != fold(name) or name in {ROLES, UNJOINED}:
        raise ValueError(f"{where}: small letters, and neither {ROLES!r} nor {UNJOINED!r}")
    if ("of" in tree) != ("key" in tree):
        raise ValueError(f"{where}.key: given with `of`, and with nothing else")
    groups = texts(f"{where}.groups", tree.get("groups", {}))
    if any(a != b and a.startswith(b) for a in groups for b in groups):
        raise ValueError(f"{where}.groups: one begins with another")
    return File(
        name=name,
        id=string(f"{where}.id", tree["id"]) if "id" in tree else "",
        of=string(f"{where}.of", tree["of"]) if "of" in tree else "",
        key=string(f"{where}.key", tree["key"]) if "key" in tree else "",
        roles=_roles(f"{where}.roles", tree["roles"]) if "roles" in tree else None,
        links=MappingProxyType(texts(f"{where}.links", tree.get("links", {}))),
        groups=tuple(groups.items()),
        leads=_leads(f"{where}.leads", tree.get("leads", {}), frozenset(groups.values())),
    )


def _roles(where: str, tree: Foreign) -> Roles:
    words: dict[str, str] = {}
    for role, said in table(where, tree).items():
        if role == "column":
            continue
        for word in said if isinstance(said, list) and said else [None]:
            folded = fold(string(f"{where}.{role}", word))
            if folded in words:
                raise ValueError(f"{where}.{role}: a word given before")
            words[folded] = role
    if not words:
        raise ValueError(f"{where}: names no role")
    return Roles(string(f"{where}.column", tree.get("column")), MappingProxyType(words))


def _leads(where: str, tree: Foreign, groups: frozenset[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: list[tuple[str, tuple[str, ...]]] = []
    for group, to in table(where, tree).items():
        names = tuple(string(f"{where}.{group}", name) for name in to) if isinstance(to, list) else ()
        if not names or not groups.issuperset({group, *names}) or group in names:
            raise ValueError(f"{where}.{group}: from a group to others of the same file")
        found.append((group, names))
    return tuple(found)


def _parents_first(files: dict[str, File], first: str) -> dict[str, File]:
    """The files in an order in which each comes after the one it belongs to. Raises ValueError where there is none."""
    ordered = {first: files[first]}
    while len(ordered) < len(files):
        ready = [file for name, file in files.items() if name not in ordered and file.of in ordered]
        if not ready:
            lost = next(name for name in files if name not in ordered)
            raise ValueError(f"csv.files.{lost}.of: does not lead to the incidents")
        ordered |= {file.name: file for file in ready}
    return ordered


def _joined(file: File, files: dict[str, File]) -> None:
    where = f"csv.files.{file.name}"
    if file.of and not files[file.of].id:
        raise ValueError(f"{where}.of: {file.of!r} has no id to belong to")
    for column, to in file.links.items():
        if to not in files or not files[to].id:
            raise ValueError(f"{where}.links.{column}: not a file with an id")
    if file.roles is not None and not file.of:
        raise ValueError(f"{where}.roles: the incidents are not people")
