"""The Niche-like profile: an occurrence is read whole, each leaf is accounted for, and what is wrong is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mappings
from adapters.socket import Fault, Limits, Reading, Unreadable, reader
from mappings import items
from mappings.profile import profile
from mappings.record import AddressUse, ConsentState, Grade, Instrument, Record, RecordKind, Role, Topic
from tests.support import niche

NICHE = profile("niche")
WHOLE = niche.text()
LEAF = re.compile(r' (?!xmlns)([A-Za-z][\w:]*)="([^"]+)"|>([^<>]*[^\s<>][^<>]*)<')


SAID_TWICE = re.compile(r"""code="[^"]+"(>[^<>]+<)?$""")
"""A code, or the words that stand with one: the other still says it."""

ONE_VICTIM = re.compile(r"""<Subject s:ref="P1"$""")
"""Whom it is about, where there is one victim: it is hers without it (`quality.settle`)."""


def read(text: str | bytes) -> Reading:
    return reader("police.xml").read(text if isinstance(text, bytes) else text.encode(), NICHE, Limits())


def changed(old: str, new: str) -> Reading:
    """A reading of the whole occurrence with one thing otherwise."""
    assert WHOLE.count(old) == 1
    return read(WHOLE.replace(old, new))


def problems(old: str, new: str) -> list[tuple[str, Fault]]:
    with pytest.raises(Unreadable) as caught:
        changed(old, new)
    return [(p.path, p.fault) for p in caught.value.problems]


def found(reading: Reading) -> set[tuple[str, str]]:
    return {(f.path, f.code) for f in reading.findings}


@pytest.fixture(scope="module")
def record() -> Record:
    return read(WHOLE).record


def test_the_event_is_read_whole(record: Record) -> None:
    assert (record.kind, record.version, record.area) == (RecordKind.INCIDENT, 2, "blackpool")
    assert (record.category, record.offence, record.section) == ("domestic-incident", "8N", "domestic-abuse")
    assert (record.flags, record.outcome) == (("DA", "alcohol", "physically-assaulted", "weapon"), "18")
    assert {r.type: r.value for r in record.references} == {
        "occurrence": "04-2026-000345",
        "log": "LC-20260412-0345",
        "crime": "04/12345/26",
        "incident": "INC-000345",
        "submission": "NX-000345",
    }
    assert record.times is not None
    assert [t and t.strftime("%d %H:%M") for t in vars(record.times).values()] == [
        "12 18:05",
        "12 17:50",
        "12 18:02",
        "12 18:21",
        "12 19:58",
    ]
    assert record.marking is not None
    assert [str(m) for m in vars(record.marking).values()] == ["official-sensitive", "1", "A", "P", "None"]
    assert record.source is not None
    assert (record.source.organisation, record.source.system) == ("04", "Niche RMS")
    assert (record.source.profile, record.source.profile_hash) == ("niche", NICHE.hash)
    assert items.present(record) <= set(items.CATALOGUE)


def test_the_people_are_read_with_their_part_in_the_event(record: Record) -> None:
    assert [(p.ref, p.role) for p in record.people] == [
        ("victim-1", Role.VICTIM),
        ("suspect-1", Role.SUSPECT),
        ("child-1", Role.CHILD),
        ("reporter-1", Role.REPORTER),
    ]
    victim, suspect, child, _ = record.people
    assert {n.use: (n.family, n.given) for n in victim.names} == {
        "usual": ("Ashdown", ("Marianne", "Elise")),
        "former": ("Quill", ()),
    }
    assert {a.use: a.postcode for a in victim.addresses} == {AddressUse.HOME: "ZZ99 3CZ", AddressUse.SAFE: "ZZ99 4ZZ"}
    assert [(c.is_safe, c.may_leave_voicemail) for c in victim.contacts] == [
        (True, False),
        (False, False),
        (False, False),
    ]
    assert (victim.nhs_number, victim.needs, victim.injured) == ("9990000018", ("Hearing loop", "Large print"), True)
    assert {i.system: i.value for i in suspect.identifiers} == {"pnc": "26/1234567A", "cro": "12345/26B"}
    assert suspect.warnings == ("weapons",)
    assert (child.school, child.witnessed) == ("Example Primary School", True)
    assert child.encompass is not None
    assert child.encompass.notified is True


def test_what_was_assessed_agreed_and_ordered_is_read(record: Record) -> None:
    (assessment,) = record.assessments
    assert (assessment.instrument, assessment.grade, assessment.yes) == (Instrument.DASH_POLICE_27, Grade.HIGH, 19)
    assert (assessment.subject, len(assessment.answers)) == ("victim-1", 27)
    assert [g.grade for g in assessment.history] == [Grade.MEDIUM]
    (consent,) = record.consents
    assert (consent.state, consent.scope, consent.subject) == (ConsentState.GIVEN, ("idva", "health"), "victim-1")
    assert [(r.a, r.b, r.type) for r in record.relationships] == [("victim-1", "suspect-1", "ex-partner")]
    assert [(o.type, o.subject, o.protects) for o in record.orders] == [("dvpn", "suspect-1", "victim-1")]
    assert [(c.event, c.subject) for c in record.custody] == [("released-under-investigation", "suspect-1")]
    assert [(c.code, c.subject, c.count) for c in record.criteria] == [("visible-high-risk", "victim-1", 19)]
    assert [a.kind for a in record.attachments] == ["photograph"]


def test_who_reported_it_is_not_in_the_summary(record: Record) -> None:
    """N3; and what is a fact about her stays one."""
    by_topic = {s.topic: s.text or "" for s in record.statements if not s.about}
    assert "neighbour" not in by_topic[Topic.SUMMARY]
    assert "neighbour" in by_topic[Topic.THIRD_PARTY]
    assert "door & pushed" in by_topic[Topic.SUMMARY]
    assert [s.kind for s in record.statements if s.about == ("victim-1",)] == ["fact"]


FOREIGN = "<x:LogNumber xmlns:x='urn:x'>zqx</x:LogNumber>"


def leaves() -> Iterator[re.Match[str]]:
    return LEAF.finditer(WHOLE, WHOLE.index("<OccurrenceExport"))


def test_every_leaf_of_the_occurrence_is_read_or_left_out_for_a_reason() -> None:
    """All that is lost is that there is an attachment, which the loss report names."""
    reading = read(WHOLE)
    assert [(loss.path, loss.reason) for loss in reading.losses] == [
        ("OccurrenceExport.Occurrence.Attachment", "attachment")
    ]
    assert reading.leaf_count == sum(1 for _ in leaves())
    assert reading.ignored_count == 18


@pytest.mark.parametrize("leaf", [pytest.param(m, id=f"{m.start()}-{m[1] or 'text'}") for m in leaves()])
def test_each_leaf_that_goes_is_missed_by_one(leaf: re.Match[str]) -> None:
    """The identity of every leaf: none counts for another, and none can go unseen."""
    kept = "" if leaf[1] else "><"
    without = WHOLE[: leaf.start()] + kept + WHOLE[leaf.end() :]
    whole = read(WHOLE)
    try:
        less = read(without)
    except Unreadable as refused:
        said = [p.path for p in refused.problems]
    else:
        said = [f.path for f in less.findings if f not in whole.findings]
        assert less.leaf_count == whole.leaf_count - 1
        if less.record == whole.record and less.ignored_count == whole.ignored_count:
            said += ["twice"] * bool(SAID_TWICE.search(WHOLE[: leaf.end()]))
            said += ["settled"] * bool(ONE_VICTIM.search(WHOLE[: leaf.end()]))
            said += ["a name that nothing refers by"] * (leaf[1] == "s:id")
        else:
            said.append("another record, or less ignored")
    assert said


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ('<Gender code="F">Female</Gender>', "<Pronoun>zqx</Pronoun>", "OccurrenceExport.Person[0].Pronoun"),
        ("<LogNumber>", "<LogNumber by='zqx'>", "OccurrenceExport.Occurrence.LogNumber.@by"),
        ("<LogNumber>", "<Log>zqx</Log><LogNumber>", "OccurrenceExport.Occurrence.Log"),
        ('role="REP"', 'role="zqx"', "OccurrenceExport.Occurrence.Involvement[3].@role"),
        ('type="MAIDEN"', 'type="zqx"', "OccurrenceExport.Person[0].Name[1].@type"),
        ("<LogNumber>", f"{FOREIGN}<LogNumber>", "OccurrenceExport.Occurrence.LogNumber{urn:x}"),
    ],
)  # fmt: skip
def test_what_the_profile_does_not_know_is_counted_and_named(old: str, new: str, lost: str) -> None:
    assert lost in {loss.path for loss in changed(old, new).losses}


def test_an_element_with_attributes_that_nobody_knows_is_still_read() -> None:
    """Systems add attributes without a word; the text beside them stays what it was."""
    reading = changed("<LogNumber>", '<LogNumber verified="Y">')
    assert reading.record.reference("log") == "LC-20260412-0345"
    assert reading.loss_count == 2


CLASSIFIED = '<Classification code="OS">OFFICIAL-SENSITIVE</Classification>'


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('<Classification code="OS">', '<Classification code="S">', "Marking.Classification.@code"),  # N7
        ("OFFICIAL-SENSITIVE", "SECRET", "Marking.Classification.@code"),
        ('code="OS"', 'code="X9"', "Marking.Classification.@code"),
        ("</Classification>", "</Classification><Classification>SECRET</Classification>", "Marking.Classification"),
        ("<Marking>", "<Marking><Classification>SECRET</Classification></Marking><Marking>", "Marking.Classification"),
        (CLASSIFIED, "<Classification><Level>S</Level></Classification>", "Marking.Classification"),
        ("<Version>2</Version>", "<Version>2</Version><Version>3</Version>", "Version"),
        ('<RecordStatus code="NEW">New<', '<RecordStatus code="NEW">Retraction<', "RecordStatus.@code"),
        ('<RecordStatus code="NEW">New</RecordStatus>', "", "RecordStatus.@code"),
        ("<OccurrenceNumber>04-2026-000345</OccurrenceNumber>", "<OccurrenceNumber/>", "OccurrenceNumber"),
    ],
)  # fmt: skip
def test_a_marking_or_a_version_that_could_be_misread_makes_it_unreadable(old: str, new: str, path: str) -> None:
    assert any(p.startswith(f"OccurrenceExport.Occurrence.{path}") for p, _ in problems(old, new))


@pytest.mark.parametrize("pair", ['code="S">High', 'code="H">Standard', 'code="9">High'])
def test_a_grade_whose_code_and_words_disagree_is_no_grade(pair: str) -> None:
    """P10: neither the lower nor the higher of the two is taken; the adviser reads that it is missing."""
    reading = changed('<Grade code="H">High', f"<Grade {pair}")
    assert reading.record.assessments[0].grade is None
    assert ("assessments[0].grade", "missing") in found(reading)
    code = "unknown-code" if '"9"' in pair else "codes-disagree"
    assert ("OccurrenceExport.Occurrence.RiskAssessment.Grade.@code", code) in found(reading)


@pytest.mark.parametrize("pair", ["<Grade>High</Grade>", '<Grade code="H"/>', '<Grade code="H">Very high</Grade>'])
def test_a_grade_is_read_from_its_code_or_where_there_is_none_from_its_word(pair: str) -> None:
    assert changed('<Grade code="H">High</Grade>', pair).record.assessments[0].grade is Grade.HIGH


def test_an_address_of_an_unknown_type_is_not_read() -> None:
    """P5: nobody knows whether the suspect may know it."""
    reading = changed('<Address type="SAFE" s:ref="L2"/>', '<Address type="HIDEOUT" s:ref="L2"/>')
    assert [a.use for a in reading.record.people[0].addresses] == [AddressUse.HOME]
    assert "Fleetwood" not in reading.record.model_dump_json()
    assert ("OccurrenceExport.Location[1].Town", "no-row") in {(loss.path, loss.reason) for loss in reading.losses}


def test_one_person_in_two_parts_of_the_event_is_two_people_who_share_a_telephone() -> None:
    """A counter-allegation (N9): each is victim and suspect, and a telephone of one's own is not shared (P5)."""
    both = "".join(
        f'<Involvement role="{role}"><Person s:ref="{who}"/></Involvement>'
        for role, who in (("VIC", "P1"), ("VIC", "P2"), ("SUS", "P2"), ("SUS", "P1"))
    )
    people = "".join(
        f'<Person s:id="{who}"><Name type="PRIMARY"><Forename1>{name}</Forename1></Name>'
        "<Telephone><Number>01632 960150</Number><SafeToContact>Y</SafeToContact></Telephone>"
        f"<Telephone><Number>{own}</Number><SafeToContact>Y</SafeToContact></Telephone></Person>"
        for who, name, own in (("P1", "Delia", "07700 900151"), ("P2", "Rufus", "07700 900152"))
    )
    related = '<Relationship><Of s:ref="P2"/><To s:ref="P1"/></Relationship>'
    record = read(niche.small(people, both + related)).record
    assert [(p.ref, p.names[0].given[0]) for p in record.people] == [
        ("victim-1", "Delia"),
        ("victim-2", "Rufus"),
        ("suspect-1", "Rufus"),
        ("suspect-2", "Delia"),
    ]
    assert [(r.a, r.b) for r in record.relationships] == [("victim-2", "suspect-2")]
    assert [c.is_safe for c in record.people[0].contacts] == [False, True]


def test_a_part_in_the_event_that_nobody_knows_is_a_third_party() -> None:
    reading = changed('role="SUS"', 'role="OCC"')
    assert [p.role for p in reading.record.people] == [Role.VICTIM, Role.CHILD, Role.REPORTER, Role.OTHER]
    assert ("OccurrenceExport.Occurrence.Relationship.To.@s:ref", "person-not-in-role") in found(reading)


def test_the_least_there_can_be_is_read_and_its_gaps_are_named() -> None:
    """P6: safeguarding is not blocked by form."""
    reading = read(niche.small())
    assert reading.record.reference("occurrence") == "04-1"
    assert {("area", "missing"), ("people", "no-victim"), ("source.organisation", "missing")} <= found(reading)


def test_the_profile_says_that_its_shape_is_a_guess() -> None:
    text = Path(mappings.__file__).with_name("police").joinpath("niche.toml").read_text(encoding="utf-8")
    assert "THE SHAPE IS OUR GUESS" in text[:600]
