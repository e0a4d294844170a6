"""Police delimited text: one incident, as one row or as a zip of related files, into a tree that a profile reads.

The tree has a member for each file: the incident's row as an object, the rows of other files as lists of objects, in
the incident or in the row that they belong to by the columns that the profile names. `roles` leads to the people in
each role, as JSON:API relationships do; a column that names somebody leads to them; columns with a common beginning
are an object of their own. Empty cells are not there. Every cell is text and only text: a leading zero stays, and
`=1+1` is four characters.

One person in several roles is one object that several roles lead to, where the rows say the same but for the role
(N9 keeps them two people in the record). A row that belongs to nothing goes into `unjoined`, which no profile reads,
so that it is counted as lost. Several incidents are refused: `adapters.batch` cuts a batch into documents first.

Source: domain.md section 1.2; RFC 4180.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from adapters.archive import is_archive, opened
from adapters.delimited import Header, decoded, rows
from adapters.export import by_file
from adapters.socket import Fault, Limits, Problem, Reading, Unreadable
from mappings.codemap import fold
from mappings.profile import Profile
from mappings.tables import ROLES, UNJOINED, File, Roles, Tables
from mappings.tree import Linked, Trail, Value, rendered


@dataclass(frozen=True, slots=True)
class PoliceCsv:
    """The adapter."""

    name: str = "police.csv"
    media_types: tuple[str, ...] = ("text/csv", "application/zip")

    def read(self, body: bytes, profile: Profile, limits: Limits) -> Reading:
        """Read one document. Raises `Unreadable`."""
        tables = profile.tables
        if tables is None:
            raise Unreadable(Problem("", Fault.WRONG_PROFILE))
        tree = _Tree(tables, limits)
        if is_archive(body):
            given, unknown = by_file(opened(body, limits.max_bytes), tables)
            tree.notes += [(("entries", index), "unknown-file") for index in unknown]
            for file in tables.files.values():
                if file.name in given:
                    tree.add(file, given[file.name][1])
            if tables.incident.name not in tree.root:
                raise Unreadable(Problem(tables.incident.name, Fault.MISSING))
        else:
            tree.add(tables.incident, body)
        tree.link()
        return profile.apply(tree.root, tuple(tree.notes))


READER = PoliceCsv()

_Node = dict[str, Value]


@dataclass(slots=True)
class _Tree:
    """The tree of one document. `ids` holds each file's rows by the cell that names them, with their paths."""

    tables: Tables
    limits: Limits
    root: _Node = field(default_factory=dict)
    notes: list[tuple[Trail, str]] = field(default_factory=list)
    ids: dict[str, dict[str, tuple[Trail, _Node]]] = field(default_factory=dict)
    roles: dict[str, list[tuple[Trail, _Node]]] = field(default_factory=dict)
    alike: dict[frozenset[tuple[str, object]], tuple[Trail, _Node]] = field(default_factory=dict)

    def add(self, file: File, body: bytes) -> None:
        """Put the rows of a file where they belong; the file that it belongs to is there. Raises `Unreadable`."""
        tables = self.tables
        text = decoded(body, tables.charset, file.name)
        head, found = rows(text, tables.delimiter, file.name, self.limits, quoted=tables.quoted)
        columns = _columns(head, file, _inside(file, tables))
        nodes = [columns.node(row) for row in found]
        if file.of:
            for node in nodes:
                self._put(file, node)
            return
        if len(nodes) != 1:
            raise Unreadable(Problem(file.name, Fault.SEVERAL_INCIDENTS if nodes else Fault.MISSING))
        self.root[file.name] = nodes[0]
        self._named(file, file.name, nodes[0])

    def link(self) -> None:
        """Lead the columns that name a row to it, and each role to its people; once all files are there."""
        for file in self.tables.files.values():
            if file.leads:
                for path, node in self._all(file):
                    _lead(file, path, node)
            if file.links:
                for path, node in self._all(file):
                    self._links(file, path, node)
        if self.roles:
            self.root[ROLES] = {role: Linked(tuple(people), len(people)) for role, people in self.roles.items()}

    def _put(self, file: File, node: _Node) -> None:
        parent = self.ids.get(file.of, {}).get(_cell(node, file.key))
        if parent is None:
            lost = self._list(self.root, UNJOINED)
            self.notes.append(((UNJOINED, len(lost)), "link-to-nothing"))
            lost.append(node)
            return
        within: tuple[Trail, _Node] = ("", self.root) if file.of == self.tables.incident.name else parent
        siblings = self._list(within[1], file.name)
        path: Trail = ((within[0], file.name), len(siblings))
        if file.roles is None or not self._in_role(file.roles, file.id, path, node):
            siblings.append(node)
            self._named(file, path, node)

    def _in_role(self, roles: Roles, id_: str, path: Trail, node: _Node) -> bool:
        """Note a person's role; whether the person is here already, in another role."""
        column = roles.column
        role = roles.words.get(fold(_cell(node, column)))
        if role is None:
            if column in node:
                self.notes.append(((path, column), "unknown-code"))
            return False
        del node[column]
        same = frozenset((key, value if isinstance(value, str) else id(value)) for key, value in node.items())
        known = self.alike.get(same) if _cell(node, id_) else None
        people = self.roles.setdefault(role, [])
        if known is not None:
            if all(node is not known[1] for _, node in people):
                people.append(known)
            return True
        self.alike[same] = (path, node)
        people.append((path, node))
        return False

    def _named(self, file: File, path: Trail, node: _Node) -> None:
        if own := _cell(node, file.id):
            ids = self.ids.setdefault(file.name, {})
            if own in ids:
                self.notes.append((path, "resource-given-twice"))
            ids.setdefault(own, (path, node))

    def _links(self, file: File, path: Trail, node: _Node) -> None:
        for column, to in file.links.items():
            if named := _cell(node, column):
                target = self.ids.get(to, {}).get(named)
                if target is None:
                    self.notes.append(((path, column), "link-to-nothing"))
                else:
                    node[column] = Linked((target,), 1)

    def _all(self, file: File) -> list[tuple[Trail, _Node]]:
        """Every row of a file in the tree, with its path."""
        if not file.of:
            return [(file.name, self.root[file.name])]  # type: ignore[list-item] # the incident's row is an object
        parent = self.tables.files[file.of]
        within = [("", self.root)] if not parent.of else self._all(parent)
        return [
            ((((path), file.name), index), row)
            for path, node in within
            for index, row in enumerate(self._list(node, file.name) if file.name in node else ())
        ]

    @staticmethod
    def _list(node: _Node, name: str) -> list[_Node]:
        return node.setdefault(name, [])  # type: ignore[return-value] # a column of this name is refused with the header


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where each cell of a row goes: into the row itself, or into one of its groups."""

    own: tuple[tuple[int, str], ...]
    groups: tuple[tuple[str, tuple[tuple[int, str], ...]], ...]

    def node(self, row: list[str]) -> _Node:
        """The row as an object, without its empty cells."""
        node: _Node = {name: cell for at, name in self.own if (cell := row[at])}
        for group, columns in self.groups:
            for at, _ in columns:
                if row[at]:
                    node[group] = {name: cell for at, name in columns if (cell := row[at])}
                    break
        return node


def _lead(file: File, path: Trail, node: _Node) -> None:
    """Lead a group of a row to others of it, where both are there."""
    for group, names in file.leads:
        inner = node.get(group)
        if isinstance(inner, dict):
            for name in names:
                to = node.get(name)
                if isinstance(to, dict):
                    inner[name] = Linked((((path, name), to),), 0)


@lru_cache(maxsize=256)  # the same header stands before every row of a batch
def _columns(head: Header, file: File, inside: frozenset[str]) -> _Columns:
    """What a header says under a file's groups. Raises `Unreadable` where a column has the name of what goes there."""
    own: list[tuple[int, str]] = []
    groups: dict[str, list[tuple[int, str]]] = {name: [] for _, name in file.groups}
    leads = dict(file.leads)
    for at, name in enumerate(head.names):
        if name in inside or name in groups:
            raise Unreadable(Problem(rendered((file.name, name)), Fault.DUPLICATE_KEY))
        for beginning, group in file.groups:
            rest = name.removeprefix(beginning).lstrip("_-")
            if rest and name.startswith(beginning):
                if rest in leads.get(group, ()):
                    raise Unreadable(Problem(rendered((file.name, name)), Fault.DUPLICATE_KEY))
                groups[group].append((at, rest))
                break
        else:
            own.append((at, name))
    return _Columns(tuple(own), tuple((name, tuple(columns)) for name, columns in groups.items() if columns))


@lru_cache(maxsize=256)
def _inside(file: File, tables: Tables) -> frozenset[str]:
    """The names of the files whose rows go into a row of this one."""
    return frozenset(other.name for other in tables.files.values() if other.of == file.name and file.of)


def _cell(node: _Node, column: str) -> str:
    """A cell that names something, without outer space; "" where there is none."""
    value = node.get(column) if column else None
    return value.strip() if isinstance(value, str) else ""
