"""Who may ask: the agreement a caller acts under, the recipient it is, and the person it must name.

A caller that is no recipient of an agreement in force is told so; what exists under the agreement it is never told.
"""

from __future__ import annotations

from gateway.errors import BadParameter, NotPermitted
from gateway.evidence import Caller
from gateway.terms import Standing


def agreement_of(caller: Caller) -> str | None:
    """The caller's one agreement, None where it has none. Raises BadParameter where it has several."""
    if len(caller.agreements) > 1:
        raise BadParameter("the client is bound to several agreements: use a client for each")
    return next(iter(caller.agreements), None)


def check_recipient(standing: Standing, caller: Caller) -> None:
    """Raise NotPermitted unless the caller is a recipient of the agreement, with the person it wants named."""
    content = standing.content
    found = content.recipient(caller.recipient) if content and caller.recipient else None
    if content is None or found is None or content.party(found.party).organisation != caller.organisation:
        raise _no_recipient()
    check_person(standing, found.id, caller)


def check_person(standing: Standing, recipient: str | None, caller: Caller) -> None:
    """Raise NotPermitted where the agreement wants a person named and the token names none."""
    found = standing.terms.agreement.content.recipient(recipient) if standing.terms and recipient else None
    if found is None:
        raise _no_recipient()
    if found.end_user == "required" and caller.user is None:
        raise NotPermitted(
            "the agreement wants the person named on whose behalf the call is made: "
            "ask for the token with an `end_user` claim in the client assertion",
            reason="person-not-named",
        )


def check_named(caller: Caller) -> None:
    """Raise NotPermitted where no person is named: what is asked is a person's act."""
    if caller.user is None:
        raise NotPermitted("this is a person's act: name them in the token (`end_user`)", reason="person-not-named")


def _no_recipient() -> NotPermitted:
    return NotPermitted("the client is no recipient of an agreement in force", reason="not-a-recipient")
