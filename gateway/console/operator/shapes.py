"""Mappings: the profiles that read what clients send, and how what they send has changed its shape of late.

Elements are named; of a code there is the digest that its entry in the log holds, and never a value.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.operator.desk import HOME, Desk
from gateway.drift import sightings

DAYS = 30
SHOWN_MAX = 200


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    return ((f"{HOME}/mappings", _Mappings(console).page, "GET"),)


class _Mappings:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        sight = await self._desk.look(request, "mappings")
        since = datetime.now(UTC) - timedelta(days=DAYS)
        found = await self._desk.read(lambda connection: sightings(connection, since))
        await self._desk.services.clients.fresh()
        clients = self._desk.services.clients.current().clients.values()
        uses = {
            profile.name: sorted(one.id for one in clients if profile.name in one.profiles and not one.revoked_at)
            for profile in self._desk.services.profiles.all
        }
        view: dict[str, Any] = {
            "found": [(one, datetime.fromisoformat(one.seen_at)) for one in found[:SHOWN_MAX]],
            "more": len(found) > SHOWN_MAX,
            "days": DAYS,
            "most": SHOWN_MAX,
            "profiles": sorted(self._desk.services.profiles.all, key=lambda one: one.name),
            "uses": uses,
            "default": self._desk.services.settings.police_profile,
        }
        return self._desk.page(request, "operator_mappings.html.jinja", sight, **view)
