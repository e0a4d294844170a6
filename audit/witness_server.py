"""A witness over HTTP (C2SP tlog-witness): `POST /add-checkpoint`, and the last checkpoint cosigned for monitors.

By the standard library's server, a thread a connection, with keep-alive, a bounded body and a time limit. Nobody is
authenticated, as the protocol has it: what is handed in counts by its signatures alone. It logs nothing.
"""

import ssl
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from audit.errors import (
    Inconsistent,
    LogKeyMissing,
    NotCosigned,
    OriginUnknown,
    SizeMoved,
    SubmissionMalformed,
    WitnessFault,
)
from audit.witness import Submission
from audit.witness_state import Witness

BODY_MAX_BYTES: Final = 65_536  # 63 proof lines, a checkpoint, and 64 signatures of the longest kind in use
TIMEOUT_SECONDS: Final = 20
_THREADS_MAX: Final = 64  # connections served at a time; more wait to be accepted

STATUSES: Final[dict[type[NotCosigned], HTTPStatus]] = {
    SubmissionMalformed: HTTPStatus.BAD_REQUEST,
    LogKeyMissing: HTTPStatus.FORBIDDEN,
    OriginUnknown: HTTPStatus.NOT_FOUND,
    SizeMoved: HTTPStatus.CONFLICT,
    Inconsistent: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""How each refusal looks outside (tlog-witness "add-checkpoint")."""

_TEXT: Final = "text/plain; charset=utf-8"
_SIZE: Final = "text/x.tlog.size"


class WitnessServer(ThreadingHTTPServer):
    """Serves a witness at an address; `serve_forever` until `shutdown`. Port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], witness: Witness, tls: ssl.SSLContext | None = None) -> None:
        self.witness = witness
        self.free = BoundedSemaphore(_THREADS_MAX)
        self._tls = tls
        super().__init__(address, _Handler)

    def process_request(self, request: object, client_address: object) -> None:
        """Take a connection once a thread is free for it."""
        self.free.acquire()
        try:
            super().process_request(request, client_address)  # type: ignore[arg-type]  # the base class's own unions
        except BaseException:
            self.free.release()
            raise

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Serve one connection, and give the thread back."""
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]  # as above
        finally:
            self.free.release()

    def finish_request(self, request: object, client_address: object) -> None:
        """Shake hands here, in the connection's own thread: a silent client must not stop the others."""
        if self._tls is None:
            super().finish_request(request, client_address)  # type: ignore[arg-type]  # as above
            return
        request.settimeout(TIMEOUT_SECONDS)  # type: ignore[attr-defined]  # a socket
        with self._tls.wrap_socket(request, server_side=True) as secured:  # type: ignore[arg-type]  # as above
            super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke is the client's affair."""


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """The server's side of TLS; raises OSError or ssl.SSLError for files that are none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: WitnessServer
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_SECONDS
    server_version = "witness"
    sys_version = ""

    def do_POST(self) -> None:
        """`add-checkpoint`."""
        body = self._body()
        if body is None:
            return
        if self.path != "/add-checkpoint":
            self._answer(HTTPStatus.NOT_FOUND, "there is nothing at this address\n")
            return
        try:
            granted = self.server.witness.add(Submission.from_bytes(body))
        except SizeMoved as moved:
            self._answer(STATUSES[SizeMoved], f"{moved.size}\n", _SIZE)
        except NotCosigned as refused:
            self._answer(STATUSES[type(refused)], f"{refused}\n")
        except (WitnessFault, OSError):
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, "the witness cannot use its own state\n")
        else:
            self._answer(HTTPStatus.OK, granted.line)

    def do_GET(self) -> None:
        """The last checkpoint cosigned of a log, at `/<SHA-256 of its origin>/checkpoint`."""
        _, _, rest = self.path.partition("/")
        digest, _, name = rest.partition("/")
        try:
            note = self.server.witness.latest(digest) if name == "checkpoint" else None
        except WitnessFault:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, "the witness cannot use its own state\n")
            return
        if note is None:
            self._answer(HTTPStatus.NOT_FOUND, "there is nothing at this address\n")
        else:
            self._answer(HTTPStatus.OK, note)

    def log_message(self, *_: object) -> None:
        """Say nothing: the state is the record."""

    def _body(self) -> bytes | None:
        """The whole body, or None once a refusal is answered and the connection is to be closed."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self.close_connection = True
            self._answer(HTTPStatus.LENGTH_REQUIRED, "send the length of the body\n")
            return None
        if len(length) > len(str(BODY_MAX_BYTES)) or int(length) > BODY_MAX_BYTES:
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large\n")
            return None
        return self.rfile.read(int(length))

    def _answer(self, status: HTTPStatus, text: str, media: str = _TEXT) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
