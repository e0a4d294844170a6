"""What somebody decided against a hold, or in an emergency, and somebody else looks at again.

    /guardian/reviews/{what}/{review_id}         an override or a broken glass, and whether it was right
    /guardian/reviews/{what}/{review_id}/words   why they did it, in their words: a consultation, sealed by this click

Source: domain.md section 4.6 (retrospective review within one working day).
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import governing, reviewing
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.forms import FieldError, FormModel, read
from gateway.console.guard import Visit
from gateway.console.guardian.desk import HOME, Desk, at, refused
from gateway.errors import NotPermitted, Unprocessable
from gateway.evidence import Event
from gateway.reviewing import What, Why
from gateway.reviews import Review

_KINDS: Mapping[str, What] = {one.value: one for one in What}

WRITTEN = (
    ("reason", "Why a life was at risk"),
    ("evidence", "What they knew, and from whom"),
    ("proportionality", "Why sharing was proportionate"),
    ("minimum_set", "Why no less would do"),
    ("why_not_told", "Why the victim was not told"),
)
"""What may have been written, by its name, in the order of the page."""


class Judge(FormModel):
    """What a review found."""

    outcome: Review = Field(title="what you found")


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area, path = _Reviews(console), f"{HOME}/reviews/{{what}}/{{review_id}}"
    return ((path, area.review, "GET"), (path, area.judge, "POST"), (f"{path}/words", area.words, "POST"))


def named(what: str) -> What:
    """What is reviewed, as an address says it."""
    return What.BREAK_GLASS if what == What.BREAK_GLASS else What.OVERRIDE


class _Reviews:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def review(self, request: Request, what: str, review_id: str) -> Response:
        """What somebody else decided, and the form that judges it."""
        return await self._page(request, await self._desk.visit(request), what, review_id)

    async def judge(self, request: Request, what: str, review_id: str) -> Response:
        """Say whether it was right."""
        visit, form = await self._desk.posted(request)
        given = read(form, Judge)
        if isinstance(given, tuple):
            return await self._page(request, visit, what, review_id, given)
        if what not in _KINDS:
            raise await self._desk.none(visit, Event.REVIEWS_READ)
        try:
            receipt = await reviewing.review(self._desk.services, visit.caller, _KINDS[what], review_id, given.outcome)
        except (NotPermitted, Unprocessable) as error:
            return await self._page(request, visit, what, review_id, refused(error))
        return await self._desk.done(visit, "reviewed", receipt)

    async def words(self, request: Request, what: str, review_id: str) -> Response:
        """What was written, on the same page."""
        visit, _ = await self._desk.posted(request)
        if what not in _KINDS:
            raise await self._desk.none(visit, Event.REVIEW_WORDS_READ)
        services, kind = self._desk.services, _KINDS[what]
        try:
            said, receipt = await reviewing.read_words(services, visit.caller, kind, review_id, Why.REVIEW)
        except NotPermitted as error:
            return await self._page(request, visit, what, review_id, refused(error))
        return await self._page(request, visit, what, review_id, said=said, sealed=receipt)

    async def _page(
        self,
        request: Request,
        visit: Visit,
        what: str,
        review_id: str,
        errors: tuple[FieldError, ...] = (),
        *,
        said: Mapping[str, str] | None = None,
        sealed: Receipt | None = None,
    ) -> Response:
        due, receipt = await governing.read_outstanding(self._desk.services, visit.caller)
        row = next((row for kind, row in due.reviews if (named(kind), row.id) == (what, review_id)), None)
        if row is None:
            raise await self._desk.none(visit, Event.REVIEWS_READ)
        return await self._desk.page(
            request,
            visit,
            "guardian_review.html.jinja",
            sealed or receipt,
            errors=errors,
            what=what,
            row=row,
            said=[(title, said[name]) for name, title in WRITTEN if name in said] if said is not None else None,
            theirs=row.organisation == visit.person.organisation,
            due=at(row.review_due),
            expires=at(row.expires_at),
            own=_author(row, what).casefold() == visit.person.id.casefold(),
        )


def _author(row: object, what: str) -> str:
    """Who decided it: nobody reviews what they decided themselves."""
    return str(getattr(row, "user_id" if what == "break-glass" else "decided_by"))
