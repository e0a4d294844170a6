"""A contact at the scene and the police record of it: how they find each other, and what the referral shows of it.

An adviser in the car records the contact under the reference the officer gives: a log number with its day, or an
occurrence. The record comes before or after. They are joined where force, reference and day are the same, exactly one
referral of that adviser's team came of it, and neither the area nor the time speaks against it. Anything else is for a
human: nothing is joined to another day's log, another force's, or one of two referrals by guess.

The keys and the rule are pure; `join` writes within a unit that has decided to.

Source: domain.md sections 0a (co-response), 1.3 (log numbers), 4.1 (step 2), 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import bindparam, update

from audit.entry import Operation
from gateway.casework import Step, Told
from gateway.evidence import Caller, Event, act
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead
from gateway.store.records import Records, subject_of
from gateway.telling import ACKNOWLEDGE_OFFER, Listener, words, write_words
from mappings.record import Feedback, FeedbackCode, Record
from mappings.referral import ReferralState, ReferralStatus

BEFORE = timedelta(minutes=10)  # how far an adviser's watch may be behind the control room's
AFTER = timedelta(hours=24)  # a contact later than this is no contact at that scene


class Contact(StrEnum):
    """What happened at the scene."""

    SPOKEN_TO = "spoken-to"
    SEEN = "seen"  # she was there, and nothing was said
    REFUSED = "refused"  # she did not want to speak then; what she wishes is hers to say later
    NOT_SEEN = "not-seen"


@dataclass(frozen=True, slots=True)
class Attended:
    """A contact that waits for its record, as a claim keeps it: codes and times, and nobody's name but staff's."""

    id: str
    organisation: str
    team: str
    client: str
    user: str
    role: str | None
    area: str | None
    contact: Contact
    at: datetime

    def to_json(self) -> dict[str, Any]:
        """The contact as plain JSON values."""
        plain = {name: getattr(self, name) for name in ("id", "organisation", "team", "client", "user", "role", "area")}
        return plain | {"contact": self.contact.value, "at": self.at.isoformat()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Attended:
        """The contact again."""
        return cls(**{**plain, "contact": Contact(plain["contact"]), "at": datetime.fromisoformat(plain["at"])})


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


def log_key(force: str, log: str, day: date) -> str:
    """The name a log number has: unique in a force on a day of London, as records share it (`joining`)."""
    return f"{force}|{log.strip().casefold()}|{day.isoformat()}"


def occurrence_key(force: str, occurrence: str) -> str:
    """The name an occurrence has."""
    return f"{force}|{occurrence.strip().casefold()}"


Blind = Callable[[str, str], bytes]


def scene_key(blind: Blind, kind: str, key: str) -> bytes:
    """Where a contact waits for a record of this name; `kind` is `log-day` or `occurrence`."""
    return _waiting_at(blind(_KINDS[kind], key))


def scene_keys(
    record: Record, organisation: str, shared: Sequence[tuple[str, bytes]], blind: Blind
) -> tuple[bytes, ...]:
    """The names under which contacts may wait for a record; `shared` are those it shares with other records, blind."""
    keys = [_waiting_at(digest) for kind, digest in shared if kind == "log-day"]
    if occurrence := record.reference("occurrence"):
        keys.append(scene_key(blind, "occurrence", occurrence_key(organisation, occurrence)))
    return tuple(keys)


_KINDS = {"log-day": "log-day", "occurrence": "scene-occurrence"}


def _waiting_at(digest: bytes) -> bytes:
    """A place beside the one where records of this name are known."""
    return sha256(b"scene\0" + digest).digest()


def waiting(claimed: bytes | None) -> list[Attended]:
    """The contacts that a claim keeps."""
    return [Attended.from_json(one) for one in orjson.loads(claimed)] if claimed is not None else []


def keep(batch: Batch, key: bytes, contacts: Sequence[Attended]) -> None:
    """Have these contacts wait under a name, in place of those that did. The unit names the key in its claims."""
    value = orjson.dumps([one.to_json() for one in contacts])
    if batch.owner(key) is None:
        batch.claim(key, value)
    else:
        batch.reclaim(key, value)


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
