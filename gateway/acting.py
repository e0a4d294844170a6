"""What an adviser does in a case: some acts in one transaction, for a system and for a page alike.

Acts go through the machine and the unit that a change of a Task goes through (`journey.change_referral`): the state,
the words to police, the clocks and the entries are the same. What was done so far is for `case_history`, what was
entered by mistake for `entered_in_error`.

Source: domain.md sections 1.9, 4.1 (steps 6 to 14), 4.2, 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection

from audit.receipt import Receipt
from gateway import in_case
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
from gateway.disclosure import Opened, Reader, whole_of
from gateway.evidence import Caller, Event
from gateway.in_case import Asked, Here
from gateway.intake import SAFEGUARDING
from gateway.minimise import minimise
from gateway.referral_change import ChangeReferral, Move
from gateway.same_incident import links_of
from gateway.services import Services
from gateway.telling import words
from gateway.terms import Standing
from mappings.record import Record, Role


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

    def look(connection: Connection, opened: Opened, standing: Standing) -> Case:
        return _case(connection, library, opened, standing, acts)

    def judge(here: Here[Case]) -> tuple[ChangeReferral, list[Effect]]:
        effects = _judged(acts, here.looked, caller.role)  # each act on the case as the one before it leaves it
        return _change(services, here, effects, acts, caller), effects

    said = orjson.dumps([one.model_dump(mode="json", by_alias=True) for one in acts])
    done = await in_case.do(services, library, caller, referral_id, Asked(said, look, judge), if_match, key)
    told = tuple(one for effect in done.judged or () for one in effect.step.told)
    return Acted(done.version, done.receipts, told, done.log_id, known=done.judged is None)


def _case(connection: Connection, library: Reader, opened: Opened, standing: Standing, acts: Sequence[Act]) -> Case:
    """The case as an act is judged on it."""
    status, state = library.standing_of(opened)
    attempts, fruitless = tries(connection, opened.row.id)
    areas = frozenset(standing.terms.agreement.content.areas) if standing.terms else frozenset[str]()
    record = _record(connection, library, opened, standing) if any(map(_looks, acts)) else None
    victims = record.of_role(Role.VICTIM) if record else ()
    return Case(
        status,
        state,
        attempts,
        fruitless,
        areas,
        frozenset(child.ref for child in record.of_role(Role.CHILD)) if record else frozenset(),
        victims[0].contacts if victims else (),
    )


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
    services: Services, here: Here[Case], effects: Sequence[Effect], acts: Sequence[Act], caller: Caller
) -> ChangeReferral:
    """The unit that the effects amount to: a move for each."""
    opened = here.opened
    moves = [
        Move(
            Event.CASE_ACTED,
            effect.step,
            words(
                effect.step,
                organisation=caller.organisation,
                system=caller.client,
                log_id=here.log_id,
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
        opened.row, moves, assigned, opened.decision, opened.facts, caller, here.standing, services.records
    )


def _to_whom(effect: Effect) -> tuple[tuple[str, str], ...]:
    return () if effect.assigned is None else (("to", effect.assigned or NEXT_SHIFT),)
