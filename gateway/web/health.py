"""Is it alive, is it ready, and how is it doing: for an operator's monitor. No personal data, no tenant names (P7)."""

from __future__ import annotations

import time

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import text
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import Unreachable
from gateway.logs import Line, say
from gateway.services import Services
from gateway.web.http import json_response

_ROOMS = ("police", "fhir", "audit", "oauth2", "health")


class Metrics:
    """Counts and times requests by room and status class; nothing finer, so that nothing personal fits in."""

    def __init__(self, services: Services) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("gateway_requests", "Requests answered", ["room", "status"], registry=self.registry)
        self.seconds = Histogram("gateway_request_seconds", "Time to answer", ["room"], registry=self.registry)
        self._of: dict[tuple[str, int], Counter] = {}
        self._time_of = {room: self.seconds.labels(room) for room in (*_ROOMS, "other")}
        waiting = Gauge("gateway_journal_waiting", "Units waiting for a commit", registry=self.registry)
        waiting.set_function(lambda: services.journals.waiting)

    def answered(self, room: str, hundreds: int, seconds: float) -> None:
        """Count one answer. The labelled series are looked up once: that costs more than counting."""
        counter = self._of.get((room, hundreds))
        if counter is None:
            counter = self._of[room, hundreds] = self.requests.labels(room, f"{hundreds}xx")
        counter.inc()
        self._time_of[room].observe(seconds)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Count what passes through."""

        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            first = scope["path"].split("/", 2)[1] if "/" in scope["path"] else ""
            room = first if first in _ROOMS else "other"
            began = time.perf_counter()

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.answered(room, message["status"] // 100, time.perf_counter() - began)
                await send(message)

            await app(scope, receive, sending)

        return counting


def routes(services: Services, metrics: Metrics) -> APIRouter:
    """Liveness, readiness, metrics."""
    router = APIRouter(tags=["operation"])

    @router.get("/health/live", summary="The process runs")
    async def live() -> Response:
        return json_response({"status": "live"})

    @router.get("/health/ready", summary="The database answers")
    async def ready() -> Response:
        try:
            await services.database.read(lambda connection: connection.execute(text("SELECT 1")).scalar_one())
        except Unreachable:
            pass
        else:
            return json_response({"status": "ready"})
        say(Line.NOT_READY, check="database")
        return json_response({"status": "not ready", "check": "database"}, 503)

    @router.get("/metrics", summary="Prometheus metrics")
    async def numbers() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
