"""What of a case can be taken back, and by whom: looked up once, for whoever takes something back and for the page.

Whoever entered something may take it back, and whoever has the role that the agreement gives the team. Not taken back
is what a later act relies on, what was moved by more than was done, and what has been erased.

    past_of      everything that it is judged on, read
    Past.judge   what the case is without an act, or why it stays

Source: UK GDPR articles 5(1)(d), 16; domain.md sections 4.2, 4.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select

from audit import search as log_search
from audit.search import Query
from gateway.agreement.content import Content
from gateway.casework.acts import BESIDE, CONSENT, KINDS
from gateway.casework.codes import Channel
from gateway.casework.consents import Heard, consent_without
from gateway.casework.reading import Done
from gateway.casework.replay import Offer, Without, standing, without
from gateway.casework.rules import refused
from gateway.casework.timers import Kind, Stands
from gateway.errors import NotPermitted, TransitionRefused
from gateway.evidence import Caller, Event
from gateway.facts import Facts
from gateway.store import tables
from mappings.referral import ReferralState, ReferralStatus


@dataclass(frozen=True, slots=True)
class Undone:
    """What a case is without an act: where it stands, and the consent it is decided on, where that changes too."""

    one: Done
    case: Without
    consent: Heard | None
    decided_on: str | None


@dataclass(frozen=True, slots=True)
class Past:
    """Everything that was done in a case, and what it stands on.

    `scenes` are the contacts at the scene that joined it, by their acts; `heard` is what the victim said of sharing.
    `goes_on` says that a later case goes on with this one; `role` is that which the agreement gives the team.
    """

    row: Row[Any]
    done: tuple[Done, ...]
    offer: Offer
    scenes: Mapping[str, str]
    heard: tuple[Heard, ...]
    goes_on: bool
    role: str | None

    @property
    def stands(self) -> Stands:
        """Where the case stands."""
        return ReferralStatus(self.row.status), ReferralState(self.row.state)

    def judge(self, event: str, caller: Caller) -> Undone:
        """What the case is without an act. Raises TransitionRefused, NotPermitted."""
        one = next((one for one in self.done if one.id == event), None)
        if one is None:
            raise refused("event", "names nothing that was done in this case")
        if (wrong := self._wrong(one)) is not None:
            raise refused("event", wrong)
        if caller.user != one.by and (self.role is None or caller.role != self.role):
            words = "whoever entered it takes it back, or somebody in the team's own role"
            raise NotPermitted(words, reason="not-in-role")
        case = without(standing(self.done), event, self.offer, self.stands, self.row.assigned_to)
        return Undone(one, case, *self._consent(one))

    def allows(self, event: str, caller: Caller) -> bool:
        """Whether a person may take an act back as the case stands."""
        try:
            self.judge(event, caller)
        except (TransitionRefused, NotPermitted):
            return False
        return True

    def last_said_by(self, caller: Caller) -> str | None:
        """The last that stands of what a person entered of what the victim says of sharing."""
        own = [one.id for one in standing(self.done) if one.kind == CONSENT and one.by == caller.user]
        return own[-1] if own else None

    def _wrong(self, one: Done) -> str | None:
        """Why something that was done cannot be taken back, as far as it says itself."""
        reasons = (
            (one.in_error is not None, "it has been taken back already"),
            (one.kind not in KINDS | BESIDE, "it is no act of an adviser's; what was taken back is entered again"),
            (one.words is None or self.row.erased_at is not None, "it has been erased"),
            (self.stands[0] is ReferralStatus.ENTERED_IN_ERROR, "police have taken the whole referral back"),
            (one.kind == "close" and self.goes_on, "another case goes on with this one since it was closed"),
        )
        return next((words for is_so, words in reasons if is_so), None)

    def _consent(self, one: Done) -> tuple[Heard | None, str | None]:
        """What was said of sharing, and what the case is decided on without it; None where nothing changes."""
        said = next((said for said in self.heard if said.id == one.id), None)
        if said is None:
            return None, None
        now = Facts.from_json(orjson.loads(self.row.facts)).consent
        then = consent_without(self.heard, said.id, now, self.row.record_id)
        return (None, None) if then == now else (said, then)


def past_of(connection: Connection, row: Row[Any], done: Sequence[Done], content: Content | None) -> Past:
    """The past of a case of which this was done: of what was done in others, nothing."""
    done = tuple(one for one in done if one.referral_id == row.id)
    due = {Kind(one.kind): datetime.fromisoformat(one.due_at) for one in connection.execute(_OFFER, {"of": row.id})}
    scenes = _scenes(connection, row, done)
    recipient = content.recipient(row.team) if content else None
    closed = any(one.kind == "close" for one in done)
    after = {"log": row.log_id, "codes": orjson.dumps({"earlier": row.id}).decode()}
    return Past(
        row,
        done,
        Offer(due, content.clocks if content else None, row.grade, frozenset(scenes)),
        scenes,
        tuple(_heard(connection, row, done)),
        goes_on=closed and connection.execute(_REOPENED, after).first() is not None,
        role=recipient.role if recipient else None,
    )


def _scenes(connection: Connection, row: Row[Any], done: Sequence[Done]) -> dict[str, str]:
    """The contacts at the scene that came to be acts of the case: the log says which joined it."""
    there = [one for one in done if one.codes.get("channel") == Channel.AT_THE_SCENE]
    details = _details(connection, row, Event.CO_RESPONSE_JOINED) if there else {}
    return {one.id: details[one.index]["co_response"] for one in there if one.index in details}


def _heard(connection: Connection, row: Row[Any], done: Sequence[Done]) -> list[Heard]:
    """What was said of sharing. What counted before, and of which record, the log says: the team may not see it."""
    said = [one for one in done if one.kind == CONSENT]
    details = _details(connection, row, Event.CONSENT_CHANGED) if said else {}
    return [
        Heard(
            one.id,
            one.index,
            one.codes["state"],
            details[one.index].get("before"),
            details[one.index]["record"],
            one.in_error.index if one.in_error else None,
        )
        for one in said
        if one.index in details
    ]


def _details(connection: Connection, row: Row[Any], event: Event) -> dict[int, dict[str, Any]]:
    """What entries of one kind say of a case, by their index, and of which record."""
    found = log_search.matching(connection, row.log_id, Query(case=row.id, event=event.value))
    bodies = ((stored.idx, orjson.loads(stored.body)) for stored in found)
    return {index: {**(body.get("detail") or {}), "record": body["record"]} for index, body in bodies}


_t, _e = tables.case_timer, tables.case_event
_OFFER = (
    select(_t.c.kind, _t.c.due_at)
    .where(_t.c.referral_id == bindparam("of"), _t.c.kind.in_((Kind.ACKNOWLEDGE.value, Kind.FIRST_CONTACT.value)))
    .order_by(_t.c.started_at)
)
_REOPENED = select(_e.c.id).where(
    _e.c.log_id == bindparam("log"), _e.c.kind == "reopened", _e.c.codes == bindparam("codes")
)
