"""Searching a log (auditors, accounting of disclosures), over the tables of `audit.sql`.

Entries are found by index, which is the order of sealing: forwards from the oldest, or backwards from the newest; the
last index of a page is the cursor of the next. A search never walks through entries: the blocks of `audit.facets`
say which have what is looked for, and because a log's times never run backwards (its writer sees to that), a range of
times is a range of indexes. Nothing is cached; reading the log is itself an act that the caller seals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection, bindparam, select

from audit import sql
from audit.entry import Operation, Outcome
from audit.errors import StorageFault
from audit.facets import BLOCK, Facet, facets_of, unpack_bits
from audit.sql import Stored, log_block, log_entry

_PAGE: Final = 512  # entries held in memory while streaming
_STRETCH: Final = 128  # entries looked at in one query, where they are in no block yet
_POINTS: Final = 64  # times looked at in one query
_WINDOW: Final = 128  # blocks looked at first; each look after is twice as wide, so that a rare thing costs few queries
_WIDEST: Final = 4096  # blocks looked at in one query at most, two million entries: memory stays bounded


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; every field given must hold. Times are `timestamp` texts: from, and before `time_to`.

    `organisation` is the actor's and `recipient` the one it was told to; `agreement` is an id, `id:version` or a
    hash. Of each of `any_of`, at least one facet must hold; an empty one holds of nothing.
    """

    time_from: str | None = None
    time_to: str | None = None
    organisation: str | None = None
    recipient: str | None = None
    client: str | None = None
    user: str | None = None
    subject: str | None = None
    record: str | None = None
    case: str | None = None
    agreement: str | None = None
    clause: str | None = None
    operation: Operation | None = None
    outcome: Outcome | None = None
    event: str | None = None
    any_of: tuple[tuple[Facet, ...], ...] = ()

    def terms(self) -> list[tuple[Facet, ...]]:
        """Return what must hold: of each term, at least one facet."""
        named = (
            *("subject", "record", "case", "user", "client", "event", "clause"),
            *("agreement", "recipient", "organisation", "operation", "outcome"),
        )  # what is rare comes first: where it is not found, the rest is not looked for
        single = [((name, str(value)),) for name in named if (value := getattr(self, name)) is not None]
        return [*single, *self.any_of]


def entries(
    conn: Connection,
    log_id: str,
    query: Query,
    after: int = -1,
    limit: int = 100,
    *,
    before: int | None = None,
    newest_first: bool = False,
) -> list[Stored]:
    """Return up to `limit` matching entries whose index is above `after` and below `before`, by index.

    `newest_first` returns the highest indexes, falling. Raises `LogUnknown`, and `StorageFault` where one is lost.
    """
    found = _indexes(conn, log_id, query, after, before, newest_first=newest_first)
    wanted = list(islice(found, limit))
    rows = conn.execute(_THESE, {"log": log_id, "wanted": wanted}) if wanted else ()
    stored = {row[0]: Stored._make(row) for row in rows}
    if len(stored) != len(wanted):
        raise StorageFault("the log lacks an entry that its head covers")
    return [stored[index] for index in wanted]


def matching(conn: Connection, log_id: str, query: Query, *, stop: int | None = None) -> Iterator[Stored]:
    """Yield every matching entry whose index is below `stop`, by index, a page at a time. Raises `LogUnknown`."""
    after, full = -1, True
    while full:
        page = entries(conn, log_id, query, after, _PAGE, before=stop)
        yield from page
        full = len(page) == _PAGE
        after = page[-1].idx if page else after


def disclosures_about(conn: Connection, log_id: str, subject: str) -> Iterator[Stored]:
    """Yield every disclosure about a subject that was permitted, by index: the accounting of disclosures."""
    query = Query(subject=subject, operation=Operation.DISCLOSURE, outcome=Outcome.PERMITTED)
    return matching(conn, log_id, query)


def count(conn: Connection, log_id: str, query: Query, *, before: int | None = None) -> int:
    """Return how many entries below an index match. Raises `LogUnknown`."""
    low, high = _range(conn, log_id, query, -1, before)
    terms = query.terms()
    if not terms:
        return max(high - low, 0)
    whole = high // BLOCK * BLOCK
    found = sum(bits.bit_count() for _, bits in _blocks(conn, log_id, terms, low, whole))
    return found + sum(1 for _ in _rest(conn, log_id, terms, max(low, whole), high))


def _indexes(
    conn: Connection, log_id: str, query: Query, after: int, before: int | None, *, newest_first: bool
) -> Iterator[int]:
    """Yield the matching indexes between two, in order."""
    low, high = _range(conn, log_id, query, after, before)
    terms = query.terms()
    if not terms:
        yield from reversed(range(low, high)) if newest_first else range(low, high)
        return
    whole = high // BLOCK * BLOCK  # what is before is in full blocks, for `high` is within the log
    if newest_first:
        yield from _rest(conn, log_id, terms, max(low, whole), high, newest_first=True)
    for block, bits in _blocks(conn, log_id, terms, low, whole, newest_first=newest_first):
        yield from _places(block * BLOCK, bits, newest_first=newest_first)
    if not newest_first:
        yield from _rest(conn, log_id, terms, max(low, whole), high)


def _range(conn: Connection, log_id: str, query: Query, after: int, before: int | None) -> tuple[int, int]:
    """Return the range of indexes, from and up to, that the cursors and the times of a query leave."""
    size = sql.read_head(conn, log_id).size
    low = max(after + 1, 0)
    high = size if before is None else max(0, min(before, size))
    if query.time_from is not None:
        low = max(low, _first_at(conn, log_id, query.time_from, size))
    if query.time_to is not None:
        high = min(high, _first_at(conn, log_id, query.time_to, size))
    return low, high


def _first_at(conn: Connection, log_id: str, time: str, size: int) -> int:
    """Return the index of the first entry at or after a time, or the size: four queries in 10^6 entries."""
    low, high = 0, size
    while low < high:
        step = max((high - low) // _POINTS, 1)
        points = list(range(low, high, step))
        rows = conn.execute(_TIMES, {"log": log_id, "wanted": points})
        earlier = [index for index, found in rows if found < time]
        if not earlier:
            return low
        low, high = max(earlier) + 1, min(max(earlier) + step, high)
    return low


def _blocks(
    conn: Connection,
    log_id: str,
    terms: Sequence[Sequence[Facet]],
    low: int,
    whole: int,
    *,
    newest_first: bool = False,
) -> Iterator[tuple[int, int]]:
    """Yield each full block of [low, whole) in which every term holds of some entry, with the bitmap of those."""
    first, stop = low // BLOCK, whole // BLOCK
    width = _WINDOW
    while first < stop:
        upto = min(first + width, stop)
        window = (stop - (upto - first), stop) if newest_first else (first, upto)
        found = _held(conn, log_id, terms[0], *window)
        for term in terms[1:]:
            if not found:
                break
            held = _held(conn, log_id, term, min(found), max(found) + 1)
            found = {block: both for block, bits in held.items() if (both := found.get(block, 0) & bits)}
        for block in sorted(found, reverse=newest_first):
            cut = max(low - block * BLOCK, 0)
            if bits := found[block] >> cut << cut:
                yield block, bits
        first, stop = (first, window[0]) if newest_first else (upto, stop)
        width = min(width * 2, _WIDEST)


def _held(conn: Connection, log_id: str, term: Sequence[Facet], first: int, stop: int) -> dict[int, int]:
    """Return, by block of [first, stop), the bitmap of the entries of which at least one facet of a term holds."""
    found: dict[int, int] = {}
    for facet, values in groupby(sorted(term), itemgetter(0)):
        wanted = [value for _, value in values]
        asked = {"log": log_id, "facet": facet, "wanted": wanted, "first": first, "stop": stop}
        for block, bits in conn.execute(_BLOCKS, asked):
            found[block] = found.get(block, 0) | unpack_bits(bits)
    return found


def _rest(
    conn: Connection,
    log_id: str,
    terms: Sequence[Sequence[Facet]],
    low: int,
    high: int,
    *,
    newest_first: bool = False,
) -> Iterator[int]:
    """Yield the matching indexes among the entries [low, high) that are in no full block, by looking at them."""
    wanted = [frozenset(term) for term in terms]
    marks = [[_mark(facet) for facet in term] for term in terms]
    starts = range(low, high, _STRETCH)
    for start in reversed(starts) if newest_first else starts:
        found = []
        for stored in sql.leaves(conn, log_id, start, min(start + _STRETCH, high)):
            # Reading an entry costs ten times as much as seeing that a word is not in it.
            if all(any(mark in stored.body for mark in some) for some in marks):
                held = facets_of(stored.body)
                if not any(held.isdisjoint(term) for term in wanted):
                    found.append(stored.idx)
        yield from reversed(found) if newest_first else found


def _mark(facet: Facet) -> bytes:
    """Return bytes that an entry of a facet holds: a code stands in canonical JSON as it is, in quotes."""
    name, value = facet
    return f'"{value.partition(":")[0] if name == "agreement" else value}"'.encode()


def _places(start: int, bits: int, *, newest_first: bool) -> Iterator[int]:
    """Yield the indexes that a bitmap of the block at `start` names."""
    places = range(bits.bit_length())
    for place in reversed(places) if newest_first else places:
        if bits >> place & 1:
            yield start + place


_THESE: Final = select(log_entry.c.idx, log_entry.c.body, log_entry.c.leaf_hash).where(
    log_entry.c.log_id == bindparam("log"), log_entry.c.idx.in_(bindparam("wanted", expanding=True))
)
_TIMES: Final = select(log_entry.c.idx, log_entry.c.time).where(
    log_entry.c.log_id == bindparam("log"), log_entry.c.idx.in_(bindparam("wanted", expanding=True))
)
_BLOCKS: Final = select(log_block.c.block, log_block.c.members).where(
    log_block.c.log_id == bindparam("log"),
    log_block.c.facet == bindparam("facet"),
    log_block.c.value.in_(bindparam("wanted", expanding=True)),
    log_block.c.block >= bindparam("first"),
    log_block.c.block < bindparam("stop"),
)
