"""What a form of a case asks, as data, and what an action is: its address, its words, its form and what it does.

Every form carries the version of the case that it was opened at, so that nobody acts on what has changed since, and a
name of its own, so that a button pressed twice acts once (P2). Before its button it says what police are told and what
is not; what they are told is decided by the agreement when they ask.

Source: domain.md section 4.3 (what is sent may be disclosed in a prosecution: CPIA 1996).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from audit.receipt import Receipt
from gateway.acting import act_on
from gateway.case_page import CasePage
from gateway.casework.acts import Act
from gateway.casework.codes import Result
from gateway.console.console import Console
from gateway.console.forms import FormModel
from gateway.console.guard import Visit
from gateway.console.words import words
from gateway.errors import VersionConflict
from gateway.london import LONDON
from gateway.signin.claims import Role
from gateway.under_agreement import log_of
from mappings.record import Person
from mappings.record import Role as InRecord
from mappings.referral import ReferralState

WHO = (Role.ADVISER, Role.SAFEGUARDING)

Words = Annotated[str, StringConstraints(max_length=4000)]
Staff = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]


def _padded(typed: object) -> object:
    """`9:00`, `9.00` and `0900` as `09:00`; anything else as it is, and then it is no time."""
    found = _TYPED.fullmatch(typed) if isinstance(typed, str) else None
    return f"{found[1]:0>2}:{found[2]}" if found else typed


_TYPED = re.compile(r"([0-9]{1,2})[:.]?([0-9]{2})")
Clock = Annotated[time, BeforeValidator(_padded), AfterValidator(lambda one: one.replace(tzinfo=None))]
"""A time of day in London."""


class CaseForm(FormModel):
    """What every form of a case carries unseen."""

    version: Annotated[int, Field(ge=1, le=2**31)]
    since: Annotated[int, Field(ge=0, le=2**53)]
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]


HIDDEN = frozenset(CaseForm.model_fields)

M = TypeVar("M", bound=CaseForm)
Options = Sequence[tuple[str, ...]]
Proof = tuple[Receipt, str]
"""Where something is sealed: the receipt, and the log it is of."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One field: its kind (a macro of `fields.jinja`), name and label; `value` is what stands in it at first."""

    kind: Literal["text", "area", "radios", "checkboxes", "choice", "day"]
    name: str
    label: str
    options: Options = ()
    hint: str | None = None
    value: str | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sent(Generic[M]):
    """A form that was sent and can be read, by whom, in which case."""

    console: Console
    visit: Visit
    referral_id: str
    said: M

    @property
    def once(self) -> bytes:
        """The name of the request, blind, for what is done once."""
        of = f"{self.visit.person.id}|{self.referral_id}|{self.said.key}"
        return self.console.services.keyring.blind("console-form", of)

    async def proof(self, receipt: Receipt) -> Proof:
        """A receipt of the log that the visitor's cases are in."""
        return receipt, await log_of(self.console.services, self.visit.caller)


class Group(StrEnum):
    """Where an action stands on the page."""

    REACH = "Make contact"
    OUTCOME = "What came of it"
    SAFETY = "Safety"
    SAY = "What the victim says, and what is said"
    CASE = "The case"


@dataclass(frozen=True, slots=True)
class Action(Generic[M]):
    """Something that is done in a case by one form.

    `told` is what police are told, and None where nothing; `kept` what stays with the team. `leads_to` is the state it
    brings, so that the page offers what can follow. `opens` says whether the form shows anything of the case, and
    `leaves` where whoever did it goes on, where they can see it no more.
    """

    slug: str
    title: str
    button: str
    done: str
    group: Group
    form: type[M]
    do: Callable[[Sent[M]], Awaitable[Proof]]
    asks: Callable[[CasePage, Visit], Sequence[Ask]] = lambda _, __: ()
    intro: str | None = None
    told: str | None = None
    kept: str | None = None
    leads_to: ReferralState | None = None
    afterwards: bool = False
    opens: bool = True
    leaves: str | None = None
    warning: bool = False
    roles: tuple[Role, ...] = WHO


def acting(make: Callable[[M], Act]) -> Callable[[Sent[M]], Awaitable[Proof]]:
    """What an action does that is an act of casework. Raises as `act_on`."""

    async def do(sent: Sent[M]) -> Proof:
        console, said = sent.console, sent.said
        acted = await act_on(
            console.services,
            console.library,
            sent.visit.caller,
            sent.referral_id,
            (make(said),),
            lambda version: version == said.version,
            said.key,
        )
        return acted.receipts[0], acted.log_id

    return do


def options(codes: Iterable[StrEnum], kind: str) -> Options:
    """Every code of a list, with its words."""
    return tuple((one.value, words(one.value, kind)) for one in codes)


class Stale(VersionConflict):
    """The case has changed since the form was opened."""

    def __init__(self) -> None:
        super().__init__("the case has changed since the form was opened")


def moment(day: date | None, at: time | None) -> datetime | None:
    """A day and a time of day in London as an instant; None where neither is said."""
    return datetime.combine(day, at, tzinfo=LONDON) if day is not None and at is not None else None


def name_of(person: Person) -> str:
    """A person's name as it is shown; what is withheld is said to be."""
    for name in person.names:
        found = " ".join(part for part in (*name.given, name.family) if part)
        if found:
            return found
    return "Name not shared"


def fruitless(page: CasePage) -> int:
    """How many attempts are recorded since she was last reached."""
    made = 0
    for one in page.acts.done:
        if one.referral_id != page.file.referral.id:
            continue
        if one.kind == "engage" or one.codes.get("result") == Result.REACHED:
            made = 0
        elif one.kind == "contact-attempt":
            made += 1
    return made


def children_of(page: CasePage) -> Options:
    """The children of a case as options, and one who is not born yet."""
    listed = tuple((child.ref, name_of(child)) for child in page.file.record.of_role(InRecord.CHILD))
    return (*listed, ("unborn", "A child who is not born yet"))
