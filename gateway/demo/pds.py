"""PDS as an application meets it: the published shapes, invented patients, and every fault it is told to show.

It knows who signs in, whom it holds and what it was asked; `pds_server.py` speaks HTTP for it. Signing in is checked as
the platform does it: RS512, `kid`, `iss` = `sub`, the exact `aud`, five minutes, each `jti` once. A search answers with
one patient or none, `TOO_MANY_MATCHES` with 200, and finds no restricted patient where a postcode is given. It is for
the demonstration and the tests; nothing of it is used when the gateway serves.

Source: domain.md sections 2.1, 2.6, 2.7.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

BASE = "/personal-demographics/FHIR/R4"
API_KEY = "an-api-key"


class Fault(StrEnum):
    """What may go wrong with an answer. Any HTTP status may be shown as well."""

    HANG = "hang"
    RESET = "reset"
    EXPIRED = "expired"
    BUSY = "busy"
    INVALIDATED = "invalidated"
    MALFORMED = "malformed"
    CUT = "cut"
    HUGE = "huge"
    DUPLICATE = "duplicate"
    EMPTY = "empty"
    PACKED = "packed"
    STRANGER = "stranger"
    TWO = "two"
    HALF = "half"


Shown = Fault | int | tuple[int, Mapping[str, str]]
"""A fault, a status, or a status with headers."""


def number(serial: int) -> str:
    """A valid NHS number of the test range; some serials have none, and the next that has is taken."""
    while True:
        digits = f"999{serial % 10**6:06d}"
        check = -sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != _NO_DIGIT:
            return f"{digits}{check}"
        serial += 1


@dataclass(frozen=True)
class Patient:
    """Somebody PDS knows. `names` are family and given, the current one first; `label` is U, or R where restricted."""

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
        """The patient as PDS gives her: of a restricted one nothing that says where she is."""
        family, given = self.names[0]
        coding = {"system": _STATUSES, "version": "1.0.0", "code": self.status}
        status = {"url": _VERIFICATION, "valueCodeableConcept": {"coding": [coding]}}
        found: dict[str, Any] = {
            "resourceType": "Patient",
            "id": self.number,
            "identifier": [
                {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": self.number, "extension": [status]}
            ],
            "meta": {"versionId": "2", "security": [{"code": self.label, "system": _CONFIDENTIALITY}]},
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
    """One question as it came; the names of headers in small letters."""

    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]

    @property
    def names(self) -> dict[str, str]:
        """What was asked, by the name of the parameter."""
        return dict(self.query)

    @property
    def request(self) -> str:
        """The `X-Request-ID`."""
        return self.headers["x-request-id"]


@dataclass
class Simulator:
    """Who is known, what to show next, and what was asked. `keys` are the public halves of who may sign in.

    `tell` is given what each answer was like, and nothing of anybody.
    """

    keys: KeySet
    address: str = ""
    patients: list[Patient] = field(default_factory=list)
    script: deque[Shown] = field(default_factory=deque)
    token_script: deque[int] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    signed_in: int = 0
    lifetime: int = 599
    arrived: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    tokens: set[str] = field(default_factory=set)
    statements: set[str] = field(default_factory=set)
    tell: Callable[[Mapping[str, Any]], None] | None = None

    @property
    def url(self) -> str:
        """The FHIR base."""
        return f"{self.address}{BASE}"

    @property
    def token_url(self) -> str:
        """Where tokens come from."""
        return f"{self.address}/oauth2/token"

    def sign_in(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Answer a request for a token: status and JSON."""
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
        """Answer `GET /Patient?…`: status and body."""
        if refused := self._refused(asked):
            return refused
        said = asked.names
        if not {"family", "birthdate"} <= said.keys() or not asked.headers.get("nhsd-end-user-organisation-ods"):
            return 400, outcome("INVALID_SEARCH_DATA")
        found = [one for one in self.patients if _fits(one, said)]
        return (200, outcome("TOO_MANY_MATCHES")) if len(found) > 1 else (200, bundle(*found))

    def retrieve(self, asked: Asked, id_: str) -> tuple[int, bytes]:
        """Answer `GET /Patient/{id}`: status and body."""
        if refused := self._refused(asked):
            return refused
        found = next((one for one in self.patients if one.number == id_), None)
        return (200, json.dumps(found.resource()).encode()) if found else (404, outcome("RESOURCE_NOT_FOUND"))

    def _refused(self, asked: Asked) -> tuple[int, bytes] | None:
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, outcome("ACCESS_DENIED")
        try:
            uuid.UUID(asked.request)
        except (KeyError, ValueError):
            return 400, outcome("MISSING_VALUE")
        return None


def bundle(*patients: Patient, score: float = 0.8343) -> bytes:
    """A searchset."""
    entries = [
        {"fullUrl": f"urn:any:{one.number}", "search": {"score": score}, "resource": one.resource()} for one in patients
    ]
    found: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return json.dumps(found | ({"entry": entries} if entries else {})).encode()


def outcome(code: str) -> bytes:
    """An OperationOutcome with one of Spine's codes."""
    coding = {"system": _SPINE, "version": "1", "code": code, "display": code.replace("_", " ").title()}
    issue = {"severity": "error", "code": "value", "details": {"coding": [coding]}}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()


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


_NO_DIGIT = 10  # what Modulus 11 comes to where no check digit fits
_SPINE = "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode"
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_VERIFICATION = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
_STATUSES = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"
