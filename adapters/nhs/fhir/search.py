"""How each resource type can be searched: one table, served by the gateway and declared by the CapabilityStatement.

Names and kinds are R4 search parameters of the type, and mean what R4 says (FHIR R4 search, and the parameter list of
each type); what R4 has and our resources never hold is not in the table. Includes follow from it: a reference that
leads to a type served can be included, and from the other end, in reverse. `RESULT` shapes a result and selects
nothing. What a value must look like and how it is compared is `condition.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_MODIFIERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "token": ("not", "missing"),
        "date": ("missing",),
        "string": ("exact", "contains", "missing"),
        "reference": ("missing",),
    }
)
PREFIXES: Final = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
"""What may stand before a date; R4's `ap` is not served."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one type.

    `kind` is its FHIR SearchParamType. `paths` lead to the elements it looks at, by names with full stops, any of them
    repeating. `system` is the code system of an element that is a bare code. `targets` are the types a literal
    reference leads to; a reference without any is a logical one, found by `:identifier`, or `canonical`, found by its
    address. `personal` says that a value would identify somebody: it is taken from a form and never from an address
    (P7). `items` are the data items of which a decision must let one go before anything can fit.
    """

    kind: str
    paths: tuple[str, ...]
    system: str | None = None
    targets: tuple[str, ...] = ()
    personal: bool = False
    items: frozenset[str] = frozenset()
    canonical: bool = False

    @property
    def modifiers(self) -> tuple[str, ...]:
        """The modifiers it takes."""
        if self.kind != "reference" or self.canonical:
            return _MODIFIERS[self.kind]
        return ("missing", *self.targets) if self.targets else ("identifier", "missing")

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What may stand before a value."""
        return PREFIXES if self.kind == "date" else ()


def _hl7(system: str) -> str:
    return f"http://hl7.org/fhir/{system}"


def _token(*paths: str, system: str | None = None) -> Parameter:
    return Parameter("token", paths, system)


def _date(*paths: str) -> Parameter:
    return Parameter("date", paths)


def _to(type_: str, *paths: str) -> Parameter:
    return Parameter("reference", paths, targets=(type_,))


def _logical(*paths: str) -> Parameter:
    return Parameter("reference", paths)


def _personal(kind: str, *paths: str, item: str, system: str | None = None) -> Parameter:
    items = frozenset(f"{role}.{item}" for role in ("victim", "child"))
    return Parameter(kind, paths, system, personal=True, items=items)


_COMMON: Final = {"_id": _token("id"), "_lastUpdated": _date("meta.lastUpdated")}
_SUBJECT: Final = {"subject": _to("Patient", "subject"), "patient": _to("Patient", "subject")}

SEARCH: Final[Mapping[str, Mapping[str, Parameter]]] = MappingProxyType(
    {
        "Task": MappingProxyType(
            _COMMON
            | {
                "status": _token("status", system=_hl7("task-status")),
                "business-status": _token("businessStatus"),
                "priority": _token("priority", system=_hl7("request-priority")),
                "intent": _token("intent", system=_hl7("task-intent")),
                "code": _token("code"),
                "authored-on": _date("authoredOn"),
                "modified": _date("lastModified"),
                "patient": _to("Patient", "for"),
                "subject": _to("Patient", "for"),
                "focus": _to("ServiceRequest", "focus"),
                "owner": _logical("owner"),
                "requester": _logical("requester"),
            }
        ),
        "ServiceRequest": MappingProxyType(
            _COMMON
            | _SUBJECT
            | {
                "status": _token("status", system=_hl7("request-status")),
                "priority": _token("priority", system=_hl7("request-priority")),
                "intent": _token("intent", system=_hl7("request-intent")),
                "category": _token("category"),
                "code": _token("code"),
                "identifier": Parameter("token", ("identifier",), personal=True, items=frozenset({"event.references"})),
                "authored": _date("authoredOn"),
                "requester": _logical("requester"),
                "performer": _logical("performer"),
            }
        ),
        "Patient": MappingProxyType(
            _COMMON
            | {
                "identifier": _personal("token", "identifier", item="nhs_number"),
                "family": _personal("string", "name.family", item="name"),
                "given": _personal("string", "name.given", item="name"),
                "name": _personal("string", "name.family", "name.given", "name.prefix", item="name"),
                "birthdate": _personal("date", "birthDate", item="birth"),
                "gender": _token("gender", system=_hl7("administrative-gender")),
            }
        ),
        "QuestionnaireResponse": MappingProxyType(
            _COMMON
            | _SUBJECT
            | {
                "status": _token("status", system=_hl7("questionnaire-answers-status")),
                "questionnaire": Parameter("reference", ("questionnaire",), canonical=True),
                "authored": _date("authored"),
            }
        ),
        "RiskAssessment": MappingProxyType(
            _COMMON
            | _SUBJECT
            | {
                "method": _token("method"),
                "risk": _token("prediction.qualitativeRisk"),
                "date": _date("occurrenceDateTime"),
            }
        ),
        "Consent": MappingProxyType(
            _COMMON
            | {
                "patient": _to("Patient", "patient"),
                "status": _token("status", system=_hl7("consent-state-codes")),
                "scope": _token("scope"),
                "category": _token("category"),
                "date": _date("dateTime"),
            }
        ),
        "Flag": MappingProxyType(_COMMON | _SUBJECT | {"date": _date("period"), "author": _logical("author")}),
        "Communication": MappingProxyType(
            _COMMON
            | _SUBJECT
            | {
                "status": _token("status", system=_hl7("event-status")),
                "category": _token("category"),
                "sent": _date("sent"),
                "based-on": _to("ServiceRequest", "basedOn"),
                "sender": _logical("sender"),
                "recipient": _logical("recipient"),
            }
        ),
        "Provenance": MappingProxyType(
            _COMMON
            | {
                "target": _to("ServiceRequest", "target"),
                "patient": _to("Patient", "target"),
                "recorded": _date("recorded"),
                "agent": _logical("agent.who"),
            }
        ),
    }
)
"""Search parameters by resource type."""

CHAINED: Final = "identifier"
"""The one parameter that can be asked of the resource a reference leads to: `patient.identifier`."""


def chains(type_: str) -> tuple[str, ...]:
    """The chained parameters of a type, each by the reference it goes through and with the type it leads to."""
    return tuple(
        f"{name}:{target}.{CHAINED}"
        for name, parameter in SEARCH[type_].items()
        for target in parameter.targets
        if CHAINED in SEARCH[target]
    )


SORT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    dict.fromkeys(SEARCH, ("_lastUpdated",))
    | {
        "Task": ("_lastUpdated", "authored-on", "modified", "priority"),
        "ServiceRequest": ("_lastUpdated", "authored", "priority"),
    }
)
"""What a result can be sorted by, each also with a minus before it. Priorities go from routine up to asap."""

AUDIT_EVENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "_id": "token",
        "date": "date",
        "agent": "reference",
        "patient": "reference",
        "entity": "reference",
        "action": "token",
        "outcome": "token",
        "policy": "uri",
        "type": "token",
        "subtype": "token",
        "_total": "special",
    }
)
"""Search parameters of AuditEvent, which is read from the log by auditors and not from a record by a team."""

RESULT: Final[Mapping[str, str]] = MappingProxyType({"_count": "number"})
"""What shapes a result of any type, AuditEvent too: the size of a page."""

SHAPING: Final[Mapping[str, str]] = MappingProxyType(
    {**RESULT, "_sort": "special", "_summary": "special", "_elements": "special", "_total": "special"}
)
"""What shapes a result of the types a team reads."""

INCLUDES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        type_: tuple(f"{type_}:{name}" for name, parameter in found.items() if parameter.targets)
        for type_, found in SEARCH.items()
    }
)
"""The `_include` values served, by the type searched."""

REVINCLUDES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        type_: tuple(
            f"{source}:{name}"
            for source, found in SEARCH.items()
            for name, parameter in found.items()
            if type_ in parameter.targets
        )
        for type_ in SEARCH
    }
)
"""The `_revinclude` values served, by the type searched."""

INTERACTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {type_: ("read", "search-type", *(("update", "patch") if type_ == "Task" else ())) for type_ in SEARCH}
)
"""The REST interactions served, by resource type: only a Task can be changed."""

OPERATIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"ServiceRequest": {"everything": "The referral with everything of it that is given, in pages, by GET."}}
)
"""The operations on one resource, with what each gives."""

EVERYTHING: Final = (
    "ServiceRequest",
    "Task",
    "Patient",
    *(type_ for type_ in SEARCH if type_ not in {"ServiceRequest", "Task", "Patient"}),
)
"""The types of `$everything` on a referral, in the order they are given in."""
