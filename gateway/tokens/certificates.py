"""The certificates that speak for a client where there is no token: over MLLP, TLS is the sign-in.

A certificate is known by its fingerprint, belongs to one client, and is removed for good: it is a person's word that
this system holds that key. When it runs out is kept beside it, so that its owner is told in time; TLS refuses it from
then on. Each change is sealed in the operator's log.

Source: design.md section 7 (the operator's log); RFC 8705 section 3.1 (the thumbprint); RFC 5280 section 4.1.2.5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import Connection, Row, bindparam, select, update

from audit.entry import timestamp
from gateway.evidence import Event, administration
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.tokens.clients import ClientRefused, claim_name


class CertificateUnusable(Exception):
    """A text that is not one certificate in PEM. Never says what is in it."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as it is registered: SHA-256 over its DER form in hexadecimal, and when it runs out."""

    fingerprint: str
    not_after: datetime

    @classmethod
    def of(cls, pem: str) -> Certificate:
        """The one certificate of a PEM text. Raises CertificateUnusable."""
        try:
            (found,) = x509.load_pem_x509_certificates(pem.encode())
        except ValueError:
            raise CertificateUnusable("not one PEM certificate") from None
        return cls(found.fingerprint(SHA256()).hex(), found.not_valid_after_utc)


class AddCertificate(Unit[None]):
    """Registers a certificate of a client (operator's log). Raises ClientRefused."""

    def __init__(self, client_id: str, certificate: Certificate) -> None:
        fingerprint = certificate.fingerprint
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise ClientRefused("certificate: its fingerprint is not SHA-256 in hexadecimal")
        self._id, self._fingerprint, self._not_after = client_id, fingerprint, timestamp(certificate.not_after)
        self.claims = tuple(
            claim_name(kind, value)
            for kind, value in (("client", client_id), ("client-revoked", client_id), ("certificate", fingerprint))
        )

    def apply(self, batch: Batch) -> None:
        """Insert the row and seal `certificate-added`."""
        there, revoked, name = self.claims
        if batch.owner(there) is None:
            raise ClientRefused("client: there is none of this id")
        if batch.owner(revoked) is not None:
            raise ClientRefused("client: has been revoked")
        if batch.owner(name) is not None:
            raise ClientRefused("certificate: it is, or was, registered; make a new one")
        if self._not_after <= batch.clock:
            raise ClientRefused("certificate: it has run out; TLS would refuse it")
        batch.claim(name, b"certificate")
        row = {
            "fingerprint": self._fingerprint,
            "client": self._id,
            "added_at": batch.at,
            "not_after": self._not_after,
        }
        batch.insert(tables.client_certificate, row)
        detail = {"client": self._id, "certificate": self._fingerprint}
        batch.seal(administration(Event.CERTIFICATE_ADDED, at=batch.at, detail=detail))


class RemoveCertificate(Unit[None]):
    """Removes a certificate of a client (operator's log), for good. Raises ClientRefused."""

    def __init__(self, client_id: str, fingerprint: str) -> None:
        self._id, self._fingerprint = client_id, fingerprint

    def apply(self, batch: Batch) -> None:
        """Mark the row and seal `certificate-removed`."""
        found = batch.read(_HOLDER, {"of": self._fingerprint})
        if not found or found[0].client != self._id:
            raise ClientRefused("certificate: the client has none of this fingerprint")
        batch.update(_REMOVE, {"of": self._fingerprint, "at": batch.at})
        detail = {"client": self._id, "certificate": self._fingerprint}
        batch.seal(administration(Event.CERTIFICATE_REMOVED, at=batch.at, detail=detail))


def holder(connection: Connection, fingerprint: str) -> str | None:
    """The id of the client a certificate speaks for; None where it is not registered, or was removed."""
    return connection.execute(_HOLDER, {"of": fingerprint}).scalar()


def certificates(connection: Connection) -> Sequence[Row[Any]]:
    """The certificates that speak for clients, by client: `client`, `fingerprint`, `added_at`, `not_after`.

    `not_after` is None of one that was registered before that was kept.
    """
    found: Sequence[Row[Any]] = connection.execute(_IN_USE).all()
    return found


_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_t = tables.client_certificate
_HOLDER = select(_t.c.client).where(_t.c.fingerprint == bindparam("of"), _t.c.removed_at.is_(None))
_IN_USE: Any = (
    select(_t.c.client, _t.c.fingerprint, _t.c.added_at, _t.c.not_after)
    .where(_t.c.removed_at.is_(None))
    .order_by(_t.c.client, _t.c.added_at)
)
_REMOVE = update(_t).where(_t.c.fingerprint == bindparam("of")).values(removed_at=bindparam("at"))
