"""Police JSON:API documents: strict JSON, links resolved into one tree, read by a profile.

`data` is one resource, `included` are others; `relationships.<name>.data` names one or several by type and id. Each
such link becomes a `Linked` that leads to the resources themselves, so that a profile's paths go through it. Links may
go in circles; nothing here follows one. A resource that two roles lead to is read twice, as two people (N9).

A link to nothing, and a resource given twice, are findings and not refusals (P6). Source: JSON:API 1.0, document
structure; domain.md section 1.1 (iHub Standard Data Model).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.socket import Fault, Limits, Problem, Reading, Unreadable
from adapters.strictjson import parse
from mappings.profile import Profile
from mappings.tree import Linked, Trail, Value, says_something

_IDENTIFIER = frozenset({"type", "id"})


@dataclass(frozen=True, slots=True)
class PoliceJson:
    """The adapter."""

    name: str = "police.json"
    media_types: tuple[str, ...] = ("application/vnd.api+json", "application/json")

    def read(self, body: bytes, profile: Profile, limits: Limits) -> Reading:
        """Read one document. Raises `Unreadable`."""
        root = parse(body, limits)
        data = root.get("data")
        if not isinstance(data, dict):
            several = isinstance(data, list) and len(data) > 1
            fault = Fault.SEVERAL_INCIDENTS if several else Fault.MISSING if data is None else Fault.WRONG_TYPE
            raise Unreadable(Problem("data", fault))
        resolver = _Resolver()
        resolver.resolve(root, data)
        return profile.apply(root, tuple(resolver.notes))


READER = PoliceJson()

_Resource = dict[str, Value]


@dataclass(slots=True)
class _Resolver:
    """The links of one document. `found` holds its resources by type and id, each with its path."""

    found: dict[tuple[str, str], tuple[Trail, _Resource]] = field(default_factory=dict)
    notes: list[tuple[Trail, str]] = field(default_factory=list)

    def resolve(self, root: _Resource, data: _Resource) -> None:
        """Put a `Linked` in place of every link of the document."""
        included = root.get("included")
        resources: list[tuple[Trail, _Resource]] = [("data", data)]
        if isinstance(included, list):
            resources += [(("included", i), one) for i, one in enumerate(included) if isinstance(one, dict)]
        for path, resource in resources:
            self._add(path, resource)
        for path, resource in resources:
            relationships = resource.get("relationships")
            if isinstance(relationships, dict):
                for name, relationship in relationships.items():
                    if isinstance(relationship, dict) and isinstance(relationship.get("data"), dict | list):
                        at = (((path, "relationships"), name), "data")
                        relationship["data"] = self._linked(relationship["data"], at)

    def _add(self, path: Trail, resource: _Resource) -> None:
        type_, id_ = resource.get("type"), resource.get("id")
        if not isinstance(type_, str) or not isinstance(id_, str) or not (type_.strip() and id_.strip()):
            self.notes.append((path, "resource-without-identity"))
        elif (type_, id_) in self.found:
            self.notes.append((path, "resource-given-twice"))
        else:
            self.found[type_, id_] = (path, resource)

    def _linked(self, links: Value, path: Trail) -> Linked:
        targets: list[tuple[Trail, _Resource]] = []
        rest: list[tuple[Trail, Value]] = []
        leaves = 0
        several = isinstance(links, list)
        for index, link in enumerate(links if isinstance(links, list) else [links]):
            if isinstance(link, dict) and len(link) == len(_IDENTIFIER):
                type_, id_ = link.get("type"), link.get("id")
                target = self.found.get((type_, id_)) if type(type_) is str and type(id_) is str else None
                if target is not None:
                    targets.append(target)
                    leaves += len(_IDENTIFIER)
                    continue
            at: Trail = (path, index) if several else path
            leaves += self._odd(link, at, targets, rest)
        return Linked(tuple(targets), leaves, tuple(rest))

    def _odd(
        self, link: Value, at: Trail, targets: list[tuple[Trail, _Resource]], rest: list[tuple[Trail, Value]]
    ) -> int:
        """A link that leads nowhere, is none, or has something beside it; how many leaves of it are the link."""
        type_, id_ = (link.get("type"), link.get("id")) if isinstance(link, dict) else (None, None)
        if not isinstance(link, dict) or not isinstance(type_, str) or not isinstance(id_, str):
            self.notes.append((at, "not-a-link"))
            rest.append((at, link))
            return 0
        if len(link) > len(_IDENTIFIER):
            rest.append((at, {k: v for k, v in link.items() if k not in _IDENTIFIER}))
        target = self.found.get((type_, id_))
        if target is None:
            self.notes.append((at, "link-to-nothing"))
        else:
            targets.append(target)
        return says_something(type_) + says_something(id_)
