"""A record in which every leaf of the schema holds something, for each role, topic and use."""

from __future__ import annotations

from datetime import UTC, date, datetime

from mappings.record import (
    Address,
    AddressUse,
    Answer,
    Assessment,
    Attachment,
    Birth,
    Classification,
    Consent,
    ConsentState,
    Contact,
    Criterion,
    Custody,
    Earlier,
    Encompass,
    Feedback,
    FeedbackCode,
    Finding,
    Grade,
    Grading,
    Identifier,
    Instrument,
    Link,
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

_AT = datetime(2026, 4, 12, 18, 50, tzinfo=UTC)


def person(role: Role) -> Person:
    mark = role.value
    return Person(
        ref=f"{mark}-1",
        role=role,
        also={Role.VICTIM: "suspect-1", Role.SUSPECT: "victim-1"}.get(role),
        names=(Name(family=f"Family {mark}", given=(f"Given {mark}",), prefix="Dr", use="usual"),),
        birth=Birth(on=date(1991, 2, 3), year=1991, age=35, age_from=30, age_to=40, age_band="25-34"),
        sex="female",
        ethnicity="A",
        ethnicity_observed="IC1",
        identifiers=(Identifier(system="pnc", value=f"pnc {mark}"),),
        nhs_number="9990000018",
        general_practice="Y99999",
        clinical=(f"clinical {mark}",),
        contacts=(
            Contact(
                system="phone",
                value="01632 960124",
                safe=True,
                voicemail=True,
                text=False,
                times=f"mornings {mark}",
                code_word=f"word {mark}",
                shared_with_suspect=False,
                verified_by="attending-officer",
                verified_at=_AT,
            ),
        ),
        addresses=tuple(
            Address(
                use=use,
                lines=(f"1 {use.value} {mark}",),
                town=f"Town {mark}",
                postcode="ZZ99 3CZ",
                district="ZZ99",
                lsoa="E01999999",
                uprn="100000000001",
            )
            for use in AddressUse
        ),
        language="en",
        interpreter=False,
        needs=(f"needs {mark}",),
        description=f"description {mark}",
        occupation=f"occupation {mark}",
        school=f"school {mark}",
        present=True,
        witnessed=True,
        injured=False,
        deceased=False,
        warnings=("dog",),
        encompass=Encompass(notified=True, at=_AT, reference=f"ENC {mark}", reason="school-holiday"),
    )


def everything() -> Record:
    return Record(
        kind=RecordKind.INCIDENT,
        source=Source(organisation="04", system="rms", adapter="police.json", profile="p", profile_hash="0" * 64),
        references=(Reference(type="occurrence", value="04-2026-000345"),),
        version=3,
        times=Times(reported=_AT, occurred_from=_AT, occurred_to=_AT, attended=_AT, recorded=_AT),
        marking=Marking(
            classification=Classification.OFFICIAL,
            source_grade="2",
            information_grade="B",
            handling="P",
            conditions="conditions of the marking",
        ),
        area="blackpool",
        category="domestic-incident",
        section="domestic-abuse",
        offence="8N",
        flags=("DA",),
        location="1 Example Row",
        people=tuple(person(role) for role in Role),
        relationships=(
            Relationship(
                a="victim-1", b="suspect-1", type="partner", personally_connected=True, evidence=("age-not-known",)
            ),
        ),
        assessments=(
            Assessment(
                ref="dash-1",
                instrument=Instrument.DASH_POLICE_27,
                instrument_version="2009",
                subject="victim-1",
                assessor_role="attending-officer",
                at=_AT,
                supersedes="dash-0",
                grade=Grade.HIGH,
                basis="judgement",
                yes=3,
                unknown=0,
                items=27,
                answers=tuple(
                    Answer(code=code, reply=Reply.YES, source="child", text=f"text of {code}")
                    for code in ("INJ", "DEP", "PREG", "SUB", "SUI", "CRIM")
                ),
                history=(
                    Grading(
                        grade=Grade.MEDIUM,
                        at=_AT,
                        by="attending-officer",
                        basis="count",
                        instrument=Instrument.DASH_POLICE_27,
                        version=1,
                        yes=2,
                        items=27,
                    ),
                ),
            ),
        ),
        consents=(
            Consent(
                ref="consent-1",
                state=ConsentState.GIVEN,
                subject="victim-1",
                scope=("idva",),
                asked_by="attending-officer",
                at=_AT,
                explained=True,
                suspect_present=False,
                suspect_channel=False,
                reason="reason of consent",
            ),
        ),
        criteria=(
            Criterion(
                code="escalation",
                met=True,
                subject="victim-1",
                by="supervisor",
                at=_AT,
                instrument=Instrument.DASH_POLICE_27,
                count=3,
                since=date(2026, 1, 5),
                text="text of the criterion",
            ),
        ),
        orders=(
            Order(
                type="bail",
                subject="suspect-1",
                protects="victim-1",
                conditions="no contact",
                starts=date(2026, 4, 12),
                expires=date(2026, 5, 10),
                expired=False,
            ),
        ),
        earlier=(Earlier(on=date(2025, 11, 2), grade=Grade.MEDIUM, pair=True),),
        custody=(Custody(event="released-on-bail", subject="suspect-1", at=_AT),),
        attachments=(Attachment(kind="photograph", media_type="image/jpeg"),),
        linked=(
            Link(kind="section", section="child", references=(Reference(type="occurrence", value="04-2026-000346"),)),
        ),
        statements=tuple(Statement(topic=t, about=("victim-1",), text=f"text on {t.value}") for t in Topic),
        officer=Officer(collar="1234", team="Public Protection"),
        safety_warnings=("violent",),
        outcome="16",
        feedback=tuple(
            Feedback(code=code, at=_AT, value="yes", count=2, author_role="idva", consent_ref="consent-1", expiry=_AT)
            for code in (FeedbackCode.ENGAGED, FeedbackCode.DECLINED_SUPPORT)
        ),
        quality=(Finding(path="people[0].birth", code="age-only"),),
    )
