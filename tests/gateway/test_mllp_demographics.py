"""ADT about somebody whose case is open: proposals that a person decides, numbers merged, nothing overwritten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from gateway.demo.run import LOG
from gateway.duties import erase_messages
from gateway.messages.erasing import EraseMessages
from gateway.retention.sweep import sweep
from gateway.store import tables
from tests.gateway.test_mllp_messages import answers, rows, sealed
from tests.journeys.support import pushed
from tests.support.mllp import adt, codes
from tests.support.world import World

NHS = "9990000026"
SHE = {"family": "ASHDOWN", "given": "MARIANNE", "nhs": NHS}


def case_with_number(demo: World, number: str = NHS) -> str:
    """A referral whose victim is known by an NHS number; returns its reference."""
    _, task = pushed(demo)
    with demo.services.database.writing() as connection:
        row = next(one for one in rows(demo, tables.referral) if one.id == task)
        digest = demo.services.keyring.blind("nhs-number", number)
        index = {
            "log_id": LOG,
            "digest": digest,
            "record_id": row.record_id,
            "subject": f"{row.record_id}.{row.victim}",
        }
        connection.execute(insert(tables.blind_index), index)
    return task


def born(demo: World, message: bytes) -> bytes:
    """The message with the birth date of the victim of the record."""
    return message.replace(b"19880214", _victim(demo).birth.on.strftime("%Y%m%d").encode())


def _victim(demo: World) -> Any:
    row = rows(demo, tables.referral)[-1]
    with demo.services.database.reading() as connection:
        record = demo.services.records.load(connection, [row.record_id])[row.record_id]
    return next(one for one in record.people if one.ref == row.victim)


def became(demo: World) -> list[str]:
    """What became of each message, in its order."""
    return [one["detail"]["became"] for one in sealed(demo, "message-received")]


def test_what_a_hospital_knows_otherwise_is_shown_to_the_team_and_overwrites_nothing(demo: World) -> None:
    task = case_with_number(demo)
    before = _victim(demo)
    assert codes(answers(demo, born(demo, adt("A31", **SHE, phone="07700900555")))) == ["AA"]
    assert became(demo) == ["proposed"]
    assert _victim(demo) == before
    [entry] = sealed(demo, "demographics-proposed")
    assert (entry["operation"], entry["case"]) == ("alteration", task)
    assert entry["detail"]["fields"] == "addresses,contacts"
    assert b"ACACIA" not in b"".join(one.body for one in demo.entries())

    body = demo.hospital.get(f"/team/v1/referrals/{task}/demographics").json()
    [shown] = body["proposals"]
    assert shown["says"]["addresses"][0]["lines"] == ["1 ACACIA MEWS"]
    assert "safe" not in shown["says"]["contacts"][0], "nobody said that it is safe to ring her there"
    [read] = sealed(demo, "demographics-read")
    assert read["operation"] == "disclosure"
    assert {"victim.contact", "victim.home_address"} <= set(read["items"]["released"])
    kinds = [one.kind for one in rows(demo, tables.notice)]
    assert kinds.count("demographics-changed") == 1

    answer = demo.hospital.post(f"/team/v1/referrals/{task}/demographics/{shown['id']}", json={"decision": "not-used"})
    assert answer.status_code == 200
    assert sealed(demo, "demographics-decided")[0]["reason"] == "not-used"
    assert demo.hospital.get(f"/team/v1/referrals/{task}/demographics").json()["proposals"] == []
    again = demo.hospital.post(f"/team/v1/referrals/{task}/demographics/{shown['id']}", json={"decision": "used"})
    assert again.status_code == 404
    assert _victim(demo) == before


def test_a_proposal_takes_the_place_of_the_one_that_waits_and_the_team_is_told_once(demo: World) -> None:
    task = case_with_number(demo)
    first = born(demo, adt(**SHE))
    same, other = born(demo, adt(**SHE)), born(demo, adt(**SHE, street="2 ACACIA MEWS"))
    assert codes(answers(demo, first, same, other)) == ["AA", "AA", "AA"]
    assert sorted(became(demo)) == ["nothing-new", "proposed", "proposed"]
    [shown] = demo.hospital.get(f"/team/v1/referrals/{task}/demographics").json()["proposals"]
    assert shown["says"]["addresses"][0]["lines"] == ["2 ACACIA MEWS"]
    assert [one.kind for one in rows(demo, tables.notice)].count("demographics-changed") == 1


def test_of_a_restricted_patient_neither_address_nor_contact_is_kept(demo: World) -> None:
    task = case_with_number(demo)
    with demo.services.database.writing() as connection:
        connection.execute(update(tables.referral).where(tables.referral.c.id == task).values(label="R"))
    answers(demo, born(demo, adt(**SHE | {"family": "ASHDOWNE"})))
    [shown] = demo.hospital.get(f"/team/v1/referrals/{task}/demographics").json()["proposals"]
    assert shown["suppressed"]
    assert set(shown["says"]) == {"names"}


def test_a_number_alone_is_not_she(demo: World) -> None:
    """Another birth date under her number is a slip somewhere: nothing of it is shown for her."""
    case_with_number(demo)
    answers(demo, adt(**SHE))
    assert became(demo) == ["number-not-sure"]
    assert not rows(demo, tables.demographic_change)


def test_another_organisation_sees_and_proposes_nothing(demo: World) -> None:
    case_with_number(demo)
    message = born(demo, adt(**SHE))
    with demo.services.database.writing() as connection:
        connection.execute(update(tables.referral).values(organisation="RTX"))
    answers(demo, message)
    assert became(demo) == ["nobody-here"]


def test_a_closed_case_is_left_alone(demo: World) -> None:
    case_with_number(demo)
    message = born(demo, adt(**SHE))
    with demo.services.database.writing() as connection:
        connection.execute(update(tables.referral).values(closed_at="2026-01-01T00:00:00.000Z"))
    answers(demo, message)
    assert became(demo) == ["nobody-here"]


def test_she_is_found_by_the_hospitals_own_number_once_a_message_named_both(demo: World) -> None:
    case_with_number(demo)
    both = born(demo, adt(**SHE))
    local = born(demo, adt(**SHE, street="3 ACACIA MEWS")).replace(f"{NHS}^^^NHS^NH~".encode(), b"")
    answers(demo, both, local)
    assert became(demo) == ["proposed", "proposed"]
    assert [one["reason"] for one in sealed(demo, "numbers-merged")] == ["message-names-both"]


def test_an_nhs_number_that_nobody_verified_teaches_nothing(demo: World) -> None:
    case_with_number(demo)
    answers(demo, born(demo, adt(**SHE)))
    other = {"nhs": "9990000042", "verified": "03"}
    answers(demo, born(demo, adt(**SHE | other)), born(demo, adt(**SHE | other, local="7700002")))
    assert became(demo)[-1] == "nobody-here"


@pytest.mark.parametrize("kept", ["9990000042^^^NHS^NH", "7700009^^^RXL^MR"])
def test_a_merge_has_a_case_found_by_both_numbers_and_deletes_nothing(demo: World, kept: str) -> None:
    case_with_number(demo)
    before = len(rows(demo, tables.blind_index))
    merge = born(demo, adt("A40", **SHE, more=[f"MRG|{NHS}^^^NHS^NH"]))
    merge = merge.replace(f"{NHS}^^^NHS^NH~7700001^^^RXL^MR".encode(), kept.encode(), 1)
    assert codes(answers(demo, merge, merge)) == ["AA", "AA"]
    assert became(demo) == ["merged"]
    [entry] = sealed(demo, "numbers-merged")
    assert (entry["operation"], entry["reason"]) == ("combination", "merge")
    assert len(rows(demo, tables.blind_index)) == before + 1
    by_kept = born(demo, adt(**SHE)).replace(f"{NHS}^^^NHS^NH~7700001^^^RXL^MR".encode(), kept.encode(), 1)
    answers(demo, by_kept)
    assert became(demo)[-1] == "proposed"


def test_messages_about_nobody_go_after_a_day_and_the_others_with_what_nobody_could_use(demo: World) -> None:
    case_with_number(demo)
    answers(demo, adt(nhs="9990000042", local="1"), born(demo, adt(**SHE)))
    journal = demo.services.journals.of(LOG)
    assert journal.submit_and_wait(EraseMessages(None)).value == 0
    with demo.services.database.writing() as connection:
        connection.execute(update(tables.hl7_message).values(received_at="2026-01-01T00:00:00.000Z"))
    assert journal.submit_and_wait(EraseMessages(None)).value == 1
    left = [one for one in rows(demo, tables.hl7_message) if one.erased_at is None]
    assert [one.became for one in left] == ["proposed"]
    hold = {column.name: "x" for column in tables.legal_hold.columns if not column.nullable}
    with demo.services.database.writing() as connection:
        connection.execute(insert(tables.legal_hold), {**hold, "log_id": LOG, "event_id": left[0].about})
    assert journal.submit_and_wait(EraseMessages(datetime.now(UTC))).value == 0, "a legal hold lies on her case"
    with demo.services.database.writing() as connection:
        connection.execute(update(tables.legal_hold).values(lifted_at="2026-01-01T00:00:00.000Z"))
    assert journal.submit_and_wait(EraseMessages(datetime.now(UTC))).value == 1
    assert all(one.content is None and one.content_key is None for one in rows(demo, tables.hl7_message))
    assert sum(one["detail"]["messages"] for one in sealed(demo, "record-erased")) == 2


def test_a_proposal_is_erased_with_the_case_it_is_about(demo: World) -> None:
    case_with_number(demo)
    answers(demo, born(demo, adt(**SHE)))
    [before] = rows(demo, tables.demographic_change)
    services = demo.services
    far = datetime.now(UTC) + timedelta(days=40 * 365)
    sweep(services.database, services.journals, services.records, far)
    [after] = rows(demo, tables.demographic_change)
    assert bytes(before.content)
    assert not bytes(after.content)
    assert after.decided_at is not None
    assert before.id not in {one.id for one in rows(demo, tables.data_key)}


def test_the_duty_of_erasing_erases_messages_too(demo: World) -> None:
    answers(demo, adt())
    with demo.services.database.writing() as connection:
        connection.execute(update(tables.hl7_message).values(received_at="2026-01-01T00:00:00.000Z"))
    erase_messages(demo.services, datetime.now(UTC))
    [row] = rows(demo, tables.hl7_message)
    assert row.content is None
    assert row.content_key is None
