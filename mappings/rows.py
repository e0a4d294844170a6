"""Rows at work: each row of a profile becomes one function that reads its place or places and writes its target.

They are closures because a document runs through a few hundred of them, and this is the hottest path of the product.
A value that cannot be read is left out, and the place and reason noted; where the row must be read, it is a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from mappings.claims import Claims
from mappings.outcome import Cannot, Noted
from mappings.reading import Fault, Problem
from mappings.targets import Target
from mappings.transforms import Gives, Takes
from mappings.tree import TEXT, Linked, Trail, Value, rendered
from mappings.values import alone, gatherer, own, scalar, scalars, unfit

Built = dict[str, Any]
"""A part under construction, as the record's model takes it."""

Keyed = dict[tuple[str, str], Built]
"""The parts of a part that a word tells apart, by field and word."""

Need = Literal["no", "yes", "when-present"]
"""Whether a row must read something: never, always, or whenever the document says something there."""

_NESTED: Final = frozenset({dict, list, Linked})
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
        return lambda value, path, run, out, keyed: read(scalars(value), path, run, out, keyed)
    return read


def every(row: Row) -> ReadAll:
    """The reading of a row that has several places, or that must be read.

    Several places are given together where the transform takes many, and one after the other where it takes a list;
    else they are ways to say one thing, and the first that says something is read.
    """
    gather = gatherer(row.places)
    if row.takes is Takes.MANY:
        return _together(row, gather)
    if row.takes is Takes.LIST:
        return _listed(row, gather)
    readers = [one(row, place) for place in row.places]
    first = ".".join(row.places[0])
    single, must, strict = len(row.places) == 1, row.need == "yes", row.need == "when-present"

    def read(node: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
        values = gather(node)
        if strict and (at := unfit(values)) is not None:
            return readers[at](values[at], path, run, out, keyed)
        for at, value in enumerate(values):
            if value is not None and (scalar(own(value)) or (single and value and type(value) is not str)):
                return readers[at](value, path, run, out, keyed)
        if must:
            run.problems.append(Problem(rendered((path, first)), Fault.MISSING))
        return None

    return read


def _listed(row: Row, gather: Callable[[dict[str, Value]], Sequence[Value]]) -> ReadAll:
    """The reading of several places one after the other, as one list."""
    first, must = ".".join(row.places[0]), row.need == "yes"
    listed = _reader(row, first, row.run)

    def read(node: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
        values = gather(node)
        gathered: list[Value] = [
            v for value in values for v in (value if type(value) is list else (value,)) if v is not None
        ]
        found = scalars(gathered) if gathered else ()
        if found:
            listed(found, path, run, out, keyed)
        elif must:
            run.problems.append(Problem(rendered((path, first)), Fault.MISSING))

    return read


def _together(row: Row, gather: Callable[[dict[str, Value]], Sequence[Value]]) -> ReadAll:
    transform = row.run
    readers = [_reader(row, ".".join(place), lambda given: transform(*given)) for place in row.places]
    first = ".".join(row.places[0])
    strict, must = row.need == "when-present", row.need == "yes"

    def read(node: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
        values = gather(node)
        if strict and (wrong := unfit(values)) is not None:
            return readers[wrong](values[wrong], path, run, out, keyed)
        given = tuple([alone(v) if type(v) is not str else v if v and not v.isspace() else None for v in values])
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
    leaf = row.target.leaf if _is_own(row.target) else ""
    check = None if row.trusted else row.target.check
    may_miss = row.need == "no"

    def refuse(path: Trail, code: str, run: Run) -> None:
        if may_miss:
            run.findings.append(((path, place), code))
        else:
            run.problems.append(Problem(rendered((path, place)), _FAULTS.get(code, Fault.NOT_READABLE)))

    def nested(value: Any, path: Trail, run: Run, out: Built, keyed: Keyed) -> None:  # noqa: ANN401 - foreign
        if type(value) is dict and TEXT in value:
            read(value[TEXT], path, run, out, keyed)
        elif value:
            refuse(path, "wrong-type", run)

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
        elif kind in _NESTED:
            nested(value, path, run, out, keyed)
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
            if leaf:
                out[leaf] = found
            else:
                put(out, keyed, found)
        except Cannot as cannot:
            refuse(path, cannot.code, run)
        except ValueError:
            refuse(path, "out-of-bounds", run)

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


def _is_own(target: Target) -> bool:
    """Whether a target is a plain leaf of the shape's own part."""
    return not (target.part or target.joins or target.accepts & {Gives.TEXTS, Gives.CODES})


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
