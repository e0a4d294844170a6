"""Certificates that run out: those of clients and those held here, warned of 30 and 7 days ahead and when they have.

`held` and `of_clients` say which there are. `NoteEnd` seals each warning once in the operator's log, however many
gateways look; TLS refuses what has run out whether or not this ran. Keys of a JWKS have no end of their own.

Source: design.md section 9 (operator); RFC 5280 section 4.1.2.5 (validity).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import Connection

from gateway.delivery.endpoints import endpoints
from gateway.evidence import OPERATOR_LOG, Event, administration
from gateway.logs import Line, say
from gateway.services import Services
from gateway.settings import Settings
from gateway.store.batch import Batch, Unit
from gateway.tokens.certificates import certificates
from gateway.webhook.endpoints import endpoints as webhooks

WARNING_DAYS = (7, 30)
ENDED = 0
"""The threshold that is no warning: no day is left."""

MOST = 20  # of one file or option: an authority's bundle, not the web's


class Use(StrEnum):
    """What a certificate is used for."""

    CLIENT = "client"
    SETTING = "setting"
    ENDPOINT = "endpoint"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, what it is used for, and when it runs out.

    `name` is a client's id or that of a setting. `fingerprint` and `until` are None where it cannot be read; `until`
    alone where nobody kept it.
    """

    use: Use
    name: str
    fingerprint: str | None
    until: datetime | None

    @property
    def used_for(self) -> str:
        """What for, in words."""
        return self.name if self.use is Use.SETTING else f"{self.use.value.capitalize()} of {self.name}"


def held(connection: Connection, settings: Settings) -> list[Certificate]:
    """The certificates in files that the settings name, and those of endpoints and webhooks; what ends first first."""
    found: list[Certificate] = []
    for name in _FILES:
        path: Path | None = getattr(settings, name)
        if path is not None:
            found += _read(Use.SETTING, f"GATEWAY_{name.upper()}", _text(path))
    for endpoint in endpoints(connection):
        for value in endpoint.endpoint.options.values():
            if _BEGINS in value:
                found += _read(Use.ENDPOINT, endpoint.client, value)
    for hook in webhooks(connection):
        found += _read(Use.WEBHOOK, hook.client, hook.ca) if hook.ca else ()
    return sorted(found, key=lambda one: (one.until is not None, one.until))


def of_clients(connection: Connection) -> Mapping[str, Sequence[tuple[Certificate, datetime]]]:
    """The certificates that speak for clients, with the time each was registered, by the client's id."""
    found: dict[str, list[tuple[Certificate, datetime]]] = {}
    for row in certificates(connection):
        until = datetime.fromisoformat(row.not_after) if row.not_after else None
        one = Certificate(Use.CLIENT, row.client, row.fingerprint, until)
        found.setdefault(row.client, []).append((one, datetime.fromisoformat(row.added_at)))
    return found


def threshold(until: datetime, now: datetime) -> int | None:
    """The tightest of 7 and 30 days that an end is within; `ENDED` at and after it; None before either."""
    left = until - now
    if left <= timedelta():
        return ENDED
    return next((days for days in WARNING_DAYS if left <= timedelta(days=days)), None)


@dataclass(frozen=True, slots=True)
class NoteEnd(Unit[int | None]):
    """Seal that a certificate runs out within 30 or 7 days, or has; each once (operator's log).

    Returns what was noted; None where no warning is due, or it was said before.
    """

    use: Use
    name: str
    fingerprint: str
    until: datetime

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """What says that a threshold was noted."""
        return [self._claim(days) for days in (ENDED, *WARNING_DAYS)]

    def apply(self, batch: Batch) -> int | None:  # noqa: D102 - said by Unit.apply
        days = threshold(self.until, batch.now)
        if days is None or batch.owner(self._claim(days)) is not None:
            return None
        batch.claim(self._claim(days), b"\1")
        detail: dict[str, str | int] = {
            "certificate": self.fingerprint,
            "use": self.use.value,
            "name": self.name,
            "days": max(0, (self.until - batch.now) // timedelta(days=1)),
            "within": days,
        }
        batch.seal(administration(Event.CERTIFICATE_ENDING, at=batch.at, detail=detail))
        return days

    def _claim(self, days: int) -> bytes:
        return hashlib.sha256(f"certificate-ends|{self.fingerprint}|{days}".encode()).digest()


def note_ends(services: Services, now: datetime) -> None:
    """Note of every certificate in use what its days left call for, and say it on the process log."""
    with services.database.reading() as connection:
        found = held(connection, services.settings)
        found += [one for some in of_clients(connection).values() for one, _ in some]
    for one in found:
        if one.fingerprint is None or one.until is None or threshold(one.until, now) is None:
            continue
        unit = NoteEnd(one.use, one.name, one.fingerprint, one.until)
        days = services.journals.of(OPERATOR_LOG).submit_and_wait(unit).value
        if days is not None:
            say(Line.CERTIFICATE_ENDS, use=one.use.value, name=one.name, days=days)


def _read(use: Use, name: str, pem: str) -> Iterator[Certificate]:
    try:
        for found in x509.load_pem_x509_certificates(pem.encode())[:MOST]:
            yield Certificate(use, name, found.fingerprint(SHA256()).hex(), found.not_valid_after_utc)
    except ValueError:
        yield Certificate(use, name, None, None)


def _text(path: Path) -> str:
    """What a file holds; nothing where it cannot be read, which is no certificate either."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


_FILES = ("mllp_certificate", "mllp_client_ca", "pds_ca_file", "oidc_ca_file")
_BEGINS = "-----BEGIN CERTIFICATE"
