"""Every way out of the gateway that discloses something, as a call to try; and every route that has no need to seal.

`CHANNELS` and `UNSEALED` together are all routes of the application: a new route belongs to one of them, or a test
fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import orjson

from adapters.nhs.fhir import TYPES
from gateway.agreement import shipped
from gateway.chance import fresh_id
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.linking.looking import link_waiting
from gateway.linking.unreviewed import open_matches
from gateway.matching.model import shipped as shipped_model
from gateway.tracing import planning, steps
from tests.journeys.casework_channels import CASEWORK_CHANNELS
from tests.journeys.console_channels import CONSOLE_CHANNELS, CONSOLE_UNSEALED, everybody
from tests.journeys.hospital_channels import HOSPITAL_CHANNELS, NOTICE_CALLS, Hospital, hospital
from tests.journeys.support import change, output, pushed, serial, size, status, version_of
from tests.support.bars import answer as answer_message
from tests.support.bars import post as message
from tests.support.bars import request as notice_message
from tests.support.evaluation import evaluator
from tests.support.world import World


@dataclass(frozen=True, slots=True)
class Case:
    """One referral that has feedback, and the ids of each resource type of it."""

    incident: str
    task: str
    ids: Mapping[str, str]
    stopped: str
    held: str
    batch: str
    contact: str
    match: str
    trace: str
    hospital: Hospital


IN_EMERGENCY = {"id": "idva-emergency", "role": "idva"}
CONNECTED = {"id": "idva-connected", "role": "idva"}
"""Advisers who do what the others need not: they are signed in with the case."""

Call = Callable[[World, Case], httpx.Response]
AUDIT = f"/audit/v1/logs/{LOG}"
_JSON: Mapping[str, str] = {"Content-Type": "application/vnd.api+json"}
_NDJSON: Mapping[str, str] = {"Content-Type": "application/x-ndjson"}


def case(world: World) -> Case:
    """Push an incident, accept its referral, and learn the id of one resource of each type.

    Beside it stand a referral whose victim withdrew, and an incident that waits for a human.
    """
    for user in (IN_EMERGENCY, CONNECTED):
        world.client("demo-hospital", user)
    evaluator(world)
    everybody(world)
    _, stopped = pushed(world)
    assert world.hospital.post(f"/team/v1/referrals/{stopped}/consent", json={"state": "withdrawn"}).is_success
    held = world.push(incident(serial(), consent="REFUSED")).json()["held"]["reference"]
    assert world.guardian.get("/health/live").is_success
    reference, task = pushed(world)
    assert change(world, task, 1, status("accepted")).status_code == 200
    ids: dict[str, str] = {}
    for type_ in TYPES:
        answer = world.hospital.get(f"/fhir/R4/{type_}", params={"patient": f"{task}.victim-1"})
        found = answer.json().get("entry") if answer.status_code == 200 else None
        if found is None:  # Patient has no parameter that leads to itself
            found = world.hospital.get(f"/fhir/R4/{type_}", params={"_id": f"{task}.victim-1"}).json()["entry"]
        ids[type_] = found[0]["resource"]["id"]
    batch = world.police.post("/police/v1/batches", content=b"{\n", headers=_NDJSON).json()["batch"]
    contact = world.hospital.post("/team/v1/co-responses", json=at_the_scene()).json()["co_response"]
    return Case(
        reference,
        task,
        ids,
        stopped,
        held,
        batch,
        contact,
        match_of(world),
        trace_of(world, task),
        hospital(world, task),
    )


def match_of(world: World) -> str:
    """Two incidents whose victims may be one person, and what waits for somebody to say so."""
    services = world.services
    for given in ("Zelda", "Zuleika"):
        document = incident(serial())
        victim = document["data"]["relationships"]["victim"]["data"][0]["id"]
        person = next(one for one in document["included"] if one["id"] == victim)
        person["attributes"] |= {"surname": "Doubtly", "givenName": [given]}
        assert world.push(document).status_code == 201
    link_waiting(services.database, services.journals, services.records, shipped_model(), LOG)
    return open_match_of(world)


def open_match_of(world: World) -> str:
    """A match nobody has decided: a decision is made once, and tests run in any order."""
    with world.services.database.reading() as connection:
        found: str = open_matches(connection, LOG)[0].id
    return found


def trace_of(world: World, task: str) -> str:
    """A trace of a referral's victim that waits for a person: too little was known to ask."""
    services = world.services
    with services.database.reading() as connection:
        row = next(one for one in planning.unplanned(connection, LOG, ["RXL"], 500) if one.id == task)
    journal, standing = services.journals.of(LOG), services.standing(LOG)
    journal.submit_and_wait(planning.Plan(planning.Planned(row, None, numbered=False)))
    with services.database.reading() as connection:
        trace = planning.earlier(connection, row)
    assert trace is not None
    journal.submit_and_wait(steps.Unaskable(trace, "not-enough-known", standing, datetime.now(UTC)))
    found: str = trace.id
    return found


def at_the_scene() -> dict[str, str]:
    """A contact that no record is known of."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"force": "04", "log": f"LC-20260413-{serial()}", "at": now, "contact": "spoken-to"}


def _read_again(world: World, case: Case) -> httpx.Response:
    """A conditional read: what is held already is confirmed."""
    path = f"/fhir/R4/Patient/{case.ids['Patient']}"
    read = world.hospital.get(path)
    tag = read.headers.get("ETag")
    return world.hospital.get(path, headers={"If-None-Match": tag}) if tag else read


def _put(world: World, case: Case) -> httpx.Response:
    read = world.hospital.get(f"/fhir/R4/Task/{case.task}")
    if read.status_code != httpx.codes.OK:
        return read
    task = read.json()
    headers = {"If-Match": read.headers["ETag"], "Content-Type": "application/fhir+json"}
    body = {**task, "output": [*task.get("output", []), output("contact-attempted")]}
    return world.hospital.http.put(f"/fhir/R4/Task/{case.task}", content=orjson.dumps(body), headers=headers)


def _patch(world: World, case: Case) -> httpx.Response:
    read = world.hospital.get(f"/fhir/R4/Task/{case.task}")
    if read.status_code != httpx.codes.OK:
        return read
    task = read.json()
    add = {"op": "add", "path": "/output", "value": [*task.get("output", []), output("contact-attempted")]}
    return change(world, case.task, version_of(task), add)


def _search(type_: str) -> Call:
    if type_ == "Patient":
        return lambda w, c: w.hospital.get("/fhir/R4/Patient", params={"_id": c.ids["Patient"]})
    return lambda w, c: w.hospital.get(f"/fhir/R4/{type_}", params={"patient": c.ids["Patient"]})


def _read(type_: str) -> Call:
    return lambda w, c: w.hospital.get(f"/fhir/R4/{type_}/{c.ids[type_]}")


def _token(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.hospital.sign_in()['access_token']}"}


def _included(world: World, case: Case) -> httpx.Response:
    include = ["ServiceRequest:subject"]
    return world.hospital.get("/fhir/R4/ServiceRequest", params={"_id": case.task, "_include": include})


def _batch(world: World, kind: str, *urls: str, base: str = "") -> httpx.Response:
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    body = {"resourceType": "Bundle", "type": kind, "entry": entries}
    return world.hospital.post(f"/fhir/R4{base}", json=body, headers={"Content-Type": "application/fhir+json"})


def _subject(world: World, case: Case) -> str:
    with world.services.database.reading() as connection:
        kind, value = "person", "ashdown|marianne|1991-02-03"
        found = world.services.records.find_subjects(connection, LOG, kind, value)
    assert found, case
    return found[0]


_SAID = {"to": "idva-team", "items": ["victim.name"], "said_at": "2026-04-12T21:15:00+01:00", "channel": "by-phone"}
_SMASH = {"ground": "life-or-limb", "reason": "He is at the door."}
_REVIEW = {"outcome": "justified"}
_WHY = {"Gateway-Reason": "review"}
_OVERRIDE = {
    "ground": "serious-crime",
    "evidence": "Two calls in a night.",
    "proportionality": "No lesser step would do.",
    "minimum_set": "What an adviser needs to ring her.",
    "victim_told": "yes",
}
_PERSON = {"family": "Ashdown", "given": "Marianne", "birth_date": "1991-02-03"}

CHANNELS: Mapping[tuple[str, str], Mapping[str, Call]] = {
    ("POST", "/police/v1/incidents"): {
        "accepted": lambda w, _: w.push(incident(serial())),
        "held": lambda w, _: w.push(incident(serial(), handling="C")),
        "refused": lambda w, _: w.push(incident(serial(), marking="SECRET")),
        "unreadable": lambda w, _: w.police.post("/police/v1/incidents", content=b"{", headers=_JSON),
        "too large": lambda w, _: w.police.post("/police/v1/incidents", content=b" " * 2_000_000, headers=_JSON),
    },
    ("GET", "/police/v1/incidents/{reference}"): {
        "state": lambda w, c: w.police.get(f"/police/v1/incidents/{c.incident}"),
        "no such incident": lambda w, _: w.police.get(f"/police/v1/incidents/{fresh_id()}"),
    },
    ("POST", "/police/v1/batches"): {
        "batch": lambda w, _: w.police.post(
            "/police/v1/batches", content=orjson.dumps(incident(serial())) + b"\n{\n", headers=_NDJSON
        ),
    },
    ("GET", "/police/v1/batches"): {"batches": lambda w, _: w.police.get("/police/v1/batches")},
    ("GET", "/police/v1/batches/{batch_id}"): {
        "a batch": lambda w, c: w.police.get(f"/police/v1/batches/{c.batch}"),
        "no such batch": lambda w, _: w.police.get(f"/police/v1/batches/{fresh_id()}"),
    },
    ("GET", "/police/v1/batches/{batch_id}/rows"): {
        "rows of a batch": lambda w, c: w.police.get(f"/police/v1/batches/{c.batch}/rows"),
        "rows as CSV": lambda w, c: w.police.get(f"/police/v1/batches/{c.batch}/rows", headers={"Accept": "text/csv"}),
        "rows of none": lambda w, _: w.police.get(f"/police/v1/batches/{fresh_id()}/rows"),
    },
    ("GET", "/police/v1/feedback"): {"feedback": lambda w, _: w.police.get("/police/v1/feedback")},
    ("POST", "/police/v1/feedback/acknowledgements"): {
        "acknowledged": lambda w, _: w.police.post("/police/v1/feedback/acknowledgements?through=1"),
    },
    ("POST", "/police/v1/incidents/{reference}/oral-disclosures"): {
        "said at the scene": lambda w, c: w.police.post(
            f"/police/v1/incidents/{c.incident}/oral-disclosures", json=_SAID
        ),
    },
    ("GET", "/team/v1/traces"): {"traces": lambda w, _: w.hospital.get("/team/v1/traces")},
    ("GET", "/team/v1/traces/{trace_id}"): {
        "trace": lambda w, c: w.hospital.get(f"/team/v1/traces/{c.trace}"),
        "no such trace": lambda w, _: w.hospital.get(f"/team/v1/traces/{fresh_id()}"),
    },
    ("POST", "/team/v1/traces/{trace_id}/decision"): {
        "trace decided": lambda w, c: w.hospital.post(f"/team/v1/traces/{c.trace}/decision", json={"outcome": "noted"}),
    },
    ("POST", "/team/v1/referrals/{id_}/oral-disclosures"): {
        "said by phone": lambda w, c: w.hospital.post(
            f"/team/v1/referrals/{c.task}/oral-disclosures",
            json={**_SAID, "to": "police-officer", "items": ["engagement.status"]},
        ),
    },
    ("GET", "/team/v1/referrals/{id_}/demographics"): {
        "what the hospital says": lambda w, c: w.hospital.get(f"/team/v1/referrals/{c.task}/demographics"),
        "of no case of the team's": lambda w, _: w.hospital.get(f"/team/v1/referrals/{fresh_id()}/demographics"),
    },
    ("POST", "/team/v1/referrals/{id_}/demographics/{proposal}"): {
        "no such proposal": lambda w, c: w.hospital.post(
            f"/team/v1/referrals/{c.task}/demographics/{fresh_id()}", json={"decision": "used"}
        ),
    },
    ("POST", "/team/v1/referrals/{id_}/consent"): {
        "she agrees": lambda w, c: w.hospital.post(f"/team/v1/referrals/{c.task}/consent", json={"state": "given"}),
    },
    ("POST", "/team/v1/referrals/{id_}/break-glass"): {
        "not needed": lambda w, c: w.hospital.post(f"/team/v1/referrals/{c.task}/break-glass", json=_SMASH),
        "opened": lambda w, c: w.client("demo-hospital", IN_EMERGENCY).post(
            f"/team/v1/referrals/{c.stopped}/break-glass", json=_SMASH
        ),
        "of none": lambda w, _: w.hospital.post(f"/team/v1/referrals/{fresh_id()}/break-glass", json=_SMASH),
    },
    ("POST", "/team/v1/referrals/{id_}/connection"): {
        "declared": lambda w, c: w.client("demo-hospital", CONNECTED).post(f"/team/v1/referrals/{c.task}/connection"),
    },
    ("GET", "/notices/v1"): {
        "notices": lambda w, _: w.hospital.get("/notices/v1"),
        "notices of police": lambda w, _: w.police.get("/notices/v1?state=all"),
    },
    ("POST", "/notices/v1/{notice_id}/acknowledgement"): {
        "of none": lambda w, _: w.hospital.post(f"/notices/v1/{fresh_id()}/acknowledgement"),
    },
    ("GET", "/governance/v1/holds"): {"holds": lambda w, _: w.guardian.get("/governance/v1/holds")},
    ("GET", "/governance/v1/deliveries"): {
        "deliveries": lambda w, _: w.guardian.get("/governance/v1/deliveries"),
        "deliveries that wait": lambda w, _: w.guardian.get("/governance/v1/deliveries?state=waiting"),
    },
    ("POST", "/governance/v1/deliveries/{delivery_id}/renewal"): {
        "of none": lambda w, _: w.guardian.post(f"/governance/v1/deliveries/{fresh_id()}/renewal"),
    },
    ("GET", "/governance/v1/matches"): {"matches": lambda w, _: w.guardian.get("/governance/v1/matches")},
    ("GET", "/governance/v1/matches/{match_id}"): {
        "match": lambda w, c: w.guardian.get(f"/governance/v1/matches/{c.match}"),
        "no such match": lambda w, _: w.guardian.get(f"/governance/v1/matches/{fresh_id()}"),
    },
    ("POST", "/governance/v1/matches/{match_id}/decision"): {
        "decided": lambda w, _: w.guardian.post(
            f"/governance/v1/matches/{open_match_of(w)}/decision", json={"outcome": "different"}
        ),
    },
    ("POST", "/governance/v1/matches/{match_id}/undo"): {
        "of none": lambda w, _: w.guardian.post(f"/governance/v1/matches/{fresh_id()}/undo", json={"reason": "told"}),
    },
    ("POST", "/governance/v1/holds/replay"): {
        "replayed": lambda w, _: w.guardian.post("/governance/v1/holds/replay", json={"reason": "malformed"}),
        "tried": lambda w, _: w.guardian.post("/governance/v1/holds/replay", json={"dry_run": True}),
    },
    ("GET", "/governance/v1/holds/{hold_id}"): {
        "hold": lambda w, c: w.guardian.get(f"/governance/v1/holds/{c.held}"),
        "no such hold": lambda w, _: w.guardian.get(f"/governance/v1/holds/{fresh_id()}"),
    },
    ("POST", "/governance/v1/holds/{hold_id}/release"): {
        "released": lambda w, c: w.guardian.post(f"/governance/v1/holds/{c.held}/release", json=_OVERRIDE),
    },
    ("POST", "/governance/v1/holds/{hold_id}/keep"): {
        "kept back": lambda w, c: w.guardian.post(f"/governance/v1/holds/{c.held}/keep", json={"reason": "wishes"}),
    },
    ("POST", "/governance/v1/referrals/{referral_id}/override"): {
        "overridden": lambda w, c: w.guardian.post(f"/governance/v1/referrals/{c.stopped}/override", json=_OVERRIDE),
    },
    ("GET", "/governance/v1/outstanding"): {"outstanding": lambda w, _: w.guardian.get("/governance/v1/outstanding")},
    ("POST", "/governance/v1/break-glass/{id_}/review"): {
        "of none": lambda w, _: w.guardian.post(f"/governance/v1/break-glass/{fresh_id()}/review", json=_REVIEW),
    },
    ("GET", "/governance/v1/break-glass/{id_}/words"): {
        "words of none": lambda w, _: w.guardian.get(f"/governance/v1/break-glass/{fresh_id()}/words", headers=_WHY),
    },
    ("GET", "/governance/v1/overrides/{id_}/words"): {
        "words of none": lambda w, _: w.guardian.get(f"/governance/v1/overrides/{fresh_id()}/words", headers=_WHY),
    },
    ("POST", "/governance/v1/overrides/{id_}/review"): {
        "of none": lambda w, _: w.guardian.post(f"/governance/v1/overrides/{fresh_id()}/review", json=_REVIEW),
    },
    ("POST", "/team/v1/co-responses"): {
        "a contact at the scene": lambda w, _: w.hospital.post("/team/v1/co-responses", json=at_the_scene()),
    },
    ("GET", "/team/v1/co-responses"): {"contacts": lambda w, _: w.hospital.get("/team/v1/co-responses")},
    ("GET", "/team/v1/co-responses/{id_}"): {
        "a contact": lambda w, c: w.hospital.get(f"/team/v1/co-responses/{c.contact}"),
        "a contact of none": lambda w, _: w.hospital.get(f"/team/v1/co-responses/{fresh_id()}"),
    },
    ("POST", "/team/v1/co-responses/{id_}/details"): {
        "details later": lambda w, c: w.hospital.post(
            f"/team/v1/co-responses/{c.contact}/details", json={"details": "She asked for a call after six."}
        ),
    },
    ("GET", "/governance/v1/co-responses/{id_}"): {
        "a contact that waits": lambda w, c: w.guardian.get(f"/governance/v1/co-responses/{c.contact}"),
    },
    ("POST", "/governance/v1/co-responses/{id_}/join"): {
        "a contact to no referral": lambda w, c: w.guardian.post(
            f"/governance/v1/co-responses/{c.contact}/join", json={"referral": fresh_id(), "reason": "wrong-log"}
        ),
    },
    ("POST", "/governance/v1/co-responses/{id_}/close"): {
        "no contact is closed": lambda w, _: w.guardian.post(
            f"/governance/v1/co-responses/{fresh_id()}/close", json={"reason": "no-record"}
        ),
    },
    ("POST", "/governance/v1/staff"): {
        "registered": lambda w, _: w.guardian.post(
            "/governance/v1/staff", json={"user": f"idva-{serial()}", "family_names": ["Example"]}
        ),
    },
    ("GET", "/fhir/R4/{type_}"): {
        **{f"search {type_}": _search(type_) for type_ in TYPES},
        "search with what is included": _included,
        "search without a result": lambda w, _: w.hospital.get("/fhir/R4/Task?_id=none"),
    },
    ("POST", "/fhir/R4/{type_}/_search"): {
        "search by a form": lambda w, c: w.hospital.post("/fhir/R4/Task/_search", data={"_id": c.task}),
        "search by name": lambda w, _: w.hospital.post("/fhir/R4/Patient/_search", data={"family": "Ashdown"}),
        "search by form without a result": lambda w, _: w.hospital.post(
            "/fhir/R4/Patient/_search", data={"identifier": "9990000018"}
        ),
        "count": lambda w, _: w.hospital.post("/fhir/R4/Task/_search", data={"_summary": "count"}),
    },
    ("GET", "/fhir/R4/ServiceRequest/{id_}/$everything"): {
        "everything": lambda w, c: w.hospital.get(f"/fhir/R4/ServiceRequest/{c.task}/$everything"),
        "everything of none": lambda w, _: w.hospital.get(f"/fhir/R4/ServiceRequest/{fresh_id()}/$everything"),
    },
    **HOSPITAL_CHANNELS,
    **CASEWORK_CHANNELS,
    **CONSOLE_CHANNELS,
    ("POST", "/fhir/R4"): {
        **NOTICE_CALLS,
        "batch of reads": lambda w, c: _batch(w, "batch", f"Task/{c.task}", "Task?_count=2", f"Task/{fresh_id()}"),
        "transaction of reads": lambda w, c: _batch(w, "transaction", f"Task/{c.task}", f"ServiceRequest/{c.task}"),
        "batch of none": lambda w, _: _batch(w, "batch", f"Task/{fresh_id()}"),
    },
    ("POST", "/fhir/R4/"): {"batch at the base": lambda w, c: _batch(w, "batch", f"Flag/{c.task}.flag", base="/")},
    ("GET", "/fhir/R4/{type_}/{id_}"): {
        **{f"read {type_}": _read(type_) for type_ in TYPES},
        "read of none": lambda w, _: w.hospital.get(f"/fhir/R4/Task/{fresh_id()}"),
        "read again": _read_again,
    },
    ("HEAD", "/fhir/R4/{type_}/{id_}"): {
        "head": lambda w, c: w.hospital.http.head(f"/fhir/R4/Patient/{c.ids['Patient']}"),
        "head of none": lambda w, _: w.hospital.http.head(f"/fhir/R4/Task/{fresh_id()}"),
    },
    ("POST", "/bars/FHIR/R4/$process-message"): {
        "a notice by message": lambda w, _: message(w, notice_message()),
        "an answer to nothing of ours": lambda w, _: message(w, answer_message(fresh_id())),
        "a message that nobody can read": lambda w, _: message(w, b"{"),
    },
    ("PUT", "/fhir/R4/Task/{id_}"): {"put": _put},
    ("PATCH", "/fhir/R4/Task/{id_}"): {
        "patch": _patch,
        "patch of none": lambda w, _: change(w, fresh_id(), 1, status("accepted")),
    },
    ("GET", "/fhir/R4/AuditEvent"): {
        "audit events": lambda w, _: w.auditor.get("/fhir/R4/AuditEvent?_count=3"),
        "audit events, none": lambda w, _: w.auditor.get("/fhir/R4/AuditEvent?date=lt2020"),
    },
    ("POST", "/fhir/R4/AuditEvent/_search"): {
        "audit events by form": lambda w, _: w.auditor.post("/fhir/R4/AuditEvent/_search", data={"_count": "3"}),
    },
    ("GET", "/fhir/R4/AuditEvent/{id_}"): {
        "audit event": lambda w, _: w.auditor.get(f"/fhir/R4/AuditEvent/{LOG}.3"),
        "audit event of none": lambda w, _: w.auditor.get(f"/fhir/R4/AuditEvent/{LOG}.999999"),
    },
    ("GET", "/audit/v1/logs/{log_id}/export"): {
        "export as CSV": lambda w, _: w.auditor.get(f"{AUDIT}/export?format=csv"),
        "export as NDJSON": lambda w, _: w.auditor.get(f"{AUDIT}/export?format=ndjson"),
    },
    ("GET", "/audit/v1/logs/{log_id}/checkpoint"): {"checkpoint": lambda w, _: w.auditor.get(f"{AUDIT}/checkpoint")},
    ("GET", "/audit/v1/logs/{log_id}/entries"): {"entries": lambda w, _: w.auditor.get(f"{AUDIT}/entries")},
    ("GET", "/audit/v1/logs/{log_id}/entries/{index}"): {"entry": lambda w, _: w.auditor.get(f"{AUDIT}/entries/3")},
    ("GET", "/audit/v1/logs/{log_id}/consistency"): {
        "consistency": lambda w, _: w.auditor.get(f"{AUDIT}/consistency?first=2&second={size(w)}"),
    },
    ("POST", "/audit/v1/logs/{log_id}/subjects"): {
        "subjects": lambda w, _: w.auditor.post(f"{AUDIT}/subjects", json=_PERSON),
    },
    ("GET", "/audit/v1/logs/{log_id}/subjects/{subject}/disclosures"): {
        "disclosures": lambda w, c: w.auditor.get(f"{AUDIT}/subjects/{_subject(w, c)}/disclosures"),
    },
    ("GET", "/audit/v1/logs/{log_id}/witnesses"): {"witnesses": lambda w, _: w.auditor.get(f"{AUDIT}/witnesses")},
    ("GET", "/audit/v1/logs/{log_id}/findings"): {"findings": lambda w, _: w.auditor.get(f"{AUDIT}/findings")},
    ("GET", "/evaluation/v1/report"): {"evaluation": lambda w, _: evaluator(w).get("/evaluation/v1/report")},
    ("GET", "/agreements/v1"): {"agreements": lambda w, _: w.guardian.get("/agreements/v1")},
    ("GET", "/agreements/v1/{agreement_id}"): {"agreement": lambda w, _: w.guardian.get(f"/agreements/v1/{LOG}")},
    ("GET", "/agreements/v1/{agreement_id}/versions/{version}"): {
        "agreement, its text": lambda w, _: w.guardian.get(f"/agreements/v1/{LOG}/versions/1"),
    },
    ("GET", "/agreements/v1/{agreement_id}/versions/{version}/document.html"): {
        "agreement, as a page": lambda w, _: w.guardian.get(f"/agreements/v1/{LOG}/versions/1/document.html"),
    },
    ("GET", "/agreements/v1/{agreement_id}/versions/{version}/document.pdf"): {
        "agreement, on paper": lambda w, _: w.guardian.get(f"/agreements/v1/{LOG}/versions/1/document.pdf"),
    },
    ("GET", "/agreements/v1/{agreement_id}/diff"): {
        "agreement, compared": lambda w, _: w.guardian.get(f"/agreements/v1/{LOG}/diff?from=1&to=1"),
    },
    ("POST", "/agreements/v1/{agreement_id}/explain"): {
        "explained, of none": lambda w, _: w.guardian.post(
            f"/agreements/v1/{LOG}/explain", json={"recipient": "idva-team", "incident": fresh_id()}
        ),
    },
    ("POST", "/agreements/v1/{agreement_id}/replay"): {
        "a candidate tried": lambda w, _: w.auditor.post(
            f"/agreements/v1/{LOG}/replay", content=shipped().text, headers={"Content-Type": "application/yaml"}
        ),
    },
    ("GET", "/audit/v1/logs/{log_id}/pack"): {"pack": lambda w, _: w.auditor.get(f"{AUDIT}/pack")},
}
"""Every disclosing route, with the calls that try it."""

UNSEALED: Mapping[tuple[str, str], str] = {
    ("POST", "/agreements/v1/check"): "judges a text the caller brought, and keeps nothing of it",
    ("POST", "/agreements/v1"): "discloses nothing, and is sealed as a step of the agreement: see test_web_agreements",
    ("POST", "/agreements/v1/{agreement_id}/versions/{version}/signatures"): "as above",
    ("POST", "/agreements/v1/{agreement_id}/versions/{version}/state"): "as above",
    ("GET", "/fhir/R4/metadata"): "says what the server can do",
    ("GET", "/fhir/R4/.well-known/smart-configuration"): "as above",
    ("GET", "/fhir/R4/Questionnaire"): "holds the words of the risk instruments, and nothing of anybody",
    ("GET", "/fhir/R4/Questionnaire/{id_}"): "as above",
    ("HEAD", "/fhir/R4/Questionnaire/{id_}"): "as above",
    **dict.fromkeys(
        (
            ("GET", "/fhir/R4/_history"),
            ("GET", "/fhir/R4/{type_}/_history"),
            ("GET", "/fhir/R4/{type_}/{id_}/_history"),
            ("GET", "/fhir/R4/{type_}/{id_}/_history/{version_id}"),
        ),
        "looks nothing up: earlier versions are not served, whatever they are asked of",
    ),
    ("POST", "/fhir/R4/Subscription"): "discloses nothing, and is sealed as a step: see test_subscriptions",
    ("DELETE", "/fhir/R4/Subscription/{id_}"): "as above",
    ("GET", "/fhir/R4/Subscription"): "gives back what the client registered itself, and nothing of a case",
    ("GET", "/fhir/R4/Subscription/{id_}"): "as above",
    ("GET", "/bars/FHIR/R4/metadata"): "says what the server can do",
    ("GET", "/bars/FHIR/R4/MessageDefinition"): "as above",
    ("GET", "/health/live"): "says that the process runs",
    ("GET", "/health/ready"): "says that the database answers",
    ("GET", "/metrics"): "counts by room and status class",
    ("GET", "/.well-known/oauth-authorization-server"): "says what the token server can do",
    ("GET", "/.well-known/jwks.json"): "gives a public key",
    ("POST", "/oauth2/token"): "sealed in the operator's log: see test_tokens_server",
    ("POST", "/oauth2/introspect"): "sealed in the operator's log: see test_tokens_endpoints",
    ("POST", "/oauth2/revoke"): "sealed in the operator's log: see test_tokens_endpoints",
    ("GET", "/audit/v1/logs"): "names the logs that the token names, their sizes and public keys",
    ("GET", "/audit/v1/logs/{log_id}/entries/{index}/proof"): "hashes alone",
    ("GET", "/audit/v1/logs/{log_id}/witness/checkpoint"): "hashes alone; an entry for each would outrun the witness",
    ("GET", "/audit/v1/logs/{log_id}/witness/consistency"): "hashes alone; as above",
    ("POST", "/audit/v1/logs/{log_id}/cosignatures"): "takes a signature and gives nothing",
    **CONSOLE_UNSEALED,
    **dict.fromkeys(
        (
            ("GET", "/console/sign-in"),
            ("GET", "/console/signed-in"),
            ("GET", "/console/sign-out"),
            ("POST", "/console/sign-out"),
            ("GET", "/console/signed-out"),
            ("POST", "/openid/back-channel-logout"),
            ("GET", "/provider/authorize"),
            ("POST", "/provider/authorize"),
            ("POST", "/provider/token"),
        ),
        "tells of nobody but who asks; signing in and out is sealed in the operator's log: see tests/console",
    ),
    ("GET", "/provider/.well-known/openid-configuration"): "says what the embedded provider can do",
    ("GET", "/provider/keys"): "gives a public key",
    ("GET", "/openapi.json"): "describes the interface",
    ("HEAD", "/openapi.json"): "describes the interface",
}
"""Every other route, with the reason why it seals nothing in the agreement's log."""

CALLS = [(route, name, call) for route, calls in CHANNELS.items() for name, call in calls.items()]
"""Each call as (route, name, call)."""
