"""The evaluation's report (`/evaluation/v1`): counts with their small numbers hidden, in whichever form is asked for.

For the recipient that the agreement's flow for evaluation goes to. Each answer is a report of its own, sealed before it
is given; there is no address of anything smaller than a table.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.nhs.fhir.canonical import CANONICAL
from gateway.errors import BadParameter, NotFound
from gateway.evaluation import files, measure
from gateway.evaluation.baseline import shipped
from gateway.evaluation.charts import charts
from gateway.evaluation.making import Asked, Made, make
from gateway.evaluation.period import Period, PeriodInvalid
from gateway.evaluation.sheets import sheets
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of
from gateway.web.http import PlainRoute, json_response, reason_of, receipt_header, receipt_json

FORMS = ("json", "html", "pdf", "csv", "svg", "fhir")
_KNOWN = ("from", "until", "before_from", "before_until", "form", "table")
PICTURE_POLICY = "default-src 'none'"


def routes(services: Services) -> APIRouter:
    """The routes over these services."""
    router = APIRouter(prefix="/evaluation/v1", tags=["evaluation"], route_class=PlainRoute)

    @router.get("/report", summary="The evaluation's report on whole quarters")
    async def report(request: Request) -> Response:
        caller = await caller_of(services, request, Scope.EVALUATION_READ)
        form, table, asked = _asked(request)
        made = await make(services, caller, asked, reason_of(request))
        return await asyncio.to_thread(_answer, made, form, table)

    return router


def _answer(made: Made, form: str, table: str | None) -> Response:
    """The report in a form; drawing and laying out take a while, and happen beside the event loop."""
    report, headers = made.report, receipt_header(made.receipt, made.log_id)
    if form == "json":
        return json_response(report.to_json() | {"receipt": receipt_json(made.receipt, made.log_id)}, headers=headers)
    if form == "fhir":
        body = orjson.dumps(measure.bundle(report, CANONICAL))
        return Response(body, media_type=measure.MEDIA_TYPE, headers=headers)
    if form == "html":
        headers["Content-Security-Policy"] = files.POLICY
        return Response(files.page(report), media_type="text/html; charset=utf-8", headers=headers)
    if form == "pdf":
        return Response(files.pdf(report), media_type="application/pdf", headers=headers)
    if form == "svg" and (drawn := charts(report).get(table or "")) is not None:
        headers["Content-Security-Policy"] = PICTURE_POLICY
        return Response(drawn, media_type="image/svg+xml", headers=headers)
    sheet = next((one for one in sheets(report) if one.id == table), None)
    if form == "svg" or sheet is None:
        raise NotFound("the report has no such table")
    return Response(files.csv_of(sheet), media_type="text/csv; charset=utf-8", headers=headers)


def _asked(request: Request) -> tuple[str, str | None, Asked]:
    """What a request asks for. Raises BadParameter."""
    query = request.query_params
    if any(name not in _KNOWN or len(query.getlist(name)) > 1 for name in query):
        raise BadParameter(f"parameters are {', '.join(_KNOWN)}, each given once")
    form = query.get("form", "json")
    if form not in FORMS:
        raise BadParameter(f"form is one of {', '.join(FORMS)}")
    if (form in {"csv", "svg"}) is not ("table" in query):
        raise BadParameter("table is given with the forms csv and svg, and with no other")
    period = _period(request, "from", "until") or Period.closed(datetime.now(UTC))
    return form, query.get("table"), Asked(period, shipped(), _period(request, "before_from", "before_until"))


def _period(request: Request, starts: str, until: str) -> Period | None:
    first, last = request.query_params.get(starts), request.query_params.get(until)
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise BadParameter(f"{starts} and {until} are given together")
    try:
        return Period.parse(first, last)
    except PeriodInvalid as invalid:
        raise BadParameter(f"{starts}, {until}: {invalid}") from None
