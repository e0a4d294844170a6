"""Pages of a feed of which not everything may go: the walk gives what may, and nothing tells of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.feeds import Page, page_of


@dataclass(frozen=True)
class One:
    """Something that may go."""

    row: Any


def read(feed: Sequence[tuple[int, bool]], after: int, limit: int) -> Page[One]:
    """A page of a feed of places, each with whether it may go."""
    rows = [SimpleNamespace(seq=seq, may=may) for seq, may in feed]

    def some(at: int, most: int) -> Any:
        return [row for row in rows if row.seq > at][:most]

    return page_of(
        some, lambda found: [One(row) for row in found if getattr(row, "may", False)], after=after, limit=limit
    )


feeds = st.lists(st.tuples(st.integers(0, 60), st.booleans()), unique_by=lambda one: one[0], max_size=40).map(sorted)


@settings(max_examples=60)
@given(feeds, st.integers(1, 7))
def test_the_pages_are_those_of_a_feed_in_which_the_rest_had_never_been(
    feed: list[tuple[int, bool]], limit: int
) -> None:
    """The slow twin: cut the same pages out of what may go alone."""
    allowed = [seq for seq, may in feed if may]
    after, seen = -1, list[int]()
    while True:
        page = read(feed, after, limit)
        got = [one.row.seq for one in page.shown]
        assert got == [seq for seq in allowed if seq > after][:limit]
        assert page.more == (len([seq for seq in allowed if seq > after]) > limit)
        assert page.next_cursor == (got[-1] if got else after)
        seen, after = seen + got, page.next_cursor
        if not page.more:
            break
    assert seen == allowed
