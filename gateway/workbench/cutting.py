"""Cutting out of a profile's tree what the loader refused, so that it can be asked about the rest.

Elements keep the index they had in the file, whatever was cut before them. What is refused only because something
else was cut is a consequence, and no finding of its own.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from gateway.workbench.lines import Place, shown

Tree = dict[str, Any]
_LISTS = ("rows", "sections", "ignore")
_STAND_INS = {
    "title": "profile",
    "adapter": "police.json",
    "standard": "none",
    "date": "2026-01-01",
    "identity": ["id"],
}
"""What stands for a key that is missing, so that the rest can be looked at."""

_KEY = re.compile(r"((?:[A-Za-z0-9_@-]+)(?:\.[^\s:\[\]]+|\[\d+\])*): (.*)", re.DOTALL)
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_QUOTED = re.compile(r"'([^']*)'")
_MAP_FILE = re.compile(r"([a-z0-9-]+)\.json: ")


class Cutting:
    """A tree being cut. `tree` is what is left; `whole` is what it was."""

    def __init__(self, tree: Tree, stem: str) -> None:
        """`stem` is what the file is called, without its ending."""
        self.whole = tree
        self._stem = stem
        self.tree: Tree = copy.deepcopy(tree)
        self._origins: dict[int, list[int]] = {}
        for shape in self._shapes(self.tree).values():
            for kind in _LISTS:
                listed = shape.get(kind)
                if isinstance(listed, list):
                    self._origins[id(listed)] = list(range(len(listed)))

    def place_of(self, words: str) -> tuple[str, Place, str]:
        """The key a refusal names as text and as a place of the file, and its words without the key."""
        if found := _MAP_FILE.match(words):
            return f"maps: {found[1]}", ("maps",), words
        found = _KEY.fullmatch(words)
        if found is None:
            return "", (), words
        place = self._origin(self._twice(_steps(found[1]), found[2]))
        if found[2] == "there is none" and len(place) == 2:  # noqa: PLR2004 - shapes, name
            place = self._named(str(place[1]))
        return shown(place), place, found[2]

    def is_consequence(self, words: str) -> bool:
        """Whether a refusal comes only of what was cut before."""
        _, place, said = self.place_of(words)
        quoted = _QUOTED.search(said)
        if "nothing uses" in said or "there is none" in said:
            shapes = self._shapes(self.whole)
            if "there is none" in said:
                return self._missing(words) in shapes
            name = quoted[1] if quoted else str(place[-1])
            return any(
                one.get("map") == name or one.get("shape") == name
                for shape in shapes.values()
                for kind in _LISTS
                for one in _tables(shape.get(kind))
            )
        if said.startswith("no row writes") and quoted and len(place) > 1:
            rows = _tables(self._shapes(self.whole).get(str(place[1]), {}).get("rows"))
            return any(str(row.get("to", "")).startswith(quoted[1]) for row in rows)
        return False

    @staticmethod
    def _missing(words: str) -> str:
        return words.removeprefix("shapes.").partition(":")[0]

    def cut(self, words: str) -> bool:
        """Cut what a refusal is about; False where there is nothing to cut, so that no more can be asked."""
        if found := _MAP_FILE.match(words):
            return self._cut_map(found[1])
        found = _KEY.fullmatch(words)
        if found is None:
            return False
        place, said = self._twice(_steps(found[1]), found[2]), found[2]
        if place[0] == "maps":
            quoted = _QUOTED.search(said)
            return self._cut_map(quoted[1]) if quoted else self._drop(self.tree, "maps")
        if place[0] != "shapes" or len(place) == 1:
            return self._cut_top(str(place[0]), said)
        return self._cut_shape(place, said)

    def _cut_shape(self, place: Place, said: str) -> bool:
        """Cut a shape, or what of it a refusal is about."""
        shapes, name = self._shapes(self.tree), str(place[1])
        if len(place) > 3 and isinstance(place[3], int):  # noqa: PLR2004 - shapes, name, list, index
            return self._cut_element(shapes[name], str(place[2]), place[3])
        if said.startswith("contains itself"):
            return sum(self._cut_where(one, "sections", "shape", name) for one in self._reached(name)) > 0
        if len(place) > 2 and place[2] in shapes.get(name, {}) and place[2] != "part":  # noqa: PLR2004 - shapes, name, key
            return self._drop(shapes[name], str(place[2]))
        cut = [self._cut_where(shape, "sections", "shape", name) for shape in shapes.values()]
        return self._drop(shapes, name) or any(cut)

    def _cut_top(self, key: str, said: str) -> bool:
        if said.startswith("unknown key"):
            return self._drop(self.tree, key)
        if key == "root" and self._shapes(self.tree):
            first = next(iter(self._shapes(self.tree)))
            changed = self.tree.get("root") != first
            self.tree["root"] = first
            return changed
        if key in {"name", "version"}:
            return self._call_by_file()
        if key in _STAND_INS and self.tree.get(key) != _STAND_INS[key]:
            self.tree[key] = _STAND_INS[key]
            return True
        return self._drop(self.tree, key)

    def _call_by_file(self) -> bool:
        """Give the tree the name and version that the file's own name says; False where it says them already."""
        name, _, version = self._stem.partition("@")
        before = self.tree.get("name"), self.tree.get("version")
        self.tree["name"] = name
        self.tree.pop("version", None)
        if version:
            self.tree["version"] = version
        return before != (name, version or None)

    def _cut_map(self, name: str) -> bool:
        cut = [self._cut_where(shape, "rows", "map", name) for shape in self._shapes(self.tree).values()]
        listed = self.tree.get("maps")
        if isinstance(listed, list) and name in listed:
            listed.remove(name)
            if not listed:
                del self.tree["maps"]
            return True
        return any(cut)

    def _cut_where(self, shape: Tree, kind: str, key: str, value: str) -> bool:
        """Cut the elements of a list of a shape whose key has a value."""
        listed = shape.get(kind)
        if not isinstance(listed, list):
            return False
        found = [i for i, one in enumerate(listed) if isinstance(one, dict) and one.get(key) == value]
        return sum(self._cut_element(shape, kind, index) for index in reversed(found)) > 0

    def _cut_element(self, shape: Tree, kind: str, index: int) -> bool:
        listed = shape.get(kind)
        if not isinstance(listed, list) or index >= len(listed):
            return False
        del listed[index]
        del self._origins[id(listed)][index]
        if not listed:
            del shape[kind]
        return True

    def _origin(self, place: Place) -> Place:
        """A place of what is left as a place of the file."""
        if len(place) > 3 and place[0] == "shapes" and isinstance(place[3], int):  # noqa: PLR2004 - shapes, name, list, index
            listed = self._shapes(self.tree)[str(place[1])][str(place[2])]
            return (*place[:3], self._origins[id(listed)][place[3]], *place[4:])
        return place

    def _named(self, shape: str) -> Place:
        """Where the file names a shape that it does not have."""
        for name, one in self._shapes(self.whole).items():
            for index, section in enumerate(_tables(one.get("sections"))):
                if section.get("shape") == shape:
                    return ("shapes", name, "sections", index, "shape")
        return ("root",)

    def _twice(self, place: Place, said: str) -> Place:
        """The later of two rows that write one leaf, where a refusal names their shape only."""
        quoted = _QUOTED.search(said)
        if "is written twice" not in said or quoted is None or len(place) != 2:  # noqa: PLR2004 - shapes, name
            return place
        for name in (str(place[1]), *self._inside(str(place[1]))):
            rows = _tables(self._shapes(self.tree).get(name, {}).get("rows"))
            found = [i for i, row in enumerate(rows) if row.get("to") == quoted[1]]
            if found:
                return ("shapes", name, "rows", found[-1], "to")
        return place

    def _inside(self, name: str) -> list[str]:
        """The shapes that only say more of the same part as a shape."""
        sections = _tables(self._shapes(self.tree).get(name, {}).get("sections"))
        return [str(one.get("shape")) for one in sections if not one.get("to")]

    def _reached(self, name: str) -> list[Tree]:
        """The shapes a shape leads to, itself included."""
        shapes = self._shapes(self.tree)
        found: dict[str, Tree] = {}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one in shapes and one not in found:
                found[one] = shapes[one]
                waiting += [str(section.get("shape")) for section in _tables(shapes[one].get("sections"))]
        return list(found.values())

    @staticmethod
    def _shapes(tree: Tree) -> dict[str, Tree]:
        shapes = tree.get("shapes")
        return shapes if isinstance(shapes, dict) and all(isinstance(one, dict) for one in shapes.values()) else {}

    @staticmethod
    def _drop(table: Tree, key: str) -> bool:
        return table.pop(key, None) is not None


def _steps(key: str) -> Place:
    return tuple(int(found[1]) if found[1] else found[2] for found in _STEP.finditer(key))


def _tables(listed: object) -> list[Tree]:
    return [one if isinstance(one, dict) else {} for one in listed] if isinstance(listed, list) else []
