"""Every route of the console: its areas, and what belongs to none (first page, files, leaving, a hidden screen)."""

from __future__ import annotations

from types import ModuleType

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.console import (
    about,
    auditor,
    downtime,
    evaluation,
    guardian,
    officer,
    operator,
    referral,
    sign_in,
    worklist,
)
from gateway.console.console import Console
from gateway.console.guard import checked
from gateway.console.heads import page_router
from gateway.console.page import HEADERS, areas_of
from gateway.console.static_files import PREFIX as STATIC
from gateway.console.static_files import static_files
from gateway.errors import GatewayError, NotFound
from gateway.signin.cookies import SESSION, Cookies
from gateway.web.http import call_ids

PUBLIC = (STATIC,)
"""What is the same for everybody, and is compressed."""

_AREAS: tuple[ModuleType, ...] = (
    sign_in,
    worklist,
    referral,
    downtime,
    auditor,
    evaluation,
    about,
    officer,
    operator,
    guardian,
)
"""The modules with `routes(console) -> APIRouter`, which `page_router` made."""

_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}  # a year: the name holds the hash
_OURSELVES = frozenset({"none", "same-origin"})  # typed, or led to by a page of ours (Fetch Metadata)


def console_routes(console: Console) -> APIRouter:
    """The routes over an open console."""
    router = page_router()
    own = _Own(console)
    for home in ("", "/"):  # nothing leads from the one to the other, but people type both
        router.add_api_route(home, own.home, methods=["GET"])
    router.add_api_route("/leave", own.leave, methods=["GET"])
    router.add_api_route("/locked", own.locked, methods=["GET"])
    router.add_api_route("/static/{name}", own.static, methods=["GET"])
    for area in _AREAS:
        router.routes.extend(area.routes(console).routes)  # one flat list, as the application has
    return router


class _Own:
    """What belongs to no area."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._cookies = Cookies(console.services.settings)

    async def home(self, request: Request) -> Response:
        """The first of a person's areas."""
        visit = await self._console.guard.visit(request)
        areas = areas_of(visit.person.roles)
        if areas:
            return RedirectResponse(areas[0].href, 303, headers=HEADERS)
        return self._console.pages.page(request, "home.html.jinja", visit)

    async def leave(self, request: Request) -> Response:
        """Out of here, signed out first; whatever fails, it leads away.

        A link elsewhere may lead here too: then it only leads away, and signs nobody out.
        """
        answer = RedirectResponse(self._console.services.settings.console_leave_url, 303, headers=HEADERS)
        if request.headers.get("sec-fetch-site", "none") not in _OURSELVES:
            return answer
        answer.headers["Clear-Site-Data"] = '"cache"'
        self._cookies.drop(answer, SESSION)
        try:
            session = await self._console.guard.session(request)
            if session is not None:
                await self._console.sessions.end(session, session.person.caller(*call_ids(request)), "left")
        except GatewayError:  # the browser has forgotten it; its end is sealed when it runs idle
            return answer
        return answer

    async def locked(self, request: Request) -> Response:
        """A page that shows nothing, for a screen nobody looks after."""
        to = checked(request.query_params.get("to"))
        return self._console.pages.page(request, "locked.html.jinja", None, to=to)

    async def static(self, _: Request, name: str) -> Response:
        """A file, under the name that holds its hash."""
        found = static_files().served.get(name)
        if found is None:
            raise NotFound("there is nothing at this address")
        return Response(found.content, headers={**HEADERS, **_FOR_EVER, "Content-Type": found.media_type})
