"""FHIR Subscriptions of a team's system (`/fhir/R4/Subscription`): create, read, search its own, delete.

Source: FHIR R4 http (create, read, search, delete), Subscription.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.nhs import fhir
from gateway.channels import finder
from gateway.delivery.endpoints import Find
from gateway.errors import BadParameter
from gateway.services import Services
from gateway.subscriptions.registering import Kept, subscribe, subscription, subscriptions, unsubscribe
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of
from gateway.web.fhir import PREFIX, fhir_response
from gateway.web.fhirform import FhirRoute
from gateway.web.http import media_type, read_body, receipt_header

_TYPE: Final = f"{PREFIX}/Subscription"
_MOST_BYTES: Final = 16_384
_ACCEPTED: Final = (fhir.JSON_TYPE, "application/json")


def routes(services: Services, find: Find | None = None) -> APIRouter:
    """The routes over these services; `find` finds channels, the gateway's own where none is given."""
    router = APIRouter(tags=["fhir"], route_class=FhirRoute)
    base_url = f"{services.settings.public_url.rstrip('/')}{PREFIX}"
    channels = find or finder(services)

    @router.post(_TYPE, summary="Subscribe to referrals of the team")
    async def create(request: Request) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_READ)
        media_type(request, _ACCEPTED)
        kept = await subscribe(services, channels, caller, await read_body(request, _MOST_BYTES))
        return fhir_response(
            kept.body, 201, headers={"Location": f"{base_url}/Subscription/{kept.id}", **_sealed(kept)}
        )

    @router.get(_TYPE, summary="The subscriptions of this client")
    async def search(request: Request) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_READ)
        if set(request.query_params) - {"_format", "_pretty"}:
            raise BadParameter("subscriptions are listed, not searched: see metadata")
        found = await subscriptions(services, caller)
        return fhir_response(
            fhir.bundle(_written(found, base_url), total=len(found), self_link=f"{base_url}/Subscription")
        )

    @router.get(f"{_TYPE}/{{id_}}", summary="Read a subscription")
    async def read(request: Request, id_: str) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_READ)
        return fhir_response((await subscription(services, caller, id_)).body)

    @router.delete(f"{_TYPE}/{{id_}}", summary="End a subscription")
    async def delete(request: Request, id_: str) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_READ)
        kept = await unsubscribe(services, caller, id_)
        return Response(status_code=204, headers=_sealed(kept))

    return router


def _sealed(kept: Kept) -> dict[str, str]:
    return receipt_header(kept.receipt, kept.log_id) if kept.receipt else {}


def _written(found: Sequence[Kept], base_url: str) -> list[fhir.Written]:
    at = datetime.now(UTC)
    return [fhir.Written("Subscription", one.id, 1, at, one.body, f"{base_url}/Subscription/{one.id}") for one in found]
