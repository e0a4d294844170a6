"""References inside an XML document: a member that names another part becomes a `Linked` that leads to it.

A part is named by a member that the profile calls its identity; references are the members that the profile lists,
each with the element that it names or `*` for any. Links may go in circles: nothing here follows one. A reference to
nothing, and an identity that two parts have, are findings and not refusals (P6); a reference that could lead to either
of two parts is refused, since nobody could say who is meant.

Source: XML 1.0, section 3.3.1 (ID, IDREF, IDREFS); the `structures:id` and `structures:ref` of NIEM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adapters.socket import Fault, Problem, Unreadable
from mappings.tree import Linked, Trail, Value, rendered

ANY = "*"
"""The element of a reference that may name any."""

Part = dict[str, Value]


def resolve(root: Part, identity: Sequence[str], refs: Mapping[str, str]) -> tuple[tuple[Trail, str], ...]:
    """Put a `Linked` in place of every reference of a tree; findings as (path, code). Raises `Unreadable`.

    `refs` gives, for the member that refers, the element it names.
    """
    resolver = _Resolver()
    links: list[tuple[Part, str, Trail]] = []
    parts: list[tuple[Trail, str, Part]] = [("", "", root)]
    told = {*refs, *identity}
    for path, element, part in parts:  # grows: each part adds those inside it
        for key, value in part.items():
            kind = type(value)
            if kind is str:  # most are, and are of no part
                if key in refs:
                    links.append((part, key, path))
                elif key in told:
                    resolver.add(_name(value), element, (path, key), part)
            elif kind is dict:
                parts.append(((path, key), key, value))  # type: ignore[arg-type] # kind says that it is a dict
            elif kind is list:
                inside = [((path, key), at) for at in range(len(value))]  # type: ignore[arg-type] # as above, a list
                parts += [(at, key, one) for at, one in zip(inside, value, strict=True) if type(one) is dict]  # type: ignore[arg-type] # as above
    for part, key, path in links:
        part[key] = resolver.linked(part[key], refs[key], (path, key))
    return tuple(resolver.notes)


@dataclass(slots=True)
class _Resolver:
    """The parts by element and name, and by any element and name; and which of these names are given twice."""

    found: dict[tuple[str, str], tuple[Trail, Part]] = field(default_factory=dict)
    twice: set[tuple[str, str]] = field(default_factory=set)
    notes: list[tuple[Trail, str]] = field(default_factory=list)

    def add(self, name: str, element: str, at: tuple[Trail, str], part: Part) -> None:
        """Note what identifies a part; blank identifies nothing."""
        if not name:
            return
        if (element, name) in self.found:
            self.notes.append((at, "resource-given-twice"))
        for key in ((element, name), (ANY, name)):
            if key in self.found:
                self.twice.add(key)
            else:
                self.found[key] = (at[0], part)

    def linked(self, value: Value, element: str, path: Trail) -> Linked:
        """What a reference leads to; one text may name several parts, with space between them."""
        said = _name(value)
        targets: list[tuple[Trail, Part]] = []
        for name in (said,) if (element, said) in self.found else said.split():
            if (element, name) in self.twice:
                raise Unreadable(Problem(rendered(path), Fault.AMBIGUOUS_LINK))
            if (element, name) in self.found:
                targets.append(self.found[element, name])
            else:
                self.notes.append((path, "link-to-nothing"))
        return Linked(tuple(targets), bool(said))


def _name(value: Value) -> str:
    """An identity as it is compared; a # in front is how an address names a part of its own document."""
    return str(value).strip().removeprefix("#")
