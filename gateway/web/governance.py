"""What waits for a person, and what a person must look at again (`/governance/v1`).

For Caldicott Guardians, data protection officers and supervisors of either side: named people of a party. A hold is
shown by its facts, its clauses and its clock, and by nobody's name; its content stays where it is until it goes on.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import governing, replaying, reviewing
from gateway.errors import BadParameter, Unprocessable
from gateway.evidence import Caller
from gateway.intake import Offer
from gateway.overrides import MOST_DAYS, Ground, Override, VictimTold
from gateway.replaying import Wanted
from gateway.reviewing import What, Why
from gateway.reviews import Review
from gateway.services import Services
from gateway.store.envelope import Envelope
from gateway.tokens.scopes import Scope
from gateway.under_agreement import log_of
from gateway.web.auth import caller_of
from gateway.web.bodies import Body, read_json
from gateway.web.coresponse import shown
from gateway.web.http import PlainRoute, json_response, reason_of, receipt_header, receipt_json
from gateway.web.matches import shown as match_shown
from gateway.web.team import Code, Words

DAYS = 28  # how long an override lasts where nobody says otherwise


class OverrideBody(Body):
    """An override as domain.md section 4.6 asks for it."""

    ground: Ground
    evidence: Words
    proportionality: Words
    minimum_set: Words
    victim_told: VictimTold
    why_not_told: Words | None = None
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = DAYS

    def made(self, envelope: Envelope) -> Override:
        """The override, its words encrypted. Raises Unprocessable where she was not told and nobody says why."""
        if self.victim_told is not VictimTold.YES and self.why_not_told is None:
            raise Unprocessable("why_not_told: is missing, and she was not told")
        words = {
            "evidence": self.evidence,
            "proportionality": self.proportionality,
            "minimum_set": self.minimum_set,
            "why_not_told": self.why_not_told or "",
        }
        return Override.of(envelope, self.ground, self.victim_told, self.days, words)


class ReleaseBody(OverrideBody):
    """An override of a held record; `area` where nobody stated one."""

    area: Code | None = None


class KeepBody(Body):
    """Why a held record is kept back."""

    reason: Code


class ReplayBody(Body):
    """Which kept inputs are read again: of a profile, for a reason, since a day (UTC); what is left out is any."""

    profile: Code | None = None
    reason: Code | None = None
    since: date | None = None
    dry_run: bool = False


class ReviewBody(Body):
    """What a review found."""

    outcome: Review


class AddressMark(Body):
    """An address of a member of staff."""

    line: Annotated[str, Field(min_length=1, max_length=200)]
    postcode: Annotated[str, Field(min_length=1, max_length=16)]


class StaffBody(Body):
    """What may connect a member of staff with a party; kept as keyed digests alone."""

    user: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]
    family_names: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=10)] = ()
    addresses: Annotated[tuple[AddressMark, ...], Field(max_length=10)] = ()


def routes(services: Services) -> APIRouter:
    """The governance routes over these services."""
    desk = _Desk(services)
    router = APIRouter(prefix="/governance/v1", tags=["governance"], route_class=PlainRoute)
    for path, answer, method in (
        ("/holds", desk.holds, "GET"),
        ("/holds/replay", desk.replay, "POST"),
        ("/holds/{hold_id}", desk.hold, "GET"),
        ("/holds/{hold_id}/release", desk.release, "POST"),
        ("/holds/{hold_id}/keep", desk.keep, "POST"),
        ("/referrals/{referral_id}/override", desk.override, "POST"),
        ("/outstanding", desk.outstanding, "GET"),
        ("/break-glass/{id_}/words", desk.words_of_break_glass, "GET"),
        ("/break-glass/{id_}/review", desk.review_break_glass, "POST"),
        ("/overrides/{id_}/words", desk.words_of_override, "GET"),
        ("/overrides/{id_}/review", desk.review_override, "POST"),
        ("/staff", desk.staff, "POST"),
    ):
        router.add_api_route(path, answer, methods=[method])
    return router


class _Desk:
    """Answers the people who decide: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._envelope = Envelope(services.keyring.content_key)

    async def holds(self, request: Request) -> Response:
        """Everything that waits for a human."""
        caller = await self._caller(request)
        rows, receipt = await governing.read_holds(self._services, caller)
        return await self._answer(caller, {"holds": [_hold(row) for row in rows]}, receipt)

    async def replay(self, request: Request) -> Response:
        """Read what waits again, after a profile was mended, and take in what reads."""
        caller = await self._caller(request)
        body = await read_json(request, ReplayBody)
        wanted = Wanted(body.profile, body.reason, body.since.isoformat() if body.since else None)
        done = await replaying.replay_holds(self._services, caller, wanted, dry_run=body.dry_run)
        said = {"replay": done.id, "trial": body.dry_run, "counts": done.counts, "profiles": list(done.profiles)}
        return await self._answer(caller, said, done.receipt)

    async def hold(self, request: Request, hold_id: str) -> Response:
        """One of them: what is known without anybody's name, and why it does not go on."""
        caller = await self._caller(request)
        held, receipt = await governing.read_hold(self._services, caller, hold_id)
        return await self._answer(caller, _hold(held.row) | {"judged": [_judged(o) for o in held.judged]}, receipt)

    async def release(self, request: Request, hold_id: str) -> Response:
        """Let it go on, on a ground."""
        caller = await self._caller(request)
        body = await read_json(request, ReleaseBody)
        answer, receipt = await governing.decide_hold(
            self._services, caller, hold_id, body.made(self._envelope), body.area
        )
        said = {"state": answer.taken.value, "incident": answer.incident, "referrals": list(answer.referrals)}
        return await self._answer(caller, said, receipt)

    async def keep(self, request: Request, hold_id: str) -> Response:
        """Keep it back for good."""
        caller = await self._caller(request)
        body = await read_json(request, KeepBody)
        receipt = await governing.keep_back(self._services, caller, hold_id, body.reason)
        return await self._answer(caller, {"state": "kept-back"}, receipt)

    async def override(self, request: Request, referral_id: str) -> Response:
        """Let a referral that was stopped go on, on a ground."""
        caller = await self._caller(request)
        body = await read_json(request, OverrideBody)
        given = body.made(self._envelope)
        receipt = await governing.override(self._services, caller, referral_id, given)
        return await self._answer(caller, {"override": given.id}, receipt)

    async def outstanding(self, request: Request) -> Response:
        """Notices nobody acknowledged, reviews and matches that are due: of each, the one due first at the top."""
        caller = await self._caller(request)
        due, receipt = await governing.read_outstanding(self._services, caller)
        said = {
            "notices": [_notice(row) for row in due.notices],
            "reviews": [_review(what, row) for what, row in due.reviews],
            "matches": [match_shown(one) for one in due.matches],
            "co_responses": [shown(row) for row in due.contacts],
        }
        return await self._answer(caller, said, receipt)

    async def words_of_break_glass(self, request: Request, id_: str) -> Response:
        """What somebody wrote who broke the glass, for whoever reviews it; `Gateway-Reason` says why it is read."""
        return await self._words(request, What.BREAK_GLASS, id_)

    async def review_break_glass(self, request: Request, id_: str) -> Response:
        """Say whether an emergency was one."""
        return await self._review(request, What.BREAK_GLASS, id_)

    async def words_of_override(self, request: Request, id_: str) -> Response:
        """What somebody wrote who let something go on, for whoever reviews it; `Gateway-Reason` says why it is read."""
        return await self._words(request, What.OVERRIDE, id_)

    async def review_override(self, request: Request, id_: str) -> Response:
        """Say whether an override was right."""
        return await self._review(request, What.OVERRIDE, id_)

    async def staff(self, request: Request) -> Response:
        """Register what may connect a member of one's own staff with a party (N15)."""
        caller = await self._caller(request)
        body = await read_json(request, StaffBody)
        addresses = [(one.line, one.postcode) for one in body.addresses]
        count, receipt = await governing.register_staff(self._services, caller, body.user, body.family_names, addresses)
        return await self._answer(caller, {"new": count}, receipt)

    async def _words(self, request: Request, what: What, id_: str) -> Response:
        caller = await self._caller(request)
        why = reason_of(request)
        if why not in {one.value for one in Why}:
            raise BadParameter(f"Gateway-Reason is one of {', '.join(Why)}")
        words, receipt = await reviewing.read_words(self._services, caller, what, id_, Why(why))
        return await self._answer(caller, {"words": words}, receipt)

    async def _review(self, request: Request, what: What, id_: str) -> Response:
        caller = await self._caller(request)
        body = await read_json(request, ReviewBody)
        receipt = await reviewing.review(self._services, caller, what, id_, body.outcome)
        return await self._answer(caller, {"review": body.outcome.value}, receipt)

    async def _caller(self, request: Request) -> Caller:
        return await caller_of(self._services, request, Scope.GOVERNANCE_REVIEW)

    async def _answer(self, caller: Caller, body: dict[str, Any], receipt: Receipt) -> Response:
        log_id = await log_of(self._services, caller)
        return json_response(body | {"receipt": receipt_json(receipt, log_id)}, headers=receipt_header(receipt, log_id))


def _hold(row: Row[Any]) -> dict[str, Any]:
    return {
        "hold": row.id,
        "from": row.organisation,
        "reason": row.reason,
        "risk": row.risk,
        "owner": row.owner,
        "opened_at": row.opened_at,
        "due_at": row.due_at,
    }


def _judged(offer: Offer) -> dict[str, Any]:
    facts, decision = offer.facts, offer.decision
    return {
        "subject": offer.victim,
        "recipient": offer.recipient,
        "purpose": offer.purpose,
        "facts": facts.to_json(),
        "outcome": decision.outcome.value,
        "reason": decision.reason.value,
        "words": decision.words,
    }


def _notice(row: Row[Any]) -> dict[str, Any]:
    return {
        "notice": row.id,
        "kind": row.kind,
        "to": {"organisation": row.organisation, "recipient": row.recipient or None},
        "case": row.referral_id,
        "created_at": row.created_at,
        "due_at": row.due_at,
        "overdue": row.overdue_at is not None,
    }


def _review(what: str, row: Row[Any]) -> dict[str, Any]:
    return {
        "review": row.id,
        "of": what,
        "ground": row.ground,
        "case": row.referral_id,
        "due_at": row.review_due,
        "overdue": row.overdue_at is not None,
    }
