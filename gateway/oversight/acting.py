"""What an act of the log is to the rules of the findings: whether it opens a case, acts on one, or is a refusal.

To *open* a referral is to read it (`referral-read`, permitted); to see it in a worklist is not. To *act* on one is any
alteration of it but a notice, or telling somebody of it by word of mouth.
"""

from __future__ import annotations

from gateway.evidence import Event
from gateway.oversight.gathering import Act
from gateway.shown import WORKLIST_ROW

Who = tuple[str, str, str | None]


def opens(act: Act) -> bool:
    """Whether somebody was given a referral to read."""
    return act.event == Event.REFERRAL_READ.value and act.outcome == "permitted"


def acts_on(act: Act) -> bool:
    """Whether somebody did something about a case."""
    if act.event == Event.NOTICE_SENT.value or act.outcome != "permitted":  # a notice is sent by the gateway itself
        return False
    return act.operation == "alteration" or act.event == Event.ORAL_DISCLOSURE.value


def refuses(act: Act) -> bool:
    """Whether somebody was refused something they asked for."""
    if act.outcome != "denied" or act.event == Event.INCIDENT_HELD.value:
        return False
    return not (act.event == Event.NOTHING_FOUND.value and act.detail.get("types") in _POLLS)


def actor_of(act: Act) -> Who:
    """Whoever acted: organisation, client, person."""
    return (act.organisation, act.client, act.user)


_POLLS = frozenset({"Task", WORKLIST_ROW, "feedback"})
