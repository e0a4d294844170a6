"""The simulator of PDS over HTTP: on a free port of this machine, in threads, or in a process of its own.

    python -m gateway.demo.pds_server KEYS [SHOWN…]

`KEYS` is a file with the JWKS of who may sign in; what is `SHOWN` first is a status or a fault by its name. The process
prints its address, then a line for each question it answered (the status, the request's id, whether it named a
postcode, and how many were found: nothing of anybody). It serves until its standard input ends. Nothing sleeps: what
hangs, hangs until then.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from joserfc.jwk import KeySet

from gateway.demo.pds import BASE, Asked, Fault, Patient, Shown, Simulator, bundle, number, outcome

MARIANNE = Patient(number(1), (("Ashdown", "Marianne"),), "1991-02-03", label="R")
"""The demonstration's victim: PDS restricts what it says of her."""

ROBIN = Patient(number(2), (("Ashdown", "Robin"),), "2019-06-01", gender="male")
"""Her child, of whom nobody told PDS that she is: where the two live, PDS would say."""


@contextmanager
def simulator(keys: KeySet, *patients: Patient) -> Iterator[Simulator]:
    """PDS on a free port of this machine, in threads."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    made = Simulator(keys, f"http://127.0.0.1:{server.server_port}", list(patients))
    server.RequestHandlerClass = type("Handler", (_Handler,), {"made": made})  # a class made for this one
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


class _Handler(BaseHTTPRequestHandler):
    made: Simulator
    asked: Asked | None = None
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        status, body = self.made.sign_in(self.rfile.read(int(self.headers["content-length"])))
        self._answer(status, json.dumps(body).encode())

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        where = urlsplit(self.path)
        asked = Asked(tuple(parse_qsl(where.query)), headers)
        _, named, id_ = where.path.partition(f"{BASE}/Patient/")
        self.asked = asked
        self.made.asked.append(asked)
        self.made.arrived.set()
        what = self.made.script.popleft() if self.made.script else None
        self.close_connection = True
        if what is None:
            self._answer(*(self.made.retrieve(asked, id_) if named else self.made.search(asked)))
        elif isinstance(what, Fault):
            self._fault(what)
        else:
            status, more = what if isinstance(what, tuple) else (what, {})
            self._answer(status, outcome("ANY_ERROR"), more)

    def _fault(self, what: Fault) -> None:
        if what is Fault.HANG:
            self.made.let_go.wait()
        elif what is Fault.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)
        elif what is Fault.EXPIRED:
            self.made.tokens.clear()
            self._answer(401, outcome("ACCESS_DENIED"))
        elif what is Fault.BUSY:
            self._answer(429, outcome("TOO_MANY_REQUESTS"), {"Retry-After": "3600"})
        elif what is Fault.INVALIDATED:
            self._answer(404, outcome("INVALIDATED_RESOURCE"))
        elif what is Fault.PACKED:
            self._answer(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})
        else:
            self._answer(200, _wrong(what, self.made.patients[0] if self.made.patients else _STRANGER))

    def _answer(self, status: int, body: bytes, more: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name in ("X-Request-ID", "X-Correlation-ID"):
            if name in self.headers:
                self.send_header(name, self.headers[name])
        for name, value in {"Content-Type": "application/fhir+json", **(more or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.asked is not None and self.made.tell is not None:
            found = body.count(b'"fullUrl"')
            said = {"status": status, "request": self.asked.request, "found": found}
            self.made.tell(said | {"postcode": "address-postalcode" in self.asked.names})

    def log_message(self, *_: object) -> None:
        """Say nothing: an address holds names."""


def _wrong(what: Fault, one: Patient) -> bytes:
    """The body of an answer that is wrong in this way, about somebody who is known."""
    whole = bundle(one)
    return {
        Fault.MALFORMED: whole.replace(b":", b"=", 1),
        Fault.CUT: whole[: len(whole) // 2],
        Fault.HUGE: whole[:-1] + b" " * 2_000_000 + b"}",
        Fault.DUPLICATE: whole.replace(b'"total":', b'"type": "searchset", "total":'),
        Fault.STRANGER: bundle(_STRANGER),
        Fault.TWO: bundle(one, _STRANGER),
        Fault.EMPTY: b"",
        Fault.HALF: bundle(one, score=0.5),
    }[what]


_STRANGER = Patient(number(77), (("Quigley", "Petronella"),), "1944-10-01", postcode="ZZ11 1AA", line="9 Elsewhere")


def main(keys: Path, shown: Sequence[Shown]) -> None:
    """Serve the demonstration's victim and her child until standard input ends."""
    with simulator(KeySet.import_key_set(json.loads(keys.read_bytes())), MARIANNE, ROBIN) as made:
        made.script.extend(shown)
        made.tell = lambda said: print(json.dumps(said), flush=True)  # noqa: T201 - how the process speaks
        print(made.address, flush=True)  # noqa: T201 - how the process speaks
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(one) if one.isdigit() else Fault(one) for one in sys.argv[2:]])
