"""A hospital's safeguarding notice (REF^I12 to I14, or an ADT message with a safeguarding code) as a `Record`.

Read are who the patient is, which concerns of the closed list are said of her or him, and, in our own observation
codes, the grade and the consent. Everything else stays with the NHS and is not read: a diagnosis, a note, a next of kin
(N4, N5). A segment that was not read is named in the record's quality, so that nothing vanishes unseen.

Source: HL7 v2.4 chapters 3 and 11; domain.md sections 2.9, 2.10, 4.5 and 4.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapters.nhs.hl7v2.facts import digest
from adapters.nhs.hl7v2.finding import Finding, Said, bounded
from adapters.nhs.hl7v2.message import NULL, Message, Segment
from adapters.nhs.hl7v2.moments import moment
from adapters.nhs.hl7v2.observation import assessments, consent, retired
from adapters.nhs.hl7v2.person import patient, restricted
from adapters.nhs.hl7v2.words import words
from adapters.socket import Fault, Problem, Unreadable
from mappings import record
from mappings.concerns import concern_of
from mappings.outcome import Cannot
from mappings.record import AddressUse, Person, Record, RecordKind, Reference, Role, Source, Times
from mappings.transforms import reference

ADAPTER: Final = "nhs.hl7v2"
_CANCEL: Final = "REF^I14"
_READ: Final = {"MSH", "EVN", "PID", "PD1", "PV2", "RF1", "OBX", "OBR"}
_REF: Final = {Role.VICTIM: "victim-1", Role.CHILD: "child-1"}


def concerns(message: Message) -> tuple[str, ...]:
    """The concerns of the closed list that a message says of its patient, sorted; empty where it is no notice."""
    return tuple(sorted({found for code in _codes(message) if (found := concern_of(code)) is not None}))


def notice(message: Message) -> Record:
    """The record of a notice: kind NOTICE, or RETRACTION where the referral is cancelled (I14).

    Raises `Unreadable` where it names no patient, or no concern of the list: then a person must look at it.
    """
    pid = message.only("PID")
    cancelled = message.type == _CANCEL
    said = concerns(message)
    if not said and not cancelled:
        raise Unreadable(Problem("RF1-10", Fault.MISSING))
    role = _role(said)
    who = patient(pid, role, _REF[role])
    person = _hidden(who.person) if restricted(message) else who.person
    findings = [*message.noted, *who.findings, *_unread(message)]
    if who.identity.nhs_number and not who.identity.verified:
        findings.append(Finding(pid.place(3), Said.NHS_UNVERIFIED))
    graded, agreed = assessments(message, person.ref, findings), consent(message, person.ref, findings)
    return Record(
        kind=RecordKind.RETRACTION if cancelled else RecordKind.NOTICE,
        source=_source(message),
        references=_references(message),
        times=Times(recorded=moment(message.text("MSH", 7))),
        flags=said,
        people=(person,),
        assessments=graded,
        consents=(agreed,) if agreed else (),
        quality=tuple(record.Finding(path=one.path, code=one.code.value) for one in bounded(findings)),
    )


def _role(said: tuple[str, ...]) -> Role:
    """Who the patient is: the victim, unless every concern says somebody else."""
    roles = {words().roles.get(one, Role.VICTIM) for one in said}
    return roles.pop() if len(roles) == 1 else Role.VICTIM


def _hidden(person: Person) -> Person:
    """Whoever is restricted lives where nobody is told: every address is a safe one, whatever it says it is."""
    hidden = tuple(one.model_copy(update={"use": AddressUse.SAFE}) for one in person.addresses)
    return person.model_copy(update={"addresses": hidden})


def _source(message: Message) -> Source:
    application, facility = message.sender
    return Source(
        organisation=facility or application or "unknown",
        system=application or None,
        adapter=ADAPTER,
        profile="hl7v2",
        profile_hash=digest(),
    )


def _references(message: Message) -> tuple[Reference, ...]:
    """The sender's own name of the referral (RF1-6): the same again is its next version."""
    found = message.text("RF1", 6)
    if found in ("", NULL):  # a value that is deleted is no name: every referral without one would be the same
        return ()
    try:
        return (Reference(type="occurrence", value=reference(found)),)
    except Cannot:
        raise Unreadable(Problem("RF1-6", Fault.TEXT_TOO_LONG)) from None


def _codes(message: Message) -> Iterator[str]:
    """Every code that a message says of its patient, of SNOMED CT or of no system."""
    for segment in message.segments:
        if retired(segment):
            continue
        for name, of in words().coded:
            if segment.name == name:
                yield from _coded(segment, of)
        for name, of in words().answered:
            if segment.name == name and segment.text(5).upper() in words().yes:
                yield from _coded(segment, of)


def _coded(segment: Segment, of: int) -> Iterator[str]:
    """The code and the alternative code of each repetition (CE-1 to CE-3, CE-4 to CE-6)."""
    for _, components in segment.each(of):
        first, _, system, second, _, other = (*components, "", "", "", "", "", "")[:6]
        for value, said in ((first, system), (second, other)):
            if value and (not said or said.upper() in words().systems):
                yield value


def _unread(message: Message) -> Iterator[Finding]:
    read = _READ | {name for name, _ in (*words().coded, *words().answered)}
    return (Finding(name, Said.NOT_READ) for name in message.counts if name not in read)
