"""Where the OpenID provider says that somebody has signed out there: their sessions here end, in every replica.

No page, and nobody's browser: what proves the word is the provider's signature on it. What is no such word changes
nothing and is not sealed, for anybody may send it, as often as they like.

Source: OpenID Connect Back-Channel Logout 1.0 sections 2.5 to 2.8.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.console import Console
from gateway.console.forms import received
from gateway.console.page import HEADERS
from gateway.console.sign_in import relying
from gateway.errors import BadMediaType, BadParameter, BodyTooLarge, NotFound
from gateway.signin.fetching import ProviderFailed, SignInFailed
from gateway.web.http import PlainRoute, json_response

PATH = "/openid/back-channel-logout"


def routes(console: Console) -> APIRouter:
    """The one route; what a provider is registered with is the public address and `PATH`."""
    router = APIRouter(route_class=PlainRoute, tags=["sign-in"])
    at_provider = relying(console)
    skew_seconds = console.services.settings.clock_skew_seconds

    async def logged_out(request: Request) -> Response:
        """200 whether or not anybody was signed in here; 400 to what is no such word; 503 to try again."""
        if at_provider is None:
            raise NotFound("there is nothing at this address")
        try:
            tokens = (await received(request)).get("logout_token", ())
            ended = await at_provider.ended(tokens[0] if len(tokens) == 1 else "")
        except ProviderFailed:
            return json_response({"error": "temporarily_unavailable"}, 503, headers=HEADERS)
        except (SignInFailed, BadMediaType, BodyTooLarge, BadParameter):
            return json_response({"error": "invalid_request"}, 400, headers=HEADERS)
        await console.sessions.end_at_provider(ended, skew_seconds)
        return Response(status_code=200, headers=HEADERS)

    router.add_api_route(PATH, logged_out, methods=["POST"], summary="Somebody has signed out at the OpenID provider")
    return router
