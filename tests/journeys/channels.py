"""Every way out of the gateway that discloses something, as a call to try; and every route that has no need to seal.

`CHANNELS` and `UNSEALED` together are all routes of the application: a new route belongs to one of them, or a test
fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
import orjson

from adapters.nhs.fhir import TYPES
from gateway.chance import fresh_id
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from tests.journeys.support import change, output, pushed, serial, size, status
from tests.support.world import World


@dataclass(frozen=True, slots=True)
class Case:
    """One referral that has feedback, and the ids of each resource type of it."""

    incident: str
    task: str
    ids: Mapping[str, str]


Call = Callable[[World, Case], httpx.Response]
AUDIT = f"/audit/v1/logs/{LOG}"
_JSON: Mapping[str, str] = {"Content-Type": "application/vnd.api+json"}


def case(world: World) -> Case:
    """Push an incident, accept its referral, and learn the id of one resource of each type."""
    reference, task = pushed(world)
    assert change(world, task, 1, status("accepted")).status_code == 200
    ids: dict[str, str] = {}
    for type_ in TYPES:
        answer = world.hospital.get(f"/fhir/R4/{type_}", params={"patient": f"{task}.victim-1"})
        found = answer.json().get("entry") if answer.status_code == 200 else None
        if found is None:  # Patient has no parameter that leads to itself
            found = world.hospital.get(f"/fhir/R4/{type_}", params={"_id": f"{task}.victim-1"}).json()["entry"]
        ids[type_] = found[0]["resource"]["id"]
    return Case(reference, task, ids)


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
    return change(world, case.task, int(task["meta"]["versionId"]), add)


def _search(type_: str) -> Call:
    if type_ == "Patient":
        return lambda w, c: w.hospital.get("/fhir/R4/Patient", params={"_id": c.ids["Patient"]})
    return lambda w, c: w.hospital.get(f"/fhir/R4/{type_}", params={"patient": c.ids["Patient"]})


def _read(type_: str) -> Call:
    return lambda w, c: w.hospital.get(f"/fhir/R4/{type_}/{c.ids[type_]}")


def _included(world: World, case: Case) -> httpx.Response:
    include = ["ServiceRequest:subject"]
    return world.hospital.get("/fhir/R4/ServiceRequest", params={"_id": case.task, "_include": include})


def _subject(world: World, case: Case) -> str:
    with world.services.database.reading() as connection:
        kind, value = "person", "ashdown|marianne|1991-02-03"
        found = world.services.records.find_subjects(connection, LOG, kind, value)
    assert found, case
    return found[0]


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
    ("GET", "/police/v1/feedback"): {"feedback": lambda w, _: w.police.get("/police/v1/feedback")},
    ("POST", "/police/v1/feedback/acknowledgements"): {
        "acknowledged": lambda w, _: w.police.post("/police/v1/feedback/acknowledgements?through=1"),
    },
    ("GET", "/fhir/R4/{type_}"): {
        **{f"search {type_}": _search(type_) for type_ in TYPES},
        "search with what is included": _included,
        "search without a result": lambda w, _: w.hospital.get("/fhir/R4/Task?_id=none"),
    },
    ("GET", "/fhir/R4/{type_}/{id_}"): {
        **{f"read {type_}": _read(type_) for type_ in TYPES},
        "read of none": lambda w, _: w.hospital.get(f"/fhir/R4/Task/{fresh_id()}"),
    },
    ("PUT", "/fhir/R4/Task/{id_}"): {"put": _put},
    ("PATCH", "/fhir/R4/Task/{id_}"): {
        "patch": _patch,
        "patch of none": lambda w, _: change(w, fresh_id(), 1, status("accepted")),
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
    ("GET", "/audit/v1/logs/{log_id}/pack"): {"pack": lambda w, _: w.auditor.get(f"{AUDIT}/pack")},
}
"""Every disclosing route, with the calls that try it."""

UNSEALED: Mapping[tuple[str, str], str] = {
    ("GET", "/fhir/R4/metadata"): "says what the server can do",
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
    ("GET", "/openapi.json"): "describes the interface",
    ("HEAD", "/openapi.json"): "describes the interface",
}
"""Every other route, with the reason why it seals nothing in the agreement's log."""

CALLS = [(route, name, call) for route, calls in CHANNELS.items() for name, call in calls.items()]
"""Each call as (route, name, call)."""
