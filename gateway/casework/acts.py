"""Everything an adviser can do in a case, as they say it: one frozen model for each, told apart by `act`.

What is coded is coded from a closed list, and holds nobody's name but staff's: it is kept open, so that it can be
counted. Words are bounded, kept encrypted and never sealed. Whether an act may follow what was done before is for
`rules`, what it does for `effects`.

Source: domain.md sections 1.8 (conference), 1.9 (service data), 4.2, 4.3, 4.6.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from gateway.casework.codes import (
    Abuse,
    Answer,
    Channel,
    ChildService,
    Criterion,
    Direction,
    How,
    Level,
    Result,
    RiskReduction,
    Service,
    Supports,
    WhyDeclined,
    WhyInError,
    WhyUnable,
    WhyUnsafe,
)
from mappings.record import ConsentState

MOST_ACTS = 32
"""How many acts one change of a case can hold; a form holds one, an adviser back from a day's visits some ten."""

Words = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]
Staff = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]

NEXT_SHIFT = "next-shift"
"""To whom a case is handed that nobody in person takes: whoever is on the next shift."""

UNBORN = "unborn"
"""A child who is not born yet, where one is named."""


class Said(BaseModel):
    """A part of what is said: nothing in it unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Consent(Said):
    """What she says of telling police: the state, the team's own reference to it, and until when it holds."""

    state: ConsentState
    ref: Reference | None = None
    expiry: AwareDatetime | None = None


class Act(Said):
    """What was done, when (now, where nobody says), and words beside it for the team's own eyes.

    `private` names the fields that are words, or would tell somebody where she is and when: they are kept encrypted.
    """

    private: ClassVar[frozenset[str]] = frozenset()
    act: str
    happened_at: AwareDatetime | None = None
    note: Words | None = None

    @property
    def codes(self) -> dict[str, Any]:
        """What is kept open: codes, counts and days, as plain JSON values."""
        return self._plain(exclude={"act", "happened_at", "note", *self.private})

    @property
    def words(self) -> dict[str, Any]:
        """What is kept encrypted."""
        return self._plain(include={"note", *self.private})

    def _plain(self, **which: set[str]) -> dict[str, Any]:
        found: dict[str, Any] = self.model_dump(mode="json", exclude_none=True, by_alias=True, **which)  # type: ignore[arg-type]  # names of fields
        return found


class Acknowledge(Act):
    """Somebody has taken the referral."""

    act: Literal["acknowledge"] = "acknowledge"


class Assign(Act):
    """The case is somebody's from now on."""

    act: Literal["assign"] = "assign"
    to: Staff


class HandOver(Act):
    """The case goes to a colleague, or to whoever comes next, with what they must know."""

    act: Literal["hand-over"] = "hand-over"
    to: Staff = NEXT_SHIFT
    note: Words


class ContactAttempt(Act):
    """She was tried. `contact` is the place of the channel among those shown, from 0, where it was one of them."""

    act: Literal["contact-attempt"] = "contact-attempt"
    channel: Channel
    result: Result
    contact: Annotated[int, Field(ge=0, le=63)] | None = None


class Engage(Act):
    """She takes part in safeguarding."""

    act: Literal["engage"] = "engage"
    level: Level = Level.FULL


class Decline(Act):
    """She does not want support. Police are told with her consent, or on a documented override, alone."""

    act: Literal["decline"] = "decline"
    reason: WhyDeclined = WhyDeclined.NOT_SAID
    consent: Consent | None = None


class UnableToContact(Act):
    """She was not reached: after three attempts, or on a ground."""

    act: Literal["unable-to-contact"] = "unable-to-contact"
    ground: WhyUnable | None = None


class UnsafeToContact(Act):
    """Trying would put her in danger."""

    act: Literal["unsafe-to-contact"] = "unsafe-to-contact"
    ground: WhyUnsafe


class AlreadySupported(Act):
    """Another service supports her."""

    act: Literal["already-supported"] = "already-supported"
    by: Service = Service.OTHER


class Transfer(Act):
    """Another area takes her on: one of the agreement's, or `elsewhere`."""

    act: Literal["transfer"] = "transfer"
    area: Reference


class SafetyPlan(Act):
    """Whether there is a safety plan, and when it is looked at again; what is in it stays with the team."""

    act: Literal["safety-plan"] = "safety-plan"
    in_place: bool
    review_on: date | None = None


class MaracReferral(Act):
    """She is referred to the conference. What the form asks in words is hers and the adviser's, and kept encrypted.

    Without consent, `justification` says why it is shared all the same.
    """

    private = frozenset(
        {"reason", "afraid_of", "safe_to_talk_to", "unsafe_to_talk_to", "why_not_aware", "justification"}
    )
    act: Literal["marac-referral"] = "marac-referral"
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=4)]
    aware: bool
    consent: Consent
    reason: Words | None = None
    afraid_of: Words | None = None
    safe_to_talk_to: Words | None = None
    unsafe_to_talk_to: Words | None = None
    why_not_aware: Words | None = None
    justification: Words | None = None
    referred_before: date | None = None


class MaracHeard(Act):
    """The conference heard her case on a day: she is told what came of it within two working days."""

    act: Literal["marac-heard"] = "marac-heard"
    on: date


class MaracFeedback(Act):
    """She was told what came of the conference."""

    act: Literal["marac-feedback"] = "marac-feedback"


Children = Annotated[tuple[Reference, ...], Field(min_length=1, max_length=32)]


class ChildReferral(Act):
    """Children were referred, by their references in the case, or `unborn`."""

    act: Literal["child-referral"] = "child-referral"
    children: Children
    to: ChildService = ChildService.CHILDRENS_SERVICES


class CpisChecked(Act):
    """The register of protected children was looked at for a child; what it said is kept nowhere here."""

    act: Literal["cpis-checked"] = "cpis-checked"
    child: Reference


class RequestCall(Act):
    """She asks the officer in the case to ring her, within a time that is safe."""

    private = frozenset({"from_", "until"})
    act: Literal["request-call"] = "request-call"
    from_: Annotated[AwareDatetime, Field(alias="from")]
    until: AwareDatetime

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class SupportsProsecution(Act):
    """What she says of a prosecution. Police are told with her consent, or on a documented override, alone."""

    act: Literal["supports-prosecution"] = "supports-prosecution"
    value: Supports
    consent: Consent | None = None


class RiskChange(Act):
    """The adviser judges that the risk has changed. The grade of an assessment stays what it is (P10)."""

    act: Literal["risk-change"] = "risk-change"
    direction: Direction


class WelfareConcern(Act):
    """Somebody must look after her now."""

    act: Literal["welfare-concern"] = "welfare-concern"


class Cessation(Said):
    """Which abuse has ceased, by kind."""

    physical: Abuse = Abuse.NOT_KNOWN
    sexual: Abuse = Abuse.NOT_KNOWN
    harassment: Abuse = Abuse.NOT_KNOWN
    controlling: Abuse = Abuse.NOT_KNOWN


class Exit(Said):
    """How things stand at exit (domain.md section 1.9); `safer` is what Operation Provide counts as made safer."""

    safer: Answer
    cessation: Cessation = Cessation()
    risk_reduction: RiskReduction = RiskReduction.NOT_KNOWN
    supports_prosecution: Supports = Supports.NOT_DISCUSSED
    feels_safer: Answer = Answer.NOT_KNOWN
    lives_with_suspect: Answer = Answer.NOT_KNOWN


class Close(Act):
    """The case ends. A planned end says how things stand."""

    act: Literal["close"] = "close"
    how: How
    exit: Exit | None = None


AnyAct = Annotated[
    Acknowledge
    | Assign
    | HandOver
    | ContactAttempt
    | Engage
    | Decline
    | UnableToContact
    | UnsafeToContact
    | AlreadySupported
    | Transfer
    | SafetyPlan
    | MaracReferral
    | MaracHeard
    | MaracFeedback
    | ChildReferral
    | CpisChecked
    | RequestCall
    | SupportsProsecution
    | RiskChange
    | WelfareConcern
    | Close,
    Field(discriminator="act"),
]
"""Any act, as JSON says it."""

KINDS: frozenset[str] = frozenset(cls.model_fields["act"].default for cls in Act.__subclasses__())
"""What `act` can say."""


class EnteredInError(Said):
    """An earlier act was entered by mistake: why, and words for the team. It is no act: it says that there was none.

    `entered-in-error` is what FHIR R4 calls what should never have been there; nothing is deleted by it.
    """

    reason: WhyInError
    note: Words | None = None


CONSENT, SPOKEN = "consent", "spoken"
"""The kinds of what is kept of what she says of sharing, and of what was told somebody aloud: no acts of casework."""

BESIDE = frozenset({CONSENT, SPOKEN})
"""What moves no case, takes none and stops no clock: it is entered beside the acts, and taken back like them."""

IN_ERROR = "entered-in-error"
"""The kind of what is kept of it; its codes name the act and the reason."""


def safe_window(start: datetime, end: datetime) -> str:
    """A safe time to ring as a code that both sides read: two instants in UTC, to the minute."""
    return "-".join(f"{one.astimezone(UTC):%Y%m%dt%H%Mz}" for one in (start, end))
