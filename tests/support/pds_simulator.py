"""PDS as an application meets it: real HTTP, the published shapes, invented people, and every fault it is told to show.

    python -m tests.support.pds_simulator JWKS    prints its address, serves until its standard input ends

Signing in is checked as the platform does it: RS512, `kid`, `iss` = `sub`, the exact `aud`, five minutes, each `jti`
once. A search answers with one patient or none, `TOO_MANY_MATCHES` with 200, and finds no restricted patient where a
postcode is given. Nothing sleeps: what hangs, hangs until it is let go.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

BASE = "/personal-demographics/FHIR/R4"
API_KEY = "an-api-key"
HANG, RESET, EXPIRED, MALFORMED, CUT = "hang", "reset", "expired", "malformed", "cut"
HUGE, DUPLICATE, STRANGER, TWO, EMPTY, HALF, BUSY, INVALIDATED, PACKED = (
    "huge", "duplicate", "stranger", "two", "empty", "half", "busy", "invalidated", "packed",
)  # fmt: skip
_SPINE = "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode"
_VERIFICATION = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
_STATUSES = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"


def number(serial: int) -> str:
    """A valid NHS number of the test range; some serials have none, and the next that has is taken."""
    while True:
        digits = f"999{serial % 10**6:06d}"
        check = -sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return f"{digits}{check}"
        serial += 1


@dataclass(frozen=True)
class Patient:
    """Somebody PDS knows. `names` are family and given, the current one first."""

    number: str
    names: tuple[tuple[str, str], ...]
    born: str
    gender: str = "female"
    postcode: str = "ZZ99 3CZ"
    line: str = "12 Example Row"
    label: str = "U"
    status: str = "01"
    dead: bool = False

    def resource(self) -> dict[str, Any]:
        """The patient as a search gives her: of a restricted one nothing that says where she is."""
        family, given = self.names[0]
        coding = {"system": _STATUSES, "version": "1.0.0", "code": self.status}
        status = {"url": _VERIFICATION, "valueCodeableConcept": {"coding": [coding]}}
        found: dict[str, Any] = {
            "resourceType": "Patient",
            "id": self.number,
            "identifier": [
                {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": self.number, "extension": [status]}
            ],
            "meta": {"versionId": "2", "security": [{"code": self.label, "system": "urn:any"}]},
            "name": [{"id": "1", "use": "usual", "given": [given], "family": family}],
            "gender": self.gender,
            "birthDate": self.born,
        }
        if self.label == "U":
            home = {"id": "1", "use": "home", "line": ["", self.line], "postalCode": self.postcode}
            found |= {"address": [home], "telecom": [{"system": "phone", "value": "01632960587"}]}
        return found | ({"deceasedDateTime": "2025-06-16T00:00:00+00:00"} if self.dead else {})


@dataclass(frozen=True)
class Asked:
    """One search as it came."""

    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    @property
    def names(self) -> dict[str, str]:
        return dict(self.query)

    @property
    def request(self) -> str:
        return self.headers["x-request-id"]


@dataclass
class Simulator:
    """Who is known, what to do next (a fault, a status, or (status, headers)), and what was asked."""

    keys: KeySet
    address: str = ""
    patients: list[Patient] = field(default_factory=list)
    script: deque[Any] = field(default_factory=deque)
    token_script: deque[int] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    signed_in: int = 0
    lifetime: int = 599
    arrived: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    tokens: set[str] = field(default_factory=set)
    statements: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.address}{BASE}"

    @property
    def token_url(self) -> str:
        return f"{self.address}/oauth2/token"

    def sign_in(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Answer a request for a token."""
        if self.token_script:
            return self.token_script.popleft(), {"error": "server_error"}
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        try:
            token = jwt.decode(form["client_assertion"], self.keys, algorithms=["RS512"])
        except (JoseError, KeyError, ValueError):
            return 401, {"error": "invalid_request", "error_description": "Malformed JWT in client_assertion"}
        said, now = token.claims, time.time()
        wrong = (
            not token.header.get("kid")
            or not said.get("iss") == said.get("sub") == API_KEY
            or said.get("aud") != self.token_url
            or not now < said.get("exp", 0) <= now + 300
            or said.get("jti") in self.statements
            or form.get("grant_type") != "client_credentials"
        )
        if wrong:
            return 401, {"error": "invalid_request", "error_description": "Missing or invalid claim"}
        self.statements.add(said["jti"])
        self.signed_in += 1
        value = uuid.uuid4().hex
        self.tokens.add(value)
        return 200, {"access_token": value, "expires_in": str(self.lifetime), "token_type": "Bearer"}

    def search(self, asked: Asked) -> tuple[int, bytes]:
        """Answer a search."""
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, _outcome("ACCESS_DENIED")
        try:
            uuid.UUID(asked.request)
        except (KeyError, ValueError):
            return 400, _outcome("MISSING_VALUE")
        said = asked.names
        if not {"family", "birthdate"} <= said.keys() or not asked.headers.get("nhsd-end-user-organisation-ods"):
            return 400, _outcome("INVALID_SEARCH_DATA")
        found = [one for one in self.patients if _fits(one, said)]
        return (200, _outcome("TOO_MANY_MATCHES")) if len(found) > 1 else (200, bundle(*found))


def bundle(*patients: Patient, score: float = 0.8343) -> bytes:
    """A searchset."""
    entries = [
        {"fullUrl": f"urn:any:{one.number}", "search": {"score": score}, "resource": one.resource()} for one in patients
    ]
    found: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return json.dumps(found | ({"entry": entries} if entries else {})).encode()


def _fits(one: Patient, said: Mapping[str, str]) -> bool:
    names = one.names if said.get("_history") == "true" else one.names[:1]
    postcode = said.get("address-postalcode")
    if postcode is not None and one.label != "U":
        return False
    return (
        any(_like(family, said["family"]) and _like(given, said.get("given", "*")) for family, given in names)
        and said["birthdate"] == f"eq{one.born}"
        and (postcode is None or _like(one.postcode.replace(" ", ""), postcode))
    )


def _like(value: str, wanted: str) -> bool:
    value, wanted = value.casefold(), wanted.casefold()
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


def _outcome(code: str) -> bytes:
    coding = {"system": _SPINE, "version": "1", "code": code, "display": code.replace("_", " ").title()}
    issue = {"severity": "error", "code": "value", "details": {"coding": [coding]}}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()


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


_STRANGER = Patient(number(77), (("Quigley", "Petronella"),), "1944-10-01", postcode="ZZ11 1AA", line="9 Elsewhere")


class _Handler(BaseHTTPRequestHandler):
    made: Simulator
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        status, body = self.made.sign_in(self.rfile.read(int(self.headers["content-length"])))
        self._answer(status, json.dumps(body).encode())

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(tuple(parse_qsl(urlsplit(self.path).query)), headers)
        self.made.asked.append(asked)
        self.made.arrived.set()
        what = self.made.script.popleft() if self.made.script else None
        self.close_connection = True
        if what == HANG:
            self.made.let_go.wait()
        elif what == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)
        elif what is None:
            self._answer(*self.made.search(asked))
        elif isinstance(what, int | tuple):
            status, more = what if isinstance(what, tuple) else (what, {})
            self._answer(status, _outcome("ANY_ERROR"), more)
        else:
            self._fault(what)

    def _fault(self, what: str) -> None:
        one = self.made.patients[0] if self.made.patients else _STRANGER
        if what == EXPIRED:
            self.made.tokens.clear()
            self._answer(401, _outcome("ACCESS_DENIED"))
        elif what == BUSY:
            self._answer(429, _outcome("TOO_MANY_REQUESTS"), {"Retry-After": "3600"})
        elif what == INVALIDATED:
            self._answer(404, _outcome("INVALIDATED_RESOURCE"))
        elif what == PACKED:
            self._answer(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})
        else:
            whole = bundle(one)
            self._answer(
                200,
                {
                    MALFORMED: whole.replace(b":", b"=", 1),
                    CUT: whole[: len(whole) // 2],
                    HUGE: whole[:-1] + b" " * 2_000_000 + b"}",
                    DUPLICATE: whole.replace(b'"total":', b'"type": "searchset", "total":'),
                    STRANGER: bundle(_STRANGER),
                    TWO: bundle(one, _STRANGER),
                    EMPTY: b"",
                    HALF: bundle(one, score=0.5),
                }[what],
            )

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

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(jwks: str) -> None:
    """Serve the demonstration's victim, restricted, until standard input ends."""
    known = Patient(number(1), (("Ashdown", "Marianne"),), "1991-02-03", label="R")
    with simulator(KeySet.import_key_set(json.loads(jwks)), known) as made:
        print(made.address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
