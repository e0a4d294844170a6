"""Court messages: who is charged with what, where and when. No victim is in them, and none is made up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.socket import Fault, Limits, Reading, Unreadable, reader
from mappings import items
from mappings.profile import profile
from mappings.record import AddressUse, RecordKind, Role
from tests.support.courts import common_platform, libra
from tests.support.shared import shared_data

MADE = {"libra": libra, "common-platform": common_platform}
PUBLISHED = {"libra": "libra/case.json", "common-platform": "common-platform/hearing.json"}


def read(name: str, document: Any) -> Reading:
    used = profile(name)
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return reader(used.adapter).read(body, used, Limits())


@pytest.mark.parametrize("name", MADE)
def test_a_message_is_a_notice_about_suspects_and_about_nobody_else(name: str) -> None:
    record = read(name, MADE[name]()).record
    assert record.kind is RecordKind.NOTICE
    assert {one.role for one in record.people} == {Role.SUSPECT}
    assert (record.assessments, record.consents, record.orders, record.custody, record.times) == ((), (), (), (), None)
    assert ("people", "no-victim") in {(one.path, one.code) for one in record.quality}
    assert items.present(record) <= set(items.CATALOGUE)


def test_a_libra_listing_is_read() -> None:
    reading = read("libra", libra())
    record = reading.record
    (suspect,) = record.people
    assert (suspect.names[0].family, suspect.names[0].given, suspect.sex) == ("QUARRIE", ("Dale", "Ivor"), "male")
    assert suspect.birth is not None
    assert (str(suspect.birth.on), suspect.birth.age) == ("1988-05-03", 38)
    assert [(one.system, one.value) for one in suspect.identifiers] == [
        ("cro", "90001/08Z"),
        ("libra", "CID900017"),
        ("pnc", "2008/0123456X"),
    ]
    assert [(one.use, one.lines, one.postcode) for one in suspect.addresses] == [
        (AddressUse.HOME, ("4 Example Walk", "Exampleton"), "ZZ99 3CZ")
    ]
    assert record.reference("court-case") == "2600410021"
    assert [(one.kind, (one.text or "")[:26]) for one in record.statements] == [
        ("fact", "2026-11-20T10:00:00, B99ZZ"),
        ("allegation", "Assault by beating, Contra"),
        ("allegation", "Criminal damage to propert"),
    ]
    assert [(one.path, one.reason) for one in reading.losses] == [
        ("defendantType", "no-row"),
        ("nationality1", "no-row"),
    ]


def test_the_same_case_at_another_sitting_is_another_record() -> None:
    later = libra() | {"sessionStartTime": "2026-12-01T10:00:00"}
    occurrences = {read("libra", one).record.reference("occurrence") for one in (libra(), later)}
    assert len(occurrences) == 2
    assert None not in occurrences


def test_a_common_platform_hearing_is_read() -> None:
    reading = read("common-platform", common_platform())
    record = reading.record
    assert [one.names[0].family for one in record.people] == ["QUARRIE", "PELL"]
    assert [one.sex for one in record.people] == ["male", "female"]
    assert record.reference("cjs-urn") == "04ZZ9900126"
    assert [one.text for one in record.statements if one.kind == "fact"] == [
        "First hearing, MAGISTRATES, B99ZZ00, Courtroom 02",
        "2026-11-20T10:00:00.000Z",
    ]
    charges = [one.text or "" for one in record.statements if one.kind == "allegation"]
    assert ["(QUARRIE)" in charges[0], "(PELL)" in charges[1], len(charges)] == [True, True, 2]
    assert (reading.loss_count, reading.ignored_count) == (0, 8)


def test_a_hearing_of_several_cases_is_several_incidents() -> None:
    document = common_platform()
    document["hearing"]["prosecutionCases"] *= 2
    with pytest.raises(Unreadable) as caught:
        read("common-platform", document)
    assert [(one.path, one.fault) for one in caught.value.problems] == [
        ("hearing.prosecutionCases[1]", Fault.SEVERAL_INCIDENTS)
    ]


@pytest.mark.parametrize(
    ("name", "path"), [("libra", "caseId"), ("common-platform", "hearing.id"), ("common-platform", "hearing")]
)
def test_a_message_without_a_name_of_its_own_is_unreadable(name: str, path: str) -> None:
    document: Any = MADE[name]()
    *before, last = path.split(".")
    here = document
    for step in before:
        here = here[step]
    del here[last]
    with pytest.raises(Unreadable) as caught:
        read(name, document)
    assert caught.value.problems[0].fault is Fault.MISSING


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_message_is_read_and_what_is_lost_is_named(name: str) -> None:
    path = shared_data("police", "moj_court_case_matcher", "messages", PUBLISHED[name])
    reading = read(name, path.read_bytes())
    assert reading.record.people
    assert all(one.names and one.identifiers and one.addresses for one in reading.record.people)
    assert any(one.kind == "allegation" for one in reading.record.statements)
    assert {one.path for one in reading.losses} == {
        "libra": {"defendantType", "nationality1", "nationality2"},
        "common-platform": set(),
    }[name]
