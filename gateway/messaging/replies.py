"""RRI: what a team's system says to a referral it was delivered, taken as the team's own word.

It counts where it answers a message that was sent to an endpoint of this very client (MSA-2), about the referral that
message carried (RF1-6 where it says one). Then it goes the road of any change a team makes, on behalf of the person who
answers for the endpoint: the state machine, the words to police, the seal. Whatever else it may be is for a human.

Source: domain.md sections 2.9 (RRI), 4.2 (states); HL7 v2.4 section 11.3.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import orjson
from sqlalchemy import Connection, bindparam, select

from adapters.nhs.hl7v2 import ReferralReply, Verdict, referral_reply
from adapters.socket import Fault, Problem, Unreadable
from gateway.errors import NotFound, TransitionRefused
from gateway.journey import report_back
from gateway.messages.keeping import Became, Given
from gateway.messaging.arriving import Arriving
from gateway.mllp.channel import parcels_of
from gateway.store import tables

_STATUS: Final = {Verdict.ACCEPTED: "accepted", Verdict.PENDING: "received", Verdict.REJECTED: "rejected"}
_BEYOND: Final = {
    "received": frozenset({"received", "accepted", "in-progress", "completed"}),
    "accepted": frozenset({"accepted", "in-progress", "completed"}),
    "rejected": frozenset({"rejected"}),
}
"""Where the referral stands already at or beyond what a reply says, there is nothing to change."""
_PATCH: Final = "application/json-patch+json"


async def take(arriving: Arriving) -> Given:
    """Take a reply in. Raises Unreadable where it answers nothing that was sent, and what `report_back` raises."""
    if await arriving.kept_before():
        return await arriving.keep(Became.REPLY)
    reply = referral_reply(arriving.message)
    sent = await arriving.services.database.read(lambda connection: _sent(connection, arriving, reply))
    if sent is None:
        raise Unreadable(Problem("MSA-2", Fault.UNKNOWN_CODE))
    status = _STATUS.get(reply.verdict)
    if status is None:  # expired, or the message failed: a person must see to it
        raise Unreadable(Problem("RF1-1", Fault.UNKNOWN_CODE))
    if sent.status not in _BEYOND[status]:
        await _change(arriving, sent, status)
    return await arriving.keep(Became.REPLY, about=sent.event_id)


@dataclass(frozen=True, slots=True)
class _Sent:
    """The referral that was sent, and who answers for the endpoint it went to."""

    referral_id: str
    event_id: str
    status: str
    user: str
    role: str


async def _change(arriving: Arriving, sent: _Sent, status: str) -> None:
    caller = replace(arriving.caller, user=sent.user, role=sent.role)
    patch = orjson.dumps([{"op": "replace", "path": "/status", "value": status}])
    try:
        await report_back(arriving.services, arriving.library, caller, sent.referral_id, patch, _PATCH, lambda _: True)
    except (NotFound, TransitionRefused):
        raise Unreadable(Problem("RF1-1", Fault.UNKNOWN_CODE)) from None


def _sent(connection: Connection, arriving: Arriving, reply: ReferralReply) -> _Sent | None:
    """What a reply answers; None where nothing of that name was sent to an endpoint of this client."""
    begins = parcels_of(reply.control_id)
    if begins is None:
        return None
    asked = {"log": arriving.log_id, "client": arriving.caller.client, "from": begins, "to": f"{begins}~"}
    row = connection.execute(_SENT, asked).first()
    if row is None or (reply.case and reply.case != row.referral_id):
        return None
    return _Sent(row.referral_id, row.event_id, row.status, row.user_id, row.role)


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
