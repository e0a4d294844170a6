"""TLS of MLLP: both sides show a certificate, and a client's is known by its fingerprint.

Which authorities are trusted is said by file, never by the machine's own list: the systems of a trust are signed by
the NHS's or the trust's own authority. A chain alone opens nothing: the fingerprint must be registered (`door`).

Source: RFC 8446; RFC 8705 section 2 for the thumbprint (SHA-256 over the DER certificate).
"""

from __future__ import annotations

import ssl
from hashlib import sha256
from pathlib import Path

FINGERPRINT_LENGTH = 64  # characters: SHA-256 in hexadecimal


class TlsUnusable(Exception):
    """A certificate, key or authority that cannot be used. The message names which, never what is in it."""


def server_context(certificate: Path, key: Path, client_ca: Path) -> ssl.SSLContext:
    """The listener's: TLS 1.2 or later, no client without a certificate of these authorities. Raises TlsUnusable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _own(context, certificate, key)
    try:
        context.load_verify_locations(cafile=client_ca)
    except (OSError, ssl.SSLError):
        raise TlsUnusable("the authorities of clients are not a PEM file that can be used") from None
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(ca: str | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """The sender's: the receiver's name is checked against `ca` (PEM), or against the machine's authorities.

    Raises TlsUnusable.
    """
    try:
        context = ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, ValueError):
        raise TlsUnusable("the authority of the receiver is not PEM that can be used") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None and key is not None:
        _own(context, certificate, key)
    return context


def fingerprint(der: bytes) -> str:
    """The name of a certificate: SHA-256 over its DER form, in hexadecimal."""
    return sha256(der).hexdigest()


def _own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError):
        raise TlsUnusable("the gateway's certificate and key are not PEM files that belong together") from None
