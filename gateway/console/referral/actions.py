"""Every action of a case, by its address, in the order in which the page offers them.

What an action says stands in `actions.toml`, what its form asks and does in the module of its forms; an address that
is in one and not in the other stops the start. Before its button a form says what police are told and what is not;
what they are told is decided by the agreement when they ask.

Source: domain.md section 4.3 (what is sent may be disclosed in a prosecution: CPIA 1996).
"""

from __future__ import annotations

import tomllib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

from gateway.case_page import CasePage
from gateway.casework import NEXT_STATE, NEXT_STATUS
from gateway.console.guard import Visit
from gateway.console.referral import ending, mistakes, reaching, safety, telling
from gateway.console.referral.asking import Asked, CaseForm, Does, Proof, Sent, asked
from gateway.signin.claims import Person, Role
from mappings.referral import Referral, ReferralState, ReferralStatus

WHO = (Role.ADVISER, Role.SAFEGUARDING)


class Group(StrEnum):
    """Where an action stands on the page."""

    REACH = "Make contact"
    OUTCOME = "What came of it"
    SAFETY = "Safety"
    SAY = "What the victim says, and what is said"
    CASE = "The case"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is done in a case by one form.

    `told` is what police are told, and None where nothing; `kept` what stays with the team. `leads_to` is the state it
    brings, so that the page offers what can follow. `opens` says whether the form shows anything of the case, `leaves`
    where whoever did it goes on, where they can see it no more, and `nothing` what the page says where there is nothing
    to choose from.
    """

    slug: str
    does: Does[Any]
    title: str
    button: str
    done: str
    group: Group
    intro: str | None = None
    told: str | None = None
    kept: str | None = None
    nothing: str | None = None
    leads_to: ReferralState | None = None
    afterwards: bool = False
    opens: bool = True
    leaves: str | None = None
    warning: bool = False
    roles: tuple[Role, ...] = WHO

    @property
    def form(self) -> type[CaseForm]:
        """The form."""
        form: type[CaseForm] = self.does.form
        return form

    @property
    def do(self) -> Callable[[Sent[Any]], Awaitable[Proof]]:
        """What is done once it is sent."""
        return self.does.do

    def asks(self, page: CasePage, visit: Visit) -> tuple[Asked, ...]:
        """What its form asks."""
        return asked(self.form, page, visit)


FORMS: Mapping[str, Does[Any]] = {
    **reaching.FORMS,
    **safety.FORMS,
    **telling.FORMS,
    **ending.FORMS,
    **mistakes.FORMS,
}
"""What each form asks and does, by its address."""


def _actions() -> tuple[Action, ...]:
    """The actions as they are written. Raises KeyError, TypeError, ValueError where they do not fit the forms."""
    written = tomllib.loads(files(__package__).joinpath("actions.toml").read_text("utf-8"))
    if unsaid := FORMS.keys() - written.keys():
        raise ValueError(f"forms without words: {sorted(unsaid)}")
    return tuple(_action(slug, **said) for slug, said in written.items())


def _action(slug: str, *, group: str, leads_to: str | None = None, roles: tuple[str, ...] = WHO, **said: Any) -> Action:  # noqa: ANN401 - Action names them
    state = ReferralState(leads_to) if leads_to else None
    return Action(slug, FORMS[slug], group=Group[group.upper()], leads_to=state, roles=tuple(map(Role, roles)), **said)


ACTIONS = _actions()
BY_SLUG: Mapping[str, Action] = {one.slug: one for one in ACTIONS}


def offered(referral: Referral, person: Person) -> Mapping[Group, tuple[Action, ...]]:
    """What can be done in a case as it stands, by group; a form that is opened all the same says why not."""
    override = BY_SLUG["override"]
    fits = [one for one in ACTIONS if one.opens and set(one.roles) & set(person.roles) and _fits(one, referral)]
    fits += [override] if set(override.roles) & set(person.roles) else []
    return {group: found for group in Group if (found := tuple(one for one in fits if one.group is group))}


def next_steps(referral: Referral) -> Iterator[Action]:
    """What is done next, most of the time: one button, or two."""
    for slug in _NEXT.get(referral.state, ()):
        if _fits(BY_SLUG[slug], referral):
            yield BY_SLUG[slug]


def _fits(action: Action, referral: Referral) -> bool:
    is_open = bool(NEXT_STATUS[referral.status])
    if not is_open:
        return action.afterwards and referral.status is ReferralStatus.COMPLETED
    if action.slug == "acknowledge":
        return referral.status in {ReferralStatus.REQUESTED, ReferralStatus.RECEIVED}
    if action.leads_to is None or action.slug == "contact":
        return True
    return action.leads_to in NEXT_STATE[referral.state]


_NEXT: Mapping[ReferralState, tuple[str, ...]] = {
    ReferralState.OFFERED: ("acknowledge", "contact"),
    ReferralState.ACKNOWLEDGED: ("contact",),
    ReferralState.CONTACTING: ("contact", "engage"),
    ReferralState.ENGAGED: ("safety-plan", "close"),
    ReferralState.DECLINED: ("close",),
    ReferralState.UNABLE_TO_CONTACT: ("contact", "close"),
    ReferralState.UNSAFE_TO_CONTACT: ("contact", "close"),
    ReferralState.ALREADY_KNOWN: ("close",),
    ReferralState.OUT_OF_AREA: ("close",),
}
