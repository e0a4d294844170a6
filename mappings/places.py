"""Places of a document as a profile writes them: names with dots between them, and where a section looks.

`person.names` is a place of a row. A section may look for `persons`, for `persons[victim]` by the type, for
`persons[@role=VIC]` by what a leaf says, or at `.`, the part itself. What is read there is claimed, so that a sweep can
tell what nobody reads. Nothing of a document is read here.
"""

from __future__ import annotations

import re

from mappings.claims import Claim, Claims
from mappings.codemap import fold
from mappings.shape import Place
from mappings.strict import Foreign, string

_STEP = re.compile(r"@?(?:[A-Za-z_][A-Za-z0-9_-]*:)?[A-Za-z_][A-Za-z0-9_-]*|#text")
_ONE_OF = re.compile(r"([^\[\]=]+)\[(?:([^\[\]=]+)=)?([^\[\]=]+)\]")


def steps(where: str, place: Foreign) -> tuple[str, ...]:
    """The steps of a place. Raises ValueError."""
    found = tuple(string(where, place).split("."))
    if not all(_STEP.fullmatch(step) for step in found):
        raise ValueError(f"{where}: steps are names with dots between them")
    return found


def looked_at(where: str, place: str, claims: Claims) -> Place:
    """Where a section looks; the parts there are claimed. Raises ValueError."""
    if place == ".":
        return Place("", (), "")
    among = _ONE_OF.fullmatch(place)
    found = steps(where, among[1] if among else place)
    claims.add(found, Claim.PARTS)
    if among is None:
        return Place(found[0], found[1:], ".".join(found))
    key = steps(where, among[2] or "type")
    read = None  # the type is what identifies a part, which every shape claims
    if among[2]:
        read = Claims()
        read.add(key, Claim.SCALAR)
    return Place(found[0], found[1:], ".".join(found), key, fold(string(where, among[3])), read)


def ignored(where: str, place: Foreign, claims: Claims) -> None:
    """Claim a place that is left out for a stated reason. Raises ValueError where something is read there."""
    found = steps(f"{where}.from", place)
    if claims.at(found) is not None:
        raise ValueError(f"{where}.from: a row or section reads there")
    claims.add(found, Claim.IGNORED)
