"""The Athena-like profile: a whole investigation reads into a whole record, and what is lost is named."""

from __future__ import annotations

import json
from typing import Any

from adapters.socket import Limits, Reading, reader
from mappings import items
from mappings.profile import profile
from mappings.record import AddressUse, Classification, ConsentState, Grade, Instrument, Topic
from tests.support.athena import investigation

ATHENA = profile("athena")


def read(document: Any) -> Reading:
    return reader(ATHENA.adapter).read(json.dumps(document).encode(), ATHENA, Limits())


def test_the_file_says_that_its_shape_is_a_guess() -> None:
    assert "guess" in ATHENA.title


def test_the_incident_is_read_whole() -> None:
    record = read(investigation()).record
    assert items.present(record) <= set(items.CATALOGUE)
    assert record.times is not None
    assert str(record.times.reported) == "2026-11-08 21:04:00+00:00"
    assert {one.type: one.value for one in record.references} == {
        "crime": "04/20701/26",
        "log": "LC-20261108-0412",
        "occurrence": "04-2026-000701",
    }
    assert record.marking is not None
    assert (record.marking.classification, record.marking.handling) == (Classification.OFFICIAL_SENSITIVE, "P")
    assert (record.area, record.category, record.offence, record.flags) == (
        "blackpool",
        "domestic-incident",
        "8N",
        ("DA",),
    )
    assert record.officer is not None
    assert (record.officer.collar, record.outcome, record.safety_warnings) == ("2207", "18", ("violent",))


def test_people_are_read_with_what_is_theirs_and_what_is_theirs_in_this_event() -> None:
    victim, suspect, child, _ = read(investigation()).record.people
    assert (victim.nhs_number, victim.ethnicity, victim.interpreter, victim.injured) == ("9990000018", "A", False, True)
    assert [(one.system, one.is_safe, one.may_leave_voicemail) for one in victim.contacts] == [
        ("phone", True, False),
        ("phone", False, False),
        ("email", False, False),
    ]
    assert (suspect.birth is not None and suspect.birth.year, suspect.present) == (1988, False)
    assert (child.school, child.witnessed, child.encompass is not None and child.encompass.notified) == (
        "Example Primary School",
        True,
        True,
    )


def test_a_refuge_is_a_safe_address_and_an_address_of_an_unknown_kind_is_none() -> None:
    """N8: what could be a place to be kept safe is a loss rather than an ordinary address."""
    reading = read(investigation())
    assert [one.use for one in reading.record.people[0].addresses] == [AddressUse.HOME, AddressUse.SAFE]
    assert "persons[0].addresses[2].line1" in {one.path for one in reading.losses}


def test_what_is_assessed_consented_and_ordered_names_whom_it_is_about() -> None:
    record = read(investigation()).record
    (assessment,) = record.assessments
    assert (assessment.instrument, assessment.grade, assessment.subject) == (
        Instrument.DASH_POLICE_27,
        Grade.HIGH,
        "victim-1",
    )
    assert [one.grade for one in assessment.history] == [Grade.MEDIUM]
    assert [(one.code, one.reply) for one in assessment.answers] == [("STRG", "yes"), ("SEP", "yes"), ("PREG", "no")]
    assert [(one.state, one.subject) for one in record.consents] == [(ConsentState.GIVEN, "victim-1")]
    assert [(one.type, one.subject, one.protects) for one in record.orders] == [("dvpn", "suspect-1", "victim-1")]
    assert [(one.event, one.subject) for one in record.custody] == [("released-on-bail", "suspect-1")]
    assert [(one.a, one.b, one.type) for one in record.relationships] == [("victim-1", "suspect-1", "ex-partner")]
    assert [(one.code, one.met, one.subject) for one in record.criteria] == [
        ("professional-judgement", True, "victim-1")
    ]


def test_who_reported_it_is_cut_from_the_summary() -> None:
    by_topic = {one.topic: one.text or "" for one in read(investigation()).record.statements}
    assert "neighbour" not in by_topic[Topic.SUMMARY]
    assert "neighbour" in by_topic[Topic.THIRD_PARTY]


def test_an_attachment_is_counted_and_never_named() -> None:
    reading = read(investigation())
    assert [one.kind for one in reading.record.attachments] == ["photograph"]
    assert "hall.jpg" not in reading.record.model_dump_json()


def test_what_is_lost_of_the_sample_is_named() -> None:
    assert [(one.path, one.reason) for one in read(investigation()).losses] == [
        ("attachments[0]", "attachment"),
        ("persons[0].addresses[2].addressType", "no-row"),
        ("persons[0].addresses[2].line1", "no-row"),
    ]
