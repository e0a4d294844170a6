"""Is it alive, is it ready, and how is it doing: for an operator's monitor. No personal data, no tenant names (P7)."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.drift import counts
from gateway.errors import Unreachable
from gateway.logs import Line, say
from gateway.notices import count_outstanding
from gateway.retention.sweep import figures
from gateway.services import Services
from gateway.web.http import json_response
from gateway.web.leaving import is_leaving
from gateway.witnesses import Condition, alarms, witnesses

COUNTED_FOR_SECONDS = 60.0  # monitors ask every few seconds, and counting reads every kept record's dates
NONE_IN_FORCE = -1  # nothing passes then: an alarm on few days left must ring
_ROOMS = ("police", "fhir", "team", "notices", "governance", "agreements", "audit", "oauth2", "health")


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
        self._services = services
        self._counted_at = -COUNTED_FOR_SECONDS
        self._due = self._gauge("records_due_for_erasure", "Incidents and inputs due for erasure now")
        self._holds = self._gauge("legal_holds_open", "Legal holds that are open")
        self._notices = self._gauge("notices_outstanding", "Notices nobody has acknowledged")
        self._overdue = self._gauge("notices_overdue", "Those of them whose clock has run out")
        self._witness_alarms = Gauge(
            "gateway_witness_alarms", "Witnesses that lag or disagree", ["condition"], registry=self.registry
        )
        self._drift = Gauge(
            "gateway_mapping_drift", "Changes of shape in the last day", ["kind"], registry=self.registry
        )
        self._days_left = self._gauge("agreement_days_left", "Days until the first agreement in force ends")

    def answered(self, room: str, hundreds: int, seconds: float) -> None:
        """Count one answer. The labelled series are looked up once: that costs more than counting."""
        counter = self._of.get((room, hundreds))
        if counter is None:
            counter = self._of[room, hundreds] = self.requests.labels(room, f"{hundreds}xx")
        counter.inc()
        self._time_of[room].observe(seconds)

    async def count(self) -> None:
        """Count what only the database knows, unless that was done a moment ago. Raises Unreachable."""
        if time.monotonic() - self._counted_at < COUNTED_FOR_SECONDS:
            return
        self._counted_at = time.monotonic()
        found = await self._services.database.read(lambda connection: figures(connection, datetime.now(UTC)))
        self._due.set(found.due)
        waiting, overdue = await self._services.database.read(lambda c: count_outstanding(c, datetime.now(UTC)))
        self._notices.set(waiting)
        self._overdue.set(overdue)
        self._holds.set(found.holds)
        open_alarms = await self._services.database.read(lambda connection: alarms(connection, witnesses(connection)))
        for condition in Condition:
            count = sum(found is condition for _, found in open_alarms)
            self._witness_alarms.labels(condition.value).set(count)
        changes = await self._services.database.read(lambda connection: counts(connection, datetime.now(UTC)))
        for kind, number in changes.items():
            self._drift.labels(kind.value).set(number)
        self._days_left.set(NONE_IN_FORCE if found.days_left is None else found.days_left)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(f"gateway_{name}", words, registry=self.registry)

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
    async def ready(request: Request) -> Response:
        if is_leaving(request.app):
            return json_response({"status": "not ready", "check": "leaving"}, 503)
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
        try:
            await metrics.count()
        except Unreachable:
            say(Line.NOT_READY, check="database")
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
