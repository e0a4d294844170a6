"""A sample's tree walked from its root: which shapes a profile would have, and which leaves each would read.

A part is recognised by what it is called, and people by the role something says of them. What lies in a part that
nobody recognises belongs to the part around it. A shape is begun once and read from every place it is found at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

from gateway.workbench.naming import spoken, words_of
from gateway.workbench.reading import Drawn, Tree
from gateway.workbench.vocabulary import PARTS, ROLES, USES
from mappings.tree import Linked, Value

NEAR = 88
"""How near, of 100, a part's name must be to one that is known: parts are told apart by small words."""

Steps = tuple[str, ...]


@dataclass(slots=True)
class Drafted:
    """One shape: what it builds (`part`), by which words (`kind`), its leaves with their values, and its sections.

    `links` are rows that lead to a person, as (place, target, transform). `decide` is what a person must decide,
    `unread` what nobody understood.
    """

    name: str
    part: str
    kind: str
    leaves: dict[Steps, list[object]] = field(default_factory=dict)
    sections: list[Within] = field(default_factory=list)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    decide: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Within:
    """One section: the shape that reads the parts, where they go, what is set, and where they lie."""

    shape: Drafted
    to: str
    constants: Mapping[str, str]
    ref: str
    unreached: bool
    places: list[str]


def walked(drawn: Drawn) -> tuple[Drafted, ...]:
    """The shapes of a sample, the outermost first."""
    walk = _Walk(api=drawn.adapter == "police.json")
    root = walk.shape("document", "Record", "Record")
    walk.read(root, drawn.tree, ())
    if walk.api and "person" in walk.shapes:
        walk.section(root, ["included[person]"], "person", "people", {"role": "other"}, "other", unreached=True)
    for shape in walk.shapes.values():
        shape.sections.sort(key=_turn)
    return tuple(walk.shapes.values())


def _turn(section: Within) -> int:
    """The people first, whom other parts lead to; who no role leads to is known only after every role was followed."""
    if section.unreached:
        return 1
    return 0 if section.to in {"people", ""} else 2


class _Walk:
    """One walk. `shapes` are those begun, by name; `open` those being read, so that none comes to contain itself."""

    def __init__(self, *, api: bool) -> None:
        self.api = api
        self.shapes: dict[str, Drafted] = {}
        self.open: list[str] = []
        self.seen: set[tuple[str, int]] = set()

    def shape(self, name: str, part: str, kind: str) -> Drafted:
        """The shape of a name, begun where there is none."""
        return self.shapes.setdefault(name, Drafted(name, part, kind))

    def read(self, into: Drafted, node: Tree, around: Steps) -> None:
        """Take a node's members into a shape."""
        for key, value in node.items():
            here = (*around, key)
            if self.api and (here == ("included",) or (not around and key in {"id", "type"} and self.open)):
                continue
            if self.api and key == "relationships" and isinstance(value, dict):
                for name, link in value.items():
                    if isinstance(link, dict):
                        self._member(into, name, link.get("data"), (*here, name, "data"))
            else:
                self._member(into, key, value, here)

    def section(
        self,
        into: Drafted,
        places: Sequence[str],
        name: str,
        to: str = "",
        constants: Mapping[str, str] | None = None,
        ref: str = "",
        *,
        unreached: bool = False,
    ) -> None:
        """Note a section; of several that differ in their places alone one is made."""
        said = dict(constants or {})
        for one in into.sections:
            if (one.shape.name, one.to, one.constants, one.unreached) == (name, to, said, unreached):
                one.places += [place for place in places if place not in one.places]
                return
        into.sections.append(Within(self.shapes[name], to, said, ref, unreached, list(places)))

    def _member(self, into: Drafted, name: str, value: Value, here: Steps) -> None:
        if not all(_STEP.fullmatch(step) for step in here):
            into.unread.append(f"{'.'.join(map(repr, here))}: a name that no path can say")
        elif isinstance(value, Linked):
            if not self._part(into, name, [node for _, node in value.targets], here, linked=True):
                into.unread.append(f"{'.'.join(here)}: {_why_not_followed(here)}")
        elif isinstance(value, dict):
            place, nodes = _unwrapped(name, value, here)
            if not self._part(into, name, nodes, place):
                self.read(into, value, here)
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            if not self._part(into, name, [one for one in value if isinstance(one, dict)], here):
                into.unread.append(f"{'.'.join(here)}: a list of parts of a kind that is not known")
        elif value is not None and value != "":
            into.leaves.setdefault(here, []).append(value)

    def _part(self, into: Drafted, name: str, nodes: list[Tree], here: Steps, *, linked: bool = False) -> bool:
        """Read parts by a shape of their own; False where what they are called tells nothing."""
        place, role, kind = ".".join(here), _nearest(name, ROLES), _nearest(name, PARTS)
        if into.part in _SUBJECTS:
            return self._of_fact(into, name, nodes, here)
        if into.part == "Person":
            return self._of_person(into, name, kind, nodes, here)
        if into.part != "Record" or into.kind == "Scene":
            return False
        leads = any(_leads(node) for node in nodes)
        if role and not (kind == "people" and _typed(nodes, ROLES)):
            shape = "involvement" if leads else "person"
            self._open(into, [place], nodes, shape, "Person", "people", {"role": role}, role)
        elif linked and kind == "people" and not _typed(nodes, ROLES):
            return False  # they are people of the document, which says elsewhere who they are
        elif kind == "people" or (not kind and len(nodes) > 1 and _typed(nodes, ROLES)):
            self._people(into, nodes, place)
        elif kind == "scene":
            self._open(into, [place], nodes, "scene", "Record", kind="Scene")
        elif kind in _OF_EVENT:
            part, to, ref = _OF_EVENT[kind]
            self._open(into, [place], nodes, kind, part, to, {}, ref)
        elif words_of(name) == "submission":
            self._open(into, [place], nodes, "submission", "Record")
        else:
            return False
        return True

    def _of_fact(self, into: Drafted, name: str, nodes: list[Tree], here: Steps) -> bool:
        """What an assessment, a consent, an order or a relationship holds: whom it is about, and answers."""
        place = ".".join(here)
        if into.part == "Assessment" and _nearest(name, PARTS) == "answer":
            self._open(into, [place], nodes, "answer", "Answer", "answers")
            return True
        found = _nearest(name, _SUBJECTS[into.part])
        if not found:
            return False
        target, role = found.split()
        if target not in [one[1] for one in into.links]:
            into.links.append((place, target, role))
        return True

    def _of_person(self, into: Drafted, name: str, kind: str, nodes: list[Tree], here: Steps) -> bool:
        place, use = ".".join(here), _nearest(name, USES)
        if kind == "address" or (use and any("address" in way for way, _ in spoken(name))):
            typed = _typed(nodes, USES)
            if typed and not use:
                _say_unknown(into, place, typed[2], "left out")
                for word, places in _by_word(place, *typed[:2]).items():
                    self._open(into, places, nodes, "address", "Address", "addresses", {"use": word})
                return True
            if not use:
                into.decide.append(f"{place} is read as the home address: is any of them to be kept safe?")
            self._open(into, [place], nodes, "address", "Address", "addresses", {"use": use or "home"})
        elif kind in {"phone", "email"}:
            self._open(into, [place], nodes, kind, "Contact", "contacts", {"system": kind}, kind=kind.capitalize())
        elif into.name == "involvement" and _PERSON.search(words_of(name)):
            self._open(into, [place], nodes, "person", "Person")
        else:
            return False
        return True

    def _people(self, into: Drafted, nodes: list[Tree], place: str) -> None:
        """People whose role a member of theirs says; where none does, a person must."""
        name = "involvement" if any(_leads(node) for node in nodes) else "person"
        typed = _typed(nodes, ROLES)
        if typed is None:
            into.decide.append(f"{place} are people whose role nothing says: who no role leads to is a third party")
            self._open(into, [place], nodes, name, "Person", "people", {"role": "other"}, "other", unreached=True)
            return
        _say_unknown(into, place, typed[2], "read as third parties")
        for role, places in _by_word(place, *typed[:2]).items():
            self._open(into, places, nodes, name, "Person", "people", {"role": role}, role)
        # Whoever has a role that the sample does not show is still somebody, and never dropped.
        self._open(into, [place], nodes, name, "Person", "people", {"role": "other"}, "other", unreached=True)

    def _open(  # noqa: PLR0913 - as a section
        self,
        into: Drafted,
        places: Sequence[str],
        nodes: Sequence[Tree],
        name: str,
        part: str,
        to: str = "",
        constants: Mapping[str, str] | None = None,
        ref: str = "",
        *,
        kind: str = "",
        unreached: bool = False,
    ) -> None:
        if name in self.open:
            into.unread.append(f"{places[0]}: a part inside one of its own kind")
            return
        inner = self.shape(name, part, kind or part)
        self.section(into, places, name, to, constants, ref, unreached=unreached)
        self.open.append(name)
        for node in nodes:
            if (name, id(node)) not in self.seen:
                self.seen.add((name, id(node)))
                self.read(inner, node, ())
        self.open.pop()


_STEP = re.compile(r"@?(?:[A-Za-z_][A-Za-z0-9_-]*:)?[A-Za-z_][A-Za-z0-9_-]*|#text", re.ASCII)
_PERSON = re.compile(r"\b(person|nominal)( id| ref)?$")
_OF_EVENT: Mapping[str, tuple[str, str, str]] = {
    "relationship": ("Relationship", "relationships", ""),
    "assessment": ("Assessment", "assessments", "assessment"),
    "consent": ("Consent", "consents", "consent"),
    "order": ("Order", "orders", ""),
    "attachment": ("Attachment", "attachments", ""),
    "custody": ("Custody", "custody", ""),
    "officer": ("Officer", "officer", ""),
}
"""What the parts of an event are built into: the class, where they go, and what their references begin with."""

_ABOUT = "victim; subject; person id; victim id; subject person id; victim subject id; subject id"
_SUBJECTS: Mapping[str, Mapping[str, str]] = {
    part: {name: leaf for leaf, names in leaves.items() for name in names.split("; ")}
    for part, leaves in {
        "Relationship": {
            "a victim": "victim; of; from; victim id; from person id; person a; victim subject id",
            "b suspect": "suspect; to; suspect id; to person id; person b; offender; offender id; offender subject id",
        },
        "Assessment": {"subject victim": _ABOUT},
        "Consent": {"subject person": _ABOUT},
        "Attachment": {},
        "Custody": {"subject suspect": "suspect; subject; person id; suspect id; offender id; offender subject id"},
        "Order": {
            "subject suspect": "suspect; subject; against; subject person id; suspect id; offender id; "
            "offender subject id",
            "protects victim": "victim; protects; protected person; protected person id; victim id; victim subject id",
        },
    }.items()
}
"""The leaf that says whom a part is about, and in which role, by what the member that leads to them is called."""


def _why_not_followed(here: Steps) -> str:
    if any(words_of(step).endswith("association") for step in here):
        return "joins two parts from outside both: a profile follows links out of a person or the event; ask for one"
    return "leads to a part of a kind that is not known"


def _leads(node: Tree) -> bool:
    """Whether a part leads to another by a member of its own, or by the only member of one."""
    inner = [one for one in node.values() if isinstance(one, dict) and len(one) == 1]
    return any(isinstance(one, Linked) for part in (node, *inner) for one in part.values())


def _nearest(name: str, among: Mapping[str, str]) -> str:
    """What a name stands for, "" where it is near to none."""
    for words, _ in spoken(name):
        found = process.extractOne(words, among.keys(), scorer=fuzz.token_sort_ratio, score_cutoff=NEAR)
        if found:
            return among[found[0]]
    return ""


def _typed(nodes: Sequence[Tree], among: Mapping[str, str]) -> tuple[str, dict[str, str], int] | None:
    """The member whose texts say what each of these parts is, what each text stands for, and how many stand for none.

    None where no member says it for half of the texts at least.
    """
    for key in dict.fromkeys(key for node in nodes for key in node if _STEP.fullmatch(key)):
        values = {str(node[key]) for node in nodes if isinstance(node.get(key), str)}
        said = {value: word for value in sorted(values) if (word := _nearest(value, among))}
        if said and 2 * len(said) >= len(values):
            return key, said, len(values) - len(said)
    return None


def _say_unknown(into: Drafted, place: str, unknown: int, fate: str) -> None:
    said = f"{place}: {unknown} of their kinds are not known, and those parts are {fate}"
    if unknown and said not in into.decide:
        into.decide.append(said)


def _by_word(place: str, key: str, said: Mapping[str, str]) -> dict[str, list[str]]:
    """The places of the parts by what they are: `people[role=Victim]`."""
    found: dict[str, list[str]] = {}
    for value, word in said.items():
        found.setdefault(word, []).append(f"{place}[{value}]" if key == "type" else f"{place}[{key}={value}]")
    order = [*ROLES.values(), *USES.values()]  # the victim first, as people read a case
    return dict(sorted(found.items(), key=lambda one: order.index(one[0])))


def _unwrapped(name: str, value: Tree, here: Steps) -> tuple[Steps, list[Tree]]:
    """The parts inside an element that only holds them, such as `Persons` around each `Person`."""
    if len(value) == 1:
        key, one = next(iter(value.items()))
        if isinstance(one, Linked):
            return (*here, key), [node for _, node in one.targets]
        nodes = [node for node in (one if isinstance(one, list) else [one]) if isinstance(node, dict)]
        if nodes and fuzz.ratio(words_of(name), words_of(key)) > NEAR - 20:
            return (*here, key), nodes
    return here, [value]
