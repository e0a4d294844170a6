"""In which form a FHIR answer goes out and a body comes in: JSON or XML, of which FHIR version.

`Accept` is weighed with its q-values (RFC 9110 section 12.5.1); `_format` overrides it, and `_pretty` lays the
answer out for a reader (FHIR R4 http, 3.1.0.1.11 and 3.1.0.1.12). `fhirVersion` is 4.0 where it is given. What leaves
is sealed before it comes here, and is the same in every form.

A compressed body is taken, to the same limit as a plain one. No answer that holds anything of anybody is compressed:
its length would tell what stands in it beside words that somebody else chose (see DECISIONS.md).
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from typing import Any, Final

import orjson
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.nhs import fhir
from gateway.errors import BadMediaType, BadParameter, BadRequest, BodyTooLarge, NotAcceptable
from gateway.web.http import PlainRoute, media_type, read_body

FHIR_VERSIONS: Final = frozenset({"4.0", "4.0.1"})
_OF: Final = {
    **dict.fromkeys(("application/fhir+json", "application/json", "text/json"), fhir.JSON_TYPE),
    **dict.fromkeys(("application/fhir+xml", "application/xml", "text/xml"), fhir.XML_TYPE),
    **dict.fromkeys(("application/*", "*/*", "*"), fhir.JSON_TYPE),
}
"""Which of our two types answers a media range; JSON where either would do. Java's own client asks for `*; q=.2`."""
_WRITING: Final = frozenset({"_format", "_pretty"})
"""The parameters that say how an answer is written."""
_PARTS: Final = frozenset({"_elements", "_summary"})
"""The parameters that ask for a part of a resource."""
_BOTH: Final = (fhir.JSON_TYPE, fhir.XML_TYPE)
_MOST_STARS: Final = 3  # more than any range has: less exact than every one
_SHORT: Final = {"json": fhir.JSON_TYPE, "xml": fhir.XML_TYPE}
_Q: Final = re.compile(r"0?\.\d{1,3}|0\.?|1(?:\.0{0,3})?", re.ASCII)
_ASIDE_BYTES: Final = 32_768  # turning more than this to XML takes longer than other requests should wait
_GZIP: Final = 16 + zlib.MAX_WBITS  # zlib's word for the gzip format


@dataclass(frozen=True, slots=True)
class Form:
    """How one answer is written: `media` is FHIR's JSON or XML type."""

    media: str = fhir.JSON_TYPE
    pretty: bool = False

    @property
    def plain(self) -> bool:
        """Whether an answer in JSON is in this form already."""
        return self.media == fhir.JSON_TYPE and not self.pretty


def form_of(request: Request) -> Form:
    """The form a caller asks for. Raises NotAcceptable, BadParameter."""
    return _form(request, request.query_params)


def form_asked(request: Request, pairs: Iterable[tuple[str, str]]) -> None:
    """Let the parameters of a form say how its answer is written, as those of an address do. Raises as `form_of`."""
    said = {name: value for name, value in pairs if name in _WRITING}
    if said:
        request.state.form = _form(request, {**request.query_params, **said})


def _form(request: Request, asked_by: Mapping[str, str]) -> Form:
    asked = asked_by.get("_format")
    accept = ",".join(request.headers.getlist("accept"))
    media = _accepted(accept) if asked is None else _named(asked.replace(" ", "+"))  # a plus that nobody escaped
    if media is None:
        raise NotAcceptable(f"this server answers in {fhir.JSON_TYPE} and {fhir.XML_TYPE}, FHIR version 4.0")
    pretty = asked_by.get("_pretty", "false")
    if pretty not in {"true", "false"}:
        raise BadParameter("_pretty is true or false")
    return Form(media, pretty == "true")


def written_in(response: Response, form: Form) -> Response:
    """The same answer in a form: status and headers as they are. What is not FHIR in JSON passes unchanged."""
    body = bytes(response.body)
    if form.plain or response.media_type != fhir.JSON_TYPE or not body:
        return response
    if form.media == fhir.XML_TYPE:
        body = fhir.to_xml(body, pretty=form.pretty)
    else:
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
    kept = {name: value for name, value in response.headers.items() if name not in {"content-length", "content-type"}}
    return Response(body, response.status_code, headers=kept, media_type=form.media)


class FhirRoute(PlainRoute):
    """A route that answers in the form asked for; what cannot be given in any form is refused before it is looked up.

    HEAD is answered as GET is, with the length and without the body (RFC 9110 section 9.3.2). Of a part there is no
    length either: it would tell how long each element is, which is a word about what nobody was given.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its answer in form."""
        plain = super().get_route_handler()

        async def handle(request: Request) -> Response:
            form = form_of(request)
            answer = await plain(request)
            form = getattr(request.state, "form", form)
            if not form.plain and len(answer.body) > _ASIDE_BYTES:
                answer = await asyncio.to_thread(written_in, answer, form)
            else:
                answer = written_in(answer, form)
            if request.method == "HEAD":
                answer.body = b""
                if not _PARTS.isdisjoint(request.query_params):
                    del answer.headers["content-length"]
            return answer

        return handle


def failure_in_form(request: Request, response: Response) -> Response:
    """A failure in the form asked for, or in JSON where what was asked for is itself the failure."""
    try:
        return written_in(response, getattr(request.state, "form", None) or form_of(request))
    except (NotAcceptable, BadParameter):
        return response


async def fhir_body(request: Request, accepted: tuple[str, ...], max_bytes: int) -> tuple[str, bytes]:
    """The media type and the body of a request, expanded where it is compressed with gzip.

    `max_bytes` bounds both what is read and what it expands to. Raises BadMediaType, BodyTooLarge, BadRequest.
    """
    encodings = request.headers.getlist("content-encoding")
    if len(encodings) > 1:
        raise BadMediaType("a body is compressed once")
    media = media_type(request, accepted, encodings=frozenset({"gzip"}))
    said = Message()
    said["content-type"] = request.headers["content-type"]
    if said.get_param("fhirversion", "4.0") not in FHIR_VERSIONS:
        raise BadMediaType("this server reads FHIR version 4.0")
    body = await read_body(request, max_bytes)
    return media, _expanded(body, max_bytes) if encodings == ["gzip"] else body


class PublicGzip:
    """Middleware: compresses the answers that are the same for everybody, where the caller takes gzip; no other."""

    def __init__(self, app: ASGIApp, public: tuple[str, ...]) -> None:
        self.app = app
        self._zipping = GZipMiddleware(app)
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a public path is one of `public`, or below one that ends in a slash."""
        path = scope.get("path", "")
        public = any(path == one or (one.endswith("/") and path.startswith(one)) for one in self._public)
        await (self._zipping if public else self.app)(scope, receive, send)


@lru_cache(maxsize=64)  # a system sends one and the same
def _accepted(header: str) -> str | None:
    """Our type that the caller would rather have, or None: the heavier, then the one named more exactly, then JSON."""
    if not header.strip():
        return fhir.JSON_TYPE
    found: dict[str, tuple[int, float]] = {}  # of each type: how exactly it is named, and its weight there
    for range_, weight in _ranges(header):
        stars = range_.count("*")
        for media in _BOTH if stars else (_OF[range_],):
            found[media] = max(found.get(media, (-_MOST_STARS, 0.0)), (-stars, weight))
    wanted = [(weight, exact, media == fhir.JSON_TYPE, media) for media, (exact, weight) in found.items() if weight]
    return max(wanted)[-1] if wanted else None


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """The media ranges that we can answer, with their weights; one of another FHIR version is none of them."""
    for part in header.split(","):
        range_, *words = (one.strip().lower() for one in part.split(";"))
        given = dict(one.partition("=")[::2] for one in words)
        q = given.get("q", "1")
        if range_ in _OF and given.get("fhirversion", "4.0").strip('"') in FHIR_VERSIONS and _Q.fullmatch(q):
            yield range_, float(q)


def _named(form: str) -> str | None:
    """Our type for a value of `_format`: a short name, or a media type that may name its FHIR version."""
    found = next(iter(_ranges(form)), None)
    name = form.strip().lower()
    return _SHORT.get(name) or (_OF[found[0]] if found and "*" not in found[0] and "," not in form else None)


def _expanded(body: bytes, max_bytes: int) -> bytes:
    """What a gzip body holds: one member, whole, nothing behind it."""
    stream = zlib.decompressobj(_GZIP)
    try:
        found = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        raise BadRequest("the body is not in gzip format") from None
    if len(found) > max_bytes:
        raise BodyTooLarge(f"the body expands to more than {max_bytes} bytes")
    if not stream.eof or stream.unused_data:
        raise BadRequest("the compressed body is cut short, or goes on behind its end")
    return found
