"""PID as a `Person` of the common record, and what was said to be deleted.

A telephone number or an address that a hospital holds is not said to be safe, and so is not (P5). Next of kin, spouse,
employer and whoever else a message names is not read, a partner's name among her own neither: any of them may be the
perpetrator (N8). Whoever has a date of death is dead, unless PID-30 says otherwise.

Source: HL7 v2.4 section 3.4.2 (PID), 2.9.51 (XAD), 2.9.54 (XPN), 2.9.56 (XTN); domain.md sections 2.9 and 4.5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from adapters.nhs.hl7v2.finding import Finding, Said
from adapters.nhs.hl7v2.identity import Identity, identity
from adapters.nhs.hl7v2.message import NULL, Message, Segment
from adapters.nhs.hl7v2.moments import day
from adapters.nhs.hl7v2.words import words
from mappings import transforms
from mappings.outcome import Cannot
from mappings.record import Address, AddressUse, Birth, Contact, Name, Person, Role

_FIELDS: Final = {5: "names", 7: "birth", 8: "sex", 11: "addresses", 13: "contacts", 22: "ethnicity"}
_YEARS: Final = frozenset(map(str, range(1880, 2201)))  # as `Birth.year` has them
_YEAR, _MONTH = len("YYYY"), len("YYYYMM")
_MONTHS: Final = frozenset(f"{n:02}" for n in range(1, 13))
_MAX: Final = 20  # of names, addresses or telephones: nobody has more, and a document may repeat them without end
_ETHNIC: Final = frozenset("ABCDEFGHJKLMNPRSZ") | {"99"}
_DECEASED: Final = {"Y": True, "N": False}


@dataclass(frozen=True, slots=True)
class Patient:
    """Whom a PID is about. `deleted` names the parts of the person that the sender says are no more (`""`).

    `person.nhs_number` is that of `identity`; a number that is not verified is in both, and files nothing by itself.
    """

    person: Person
    identity: Identity
    deleted: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = field(default=())


def patient(pid: Segment, role: Role, ref: str) -> Patient:
    """Read a PID as a person in a role. What cannot be read is left out, with a finding."""
    who, findings = identity(pid, 3, pid.text(32))
    person = Person(
        ref=ref,
        role=role,
        names=tuple(_names(pid, findings)),
        birth=_birth(pid, findings),
        sex=words().sex.get(pid.text(8).upper()),
        ethnicity=_ethnicity(pid),
        nhs_number=who.nhs_number,
        nhs_number_status=who.status,
        contacts=tuple(_contacts(pid, findings)),
        addresses=tuple(_addresses(pid, findings)),
        deceased=_DECEASED.get(pid.text(30).upper(), True if day(pid.text(29)) else None),
    )
    deleted = frozenset(name for of, name in _FIELDS.items() if pid.text(of) == NULL)
    return Patient(person, who, deleted, tuple(findings))


def restricted(message: Message) -> bool:
    """Whether a message says that its patient, or her visit, is protected (PD1-12, PV2-22)."""
    return "Y" in (message.text("PD1", 12).upper(), message.text("PV2", 22).upper())


def _names(pid: Segment, findings: list[Finding]) -> list[Name]:
    found = []
    for n in range(1, min(pid.repetitions(5), _MAX) + 1):
        if pid.text(5, 7, repetition=n).upper() in words().no_names:
            findings.append(Finding(pid.place(5, repetition=n), Said.NOT_READ))
        elif (one := _name(pid, 5, n)) is not None:
            found.append(one)
    return found


def _said(pid: Segment, of: int, component: int, repetition: int) -> str | None:
    found = transforms.line(pid.text(of, component, repetition=repetition))
    return found if found and found != NULL else None


def _name(pid: Segment, of: int, repetition: int) -> Name | None:
    family = _said(pid, of, 1, repetition)
    middle = (_said(pid, of, 3, repetition) or "").split(" ")
    given = tuple(one for one in (_said(pid, of, 2, repetition), *middle) if one)
    if family is None and not given:
        return None
    use = words().names.get(pid.text(of, 7, repetition=repetition).upper(), "usual")
    return Name(family=family, given=given, prefix=_said(pid, of, 5, repetition), use=use)


def _birth(pid: Segment, findings: list[Finding]) -> Birth | None:
    text = pid.text(7)
    if text in ("", NULL):
        return None
    born = day(text)
    if born is not None:
        return Birth(on=born)
    if text[:_YEAR] in _YEARS and (len(text) == _YEAR or (len(text) == _MONTH and text[_YEAR:] in _MONTHS)):
        return Birth(year=int(text[:_YEAR]))
    findings.append(Finding(pid.place(7), Said.NOT_A_DATE))
    return None


def _ethnicity(pid: Segment) -> str | None:
    code = pid.text(22).upper()
    return code if code in _ETHNIC else None


def _contacts(pid: Segment, findings: list[Finding]) -> list[Contact]:
    found: list[Contact] = []
    for of in (13, 14):
        for n in range(1, min(pid.repetitions(of), _MAX) + 1):
            if pid.text(of, 2, repetition=n).upper() in words().others:
                findings.append(Finding(pid.place(of, repetition=n), Said.NOT_READ))
                continue
            number, mail = _said(pid, of, 1, n), _said(pid, of, 4, n)
            if pid.text(of, 2, repetition=n).upper() in words().online and mail is None:
                number, mail = None, number
            else:
                number = number or _said(pid, of, 12, n) or _in_parts(pid, of, n)
            for system, value, read in (
                ("phone", number, transforms.phone),
                ("email", mail, transforms.email),
            ):
                if value is None:
                    continue
                try:
                    one = Contact(system=system, value=read(value))
                except Cannot:
                    findings.append(Finding(pid.place(of, 1 if system == "phone" else 4, n), Said.NOT_A_CODE))
                else:
                    found.append(one)
    return list(dict.fromkeys(found))


def _in_parts(pid: Segment, of: int, n: int) -> str | None:
    """A telephone number that is said by its parts alone: XTN-5 country, XTN-6 area, XTN-7 number."""
    country, area, number = (_said(pid, of, part, n) or "" for part in (5, 6, 7))
    whole = area + number
    if not number:
        return None
    return f"+{country}{whole}" if country and not whole.startswith("0") else whole


def _addresses(pid: Segment, findings: list[Finding]) -> list[Address]:
    found = []
    for n in range(1, min(pid.repetitions(11), _MAX) + 1):
        if pid.text(11, 7, repetition=n).upper() in words().unused:
            findings.append(Finding(pid.place(11, repetition=n), Said.NOT_READ))
            continue
        lines = tuple(one for part in (1, 2, 4) if (one := _said(pid, 11, part, n)))
        town, code = _said(pid, 11, 3, n), _said(pid, 11, 5, n)
        try:
            postcode = transforms.postcode(code) if code else None
        except Cannot:
            postcode = None
            findings.append(Finding(pid.place(11, 5, n), Said.NOT_A_CODE))
        if lines or town or postcode:
            use = words().addresses.get(pid.text(11, 7, repetition=n).upper(), AddressUse.OTHER)
            found.append(Address(use=use, lines=lines, town=town, postcode=postcode))
    return found
