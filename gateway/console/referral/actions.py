"""Every action of a case, by its address, in the order in which the page offers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.casework import NEXT_STATE, NEXT_STATUS
from gateway.console.referral import ending, reaching, safety, telling
from gateway.console.referral.asking import Action, Group
from gateway.signin.claims import Person
from mappings.referral import Referral, ReferralState, ReferralStatus

ACTIONS: tuple[Action[Any], ...] = (
    reaching.ACKNOWLEDGE,
    reaching.CONTACT,
    reaching.ENGAGE,
    reaching.DECLINE,
    reaching.UNABLE,
    reaching.UNSAFE,
    reaching.SUPPORTED,
    reaching.TRANSFER,
    safety.WELFARE,
    safety.PLAN,
    safety.MARAC,
    safety.HEARD,
    safety.FEEDBACK,
    safety.CHILDREN,
    safety.CPIS,
    safety.RISK,
    telling.CALL,
    telling.PROSECUTION,
    telling.CONSENT,
    telling.ORAL,
    telling.NOTICES,
    reaching.ASSIGN,
    reaching.HAND_OVER,
    ending.CLOSE,
    ending.CONNECTION,
    ending.BREAK_GLASS,
    ending.OVERRIDE,
)

BY_SLUG: Mapping[str, Action[Any]] = {one.slug: one for one in ACTIONS}


def offered(referral: Referral, person: Person) -> Mapping[Group, tuple[Action[Any], ...]]:
    """What can be done in a case as it stands, by group; a form that is opened all the same says why not."""
    fits = [one for one in ACTIONS if one.opens and set(one.roles) & set(person.roles) and _fits(one, referral)]
    fits += [one for one in (ending.OVERRIDE,) if set(one.roles) & set(person.roles)]
    return {group: found for group in Group if (found := tuple(one for one in fits if one.group is group))}


def next_steps(referral: Referral) -> Iterator[Action[Any]]:
    """What is done next, most of the time: one button, or two."""
    for one in _NEXT.get(referral.state, ()):
        if _fits(one, referral):
            yield one


def _fits(action: Action[Any], referral: Referral) -> bool:
    is_open = bool(NEXT_STATUS[referral.status])
    if not is_open:
        return action.afterwards and referral.status is ReferralStatus.COMPLETED
    if action is reaching.ACKNOWLEDGE:
        return referral.status in {ReferralStatus.REQUESTED, ReferralStatus.RECEIVED}
    if action.leads_to is None or action is reaching.CONTACT:
        return True
    return action.leads_to in NEXT_STATE[referral.state]


_NEXT: Mapping[ReferralState, tuple[Action[Any], ...]] = {
    ReferralState.OFFERED: (reaching.ACKNOWLEDGE, reaching.CONTACT),
    ReferralState.ACKNOWLEDGED: (reaching.CONTACT,),
    ReferralState.CONTACTING: (reaching.CONTACT, reaching.ENGAGE),
    ReferralState.ENGAGED: (safety.PLAN, ending.CLOSE),
    ReferralState.DECLINED: (ending.CLOSE,),
    ReferralState.UNABLE_TO_CONTACT: (reaching.CONTACT, ending.CLOSE),
    ReferralState.UNSAFE_TO_CONTACT: (reaching.CONTACT, ending.CLOSE),
    ReferralState.ALREADY_KNOWN: (ending.CLOSE,),
    ReferralState.OUT_OF_AREA: (ending.CLOSE,),
}
