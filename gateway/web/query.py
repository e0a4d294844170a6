"""The numbers of an address: read strictly, each given once; a refusal names the parameter and never its value."""

from __future__ import annotations

import re

from starlette.requests import Request

from gateway.errors import BadParameter

_NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)  # eighteen figures: what a column of 64 bits holds


def number(request: Request, name: str, otherwise: int | None = None, *, least: int | None = 0) -> int:
    """A whole number of the query, at least `least`; `otherwise` where none is given. Raises BadParameter."""
    values = request.query_params.getlist(name)
    if not values and otherwise is not None:
        return otherwise
    if len(values) != 1 or not _NUMBER.fullmatch(values[0]) or (least is not None and int(values[0]) < least):
        raise BadParameter(f"{name} is one whole number")
    return int(values[0])


def limit_of(request: Request, otherwise: int, most: int) -> int:
    """How many rows `limit` asks for, brought within one and `most`. Raises BadParameter where it is no number."""
    return max(1, min(number(request, "limit", otherwise, least=None), most))
