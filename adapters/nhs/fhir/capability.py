"""The CapabilityStatement: what the FHIR interface says of itself, made of the tables it is served from."""

from __future__ import annotations

from datetime import date
from typing import Final

import orjson

from adapters.nhs.fhir.canonical import FHIR_VERSION, JSON_TYPE, SECURITY_SERVICE, SMART_OAUTH, UK_CORE
from adapters.nhs.fhir.elements import concept
from adapters.nhs.fhir.models import Json, check
from adapters.nhs.fhir.search import AUDIT_EVENT, INCLUDES, INTERACTIONS, RESULT, SEARCH

_WITHOUT_PROFILE: Final = frozenset({"RiskAssessment"})  # UK Core has none (domain.md section 2.3)


def capability_statement(*, base_url: str, version: str, date: date, token_url: str | None = None) -> bytes:
    """The statement of one running server.

    `version` is the software's, `date` when the statement last changed, `token_url` the OAuth 2 token endpoint, which
    is declared where it is known.
    """
    statement: Json = {
        "resourceType": "CapabilityStatement",
        "url": f"{base_url}/metadata",
        "version": version,
        "name": "ProvideGateway",
        "title": "Provide Gateway",
        "status": "active",
        "date": date.isoformat(),
        "description": "Domestic-abuse referrals from police to NHS safeguarding teams, under a signed agreement.",
        "kind": "instance",
        "software": {"name": "Provide Gateway", "version": version},
        "implementation": {"description": "Provide Gateway", "url": base_url},
        "fhirVersion": FHIR_VERSION,
        "format": [JSON_TYPE],
        "patchFormat": ["application/json-patch+json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(token_url),
                "resource": [*(_resource(type_) for type_ in SEARCH), _audit_event()],
                "searchParam": [{"name": name, "type": kind} for name, kind in RESULT.items()],
            }
        ],
    }
    check(statement)
    return orjson.dumps(statement)


def _security(token_url: str | None) -> Json:
    found: Json = {
        "cors": False,
        "service": [concept(SECURITY_SERVICE, "OAuth", "OAuth")],
        "description": "OAuth 2 client credentials with private_key_jwt (RFC 7523). The person on whose behalf a "
        "system calls is named in the client assertion, and so in every token.",
    }
    if token_url is not None:
        found["extension"] = [{"url": SMART_OAUTH, "extension": [{"url": "token", "valueUri": token_url}]}]
    return found


def _audit_event() -> Json:
    """What auditors read: the log, in the shapes of IHE BALP."""
    return {
        "type": "AuditEvent",
        "documentation": "The sealed log in the shapes of IHE BALP, for clients of the audit scope, newest first. "
        "A search may also be sent as POST to _search.",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "searchParam": [{"name": name, "type": kind} for name, kind in AUDIT_EVENT.items()],
    }


def _resource(type_: str) -> Json:
    found: Json = {
        "type": type_,
        "interaction": [{"code": code} for code in INTERACTIONS[type_]],
        "versioning": "versioned-update" if "update" in INTERACTIONS[type_] else "versioned",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "searchParam": [{"name": name, "type": kind} for name, kind in SEARCH[type_].items()],
    }
    if type_ not in _WITHOUT_PROFILE:
        found["supportedProfile"] = [f"{UK_CORE}UKCore-{type_}"]
    if INCLUDES[type_]:
        found["searchInclude"] = list(INCLUDES[type_])
    return found
