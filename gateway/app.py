"""The web application: every route over one set of services, and the one place where an error gets its face."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from types import ModuleType

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.nhs.bars import BarsRefused
from adapters.nhs.fhir import FhirRefused, warm
from gateway.bars.channel import PREFIX as BARS
from gateway.console import back_channel, sign_in
from gateway.console.console import Console, open_console
from gateway.console.page import PREFIX as CONSOLE
from gateway.console.routes import PUBLIC as CONSOLE_PUBLIC
from gateway.console.routes import console_routes
from gateway.errors import BadParameter, GatewayError, NotFound, NotServed
from gateway.logs import Line, say
from gateway.services import Services
from gateway.signin.registered import PROVIDER_PAGE
from gateway.signin.registered import published as published_for_sign_in
from gateway.tokens.routes import routes as token_routes
from gateway.tracing.sign_in import published
from gateway.web import (
    agreements,
    audit,
    auditevent,
    auditexport,
    bars,
    batches,
    casework,
    coresponse,
    deliveries,
    evaluation,
    fhir,
    fhirversions,
    governance,
    health,
    hospital,
    informing,
    matches,
    notices,
    oversight,
    police,
    proposals,
    questionnaires,
    subscriptions,
    team,
    tracing,
    witness,
)
from gateway.web.described import Described
from gateway.web.fhirform import PublicGzip, failure_in_form
from gateway.web.http import PROBLEM, CallIds, json_response, problem_of

_VERSION = version("provide-gateway")


def create_app(services: Services) -> FastAPI:
    """The application over open services; whoever opened them closes them."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Half a second of imports, beside the first requests rather than before them or inside one.
        # No daemon: ended in the middle of compiled code, it takes the process with it by SIGABRT.
        threading.Thread(target=warm, name="warm-fhir").start()
        yield
        say(Line.STOPPED)

    app = Described(
        title="Provide Gateway",
        version=_VERSION,
        summary="Shares domestic-abuse records between police and NHS teams under a signed agreement.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,  # it would lead to where the Host header says, by plain HTTP behind a proxy
    )
    metrics = health.Metrics(services)
    console = open_console(services)
    for room in _rooms(services, metrics, console):
        # Its routes themselves, and not the router as one: that would be asked twice for a route, slowly.
        app.router.routes.extend(room.routes)
    _answer_errors(app, console)
    app.add_middleware(PublicGzip, public=(*fhir.PUBLIC, *CONSOLE_PUBLIC))
    app.add_middleware(CallIds)
    app.add_middleware(metrics.middleware)
    return app


def _rooms(services: Services, metrics: health.Metrics, console: Console) -> Iterator[APIRouter]:
    """Every room's routes, in the order in which they are tried: the busiest first."""
    yield auditevent.routes(services)  # a type of FHIR's that is not a team's: before those that are
    yield questionnaires.routes(services, fhir.PREFIX)
    yield fhirversions.history(services, fhir.PREFIX)  # before the routes that take any type and id
    yield subscriptions.routes(services)  # as above
    yield fhir.routes(services, _VERSION)
    yield police.routes(services)
    yield batches.routes(services)
    yield bars.routes(services, _VERSION)
    yield token_routes(
        services.settings,
        services.keyring,
        services.clients,
        services.journals,
        services.tokens,
        (*published(services.settings), *published_for_sign_in(services.settings)),
    )
    for room in _OTHERS:
        yield room.routes(services)
    yield console_routes(console)
    yield back_channel.routes(console)
    if (own := sign_in.provider(console)) is not None:
        yield own
    yield health.routes(services, metrics)


_OTHERS: tuple[ModuleType, ...] = (
    team,
    casework,
    governance,
    matches,
    proposals,
    tracing,
    deliveries,
    coresponse,
    notices,
    hospital,
    informing,
    audit,
    agreements,
    oversight,
    auditexport,
    evaluation,
    witness,
)


def _answer_errors(app: FastAPI, console: Console) -> None:
    """Have every error answered in the form of the interface that was asked."""

    async def failed(request: Request, error: Exception) -> Response:
        if not isinstance(error, GatewayError | FhirRefused | BarsRefused):
            where = _where(error)
            say(Line.UNFORESEEN, request=request.state.request_id, error=type(error).__name__, where=where)
        return _in_form(request, error, console)

    async def misdirected(request: Request, error: Exception) -> Response:
        """What the framework refuses by itself: no such route, no such method, a path that is no number."""
        status = error.status_code if isinstance(error, HTTPException) else 404
        if request.url.path.startswith(BARS):
            return bars.outcome_of(bars.misdirected(status))
        if status == METHOD_NOT_ALLOWED and not request.url.path.startswith((fhir.PREFIX, CONSOLE, PROVIDER_PAGE)):
            headers = error.headers if isinstance(error, HTTPException) else None
            body = {"title": "This method is not served here", "status": status}
            return json_response(body, status, headers=headers, media=PROBLEM)
        if status == METHOD_NOT_ALLOWED and request.url.path.startswith(fhir.PREFIX):
            headers = {"Allow": ", ".join(allowed(request))}
            return await failed(request, NotServed("not by this method: see metadata", headers=headers))
        known = NotFound("there is nothing at this address") if status in _NOWHERE else BadParameter("not readable")
        return await failed(request, known)

    app.add_exception_handler(GatewayError, failed)
    app.add_exception_handler(FhirRefused, failed)
    app.add_exception_handler(BarsRefused, failed)
    app.add_exception_handler(HTTPException, misdirected)
    app.add_exception_handler(RequestValidationError, misdirected)
    app.add_middleware(Unforeseen, answer=failed)


def _in_form(request: Request, error: BaseException, console: Console) -> Response:
    """An error in the form of the interface that was asked."""
    if request.url.path.startswith(BARS):
        return bars.outcome_of(error)
    if request.url.path.startswith((CONSOLE, PROVIDER_PAGE)):
        return console.pages.failure(request, error)
    if request.url.path.startswith(fhir.PREFIX):
        return failure_in_form(request, fhir.outcome_of(error))
    return problem_of(error)


class Unforeseen:
    """Middleware: answers an error nobody foresaw inside the others, so that it is counted and carries its ids."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        began = False

        async def sending(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            if scope["type"] != "http" or began:
                raise
            await (await self.answer(Request(scope), error))(scope, receive, send)


def allowed(request: Request) -> list[str]:
    """The methods served at an address, whatever there is at it (RFC 9110 section 15.5.6)."""
    found = {
        method
        for route in request.app.router.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return sorted(found)


METHOD_NOT_ALLOWED = 405
_NOWHERE = frozenset({404, METHOD_NOT_ALLOWED})


def _where(error: BaseException) -> str:
    """The module and line an error came from: no message, which may hold anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"
