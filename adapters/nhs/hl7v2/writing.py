"""A referral as REF^I12 (new), I13 (changed) or I14 (cancelled), version 2.4, with the least that it can say.

Who is meant, how soon, from whom to whom, the grade with its instrument, count, assessor and age, and that all of it is
hidden from the patient's online access. No narrative, no note, no address, no telephone, no suspect, no child: an
integration engine passes segments on to systems that print and dial them (domain.md section 2.9, N1, N8). The adviser
opens the referral itself for those. A cancel names the case and nothing else.

PID-3 begins with a number of the referral's own, so that a message can be filed without an NHS number; one that has
been traced says so in PID-32, and any other is 02, which files nothing. The text is ours; the first message of each
shape is read and validated by hl7apy before it goes (`oracle`), and every one is read back by our own reader.

Source: HL7 v2.4 chapters 3 (PID), 7 (OBR, OBX) and 11 (REF, RF1, PRD); domain.md sections 2.9, 2.11 and 4.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

from adapters.nhs.hl7v2.delimiters import STANDARD, escaped
from adapters.nhs.hl7v2.moments import written
from adapters.nhs.hl7v2.oracle import CannotSay, checked
from adapters.nhs.hl7v2.reading import read
from adapters.socket import Unreadable
from mappings.record import Assessment, Name, Person, Record, Role
from mappings.referral import Priority, Referral
from mappings.transforms import line

ITEMS: Final = frozenset(
    {
        "event.kind",
        "victim.listed",
        "victim.name",
        "victim.birth",
        "victim.sex",
        "victim.nhs_number",
        "risk.assessment",
        "risk.grade",
        "risk.count",
    }
)
"""The data items that a message can carry: the decision is narrowed to them."""

VERSION: Final = "2.4"
_EVENTS: Final = {"new": "I12", "update": "I13", "cancel": "I14"}
_STATUSES: Final = {
    "new": ("P", "Pending", "HL70283"),
    "update": ("P", "Pending", "HL70283"),
    "cancel": ("E", "Expired", "HL70283"),
}
_PRIORITIES: Final = {
    Priority.ROUTINE: ("R", "Routine", "HL70280"),
    Priority.URGENT: ("A", "ASAP", "HL70280"),  # HL7 has no word between routine and as soon as possible
    Priority.ASAP: ("A", "ASAP", "HL70280"),
}
_SEX: Final = {"female": "F", "male": "M", "other": "O"}
_USES: Final = {"official": "L", "maiden": "M", "alias": "A"}
_UNTRACED: Final = "02"
_NO_NAME: Final = ("", "", "", "", "", "", "U")
_MAX_CONTROL_ID: Final = 20  # characters of MSH-10 in version 2.4
_AUTHORITY: Final = "PROVIDE"

Field = str | tuple[str, ...] | list[tuple[str, ...]]
"""A field by its one value, by its components, or by its repetitions; nothing is escaped yet."""

Row = tuple[str, Mapping[int, Field]]
"""A segment: its name, and its fields by number."""

Result = tuple[str, str, str, str | tuple[str, ...]]
"""An observation: the type of its value, its code, its name, its value."""

_LABELS: Final[tuple[Result, ...]] = (
    ("CE", "HIDE", "Hide from patient online access", ("Y", "Yes", "HL70136")),
    ("CE", "CONFIDENTIALITY", "Confidentiality", ("R", "Restricted", "HL70177")),
)


def write_referral(
    record: Record,
    referral: Referral,
    reason: Literal["new", "update", "cancel"],
    *,
    control_id: str,
    sender: tuple[str, str],
    receiver: tuple[str, str],
    at: datetime,
    processing: str = "P",
) -> bytes:
    """One message in UTF-8, the same bytes for the same arguments.

    `record` is decided and minimised for the receiver; on a cancel nothing of it is read. `sender` and `receiver` are
    application and facility, `control_id` at most 20 characters, `at` aware. Raises `CannotSay` with a path where the
    record names no victim, and `ValueError` for a header that none can have.
    """
    if not 1 <= len(control_id) <= _MAX_CONTROL_ID or not control_id.isascii():
        raise ValueError(f"a control id has 1 to {_MAX_CONTROL_ID} ASCII characters")
    rows = [
        _header(reason, control_id, sender, receiver, at, processing),
        _request(referral, reason, at),
        *_providers(referral),
        *(_cancelled(referral) if reason == "cancel" else _patient(record, referral)),
    ]
    lines = [_segment(name, fields) for name, fields in rows]
    text = "\r".join(lines) + "\r"
    checked(text, tuple((name, tuple(fields)) for name, fields in rows))
    return _proved(text.encode(), [name for name, _ in rows])


def _header(
    reason: str, control_id: str, sender: tuple[str, str], receiver: tuple[str, str], at: datetime, processing: str
) -> Row:
    return "MSH", {
        3: sender[0],
        4: sender[1],
        5: receiver[0],
        6: receiver[1],
        7: written(at),
        9: ("REF", _EVENTS[reason], "REF_I12"),
        10: control_id,
        11: processing,
        12: VERSION,
        17: "GBR",
        18: "UNICODE UTF-8",
    }


def _request(referral: Referral, reason: str, at: datetime) -> Row:
    return "RF1", {
        1: _STATUSES[reason],
        2: _PRIORITIES[referral.priority],
        3: ("SG", "Safeguarding", "L"),
        6: (referral.id, _AUTHORITY),
        7: written(referral.created_at),
        9: written(at),
    }


def _providers(referral: Referral) -> Iterator[Row]:
    """Who refers, by the force's code, and to whom, by the ODS code and the team of the agreement."""
    yield "PRD", {1: ("RP", "Referring Provider", "HL70286"), 7: (referral.force, "FORCE")}
    yield (
        "PRD",
        {
            1: ("RT", "Referred to Provider", "HL70286"),
            7: (referral.organisation.upper(), "ODS", referral.team),
        },
    )


def _cancelled(referral: Referral) -> Iterator[Row]:
    yield "PID", {1: "1", 3: [_case(referral)], 5: _NO_NAME}
    yield from _observed(())


def _patient(record: Record, referral: Referral) -> Iterator[Row]:
    victim = next(iter(record.of_role(Role.VICTIM)), None)
    if victim is None:
        raise CannotSay("people")
    yield "PID", _identified(victim, referral)
    yield from _observed([one for one in record.assessments if one.subject in (None, victim.ref)])


def _case(referral: Referral) -> tuple[str, ...]:
    """The number of the referral's own: type U, so that nobody takes it for a patient's (table 0203)."""
    return (referral.id, "", "", _AUTHORITY, "U")


def _identified(victim: Person, referral: Referral) -> dict[int, Field]:
    numbers = [_case(referral)]
    fields: dict[int, Field] = {1: "1", 3: numbers, 5: _NO_NAME}
    if victim.nhs_number is not None:
        numbers.append((victim.nhs_number, "", "", "NHS", "NH"))
        fields[32] = victim.nhs_number_status or _UNTRACED
    names = [one for one in map(_name, victim.names) if any(one)]
    if names:
        fields[5] = names
    if victim.birth is not None and (victim.birth.on or victim.birth.year):
        fields[7] = f"{victim.birth.on:%Y%m%d}" if victim.birth.on else str(victim.birth.year)
    if victim.sex in _SEX:
        fields[8] = _SEX[victim.sex]
    return fields


def _name(one: Name) -> tuple[str, ...]:
    """A name's components; all empty where it says nothing that can be written."""
    family, prefix, *given = (line(part or "") for part in (one.family, one.prefix, *one.given))
    if not family and not any(given):
        return ("",)
    return (family, "".join(given[:1]), " ".join(given[1:]), "", prefix, "", _USES.get(one.use, ""))


def _observed(assessments: Sequence[Assessment]) -> Iterator[Row]:
    """The labels, and each assessment with what belongs to it (P10): none is chosen, none is left out."""
    yield "OBR", {1: "1", 4: ("REFERRAL", "Safeguarding referral", "L")}
    yield from _results(_LABELS, "")
    for number, one in enumerate(assessments, start=2):
        at = written(one.at) if one.at is not None else ""
        order: dict[int, Field] = {1: str(number), 4: ("RISK", "Risk assessment", "L")}
        yield "OBR", order | ({7: at} if at else {})
        yield from _results(_said(one), at)


def _said(one: Assessment) -> list[Result]:
    said: list[Result] = []
    if one.grade is not None:
        said.append(("CE", "RISK-GRADE", "Risk grade", (one.grade.value, one.grade.value.title(), "L")))
    if one.yes is not None:
        said.append(("NM", "RISK-YES", "Answers yes", str(one.yes)))
    if one.items is not None:
        said.append(("NM", "RISK-ITEMS", "Questions", str(one.items)))
    said.append(("CE", "RISK-INSTRUMENT", "Instrument", (one.instrument.value, "", "L")))
    if one.assessor_role is not None:
        said.append(("CE", "RISK-ASSESSOR", "Assessor", (one.assessor_role, "", "L")))
    return said


def _results(said: Sequence[Result], at: str) -> Iterator[Row]:
    for number, (type_, code, name, value) in enumerate(said, start=1):
        fields: dict[int, Field] = {1: str(number), 2: type_, 3: (code, name, "L"), 5: value, 11: "F"}
        yield "OBX", fields | ({14: at} if at else {})


def _segment(name: str, fields: Mapping[int, Field]) -> str:
    parts = [name, *(_field(fields[n]) if n in fields else "" for n in range(1, max(fields) + 1))]
    if name == "MSH":
        parts[1:3] = [STANDARD.encoding]  # MSH-1 is the sign that joins
    return STANDARD.field.join(parts)


def _field(value: Field) -> str:
    if isinstance(value, str):
        return escaped(value)
    repetitions = [value] if isinstance(value, tuple) else value
    return STANDARD.repetition.join(
        STANDARD.component.join(map(escaped, one)).rstrip(STANDARD.component) for one in repetitions
    )


def _proved(message: bytes, names: list[str]) -> bytes:
    """The message, once our own reader finds every segment in it, in its order."""
    try:
        found = [one.name for one in read(message).segments]
    except Unreadable as exc:
        raise CannotSay(exc.problems[0].path) from exc
    if found != names:
        raise CannotSay("segments")
    return message
