"""The neutral tree that every format is read into, and how its places are named.

A tree is dicts, lists and scalars. Where a format links to a part of the document instead of nesting it, the adapter
puts a `Linked` in place of the link; a profile steps through it as through a list. A tree with links may be cyclic:
a profile's paths are finite, and a sweep never follows a link, so neither can run in circles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

MAX_PATH = 200
"""Characters of a path that are shown."""

TEXT: Final = "#text"
"""The key of a part's own text, where it also has members: of an XML element with attributes or elements inside.

A row that names such a part reads its text.
"""

_MAX_KEY = 60
_PLAIN = re.compile(r"[A-Za-z0-9_.@#:-]{1,60}")
_ESCAPED = re.compile(r"[^\x21-\x7e]|[.\[\]\\]")


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """A link resolved: the parts it leads to, each with its path in the document.

    `leaves` counts the leaves that made up the link, `rest` holds what stood beside them, with its path.
    """

    targets: tuple[tuple[Trail, dict[str, Value]], ...]
    leaves: int
    rest: tuple[tuple[Trail, Value], ...] = ()


Trail: TypeAlias = "str | tuple[Trail, str | int]"
"""A place: text, or a place around it and a step (a name, several names with dots, or an index).

Most places are never named, so a path becomes text only when it is (`rendered`).
"""

Value = dict[str, "Value"] | list["Value"] | Linked | str | bool | int | float | None


def says_something(value: Value) -> bool:
    """Whether a scalar is a leaf: null and blank text say nothing."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def shown(key: str) -> str:
    """A key as a path shows it: other than plain ASCII is escaped, length is capped."""
    if len(key) > _MAX_KEY:
        key = key[:_MAX_KEY] + "~"
    return _ESCAPED.sub(lambda m: f"\\u{ord(m[0]):04x}", key)


def under(path: str, key: str) -> str:
    """The path of a member of an object."""
    return f"{path}.{shown(key)}" if path else shown(key)


def rendered(path: Trail) -> str:
    """A path as text, no longer than is shown; where it is cut, a tilde says so."""
    steps: list[str] = []
    while isinstance(path, tuple):
        path, step = path
        if isinstance(step, int):
            steps.append(f"[{step}]")
        else:
            steps.append("." + (step if _PLAIN.fullmatch(step) else shown(step)))
    steps.append(path)
    text = "".join(reversed(steps)).lstrip(".")
    return text if len(text) <= MAX_PATH else text[: MAX_PATH - 1] + "~"
