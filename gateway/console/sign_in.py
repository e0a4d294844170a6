"""Signing in and out: to the provider and back, one session for one sign-in, and its end in this browser or everywhere.

Nothing here decides who somebody is or what they may do. Each sign-in, each one that came to nothing and each end is
sealed. A page that is asked for by a script leads nobody away: a person's own sign-in would be lost over it.

Source: OpenID Connect Core 1.0 section 3.1, RP-Initiated Logout 1.0; RFC 9700 section 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.console.console import Console
from gateway.console.forms import FieldError
from gateway.console.guard import HOME, SignInNeeded, by_person, checked
from gateway.console.heads import page_router
from gateway.console.page import HEADERS
from gateway.evidence import OPERATOR_LOG
from gateway.signin.acts import RefuseSignIn
from gateway.signin.claims import ClaimNames, ClaimsRefused, person_of
from gateway.signin.cookies import ASKED, SESSION, Cookies
from gateway.signin.fetching import ProviderFailed, SignInFailed
from gateway.signin.logouttoken import AtProvider
from gateway.signin.provider.routes import routes as provider_routes
from gateway.signin.provider.server import Server
from gateway.signin.registered import PROVIDER, SIGNED_IN, embedded
from gateway.signin.registered import relying as relying_of
from gateway.signin.relying import TICKET_SECONDS, Answered, Relying
from gateway.signin.sessions import AccountChanged
from gateway.web.http import call_ids

_HARMLESS = frozenset({"sign-in-not-begun", "state-mismatch"})
"""What also happens to somebody who goes back in the browser, or signs in in two windows at once."""
_CODE = re.compile(r"[!#-\[\]-~]{1,64}")  # the alphabet of an audit entry


def routes(console: Console) -> APIRouter:
    """The routes; where there is no provider nobody can sign in, and is told so. Raises SignInUnusable."""
    router = page_router()
    doors = _Doors(console)
    router.get("/sign-in")(doors.begin)
    router.get("/signed-in")(doors.back)
    router.get("/sign-out")(doors.leaving)
    router.post("/sign-out")(doors.leave)
    router.get("/signed-out")(doors.gone)
    return router


class _Doors:
    """The ways in and out of one console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._pages, self._guard, self._sessions = console.pages, console.guard, console.sessions
        settings = console.services.settings
        self._own = embedded(settings)
        self._cookies = Cookies(settings)
        self._names = ClaimNames() if self._own else ClaimNames.of(settings)
        self._relying = relying(console)

    async def begin(self, request: Request) -> Response:
        """Lead to the provider; whoever has signed in goes to the page they wanted."""
        to = checked(request.query_params.get("to"))
        if not by_person(request):
            raise SignInNeeded(to)
        if await self._guard.session(request) is not None:
            return _to(to)
        if self._relying is None:
            return self._failed(request, "none", 503)
        try:
            asked = await self._relying.ask(to)
        except ProviderFailed as failed:
            await self._seal(request, failed.reason)
            return self._failed(request, "later", 503)
        answer = _to(asked.url)
        self._cookies.set(answer, ASKED, asked.ticket, max_age_seconds=TICKET_SECONDS)
        return answer

    async def back(self, request: Request) -> Response:
        """Take the provider's answer and begin a session, a new one in any case."""
        if self._relying is None:
            return self._failed(request, "none", 503)
        try:
            answered = await self._relying.answered(self._cookies.read(request, ASKED), _once_each(request))
            answer = await self._signed_in(request, answered)
        except ClaimsRefused as refused:
            await self._seal(request, refused.reason, {"claim": refused.claim})
            answer = self._failed(request, "role", 403)
        except ProviderFailed as failed:
            await self._seal(request, failed.reason)
            answer = self._failed(request, "later", 503)
        except SignInFailed as failed:
            await self._seal(request, failed.reason)
            if failed.reason in _HARMLESS and await self._guard.session(request) is not None:
                return _to(HOME)
            answer = self._failed(request, "again", 403)
        self._cookies.drop(answer, ASKED)
        return answer

    async def _signed_in(self, request: Request, answered: Answered) -> Response:
        """Raises ClaimsRefused, SignInFailed."""
        person = person_of(answered.claims, self._names)
        acr = answered.claims.get("acr")
        try:
            secret = await self._sessions.open(
                person,
                person.caller(*call_ids(request)),
                detail={"acr": acr} if isinstance(acr, str) and _CODE.fullmatch(acr) else {},
                id_token=None if self._own else answered.id_token,
                at_provider=AtProvider.of(answered.claims),
                instead_of=self._cookies.read(request, SESSION),
                account_version=answered.claims["account_version"] if self._own else None,
            )
        except AccountChanged:
            raise SignInFailed("account-changed") from None
        answer = _to(checked(answered.to))
        self._cookies.set(answer, SESSION, secret)
        return answer

    async def leaving(self, request: Request) -> Response:
        """Ask how: here, or in every browser."""
        return self._pages.page(request, "sign_out.html.jinja", await self._guard.visit(request))

    async def leave(self, request: Request) -> Response:
        """End this session, or every one of the person; then the provider's, where it has a page for that."""
        visit, form = await self._guard.posted(request)
        session = await self._guard.session(request)
        caller = replace(visit.caller, token=None)
        if form.get("everywhere"):
            await self._sessions.end_all(visit.person, caller)
        elif session is not None:
            await self._sessions.end(session, caller)
        try:
            away = await self._relying.goodbye(session.id_token if session else None) if self._relying else None
        except ProviderFailed:
            away = None
        # A page and not a redirection, for the policy of pages lets no form lead to another address.
        headers = {"Clear-Site-Data": '"cache"', **({"Refresh": f"0; url={away}"} if away else {})}
        answer = self._pages.page(request, "signed_out.html.jinja", None, headers=headers, away=away)
        self._cookies.drop(answer, SESSION)
        return answer

    async def gone(self, request: Request) -> Response:
        """Where the provider leads back to."""
        return self._pages.page(request, "signed_out.html.jinja", None, away=None)

    async def _seal(self, request: Request, reason: str, detail: Mapping[str, str | int] | None = None) -> None:
        unit = RefuseSignIn(reason, *call_ids(request), detail)
        await self._console.services.journals.of(OPERATOR_LOG).submit(unit)

    def _failed(self, request: Request, why: str, status: int) -> Response:
        return self._pages.page(request, "sign_in_failed.html.jinja", None, status, why=why)


def provider(console: Console) -> APIRouter | None:
    """The embedded provider's routes, which are the application's and not the console's; None where it is not used."""
    settings = console.services.settings
    if not embedded(settings):
        return None
    address = settings.public_url.rstrip("/")
    server = Server(console.services, address + PROVIDER, settings.oidc_client_id, address + SIGNED_IN)

    def show(
        request: Request,
        template: str,
        status: int = 200,
        problem: tuple[str, str] | None = None,
        **view: Any,  # noqa: ANN401 - as Pages has it
    ) -> Response:
        errors = (FieldError(*problem),) if problem else ()
        return console.pages.page(request, template, None, status, errors=errors, **view)

    return provider_routes(server, show)


def relying(console: Console) -> Relying | None:
    """The console at its provider; at the embedded one it calls within this process, by no socket."""
    services, own = console.services, provider(console)
    if own is None:
        return relying_of(services.settings, services.keyring)
    within = FastAPI(openapi_url=None)
    within.include_router(own)
    return relying_of(services.settings, services.keyring, httpx.ASGITransport(within))


def _once_each(request: Request) -> Mapping[str, str]:
    """The parameters of the answer. Raises SignInFailed where one comes twice (RFC 6749 section 3.1)."""
    given = request.query_params.multi_items()
    found = dict(given)
    if len(found) != len(given):
        raise SignInFailed("answer-malformed")
    return found


def _to(url: str) -> Response:
    return RedirectResponse(url, 303, headers=HEADERS)
