"""The auditor's pack: one file with a log's entries, tree, checkpoints and the texts its entries name.

Lines end in a newline and fields are parted by one space. Nothing in the file is free to change: each
line is bound to the signature of a checkpoint, to a key that it is checked with, or to a hash, so
`audit.verify` finds any altered byte. A cosignature or an earlier checkpoint can be left out of a pack by
whoever hands it on; whoever relies on a witness therefore names it (`audit.verify`).

    provide.audit/pack@v2
    key <verifier key of the log>
    witness <verifier key of a cosigner>         none or more, by rising text; each cosigned something below
    checkpoint                                   one or more, by rising size; the last covers all entries
    <origin> <size> <root>, blank, signature     the signed note, five lines, the log's signature
    <cosignatures>                               none or more lines, by rising text, of those witnesses
    entry <index> <leaf hash> <canonical JSON>   in order, each followed by the inner nodes it completes
    node <level> <index> <hash>
    document <SHA-256 in hex> <bytes>            the texts that entries name, by rising hash
    <the bytes>
    end <entries> <documents>

The signature of anybody else is left out: a line that no key of the pack can check would be slack. This module
writes; it checks nothing but that the pack is whole.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import IO, Final, Protocol

import orjson

from audit.checkpoint import Checkpoint
from audit.encoding import to_base64
from audit.errors import PackIncomplete
from audit.note import CosignerVerifier, Verifier, keep, split
from audit.tree import append, root

HEADER: Final = b"provide.audit/pack@v2\n"
CHECKPOINT_LINES: Final = 5  # origin, size, root, blank, signature
MOST_COSIGNATURES: Final = 63  # with the log's own, as many signatures as a note may have

_PIECE_BYTES: Final = 262_144


class Leaf(Protocol):
    """An entry as storage gives it; `audit.sql.Stored` is one."""

    @property
    def body(self) -> bytes:
        """The entry's canonical bytes."""
        ...

    @property
    def leaf_hash(self) -> bytes:
        """The entry's leaf hash."""
        ...


def write(
    out: IO[bytes],
    verifier: Verifier,
    checkpoints: Sequence[str],
    leaves: Iterable[Leaf],
    document: Callable[[str], bytes | None],
    witnesses: Sequence[CosignerVerifier] = (),
) -> None:
    """Write a pack: see `pieces`. What has been written when it raises is no pack."""
    for piece in pieces(verifier, checkpoints, leaves, document, witnesses):
        out.write(piece)


def pieces(
    verifier: Verifier,
    checkpoints: Sequence[str],
    leaves: Iterable[Leaf],
    document: Callable[[str], bytes | None],
    witnesses: Sequence[CosignerVerifier] = (),
) -> Iterator[bytes]:
    """Yield a pack in pieces of about 256 KiB, none of them empty.

    `checkpoints` are signed notes by rising size; the cosignatures of `witnesses` go with them. `leaves` are all
    entries that the last checkpoint covers, from index 0. `document` gives the text with a SHA-256 (64 hex
    digits); a mapping's may be None, an agreement's must be there. Memory holds one piece, the compact range and the
    hashes named. Raises `PackIncomplete`, `SignatureInvalid` or `NoteMalformed`; what has been yielded by then lacks
    its end, and no verifier takes it for a pack.
    """
    last, head = _head(verifier, checkpoints, witnesses)
    yield HEADER + head
    tally = _Tally()
    held: list[bytes] = []
    length = 0
    for line in tally.lines(leaves):
        held.append(line)
        length += len(line)
        if length >= _PIECE_BYTES:
            yield b"".join(held)
            held, length = [], 0
    if held:
        yield b"".join(held)
    if (tally.size, root(tally.compact)) != (last.size, last.root):
        raise PackIncomplete("the entries are not those of the last checkpoint")
    documents = 0
    for digest in sorted(tally.needed | tally.wanted):
        text = document(digest)
        if text is None and digest in tally.needed:
            raise PackIncomplete("the text of an agreement that an entry names is missing")
        if text is not None:
            if sha256(text).hexdigest() != digest:
                raise PackIncomplete("a text does not have the hash it is named by")
            yield b"document %s %d\n%s\n" % (digest.encode(), len(text), text)
            documents += 1
    yield b"end %d %d\n" % (tally.size, documents)


def _head(
    verifier: Verifier, checkpoints: Sequence[str], witnesses: Sequence[CosignerVerifier]
) -> tuple[Checkpoint, bytes]:
    """Return the last checkpoint, and the lines before the entries."""
    known = {(one.name, one.key_id): one for one in witnesses}
    used: set[str] = set()
    blocks: list[str] = []
    last = None
    for note in checkpoints:
        last = Checkpoint.open(note, verifier)
        if last.extensions:
            raise PackIncomplete("a checkpoint has lines that a pack has no place for")
        cosignatures: set[str] = set()
        for signature in split(note)[1]:
            witness = known.get((signature.name, signature.key_id))
            if witness is not None:
                witness.verify(last.text, signature.raw)
                cosignatures.add(signature.line)
                used.add(witness.text)
        blocks.append(f"checkpoint\n{keep(note, verifier)}{''.join(sorted(cosignatures))}")
    if last is None:
        raise PackIncomplete("a pack has at least one checkpoint")
    keys = f"key {verifier.text}\n" + "".join(f"witness {one}\n" for one in sorted(used))
    return last, (keys + "".join(blocks)).encode()


class _Tally:
    """The entries as they go by: their number, the compact range, the agreements and the mappings they name."""

    def __init__(self) -> None:
        self.size = 0
        self.compact: list[bytes] = []
        self.needed: set[str] = set()
        self.wanted: set[str] = set()

    def lines(self, leaves: Iterable[Leaf]) -> Iterator[bytes]:
        """Yield the line of each entry, and those of the nodes it completes."""
        for leaf in leaves:
            yield b"entry %d %s %s\n" % (self.size, to_base64(leaf.leaf_hash).encode(), leaf.body)
            for level, index, top in append(self.compact, self.size, leaf.leaf_hash):
                yield b"node %d %d %s\n" % (level, index, to_base64(top).encode())
            said = orjson.loads(leaf.body)
            if said["agreement"] is not None:
                self.needed.add(said["agreement"]["hash"])
            if said["mapping"] is not None:
                self.wanted.add(said["mapping"])
            self.size += 1
