"""Everything that is wrong with a profile file, at once, by line and key; and what it leaves unsaid that is needed.

The loader is asked, what it refuses is cut out, and it is asked again: so this page has no rules of its own about what
loads, and can never differ from the gateway. A file with errors does not load. What is a warning loads, and means that
records come out poorer than an adviser needs, or that a line never does anything.

Source: style.md habit 8; domain.md sections 1.3 (what a referral needs), 4.7 (the keys a repeat is recognised by).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.workbench.cutting import Cutting
from gateway.workbench.gaps import gaps
from gateway.workbench.lines import Place, lines_of, nearest, shown
from mappings.profile import Profile, ProfileInvalid, load
from mappings.profilefile import compiled

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding. `severity` is `error` or `warning`; `line` counts from 1; `key` is the place in the file."""

    severity: str
    line: int
    key: str
    words: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check. `profile` is None where the file does not load."""

    profile: Profile | None
    remarks: tuple[Remark, ...]

    @property
    def loads(self) -> bool:
        """Whether the gateway would load the file."""
        return self.profile is not None


def check(path: Path) -> Checked:
    """Check a profile file. Raises OSError where it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8")
        tree = tomllib.loads(text)
    except UnicodeDecodeError as fault:
        return Checked(None, (Remark(ERROR, 1, "", f"not UTF-8 at byte {fault.start}"),))
    except tomllib.TOMLDecodeError as fault:
        found = _AT_LINE.search(str(fault))
        line = int(found[1]) if found else text.count("\n") + 1
        return Checked(None, (Remark(ERROR, line, "", f"not TOML: {_AT_LINE.sub('', str(fault)).strip()}"),))
    lines = lines_of(text)
    cutting = Cutting(tree, path.stem)
    remarks: list[Remark] = []
    for key, place, words in _refusals(path, cutting):
        remarks.append(Remark(ERROR, nearest(lines, place), key, words))
    remarks += [
        Remark(severity, nearest(lines, place), shown(place), words)
        for severity, place, words in gaps(tree, path.parent)
    ]
    remarks.sort(key=lambda one: (one.line, one.key, one.words))
    try:
        profile = load(path)
    except ProfileInvalid:
        profile = None
    return Checked(profile, tuple(remarks))


def _refusals(path: Path, cutting: Cutting) -> Iterator[tuple[str, Place, str]]:
    """What the loader refuses, one after the other, each cut out before it is asked again."""
    for _ in range(_MAX_REFUSALS):
        try:
            compiled(path, cutting.tree)
        except ProfileInvalid as refused:
            words = str(refused).removeprefix(f"{path.name}: ")
        else:
            return
        key, place, said = cutting.place_of(words)
        if not cutting.is_consequence(words):
            yield key, place, said
        if not cutting.cut(words):
            return


_MAX_REFUSALS = 500  # each takes a cut; a file with more has been read wrongly from its beginning
_AT_LINE = re.compile(r" ?\(at line (\d+), column \d+\)")
