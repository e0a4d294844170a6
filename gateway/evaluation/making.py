"""Making the report: take its edition, or find who may be counted, count and hide; seal, and only then give it.

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
from gateway.agreement import Agreement
from gateway.callers import check_recipient
from gateway.errors import NotPermitted, NotSealed
from gateway.evaluation.baseline import LATENCY, Published
from gateway.evaluation.counting import count
from gateway.evaluation.definitions import CHILDREN, RATES, REFERRED
from gateway.evaluation.edition import Edition, Name, edition_for, keep, latest
from gateway.evaluation.period import Period
from gateway.evaluation.reading import EVALUATION, Coded, read_coded, recipient_of
from gateway.evaluation.report import Report, make_report
from gateway.evaluation.suppression import is_small
from gateway.evidence import Caller, Event, act
from gateway.services import Services
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.terms import Standing, agreement_ref
from gateway.under_agreement import ATTEMPTS, decided, log_of, standing_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for: the period, an earlier one to set beside it, and figures of others.

    `revise` has its edition counted anew, which only the operator may ask for.
    """

    period: Period
    published: Sequence[Published] = field(default=())
    before: Period | None = None
    revise: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A report, the receipt of its entry, and the log that is in."""

    report: Report
    receipt: Receipt
    log_id: str


async def make(services: Services, caller: Caller, asked: Asked, reason: str | None = None) -> Made:
    """Make the report for a caller. Raises NotPermitted unless the caller is the agreement's recipient for evaluation.

    Raises BadParameter where no edition has the quarters asked for, Busy, NotSealed.
    """
    log_id = await log_of(services, caller)

    async def attempt() -> Made:
        # 1. Who asks: the recipient that the agreement's flow for evaluation goes to.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        if standing.terms is None or caller.recipient != recipient_of(standing.terms.agreement):
            raise NotPermitted("the agreement's evaluation is for another recipient", reason="not-for-evaluation")

        # 2. The edition as it was kept; where there is none, find who may be counted, each decided on now, and count.
        work = _Work(services, log_id, standing, asked)
        report = await services.database.read(work.report)

        # 3. Seal, and keep what was counted; only then give it.
        committed = await services.journals.of(log_id).submit(work.unit(report, caller, reason))
        return Made(report, committed.receipt, log_id)

    return await decided(services, caller, log_id, attempt)


class NoEvaluation(Exception):
    """The agreement lets nobody evaluate, or none is in force; the words say which."""


def make_here(services: Services, log_id: str, asked: Asked) -> Made:
    """The same for the operator, in this thread. Raises NoEvaluation, BadParameter, LogUnknown, Busy, NotSealed."""
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
        self._new: Edition | None = None

    def report(self, connection: Connection) -> Report:
        """The edition as it was kept, or else counted now; what of it is asked for."""
        terms = self._standing.terms
        if terms is None:
            raise NoEvaluation("no agreement is in force here")
        now, agreement = _milliseconds(datetime.now(UTC)), terms.agreement
        name = edition_for(self._asked.period, now)
        edition, revision = latest(connection, self._log_id, name, agreement.hash)
        if edition is None or self._asked.revise:
            coded = read_coded(connection, self._log_id, self._standing, name.period, now)
            edition = count_edition(coded, agreement, name, revision + 1, now)
            self._new = edition if coded.victims else None
        return make_report(
            edition,
            agreement,
            recipient_of(agreement) or "",
            self._asked.period,
            now,
            published=self._asked.published,
            before=self._asked.before,
        )

    def unit(self, report: Report, caller: Caller | None, reason: str | None) -> MakeReport:
        """What seals it."""
        payload = self._keyring.payload_hash(orjson.dumps(report.to_json()))
        return MakeReport(report, self._standing, payload, caller, reason, self._new)


def _milliseconds(moment: datetime) -> datetime:
    """An instant as rows keep it, so that an edition is the same counted and kept."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def count_edition(coded: Coded, agreement: Agreement, name: Name, revision: int, now: datetime) -> Edition:
    """Count an edition, and hide what is small."""
    closed = frozenset(one.id for one in (REFERRED, *RATES) if not one.items <= coded.releasable)
    if CHILDREN not in coded.releasable:
        closed |= {CHILDREN}
    if "timed" in closed:
        closed |= {LATENCY}
    return Edition(
        name=name,
        revision=revision,
        counted=now,
        tables=count(coded.victims, name.period, agreement.content.areas),
        refused=tuple((reason, None if is_small(n) else n) for reason, n in sorted(coded.refused.items())),
        not_released=closed,
        items=tuple(sorted(coded.items)),
        clauses=tuple(sorted(coded.clauses)),
    )


@dataclass(frozen=True, slots=True)
class MakeReport(Unit[None]):
    """Seal that a report was made, and what was counted for whom; keep the edition where it is `new`.

    Raises DecideAgain where the agreement changed, or the edition was kept in between.
    """

    report: Report
    standing: Standing
    payload: str
    caller: Caller | None
    reason: str | None
    new: Edition | None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        terms, report = self.standing.terms, self.report
        if self.new is not None:
            keep(batch, self.new, report.hash)
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
                "edition": report.edition.name.id,
                "revision": report.edition.revision,
            },
        )
        batch.seal(
            entry._replace(
                recipients=(Recipient(organisation, report.recipient),) if organisation else (),
                clauses=report.edition.clauses,
                items=Items(generalised=report.edition.items),
                purpose=EVALUATION,
            )
        )
