"""What an entry can be found by, and the blocks that make it quick: a bitmap for each value of each facet.

A log is cut into blocks of `BLOCK` entries. When a block is full it is written once, one row for each value that occurs
in it, with a bit for each entry that has the value; after that it is never changed, like a tile of the tree. Looking
for several things at once is then an AND of small bitmaps, however common each of them is, where an index a column
would walk through every entry that has the commonest. The newest entries, less than a block, are looked at themselves.

Pure: no clock, no I/O.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

BLOCK: Final = 1024  # entries: a log of 10^6 has under 1,000 rows of the commonest value, and 1,023 to look at at most

Facet = tuple[str, str]
"""The name of a facet and one of its values."""


def facets(said: Mapping[str, Any]) -> Iterator[Facet]:
    """Yield what an entry, given as its JSON object, can be found by; the same facet may come twice."""
    actor = said["actor"]
    yield "organisation", actor["organisation"]
    yield "client", actor["client"]
    yield "operation", said["operation"]
    yield "outcome", said["outcome"]
    yield "event", said["event"]
    for name, value in (("user", actor["user"]), ("record", said["record"]), ("case", said["case"])):
        if value is not None:
            yield name, value
    for name, values in (("subject", said["subjects"]), ("clause", said["clauses"])):
        for value in values:
            yield name, value
    for one in said["recipients"]:
        yield "recipient", one["organisation"]
    agreement = said["agreement"]
    if agreement is not None:
        yield "agreement", agreement["hash"]
        yield "agreement", agreement["id"]
        yield "agreement", f"{agreement['id']}:{agreement['version']}"


def facets_of(body: bytes) -> frozenset[Facet]:
    """Return what a stored entry can be found by; one that was spoilt is found by nothing, and `verify` names it."""
    try:
        return frozenset(facets(orjson.loads(body)))
    except (ValueError, LookupError, TypeError):
        return frozenset()


def bitmaps(entries: Iterable[tuple[int, bytes]]) -> dict[Facet, int]:
    """Return, for each value that occurs in entries of one block, the bitmap of those that have it.

    Entries are (place in the block from 0, canonical bytes).
    """
    found: dict[Facet, int] = {}
    for place, body in entries:
        bit = 1 << place
        for facet in facets_of(body):
            found[facet] = found.get(facet, 0) | bit
    return found


def pack_bits(bits: int) -> bytes:
    """Return a bitmap as bytes, the first entry's bit lowest, without the zeros at its end."""
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def unpack_bits(packed: bytes) -> int:
    """Return the bitmap that `pack_bits` made these bytes of."""
    return int.from_bytes(packed, "little")
