"""A profile proposed from one sample, by names and values, for a person to finish.

A leaf is proposed the target whose names are nearest to its own (`vocabulary`) and whose transform reads its values
(`values`). Each row says how sure it is; what a person must decide is marked `# decide:`, what nobody understood is
listed as `# not mapped:`. Nothing is proposed twice, and nothing is left out in silence.

Source: domain.md section 1.2 (none of the vendors publishes a schema).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from rapidfuzz import fuzz

from gateway.workbench.naming import spoken, words_of
from gateway.workbench.reading import Drawn
from gateway.workbench.values import fit, known_share
from gateway.workbench.vocabulary import LEAVES, Word
from gateway.workbench.walking import Drafted, Steps, Within, walked
from mappings.transforms import TRANSFORMS, Takes

ALIKE = 0.8
"""How near, of 1, a leaf's name must be to one that is known: names that share one word of two are nearer to 0.7."""

_CALLED_SO = 0.95
_BY_NAME = 0.7  # the rest is by values: a name says more than a shape that several leaves have


@dataclass(frozen=True, slots=True)
class Proposal:
    """One row: its places, what it writes, from 0 to 1 how sure it is, and the share of its codes that are known."""

    places: tuple[str, ...]
    word: Word
    score: float
    known: float


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted profile: its shapes, the outermost first, each with its rows; and how many leaves are in no row."""

    drawn: Drawn
    shapes: tuple[tuple[Drafted, tuple[Proposal, ...]], ...]

    @property
    def has_kind(self) -> bool:
        """Whether something in the sample says what kind of record it is."""
        return any(row.word.target == "kind" for one, rows in self.shapes if one.part == "Record" for row in rows)


def draft(drawn: Drawn) -> Draft:
    """Propose a profile for a sample."""
    shapes = [*walked(drawn)]
    shapes += [own for one in shapes if one.part == "Person" for own in _beside(one)]
    rows: dict[str, list[Proposal]] = {}
    for group in _groups(shapes):
        rows |= _proposed(group, frozenset(drawn.refs and drawn.identity))
    kept = _kept(shapes, rows)
    return Draft(drawn, tuple((one, tuple(rows[one.name])) for one in kept))


def unmapped(shape: Drafted, rows: Sequence[Proposal]) -> Iterator[str]:
    """The leaves of a shape that no row reads, as paths."""
    read = {place for row in rows for place in row.places}
    return (".".join(steps) for steps in shape.leaves if ".".join(steps) not in read)


def _beside(person: Drafted) -> Iterator[Drafted]:
    """The telephone, e-mail and address that stand among a person's own members, as in a spreadsheet's row."""
    for kind, (part, to, constants, value) in _BESIDE.items():
        if any(one.to == to and (part == "Address" or one.constants == constants) for one in person.sections):
            continue
        theirs = {
            steps: values
            for steps, values in person.leaves.items()
            if _best(steps, values, _words(kind)) > _best(steps, values, _words("Person"))
        }
        if any(_score(s, v, word) for s, v in theirs.items() for word in _words(kind) if word.target == value):
            own = Drafted(f"own-{kind.lower()}", part, kind, theirs)
            for steps in theirs:
                del person.leaves[steps]
            person.sections.append(Within(own, to, constants, "", unreached=False, places=["."]))
            if part == "Address":
                person.decide.append("the address beside a person's name is read as the home: is it to be kept safe?")
            yield own


def _best(steps: Steps, values: Sequence[object], words: Sequence[Word]) -> float:
    return max(_score(steps, values, word) for word in words)


def _groups(shapes: Sequence[Drafted]) -> Iterator[list[Drafted]]:
    """The shapes that write one part between them: a leaf is written by one row of all of them."""
    for part in ("Record", "Person"):
        yield [one for one in shapes if one.part == part]
    yield from ([one] for one in shapes if one.part not in {"Record", "Person"})


def _proposed(group: Sequence[Drafted], names: AbstractSet[str]) -> dict[str, list[Proposal]]:
    """The rows of the shapes of a group: the surest first, each target once, each leaf in one row but gathered ones."""
    rows: dict[str, list[Proposal]] = {one.name: [] for one in group}
    found = [
        (score, shape, steps, word)
        for shape in group
        for steps, values in shape.leaves.items()
        if steps[-1] not in names  # what names a part inside the document is no reference: each document has it again
        for word in _words(shape.kind)
        if (score := _score(steps, values, word))
    ]
    found.sort(key=lambda one: -one[0])
    taken: set[tuple[str, Steps]] = set()
    written: set[str] = set()
    for score, shape, steps, word in found:
        leaf = (shape.name, steps)
        if word.gathers:  # what is one of several is not also something else that is less like it
            taken.add(leaf)
        elif word.target not in written and leaf not in taken:
            written.add(word.target)
            taken.add(leaf)
            rows[shape.name].append(_proposal(shape, [steps], word, score))
    for shape in sorted(group, key=lambda one: one.kind != "Scene"):  # the scene tells the area before all else
        for word in _words(shape.kind):
            own = {steps: score for score, of, steps, one in found if of is shape and one is word and word.gathers}
            if own and word.target not in written:
                written.add(word.target)
                places = sorted(own, key=lambda steps: _rank(steps, word))
                rows[shape.name].append(_proposal(shape, places, word, min(own.values())))
    return rows


def _words(kind: str) -> tuple[Word, ...]:
    return (*LEAVES[kind], *(LEAVES["Contact"] if kind in {"Phone", "Email"} else ()))


def _score(steps: Steps, values: Sequence[object], word: Word) -> float:
    """How sure it is that a leaf is what a word says; 0 where its name is not near or its values speak against it."""
    name = max(
        trust * fuzz.token_sort_ratio(way, known) / 100
        for one in _called(steps)
        for way, trust in spoken(one)
        for known in word.names
    )
    if name < ALIKE:
        return 0.0
    if any(isinstance(one, list) for one in values) and TRANSFORMS[word.transform].takes is not Takes.LIST:
        return 0.0
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    value = fit(flat, word.transform, word.map)
    if not value and word.map and word.required != "true" and name >= _CALLED_SO:
        value = 0.1  # a force's own codes: the row stands, and says that the map knows none of them
    return _BY_NAME * name + (1 - _BY_NAME) * value if value else 0.0


def _called(steps: Steps) -> list[str]:
    """What a leaf is called: by itself, and with the name around it where it is in a part of its own."""
    names = [words_of(step) for step in steps if words_of(step) not in _WRAPPERS]
    while len(names) > 1 and (names[-1] in _FORMATS or (names[-1] == "id" and names[-2].endswith(" id"))):
        names = names[:-1]  # NIEM and GJXDM put a value inside what says its format
    if steps[-1] == "#text" or (len(steps) > 1 and steps[-1] in {"@code", "@value"}):
        return [words_of(steps[-2])]
    return [names[-1], " ".join(names[-2:])] if len(names) > 1 else names or [words_of(steps[-1])]


def _rank(steps: Steps, word: Word) -> int:
    """The place of a leaf among those that are gathered: as the names of the word stand."""
    ways = [way for one in _called(steps) for way, _ in spoken(one)]
    near = [max(fuzz.token_sort_ratio(way, known) for way in ways) for known in word.names]
    return near.index(max(near))


def _proposal(shape: Drafted, places: Sequence[Steps], word: Word, score: float) -> Proposal:
    values = [
        one
        for steps in places
        for value in shape.leaves[steps]
        for one in (value if isinstance(value, list) else [value])
    ]
    known = known_share(values, word.map) if word.map else 1.0
    return Proposal(tuple(".".join(steps) for steps in places), word, score, known)


def _kept(shapes: Sequence[Drafted], rows: dict[str, list[Proposal]]) -> list[Drafted]:
    """The shapes that write something and are reached; a section that would leave out every part goes, with a word."""
    empty = {one.name for one in shapes if not _writes(one, rows)}
    while True:
        for one in shapes:
            for section in [s for s in one.sections if s.shape.name in empty]:
                one.sections.remove(section)
                one.decide.append(f"{section.places[0]}: what a {section.shape.part} must have was not found in it")
        more = {one.name for one in shapes if not _writes(one, rows)} - empty
        if not more:
            break
        empty |= more
    reached, waiting = {shapes[0].name}, [shapes[0]]
    while waiting:
        for section in waiting.pop().sections:
            if section.shape.name not in reached:
                reached.add(section.shape.name)
                waiting.append(section.shape)
    return [one for one in shapes if one.name in reached]


def _writes(shape: Drafted, rows: dict[str, list[Proposal]]) -> bool:
    """Whether a shape writes what its part must have, and anything at all."""
    targets = {row.word.target for row in rows[shape.name]} | {target for _, target, _ in shape.links}
    needs = _NEEDS.get(shape.kind, frozenset())
    return needs <= targets and bool(targets or shape.sections)


_BESIDE: Mapping[str, tuple[str, str, Mapping[str, str], str]] = {
    "Phone": ("Contact", "contacts", {"system": "phone"}, "value"),
    "Email": ("Contact", "contacts", {"system": "email"}, "value"),
    "Address": ("Address", "addresses", {"use": "home"}, "lines"),
}
"""What can stand among a person's own members: the part, where it goes, what is set, and the leaf it is seen by."""

_WRAPPERS = frozenset({"attributes", "data", "incidents", ""})
_FORMATS = frozenset({"date time", "date", "identification id", "text", "full telephone number"})
_NEEDS = {
    "Relationship": frozenset({"a", "b"}),
    "Answer": frozenset({"code", "reply"}),
    "Consent": frozenset({"state"}),
    "Order": frozenset({"type"}),
    "Attachment": frozenset({"kind"}),
    "Custody": frozenset({"event"}),
    "Phone": frozenset({"value"}),
    "Email": frozenset({"value"}),
}
"""What a part must have, or it is none."""
