"""RRI: what a team's system says to a referral it was delivered, taken as the team's own word.

It counts where it answers a message that was sent to an endpoint of this very client (MSA-2), about the referral that
message carried (RF1-6 where it says one). Then it is what any channel may say of a delivery (`gateway.answering`), on
behalf of the person who answers for the endpoint: a change of the referral, or that the system cannot use what it had
acknowledged, which its team is told. Whatever else it may be is for a human.

Source: domain.md sections 2.9 (RRI), 4.2 (states); HL7 v2.4 section 11.3.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, bindparam, select

from adapters.nhs.fhir import TaskChange
from adapters.nhs.hl7v2 import ReferralReply, Verdict, referral_reply
from adapters.socket import Fault, Problem, Unreadable
from gateway.answering import answer_delivery, refuse_delivery
from gateway.errors import AlreadyAnswered, NotFound, TransitionRefused
from gateway.messages.keeping import Became, Given
from gateway.messaging.arriving import Arriving
from gateway.mllp.channel import parcels_of
from gateway.store import tables
from mappings.referral import ReferralStatus

_STATUS: Final = {
    Verdict.ACCEPTED: ReferralStatus.ACCEPTED,
    Verdict.PENDING: ReferralStatus.RECEIVED,
    Verdict.REJECTED: ReferralStatus.REJECTED,
}
_TAKEN: Final = frozenset({"accepted", "in-progress", "completed"})
_BEYOND: Final = {
    ReferralStatus.RECEIVED: _TAKEN | {"received"},
    ReferralStatus.ACCEPTED: _TAKEN,
    ReferralStatus.REJECTED: frozenset({"rejected"}),
}
"""Where the referral stands already at or beyond what a reply says, there is nothing to change."""


async def take(arriving: Arriving) -> Given:
    """Take a reply in. Raises Unreadable where it answers nothing that was sent, and what `answering` raises."""
    if await arriving.kept_before():
        return await arriving.keep(Became.REPLY)
    reply = referral_reply(arriving.message)
    sent = await arriving.services.database.read(lambda connection: _sent(connection, arriving, reply))
    if sent is None:
        raise Unreadable(Problem("MSA-2", Fault.UNKNOWN_CODE))
    status = _STATUS.get(reply.verdict)
    if status is None and reply.verdict is not Verdict.FAILED:  # expired: a person must see to it
        raise Unreadable(Problem("RF1-1", Fault.UNKNOWN_CODE))
    caller = replace(arriving.caller, user=sent.user, role=sent.role)
    try:
        if status is None:
            await refuse_delivery(arriving.services, caller, sent.delivery_id)
        elif sent.status not in _BEYOND[status]:
            change = TaskChange(status, None, (), None)
            await answer_delivery(arriving.services, arriving.library, caller, sent.delivery_id, change)
    except AlreadyAnswered:
        pass  # said before, or by another way meanwhile
    except (NotFound, TransitionRefused):
        raise Unreadable(Problem("RF1-1", Fault.UNKNOWN_CODE)) from None
    return await arriving.keep(Became.REPLY, about=sent.event_id)


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was sent, of which event, where its referral stands, and who answers for the endpoint it went to."""

    delivery_id: str
    event_id: str
    status: str
    user: str
    role: str


def _sent(connection: Connection, arriving: Arriving, reply: ReferralReply) -> _Sent | None:
    """What a reply answers; None where nothing of that name was sent to an endpoint of this client."""
    begins = parcels_of(reply.control_id)
    if begins is None:
        return None
    asked = {"log": arriving.log_id, "client": arriving.caller.client, "from": begins, "to": f"{begins}~"}
    row = connection.execute(_SENT, asked).first()
    if row is None or (reply.case and reply.case != row.referral_id):
        return None
    return _Sent(row.id, row.event_id, row.status, row.user_id, row.role)


_d, _e, _r = tables.delivery, tables.endpoint, tables.referral
_SENT = (
    select(_d.c.id, _d.c.referral_id, _e.c.user_id, _e.c.role, _r.c.event_id, _r.c.status)
    .join(_e, _e.c.id == _d.c.endpoint_id)
    .join(_r, _r.c.id == _d.c.referral_id)
    .where(
        _d.c.log_id == bindparam("log"),
        _e.c.client == bindparam("client"),
        _d.c.id.between(bindparam("from"), bindparam("to")),
        _d.c.reason.is_not(None),
        _r.c.erased_at.is_(None),
    )
)
