"""The record in depth: what an adviser reads of an incident with everything in it, and what is kept from whom.

Through HTTP on both engines. The pieces themselves are tried in tests/mappings.
"""

from __future__ import annotations

import json
from typing import Any

from gateway.demo.incidents import incident
from tests.journeys.deeper import attach, entity, everything, extensions, linked, of_type, person, read, request_of
from tests.journeys.support import serial
from tests.support.world import World

Json = dict[str, Any]


def pushed(world: World, document: Json) -> Json:
    answer = world.push(document)
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    return body


def counter_allegation() -> Json:
    """Each says that the other did it: two people, each victim and suspect, with what each told as a victim."""
    document = incident(serial(), child=False)
    relationships = document["data"]["relationships"]
    one, other = linked(document, "victim"), linked(document, "suspect")
    relationships["victim"]["data"] = [one, other]
    relationships["suspect"]["data"] = [other, one]
    harbottle = next(e for e in document["included"] if e["id"] == other["id"])
    refuge = entity(document, "location", "refuge", {"addressLine1": "The Refuge", "postcode": "ZZ99 3VZ"})
    mobile = entity(document, "telephone", "his", {"telephoneNumber": "07700 900777", "safeToContact": True})
    harbottle["relationships"] |= {"safeAddress": {"data": [refuge]}, "personalTelephone": {"data": [mobile]}}
    harbottle["attributes"] |= {"communicationNeeds": ["uses a hearing aid"], "language": "pl"}
    attach(
        document,
        "riskAssessment",
        "2",
        {
            "instrument": "DARA",
            "riskGrade": "STANDARD",
            "assessorRole": "second-officer",
            "completedDateTime": "2026-04-12T21:10:00+01:00",
            "answers": [{"code": "DARA.MONEY", "answer": "yes", "text": "keeps his wages"}],
        },
        victim=other,
    )
    attach(document, "consent", "2", {"consentState": "GIVEN", "reason": "told us in the van"}, victim=other)
    said = {"topic": "summary", "statementKind": "allegation", "text": "He says that she bit him."}
    attach(document, "statement", "1", said, victim=other)
    order = {"orderType": "dvpn", "conditions": "Binds her", "expires": "2099-01-01"}
    attach(document, "order", "1", order, suspect=one, victim=other)
    attach(document, "custody", "1", {"custodyEvent": "arrested"}, suspect=one)
    return document


HIS = (
    "07700900777",
    "07700 900777",
    "The Refuge",
    "hearing aid",
    "dara",
    "keeps his wages",
    "second-officer",
    "told us in the van",
    "bit him",
    "Binds her",
    "arrested",
    "4 Sample Close",
)


def test_a_counter_allegation_is_two_referrals_and_neither_carries_the_others(world: World) -> None:
    """Victim and suspect of one event, both ways round: kept apart as two people each, never merged (N9)."""
    document = counter_allegation()
    body = pushed(world, document)
    subjects = {one["subject"] for one in body["decisions"] if one["recipient"] == "idva-team"}
    assert subjects == {"victim-1", "victim-2"}
    assert {"path": "people[0]", "code": "victim-and-suspect"} in body["quality"]
    texts = {}
    for one in body["referrals"]:
        if one["recipient"] == "idva-team":
            task = one["reference"]
            victim = read(world, "Task", task)["for"]["reference"].partition("/")[2]
            texts[read(world, "Patient", victim)["name"][0]["family"]] = everything(world, task)
    hers, his = texts["Ashdown"], texts["Harbottle"]
    for mark in ("Harbottle", "dash-2009-police-27"):
        assert mark in hers
    assert [mark for mark in HIS if mark in hers] == []
    for mark in ("Ashdown", "The Refuge", "hearing aid", "keeps his wages", "bit him", "Binds her", "arrested"):
        assert mark in his
    own = ("07700900123", "bluebell", "dash-2009-police-27", '"STRG"')
    assert [mark for mark in own if mark in his] == []
    for text in (hers, his):
        assert "counter" not in text
        assert text.count('"code": "suspect"') == 1, "each referral has the one suspect it is about"


def test_several_victims_suspects_and_children_each_stand_for_themselves(world: World) -> None:
    document = incident(serial())
    relationships = document["data"]["relationships"]
    for role, surname in (("victim", "Bellweather"), ("suspect", "Quillfeather"), ("child", "Tindall")):
        made = entity(document, "person", f"{role}-2", {"surname": surname, "givenName": ["Ira"]})
        relationships[role]["data"].append(made)
    body = pushed(world, document)
    tasks = [one["reference"] for one in body["referrals"] if one["recipient"] == "idva-team"]
    assert len(tasks) == 2
    requests = [request_of(world, task) for task in tasks]
    for request in requests:
        assert len(request["contained"]) == 2
        assert [one["reference"] for one in request["supportingInfo"]].count("#suspect-2") == 1
    texts = [everything(world, task) for task in tasks]
    assert ["Bellweather" in text for text in texts].count(True) == 1


def test_a_criterion_for_a_conference_is_a_stated_fact_with_its_evidence(world: World) -> None:
    document = incident(serial(), grade="MEDIUM")
    of_type(document, "riskAssessment").update(instrument="SafeLives RIC", yesCount=15, itemCount=24, answers=[])
    victim = linked(document, "victim")
    attach(document, "maracCriterion", "1", {"criterion": "VHR", "met": True}, victim=victim)
    told = {"criterion": "PJ", "met": True, "assessorRole": "ppu-supervisor", "reason": "She is planning to leave."}
    attach(document, "maracCriterion", "2", told, victim=victim)
    counted = {"criterion": "escalation", "met": True, "count": 3, "since": "2025-11-02"}
    attach(document, "maracCriterion", "3", counted, victim=victim)
    attach(document, "maracCriterion", "4", {"criterion": "repeat", "met": True}, victim=victim)
    body = pushed(world, document)
    assert {"path": "criteria[3]", "code": "without-evidence"} in body["quality"]
    task = body["referrals"][0]["reference"]
    found = {one["code"]: one for one in extensions(request_of(world, task), "marac-criterion")}
    assert (found["visible-high-risk"]["instrument"], found["visible-high-risk"]["count"]) == ("dash-safelives-24", 15)
    assert found["professional-judgement"]["statedBy"] == "ppu-supervisor"
    assert (found["escalation"]["count"], found["escalation"]["since"]) == (3, "2025-11-02")
    assert read(world, "Task", task)["priority"] == "urgent", "a criterion is no grade"


def test_personally_connected_is_what_is_stated_with_what_bears_on_it(world: World) -> None:
    document = incident(serial())
    person(document, "Harbottle")["dateOfBirth"] = "2012-01-01"
    body = pushed(world, document)
    assert {"path": "relationships[0].personally_connected", "code": "evidence-disagrees"} in body["quality"]
    request = request_of(world, body["referrals"][0]["reference"])
    (parts,) = [one["extension"] for one in request["extension"] if one["url"].endswith("/relationship")]
    evidence = [part["valueCode"] for part in parts if part["url"] == "evidence"]
    assert evidence == ["relationship-listed", "one-under-16", "stated-by-sender"]
    assert {"url": "personallyConnected", "valueBoolean": True} in parts, "what the sender states is not changed"


def test_whether_the_school_knows_stands_with_the_child(world: World) -> None:
    document = incident(serial())
    child = next(one for one in document["included"] if one["attributes"].get("school"))
    child["attributes"] |= {
        "encompassNotified": True,
        "encompassDateTime": "2026-04-13T07:45:00+01:00",
        "encompassReference": "enc/26/77",
    }
    body = pushed(world, document)
    request = request_of(world, body["referrals"][0]["reference"])
    children = [one["reference"] for one in request["supportingInfo"] if "child-1" in one["reference"]]
    patient = read(world, "Patient", children[0].partition("/")[2])
    (encompass,) = extensions(patient, "encompass")
    assert encompass == {"notified": True, "at": "2026-04-13T06:45:00Z", "reference": "ENC/26/77"}


def test_fact_assessment_and_allegation_are_told_apart(world: World) -> None:
    document = incident(serial())
    for number, (kind, text) in enumerate(
        (
            ("fact", "A broken door was photographed."),
            ("opinion", "She is at risk of more."),
            ("account", "He hit her."),
        )
    ):
        told = {"topic": "circumstances", "statementKind": kind, "text": text}
        attach(document, "statement", str(number), told, victim=linked(document, "victim"))
    body = pushed(world, document)
    notes = request_of(world, body["referrals"][0]["reference"])["note"]
    kinds = {one["text"]: one["extension"][0]["valueCode"] for one in notes}
    assert kinds["A broken door was photographed."] == "fact"
    assert kinds["She is at risk of more."] == "assessment"
    assert kinds["He hit her."] == "allegation"


def test_a_statement_on_a_topic_nobody_knows_is_not_told(world: World) -> None:
    document = incident(serial())
    attach(document, "statement", "1", {"topic": "source log", "text": "Zebra crossing."})
    body = pushed(world, document)
    assert "incomplete" in {one["code"] for one in body["quality"]}
    assert "Zebra" not in everything(world, body["referrals"][0]["reference"])


def test_an_attachment_is_named_and_counted_and_never_passed_on(world: World) -> None:
    document = incident(serial())
    before = world.push(incident(serial())).json()["losses"]["count"]
    about = {"kind": "BWV", "mediaType": "video/mp4", "fileName": "ashdown-kitchen.mp4", "content": "QUJDREVG"}
    attach(document, "attachment", "1", about)
    entity(document, "attachment", "2", {"kind": "photo", "fileName": "throat.jpg"})
    body = pushed(world, document)
    named = [one for one in body["losses"]["paths"] if one["reason"] == "attachment"]
    assert [one["path"].rpartition("[")[0] for one in named] == ["included", "included"]
    assert body["losses"]["count"] == before + 2
    withheld = next(one for one in body["decisions"] if one["recipient"] == "idva-team")["withheld"]
    assert "event.attachments" in {one["item"] for one in withheld}
    text = everything(world, body["referrals"][0]["reference"])
    for mark in ("kitchen", "QUJDREVG", "throat.jpg", "body-worn", "attachment"):
        assert mark not in text


def test_needs_interpreter_and_safe_contact_reach_the_adviser(world: World) -> None:
    document = incident(serial())
    person(document, "Ashdown").update(
        {"interpreterRequired": True, "language": "ur", "communicationNeeds": ["lip-reads"]}
    )
    of_type(document, "consent")["explained"] = "yes"
    body = pushed(world, document)
    task = body["referrals"][0]["reference"]
    victim = read(world, "Patient", read(world, "Task", task)["for"]["reference"].partition("/")[2])
    assert victim["communication"][0]["language"]["coding"][0]["code"] == "ur"
    text = json.dumps(victim)
    assert "lip-reads" in text
    assert '"valueBoolean": true' in text
    assert "consent-explained" in everything(world, task)


def test_the_hour_the_clock_repeats_is_said_to_the_sender(world: World) -> None:
    document = incident(serial())
    document["data"]["attributes"] |= {
        "reportedDateTime": "25/10/2026 01:30",
        "attendedDateTime": "29/03/2026 01:30",
        "recordedDateTime": "25/10/2026 02:30",
    }
    body = pushed(world, document)
    quality = {(one["path"].rpartition(".")[2], one["code"]) for one in body["quality"]}
    assert ("reportedDateTime", "time-ambiguous") in quality
    assert ("attendedDateTime", "time-skipped") in quality
    request = request_of(world, body["referrals"][0]["reference"])
    (shown,) = extensions(request, "incident")
    assert (shown["reported"], shown["recorded"]) == ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z")
    assert "attended" not in shown


def test_who_reported_it_is_withheld_and_the_sender_is_told_so(world: World) -> None:
    document = incident(serial(), description="He pushed her. Her sister Nadia rang us from work. She had a cut lip.")
    body = pushed(world, document)
    withheld = next(one for one in body["decisions"] if one["recipient"] == "idva-team")["withheld"]
    assert "statement.third_party" in {one["item"] for one in withheld}
    text = everything(world, body["referrals"][0]["reference"])
    assert "He pushed her." in text
    assert "Nadia" not in text
    assert "Nextdoor" not in text
