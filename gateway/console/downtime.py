"""The downtime list as a file: an encrypted PDF that any reader opens with a passphrase the adviser chose.

AES-256 (PDF 2.0, ISO 32000-2 section 7.6). The passphrase is kept nowhere and shown nowhere: whoever forgets it makes a
new list. What the list may hold is decided and sealed by `gateway.worklist.downtime`; here it is put in words. A
channel that nobody stated safe is not printed at all (P5, N8).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import Field, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.console import Console
from gateway.console.forms import FieldError, FormModel, read, typed
from gateway.console.guard import Visit
from gateway.console.heads import page_router
from gateway.console.page import HEADERS, PREFIX
from gateway.console.times import day, due, short_when, when
from gateway.console.words import words
from gateway.console.worklist import FALLS, WHO
from gateway.paper.tree import Block, Heading, Table, Text, document
from gateway.shifts import ALWAYS
from gateway.web.http import receipt_header
from gateway.worklist.downtime import MOST_CASES, DowntimeCase, DowntimeList, make_downtime_list
from gateway.worklist.falling_due import Falls
from gateway.worklist.order import Asked, Whose
from mappings.record import Contact, Person, Record, Role

PATH = f"{PREFIX}/worklist/downtime"
_PARTS = {Whose.ALL: "All open", Whose.MINE: "Mine", Whose.UNASSIGNED: "Unassigned", Whose.CLOSED: "Closed"}
SHORTEST = 12
"""Characters of a passphrase: the file may be lost with the paper it is for (NCSC: length before complexity)."""

Passphrase = Annotated[str, StringConstraints(min_length=SHORTEST, max_length=128)]


class DowntimeForm(FormModel):
    """Whose referrals, falling to which shift, and the passphrase, twice."""

    whose: Whose = Field(default=Whose.ALL, title="which referrals")
    shift: Falls = Field(default=Falls.ANY, title="what falls due when")
    passphrase: Passphrase = Field(title="a passphrase")
    again: str = Field(title="the passphrase again")

    @model_validator(mode="after")
    def _the_same(self) -> Self:
        if self.passphrase != self.again:
            raise ValueError("The two passphrases are not the same")
        return self


def routes(console: Console) -> APIRouter:
    """The routes of the downtime list."""
    router = page_router("/worklist/downtime")

    @router.get("")
    async def page(request: Request) -> Response:
        """The form."""
        visit = await console.guard.visit(request, *WHO)
        return _page(console, request, visit, request.query_params)

    @router.post("")
    async def make(request: Request) -> Response:
        """The file."""
        visit, form = await console.guard.posted(request, *WHO)
        asked = read(form, DowntimeForm)
        if isinstance(asked, tuple):
            return _page(console, request, visit, typed(form), errors=_on_a_field(asked))
        areas = visit.person.areas or None
        made = await make_downtime_list(console.services, visit.caller, Asked(asked.whose, areas, asked.shift))
        file = await asyncio.to_thread(written, made, visit.person.id, asked.passphrase)
        name = f"downtime-{made.made_at:%Y%m%d-%H%M}.pdf"
        named = {"Content-Disposition": f'attachment; filename="{name}"'}
        headers = {**HEADERS, **receipt_header(made.receipts[0], made.log_id), **named}
        return Response(file, headers=headers, media_type="application/pdf")

    return router


def _page(
    console: Console, request: Request, visit: Visit, said: Mapping[str, str], errors: tuple[FieldError, ...] = ()
) -> Response:
    """The form, for the part of the worklist that it was asked from; a passphrase is not shown again."""
    view: dict[str, Any] = {
        "shortest": SHORTEST,
        "most": MOST_CASES,
        "shifts": FALLS if console.services.settings.shifts != ALWAYS else {},
        "errors": errors,
        "typed": {name: said[name] for name in ("whose", "shift") if name in said},
    }
    return console.pages.page(request, "downtime.html.jinja", visit, 422 if errors else 200, **view)


def written(made: DowntimeList, person: str, passphrase: str) -> bytes:
    """The list as an encrypted PDF."""
    import pypdf  # noqa: PLC0415 - 250 ms of every start, with the next, that only this answer needs

    from gateway.paper import pdf  # noqa: PLC0415 - as above

    indexes = [receipt.index for receipt in made.receipts]
    sealed = f"entries {indexes[0]} to {indexes[-1]}" if len(indexes) > 1 else f"entry {indexes[0]}"
    mark = f"For {person}, {when(made.made_at)}. Sealed as {sealed} of {made.log_id}. Shred when it is out of date."
    writer = pypdf.PdfWriter(io.BytesIO(pdf.write(document("Downtime list", mark, _blocks(made)))))
    writer.encrypt(passphrase, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _on_a_field(errors: tuple[FieldError, ...]) -> tuple[FieldError, ...]:
    """What is wrong with the two together belongs beside the second."""
    return tuple(one if one.field else FieldError("again", one.message) for one in errors)


def _blocks(made: DowntimeList) -> Iterator[Block]:
    yield Text(
        "Use a telephone number only as it is written here. What is not stated safe is unsafe, and is not printed."
    )
    part = [_PARTS[made.asked.whose], *([FALLS[made.asked.falls]] if made.asked.falls is not Falls.ANY else [])]
    yield Text(f"Which referrals: {', '.join(part).lower()}.")
    if not made.cases:
        yield Text("None was open.")
    if made.more:
        yield Text(f"There are more than {MOST_CASES} open referrals: those that are due first are here.")
    for number, case in enumerate(made.cases, 1):
        yield Heading(2, f"{number}. {_name(case.record)}")
        rows = tuple((((name,), lines)) for name, lines in _rows(case, made) if lines)
        yield Table(f"Case {case.id[:8]}", ("What", "As it stood"), rows)


def _name(record: Record) -> str:
    victim = next(iter(record.of_role(Role.VICTIM)), None)
    return (_called(victim) if victim else None) or "Name not shared"


def _called(person: Person) -> str | None:
    for name in person.names:
        found = " ".join(part for part in (*name.given, name.family) if part)
        if found:
            return found
    return None


def _rows(case: DowntimeCase, made: DowntimeList) -> Iterator[tuple[str, tuple[str, ...]]]:
    record, now = case.record, made.made_at
    clock = f"{due(case.due, now)} ({short_when(case.due, now)})" if case.due else "No clock runs"
    yield "Clock", (clock,)
    yield "With", (case.assigned_to or "Nobody yet",)
    yield "Risk", tuple(_risk(record))
    if record.area:
        yield "Area", (made.areas.get(record.area, record.area),)
    victim = next(iter(record.of_role(Role.VICTIM)), None)
    if victim is not None:
        if victim.birth and victim.birth.on:
            yield "Born", (day(victim.birth.on),)
        yield "How to make contact", tuple(_contacts(victim.contacts))
        yield "Needs", tuple(_needs(victim))
    yield "Consent", tuple(words(one.effective.value, "consent") for one in record.consents)
    children = len(record.of_role(Role.CHILD))
    if children:
        yield "Children", (f"{children} named in the record",)
    yield "Suspect", tuple(filter(None, map(_called, record.of_role(Role.SUSPECT))))
    yield (
        "Released",
        tuple(f"{words(one.event, 'custody')}, {when(one.at)}" for one in record.custody if one.is_release),
    )
    yield "Orders in force", tuple(words(one.type, "order") for one in record.orders if one.expired is not True)
    warned = {*record.safety_warnings, *(code for person in record.people for code in person.warnings)}
    yield "Warnings for visits", tuple(words(code, "warning") for code in sorted(warned))


def _risk(record: Record) -> Iterator[str]:
    for one in record.assessments:
        if one.grade is not None:
            said = f", assessed {when(one.at)}" if one.at else ", nobody said when it was assessed"
            yield f"{words(one.grade.value, 'grade')}{said} ({words(one.instrument.value, 'instrument')})"
    if all(one.grade is None for one in record.assessments):
        yield "Not graded: treat as high"


def _contacts(contacts: tuple[Contact, ...]) -> Iterator[str]:
    safe = [one for one in contacts if one.is_safe and one.value]
    for one in safe:
        voicemail = "voicemail allowed" if one.may_leave_voicemail else "no voicemail"
        text = "texts allowed" if one.text is True else "no texts"
        yield f"{words(one.system, 'contact')} {one.value}: safe, {voicemail}, {text}"
        if one.times:
            yield f"When: {one.times}"
        if one.code_word:
            yield f"Code word: {one.code_word}"
    if not safe:
        yield "No channel is stated safe: do not telephone"
    if len(safe) < len(contacts):
        yield "Another channel is known, and is not stated safe: it is not printed"


def _needs(victim: Person) -> Iterator[str]:
    if victim.interpreter:
        yield f"Interpreter: {victim.language or 'language not stated'}"
    yield from victim.needs
