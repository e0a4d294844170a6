"""Agreements over HTTP (`/agreements/v1`): draft, read, sign, bring into force, compare, and have decisions explained.

A client works with the agreements it is bound to; every other is as good as none (P8). Nobody signs for another: a
signature is handed in by a client of the party's own organisation, by a key registered before. Every step and every
look is sealed in the agreement's log before it is answered.

Source: design.md sections 6 and 9; RFC 9457 (problems); RFC 9512 (application/yaml).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from audit.entry import Outcome
from audit.receipt import Receipt
from gateway.agreement import Agreement, State, Terms, signs
from gateway.agreement import diff as differences
from gateway.agreement_check import Finding, check
from gateway.agreement_life import ReadAgreement, overview
from gateway.errors import Detail, NotFound, NotPermitted, Unprocessable
from gateway.evidence import OPERATOR_LOG, Caller, Event
from gateway.explain import Explanation, explain, for_recipient, for_sender
from gateway.facts import Facts
from gateway.own_cases import facts_by_victim
from gateway.paper import html as paper_html
from gateway.paper.written import written
from gateway.services import Services
from gateway.store.batch import Unit
from gateway.terms import ChangeState, DraftAgreement, RegisterKey, SignAgreement, agreement_ref, terms_of
from gateway.tokens.scopes import Scope
from gateway.web.agreement_bodies import (
    ExplainBody,
    SignatureBody,
    StateBody,
    facts_of,
    number_of,
    posted,
    signature_of,
)
from gateway.web.auth import caller_of, seal_refusal
from gateway.web.bodies import read_json
from gateway.web.http import (
    PlainRoute,
    json_response,
    reason_of,
    receipt_header,
    receipt_json,
)

T = TypeVar("T")


def routes(services: Services) -> APIRouter:
    """The routes over these services."""
    desk = _Desk(services)
    router = APIRouter(prefix="/agreements/v1", tags=["agreements"], route_class=PlainRoute)
    one, version = "/{agreement_id}", "/{agreement_id}/versions/{version:version}"
    for path, answer, method in (
        ("", desk.known, "GET"),
        ("", desk.draft, "POST"),
        ("/check", desk.check, "POST"),
        (one, desk.standing, "GET"),
        (f"{one}/diff", desk.diff, "GET"),
        (f"{one}/explain", desk.explain, "POST"),
        (version, desk.text, "GET"),
        (f"{version}/document.html", desk.page, "GET"),
        (f"{version}/document.pdf", desk.print, "GET"),
        (f"{version}/signatures", desk.sign, "POST"),
        (f"{version}/state", desk.change, "POST"),
    ):
        router.add_api_route(path, answer, methods=[method])
    return router


class _Desk:
    """Answers: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def known(self, request: Request) -> Response:
        """The agreements this client is bound to."""
        caller = await caller_of(self._services, request, Scope.AGREEMENT_READ)
        now, found = datetime.now(UTC), []
        headers: dict[str, str] = {}
        for agreement_id in sorted(caller.agreements):
            if await self._terms(agreement_id) is not None:
                receipt = await self._sealed(agreement_id, ReadAgreement(caller, None, {"what": "list"}))
                stands = await self._read(partial(overview, agreement_id=agreement_id, now=now))
                found.append({**_brief(stands), "receipt": receipt_json(receipt, agreement_id)})
                headers = receipt_header(receipt, agreement_id)
        return json_response({"agreements": found}, headers=headers)

    async def draft(self, request: Request) -> Response:
        """Keep a version as a draft: a new agreement, or the next version of one that is known."""
        caller = await caller_of(self._services, request, Scope.AGREEMENT_MANAGE)
        agreement = await posted(request)
        before = await self._terms(agreement.id)
        if agreement.id not in caller.agreements and (OPERATOR_LOG not in caller.agreements or before is not None):
            raise await self._none(request, caller)
        findings = await asyncio.to_thread(check, agreement)
        _stop_at_errors(findings)
        if before is None:
            await asyncio.to_thread(self._services.open_log, agreement.id)
        receipt = await self._sealed(agreement.id, DraftAgreement(agreement, caller))
        body = {**_name(agreement), "state": State.DRAFT.value, "findings": _told(findings)}
        if before is not None:
            changed = await asyncio.to_thread(differences.to_json, before.agreement, agreement)
            body["amends"] = {key: changed[key] for key in ("from", "counts", "reach")}
        headers = {"Location": f"/agreements/v1/{agreement.id}/versions/{agreement.version}"}
        return self._answer(body, receipt, agreement.id, status=201, headers=headers)

    async def check(self, request: Request) -> Response:
        """Read a text strictly and say what is wrong with it. It is the caller's own, and nothing of it is kept."""
        await caller_of(self._services, request, Scope.AGREEMENT_READ)
        agreement = await posted(request)
        findings = await asyncio.to_thread(check, agreement)
        passes = not any(one.severity == "error" for one in findings)
        return json_response({**_name(agreement), "may_be_signed": passes, "findings": _told(findings)})

    async def standing(self, request: Request, agreement_id: str) -> Response:
        """Where an agreement and its versions stand: who signed, how many days are left."""
        _, _, receipt = await self._open(request, agreement_id, {"what": "standing"})
        now = datetime.now(UTC)
        stands = await self._read(lambda connection: overview(connection, agreement_id, now))
        return self._answer(stands or {}, receipt, agreement_id)

    async def text(self, request: Request, agreement_id: str, version: int) -> Response:
        """The text of a version, as it was drafted."""
        _, terms, receipt = await self._open(request, agreement_id, {"what": "text"}, version)
        headers = receipt_header(receipt, agreement_id) | _file(terms, "yaml")
        return Response(terms.agreement.text, media_type="application/yaml", headers=headers)

    async def page(self, request: Request, agreement_id: str, version: int) -> Response:
        """The document people sign, as a page."""
        _, terms, receipt = await self._open(request, agreement_id, {"what": "document-html"}, version)
        body = await asyncio.to_thread(written, "html", terms.agreement, await self._signed(terms))
        headers = receipt_header(receipt, agreement_id) | {"Content-Security-Policy": paper_html.POLICY}
        return Response(body, media_type="text/html; charset=utf-8", headers=headers)

    async def print(self, request: Request, agreement_id: str, version: int) -> Response:
        """The same on paper."""
        _, terms, receipt = await self._open(request, agreement_id, {"what": "document-pdf"}, version)
        body = await asyncio.to_thread(written, "pdf", terms.agreement, await self._signed(terms))
        headers = receipt_header(receipt, agreement_id) | _file(terms, "pdf")
        return Response(body, media_type="application/pdf", headers=headers)

    async def sign(self, request: Request, agreement_id: str, version: int) -> Response:
        """Hand in a party's signature. The gateway never signs for anybody."""
        caller, terms = await self._own(request, Scope.AGREEMENT_MANAGE, agreement_id, version)
        signature = signature_of(await read_json(request, SignatureBody))
        party = next((one for one in terms.agreement.content.parties if one.id == signature.party), None)
        if party is None or party.organisation != caller.organisation:
            await seal_refusal(self._services, request, caller, "not-the-party")
            raise NotPermitted("a party signs through a client of its own organisation", reason="not-the-party")
        try:
            # Only with a key that has just signed this: one that signs nothing would stand in the party's way for good.
            if OPERATOR_LOG in caller.agreements and signs(signature, terms.agreement.hash):
                key = RegisterKey(terms.agreement, signature.party, signature.public_key, caller)
                await self._sealed(agreement_id, key)
            receipt = await self._sealed(agreement_id, SignAgreement(terms.agreement, signature, caller))
        except Unprocessable:
            await seal_refusal(self._services, request, caller, "signature-refused")
            raise
        after = await self._read(lambda connection: terms_of(connection, agreement_id, version))
        missing = list(after.missing) if after else []
        body = {**_name(terms.agreement), "party": signature.party, "not_signed": missing}
        return self._answer(body, receipt, agreement_id, status=201)

    async def change(self, request: Request, agreement_id: str, version: int) -> Response:
        """Bring a version into force, suspend it, let it go on, or end it."""
        caller, terms = await self._own(request, Scope.AGREEMENT_MANAGE, agreement_id, version)
        wanted = await read_json(request, StateBody)
        unit = ChangeState(terms.agreement, State(wanted.state), caller, wanted.reason)
        try:
            receipt = await self._sealed(agreement_id, unit)
        except Unprocessable:
            await seal_refusal(self._services, request, caller, "state-refused")
            raise
        return self._answer({**_name(terms.agreement), "state": wanted.state}, receipt, agreement_id)

    async def diff(self, request: Request, agreement_id: str) -> Response:
        """What changed between two versions: who may learn more, who less, and every other word."""
        first, second = number_of(request, "from"), number_of(request, "to")
        what: dict[str, str | int] = {"what": "diff", "from": first, "to": second}
        caller, old = await self._own(request, Scope.AGREEMENT_READ, agreement_id, first)
        new = await self._terms(agreement_id, second)
        if new is None:
            raise await self._none(request, caller)
        unit = ReadAgreement(caller, agreement_ref(new.agreement), what, reason=reason_of(request))
        receipt = await self._sealed(agreement_id, unit)
        body = await asyncio.to_thread(differences.to_json, old.agreement, new.agreement)
        return self._answer(body, receipt, agreement_id)

    async def explain(self, request: Request, agreement_id: str) -> Response:
        """Why a decision comes out as it does now: on facts, or for an incident of the caller's own."""
        caller, _ = await self._own(request, Scope.AGREEMENT_READ, agreement_id, None)
        asked = await read_json(request, ExplainBody)
        now = datetime.now(UTC)
        standing = await self._read(lambda connection: self._services.terms.read(connection, agreement_id))
        known = await self._facts(caller, agreement_id, asked, now)
        found = {
            victim: explain(facts, asked.recipient, asked.purpose, standing.terms, now)
            for victim, facts in known.items()
        }
        what: dict[str, str | int] = {
            "recipient": asked.recipient,
            "purpose": asked.purpose,
            "for": asked.face,
            "found": len(found),
        }
        unit = ReadAgreement(
            caller,
            standing.agreement_ref,
            what,
            Event.DECISION_EXPLAINED,
            record=asked.incident,
            reason=reason_of(request),
            outcome=Outcome.PERMITTED if found else Outcome.DENIED,
        )
        receipt = await self._sealed(agreement_id, unit)
        if not found:
            raise NotFound("there is no such incident")
        told = [{"subject": victim, **_face(one, asked.face)} for victim, one in sorted(found.items())]
        return self._answer({"recipient": asked.recipient, "explanations": told}, receipt, agreement_id)

    # What the answers above share.

    async def _facts(self, caller: Caller, agreement_id: str, asked: ExplainBody, now: datetime) -> dict[str, Facts]:
        if (asked.facts is None) == (asked.incident is None):
            raise Unprocessable("give facts, or the incident")
        if asked.facts is not None:
            return {"": facts_of(asked.facts)}
        incident = asked.incident or ""
        return await self._read(
            lambda connection: facts_by_victim(
                connection,
                self._services.records,
                log_id=agreement_id,
                incident=incident,
                sender=caller.organisation,
                recipient=asked.recipient,
                now=now,
            )
        )

    async def _open(
        self, request: Request, agreement_id: str, what: Mapping[str, str | int], version: int | None = None
    ) -> tuple[Caller, Terms, Receipt]:
        """Let the caller look at its agreement, sealed."""
        caller, terms = await self._own(request, Scope.AGREEMENT_READ, agreement_id, version)
        about = {**what, "version": terms.agreement.version} if version is not None else what
        unit = ReadAgreement(caller, agreement_ref(terms.agreement), about, reason=reason_of(request))
        return caller, terms, await self._sealed(agreement_id, unit)

    async def _own(
        self, request: Request, scope: Scope, agreement_id: str, version: int | None
    ) -> tuple[Caller, Terms]:
        """The caller and a version of its agreement. Raises NotFound, sealed, for what is none of its own (P8)."""
        caller = await caller_of(self._services, request, scope)
        terms = await self._terms(agreement_id, version)
        if terms is None or agreement_id not in caller.agreements:
            raise await self._none(request, caller)
        return caller, terms

    async def _none(self, request: Request, caller: Caller) -> NotFound:
        """What to raise for an agreement or version that is not there, or none of the caller's; the refusal sealed."""
        await seal_refusal(self._services, request, caller, "agreement-not-found")
        return NotFound("there is no such agreement")

    async def _terms(self, agreement_id: str, version: int | None = None) -> Terms | None:
        return await self._read(lambda connection: terms_of(connection, agreement_id, version))

    async def _signed(self, terms: Terms) -> dict[str, str]:
        """Which parties signed a version, and when."""
        id_, now = terms.agreement.id, datetime.now(UTC)
        stands = await self._read(lambda connection: overview(connection, id_, now)) or {"versions": []}
        of = next(one for one in stands["versions"] if one["version"] == terms.agreement.version)
        return {one["id"]: one["signed_at"] for one in of["parties"] if one["signed_at"]}

    async def _read(self, read: Callable[[Connection], T]) -> T:
        return await self._services.database.read(read)

    async def _sealed(self, log_id: str, unit: Unit[Any]) -> Receipt:
        return (await self._services.journals.of(log_id).submit(unit)).receipt

    def _answer(
        self,
        body: Mapping[str, Any],
        receipt: Receipt,
        log_id: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        told = {**body, "receipt": receipt_json(receipt, log_id)}
        return json_response(told, status, headers={**receipt_header(receipt, log_id), **(headers or {})})


def _stop_at_errors(findings: Sequence[Finding]) -> None:
    errors = [Detail(one.where, one.code, f"line {one.line}: {one.words}") for one in findings if _grave(one)]
    if errors:
        raise Unprocessable("the agreement has errors and cannot be signed", details=errors)


def _grave(finding: Finding) -> bool:
    return finding.severity == "error"


def _told(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {"severity": one.severity, "code": one.code, "where": one.where, "line": one.line, "words": one.words}
        for one in findings
    ]


def _name(agreement: Agreement) -> dict[str, Any]:
    return {"id": agreement.id, "version": agreement.version, "hash": agreement.hash}


def _brief(stands: Mapping[str, Any] | None) -> dict[str, Any]:
    keys = ("id", "title", "in_force", "days_left", "expires_within")
    return {key: stands[key] for key in keys} if stands else {}


def _face(found: Explanation, face: str) -> dict[str, Any]:
    if face == "recipient":
        return for_recipient(found.decision)
    return for_sender(found.decision) if face == "sender" else found.whole()


def _file(terms: Terms, ending: str) -> dict[str, str]:
    name = f"{terms.agreement.id}-{terms.agreement.version}.{ending}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}
