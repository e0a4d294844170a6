"""The evaluation's page: whether victims are reached sooner and are safer, in counts that lead to nobody.

    /evaluation                      the report on closed quarters: figures, what each counts, of whom; charts, tables
    /evaluation?unfinished=1         the same of the quarters since, apart, for they compare with no other
    /evaluation/report.pdf           the same on A4
    /evaluation/report.fhir.json     the same as FHIR Measures and MeasureReports
    /evaluation/tables/{table}       one table as CSV

Who may see it are evaluators who are themselves the recipient that the agreement's evaluation goes to. Each answer is
a report of its own, sealed before it is given; an area is a row of the same tables and quarters are columns of them, so
that choosing shows no number that was hidden.

Source: domain.md sections 0a, 4.1 (step 15), 5.2 point 15.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.nhs.fhir.canonical import CANONICAL
from gateway.console.console import Console
from gateway.console.evaluation_view import view_of
from gateway.console.forms import FieldError
from gateway.console.guard import Visit
from gateway.console.heads import page_router
from gateway.console.page import HEADERS, PREFIX
from gateway.errors import NotFound
from gateway.evaluation import files, measure
from gateway.evaluation.baseline import shipped
from gateway.evaluation.making import Asked, Made, make
from gateway.evaluation.period import Period, Quarter
from gateway.evaluation.report import Report
from gateway.evaluation.sheets import sheets
from gateway.signin.claims import Role
from gateway.under_agreement import log_of, standing_of
from gateway.web.http import receipt_header

PATH = f"{PREFIX}/evaluation"
REASON = "evaluation"


def routes(console: Console) -> APIRouter:
    """The routes of the evaluation."""
    router = page_router("/evaluation")
    area = _Area(console)
    router.add_api_route("", area.page, methods=["GET"])
    router.add_api_route("/report.pdf", area.pdf, methods=["GET"])
    router.add_api_route("/report.fhir.json", area.fhir, methods=["GET"])
    router.add_api_route("/tables/{table}", area.table, methods=["GET"])
    return router


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What the form of the page says: quarters from the first to the last, an area's code or none, and beside what.

    `offered` are the quarters to choose from, the newest first: those that are closed, or those that are `unfinished`.
    """

    offered: Sequence[Quarter]
    first: Quarter
    last: Quarter
    area: str
    beside: bool
    unfinished: bool

    def asked(self) -> Asked:
        """What is asked for. Raises _Wrong."""
        if self.last < self.first:
            raise _Wrong("last", "The last quarter must not be before the first")
        period = Period(self.first.starts, self.last.next.starts)
        if not self.beside:
            return Asked(period, shipped())
        first = self.first
        for _ in period.quarters:
            first = first.before
        if first not in self.offered:
            most = len(self.offered) // 2
            raise _Wrong(
                "beside", f"Choose at most {most} quarters, with as many before them, to set those beside them"
            )
        return Asked(period, shipped(), Period(first.starts, self.first.starts))

    @property
    def query(self) -> str:
        """The same as the query of an address; it names nobody."""
        said = {"first": _code(self.first), "last": _code(self.last), "area": self.area}
        said |= {"beside": "1" * self.beside, "unfinished": "1" * self.unfinished}
        return urlencode({name: value for name, value in said.items() if value})


class _Wrong(Exception):
    """What was chosen makes no report: the field, and why in words."""


class _Area:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def page(self, request: Request) -> Response:
        """The page; where the quarters make no period, its form alone."""
        visit = await self._console.guard.visit(request, Role.EVALUATOR)
        now = datetime.now(UTC)
        chosen, areas = _chosen(request, now), await self._areas(visit)
        form: dict[str, Any] = {"chosen": chosen, "areas": areas, "path_to": PATH, "since": Period.unfinished(now)}
        try:
            asked = chosen.asked()
        except _Wrong as wrong:
            view = {**form, "report": None, "errors": (FieldError(*wrong.args),)}
            return self._console.pages.page(request, "evaluation.html.jinja", visit, 400, **view)
        made = await self._made(visit, asked)
        row = list(areas).index(chosen.area) if chosen.area in areas else -1
        shown = await asyncio.to_thread(view_of, made.report, row)
        view = {**form, "report": made.report, "shown": shown, "receipt": made.receipt, "log_id": made.log_id}
        return self._console.pages.page(request, "evaluation.html.jinja", visit, **view)

    async def pdf(self, request: Request) -> Response:
        """The report to print and keep."""
        made = await self._asked(request)
        return _file(made, await asyncio.to_thread(files.pdf, made.report), "pdf", "application/pdf")

    async def fhir(self, request: Request) -> Response:
        """The report for a system."""
        made = await self._asked(request)
        return _file(made, orjson.dumps(measure.bundle(made.report, CANONICAL)), "fhir.json", measure.MEDIA_TYPE)

    async def table(self, request: Request, table: str) -> Response:
        """One table of the report."""
        made = await self._asked(request)
        sheet = next((one for one in sheets(made.report) if f"{one.id}.csv" == table), None)
        if sheet is None:
            raise NotFound("the report has no such table")
        return _file(made, files.csv_of(sheet).encode(), table, "text/csv; charset=utf-8")

    async def _asked(self, request: Request) -> Made:
        """A report as the address asks for it. Raises NotFound where its quarters make no period."""
        visit = await self._console.guard.visit(request, Role.EVALUATOR)
        try:
            asked = _chosen(request, datetime.now(UTC)).asked()
        except _Wrong:
            raise NotFound("these quarters make no report") from None
        return await self._made(visit, asked)

    async def _made(self, visit: Visit, asked: Asked) -> Made:
        """The report, sealed. Raises NotPermitted for whoever is not the recipient it goes to."""
        return await make(self._console.services, visit.caller, asked, REASON)

    async def _areas(self, visit: Visit) -> dict[str, str]:
        """The agreement's areas by code, in words."""
        services = self._console.services
        standing = await standing_of(services, await log_of(services, visit.caller))
        return dict(standing.terms.agreement.content.areas) if standing.terms else {}


def _chosen(request: Request, now: datetime) -> _Chosen:
    """What the address asks for; what the page does not offer is as good as not asked."""
    query = request.query_params
    unfinished = "unfinished" in query
    offered = (Period.unfinished(now) if unfinished else Period.closed(now)).quarters[::-1]
    by_code = {_code(one): one for one in offered}
    return _Chosen(
        offered=offered,
        first=by_code.get(query.get("first", ""), offered[-1]),
        last=by_code.get(query.get("last", ""), offered[0]),
        area=query.get("area", "")[:64],
        beside="beside" in query,
        unfinished=unfinished,
    )


def _code(one: Quarter) -> str:
    """A quarter as an address has it: `2026-Q3`."""
    return str(one).replace(" ", "-")


def _file(made: Made, content: bytes, name: str, media: str) -> Response:
    """A file to keep; a table's name comes from the report."""
    report: Report = made.report
    name = f"{report.agreement}-evaluation-{report.period.starts}-{report.period.until}-{name}"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    headers: dict[str, Any] = {**HEADERS, **receipt_header(made.receipt, made.log_id), **disposition}
    return Response(content, headers=headers, media_type=media)
