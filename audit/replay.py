"""Replaying the entries and nodes of a pack: the long middle of `audit.verify`.

Flawless stretches come judged; all else is read here line by line, and every finding is made here. A damaged line
costs no more than itself. A lost leaf is carried as unknown until a node line above it restores the tree, so that one
fault does not make every later entry look false. Memory: the pieces under judgement, the compact range, and the hashes
of the texts that entries name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from audit.encoding import decimal, hash_from_base64, to_base64
from audit.errors import EntryInvalid, NoteMalformed
from audit.lines import Lines
from audit.report import Finding, Findings, Thing
from audit.stretch import SPAN, Naming, read
from audit.tree import node_hash, root

_AFTER_ENTRIES: Final = (b"document ", b"end ")
_ID: Final = re.compile(rb'"id":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})","items":').search


@dataclass(slots=True)
class Replay:
    """The tree as the lines rebuild it. `size` counts entries; None in `compact` is an unknown subtree.

    `roots` maps the sizes to look at to the root found there, None while unknown. `limit` is the number of
    entries the last checkpoint covers, None if that is not known. `progress` is told the size now and then.
    """

    lines: Lines
    findings: Findings
    limit: int | None
    roots: dict[int, bytes | None]
    progress: Callable[[int], None]
    size: int = 0
    compact: list[bytes | None] = field(default_factory=list)
    naming: Naming = field(default_factory=Naming)
    last_time: str = ""

    def run(self) -> None:
        """Replay every line up to the first that belongs to the documents or the end."""
        self._look()
        while True:
            if self.size % SPAN == 0:
                self.progress(self.size)
                if self._stretch():
                    continue
            line = self.lines.next()
            if not line or line.startswith(_AFTER_ENTRIES):
                break
            if line.startswith(b"node "):
                self._stray_node(line)
            elif self.size == self.limit and not line.startswith(b"entry "):
                break
            else:
                self._entry(line)
        self.lines.hand_back(line)
        self.progress(self.size)
        if self.limit is not None and self.size < self.limit:
            others = "" if self.size + 1 == self.limit else f", and so are all up to {self.limit - 1}"
            self._fault(b"", f"is missing{others}")

    def _stretch(self) -> bool:
        """Take the stretch that begins here; tell whether there is one, and it goes on from what was before it."""
        stretch = self.lines.stretch()
        if stretch is None or stretch.start != self.size or stretch.first < self.last_time:
            return False
        self.lines.skip(stretch)
        self.last_time = stretch.last
        self.naming.join(stretch.named)
        for size, tops in stretch.tops_at.items():
            self.roots[size] = _root([*self.compact, *tops])
        if stretch.count == SPAN:
            self._grow(stretch.tops[0], SPAN.bit_length() - 1)
        else:
            self.compact.extend(stretch.tops)
            self.size += stretch.count
        return True

    def _entry(self, line: bytes) -> None:
        fields = line.split(b" ", 3)
        if fields[0] != b"entry" or len(fields) != 4 or line[-1:] != b"\n":  # noqa: PLR2004 - tag and three
            self._fault(line, "is damaged: its line cannot be read")
            self._grow(None)
            return
        self._check_place(fields[1], line)
        body = fields[3][:-1]
        computed = sha256(b"\x00" + body).digest()
        leaf: bytes | None = computed
        if to_base64(computed).encode() != fields[2]:
            self._fault(line, "has been altered: its content does not have its leaf hash")
            leaf = _hash_or_none(fields[2])
        self._check_content(body, line)
        self._grow(leaf)

    def _check_place(self, stated: bytes, line: bytes) -> None:
        """Check an entry's index; where lines are missing before it, step over them."""
        if stated == b"%d" % self.size:
            return
        index = _decimal_or_none(stated)
        if index is None or not self._is_next_after(index):
            self._fault(line, "does not state the index of its place")
            return
        while self.size < index:
            self._fault(b"", "is missing")
            self._grow_over()

    def _is_next_after(self, index: int) -> bool:
        """Tell whether the line to come goes on from this index: then earlier lines are missing."""
        if self.limit is None or not self.size < index < self.limit:
            return False
        line = self.lines.next()
        self.lines.hand_back(line)
        follows = (b"node 1 %d " % (index >> 1),) if index & 1 else (b"entry %d " % (index + 1), *_AFTER_ENTRIES)
        return line.startswith(follows)

    def _check_content(self, body: bytes, line: bytes) -> None:
        try:
            time, agreement, mapping = read(body)
        except EntryInvalid as fault:
            self._fault(line, f"is not an entry: {fault}")
            return
        if time < self.last_time:
            self._fault(line, "is dated before the entry that precedes it", warning=True)
        self.last_time = time
        self.naming.note(agreement, mapping, self.size, self.size)

    def _grow(self, top: bytes | None, level: int = 0) -> None:
        """Add a leaf, or the perfect subtree of a level, and check the node lines that must follow it."""
        size, index = self.size + (1 << level), self.size >> level
        while index & 1:
            left = self.compact.pop()
            index >>= 1
            level += 1
            known = None if left is None or top is None else node_hash(left, top)
            top = self._node(level, index, known)
        self.compact.append(top)
        self.size = size
        self._look()

    def _grow_over(self) -> None:
        """Add an unknown leaf whose line, and the node lines after it, are missing."""
        index = self.size
        while index & 1:
            self.compact.pop()
            index >>= 1
        self.compact.append(None)
        self.size += 1
        self._look()

    def _node(self, level: int, index: int, known: bytes | None) -> bytes | None:
        """Check one node line; return the node's hash: as computed, or as stated where that is unknown."""
        line = self.lines.next()
        start = b"node %d %d " % (level, index)
        if known is not None and line == start + to_base64(known).encode() + b"\n":
            return known
        if line.startswith(start) and line.endswith(b"\n"):
            stated = _hash_or_none(line[len(start) : -1])
            if known is None and stated is not None:
                return stated
        relying = (index << level, (index + 1) << level)
        if not line or line.startswith((b"entry ", *_AFTER_ENTRIES)):
            self.lines.hand_back(line)
            message = f"{level}/{index} is missing"
        else:
            message = f"{level}/{index} is not the hash of the two below it"
        self.findings.add(Finding(Thing.NODE, self.lines.number, message, relying=relying))
        return known

    def _stray_node(self, line: bytes) -> None:
        """Meet a node where an entry is due: the entry is missing, or the node is out of place."""
        if line.startswith(b"node 1 %d " % (self.size >> 1)) and self.size & 1:
            self._fault(b"", "is missing")
            self.lines.hand_back(line)
            self._grow(None)
            return
        message = "is where no node belongs"
        self.findings.add(Finding(Thing.NODE, self.lines.number, message, relying=(0, self.size)))

    def _look(self) -> None:
        if self.size in self.roots:
            self.roots[self.size] = _root(self.compact)

    def _fault(self, line: bytes, message: str, *, warning: bool = False) -> None:
        found = _ID(line)
        entry_id = None if found is None else found[1].decode()
        self.findings.add(Finding(Thing.ENTRY, self.lines.number, message, self.size, entry_id, warning=warning))


def _root(compact: list[bytes | None]) -> bytes | None:
    tops = [top for top in compact if top is not None]
    return root(tops) if len(tops) == len(compact) else None


def _hash_or_none(text: bytes) -> bytes | None:
    try:
        return hash_from_base64(text.decode("latin-1"))
    except NoteMalformed:
        return None


def _decimal_or_none(text: bytes) -> int | None:
    try:
        return decimal(text.decode("latin-1"))
    except NoteMalformed:
        return None
