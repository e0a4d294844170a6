"""Actions: closing a case, stepping back from one, and overriding what keeps somebody from it.

An override shows nothing of the case, not even that there is one: whoever breaks the glass cannot see it yet, and
whoever overrides a refusal decides on what they were told elsewhere (P8).

Source: domain.md sections 1.9 (exit), 3.3, 4.2, 4.5 (N15), 4.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from gateway import byways, governing
from gateway.break_glass import Emergency
from gateway.break_glass import Ground as EmergencyGround
from gateway.case_page import CasePage
from gateway.casework import acts
from gateway.casework.codes import Abuse, Answer, How, RiskReduction, Supports
from gateway.console.guard import Visit
from gateway.console.page import PREFIX
from gateway.console.referral.asking import Action, Ask, CaseForm, Group, Proof, Sent, Words, acting, options
from gateway.console.referral.reaching import NOTE, Noted
from gateway.overrides import MOST_DAYS, Ground, Override, VictimTold
from gateway.signin.claims import Role
from gateway.store.envelope import Envelope
from mappings.referral import ReferralState as State

_KINDS = (
    ("physical", "Physical abuse"),
    ("sexual", "Sexual abuse"),
    ("harassment", "Harassment and stalking"),
    ("controlling", "Jealous and controlling behaviour"),
)
_DAYS = 28  # how long an override lasts where nobody says otherwise


class CloseForm(Noted):
    """How the case ends, and how things stand."""

    how: Annotated[How, Field(title="how the case ends")]
    safer: Annotated[Answer | None, Field(title="whether the victim is safer", validate_default=True)] = None
    physical: Annotated[Abuse, Field(title="physical abuse")] = Abuse.NOT_KNOWN
    sexual: Annotated[Abuse, Field(title="sexual abuse")] = Abuse.NOT_KNOWN
    harassment: Annotated[Abuse, Field(title="harassment and stalking")] = Abuse.NOT_KNOWN
    controlling: Annotated[Abuse, Field(title="controlling behaviour")] = Abuse.NOT_KNOWN
    risk_reduction: Annotated[RiskReduction, Field(title="how the risk has changed")] = RiskReduction.NOT_KNOWN
    feels_safer: Annotated[Answer, Field(title="whether the victim feels safer")] = Answer.NOT_KNOWN
    lives_with_suspect: Annotated[Answer, Field(title="whether the victim lives with the suspect")] = Answer.NOT_KNOWN
    supports_prosecution: Annotated[Supports, Field(title="a prosecution")] = Supports.NOT_DISCUSSED

    @field_validator("safer")
    @classmethod
    def _said(cls, safer: Answer | None, info: ValidationInfo) -> Answer | None:
        if safer is None and info.data.get("how") is How.PLANNED:
            raise ValueError("Choose whether the victim is safer: a planned end says how things stand")
        return safer

    def act(self) -> acts.Close:
        """The same as an act; nobody who did not say whether she is safer said how things stand."""
        stands = None
        if self.safer is not None:
            stands = acts.Exit(
                safer=self.safer,
                cessation=acts.Cessation(
                    physical=self.physical,
                    sexual=self.sexual,
                    harassment=self.harassment,
                    controlling=self.controlling,
                ),
                risk_reduction=self.risk_reduction,
                supports_prosecution=self.supports_prosecution,
                feels_safer=self.feels_safer,
                lives_with_suspect=self.lives_with_suspect,
            )
        return acts.Close(how=self.how, exit=stands, note=self.note)


class ConnectionForm(CaseForm):
    """That one knows a party."""


class EmergencyForm(CaseForm):
    """Why the glass is broken."""

    ground: Annotated[EmergencyGround, Field(title="a ground")]
    reason: Annotated[Words, Field(title="your reason")]


class OverrideForm(CaseForm):
    """An override as domain.md section 4.6 asks for it."""

    ground: Annotated[Ground, Field(title="a ground")]
    evidence: Annotated[Words, Field(title="the evidence")]
    proportionality: Annotated[Words, Field(title="why it is proportionate")]
    minimum_set: Annotated[Words, Field(title="why it is the least that will do")]
    victim_told: Annotated[VictimTold, Field(title="whether the victim was told")]
    why_not_told: Annotated[Words | None, Field(title="why the victim was not told", validate_default=True)] = None
    days: Annotated[int, Field(title="the number of days", ge=1, le=MOST_DAYS)] = _DAYS

    @field_validator("why_not_told")
    @classmethod
    def _why(cls, why: str | None, info: ValidationInfo) -> str | None:
        if why is None and info.data.get("victim_told") in {VictimTold.NOT_YET, VictimTold.UNSAFE}:
            raise ValueError("Enter why the victim was not told")
        return why


async def _connected(sent: Sent[ConnectionForm]) -> Proof:
    console = sent.console
    receipt = await byways.declare_connection(console.services, console.library, sent.visit.caller, sent.referral_id)
    return await sent.proof(receipt)


async def _broken(sent: Sent[EmergencyForm]) -> Proof:
    services = sent.console.services
    envelope = Envelope(services.keyring.content_key)
    emergency = Emergency.of(envelope, sent.referral_id, sent.said.ground, sent.said.reason)
    _, receipt = await byways.break_glass(services, sent.visit.caller, emergency)
    return await sent.proof(receipt)


async def _overridden(sent: Sent[OverrideForm]) -> Proof:
    services, said = sent.console.services, sent.said
    words = {
        "evidence": said.evidence,
        "proportionality": said.proportionality,
        "minimum_set": said.minimum_set,
        "why_not_told": said.why_not_told or "",
    }
    envelope = Envelope(services.keyring.content_key)
    given = Override.of(envelope, said.ground, said.victim_told, said.days, words)
    receipt = await governing.override(services, sent.visit.caller, sent.referral_id, given)
    return await sent.proof(receipt)


def _close(_: CasePage, __: Visit) -> Sequence[Ask]:
    abuse = options(Abuse, "abuse")
    answers = options(Answer, "answer")
    return (
        Ask("radios", "how", "How does the case end?", options(How, "how")),
        Ask("radios", "safer", "Is the victim safer?", answers),
        *(Ask("choice", name, title, abuse, value=Abuse.NOT_KNOWN.value) for name, title in _KINDS),
        Ask(
            "choice",
            "risk_reduction",
            "The risk, as you judge it",
            options(RiskReduction, "risk-reduction"),
            value="not-known",
        ),
        Ask("choice", "feels_safer", "Does the victim feel safer?", answers, value="not-known"),
        Ask("choice", "lives_with_suspect", "Does the victim live with the suspect?", answers, value="not-known"),
        Ask(
            "choice",
            "supports_prosecution",
            "Does the victim support a prosecution?",
            options(Supports, "supports"),
            value="not-discussed",
        ),
        NOTE,
    )


CLOSE = Action(
    slug="close",
    title="Close the case",
    button="Close the case",
    done="The case is closed. A new incident within twelve months opens it again.",
    group=Group.CASE,
    form=CloseForm,
    do=acting(CloseForm.act),
    asks=_close,
    intro="A planned end says how things stand; of another end say what you know. The answers are counted, never told.",
    told="that the case is closed, and whether it was planned",
    kept="every answer that you give here, and your note",
    leads_to=State.CLOSED,
)
CONNECTION = Action(
    slug="connection",
    title="I know somebody in this case",
    button="Declare it, and close the case to me",
    done="You have declared it. The case is closed to you.",
    group=Group.CASE,
    form=ConnectionForm,
    do=_connected,
    leaves=f"{PREFIX}/worklist",
    intro="From now on you no longer see this case. Hand it over first if it is yours. Why is not asked.",
    afterwards=True,
    warning=True,
)
BREAK_GLASS = Action(
    slug="break-glass",
    title="Open in an emergency",
    button="Open in an emergency",
    done="The case is open to you for four hours. Both sides have been told, and somebody will review it.",
    group=Group.CASE,
    form=EmergencyForm,
    do=_broken,
    asks=lambda _, __: (
        Ask("radios", "ground", "Why?", options(EmergencyGround, "ground")),
        Ask("area", "reason", "In your own words", hint="Kept encrypted. Whoever reviews this reads it."),
    ),
    intro=(
        "Only where a life is at risk and you are kept from a case of your team. All parties are told at once that you "
        "did it. Somebody else reviews it within one working day; until then you cannot do it again."
    ),
    opens=False,
    warning=True,
)
OVERRIDE = Action(
    slug="override",
    title="Override a refusal",
    button="Record the override",
    done="The override is recorded. Somebody else reviews it within one working day.",
    group=Group.CASE,
    form=OverrideForm,
    do=_overridden,
    asks=lambda _, __: (
        Ask("radios", "ground", "On which ground?", options(Ground, "override-ground")),
        Ask("area", "evidence", "What is the evidence?"),
        Ask("area", "proportionality", "Why is it proportionate?"),
        Ask("area", "minimum_set", "Why is this the least that will do?"),
        Ask("radios", "victim_told", "Was the victim told?", options(VictimTold, "victim-told")),
        Ask("area", "why_not_told", "If not, why not?"),
        Ask("text", "days", "For how many days?", hint=f"1 to {MOST_DAYS}", value=str(_DAYS)),
    ),
    intro="What was refused, or is held, goes on without the victim's consent. The words are kept encrypted.",
    opens=False,
    warning=True,
    roles=(Role.GUARDIAN,),
)
