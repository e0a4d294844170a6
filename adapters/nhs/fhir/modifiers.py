"""What says that a FHIR resource may mean something else than its elements do: `modifierExtension`, `implicitRules`.

Whoever does not understand one must not process what it stands on, and nobody here understands any: the place is named,
and what is done about it is the caller's. Resources that are contained are looked at by themselves.

Source: FHIR R4 extensibility, section 2.4.1.1; Resource.implicitRules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

_MODIFIERS: Final = frozenset({"modifierExtension", "implicitRules"})
_APART: Final = frozenset({"contained", "resource"})
_HOLDERS: Final = (dict, list)  # most values are neither, and a call for each is the most of the work


def modified(node: Any, path: str, within: Collection[str] | None = None) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """The FHIRPath of each modifier of a resource or an element, at any depth; of `within` alone below its top."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in _MODIFIERS:
                yield f"{path}.{name}"
            elif isinstance(value, _HOLDERS) and name not in _APART and (within is None or name in within):
                yield from modified(value, f"{path}.{name}")
    elif isinstance(node, list):
        for at, value in enumerate(node):
            if isinstance(value, _HOLDERS):
                yield from modified(value, f"{path}[{at}]")
