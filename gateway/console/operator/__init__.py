"""The operator's pages: what runs, what waits, what failed, what runs out; and the few things they may do about it.

An operator sees no record of anybody: references, codes, paths, counts and times, and never a name or a text of a case.
What is of no agreement is sealed in the operator's log; whoever looks at what waits under an agreement, or changes it,
is sealed in that agreement's own log, where its parties see it. No address has a part that names anything.
"""

from __future__ import annotations

from fastapi import APIRouter

from gateway.console.console import Console
from gateway.console.desk import router_of
from gateway.console.operator import clients, clocks, deliveries, keeping, overview, people, quarantine, shapes

_PAGES = (overview, clients, deliveries, quarantine, clocks, shapes, keeping, people)


def routes(console: Console) -> APIRouter:
    """The routes of the operator's pages."""
    return router_of(console, _PAGES)
