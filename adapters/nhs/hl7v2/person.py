"""PID as a `Person` of the common record, and what was said to be deleted.

A telephone number or an address that a hospital holds is not said to be safe, and so is not (P5). Next of kin, spouse,
employer and whoever else a message names is not read: any of them may be the perpetrator (N8).

Source: HL7 v2.4 section 3.4.2 (PID), 2.9.51 (XAD), 2.9.54 (XPN), 2.9.56 (XTN); domain.md sections 2.9 and 4.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from adapters.nhs.hl7v2.finding import Finding, Said
from adapters.nhs.hl7v2.identity import Identity, identity
from adapters.nhs.hl7v2.message import NULL, Segment
from adapters.nhs.hl7v2.moments import day
from adapters.nhs.hl7v2.words import words
from mappings import transforms
from mappings.outcome import Cannot
from mappings.record import Address, AddressUse, Birth, Contact, Name, Person, Role

_FIELDS: Final = {5: "names", 7: "birth", 8: "sex", 11: "addresses", 13: "contacts", 22: "ethnicity"}
_YEARS: Final = frozenset(map(str, range(1880, 2201)))  # as `Birth.year` has them
_MAX: Final = 20  # of names, addresses or telephones: nobody has more, and a document may repeat them without end
_ETHNIC: Final = frozenset("ABCDEFGHJKLMNPRSZ") | {"99"}
_DECEASED: Final = {"Y": True, "N": False}

T = TypeVar("T")


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
        names=tuple(_each(pid, 5, _name)),
        birth=_birth(pid, findings),
        sex=words().sex.get(pid.text(8).upper()),
        ethnicity=_ethnicity(pid),
        nhs_number=who.nhs_number,
        nhs_number_status=who.status,
        contacts=tuple(_contacts(pid, findings)),
        addresses=tuple(_addresses(pid, findings)),
        deceased=_DECEASED.get(pid.text(30).upper()),
    )
    deleted = frozenset(name for of, name in _FIELDS.items() if pid.text(of) == NULL)
    return Patient(person, who, deleted, tuple(findings))


def _each(pid: Segment, of: int, read: Callable[[Segment, int, int], T | None]) -> list[T]:
    found = (read(pid, of, n) for n in range(1, min(pid.repetitions(of), _MAX) + 1))
    return [one for one in found if one is not None]


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
    if text in _YEARS:
        return Birth(year=int(text))
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
            number = _said(pid, of, 1, n) or _said(pid, of, 12, n) or _in_parts(pid, of, n)
            for system, value, read in (
                ("phone", number, transforms.phone),
                ("email", _said(pid, of, 4, n), transforms.email),
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
