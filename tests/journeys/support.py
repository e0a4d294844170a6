"""What the journeys share: a world on either engine, documents of a serial of their own, receipts checked from outside.

A world is shared by the tests of a module. They do not meet, because each takes a new serial for its incident.
"""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from adapters.nhs.fhir import CANONICAL
from audit import sql as log_sql
from audit.encoding import hash_from_base64
from audit.entry import Entry
from audit.proof import verify_inclusion
from audit.receipt import Receipt
from audit.tree import leaf_hash
from gateway.agreement import Agreement, State, parse, sign
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.demo.setting import CLIENTS
from gateway.evidence import OPERATOR_LOG
from gateway.initialise import party_key
from gateway.store.journal import Journal
from gateway.terms import ChangeState, DraftAgreement, SignAgreement
from gateway.tokens.clients import AddClient
from tests.support.world import World, client_key, copy_template, open_world, settings_for

JSON_API = "application/vnd.api+json"
PATCH = "application/json-patch+json"

_SERIALS = itertools.count(1000)


def serial() -> int:
    """A number no other test of this run has."""
    return next(_SERIALS)


@contextmanager
def world_on(engine: str, request: pytest.FixtureRequest, folder: Path, **more: Any) -> Iterator[World]:
    """The prepared world, copied, on an engine; for fixtures of a wider scope than one test."""
    template: Path = request.getfixturevalue("prepared_world")
    copy_template(template, folder, with_database=engine == "sqlite")
    url, drop = None, None
    if engine == "postgresql":
        server = request.getfixturevalue("postgres")
        name = f"j{serial()}"
        url, drop = server.create(name, request.getfixturevalue("postgres_world")), name
    world = open_world(settings_for(folder, url, **more))
    _known_at_once(world)
    try:
        yield world
    finally:
        world.close()
        if drop is not None:
            request.getfixturevalue("postgres").drop(drop)


def _known_at_once(world: World) -> None:
    """Have the register of clients read anew when the operator's log has grown, before anybody is told that it has."""
    journal, clients = world.services.journals.of(OPERATOR_LOG), world.services.clients

    def commit_and_forget(waiting: list[Any]) -> None:
        Journal._commit(journal, waiting)  # as it is at that moment: a test may look on
        clients._held = None

    journal._commit = commit_and_forget  # type: ignore[method-assign]  # a test's own journal


def pushed(world: World, **options: Any) -> tuple[str, str]:
    """Push a new incident; returns the gateway's references for it and for its referral."""
    answer = world.push(incident(serial(), **options))
    assert answer.status_code == 201, answer.text
    body = answer.json()
    return body["incident"], body["referrals"][0]["reference"]


def change(
    world: World, task: str, version: int, *patch: Mapping[str, Any], client: Client | None = None
) -> httpx.Response:
    """Patch a task that was read in this version."""
    return (client or world.hospital).patch(
        f"/fhir/R4/Task/{task}",
        content=orjson.dumps(patch),
        headers={"If-Match": f'W/"{version}"', "Content-Type": PATCH},
    )


def version_of(resource: Mapping[str, Any]) -> int:
    """The version of the referral that a resource was shown at: what stands in its versionId before the hyphen."""
    return int(resource["meta"]["versionId"].partition("-")[0])


def status(value: str) -> dict[str, Any]:
    """A change of a task's status."""
    return {"op": "replace", "path": "/status", "value": value}


def state(value: str) -> dict[str, Any]:
    """A change of a task's business status."""
    return {"op": "replace", "path": "/businessStatus/coding/0/code", "value": value}


def output(
    code: str,
    *,
    consent: str | None = None,
    value: str | None = None,
    consent_ref: str | None = None,
    expiry: str | None = None,
) -> dict[str, Any]:
    """Coded feedback as a Task takes it."""
    found: dict[str, Any] = {
        "type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/feedback", "code": code}]},
        "valueBoolean": True,
    }
    details = {"consent-state": consent, "feedback-value": value, "feedback-consent-ref": consent_ref}
    extension = [{"url": f"{CANONICAL}/StructureDefinition/{k}", "valueCode": v} for k, v in details.items() if v]
    if expiry:
        extension.append({"url": f"{CANONICAL}/StructureDefinition/feedback-expiry", "valueDateTime": expiry})
    return {**found, "extension": extension} if extension else found


def add_client(world: World, client_id: str, user: Mapping[str, str] | None = None, **about: Any) -> Client:
    """Register a client with the hospital's key, unless it is there, and sign it in."""
    key = client_key(world.keys_dir / "demo-hospital.pem")
    public = {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": "RS512"}
    if client_id not in world.services.clients.current().clients:
        unit = AddClient(client_id, **{"name": client_id, "jwks": {"keys": [public]}, **about})
        world.services.journals.of(OPERATOR_LOG).submit_and_wait(unit)
    return world.client(client_id, dict(user) if user else None, key)


def like(client_id: str, **changes: Any) -> dict[str, Any]:
    """What a client of the demonstration is bound to, with changes."""
    return {**CLIENTS[client_id], **changes}


def bring_into_force(world: World, change_content: Callable[[dict[str, Any]], object], log_id: str = LOG) -> Agreement:
    """Amend the agreement in force: a next version, signed by every party and activated."""
    terms = world.services.standing(log_id).terms
    assert terms is not None
    content: dict[str, Any] = orjson.loads(terms.agreement.canonical)
    content["version"] = terms.agreement.version + 1
    change_content(content)
    amended = parse(orjson.dumps(content))
    journal = world.services.journals.of(log_id)
    journal.submit_and_wait(DraftAgreement(amended))
    for party in amended.content.parties:
        key = party_key(world.keys_dir / f"party-{party.id}.pem")
        journal.submit_and_wait(SignAgreement(amended, sign(amended.hash, key, party.id)))
    journal.submit_and_wait(ChangeState(amended, State.IN_FORCE))
    return amended


@contextmanager
def in_its_time() -> Iterator[None]:
    """What is brought into force here came into force while its dates lasted; they may have run out since."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChangeState, "_check", lambda *_: None)
        yield


def set_state(world: World, wanted: State, log_id: str = LOG) -> None:
    """Move the version in force to another state."""
    terms = world.services.standing(log_id).terms
    assert terms is not None
    world.services.journals.of(log_id).submit_and_wait(ChangeState(terms.agreement, wanted))
    world.services.terms.forget(log_id)


def sealed(world: World, log_id: str = LOG, start: int = 0) -> list[Entry]:
    """Every entry of a log, by index, from one on."""
    with world.services.database.reading() as connection:
        stop = log_sql.read_head(connection, log_id).size
        return [one.entry() for one in log_sql.leaves(connection, log_id, start, stop)]


def last(world: World, log_id: str = LOG) -> Entry:
    """The newest entry of a log."""
    return entry_at(world, size(world, log_id) - 1, log_id)


def entry_at(world: World, index: int, log_id: str = LOG) -> Entry:
    """One committed entry."""
    with world.services.database.reading() as connection:
        return log_sql.entry(connection, log_id, index).entry()


def size(world: World, log_id: str = LOG) -> int:
    """How many entries are committed."""
    with world.services.database.reading() as connection:
        return log_sql.read_head(connection, log_id).size


def receipts_in(answer: httpx.Response) -> list[Receipt]:
    """Every whole receipt an answer carries, and the one its header names where it carries none."""
    found: list[Receipt] = []
    if answer.content and answer.headers.get("content-type", "").partition(";")[0].endswith(("/json", "+json")):
        body = answer.json()
        _collect(body, _checkpoint(body), found)
    return found


def header_index(answer: httpx.Response) -> int:
    """The index that the receipt header names."""
    found = re.fullmatch(r'log="[^"]+", index=(\d+), proof="[^"]+"', answer.headers["Gateway-Receipt"])
    assert found is not None
    return int(found[1])


def verified(world: World, receipt: Receipt, log_id: str = LOG) -> Entry:
    """Check a receipt as an outsider does, and that the entry it names is the one committed; returns that entry."""
    with world.services.database.reading() as connection:
        stored = log_sql.entry(connection, log_id, receipt.index)
    assert leaf_hash(stored.body) == stored.leaf_hash == receipt.leaf
    checkpoint = receipt.verify(world.services.signer(log_id).verifier)
    verify_inclusion(receipt.index, checkpoint.size, receipt.leaf, receipt.path, checkpoint.root)
    return stored.entry()


def _checkpoint(body: Any) -> str | None:
    extensions = body.get("meta", {}).get("extension", []) if isinstance(body, dict) else []
    return next((one["valueString"] for one in extensions if one["url"].endswith("/checkpoint")), None)


def _collect(value: Any, checkpoint: str | None, found: list[Receipt]) -> None:
    if isinstance(value, list):
        for one in value:
            _collect(one, checkpoint, found)
    elif isinstance(value, dict):
        if {"log", "index", "leaf_hash", "hashes", "checkpoint"} <= value.keys():
            leaf, path = hash_from_base64(value["leaf_hash"]), tuple(map(hash_from_base64, value["hashes"]))
            found.append(Receipt(value["log"], value["index"], leaf, path, value["checkpoint"]))
        elif str(value.get("url", "")).endswith("/receipt") and checkpoint is not None:
            parts = value["extension"]
            one = {part["url"]: next(v for k, v in part.items() if k != "url") for part in parts}
            path = tuple(base64.b64decode(p["valueBase64Binary"]) for p in parts if p["url"] == "hash")
            found.append(Receipt(one["log"], one["index"], base64.b64decode(one["leafHash"]), path, checkpoint))
        for one in value.values():
            _collect(one, checkpoint, found)
