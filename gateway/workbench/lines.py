"""On which line of a TOML file each key and each element of an array begins, so that a finding can name it.

Only for files that `tomllib` has read: this page finds places and judges nothing.

Source: TOML v1.0.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Place = tuple[str | int, ...]
"""A place in the file: keys, and the index of an element of an array."""

_SKIP = re.compile(r"(?:[\s,]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    ('"""', re.compile(r'"""(?:\\.|(?!""").)*"""+', re.DOTALL)),
    ("'''", re.compile(r"'''(?:(?!''').)*'''+", re.DOTALL)),
    ('"', re.compile(r'"(?:\\.|[^"\\])*"')),
    ("'", re.compile(r"'[^']*'")),
)
_PLAIN = re.compile(r"[^,\]}\n#]*")


def lines_of(text: str) -> Mapping[Place, int]:
    """The line, from 1, of every place of a TOML text."""
    return _Scan(text).whole()


def nearest(lines: Mapping[Place, int], path: Place) -> int:
    """The line of a place, or of the nearest one around it; 1 where there is none."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def shown(place: Place) -> str:
    """A place as a finding names it: `shapes.person.rows[3].to`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")


class _Scan:
    """One pass over a text. `at` is the position, `found` the lines so far."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found: dict[Place, int] = {}
        self.counts: dict[Place, int] = {}

    def whole(self) -> dict[Place, int]:
        around: Place = ()
        while self._skip():
            if self.text[self.at] == "[":
                around = self._header()
            else:
                self._pair(around)
        return self.found

    def _skip(self) -> bool:
        self.at = _match(_SKIP, self.text, self.at)
        return self.at < len(self.text)

    def _note(self, path: Place) -> None:
        self.found.setdefault(path, self.text.count("\n", 0, self.at) + 1)

    def _header(self) -> Place:
        start, several = self.at, self.text.startswith("[[", self.at)
        self.at += 2 if several else 1
        path: Place = self._key()
        if several:
            number = self.counts[path] = self.counts.get(path, -1) + 1
            path = (*path, number)
        end, self.at = self.text.index("]", self.at) + (2 if several else 1), start
        self._note(path)
        self.at = end
        return path

    def _key(self) -> tuple[str, ...]:
        """A key of one name or several with dots; ends after it."""
        names: list[str] = []
        while True:
            self._skip()
            end = _string_end(self.text, self.at) or _match(_BARE, self.text, self.at)
            names.append(self.text[self.at : end].strip("\"'"))
            self.at = end
            self._skip()
            if self.at >= len(self.text) or self.text[self.at] != ".":
                return tuple(names)
            self.at += 1

    def _pair(self, around: Place) -> None:
        start = self.at
        path = (*around, *self._key())
        end, self.at = self.at, start
        self._note(path)
        self.at = self.text.index("=", end) + 1
        self._value(path)

    def _value(self, path: Place) -> None:
        self._skip()
        first = self.text[self.at]
        if first in "[{":
            self.at += 1
            number = 0
            while self._skip() and self.text[self.at] not in "]}":
                if first == "[":
                    self._note((*path, number))
                    self._value((*path, number))
                else:
                    self._pair(path)
                number += 1
            self.at += 1
        else:
            self.at = _string_end(self.text, self.at) or max(_match(_PLAIN, self.text, self.at), self.at + 1)


def _match(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _string_end(text: str, at: int) -> int:
    """Where the string that begins here ends; 0 where none begins."""
    for mark, pattern in _STRINGS:
        if text.startswith(mark, at):
            return _match(pattern, text, at)
    return 0
