"""What the interface says of itself (`/openapi.json`): what each route takes, and what it answers with.

A route here reads its own request and writes its own answer, so that FastAPI sees neither. What it sees, the addresses,
stays; bodies, statuses and media types are said in the tables below, by method and address, wherever they are not the
plain case: JSON in, 200 and JSON out. Every refusal is an RFC 9457 problem, an OperationOutcome under `/fhir`, and an
error of RFC 6749 at the token endpoints and to an OpenID provider. A test holds every answer of the suite to this page.

Source: OpenAPI 3.1.0, section 4.8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from adapters.batch import MEDIA_TYPES
from adapters.nhs.fhir import JSON_TYPE as FHIR
from adapters.nhs.fhir import XML_TYPE as FHIR_XML
from adapters.socket import reader, readers
from gateway.web.agreement_bodies import YAML, ExplainBody, SignatureBody, StateBody
from gateway.web.casework import ActsBody, InErrorBody, OnCallBody
from gateway.web.coresponse import CloseBody, DetailsBody, JoinBody, SceneBody
from gateway.web.governance import KeepBody, OverrideBody, ReleaseBody, ReplayBody, ReviewBody, StaffBody
from gateway.web.hospital import SheSays
from gateway.web.http import PROBLEM
from gateway.web.informing import AnswerBody, AskBody
from gateway.web.matches import DecisionBody, UndoBody
from gateway.web.team import ConsentBody, EmergencyBody, OralBody
from gateway.web.tracing import TraceBody

JSON, TEXT, CSV, NDJSON = "application/json", "text/plain", "text/csv", "application/x-ndjson"
PATCH = "application/json-patch+json"
FORM = "application/x-www-form-urlencoded"

Address = tuple[str, str]
Answers = Mapping[int, Sequence[str]]

_ANSWERS: Mapping[Address, Answers] = {
    ("post", "/police/v1/incidents"): {200: (JSON,), 201: (JSON,), 202: (JSON,)},
    ("get", "/police/v1/batches/{batch_id}/rows"): {200: (JSON, NDJSON, CSV)},
    ("post", "/team/v1/on-call"): {201: (JSON,)},
    ("get", "/team/v1/referrals/{id_}/marac-referral.pdf"): {200: ("application/pdf",)},
    ("post", "/team/v1/co-responses"): {200: (JSON,), 201: (JSON,)},
    ("post", "/police/v1/information-requests"): {200: (JSON,), 201: (JSON,)},
    ("post", "/agreements/v1"): {201: (JSON,)},
    ("post", "/agreements/v1/{agreement_id}/versions/{version}/signatures"): {201: (JSON,)},
    ("get", "/agreements/v1/{agreement_id}/versions/{version}"): {200: ("application/yaml",)},
    ("get", "/agreements/v1/{agreement_id}/versions/{version}/document.html"): {200: ("text/html",)},
    ("get", "/agreements/v1/{agreement_id}/versions/{version}/document.pdf"): {200: ("application/pdf",)},
    ("get", "/audit/v1/logs/{log_id}/checkpoint"): {200: (TEXT,)},
    ("get", "/audit/v1/logs/{log_id}/entries/{index}/proof"): {200: (TEXT,)},
    ("get", "/audit/v1/logs/{log_id}/export"): {200: (CSV, NDJSON)},
    ("get", "/audit/v1/logs/{log_id}/findings"): {200: (JSON, CSV)},
    ("get", "/evaluation/v1/report"): {
        200: (JSON, CSV, FHIR, "text/html", "application/pdf", "image/svg+xml"),
    },
    ("get", "/audit/v1/logs/{log_id}/pack"): {200: ("application/octet-stream",)},
    ("get", "/audit/v1/logs/{log_id}/witness/checkpoint"): {200: (TEXT,)},
    ("get", "/fhir/R4/.well-known/smart-configuration"): {200: (JSON,)},
    ("get", "/fhir/R4/{type_}/{id_}"): {200: (FHIR, FHIR_XML), 304: ()},
    ("get", "/fhir/R4/_history"): {405: (FHIR, FHIR_XML)},
    ("get", "/fhir/R4/{type_}/_history"): {405: (FHIR, FHIR_XML)},
    ("get", "/fhir/R4/{type_}/{id_}/_history"): {405: (FHIR, FHIR_XML)},
    ("get", "/fhir/R4/{type_}/{id_}/_history/{version_id}"): {405: (FHIR, FHIR_XML)},
    ("post", "/fhir/R4/Subscription"): {201: (FHIR,)},
    ("delete", "/fhir/R4/Subscription/{id_}"): {204: ()},
    ("post", "/bars/FHIR/R4/$process-message"): {200: (FHIR,), 501: (FHIR,)},
    ("get", "/.well-known/jwks.json"): {200: ("application/jwk-set+json",)},
    ("post", "/openid/back-channel-logout"): {200: ()},
    ("get", "/health/ready"): {200: (JSON,), 503: (JSON,)},
    ("get", "/metrics"): {200: (TEXT,)},
}
"""What an address answers with where all is well, by status; without a line here 200, or as its route says, in JSON."""

_BODIES: Mapping[Address, type[BaseModel] | Sequence[str]] = {
    ("post", "/police/v1/incidents"): sorted(
        {media for name in readers() if name.startswith("police.") for media in reader(name).media_types}
    ),
    ("post", "/police/v1/batches"): MEDIA_TYPES,
    ("post", "/police/v1/incidents/{reference}/oral-disclosures"): OralBody,
    ("post", "/team/v1/referrals/{id_}/oral-disclosures"): OralBody,
    ("post", "/team/v1/referrals/{id_}/consent"): ConsentBody,
    ("post", "/team/v1/referrals/{id_}/break-glass"): EmergencyBody,
    ("post", "/team/v1/referrals/{id_}/acts"): ActsBody,
    ("post", "/team/v1/referrals/{id_}/acts/{act}/entered-in-error"): InErrorBody,
    ("post", "/team/v1/on-call"): OnCallBody,
    ("post", "/team/v1/co-responses"): SceneBody,
    ("post", "/team/v1/co-responses/{id_}/details"): DetailsBody,
    ("post", "/governance/v1/co-responses/{id_}/join"): JoinBody,
    ("post", "/governance/v1/co-responses/{id_}/close"): CloseBody,
    ("post", "/governance/v1/holds/replay"): ReplayBody,
    ("post", "/governance/v1/holds/{hold_id}/release"): ReleaseBody,
    ("post", "/governance/v1/holds/{hold_id}/keep"): KeepBody,
    ("post", "/governance/v1/referrals/{referral_id}/override"): OverrideBody,
    ("post", "/governance/v1/break-glass/{id_}/review"): ReviewBody,
    ("post", "/governance/v1/overrides/{id_}/review"): ReviewBody,
    ("post", "/governance/v1/staff"): StaffBody,
    ("post", "/governance/v1/matches/{match_id}/decision"): DecisionBody,
    ("post", "/governance/v1/matches/{match_id}/undo"): UndoBody,
    ("post", "/team/v1/traces/{trace_id}/decision"): TraceBody,
    ("post", "/governance/v1/hospital-notices/{id_}/release"): OverrideBody,
    ("post", "/governance/v1/hospital-notices/{id_}/keep-back"): KeepBody,
    ("post", "/governance/v1/hospital-notices/{id_}/consent"): SheSays,
    ("post", "/police/v1/information-requests"): AskBody,
    ("post", "/team/v1/information-requests/{id_}/items/{item}"): AnswerBody,
    ("post", "/agreements/v1"): YAML,
    ("post", "/agreements/v1/check"): YAML,
    ("post", "/agreements/v1/{agreement_id}/replay"): YAML,
    ("post", "/agreements/v1/{agreement_id}/versions/{version}/signatures"): SignatureBody,
    ("post", "/agreements/v1/{agreement_id}/versions/{version}/state"): StateBody,
    ("post", "/agreements/v1/{agreement_id}/explain"): ExplainBody,
    ("post", "/audit/v1/logs/{log_id}/subjects"): (JSON,),
    ("post", "/audit/v1/logs/{log_id}/cosignatures"): (TEXT,),
    ("post", "/fhir/R4/AuditEvent/_search"): (FORM,),
    ("post", "/fhir/R4/{type_}/_search"): (FORM,),
    ("post", "/fhir/R4"): (FHIR,),
    ("post", "/fhir/R4/"): (FHIR,),
    ("post", "/fhir/R4/Subscription"): (FHIR,),
    ("post", "/bars/FHIR/R4/$process-message"): (FHIR,),
    ("post", "/openid/back-channel-logout"): (FORM,),
    ("put", "/fhir/R4/Task/{id_}"): (FHIR, FHIR_XML),
    ("patch", "/fhir/R4/Task/{id_}"): (PATCH, FHIR, FHIR_XML),
}
"""What an address takes: a model in JSON, or media types whose schema is another standard's or a profile's."""

_OPEN = (
    "/health/",
    "/metrics",
    "/.well-known/",
    "/oauth2/",
    "/openid/",
    "/fhir/R4/metadata",
    "/fhir/R4/Questionnaire",
    "/fhir/R4/.well-known/",
    "/bars/FHIR/R4/metadata",
    "/bars/FHIR/R4/MessageDefinition",
)
"""Where no token is asked for; clients prove themselves to the token endpoints in the form."""

_FHIR = ("/fhir/", "/bars/")
"""Where everything is FHIR, refusals too."""

_SCHEMAS: Mapping[str, Any] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457. A path is named, never a value.",
        "required": ["title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "quarantine": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["path", "code", "detail"],
                    "properties": {name: {"type": "string"} for name in ("path", "code", "detail")},
                },
            },
        },
    },
    "OperationOutcome": {
        "type": "object",
        "description": "FHIR R4 OperationOutcome.",
        "required": ["resourceType", "issue"],
        "properties": {"resourceType": {"const": "OperationOutcome"}, "issue": {"type": "array", "minItems": 1}},
    },
    "TokenError": {
        "type": "object",
        "description": "RFC 6749 section 5.2.",
        "required": ["error"],
        "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    },
}


class Described(FastAPI):
    """An application whose description of itself is true."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            _describe(super().openapi())
        document: dict[str, Any] = self.openapi_schema or {}
        return document


def _describe(document: dict[str, Any]) -> None:
    """Say in the document what FastAPI could not see."""
    models = [(body, "validation") for body in dict.fromkeys(one for one in _BODIES.values() if isinstance(one, type))]
    _, found = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]  # the mode is a literal
    schemes = {"token": {"type": "http", "scheme": "bearer"}}
    document["components"] = {"schemas": {**_SCHEMAS, **found["$defs"]}, "securitySchemes": schemes}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _say(operation, (method, path))


def _say(operation: dict[str, Any], address: Address) -> None:
    _, path = address
    plain = _forms(path) if path.startswith(_FHIR) else (JSON,)
    declared = next(int(status) for status in operation["responses"] if status.startswith("2"))
    answers = _ANSWERS.get(address, {declared: plain})
    operation["responses"] = {
        "4XX": _refusal(path, "The request is refused; nothing was done, but what the problem says was kept"),
        "503": _refusal(path, "It could not be sealed, so nothing was done"),
        **{str(status): _response(media, {}) for status, media in answers.items()},
    }
    if not path.startswith(_OPEN):
        operation["security"] = [{"token": []}]
    body = _BODIES.get(address)
    if isinstance(body, type):
        schema = {"$ref": f"#/components/schemas/{body.__name__}"}
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    elif body is not None:
        operation["requestBody"] = {"required": True, "content": {media: {"schema": {}} for media in body}}


def _forms(path: str) -> tuple[str, ...]:
    return (FHIR, FHIR_XML) if path.startswith("/fhir/") else (FHIR,)


def _refusal(path: str, words: str) -> dict[str, Any]:
    if path.startswith(_FHIR):
        found = _response((FHIR,), {"$ref": "#/components/schemas/OperationOutcome"}, words)
        found["content"] |= {media: {"schema": {}} for media in _forms(path) if media != FHIR}
        return found
    problem = _response((PROBLEM,), {"$ref": "#/components/schemas/Problem"}, words)
    if not path.startswith(("/oauth2/", "/openid/")):
        return problem
    found = _response((JSON,), {"$ref": "#/components/schemas/TokenError"}, words)
    if path.startswith("/openid/"):
        found["content"] |= problem["content"]
    return found


def _response(media: Sequence[str], schema: Mapping[str, Any], words: str = "As asked") -> dict[str, Any]:
    return {"description": words, "content": {one: {"schema": schema} for one in media}}
