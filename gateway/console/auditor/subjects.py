"""One person: the references they have in the log, and the complete accounting of what was told about them.

    /auditor/subjects              who is looked for, by a form: nothing of a person goes into an address (P7)
    /auditor/subjects/{subject}    every disclosure about one reference, with why the auditor looks

A reference is of one record; a person of several records has several, and the form brings them together: a combination
in the words of DPA 2018 section 62. Source: UK GDPR article 15(1)(c), DPA 2018 section 45(2)(c) (recipients).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from audit import search as log_search
from audit.entry import Operation, Outcome
from audit.search import Query
from gateway.console.auditor.desk import HOME, Desk
from gateway.console.auditor.rows import Row, row_of
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.forms import FormModel, read, typed
from gateway.console.guard import Visit
from gateway.errors import NotFound
from gateway.evidence import Event
from gateway.signin.claims import Role
from gateway.store.records import Records, name_key

ROWS = 100
SUBJECTS_MOST = 100
"""References counted for one person: a person of more is an error of the sender's."""

_TEMPLATE = "auditor_subjects.html.jinja"
_CODE = re.compile(r"[\x21-\x7e]{1,128}")
_MOST_FIGURES = 15

Reason = Literal["subject-access", "complaint", "inspection", "incident", "court"]
REASONS: tuple[tuple[str, str], ...] = (
    ("subject-access", "She asked who was told about her"),
    ("complaint", "A complaint"),
    ("inspection", "An inspection or spot check"),
    ("incident", "A data breach or incident"),
    ("court", "A court or the Commissioner asks"),
)
"""Why an auditor looks at one person's accounting, as it is sealed."""

Text = Annotated[str, Field(max_length=200)]


class Wanted(FormModel):
    """Who is looked for: by name and date of birth, or by one reference of a sender's."""

    by: Literal["person", "nhs-number", "occurrence", "log", "crime"] = Field(title="what you look for")
    family: Text | None = Field(None, title="the family name")
    given: Text | None = Field(None, title="the first name")
    born: date | None = Field(None, title="the date of birth")
    reference: Text | None = Field(None, title="the reference")
    reason: Reason = Field(title="why you look")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.by == "person" and not (self.family and self.given and self.born):
            raise ValueError("Enter the family name, first name and date of birth")
        if self.by != "person" and not self.reference:
            raise ValueError("Enter the reference")
        return self

    def identifier(self) -> tuple[str, str]:
        """What the blind index is asked: a kind, and the value in its normal form."""
        if self.by == "person" and self.born is not None:
            return self.by, name_key(self.family or "", [self.given or ""], self.born.isoformat())
        return self.by, "".join((self.reference or "").split()).casefold()


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    desk = _Subjects(console)
    return (
        (f"{HOME}/subjects", desk.form, "GET"),
        (f"{HOME}/subjects", desk.find, "POST"),
        (f"{HOME}/subjects/{{subject}}", desk.accounting, "GET"),
    )


@dataclass(frozen=True, slots=True)
class Accounting:
    """What was told about one reference: a page of disclosures, the first first, and how many there are."""

    rows: tuple[Row, ...]
    total: int
    more: bool


class _Subjects:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def form(self, request: Request) -> Response:
        """An empty form."""
        visit, _ = await self._desk.visit(request)
        return self._form(request, visit)

    async def find(self, request: Request) -> Response:
        """The references of whoever is looked for, each with how often something was told about it."""
        visit, form = await self._desk.console.guard.posted(request, Role.AUDITOR)
        log_id = await self._desk.own_log(visit)
        wanted = read(form, Wanted)
        if isinstance(wanted, tuple):
            return self._form(request, visit, 422, errors=wanted, typed=typed(form))
        kind, value = wanted.identifier()
        what = {"what": "subjects", "kind": kind}
        sight = await self._desk.seal(visit, log_id, what, event=Event.SUBJECTS_MATCHED, reason=wanted.reason)
        find = partial(_find, records=self._desk.services.records, log_id=log_id, kind=kind, value=value)
        view: dict[str, Any] = {"reason": wanted.reason, "reasons": REASONS, "typed": typed(form)}
        return self._desk.page(request, _TEMPLATE, sight, found=await self._desk.read(find), **view)

    async def accounting(self, request: Request, subject: str) -> Response:
        """A page of everything that was told about a reference."""
        if not _CODE.fullmatch(subject):
            raise NotFound("there is no such subject")
        reason = request.query_params.get("reason", "")
        reason = reason if reason in dict(REASONS) else "inspection"
        sight = await self._desk.look(request, {"what": "disclosures"}, reason=reason)
        after = request.query_params.get("after", "")
        known = after.isascii() and after.isdecimal() and len(after) <= _MOST_FIGURES
        read = partial(_accounting, log_id=sight.log_id, subject=subject, after=int(after) if known else -1)
        view: dict[str, Any] = {"subject": subject, "reason": reason, "accounting": await self._desk.read(read)}
        return self._desk.page(request, "auditor_accounting.html.jinja", sight, **view)

    def _form(self, request: Request, visit: Visit, status: int = 200, **view: Any) -> Response:  # noqa: ANN401 - what a template is given
        return self._desk.form(request, _TEMPLATE, visit, status, found=None, reason="", reasons=REASONS, **view)


def _find(connection: Connection, *, records: Records, log_id: str, kind: str, value: str) -> dict[str, int]:
    """The references, each with the number of disclosures about it."""
    found = records.find_subjects(connection, log_id, kind, value)[:SUBJECTS_MOST]
    return {one: log_search.count(connection, log_id, _about(one)) for one in found}


def _accounting(connection: Connection, *, log_id: str, subject: str, after: int) -> Accounting:
    query = _about(subject)
    found = log_search.entries(connection, log_id, query, after, ROWS + 1)
    rows = tuple(row_of(one) for one in found[:ROWS])
    return Accounting(rows, log_search.count(connection, log_id, query), len(found) > ROWS)


def _about(subject: str) -> Query:
    return Query(subject=subject, operation=Operation.DISCLOSURE, outcome=Outcome.PERMITTED)
