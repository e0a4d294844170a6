"""P7: no personal data in the wrong place. What was sent is searched for wherever nobody may find it.

Every field and every header of a journey, with its failures, holds a planted value. Afterwards log lines, metrics, the
interface description, URLs, problem bodies, audit leaves and the raw database are searched for any of them.
"""

from __future__ import annotations

import logging
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from gateway.evidence import OPERATOR_LOG
from gateway.logs import JsonLines
from tests.journeys.channels import AUDIT
from tests.journeys.planted import MARK, planted
from tests.journeys.support import JSON_API, PATCH, change, output, serial, status
from tests.support.world import World

SECRETS = (
    MARK,
    "Ashdown",
    "Marianne",
    "Harbottle",
    "Example Row",
    "07700 900",  # longer than five digits, which a digest in hexadecimal has by chance
    "07700900",
    "+447700",
    "01632 960",
    "01632960",
    "+441632",
    "192.0.2.77",
    "bluebell",
    "1991-02",
)
"""What stands for every person and place of the journey."""


class Walked:
    """A journey, and everything it left: answers, and log lines."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response] = []
        self.lines: list[str] = []

    def keep(self, answer: httpx.Response) -> httpx.Response:
        self.answers.append(answer)
        return answer


class Lines(logging.Handler):
    """What the process would write."""

    def __init__(self, kept: list[str]) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(self.format(record))


@pytest.fixture(scope="module")
def walked(world: World) -> Walked:
    found = Walked()
    handler = Lines(found.lines)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        _walk(world, found)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    return found


def _walk(world: World, found: Walked) -> None:
    hostile = {
        "X-Request-Id": f"{MARK} request",
        "X-Correlation-Id": f"{MARK} correlation",
        "User-Agent": f"{MARK}agent",
        "Referer": f"https://{MARK}.example/",
        "Cookie": f"{MARK}=1",
        "Idempotency-Key": f"{MARK}key",
        "Content-Type": JSON_API,
    }
    police, hospital, auditor = world.police, world.hospital, world.auditor

    def push(body: bytes, **headers: str) -> httpx.Response:
        return found.keep(police.post("/police/v1/incidents", content=body, headers={**hostile, **headers}))

    number = serial()
    document = planted(number)
    answer = push(orjson.dumps(document))
    assert answer.status_code == 201, answer.text
    push(orjson.dumps(document))
    push(orjson.dumps(planted(serial())))  # the same key, another body
    for more in ({"handling": "C"}, {"marking": "SECRET"}, {"town": f"{MARK}town"}, {"consent": "REFUSED"}):
        push(orjson.dumps(planted(serial(), **more)), **{"Idempotency-Key": f"{MARK}{serial()}"})
    for body in (
        b'{"data": {"Zaqxuname": "Ashdown", "Zaqxuname": 1}}',
        orjson.dumps(planted(serial()))[:-40],
        b'["Zaqxu"]',
        b'{"data": {"type": "ZaqxuIncident", "id": "Zaqxu"}}',
        b'{"data": {"type": "incident", "id": "x", "attributes": {"protectiveMarking": "ZaqxuSECRETISH"}}}',
        b"Zaqxu\xff\xfe",
    ):
        push(body, **{"Idempotency-Key": f"{MARK}{serial()}"})
    push(b"Zaqxu,csv", **{"Content-Type": f"text/{MARK}; name={MARK}"})
    push(b"{}", **{"Idempotency-Key": f"{MARK} two words"})
    found.keep(police.get(f"/police/v1/incidents/{MARK}Ashdown"))
    found.keep(police.get(f"/police/v1/feedback?after={MARK}"))
    found.keep(police.get(f"/{MARK}/nowhere"))

    task = answer.json()["referrals"][0]["reference"]
    for path in (
        f"/fhir/R4/Patient?name={MARK}",
        f"/fhir/R4/Patient?_id={MARK}",
        f"/fhir/R4/{MARK}",
        f"/fhir/R4/Task?_cursor={MARK}",
        f"/fhir/R4/Task?_include={MARK}",
        f"/fhir/R4/Task?_lastUpdated={MARK}",
        f"/fhir/R4/Patient/{MARK}",
    ):
        found.keep(hospital.get(path))
    found.keep(hospital.get("/fhir/R4/Task", headers={"Gateway-Reason": f"{MARK} reason", "Accept": f"text/{MARK}"}))
    assert change(world, task, 1, status("accepted")).status_code == 200
    patches: list[dict[str, Any]] = [
        {"op": "replace", "path": "/description", "value": f"{MARK}text"},
        {"op": "replace", "path": f"/{MARK}", "value": 1},
        status(f"{MARK}status"),
        {"op": "add", "path": "/output", "value": [{**output(f"{MARK}code"), "valueString": f"{MARK}free"}]},
    ]
    for patch in patches:
        found.keep(change(world, task, 2, patch))
    found.keep(
        hospital.patch(
            f"/fhir/R4/Task/{task}", content=b"Zaqxu", headers={"If-Match": f'W/"{MARK}"', "Content-Type": PATCH}
        )
    )
    person = {"family": f"{MARK}victimSurname", "given": f"{MARK}victimGiven", "birth_date": "1991-02-03"}
    assert auditor.post(f"{AUDIT}/subjects", json=person).json()["subjects"]
    found.keep(auditor.post(f"{AUDIT}/subjects", json={MARK: MARK}))
    found.keep(auditor.get(f"{AUDIT}/entries?user={MARK}%20x"))
    for path in (f"/audit/v1/logs/{MARK}/entries", f"{AUDIT}/subjects/{MARK}%20/disclosures"):
        found.keep(auditor.get(path))
    token = f"{MARK}.token.here"
    found.keep(police.http.get("/police/v1/feedback", headers={"Authorization": f"Bearer {token}"}))
    found.keep(police.http.post("/oauth2/token", data={"grant_type": MARK, "client_assertion": token}))


def holds_nothing(where: str, content: bytes) -> None:
    lower = content.lower()
    for secret in SECRETS:
        at = lower.find(secret.encode().lower())
        assert at < 0, f"{where} holds {secret}: {content[max(0, at - 60) : at + 60]!r}"


def test_answers_of_failures_name_paths_and_never_values(walked: Walked) -> None:
    for answer in walked.answers:
        if answer.status_code < 400:
            continue
        names = answer.content.replace(b"data.Zaqxuname", b"")  # the path of a member that was given twice
        holds_nothing(f"{answer.status_code} {answer.json()}", names)
        for name, value in answer.headers.items():
            holds_nothing(f"the header {name}", value.encode())


def test_no_address_holds_a_person(walked: Walked) -> None:
    for answer in walked.answers:
        if answer.status_code < 400:
            holds_nothing("Location", answer.headers.get("Location", "").encode())
            holds_nothing("the receipt", answer.headers.get("Gateway-Receipt", "").encode())


def test_no_log_line_holds_a_person(walked: Walked) -> None:
    holds_nothing("the log", "\n".join(walked.lines).encode())


def test_neither_metrics_nor_the_interface_description_do(world: World, walked: Walked) -> None:
    assert walked.answers
    for path in ("/metrics", "/openapi.json", "/fhir/R4/metadata", "/health/ready"):
        holds_nothing(path, world.police.http.get(path).content)


def test_no_entry_of_any_log_does(world: World, walked: Walked) -> None:
    """Nor may the name of an agreement or its people's posts be mistaken for one: staff codes alone are there."""
    assert walked.answers
    for log_id in ("operation-provide", OPERATOR_LOG):
        for stored in world.entries(log_id):
            holds_nothing(f"entry {stored.idx} of {log_id}", stored.body)


def test_nothing_in_the_database_can_be_read(world: World, walked: Walked) -> None:
    """Every column of every table; on SQLite every byte of its files too, free pages and the write-ahead log."""
    assert walked.answers
    with world.services.database.reading() as connection:
        catalogue = (
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            if world.services.database.is_sqlite
            else "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        names = [row[0] for row in connection.execute(text(catalogue))]
        assert len(names) > 10
        for name in names:
            for row in connection.execute(text(f'SELECT * FROM "{name}"')):  # noqa: S608 - from the catalogue
                whole = b"|".join(
                    bytes(one) if isinstance(one, bytes | memoryview) else str(one).encode() for one in row
                )
                holds_nothing(f"a row of {name}", whole)
    if world.services.database.is_sqlite:
        for file in world.services.settings.data_dir.glob("*.sqlite3*"):
            raw = file.read_bytes()
            for secret in SECRETS:
                assert secret.encode() not in raw, f"{file.name} holds {secret}"


def test_what_is_searched_for_was_there_to_find(world: World, walked: Walked) -> None:
    """The record that was kept holds it all, or the tests above show nothing."""
    task = walked.answers[0].json()["referrals"][0]["reference"]
    answer = world.hospital.get(f"/fhir/R4/Patient/{task}.victim-1")
    assert f"{MARK}victimSurname" in answer.text
    assert "bluebell" in answer.text
