"""Which referral a contact at the scene was about, and what the referral shows of it from then on.

They are joined where exactly one referral of that adviser's team came of the reference, and neither the area nor the
time speaks against it. Anything else is for a human: nothing is joined to one of two referrals by guess. Police are
told in codes, and nothing more.

`match` and `step_of` are pure; `join` writes within a unit that has decided to.

Source: domain.md sections 0a (co-response), 4.1 (step 2), 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, update

from audit.entry import Operation, timestamp
from gateway.casework import Step, Told
from gateway.casework.codes import Channel, Result
from gateway.casework.effects import Happened
from gateway.casework.keeping import plain, stop, write_events
from gateway.casework.timers import Kind
from gateway.coresponse.contact import Attended, Contact
from gateway.evidence import Caller, Event, act
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead
from gateway.store.records import Records, subject_of
from gateway.telling import ACKNOWLEDGE_OFFER, Listener, words, write_words
from mappings.record import Feedback, FeedbackCode
from mappings.referral import ReferralState, ReferralStatus

BEFORE = timedelta(minutes=10)  # how far an adviser's watch may be behind the control room's
AFTER = timedelta(hours=24)  # a contact later than this is no contact at that scene


@dataclass(frozen=True, slots=True)
class Candidate:
    """A referral that a contact may have been about."""

    id: str
    event_id: str
    record_id: str
    victim: str
    force: str
    area: str | None
    happened: datetime | None
    head: ReferralHead


def newly_offered(record_id: str) -> ReferralHead:
    """The head of a referral that was made in the same unit."""
    return ReferralHead(1, ReferralStatus.REQUESTED.value, ReferralState.OFFERED.value, record_id)


def match(contact: Attended, candidates: Sequence[Candidate]) -> Candidate | None:
    """The one referral a contact was about; None where that is not plain."""
    if len(candidates) != 1:
        return None
    (one,) = candidates
    elsewhere = contact.area is not None and one.area is not None and contact.area != one.area
    at_the_time = one.happened is None or -BEFORE <= contact.at - one.happened <= AFTER
    ended = one.head.status == ReferralStatus.ENTERED_IN_ERROR.value
    return None if elsewhere or not at_the_time or ended else one


def step_of(contact: Attended, head: ReferralHead) -> Step:
    """Where a referral stands after a contact at its scene, and what police are told of it: codes alone.

    The team has plainly taken a referral that nobody had answered. Whether she engages or declines is hers to say, and
    an adviser's to record: no state of that kind comes of a contact by itself.
    """
    status, state = ReferralStatus(head.status), ReferralState(head.state)
    told: list[Told] = []
    if status in {ReferralStatus.REQUESTED, ReferralStatus.RECEIVED}:
        status = ReferralStatus.ACCEPTED
        reached = contact.contact in {Contact.SPOKEN_TO, Contact.REFUSED}
        state = ReferralState.CONTACTING if reached else ReferralState.ACKNOWLEDGED
        told.append(Told(Feedback(code=FeedbackCode.ACKNOWLEDGED, at=contact.at, author_role=contact.role), None))
    attempt = Feedback(code=FeedbackCode.CONTACT_ATTEMPTED, at=contact.at, count=1, author_role=contact.role)
    return Step(status, state, (*told, Told(attempt, None)))


def join(
    batch: Batch, contact: Attended, to: Candidate, records: Records, *, caller: Caller | None, reason: str
) -> None:
    """Join a contact to a referral: the referral moves on, police are told in codes, and it is sealed (combination).

    `caller` None is the gateway itself; `reason` says what they have in common, or a human's ground.
    """
    step = step_of(contact, to.head)
    head = ReferralHead(to.head.version + 1, step.status.value, step.state.value, to.record_id)
    taken = step.status.value != to.head.status
    batch.change_referral(to.id, head, {"assigned_to": contact.user} if taken else {})
    if taken:
        batch.update(ACKNOWLEDGE_OFFER, {"of": to.id, "at": batch.at})
    by = (caller.user or caller.client) if caller else "gateway"
    batch.update(_JOINED, {"of": contact.id, "event": to.event_id, "referral": to.id, "now": batch.at, "by": by})
    entry = act(
        Event.CO_RESPONSE_JOINED,
        Operation.COMBINATION,
        at=batch.at,
        caller=caller,
        subjects=(subject_of(to.record_id, to.victim),),
        record=to.record_id,
        case=to.id,
        reason=reason,
        detail={"co_response": contact.id, "state": step.state.value, "version": head.version},
    )
    seq = batch.seal(entry)
    said = words(
        step,
        organisation=contact.organisation,
        system=contact.client,
        log_id=batch.log_id,
        area=to.area,
        records=records,
    )
    write_words(batch, seq, said, Listener(to.force, to.id, to.event_id), records)
    codes = {"channel": Channel.AT_THE_SCENE.value, "result": _CAME_OF_IT[contact.contact].value}
    write_events(
        batch, seq, to.id, [plain(Happened("contact-attempt", contact.at, codes, {}))], contact.user, contact.role
    )
    # Somebody has the case; the clock of the first contact runs on, for a word at the scene is not yet the follow-up.
    stop(batch, (Kind.ACKNOWLEDGE,), to.id)


def part(batch: Batch, contact_id: str, until: datetime | None) -> None:
    """Have a contact belong to no referral: that it was about this one was entered in error.

    It waits until an instant for whoever joins it to the case that it was about; with None it never was, and is closed.
    """
    of = {"of": contact_id}
    if until is None:
        batch.update(_NEVER_WAS, of)
        return
    batch.update(_WAITS_AGAIN, of | {"until": timestamp(until)})


_CAME_OF_IT: Mapping[Contact, Result] = {
    Contact.SPOKEN_TO: Result.REACHED,
    Contact.SEEN: Result.NOT_SAFE_THEN,
    Contact.REFUSED: Result.REACHED,
    Contact.NOT_SEEN: Result.NO_ANSWER,
}
"""What a contact at the scene was, as an attempt to reach her."""

_JOINED = (
    update(tables.co_response)
    .where(tables.co_response.c.id == bindparam("of"))
    .values(
        event_id=bindparam("event"),
        referral_id=bindparam("referral"),
        closed_at=bindparam("now"),
        closed_by=bindparam("by"),
        version=tables.co_response.c.version + 1,
    )
)
_NEVER_WAS = (
    update(tables.co_response)
    .where(tables.co_response.c.id == bindparam("of"))
    .values(referral_id=None, version=tables.co_response.c.version + 1)
)
_WAITS_AGAIN = _NEVER_WAS.values(
    event_id=None, closed_at=None, closed_by=None, overdue_at=None, due_at=bindparam("until")
)
