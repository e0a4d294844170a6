"""The systems that may ask for tokens, the certificates in use here, and revoking a system for good.

    /operator/clients           the systems, their keys, and when certificates that are held here run out
    /operator/clients/revoke    revoking one (`client`): asked once more before it is done

Of a system's own certificate the gateway keeps the fingerprint and when it runs out; of a key there is no such thing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.certificate_ends import WARNING_DAYS, Certificate, held, of_clients
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.operator.desk import HOME, Desk, one
from gateway.evidence import OPERATOR_LOG
from gateway.tokens.clients import Client, ClientRefused, RevokeClient

SOON = timedelta(days=max(WARNING_DAYS))


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area = _Clients(console)
    return (
        (f"{HOME}/clients", area.page, "GET"),
        (f"{HOME}/clients/revoke", area.ask, "GET"),
        (f"{HOME}/clients/revoke", area.revoke, "POST"),
    )


@dataclass(frozen=True, slots=True)
class System:
    """A registered system: its keys by their ids, and its certificates with the time each was added."""

    client: Client
    keys: tuple[str, ...]
    certificates: tuple[tuple[Certificate, datetime], ...]
    revoked_at: datetime | None


class _Clients:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """The systems, those in use first."""
        sight = await self._desk.look(request, "clients")
        await self._refresh()
        added = await self._desk.read(of_clients)
        known = self._desk.services.clients.current().clients.values()
        systems = sorted((_system(client, added) for client in known), key=_in_use_first)
        here = await self._desk.read(lambda connection: held(connection, self._desk.services.settings))
        done = "revoked" if request.query_params.get("done") == "revoked" else ""
        view: dict[str, Any] = {"systems": systems, "held": here, "soon": SOON, "done": done}
        return self._desk.page(request, "operator_clients.html.jinja", sight, **view)

    async def ask(self, request: Request) -> Response:
        """Whether a system is to be revoked; one that is none, or is revoked, leads back to the list."""
        visit = await self._desk.visit(request)
        await self._desk.services.clients.fresh()
        client = self._desk.services.clients.get(request.query_params.get("client", ""))
        if client is None or client.revoked_at is not None:
            return self._desk.to("/clients")
        sight = await self._desk.seal(visit, {"what": "client", "client": client.id})
        return self._desk.page(request, "operator_revoke.html.jinja", sight, client=client)

    async def revoke(self, request: Request) -> Response:
        """Revoke a system and every token it holds."""
        visit, form = await self._desk.posted(request)
        try:
            unit = RevokeClient(one(form, "client"), caller=visit.caller)
            await self._desk.services.journals.of(OPERATOR_LOG).submit(unit)
        except ClientRefused:  # there is none of this id, or somebody was quicker: the list shows which
            return self._desk.to("/clients")
        await self._refresh()
        return self._desk.to("/clients", "revoked")

    async def _refresh(self) -> None:
        """Read the register anew, off the event loop: it waits for the database."""
        await asyncio.to_thread(self._desk.services.clients.refresh)


def _system(client: Client, added: Mapping[str, Sequence[tuple[Certificate, datetime]]]) -> System:
    keys = tuple(sorted(key.kid or "" for key in client.keys.keys))
    revoked = datetime.fromisoformat(client.revoked_at) if client.revoked_at else None
    return System(client, keys, tuple(added.get(client.id, ())), revoked)


def _in_use_first(system: System) -> tuple[bool, str]:
    return system.revoked_at is not None, system.client.id
