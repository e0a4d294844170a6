"""The FHIR R4 interface a hospital team's system reads and writes (`/fhir/R4`, design.md section 9).

What a search asks for is read in `fhirsearch`, how a page is written is in `fhirpages`, and what is asked goes through
`fhirdesk`. Every failure is an OperationOutcome. Every answer that discloses carries its receipt: a header for a read,
and the whole proof inside a Bundle.

Source: FHIR R4 http (read, search, batch, update, patch, conditional update by If-Match).
"""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.nhs import fhir
from gateway import journey
from gateway.errors import GatewayError, face
from gateway.evidence import Caller
from gateway.journey import Page
from gateway.services import Services
from gateway.tokens.metadata import Endpoint
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of, caller_with_any
from gateway.web.fhirbatch import Given, carry_out
from gateway.web.fhirdesk import Desk, only
from gateway.web.fhirform import FhirRoute, fhir_body, form_asked
from gateway.web.fhirsearch import Pairs, is_lenient, known, posted, subset_of
from gateway.web.fhirversions import held_of, if_match
from gateway.web.hospital import BUNDLE_SCOPES, brings_notice, take_bundle
from gateway.web.http import json_response, reason_of, receipt_header
from gateway.web.smart import SMART_PATH, smart_configuration

PREFIX = "/fhir/R4"
PUBLIC = (f"{PREFIX}/metadata", f"{PREFIX}/Questionnaire", f"{PREFIX}/Questionnaire/")
"""What is the same for everybody and tells nothing of anybody: it may be read without a token, and be compressed."""
WITHHELD = "Gateway-Withheld"
"""The response header that tells a recipient whether something was withheld: `some` or `none`."""
_ACCEPTED = (fhir.JSON_TYPE, "application/json", "application/json-patch+json", fhir.XML_TYPE, "application/xml")
_RESOURCE = (fhir.JSON_TYPE, "application/json", fhir.XML_TYPE, "application/xml")
_WHOLE = fhir.Subset()


def routes(services: Services, version: str) -> APIRouter:
    """The FHIR routes over these services."""
    door = _Door(services, version)
    router = APIRouter(prefix=PREFIX, tags=["fhir"], route_class=FhirRoute)
    router.add_api_route("/metadata", door.metadata, methods=["GET"], summary="CapabilityStatement")
    router.add_api_route(SMART_PATH, door.smart, methods=["GET"], summary="SMART configuration")
    for base in ("", "/"):  # clients write the base in both ways
        router.add_api_route(base, door.batch, methods=["POST"], summary="Reads, or a notice, in a Bundle")
    router.add_api_route("/{type_}", door.search, methods=["GET"], summary="Search a resource type")
    router.add_api_route("/{type_}/_search", door.search_by_form, methods=["POST"], summary="Search by a form")
    router.add_api_route("/{type_}/{id_}", door.read, methods=["GET"], summary="Read a resource")
    router.add_api_route(
        "/{type_}/{id_}", door.read, methods=["HEAD"], summary="What a read would say", operation_id="head"
    )
    router.add_api_route(
        "/ServiceRequest/{id_}/$everything", door.everything, methods=["GET"], summary="Everything of a referral"
    )
    router.add_api_route("/Task/{id_}", door.change, methods=["PUT"], summary="Change a task")
    router.add_api_route("/Task/{id_}", door.change, methods=["PATCH"], summary="Patch a task")
    return router


class _Door:
    """Reads each request and writes its answer: one method for each route."""

    def __init__(self, services: Services, version: str) -> None:
        self._services = services
        self._version = version
        self._issuer = services.settings.public_url.rstrip("/")
        self._base_url = f"{self._issuer}{PREFIX}"
        self._started = datetime.now(UTC)
        self._desk = Desk(services, self._base_url)

    async def metadata(self, _: Request) -> Response:
        """What this server says of itself."""
        return fhir_response(
            fhir.capability_statement(
                base_url=self._base_url,
                version=self._version,
                date=self._started,
                token_url=self._issuer + Endpoint.TOKEN.path,
            )
        )

    async def smart(self, _: Request) -> Response:
        """How a SMART client signs in."""
        return json_response(smart_configuration(self._issuer))

    async def search(self, request: Request, type_: str) -> Response:
        """Search by the query of the address."""
        caller = await self._reader(request)
        asked = self._desk.searches.asked(caller, type_, _pairs(request), lenient=is_lenient(request))
        return _sealed(await self._desk.search(caller, type_, asked, reason_of(request)))

    async def search_by_form(self, request: Request, type_: str) -> Response:
        """Search by a form, and by the query of the address where it has one."""
        caller = await self._reader(request)
        form = await posted(request)
        form_asked(request, form)
        asked = self._desk.searches.asked(caller, type_, _pairs(request), form, lenient=is_lenient(request))
        return _sealed(await self._desk.search(caller, type_, asked, reason_of(request)))

    async def read(self, request: Request, type_: str, id_: str) -> Response:
        """One resource, or as much of it as is asked for."""
        caller = await self._reader(request)
        known(type_)
        subset = subset_of(type_, _pairs(request))
        bare = request.method == "HEAD"  # whatever part is asked of, nothing of it leaves
        held = held_of(request) if subset.whole or bare else None  # a part has no version of its own
        page = await self._desk.read(caller, type_, id_, reason_of(request), held)
        return _resource(page, subset) if page.given or bare else _confirmed(page)

    async def everything(self, request: Request, id_: str) -> Response:
        """A page of everything of a referral."""
        caller = await self._reader(request)
        return _sealed(await self._desk.everything(caller, id_, _pairs(request), reason_of(request)))

    async def batch(self, request: Request) -> Response:
        """Each read of a Bundle, or the notice of a hospital that a Bundle brings."""
        sender = await caller_with_any(self._services, request, BUNDLE_SCOPES)
        media, body = await fhir_body(request, _RESOURCE, self._services.settings.body_max_bytes)
        if brings_notice(sender, body):
            return await take_bundle(self._services, request, body, media, self._base_url)
        caller = await self._reader(request)
        reason, lenient = reason_of(request), is_lenient(request)
        asked = fhir.batch_of(fhir.parse(body), self._base_url)

        async def read_one(one: fhir.Request) -> Given:
            return await self._desk.given(caller, one, reason, lenient=lenient)

        answer, first = await carry_out(asked, read_one, outcome_of)
        return fhir_response(answer, headers=receipt_header(first.receipt, first.log_id) if first else None)

    async def change(self, request: Request, id_: str) -> Response:
        """A change of a task, whole or by JSON Patch."""
        caller = await caller_of(self._services, request, Scope.REFERRAL_WRITE)
        matches = if_match(request)
        media, body = await fhir_body(request, _ACCEPTED, self._services.settings.body_max_bytes)
        page = await journey.report_back(self._services, self._desk.library, caller, id_, body, media, matches)
        return _resource(page)

    async def _reader(self, request: Request) -> Caller:
        return await caller_of(self._services, request, Scope.REFERRAL_READ)


def _pairs(request: Request) -> Pairs:
    return tuple(request.query_params.multi_items())


def fhir_response(body: bytes, status: int = 200, *, headers: dict[str, str] | None = None) -> Response:
    """An answer in FHIR JSON."""
    return Response(body, status, headers=headers, media_type=fhir.JSON_TYPE)


def _sealed(given: Given) -> Response:
    """A Bundle that was sealed, with where."""
    return fhir_response(given.body, headers=receipt_header(given.receipt, given.log_id))


def _resource(page: Page, subset: fhir.Subset = _WHOLE) -> Response:
    """One resource, or as much of it as is wanted; 404 where there is none for this caller."""
    one = only(page)
    headers = _resource_headers(page) if subset.whole else _page_headers(page)
    return fhir_response(subset.of(one).body, headers=headers)


def _confirmed(page: Page) -> Response:
    """The caller's copy of a resource still holds."""
    return Response(status_code=304, headers=_resource_headers(page))


def _resource_headers(page: Page) -> dict[str, str]:
    one = page.found.opened[0].matches[0]
    return {
        **_page_headers(page),
        "ETag": f'W/"{one.tag}"',
        "Last-Modified": one.last_updated.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }


def _page_headers(page: Page) -> dict[str, str]:
    """The receipt, and whether anything was withheld from this recipient: that, never what."""
    withheld = any(one.withheld for one in page.found.opened)
    return receipt_header(page.receipts[0], page.log_id) | {WITHHELD: "some" if withheld else "none"}


def outcome_of(error: BaseException) -> Response:
    """An error as an OperationOutcome; what nobody foresaw tells nothing of itself."""
    if isinstance(error, fhir.FhirRefused):
        issue = fhir.Issue("error", error.issue_code, error.diagnostics, error.expression)
        return fhir_response(fhir.operation_outcome([issue]), error.status)
    shown = face(error)
    if not isinstance(error, GatewayError):
        issues = [fhir.Issue("fatal", shown.issue, shown.title, None)]
        return fhir_response(fhir.operation_outcome(issues), shown.status)
    issues = [fhir.Issue("error", shown.issue, d.words, d.path or None) for d in error.details]
    issues = issues or [fhir.Issue("error", shown.issue, error.words, None)]
    return fhir_response(fhir.operation_outcome(issues), shown.status, headers=error.headers)
