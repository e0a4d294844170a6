"""What HL7 v2 costs, in this process: a message to a record, and a record to REF^I12, with hl7apy's share apart.

`hl7_to_record` reads, judges and takes apart a safeguarding notice of eleven segments; its floor is python-hl7's
parsing of the same bytes, which neither judges nor makes a record. `record_to_hl7` writes a referral whose shape was
seen before, `hl7apy_once` is what hl7apy takes on top for the first of each shape. Processor time, median of rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import hl7

from adapters.nhs.hl7v2 import judge, notice, oracle, read, rules, write_referral
from mappings.record import Assessment, Birth, Grade, Instrument, Name, Person, Record, RecordKind, Role
from mappings.referral import Priority, Referral, ReferralState, ReferralStatus
from tests.bench.figures import MICROSECONDS, Row, middle

ROUNDS = 11
CALLS = 100
"""Calls of a round; hl7apy, which takes a thousand times as long, has a tenth."""

_AT = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
_NUMBER = "9990000018"
_REST = "^^H||01632 960123^PRN" + "|" * 9 + "A" + "|" * 10 + "01"
_NOTICE = "\r".join(
    (
        r"MSH|^~\&|PAS|RXL|GATE|PROVIDE|20260501093000||REF^I12^REF_I12|C-1|P|2.4|||||GBR|UNICODE|EN||iTKv1.0",
        "RF1|P^Pending^HL70283|R^Routine^HL70280|SG^Safeguarding^L|||CASE-7^RXL|20260501093000",
        "PRD|RP^Referring Provider^HL70286|Averley^Ruth^^^Dr|||||RXL^ODS",
        "PRD|RT^Referred to Provider^HL70286||||||GATE",
        f"PID|1||4477^^^RXL^PI~{_NUMBER}^^^NHS^NH||Fennimore^O||19800102|2|||12 Fell View^^Fleetmoor^^ZZ99 9ZZ{_REST}",
        "NK1|1|Fennimore^Basil|SPO^Spouse",
        "DG1|1||707087005^At risk of domestic violence^SCT",
        "OBR|1|||RISK^Risk assessment^L",
        "OBX|1|CE|RISK-GRADE^Risk grade^L||high^High^L||||||F|||20260501090000",
        "OBX|2|CE|CONSENT^Consent^L||given^Given^L||||||F|||20260501090000",
        "ZSG|1|local",
    )
).encode()
_RECORD = Record(
    kind=RecordKind.INCIDENT,
    people=(
        Person(
            ref="victim-1",
            role=Role.VICTIM,
            names=(Name(family="Fennimore", given=("Odile", "Rose"), prefix="Ms"),),
            birth=Birth(year=1980),
            sex="female",
            nhs_number=_NUMBER,
        ),
    ),
    assessments=(
        Assessment(
            ref="assessment-1",
            subject="victim-1",
            instrument=Instrument.DASH_POLICE_27,
            at=_AT,
            grade=Grade.HIGH,
            yes=14,
            items=27,
        ),
    ),
)
_REFERRAL = Referral(
    id="6f1f2c1e-8f0a-4a53-9c5e-3f5d2b1a7c90",
    version=1,
    status=ReferralStatus.REQUESTED,
    state=ReferralState.OFFERED,
    priority=Priority.ASAP,
    team="idva-team",
    organisation="RXL",
    force="04",
    area=None,
    grade=Grade.HIGH,
    assessed_at=_AT,
    created_at=_AT,
    updated_at=_AT,
    respond_by=None,
)


def measure() -> list[Row]:
    """Microseconds each way, hl7apy's apart."""
    text = _written().decode()
    parsed = _each(lambda: hl7.parse(_NOTICE), CALLS)  # type: ignore[no-untyped-call] # python-hl7 has no types
    return [
        Row("hl7_to_record", "none", _each(_taken, CALLS), MICROSECONDS, parsed),
        Row("record_to_hl7", "none", _each(_written, CALLS), MICROSECONDS),
        Row("hl7apy_once", "none", _each(lambda: oracle.validated(text), max(1, CALLS // 10)), MICROSECONDS),
    ]


def _taken() -> None:
    message = read(_NOTICE)
    judge(message, rules())
    notice(message)


def _written() -> bytes:
    return write_referral(
        _RECORD,
        _REFERRAL,
        "new",
        control_id="CTRL-1",
        sender=("PROVIDE-GATEWAY", "PROVIDE"),
        receiver=("TIE", "RXL"),
        at=_AT,
    )


def _each(call: Callable[[], object], calls: int) -> float:
    """Microseconds of processor time for one call: the median of rounds, after one call that loads what is needed."""
    call()
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(calls):
            call()
        rounds.append((time.process_time() - began) / calls * 1e6)
    return middle(rounds)
