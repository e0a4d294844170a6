"""The embedded provider's addresses, `/provider/*`: its description and keys, its page, and the exchange of codes.

HTTP only; what is right is in `sign_in`, what is standard in `server`. Work is done in threads of its own, few and with
a short queue, for hashing a password is made to be slow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import BadParameter, Busy, NotPermitted
from gateway.signin.origin import from_elsewhere
from gateway.signin.provider import totp
from gateway.signin.provider.server import Asked, Reply, Server
from gateway.signin.provider.sign_in import Enrol, Proved, SignIn
from gateway.signin.registered import PROVIDER
from gateway.web.http import PlainRoute, call_ids, json_response, media_type, read_body

FORM = "application/x-www-form-urlencoded"
FORM_MAX_BYTES = 8192
_PARAMETERS_MAX = 20
THREADS = 2
NOT_IN = "Check what you entered. After several tries, wait a few minutes before the next"
WAITING_MAX = 32  # at a tenth of a second each nobody waits longer than a few seconds

T = TypeVar("T")


class Show(Protocol):
    """Writes a page for somebody who has not signed in."""

    def __call__(
        self,
        request: Request,
        template: str,
        status: int = 200,
        problem: tuple[str, str] | None = None,
        **view: Any,  # noqa: ANN401 - what a template is given
    ) -> Response:
        """The page of a template; a problem is of a field, or of none (""), and says what is wrong."""


def routes(server: Server, show: Show) -> APIRouter:
    """The routes of an embedded provider."""
    router = APIRouter(prefix=PROVIDER, route_class=PlainRoute, include_in_schema=False)
    desk = _Desk(server, show)
    router.get("/.well-known/openid-configuration")(desk.about)
    router.get("/keys")(desk.keys)
    router.get("/authorize")(desk.ask)
    router.post("/authorize")(desk.tell)
    router.post("/token")(desk.token)
    return router


class _Desk:
    """Answers for one provider."""

    def __init__(self, server: Server, show: Show) -> None:
        self._server = server
        self._show = show
        self._sign_in = SignIn(server, server.clock)
        self._threads = CapacityLimiter(THREADS)

    async def about(self, _: Request) -> Response:
        """Tell what the provider can do (OpenID Connect Discovery 1.0)."""
        return json_response(self._server.metadata())

    async def keys(self, _: Request) -> Response:
        """Give the key that ID tokens are signed with (RFC 7517)."""
        return json_response(self._server.jwks(), media="application/jwk-set+json")

    async def ask(self, request: Request) -> Response:
        """Ask who is there."""
        refused = await self._work(partial(self._server.authorize, _asked(request, self._server), None))
        if refused is not None:
            return self._led(request, refused)
        return self._show(request, "provider_sign_in.html.jinja", action=_again(request))

    async def tell(self, request: Request) -> Response:
        """Judge what was typed; then lead back with a code."""
        if from_elsewhere(request, self._server.issuer):
            raise NotPermitted("this form was not sent from its own page: load it again", reason="form-from-elsewhere")
        asked = _asked(request, self._server)
        refused = await self._work(partial(self._server.authorize, asked, None))
        if refused is not None:
            return self._led(request, refused)
        form = await _form(request)
        found = await self._judged(form, call_ids(request))
        if isinstance(found, Proved):
            return self._led(
                request, await self._work(partial(self._server.authorize, asked, found.account, found.how))
            )
        if isinstance(found, Enrol):
            return self._enrol(request, found, again="ticket" in form)
        typed = {"person": form.get("person", "")}
        view = {"action": _again(request), "typed": typed}
        return self._show(request, "provider_sign_in.html.jinja", 403, ("", NOT_IN), **view)

    async def token(self, request: Request) -> Response:
        """Exchange a code (RFC 6749 section 4.1.3)."""
        asked = Asked("POST", f"{self._server.issuer}/token", await _form(request), request.headers)
        # In threads of the pool, so that whoever has proved themselves does not queue with those who have not.
        reply = await to_thread.run_sync(partial(self._server.exchange, asked))
        return json_response(dict(reply.body), reply.status, headers=reply.headers)

    async def _judged(self, form: Mapping[str, str], ids: tuple[str, str | None]) -> Proved | Enrol | None:
        code = form.get("code", "").replace(" ", "")
        if "ticket" in form:
            return await self._work(partial(self._sign_in.enrolled, form["ticket"], code, ids))
        person, password = form.get("person", "").strip(), form.get("password", "")
        return await self._work(partial(self._sign_in.tried, person, password, code, ids))

    async def _work(self, what: Callable[[], T]) -> T:
        if self._threads.statistics().tasks_waiting >= WAITING_MAX:
            raise Busy("too many sign in at once", headers={"Retry-After": "5"})
        return await to_thread.run_sync(what, limiter=self._threads)

    def _led(self, request: Request, reply: Reply | None) -> Response:
        """The way back to the console; a page where the reply leads nowhere."""
        if reply is None or "Location" not in reply.headers:
            return self._show(request, "provider_sign_in.html.jinja", 400, action=None)
        headers = {"Location": reply.headers["Location"], "Referrer-Policy": "no-referrer"}
        return Response(status_code=303, headers=headers)

    def _enrol(self, request: Request, found: Enrol, *, again: bool) -> Response:
        return self._show(
            request,
            "provider_enrol.html.jinja",
            403 if again else 200,
            ("code", "Enter the six figures that your app shows now") if again else None,
            action=_again(request),
            ticket=found.ticket,
            secret=found.secret,
            square=totp.square(found.secret, found.account.person.id),
        )


def _asked(request: Request, server: Server) -> Asked:
    """The request for authorization, whose parameters stand in the address, each once."""
    given = request.query_params.multi_items()
    found = dict(given)
    if len(found) != len(given) or len(found) > _PARAMETERS_MAX:
        raise BadParameter("the address is not one that leads here")
    return Asked("GET", f"{server.issuer}/authorize", found, request.headers)


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a form, each once."""
    media_type(request, (FORM,))
    body = await read_body(request, FORM_MAX_BYTES)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_PARAMETERS_MAX,
        )
    except ValueError:
        raise BadParameter("the form cannot be read") from None
    found = dict(pairs)
    if len(found) != len(pairs) or any("\0" in value for value in found.values()):
        raise BadParameter("the form cannot be read")
    return found


def _again(request: Request) -> str:
    """The same address: what was asked stands in it until it is answered."""
    return f"{request.url.path}?{request.url.query}"
