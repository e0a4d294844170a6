"""What an adviser does in a case: some acts in one transaction, for a system and for a page alike.

Acts go through the machine and the unit that a change of a Task goes through (`journey.change_referral`): the state,
the words to police, the clocks and the entries are the same. A case of another team is as good as none (P8). A repeat
of a request does nothing twice (P2). What was done so far is for `case_history`.

Source: domain.md sections 1.9, 4.1 (steps 6 to 14), 4.2, 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select

from audit.entry import Operation
from audit.entry import Outcome as EntryOutcome
from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.casework import ACCEPTING, Told
from gateway.casework.acts import (
    NEXT_SHIFT,
    Acknowledge,
    Act,
    ChildReferral,
    ContactAttempt,
    CpisChecked,
)
from gateway.casework.codes import Channel, Result
from gateway.casework.effects import Effect, affected
from gateway.casework.keeping import prepare
from gateway.casework.reading import tries
from gateway.casework.rules import Case
from gateway.chance import fresh_id
from gateway.decide import decide_on
from gateway.disclosure import Disclose, Found, Opened, Reader, whole_of
from gateway.errors import IdempotencyConflict, NotFound, TransitionRefused, VersionConflict
from gateway.evidence import Caller, Event, act
from gateway.intake import SAFEGUARDING
from gateway.minimise import minimise
from gateway.referral_change import ChangeReferral, Move
from gateway.same_incident import links_of
from gateway.searching import Search
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.records import subject_of
from gateway.telling import words
from gateway.terms import Standing, agreement_ref
from gateway.under_agreement import decided, log_of, standing_of
from mappings.record import Record, Role
from mappings.referral import ReferralState, ReferralStatus


@dataclass(frozen=True, slots=True)
class Acted:
    """What act_on answers: the case's version, a receipt for each act, and the words to police that it made.

    A word that needs her consent is among `told` only with it; whether any may go is decided when police ask. Where the
    request was a repeat, `known` says so, nothing was done, and the one receipt is of that.
    """

    version: int
    receipts: tuple[Receipt, ...]
    told: tuple[Told, ...]
    log_id: str
    known: bool = False


async def act_on(
    services: Services,
    library: Reader,
    caller: Caller,
    referral_id: str,
    acts: Sequence[Act],
    if_match: Callable[[int], bool] = lambda _: True,
    key: str | None = None,
) -> Acted:
    """Do some acts in a case, all of them or none. `if_match` says whether a version is the one the caller read.

    `key` names the request, so that its repeat is known: the caller's own, of this person and this case.
    Raises NotFound, VersionConflict, TransitionRefused, IdempotencyConflict, NotPermitted, Busy, NotSealed.
    """
    log_id = await log_of(services, caller)
    search = Search(types=("Task",), ids=(referral_id,), event=Event.REFERRAL_CHANGED)
    request = _request(services, caller, referral_id, acts, key)

    async def attempt() -> Acted:
        # 1. The case as the caller may see it; one of another team is as good as none.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        check_named(caller)

        def find(connection: Connection) -> _Seen:
            found = library.find(connection, caller, search, standing, log_id, datetime.now(UTC))
            return _seen(connection, library, found, standing, acts, log_id, request)

        seen = await services.database.read(find)
        journal = services.journals.of(log_id)
        if seen.opened is None:
            await journal.submit(Disclose(seen.found, search, caller, standing))
            raise NotFound("there is no such referral")
        row = seen.opened.row

        # 2. A repeat does nothing again.
        if seen.before is not None and request is not None:
            same = seen.before["body"] == request.body
            unit = NoteNothing(row, caller, standing, REPEATED if same else ANOTHER_BODY)
            receipt = (await journal.submit(unit)).receipt
            if not same:
                raise IdempotencyConflict("this key was used for other acts")
            return Acted(seen.before["version"], (receipt,), (), log_id, known=True)
        if not if_match(row.version):
            raise VersionConflict("the case has changed since it was read: read it again")

        # 3. Judge: each act on the case as the one before it leaves it. A refusal says something of the case.
        try:
            effects = _judged(acts, seen.case, caller.role)
        except TransitionRefused:
            await journal.submit(NoteNothing(row, caller, standing, NOT_ALLOWED))
            raise

        # 4. Keep what was done, the clocks and the words to police; seal each act; only then answer.
        change = _change(services, seen.opened, effects, acts, caller, standing, log_id)
        committed = await journal.submit(ActOnCase(change, request))
        told = tuple(one for effect in effects for one in effect.step.told)
        return Acted(committed.value, committed.receipts, told, log_id)

    return await decided(services, caller, log_id, attempt)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that must do nothing twice: its name, blind, and the keyed hash of what it asks."""

    name: bytes
    body: str


@dataclass(frozen=True, slots=True)
class ActOnCase(Unit[int]):
    """Change a case by acts, and remember the request; returns the new version."""

    change: ChangeReferral
    request: Request | None

    @property
    def referrals(self) -> Sequence[str]:  # type: ignore[override]  # a value computed from the fields
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
    """Seal that acts were asked for and not done: a repeat, a key with other acts, or what may not follow."""

    row: Row[Any]
    caller: Caller
    standing: Standing
    reason: str

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        batch.seal(
            act(
                Event.CASE_ACTED,
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
class _Seen:
    """What was found before anything is judged."""

    found: Found
    opened: Opened | None
    case: Case
    before: dict[str, Any] | None


_NO_CASE = Case(ReferralStatus.ENTERED_IN_ERROR, ReferralState.CLOSED)


def _seen(
    connection: Connection,
    library: Reader,
    found: Found,
    standing: Standing,
    acts: Sequence[Act],
    log_id: str,
    request: Request | None,
) -> _Seen:
    """The case as an act is judged on it, and what became of this request before."""
    if not found.opened:
        return _Seen(found, None, _NO_CASE, None)
    opened = found.opened[0]
    status, state = library.standing_of(opened)
    attempts, fruitless = tries(connection, opened.row.id)
    areas = frozenset(standing.terms.agreement.content.areas) if standing.terms else frozenset[str]()
    record = _record(connection, library, opened, standing) if any(map(_looks, acts)) else None
    victims = record.of_role(Role.VICTIM) if record else ()
    case = Case(
        status,
        state,
        attempts,
        fruitless,
        areas,
        frozenset(child.ref for child in record.of_role(Role.CHILD)) if record else frozenset(),
        victims[0].contacts if victims else (),
    )
    known = None
    if request is not None:
        value = connection.execute(_CLAIMED, {"log": log_id, "name": request.name}).scalar()
        known = orjson.loads(value) if value is not None else None
    return _Seen(found, opened, case, known)


def _looks(one: Act) -> bool:
    """Whether an act is judged on the record: on how she may be reached, or on who her children are."""
    if isinstance(one, ContactAttempt):
        left = one.result is Result.MESSAGE_LEFT
        return left or one.contact is not None or one.channel in {Channel.TEXT, Channel.VOICEMAIL, Channel.EMAIL}
    return isinstance(one, (ChildReferral, CpisChecked))


def _record(connection: Connection, library: Reader, opened: Opened, standing: Standing) -> Record | None:
    """The record as the team may see it; None where it is erased."""
    row, now = opened.row, datetime.now(UTC)
    loaded = library.records.load(connection, [row.record_id, *(link["record"] for link in links_of(row.linked))])
    decision = decide_on(opened.facts, row.team, SAFEGUARDING, standing.terms, now)
    return minimise(whole_of(row, loaded, (), now), decision) if row.record_id in loaded else None


def _judged(acts: Sequence[Act], case: Case, role: str | None) -> list[Effect]:
    now = datetime.now(UTC)
    effects: list[Effect] = []
    for number, one in enumerate(acts):
        effects.append(affected(one, case, role, now, at=f"acts[{number}]", consent_ref=fresh_id()))
        case = effects[-1].case
    return effects


def _change(
    services: Services,
    opened: Opened,
    effects: Sequence[Effect],
    acts: Sequence[Act],
    caller: Caller,
    standing: Standing,
    log_id: str,
) -> ChangeReferral:
    """The unit that the effects amount to: a move for each."""
    moves = [
        Move(
            Event.CASE_ACTED,
            effect.step,
            words(
                effect.step,
                organisation=caller.organisation,
                system=caller.client,
                log_id=log_id,
                area=opened.row.area,
                records=services.records,
            ),
            (prepare(effect.happened, services.keyring),),
            (("types", "Task"), ("act", effect.happened.kind), *_to_whom(effect)),
        )
        for effect in effects
    ]
    assigned = next((one.assigned for one in reversed(effects) if one.assigned is not None), None)
    takes = opened.row.assigned_to is None or any(isinstance(one, Acknowledge) for one in acts)
    if assigned is None and takes and effects[-1].step.status in ACCEPTING:
        assigned = caller.user
    return ChangeReferral(
        opened.row, moves, assigned, opened.decision, opened.facts, caller, standing, services.records
    )


def _to_whom(effect: Effect) -> tuple[tuple[str, str], ...]:
    return () if effect.assigned is None else (("to", effect.assigned or NEXT_SHIFT),)


def _request(
    services: Services, caller: Caller, referral_id: str, acts: Iterable[Act], key: str | None
) -> Request | None:
    if key is None:
        return None
    name = services.keyring.blind("acts", f"{caller.client}|{caller.user}|{referral_id}|{key}")
    said = orjson.dumps([one.model_dump(mode="json", by_alias=True) for one in acts])
    return Request(name, services.keyring.payload_hash(said))


_c = tables.claim
_CLAIMED = select(_c.c.value).where(_c.c.log_id == bindparam("log"), _c.c.key == bindparam("name"))
