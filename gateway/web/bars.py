"""Messages in the shape of BaRS (`/bars/FHIR/R4`): a trust answers what was delivered to it, or tells of its own.

A servicerequest-response changes the referral it answers; a servicerequest-request is a hospital's notice. Who sends is
said by the access token: the headers of the standard must agree with it, and add nothing. Every failure is an
OperationOutcome of the standard's taxonomy, under the status that has it. What cannot be read is kept for a human.
Nothing here claims conformance with the standard, and `metadata` says so.

Source: domain.md section 2.5; `adapters.nhs.bars`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.nhs import bars
from adapters.nhs.bars import BarsRefused, Fault
from adapters.nhs.fhir import JSON_TYPE, FhirRefused, Issue, Limits, operation_outcome
from adapters.socket import Fault as Unread
from adapters.socket import Problem, Unreadable
from audit.receipt import Receipt
from gateway import errors
from gateway.answering import answer_delivery, refuse_delivery
from gateway.bars.channel import PREFIX
from gateway.disclosure import Reader
from gateway.evidence import Caller
from gateway.hospital import unreadable_notice
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of, caller_with_any, seal_refusal
from gateway.web.hospital import take_bundle
from gateway.web.http import PlainRoute, media_type, read_body, receipt_header

_ACCEPTED: Final = (JSON_TYPE, "application/json")
_PRODUCED: Final = frozenset({JSON_TYPE, "application/json", "application/*", "*/*"})


def routes(services: Services, version: str) -> APIRouter:
    """The routes over these services."""
    desk = _Desk(services, version)
    router = APIRouter(prefix=PREFIX, tags=["bars"], route_class=PlainRoute)
    router.add_api_route("/metadata", desk.metadata, methods=["GET"], summary="CapabilityStatement of the messages")
    router.add_api_route("/MessageDefinition", desk.definitions, methods=["GET"], summary="The messages there are")
    router.add_api_route("/$process-message", desk.process, methods=["POST"], summary="Take a message")
    return router


class _Desk:
    """Answers whoever calls: one method for each route."""

    def __init__(self, services: Services, version: str) -> None:
        self._services = services
        self._version = version
        self._base_url = f"{services.settings.public_url.rstrip('/')}{PREFIX}"
        self._library = Reader(services.records, self._base_url)
        self._day = datetime.now(UTC).date()

    async def metadata(self, _: Request) -> Response:
        """What is served, and that conformance is not claimed."""
        return _fhir(bars.capability(base_url=self._base_url, version=self._version, day=self._day))

    async def definitions(self, _: Request) -> Response:
        """A MessageDefinition for each message."""
        return _fhir(bars.definitions(base_url=self._base_url, day=self._day))

    async def process(self, request: Request) -> Response:
        """Take a message: what a team answers, or a hospital's notice."""
        services = self._services
        caller = await caller_with_any(services, request, (Scope.REFERRAL_WRITE, Scope.NOTICE_WRITE))
        _accepts(request)
        headers = bars.read_headers(_once(request))
        if headers.target.value != services.settings.bars_service:
            raise BarsRefused(Fault.NOT_THIS_SERVICE, "this is another service", bars.TARGET)
        await self._same(request, caller, headers.organisation, bars.ORGANISATION)
        media = media_type(request, _ACCEPTED)
        body = await read_body(request, services.settings.body_max_bytes)
        message = await self._read(caller, body)
        await self._same(request, caller, message.sender, "MessageHeader.sender")
        if message.event is bars.Event.REQUEST:
            return await take_bundle(services, request, body, media, self._base_url)
        caller = await caller_of(services, request, Scope.REFERRAL_WRITE)
        answered = message.responds_to or ""
        if message.code in _FAILED:
            refused, log_id = await refuse_delivery(services, caller, answered)
            return _done("the team is told that its system could not use the referral", refused.receipt, log_id)
        change = bars.response_change(message)
        page = await answer_delivery(services, self._library, caller, answered, change)
        return _done("the referral was changed", page.receipts[0], page.log_id)

    async def _read(self, caller: Caller, body: bytes) -> bars.Message:
        """The frame of a message; of a sender of notices, what is none is kept for a human first (P6)."""
        limits = self._services.limits
        try:
            return bars.read_message(body, Limits(max_bytes=limits.max_bytes, max_depth=limits.max_depth))
        except BarsRefused as refused:
            if Scope.NOTICE_WRITE in caller.scopes and refused.fault not in _NO_REFERRAL:
                unread = Unreadable(Problem(refused.expression or "", Unread.NOT_READABLE))
                await unreadable_notice(self._services, caller, body, JSON_TYPE, unread)
            raise

    async def _same(self, request: Request, caller: Caller, said: str | None, where: str) -> None:
        """Refuse, sealed, what is sent in another organisation's name than the token's."""
        if said is not None and said != caller.organisation:
            await seal_refusal(self._services, request, caller, "another-organisation")
            raise BarsRefused(Fault.NOT_PERMITTED, "another organisation than the access token's", where)


def outcome_of(error: BaseException) -> Response:
    """An error as an OperationOutcome of the taxonomy; what nobody foresaw tells nothing of itself."""
    status, body = bars.outcome(_refusal(error))
    headers = error.headers if isinstance(error, errors.GatewayError) else None
    return Response(body, status, headers=headers, media_type=JSON_TYPE)


def misdirected(status: int) -> BarsRefused:
    """What is at no address of ours, or asked for by another method."""
    fault = Fault.WRONG_METHOD if status == _METHOD_NOT_ALLOWED else Fault.NOTHING_HERE
    return BarsRefused(fault, "there is nothing at this address, or not by this method")


def _refusal(error: BaseException) -> BarsRefused:
    if isinstance(error, BarsRefused):
        return error
    if isinstance(error, FhirRefused):
        return BarsRefused(Fault.NOT_READABLE, error.diagnostics, error.expression)
    if not isinstance(error, errors.GatewayError):
        return BarsRefused(Fault.FAILED, "something failed here")
    found = next((FAULTS[cls] for cls in type(error).__mro__ if cls in FAULTS), Fault.FAILED)
    path = error.details[0].path if error.details else ""
    return BarsRefused(found, error.words, path or None)


FAULTS: Final[Mapping[type[errors.GatewayError], Fault]] = {
    errors.BadRequest: Fault.VALUE_WRONG,
    errors.BadMediaType: Fault.MEDIA_TYPE,
    errors.NotAcceptable: Fault.MEDIA_TYPE,
    errors.BodyTooLarge: Fault.TOO_COSTLY,
    errors.UnreadableInput: Fault.NOT_READABLE,
    errors.MarkingRefused: Fault.NOT_SUPPORTED,
    errors.IdempotencyConflict: Fault.CONFLICT,
    errors.StaleVersion: Fault.CONFLICT,
    errors.VersionConflict: Fault.CONFLICT,
    errors.TransitionRefused: Fault.CONFLICT,
    errors.WitnessDisagrees: Fault.CONFLICT,
    errors.AlreadyAnswered: Fault.DUPLICATE,
    errors.PreconditionMissing: Fault.VALUE_MISSING,
    errors.NotAuthenticated: Fault.NOT_AUTHENTICATED,
    errors.NotPermitted: Fault.NOT_PERMITTED,
    errors.NotFound: Fault.NOTHING_OF_OURS,
    errors.NotServed: Fault.EVENT_NOT_SERVED,
    errors.Busy: Fault.UNAVAILABLE,
    errors.Unreachable: Fault.UNAVAILABLE,
    errors.NotSealed: Fault.UNAVAILABLE,
}
"""The fault of each error of the gateway's; a test finds the one without."""

_NO_REFERRAL: Final = frozenset({Fault.EVENT_NOT_SERVED, Fault.EVENT_UNKNOWN})
"""What is about no referral: a booking is not kept for a human."""
_FAILED: Final = frozenset({"fatal-error", "transient-error"})
"""How a system says that it could not use what it had acknowledged (R4 response-code)."""
_METHOD_NOT_ALLOWED: Final = 405


def _once(request: Request) -> dict[str, str]:
    """The headers, each given once: of two, whoever stood between might have read the other."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        if name in _HEADERS and name in found:
            raise BarsRefused(Fault.HEADER_INVALID, "a header is given once", _HEADERS[name])
        found[name] = value
    return found


_HEADERS: Final = {
    name.lower(): name for name in (bars.TARGET, bars.ORGANISATION, bars.SOFTWARE, bars.REQUEST_ID, bars.CORRELATION_ID)
}


def _accepts(request: Request) -> None:
    wanted = {one.partition(";")[0].strip().lower() for one in request.headers.get("accept", "*/*").split(",")}
    if not wanted & _PRODUCED:
        raise errors.NotAcceptable(f"messages are answered in {JSON_TYPE}")


def _done(words: str, receipt: Receipt, log_id: str) -> Response:
    body = operation_outcome([Issue("information", "informational", words)])
    return _fhir(body, receipt_header(receipt, log_id))


def _fhir(body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, headers=headers, media_type=JSON_TYPE)
