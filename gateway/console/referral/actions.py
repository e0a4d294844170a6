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
from gateway.casework import NEXT_STATUS
from gateway.casework.effects import may_follow
from gateway.console.guard import Visit
from gateway.console.referral import ending, mistakes, reaching, safety, telling
from gateway.console.referral.asking import Asked, CaseForm, Does, Proof, Sent, asked
from gateway.signin.claims import Role
from mappings.referral import Referral, ReferralState

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

    `told` is what police are told, and None where nothing; `kept` what stays with the team. `act` is the act of
    casework that it is, whose rules say when it is offered; of what is none, `afterwards` says that it can be done when
    the case has ended. `opens` says whether the form shows anything of the case, `leaves` where whoever did it goes on,
    where they can see it no more, and `nothing` what the page says where there is nothing to choose from.
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
    act: str | None = None
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


def _action(slug: str, *, group: str, roles: tuple[str, ...] = WHO, **said: Any) -> Action:  # noqa: ANN401 - Action names them
    return Action(slug, FORMS[slug], group=Group[group.upper()], roles=tuple(map(Role, roles)), **said)


ACTIONS = _actions()
BY_SLUG: Mapping[str, Action] = {one.slug: one for one in ACTIONS}


def offered(page: CasePage, visit: Visit) -> Mapping[Group, tuple[Action, ...]]:
    """What this person can do in a case as it stands, by group: exactly what is done where its form is filled in right.

    An override shows nothing of the case, and is offered to those whose it is.
    """
    override, roles = BY_SLUG["override"], set(visit.person.roles)
    fits = [one for one in ACTIONS if one.opens and set(one.roles) & roles and _can(one, page, visit)]
    fits += [override] if set(override.roles) & roles else []
    return {group: found for group in Group if (found := tuple(one for one in fits if one.group is group))}


def next_steps(referral: Referral) -> Iterator[Action]:
    """What is done next, most of the time: one button, or two."""
    for slug in _NEXT.get(referral.state, ()):
        if _fits(BY_SLUG[slug], referral):
            yield BY_SLUG[slug]


def _can(action: Action, page: CasePage, visit: Visit) -> bool:
    """Whether an action fits a case, and there is something to choose from for this person."""
    return _fits(action, page.file.referral) and (action.nothing is None or bool(action.asks(page, visit)))


def _fits(action: Action, referral: Referral) -> bool:
    if action.act is not None:
        return may_follow(action.act, referral.status, referral.state)
    return action.afterwards or bool(NEXT_STATUS[referral.status])


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
