"""A small reader of FHIR StructureDefinitions: holds a resource to what a profile's differential says.

It knows cardinality, patterns and fixed values, required bindings to value sets of the package, reference targets,
slices by value, closed slicing, and the one constraint that the BALP profiles have. Whatever else an element says that
it does not know, it refuses, so that nothing is passed over unseen. The base resource is for the models to check.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_WORDS = frozenset(
    {"id", "path", "short", "definition", "comment", "requirements", "mapping", "mustSupport", "sliceName"}
)
_READ = frozenset({"min", "max", "slicing", "binding", "type", "constraint", "base"})
_CONSTRAINTS = {"$this.who = %resource.source.observer": lambda one, whole: one["who"] == whole["source"]["observer"]}


@dataclass
class Node:
    """An element of a profile: its rules, its children, and its slices by name."""

    rules: Json = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)


class Package:
    """The profiles, value sets and code systems of a folder of JSON files."""

    def __init__(self, folder: Path) -> None:
        read = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
        of = {kind: {one["url"]: one for one in read if one["resourceType"] == kind} for kind in _KINDS}
        self.profiles = of["StructureDefinition"]
        self.examples = [one for one in read if one["resourceType"] == "AuditEvent"]
        self._trees: dict[str, Node] = {}
        self._value_sets, self._code_systems = of["ValueSet"], of["CodeSystem"]

    def faults(self, resource: Json, profile: str) -> list[str]:
        """What of a resource is not as a profile says, by path."""
        if profile not in self._trees:
            root = self._trees[profile] = Node()
            for definition in self._chain(profile):
                for element in definition["differential"]["element"]:
                    _place(root, element)
        return list(self._of_children(resource, self._trees[profile], "", resource))

    def _chain(self, url: str) -> list[Json]:
        """The definitions from the base on; the resource itself is not in the package."""
        definition = self.profiles.get(url)
        return [] if definition is None else [*self._chain(definition["baseDefinition"]), definition]

    def _of_children(self, value: Json, node: Node, path: str, whole: Json) -> Iterator[str]:
        for name, child in node.children.items():
            held = value.get(name)
            values = [] if held is None else held if isinstance(held, list) else [held]
            yield from self._of_values(values, child, f"{path}.{name}".lstrip("."), whole)

    def _of_values(self, values: Sequence[Any], node: Node, path: str, whole: Json) -> Iterator[str]:
        rules = node.rules
        if len(values) < rules.get("min", 0):
            yield f"{path}: {len(values)} of at least {rules['min']}"
        if rules.get("max", "*") != "*" and len(values) > int(rules["max"]):
            yield f"{path}: {len(values)} of at most {rules['max']}"
        for at, value in enumerate(values):
            here = f"{path}[{at}]"
            if not self._fits(value, rules):
                yield f"{here}: does not fit"
            for one in rules.get("constraint", ()):
                if not _CONSTRAINTS[one["expression"]](value, whole):
                    yield f"{here}: {one['key']}"
            if isinstance(value, dict):
                yield from self._of_children(value, node, here, whole)
        members: set[int] = set()
        for name, part in node.slices.items():
            inside = [at for at, value in enumerate(values) if self._is_in(value, part, rules["slicing"])]
            members.update(inside)
            yield from self._of_values([values[at] for at in inside], part, f"{path}:{name}", whole)
        if rules.get("slicing", {}).get("rules") == "closed":
            yield from (f"{path}[{at}]: in no slice" for at in range(len(values)) if at not in members)

    def _is_in(self, value: Any, part: Node, slicing: Json) -> bool:
        """Whether a value belongs to a slice, by its discriminators."""
        for one in slicing["discriminator"]:
            if one["type"] != "value":
                raise NotImplementedError(f"a discriminator of type {one['type']}")
            found, node = value, part
            for step in () if one["path"] == "$this" else one["path"].split("."):
                found, node = (found or {}).get(step), node.children[step]
            if found is None or not self._fits(found, node.rules):
                return False
        return True

    def _fits(self, value: Any, rules: Mapping[str, Any]) -> bool:
        for word, wanted in rules.items():
            if word.startswith("pattern") and not _holds(value, wanted):
                return False
            if word.startswith("fixed") and value != wanted:
                return False
        binding = rules.get("binding")
        if binding and binding["strength"] == "required" and not self._is_bound(value, binding["valueSet"]):
            return False
        targets = [target for one in rules.get("type", ()) for target in one.get("targetProfile", ())]
        kinds = {target.rpartition("/")[2] for target in targets}
        return not kinds or str(value.get("reference", "")).partition("/")[0] in kinds

    def _is_bound(self, value: Json, url: str) -> bool:
        codings = value.get("coding", [value])
        return any((one.get("system"), one.get("code")) in self._codes(url) for one in codings)

    def _codes(self, url: str) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for include in self._value_sets[url]["compose"]["include"]:
            concepts = include.get("concept") or self._code_systems[include["system"]]["concept"]
            found |= {(include["system"], one["code"]) for one in concepts}
        return found


_KINDS = ("StructureDefinition", "ValueSet", "CodeSystem")


def _place(root: Node, element: Json) -> None:
    unknown = element.keys() - _WORDS - _READ
    if strange := {word for word in unknown if not word.startswith(("pattern", "fixed"))}:
        raise NotImplementedError(f"{element['id']} says {sorted(strange)}")
    node = root
    for step in element["id"].split(".")[1:]:
        name, _, part = step.partition(":")
        node = node.children.setdefault(name, Node())
        if part:
            node = node.slices.setdefault(part, Node())
    node.rules |= {word: said for word, said in element.items() if word not in _WORDS}


def _holds(value: Any, pattern: Any) -> bool:
    """Whether a value holds a pattern (FHIR R4 ElementDefinition.pattern[x])."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(_holds(value.get(name), one) for name, one in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_holds(one, wanted) for one in value) for wanted in pattern)
    return bool(value == pattern)
