"""What a profile says of XML: the prefixes its paths use for namespaces, and the members that refer to other parts.

A step of a path is a name as `Profile.markup` prefixes it: `n:Person` an element, `@n:id` an attribute, `#text` the
text of an element that has attributes or elements inside. Prefixes are the profile's own; those of a document do not
count, so no document can pass one namespace off as another. The prefix "" is the namespace of elements without a
prefix, as `xpath-default-namespace` is; an attribute without a prefix is in no namespace. A name of a namespace that
the profile does not name keeps it behind the name, `Person{urn:other}`, which no path can say. Nothing is read here.

A reference is a member of a part whose text is the identity of another; with it stands the element that it names, as
a step, or `*` where the identities of a document are unique among all elements.

Source: Namespaces in XML 1.0, sections 5 and 6; XSLT 2.0, section 5.2 (default namespace of paths).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from mappings.claims import Claims
from mappings.strict import Foreign, keys, texts

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
"""The namespace of the prefix `xml`, which is always declared (Namespaces in XML 1.0, section 3)."""

_KEYS = {"namespaces", "refs"}


@dataclass(frozen=True, slots=True, eq=False)  # one object for one profile: caches go by it
class Markup:
    """The prefix of each namespace by the namespace's name, and for each member that refers the element it names."""

    prefixes: Mapping[str, str]
    refs: Mapping[str, str]

    def element(self, namespace: str, name: str) -> str:
        """The step of an element; `namespace` is "" where it is in none."""
        prefix = self.prefixes.get(namespace)
        if prefix:
            return f"{prefix}:{name}"
        if prefix == "" or (not namespace and "" not in self.prefixes.values()):
            return name
        return f"{name}{{{namespace}}}"

    def attribute(self, namespace: str, name: str) -> str:
        """The step of an attribute; `namespace` is "" where it is in none."""
        if not namespace:
            return f"@{name}"
        prefix = self.prefixes.get(namespace)
        return f"@{prefix}:{name}" if prefix else f"@{name}{{{namespace}}}"


PLAIN = Markup(MappingProxyType({XML_NAMESPACE: "xml"}), MappingProxyType({}))
"""No namespaces and no references."""


def markup(tree: Foreign, identity: Iterable[str], claims: Sequence[Claims]) -> Markup:
    """The `xml` table of a profile file. Raises ValueError naming the key.

    `identity` are the profile's words for what identifies a part, `claims` those of all its shapes: every prefix must
    be declared, and every one declared must be used.
    """
    keys("xml", tree, _KEYS, ())
    names, refs = (_some(f"xml.{key}", tree[key]) if key in tree else {} for key in ("namespaces", "refs"))
    prefixes = {name: prefix for prefix, name in names.items()}
    if len(prefixes) < len(names) or XML_NAMESPACE in prefixes or "xml" in names:
        raise ValueError("xml.namespaces: one namespace under two prefixes")
    steps = {*identity, *refs, *refs.values(), *_steps(claims)} - {"*"}
    used = {"xml", *(prefix for step in steps if (prefix := _prefix(step)) is not None)}
    for prefix in sorted(used - {"", "xml"} - names.keys()):
        raise ValueError(f"xml.namespaces: no namespace is called {prefix!r}")
    for prefix in sorted(names.keys() - used):
        raise ValueError(f"xml.namespaces: nothing uses {prefix!r}")
    for ref in refs.keys() - _steps(claims):
        raise ValueError(f"xml.refs: no section and no row goes through {ref!r}")
    return Markup(MappingProxyType({**prefixes, XML_NAMESPACE: "xml"}), MappingProxyType(refs))


def _some(where: str, value: Foreign) -> dict[str, str]:
    found = texts(where, value)
    if not found:
        raise ValueError(f"{where}: an empty table")
    return found


def _steps(claims: Iterable[Claims]) -> set[str]:
    found: set[str] = set()
    for one in claims:
        found |= {key for key in one if key is not None}
        found |= _steps(inner for inner in one.values() if isinstance(inner, Claims))
    return found


def _prefix(step: str) -> str | None:
    """The prefix of a step; None where the default namespace does not matter to it."""
    prefix, colon, _ = step.lstrip("@").partition(":")
    if colon:
        return prefix
    return None if step.startswith(("@", "#")) else ""
