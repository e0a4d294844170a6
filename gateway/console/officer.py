"""The officer's pages: their cases, whether anybody reached her (in coded words alone), what is overdue, what is new.

    /officer                          their cases, or the force's (`whose`); overdue ones, or calls asked for (`only`)
    /officer/search                   by a reference of the force's own, sent by a form so that no address holds it
    /officer/cases/{incident}         one incident, by the gateway's own reference: every word that may be told
    /officer/notices                  corrections and what else somebody must take note of
    /officer/notices/acknowledgement  taken note of, for the whole force
    /officer/hospital                 what hospitals tell police

Nothing here that `/police/v1` would not tell (`gateway.officers`); every page is sealed before it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway import byways
from gateway.console.console import Console
from gateway.console.forms import FormModel, read, typed
from gateway.console.guard import Visit
from gateway.console.heads import page_router
from gateway.console.page import HEADERS, PREFIX
from gateway.console.referral.view import channels, risks, somebody
from gateway.console.times import when
from gateway.console.words import words
from gateway.errors import NotFound
from gateway.feedback import Telling
from gateway.hospital.pulling import Shown, read_notices
from gateway.officers import Asked, Case, Cases, Only, Whose, admit_officer, read_cases, window_of
from gateway.signin.claims import Role
from gateway.web.http import receipt_header
from mappings.record import FeedbackCode
from mappings.record import Role as InRecord

PATH = f"{PREFIX}/officer"
SECTIONS = (
    ("", "My cases"),
    ("?only=overdue", "Overdue"),
    ("?only=calls", "Calls she asks for"),
    ("?whose=force", "The force's cases"),
    ("/notices", "Notices"),
    ("/hospital", "From hospitals"),
)
NOTICES_MAX = 200
HOSPITAL_MAX = 20
_MOST_PAGES = 10_000
_MOST_DIGITS = 18


class Search(FormModel):
    """A reference of the force's own: an occurrence, a crime or a log."""

    reference: Annotated[str, Field(title="the reference", min_length=1, max_length=64)]


class Taken(FormModel):
    """The notice that somebody has taken note of."""

    notice: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]


def routes(console: Console) -> APIRouter:
    """The routes of the officer's pages."""
    router = page_router("/officer")
    area = _Officer(console)
    for path, answer, method in (
        ("", area.cases, "GET"),
        ("/search", area.search, "POST"),
        ("/cases/{incident}", area.case, "GET"),
        ("/notices", area.notices, "GET"),
        ("/notices/acknowledgement", area.acknowledge, "POST"),
        ("/hospital", area.hospital, "GET"),
    ):
        router.add_api_route(path, answer, methods=[method])
    return router


@dataclass(frozen=True, slots=True)
class Said:
    """A word in words: what, more of it, when it was so, and whether the police system has acknowledged it."""

    text: str
    detail: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A case as the pages show it: the force's own references, the last word, and when she asks to be rung.

    `call_over` says that the time she named has passed: ringing her now may be unsafe.
    """

    case: Case
    references: Mapping[str, str]
    officer: str | None
    words: tuple[Said, ...]
    last: Said | None
    call: Said | None
    call_over: bool
    sent_at: datetime


class _Officer:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def cases(self, request: Request) -> Response:
        """The officer's cases."""
        visit = await self._visit(request)
        query = request.query_params
        asked = Asked(_one(Whose, query.get("whose")), _one(Only, query.get("only")), _page(query.get("page", "")))
        found = await read_cases(self._console.services, visit.caller, asked)
        return self._list(request, visit, asked, found)

    async def search(self, request: Request) -> Response:
        """The case of a reference; where it is one, its own page."""
        visit, form = await self._console.guard.posted(request, Role.OFFICER)
        sought = read(form, Search)
        if isinstance(sought, tuple):
            found = await read_cases(self._console.services, visit.caller, Asked())
            view = {"errors": sought, "typed": typed(form)}
            return self._list(request, visit, Asked(), found, 422, view)
        asked = Asked(Whose.FORCE, occurrence=sought.reference)
        found = await read_cases(self._console.services, visit.caller, asked)
        incidents = {one.row.event_id for one in found.cases}
        if len(incidents) == 1:
            headers = {**HEADERS, **receipt_header(found.receipts[0], found.log_id)}
            return RedirectResponse(f"{PATH}/cases/{incidents.pop()}", 303, headers=headers)
        return self._list(request, visit, asked, found, view={"searched": True, "typed": typed(form)})

    async def case(self, request: Request, incident: str) -> Response:
        """One incident. Raises NotFound, sealed: of another force, erased, or none."""
        visit = await self._visit(request)
        found = await read_cases(self._console.services, visit.caller, Asked(Whose.FORCE, incident=incident))
        if not found.cases:
            raise NotFound("there is no such case")
        view: dict[str, Any] = {"lines": [_line(one) for one in found.cases], "incident": incident}
        return self._page(request, "officer_case.html.jinja", visit, found.receipts[0], found.log_id, **view)

    async def notices(self, request: Request) -> Response:
        """What the force is told and nobody has taken note of."""
        visit = await self._visit(request)
        services = self._console.services
        log_id = await admit_officer(services, visit.caller)
        rows, receipts = await byways.read_notices(services, visit.caller, -1, NOTICES_MAX, open_only=True)
        shown = sorted(((row, datetime.fromisoformat(row.due_at)) for row in rows), key=_due_first)
        view: dict[str, Any] = {"notices": shown, "done": request.query_params.get("done") == "taken"}
        return self._page(request, "officer_notices.html.jinja", visit, receipts[0], log_id, **view)

    async def acknowledge(self, request: Request) -> Response:
        """Take note of a notice. Raises NotFound, sealed."""
        visit, form = await self._console.guard.posted(request, Role.OFFICER)
        taken = read(form, Taken)
        await admit_officer(self._console.services, visit.caller)
        await byways.acknowledge_notice(
            self._console.services, visit.caller, "" if isinstance(taken, tuple) else taken.notice
        )
        return RedirectResponse(f"{PATH}/notices?done=taken", 303, headers=HEADERS)

    async def hospital(self, request: Request) -> Response:
        """What hospitals tell police, the first told first; a page at a time, `after` a place in the feed."""
        visit = await self._visit(request)
        services = self._console.services
        log_id = await admit_officer(services, visit.caller)
        pulled = await read_notices(services, visit.caller, after=_place(request), limit=HOSPITAL_MAX)
        view: dict[str, Any] = {
            "notices": [_notice(one) for one in pulled.page.shown],
            "next": pulled.page.next_cursor if pulled.page.more else None,
        }
        return self._page(request, "officer_hospital.html.jinja", visit, pulled.receipts[0], log_id, **view)

    async def _visit(self, request: Request) -> Visit:
        return await self._console.guard.visit(request, Role.OFFICER)

    def _list(
        self,
        request: Request,
        visit: Visit,
        asked: Asked,
        found: Cases,
        status: int = 200,
        view: Mapping[str, Any] | None = None,
    ) -> Response:
        shown: dict[str, Any] = {
            "lines": [_line(one) for one in found.cases],
            "asked": asked,
            "more": found.more,
            "searched": False,
            **(view or {}),
        }
        return self._page(request, "officer.html.jinja", visit, found.receipts[0], found.log_id, status=status, **shown)

    def _page(
        self,
        request: Request,
        template: str,
        visit: Visit,
        receipt: Any,  # noqa: ANN401 - a receipt
        log_id: str,
        *,
        status: int = 200,
        **view: Any,  # noqa: ANN401 - what a template is given
    ) -> Response:
        common: dict[str, Any] = {"receipt": receipt, "log_id": log_id, "path_to": PATH, "sections": SECTIONS}
        return self._console.pages.page(request, template, visit, status, **common | view)


def _line(case: Case) -> Line:
    record = case.record
    references = {one.type: one.value for one in record.references}
    said = tuple(map(_said, case.words))
    officer = record.officer
    window = window_of(case.call) if case.call is not None else None
    return Line(
        case=case,
        references={kind: references[kind] for kind in ("occurrence", "crime", "log") if kind in references},
        officer=", ".join(part for part in (officer.collar, officer.team) if part) if officer else None,
        words=said,
        last=said[-1] if said else None,
        call=_said(case.call) if case.call is not None else None,
        call_over=window is not None and window[1] <= datetime.now(UTC),
        sent_at=datetime.fromisoformat(case.row.created_at),
    )


def _said(word: Telling) -> Said:
    told = word.feedback
    return Said(words(told.code.value, "feedback"), _detail(word), told.at)


def _detail(word: Telling) -> str | None:
    """What a word says beside its code, in words."""
    told = word.feedback
    if told.code is FeedbackCode.VICTIM_REQUESTS_CALL:
        window = window_of(word)
        if window is not None:
            return f"Safe from {when(window[0])} until {when(window[1])}"
        return f"Safe window: {told.value}" if told.value else "No safe time is stated: ask the adviser first"
    if told.code is FeedbackCode.ENTERED_IN_ERROR:
        return words(told.value, "feedback")
    if told.count is not None:
        return f"{told.count} {'attempt' if told.count == 1 else 'attempts'}"
    if told.value is None:
        return None
    kind = _DETAILS.get(told.code)
    return words(told.value, kind) if kind else told.value


_DETAILS: Mapping[FeedbackCode, str] = {
    FeedbackCode.SUPPORTS_PROSECUTION: "supports",
    FeedbackCode.RISK_CHANGE: "direction",
    FeedbackCode.CLOSED: "how",
}


def _notice(one: Shown) -> dict[str, Any]:
    """A hospital's notice as the page shows it; of one that was sent in error, that alone."""
    shown: dict[str, Any] = {
        "id": one.row.id,
        "hospital": one.row.organisation,
        "received": datetime.fromisoformat(one.row.received_at),
        "version": one.row.version,
        "record": one.record,
    }
    if one.record is None:
        return shown
    return shown | {
        "people": [(role, someone) for role in InRecord for someone in somebody(one.record, role)],
        "channels": channels(one.record),
        "risks": risks(one.record),
        "withheld": bool(one.decision.for_recipient()["withheld"]),
    }


def _due_first(shown: tuple[Row[Any], datetime]) -> tuple[datetime, int]:
    return shown[1], shown[0].seq


E_ = TypeVar("E_", bound=StrEnum)


def _one(kind: type[E_], asked: str | None) -> E_:
    """What is asked for; what is none of ours is as good as not asked, which is the first."""
    return next((one for one in kind if one.value == asked), next(iter(kind)))


def _page(asked: str) -> int:
    is_number = asked.isascii() and asked.isdecimal() and len(asked) <= _MOST_DIGITS
    return min(max(int(asked), 1), _MOST_PAGES) if is_number else 1


def _place(request: Request) -> int:
    asked = request.query_params.get("after", "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= _MOST_DIGITS else -1
