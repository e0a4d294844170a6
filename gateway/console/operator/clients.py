"""The systems that may ask for tokens, the certificates in use here, and revoking a system for good.

    /operator/clients           the systems, their keys, and when certificates that are held here run out
    /operator/clients/revoke    revoking one (`client`): asked once more before it is done

Of a system's own certificate the gateway keeps the fingerprint alone, so nobody here knows when it runs out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.console import Console
from gateway.console.operator.desk import HOME, Desk, Route, one
from gateway.delivery.endpoints import endpoints
from gateway.evidence import OPERATOR_LOG
from gateway.settings import Settings
from gateway.store import tables
from gateway.tokens.clients import Client, ClientRefused, RevokeClient
from gateway.webhook.endpoints import endpoints as webhooks

MOST_CERTIFICATES = 20  # of one file or option: an authority's bundle, not the web's


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
    """A registered system: its keys by their ids, and the fingerprints of certificates with the day each was added."""

    client: Client
    keys: tuple[str, ...]
    certificates: tuple[tuple[str, datetime], ...]
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that is held here: what for, and when it runs out; None where it cannot be read."""

    used_for: str
    until: datetime | None


class _Clients:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """The systems, those in use first."""
        sight = await self._desk.look(request, "clients")
        self._desk.services.clients.refresh()
        added = await self._desk.read(_fingerprints)
        known = self._desk.services.clients.current().clients.values()
        systems = sorted((_system(client, added) for client in known), key=_in_use_first)
        held = await self._desk.read(lambda connection: _held(connection, self._desk.services.settings))
        done = "revoked" if request.query_params.get("done") == "revoked" else ""
        view: dict[str, Any] = {"systems": systems, "held": held, "done": done}
        return self._desk.page(request, "operator_clients.html.jinja", sight, **view)

    async def ask(self, request: Request) -> Response:
        """Whether a system is to be revoked; one that is none, or is revoked, leads back to the list."""
        visit = await self._desk.visit(request)
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
        self._desk.services.clients.refresh()
        return self._desk.to("/clients", "revoked")


def _system(client: Client, added: Mapping[str, Sequence[tuple[str, datetime]]]) -> System:
    keys = tuple(sorted(key.kid or "" for key in client.keys.keys))
    revoked = datetime.fromisoformat(client.revoked_at) if client.revoked_at else None
    return System(client, keys, tuple(added.get(client.id, ())), revoked)


def _in_use_first(system: System) -> tuple[bool, str]:
    return system.revoked_at is not None, system.client.id


def _fingerprints(connection: Connection) -> Mapping[str, Sequence[tuple[str, datetime]]]:
    found: dict[str, list[tuple[str, datetime]]] = {}
    for row in connection.execute(_CERTIFICATES):
        found.setdefault(row.client, []).append((row.fingerprint, datetime.fromisoformat(row.added_at)))
    return found


def _held(connection: Connection, settings: Settings) -> list[Certificate]:
    """The certificates in files that the settings name, and those of endpoints and webhooks; what ends first first."""
    found: list[Certificate] = []
    for name in _FILES:
        path: Path | None = getattr(settings, name)
        if path is not None:
            found += _read(f"GATEWAY_{name.upper()}", _text(path))
    for endpoint in endpoints(connection):
        for name, value in endpoint.endpoint.options.items():
            if _BEGINS in value:
                found += _read(f"Endpoint of {endpoint.client}, {name}", value)
    for hook in webhooks(connection):
        found += _read(f"Webhook of {hook.client}", hook.ca) if hook.ca else ()
    return sorted(found, key=lambda certificate: (certificate.until is not None, certificate.until))


def _read(used_for: str, pem: str) -> Iterator[Certificate]:
    try:
        for certificate in x509.load_pem_x509_certificates(pem.encode())[:MOST_CERTIFICATES]:
            yield Certificate(used_for, certificate.not_valid_after_utc)
    except ValueError:
        yield Certificate(used_for, None)


def _text(path: Path) -> str:
    """What a file holds; nothing where it cannot be read, which is no certificate either."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


_FILES = ("mllp_certificate", "mllp_client_ca", "pds_ca_file", "oidc_ca_file")
_BEGINS = "-----BEGIN CERTIFICATE"
_c: Any = tables.client_certificate.c
_CERTIFICATES = (
    select(_c.client, _c.fingerprint, _c.added_at).where(_c.removed_at.is_(None)).order_by(_c.client, _c.added_at)
)
