"""A stretch of a pack: up to 1,024 entries from a multiple of 1,024, judged on their own, in any process.

Such entries make a perfect subtree, or the ragged end of the tree, so nothing outside is needed to judge them. The
verdict is only whether they are flawless, and what the rest of the pack has to be held to then. Where anything is odd
there is no verdict: `audit.replay` reads those lines one by one and says what is wrong. Findings are made there alone,
and are the same however many processes look ahead.
"""

from binascii import b2a_base64
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from audit.entry import document
from audit.errors import EntryInvalid
from audit.grammar import Glance, glance
from audit.tree import append

SPAN: Final = 1024  # entries; a power of two. About 1.3 MB: the cost of handing it over is small beside that of judging


@dataclass(slots=True)
class Named:
    """The entries that name a text: the first, one past the last, and whether it is an agreement."""

    first: int
    stop: int
    agreement: bool


@dataclass(slots=True)
class Naming:
    """The texts that entries name, by their hash, in the order they were first named."""

    texts: dict[str, Named] = field(default_factory=dict)

    def note(self, agreement: str | None, mapping: str | None, first: int, last: int) -> None:
        """Take that the entries at two indexes, and perhaps some between, name these."""
        for digest, is_agreement in ((agreement, True), (mapping, False)):
            if digest is not None:
                self._add(digest, Named(first, last + 1, is_agreement))

    def join(self, later: "Naming") -> None:
        """Take what later entries name."""
        for digest, one in later.texts.items():
            self._add(digest, one)

    def _add(self, digest: str, one: Named) -> None:
        known = self.texts.setdefault(digest, one)
        known.stop = max(known.stop, one.stop)
        known.agreement |= one.agreement


@dataclass(frozen=True, slots=True)
class Stretch:
    """`count` flawless entries from the index `start` on. `first` and `last` are the times of those two.

    `tops` are the roots of their perfect subtrees, largest first; `tops_at` gives the same after each size wanted.
    `used` counts the bytes and `lines` the lines they took; what follows is for the caller to read.
    """

    start: int
    count: int
    tops: tuple[bytes, ...]
    tops_at: dict[int, tuple[bytes, ...]]
    named: Naming
    first: str
    last: str
    used: int
    lines: int


def judge(raw: bytes, start: int, wanted: tuple[int, ...]) -> Stretch | None:
    """Judge the lines of a pack that begin with the entry `start`, a multiple of `SPAN`; None unless flawless.

    `wanted` are sizes of the tree. Pure. About 8 us an entry.
    """
    try:
        return _judge(raw, start, frozenset(wanted))
    except (_Odd, EntryInvalid):
        return None


def read(body: bytes) -> Glance:
    """Return what an entry says; raise `EntryInvalid` if it is none."""
    said = glance(body)
    if said is not None:
        return said
    value = document(body)
    agreement = value["agreement"]
    return value["time"], None if agreement is None else agreement["hash"], value["mapping"]


class _Odd(Exception):
    """Something here is for `audit.replay` to name."""


def _judge(raw: bytes, start: int, wanted: frozenset[int]) -> Stretch:
    if not raw.endswith(b"\n"):
        raise _Odd
    rows = raw.split(b"\n")  # the last is empty: it ends the loop, and is no node
    compact: list[bytes] = []
    tops_at: dict[int, tuple[bytes, ...]] = {}
    named: dict[tuple[str | None, str | None], tuple[int, int]] = {}  # by which entries; few pairs, and many entries
    first = last = ""
    at, index = 0, start
    while index < start + SPAN and (row := rows[at]).startswith(b"entry "):
        body = row[row.find(b"{") :]
        leaf = sha256(b"\x00" + body).digest()
        if not row.startswith(b"entry %d %s {" % (index, b2a_base64(leaf, newline=False))):
            raise _Odd
        at += 1
        for level, place, top in append(compact, index - start, leaf):
            if rows[at] != b"node %d %d %s" % (level, place + (start >> level), b2a_base64(top, newline=False)):
                raise _Odd
            at += 1
        time, agreement, mapping = read(body)
        if time < last:
            raise _Odd
        first, last = first or time, time
        since, _ = named.get((agreement, mapping), (index, index))
        named[agreement, mapping] = since, index
        index += 1
        if index in wanted:
            tops_at[index] = tuple(compact)
    rest = b"\n".join(rows[at:])
    if index == start:
        raise _Odd
    naming = Naming()
    for names, indexes in named.items():
        naming.note(*names, *indexes)
    return Stretch(start, index - start, tuple(compact), tops_at, naming, first, last, len(raw) - len(rest), at)
