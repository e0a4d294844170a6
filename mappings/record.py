"""The common record: what police and NHS systems say to each other, in one schema.

A `Record` is one event about people: an incident, an update, a correction, a retraction, a notice or a status. It is
built once, at the edge, and never changed: minimising gives another, smaller `Record`. Every leaf belongs to exactly
one data item (`items.py` finds it through the `Item` beside the field), so that an agreement can name it; every leaf
but the few that say what a part *is* has a default, so that it can be withheld.

A role belongs to the event, not to the person: somebody who is victim and suspect of one event appears twice, under
two references, and is never merged (domain.md section 4.5, N9). `Person.also` says so, and no agreement needs to know:
what concerns one victim (`Record.for_victim`) carries nothing that the other said as a victim.

Source: domain.md section 5.3 for the shape; 1.3 for the police fields; 1.6 for assessments; 4.6 for consent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints


@dataclass(frozen=True, slots=True)
class Item:
    """The data item a leaf belongs to.

    `name` is an item of the catalogue, or a pattern whose `{word}`s the part, or a part around it, fills: `{role}`
    by the role group of the person the leaf belongs to, `{use}` by the use of the address (`Part.word`).
    """

    name: str


class RecordKind(StrEnum):
    """What happened, as the sender says it (design.md section 5)."""

    INCIDENT = "incident"
    UPDATE = "update"
    CORRECTION = "correction"
    RETRACTION = "retraction"
    NOTICE = "notice"
    STATUS = "status"


class Role(StrEnum):
    """A person's part in the event (domain.md section 1.3, `persons[]`)."""

    VICTIM = "victim"
    SUSPECT = "suspect"
    CHILD = "child"
    WITNESS = "witness"
    REPORTER = "reporter"
    OTHER = "other"

    @property
    def item_word(self) -> str:
        """The role group that item names use: whoever is not victim, suspect or child is a third party."""
        return self.value if self in _OWN_GROUP else "third_party"


_OWN_GROUP = frozenset({Role.VICTIM, Role.SUSPECT, Role.CHILD})


class Grade(StrEnum):
    """The risk grade a professional gave; never computed here (P10, domain.md section 1.6)."""

    STANDARD = "standard"
    MEDIUM = "medium"
    HIGH = "high"


GRADE_ORDER: dict[str, int] = {Grade.STANDARD: 1, Grade.MEDIUM: 2, Grade.HIGH: 3}


class Instrument(StrEnum):
    """The risk instrument used; answers of one are never converted into another (P10)."""

    DASH_POLICE_27 = "dash-2009-police-27"
    DASH_SAFELIVES_24 = "dash-safelives-24"
    DARA = "dara"
    UNKNOWN = "unknown"  # the sender names none, or one that is not in our list: the grade still travels


class Reply(StrEnum):
    """An answer to one question of a risk instrument."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class ConsentState(StrEnum):
    """Whether the victim agreed to sharing: the confidentiality question, not the lawful basis (domain.md 3.1, 4.6)."""

    NOT_ASKED = "not-asked"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LACKS_CAPACITY = "lacks-capacity"
    UNDER_16_GILLICK = "under-16-gillick"
    OVERRIDDEN = "overridden"


class Classification(StrEnum):
    """Government security classification (domain.md section 1.3, `gsc`)."""

    OFFICIAL = "official"
    OFFICIAL_SENSITIVE = "official-sensitive"
    SECRET = "secret"  # noqa: S105 - a classification
    TOP_SECRET = "top-secret"  # noqa: S105 - a classification


class Topic(StrEnum):
    """What a statement is about, as far as sharing depends on it (design.md section 5, domain.md section 4.4)."""

    SUMMARY = "summary"
    THIRD_PARTY = "third-party"
    INTELLIGENCE = "intelligence"
    COVERT = "covert"
    CASE_NOTE = "case-note"
    SAFETY_PLAN = "safety-plan"
    MARAC_MINUTES = "marac-minutes"

    @property
    def item_word(self) -> str:
        """The item a statement on this topic belongs to."""
        return _TOPIC_ITEMS[self.value]


_TOPIC_ITEMS = {
    "summary": "statement.summary",
    "third-party": "statement.third_party",
    "intelligence": "police.intelligence",
    "covert": "police.covert",
    "case-note": "adviser.case_notes",
    "safety-plan": "adviser.safety_plan",
    "marac-minutes": "marac.minutes",
}


class AddressUse(StrEnum):
    """What an address is: a safe address is vaulted and never a home address (domain.md section 4.4)."""

    HOME = "home"
    SAFE = "safe"
    WORK = "work"
    OTHER = "other"


class FeedbackCode(StrEnum):
    """What an adviser tells police, coded (domain.md section 4.3)."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CONTACT_ATTEMPTED = "contact-attempted"
    ENGAGED = "engaged"
    ENGAGED_LIMITED = "engaged-limited"
    DECLINED_SUPPORT = "declined-support"
    UNABLE_TO_CONTACT = "unable-to-contact"
    UNSAFE_TO_CONTACT = "unsafe-to-contact"
    ALREADY_SUPPORTED = "already-supported"
    TRANSFERRED = "transferred"
    SAFETY_PLAN_IN_PLACE = "safety-plan-in-place"
    MARAC_REFERRED = "marac-referred"
    CHILD_REFERRAL_MADE = "child-referral-made"
    SUPPORTS_PROSECUTION = "supports-prosecution"
    VICTIM_REQUESTS_CALL = "victim-requests-call-from-oic"
    RISK_CHANGE = "risk-change"
    WELFARE_CONCERN = "welfare-concern"
    CLOSED = "closed"

    @property
    def item_word(self) -> str:
        """The item a code belongs to: the victim's own wishes go only with consent or public interest."""
        return "engagement.wishes" if self in _WISHES else "engagement.status"


_WISHES = frozenset({FeedbackCode.DECLINED_SUPPORT, FeedbackCode.SUPPORTS_PROSECUTION})

_ANSWER_ITEMS = {
    "": "risk.answers",
    "DEP": "risk.answers.victim_health",
    "PREG": "risk.answers.victim_health",
    "SUB": "risk.answers.suspect_background",
    "SUI": "risk.answers.suspect_background",
    "CRIM": "risk.answers.suspect_background",
}
"""Answers on the victim's health, and on the suspect's health or past, are items of their own (domain.md 1.6, N4)."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")]
"""A code of some list: no spaces, no narrative, at most 64 characters."""

Ref = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""An opaque reference that means nothing outside the gateway."""


class Part(BaseModel):
    """A piece of a record. Unknown fields are refused; a part never changes after it is built.

    `gate` is the item that says whether the part is there at all: where it is withheld, the whole part goes.
    `fills` is the word a class fills in the patterns of its items and of those inside it, `choices` all it can be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)
    gate: ClassVar[str | None] = None
    fills: ClassVar[str | None] = None
    choices: ClassVar[tuple[str, ...]] = ()

    def word(self) -> str:
        """What this part fills in for `fills`."""
        return ""


class Source(Part):
    """Where a record came from and how it was read."""

    gate: ClassVar[str | None] = "event.source"
    organisation: Annotated[str, Item("event.source")]
    system: Annotated[str | None, Item("event.source")] = None
    adapter: Annotated[str | None, Item("event.source")] = None
    profile: Annotated[str | None, Item("event.source")] = None
    profile_hash: Annotated[str | None, Item("event.source")] = None


class Reference(Part):
    """An identifier of the event in the sender's system: opaque, normalised, unique within its type."""

    gate: ClassVar[str | None] = "event.references"
    type: Annotated[Code, Item("event.references")]
    value: Annotated[str, Field(max_length=100), Item("event.references")]


class Times(Part):
    """When things happened; every time carries its offset (RFC 3339)."""

    gate: ClassVar[str | None] = "event.times"
    reported: Annotated[AwareDatetime | None, Item("event.times")] = None
    occurred_from: Annotated[AwareDatetime | None, Item("event.times")] = None
    occurred_to: Annotated[AwareDatetime | None, Item("event.times")] = None
    attended: Annotated[AwareDatetime | None, Item("event.times")] = None
    recorded: Annotated[AwareDatetime | None, Item("event.times")] = None


class Marking(Part):
    """Protective marking and 3x5x2 intelligence grading (domain.md section 1.3).

    `source_grade` 1-3, `information_grade` A-E, `handling` P (lawful sharing permitted) or C (with conditions).
    """

    gate: ClassVar[str | None] = "police.marking"
    classification: Annotated[Classification | None, Item("police.marking")] = None
    source_grade: Annotated[str | None, StringConstraints(pattern=r"^[1-3]$"), Item("police.marking")] = None
    information_grade: Annotated[str | None, StringConstraints(pattern=r"^[A-E]$"), Item("police.marking")] = None
    handling: Annotated[str | None, StringConstraints(pattern=r"^[PC]$"), Item("police.marking")] = None
    conditions: Annotated[str | None, Item("police.marking")] = None


class Name(Part):
    """A person's name in one of its forms."""

    gate: ClassVar[str | None] = "{role}.name"
    family: Annotated[str | None, Item("{role}.name")] = None
    given: Annotated[tuple[str, ...], Item("{role}.name")] = ()
    prefix: Annotated[str | None, Item("{role}.name")] = None
    use: Annotated[Code, Item("{role}.name")] = "usual"


class Birth(Part):
    """Date of birth, or what is known of it: an age, an age range, a year alone."""

    gate: ClassVar[str | None] = "{role}.birth"
    on: Annotated[date | None, Item("{role}.birth")] = None
    year: Annotated[int | None, Field(ge=1880, le=2200), Item("{role}.birth")] = None
    age: Annotated[int | None, Field(ge=0, le=130), Item("{role}.birth")] = None
    age_from: Annotated[int | None, Field(ge=0, le=130), Item("{role}.birth")] = None
    age_to: Annotated[int | None, Field(ge=0, le=130), Item("{role}.birth")] = None
    age_band: Annotated[Code | None, Item("{role}.birth")] = None


class Contact(Part):
    """A way to reach a person and whether it is safe. Unknown means unsafe (P5): only `True` is a permission."""

    gate: ClassVar[str | None] = "{role}.contact"
    system: Annotated[Code, Item("{role}.contact")]
    value: Annotated[str | None, Item("{role}.contact")] = None
    safe: Annotated[bool | None, Item("{role}.safe_contact")] = None
    voicemail: Annotated[bool | None, Item("{role}.safe_contact")] = None
    text: Annotated[bool | None, Item("{role}.safe_contact")] = None
    times: Annotated[str | None, Item("{role}.safe_contact")] = None
    code_word: Annotated[str | None, Item("{role}.safe_contact")] = None
    shared_with_suspect: Annotated[bool | None, Item("{role}.safe_contact")] = None
    verified_by: Annotated[Code | None, Item("{role}.safe_contact")] = None
    verified_at: Annotated[AwareDatetime | None, Item("{role}.safe_contact")] = None

    @property
    def is_safe(self) -> bool:
        """Whether the channel may be used at all (P5, N8): stated safe, and not shared with the suspect."""
        return self.safe is True and self.shared_with_suspect is not True

    @property
    def may_leave_voicemail(self) -> bool:
        """Whether a message may be left: only where the channel is safe and the victim said so."""
        return self.is_safe and self.voicemail is True


class Address(Part):
    """A place a person lives, works or is kept safe. `use` decides the item, so a safe address is never a home."""

    gate: ClassVar[str | None] = "{role}.{use}_address"
    fills: ClassVar[str | None] = "use"
    choices: ClassVar[tuple[str, ...]] = tuple(u.value for u in AddressUse)
    use: Annotated[AddressUse, Item("{role}.{use}_address")]
    lines: Annotated[tuple[str, ...], Item("{role}.{use}_address")] = ()
    town: Annotated[str | None, Item("{role}.{use}_address")] = None
    postcode: Annotated[str | None, Item("{role}.{use}_address")] = None
    district: Annotated[str | None, Item("{role}.{use}_address")] = None
    lsoa: Annotated[str | None, Item("{role}.{use}_address")] = None
    uprn: Annotated[str | None, Item("{role}.{use}_address")] = None

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return self.use.value


class Identifier(Part):
    """A number another system knows a person by. `system` is a code such as `pnc`, `cro`, `nominal`."""

    gate: ClassVar[str | None] = "{role}.police_identifiers"
    system: Annotated[Code, Item("{role}.police_identifiers")]
    value: Annotated[str | None, Item("{role}.police_identifiers")] = None


class Encompass(Part):
    """Whether a child's school was told before the next school day (Operation Encompass, domain.md section 1.5)."""

    gate: ClassVar[str | None] = "encompass.status"
    notified: Annotated[bool | None, Item("encompass.status")] = None
    at: Annotated[AwareDatetime | None, Item("encompass.status")] = None
    reference: Annotated[str | None, Field(max_length=100), Item("encompass.status")] = None
    reason: Annotated[Code | None, Item("encompass.status")] = None


class Person(Part):
    """Somebody in the event, in one role. `ref` is opaque, random, and the subject reference of the audit log.

    `also` is the reference under which the same person is the other of victim and suspect (counter-allegation).
    `warnings` are officer-safety codes on this person; those of a record as a whole name nobody.
    """

    gate: ClassVar[str | None] = "{role}.listed"
    fills: ClassVar[str | None] = "role"
    choices: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys(r.item_word for r in Role))
    ref: Annotated[Ref, Item("{role}.listed")]
    role: Annotated[Role, Item("{role}.listed")]
    also: Annotated[Ref | None, Item("people.counter_allegation")] = None
    names: tuple[Name, ...] = ()
    birth: Birth | None = None
    sex: Annotated[Code | None, Item("{role}.sex")] = None
    ethnicity: Annotated[Code | None, Item("{role}.ethnicity")] = None
    ethnicity_observed: Annotated[Code | None, Item("{role}.ethnicity_observed")] = None
    identifiers: tuple[Identifier, ...] = ()
    nhs_number: Annotated[str | None, Item("{role}.nhs_number")] = None
    general_practice: Annotated[str | None, Item("{role}.general_practice")] = None
    clinical: Annotated[tuple[str, ...], Item("{role}.clinical")] = ()
    contacts: tuple[Contact, ...] = ()
    addresses: tuple[Address, ...] = ()
    language: Annotated[Code | None, Item("{role}.needs")] = None
    interpreter: Annotated[bool | None, Item("{role}.needs")] = None
    needs: Annotated[tuple[str, ...], Item("{role}.needs")] = ()
    description: Annotated[str | None, Item("{role}.description")] = None
    occupation: Annotated[str | None, Item("{role}.occupation")] = None
    school: Annotated[str | None, Item("{role}.school")] = None
    present: Annotated[bool | None, Item("{role}.presence")] = None
    witnessed: Annotated[bool | None, Item("{role}.presence")] = None
    injured: Annotated[bool | None, Item("{role}.presence")] = None
    deceased: Annotated[bool | None, Item("{role}.presence")] = None
    warnings: Annotated[tuple[Code, ...], Item("police.safety_warnings")] = ()
    encompass: Encompass | None = None

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return self.role.item_word


class Relationship(Part):
    """How two people of the event are connected.

    `personally_connected` is what the sender states (Domestic Abuse Act 2021 s.2); `evidence` are the facts of the
    record that bear on it (`quality.py`), and never a verdict.
    """

    gate: ClassVar[str | None] = "people.relationships"
    a: Annotated[Ref, Item("people.relationships")]
    b: Annotated[Ref, Item("people.relationships")]
    type: Annotated[Code | None, Item("people.relationships")] = None
    personally_connected: Annotated[bool | None, Item("people.relationships")] = None
    evidence: Annotated[tuple[Code, ...], Item("people.relationships")] = ()


class Answer(Part):
    """One answer of a risk instrument, under its short code (domain.md section 1.6)."""

    gate: ClassVar[str | None] = "{answers}"
    fills: ClassVar[str | None] = "answers"
    choices: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys(_ANSWER_ITEMS.values()))
    code: Annotated[Code, Item("{answers}")]
    reply: Annotated[Reply, Item("{answers}")] = Reply.UNKNOWN
    source: Annotated[Code | None, Item("{answers}")] = None
    text: Annotated[str | None, Item("{answers}")] = None

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return _ANSWER_ITEMS.get(self.code.rpartition(".")[2].upper(), _ANSWER_ITEMS[""])


class Grading(Part):
    """A grade that stood before the one that stands now, with who gave it, when and on what (P10).

    `version` is that of the record which said it, where it was another.
    """

    gate: ClassVar[str | None] = "risk.grade"
    grade: Annotated[Grade, Item("risk.grade")]
    at: Annotated[AwareDatetime | None, Item("risk.grade")] = None
    by: Annotated[Code | None, Item("risk.grade")] = None
    basis: Annotated[Code | None, Item("risk.grade")] = None
    instrument: Annotated[Instrument | None, Item("risk.grade")] = None
    version: Annotated[int | None, Field(ge=1), Item("risk.grade")] = None
    yes: Annotated[int | None, Field(ge=0, le=64), Item("risk.count")] = None
    items: Annotated[int | None, Field(ge=0, le=64), Item("risk.count")] = None


class Assessment(Part):
    """A risk assessment as a professional made it: instrument, items, count, grade, assessor and age together (P10).

    `history` are the grades before, the oldest first.
    """

    gate: ClassVar[str | None] = "risk.assessment"
    ref: Annotated[Ref, Item("risk.assessment")]
    instrument: Annotated[Instrument, Item("risk.assessment")] = Instrument.UNKNOWN
    instrument_version: Annotated[Code | None, Item("risk.assessment")] = None
    subject: Annotated[Ref | None, Item("risk.assessment")] = None
    assessor_role: Annotated[Code | None, Item("risk.assessment")] = None
    at: Annotated[AwareDatetime | None, Item("risk.assessment")] = None
    supersedes: Annotated[Ref | None, Item("risk.assessment")] = None
    grade: Annotated[Grade | None, Item("risk.grade")] = None
    basis: Annotated[Code | None, Item("risk.grade")] = None
    yes: Annotated[int | None, Field(ge=0, le=64), Item("risk.count")] = None
    unknown: Annotated[int | None, Field(ge=0, le=64), Item("risk.count")] = None
    items: Annotated[int | None, Field(ge=0, le=64), Item("risk.count")] = None
    answers: tuple[Answer, ...] = ()
    history: tuple[Grading, ...] = ()

    def grading(self, version: int) -> Grading | None:
        """The grade as it will stand in the history; None where nobody gave one."""
        if self.grade is None:
            return None
        return Grading(
            grade=self.grade,
            at=self.at,
            by=self.assessor_role,
            basis=self.basis,
            instrument=self.instrument,
            version=version,
            yes=self.yes,
            items=self.items,
        )


class Criterion(Part):
    """A criterion for a multi-agency conference (MARAC) and what it rests on: a fact, never a grade (domain.md 1.8).

    `code` is `visible-high-risk`, `professional-judgement`, `escalation` or `repeat`. `basis` says whether the sender
    states it (`stated`), it was counted on the instrument that was used (`counted`), or among the incidents that the
    gateway took in (`found`). `count` is of answers yes, or of
    incidents; `since` the day of the last conference, or of the first incident counted.
    """

    gate: ClassVar[str | None] = "marac.criteria"
    code: Annotated[Code, Item("marac.criteria")]
    met: Annotated[bool | None, Item("marac.criteria")] = None
    subject: Annotated[Ref | None, Item("marac.criteria")] = None
    basis: Annotated[Code, Item("marac.criteria")] = "stated"
    by: Annotated[Code | None, Item("marac.criteria")] = None
    at: Annotated[AwareDatetime | None, Item("marac.criteria")] = None
    instrument: Annotated[Instrument | None, Item("marac.criteria")] = None
    count: Annotated[int | None, Field(ge=0, le=1000), Item("marac.criteria")] = None
    since: Annotated[date | None, Item("marac.criteria")] = None
    text: Annotated[str | None, Item("marac.criteria")] = None


class Earlier(Part):
    """An earlier incident of the same victim: its day and the grade it was given, nothing else of it.

    `pair` says that the suspect was the same as well. The grade is that of then, and never becomes one of now (P10).
    """

    gate: ClassVar[str | None] = "history.repeats"
    on: Annotated[date, Item("history.repeats")]
    grade: Annotated[Grade | None, Item("history.repeats")] = None
    pair: Annotated[bool | None, Item("history.repeats")] = None


class Consent(Part):
    """What a person said about sharing, when, to whom and in whose presence (domain.md section 4.6).

    `explained` says that she was told her details may be shared (domain.md section 1.3, `consent_to_share`).
    `suspect_channel` says that it was said over a telephone, an address or an account the suspect shares.
    """

    gate: ClassVar[str | None] = "consent.state"
    ref: Annotated[Ref, Item("consent.state")]
    state: Annotated[ConsentState, Item("consent.state")]
    subject: Annotated[Ref | None, Item("consent.state")] = None
    scope: Annotated[tuple[Code, ...], Item("consent.state")] = ()
    asked_by: Annotated[Code | None, Item("consent.state")] = None
    at: Annotated[AwareDatetime | None, Item("consent.state")] = None
    explained: Annotated[bool | None, Item("consent.state")] = None
    suspect_present: Annotated[bool | None, Item("consent.state")] = None
    suspect_channel: Annotated[bool | None, Item("consent.state")] = None
    reason: Annotated[str | None, Item("consent.reason")] = None

    @property
    def effective(self) -> ConsentState:
        """The state that counts: consent the suspect could hear or read is no consent (domain.md section 4.6)."""
        if self.state is ConsentState.GIVEN and (self.suspect_present or self.suspect_channel):
            return ConsentState.NOT_ASKED
        return self.state


class Order(Part):
    """A court or police order, or bail conditions: whom it binds, whom it protects, and when it ends.

    A day of expiry is its last day, in London. `expired` is said on the way out, at the moment of reading, and is no
    part of what is kept.
    """

    gate: ClassVar[str | None] = "orders"
    type: Annotated[Code, Item("orders")]
    subject: Annotated[Ref | None, Item("orders")] = None
    protects: Annotated[Ref | None, Item("orders")] = None
    conditions: Annotated[str | None, Item("orders")] = None
    starts: Annotated[datetime | date | None, Item("orders")] = None
    expires: Annotated[datetime | date | None, Item("orders")] = None
    expired: Annotated[bool | None, Item("orders")] = None

    @property
    def ends_at(self) -> datetime | None:
        """The instant from which it no longer holds; None where it has no end."""
        ends = self.expires
        if ends is None:
            return None
        if not isinstance(ends, datetime):
            ends = datetime.combine(ends + timedelta(days=1), time())
        return ends if ends.tzinfo else ends.replace(tzinfo=_LONDON)


class Custody(Part):
    """What police did with the suspect: arrested, charged, released and how. A release is time-critical (4.1, step 12).

    `event` is a code of `codes/custody.json`; an unknown one is kept.
    """

    gate: ClassVar[str | None] = "police.custody"
    event: Annotated[Code, Item("police.custody")]
    subject: Annotated[Ref | None, Item("police.custody")] = None
    at: Annotated[AwareDatetime | None, Item("police.custody")] = None

    @property
    def is_release(self) -> bool:
        """Whether the suspect is at large from then on, whatever the conditions."""
        return self.event.startswith("released")


class Attachment(Part):
    """That police hold a photograph, a recording or a document: its kind, and never its name or content."""

    gate: ClassVar[str | None] = "event.attachments"
    kind: Annotated[Code | None, Item("event.attachments")] = None
    media_type: Annotated[Code | None, Item("event.attachments")] = None


class Link(Part):
    """Another record of the same incident, by its own reference: a section of it, or what became of a log (4.7 c, d).

    `kind` is `section`, `same-log` or `notice`; `section` names which, where the sender says it. Never merged.
    """

    gate: ClassVar[str | None] = "event.references"
    kind: Annotated[Code, Item("event.references")]
    section: Annotated[Code | None, Item("event.references")] = None
    references: tuple[Reference, ...] = ()


class Statement(Part):
    """A text, and whether it is fact, assessment or allegation (DPA 2018 s.38), and about whom."""

    gate: ClassVar[str | None] = "{topic}"
    fills: ClassVar[str | None] = "topic"
    choices: ClassVar[tuple[str, ...]] = tuple(t.item_word for t in Topic)
    topic: Annotated[Topic, Item("{topic}")]
    kind: Annotated[Code, Item("{topic}")] = "allegation"
    about: Annotated[tuple[Ref, ...], Item("{topic}")] = ()
    text: Annotated[str | None, Item("{topic}")] = None

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return self.topic.item_word


class Officer(Part):
    """Who in the force answers for the record: collar number and team, never a personal number."""

    gate: ClassVar[str | None] = "police.officer"
    collar: Annotated[Code | None, Item("police.officer")] = None
    team: Annotated[str | None, Item("police.officer")] = None


class Feedback(Part):
    """One coded word from the adviser to police (domain.md section 4.3)."""

    gate: ClassVar[str | None] = "{engagement}"
    fills: ClassVar[str | None] = "engagement"
    choices: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys(c.item_word for c in FeedbackCode))
    code: Annotated[FeedbackCode, Item("{engagement}")]
    at: Annotated[AwareDatetime, Item("{engagement}")]
    value: Annotated[Code | None, Item("{engagement}")] = None
    count: Annotated[int | None, Field(ge=0, le=1000), Item("{engagement}")] = None
    author_role: Annotated[Code | None, Item("{engagement}")] = None

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return self.code.item_word


class Tally(Part):
    """How many parts of one item there were, in place of the parts themselves."""

    gate: ClassVar[str | None] = "{of}"
    fills: ClassVar[str | None] = "of"
    choices: ClassVar[tuple[str, ...]] = ()  # any item: a tally belongs to what it counts
    of: Annotated[str, Item("{of}")]
    count: Annotated[int, Field(ge=0), Item("{of}")]

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return self.of


class Finding(Part):
    """A remark on the quality of the input: a path and a code, never a value (P7)."""

    gate: ClassVar[str | None] = "event.quality"
    path: Annotated[str, Item("event.quality")]
    code: Annotated[Code, Item("event.quality")]


class Record(Part):
    """One event, whole. Shapes in the part classes; times are aware; references are the sender's, opaque."""

    kind: Annotated[RecordKind, Item("event.kind")]
    source: Source | None = None
    references: tuple[Reference, ...] = ()
    version: Annotated[int, Field(ge=1), Item("event.kind")] = 1
    times: Times | None = None
    marking: Marking | None = None
    area: Annotated[Code | None, Item("event.area")] = None
    category: Annotated[Code | None, Item("event.type")] = None
    section: Annotated[Code | None, Item("event.type")] = None
    offence: Annotated[Code | None, Item("event.type")] = None
    flags: Annotated[tuple[Code, ...], Item("event.type")] = ()
    location: Annotated[str | None, Item("event.location")] = None
    people: tuple[Person, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    consents: tuple[Consent, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    orders: tuple[Order, ...] = ()
    custody: tuple[Custody, ...] = ()
    statements: tuple[Statement, ...] = ()
    officer: Officer | None = None
    safety_warnings: Annotated[tuple[Code, ...], Item("police.safety_warnings")] = ()
    outcome: Annotated[Code | None, Item("police.outcome")] = None
    attachments: tuple[Attachment, ...] = ()
    linked: tuple[Link, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    tallies: tuple[Tally, ...] = ()
    quality: tuple[Finding, ...] = ()

    def reference(self, type_: str) -> str | None:
        """The first reference of a type (`occurrence`, `log`, `crime`), or None."""
        return next((r.value for r in self.references if r.type == type_), None)

    def of_role(self, role: Role) -> tuple[Person, ...]:
        """The people in one role, in the sender's order."""
        return tuple(p for p in self.people if p.role is role)

    def for_victim(self, ref: str) -> Record:
        """The record as it concerns one victim: other victims, and what is said of them, are left out.

        Each victim has a referral of her own. In a counter-allegation she is not the suspect of her own referral, and
        of a suspect who is a victim too only the identity is left: where the other lives, how the other is reached and
        what the other needs was told as a victim (N9). What names no victim stays for each, less its free text.
        """
        others = {p.ref for p in self.people if p.role is Role.VICTIM and p.ref != ref}
        gone = others | {p.ref for p in self.people if p.also == ref}
        if not gone and all(p.also is None for p in self.people):
            return self
        return self.model_copy(
            update={
                "people": tuple(_apart(p) for p in self.people if p.ref not in gone),
                "relationships": tuple(r for r in self.relationships if r.a not in gone and r.b not in gone),
                "assessments": tuple(_unnamed(a, others) for a in self.assessments if a.subject not in gone),
                "consents": tuple(_unnamed(c, others) for c in self.consents if c.subject not in gone),
                "criteria": tuple(_unnamed(c, others) for c in self.criteria if c.subject not in gone),
                "orders": tuple(o for o in self.orders if o.subject not in gone and o.protects not in gone),
                "custody": tuple(c for c in self.custody if c.subject not in gone),
                "statements": tuple(_less(s, gone) for s in self.statements if _concerns(s, ref, gone)),
                # A place in a list of the sender's record is another place, or nobody's, in this one.
                "quality": tuple(f for f in self.quality if "[" not in f.path),
            }
        )


def _apart(person: Person) -> Person:
    """A person without the other role: of a suspect who is a victim too, who it is and no more."""
    if person.also is None:
        return person
    if person.role is Role.VICTIM:
        return person.model_copy(update={"also": None})
    return Person(
        ref=person.ref,
        role=person.role,
        names=person.names,
        birth=person.birth,
        sex=person.sex,
        identifiers=person.identifiers,
        description=person.description,
        present=person.present,
        warnings=person.warnings,
    )


S = TypeVar("S", Assessment, Consent, Criterion)


def _unnamed(part: S, others: set[str]) -> S:
    """A part that names nobody, where there are several victims: it counts for each, and its words go to none."""
    if part.subject is not None or not others:
        return part
    if isinstance(part, Assessment):
        return part.model_copy(update={"answers": ()})
    return part.model_copy(update={"reason" if isinstance(part, Consent) else "text": None})


def _concerns(statement: Statement, ref: str, gone: set[str]) -> bool:
    return not statement.about or ref in statement.about or gone.isdisjoint(statement.about)


def _less(statement: Statement, gone: set[str]) -> Statement:
    if gone.isdisjoint(statement.about):
        return statement
    return statement.model_copy(update={"about": tuple(one for one in statement.about if one not in gone)})


_LONDON = ZoneInfo("Europe/London")
