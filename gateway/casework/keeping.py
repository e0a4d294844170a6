"""The rows of a case's work: what happened, which only ever grows, and its clocks. Written within a unit that decides.

Codes lie open and hold no personal data but staff identity; words lie encrypted, each act's under a key of its own,
which is deleted when the record is erased. What an act was is sealed as a keyed hash, so that a row that was changed
afterwards is found.

Source: domain.md sections 1.9, 4.2; DPA 2018 s.62 (alteration).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import bindparam, update

from audit.entry import timestamp
from gateway.casework.effects import Happened
from gateway.casework.timers import Kind, Plan, Start
from gateway.chance import fresh_id
from gateway.evidence import Caller
from gateway.keys import Keyring
from gateway.store import tables
from gateway.store.batch import Batch
from gateway.store.envelope import Envelope, Sealed

NOTICE_KINDS = ("clock-reminder", "clock-escalated", "clock-lapsed")
"""The notices that a clock sends: once it is stopped, there is nothing in them to acknowledge."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that happened, ready to be kept: its words encrypted, and the keyed hash of all of it."""

    id: str
    happened: Happened
    sealed: Sealed | None
    payload: str | None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose clocks they are: the referral, and the team of an organisation that works on it."""

    referral_id: str
    organisation: str
    team: str


def prepare(happened: Happened, keyring: Keyring) -> Kept:
    """Encrypt the words of what happened, before the journal is asked."""
    id_ = fresh_id()
    words = orjson.dumps(dict(happened.words))
    sealed = Envelope(keyring.content_key).seal(words, content_name(id_)) if happened.words else None
    return Kept(id_, happened, sealed, fingerprint(happened, keyring))


def plain(happened: Happened) -> Kept:
    """What happened without words, as a change of a Task says it."""
    return Kept(fresh_id(), happened, None, None)


def fingerprint(happened: Happened, keyring: Keyring) -> str:
    """The keyed hash of what happened, as its entry holds it."""
    said = [happened.kind, timestamp(happened.at), happened.codes, happened.words]
    return keyring.payload_hash(orjson.dumps(said, option=orjson.OPT_SORT_KEYS))


def content_name(id_: str) -> str:
    """What the words of an act are sealed for, so that they open nowhere else."""
    return f"case-event.content|{id_}"


def write_events(batch: Batch, seq: int, referral_id: str, kept: Sequence[Kept], by: str, role: str | None) -> None:
    """Keep what happened. `seq` is the index of the entry that seals it, `by` who did it."""
    for number, one in enumerate(kept):
        if one.sealed is not None:
            batch.insert(tables.data_key, {"id": one.id, "content_key": one.sealed.key, "vault_key": None})
        batch.insert(
            tables.case_event,
            {
                "id": one.id,
                "log_id": batch.log_id,
                "referral_id": referral_id,
                "seq": seq,
                "number": number,
                "kind": one.happened.kind,
                "happened_at": timestamp(one.happened.at),
                "recorded_at": batch.at,
                "by": by,
                "role": role,
                "codes": orjson.dumps(dict(one.happened.codes)).decode(),
                "content": one.sealed.content if one.sealed else None,
            },
        )


def by_of(caller: Caller | None) -> tuple[str, str | None]:
    """Who did something, as a row says it: the person where one is named, and their role."""
    return (caller.user or caller.client, caller.role) if caller else ("gateway", None)


def follow(batch: Batch, plan: Plan, owner: Owner) -> None:
    """Stop and start the clocks of a case."""
    started = start(batch, plan.start, owner)
    stop(batch, plan.stop | {one.kind for one in plan.start}, owner.referral_id, but=started)


def start(batch: Batch, starts: Iterable[Start], owner: Owner) -> list[str]:
    """Start clocks; returns their ids. What they do before they lapse is for whoever keeps them (`case_clocks`)."""
    ids: list[str] = []
    for one in starts:
        ids.append(fresh_id())
        batch.insert(
            tables.case_timer,
            {
                "id": ids[-1],
                "log_id": batch.log_id,
                "referral_id": owner.referral_id,
                "kind": one.kind.value,
                "organisation": owner.organisation,
                "team": owner.team,
                "started_at": batch.clock,
                "due_at": timestamp(one.due),
                "next_at": batch.clock,
            },
        )
    return ids


def stop(batch: Batch, kinds: Iterable[Kind], referral_id: str, but: Sequence[str] = ()) -> None:
    """Stop the clocks of these kinds that run, except the new ones; what they said is settled."""
    named = sorted(kind.value for kind in kinds)
    if not named:
        return
    of = {"of": referral_id, "kinds": named, "at": batch.at}
    batch.update(_STOP, of | {"but": list(but)})  # changes run after insertions: the new ones are there already
    batch.update(_SETTLE, of)


def shorten(batch: Batch, starts: Iterable[Start], referral_id: str) -> None:
    """Have clocks that run, and have not lapsed, run out no later than said; nothing gives one more time."""
    for one in starts:
        due = timestamp(one.due)
        batch.update(_SHORTEN, {"of": referral_id, "which": one.kind.value, "due": due, "at": batch.clock})


_t, _n = tables.case_timer, tables.notice
_kinds: Any = bindparam("kinds", expanding=True)
_but: Any = bindparam("but", expanding=True)
_STOP = (
    update(_t)
    .where(_t.c.referral_id == bindparam("of"), _t.c.kind.in_(_kinds), _t.c.stopped_at.is_(None), _t.c.id.not_in(_but))
    .values(stopped_at=bindparam("at"), next_at=None)
)
_SETTLE = (
    update(_n)
    .where(
        _n.c.referral_id == bindparam("of"),
        _n.c.kind.in_(NOTICE_KINDS),
        _n.c.reason.in_(_kinds),
        _n.c.acknowledged_at.is_(None),
    )
    .values(acknowledged_at=bindparam("at"), acknowledged_by="gateway")
)
_SHORTEN = (
    update(_t)
    .where(
        _t.c.referral_id == bindparam("of"),
        _t.c.kind == bindparam("which"),
        _t.c.stopped_at.is_(None),
        _t.c.fired_at.is_(None),
        _t.c.due_at > bindparam("due"),
    )
    .values(
        due_at=bindparam("due"),
        next_at=bindparam("at"),
        remind_at=None,
        escalate_at=None,
        reminded_at=None,
        escalated_at=None,
    )
)
