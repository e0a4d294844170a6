"""Actions: what she says of police and of sharing, and what was said to others.

Source: domain.md sections 4.1 (step 2), 4.3, 4.5 (N14), 4.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import Field

from gateway import byways
from gateway.case_page import CasePage
from gateway.casework import acts
from gateway.casework.codes import Supports
from gateway.console.guard import Visit
from gateway.console.referral.asking import (
    WHO,
    Action,
    Ask,
    CaseForm,
    Clock,
    Group,
    Proof,
    Sent,
    acting,
    moment,
    options,
)
from gateway.console.referral.reaching import AGREES, NOTE, Agrees, Noted, consent_of
from gateway.console.words import words
from gateway.errors import Unprocessable
from gateway.oral import Channel, Said
from mappings.items import CATALOGUE
from mappings.record import ConsentState


class CallForm(Noted):
    """When it is safe to ring her."""

    day: Annotated[date, Field(title="the day")]
    start: Annotated[Clock, Field(title="the time from which it is safe")]
    end: Annotated[Clock, Field(title="the time until which it is safe")]


class ProsecutionForm(Noted):
    """What she says of a prosecution, and whether police may know."""

    value: Annotated[Supports, Field(title="what the victim says")]
    agrees: Annotated[Agrees, Field(title="whether the victim agrees that police are told")]


class ConsentForm(CaseForm):
    """What she says now of sharing."""

    state: Annotated[
        Literal["given", "refused", "withdrawn", "lacks-capacity", "under-16-gillick"],
        Field(title="what the victim says"),
    ]


class OralForm(CaseForm):
    """What was said to whom, when and how."""

    to: Annotated[str, Field(title="whom you told", max_length=64)]
    items: Annotated[tuple[str, ...], Field(title="at least one thing that you said", min_length=1, max_length=100)]
    channel: Annotated[Channel, Field(title="how it was said")]
    day: Annotated[date, Field(title="the day")]
    at: Annotated[Clock, Field(title="the time")]


class NoticesForm(CaseForm):
    """What the team has taken note of."""

    notices: Annotated[
        tuple[Annotated[str, Field(max_length=64)], ...],
        Field(title="at least one that you have read", min_length=1, max_length=64),
    ]


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


async def _consent(sent: Sent[ConsentForm]) -> Proof:
    console, said = sent.console, sent.said
    state = ConsentState(said.state)
    _, receipt = await byways.change_consent(
        console.services, console.library, sent.visit.caller, sent.referral_id, state, None, sent.once
    )
    return await sent.proof(receipt)


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


def _oral_asks(page: CasePage, _: Visit) -> Sequence[Ask]:
    return (
        Ask("radios", "to", "Whom did you tell?", tuple(page.recipients.items())),
        Ask("checkboxes", "items", "What did you say?", [(one, words(one, "item")) for one in SAID]),
        Ask("radios", "channel", "How?", options(Channel, "oral-channel")),
        Ask("day", "day", "On which day?"),
        Ask("text", "at", "At what time?", hint="London time, 24 hours. For example, 16:30"),
    )


def _notice_asks(page: CasePage, _: Visit) -> Sequence[Ask]:
    waiting = [(one.id, words(one.kind, "notice")) for one in page.notices]
    ticked = tuple(one.id for one in page.notices) if len(page.notices) == 1 else ()
    return (Ask("checkboxes", "notices", "What have you read?", waiting, value=ticked),) if waiting else ()


CALL = Action(
    slug="call",
    title="The victim asks for a call from the officer",
    button="Ask the officer to call",
    done="The officer is asked to call, within the time that is safe.",
    group=Group.SAY,
    form=CallForm,
    do=acting(
        lambda said: acts.RequestCall(
            from_=moment(said.day, said.start) or datetime.now(UTC),
            until=moment(said.day, said.end) or datetime.now(UTC),
            note=said.note,
        )
    ),
    asks=lambda _, __: (
        Ask("day", "day", "On which day is it safe?"),
        Ask("text", "start", "From what time?", hint="London time, 24 hours. For example, 10:00"),
        Ask("text", "end", "Until what time?", hint="For example, 11:30"),
        NOTE,
    ),
    told="that the victim asks the officer in the case to call, and between which times it is safe",
    kept="why, and your note",
    afterwards=True,
)
PROSECUTION = Action(
    slug="prosecution",
    title="Whether the victim supports a prosecution",
    button="Record what the victim says",
    done="What the victim says of a prosecution is recorded.",
    group=Group.SAY,
    form=ProsecutionForm,
    do=acting(lambda said: acts.SupportsProsecution(value=said.value, consent=consent_of(said.agrees), note=said.note)),
    asks=lambda _, __: (
        Ask("radios", "value", "Does the victim support a prosecution?", options(Supports, "supports")),
        Ask("radios", "agrees", "Does the victim agree that police are told?", AGREES),
        NOTE,
    ),
    told="only if the victim agrees: what was said of a prosecution",
    kept="your note; and without that agreement, everything",
    afterwards=True,
)
CONSENT = Action(
    slug="consent",
    title="What the victim says of sharing",
    button="Record what the victim says",
    done="What the victim says of sharing is recorded.",
    group=Group.SAY,
    form=ConsentForm,
    do=_consent,
    asks=lambda _, __: (
        Ask(
            "radios",
            "state",
            "What does the victim say now?",
            tuple(
                (one, words(one, "consent"))
                for one in ("given", "refused", "withdrawn", "lacks-capacity", "under-16-gillick")
            ),
        ),
    ),
    intro=(
        "Refusing and withdrawing stop what comes: you may see less of this case from then on, and everybody else who "
        "was given something is told to stop. Ask the victim alone. Consent that the suspect can hear is no consent."
    ),
    told="that consent was refused or withdrawn, if it was, and nothing else",
    kept="everything else the victim said",
    afterwards=True,
)
ORAL = Action(
    slug="oral",
    title="Record what was said aloud",
    button="Record what was said",
    done="What was said is recorded.",
    group=Group.SAY,
    form=OralForm,
    do=_oral,
    asks=_oral_asks,
    intro="What you told somebody of this case by telephone, at a meeting or at the scene. The words are not kept.",
    afterwards=True,
)
NOTICES = Action(
    slug="notices",
    title="Corrections and notices",
    button="I have read these",
    done="It is recorded that your team has taken note.",
    group=Group.CASE,
    form=NoticesForm,
    do=_notices,
    asks=_notice_asks,
    intro="Whoever sent a correction is told that your team has it.",
    afterwards=True,
    roles=WHO,
)
