"""Forms: closing a case, stepping back from one, and overriding what keeps somebody from it.

An override shows nothing of the case, not even that there is one: whoever breaks the glass cannot see it yet, and
whoever overrides a refusal decides on what they were told elsewhere (P8).

Source: domain.md sections 1.9 (exit), 3.3, 4.2, 4.5 (N15), 4.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from gateway import byways, governing
from gateway.break_glass import Emergency
from gateway.break_glass import Ground as EmergencyGround
from gateway.casework import acts
from gateway.casework.codes import Abuse, Answer, How, RiskReduction, Supports
from gateway.console.referral.asking import Ask, CaseForm, Does, Noted, Proof, Sent, Words, acting, coded
from gateway.overrides import MOST_DAYS, Ground, Override, VictimTold
from gateway.store.envelope import Envelope

_DAYS = 28  # how long an override lasts where nobody says otherwise
_NOT_KNOWN = Answer.NOT_KNOWN.value


def _abuse(label: str) -> Ask:
    return coded(label, Abuse, "abuse", box="choice", value=_NOT_KNOWN)


def _answer(label: str) -> Ask:
    return coded(label, Answer, "answer", box="choice", value=_NOT_KNOWN)


class CloseForm(Noted):
    """How the case ends, and how things stand."""

    how: Annotated[How, Field(title="how the case ends"), coded("How does the case end?", How, "how")]
    safer: Annotated[
        Answer | None,
        Field(title="whether the victim is safer", validate_default=True),
        coded("Is the victim safer?", Answer, "answer"),
    ] = None
    physical: Annotated[Abuse, Field(title="physical abuse"), _abuse("Physical abuse")] = Abuse.NOT_KNOWN
    sexual: Annotated[Abuse, Field(title="sexual abuse"), _abuse("Sexual abuse")] = Abuse.NOT_KNOWN
    harassment: Annotated[Abuse, Field(title="harassment and stalking"), _abuse("Harassment and stalking")] = (
        Abuse.NOT_KNOWN
    )
    controlling: Annotated[Abuse, Field(title="controlling behaviour"), _abuse("Jealous and controlling behaviour")] = (
        Abuse.NOT_KNOWN
    )
    risk_reduction: Annotated[
        RiskReduction,
        Field(title="how the risk has changed"),
        coded("The risk, as you judge it", RiskReduction, "risk-reduction", box="choice", value=_NOT_KNOWN),
    ] = RiskReduction.NOT_KNOWN
    feels_safer: Annotated[
        Answer, Field(title="whether the victim feels safer"), _answer("Does the victim feel safer?")
    ] = Answer.NOT_KNOWN
    lives_with_suspect: Annotated[
        Answer,
        Field(title="whether the victim lives with the suspect"),
        _answer("Does the victim live with the suspect?"),
    ] = Answer.NOT_KNOWN
    supports_prosecution: Annotated[
        Supports,
        Field(title="a prosecution"),
        coded("Does the victim support a prosecution?", Supports, "supports", box="choice", value="not-discussed"),
    ] = Supports.NOT_DISCUSSED

    @field_validator("safer")
    @classmethod
    def _said(cls, safer: Answer | None, info: ValidationInfo) -> Answer | None:
        if safer is None and info.data.get("how") is How.PLANNED:
            raise ValueError("Choose whether the victim is safer: a planned end says how things stand")
        return safer


def _close(how: How, note: str | None, safer: Answer | None, **stands: Any) -> acts.Close:  # noqa: ANN401 - answers
    """The same as an act; nobody who did not say whether she is safer said how things stand."""
    if safer is None:
        return acts.Close(how=how, note=note)
    kinds = {name: stands.pop(name) for name in acts.Cessation.model_fields}
    return acts.Close(how=how, note=note, exit=acts.Exit(safer=safer, cessation=acts.Cessation(**kinds), **stands))


class ConnectionForm(CaseForm):
    """That one knows a party."""


class EmergencyForm(CaseForm):
    """Why the glass is broken."""

    ground: Annotated[EmergencyGround, Field(title="a ground"), coded("Why?", EmergencyGround, "ground")]
    reason: Annotated[
        Words,
        Field(title="your reason"),
        Ask("area", "In your own words", hint="Kept encrypted. Whoever reviews this reads it."),
    ]


class OverrideForm(CaseForm):
    """An override as domain.md section 4.6 asks for it."""

    ground: Annotated[Ground, Field(title="a ground"), coded("On which ground?", Ground, "override-ground")]
    evidence: Annotated[Words, Field(title="the evidence"), Ask("area", "What is the evidence?")]
    proportionality: Annotated[Words, Field(title="why it is proportionate"), Ask("area", "Why is it proportionate?")]
    minimum_set: Annotated[
        Words, Field(title="why it is the least that will do"), Ask("area", "Why is this the least that will do?")
    ]
    victim_told: Annotated[
        VictimTold, Field(title="whether the victim was told"), coded("Was the victim told?", VictimTold, "victim-told")
    ]
    why_not_told: Annotated[
        Words | None,
        Field(title="why the victim was not told", validate_default=True),
        Ask("area", "If not, why not?"),
    ] = None
    days: Annotated[
        int,
        Field(title="the number of days", ge=1, le=MOST_DAYS),
        Ask("text", "For how many days?", hint=f"1 to {MOST_DAYS}", value=str(_DAYS)),
    ] = _DAYS

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


FORMS: Mapping[str, Does[Any]] = {
    "close": acting(CloseForm, _close),
    "connection": Does(ConnectionForm, _connected),
    "break-glass": Does(EmergencyForm, _broken),
    "override": Does(OverrideForm, _overridden),
}
"""What each form does."""
