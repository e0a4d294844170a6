"""A message is kept once, with its answer: bytes, name, digest and what became of it, in one unit and one seal.

A message is known by its name: the client, the sending application and facility, and its control id (MSH-3, MSH-4,
MSH-10). The same bytes under it again get the first answer again, and nothing happens twice (P2). Other bytes under it
are a conflict, unless the first were not accepted (they come again corrected), or the name is so old that the sender's
counter has come round.

Source: domain.md section 2.9 (persist before AA; duplicate MSH-10 from the same MSH-3/4); design.md section 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import orjson

from audit.entry import Operation, Outcome
from gateway.chance import fresh_id
from gateway.evidence import Caller, Event, act
from gateway.keys import Keyring
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.envelope import Envelope, Sealed

NAME_DAYS = 30
"""How long a control id names one message: engines count around, and a duplicate comes within days."""


class Became(StrEnum):
    """What became of a message."""

    NOBODY = "nobody-here"  # it is of nobody whose case is open here
    NOTHING_TO_DO = "nothing-to-do"  # a movement on a ward
    NOTHING_NEW = "nothing-new"  # it says what is known
    OLDER = "older-than-known"  # its sender recorded it before what was proposed last
    NOT_SURE = "number-not-sure"  # its number fits, and nothing else of it does
    PROPOSED = "proposed"  # a person decides what of it is used
    MERGED = "merged"
    NOTICE = "notice"
    REPLY = "reply"
    CONFLICT = "conflict"  # its name was used for another message


@dataclass(frozen=True, slots=True)
class Given:
    """The answer a message gets, and why; `again` where it was kept before."""

    ack: str
    became: Became
    again: bool = False


class Work(Protocol):
    """What a message does beside being kept, within its unit."""

    @property
    def referrals(self) -> Sequence[str]:
        """The referrals it relies on."""

    def apply(self, batch: Batch, message_id: str) -> Became:
        """Do it; read before anything is written. Raises DecideAgain."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message ready for the journal. `content` is None where its bytes are kept elsewhere.

    `digest` is keyed, and the same for the same bytes; `about` is the event they belong to, where one is known,
    `also` another name of what it says, which other messages of its patient repeat.
    """

    id: str
    caller: Caller
    type: str
    name: bytes
    digest: str
    content: Sealed | None
    about: str | None = None
    also: bytes | None = None


def arrived(
    keyring: Keyring,
    caller: Caller,
    raw: bytes,
    *,
    type_: str,
    name: str,
    kept_elsewhere: bool = False,
    about: str | None = None,
    also: bytes | None = None,
) -> Arrived:
    """A message as it came. `name` is what its sender calls it."""
    id_ = fresh_id()
    sealed = None if kept_elsewhere else Envelope(keyring.content_key).seal(raw, content_name(id_))
    own = message_name(keyring, caller, name)
    return Arrived(id_, caller, type_, own, keyring.payload_hash(raw), sealed, about, also)


def message_name(keyring: Keyring, caller: Caller, name: str) -> bytes:
    """The keyed name under which a message of a client is known."""
    return keyring.blind("hl7-message", f"{caller.organisation}|{caller.client}|{name}")


def content_name(id_: str) -> str:
    """What the bytes of a message are sealed for, so that they open nowhere else."""
    return f"hl7-message.content|{id_}"


@dataclass(frozen=True, slots=True)
class KeepMessage(Unit[Given]):
    """Keep a message with what becomes of it; one that was kept before only gets its answer again."""

    arrived: Arrived
    became: Became
    work: Work | None = None

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The names of the message."""
        return (self.arrived.name,) if self.arrived.also is None else (self.arrived.name, self.arrived.also)

    @property
    def referrals(self) -> Sequence[str]:
        """What its work relies on."""
        return self.work.referrals if self.work else ()

    def apply(self, batch: Batch) -> Given:  # noqa: D102 - said by Unit.apply
        one = self.arrived
        before = batch.owner(one.name)
        known = orjson.loads(before) if before is not None else None
        if known is not None and not forgotten(known["at"], batch.now):
            return self._again(batch, known)
        became = self.work.apply(batch, one.id) if self.work else self.became
        self._write(batch, became, replaces=known is not None)
        return Given("AA", became)

    def _again(self, batch: Batch, known: dict[str, Any]) -> Given:
        same = known["digest"] == self.arrived.digest
        batch.seal(
            act(
                Event.MESSAGE_REPEATED,
                Operation.COLLECTION,
                at=batch.at,
                caller=self.arrived.caller,
                outcome=Outcome.PERMITTED if same else Outcome.DENIED,
                reason=None if same else Became.CONFLICT.value,
                detail={"message": known["id"], "type": self.arrived.type},
            )
        )
        return Given("AA", Became(known["became"]), again=True) if same else Given("AE", Became.CONFLICT, again=True)

    def _write(self, batch: Batch, became: Became, *, replaces: bool) -> None:
        one = self.arrived
        value = orjson.dumps({"id": one.id, "digest": one.digest, "became": became.value, "at": batch.at})
        (batch.reclaim if replaces else batch.claim)(one.name, value)
        if one.also is not None:
            (batch.claim if batch.owner(one.also) is None else batch.reclaim)(one.also, value)
        batch.insert(
            tables.hl7_message,
            {
                "id": one.id,
                "log_id": batch.log_id,
                "client": one.caller.client,
                "type": one.type,
                "digest": one.digest,
                "content": one.content.content if one.content else None,
                "content_key": one.content.key if one.content else None,
                "ack": "AA",
                "became": became.value,
                "about": one.about,
                "received_at": batch.at,
            },
        )
        batch.seal(
            act(
                Event.MESSAGE_RECEIVED,
                Operation.COLLECTION,
                at=batch.at,
                caller=one.caller,
                payload=one.digest,
                detail={"message": one.id, "type": one.type, "became": became.value},
            )
        )


@dataclass(frozen=True, slots=True)
class RefuseMessage(Unit[None]):
    """Seal that a message was refused and not kept; `reason` is a code."""

    caller: Caller
    type: str
    reason: str

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        batch.seal(
            act(
                Event.MESSAGE_REFUSED,
                Operation.COLLECTION,
                at=batch.at,
                caller=self.caller,
                outcome=Outcome.DENIED,
                reason=self.reason,
                detail={"type": self.type},
            )
        )


def forgotten(at: str, now: datetime) -> bool:
    """Whether a name was given so long ago that it names another message now."""
    return now - datetime.fromisoformat(at) > timedelta(days=NAME_DAYS)
