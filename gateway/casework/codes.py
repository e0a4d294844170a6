"""The codes of casework: closed lists, so that what is counted is counted alike, and no code is a place for words.

Source: domain.md sections 1.8 (criteria), 1.9 (service data, exit), 4.3 (what police are told).
"""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """How contact was tried."""

    PHONE = "phone"
    VOICEMAIL = "voicemail"
    TEXT = "text"
    EMAIL = "email"
    VISIT = "visit"
    IN_HOSPITAL = "in-hospital"
    AT_THE_SCENE = "at-the-scene"  # beside police, before there was a case
    THROUGH_AGENCY = "through-agency"  # a service she is in touch with asked her


class Result(StrEnum):
    """What came of it."""

    REACHED = "reached"
    NO_ANSWER = "no-answer"
    MESSAGE_LEFT = "message-left"
    SOMEBODY_ELSE = "somebody-else"
    WRONG_NUMBER = "wrong-number"
    NOT_SAFE_THEN = "not-safe-then"


class Level(StrEnum):
    """How far she takes part."""

    FULL = "full"
    LIMITED = "limited"


class WhyDeclined(StrEnum):
    """Why she declines, as she says it."""

    NOT_NEEDED = "not-needed"
    SUPPORT_ELSEWHERE = "support-elsewhere"
    NOT_NOW = "not-now"
    DOES_NOT_TRUST = "does-not-trust"
    FEARS_CONSEQUENCES = "fears-consequences"
    RECONCILED = "reconciled"
    NOT_SAID = "not-said"


class WhyUnable(StrEnum):
    """Why nobody goes on trying before three attempts were made."""

    NO_CHANNEL = "no-channel"
    NO_SAFE_CHANNEL = "no-safe-channel"
    MOVED_AWAY = "moved-away"
    IN_CUSTODY = "in-custody"
    ASKED_NOT_TO = "asked-not-to"


class WhyUnsafe(StrEnum):
    """Why trying would put her in danger."""

    SUSPECT_PRESENT = "suspect-present"
    SUSPECT_ANSWERS = "suspect-answers"
    CHANNEL_SHARED = "channel-shared"
    PARTNER_AGENCY_ADVISES = "partner-agency-advises"
    NO_SAFE_CHANNEL = "no-safe-channel"


class Service(StrEnum):
    """Who supports her already."""

    ADVISER = "adviser"
    REFUGE = "refuge"
    SEXUAL_VIOLENCE_ADVISER = "sexual-violence-adviser"
    VICTIM_SUPPORT = "victim-support"
    SOCIAL_CARE = "social-care"
    OTHER = "other"


class Criterion(StrEnum):
    """Why a conference hears a case."""

    PROFESSIONAL_JUDGEMENT = "professional-judgement"
    VISIBLE_HIGH_RISK = "visible-high-risk"
    ESCALATION = "escalation"
    REPEAT = "repeat"


class ChildService(StrEnum):
    """Who is told of a child."""

    CHILDRENS_SERVICES = "childrens-services"
    SAFEGUARDING_HUB = "safeguarding-hub"
    HEALTH_VISITOR = "health-visitor"
    SCHOOL_NURSE = "school-nurse"
    MIDWIFERY = "midwifery"


class Supports(StrEnum):
    """Whether she supports a prosecution."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"
    NOT_DISCUSSED = "not-discussed"
    WITHDRAWN = "withdrawn"


class WhyInError(StrEnum):
    """What was wrong with what was entered."""

    WRONG_CASE = "wrong-case"
    WRONG_ACT = "wrong-act"  # something else was meant
    WRONG_DETAIL = "wrong-detail"
    ENTERED_TWICE = "entered-twice"
    DID_NOT_HAPPEN = "did-not-happen"


class Direction(StrEnum):
    """Which way the risk went."""

    UP = "up"
    DOWN = "down"


class How(StrEnum):
    """How a case ends."""

    PLANNED = "planned"
    UNPLANNED = "unplanned"
    TRANSFERRED = "transferred"
    DECEASED = "deceased"


class Answer(StrEnum):
    """An answer at exit."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not-known"


class Abuse(StrEnum):
    """What became of one kind of abuse."""

    CEASED = "ceased"
    CONTINUES = "continues"
    NEVER = "never"
    NOT_KNOWN = "not-known"


class RiskReduction(StrEnum):
    """How far the risk has gone down, as the adviser judges it at exit."""

    SIGNIFICANT = "significant"
    MODERATE = "moderate"
    LIMITED = "limited"
    NONE = "none"
    INCREASE = "increase"
    NOT_KNOWN = "not-known"
