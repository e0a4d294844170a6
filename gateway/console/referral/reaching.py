"""Forms: who has the case, how she was tried, and what came of it.

Source: domain.md sections 1.9 (contact practice), 4.1 (steps 6 to 9), 4.2, 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from gateway.case_page import CasePage
from gateway.casework import acts
from gateway.casework.codes import Channel, Level, Result, Service, WhyDeclined, WhyUnable, WhyUnsafe
from gateway.casework.rules import ATTEMPTS, ELSEWHERE
from gateway.console.guard import Visit
from gateway.console.referral.asking import (
    Agrees,
    Ask,
    CaseForm,
    Clock,
    Does,
    Noted,
    Options,
    Staff,
    Words,
    acting,
    coded,
    consent_of,
    fruitless,
    moment,
    options,
)
from gateway.console.words import words
from mappings.record import Role as InRecord

_THREE: Final = "three-attempts"


def _contacts(page: CasePage, _: Visit) -> Options:
    """The channels that are shown, by their places, with whether they are stated safe."""
    victims = page.file.record.of_role(InRecord.VICTIM)
    known = [("", "None of these, or not a call or message")]
    for number, one in enumerate(victims[0].contacts if victims else ()):
        safe = "stated safe" if one.is_safe else "not stated safe"
        known.append((str(number), f"{words(one.system, 'contact')} {one.value or '(not shared)'}: {safe}"))
    return known


def _made(page: CasePage, _: Visit) -> str:
    made = fruitless(page)
    return f"{made} {'attempt is' if made == 1 else 'attempts are'} recorded since the victim was last reached."


class AssignForm(CaseForm):
    """Whose the case is."""

    to: Annotated[
        Staff,
        Field(title="a staff id"),
        Ask("text", "Staff id", hint="Yours stands there already", value=lambda _, visit: visit.person.id),
    ]


class HandOverForm(CaseForm):
    """To whom it goes, with what they must know."""

    whom: Annotated[
        Literal["next-shift", "colleague"],
        Field(title="who takes it"),
        Ask("radios", "Who takes it?", (("next-shift", "Whoever is on the next shift"), ("colleague", "A colleague"))),
    ]
    to: Annotated[
        Staff | None,
        Field(title="your colleague's staff id", validate_default=True),
        Ask("text", "Your colleague's staff id", hint="Only if a colleague takes it"),
    ] = None
    note: Annotated[
        Words,
        Field(title="what they must know"),
        Ask("area", "What must they know?", hint="Kept encrypted with the case. Never sent to police."),
    ]

    @field_validator("to")
    @classmethod
    def _named(cls, to: str | None, info: ValidationInfo) -> str | None:
        if to is None and info.data.get("whom") == "colleague":
            raise ValueError("Enter your colleague's staff id")
        return to


class ContactForm(Noted):
    """How she was tried, and what came of it."""

    channel: Annotated[
        Channel,
        Field(title="how you tried"),
        coded("How did you try?", [c for c in Channel if c is not Channel.AT_THE_SCENE], "channel"),
    ]
    contact: Annotated[
        int | None,
        Field(title="the number or address", ge=0, le=63),
        Ask("choice", "Which number or address?", _contacts),
    ] = None
    result: Annotated[Result, Field(title="what came of it"), coded("What came of it?", Result, "result")]
    day: Annotated[
        date | None,
        Field(title="the day"),
        Ask("day", "Which day, if not just now", hint="Leave it empty if it was just now. For example, 27 3 2026"),
    ] = None
    at: Annotated[
        Clock | None,
        Field(title="the time", validate_default=True),
        Ask("text", "What time, if not just now", hint="London time, 24 hours. For example, 16:30"),
    ] = None

    @field_validator("at")
    @classmethod
    def _both(cls, at: Clock | None, info: ValidationInfo) -> Clock | None:
        if (at is None) != (info.data.get("day") is None):
            raise ValueError("Enter the day and the time, or neither")
        return at


class EngageForm(Noted):
    """How far she takes part."""

    level: Annotated[
        Level, Field(title="how far the victim takes part"), coded("How far does the victim take part?", Level, "level")
    ]


class DeclineForm(Noted):
    """Why she declines, and whether police may know."""

    reason: Annotated[
        WhyDeclined,
        Field(title="the victim's reason"),
        coded("What is the victim's reason?", WhyDeclined, "why-declined"),
    ]
    agrees: Agrees


class UnableForm(Noted):
    """Why nobody goes on trying."""

    ground: Annotated[
        WhyUnable | Literal["three-attempts"],
        Field(title="why nobody goes on trying"),
        Ask(
            "radios",
            "Why does nobody go on trying?",
            ((_THREE, f"{ATTEMPTS} attempts were made"), *options(WhyUnable, "why-unable")),
            hint=_made,
        ),
    ]


class UnsafeForm(Noted):
    """Why trying would put her in danger."""

    ground: Annotated[WhyUnsafe, Field(title="why it is unsafe"), coded("Why is it unsafe?", WhyUnsafe, "why-unsafe")]


class SupportedForm(Noted):
    """Who supports her."""

    by: Annotated[
        Service, Field(title="who supports the victim"), coded("Who supports the victim?", Service, "service")
    ]


class TransferForm(Noted):
    """Where she goes."""

    area: Annotated[
        str,
        Field(title="the area", max_length=64),
        Ask(
            "radios",
            "Which area takes the case on?",
            lambda page, _: (*page.areas.items(), (ELSEWHERE, "An area outside this agreement")),
        ),
    ]


FORMS: Mapping[str, Does[Any]] = {
    "acknowledge": acting(Noted, acts.Acknowledge),
    "assign": acting(AssignForm, acts.Assign),
    "hand-over": acting(
        HandOverForm,
        lambda whom, to, note: acts.HandOver(to=to if whom == "colleague" and to else acts.NEXT_SHIFT, note=note),
    ),
    "contact": acting(ContactForm, lambda day, at, **said: acts.ContactAttempt(happened_at=moment(day, at), **said)),
    "engage": acting(EngageForm, acts.Engage),
    "decline": acting(DeclineForm, lambda agrees, **said: acts.Decline(consent=consent_of(agrees), **said)),
    "unable": acting(
        UnableForm, lambda ground, note: acts.UnableToContact(ground=None if ground == _THREE else ground, note=note)
    ),
    "unsafe": acting(UnsafeForm, acts.UnsafeToContact),
    "already-supported": acting(SupportedForm, acts.AlreadySupported),
    "transfer": acting(TransferForm, acts.Transfer),
}
"""What each form does."""
