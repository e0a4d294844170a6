"""The road that everything goes which somebody does in a case: find, look, judge, keep and seal; a repeat does nothing.

A case of another team is as good as none (P8). A request that was sent before is known by its name, and the second time
nothing is done (P2). What is refused says something of the case, and so a refusal is sealed too.

Source: design.md sections 2 (P2, P8), 3; domain.md section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import Connection, Row, bindparam, select

from audit.entry import Operation
from audit.entry import Outcome as EntryOutcome
from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.disclosure import Disclose, Found, Opened, Reader
from gateway.errors import IdempotencyConflict, NotFound, TransitionRefused, VersionConflict
from gateway.evidence import Caller, Event, act
from gateway.searching import Search
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.records import subject_of
from gateway.terms import Standing, agreement_ref
from gateway.under_agreement import decided, log_of, standing_of

L = TypeVar("L")
J = TypeVar("J")


@dataclass(frozen=True, slots=True)
class Here(Generic[L]):
    """A case that somebody is about to do something in: as this caller may see it, and what was looked up for it."""

    opened: Opened
    looked: L
    standing: Standing
    log_id: str


@dataclass(frozen=True, slots=True)
class Asked(Generic[L, J]):
    """What is asked: `said` in a form that is the same for the same, `look` at what it is judged on, and `judge`.

    `judge` gives the unit that does it, which returns the new version of the case, and what the caller is told of it;
    it raises TransitionRefused. `event` is what a refusal is sealed as. `kept` finds a case that is kept from the
    caller, where what is asked may be done in it all the same; nothing of it is shown.
    """

    said: bytes
    look: Callable[[Connection, Opened, Standing], L]
    judge: Callable[[Here[L]], tuple[Unit[int], J]]
    event: Event = Event.CASE_ACTED
    kept: Callable[[Connection, Search, Standing, str], Opened | None] = lambda *_: None


@dataclass(frozen=True, slots=True)
class Done(Generic[J]):
    """What was done: the case's version, the receipts, and what was judged; None where it was a repeat."""

    version: int
    receipts: tuple[Receipt, ...]
    judged: J | None
    log_id: str


async def do(
    services: Services,
    library: Reader,
    caller: Caller,
    referral_id: str,
    asked: Asked[L, J],
    if_match: Callable[[int], bool] = lambda _: True,
    key: str | None = None,
) -> Done[J]:
    """Do something in a case. `if_match` says whether a version is the one the caller read; `key` names the request.

    Raises NotFound, VersionConflict, TransitionRefused, IdempotencyConflict, NotPermitted, Busy, NotSealed.
    """
    log_id = await log_of(services, caller)
    search = Search(types=("Task",), ids=(referral_id,), event=Event.REFERRAL_CHANGED)
    request = _request(services, caller, referral_id, asked.said, key)

    async def attempt() -> Done[J]:
        # 1. The case as the caller may see it; one of another team is as good as none.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        check_named(caller)

        def find(connection: Connection) -> _Seen[L]:
            found = library.find(connection, caller, search, standing, log_id, datetime.now(UTC))
            opened = found.opened[0] if found.opened else asked.kept(connection, search, standing, log_id)
            if opened is None:
                return _Seen(found, None, None)
            here = Here(opened, asked.look(connection, opened, standing), standing, log_id)
            return _Seen(found, here, _before(connection, log_id, request))

        seen = await services.database.read(find)
        journal = services.journals.of(log_id)
        if seen.here is None:
            await journal.submit(Disclose(seen.found, search, caller, standing))
            raise NotFound("there is no such referral")
        row = seen.here.opened.row

        # 2. A repeat does nothing again.
        if seen.before is not None and request is not None:
            same = seen.before["body"] == request.body
            unit = NoteNothing(row, caller, standing, REPEATED if same else ANOTHER_BODY, asked.event)
            receipt = (await journal.submit(unit)).receipt
            if not same:
                raise IdempotencyConflict("this key was used for other acts")
            return Done(seen.before["version"], (receipt,), None, log_id)
        if not if_match(row.version):
            raise VersionConflict("the case has changed since it was read: read it again")

        # 3. Judge. A refusal says something of the case.
        try:
            change, judged = asked.judge(seen.here)
        except TransitionRefused:
            await journal.submit(NoteNothing(row, caller, standing, NOT_ALLOWED, asked.event))
            raise

        # 4. Keep and seal in one transaction; only then answer.
        committed = await journal.submit(Remembered(change, request))
        return Done(committed.value, committed.receipts, judged, log_id)

    return await decided(services, caller, log_id, attempt)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that must do nothing twice: its name, blind, and the keyed hash of what it asks."""

    name: bytes
    body: str


@dataclass(frozen=True, slots=True)
class Remembered(Unit[int]):
    """Change a case, and remember the request; returns the new version."""

    change: Unit[int]
    request: Request | None

    @property
    def referrals(self) -> Sequence[str]:
        """The referral that must not have changed."""
        return self.change.referrals

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The name of the request."""
        return (self.request.name,) if self.request else ()

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        version = self.change.apply(batch)  # of two that are the same, the second finds another version
        if self.request is not None:
            batch.claim(self.request.name, orjson.dumps({"body": self.request.body, "version": version}))
        return version


@dataclass(frozen=True, slots=True)
class NoteNothing(Unit[None]):
    """Seal that something was asked for and not done: a repeat, a key with another body, or what may not follow."""

    row: Row[Any]
    caller: Caller
    standing: Standing
    reason: str
    event: Event

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        batch.seal(
            act(
                self.event,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                outcome=EntryOutcome.PERMITTED if self.reason == REPEATED else EntryOutcome.DENIED,
                agreement=agreement_ref(self.standing.terms.agreement) if self.standing.terms else None,
                subjects=(subject_of(self.row.record_id, self.row.victim),),
                record=self.row.record_id,
                case=self.row.id,
                reason=self.reason,
            )
        )


REPEATED, ANOTHER_BODY, NOT_ALLOWED = "repeated", "another-body", "may-not-follow"
"""Why nothing was done."""


@dataclass(frozen=True, slots=True)
class _Seen(Generic[L]):
    """What was found before anything is judged; `before` is what became of this request when it was sent before."""

    found: Found
    here: Here[L] | None
    before: dict[str, Any] | None


def _before(connection: Connection, log_id: str, request: Request | None) -> dict[str, Any] | None:
    if request is None:
        return None
    value = connection.execute(_CLAIMED, {"log": log_id, "name": request.name}).scalar()
    found: dict[str, Any] | None = orjson.loads(value) if value is not None else None
    return found


def _request(services: Services, caller: Caller, referral_id: str, said: bytes, key: str | None) -> Request | None:
    if key is None:
        return None
    name = services.keyring.blind("acts", f"{caller.client}|{caller.user}|{referral_id}|{key}")
    return Request(name, services.keyring.payload_hash(said))


_c = tables.claim
_CLAIMED = select(_c.c.value).where(_c.c.log_id == bindparam("log"), _c.c.key == bindparam("name"))
