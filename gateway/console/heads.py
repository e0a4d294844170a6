"""HEAD of a page: what GET would say of it, without the page (RFC 9110 section 9.3.2).

The page is found, decided and sealed as for GET: whoever asks for its headers has asked for it. An answer that would go
on (a line of events, a pack) is not begun.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.page import PREFIX
from gateway.web.http import PlainRoute

HEAD = "HEAD"


def page_router(prefix: str = "") -> APIRouter:
    """A router for pages of the console; `prefix` is where they stand after the console's own."""
    return APIRouter(prefix=f"{PREFIX}{prefix}", route_class=PageRoute, include_in_schema=False)


class PageRoute(PlainRoute):
    """A route of the console: what answers GET answers HEAD."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: set[str],
        **options: Any,  # noqa: ANN401 - whatever a route of FastAPI's is made of
    ) -> None:
        wanted = {*methods, *([HEAD] if "GET" in methods else [])}
        super().__init__(path, endpoint, methods=wanted, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler; of its answer to HEAD the headers alone."""
        plain = super().get_route_handler()

        async def handle(request: Request) -> Response:
            answer = await plain(request)
            if request.method != HEAD:
                return answer
            bare = Response(status_code=answer.status_code)
            bare.raw_headers = answer.raw_headers
            return bare

        return handle
