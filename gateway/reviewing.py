"""What somebody decided against a hold or in an emergency, before somebody else: why they did it, and if it was right.

    read_words   what they wrote, for whoever reviews it
    review       justified, or not: what was not ends at once

Both are for named people of the organisation whose person decided, other than that person and than staff connected with
a party to the case (N15). No clause lets what was written go to another organisation: it may say what police are never
told (N5). The words stand encrypted beside the decision; each reading of them is sealed, with a coded reason,
before they leave, and they end with the record they are about. What is not there and what is not theirs are answered
and sealed alike (P8). That a review is due is for others to see (`sides.reviews`), not to settle.

Source: domain.md sections 4.5 (N5, N15), 4.6 (retrospective review within one working day).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson
from sqlalchemy import Row, bindparam, null, or_, select

from audit.entry import Operation
from audit.receipt import Receipt
from gateway.break_glass import ReviewBreakGlass
from gateway.evidence import Caller, Event, act
from gateway.overrides import ReviewOverride
from gateway.reviews import Review, check_reviewer
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.envelope import Envelope, Sealed
from gateway.store.journal import Committed
from gateway.store.records import subject_of
from gateway.ties import ties_of
from gateway.under_agreement import T, decided, governed, missed


class What(StrEnum):
    """What is reviewed."""

    BREAK_GLASS = "break-glass"
    OVERRIDE = "override"


class Why(StrEnum):
    """Why somebody reads what another wrote."""

    REVIEW = "review"
    COMPLAINT = "complaint"
    INSPECTION = "inspection"


async def read_words(
    services: Services, caller: Caller, what: What, id_: str, why: Why
) -> tuple[Mapping[str, str], Receipt]:
    """What somebody wrote: `reason`, or `evidence`, `proportionality`, `minimum_set` and `why_not_told`.

    Raises NotFound, also once they were erased, NotPermitted, Busy, NotSealed.
    """
    committed = await _submit(services, caller, OpenWords(what, id_, why, caller), Event.REVIEW_WORDS_READ)
    sealed = committed.value
    place = f"{_TABLES[what].name}.content|{id_}"
    plain = Envelope(services.keyring.content_key).open(sealed.content, sealed.key, place)
    said = {"reason": plain.decode()} if what is What.BREAK_GLASS else orjson.loads(plain)
    return {name: text for name, text in said.items() if text}, committed.receipt


async def review(services: Services, caller: Caller, what: What, id_: str, outcome: Review) -> Receipt:
    """Say whether it was right. Raises NotFound, NotPermitted, Unprocessable, Busy, NotSealed."""
    unit: Unit[bool] = ReviewBreakGlass(id_, outcome, caller)
    wanted = Event.BREAK_GLASS_REVIEWED
    if what is What.OVERRIDE:
        unit, wanted = ReviewOverride(id_, outcome, caller), Event.OVERRIDE_REVIEWED
    return (await _submit(services, caller, Reviewed(what, id_, unit, caller), wanted)).receipt


@dataclass(frozen=True, slots=True)
class OpenWords(Unit[Sealed | None]):
    """Seal that somebody reads what was written, and take it out, still encrypted; None where there is none for them.

    Raises NotPermitted for its author.
    """

    what: What
    id: str
    why: Why
    caller: Caller

    def apply(self, batch: Batch) -> Sealed | None:  # noqa: D102 - said by Unit.apply
        found = _theirs(batch, self.what, self.id, self.caller)
        key = next(iter(batch.read(_KEY, {"id": self.id})), None)
        if found is None or key is None:
            return None
        row, cases = found
        check_reviewer(row.author, self.caller)
        batch.seal(
            act(
                Event.REVIEW_WORDS_READ,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                subjects=tuple(sorted({subject_of(one.record_id, one.victim) for one in cases})),
                record=cases[0].record_id if cases else None,
                case=row.referral_id,
                reason=self.why.value,
                detail={self.what.value: self.id, "user": row.author},
            )
        )
        return Sealed(bytes(row.content), bytes(key.content_key))


@dataclass(frozen=True, slots=True)
class Reviewed(Unit[bool | None]):
    """Have a review written by somebody whose it is to review; None where there is none for them."""

    what: What
    id: str
    unit: Unit[bool]
    caller: Caller

    def apply(self, batch: Batch) -> bool | None:  # noqa: D102 - said by Unit.apply
        return self.unit.apply(batch) if _theirs(batch, self.what, self.id, self.caller) else None


def _theirs(batch: Batch, what: What, id_: str, caller: Caller) -> tuple[Row[Any], list[Row[Any]]] | None:
    """A decision of the caller's organisation, and the referrals it is about, where they are connected with none."""
    row = next(iter(batch.read(_ROWS[what], {"log": batch.log_id, "id": id_, "own": caller.organisation})), None)
    referral, event = (row.referral_id, row.event_id) if row is not None else (None, None)
    cases = list(batch.read(_CASES, {"log": batch.log_id, "referral": referral or "", "event": event or ""}))
    if row is None or ties_of(batch.read, caller, batch.log_id, cases).connected:
        return None
    return row, cases


async def _submit(services: Services, caller: Caller, unit: Unit[T | None], wanted: Event) -> Committed[T]:
    """What a unit came to; where there was none for the caller, that is sealed, and raised."""
    log_id = await governed(services, caller)

    async def attempt() -> Committed[T | None]:
        return await services.journals.of(log_id).submit(unit)

    committed = await decided(services, caller, log_id, attempt)
    if not committed.value:
        raise await missed(services, caller, log_id, wanted)
    return Committed(committed.value, committed.receipts)


_o, _b, _f = tables.consent_override, tables.break_glass, tables.referral
_TABLES: Final = {What.OVERRIDE: _o, What.BREAK_GLASS: _b}
_ROWS: Final = {
    What.OVERRIDE: select(_o.c.content, _o.c.referral_id, _o.c.event_id, _o.c.decided_by.label("author")).where(
        _o.c.log_id == bindparam("log"), _o.c.id == bindparam("id"), _o.c.organisation == bindparam("own")
    ),
    What.BREAK_GLASS: select(
        _b.c.content, _b.c.referral_id, null().label("event_id"), _b.c.user_id.label("author")
    ).where(_b.c.log_id == bindparam("log"), _b.c.id == bindparam("id"), _b.c.organisation == bindparam("own")),
}
_KEY = select(tables.data_key.c.content_key).where(tables.data_key.c.id == bindparam("id"))
_CASES = (
    select(_f)
    .where(
        _f.c.log_id == bindparam("log"),
        or_(_f.c.id == bindparam("referral"), _f.c.event_id == bindparam("event")),
    )
    .order_by(_f.c.id)
)
