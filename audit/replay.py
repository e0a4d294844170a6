"""Replaying the entries and nodes of a pack: the long middle of `audit.verify`, line by line.

A damaged line costs no more than itself. A lost leaf is carried as unknown until a node line above it
restores the tree, so that one fault does not make every later entry look false. Memory: one line, the
compact range, and the hashes of the texts that entries name.
"""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import BinaryIO, Final

from audit.encoding import decimal, hash_from_base64, to_base64
from audit.entry import document
from audit.errors import EntryInvalid, NoteMalformed
from audit.report import Finding, Findings, Thing
from audit.tree import node_hash, root

_LONGEST_LINE: Final = 66_000  # the longest entry, and the fields before it
_AFTER_ENTRIES: Final = (b"document ", b"end ")
_ID: Final = re.compile(rb'"id":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})","items":').search


class Lines:
    """The lines of a pack, with their number; one line can be handed back."""

    def __init__(self, pack: BinaryIO) -> None:
        self._pack = pack
        self._back: bytes | None = None
        self.number = 0

    def next(self) -> bytes:
        """Return the next line with its newline, at most 66,000 bytes of it; nothing at the end."""
        self.number += 1
        if self._back is not None:
            line, self._back = self._back, None
            return line
        return self._pack.readline(_LONGEST_LINE)

    def hand_back(self, line: bytes) -> None:
        """Let `next` return this line again."""
        self.number -= 1
        self._back = line

    def hash_of(self, length: int) -> str | None:
        """Read `length` raw bytes and a newline; return the SHA-256 in hex, None if the file ends before."""
        digest = sha256()
        while length > 0:
            piece = self._pack.read(min(length, 65_536))
            if not piece:
                return None
            self.number += piece.count(b"\n")
            digest.update(piece)
            length -= len(piece)
        self.number += 1
        return digest.hexdigest() if self._pack.read(1) == b"\n" else None


@dataclass(slots=True)
class Named:
    """The entries that name a text: the first, one past the last, and whether it is an agreement."""

    first: int
    stop: int
    agreement: bool


@dataclass(slots=True)
class Replay:
    """The tree as the lines rebuild it. `size` counts entries; None in `compact` is an unknown subtree.

    `roots` maps the sizes to look at to the root found there, None while unknown. `limit` is the number of
    entries the last checkpoint covers, None if that is not known.
    """

    lines: Lines
    findings: Findings
    limit: int | None
    roots: dict[int, bytes | None]
    size: int = 0
    compact: list[bytes | None] = field(default_factory=list)
    named: dict[str, Named] = field(default_factory=dict)
    last_time: str = ""

    def run(self) -> None:
        """Replay every line up to the first that belongs to the documents or the end."""
        self._look()
        while (line := self.lines.next()) and not line.startswith(_AFTER_ENTRIES):
            if line.startswith(b"node "):
                self._stray_node(line)
            elif self.size == self.limit and not line.startswith(b"entry "):
                break
            else:
                self._entry(line)
        self.lines.hand_back(line)
        if self.limit is not None and self.size < self.limit:
            others = "" if self.size + 1 == self.limit else f", and so are all up to {self.limit - 1}"
            self._fault(b"", f"is missing{others}")

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
            said = document(body)
        except EntryInvalid as fault:
            self._fault(line, f"is not an entry: {fault}")
            return
        if said["time"] < self.last_time:
            self._fault(line, "is dated before the entry that precedes it", warning=True)
        self.last_time = said["time"]
        if said["agreement"] is not None:
            self._name(said["agreement"]["hash"], agreement=True)
        if said["mapping"] is not None:
            self._name(said["mapping"], agreement=False)

    def _name(self, digest: str, *, agreement: bool) -> None:
        named = self.named.get(digest)
        if named is None:
            self.named[digest] = Named(self.size, self.size + 1, agreement)
        else:
            named.stop = self.size + 1
            named.agreement |= agreement

    def _grow(self, leaf: bytes | None) -> None:
        """Add a leaf and check the node lines that must follow it."""
        index, level, top = self.size, 0, leaf
        while index & 1:
            left = self.compact.pop()
            index >>= 1
            level += 1
            known = None if left is None or top is None else node_hash(left, top)
            top = self._node(level, index, known)
        self.compact.append(top)
        self.size += 1
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
            tops = [top for top in self.compact if top is not None]
            self.roots[self.size] = root(tops) if len(tops) == len(self.compact) else None

    def _fault(self, line: bytes, message: str, *, warning: bool = False) -> None:
        found = _ID(line)
        entry_id = None if found is None else found[1].decode()
        self.findings.add(Finding(Thing.ENTRY, self.lines.number, message, self.size, entry_id, warning=warning))


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
