"""Rows at work: each row of a profile becomes one function that reads its place or places and writes its target.

They are closures because a document runs through a few hundred of them, and this is the hottest path of the product.
A value that cannot be read is left out, and the place and reason noted; where the row must be read, it is a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from mappings.claims import Claims
from mappings.outcome import Cannot, Noted
from mappings.reading import Fault, Problem
from mappings.targets import Target
from mappings.transforms import Gives, Takes
from mappings.tree import TEXT, Linked, Trail, Value, rendered, says_something

Built = dict[str, Any]
"""A part under construction, as the record's model takes it."""

Keyed = dict[tuple[str, str], Built]
"""The parts of a part that a word tells apart, by field and word."""

Need = Literal["no", "yes", "when-present"]
"""Whether a row must read something: never, always, or whenever the document says something there."""

_FAULTS: Final = {"unknown-code": Fault.UNKNOWN_CODE, "wrong-type": Fault.WRONG_TYPE}


@dataclass(slots=True)
class Run:
    """What one reading gathers.

    `visited` holds, by the identity of a dict of the document, what its readers claim of it; `refs` the references of
    a person, by role; `counts` how many references of each kind are given out; `attachments` where each of them stands;
    `again` the references of who was found before in the same role; `reads` how often each dict was read;
    `said` the parts of a list of the document by what they say in one place.
    """

    visited: dict[int, Claims] = field(default_factory=dict)
    refs: dict[int, dict[str, str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    attachments: list[Trail] = field(default_factory=list)
    again: set[str] = field(default_factory=set)
    reads: dict[int, int] = field(default_factory=dict)
    said: dict[tuple[int, tuple[str, ...]], dict[str, list[tuple[Trail, dict[str, Value]]]]] = field(
        default_factory=dict
    )
    findings: list[tuple[Trail, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


ReadOne = Callable[[Value, Trail, Run, Built, Keyed], None]
"""Reads one value; the path is that of the part it lies in."""

ReadAll = Callable[[dict[str, Value], Trail, Run, Built, Keyed], None]
"""Reads what a row wants of one part."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it reads (`places`, as steps), what it does, and where it writes.

    `run` is the transform with its codes; `trusted` says that what it gives was checked when the profile was loaded.
    """

    places: tuple[tuple[str, ...], ...]
    run: Callable[..., Any]
    takes: Takes
    target: Target
    need: Need
    constants: Built
    trusted: bool

    @property
    def plain(self) -> bool:
        """Whether the row reads one place on its own, and may find nothing there."""
        return len(self.places) == 1 and self.need != "yes" and self.takes is not Takes.MANY


def one(row: Row, place: tuple[str, ...]) -> ReadOne:
    """The reading of one value, at one of a row's places."""
    read = _reader(row, ".".join(place), row.run)
    if row.takes is Takes.LINK:
        return lambda value, path, run, out, keyed: read(_roles(value, run), path, run, out, keyed)
    if row.takes is Takes.LINKS:
        return lambda value, path, run, out, keyed: read(_everybody(value, run), path, run, out, keyed)
    if row.takes is Takes.LIST:
        return lambda value, path, run, out, keyed: read(_scalars(value), path, run, out, keyed)
    return read


def every(row: Row) -> ReadAll:
    """The reading of a row that has several places, or that must be read.

    Several places are given together where the transform takes many, and one after the other where it takes a list;
    else they are ways to say one thing, and the first that says something is read.
    """
    gather = _gatherer(row.places)
    if row.takes is Takes.MANY:
        return _together(row, gather)
    readers = [one(row, place) for place in row.places]
    first = ".".join(row.places[0])
    single, lists, must = len(row.places) == 1, row.takes is Takes.LIST, row.need == "yes"
    strict = row.need == "when-present"

    def read(node: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
        values = gather(node)
        if lists:
            gathered = [v for value in values for v in (value if isinstance(value, list) else (value,))]
            return readers[0]([v for v in gathered if v is not None], path, run, out, keyed)
        if strict and (at := _unfit(values)) is not None:
            return readers[at](values[at], path, run, out, keyed)
        for at, value in enumerate(values):
            if value is not None and (_scalar(_own(value)) or (single and value and type(value) is not str)):
                return readers[at](value, path, run, out, keyed)
        if must:
            run.problems.append(Problem(rendered((path, first)), Fault.MISSING))
        return None

    return read


def _together(row: Row, gather: Callable[[dict[str, Value]], Sequence[Value]]) -> ReadAll:
    readers = [_reader(row, ".".join(place), lambda given: row.run(*given)) for place in row.places]
    first = ".".join(row.places[0])
    strict, must = row.need == "when-present", row.need == "yes"

    def read(node: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
        values = gather(node)
        if strict and (unfit := _unfit(values)) is not None:
            return readers[unfit](values[unfit], path, run, out, keyed)
        given = tuple([v if v is not None and _scalar(v) else None for v in map(_own, values)])
        for at, value in enumerate(given):
            if value is not None:
                return readers[at](given, path, run, out, keyed)
        if must:
            run.problems.append(Problem(rendered((path, first)), Fault.MISSING))
        return None

    return read


def _reader(  # noqa: C901 - one function per row: a call for each step would double the cost of a leaf
    row: Row, place: str, transform: Callable[[Any], Any]
) -> Callable[[Any, Trail, Run, Built, Keyed], None]:
    """Transform what is given and write it, or note why not. What takes several values is given a tuple."""
    put = _writer(row.target, row.constants)
    check = None if row.trusted else row.target.check
    may_miss = row.need == "no"

    def refuse(path: Trail, code: str, run: Run) -> None:
        if may_miss:
            run.findings.append(((path, place), code))
        else:
            run.problems.append(Problem(rendered((path, place)), _FAULTS.get(code, Fault.NOT_READABLE)))

    def read(  # noqa: C901 - as above
        value: Any,  # noqa: ANN401 - foreign, or a tuple of foreign values
        path: Trail,
        run: Run,
        out: Built,
        keyed: Keyed,
    ) -> None:
        kind = type(value)
        if kind is str:
            if not value or value.isspace():
                return
        elif value is None:
            return
        elif kind is dict or kind is list or kind is Linked:
            if kind is dict and TEXT in value:
                read(value[TEXT], path, run, out, keyed)
            elif value:
                refuse(path, "wrong-type", run)
            return
        try:
            found = transform(value)
            if found.__class__ is Noted:
                run.findings.append(((path, place), found.code))
                found = found.value
            if found is None:
                return
            if check is not None:
                check(found)
        except Cannot as cannot:
            refuse(path, cannot.code, run)
        except ValueError:
            refuse(path, "out-of-bounds", run)
        else:
            put(out, keyed, found)

    return read


def _roles(value: Value, run: Run) -> tuple[tuple[str, str], ...] | None:
    """The references, each with its role, of the one person that a link leads to."""
    if value is None:
        return None
    if not isinstance(value, Linked) or len(value.targets) != 1:
        return ()
    return tuple(run.refs.get(id(value.targets[0][1]), {}).items())


def _everybody(value: Value, run: Run) -> tuple[tuple[tuple[str, str], ...], ...] | None:
    """The references, each with its role, of each person that a link leads to."""
    if value is None:
        return None
    targets = value.targets if isinstance(value, Linked) else ()
    return tuple(tuple(run.refs.get(id(found), {}).items()) for _, found in targets)


def _scalars(value: Value) -> tuple[Value, ...] | Value:
    """The scalars of a list; one scalar stands for a list of one. What has none in it is left as it is."""
    found = tuple([v for v in map(_own, value if isinstance(value, list) else (value,)) if _scalar(v)])
    return found or value


def _writer(target: Target, constants: Built) -> Callable[[Built, Keyed, Any], None]:
    """How a target is written. `constants` are those of the part that a word tells apart."""
    leaf, part, word = target.leaf, target.part, target.word
    if target.joins:
        return lambda out, _, value: out.setdefault(leaf, []).append(word) if value else None
    if not part and target.accepts & {Gives.TEXTS, Gives.CODES}:
        return lambda out, _, value: out.setdefault(leaf, []).extend(value)
    if not part:
        return lambda out, _, value: out.__setitem__(leaf, value)
    if not word:
        return lambda out, _, value: out.setdefault(part, {}).__setitem__(leaf, value)
    start, key = {target.keyed_by: word, **constants}, (part, word)

    def put(out: Built, keyed: Keyed, value: object) -> None:
        inner = keyed.get(key)
        if inner is None:
            inner = keyed[key] = start.copy()
            out.setdefault(part, []).append(inner)
        inner[leaf] = value

    return put


def _gatherer(places: tuple[tuple[str, ...], ...]) -> Callable[[dict[str, Value]], Sequence[Value]]:
    """The values at several places, in their order; none at all where none is there.

    Where all lie in one dict it is looked up once, and most often it has none of them.
    """
    parents = {place[:-1] for place in places}
    if len(parents) > 1:
        return lambda node: [_at(node, place) for place in places]
    (parent,) = parents
    keys = [place[-1] for place in places]
    nowhere = frozenset(keys).isdisjoint

    def gather(node: dict[str, Value]) -> Sequence[Value]:
        inner: Value = node
        for step in parent:
            if type(inner) is not dict:
                break
            inner = inner.get(step)
        if type(inner) is dict:
            return () if nowhere(inner) else [inner.get(key) for key in keys]
        return [_at(node, place) for place in places] if type(inner) is list else ()

    return gather


def _at(node: Value, steps: tuple[str, ...]) -> Value:
    for index, step in enumerate(steps):
        if type(node) is list:
            return several([_at(one, steps[index:]) for one in node]) or None
        if type(node) is not dict:
            return None
        node = node.get(step)
    return node


def several(found: Iterable[Value]) -> list[Value]:
    """What several parts say where one was expected, in one list, without what says nothing."""
    flat = (one for value in found for one in (value if type(value) is list else (value,)))
    return [value for value in flat if says_something(value)]


def _unfit(values: Sequence[Value]) -> int | None:
    """Which of a row's places says something that cannot be read: several where one is read, or parts alone."""
    saying = [at for at, value in enumerate(values) if _says(value)]
    if any(_scalar(_own(values[at])) for at in saying):
        saying = [at for at in saying if type(values[at]) is list]
    return saying[0] if saying else None


def _says(value: Value) -> bool:
    if type(value) is dict:
        return any(map(_says, value.values()))
    return any(map(_says, value)) if type(value) is list else says_something(value)


def _own(value: Value) -> Value:
    """A value, or of a part with a text of its own, that text."""
    return value.get(TEXT) if type(value) is dict else value


def _scalar(value: Value) -> bool:
    kind = type(value)
    if kind is str:
        return value != "" and not value.isspace()  # type: ignore[union-attr] # kind says that it is text
    return kind is not dict and kind is not list and kind is not Linked and value is not None
