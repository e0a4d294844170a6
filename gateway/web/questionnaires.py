"""The risk instruments' Questionnaires over FHIR (`/fhir/R4/Questionnaire`): public, for they tell nothing of anybody.

An answer names its questionnaire by a canonical address; here a client finds it, by that address or by its id. Nothing
is sealed, because nothing of a case is read.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.nhs import fhir
from gateway.errors import BadParameter, NotFound
from gateway.services import Services
from gateway.web.fhirform import FhirRoute

_NEUTRAL = frozenset({"_format", "_pretty"})


def routes(services: Services, prefix: str) -> APIRouter:
    """The Questionnaire routes; they come before those of `gateway.web.fhir`, which take any type."""
    router = APIRouter(prefix=f"{prefix}/Questionnaire", tags=["fhir"], route_class=FhirRoute)
    url = f"{services.settings.public_url.rstrip('/')}{prefix}/Questionnaire"
    changed = datetime.fromisoformat(fhir.QUESTIONNAIRES_CHANGED).replace(tzinfo=UTC)

    def written(id_: str) -> fhir.Written:
        body = fhir.questionnaire(id_)
        if body is None:
            raise NotFound("there is no such questionnaire")
        return fhir.Written("Questionnaire", id_, 1, changed, body, f"{url}/{id_}")

    @router.get("", summary="Search Questionnaires")
    async def search(request: Request) -> Response:
        given = [pair for pair in request.query_params.multi_items() if pair[0] not in _NEUTRAL]
        asked = dict(given)
        if asked.keys() - fhir.QUESTIONNAIRE_SEARCH.keys() or len(asked) < len(given):
            raise BadParameter("a search parameter that this server does not declare, or one given twice: see metadata")
        found = [written(id_) for id_ in fhir.QUESTIONNAIRES]
        if "_id" in asked:
            found = [one for one in found if one.id in asked["_id"].split(",")]
        if "url" in asked:
            wanted = {address.partition("|")[0] for address in asked["url"].split(",")}
            found = [one for one in found if f"{fhir.CANONICAL}/Questionnaire/{one.id}" in wanted]
        self_link = f"{url}?{urlencode(given)}" if given else url
        return Response(fhir.bundle(found, total=len(found), self_link=self_link), media_type=fhir.JSON_TYPE)

    @router.get("/{id_}", summary="Read a Questionnaire")
    async def read(_: Request, id_: str) -> Response:
        return Response(written(id_).body, media_type=fhir.JSON_TYPE)

    router.add_api_route(
        "/{id_}", read, methods=["HEAD"], summary="What a read would say", operation_id="head_questionnaire"
    )
    return router
