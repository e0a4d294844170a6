"""Entries of a log as CSV or NDJSON, for an inspector's own tools: streamed, and sealed before the first byte.

It holds what is in the log up to the entry of its own export. Evidence is the pack; this is for convenience
(`audit.export`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.errors import BadParameter
from gateway.evidence import Event
from gateway.reading_log import Extract, Form
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.web.audit import query_of
from gateway.web.http import PlainRoute, receipt_header
from gateway.web.looking import look

_MEDIA = {Form.CSV: "text/csv; charset=utf-8; header=present", Form.NDJSON: "application/x-ndjson"}


def routes(services: Services) -> APIRouter:
    """The route of the export over these services."""
    router = APIRouter(prefix="/audit/v1", tags=["audit"], route_class=PlainRoute)

    @router.get("/logs/{log_id}/export", summary="Export entries as CSV or NDJSON")
    async def export(request: Request, log_id: str) -> Response:
        query = query_of(request, frozenset({"format"}))
        try:
            form = Form(request.query_params.get("format", ""))
        except ValueError:
            raise BadParameter("format is csv or ndjson") from None
        what = {"what": form.value, "filters": ",".join(sorted(request.query_params.keys()))}
        receipt = await look(services, request, log_id, what, scope=Scope.PACK_EXPORT, event=Event.LOG_EXPORTED)
        extract = Extract(log_id, query, form, receipt.index + 1)
        first = await services.database.read(extract.piece)  # what cannot be read at all has an answer of its own

        async def pieces() -> AsyncIterator[bytes]:
            piece = first
            while piece:
                yield piece
                piece = await services.database.read(extract.piece)

        name = f'attachment; filename="{log_id}.{form.value}"'
        headers = receipt_header(receipt, log_id) | {"Content-Disposition": name}
        return StreamingResponse(pieces(), media_type=_MEDIA[form], headers=headers)

    return router
