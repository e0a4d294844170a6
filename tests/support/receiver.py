"""A force's webhook: a real HTTPS server in threads, which does what it is told for each request and remembers it.

Its certificate is made here, by an authority made here. Nothing sleeps: what hangs, hangs until it is let go.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HANG, RESET, SLOW = "hang", "reset", "slow"


@dataclass(frozen=True)
class Got:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found


@dataclass
class Receiver:
    """What came, and what to do next: a status, (status, headers), the same with a body, or HANG, RESET, SLOW.

    204 by itself. A body is bytes, or what makes them of the body that came.
    """

    url: str
    ca: str
    got: list[Got] = field(default_factory=list)
    script: deque[Any] = field(default_factory=deque)
    arrived: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def deliveries(self) -> list[str]:
        return [one.headers["idempotency-key"] for one in self.got]


@contextmanager
def receiver(folder: Path, name: str = "localhost", *, secure: bool = True) -> Iterator[Receiver]:
    """A receiver on a free port, under a certificate for `name` and the loopback address, or without TLS."""
    ca, chain = _certificates(folder, name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    if secure:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    made = Receiver(f"{'https' if secure else 'http'}://{name}:{server.server_port}/feedback", ca)
    server.RequestHandlerClass = _handler(made)  # a class made for this receiver
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a caller that hangs up is what is tested
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(made: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.got.append(Got(self.command, self.path, headers, body))
            made.arrived.set()
            what = made.script.popleft() if made.script else 204
            self.close_connection = True
            if what == HANG:
                made.let_go.wait()
            elif what == RESET:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.shutdown(socket.SHUT_RDWR)
            elif what == SLOW:
                self.send_response(200)
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                self.wfile.write(b"x")
                made.let_go.wait()
            else:
                status, more, said = (*what, b"")[:3] if isinstance(what, tuple) else (what, {}, b"")
                said = said(body) if callable(said) else said
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _certificates(folder: Path, name: str) -> tuple[str, Path]:
    """The authority's PEM, and a file with the server's certificate and key."""
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example Authority")])
    now = datetime.now(UTC)

    def made(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().issuer_name(issuer).serial_number(x509.random_serial_number())
        builder = builder.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        return builder.public_key(key.public_key())

    root = made("Example Authority", authority).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    root = root.add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
    signed = root.sign(authority, hashes.SHA256())
    alternative = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    server = made(name, own).add_extension(alternative, critical=False)
    server = server.add_extension(key_id, critical=False)
    certificate = server.sign(authority, hashes.SHA256())
    path = folder / "receiver.pem"
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(certificate.public_bytes(pem) + own.private_bytes(pem, form, serialization.NoEncryption()))
    return signed.public_bytes(pem).decode(), path
