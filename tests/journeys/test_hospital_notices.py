"""A hospital tells police: kept once, decided under consent and override, read by police, and nothing clinical in it.

What police may never have is planted in every notice and looked for in every byte that is answered and logged.
"""

from __future__ import annotations

import logging
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select

from audit.entry import Entry, Operation, Outcome
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.hospital.changing import NoteNoticesOverdue
from gateway.retention.sweep import sweep
from gateway.store import tables
from gateway.store.envelope import Envelope
from tests.journeys.support import size
from tests.journeys.test_sides import reviewer
from tests.support.bundles import JSON, MARKS, body, bundle, number
from tests.support.world import World

OVERRIDE = {
    "ground": "serious-crime",
    "evidence": "Two admissions in a month.",
    "proportionality": "No lesser step would do.",
    "minimum_set": "Who she is and that she is at risk.",
    "victim_told": "yes",
}


def send(world: World, document: dict[str, Any]) -> httpx.Response:
    return world.hospital.post("/fhir/R4", content=body(document), headers=JSON)


def sent(world: World, **options: Any) -> str:
    """A notice that was taken in; its reference."""
    answer = send(world, bundle(number(), **options))
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["identifier"]["value"]
    return found


def pull(world: World, after: int = -1) -> dict[str, Any]:
    answer = world.police.get("/police/v1/notices", params={"after": after, "limit": 500})
    assert answer.status_code == 200, answer.text
    for mark in MARKS:
        assert mark not in answer.text
    found: dict[str, Any] = answer.json()
    return found


def told(world: World, notice: str, after: int = -1) -> list[dict[str, Any]]:
    return [one for one in pull(world, after)["notices"] if one["notice"] == notice]


def sealed(world: World, event: Event, case: str) -> list[Entry]:
    found = [Entry.parse(one.body) for one in world.entries(LOG)]
    return [one for one in found if one.event == event.value and one.case == case]


def state(world: World, notice: str) -> str:
    found: str = world.guardian.get(f"/governance/v1/hospital-notices/{notice}").json()["state"]
    return found


def test_a_notice_with_her_consent_reaches_police_with_what_the_clause_names_and_no_more(world: World) -> None:
    notice = sent(world, children=True)
    (one,) = told(world, notice)
    record = one["record"]
    assert (one["state"], one["hospital"], one["version"]) == ("current", "RXL", 1)
    assert record["flags"] == ["at-risk-of-domestic-violence"]
    people = {person["role"]: person for person in record["people"]}
    assert people.keys() == {"victim", "suspect"}
    assert people["victim"]["names"] == [{"family": "Ashdown", "given": ["Marianne"]}]
    assert people["suspect"]["names"] == [{"family": "Brackwater", "given": ["Owen"]}]
    assert record["tallies"] == [{"of": "child.listed", "count": 1}]
    assert record["assessments"][0]["grade"] == "high"
    assert one["withheld"] is True
    assert "statements" not in record
    assert "references" not in record
    (entry,) = sealed(world, Event.HOSPITAL_NOTICE_READ, notice)
    assert (entry.operation, entry.clauses) == (Operation.DISCLOSURE, ("F3-NOTICE-agreed",))
    assert {"victim.nhs_number", "victim.clinical", "adviser.case_notes"} <= set(entry.items.withheld)


@pytest.mark.parametrize("kind", ["transaction", "message"])
def test_each_kind_of_bundle_is_answered_in_its_own_form(world: World, kind: str) -> None:
    document = bundle(number(), kind=kind)
    answer = send(world, document)
    assert answer.status_code == 200
    found = answer.json()
    if kind == "transaction":
        assert found["type"] == "transaction-response"
        assert len(found["entry"]) == len(document["entry"])
        assert found["entry"][0]["response"]["status"] == "201 Created"
    else:
        assert found["entry"][0]["resource"]["response"]["code"] == "ok"
        assert found["entry"][0]["resource"]["response"]["identifier"] == document["entry"][0]["resource"]["id"]
    assert "Gateway-Receipt" in answer.headers


def test_the_same_document_again_makes_no_second_notice(world: World) -> None:
    document = bundle(number())
    first, again = send(world, document), send(world, document)
    assert first.json()["identifier"] == again.json()["identifier"]
    assert again.json()["entry"][0]["response"]["status"] == "200 OK"
    assert len(told(world, first.json()["identifier"]["value"])) == 1


def test_a_documents_id_with_another_content_is_refused(world: World) -> None:
    serial = number()
    assert send(world, bundle(serial, document=f"same-{serial}")).status_code == 200
    answer = send(world, bundle(serial, document=f"same-{serial}", grade="medium"))
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (422, "conflict")


def test_a_later_version_reaches_police_again_and_an_older_one_is_refused(world: World) -> None:
    serial = number()
    answer = send(world, bundle(serial, grade="medium"))
    notice = answer.json()["identifier"]["value"]
    (first,) = told(world, notice)
    assert send(world, bundle(serial, authored="2026-11-21T10:00:00Z")).status_code == 200
    (second,) = told(world, notice)
    assert (second["version"], second["record"]["assessments"][0]["grade"]) == (2, "high")
    assert second["cursor"] > first["cursor"]
    kinds = {one["kind"] for one in world.police.get("/notices/v1").json()["notices"] if one["incident"] == notice}
    assert "corrected" in kinds
    assert send(world, bundle(serial, authored="2026-11-20T11:00:00Z")).status_code == 409


def test_what_was_sent_in_error_comes_as_retracted_without_its_content(world: World) -> None:
    serial = number()
    notice = send(world, bundle(serial)).json()["identifier"]["value"]
    assert told(world, notice)[0]["state"] == "current"
    later = bundle(serial, status="entered-in-error", authored="2026-11-21T10:00:00Z")
    assert send(world, later).status_code == 200
    (one,) = told(world, notice)
    assert (one["state"], "record" in one) == ("retracted", False)
    assert sealed(world, Event.HOSPITAL_NOTICE_READ, notice)[-1].reason == "retracted"


@pytest.mark.parametrize(
    ("consent", "grade", "children"),
    [
        ("not-asked", "high", False),
        (None, "standard", False),
        ("lacks-capacity", "medium", False),
        ("refused", "high", False),
        ("refused", None, False),
        ("withdrawn", "standard", True),
        ("overridden", "high", False),  # an override is a person's act here, whatever a document states
    ],
)
def test_without_her_consent_it_waits_for_a_named_person(
    world: World, consent: str | None, grade: str | None, *, children: bool
) -> None:
    answer = send(world, bundle(number(), consent=consent, grade=grade, children=children))
    notice = answer.json()["identifier"]["value"]
    assert "Desmond Achterberg" in answer.json()["entry"][0]["response"]["outcome"]["issue"][0]["diagnostics"]
    assert told(world, notice) == []
    waiting = world.guardian.get("/governance/v1/hospital-notices").json()["notices"]
    (row,) = [one for one in waiting if one["notice"] == notice]
    assert (row["state"], row["owner"].startswith("Desmond Achterberg"), bool(row["due_at"])) == ("held", True, True)
    asked = world.guardian.get("/notices/v1").json()["notices"]
    assert ("decision-needed", notice) in {(one["kind"], one["incident"]) for one in asked}


def test_where_she_refused_and_the_risk_is_lower_it_stays_with_the_hospital(world: World) -> None:
    notice = sent(world, consent="refused", grade="standard")
    assert told(world, notice) == []
    assert state(world, notice) == "stopped"


def test_an_override_lets_the_least_go_until_its_day(world: World) -> None:
    notice = sent(world, consent="refused")
    url = f"/governance/v1/hospital-notices/{notice}"
    shown = world.guardian.get(url).json()
    assert shown["reference"].startswith("SR-")
    assert "Ashdown" not in orjson.dumps(shown).decode()
    answer = world.guardian.post(f"{url}/release", json=OVERRIDE)
    assert answer.status_code == 200, answer.text
    (one,) = told(world, notice)
    assert {person["role"] for person in one["record"]["people"]} == {"victim", "suspect"}
    assert "relationships" not in one["record"]
    assert one["record"]["consents"][0]["state"] == "not-asked" or one["record"]["consents"]
    entry = sealed(world, Event.HOSPITAL_NOTICE_DECIDED, notice)[-1]
    assert (entry.reason, entry.facts["consent"]) == ("serious-crime", "overridden")  # type: ignore[index]  # it has facts
    outstanding = world.guardian.get("/governance/v1/outstanding").json()
    assert answer.json()["override"] in orjson.dumps(outstanding).decode()
    # A review by somebody else that finds it unjustified ends it at once.
    reviewer = world.client("demo-guardian", {"id": "another-guardian", "role": "caldicott-guardian"})
    found = reviewer.post(
        f"/governance/v1/overrides/{answer.json()['override']}/review", json={"outcome": "not-justified"}
    )
    assert found.status_code == 200, found.text
    assert told(world, notice) == []


def test_consent_given_later_opens_it_and_consent_withdrawn_stops_it_and_tells_police(world: World) -> None:
    notice = sent(world, consent="not-asked")
    url = f"/governance/v1/hospital-notices/{notice}/consent"
    assert world.guardian.post(url, json={"state": "given"}).json()["state"] == "open"
    assert len(told(world, notice)) == 1
    assert world.guardian.post(url, json={"state": "withdrawn"}).json()["state"] == "held"
    assert [(one["state"], "record" in one) for one in told(world, notice)] == [("withdrawn", False)]
    kinds = {one["kind"] for one in world.police.get("/notices/v1").json()["notices"] if one["incident"] == notice}
    assert "consent-withdrawn" in kinds


def test_what_is_kept_back_stays_and_is_decided_once(world: World) -> None:
    notice = sent(world, consent="refused")
    url = f"/governance/v1/hospital-notices/{notice}/keep-back"
    assert world.guardian.post(url, json={"reason": "her-wish"}).json()["state"] == "kept-back"
    assert world.guardian.post(url, json={"reason": "her-wish"}).status_code == 422
    assert told(world, notice) == []


def test_police_acknowledge_and_what_told_them_is_closed(world: World) -> None:
    notice = sent(world)
    page = pull(world)
    answer = world.police.post("/police/v1/notices/acknowledgements", params={"through": page["next"]})
    assert answer.json().get("acknowledged", 0) >= 1, answer.text
    again = world.police.post("/police/v1/notices/acknowledgements", params={"through": page["next"]})
    assert again.json()["acknowledged"] == 0
    open_ = {one["incident"] for one in world.police.get("/notices/v1").json()["notices"]}
    assert notice not in open_
    assert pull(world, page["next"])["notices"] == []


def test_pages_end_at_a_notice_that_may_go_and_say_whether_another_may(world: World) -> None:
    start = pull(world)["next"]
    first, _, second = sent(world), sent(world, consent="refused"), sent(world)
    one = world.police.get("/police/v1/notices", params={"after": start, "limit": 1}).json()
    assert ([n["notice"] for n in one["notices"]], one["more"]) == ([first], True)
    two = world.police.get("/police/v1/notices", params={"after": one["next"], "limit": 1}).json()
    assert ([n["notice"] for n in two["notices"]], two["more"]) == ([second], False)


def test_nobody_of_another_organisation_sees_what_waits(world: World) -> None:
    """A notice of another hospital is as good as none (P8), and so is each act on it."""
    notice = sent(world, consent="refused")
    for answer in (
        world.guardian.get(f"/governance/v1/hospital-notices/{notice}0"),
        world.guardian.post(f"/governance/v1/hospital-notices/{notice}0/release", json=OVERRIDE),
    ):
        assert answer.status_code == 404
    with world.services.database.writing() as connection:
        table = tables.hospital_notice
        connection.execute(table.update().where(table.c.id == notice).values(organisation="RTX"))
    answer = world.guardian.get(f"/governance/v1/hospital-notices/{notice}")
    assert answer.status_code == 404
    listed = world.guardian.get("/governance/v1/hospital-notices", params={"state": "all"}).json()["notices"]
    assert notice not in {one["notice"] for one in listed}


def test_bytes_that_nobody_can_read_wait_for_a_human_and_are_kept_once(world: World) -> None:
    before = {one["hold"] for one in world.guardian.get("/governance/v1/holds").json()["holds"]}
    broken = body(bundle(number()))[:-20]
    answers = [world.hospital.post("/fhir/R4", content=broken, headers=JSON) for _ in range(2)]
    assert [one.status_code for one in answers] == [400, 400]
    after = {one["hold"] for one in world.guardian.get("/governance/v1/holds").json()["holds"]}
    assert len(after - before) == 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda b: b["entry"].pop(1), "ServiceRequest"),
        (lambda b: b["entry"].append(b["entry"][1]), "ServiceRequest"),
        (lambda b: b["entry"][0]["request"].update(method="DELETE"), "Bundle.entry[0].request.method"),
        (lambda b: b["entry"][1]["resource"].update(status="draft"), "status"),
        (lambda b: b["entry"][1]["resource"].update(subject={"reference": "Patient/none"}), "ServiceRequest.subject"),
    ],
)
def test_a_bundle_that_is_no_notice_names_the_place_and_waits(world: World, change: Any, path: str) -> None:
    document = bundle(number())
    change(document)
    answer = send(world, document)
    assert answer.status_code == 400
    assert path in orjson.dumps(answer.json()["issue"]).decode()


def test_a_restricted_patients_address_is_kept_as_a_safe_one(world: World) -> None:
    notice = sent(world, restricted=True)
    with world.services.database.reading() as connection:
        row = connection.execute(select(tables.hospital_notice).where(tables.hospital_notice.c.id == notice)).one()
        record = world.services.records.load(connection, [row.record_id])[row.record_id]
    assert [one.use.value for one in record.people[0].addresses] == ["safe"]


def test_police_cannot_send_notices_nor_a_hospital_read_them(world: World) -> None:
    document = body(bundle(number()))
    assert world.police.post("/fhir/R4", content=document, headers=JSON).status_code == 403
    assert world.hospital.get("/police/v1/notices").status_code == 403


def test_an_officer_connected_with_her_sees_nothing_of_it(world: World) -> None:
    """N15: an officer of the same family name is told nothing, not even that there is something."""
    notice = sent(world)
    staff = {"user": "kin-1", "family_names": ["Ashdown"]}
    assert reviewer(world, "04").post("/governance/v1/staff", json=staff).is_success
    officer = world.client("demo-rms", {"id": "kin-1", "role": "officer-in-case"})
    found = officer.get("/police/v1/notices", params={"limit": 500}).json()
    assert notice not in {one["notice"] for one in found["notices"]}
    assert len(told(world, notice)) == 1


def test_what_nobody_decides_in_time_is_sealed_as_late_once(world: World) -> None:
    notice = sent(world, consent="refused")
    with world.services.database.writing() as connection:
        table = tables.hospital_notice
        past = "2026-01-01T00:00:00.000Z"
        connection.execute(table.update().where(table.c.id == notice).values(due_at=past))
    journal = world.services.journals.of(LOG)
    assert journal.submit_and_wait(NoteNoticesOverdue()).value >= 1
    assert journal.submit_and_wait(NoteNoticesOverdue()).value == 0
    (late,) = sealed(world, Event.HOSPITAL_NOTICE_OVERDUE, notice)
    assert late.outcome is Outcome.FAILED


def test_every_answer_is_sealed_before_it_leaves(world: World) -> None:
    notice = sent(world)
    before = size(world)
    pull(world)
    assert size(world) > before
    taken = sealed(world, Event.HOSPITAL_NOTICE_TAKEN, notice)
    assert [(one.operation, one.outcome) for one in taken] == [(Operation.COLLECTION, Outcome.PERMITTED)]


def test_what_is_erased_is_gone_with_the_document_it_came_in(world: World) -> None:
    """Where nothing says that it is closed, the backstop of the agreement ends it; the log still verifies."""
    notice = sent(world)
    services = world.services
    far = datetime.now(UTC) + timedelta(days=401)
    sweep(services.database, services.journals, services.records, far)
    with services.database.reading() as connection:
        kept = tables.hospital_document
        (document,) = connection.execute(select(kept).where(kept.c.event_id == notice)).all()
        key = connection.execute(select(tables.data_key).where(tables.data_key.c.id == document.id)).all()
        record = tables.record
        (row,) = connection.execute(select(record).where(record.c.event_id == notice)).all()
    assert (bytes(document.content), key, bytes(row.content)) == (b"", [], b"")
    assert told(world, notice) == []
    assert world.guardian.get(f"/governance/v1/hospital-notices/{notice}").status_code == 404


def test_a_notice_that_reads_after_all_is_taken_in_from_quarantine(world: World) -> None:
    """A profile that was mended reads what waits: here the bytes are mended in its place."""
    services, document = world.services, bundle(number())
    broken = body(document)[:-20]
    before = {one["hold"] for one in world.guardian.get("/governance/v1/holds").json()["holds"]}
    assert world.hospital.post("/fhir/R4", content=broken, headers=JSON).status_code == 400
    (hold,) = {one["hold"] for one in world.guardian.get("/governance/v1/holds").json()["holds"]} - before
    sealed_again = Envelope(services.keyring.content_key).seal(body(document), f"quarantine.content|{hold}")
    with services.database.writing() as connection:
        table, keys = tables.quarantine, tables.data_key
        connection.execute(table.update().where(table.c.id == hold).values(content=sealed_again.content))
        connection.execute(keys.update().where(keys.c.id == hold).values(content_key=sealed_again.key))
    start = pull(world)["next"]
    counts = world.guardian.post("/governance/v1/holds/replay", json={}).json()["counts"]
    assert counts["accepted"] == 1
    assert len(pull(world, start)["notices"]) == 1
    assert hold not in {one["hold"] for one in world.guardian.get("/governance/v1/holds").json()["holds"]}


def test_what_police_have_taken_goes_on_its_day_and_what_they_have_not_stays(world: World) -> None:
    """The agreement keeps a record for thirty days from its closing: of a notice, from its being taken."""
    taken = sent(world)
    through = {"through": pull(world)["next"]}
    assert world.police.post("/police/v1/notices/acknowledgements", params=through).is_success
    waiting, untaken = sent(world, consent="refused"), sent(world)
    services = world.services
    soon = datetime.now(UTC) + timedelta(days=31)
    sweep(services.database, services.journals, services.records, soon)
    with services.database.reading() as connection:
        table = tables.record
        rows = connection.execute(select(table.c.event_id, table.c.erased_at)).all()
    erased = {row.event_id: row.erased_at is not None for row in rows}
    assert (erased[taken], erased[waiting], erased[untaken]) == (True, False, False)
    assert sealed(world, Event.HOSPITAL_NOTICE_TAKEN, taken)  # the evidence stays
    (entry,) = [one for one in erasures(world) if one.record and one.record == record_of(world, taken)]
    assert entry.reason == "closed"


def erasures(world: World) -> list[Entry]:
    found = [Entry.parse(one.body) for one in world.entries(LOG)]
    return [one for one in found if one.event == Event.RECORD_ERASED.value]


def record_of(world: World, notice: str) -> str:
    with world.services.database.reading() as connection:
        table = tables.hospital_notice
        found: str = connection.execute(select(table.c.record_id).where(table.c.id == notice)).scalar_one()
    return found


def test_whatever_is_sent_nothing_of_it_is_in_a_log_line_an_error_or_an_entry(
    world: World, seed: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Notices drawn by chance, whole and broken; every byte answered to police, and everything logged, is searched."""
    chance = random.Random(seed)
    start = pull(world)["next"]
    said: list[str] = []
    sent(world)
    with caplog.at_level(logging.DEBUG):
        for _ in range(30):
            document = bundle(
                number(),
                consent=chance.choice(["given", "given", "refused", "not-asked", None]),
                grade=chance.choice(["high", "medium", "standard", None]),
                children=chance.random() < 0.5,
                restricted=chance.random() < 0.5,
                kind=chance.choice(["transaction", "message"]),
                status=chance.choice(["active", "active", "entered-in-error"]),
                codes=tuple(chance.sample(["707087005", "125605004", "697950003", "342191000000101"], 2)),
            )
            raw = body(document)
            cut = len(raw) if chance.random() < 0.7 else chance.randrange(len(raw))
            said.append(world.hospital.post("/fhir/R4", content=raw[:cut], headers=JSON).text)
        said.append(world.guardian.get("/governance/v1/hospital-notices", params={"state": "all"}).text)
    assert pull(world, start)["notices"]  # and `pull` searches every byte
    entries = b"".join(one.body for one in world.entries(LOG)).decode()
    out = capfd.readouterr()
    for mark in (*MARKS, "Ashdown", "Brackwater", "1991-02-03"):
        assert mark not in caplog.text
        assert mark not in out.out + out.err
        assert mark not in entries
        assert mark not in "".join(said)
