"""Actions: who has the case, how she was tried, and what came of it.

Source: domain.md sections 1.9 (contact practice), 4.1 (steps 6 to 9), 4.2, 4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from gateway.case_page import CasePage
from gateway.casework import acts
from gateway.casework.codes import Channel, Level, Result, Service, WhyDeclined, WhyUnable, WhyUnsafe
from gateway.casework.rules import ATTEMPTS, ELSEWHERE
from gateway.console.guard import Visit
from gateway.console.referral.asking import (
    Action,
    Ask,
    CaseForm,
    Clock,
    Group,
    Staff,
    Words,
    acting,
    fruitless,
    moment,
    options,
)
from gateway.console.words import words
from mappings.record import ConsentState
from mappings.record import Role as InRecord
from mappings.referral import ReferralState as State

NOTE = Ask("area", "note", "Note for your team", hint="Kept encrypted with the case. Never sent to police.")
_THREE: Final = "three-attempts"
_REASON_STAYS = "the reason and your note, which stay with your team."


class Noted(CaseForm):
    """A form with nothing but a note."""

    note: Annotated[Words | None, Field(title="note")] = None


class AssignForm(CaseForm):
    """Whose the case is."""

    to: Annotated[Staff, Field(title="a staff id")]


class HandOverForm(CaseForm):
    """To whom it goes, with what they must know."""

    whom: Annotated[Literal["next-shift", "colleague"], Field(title="who takes it")]
    to: Annotated[Staff | None, Field(title="your colleague's staff id", validate_default=True)] = None
    note: Annotated[Words, Field(title="what they must know")]

    @field_validator("to")
    @classmethod
    def _named(cls, to: str | None, info: ValidationInfo) -> str | None:
        if to is None and info.data.get("whom") == "colleague":
            raise ValueError("Enter your colleague's staff id")
        return to


class ContactForm(CaseForm):
    """How she was tried, and what came of it."""

    channel: Annotated[Channel, Field(title="how you tried")]
    contact: Annotated[int | None, Field(title="the number or address", ge=0, le=63)] = None
    result: Annotated[Result, Field(title="what came of it")]
    day: Annotated[date | None, Field(title="the day")] = None
    at: Annotated[Clock | None, Field(title="the time", validate_default=True)] = None
    note: Annotated[Words | None, Field(title="note")] = None

    @field_validator("at")
    @classmethod
    def _both(cls, at: Clock | None, info: ValidationInfo) -> Clock | None:
        if (at is None) != (info.data.get("day") is None):
            raise ValueError("Enter the day and the time, or neither")
        return at


class EngageForm(Noted):
    """How far she takes part."""

    level: Annotated[Level, Field(title="how far the victim takes part")]


Agrees = Literal["yes", "no"]
AGREES = (("yes", "Yes: the victim agrees that police are told"), ("no", "No, or not asked"))


def consent_of(agrees: Agrees) -> acts.Consent:
    """What she says of telling police, as an act says it."""
    return acts.Consent(state=ConsentState.GIVEN if agrees == "yes" else ConsentState.REFUSED)


class DeclineForm(Noted):
    """Why she declines, and whether police may know."""

    reason: Annotated[WhyDeclined, Field(title="the victim's reason")]
    agrees: Annotated[Agrees, Field(title="whether the victim agrees that police are told")]


class UnableForm(Noted):
    """Why nobody goes on trying."""

    ground: Annotated[WhyUnable | Literal["three-attempts"], Field(title="why nobody goes on trying")]


class UnsafeForm(Noted):
    """Why trying would put her in danger."""

    ground: Annotated[WhyUnsafe, Field(title="why it is unsafe")]


class SupportedForm(Noted):
    """Who supports her."""

    by: Annotated[Service, Field(title="who supports the victim")]


class TransferForm(Noted):
    """Where she goes."""

    area: Annotated[str, Field(title="the area", max_length=64)]


def _contacts(page: CasePage, _: Visit) -> Sequence[Ask]:
    victims = page.file.record.of_role(InRecord.VICTIM)
    known = [("", "None of these, or not a call or message")]
    for number, one in enumerate(victims[0].contacts if victims else ()):
        safe = "stated safe" if one.is_safe else "not stated safe"
        known.append((str(number), f"{words(one.system, 'contact')} {one.value or '(not shared)'}: {safe}"))
    return (
        Ask(
            "radios",
            "channel",
            "How did you try?",
            options([c for c in Channel if c is not Channel.AT_THE_SCENE], "channel"),
        ),
        Ask("choice", "contact", "Which number or address?", known),
        Ask("radios", "result", "What came of it?", options(Result, "result")),
        Ask(
            "day", "day", "Which day, if not just now", hint="Leave it empty if it was just now. For example, 27 3 2026"
        ),
        Ask("text", "at", "What time, if not just now", hint="London time, 24 hours. For example, 16:30"),
        NOTE,
    )


def _hand_over(_: CasePage, __: Visit) -> Sequence[Ask]:
    whom = (("next-shift", "Whoever is on the next shift"), ("colleague", "A colleague"))
    return (
        Ask("radios", "whom", "Who takes it?", whom),
        Ask("text", "to", "Your colleague's staff id", hint="Only if a colleague takes it"),
        Ask("area", "note", "What must they know?", hint="Kept encrypted with the case. Never sent to police."),
    )


def _unable(page: CasePage, _: Visit) -> Sequence[Ask]:
    grounds = ((_THREE, f"{ATTEMPTS} attempts were made"), *options(WhyUnable, "why-unable"))
    made = fruitless(page)
    hint = f"{made} {'attempt is' if made == 1 else 'attempts are'} recorded since the victim was last reached."
    return (Ask("radios", "ground", "Why does nobody go on trying?", grounds, hint=hint), NOTE)


def _transfer(page: CasePage, _: Visit) -> Sequence[Ask]:
    areas = (*page.areas.items(), (ELSEWHERE, "An area outside this agreement"))
    return (Ask("radios", "area", "Which area takes the case on?", areas), NOTE)


ACKNOWLEDGE = Action(
    slug="acknowledge",
    title="Acknowledge the referral",
    button="Acknowledge",
    done="You have acknowledged the referral, and it is yours.",
    group=Group.REACH,
    form=Noted,
    do=acting(lambda said: acts.Acknowledge(note=said.note)),
    asks=lambda _, __: (NOTE,),
    intro="The clock for answering stops, and the case is yours until you hand it over.",
    told="that the referral was acknowledged, and when",
    kept="who acknowledged it, and your note",
    leads_to=State.ACKNOWLEDGED,
)
ASSIGN = Action(
    slug="assign",
    title="Assign the case",
    button="Assign",
    done="The case is assigned.",
    group=Group.CASE,
    form=AssignForm,
    do=acting(lambda said: acts.Assign(to=said.to)),
    asks=lambda _, visit: (Ask("text", "to", "Staff id", hint="Yours stands there already", value=visit.person.id),),
)
HAND_OVER = Action(
    slug="hand-over",
    title="Hand the case over",
    button="Hand over",
    done="The case is handed over.",
    group=Group.CASE,
    form=HandOverForm,
    do=acting(
        lambda said: acts.HandOver(
            to=said.to if said.whom == "colleague" and said.to else acts.NEXT_SHIFT, note=said.note
        )
    ),
    asks=_hand_over,
)
CONTACT = Action(
    slug="contact",
    title="Record a contact attempt",
    button="Record the attempt",
    done="The contact attempt is recorded.",
    group=Group.REACH,
    form=ContactForm,
    do=acting(
        lambda said: acts.ContactAttempt(
            channel=said.channel,
            result=said.result,
            contact=said.contact,
            happened_at=moment(said.day, said.at),
            note=said.note,
        )
    ),
    asks=_contacts,
    told="that contact was attempted, how many times so far, and when",
    kept="how you tried, what came of it, and your note",
    leads_to=State.CONTACTING,
)
ENGAGE = Action(
    slug="engage",
    title="The victim takes part",
    button="Record that the victim takes part",
    done="It is recorded that the victim takes part.",
    group=Group.OUTCOME,
    form=EngageForm,
    do=acting(lambda said: acts.Engage(level=said.level, note=said.note)),
    asks=lambda _, __: (Ask("radios", "level", "How far does the victim take part?", options(Level, "level")), NOTE),
    told="that the victim is engaged, or engaged to a limited extent",
    kept="your note",
    leads_to=State.ENGAGED,
)
DECLINE = Action(
    slug="decline",
    title="The victim declines support",
    button="Record that the victim declines",
    done="It is recorded that the victim declines support.",
    group=Group.OUTCOME,
    form=DeclineForm,
    do=acting(lambda said: acts.Decline(reason=said.reason, consent=consent_of(said.agrees), note=said.note)),
    asks=lambda _, __: (
        Ask("radios", "reason", "What is the victim's reason?", options(WhyDeclined, "why-declined")),
        Ask("radios", "agrees", "Does the victim agree that police are told?", AGREES),
        NOTE,
    ),
    told="only if the victim agrees: that support was declined",
    kept=_REASON_STAYS + " Without that agreement, police are not told that support was declined.",
    leads_to=State.DECLINED,
)
UNABLE = Action(
    slug="unable",
    title="Unable to make contact",
    button="Record that the victim cannot be reached",
    done="It is recorded that the victim cannot be reached. The case stays open, and is looked at again.",
    group=Group.OUTCOME,
    form=UnableForm,
    do=acting(lambda said: acts.UnableToContact(ground=None if said.ground == _THREE else said.ground, note=said.note)),
    asks=_unable,
    intro="If you fear for the victim, record a welfare concern instead, and telephone police.",
    told="that the victim could not be contacted",
    kept=_REASON_STAYS,
    leads_to=State.UNABLE_TO_CONTACT,
)
UNSAFE = Action(
    slug="unsafe",
    title="Unsafe to make contact",
    button="Record that it is unsafe",
    done="It is recorded that it is unsafe to make contact. The case stays open, and is looked at again.",
    group=Group.OUTCOME,
    form=UnsafeForm,
    do=acting(lambda said: acts.UnsafeToContact(ground=said.ground, note=said.note)),
    asks=lambda _, __: (Ask("radios", "ground", "Why is it unsafe?", options(WhyUnsafe, "why-unsafe")), NOTE),
    told="that it is unsafe to make contact",
    kept=_REASON_STAYS,
    leads_to=State.UNSAFE_TO_CONTACT,
)
SUPPORTED = Action(
    slug="already-supported",
    title="Another service supports the victim",
    button="Record who supports the victim",
    done="It is recorded that another service supports the victim.",
    group=Group.OUTCOME,
    form=SupportedForm,
    do=acting(lambda said: acts.AlreadySupported(by=said.by, note=said.note)),
    asks=lambda _, __: (Ask("radios", "by", "Who supports the victim?", options(Service, "service")), NOTE),
    told="that the victim is supported already",
    kept="which service, for a refuge must not be found, and your note",
    leads_to=State.ALREADY_KNOWN,
)
TRANSFER = Action(
    slug="transfer",
    title="Transfer to another area",
    button="Transfer",
    done="The transfer is recorded.",
    group=Group.OUTCOME,
    form=TransferForm,
    do=acting(lambda said: acts.Transfer(area=said.area, note=said.note)),
    asks=_transfer,
    intro="Speak to the team of that area first: nobody is told there by this form.",
    told="that the victim was transferred, and to which area",
    kept="your note",
    leads_to=State.OUT_OF_AREA,
)
