"""The closed lists of words a record uses: kinds, roles, grades, instruments, states, topics, uses, feedback codes.

A word that decides which data item a leaf belongs to says so here (`item_word`). Open lists are codes (`part.Code`).
Nothing is read or translated here; how outside systems say these words is in `codes/`.

Source: domain.md sections 1.3, 1.6, 3.1, 4.3, 4.4 and 4.6; design.md section 5.
"""

from __future__ import annotations

from enum import StrEnum


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
    ENTERED_IN_ERROR = "entered-in-error"  # an earlier word, named by its code, was said by mistake

    @property
    def item_word(self) -> str:
        """The item a code belongs to: the victim's own wishes go only with consent or public interest."""
        return "engagement.wishes" if self in _WISHES else "engagement.status"


_WISHES = frozenset({FeedbackCode.DECLINED_SUPPORT, FeedbackCode.SUPPORTS_PROSECUTION})
