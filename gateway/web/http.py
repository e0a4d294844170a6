"""What every route shares: the caller's ids, bounded bodies, media types, and the face of an error.

No text of the caller is repeated in an answer but its own request ids, and those only where they are codes (P7).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from email.message import Message
from typing import Any

import orjson
from fastapi.routing import APIRoute
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from audit.receipt import Receipt
from gateway.errors import BadMediaType, BadParameter, BodyTooLarge, GatewayError, UnreadableInput, face
from gateway.evidence import Caller

PROBLEM = "application/problem+json"
RECEIPT = "Gateway-Receipt"
"""The response header that names where the disclosure is sealed: `log="…", index=…, proof="…"`."""

GONE = 499  # what proxies log for a client that has gone; nobody is there to read it

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


class _Number(IntegerConvertor):
    """A whole number of at most fifteen figures, which every database and every reader of JSON holds exactly."""

    regex = "[0-9]{1,15}"


class _Version(_Number):
    """The number of a version: at most nine figures, which a column of 32 bits holds."""

    regex = "[0-9]{1,9}"


register_url_convertor("number", _Number())
register_url_convertor("version", _Version())


class PlainRoute(APIRoute):
    """A route whose handler takes the request and the parts of its path, and nothing else: no dependency is solved.

    A zero character is refused before anything is asked: nothing here has one, and PostgreSQL does not take it as text.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        **options: Any,  # noqa: ANN401 - the framework's own, handed on
    ) -> None:
        # Its answer is its own: without this, every start looks through the annotations of every handler for a model.
        super().__init__(path, endpoint, **{**options, "response_model": None})
        self._beginning = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As of any route. Every request asks one after the other, so that what costs least is asked first."""
        if not scope["path"].startswith(self._beginning) and not scope.get("root_path"):
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, called directly."""
        endpoint: Callable[..., Coroutine[Any, Any, Response]] = self.endpoint

        async def handle(request: Request) -> Response:
            if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
                raise BadParameter("the address holds a zero character")
            try:
                return await endpoint(request, **request.path_params)
            except ClientDisconnect:  # it went before its body had come: nobody hears this, and nothing failed here
                return Response(status_code=GONE)

        return handle


class CallIds:
    """Middleware: gives every request an id, mirrors it and the correlation id, and forbids caching."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _ID_HEADERS}
        request_id = _code_or(given.get(b"x-request-id"), str(uuid.uuid4()))
        correlation_id = _code_or(given.get(b"x-correlation-id"), None)
        scope.setdefault("state", {}).update(request_id=request_id, correlation_id=correlation_id)

        ids = [(b"x-request-id", (request_id or "").encode())]
        if correlation_id:
            ids.append((b"x-correlation-id", correlation_id.encode()))

        async def sending(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start":
                given_back = message["headers"]
                given_back += ids
                if not any(name == b"cache-control" for name, _ in given_back):
                    given_back.append(_NO_STORE)
                given_back.append(_NO_SNIFF)
            await send(message)

        await self.app(scope, receive, sending)


_OWN_CHARSET = frozenset({"application/xml", "text/xml", "text/csv", "application/zip"})
"""Types whose documents say what they are written in, or whose profile does: their reader judges the bytes."""
_NO_STORE = (b"cache-control", b"no-store")
_NO_SNIFF = (b"x-content-type-options", b"nosniff")
_ID_HEADERS = frozenset({b"x-request-id", b"x-correlation-id"})


def _code_or(value: str | None, otherwise: str | None) -> str | None:
    return value if value is not None and _CODE.fullmatch(value) else otherwise


def call_ids(request: Request) -> tuple[str, str | None]:
    """The request id and the correlation id of a request."""
    return request.state.request_id, request.state.correlation_id


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The body, read no further than the limit. Raises BodyTooLarge."""
    if declared_bytes(request) > max_bytes:
        raise BodyTooLarge(f"the body is larger than {max_bytes} bytes")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise BodyTooLarge(f"the body is larger than {max_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def declared_bytes(request: Request) -> int:
    """What `Content-Length` says; 0 where it says no number."""
    said = request.headers.get("content-length", "")
    return int(said[:_LONGEST_LENGTH]) if said.isascii() and said.isdecimal() else 0


_LONGEST_LENGTH = 20  # figures; more are no length, and Python reads no number of more than 4,300


def media_type(request: Request, accepted: tuple[str, ...], *, encodings: frozenset[str] = frozenset()) -> str:
    """The request's media type, one of those accepted, in UTF-8 or of a kind that says its own. Raises BadMediaType.

    `encodings` are those its caller expands. A type that is given twice is none: of two, whoever stood between might
    have read the other (RFC 9110 section 8.3).
    """
    if any(one != "identity" and one not in encodings for one in request.headers.getlist("content-encoding")):
        raise BadMediaType("a compressed body is not read here; send it as it is")
    given = request.headers.getlist("content-type")
    message = Message()
    message["content-type"] = given[0] if len(given) == 1 else ""
    found = message.get_content_type() if message["content-type"] else ""
    if found not in accepted:
        raise BadMediaType(f"send one of {', '.join(accepted)}")
    own = found in _OWN_CHARSET or found.endswith("+xml")
    if not own and _charset(message) not in {"utf-8", "utf8", "us-ascii"}:
        raise BadMediaType("send the body in UTF-8")
    return found


def _charset(message: Message) -> str:
    """The charset that a content type says, UTF-8 where it says none; "" where its parameters cannot be read."""
    try:
        return message.get_content_charset() or "utf-8"
    except ValueError:  # RFC 2231 numbers the parts of a parameter, and a number may be too long for Python
        return ""


def json_response(
    content: Any,  # noqa: ANN401 - any JSON value
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    media: str = "application/json",
) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(content), status, headers=headers, media_type=media)


def problem_of(error: BaseException) -> Response:
    """An error as an RFC 9457 problem. What nobody foresaw tells nothing of itself."""
    shown = face(error)
    body: dict[str, Any] = {
        "type": f"urn:provide-gateway:problem:{shown.type}",
        "title": shown.title,
        "status": shown.status,
    }
    headers: Mapping[str, str] = {}
    status = shown.status
    if isinstance(error, GatewayError):
        body["detail"] = error.words
        headers = error.headers
        if error.details:
            body["errors"] = [{"path": d.path, "code": d.code, "detail": d.words} for d in error.details]
    if isinstance(error, UnreadableInput):
        body["type"] = f"urn:provide-gateway:problem:{error.fault}"
        body["status"] = status = UNREADABLE_STATUS.get(error.fault, shown.status)
        if error.quarantine:
            body["quarantine"] = error.quarantine
    return json_response(body, status, headers=headers, media=PROBLEM)


UNREADABLE_STATUS: Mapping[str, int] = {
    "too-large": 413,
    "media-type": 415,
    "wrong-charset": 415,
    "missing": 422,
    "wrong-type": 422,
    "unknown-code": 422,
    "not-readable": 422,
}
"""The faults of an unreadable record that are not plain 400: too large, another type or charset, or no record."""


def reason_of(request: Request) -> str | None:
    """The coded reason of a reading (`Gateway-Reason`), one click of the user's. Raises BadParameter."""
    value = request.headers.get("gateway-reason")
    if value is not None and not _CODE.fullmatch(value):
        raise BadParameter("Gateway-Reason is a code of at most 64 characters")
    return value


def receipt_header(receipt: Receipt, log_id: str) -> dict[str, str]:
    """The header that names where an answer is sealed."""
    return {RECEIPT: f'log="{receipt.origin}", index={receipt.index}, proof="{proof_path(log_id, receipt.index)}"'}


def proof_path(log_id: str, index: int) -> str:
    """Where the proof of an entry can be fetched."""
    return f"/audit/v1/logs/{log_id}/entries/{index}/proof"


def receipt_json(receipt: Receipt, log_id: str) -> dict[str, Any]:
    """The whole receipt in a JSON answer."""
    return {**receipt.to_json(), "proof": proof_path(log_id, receipt.index)}


def with_ids(caller: Caller, request: Request) -> Caller:
    """The caller with the ids of this request."""
    request_id, correlation_id = call_ids(request)
    return replace(caller, request=request_id, correlation=correlation_id)
