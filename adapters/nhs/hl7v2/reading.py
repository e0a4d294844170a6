"""Bytes into a `Message`: every segment is kept, local ones too, and as many come out as went in.

Nothing is judged by its content. Refused, with a path and never a value: what is no message, more than is accepted,
delimiters that are none, a character set that does not fit, NUL but behind the end, several messages in one.

Line ends are CR; LF, CRLF and a mixture are taken. A line that does not begin like a segment belongs to the text of the
segment before it, with a finding, since notes are sent with their line breaks.

Source: HL7 v2.4 sections 2.6 to 2.11; domain.md section 2.9; tech.md section 2.
"""

from __future__ import annotations

import re
from typing import Final

from adapters.nhs.hl7v2.charset import Decoded, decoded
from adapters.nhs.hl7v2.delimiters import Delimiters, delimiters
from adapters.nhs.hl7v2.finding import Finding, Said
from adapters.nhs.hl7v2.message import HEADERS, Message, Segment
from adapters.socket import Fault, Limits, Problem, Unreadable

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_NAME: Final = 3  # characters of a segment's name
_OTHERS: Final = HEADERS | {"FTS", "BTS"}
_HEADER: Final = re.compile(r"[\ufeff \t]+MSH[^A-Za-z0-9]")  # behind a mark or a space it is a message all the same
LIMITS: Final = Limits()


def read(raw: bytes, limits: Limits = LIMITS) -> Message:
    """Read one message. Raises `Unreadable` and nothing else."""
    if len(raw) > limits.max_bytes:
        raise Unreadable(Problem("", Fault.TOO_LARGE))
    made = decoded(raw)
    text = made.text.lstrip(" \t\r\n").rstrip(" \t\r\n\0")  # some engines send the end of a C string along
    if "\0" in text:
        raise Unreadable(Problem("", Fault.NUL_CHARACTER))
    if text[:_NAME] != "MSH":
        raise Unreadable(Problem("MSH", Fault.MISSING))
    by = delimiters(_LINE_END.split(text, 1)[0])
    if by is None:
        raise Unreadable(Problem("MSH-2", Fault.MALFORMED))
    return _message(text, made, by, limits)


def _message(text: str, made: Decoded, by: Delimiters, limits: Limits) -> Message:
    if text.count("\r") + text.count("\n") > 2 * limits.max_elements:  # CRLF is two
        raise Unreadable(Problem("", Fault.TOO_MANY_ELEMENTS))
    lines, noted = _lines(text, by.field)
    parts = sum(map(text.count, (by.field, by.component, by.repetition, by.subcomponent))) + len(lines)
    if parts > limits.max_elements:
        raise Unreadable(Problem("", Fault.TOO_MANY_ELEMENTS))
    if lines[0].count(by.field) < 2:  # noqa: PLR2004 - the sign itself, and that behind MSH-2
        raise Unreadable(Problem("MSH-2", Fault.TRUNCATED))
    numbers: dict[str, int] = {}
    segments = []
    for line in lines:
        name = line[:_NAME]
        number = numbers[name] = numbers.get(name, 0) + 1
        fields = line.split(by.field)
        if name == "MSH":
            fields.insert(1, by.field)
        segments.append(Segment(name, number, tuple(fields), by, made.codec))
    return Message(by, made.codec, tuple(segments), made.noted + noted)


def _lines(text: str, sign: str) -> tuple[list[str], tuple[Finding, ...]]:
    """The segments as they were sent, one text for each; what continues a text is put back behind it."""
    lines: list[list[str]] = []  # each as its own text and what continues it
    numbers: dict[str, int] = {}
    noted: dict[str, Finding] = {}
    for line in _LINE_END.split(text):
        name = line[:_NAME]
        if len(name) == _NAME and line[_NAME : _NAME + 1] in ("", sign) and _is_name(name):
            if name in _OTHERS and lines:
                raise Unreadable(Problem(name, Fault.SEVERAL_INCIDENTS))
            numbers[name] = numbers.get(name, 0) + 1
            lines.append([line])
        elif line.strip():
            if _HEADER.match(line):
                raise Unreadable(Problem("MSH", Fault.SEVERAL_INCIDENTS))
            last = lines[-1][0][:_NAME]
            place = f"{last}[{numbers[last]}]" if numbers[last] > 1 else last
            noted[place] = Finding(place, Said.LINE_BREAK)
            lines[-1].append(line)
    return ["\n".join(line) for line in lines], tuple(noted.values())


def _is_name(name: str) -> bool:
    return name.isascii() and name.isalnum() and name.isupper() and name[0].isalpha()
