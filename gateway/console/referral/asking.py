"""What a form of a case asks, said beside each of its fields, and what it does once it is sent.

Every form carries the version of the case that it was opened at, so that nobody acts on what has changed since, and a
name of its own, so that a button pressed twice acts once (P2). A form is a model whose fields say how they are asked
(`Ask`); where the fields are those of an act of casework, that act is what it does (`acting`).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from audit.receipt import Receipt
from gateway.acting import act_on
from gateway.case_page import CasePage
from gateway.casework.acts import Act, Consent
from gateway.casework.replay import counted
from gateway.console.console import Console
from gateway.console.forms import FormModel
from gateway.console.guard import Visit
from gateway.console.words import words
from gateway.london import LONDON
from gateway.under_agreement import log_of
from mappings.record import ConsentState, Person
from mappings.record import Role as InRecord

Words = Annotated[str, StringConstraints(max_length=4000)]
Staff = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]


def _padded(typed: object) -> object:
    """`9:00`, `9.00` and `0900` as `09:00`; anything else as it is, and then it is no time."""
    found = _TYPED.fullmatch(typed) if isinstance(typed, str) else None
    return f"{found[1]:0>2}:{found[2]}" if found else typed


_TYPED = re.compile(r"([0-9]{1,2})[:.]?([0-9]{2})")
Clock = Annotated[time, BeforeValidator(_padded), AfterValidator(lambda one: one.replace(tzinfo=None))]
"""A time of day in London."""

# How a field is asked

Options = Sequence[tuple[str, ...]]
"""What can be chosen: value, words, and a hint where there is one."""

Here = Callable[[CasePage, Visit], Any]
"""What depends on the case, or on who asks."""

Kind = Literal["text", "area", "radios", "checkboxes", "choice", "day"]
"""How a field is asked: the macro of `fields.jinja`."""


@dataclass(frozen=True, slots=True)
class Ask:
    """How a field is asked: kind, label, what can be chosen, a hint, and what stands in it at first."""

    kind: Kind
    label: str
    options: Options | Here = ()
    hint: str | Here | None = None
    value: str | tuple[str, ...] | Here | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A field as the page asks it."""

    kind: Kind
    name: str
    label: str
    options: Options
    hint: str | None
    value: str | tuple[str, ...] | None


def asked(form: type[CaseForm], page: CasePage, visit: Visit) -> tuple[Asked, ...]:
    """What a form asks, the note last; nothing where one of its questions has no answer to choose from."""

    def now(said: Any) -> Any:  # noqa: ANN401 - a value, or what gives it
        return said(page, visit) if callable(said) else said

    fields = [(name, one) for name, info in form.model_fields.items() for one in info.metadata if isinstance(one, Ask)]
    found = [Asked(a.kind, name, a.label, now(a.options), now(a.hint), now(a.value)) for name, a in fields]
    if any(one.kind in {"radios", "checkboxes"} and not one.options for one in found):
        return ()
    return tuple(sorted(found, key=lambda one: one.name == "note"))


def coded(label: str, codes: Iterable[StrEnum], kind: str, *, box: Kind = "radios", value: str | None = None) -> Ask:
    """One of a list of codes, in the words of a kind."""
    return Ask(box, label, options(codes, kind), value=value)


def options(codes: Iterable[StrEnum], kind: str) -> Options:
    """Every code of a list, with its words."""
    return tuple((one.value, words(one.value, kind)) for one in codes)


# The forms


class CaseForm(FormModel):
    """What every form of a case carries unseen."""

    version: Annotated[int, Field(ge=1, le=2**31)]
    since: Annotated[int, Field(ge=0, le=2**53)]
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]

    def said(self) -> dict[str, Any]:
        """What was asked, and answered, by name."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in HIDDEN}


HIDDEN = frozenset(CaseForm.model_fields)

Agrees = Annotated[
    Literal["yes", "no"],
    Field(title="whether the victim agrees that police are told"),
    Ask(
        "radios",
        "Does the victim agree that police are told?",
        (("yes", "Yes: the victim agrees that police are told"), ("no", "No, or not asked")),
    ),
]
"""A field: whether police may know what she wishes."""


def consent_of(agrees: Agrees) -> Consent:
    """What she says of telling police, as an act says it."""
    return Consent(state=ConsentState.GIVEN if agrees == "yes" else ConsentState.REFUSED)


class Noted(CaseForm):
    """A form with a note, and maybe nothing else."""

    note: Annotated[
        Words | None,
        Field(title="note"),
        Ask("area", "Note for your team", hint="Kept encrypted with the case. Never sent to police."),
    ] = None


# What a form does

M = TypeVar("M", bound=CaseForm)
Proof = tuple[Receipt, str]
"""Where something is sealed: the receipt, and the log it is of."""


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

    def matches(self, version: int) -> bool:
        """Whether the case is as it was when the form was opened."""
        return version == self.said.version

    async def proof(self, receipt: Receipt) -> Proof:
        """A receipt of the log that the visitor's cases are in."""
        return receipt, await log_of(self.console.services, self.visit.caller)


@dataclass(frozen=True, slots=True)
class Does(Generic[M]):
    """What a form is, and what is done once it is sent."""

    form: type[M]
    do: Callable[[Sent[M]], Awaitable[Proof]]


def acting(form: type[M], make: Callable[..., Act]) -> Does[M]:
    """A form that does an act of casework, made of what was answered. Raises as `act_on`."""

    async def do(sent: Sent[M]) -> Proof:
        console, caller, act = sent.console, sent.visit.caller, make(**sent.said.said())
        acted = await act_on(
            console.services, console.library, caller, sent.referral_id, (act,), sent.matches, sent.said.key
        )
        return acted.receipts[0], acted.log_id

    return Does(form, do)


# What forms ask of a case


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
    return counted(one for one in page.acts.done if one.stands and one.referral_id == page.file.referral.id)[1]


def children_of(page: CasePage, _: Visit) -> Options:
    """The children of a case as options, and one who is not born yet."""
    listed = tuple((child.ref, name_of(child)) for child in page.file.record.of_role(InRecord.CHILD))
    return (*listed, ("unborn", "A child who is not born yet"))
