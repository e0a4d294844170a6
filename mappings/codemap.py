"""Code maps: how an outside system's codes are said in ours, as FHIR R4 ConceptMap documents in `codes/`.

A map is read strictly and hashed. Only what is used is allowed: one group or more, elements with one target each, and
`equivalence`, which is `equal` or `equivalent`: a code that means more, less or something near is not said in ours, and
whoever sends it is told that it is unknown. Codes are compared without regard to case and outer space. This page
invents no code: what a map does not hold is unknown.

Source: HL7 FHIR R4 ConceptMap; each map names its own source and date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

CODES = Path(__file__).parent / "codes"
"""Where the maps that ship with the product lie."""

_TOP = {
    "resourceType",
    "id",
    "url",
    "version",
    "name",
    "title",
    "status",
    "date",
    "description",
    "copyright",
    "sourceUri",
    "targetUri",
    "group",
}
_REQUIRED = {"resourceType", "id", "version", "name", "status", "date", "description", "group"}
_GROUP = {"source", "target", "element"}
_ELEMENT = {"code", "display", "target"}
_TARGET = {"code", "display", "equivalence", "comment"}
_EQUIVALENCE = {"equivalent", "equal"}


Foreign = Any
"""What a JSON document may hold; every function looks before it uses it."""


class CodeMapInvalid(Exception):
    """A code map that does not load; the text names the file and the place in it."""


@dataclass(frozen=True, slots=True)
class CodeMap:
    """A loaded map. `codes` maps a folded source code (`fold`) to the target code; `hash` is the file's hex SHA-256."""

    name: str
    date: str
    hash: str
    codes: Mapping[str, str]


def fold(code: str) -> str:
    """A code as maps compare it."""
    return code.strip().casefold()


def load_codemap(path: Path) -> CodeMap:
    """Load one map. Raises `CodeMapInvalid` naming the file and the place."""
    body = path.read_bytes()
    try:
        tree = json.loads(body.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except ValueError as exc:
        raise CodeMapInvalid(f"{path.name}: {exc}") from exc
    try:
        return _codemap(path.stem, tree, hashlib.sha256(body).hexdigest())
    except CodeMapInvalid as exc:
        raise CodeMapInvalid(f"{path.name}: {exc}") from None


def _codemap(name: str, tree: Foreign, digest: str) -> CodeMap:
    _keys("", tree, _TOP, _REQUIRED)
    if tree["resourceType"] != "ConceptMap":
        raise CodeMapInvalid("resourceType: not a ConceptMap")
    if tree["id"] != name:
        raise CodeMapInvalid("id: not the name of the file")
    codes: dict[str, str] = {}
    for g, group in enumerate(_some("group", tree["group"])):
        _keys(f"group[{g}]", group, _GROUP, _GROUP)
        for e, element in enumerate(_some(f"group[{g}].element", group["element"])):
            where = f"group[{g}].element[{e}]"
            _keys(where, element, _ELEMENT, {"code", "target"})
            (target, *more) = _some(f"{where}.target", element["target"])
            if more:
                raise CodeMapInvalid(f"{where}.target: more than one")
            _keys(f"{where}.target[0]", target, _TARGET, {"code", "equivalence"})
            if target["equivalence"] not in _EQUIVALENCE:
                raise CodeMapInvalid(f"{where}.target[0].equivalence: neither equal nor equivalent")
            code = fold(_text(f"{where}.code", element["code"]))
            if code in codes:
                raise CodeMapInvalid(f"{where}.code: given before")
            codes[code] = _text(f"{where}.target[0].code", target["code"])
    return CodeMap(name, _text("date", tree["date"]), digest, MappingProxyType(codes))


def _keys(where: str, value: Foreign, allowed: set[str], required: set[str]) -> None:
    if not isinstance(value, dict):
        raise CodeMapInvalid(f"{where or 'top'}: not an object")
    for key in value:
        if key not in allowed:
            raise CodeMapInvalid(f"{where}.{key}: unknown key".lstrip("."))
    for key in sorted(required - value.keys()):
        raise CodeMapInvalid(f"{where}.{key}: missing".lstrip("."))


def _some(where: str, value: Foreign) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise CodeMapInvalid(f"{where}: not a list, or an empty one")
    return value


def _text(where: str, value: Foreign) -> str:
    if not isinstance(value, str) or not value.strip():
        raise CodeMapInvalid(f"{where}: not text, or blank")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the same key is given twice in one object")
    return found
