"""Versions of a resource over HTTP: which one a change needs, which one a caller holds, and that old ones are not read.

A version is of what was shown: `3-5f8a9c01` is the third version of the referral as this recipient may see it now. A
change needs the third version; a conditional read needs the very same showing, because what is shown can change with
the agreement while the referral stays as it is. So a date is not enough (`If-Modified-Since` is not taken), and earlier
versions are not served: nobody is to read around a correction or a decision.

Source: FHIR R4 http 3.1.0.1.2 (ETag), 3.1.0.5 (conditional read), 3.1.0.1.5 (vread); RFC 9110 section 13.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from adapters.nhs import fhir
from gateway.errors import BadParameter, NotServed, PreconditionMissing
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of
from gateway.web.fhirform import FhirRoute

_OURS = re.compile(r'(?:W/)?"(\d{1,9})(?:-[0-9a-f]{8})?"', re.ASCII)
_ANY = re.compile(r'(?:W/)?"([!#-+\--~]{1,64})"', re.ASCII)


def if_match(request: Request) -> Callable[[int], bool]:
    """Whether a version is the one in `If-Match`. Raises PreconditionMissing, BadParameter."""
    value = request.headers.get("if-match")
    if value is None:
        raise PreconditionMissing('send If-Match with the version that was read, as in W/"1"')
    found = _OURS.fullmatch(value.strip())
    if found is None:
        raise BadParameter('If-Match is one version, as in W/"1"')
    return lambda version: version == int(found[1])


def held_of(request: Request) -> Callable[[fhir.Written], bool] | None:
    """Whether the caller has a resource as it is shown to it now (`If-None-Match`), or wants no content (HEAD).

    Raises BadParameter.
    """
    asked = ",".join(request.headers.getlist("if-none-match")).strip()
    if request.method == "HEAD" or asked == "*":
        return lambda _: True
    if not asked:
        return None
    tags = [_ANY.fullmatch(one.strip()) for one in asked.split(",")]
    if None in tags:
        raise BadParameter('If-None-Match is * or versions, as in W/"1-5f8a9c01"')
    held = {one[1] for one in tags if one is not None}
    return lambda one: one.tag in held


def history(services: Services, prefix: str) -> APIRouter:
    """The routes of earlier versions: whatever they are asked of, they are not served (P8)."""
    router = APIRouter(prefix=prefix, tags=["fhir"], route_class=FhirRoute)

    async def refuse(request: Request, type_: str = "", id_: str = "", version_id: str = "") -> Response:  # noqa: ARG001 - whatever it is asked of
        await caller_of(services, request, Scope.REFERRAL_READ)
        words = "earlier versions are not served: what has been corrected or withdrawn is not read around"
        raise NotServed(words, headers={"Allow": ""})  # no method at all (RFC 9110 section 15.5.6)

    for path in ("/_history", "/{type_}/_history", "/{type_}/{id_}/_history", "/{type_}/{id_}/_history/{version_id}"):
        router.add_api_route(path, refuse, methods=["GET"], summary="Earlier versions, which are not served")
    return router
