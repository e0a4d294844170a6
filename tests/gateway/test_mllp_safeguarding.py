"""Notices and replies over MLLP: REF^I12, ADT with a safeguarding code, RRI about what was delivered."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from adapters.nhs import hl7v2
from gateway.chance import fresh_id
from gateway.channels import finder
from gateway.delivery.courier import Courier
from gateway.delivery.endpoints import AddEndpoint
from gateway.demo.run import LOG
from gateway.mllp.channel import control_id as control_id_of
from gateway.mllp.channel import parcels_of
from gateway.store import tables
from tests.gateway.test_mllp_channel import ack, receiver
from tests.gateway.test_mllp_messages import answers, rows, sealed
from tests.journeys.support import pushed
from tests.support.mllp import adt, codes, header
from tests.support.world import World

CONCERN = "707087005"
"""Says that somebody is at risk (`safeguarding-concern`)."""


def referral_message(identifier: str, *, reference: str = "RXL-77", family: str = "ARDEN") -> bytes:
    """A hospital's notice about an invented patient."""
    return "\r".join(
        [
            header("REF^I12", identifier),
            f"RF1|A|A|SG||E|{reference}^RXL",
            "PRD|RP^Referring^HL70286|WARD^SEVEN",
            f"PID|1||7700001^^^RXL^MR||{family}^ZELDA||19880214|F",
            f"DG1|1||{CONCERN}^^SCT",
            "",
        ]
    ).encode()


def test_a_notice_is_kept_once_with_the_message_it_came_in(demo: World) -> None:
    message = referral_message("N1")
    assert codes(answers(demo, message, message)) == ["AA", "AA"]
    assert len(rows(demo, tables.hospital_notice)) == 1
    [row] = rows(demo, tables.hl7_message)
    assert (row.became, row.about) == ("notice", rows(demo, tables.hospital_notice)[0].id)


def test_the_same_control_id_with_another_notice_is_for_a_human(demo: World) -> None:
    found = answers(demo, referral_message("N1"), referral_message("N1", reference="RXL-78"))
    assert codes(found) == ["AA", "AE"]
    assert len(rows(demo, tables.hospital_notice)) == 1
    assert [one.reason for one in rows(demo, tables.quarantine)] == ["hl7-control-id"]


def test_a_notice_without_a_concern_is_refused_and_a_human_sees_it(demo: World) -> None:
    message = referral_message("N1").replace(CONCERN.encode(), b"22298006")
    assert codes(answers(demo, message)) == ["AE"]
    assert len(rows(demo, tables.quarantine)) == 1


def test_the_codes_of_every_movement_are_one_notice(demo: World) -> None:
    more = [f"DG1|1||{CONCERN}^^SCT"]
    assert codes(answers(demo, adt("A01", more=more), adt("A08", more=more), adt("A08"))) == ["AA"] * 3
    assert len(rows(demo, tables.hospital_notice)) == 1
    kept = [one["detail"]["became"] for one in sealed(demo, "message-received")]
    assert kept == ["notice", "notice", "nobody-here"]


def delivered(demo: World, client: str = "demo-hospital") -> tuple[str, str]:
    """A referral that was sent to an endpoint of a client; returns its reference and the delivery's."""
    _, task = pushed(demo)
    endpoint, delivery = fresh_id(), fresh_id()
    whose = {"organisation": "RXL", "team": "idva-team", "user_id": "idva-0042", "role": "idva"}
    values: dict[str, Any] = {"id": endpoint, "log_id": LOG, "client": client, **whose}
    sent = {"id": delivery, "log_id": LOG, "endpoint_id": endpoint, "referral_id": task, "reason": "new", "number": 1}
    with demo.services.database.writing() as connection:
        for table, row in ((tables.endpoint, values), (tables.delivery, sent)):
            plain = {
                c.name: False if "BOOL" in str(c.type) else 0 if "INT" in str(c.type) else "x"
                for c in table.columns
                if not c.nullable
            }
            connection.execute(insert(table), {**plain, **row})
    return task, delivery


def reply(delivery: str, task: str, *, status: str = "A", code: str = "AA", identifier: str | None = None) -> bytes:
    """What the receiving system says."""
    lines = [
        header("RRI^I12", identifier),
        f"MSA|{code}|{control_id_of(delivery)}",
        f"RF1|{status}|R|SG|||{task}^PROVIDE",
        "PRD|RT^Referred to^HL70286",
        "PID|1||7700001^^^RXL^MR||ARDEN^ZELDA",
        "",
    ]
    return "\r".join(lines).encode()


def status(demo: World, task: str) -> str:
    """Where a referral stands."""
    return next(str(one.status) for one in rows(demo, tables.referral) if one.id == task)


def test_an_accepted_referral_is_accepted_once_by_the_person_who_answers_for_the_system(demo: World) -> None:
    task, delivery = delivered(demo)
    message = reply(delivery, task)
    assert codes(answers(demo, message, message, reply(delivery, task))) == ["AA"] * 3
    assert status(demo, task) == "accepted"
    [entry] = sealed(demo, "referral-changed")
    assert entry["actor"]["user"] == "idva-0042"


@pytest.mark.parametrize(("said", "stands"), [("R", "rejected"), ("P", "received")])
def test_a_reply_moves_the_referral_as_a_team_would(demo: World, said: str, stands: str) -> None:
    task, delivery = delivered(demo)
    assert codes(answers(demo, reply(delivery, task, status=said))) == ["AA"]
    assert status(demo, task) == stands


@pytest.mark.parametrize("case", ["never sent", "another client's", "another referral", "expired"])
def test_what_answers_nothing_that_was_sent_is_for_a_human(demo: World, case: str) -> None:
    task, delivery = delivered(demo, "demo-guardian" if case == "another client's" else "demo-hospital")
    message = {
        "never sent": reply(fresh_id(), task),
        "another referral": reply(delivery, fresh_id()),
        "expired": reply(delivery, task, status="E"),
    }.get(case, reply(delivery, task))
    assert codes(answers(demo, message)) == ["AE"]
    assert len(rows(demo, tables.quarantine)) == 1
    assert status(demo, task) == "requested"


def test_a_system_that_cannot_use_what_it_acknowledged_brings_its_team_once(demo: World) -> None:
    """Nobody else would learn that the referral is not in the system (P6); the system's own answer is good."""
    task, delivery = delivered(demo)
    failed = reply(delivery, task, code="AE")
    assert codes(answers(demo, failed, failed, reply(delivery, task, code="AR"))) == ["AA"] * 3
    assert [(one.kind, one.referral_id) for one in rows(demo, tables.notice)] == [("undelivered", task)]
    assert status(demo, task) == "requested"
    assert rows(demo, tables.quarantine) == []


def test_a_reply_that_cannot_follow_is_for_a_human(demo: World) -> None:
    task, delivery = delivered(demo)
    found = answers(demo, reply(delivery, task, status="R"), reply(delivery, task))
    assert codes(found) == ["AA", "AE"]
    assert len(rows(demo, tables.quarantine)) == 1
    assert status(demo, task) == "rejected"


def test_a_control_id_leads_back_to_its_parcel() -> None:
    parcel = fresh_id()
    named = control_id_of(parcel)
    assert len(named) == 20
    begins = parcels_of(named)
    assert begins is not None
    assert parcel.startswith(begins)
    assert parcels_of("M1") is None


def test_a_referral_goes_out_as_a_message_and_its_answer_comes_back_as_one(demo: World) -> None:
    """The whole road over sockets: delivered and acknowledged, then accepted by the system it went to."""
    services = demo.services
    find = finder(services)

    def acknowledge(line: socket.socket, message: bytes) -> None:
        line.sendall(ack("AA", of=hl7v2.read(message).control_id))

    with receiver(acknowledge) as (port, taken):
        unit = AddEndpoint(
            client="demo-hospital",
            channel="mllp",
            address=f"mllp://127.0.0.1:{port}",
            options={"application": "ENGINE"},
            user="idva-0042",
            role="idva",
            hides_from_online_access=True,
            standing=services.standing(LOG),
            find=find,
            production=False,
        )
        services.journals.of(LOG).submit_and_wait(unit)
        _, task = pushed(demo)
        courier = Courier(services, find)
        try:
            courier.round(datetime.now(UTC))
            courier.wait()
        finally:
            courier.close()
    [body] = taken
    message = hl7v2.read(body)
    [row] = rows(demo, tables.delivery)
    assert (message.type, message.control_id) == ("REF^I12", control_id_of(row.id))
    assert message.text("RF1", 6) == task
    assert row.acknowledged_at is not None
    assert row.reference == "THEIRS"
    assert "NTE" not in message.counts
    assert codes(answers(demo, reply(row.id, task))) == ["AA"]
    assert status(demo, task) == "accepted"
