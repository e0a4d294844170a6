"""Who may ask: the agreement a caller acts under, the recipient it is, and the person it must name.

A caller that is no recipient of an agreement in force is told so; what exists under the agreement it is never told.
"""

from __future__ import annotations

from gateway.errors import BadParameter, NotPermitted
from gateway.evidence import Caller
from gateway.terms import Standing


def agreement_log(caller: Caller, otherwise: str | None = None) -> str:
    """The log of the caller's one agreement. Raises NotPermitted where it has none, BadParameter where several."""
    if len(caller.agreements) == 1:
        return next(iter(caller.agreements))
    if caller.agreements:
        raise BadParameter("the client is bound to several agreements: use a client for each")
    if otherwise is None:
        raise NotPermitted("the client is bound to no agreement")
    return otherwise


def check_recipient(standing: Standing, caller: Caller) -> None:
    """Raise NotPermitted unless the caller is a recipient of the agreement, with the person it wants named."""
    content = standing.terms.agreement.content if standing.terms else None
    found = content.recipient(caller.recipient) if content and caller.recipient else None
    if content is None or found is None or content.party(found.party).organisation != caller.organisation:
        raise NotPermitted("the client is no recipient of an agreement in force")
    check_person(standing, found.id, caller)


def check_person(standing: Standing, recipient: str | None, caller: Caller) -> None:
    """Raise NotPermitted where the agreement wants a person named and the token names none."""
    found = standing.terms.agreement.content.recipient(recipient) if standing.terms and recipient else None
    if found is None:
        raise NotPermitted("the client is no recipient of an agreement in force")
    if found.end_user == "required" and caller.user is None:
        raise NotPermitted(
            "the agreement wants the person named on whose behalf the call is made: "
            "ask for the token with an `end_user` claim in the client assertion"
        )
