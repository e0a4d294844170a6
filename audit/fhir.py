"""An entry as a FHIR R4 AuditEvent in the shapes of IHE BALP (Basic Audit Log Patterns), as JSON ready to be written.

A shape says which act it was: who plays which part, and which profile that is. Which event has which shape is the
caller's to say; the room knows no event. A profile is claimed only where the entry holds what it asks for: BALP's REST
shapes are of acts that succeeded, a disclosure is about a patient, a decision about consent is of somebody who asked.

Nothing is told that the entry does not hold. Network addresses of callers are not sealed, so they are marked absent;
staff and systems are named by identifier, for there is no resource of them here; a patient is `Patient/` and the log's
subject reference, as in the accounting of disclosures. The log, the index and the leaf hash stand in an extension, so
that the event can be proved by the log it came from. Facts stay in the entry.

Source: FHIR R4 AuditEvent; profiles at https://profiles.ihe.net/ITI/BALP.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from audit.encoding import to_base64
from audit.entry import Entry, Operation, Outcome
from audit.shapes import (
    APPLICATION,
    BALP_CODES,
    DECIDED,
    DISCLOSED,
    PARTICIPATION,
    QUERIED,
    RECEIVED,
    SIGNED_IN,
    TERMINOLOGY,
    Coding,
    Shape,
)

Json = dict[str, Any]

BALP: Final = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/"
OUTCOMES: Final = {Outcome.PERMITTED: "0", Outcome.DENIED: "4", Outcome.FAILED: "8"}
"""The audit-event-outcome code of each outcome: success, minor failure, serious failure."""

_ENTITY: Final = f"{TERMINOLOGY}audit-entity-type"
_ROLE: Final = f"{TERMINOLOGY}object-role"
_RESOURCES: Final = "http://hl7.org/fhir/resource-types"
_ANY_OUTCOME: Final = (DISCLOSED, RECEIVED, DECIDED)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the log is kept. `site` is the gateway's address, which is also its name as a device.

    `namespace` is the base of the addresses of our own code systems and identifiers; `gateway` the client that entries
    name where the gateway acts by itself; `is_patient` tells patients from the other subjects by their reference.
    """

    site: str
    namespace: str
    log_id: str
    origin: str
    gateway: str
    is_patient: Callable[[str], bool]


def audit_event(id_: str, index: int, leaf_hash: bytes, entry: Entry, shape: Shape, setting: Setting) -> Json:
    """Return the AuditEvent of the entry at an index, in a shape."""
    profiles = [f"{BALP}{one}" for one in _claims(entry, shape, setting)]
    found: Json = {
        "resourceType": "AuditEvent",
        "id": id_,
        "meta": {"lastUpdated": entry.time} | ({"profile": profiles} if profiles else {}),
        "extension": [_sealed(index, leaf_hash, entry, setting)],
        "type": _coding(shape.type),
        "subtype": [_coding(shape.subtype)],
        "action": shape.action,
        "recorded": entry.time,
        "outcome": OUTCOMES[entry.outcome],
    }
    if entry.reason is not None:
        found["outcomeDesc"] = entry.reason
    if entry.purpose is not None:
        found["purposeOfEvent"] = [{"coding": [_coding((f"{setting.namespace}/CodeSystem/purpose", entry.purpose))]}]
    found["agent"] = list(_agents(entry, shape, setting))
    found["source"] = {
        "site": setting.origin,
        "observer": _device(setting),
        "type": [_coding((f"{TERMINOLOGY}security-source-type", "4"))],  # application server
    }
    found["entity"] = list(_entities(entry, shape, setting))
    return found


def policies(entry: Entry) -> list[str]:
    """Return what an entry was done under, as URIs: the agreement, its hash, the clauses."""
    of = entry.agreement
    named = [] if of is None else [f"urn:agreement:{of.id}:{of.version}", f"urn:sha256:{of.hash}"]
    return [*named, *(f"urn:clause:{one}" for one in entry.clauses)]


def _claims(entry: Entry, shape: Shape, setting: Setting) -> Iterator[str]:
    patients = [one for one in entry.subjects if setting.is_patient(one)]
    profile = shape.patient_profile if patients and shape.patient_profile else shape.profile
    if shape is DECIDED:  # the profile has one patient, and nothing beside
        asked = entry.actor.user is not None and entry.agreement is not None
        claimed = asked and len(patients) == len(entry.subjects) == 1
    else:
        claimed = entry.outcome is Outcome.PERMITTED or shape in _ANY_OUTCOME
    if claimed and profile is not None:
        yield profile
    if _token(entry, shape) is not None and entry.actor.client != setting.gateway:
        yield "IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive"


def _token(entry: Entry, shape: Shape) -> str | None:
    """Return the id of the token that was used, or issued; an act of administration may name another one."""
    if entry.operation is Operation.ADMINISTRATION and shape is not SIGNED_IN:
        return None
    token = (entry.detail or {}).get("token")
    return token if isinstance(token, str) else None


def _sealed(index: int, leaf_hash: bytes, entry: Entry, setting: Setting) -> Json:
    return {
        "url": f"{setting.namespace}/StructureDefinition/sealed-entry",
        "extension": [
            {"url": "log", "valueString": setting.origin},
            {"url": "index", "valueInteger": index},
            {"url": "leafHash", "valueBase64Binary": to_base64(leaf_hash)},
            {"url": "proof", "valueUrl": f"{setting.site}/audit/v1/logs/{setting.log_id}/entries/{index}/proof"},
            {"url": "event", "valueCode": entry.event},
            {"url": "operation", "valueCode": entry.operation.value},
        ],
    }


def _agents(entry: Entry, shape: Shape, setting: Setting) -> Iterator[Json]:
    """Yield who took part: the gateway, who it dealt with, the application, the user, organisations."""
    actor, recipients, outside = entry.actor, entry.recipients, entry.actor.client != setting.gateway
    told = recipients[0] if shape is DISCLOSED and recipients else None
    client = {"type": "Device", **_identified("client", actor.client, setting)} if outside else _device(setting)
    asks = actor.user is None
    under = {"policy": found} if (found := policies(entry)) else {}

    place: Json = (
        {} if shape is DECIDED else {"network": {"address": setting.site, "type": "5"}}
    )  # its profile wants none
    yield _agent(shape.server, _device(setting), **place)
    if told is not None:
        who = {"type": "Organization", **_identified("organisation", told.organisation, setting)}
        yield _agent(shape.client, who, altId=told.recipient, network=_UNKNOWN_NETWORK)
    else:
        more = under if shape.client == APPLICATION else {}
        yield _agent(shape.client, client, network=_UNKNOWN_NETWORK, requestor=asks, **more)
    if shape.client != APPLICATION:
        yield _agent(APPLICATION, client, requestor=asks, network=_UNKNOWN_NETWORK, **under)
    if actor.user is not None:
        yield _user(entry, shape, setting)
    if shape is SIGNED_IN:  # its profile has these agents and no other
        return
    who = {"type": "Organization", **_identified("organisation", actor.organisation, setting)}
    yield _agent((f"{TERMINOLOGY}v3-RoleClass", "PROV"), who)
    for one in recipients if told is None else recipients[1:]:
        who = {"type": "Organization", **_identified("organisation", one.organisation, setting)}
        yield _agent((PARTICIPATION, "PRCP"), who, altId=one.recipient)


def _user(entry: Entry, shape: Shape, setting: Setting) -> Json:
    who = {"type": "Practitioner", "identifier": {"system": setting.site, "value": entry.actor.user}}
    token = _token(entry, shape)
    found = _agent(shape.user, who, requestor=True, **({} if token is None else {"policy": [token]}))
    if entry.actor.role is not None:
        found["role"] = [{"coding": [_coding((f"{setting.namespace}/CodeSystem/role", entry.actor.role))]}]
    return found


def _agent(of: Coding, who: Json, *, requestor: bool = False, **more: object) -> Json:
    return {"type": {"coding": [_coding(of)]}, "who": who, "requestor": requestor, **more}


_UNKNOWN_NETWORK: Final = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "not-asked"}]
}


def _entities(entry: Entry, shape: Shape, setting: Setting) -> Iterator[Json]:
    """Yield what the act was on: people, the object, the agreement, the request."""
    if shape is SIGNED_IN:  # its profile has one entity
        yield _query("grant_type=client_credentials")
        return
    yield from _people(entry.subjects, setting)
    of = entry.agreement
    if of is not None:
        yield {
            "what": _identified("agreement", f"{of.id}:{of.version}", setting),
            "type": _coding((_RESOURCES, "Consent")),
        }
    if shape is DECIDED:  # its profile has people, the consent and the token
        token = _token(entry, shape)
        if token is not None:
            yield _token_entity(token)
        return
    if shape.role == QUERIED:
        yield _query(urlencode({"event": entry.event, **(entry.detail or {})}))
    else:
        yield _data(entry, shape, setting)
    if entry.request is not None:
        yield {
            "what": {"identifier": {"value": entry.request}},
            "type": _coding((f"{BALP_CODES}BasicAuditEntityType", "XrequestId")),
        }


def _people(subjects: Sequence[str], setting: Setting) -> Iterator[Json]:
    """Yield the first patient as BALP has it, which is of one; further ones and other people beside."""
    first = True
    for one in subjects:
        if not setting.is_patient(one):
            yield {"what": _identified("subject", one, setting), "type": _coding((_RESOURCES, "Person"))}
            continue
        kind = (_ENTITY, "1") if first else (_RESOURCES, "Patient")
        yield {"what": {"reference": f"Patient/{one}"}, "type": _coding(kind), "role": _coding((_ROLE, "1"))}
        first = False


def _token_entity(token: str) -> Json:
    return {
        "what": {"identifier": {"value": token}},
        "type": _coding((f"{BALP_CODES}UserAgentTypes", "UserOauthAgent")),
    }


def _query(text: str) -> Json:
    return {
        "type": _coding((_ENTITY, "2")),
        "role": _coding((_ROLE, QUERIED)),
        "query": b64encode(text.encode()).decode(),
    }


def _data(entry: Entry, shape: Shape, setting: Setting) -> Json:
    """Return what was acted on: the case, or else the record, or else the log; with what is said of it."""
    if entry.case is not None:
        what: Json = {"reference": f"ServiceRequest/{entry.case}"}
    elif entry.record is not None:
        what = _identified("record", entry.record, setting)
    else:
        what = _identified("log", setting.origin, setting)
    released, generalised, withheld = entry.items
    told = {
        "record": entry.record,
        "released": ",".join(released),
        "generalised": ",".join(generalised),
        "withheld": ",".join(withheld),
        "mapping": entry.mapping,
        "payload": entry.payload,
        "correlation": entry.correlation,
        **(entry.detail or {}),
    }
    details = [{"type": name, "valueString": str(value)} for name, value in told.items() if value not in {None, ""}]
    found: Json = {"what": what, "type": _coding((_ENTITY, "2")), "role": _coding((_ROLE, shape.role))}
    return found | ({"detail": details} if details else {})


def _device(setting: Setting) -> Json:
    return {"type": "Device", "identifier": {"system": "urn:ietf:rfc:3986", "value": setting.site}}


def _identified(kind: str, value: str, setting: Setting) -> Json:
    return {"identifier": {"system": f"{setting.namespace}/Id/{kind}", "value": value}}


def _coding(of: Coding) -> Json:
    return {"system": of[0], "code": of[1]}
