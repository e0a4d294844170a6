"""The CapabilityStatement: what the FHIR interface says of itself, made of the tables it is served from."""

from __future__ import annotations

from datetime import date
from typing import Final

import orjson

from adapters.nhs.fhir.canonical import (
    CANONICAL,
    FHIR_VERSION,
    JSON_TYPE,
    SECURITY_SERVICE,
    SMART_OAUTH,
    UK_CORE,
    XML_TYPE,
)
from adapters.nhs.fhir.elements import concept, extension
from adapters.nhs.fhir.instruments import QUESTIONNAIRE_SEARCH
from adapters.nhs.fhir.models import Json, check
from adapters.nhs.fhir.search import (
    AUDIT_EVENT,
    CHAINED,
    INCLUDES,
    INTERACTIONS,
    OPERATIONS,
    REVINCLUDES,
    SEARCH,
    SHAPING,
    SORT,
    Parameter,
    chains,
)
from adapters.nhs.fhir.subscription import CRITERIA

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
        "format": [JSON_TYPE, XML_TYPE],
        "patchFormat": ["application/json-patch+json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(token_url),
                "resource": [
                    *(_resource(type_) for type_ in SEARCH),
                    _questionnaire(),
                    _audit_event(),
                    _subscription(),
                ],
                "interaction": [{"code": "batch"}, {"code": "transaction"}],
                "searchParam": [{"name": name, "type": kind} for name, kind in SHAPING.items()],
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


def _questionnaire() -> Json:
    """What answers are read by: public, and the same for everybody."""
    return {
        "type": "Questionnaire",
        "supportedProfile": [f"{UK_CORE}UKCore-Questionnaire"],
        "documentation": "The risk instruments, by short codes with a paraphrase. Read without a token.",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "searchParam": [{"name": name, "type": kind} for name, kind in QUESTIONNAIRE_SEARCH.items()],
    }


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


def _subscription() -> Json:
    """How a team's system is told that a referral has come or changed."""
    searched = "; ".join(f"{type_}: {', '.join(names)}" for type_, names in CRITERIA.items())
    return {
        "type": "Subscription",
        "documentation": "A client's own, by rest-hook. The payload is empty, or id-only by backport-payload-content; "
        f"a notification never holds a resource. Criteria by type and parameter: {searched}. The endpoint takes an "
        "empty handshake first. Each notification is signed (RFC 9421) and named by its Idempotency-Key.",
        "interaction": [{"code": "create"}, {"code": "read"}, {"code": "search-type"}, {"code": "delete"}],
        "versioning": "no-version",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
    }


def _resource(type_: str) -> Json:
    found: Json = {
        "type": type_,
        "interaction": [{"code": code} for code in INTERACTIONS[type_]],
        "versioning": "versioned-update" if "update" in INTERACTIONS[type_] else "versioned",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "not-match",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "searchParam": [*(_parameter(name, one) for name, one in SEARCH[type_].items()), *_chained(type_)],
        "extension": [extension("search-sort", valueCode=name) for name in SORT[type_]],
    }
    if type_ not in _WITHOUT_PROFILE:
        found["supportedProfile"] = [f"{UK_CORE}UKCore-{type_}"]
    if INCLUDES[type_]:
        found["searchInclude"] = list(INCLUDES[type_])
    if REVINCLUDES[type_]:
        found["searchRevInclude"] = list(REVINCLUDES[type_])
    if type_ in OPERATIONS:
        found["operation"] = [
            {"name": name, "definition": f"{CANONICAL}/OperationDefinition/{type_}-{name}", "documentation": words}
            for name, words in OPERATIONS[type_].items()
        ]
    return found


def _parameter(name: str, parameter: Parameter) -> Json:
    """One search parameter; R4 has no element for its modifiers and prefixes, so they stand in extensions and words."""
    found: Json = {"name": name, "type": parameter.kind}
    modifiers, prefixes = parameter.modifiers, parameter.prefixes
    found["extension"] = [
        *(extension("search-modifier", valueCode=one) for one in modifiers),
        *(extension("search-prefix", valueCode=one) for one in prefixes),
    ]
    words = f"Modifiers: {', '.join(modifiers)}."
    if prefixes:
        words += f" Prefixes: {', '.join(prefixes)}."
    if parameter.personal:
        words += _BY_FORM
    return found | {"documentation": words}


def _chained(type_: str) -> list[Json]:
    return [
        {"name": name, "type": SEARCH[target][CHAINED].kind, "documentation": f"Chained.{_BY_FORM}"}
        for name in chains(type_)
        for target in (name.partition(":")[2].partition(".")[0],)
    ]


_BY_FORM: Final = " It would identify somebody, so it is taken by POST to _search alone, never in an address."
