"""The token server's addresses: `/oauth2/*` and the two well-known documents. HTTP only; the rules are in `server`.

The form is read here as bytes, bounded, because a parsed form no longer shows that a parameter came twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from joserfc.jwk import Key
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.errors import BadRequest, Busy, NotSealed, face
from gateway.keys import Keyring
from gateway.settings import Settings
from gateway.store.journal import Journals
from gateway.tokens.check import TokenCheck
from gateway.tokens.clients import Clients
from gateway.tokens.form import FORM_MAX_BYTES
from gateway.tokens.metadata import JWKS_PATH, METADATA_PATH, Endpoint, jwks, metadata
from gateway.tokens.refusal import Reason, Refused
from gateway.tokens.request import CallIds, TokenRequest
from gateway.tokens.server import Reply, TokenServer
from gateway.web.http import GONE, call_ids, json_response, media_type, read_body

FORM = "application/x-www-form-urlencoded"
THREADS = 64
"""Requests for tokens answered at once; each waits in its thread for its commit. Of their own, so that a flood of them
takes no thread from anybody else."""


def routes(
    settings: Settings,
    keyring: Keyring,
    clients: Clients,
    journals: Journals,
    check: TokenCheck,
    more: Sequence[Key] = (),
) -> APIRouter:
    """The routes of the token server. Raises ValueError as `TokenServer` does.

    `more` are keys that are published beside the gateway's own.
    Needs the middleware `gateway.web.http.CallIds` before it. Every act is sealed in the operator's log.
    """
    server = TokenServer(settings, keyring, clients, journals, check)
    threads = CapacityLimiter(THREADS)
    router = APIRouter(tags=["tokens"])

    async def serve(request: Request, endpoint: Endpoint) -> Response:
        ids = CallIds(*call_ids(request))
        try:
            media_type(request, (FORM,))
            body = await read_body(request, FORM_MAX_BYTES)
        except BadRequest as error:
            refused = Refused(Reason.REQUEST_MALFORMED, f"The form cannot be read: {error.words}")
            ask = partial(server.refuse, TokenRequest(endpoint, server.issuer + endpoint.path, ids), refused)
        except ClientDisconnect:
            return Response(status_code=GONE)
        else:
            ask = partial(server.answer, endpoint, body, ids, other_credentials="authorization" in request.headers)
        reply = await _reply(ask, threads)
        return json_response(reply.body, reply.status, headers=reply.headers)

    @router.post(Endpoint.TOKEN.path, openapi_extra=_form("grant_type", "scope"))
    async def token(request: Request) -> Response:
        """Issue an access token (RFC 6749 section 4.4, RFC 7523)."""
        return await serve(request, Endpoint.TOKEN)

    @router.post(Endpoint.INTROSPECTION.path, openapi_extra=_form("token"))
    async def introspect(request: Request) -> Response:
        """Tell about an access token (RFC 7662)."""
        return await serve(request, Endpoint.INTROSPECTION)

    @router.post(Endpoint.REVOCATION.path, openapi_extra=_form("token"))
    async def revoke(request: Request) -> Response:
        """Revoke an access token (RFC 7009)."""
        return await serve(request, Endpoint.REVOCATION)

    @router.get(METADATA_PATH)
    async def about() -> Response:
        """Tell what the token server can do (RFC 8414)."""
        return json_response(metadata(server.issuer), headers=_CACHED)

    @router.get(JWKS_PATH)
    async def keys() -> Response:
        """Give the key that access tokens are signed with (RFC 7517)."""
        return json_response(jwks(keyring, *more), headers=_CACHED, media="application/jwk-set+json")

    return router


_CACHED = {"Cache-Control": "public, max-age=3600"}


async def _reply(ask: Callable[[], Reply], threads: CapacityLimiter) -> Reply:
    """What the server answers; what cannot be sealed now is told so (the word of RFC 6749 section 4.1.2.1)."""
    try:
        return await to_thread.run_sync(ask, limiter=threads)
    except (Busy, NotSealed) as error:
        return Reply(
            face(error).status,
            {"error": "temporarily_unavailable", "error_description": error.words},
            {"Cache-Control": "no-store", **error.headers},
        )


def _form(*names: str) -> dict[str, Any]:
    """The form of an endpoint, for the OpenAPI document: FastAPI does not see it, as the body is read here."""
    fields = (*names, "client_assertion_type", "client_assertion")
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in fields},
        "required": [name for name in fields if name != "scope"],
    }
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}
