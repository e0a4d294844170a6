"""Forms: what she says of police and of sharing, and what was said to others.

Source: domain.md sections 4.1 (step 2), 4.3, 4.5 (N14), 4.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from gateway import byways
from gateway.case_page import CasePage
from gateway.casework import acts
from gateway.casework.codes import Supports
from gateway.console.guard import Visit
from gateway.console.referral.asking import (
    Agrees,
    Ask,
    CaseForm,
    Clock,
    Does,
    Noted,
    Options,
    Proof,
    Sent,
    acting,
    coded,
    consent_of,
    moment,
)
from gateway.console.words import words
from gateway.errors import Unprocessable
from gateway.oral import Channel, Said
from mappings.items import CATALOGUE
from mappings.record import ConsentState

SAID = (
    "victim.name",
    "victim.contact",
    "victim.safe_contact",
    "victim.home_address",
    "victim.needs",
    "risk.grade",
    "risk.answers",
    "statement.summary",
    "suspect.name",
    "child.name",
    "child.school",
    "orders",
    "engagement.status",
    "engagement.wishes",
    "adviser.safety_plan",
)
"""What is said by telephone or at the scene, by the items of the catalogue."""

_STATES = ("given", "refused", "withdrawn", "lacks-capacity", "under-16-gillick")


class CallForm(Noted):
    """When it is safe to ring her."""

    day: Annotated[date, Field(title="the day"), Ask("day", "On which day is it safe?")]
    start: Annotated[
        Clock,
        Field(title="the time from which it is safe"),
        Ask("text", "From what time?", hint="London time, 24 hours. For example, 10:00"),
    ]
    end: Annotated[
        Clock,
        Field(title="the time until which it is safe"),
        Ask("text", "Until what time?", hint="For example, 11:30"),
    ]


class ProsecutionForm(Noted):
    """What she says of a prosecution, and whether police may know."""

    value: Annotated[
        Supports,
        Field(title="what the victim says"),
        coded("Does the victim support a prosecution?", Supports, "supports"),
    ]
    agrees: Agrees


class ConsentForm(CaseForm):
    """What she says now of sharing."""

    state: Annotated[
        Literal["given", "refused", "withdrawn", "lacks-capacity", "under-16-gillick"],
        Field(title="what the victim says"),
        Ask("radios", "What does the victim say now?", [(one, words(one, "consent")) for one in _STATES]),
    ]


class OralForm(CaseForm):
    """What was said to whom, when and how."""

    to: Annotated[
        str,
        Field(title="whom you told", max_length=64),
        Ask("radios", "Whom did you tell?", lambda page, _: tuple(page.recipients.items())),
    ]
    items: Annotated[
        tuple[str, ...],
        Field(title="at least one thing that you said", min_length=1, max_length=100),
        Ask("checkboxes", "What did you say?", [(one, words(one, "item")) for one in SAID]),
    ]
    channel: Annotated[Channel, Field(title="how it was said"), coded("How?", Channel, "oral-channel")]
    day: Annotated[date, Field(title="the day"), Ask("day", "On which day?")]
    at: Annotated[
        Clock,
        Field(title="the time"),
        Ask("text", "At what time?", hint="London time, 24 hours. For example, 16:30"),
    ]


def _waiting(page: CasePage, _: Visit) -> Options:
    return tuple((one.id, words(one.kind, "notice")) for one in page.notices)


class NoticesForm(CaseForm):
    """What the team has taken note of; where it is one notice, it is ticked."""

    notices: Annotated[
        tuple[Annotated[str, Field(max_length=64)], ...],
        Field(title="at least one that you have read", min_length=1, max_length=64),
        Ask(
            "checkboxes",
            "What have you read?",
            _waiting,
            value=lambda page, _: tuple(one.id for one in page.notices) if len(page.notices) == 1 else (),
        ),
    ]


def _call(day: date, start: Clock, end: Clock, note: str | None) -> acts.RequestCall:
    now = datetime.now(UTC)
    return acts.RequestCall(from_=moment(day, start) or now, until=moment(day, end) or now, note=note)


async def _consent(sent: Sent[ConsentForm]) -> Proof:
    console, said = sent.console, sent.said
    state = ConsentState(said.state)
    heard = await byways.change_consent(
        console.services, console.library, sent.visit.caller, sent.referral_id, state, None, sent.once
    )
    return await sent.proof(heard.receipt)


async def _oral(sent: Sent[OralForm]) -> Proof:
    form = sent.said
    if not set(form.items) <= CATALOGUE.keys():
        raise Unprocessable("one of the things that were said is not known here")
    said_at = moment(form.day, form.at) or datetime.now(UTC)
    if said_at > datetime.now(UTC):
        raise Unprocessable("the day and time are still to come")
    said = Said(form.to, "", tuple(sorted(set(form.items))), said_at.astimezone(UTC), form.channel)
    services, caller = sent.console.services, sent.visit.caller
    _, receipt = await byways.record_oral(services, caller, sent.referral_id, None, said, sent.once)
    return await sent.proof(receipt)


async def _notices(sent: Sent[NoticesForm]) -> Proof:
    services, caller = sent.console.services, sent.visit.caller
    receipts = [await byways.acknowledge_notice(services, caller, one) for one in dict.fromkeys(sent.said.notices)]
    return await sent.proof(receipts[-1])


FORMS: Mapping[str, Does[Any]] = {
    "call": acting(CallForm, _call),
    "prosecution": acting(
        ProsecutionForm, lambda agrees, **said: acts.SupportsProsecution(consent=consent_of(agrees), **said)
    ),
    "consent": Does(ConsentForm, _consent),
    "oral": Does(OralForm, _oral),
    "notices": Does(NoticesForm, _notices),
}
"""What each form does."""
