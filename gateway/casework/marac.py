"""The referral of a case to the multi-agency risk assessment conference (MARAC), as a document, prefilled.

Pure: what the team may see of the record, and what the adviser says, in; a document out. It asks what conferences ask,
in words of its own. What is not known here is left open and said to be; a telephone is not safe unless somebody stated
that it is (P5). An address that is kept safe is on no paper, and neither is an NHS number. Where she has not consented,
an annex says why it is shared all the same.

Source: domain.md sections 1.8 (the form, its criteria, the annex), 4.5 (N1, N5), 4.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.casework.acts import MaracReferral
from gateway.casework.codes import Criterion
from gateway.london import LONDON
from gateway.paper import tree
from gateway.paper.tree import Block, Cell, Heading, Table, Text
from mappings.record import Address, AddressUse, Assessment, Birth, ConsentState, Contact, Person, Record, Role
from mappings.record import Criterion as Stated

OPEN = "Not known here: fill in"
"""What stands where the form asks for something that nobody told the gateway."""


@dataclass(frozen=True, slots=True)
class From:
    """Who refers: the organisation and team by their names, the adviser by role and reference, and the case."""

    organisation: str
    team: str
    adviser: str
    case: str
    on: date


def document(record: Record, said: MaracReferral, sender: From) -> tree.Document:
    """The referral. `record` is what the team may see, `said` what the adviser states."""
    victim = next(iter(record.of_role(Role.VICTIM)), None)
    blocks = [
        *_front(sender),
        *_victim(record, victim, said),
        *_suspects(record, victim),
        *_children(record, victim),
        *_reason(record, said),
        *_consent(said),
    ]
    return tree.document("Referral to the MARAC", f"Case {sender.case}, {sender.on:%d %B %Y}. Restricted.", blocks)


def _front(sender: From) -> Iterator[Block]:
    yield Text(
        "Restricted. The person who causes the abuse must not learn of this referral, nor of the conference. Do not "
        "leave it where it can be read, and do not send it to an address or a device that is shared."
    )
    yield _table(
        "Who refers",
        ("Organisation", sender.organisation),
        ("Team", sender.team),
        ("Adviser", sender.adviser),
        ("How to reach the adviser", OPEN),
        ("Date", f"{sender.on:%d %B %Y}"),
    )


def _victim(record: Record, victim: Person | None, said: MaracReferral) -> Iterator[Block]:
    yield Heading(2, "The person referred")
    yield _table(
        "Who she is",
        ("Name", _name(victim)),
        ("Date of birth", _birth(victim.birth if victim else None)),
        ("Address", _home(victim)),
        ("Telephone and e-mail", *(_contacts(victim.contacts) if victim else (OPEN,))),
        ("Ethnicity", victim.ethnicity if victim and victim.ethnicity else OPEN),
        ("Sex", victim.sex if victim and victim.sex else OPEN),
        ("Disability, sexual orientation, gender identity", OPEN),
        ("Language", victim.language if victim and victim.language else OPEN),
        ("Whom she is afraid of", said.afraid_of or OPEN),
        ("Who is safe to talk to", said.safe_to_talk_to or OPEN),
        ("Who is not safe to talk to", said.unsafe_to_talk_to or OPEN),
    )
    yield _table("Risk", *(_assessed(one) for one in record.assessments), otherwise=("Assessment", OPEN))


def _suspects(record: Record, victim: Person | None) -> Iterator[Block]:
    yield Heading(2, "Who causes the abuse")
    for one in record.of_role(Role.SUSPECT) or (None,):
        yield _table(
            "The person",
            ("Name", _name(one)),
            ("Date of birth", _birth(one.birth if one else None)),
            ("Address", _home(one)),
            ("To the person referred", _relation(record, one, victim)),
        )


def _children(record: Record, victim: Person | None) -> Iterator[Block]:
    yield Heading(2, "Children")
    suspects = record.of_role(Role.SUSPECT)
    children = record.of_role(Role.CHILD)
    if not children:
        yield Text("None is known here. Ask, and fill in.")
        return
    yield Table(
        "Children",
        ("Name", "Date of birth", "To the person referred", "To who causes the abuse", "School", "Address"),
        tuple(
            (
                (_name(one),),
                (_birth(one.birth),),
                (_relation(record, one, victim),),
                tuple(_relation(record, one, suspect) for suspect in suspects) or (OPEN,),
                (one.school or OPEN,),
                (_home(one),),
            )
            for one in children
        ),
    )


def _reason(record: Record, said: MaracReferral) -> Iterator[Block]:
    yield Heading(2, "Why she is referred")
    yield Text(said.reason or OPEN)
    found = {one.code: one for one in record.criteria if one.met}
    rows = [(_CRITERIA[one], *_criterion(one, said, found.get(one.value))) for one in Criterion]
    yield Table("Criteria", ("Criterion", "Met, as the adviser states", "What is known here"), tuple(map(_cells, rows)))
    before = f"{said.referred_before:%d %B %Y}" if said.referred_before else OPEN
    yield _table("Before", ("Heard before, and when", before), ("Referred elsewhere", OPEN))


def _consent(said: MaracReferral) -> Iterator[Block]:
    yield Heading(2, "What she knows, and what she says")
    yield _table(
        "Consent",
        ("Is she aware of this referral", "yes" if said.aware else "no"),
        ("If not, why", "" if said.aware else said.why_not_aware or OPEN),
        ("Has she consented", _CONSENT.get(said.consent.state, "no")),
    )
    if said.consent.state is not ConsentState.GIVEN:
        yield Heading(2, "Annex: shared without consent")
        yield Text(
            "She has not consented. What is shared is what the conference needs to protect her, her children or "
            "others, and nothing beyond; it was weighed by the person who signs below."
        )
        yield Table(
            "Justification",
            ("What", "Stated"),
            (
                (("Why it is necessary and proportionate",), (said.justification or OPEN,)),
                (("Decided by, and role",), (OPEN,)),
                (("Caldicott Guardian or senior, and date",), (OPEN,)),
            ),
        )


_CRITERIA = {
    Criterion.PROFESSIONAL_JUDGEMENT: "Professional judgement",
    Criterion.VISIBLE_HIGH_RISK: "Visible high risk: fourteen answers yes, or more, of twenty-four",
    Criterion.ESCALATION: "Escalation: three incidents, or more, that police know of in twelve months",
    Criterion.REPEAT: "Repeat: a further incident within twelve months of the last conference",
}
_CONSENT = {ConsentState.GIVEN: "yes", ConsentState.NOT_ASKED: "not asked", ConsentState.LACKS_CAPACITY: "no capacity"}


def _criterion(one: Criterion, said: MaracReferral, found: Stated | None) -> tuple[str, str]:
    known = ""
    if found is not None:
        count = f", {found.count}" if found.count is not None else ""
        since = f", since {found.since:%d %B %Y}" if found.since else ""
        known = f"{found.basis}{count}{since}"
    return ("yes" if one in said.criteria else "no"), known


def _assessed(one: Assessment) -> tuple[str, str]:
    """Grade, count, instrument, assessor and day go together (P10)."""
    counted = f"{one.yes} of {one.items} yes" if one.yes is not None and one.items is not None else "no count"
    at = f"{one.at.astimezone(LONDON):%d %B %Y}" if one.at else "no date"
    grade = one.grade.value if one.grade else "no grade"
    return one.instrument.value, f"{grade}; {counted}; {one.assessor_role or 'assessor unknown'}; {at}"


def _name(person: Person | None) -> str:
    name = next(iter(person.names), None) if person else None
    return " ".join([*(name.given if name else ()), *([name.family] if name and name.family else [])]) or OPEN


def _birth(birth: Birth | None) -> str:
    if birth is None:
        return OPEN
    if birth.on is not None:
        return f"{birth.on:%d %B %Y}"
    stated = birth.age if birth.age is not None else birth.age_band
    return f"aged {stated}" if stated is not None else str(birth.year or OPEN)


def _home(person: Person | None) -> str:
    addresses: Sequence[Address] = person.addresses if person else ()
    home = next((one for one in addresses if one.use is AddressUse.HOME), None)
    if home is None:
        return OPEN
    return ", ".join([*home.lines, *([home.town] if home.town else []), *([home.postcode] if home.postcode else [])])


def _contacts(contacts: Sequence[Contact]) -> tuple[str, ...]:
    found = tuple(
        f"{one.system} {one.value or ''}: {_safety(one)}" + (f"; {one.times}" if one.times and one.is_safe else "")
        for one in contacts
    )
    return found or (OPEN,)


def _safety(contact: Contact) -> str:
    if not contact.is_safe:
        return "not stated to be safe, so it is not"
    return "safe; a message may be left" if contact.may_leave_voicemail else "safe; leave no message"


def _relation(record: Record, one: Person | None, other: Person | None) -> str:
    if one is None or other is None:
        return OPEN
    found = next((r.type for r in record.relationships if {r.a, r.b} == {one.ref, other.ref} and r.type), None)
    return found.replace("-", " ") if found else OPEN


def _table(caption: str, *rows: tuple[str, ...], otherwise: tuple[str, ...] | None = None) -> Table:
    return Table(caption, ("What", "Stated"), tuple(map(_cells_of, rows or ((otherwise,) if otherwise else ()))))


def _cells_of(row: tuple[str, ...]) -> tuple[Cell, ...]:
    return (row[:1], row[1:])


def _cells(row: tuple[str, ...]) -> tuple[Cell, ...]:
    return tuple((one,) for one in row)
