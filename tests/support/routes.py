"""Every route of an application, with its whole address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import FastAPI

Route = tuple[str, str]
"""A method and an address, whose parts to fill in stand in braces, without their kind."""


def routes_of(app: FastAPI) -> set[Route]:
    """The routes; those of included routers too, which some versions of FastAPI keep apart."""
    return {
        (method, re.sub(r":\w+}", "}", path))
        for path, route in _routes(app.routes, "")
        for method in getattr(route, "methods", None) or ()
    }


def _routes(routes: Sequence[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield prefix + route.path, route
        else:
            yield from _routes(included.routes, route.include_context.prefix)
