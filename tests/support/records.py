"""One worked record, used across the suite: a high-risk incident with a victim, a suspect, a child and a caller."""

from __future__ import annotations

from datetime import UTC, date, datetime

from mappings.record import (
    Address,
    AddressUse,
    Answer,
    Assessment,
    Birth,
    Classification,
    Consent,
    ConsentState,
    Contact,
    Grade,
    Identifier,
    Instrument,
    Marking,
    Name,
    Officer,
    Order,
    Person,
    Record,
    RecordKind,
    Reference,
    Relationship,
    Reply,
    Role,
    Source,
    Statement,
    Times,
    Topic,
)

NOW = datetime(2026, 4, 12, 21, 30, tzinfo=UTC)


def victim(ref: str = "victim-1") -> Person:
    return Person(
        ref=ref,
        role=Role.VICTIM,
        names=(Name(family="Ashdown", given=("Marianne", "Elise")),),
        birth=Birth(on=date(1991, 2, 3)),
        sex="female",
        ethnicity="A",
        nhs_number="9990000018",
        contacts=(
            Contact(system="phone", value="07700 900123", safe=True, voicemail=False, text=True, code_word="bluebell"),
            Contact(system="phone", value="01632 960124"),
        ),
        addresses=(
            Address(use=AddressUse.HOME, lines=("12 Example Row",), town="Blackpool", postcode="ZZ99 3CZ"),
            Address(use=AddressUse.SAFE, lines=("The Refuge",), town="Elsewhere", postcode="ZZ99 3VZ"),
        ),
        language="en",
        interpreter=False,
    )


def suspect(ref: str = "suspect-1") -> Person:
    return Person(
        ref=ref,
        role=Role.SUSPECT,
        names=(Name(family="Harbottle", given=("Piers",)),),
        birth=Birth(on=date(1988, 11, 30)),
        sex="male",
        identifiers=(Identifier(system="pnc", value="26/1234567A"),),
        addresses=(Address(use=AddressUse.HOME, lines=("4 Sample Close",), town="Fleetwood", postcode="ZZ99 7AB"),),
    )


def child(ref: str = "child-1") -> Person:
    return Person(
        ref=ref,
        role=Role.CHILD,
        names=(Name(family="Ashdown", given=("Robin",)),),
        birth=Birth(on=date(2019, 6, 1)),
        school="Example Primary",
        present=True,
        witnessed=True,
    )


def caller(ref: str = "caller-1") -> Person:
    return Person(ref=ref, role=Role.REPORTER, names=(Name(family="Nextdoor", given=("Nora",)),))


def incident(
    *,
    grade: Grade | None = Grade.HIGH,
    area: str | None = "blackpool",
    consent: ConsentState = ConsentState.GIVEN,
    marking: Marking | None = None,
    occurrence: str = "04-2026-000345",
    version: int = 1,
) -> Record:
    """The worked incident; the arguments are what decisions turn on."""
    return Record(
        kind=RecordKind.INCIDENT,
        source=Source(organisation="04", system="test-rms", adapter="police.json", profile="ihub"),
        references=(
            Reference(type="occurrence", value=occurrence),
            Reference(type="log", value="LC-20260412-0345"),
            Reference(type="crime", value="04/12345/26"),
        ),
        version=version,
        times=Times(
            reported=datetime(2026, 4, 12, 19, 5, tzinfo=UTC), occurred_from=datetime(2026, 4, 12, 18, 50, tzinfo=UTC)
        ),
        marking=marking or Marking(classification=Classification.OFFICIAL_SENSITIVE),
        area=area,
        category="domestic-incident",
        offence="8N",
        flags=("DA",),
        location="12 Example Row, Blackpool",
        people=(victim(), suspect(), child(), caller()),
        relationships=(Relationship(a="victim-1", b="suspect-1", type="ex-partner", personally_connected=True),),
        assessments=(
            Assessment(
                ref="dash-1",
                instrument=Instrument.DASH_POLICE_27,
                subject="victim-1",
                assessor_role="attending-officer",
                at=datetime(2026, 4, 12, 20, 0, tzinfo=UTC),
                grade=grade,
                basis="judgement",
                yes=5,
                unknown=1,
                items=27,
                answers=(
                    Answer(code="INJ", reply=Reply.YES, text="bruised arm"),
                    Answer(code="FRI", reply=Reply.YES),
                    Answer(code="DEP", reply=Reply.YES),
                    Answer(code="STRG", reply=Reply.YES),
                    Answer(code="SUB", reply=Reply.YES, text="drinks daily"),
                    Answer(code="WPN", reply=Reply.UNKNOWN),
                ),
            ),
        ),
        consents=(Consent(ref="consent-1", state=consent, subject="victim-1", asked_by="attending-officer"),),
        orders=(
            Order(type="bail-conditions", subject="suspect-1", conditions="No contact", expires=date(2026, 5, 10)),
        ),
        statements=(
            Statement(topic=Topic.SUMMARY, kind="allegation", about=("victim-1",), text="Pushed against a wall."),
            Statement(topic=Topic.THIRD_PARTY, kind="allegation", text="A neighbour heard shouting."),
            Statement(topic=Topic.INTELLIGENCE, kind="assessment", text="Known to a drugs team."),
        ),
        officer=Officer(collar="1234", team="Blackpool PPU"),
        safety_warnings=("violent",),
    )
