"""ServiceRequest: the referral itself, from police to the team, with the incident and the suspect.

What the request rests on is referred to (children, risk, consent, flag); what FHIR has no element for stands in
extensions of ours. UK Core ServiceRequest; codes: domain.md section 2.10. The reason is coded as suspected abuse,
because what police report is an allegation until a court has found it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapters.nhs.fhir.canonical import SNOMED, SUSPECTED_ABUSE, police_id
from adapters.nhs.fhir.elements import (
    concept,
    extension,
    instant,
    nested,
    own,
    part,
    reference,
    sender,
    start,
    subject,
    text,
    trust,
    when,
)
from adapters.nhs.fhir.ids import FLAG
from adapters.nhs.fhir.models import Json
from adapters.nhs.fhir.suspect import order_extension, suspect_basic
from mappings.record import (
    Criterion,
    Custody,
    Earlier,
    Link,
    Marking,
    Record,
    Reference,
    Relationship,
    Role,
    Statement,
    Topic,
)
from mappings.referral import Referral, ReferralStatus

_STATUS: Final = {
    ReferralStatus.COMPLETED: "completed",
    ReferralStatus.REJECTED: "revoked",
    ReferralStatus.FAILED: "revoked",
    ReferralStatus.ENTERED_IN_ERROR: "entered-in-error",
}


def write_request(record: Record, referral: Referral) -> Iterator[Json]:
    """The one ServiceRequest of a referral."""
    people = _people(record, referral)
    contained = _contained(record)
    found: Json = {
        "contained": contained,
        "extension": _extensions(record, people),
        "identifier": [_identifier(one, record) for one in record.references if text(one.value)],
        "status": request_status(referral.status),
        "intent": "order",
        "category": [own("request-category", "domestic-abuse")],
        "priority": referral.priority.value,
        "code": own("request", "domestic-abuse-support"),
        "subject": subject(record, referral),
        "authoredOn": instant(referral.created_at),
        "requester": sender(record),
        "performer": [trust(referral)],
        "reasonCode": [concept(SNOMED, *SUSPECTED_ABUSE)],
        "supportingInfo": _supporting(record, referral, contained),
        "note": [_note(one, people) for one in record.statements if one.topic is Topic.SUMMARY and text(one.text)],
    }
    yield start("ServiceRequest", None, referral) | {k: v for k, v in found.items() if v is not None and v != []}


def request_status(status: ReferralStatus) -> str:
    """The status of the ServiceRequest whose Task has this one (FHIR R4 request-status)."""
    return _STATUS.get(status, "active")


def _people(record: Record, referral: Referral) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for person in record.people:
        if person.role is Role.SUSPECT:
            found[person.ref] = {"reference": f"#{person.ref}"}
        elif person.role in {Role.VICTIM, Role.CHILD}:
            found[person.ref] = reference("Patient", referral, person.ref)
    return found


def _contained(record: Record) -> list[Json]:
    return [
        suspect_basic(one, (o for o in record.orders if o.subject == one.ref), one.warnings)
        for one in record.of_role(Role.SUSPECT)
    ]


def _supporting(record: Record, referral: Referral, contained: list[Json]) -> list[Json]:
    return [
        *({"reference": f"#{one['id']}"} for one in contained),
        *(reference("Patient", referral, child.ref) for child in record.of_role(Role.CHILD)),
        *(reference("RiskAssessment", referral, one.ref) for one in record.assessments),
        *(reference("Consent", referral, one.ref) for one in record.consents),
        reference("Flag", referral, FLAG),
    ]


def _identifier(one: Reference, record: Record) -> Json:
    found: Json = {"system": police_id(one.type.lower()), "value": one.value}
    if (force_ := sender(record)) is not None:
        found["assigner"] = force_
    return found


def _extensions(record: Record, people: dict[str, Json]) -> list[Json]:
    suspects = record.of_role(Role.SUSPECT)
    found = nested("incident", _incident(record))
    if record.marking is not None:
        found += nested("marking", _marking(record.marking))
    for one in record.relationships:
        found += nested("relationship", _relationship(one, people))
    known = {one.ref for one in suspects}
    for order in record.orders:
        if order.subject not in known:
            found += order_extension(order)
    for event in record.custody:
        found += nested("custody", _custody(event, people))
    for criterion in record.criteria:
        found += nested("marac-criterion", _criterion(criterion))
    for before in record.earlier:
        found += nested("earlier-incident", _earlier(before))
    for link in record.linked:
        found += nested("linked-record", _link(link))
    return found


def _incident(record: Record) -> list[Json]:
    times, officer = record.times, record.officer
    found = [
        *part("kind", "valueCode", record.kind.value),
        *part("version", "valueInteger", record.version),
        *part("area", "valueCode", record.area),
        *part("category", "valueCode", record.category),
        *part("section", "valueCode", record.section),
        *part("offence", "valueCode", record.offence),
        *(one for flag in record.flags for one in part("flag", "valueCode", flag)),
        *part("location", "valueString", record.location),
        *part("outcome", "valueCode", record.outcome),
    ]
    if times is not None:
        found += [
            *when("reported", times.reported),
            *when("occurredFrom", times.occurred_from),
            *when("occurredTo", times.occurred_to),
            *when("attended", times.attended),
            *when("recorded", times.recorded),
        ]
    if officer is not None:
        found += [
            *part("officerCollar", "valueString", officer.collar),
            *part("officerTeam", "valueString", officer.team),
        ]
    # Whom these warn of, nobody said: they may be of the place, or of somebody who is not in what leaves.
    found += [{"url": "safetyWarning", "valueCode": code} for code in record.safety_warnings]
    return found


def _marking(marking: Marking) -> list[Json]:
    class_ = marking.classification
    return [
        *part("classification", "valueCode", class_.value if class_ is not None else None),
        *part("sourceGrade", "valueCode", marking.source_grade),
        *part("informationGrade", "valueCode", marking.information_grade),
        *part("handling", "valueCode", marking.handling),
        *part("conditions", "valueString", marking.conditions),
    ]


def _relationship(one: Relationship, people: dict[str, Json]) -> list[Json]:
    a, b = people.get(one.a), people.get(one.b)
    if a is None or b is None:
        return []  # with somebody who is not in what leaves: no trace of them either
    return [
        {"url": "from", "valueReference": a},
        {"url": "to", "valueReference": b},
        *part("type", "valueCode", one.type),
        *part("personallyConnected", "valueBoolean", one.personally_connected),
        *({"url": "evidence", "valueCode": code} for code in one.evidence),
    ]


def _custody(one: Custody, people: dict[str, Json]) -> list[Json]:
    found = [*part("event", "valueCode", one.event), *when("at", one.at)]
    if one.subject in people:
        found.append({"url": "subject", "valueReference": people[one.subject]})
    return found


def _criterion(one: Criterion) -> list[Json]:
    return [
        *part("code", "valueCode", one.code),
        *part("met", "valueBoolean", one.met),
        *part("basis", "valueCode", one.basis),
        *part("statedBy", "valueCode", one.by),
        *when("at", one.at),
        *part("instrument", "valueCode", one.instrument.value if one.instrument is not None else None),
        *part("count", "valueInteger", one.count),
        *part("since", "valueDate", one.since.isoformat() if one.since is not None else None),
        *part("reason", "valueString", one.text),
    ]


def _earlier(one: Earlier) -> list[Json]:
    return [
        *part("date", "valueDate", one.on.isoformat()),
        *part("grade", "valueCode", one.grade.value if one.grade is not None else None),
        *part("samePair", "valueBoolean", one.pair),
    ]


def _link(one: Link) -> list[Json]:
    return [
        *part("kind", "valueCode", one.kind),
        *part("section", "valueCode", one.section),
        *(
            {"url": "identifier", "valueIdentifier": {"system": police_id(ref.type.lower()), "value": ref.value}}
            for ref in one.references
            if text(ref.value)
        ),
    ]


def _note(one: Statement, people: dict[str, Json]) -> Json:
    about = [extension("statement-about", valueReference=people[ref]) for ref in one.about if ref in people]
    return {"extension": [extension("statement-kind", valueCode=one.kind), *about], "text": one.text}
