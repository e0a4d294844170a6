"""Referrals as BaRS-style messages over real HTTPS, what a trust answers, and the file that stands in for it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from sqlalchemy import update

from adapters.nhs import bars
from adapters.nhs.fhir import LIMITS
from gateway import errors
from gateway.bars.channel import ITEMS, PREFIX, TAG, BarsChannel
from gateway.delivery.channel import Channel
from gateway.delivery.courier import Courier
from gateway.delivery.endpoints import EndpointRefused, RemoveEndpoint
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG, Event
from gateway.store import tables
from gateway.web.bars import FAULTS
from gateway.webhook.signing import COVERED, Signer
from tests.gateway.delivery_support import endpoint_unit, finding
from tests.journeys.support import pushed, sealed, serial, size, world_on
from tests.support.bars import BOOKING, answer, headers, post, request
from tests.support.receiver import HANG, RESET, Got, Receiver, receiver
from tests.support.shared import shared_data
from tests.support.world import World

SERVICE = "https://fhir.nhs.uk/Id/dos-service-id|2000099999"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The agreement in force and its clients, shared by the module."""
    with world_on(request.param, request, tmp_path_factory.mktemp("bars") / "world") as opened:
        yield opened


@dataclass
class Trust:
    """An endpoint of the demonstration's team, spoken to by a channel, with a courier whose clock the test holds."""

    world: World
    channel: Channel
    endpoint_id: str
    system: Receiver
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    couriers: list[Courier] = field(default_factory=list)

    def round(self, after: timedelta = timedelta()) -> list[Got]:
        """Let time pass, make a round, and return what was sent in it."""
        if not self.couriers:
            made = Courier(self.world.services, finding(self.channel), clock=lambda: self.now, deadline_seconds=2.0)
            self.couriers.append(made)
        self.now += after
        before = len(self.system.got)
        self.couriers[0].round(self.now)
        self.couriers[0].wait()
        return self.system.got[before:]

    def events(self, start: int) -> list[str]:
        wanted = {Event.REFERRAL_DELIVERED, Event.REFERRAL_RECALLED, Event.DELIVERY_ACKNOWLEDGED, Event.DELIVERY_FAILED}
        return [one.event for one in sealed(self.world, start=start) if one.event in wanted]


def _loopback(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.fixture
def trust(world: World, tmp_path: Path) -> Iterator[Trust]:
    """A trust's BaRS endpoint: a real HTTPS server."""
    with receiver(tmp_path) as system:
        channel = BarsChannel(
            Signer(world.services.keyring),
            base_url=f"https://gateway.test{PREFIX}",
            version="1",
            production=False,
            resolve=_loopback,
        )
        options = {"service": SERVICE, "ca": system.ca}
        id_ = (
            world.services.journals.of(LOG)
            .submit_and_wait(endpoint_unit(world, channel, address=system.url, options=options))
            .value
        )
        made = Trust(world, channel, id_, system)
        yield made
        system.let_go.set()
        for one in made.couriers:
            one.close()
        world.services.journals.of(LOG).submit_and_wait(RemoveEndpoint(id_, world.services.standing(LOG)))


# What goes out


def test_a_referral_goes_as_a_message_with_the_headers_of_the_standard(trust: Trust) -> None:
    start = size(trust.world)
    _, task = pushed(trust.world)
    (got,) = trust.round()
    assert got.path == "/feedback/$process-message"
    said = bars.read_message(got.body, LIMITS)
    assert (said.event, said.reason, said.request["id"]) == (bars.Event.REQUEST, bars.Reason.NEW, task)
    assert got.headers["content-type"] == "application/fhir+json"
    assert got.headers["accept"] == "application/fhir+json; version=1.4"
    assert got.headers["x-request-id"] == said.id
    assert got.headers["x-correlation-id"] == task
    target = orjson.loads(base64.b64decode(got.headers["nhsd-target-identifier"]))
    assert target == {"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000099999"}
    asks = orjson.loads(base64.b64decode(got.headers["nhsd-end-user-organisation"]))
    assert asks["identifier"][0]["value"] == "04"
    assert orjson.loads(base64.b64decode(got.headers["nhsd-requesting-software"]))["resourceType"] == "Device"
    assert trust.events(start) == [Event.REFERRAL_DELIVERED, Event.DELIVERY_ACKNOWLEDGED]


def test_a_message_is_signed_and_its_signature_fits_nothing_else(trust: Trust) -> None:
    pushed(trust.world)
    (got,) = trust.round()
    public = Ed25519PrivateKey.from_private_bytes(trust.world.services.keyring.message_seed).public_key()

    class Resolver(HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:  # noqa: ARG002 - the library names it
            return public

    url = f"{trust.system.url}/$process-message"
    signed = httpx.Request("POST", url, headers=dict(got.headers), content=got.body)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())
    (found,) = verifier.verify(signed, expect_tag=TAG)
    assert {name.strip('"') for name in found.covered_components} == {*COVERED, "@signature-params"}


def test_every_try_sends_the_same_bytes_under_the_same_id(trust: Trust) -> None:
    start = size(trust.world)
    pushed(trust.world)
    trust.system.script.extend([RESET, 503, (200, {}, b"<html>not the trust</html>"), HANG, 204])
    tries = [got for _ in range(5) for got in trust.round(2 * HOUR)]
    assert len(tries) == 5
    assert len({got.body for got in tries}) == 1
    assert len({got.headers["x-request-id"] for got in tries}) == 1
    assert trust.events(start).count(Event.DELIVERY_ACKNOWLEDGED) == 1
    assert trust.round(HOUR) == []


def _answer(identifier: Callable[[bytes], str]) -> Callable[[bytes], bytes]:
    def made(body: bytes) -> bytes:
        header = {"resourceType": "MessageHeader", "response": {"identifier": identifier(body), "code": "ok"}}
        bundle = {"resourceType": "Bundle", "id": "r-1", "type": "message", "entry": [{"resource": header}]}
        return orjson.dumps(bundle)

    return made


def test_an_answer_about_another_message_never_counts(trust: Trust) -> None:
    start = size(trust.world)
    pushed(trust.world)
    trust.system.script.append((200, {}, _answer(lambda _: str(uuid4()))))
    assert len(trust.round()) == 1
    assert Event.DELIVERY_ACKNOWLEDGED not in trust.events(start)
    trust.system.script.append((200, {}, _answer(lambda body: orjson.loads(body)["id"])))
    assert len(trust.round(HOUR)) == 1
    assert Event.DELIVERY_ACKNOWLEDGED in trust.events(start)


def test_a_duplicate_is_an_acknowledgement_and_any_other_refusal_a_humans(trust: Trust) -> None:
    start = size(trust.world)
    pushed(trust.world)
    trust.system.script.append((409, {}, bars.outcome(bars.BarsRefused(bars.Fault.DUPLICATE, "known"))[1]))
    trust.round()
    assert trust.events(start) == [Event.REFERRAL_DELIVERED, Event.DELIVERY_ACKNOWLEDGED]
    _, task = pushed(trust.world)
    trust.system.script.append((400, {}, bars.outcome(bars.BarsRefused(bars.Fault.VALUE_WRONG, "no"))[1]))
    trust.round(HOUR)
    found = trust.world.guardian.get("/governance/v1/outstanding").json()["notices"]
    assert [one["kind"] for one in found if one["case"] == task] == ["undelivered"]


def test_a_retraction_is_a_revoked_message_that_holds_nobody(trust: Trust) -> None:
    number = serial()
    task = trust.world.push(incident(number)).json()["referrals"][0]["reference"]
    (first,) = trust.round()
    document = incident(number, version=2)
    document["data"]["attributes"]["recordKind"] = "retraction"
    assert trust.world.push(document).status_code == 200
    (second,) = trust.round(HOUR)
    said = bars.read_message(second.body, LIMITS)
    assert (said.reason, said.request["id"], said.request["status"]) == (bars.Reason.UPDATE, task, "entered-in-error")
    assert b"Ashdown" in first.body
    assert b"Ashdown" not in second.body
    assert [one["resource"]["resourceType"] for one in orjson.loads(second.body)["entry"]] == [
        "MessageHeader",
        "ServiceRequest",
        "Organization",
        "Organization",
    ]


def test_a_message_holds_no_item_that_its_entry_does_not_name(trust: Trust) -> None:
    _, task = pushed(trust.world)
    trust.round()
    (entry,) = [one for one in sealed(trust.world) if one.event == Event.REFERRAL_DELIVERED and one.case == task]
    assert entry.items.released
    assert {*entry.items.released, *entry.items.generalised} <= ITEMS


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("ftp://trust.example", {"service": SERVICE}),
        ("http://trust.example", {"service": SERVICE}),
        ("https://10.0.0.8/FHIR/R4", {"service": SERVICE}),
        ("https://trust.example/FHIR/R4", {}),
        ("https://trust.example/FHIR/R4", {"service": "https://fhir.nhs.uk/Id/dos-service-id|"}),
        ("https://trust.example/FHIR/R4", {"service": SERVICE, "ca": "no certificate"}),
        ("https://trust.example/FHIR/R4", {"service": SERVICE, "colour": "red"}),
    ],
)
def test_an_endpoint_that_no_message_could_reach_is_not_registered(
    world: World, address: str, options: dict[str, str]
) -> None:
    unit = endpoint_unit(
        world,
        BarsChannel(Signer(world.services.keyring), base_url="https://g", version="1", production=True),
        address=address,
        options=options,
        production=True,
    )
    with pytest.raises(EndpointRefused):
        unit.check()


def test_no_header_and_no_line_of_the_log_names_anybody(trust: Trust, caplog: pytest.LogCaptureFixture) -> None:
    """The body alone may, and it is encrypted at rest (P7)."""
    caplog.set_level(0)
    trust.system.script.extend([503, 204])
    pushed(trust.world)
    sent = [*trust.round(), *trust.round(HOUR)]
    assert len(sent) == 2
    for got in sent:
        assert b"Ashdown" in got.body
        said = [got.path, *got.headers.values()]
        said += [base64.b64decode(one).decode("latin-1") for name, one in got.headers.items() if name[:4] == "nhsd"]
        assert not [one for one in said if "shdown" in one or "Marianne" in one]
    assert "shdown" not in caplog.text


# What a trust answers


def code(found: httpx.Response) -> tuple[int, str, str]:
    issue = found.json()["issue"][0]
    return found.status_code, issue["details"]["coding"][0]["code"], issue["code"]


def test_an_answer_changes_the_referral_it_names_and_is_sealed(trust: Trust) -> None:
    _, task = pushed(trust.world)
    (got,) = trust.round()
    given = headers()
    found = post(trust.world, answer(got.headers["x-request-id"]), given)
    assert found.status_code == 200
    assert found.json()["issue"][0]["severity"] == "information"
    assert found.headers["x-request-id"] == given["X-Request-Id"]
    assert found.headers["x-correlation-id"] == given["X-Correlation-Id"]
    assert "Gateway-Receipt" in found.headers
    assert trust.world.hospital.get(f"/fhir/R4/Task/{task}").json()["status"] == "accepted"
    (changed,) = [one for one in sealed(trust.world) if one.event == Event.REFERRAL_CHANGED and one.case == task]
    assert changed.request == given["X-Request-Id"]
    again = post(trust.world, answer(got.headers["x-request-id"]))
    assert code(again) == (409, "REC_CONFLICT", "duplicate")


def test_a_system_that_cannot_use_what_it_acknowledged_brings_a_human(trust: Trust) -> None:
    """It said 2xx before: without this, nobody would know that the referral is not in it (P6)."""
    _, task = pushed(trust.world)
    (got,) = trust.round()
    failed = answer(
        got.headers["x-request-id"], response={"identifier": got.headers["x-request-id"], "code": "fatal-error"}
    )
    assert post(trust.world, failed).status_code == 200
    found = trust.world.guardian.get("/governance/v1/outstanding").json()["notices"]
    assert [one["kind"] for one in found if one["case"] == task] == ["undelivered"]
    assert code(post(trust.world, failed)) == (409, "REC_CONFLICT", "duplicate")
    reasons = [one.reason for one in sealed(trust.world) if one.event == Event.DELIVERY_FAILED and one.case == task]
    assert reasons == ["refused-later", "refused-later"]
    nobody = answer(str(uuid4()), response={"identifier": str(uuid4()), "code": "fatal-error"})
    assert code(post(trust.world, nobody)) == (404, "REC_NOT_FOUND", "not-found")


def test_an_answer_that_the_state_of_the_referral_does_not_allow_is_a_conflict(trust: Trust) -> None:
    pushed(trust.world)
    (got,) = trust.round()
    assert post(trust.world, answer(got.headers["x-request-id"], "revoked")).status_code == 200
    late = post(trust.world, answer(got.headers["x-request-id"], "active"))
    assert code(late) == (409, "REC_CONFLICT", "conflict")


def test_what_names_nothing_of_ours_is_not_found_whoever_elses_it_is(trust: Trust) -> None:
    """The id of no delivery, and that of another team's, are answered alike and sealed alike (P8)."""
    pushed(trust.world)
    (got,) = trust.round()
    start = size(trust.world)
    nobody = post(trust.world, answer(str(uuid4())))
    (first,) = sealed(trust.world, start=start)
    services, endpoint = trust.world.services, trust.endpoint_id

    def move(team: str) -> None:
        with services.database.writing() as connection:
            connection.execute(update(tables.endpoint).where(tables.endpoint.c.id == endpoint).values(team=team))

    move("another-team")
    try:
        others = post(trust.world, answer(got.headers["x-request-id"]))
    finally:
        move("idva-team")
    (second,) = sealed(trust.world, start=start + 1)
    assert code(nobody) == code(others) == (404, "REC_NOT_FOUND", "not-found")
    assert nobody.content == others.content
    assert (first.event, first.case, first.detail) == (second.event, second.case, second.detail)


@pytest.mark.parametrize(
    ("body", "given", "expected"),
    [
        (b"{", {}, (400, "REC_BAD_REQUEST", "invalid")),
        (answer(str(uuid4()), "draft"), {}, (400, "REC_BAD_REQUEST", "value")),
        (answer("17"), {}, (400, "REC_BAD_REQUEST", "value")),
        (answer(str(uuid4()), eventCoding=BOOKING), {}, (501, "REC_NOT_IMPLEMENTED", "not-supported")),
        (answer(str(uuid4())), {"X-Request-Id": "1"}, (400, "SEND_BAD_REQUEST", "invalid")),
        (answer(str(uuid4())), {"X-Correlation-Id": ""}, (400, "SEND_BAD_REQUEST", "required")),
        (answer(str(uuid4())), {"NHSD-Target-Identifier": "e30"}, (400, "BAD_REQUEST", "structure")),
        (answer(str(uuid4())), headers(service="9"), (404, "REC_NOT_FOUND", "not-found")),
        (answer(str(uuid4())), headers(organisation="RTX"), (403, "REC_FORBIDDEN", "forbidden")),
        (answer(str(uuid4())), {"Content-Type": "text/plain"}, (406, "SEND_NOT_ACCEPTABLE", "processing")),
        (answer(str(uuid4())), {"Accept": "application/pdf"}, (406, "SEND_NOT_ACCEPTABLE", "processing")),
        (b" " * 1_100_000, {}, (422, "REC_UNPROCESSABLE_ENTITY", "too-costly")),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_answered_by_a_row_of_the_taxonomy(
    world: World, body: Any, given: dict[str, str], expected: tuple[int, str, str]
) -> None:
    found = post(world, body, {**headers(), **given})
    assert code(found) == expected
    assert found.headers["content-type"] == "application/fhir+json"


def test_without_a_token_and_off_the_road_the_taxonomy_answers_too(world: World) -> None:
    plain = httpx.Client(transport=world.hospital.http._transport, base_url="https://gateway.test")
    assert code(plain.post(f"{PREFIX}/$process-message")) == (401, "SEND_UNAUTHORIZED", "login")
    assert code(plain.get(f"{PREFIX}/$process-message")) == (405, "SEND_METHOD_NOT_ALLOWED", "not-supported")
    assert code(plain.get(f"{PREFIX}/Slot")) == (404, "NOT_FOUND", "not-found")
    assert code(world.police.http.post(f"{PREFIX}/$process-message")) == (403, "REC_FORBIDDEN", "forbidden")


def test_a_message_for_another_service_is_not_taken(world: World) -> None:
    start = size(world)
    assert code(post(world, request(), headers(service="2000099999"))) == (404, "REC_NOT_FOUND", "not-found")
    assert sealed(world, start=start) == []


def test_another_organisations_name_is_refused_and_sealed(world: World) -> None:
    start = size(world, OPERATOR_LOG)
    post(world, answer(str(uuid4())), headers(organisation="RTX"))
    reasons = [one.reason for one in sealed(world, OPERATOR_LOG, start) if one.event == Event.ACCESS_REFUSED]
    assert reasons == ["another-organisation"]


def test_every_error_of_the_gateway_has_a_row_of_the_taxonomy() -> None:
    assert {one for one in errors.FACES if not FAULTS.keys() & set(one.__mro__)} == set()


def test_what_is_declared_is_served(world: World) -> None:
    statement = world.hospital.get(f"{PREFIX}/metadata").json()
    assert statement["rest"][0]["operation"][0]["name"] == "process-message"
    definitions = world.hospital.get(f"{PREFIX}/MessageDefinition").json()
    named = {one["resource"]["url"] for one in definitions["entry"]}
    assert {one["definition"] for one in statement["messaging"][0]["supportedMessage"]} == named
    assert "conformance is not claimed" in statement["description"]


# A hospital's own request


def test_a_hospitals_request_is_a_notice_and_the_same_one_again_makes_no_second(world: World) -> None:
    body = orjson.dumps(request())
    first = post(world, body)
    assert first.status_code == 200, first.text
    start = size(world)
    second = post(world, body)
    assert second.status_code in {200, 409}
    assert [one.event for one in sealed(world, start=start)] == [Event.HOSPITAL_NOTICE_REPEATED]


def test_what_a_sender_of_notices_sends_unreadably_is_kept_for_a_human(world: World) -> None:
    start = size(world)
    assert post(world, b'{"resourceType": "Bundle"').status_code == 400
    assert [one.event for one in sealed(world, start=start)] == [Event.INPUT_UNREADABLE]


def test_each_published_message_is_taken_or_refused_by_the_taxonomy(world: World) -> None:
    """Sent as they are: those of another organisation are not taken in its name."""
    answered: set[int] = set()
    for path in sorted(shared_data("bars", "bars_api", "examples1.4.0", "process_message").rglob("*.json")):
        found = post(world, path.read_bytes())
        answered.add(found.status_code)
        assert found.json()["resourceType"] in {"OperationOutcome", "Bundle"}, path.name
        if found.status_code >= 400:
            assert code(found)[1].split("_")[0] in {"REC", "SEND", "BAD"}, path.name
    assert 501 in answered, "bookings are not served"
    assert answered <= {200, 400, 403, 501}
