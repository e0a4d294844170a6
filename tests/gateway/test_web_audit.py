"""The auditor's interface: filters, proofs, checkpoints, one person's accounting, and that looking is itself sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from audit.checkpoint import Checkpoint
from audit.encoding import hash_from_base64
from audit.note import Verifier
from audit.proof import verify_consistency
from audit.receipt import Receipt
from audit.tree import leaf_hash
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG, Event
from tests.journeys.channels import CALLS, case
from tests.journeys.support import add_client, change, last, like, pushed, sealed, serial, size, status, world_on
from tests.support.world import World

LOGS = "/audit/v1/logs"
AT = f"{LOGS}/{LOG}"


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("audit") / "world") as opened:
        own = case(opened)
        for _, _, call in CALLS:
            assert call(opened, own).status_code < 500
        yield opened


def get(world: World, path: str, **params: Any) -> httpx.Response:
    return world.auditor.get(f"{AT}/{path}", params=params or None)


def found(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def verifier(world: World) -> Verifier:
    logs = world.auditor.get(LOGS).json()["logs"]
    return Verifier.from_text(next(one["key"] for one in logs if one["id"] == LOG))


FILTERS: dict[str, Any] = {
    "organisation": lambda e: e["actor"]["organisation"],
    "client": lambda e: e["actor"]["client"],
    "user": lambda e: e["actor"]["user"],
    "operation": lambda e: e["operation"],
    "outcome": lambda e: e["outcome"],
    "event": lambda e: e["event"],
    "record": lambda e: e["record"],
    "case": lambda e: e["case"],
    "subject": lambda e: e["subjects"],
    "clause": lambda e: e["clauses"],
    "recipient": lambda e: [one["organisation"] for one in e["recipients"]],
    "agreement": lambda e: (e["agreement"] or {}).get("id"),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_finds_exactly_what_it_names(world: World, name: str) -> None:
    """Against a walk over the whole log."""
    of = FILTERS[name]
    whole = found(get(world, "entries", limit=1000))
    values = {
        value
        for one in whole
        for value in (of(one["entry"]) if isinstance(of(one["entry"]), list) else [of(one["entry"])])
        if value is not None
    }
    assert values
    for value in sorted(values)[:4]:
        expected = [one["index"] for one in whole if value in _listed(of(one["entry"]))]
        upto = whole[-1]["index"]
        assert [one["index"] for one in found(get(world, "entries", limit=1000, **{name: value}))][
            : len(expected)
        ] == expected, f"{name}={value} up to {upto}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_filters_combine_and_times_bound(world: World) -> None:
    whole = found(get(world, "entries", limit=1000))
    middle = whole[len(whole) // 2]["entry"]["time"]
    before = found(get(world, "entries", limit=1000, to=middle))
    after = found(get(world, "entries", limit=1000, **{"from": middle}))
    assert [one["index"] for one in before] == [one["index"] for one in whole if one["entry"]["time"] < middle]
    assert after[0]["entry"]["time"] >= middle
    both = found(get(world, "entries", limit=1000, event="worklist-read", outcome="permitted", client="demo-hospital"))
    assert {(one["entry"]["event"], one["entry"]["outcome"]) for one in both} == {("worklist-read", "permitted")}
    assert found(get(world, "entries", event="worklist-read", client="demo-rms")) == []


def test_pages_run_backward_to_the_beginning(world: World) -> None:
    stop = size(world)
    seen: list[int] = []
    before: int | None = stop
    while before:
        body = get(world, "entries", order="desc", before=before, limit=17).json()
        seen += [one["index"] for one in body["entries"]]
        before = body["next"]
    assert seen == list(reversed(range(stop)))
    (newest,) = found(get(world, "entries", order="desc", limit=1))
    assert newest["index"] == size(world) - 1, "the entry of the reading itself"


def test_pages_run_forward_to_the_end(world: World) -> None:
    seen: list[int] = []
    after: int | None = -1
    stop = size(world)
    while after is not None and after < stop - 1:
        body = (
            get(world, "entries", after=after, limit=17).json()
            if after >= 0
            else get(world, "entries", limit=17).json()
        )
        seen += [one["index"] for one in body["entries"]]
        after = body["next"]
    assert seen[:stop] == list(range(stop))


@pytest.mark.parametrize(
    "query",
    [
        "name=x",
        "user=a%20b",
        "user=a&user=b",
        "operation=reading",
        "outcome=x",
        "from=yesterday",
        "from=2026-04-12T10:00:00",
        "from=0001-01-01T00:00:00%2B14:00",
        "to=9999-12-31T23:59:59-14:00",
        "after=-1",
        "after=x",
        "limit=1e3",
    ],
)
def test_a_filter_that_cannot_be_used_is_refused(world: World, query: str) -> None:
    answer = world.auditor.get(f"{AT}/entries?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:provide-gateway:problem:bad-parameter")


def test_an_entry_comes_with_a_proof_that_holds(world: World) -> None:
    key = verifier(world)
    for index in (0, 1, size(world) // 2):
        one = get(world, f"entries/{index}").json()
        receipt = Receipt.from_text(world.auditor.get(one["proof"]).text)
        assert receipt.verify(key).size > index
        assert receipt.leaf == leaf_hash(world.entries()[index].body) == hash_from_base64(one["leaf_hash"])


@pytest.mark.parametrize(
    "path", ["entries/999999", "entries/999999/proof", "entries/99999999999999999999", "entries/x"]
)
def test_an_entry_that_is_not_there_is_not_found(world: World, path: str) -> None:
    answer = get(world, path)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:provide-gateway:problem:not-found")


def test_the_log_at_any_size_is_a_prefix_of_itself_later(world: World) -> None:
    key = verifier(world)
    earlier = Checkpoint.open(get(world, "checkpoint").text, key)
    for _ in range(5):
        pushed(world)
    later = Checkpoint.open(get(world, "checkpoint").text, key)
    answer = get(world, "consistency", first=earlier.size, second=later.size).json()
    hashes = [hash_from_base64(one) for one in answer["hashes"]]
    verify_consistency(earlier.size, later.size, earlier.root, later.root, hashes)
    assert later.size > earlier.size + 5


@pytest.mark.parametrize(("first", "second"), [("x", "1"), ("1", ""), ("-1", "2")])
def test_a_size_is_a_number(world: World, first: str, second: str) -> None:
    assert get(world, "consistency", first=first, second=second).status_code == 400


@pytest.mark.parametrize(("first", "second"), [(5, 2), (1, 10**9), (0, 3)])
def test_a_size_the_log_never_had_has_no_proof(world: World, first: int, second: int) -> None:
    assert get(world, "consistency", first=first, second=second).status_code == 404


PERSON = {"family": "Ashdown", "given": "Marianne", "birth_date": "1991-02-03"}


def subjects(world: World, asked: Any) -> list[str]:
    answer = world.auditor.post(f"{AT}/subjects", json=asked)
    assert answer.status_code == 200, answer.text
    names: list[str] = answer.json()["subjects"]
    return names


def test_a_person_is_found_by_name_and_by_the_senders_reference(world: World) -> None:
    number = serial()
    task = world.push(incident(number)).json()["referrals"][0]["reference"]
    by_name = subjects(world, PERSON)
    (by_reference,) = subjects(world, {"occurrence": f"04-2026-{number:06d}"})
    assert by_reference in by_name
    assert subjects(world, {"occurrence": f"04-2026-{number:06d}".lower()}) == [by_reference]
    assert subjects(world, {"family": "ASHDOWN", "given": "marianne", "birth_date": "1991-02-03"}) == by_name
    assert subjects(world, {"log": f"LC-20260412-{number:04d}"}) == [by_reference]
    assert subjects(world, {"crime": f"04/{number:05d}/26"}) == [by_reference]
    assert subjects(world, {"family": "Nobody", "given": "X", "birth_date": "1991-02-03"}) == []
    assert task
    assert last(world).event == Event.SUBJECTS_MATCHED
    assert "Ashdown" not in str(last(world))


@pytest.mark.parametrize(
    "asked",
    [
        {},
        [],
        "x",
        None,
        1,
        {"name": "x"},
        {"family": "x"},
        {**PERSON, "more": 1},
        {"occurrence": "a", "log": "b"},
        [{}],
    ],
    ids=str,
)
def test_what_is_no_person_is_refused(world: World, asked: Any) -> None:
    answer = world.auditor.post(
        f"{AT}/subjects", content=orjson.dumps(asked), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:provide-gateway:problem:unprocessable")


def test_the_accounting_counts_every_reading_and_no_other(world: World) -> None:
    """As many disclosures as answers that held something of her; the child's are the child's own."""
    number = serial()
    body = world.push(incident(number)).json()
    task = body["referrals"][0]["reference"]
    (victim,) = subjects(world, {"occurrence": f"04-2026-{number:06d}"})
    before = accounting(world, victim)
    readings = Counter[str]()
    for path, event in (
        (f"/fhir/R4/Task/{task}", "referral-read"),
        (f"/fhir/R4/Task?_id={task}", "worklist-read"),
        (f"/fhir/R4/Task?_id={task}&_include=Task:patient", "worklist-read"),
        (f"/fhir/R4/ServiceRequest/{task}", "referral-read"),
        (f"/fhir/R4/Patient/{task}.victim-1", "referral-read"),
        (f"/fhir/R4/Consent?patient={task}.victim-1", "referral-read"),
    ):
        assert world.hospital.get(path).status_code == 200
        readings[event] += 1
    assert world.hospital.get("/fhir/R4/Task?_id=none").status_code == 200
    assert world.hospital.get("/fhir/R4/Task", headers={"Accept": "text/html"}).status_code == 406
    after = accounting(world, victim)
    assert after - before == readings
    child = victim.replace("victim-1", "child-1")
    assert world.hospital.get(f"/fhir/R4/Patient/{task}.child-1").status_code == 200
    assert accounting(world, child)["referral-read"] >= 1


def accounting(world: World, subject: str) -> Counter[str]:
    answer = get(world, f"subjects/{subject}/disclosures")
    assert answer.status_code == 200
    return Counter(one["entry"]["event"] for one in answer.json()["disclosures"])


def test_what_police_are_told_counts_too(world: World) -> None:
    reference, task = pushed(world)
    assert change(world, task, 1, status("accepted")).status_code == 200
    before = size(world)
    assert world.police.get(f"/police/v1/incidents/{reference}").json()["state"] == "acknowledged"
    (told,) = sealed(world, LOG, before)
    assert (told.event, told.operation, told.case) == (Event.INCIDENT_STATUS_READ, "disclosure", task)
    assert accounting(world, told.subjects[0]) == {Event.INCIDENT_STATUS_READ: 1}


@pytest.mark.parametrize("subject", ["nobody", "a" * 128])
def test_of_nobody_nothing_was_disclosed(world: World, subject: str) -> None:
    assert accounting(world, subject) == Counter()


def test_looking_is_sealed_before_what_is_seen(world: World) -> None:
    before = size(world)
    answer = world.auditor.get(f"{AT}/entries?event=log-read&limit=1", headers={"Gateway-Reason": "subject-access"})
    assert answer.status_code == 200
    (look,) = sealed(world, LOG, before)
    assert (look.event, look.operation, look.reason) == (Event.LOG_READ, "consultation", "subject-access")
    detail = dict(look.detail or {})
    assert detail.pop("token")
    assert detail == {"what": "entries", "filters": "event,limit"}
    assert (look.actor.client, look.actor.user) == ("demo-auditor", "auditor-7")


def test_the_logs_of_a_client_are_those_it_is_bound_to(world: World) -> None:
    logs = world.auditor.get(LOGS).json()["logs"]
    assert [one["id"] for one in logs] == [LOG, OPERATOR_LOG]
    assert logs[0]["origin"] == f"gateway.test/logs/{LOG}"


def test_a_pack_needs_a_scope_of_its_own(world: World) -> None:
    reader = add_client(world, "only-reads", None, **like("demo-auditor", scopes=["audit:log.read"]))
    assert reader.get(f"{AT}/checkpoint").status_code == 200
    assert reader.get(f"{AT}/pack").status_code == 403
