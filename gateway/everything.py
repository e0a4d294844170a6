"""Everything of one referral (`ServiceRequest/[id]/$everything`), in pages of resources.

A page seals what is on it: the types it holds, and of them what the decision of that instant lets go. The place of a
page is a type and how many of it have been given, so that a referral that has changed in between is neither repeated
nor cut short by more than what changed. A referral of another team and none are the same (P8).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby

from sqlalchemy import Connection

from adapters.nhs import fhir
from gateway.callers import check_recipient
from gateway.disclosure import Disclose, Found, Reader
from gateway.errors import BadParameter
from gateway.evidence import Caller
from gateway.journey import Page
from gateway.searching import Search
from gateway.services import Services
from gateway.under_agreement import decided, log_of, standing_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which referral, which types of it, from which place on, and how many resources at most."""

    referral: str
    types: tuple[str, ...]
    after: tuple[str, ...] | None
    count: int


async def hand_out_everything(
    services: Services, library: Reader, caller: Caller, wanted: Wanted, reason: str | None
) -> Page:
    """A page of one referral; without anything where there is none for this caller.

    Raises NotPermitted, BadParameter, Busy, NotSealed.
    """
    log_id = await log_of(services, caller)

    async def attempt() -> Page:
        # 1. Who asks: a recipient of the agreement, with the person it wants named.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)

        # 2. Find the referral; decide it again; minimise and write every type that is wanted.
        search = _search(wanted.referral, wanted.types)

        def find(connection: Connection) -> Found:
            return library.find(connection, caller, search, standing, log_id, datetime.now(UTC))

        found = await services.database.read(find)

        # 3. Cut out the page; seal what is on it, and only then let it leave.
        page, on_page = _page(found, search, wanted)
        committed = await services.journals.of(log_id).submit(Disclose(page, on_page, caller, standing, reason))
        return Page(page, committed.receipts, log_id)

    return await decided(services, caller, log_id, attempt)


def _search(referral: str, types: Collection[str]) -> Search:
    """The type searched first is whole, with the children; so it is the patients where they are wanted."""
    ordered = sorted(types, key=lambda type_: (type_ != "Patient", fhir.EVERYTHING.index(type_)))
    return Search(
        types=tuple(ordered), named=(frozenset({referral}),), whole=True, total=False, note=(("asked", "everything"),)
    )


def _page(found: Found, search: Search, wanted: Wanted) -> tuple[Found, Search]:
    """The resources behind a place, and the search that finds no more than their types."""
    if not found.opened:
        return found, search
    (opened,) = found.opened
    begin = _place(wanted.after)
    rest: list[tuple[tuple[int, int], fhir.Written]] = []
    for type_, group in groupby(opened.matches, key=lambda one: one.type):
        numbered = (((fhir.EVERYTHING.index(type_), number), one) for number, one in enumerate(group, start=1))
        rest += [(place, one) for place, one in numbered if place > begin]
    shown = rest[: wanted.count]
    more = len(rest) > len(shown)
    if not shown:
        return replace(found, opened=(), total=None), search
    on_page = _search(wanted.referral, {one.type for _, one in shown})
    kept = replace(
        opened, matches=tuple(one for _, one in shown), decision=opened.decision.narrow(on_page.items), included=()
    )
    whole = wanted.after is None and not more
    following = tuple(map(str, shown[-1][0])) if more else None
    return Found((kept,), len(shown) if whole else None, following), on_page


def _place(after: tuple[str, ...] | None) -> tuple[int, int]:
    if after is None:
        return -1, 0
    try:
        type_, number = map(int, after)
    except ValueError:
        raise BadParameter("the cursor is not one of this server's links") from None
    return type_, number
