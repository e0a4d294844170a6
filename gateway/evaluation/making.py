"""Making the report: find who may be counted, count, hide, seal, and only then give it.

    make       for a caller who is the agreement's recipient for evaluation
    make_here  for the operator at the gateway itself, for the same recipient

One entry seals a report: who asked, for which period, under which clauses, which items were counted, and the keyed hash
of what was given, so that a report can be held against its entry. It is a consultation and names no subject: with small
numbers hidden nothing of anybody leaves.

Source: domain.md sections 3.1 (F6), 3.2 (consultation), 4.1 (step 15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection

from audit.entry import Items, Operation, Recipient
from audit.receipt import Receipt
from gateway.callers import check_recipient
from gateway.errors import NotPermitted, NotSealed
from gateway.evaluation.baseline import Published
from gateway.evaluation.period import Period
from gateway.evaluation.reading import EVALUATION, Coded, read_coded, recipient_of
from gateway.evaluation.report import Report, make_report
from gateway.evidence import Caller, Event, act
from gateway.services import Services
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.terms import Standing, agreement_ref
from gateway.under_agreement import ATTEMPTS, decided, log_of, standing_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for: the period, an earlier one to set beside it, and figures of others."""

    period: Period
    published: Sequence[Published] = field(default=())
    before: Period | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A report, the receipt of its entry, and the log that is in."""

    report: Report
    receipt: Receipt
    log_id: str


async def make(services: Services, caller: Caller, asked: Asked, reason: str | None = None) -> Made:
    """Make the report for a caller. Raises NotPermitted unless the caller is the agreement's recipient for evaluation.

    Raises Busy, NotSealed.
    """
    log_id = await log_of(services, caller)

    async def attempt() -> Made:
        # 1. Who asks: the recipient that the agreement's flow for evaluation goes to.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        if standing.terms is None or caller.recipient != recipient_of(standing.terms.agreement):
            raise NotPermitted("the agreement's evaluation is for another recipient", reason="not-for-evaluation")

        # 2. Find who may be counted, each decided on now; count them, and hide what is small.
        work = _Work(services, log_id, standing, asked)
        report = await services.database.read(work.report)

        # 3. Seal; only then give it.
        committed = await services.journals.of(log_id).submit(work.unit(report, caller, reason))
        return Made(report, committed.receipt, log_id)

    return await decided(services, caller, log_id, attempt)


class NoEvaluation(Exception):
    """The agreement lets nobody evaluate, or none is in force; the words say which."""


def make_here(services: Services, log_id: str, asked: Asked) -> Made:
    """The same for the operator, in this thread. Raises NoEvaluation, LogUnknown, Busy, NotSealed."""
    for _ in range(ATTEMPTS):
        standing = services.standing(log_id)
        if standing.terms is None or recipient_of(standing.terms.agreement) is None:
            raise NoEvaluation("no agreement is in force here that has a flow for evaluation")
        work = _Work(services, log_id, standing, asked)
        with services.database.reading() as connection:
            report = work.report(connection)
        try:
            committed = services.journals.of(log_id).submit_and_wait(work.unit(report, None, None))
        except DecideAgain:
            continue
        return Made(report, committed.receipt, log_id)
    raise NotSealed("the agreement keeps changing; nothing is released", headers={"Retry-After": "1"})


class _Work:
    """One report on its way: reads within a connection, then names what is sealed."""

    def __init__(self, services: Services, log_id: str, standing: Standing, asked: Asked) -> None:
        self._keyring = services.keyring
        self._log_id = log_id
        self._standing = standing
        self._asked = asked
        self._items: frozenset[str] = frozenset()
        self._clauses: frozenset[str] = frozenset()

    def report(self, connection: Connection) -> Report:
        """Read, count and hide."""
        terms = self._standing.terms
        if terms is None:
            raise NoEvaluation("no agreement is in force here")
        now = datetime.now(UTC)
        coded = self._read(connection, self._asked.period, now)
        before = self._read(connection, self._asked.before, now) if self._asked.before else None
        return make_report(
            coded,
            terms.agreement,
            recipient_of(terms.agreement) or "",
            self._asked.period,
            now,
            published=self._asked.published,
            before=before,
            before_period=self._asked.before,
        )

    def unit(self, report: Report, caller: Caller | None, reason: str | None) -> MakeReport:
        """What seals it."""
        payload = self._keyring.payload_hash(orjson.dumps(report.to_json()))
        return MakeReport(
            report, self._standing, tuple(sorted(self._clauses)), tuple(sorted(self._items)), payload, caller, reason
        )

    def _read(self, connection: Connection, period: Period, now: datetime) -> Coded:
        coded = read_coded(connection, self._log_id, self._standing, period, now)
        self._items |= coded.items
        self._clauses |= coded.clauses
        return coded


@dataclass(frozen=True, slots=True)
class MakeReport(Unit[None]):
    """Seal that a report was made, and what was counted for whom. Raises DecideAgain where the agreement changed."""

    report: Report
    standing: Standing
    clauses: tuple[str, ...]
    items: tuple[str, ...]
    payload: str
    caller: Caller | None
    reason: str | None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        terms, report = self.standing.terms, self.report
        content = terms.agreement.content if terms else None
        found = content.recipient(report.recipient) if content else None
        organisation = content.party(found.party).organisation if content and found else None
        entry = act(
            Event.REPORT_MADE,
            Operation.CONSULTATION,
            at=batch.at,
            caller=self.caller,
            agreement=agreement_ref(terms.agreement) if terms else None,
            reason=self.reason,
            payload=self.payload,
            detail={
                "what": EVALUATION,
                "from": report.period.starts.isoformat(),
                "until": report.period.until.isoformat(),
            },
        )
        batch.seal(
            entry._replace(
                recipients=(Recipient(organisation, report.recipient),) if organisation else (),
                clauses=self.clauses,
                items=Items(generalised=self.items),
                purpose=EVALUATION,
            )
        )
