"""The work on a case over REST: acts, what police hear of them, and what was done, on both engines."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pypdf
import pytest
from sqlalchemy import select

from audit.entry import Entry, Operation, Outcome
from gateway.casework.effects import Happened
from gateway.casework.keeping import fingerprint
from gateway.casework.reading import history
from gateway.decision import Effect
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.london import LONDON
from gateway.oversight.judge import Judge, asked
from gateway.retention.sweep import sweep
from gateway.store import tables
from tests.journeys.casework_channels import MARAC
from tests.journeys.support import change, output, pushed, sealed, serial, size, state, status
from tests.support.evidence import verify_log
from tests.support.world import World

COLLEAGUE = {"id": "idva-0007", "role": "idva"}


def act(world: World, referral: str, *acts: Mapping[str, Any], **headers: str) -> httpx.Response:
    """Do something in a case, as the adviser."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return world.hospital.post(f"/team/v1/referrals/{referral}/acts", json={"acts": list(acts)}, headers=names)


def acted(world: World, referral: str, *acts: Mapping[str, Any]) -> dict[str, Any]:
    answer = act(world, referral, *acts)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def attempt(result: str = "no-answer", channel: str = "phone", **more: Any) -> dict[str, Any]:
    return {"act": "contact-attempt", "channel": channel, "result": result, **more}


def heard(world: World, incident_: str) -> list[str]:
    """What police are told of an incident."""
    return [one["code"] for one in world.police.get(f"/police/v1/incidents/{incident_}").json()["feedback"]]


def done(world: World, referral: str) -> dict[str, Any]:
    answer = world.hospital.get(f"/team/v1/referrals/{referral}/acts")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def clocks(world: World, referral: str) -> list[str]:
    """The clocks of a referral that run."""
    return sorted(one["clock"] for one in done(world, referral)["clocks"] if one["referral"] == referral)


def entries(world: World, start: int, event: Event = Event.CASE_ACTED) -> list[Entry]:
    return [one for one in sealed(world, start=start) if one.event == event]


def rows(world: World, table: Any, **where: Any) -> list[Any]:
    """The rows of a table, in the order in which they were sealed where it keeps one."""
    query = select(table).where(*(table.c[name] == value for name, value in where.items()))
    query = query.order_by(*(table.c[name] for name in ("seq", "number") if name in table.c))
    with world.services.database.reading() as connection:
        return list(connection.execute(query))


# An act


def test_acts_move_the_case_tell_police_and_are_sealed(world: World) -> None:
    incident_, referral = pushed(world)
    start = size(world)
    answer = acted(world, referral, {"act": "acknowledge"}, attempt(note="rang twice"), {"act": "engage"})
    assert [one["code"] for one in answer["told"]] == ["acknowledged", "contact-attempted", "engaged"]
    assert len(answer["receipts"]) == 3
    found = entries(world, start)
    assert [(one.detail or {})["act"] for one in found] == ["acknowledge", "contact-attempt", "engage"]
    assert {(one.operation, one.case, one.outcome) for one in found} == {
        (Operation.ALTERATION, referral, Outcome.PERMITTED)
    }
    task = world.hospital.get(f"/fhir/R4/Task/{referral}").json()
    assert (task["status"], task["businessStatus"]["coding"][0]["code"]) == ("in-progress", "engaged")
    assert heard(world, incident_) == ["acknowledged", "contact-attempted", "engaged"]
    read = done(world, referral)["acts"]
    assert [one["act"] for one in read] == ["acknowledge", "contact-attempt", "engage"]
    assert [one["words"] for one in read] == [{}, {"note": "rang twice"}, {}]
    assert [one["index"] for one in read] == [one["index"] for one in answer["receipts"]]


def test_words_are_nowhere_but_in_what_was_kept_and_codes_are_sealed_as_a_hash(world: World) -> None:
    _, referral = pushed(world)
    start = size(world)
    acted(world, referral, attempt(note="Her sister Odette answers on Fridays."))
    bodies = b"".join(one.to_bytes() for one in sealed(world, start=start))
    assert b"Odette" not in bodies
    assert b"no-answer" not in bodies
    (row,) = rows(world, tables.case_event, referral_id=referral)
    assert b"Odette" not in row.content
    with world.services.database.reading() as connection:
        (kept,) = history(connection, world.services.keyring, [referral])
    said = Happened(kept.kind, kept.happened_at, kept.codes, kept.words or {})
    (entry,) = entries(world, start)
    assert entry.payload == fingerprint(said, world.services.keyring)


def test_the_decision_behind_an_act_can_be_made_again(world: World) -> None:
    """P4: what the entry holds gives the same clauses and items, as for a change of a Task."""
    _, referral = pushed(world)
    start = size(world)
    acted(world, referral, {"act": "acknowledge"})
    (entry,) = entries(world, start)
    terms = world.services.standing(LOG).terms
    answer = Judge().answer(asked(orjson.loads(entry.to_bytes())), datetime.fromisoformat(entry.time), terms)
    assert tuple(answer.clauses) == entry.clauses
    assert tuple(answer.named(Effect.RELEASED)) == entry.items.released


def test_all_or_none(world: World) -> None:
    incident_, referral = pushed(world)
    refused = act(world, referral, {"act": "acknowledge"}, {"act": "close", "how": "planned"})
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (422, "transition-refused")
    assert refused.json()["errors"][0]["path"] == "acts[1].exit"
    assert heard(world, incident_) == []
    assert done(world, referral)["acts"] == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"acts": []}, "acts"),
        ({"acts": [{"act": "fly"}]}, "acts[0]"),
        ({"acts": [{"act": "acknowledge"}, {"act": "assign"}]}, "acts[1].to"),
        ({"acts": [{"act": "close", "how": "planned", "exit": {"safer": "perhaps"}}]}, "acts[0].exit.safer"),
        ({"acts": [{"act": "engage", "x": 1}]}, "acts[0]"),
        ({"acts": [{"act": "acknowledge"}] * 33}, "acts"),
    ],
)
def test_a_refusal_names_the_path(world: World, body: dict[str, Any], path: str) -> None:
    _, referral = pushed(world)
    answer = world.hospital.post(f"/team/v1/referrals/{referral}/acts", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, path)


def test_an_act_on_a_version_that_is_not_the_newest_is_refused(world: World) -> None:
    _, referral = pushed(world)
    read = world.hospital.get(f"/team/v1/referrals/{referral}/acts").headers["etag"]
    assert act(world, referral, {"act": "acknowledge"}, If_Match=read).status_code == 200
    assert act(world, referral, {"act": "engage"}, If_Match=read).status_code == 412


@pytest.mark.parametrize("name", ["Idempotency_Key", "X_Request_Id"])
def test_a_repeat_is_done_once(world: World, name: str) -> None:
    incident_, referral = pushed(world)
    key = {name: "form-1"}
    first = act(world, referral, {"act": "acknowledge"}, **key)
    again = act(world, referral, {"act": "acknowledge"}, **key)
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    assert first.json()["version"] == again.json()["version"]
    other = act(world, referral, {"act": "engage"}, **key)
    assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (422, "idempotency-conflict")
    assert heard(world, incident_) == ["acknowledged"]
    _, another = pushed(world)
    assert act(world, another, {"act": "acknowledge"}, **key).json()["repeated"] is False


def test_what_may_not_follow_is_sealed_as_refused(world: World) -> None:
    _, referral = pushed(world)
    start = size(world)
    assert act(world, referral, {"act": "unable-to-contact"}).status_code == 422
    (entry,) = entries(world, start)
    assert (entry.outcome, entry.reason, entry.case) == (Outcome.DENIED, "may-not-follow", referral)


# What is said of her


def test_only_a_channel_that_is_stated_safe_is_used(world: World) -> None:
    """The mobile is safe for texts and not for voicemail, and of the landline nothing is known (P5, N8)."""
    _, referral = pushed(world)
    assert act(world, referral, attempt("message-left", "voicemail")).status_code == 422
    assert act(world, referral, attempt("message-left", "text", contact=1)).status_code == 422
    assert act(world, referral, attempt("message-left", "text", contact=0)).status_code == 200
    assert act(world, referral, attempt("message-left", "text")).status_code == 200


def test_what_she_wishes_goes_to_police_with_her_consent_alone(world: World) -> None:
    incident_, referral = pushed(world)
    no = {"act": "supports-prosecution", "value": "no"}
    assert acted(world, referral, {"act": "acknowledge"}, no)["told"][1:] == []
    assert heard(world, incident_) == ["acknowledged"]
    acted(world, referral, no | {"consent": {"state": "given"}}, {"act": "decline"})
    assert heard(world, incident_) == ["acknowledged", "supports-prosecution"]  # that she declines was not hers to say
    kinds = [one["act"] for one in done(world, referral)["acts"]]
    assert kinds == ["acknowledge", "supports-prosecution", "supports-prosecution", "decline"]


def test_children_are_those_of_the_case(world: World) -> None:
    incident_, referral = pushed(world)
    answer = act(world, referral, {"act": "child-referral", "children": ["child-9"]})
    assert answer.json()["errors"][0]["path"] == "acts[0].children[0]"
    found = world.hospital.get("/fhir/R4/Patient", params={"_id": f"{referral}.child-1"})
    assert found.json()["total"] == 1
    acted(
        world, referral, {"act": "child-referral", "children": ["child-1"]}, {"act": "cpis-checked", "child": "unborn"}
    )
    assert heard(world, incident_) == ["acknowledged", "child-referral-made"]  # what a register says is not for police


def test_a_case_goes_from_hand_to_hand(world: World) -> None:
    _, referral = pushed(world)
    for one, whose in (
        ({"act": "acknowledge"}, "idva-0042"),
        ({"act": "assign", "to": "idva-0007"}, "idva-0007"),
        (attempt(), "idva-0007"),  # who helps out does not take it
        ({"act": "hand-over", "note": "Ring at noon."}, None),
        (attempt(), "idva-0042"),
        ({"act": "hand-over", "to": "idva-0007", "note": "Back on Monday."}, "idva-0007"),
    ):
        acted(world, referral, one)
        (row,) = rows(world, tables.referral, id=referral)
        assert row.assigned_to == whose


def test_a_close_ends_the_case_with_what_it_came_to(world: World) -> None:
    incident_, referral = pushed(world)
    end = {"safer": "yes", "cessation": {"physical": "ceased"}, "risk_reduction": "significant"}
    acted(world, referral, {"act": "engage"}, {"act": "close", "how": "planned", "exit": end})
    assert heard(world, incident_) == ["acknowledged", "engaged", "closed"]
    kept = orjson.loads(rows(world, tables.case_event, referral_id=referral, kind="close")[0].codes)
    assert kept["exit"]["cessation"] == {
        "physical": "ceased",
        "sexual": "not-known",
        "harassment": "not-known",
        "controlling": "not-known",
    }
    assert act(world, referral, attempt()).status_code == 422
    assert act(world, referral, {"act": "welfare-concern"}).status_code == 200
    (row,) = rows(world, tables.referral, id=referral)
    assert row.closed_at is not None
    assert clocks(world, referral) == ["flag-review"]


# The same by FHIR


def test_a_change_of_a_task_and_an_act_come_to_the_same(world: World) -> None:
    """State, words, clocks and what is kept: whichever way it was said."""
    lives: list[list[Any]] = []
    for by_task in (True, False):
        incident_, referral = pushed(world)
        life: list[Any] = []
        for version, (patch, one) in enumerate(
            (
                ((status("accepted"),), {"act": "acknowledge"}),
                (
                    (status("in-progress"), {"op": "add", "path": "/output", "value": [output("contact-attempted")]}),
                    attempt(),
                ),
                ((state("unable-to-contact"),), {"act": "unable-to-contact", "ground": "no-channel"}),
                ((state("engaged"),), {"act": "engage"}),
            ),
            start=1,
        ):
            if by_task:
                answer = change(world, referral, version, *_outputs_kept(world, referral, patch))
                assert answer.status_code == 200, answer.text
            else:
                acted(world, referral, one)
            task = world.hospital.get(f"/fhir/R4/Task/{referral}").json()
            stands = task["status"], task["businessStatus"]["coding"][0]["code"]
            kinds = [one["act"] for one in done(world, referral)["acts"]]
            life.append((stands, clocks(world, referral), kinds, heard(world, incident_)))
        lives.append(life)
    assert lives[0] == lives[1]
    assert [one[1] for one in lives[0]] == [["first-contact"], ["next-attempt"], ["review"], []]


def _outputs_kept(world: World, referral: str, patch: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """A patch in which what was said before stays."""
    said = world.hospital.get(f"/fhir/R4/Task/{referral}").json().get("output", [])
    return [one | {"value": [*said, *one["value"]]} if one["path"] == "/output" else one for one in patch]


# What else happens to a case


def test_a_retraction_stops_the_clocks_and_a_regrade_never_gives_time(world: World) -> None:
    number = serial()
    referral = world.push(incident(number, grade="MEDIUM")).json()["referrals"][0]["reference"]
    before = {one["clock"]: one["due_at"] for one in done(world, referral)["clocks"]}
    assert world.push(incident(number, grade="HIGH", version=2)).is_success
    higher = {one["clock"]: one["due_at"] for one in done(world, referral)["clocks"]}
    assert all(higher[name] < before[name] for name in ("acknowledge", "first-contact"))
    assert world.push(incident(number, grade="STANDARD", version=3)).is_success
    assert {one["clock"]: one["due_at"] for one in done(world, referral)["clocks"]} == higher
    document = incident(number, version=4)
    document["data"]["attributes"]["recordKind"] = "retraction"
    assert world.push(document).is_success
    assert all(row.stopped_at and not row.next_at for row in rows(world, tables.case_timer, referral_id=referral))


def test_a_correction_reaches_the_team_while_what_it_did_stays(world: World) -> None:
    """P9: a later version tells those who were given something, and takes nothing away that was done."""
    number = serial()
    referral = world.push(incident(number)).json()["referrals"][0]["reference"]
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{referral}").is_success
    acted(world, referral, {"act": "acknowledge"}, attempt())
    assert world.push(incident(number, grade="STANDARD", version=2)).is_success
    assert [one["act"] for one in done(world, referral)["acts"]] == ["acknowledge", "contact-attempt"]
    (waits,) = done(world, referral)["notices"]
    assert waits["kind"] == "corrected"
    assert world.hospital.post(f"/notices/v1/{waits['notice']}/acknowledgement").is_success
    assert done(world, referral)["notices"] == []


def test_what_was_written_goes_with_the_record(world: World) -> None:
    _, referral = pushed(world)
    acted(world, referral, attempt(note="Her sister answers."), {"act": "close", "how": "unplanned"})
    services = world.services
    later = datetime.now(UTC) + timedelta(days=365 * 30)
    sweep(services.database, services.journals, services.records, later)
    (first, *_) = rows(world, tables.case_event, referral_id=referral)
    assert first.content == b""
    assert rows(world, tables.data_key, id=first.id) == []
    assert first.codes, "what is counted stays"
    assert not [row for row in rows(world, tables.case_timer, referral_id=referral) if row.stopped_at is None]
    services = world.services
    assert verify_log(services.database, LOG, services.signer(LOG).verifier).verified


# The conference


def test_the_form_for_the_conference_is_made_of_the_case_and_of_what_was_said(world: World) -> None:
    incident_, referral = pushed(world)
    path = f"/team/v1/referrals/{referral}/marac-referral.pdf"
    assert world.hospital.get(path).status_code == 422  # nobody has referred her yet
    acted(world, referral, MARAC)
    start = size(world)
    answer = world.hospital.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    assert "Ashdown" in printed
    assert MARAC["reason"] in printed
    assert "ashdown" not in answer.headers["content-disposition"].casefold()
    events = [(one.event, one.reason) for one in sealed(world, start=start)]
    assert events == [(Event.REFERRAL_READ, "marac-referral"), (Event.CASE_READ, "marac-referral")]
    assert heard(world, incident_) == ["acknowledged", "marac-referred"]


def test_she_hears_what_came_of_the_conference(world: World) -> None:
    _, referral = pushed(world)
    today = datetime.now(UTC).astimezone(LONDON).date().isoformat()
    acted(world, referral, {"act": "engage"}, MARAC, {"act": "marac-heard", "on": today})
    assert clocks(world, referral) == ["marac-feedback"]
    acted(world, referral, {"act": "marac-feedback"})
    assert clocks(world, referral) == []
