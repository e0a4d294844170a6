"""Small JSON bodies, read strictly: every key known, every value of its type; a refusal names the path alone."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from adapters import strictjson
from adapters.socket import Limits, Unreadable
from gateway.errors import BadRequest, Detail, Unprocessable
from gateway.web.http import media_type, read_body

MOST_BYTES = 65_536
_LIMITS = Limits(max_bytes=MOST_BYTES, max_depth=8, max_elements=2_000, max_text=8_192)


class Body(BaseModel):
    """What a caller says: nothing in it unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


M = TypeVar("M", bound=Body)


async def read_json(request: Request, model: type[M]) -> M:
    """The body of a request as a model. Raises BadMediaType, BodyTooLarge, BadRequest, Unprocessable."""
    media_type(request, ("application/json",))
    body = await read_body(request, MOST_BYTES)
    try:
        return model.model_validate(strictjson.parse(body, _LIMITS))
    except Unreadable as unreadable:
        details = [Detail(one.path, one.fault.value, one.words) for one in unreadable.problems]
        raise BadRequest(str(unreadable), details=details) from None
    except ValidationError as invalid:
        details = [
            Detail(_path(one["loc"], known=one["type"] != "extra_forbidden"), one["type"], _words(one["type"]))
            for one in invalid.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise Unprocessable("the body does not have the form asked for", details=details) from None


def _path(location: tuple[int | str, ...], *, known: bool) -> str:
    """Where it is; a key that is not known is not repeated, for it may say anything (P7)."""
    steps = location if known else location[:-1]
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _words(kind: str) -> str:
    return {"missing": "is missing", "extra_forbidden": "has a key that is not known"}.get(kind, "is not acceptable")
