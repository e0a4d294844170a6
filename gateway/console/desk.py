"""What the pages of an area share, whichever area it is: where they stand, who looks, and the entry that says so.

The desks of the auditor, the operator and the guardian are made of this one; each adds whose log it is and what all of
its pages show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from fastapi import APIRouter
from sqlalchemy import Connection

from audit.receipt import Receipt
from gateway.console.console import Console
from gateway.console.guard import Visit
from gateway.console.heads import page_router
from gateway.evidence import Event
from gateway.reading_log import Look
from gateway.services import Services

T = TypeVar("T")

Route = tuple[str, Callable[..., Any], str]
"""Where a page is after the console's prefix, what answers it, and its method."""


class Pages(Protocol):
    """A module of pages."""

    def pages(self, console: Console, /) -> tuple[Route, ...]:
        """Its routes."""


def router_of(console: Console, area: Iterable[Pages]) -> APIRouter:
    """The routes of an area, in the order of its modules."""
    router = page_router()
    for module in area:
        for path, answer, method in module.pages(console):
            router.add_api_route(path, answer, methods=[method])
    return router


@dataclass(frozen=True, slots=True)
class Sight:
    """Somebody who looks: their look is sealed in the log `log_id`, as the last entry that `receipt` speaks of."""

    visit: Visit
    log_id: str
    receipt: Receipt


class Desk:
    """The common ground of an area's pages over an open console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @property
    def services(self) -> Services:
        """What everything is done with."""
        return self.console.services

    async def read(self, read: Callable[[Connection], T]) -> T:
        """Read in a thread."""
        return await self.services.database.read(read)

    async def sealed(
        self, visit: Visit, log_id: str, what: Mapping[str, str | int], event: Event, reason: str | None = None
    ) -> Sight:
        """Seal that a visitor looks. `what` names the question, by codes and numbers."""
        committed = await self.services.journals.of(log_id).submit(Look(visit.caller, what, event, reason))
        return Sight(visit, log_id, committed.receipt)
