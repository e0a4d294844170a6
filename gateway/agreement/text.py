"""The YAML an agreement is written in, read strictly: nothing in the text may mean more or less than it shows.

Refused: a key said twice, an anchor or alias, a tag, an empty list or mapping, an empty value, a second document, a
character that nobody sees or that turns the order of others, and a text beyond the bounds below. Only `true`, `false`
and whole numbers are more than text, so `no` is a word, `04` keeps its zero and a date stays as written. Every value
keeps its line. What the values mean is `content.py`.

Source: YAML 1.1 as the event stream of PyYAML over libyaml gives it; events, not nodes, so that depth is bounded while
it is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

MAX_BYTES = 256 * 1024  # an agreement with its comments is some 30 KiB; this much leaves room for ten of its size
MAX_DEPTH = 10  # the schema is six deep
MAX_VALUES = 20_000  # the shipped agreement has some 2,000; reading this many takes a fifth of a second
_LARGEST = 2**53 - 1  # RFC 8785: integers that every reader of JSON holds exactly

Path = tuple[str | int, ...]
Json = str | int | bool | list["Json"] | dict[str, "Json"]


class AgreementUnreadable(ValueError):
    """The text is no agreement. `line` counts from 1, `path` names the place (`clauses[2].release[0]`)."""

    def __init__(self, line: int, path: str, reason: str) -> None:
        super().__init__(f"line {line}: {path or 'the text'}: {reason}")
        self.line = line
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Document:
    """What a text holds, and the line each part of it stands on."""

    content: dict[str, Json]
    lines: Mapping[Path, int]

    def unreadable(self, path: Path, reason: str) -> AgreementUnreadable:
        """The error for something at a path; a path that is not in the text stands where its nearest parent does."""
        return AgreementUnreadable(line_of(self.lines, path), shown(path), reason)


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line a part stands on, or that of its nearest parent which has one."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def shown(path: Path) -> str:
    """A path as people write it: `clauses[2].release[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def load(text: bytes) -> Document:
    """The content of a text. Raises AgreementUnreadable naming line, path and reason."""
    if len(text) > MAX_BYTES:
        raise AgreementUnreadable(1, "", f"longer than {MAX_BYTES} bytes")
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise AgreementUnreadable(1 + text.count(b"\n", 0, fault.start), "", "not UTF-8") from None
    try:
        builder = _Builder(iter(yaml.CSafeLoader(decoded).get_event, None))
        content = builder.document()
    except AgreementUnreadable:
        raise
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        raise AgreementUnreadable(mark.line + 1 if mark else 1, "", f"not YAML: {fault.problem}") from None
    except yaml.reader.ReaderError as fault:
        raise AgreementUnreadable(1 + text.count(b"\n", 0, fault.position), "", "a character YAML forbids") from None
    return Document(content, builder.lines)


class _Builder:
    """Turns the event stream into plain values, keeping the line of each."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self.lines: dict[Path, int] = {}

    def document(self) -> dict[str, Json]:
        next(self._events)  # the stream starts
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise AgreementUnreadable(1, "", "empty")
        content = self._value(next(self._events), ())
        next(self._events)  # the document ends
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise AgreementUnreadable(_line(after), "", "a second document")
        if not isinstance(content, dict):
            raise AgreementUnreadable(self.lines[()], "", "not a mapping")
        return content

    def _value(self, event: yaml.Event, path: Path) -> Json:
        line = self.lines[path] = _line(event)
        if len(path) >= MAX_DEPTH:
            raise AgreementUnreadable(line, shown(path), f"nested more than {MAX_DEPTH} deep")
        if len(self.lines) > MAX_VALUES:
            raise AgreementUnreadable(line, shown(path), f"more than {MAX_VALUES} values")
        if not isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) or event.anchor:
            raise AgreementUnreadable(line, shown(path), "anchors and aliases are refused: say it in full")
        if event.tag:
            raise AgreementUnreadable(line, shown(path), "tags are refused")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event, path, line)
        return self._mapping(path, line) if isinstance(event, yaml.MappingStartEvent) else self._sequence(path, line)

    def _mapping(self, path: Path, line: int) -> dict[str, Json]:
        found: dict[str, Json] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            here = _line(event)
            if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag or not _is_key(event.value):
                raise AgreementUnreadable(here, shown(path), "a key that is not plain ASCII text")
            key: str = event.value
            if key in found:
                raise AgreementUnreadable(here, shown((*path, key)), "said twice")
            found[key] = self._value(next(self._events), (*path, key))
            self.lines[*path, key] = here
        if not found:
            raise AgreementUnreadable(line, shown(path), "empty")
        return found

    def _sequence(self, path: Path, line: int) -> list[Json]:
        found: list[Json] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        if not found:
            raise AgreementUnreadable(line, shown(path), "empty")
        return found


def _is_key(text: str) -> bool:
    return bool(text) and text.isascii()


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(event: yaml.ScalarEvent, path: Path, line: int) -> Json:
    value: str = event.value
    plain = event.implicit[0]
    if not value.strip() or (plain and value in {"~", "null", "Null", "NULL"}):
        raise AgreementUnreadable(line, shown(path), "empty")
    if not value.isprintable() and (unseen := next(filter(_is_unseen, value), None)):
        raise AgreementUnreadable(line, shown(path), f"a character that nobody sees (U+{ord(unseen):04X})")
    if plain and value in {"true", "false"}:
        return value == "true"
    if plain and re.fullmatch(r"0|[1-9][0-9]{0,15}", value) and int(value) <= _LARGEST:
        return int(value)
    return value


def _is_unseen(character: str) -> bool:
    """Whether it leaves no mark of its own: a control, a format or bidirectional mark, half of a surrogate pair."""
    return character not in "\t\n" and unicodedata.category(character) in _UNSEEN


_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
