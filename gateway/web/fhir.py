"""The FHIR R4 interface a hospital team's system reads and writes (`/fhir/R4`, design.md section 9).

Only what `adapters.nhs.fhir.SEARCH` declares can be asked; an unknown parameter is refused, never passed over, because
a filter that is dropped shows more than was asked for (P3). Every failure is an OperationOutcome. Every answer that
discloses carries its receipt: a header for a read, and the whole proof inside a Bundle.

Source: FHIR R4 http (read, search, update, patch, conditional update by If-Match), search (prefixes, `_include`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.nhs import fhir
from audit.receipt import Receipt
from gateway import journey
from gateway.disclosure import Reader
from gateway.errors import (
    BadParameter,
    GatewayError,
    NotAcceptable,
    NotFound,
    PreconditionMissing,
    face,
)
from gateway.evidence import Event
from gateway.journey import Page
from gateway.searching import Search
from gateway.services import Services
from gateway.settings import Settings
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of
from gateway.web.http import PlainRoute, media_type, read_body, reason_of, receipt_header
from mappings.referral import ReferralStatus

PREFIX = "/fhir/R4"
WITHHELD = "Gateway-Withheld"
"""The response header that tells a recipient whether something was withheld: `some` or `none`."""
_ACCEPTED = ("application/fhir+json", "application/json", "application/json-patch+json")
_PRODUCED = ("application/fhir+json", "application/json", "application/*", "*/*")
_DATE = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)?(\d{4}(?:-\d{2}(?:-\d{2}(?:T.+)?)?)?)", re.ASCII)
_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"', re.ASCII)
_CURSOR = "_cursor"
_INCLUDED_TYPE = {"focus": "ServiceRequest", "subject": "Patient", "patient": "Patient"}
"""What an `_include` brings along, by the parameter it follows."""


def routes(services: Services, version: str) -> APIRouter:
    """The FHIR routes over these services."""
    router = APIRouter(prefix=PREFIX, tags=["fhir"], route_class=PlainRoute)
    base_url = f"{services.settings.public_url.rstrip('/')}{PREFIX}"
    library = Reader(services.records, base_url)
    started = datetime.now(UTC)
    token_url = f"{services.settings.public_url.rstrip('/')}/oauth2/token"

    @router.get("/metadata", summary="CapabilityStatement")
    async def metadata(_: Request) -> Response:
        return fhir_response(
            fhir.capability_statement(base_url=base_url, version=version, date=started, token_url=token_url)
        )

    @router.get("/{type_}", summary="Search a resource type")
    async def search(request: Request, type_: str) -> Response:
        accepts(request)
        caller = await caller_of(services, request, Scope.REFERRAL_READ)
        wanted = search_of(request, type_, services.settings)
        page = await journey.hand_out(services, library, caller, wanted, reason_of(request))
        return fhir_response(
            _bundle(request, page, f"{base_url}/{type_}"), headers=receipt_header(page.receipts[0], page.log_id)
        )

    @router.get("/{type_}/{id_}", summary="Read a resource")
    async def read(request: Request, type_: str, id_: str) -> Response:
        accepts(request)
        caller = await caller_of(services, request, Scope.REFERRAL_READ)
        _known(type_)
        wanted = Search(types=(type_,), ids=(id_,), event=Event.REFERRAL_READ)
        page = await journey.hand_out(services, library, caller, wanted, reason_of(request))
        return _resource(page)

    @router.put("/Task/{id_}", summary="Change a task")
    async def update(request: Request, id_: str) -> Response:
        return await _change(request, id_)

    @router.patch("/Task/{id_}", summary="Patch a task")
    async def patch(request: Request, id_: str) -> Response:
        return await _change(request, id_)

    async def _change(request: Request, id_: str) -> Response:
        accepts(request)
        caller = await caller_of(services, request, Scope.REFERRAL_WRITE)
        matches = if_match(request)
        media = media_type(request, _ACCEPTED)
        body = await read_body(request, services.settings.body_max_bytes)
        page = await journey.report_back(services, library, caller, id_, body, media, matches)
        return _resource(page)

    return router


def search_of(request: Request, type_: str, settings: Settings) -> Search:
    """The search a query asks for. Raises NotFound for a type not served, BadParameter for what is not declared."""
    declared = {*_known(type_), *fhir.RESULT, _CURSOR, "_include", "_format"}
    asked: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in declared:
            raise BadParameter("a search parameter that this server does not declare: see metadata")
        asked.setdefault(name, []).append(value)
    included = _included(type_, asked.pop("_include", []))
    for name, values in asked.items():
        if len(values) > 1 and name != "_lastUpdated":
            raise BadParameter(f"{name} is given once, with commas between alternatives")
    patients = [*asked.get("patient", []), *asked.get("subject", [])]
    return Search(
        types=(type_, *included),
        ids=_tokens(asked.get("_id")) if fhir.TASK_CODE in (_tokens(asked.get("code")) or (fhir.TASK_CODE,)) else (),
        patients=tuple(_reference(one) for value in patients for one in value.split(",")) if patients else None,
        statuses=_statuses(type_, _tokens(asked.get("status"))),
        states=_tokens(asked.get("business-status")),
        priorities=_tokens(asked.get("priority")),
        updated=tuple(interval(value) for value in asked.get("_lastUpdated", [])),
        count=page_size(asked.get("_count"), settings),
        cursor=asked[_CURSOR][0] if _CURSOR in asked else None,
        event=Event.WORKLIST_READ if type_ == "Task" else Event.REFERRAL_READ,
    )


def _known(type_: str) -> dict[str, str]:
    if type_ not in fhir.SEARCH:
        raise NotFound("this resource type is not served here: see metadata")
    return dict(fhir.SEARCH[type_])


def _included(type_: str, values: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for value in values:
        if value not in fhir.INCLUDES[type_]:
            raise BadParameter("an _include that this server does not declare: see metadata")
        target = _INCLUDED_TYPE[value.partition(":")[2]]
        if target not in found:
            found.append(target)
    return tuple(found)


def _tokens(values: Sequence[str] | None) -> tuple[str, ...] | None:
    """The codes of a token parameter, alternatives apart by commas; a system in front of a code is passed over."""
    return tuple(one.rpartition("|")[2] for one in values[0].split(",")) if values else None


def _statuses(type_: str, codes: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The statuses a referral can have where the resource has one of these."""
    if codes is None or type_ != "ServiceRequest":
        return codes
    return tuple(one.value for one in ReferralStatus if fhir.request_status(one) in codes)


def _reference(value: str) -> str:
    return value.rpartition("/")[2] if value.rpartition("/")[0].endswith("Patient") else value


def interval(value: str) -> tuple[str, datetime, datetime]:
    """A date parameter as its prefix and the interval it stands for (FHIR R4 search, section 3.1.1.4.6)."""
    found = _DATE.fullmatch(value)
    try:
        text = found[2] if found else ""
        start = datetime.fromisoformat(text + "-01-01"[max(0, len(text) - _YEAR) :] if len(text) < _DAY else text)
        start = (start if start.tzinfo else start.replace(tzinfo=UTC)).astimezone(UTC)
        end = start + _precision(text)
        end = end.replace(day=1) if len(text) < _DAY else end
    except (ValueError, OverflowError):
        raise BadParameter("a date is a day, a month, a year or an instant, with a prefix at most") from None
    return (found and found[1]) or "eq", start, end


_YEAR, _MONTH, _DAY = len("2026"), len("2026-04"), len("2026-04-12")


def _precision(text: str) -> timedelta:
    """How long the interval of a date is; of a year and a month, long enough to reach the next."""
    if len(text) <= _DAY:
        return timedelta(days={_YEAR: 366, _MONTH: 31}.get(len(text), 1))
    return timedelta(milliseconds=1) if "." in text else timedelta(seconds=1)


def page_size(values: Sequence[str] | None, settings: Settings) -> int:
    """How many matches a page holds (`_count`), at most what the settings allow. Raises BadParameter."""
    if not values:
        return settings.fhir_page_default
    if not re.fullmatch(r"\d{1,9}", values[0], re.ASCII) or values[0] == "0":
        raise BadParameter("_count is a whole number above zero")
    return min(int(values[0]), settings.fhir_page_max)


def accepts(request: Request) -> None:
    """Raise NotAcceptable unless JSON is among what the caller accepts."""
    wanted = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")]
    form = request.query_params.get("_format", "json").replace(" ", "+")  # a plus that nobody escaped
    asked = "_format" in request.query_params  # it overrides the header (FHIR R4 http, 3.1.0.1.11)
    if form not in {"json", *_PRODUCED[:2]} or not (asked or set(wanted) & set(_PRODUCED)):
        raise NotAcceptable("this server answers in application/fhir+json")


def if_match(request: Request) -> Any:  # noqa: ANN401 - a predicate over versions
    """Whether a version is the one in `If-Match`. Raises PreconditionMissing, BadParameter."""
    value = request.headers.get("if-match")
    if value is None:
        raise PreconditionMissing('send If-Match with the version that was read, as in W/"1"')
    found = _ETAG.fullmatch(value.strip())
    if found is None:
        raise BadParameter('If-Match is one version, as in W/"1"')
    return lambda version: version == int(found[1])


def fhir_response(body: bytes, status: int = 200, *, headers: dict[str, str] | None = None) -> Response:
    """An answer in FHIR JSON."""
    return Response(body, status, headers=headers, media_type=fhir.JSON_TYPE)


def _resource(page: Page) -> Response:
    """One resource, or 404 where there is none for this caller."""
    if not page.found.opened:
        raise NotFound("there is no such resource")
    one = page.found.opened[0].matches[0]
    headers = {
        **_page_headers(page),
        "ETag": f'W/"{one.version}"',
        "Last-Modified": one.last_updated.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }
    return fhir_response(one.body, headers=headers)


def _page_headers(page: Page) -> dict[str, str]:
    """The receipt, and whether anything was withheld from this recipient: that, never what."""
    withheld = any(one.withheld for one in page.found.opened)
    return receipt_header(page.receipts[0], page.log_id) | {WITHHELD: "some" if withheld else "none"}


def _bundle(request: Request, page: Page, url: str) -> bytes:
    found = page.found
    matches: list[fhir.Written] = []
    proofs: list[fhir.Receipt | None] = []
    for opened, receipt in zip(found.opened, page.receipts, strict=False):
        matches += opened.matches
        proofs += [_proof(receipt)] * len(opened.matches)
    seen: dict[tuple[str, str], fhir.Written] = {}
    for opened in found.opened:
        seen |= {(one.type, one.id): one for one in opened.included}
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != _CURSOR]
    following = [*asked, (_CURSOR, found.next_cursor)] if found.next_cursor else None
    return fhir.bundle(
        matches,
        included=list(seen.values()),
        total=found.total,
        self_link=f"{url}?{urlencode(request.query_params.multi_items())}",
        next_link=f"{url}?{urlencode(following)}" if following else None,
        receipts=proofs,
        checkpoint=page.receipts[0].checkpoint_text,
    )


def _proof(receipt: Receipt) -> fhir.Receipt:
    plain = receipt.to_json()
    return fhir.Receipt(plain["log"], plain["index"], plain["leaf_hash"], tuple(plain["hashes"]))


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
