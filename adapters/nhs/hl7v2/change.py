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
from adapters.nhs.hl7v2.person import Patient, patient, restricted
from adapters.socket import Fault, Problem, Unreadable
from mappings.record import Person, Role

_MERGE = "A40"


@dataclass(frozen=True, slots=True)
class Merge:
    """Two identities that a local index says are one person: `gone` is kept under `kept` from now on.

    `person` is who the message says that is.
    """

    kept: Identity
    gone: Identity
    person: Person


@dataclass(frozen=True, slots=True)
class PatientChange:
    """What a message says of a patient; of a merge, that of its first pair.

    `event` is `A28`; `at` when it happened and `recorded` when the sender wrote it down, where that can be read.
    `patient.person` has the reference `patient` and the role of a victim, since the referrals of victims are what it is
    compared with. `restricted`: then no address may be taken over. `merges` is empty but for A40.
    """

    event: str
    at: datetime | None
    recorded: datetime | None
    patient: Patient
    restricted: bool
    merges: tuple[Merge, ...] = ()
    findings: tuple[Finding, ...] = ()


def patient_change(message: Message) -> PatientChange:
    """The change that an ADT message tells of. Raises `Unreadable` where it names nobody."""
    event = message.type.partition("^")[2]
    pid = message.first("PID") if event == _MERGE else message.only("PID")
    if pid is None:
        raise Unreadable(Problem("PID", Fault.MISSING))
    who = patient(pid, Role.VICTIM, "patient")
    merges: tuple[Merge, ...] = ()
    findings = list(who.findings)
    if event == _MERGE:
        merges = _merges(message, findings)
        if not merges:
            raise Unreadable(Problem("MRG-1", Fault.MISSING))
    recorded = moment(message.text("EVN", 2)) or moment(message.text("MSH", 7))
    return PatientChange(
        event=event,
        at=moment(message.text("EVN", 6)) or recorded,
        recorded=recorded,
        patient=who,
        restricted=restricted(message),
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
            who = patient(pid, Role.VICTIM, "patient")
            kept = who.identity
            findings += [*wrong, *who.findings]
            if (gone.nhs_number or gone.local) and (kept.nhs_number or kept.local):
                found.append(Merge(kept, gone, who.person))
    return tuple(found)
