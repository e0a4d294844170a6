"""The door of the listener: which client of the gateway a connection speaks for, and whether it still may.

A certificate is registered for one client (`gateway.tokens.certificates`). It is looked up when a connection opens
and each minute from then on, the client with every message: whoever is revoked is refused while the connection is open.
"""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.chance import fresh_id
from gateway.evidence import Caller
from gateway.services import Services
from gateway.tokens.certificates import holder


class Door:
    """Lets clients in. `plain_client` is whom a connection without TLS speaks for; none is let in without."""

    def __init__(self, services: Services, plain_client: str | None = None) -> None:
        self._services = services
        self._plain_client = plain_client

    async def client(self, fingerprint: str | None) -> str | None:
        """The id of the client a new connection speaks for; None where there is none. Raises Unreachable."""
        if fingerprint is None:
            found = self._plain_client
        else:
            named = fingerprint

            def find(connection: Connection) -> str | None:
                return holder(connection, named)

            found = await self._services.database.read(find)
        return found if found is not None and await self.caller(found) is not None else None

    async def caller(self, client_id: str) -> Caller | None:
        """The caller a client is now; None where it is revoked. Raises NotSealed where that cannot be read."""
        await self._services.clients.fresh()
        client = self._services.clients.get(client_id)
        if client is None or client.revoked_at is not None:
            return None
        return Caller(
            client=client.id,
            organisation=client.organisation,
            recipient=client.recipient,
            scopes=client.scopes,
            agreements=client.agreements,
            request=fresh_id(),
            profiles=client.profiles,
        )
