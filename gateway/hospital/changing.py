"""The units by which a notice changes after it was taken in: released, kept back, or decided again.

It is decided again on what she says now, and when the override that it went on has ended.

A notice that may go gets its place in the police feed by the entry that says so. Whoever was given something is told
of what stops (P9). The clock of what waits is sealed as late, once.

Source: domain.md section 4.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, update

from audit.entry import Operation, Recipient, timestamp
from gateway.errors import Unprocessable
from gateway.evidence import Caller, Event, act
from gateway.hospital.keeping import write_feed
from gateway.hospital.standing import ONE, Judged, State, state_of
from gateway.notices import EVERYBODY, Kind, Matter, acknowledging, due_by_grade, past_recipients, tell
from gateway.overdue import Late, seal_late
from gateway.overrides import Override
from gateway.quarantine import owner_named
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.store.outstanding import Outstanding
from gateway.store.records import subject_of
from gateway.terms import Standing
from mappings.record import ConsentState, Record


@dataclass(frozen=True, slots=True)
class _Change(Unit[None]):
    """What every change has: the notice as it was read, the decisions it is made on, who makes it."""

    row: Row[Any]
    made: tuple[Judged, ...]
    caller: Caller | None
    standing: Standing

    def _begin(self, batch: Batch) -> tuple[Judged, ...]:
        """The decisions at this instant. Raises DecideAgain where the notice, or a decision, is not what it was."""
        self.standing.check(batch)
        row = next(iter(batch.read(ONE, {"log": batch.log_id, "id": self.row.id})), None)
        if row is None or tuple(row) != tuple(self.row):
            raise DecideAgain("the notice changed")
        return tuple(one.decided_at(self.standing.terms, batch.now) for one in self.made)

    def _seal(
        self, batch: Batch, event: Event, one: Judged, reason: str | None, detail: Mapping[str, str | int]
    ) -> int:
        return batch.seal(
            act(
                event,
                Operation.ALTERATION,
                at=batch.at,
                caller=self.caller,
                decision=one.decision,
                facts=one.facts,
                subjects=(subject_of(self.row.record_id, self.row.victim),),
                record=self.row.record_id,
                case=self.row.id,
                reason=reason,
                mapping=self.row.mapping,
                detail=detail,
            )
        )

    def _stand(self, batch: Batch, values: Mapping[str, Any]) -> None:
        """Write where the notice stands now; what asked for a decision is answered."""
        by = self.caller.who if self.caller else None
        batch.update(update(_n).where(_n.c.id == bindparam("of")).values(updated_at=batch.at, **values), _of(self.row))
        batch.update(_CLOSE_ASKED, {"log": batch.log_id, "event": self.row.id, "at": batch.at, "by": by})

    def _tell(self, batch: Batch, kind: Kind, to: tuple[Recipient, ...], due: datetime, why: str) -> None:
        matter = Matter(kind, self.row.id, None, self.row.record_id, why)
        tell(batch, matter, to, due=due, caller=self.caller, agreement=self.standing.agreement)

    def _due(self, batch: Batch) -> datetime:
        return due_by_grade(self.standing.terms, self.row.grade, batch.now)

    def _open(self, batch: Batch, seq: int, one: Judged) -> None:
        """Give it a place in the feed of a recipient that may have it, and tell them."""
        write_feed(batch, seq, self.row.id, self.row.version, one)
        to = (Recipient(one.decision.organisation or "", one.recipient),)
        self._tell(batch, Kind.HOSPITAL_NOTICE, to, self._due(batch), "hospital-notice")


@dataclass(frozen=True, slots=True)
class _Again(_Change):
    """What is decided again on what she said: it goes, waits, or stops, and whoever was given it hears that it does.

    `record` is the notice's, `duty` whoever decides where the agreement names nobody.
    """

    record: Record
    duty: str

    @property
    def state(self) -> State:
        """Where the notice stands then."""
        return state_of(self.record, self.made)

    def _stands_by(self, batch: Batch, first: Judged, values: Mapping[str, Any]) -> datetime:
        """Write where it stands by a decision; returns when somebody must have decided it."""
        state, due = self.state, due_by_grade(self.standing.terms, self.row.grade, batch.now)
        held = state is State.HELD
        said = {"state": state.value, "decided_at": None if held else batch.at, "overdue_at": None, **values}
        said |= {"due_at": timestamp(due), "reason": None, "owner": None}
        if state is not State.OPEN:
            said |= {"reason": first.decision.reason.value, "owner": self._owner(first) if held else None}
        self._stand(batch, said)
        return due

    def _withdraw(self, batch: Batch, seq: int, one: Judged, given: Iterable[Recipient]) -> None:
        """Give the line that it is withdrawn its place in the feed of whoever was given it, and of nobody else (N2)."""
        if one.recipient in {to.recipient for to in given}:
            write_feed(batch, seq, self.row.id, self.row.version, one, withdrawn=True)

    def _ask(self, batch: Batch, due: datetime, first: Judged) -> None:
        """Where it waits, ask the hospital to decide."""
        if self.state is State.HELD:
            asked = (Recipient(self.row.organisation, EVERYBODY),)
            self._tell(batch, Kind.DECISION_NEEDED, asked, due, first.decision.reason.value)

    def _owner(self, one: Judged) -> str:
        content = self.standing.content
        return owner_named(content, one.decision.owner, self.duty)


_WAIT = frozenset({State.HELD.value, State.STOPPED.value, State.KEPT_BACK.value})


@dataclass(frozen=True, slots=True)
class ReleaseNotice(_Change):
    """Let a notice go, on a ground: the override, its review, and what it makes true, in one transaction."""

    caller: Caller  # a named person's act, and never the clock's
    override: Override

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        made = self._begin(batch)
        if self.row.state not in _WAIT:
            raise Unprocessable("it does not wait for anybody")
        goes = [one for one in made if one.goes]
        if not goes:
            raise Unprocessable(f"it would not go all the same: {made[0].decision.words}")
        terms = self.standing.terms
        due = self.override.write(batch, self.caller, terms, event_id=self.row.id)
        self._stand(
            batch,
            {
                "state": State.OPEN.value,
                "reason": None,
                "owner": None,
                "override_id": self.override.id,
                "decided_at": batch.at,
            },
        )
        said = {
            "override": self.override.id,
            "victim-told": self.override.told.value,
            "days": self.override.days,
            "review-due": due,
        }
        for one in goes:
            seq = self._seal(batch, Event.HOSPITAL_NOTICE_DECIDED, one, self.override.ground.value, said)
            self._open(batch, seq, one)


@dataclass(frozen=True, slots=True)
class KeepBack(_Change):
    """Keep a notice that waits; a later version, or what she says later, is decided anew."""

    reason: str

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        made = self._begin(batch)
        if self.row.state != State.HELD:
            raise Unprocessable("it does not wait for anybody")
        values = {"state": State.KEPT_BACK.value, "reason": "kept-back", "owner": None, "decided_at": batch.at}
        self._stand(batch, values)
        self._seal(batch, Event.HOSPITAL_NOTICE_DECIDED, made[0], self.reason, {"state": State.KEPT_BACK.value})


@dataclass(frozen=True, slots=True)
class ChangeConsent(_Again):
    """Record what she says now, and decide the notice again on it.

    An override that holds goes on holding; what she says counts again from its end.
    """

    consent: ConsentState
    why: str | None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        made = self._begin(batch)
        if self.row.state == State.RETRACTED:
            raise Unprocessable("it was sent in error; there is nothing to share")
        given = past_recipients(batch, (self.row.id,))[self.row.id]
        state = self.state
        due = self._stands_by(batch, made[0], {"consent": self.consent.value})
        detail = {"consent": self.consent.value, "state": state.value} | ({"why": self.why} if self.why else {})
        for one in made:
            seq = self._seal(batch, Event.CONSENT_CHANGED, one, None, detail)
            if one.goes and state is State.OPEN and self.row.state != State.OPEN:
                self._open(batch, seq, one)
            elif state is not State.OPEN and self.row.state == State.OPEN:
                self._withdraw(batch, seq, one, given)
        if state is not State.OPEN:
            stopped = _SAID.get(self.consent, Kind.STOPPED)
            self._tell(batch, stopped, given, due, "hospital-notice")
        self._ask(batch, due, made[0])


_SAID = {ConsentState.REFUSED: Kind.CONSENT_REFUSED, ConsentState.WITHDRAWN: Kind.CONSENT_WITHDRAWN}


@dataclass(frozen=True, slots=True)
class EndRelease(_Again):
    """The override that a notice went on has ended, by its day or by a review: it is decided again on what she said."""

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        made = self._begin(batch)
        given = past_recipients(batch, (self.row.id,))[self.row.id]
        due = self._stands_by(batch, made[0], {"override_id": None})
        detail = {"override": self.row.override_id, "state": self.state.value}
        for one in made:
            seq = self._seal(batch, Event.HOSPITAL_NOTICE_DECIDED, one, "override-ended", detail)
            if self.state is not State.OPEN:
                self._withdraw(batch, seq, one, given)
        if self.state is not State.OPEN:
            self._tell(batch, Kind.STOPPED, given, due, "hospital-notice")
        self._ask(batch, due, made[0])


HELD = Outstanding(tables.hospital_notice, until="decided_at")


@dataclass(frozen=True, slots=True)
class NoteNoticesOverdue(Unit[int]):
    """Seal, once for each, that nobody decided a notice in time; returns how many."""

    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        return seal_late(batch, HELD, self.most, self._late)

    @staticmethod
    def _late(row: Row[Any]) -> Late:
        return Late(
            Event.HOSPITAL_NOTICE_OVERDUE,
            {"due": row.due_at, "risk": row.grade or "unknown"},
            reason=row.reason,
            record=row.record_id,
            case=row.id,
            to=Recipient(row.organisation, "all"),
        )


def _of(row: Row[Any]) -> Mapping[str, Any]:
    return {"of": row.id}


_n, _t = tables.hospital_notice, tables.notice
_CLOSE_ASKED = acknowledging(
    _t.c.event_id == bindparam("event"),
    _t.c.kind == Kind.DECISION_NEEDED.value,
    _t.c.created_at < bindparam("at"),  # one that this change asks for is not answered by it
)
