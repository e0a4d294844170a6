"""The auditor's pack: one file with a log's entries, tree, checkpoints and the texts its entries name.

Lines end in a newline and fields are parted by one space. Nothing in the file is free to change: each
line is bound to the signature of a checkpoint or to a hash, so `audit.verify` finds any altered byte.

    provide.audit/pack@v1
    key <verifier key of the log>
    checkpoint                                   one or more, by rising size; the last covers all entries
    <origin> <size> <root>, blank, signature     the signed note, five lines, one signature
    entry <index> <leaf hash> <canonical JSON>   in order, each followed by the inner nodes it completes
    node <level> <index> <hash>
    document <SHA-256 in hex> <bytes>            the texts that entries name, by rising hash
    <the bytes>
    end <entries> <documents>

A witness's signature is left out: a pack has one key, and a line that no key of it can check would be
slack. This module writes; it checks nothing but that the pack is whole.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import IO, Final, Protocol

import orjson

from audit.checkpoint import Checkpoint
from audit.encoding import to_base64
from audit.errors import PackIncomplete
from audit.note import Verifier, keep
from audit.tree import append, root

HEADER: Final = b"provide.audit/pack@v1\n"
CHECKPOINT_LINES: Final = 5  # origin, size, root, blank, signature


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
) -> None:
    """Write a pack, entry by entry: memory holds one entry, the compact range and the hashes named.

    `leaves` are all entries that the last checkpoint covers, from index 0. `document` gives the text with
    a SHA-256 (64 hex digits); a mapping's may be None, an agreement's must be there. Raises
    `PackIncomplete`, `SignatureInvalid` or `NoteMalformed`; what has been written by then is no pack.
    """
    out.write(HEADER)
    out.write(f"key {verifier.text}\n".encode())
    last = None
    for note in checkpoints:
        last = Checkpoint.open(note, verifier)
        if last.extensions:
            raise PackIncomplete("a checkpoint has lines that a pack has no place for")
        out.write(f"checkpoint\n{keep(note, verifier)}".encode())
    if last is None:
        raise PackIncomplete("a pack has at least one checkpoint")
    size, needed, wanted, top = _write_leaves(out, leaves)
    if (size, top) != (last.size, last.root):
        raise PackIncomplete("the entries are not those of the last checkpoint")
    documents = 0
    for digest in sorted(needed | wanted):
        text = document(digest)
        if text is None and digest in needed:
            raise PackIncomplete("the text of an agreement that an entry names is missing")
        if text is not None:
            if sha256(text).hexdigest() != digest:
                raise PackIncomplete("a text does not have the hash it is named by")
            out.write(b"document %s %d\n%s\n" % (digest.encode(), len(text), text))
            documents += 1
    out.write(b"end %d %d\n" % (size, documents))


def _write_leaves(out: IO[bytes], leaves: Iterable[Leaf]) -> tuple[int, set[str], set[str], bytes]:
    """Write entries and nodes; return their number, the agreements and mappings named, and the root."""
    compact: list[bytes] = []
    needed: set[str] = set()
    wanted: set[str] = set()
    size = 0
    for leaf in leaves:
        out.write(b"entry %d %s %s\n" % (size, to_base64(leaf.leaf_hash).encode(), leaf.body))
        out.writelines(
            b"node %d %d %s\n" % (level, index, to_base64(top).encode())
            for level, index, top in append(compact, size, leaf.leaf_hash)
        )
        said = orjson.loads(leaf.body)
        if said["agreement"] is not None:
            needed.add(said["agreement"]["hash"])
        if said["mapping"] is not None:
            wanted.add(said["mapping"])
        size += 1
    return size, needed, wanted, root(compact)
