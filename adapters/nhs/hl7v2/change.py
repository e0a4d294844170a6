"""A demographic change (ADT A01, A04, A08, A28, A31) and a merge of records (A40), as proposals to whoever decides.

Nothing is changed here, and nothing that a message says overwrites anything by itself: a safe address is never in a
message, a person who is restricted is marked so, and a merge names both sides.

Source: HL7 v2.4 sections 3.3.1 to 3.3.40 and 3.4 (PID, PD1, MRG); domain.md section 2.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapters.nhs.hl7v2.finding import Finding, bounded
from adapters.nhs.hl7v2.identity import Identity, identity
from adapters.nhs.hl7v2.message import Message, Segment
from adapters.nhs.hl7v2.moments import moment
from adapters.nhs.hl7v2.person import Patient, patient
from adapters.socket import Fault, Problem, Unreadable
from mappings.record import Role


@dataclass(frozen=True, slots=True)
class Merge:
    """Two identities that a local index says are one person: `gone` is kept under `kept` from now on."""

    kept: Identity
    gone: Identity


@dataclass(frozen=True, slots=True)
class PatientChange:
    """What a message says of a patient. `event` is `A28`; `at` when it happened, where that can be read.

    `patient.person` has the reference `patient` and the role of a victim, since the referrals of victims are what it is
    compared with. `restricted` is what PD1-12 says: then no address may be taken over. `merges` is empty but for A40.
    """

    event: str
    at: datetime | None
    patient: Patient
    restricted: bool
    merges: tuple[Merge, ...] = ()
    findings: tuple[Finding, ...] = ()


def patient_change(message: Message) -> PatientChange:
    """The change that an ADT message tells of. Raises `Unreadable` where it names nobody."""
    pid = message.first("PID")
    if pid is None:
        raise Unreadable(Problem("PID", Fault.MISSING))
    event = message.type.partition("^")[2]
    who = patient(pid, Role.VICTIM, "patient")
    merges: tuple[Merge, ...] = ()
    findings = list(who.findings)
    if event == "A40":
        merges = _merges(message, findings)
        if not merges:
            raise Unreadable(Problem("MRG-1", Fault.MISSING))
    return PatientChange(
        event=event,
        at=moment(message.text("EVN", 6)) or moment(message.text("EVN", 2)) or moment(message.text("MSH", 7)),
        patient=who,
        restricted=message.text("PD1", 12).upper() == "Y",
        merges=merges,
        findings=bounded(findings),
    )


def _merges(message: Message, findings: list[Finding]) -> tuple[Merge, ...]:
    """Each MRG with the PID before it: version 2.4 allows several pairs."""
    found = []
    pid: Segment | None = None
    for segment in message.segments:
        if segment.name == "PID":
            pid = segment
        elif segment.name == "MRG" and pid is not None:
            gone, wrong = identity(segment, 1)
            kept, also = identity(pid, 3, pid.text(32))
            findings += [*wrong, *also]
            if (gone.nhs_number or gone.local) and (kept.nhs_number or kept.local):
                found.append(Merge(kept, gone))
    return tuple(found)
