"""The pages of a referral: opening it, its forms, what is downloaded, and where she is kept safe.

    /referrals/{id}                     the case; without a reason, a page that asks for one
    /referrals/{id}/{action}            one form each (`actions.ACTIONS`); answered by a redirection to the case
    /referrals/{id}/safe-address        where she is, by a click of its own
    /referrals/{id}/marac/file          the referral to the conference, as a file

Every page that shows anything of a case was sealed before, under the reason of the visit. To somebody whose case it is
not, and for an id that nobody has, every address answers the same (P8).

Source: domain.md sections 4.3, 4.4, 4.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.case_page import CasePage, open_safe_address, read_page
from gateway.casefile import Opening
from gateway.console.console import Console
from gateway.console.forms import FieldError, Form, read, typed
from gateway.console.guard import Visit
from gateway.console.heads import page_router
from gateway.console.page import HEADERS, PREFIX
from gateway.console.referral.actions import BY_SLUG, WHO, Action, next_steps, offered
from gateway.console.referral.asking import HIDDEN, CaseForm, Proof, Sent
from gateway.console.referral.reasons import Reasons
from gateway.console.referral.timeline import since, timeline
from gateway.console.referral.view import lines_of, somebody, view
from gateway.errors import (
    AlreadyAnswered,
    IdempotencyConflict,
    NotFound,
    TransitionRefused,
    Unprocessable,
    VersionConflict,
)
from gateway.marac_forms import marac_form
from gateway.signin.claims import Role
from gateway.web.http import receipt_header
from mappings.record import AddressUse
from mappings.record import Role as InRecord

CORRECTING = "correcting-a-form"
"""The reason that a form which could not be read is shown again with, where that of the visit has run out."""


def routes(console: Console) -> APIRouter:
    """The routes of a referral."""
    router = page_router("/referrals/{id_}")
    area = _Area(console)
    router.add_api_route("", area.case, methods=["GET"])
    router.add_api_route("/safe-address", area.safe_address, methods=["GET"])
    router.add_api_route("/marac/file", area.marac_file, methods=["GET"])
    router.add_api_route("/{action}", area.form, methods=["GET"])
    router.add_api_route("/{action}", area.sent, methods=["POST"])
    return router


@dataclass(frozen=True, slots=True)
class _Shown:
    """How a form is shown: what was typed, what is wrong with it, and what it carries unseen."""

    hidden: Mapping[str, str] = field(default_factory=dict)
    form: Form = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()
    status: int = 200
    stale: int | None = None


class _Area:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._reasons = Reasons(console.services)

    async def case(self, request: Request, id_: str) -> Response:
        """The case."""
        visit = await self._console.guard.visit(request, *WHO)
        id_ = _id(id_)
        reason = self._reasons.of(visit, id_)
        if reason is None:
            return self._ask_why(visit, id_)
        try:
            page = await self._open(visit, id_, reason.value)
        except NotFound:  # the same for a case of another team, one that is closed to this person, and none at all
            return self._console.pages.page(request, "referral_missing.html.jinja", visit, 404, here=_here(id_))
        now = datetime.now(UTC)
        answer = self._console.pages.page(
            request,
            "referral.html.jinja",
            visit,
            headers=receipt_header(page.receipt, page.file.log_id),
            receipt=page.receipt,
            here=_here(id_),
            reason=reason.value,
            timeline=timeline(page),
            offered=offered(page, visit),
            next_steps=tuple(next_steps(page.file.referral)),
            done=_done(request),
            marac=any(
                one.kind == "marac-referral" and one.referral_id == id_ and one.words and one.stands
                for one in page.acts.done
            ),
            **view(page, now),
        )
        self._reasons.keep(answer, visit, id_)
        return answer

    async def safe_address(self, request: Request, id_: str) -> Response:
        """Where she is kept safe."""
        visit = await self._console.guard.visit(request, *WHO)
        id_ = _id(id_)
        if self._reasons.of(visit, id_) is None:
            return self._ask_why(visit, id_)
        file = await open_safe_address(self._console.services, self._console.library, visit.caller, id_)
        people = (*somebody(file.record, InRecord.VICTIM), *somebody(file.record, InRecord.CHILD))
        addresses = [lines_of(a) for one in people for a in one.person.addresses if a.use is AddressUse.SAFE]
        answer = self._console.pages.page(
            request,
            "referral_safe_address.html.jinja",
            visit,
            headers=receipt_header(file.receipt, file.log_id),
            receipt=file.receipt,
            here=_here(id_),
            addresses=tuple(dict.fromkeys(filter(None, addresses))),
        )
        self._reasons.keep(answer, visit, id_)
        return answer

    async def marac_file(self, request: Request, id_: str) -> Response:
        """The referral to the conference; where none is recorded, the form that records one."""
        visit = await self._console.guard.visit(request, *WHO)
        id_ = _id(id_)
        try:
            made = await marac_form(self._console.services, self._console.library, visit.caller, id_)
        except Unprocessable:
            return RedirectResponse(f"{_here(id_)}/marac", 303, headers=HEADERS)
        name = {"Content-Disposition": 'attachment; filename="marac-referral.pdf"'}
        return Response(
            made.pdf,
            headers={**HEADERS, **receipt_header(made.receipt, made.log_id), **name},
            media_type="application/pdf",
        )

    async def form(self, request: Request, id_: str, action: str) -> Response:
        """A form as it is before anybody fills it in."""
        visit = await self._console.guard.visit(request, *_roles(action))
        return await self._form(visit, _id(id_), _action(action))

    async def _form(self, visit: Visit, id_: str, action: Action) -> Response:
        reason = self._reasons.of(visit, id_)
        if reason is None and action.opens:
            return self._ask_why(visit, id_, action)
        answer = await self._show(visit, id_, action, reason.value if reason else CORRECTING, _Shown())
        self._reasons.keep(answer, visit, id_)
        return answer

    async def sent(self, request: Request, id_: str, action: str) -> Response:
        """Do what a form says, or show it again with what is wrong."""
        visit, form = await self._console.guard.posted(request, *_roles(action))
        return await self._sent(visit, form, _id(id_), _action(action))

    async def _sent(self, visit: Visit, form: Form, id_: str, action: Action) -> Response:
        said = read(form, action.form)
        if isinstance(said, tuple):
            return await self._again(visit, id_, action, _Shown(_hidden(form), form, _in_words(said), 422))
        proof: Proof | None = None
        try:
            proof = await action.do(Sent(self._console, visit, id_, said))
        except (AlreadyAnswered, IdempotencyConflict):
            pass  # the button was pressed twice: it is done
        except VersionConflict:
            return await self._again(visit, id_, action, _Shown({}, form, (), 409, said.since))
        except (TransitionRefused, Unprocessable) as refused:
            if not action.opens:
                raise
            errors = _refusal(refused, action.form)
            return await self._again(visit, id_, action, _Shown(_hidden(form), form, errors, 422))
        to = action.leaves
        if to is None:
            shown = _here(id_) if set(WHO) & set(visit.person.roles) else f"{_here(id_)}/{action.slug}"
            to = f"{shown}?done={action.slug}"
        return RedirectResponse(to, 303, headers={**HEADERS, **(receipt_header(*proof) if proof else {})})

    async def _again(self, visit: Visit, id_: str, action: Action, shown: _Shown) -> Response:
        reason = self._reasons.of(visit, id_)
        return await self._show(visit, id_, action, reason.value if reason else CORRECTING, shown)

    async def _show(self, visit: Visit, id_: str, action: Action, reason: str, shown: _Shown) -> Response:
        page = await self._open(visit, id_, reason) if action.opens else None
        fresh = {
            "version": str(page.file.referral.version if page else 1),
            "since": str(page.receipt.index if page else 0),
            "key": str(uuid4()),
        }
        return self._console.pages.page(
            visit.request,
            "referral_form.html.jinja",
            visit,
            shown.status,
            headers=receipt_header(page.receipt, page.file.log_id) if page else {},
            receipt=page.receipt if page else None,
            action=action,
            asks=action.asks(page, visit) if page else action.asks(_NOTHING, visit),
            here=_here(id_),
            hidden=fresh | {name: shown.hidden[name] for name in fresh if name in shown.hidden},
            typed=typed(shown.form),
            ticked=shown.form,
            again=bool(shown.form),
            errors=shown.errors,
            stale=shown.stale is not None,
            changed=since(page, shown.stale) if page is not None and shown.stale is not None else (),
            done=_done(visit.request),
            case=page,
        )

    async def _open(self, visit: Visit, id_: str, reason: str) -> CasePage:
        return await read_page(self._console.services, self._console.library, visit.caller, id_, reason)

    def _ask_why(self, visit: Visit, id_: str, action: Action | None = None) -> Response:
        """A page that shows nothing of any case, and asks why one is opened."""
        return self._console.pages.page(
            visit.request,
            "referral_reason.html.jinja",
            visit,
            here=_here(id_),
            to=f"{_here(id_)}/{action.slug}" if action else _here(id_),
            openings=list(Opening),
            wanted=action,
            done=_done(visit.request),
        )


_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOTHING: Any = None  # what a form that shows nothing of a case is made of


def _id(text: str) -> str:
    """The id of a referral. Raises NotFound for what can be none."""
    if not _ID.fullmatch(text):
        raise NotFound("there is no such referral")
    return text


def _action(slug: str) -> Action:
    """The action of an address. Raises NotFound where it is none's."""
    if slug not in BY_SLUG:
        raise NotFound("there is nothing at this address")
    return BY_SLUG[slug]


def _roles(slug: str) -> tuple[Role, ...]:
    """Whose an address is; one that is no action's is nobody's in particular, and is not found afterwards."""
    return BY_SLUG[slug].roles if slug in BY_SLUG else WHO


def _here(id_: str) -> str:
    return f"{PREFIX}/referrals/{id_}"


def _done(request: Request) -> Action | None:
    """The action that was just done, as the redirection says it."""
    return BY_SLUG.get(request.query_params.get("done", ""))


def _hidden(form: Form) -> dict[str, str]:
    """What the form carried unseen: the version that was looked at stays the one that was looked at."""
    return {name: values[0] for name, values in form.items() if name in HIDDEN and len(values) == 1 and values[0]}


def _in_words(errors: tuple[FieldError, ...]) -> tuple[FieldError, ...]:
    """What is wrong with what is carried unseen is nobody's slip of the keyboard."""
    own = tuple(one for one in errors if one.field not in HIDDEN)
    return own or (FieldError("", "This form has changed. Load the page again."),)


_FIELDS: Mapping[str, str] = {"happened_at": "at", "exit": "safer", "until": "end", "consent": "agrees"}
"""Where a form calls a part of an act by another name."""


def _refusal(refused: TransitionRefused | Unprocessable, model: type[CaseForm]) -> tuple[FieldError, ...]:
    """Why an act is refused, beside the field that it is about."""
    found = []
    for one in refused.details:
        name = re.split(r"[.\[]", one.path.partition("].")[2] or one.path)[0]
        name = _FIELDS.get(name, name)
        found.append(FieldError(name if name in model.model_fields else "", _sentence(one.words)))
    return tuple(found) or (FieldError("", _sentence(refused.words)),)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
