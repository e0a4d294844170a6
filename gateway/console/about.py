"""What this is, and who sees what: one page for everybody who has signed in, with their own pages explained.

It holds no record and names nobody but who reads it.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.console import Console
from gateway.console.heads import page_router
from gateway.console.page import PREFIX, areas_of

PATH = f"{PREFIX}/about"

WORDS: Mapping[str, str] = {
    f"{PREFIX}/worklist": "Referrals from police that wait for your team, the most urgent first, renewed while you "
    "look. Nobody's name is on the list: a case is opened with a reason, by one click, and that is sealed.",
    f"{PREFIX}/traces": "NHS numbers that were looked for and not found beyond doubt: a person says which is hers.",
    f"{PREFIX}/officer": "The referrals of your incidents: whether anybody reached her, in codes and nothing more, and "
    "what you are asked to do.",
    f"{PREFIX}/auditor": "Everything that was shared, refused, read or changed under your agreement. Your own browser "
    "can check that an entry is in the log and that nothing was taken out.",
    f"{PREFIX}/guardian": "What waits for your decision, and what somebody decided in an emergency and you look at "
    "again.",
    f"{PREFIX}/agreement": "What the parties agreed: its text, its versions, what changed between two, and what "
    "another version would have released.",
    f"{PREFIX}/operator": "How the gateway runs: systems and their keys, deliveries, what could not be read, clocks, "
    "the logs. No record is shown here.",
    f"{PREFIX}/evaluation": "Whether victims are reached sooner and are safer, in counts by area and quarter, with "
    "small numbers hidden.",
}
"""What each area of the menu is for."""


def routes(console: Console) -> APIRouter:
    """The route of the page."""
    router = page_router()

    @router.get("/about")
    async def about(request: Request) -> Response:
        visit = await console.guard.visit(request)
        areas = [(one.text, one.href, WORDS.get(one.href, "")) for one in areas_of(visit.person.roles)]
        return console.pages.page(request, "about.html.jinja", visit, areas=areas)

    return router
