"""What the FHIR tests share: a referral, a fuller record, and a slow twin of minimisation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from adapters.nhs import fhir
from mappings.items import Words, plan, within
from mappings.record import (
    Address,
    AddressUse,
    Answer,
    Assessment,
    Birth,
    Consent,
    ConsentState,
    Criterion,
    Custody,
    Earlier,
    Encompass,
    Feedback,
    FeedbackCode,
    Grade,
    Grading,
    Instrument,
    Link,
    Marking,
    Name,
    Order,
    Part,
    Person,
    Record,
    Reference,
    Relationship,
    Role,
    Statement,
    Times,
    Topic,
)
from mappings.referral import Priority, Referral, ReferralState, ReferralStatus
from tests.support.records import NOW, incident, suspect

P = TypeVar("P", bound=Part)

BASE = "https://gateway.example/fhir/R4"
REFERRAL_ID = "6f1c0a52-0d3e-4f7b-9a51-0c2f4f7f1d10"


def referral(
    *,
    status: ReferralStatus = ReferralStatus.ACCEPTED,
    state: ReferralState = ReferralState.CONTACTING,
    feedback: tuple[Feedback, ...] | None = None,
    created_at: datetime = NOW,
) -> Referral:
    if feedback is None:
        feedback = (
            Feedback(code=FeedbackCode.CONTACT_ATTEMPTED, at=NOW, count=2, author_role="idva"),
            Feedback(code=FeedbackCode.SUPPORTS_PROSECUTION, at=NOW, value="undecided"),
        )
    return Referral(
        id=REFERRAL_ID,
        version=3,
        status=status,
        state=state,
        priority=Priority.URGENT,
        team="idva-team",
        organisation="RXL",
        force="04",
        area="blackpool",
        grade=None,
        assessed_at=NOW,
        created_at=created_at,
        updated_at=created_at + timedelta(hours=1, microseconds=250),
        respond_by=created_at + timedelta(hours=24),
        feedback=feedback,
    )


def full_record() -> Record:
    """The worked incident with everything that the writers know filled in."""
    worked = incident()
    victim, offender, child, caller = worked.people
    victim = victim.model_copy(
        update={
            "general_practice": "Y06601",
            "clinical": ("asthma",),
            "needs": ("wheelchair",),
            "injured": True,
            "deceased": False,
            "names": (*victim.names, Name(family="Ashdown-Vale", given=("Mari",), prefix="Ms", use="maiden")),
            "addresses": (
                *victim.addresses,
                Address(use=AddressUse.WORK, lines=("Unit 9",), uprn="100010001000", lsoa="E01012345"),
                Address(use=AddressUse.OTHER, district="Wyre"),
            ),
        }
    )
    offender = offender.model_copy(
        update={
            "description": "tall, grey coat",
            "occupation": "roofer",
            "present": False,
            "warnings": ("weapons",),
            "addresses": (*offender.addresses, Address(use=AddressUse.WORK, town="Thornton")),
        }
    )
    child = child.model_copy(update={"encompass": Encompass(notified=True, at=NOW, reference="ENC-1")})
    second = Person(
        ref="suspect-2",
        role=Role.SUSPECT,
        names=(Name(family="Quillfeather", given=("Otto",)),),
        birth=Birth(age_from=30, age_to=40, age_band="30-40"),
        sex="male",
    )
    return worked.model_copy(
        update={
            "people": (victim, offender, second, child, caller),
            "relationships": (
                *worked.relationships,
                Relationship(a="victim-1", b="child-1", type="mother"),
                Relationship(a="caller-1", b="victim-1", type="neighbour"),
            ),
            "assessments": (
                *worked.assessments,
                Assessment(
                    ref="dara-1",
                    instrument=Instrument.DARA,
                    instrument_version="1.0",
                    subject="victim-1",
                    supersedes="dash-1",
                    history=(Grading(grade=Grade.HIGH, at=NOW, by="attending-officer", yes=5, items=27),),
                    answers=(Answer(code="DARA.STALK", source="victim", text="often"),),
                ),
            ),
            "consents": (
                Consent(
                    ref="consent-1",
                    state=ConsentState.GIVEN,
                    subject="victim-1",
                    scope=("health", "idva"),
                    asked_by="attending-officer",
                    at=NOW,
                    suspect_present=True,
                    reason="spoken to in the hallway",
                ),
            ),
            "orders": (*worked.orders, Order(type="non-molestation", conditions="Not within 100 m", expires=NOW)),
            "statements": (
                *worked.statements,
                Statement(topic=Topic.SUMMARY, kind="fact", about=("suspect-1", "caller-1"), text="Officers attended."),
            ),
            "times": Times(
                reported=NOW - timedelta(hours=2),
                occurred_from=NOW - timedelta(hours=3),
                occurred_to=NOW - timedelta(hours=2),
                attended=NOW - timedelta(hours=1),
                recorded=NOW,
            ),
            "marking": Marking(
                classification=worked.marking and worked.marking.classification,
                source_grade="1",
                information_grade="B",
                handling="P",
                conditions="none",
            ),
            "outcome": "16",
            "section": "domestic-abuse",
            "criteria": (
                Criterion(code="escalation", met=True, subject="victim-1", by="supervisor", count=3, text="three"),
            ),
            "custody": (
                Custody(event="released-on-bail", subject="suspect-1", at=NOW),
                Custody(event="released", subject="caller-1"),
            ),
            "earlier": (Earlier(on=date(2025, 11, 2), grade=Grade.MEDIUM, pair=True),),
            "linked": (
                Link(kind="section", section="child", references=(Reference(type="occurrence", value="04-26-9"),)),
            ),
        }
    )


def sparse_record() -> Record:
    """A record with a year of birth alone and an order without a time zone: awkward, and real."""
    return incident(area=None, grade=None).model_copy(
        update={
            "people": (
                Person(ref="victim-1", role=Role.VICTIM, birth=Birth(year=1990)),
                suspect(),
                Person(ref="child-1", role=Role.CHILD, birth=Birth(age=7)),
            ),
            "orders": (
                Order(type="dvpn", subject="suspect-1", expires=datetime(2026, 5, 1, 9, 0, tzinfo=UTC)),
                Order(type="dvpo", subject="suspect-1", expires=date(2026, 5, 29)),
            ),
        }
    )


def written(type_: str, record: Record | None = None, offered: Referral | None = None) -> list[dict[str, Any]]:
    """The resources of a type as JSON values."""
    found = fhir.write(type_, record if record is not None else full_record(), offered or referral(), BASE)
    return [json.loads(one.body) for one in found]


def everything(record: Record | None = None, offered: Referral | None = None) -> list[dict[str, Any]]:
    """Every resource of a referral as JSON values."""
    return [one for type_ in fhir.TYPES for one in written(type_, record, offered)]


def only(part: P, items: frozenset[str], outer: Words = ()) -> P:
    """A part with nothing but the given items: the plain meaning of minimising, leaf by leaf."""
    words = within(part, outer)
    changes: dict[str, object] = {}
    for field in plan(type(part), words).fields:
        value = getattr(part, field.name)
        if field.part is None:
            if field.item not in items and field.default.__class__.__name__ != "PydanticUndefinedType":
                changes[field.name] = field.default
        elif field.many:
            changes[field.name] = tuple(only(one, items, words) for one in value if _admitted(one, items, words))
        elif value is not None:
            changes[field.name] = only(value, items, words) if _admitted(value, items, words) else None
    return part.model_copy(update=changes)


def nodes(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value within a JSON value, with its path."""
    yield path, value
    if isinstance(value, dict):
        for name, one in value.items():
            yield from nodes(one, f"{path}.{name}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from nodes(one, f"{path}[{index}]")


def _admitted(part: Part, items: frozenset[str], outer: Words) -> bool:
    gate = plan(type(part), within(part, outer)).gate
    return gate is None or gate in items
