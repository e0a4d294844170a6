"""A narrative cut into sentences, for judging each alone. It knows nothing of what a sentence says.

A line that was broken to fit a width is one with the line before it; a line of a list or a log is its own sentence. A
sentence that ends in an abbreviation or an initial goes on. Nothing is lost but the space between.
"""

from __future__ import annotations

import re

_END = re.compile(r"[.!?;][\"')\]\u2019\u201d]?\s+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|miss|mx|dr|prof|rev|cllr|st|no|nos|tel|pc|dc|ds|sgt|insp|approx|etc|e\.g|i\.e)|\b[a-z])\.$",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 8  # characters, with the one before it
_FULL_LINE = 60  # characters: a line this long that ends without a stop was broken to fit, even in capitals
_STOPS = (".", "!", "?", ";", ":", '"', "\u201d")


def sentences(text: str) -> list[str]:
    """The sentences of a text, in its order, each without the space around it."""
    found: list[str] = []
    for line in _unbroken(text.splitlines()):
        start = 0
        for end in _END.finditer(line):
            tail = max(start, end.start() - _LONGEST_ABBREVIATION)  # the whole piece again each time would be quadratic
            if not _ABBREVIATION.search(line, tail, end.start() + 1):
                found.append(line[start : end.end()].strip())
                start = end.end()
        if rest := line[start:].strip():
            found.append(rest)
    return found


def _unbroken(lines: list[str]) -> list[str]:
    """The lines as they were before they were broken to a width."""
    found: list[list[str]] = []
    before = ""
    for line in lines:
        stripped = line.strip()
        goes_on = before and stripped and not before.endswith(_STOPS)
        if goes_on and (stripped[0].islower() or (len(before) >= _FULL_LINE and stripped[0].isalpha())):
            found[-1].append(stripped)
        else:
            found.append([stripped])
        before = stripped
    return [" ".join(pieces) for pieces in found]
