"""Which values of a nested document name a part of it: rules of a profile, as data.

`{ from = "involvements.personId", to = "persons.id" }` says that what stands under `personId` of each involvement is
the `id` of one of the persons. Where a list stands, each in it is meant. Nothing is resolved here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mappings.strict import Foreign

_RULE = {"from", "to"}


@dataclass(frozen=True, slots=True)
class Link:
    """The values at `source` are those that parts at `target` have under `key`."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    key: str


def link(rule: Foreign, steps: Callable[[str, Foreign], tuple[str, ...]]) -> Link:
    """Read a rule. `steps` checks and splits a path, and raises a ValueError; so does this."""
    if not isinstance(rule, dict) or rule.keys() != _RULE:
        raise ValueError("from and to, and nothing else")
    *target, key = steps("to", rule["to"])
    if not target:
        raise ValueError("to: the parts, and the name of their id behind a dot")
    return Link(steps("from", rule["from"]), tuple(target), key)
