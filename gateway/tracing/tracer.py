"""The rounds of tracing: plan, decide, seal, ask, settle; one person after another, in a thread of its own.

    1. the victims of open referrals to NHS teams whom nobody looked for are planned, each after her children
    2. each that is due is decided on, victims first: what may PDS be told, under the agreement in force now
    3. the disclosure is sealed, and only then PDS is asked, in two passes
    4. what was answered is judged, and settled in one transaction

No referral waits for this. Where PDS keeps failing it is left alone for a while, and what waited too long is in front
of a human. Any number of gateways may make rounds: what one has leased is left alone by the others.

Source: domain.md sections 2.1, 2.6; design.md section 8.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import orjson
from sqlalchemy import Connection, Row, select

from adapters.nhs import pds
from adapters.nhs.pds import Question
from audit.sql import log_head
from gateway.decide import Decision, Facts, decide_on
from gateway.decide import Outcome as Ruled
from gateway.delivery.fault import NotDelivered, TryAgain
from gateway.facts import hours_since
from gateway.logs import Line, say
from gateway.matching.model import Model, shipped
from gateway.minimise import minimise
from gateway.services import Services
from gateway.settings import Environment, Settings
from gateway.store.batch import DecideAgain
from gateway.store.envelope import ContentUnreadable
from gateway.store.traced import ASKED, Candidate, Sought, State
from gateway.terms import Standing
from gateway.tracing import planning, turns
from gateway.tracing.asking import Ask, Outcome, Search, request_id, trace
from gateway.tracing.bands import TEST_NUMBERS, Verdict
from gateway.tracing.children import PURPOSE, why_not
from gateway.tracing.client import Pds, Place
from gateway.tracing.planning import Leave, Plan, Planned
from gateway.tracing.sign_in import KeyUnusable, load_key
from gateway.tracing.steps import Answered, Begin, Refuse, Settle, Unaskable
from mappings.record import Person, Record, Role

AT_ONCE = 50  # of a round: each costs PDS two questions at most, and the platform counts them
FAILURES_MAX = 3  # one after another, before PDS is left alone
PAUSE = timedelta(minutes=1)


class TracingRefused(Exception):
    """The settings name PDS and not what is needed to ask it."""


def place_of(settings: Settings) -> Place | None:
    """Where PDS is; None where the settings name none. Raises TracingRefused naming the setting."""
    if settings.pds_url is None:
        return None

    def missing(name: str) -> NoReturn:
        raise TracingRefused(f"GATEWAY_PDS_URL is set, and GATEWAY_{name.upper()} is not")

    token_url = settings.pds_token_url or missing("pds_token_url")
    api_key = settings.pds_api_key or missing("pds_api_key")
    path = settings.pds_key_file or missing("pds_key_file")
    try:
        key = load_key(path, settings.pds_key_id)
        ca = settings.pds_ca_file.read_text() if settings.pds_ca_file else None
        ssl.create_default_context(cadata=ca)
    except KeyUnusable as unusable:
        raise TracingRefused(f"GATEWAY_PDS_KEY_FILE: {unusable}") from None
    except (OSError, ValueError):
        raise TracingRefused("GATEWAY_PDS_CA_FILE: not a file with certificates in PEM") from None
    return Place(settings.pds_url.rstrip("/"), token_url, api_key, key, ca)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Tracer:
    """Traces what is due. Close it before the services; what is under way comes to its end without another try."""

    def __init__(
        self,
        services: Services,
        search: Search,
        *,
        closing: threading.Event | None = None,
        clock: Callable[[], datetime] = _utc_now,
        model: Model | None = None,
    ) -> None:
        self._services = services
        self._search = search
        self._closing = closing or threading.Event()
        self._clock = clock
        self._model = model or shipped()
        self._production = services.settings.environment is Environment.PRODUCTION
        self._failures = 0
        self._paused: datetime | None = None

    @classmethod
    def of(cls, services: Services) -> Tracer | None:
        """The tracer of the settings; None where they name no PDS. Raises TracingRefused."""
        place = place_of(services.settings)
        if place is None:
            return None
        closing = threading.Event()
        return cls(services, Pds(place, closing).search, closing=closing)

    def round(self, now: datetime) -> None:
        """Plan, and trace what is due in every log."""
        with self._services.database.reading() as connection:
            logs = connection.execute(select(log_head.c.log_id).order_by(log_head.c.log_id)).scalars().all()
        for log_id in logs:
            standing = self._standing(log_id)
            if standing.terms is None:
                continue
            self._plan(log_id, standing)
            self._trace_due(log_id, now)

    def close(self) -> None:
        """End every wait."""
        self._closing.set()

    def _plan(self, log_id: str, standing: Standing) -> None:
        """Have those looked for whom nobody looked for, in this version of their record."""
        services = self._services
        parties = standing.terms.agreement.content.parties if standing.terms else ()
        nhs = [party.organisation for party in parties if party.is_nhs]
        if not nhs:
            return
        with services.database.reading() as connection:
            rows = planning.unplanned(connection, log_id, nhs, AT_ONCE)
        journal = services.journals.of(log_id)
        for row in rows:
            with services.database.reading() as connection:
                record = self._record(connection, row.record_id)
                children = _children(record, row.victim)
                left_out = planning.left_out(connection, row, [one.ref for one in children])
                victim = Sought(row.victim, Role.VICTIM).within(record)
                planned = [self._planned(connection, row, one, one.ref) for one in children]
                planned.append(self._planned(connection, row, victim))
            for ref in left_out:
                journal.submit_and_wait(Leave(row, ref))
            for one in planned:  # she last: what ends in between is planned again
                journal.submit_and_wait(Plan(one))

    def _planned(self, connection: Connection, row: Row[Any], person: Person | None, child: str = "") -> Planned:
        """Somebody of a referral, as what would be asked, with the number that stands."""
        old = planning.earlier(connection, row, child)
        found = self._services.records.traced.open(old) if old is not None and old.state == State.VERIFIED else None
        number = self._blind(found.person.nhs_number) if found is not None else None
        given = person is not None and person.nhs_number is not None
        return Planned(row, self._asked(person), given, number, child)

    def _trace_due(self, log_id: str, now: datetime) -> None:
        standing = self._standing(log_id)
        with self._services.database.reading() as connection:
            rows = turns.due(connection, log_id, standing.epoch, self._clock(), AT_ONCE)
        for listed in rows:
            if self._closing.is_set() or self._left_alone(now):
                return
            standing = self._standing(log_id)
            with self._services.database.reading() as connection:
                row = turns.still_due(connection.execute, listed, standing.epoch, self._clock())
            if row is None:
                continue
            try:
                self._trace(log_id, row, standing)
            except DecideAgain:
                self._services.terms.forget(log_id)  # at the next round, under what stands then

    def _standing(self, log_id: str) -> Standing:
        return self._services.terms.peek(log_id) or self._services.standing(log_id)

    def _left_alone(self, now: datetime) -> bool:
        return self._paused is not None and now < self._paused <= now + 2 * PAUSE  # beyond: the clock was set back

    def _trace(self, log_id: str, row: Row[Any], standing: Standing) -> None:
        """One person: decide, seal, ask, settle."""
        services, journal, sought = self._services, self._services.journals.of(log_id), Sought.of(row)
        with services.database.reading() as connection:
            record = self._record(connection, row.record_id)
            teams = turns.teams(connection.execute, row) if row.child else ()
        meant = sought.within(record)
        if record is None or meant is None:
            journal.submit_and_wait(Unaskable(row, "not-enough-known", standing, self._clock()))
            return
        facts, decision = self._decided(row, record, standing)
        kept_from = why_not(teams, facts, decision.recipient, standing, self._clock()) if row.child else None
        if kept_from is not None:
            journal.submit_and_wait(Refuse(row, kept_from, standing, self._clock()))
            return
        shown = sought.within(minimise(record.for_victim(row.victim), decision))
        question = pds.question(shown) if shown is not None else None
        if question is None and decision.outcome is Ruled.PERMITTED:
            why = "withheld" if pds.question(meant) is not None else "not-enough-known"
            journal.submit_and_wait(Unaskable(row, why, standing, self._clock()))
            return
        begun = journal.submit_and_wait(Begin(row, decision, facts, standing, self._clock())).value
        if begun is None or question is None:
            return
        result = self._ask(row, record, meant, question, decision.organisation or "")
        settle = Settle(row, begun, result, standing, self._clock())
        journal.submit_and_wait(settle)
        if isinstance(result, NotDelivered):
            say(Line.TRACE_FAILED, trace=row.id, why=result.code)
        self._count(result)

    def _decided(self, row: Row[Any], record: Record, standing: Standing) -> tuple[Facts, Decision]:
        kept = Facts.from_json(orjson.loads(row.facts))
        now = self._clock()
        event = _event(record)
        facts = kept.asked_by(None, None, hours_since(event, now) if event else kept.hours_since_event)
        recipient = self._services.settings.pds_recipient
        decision = decide_on(facts, recipient, PURPOSE, standing.terms, now).narrow(ASKED[Sought.of(row).role])
        return facts, decision

    def _ask(
        self, row: Row[Any], record: Record, meant: Person, question: Question, organisation: str
    ) -> Answered | NotDelivered:
        event = _event(record)
        ask = Ask(question, meant, event.date() if event else None, row.id, row.opened_at, organisation)
        try:
            outcome = trace(ask, self._search, self._model)
        except NotDelivered as fault:
            return fault
        return self._answered(row, ask, outcome, meant)

    def _answered(self, row: Row[Any], ask: Ask, outcome: Outcome, meant: Person) -> Answered:
        first = 1 if ask.question.area else 2
        requests = tuple(request_id(ask, number) for number in range(first, first + outcome.passes))
        if outcome.found is None or outcome.judgement is None:
            state = State.FAILED if outcome.reason == "stranger" else State.UNMATCHED
            return Answered(state, outcome.reason, outcome.passes, requests)
        found, judgement = outcome.found, outcome.judgement
        number = found.person.nhs_number or ""
        same, reason = judgement.verdict is Verdict.SAME, None
        if meant.nhs_number is not None and meant.nhs_number != number:
            same, reason = False, "another-number-given"
        if self._production and number.startswith(TEST_NUMBERS):
            same, reason = False, "test-number"
        sought = Sought.of(row)
        person = found.person.model_copy(update={"ref": sought.ref, "role": sought.role})
        candidate = Candidate(person, dict(judgement.levels), found.score, found.label)
        if row.household is not None:
            candidate = candidate.unplaced()
        kept = candidate.number_alone() if same else candidate
        content = self._services.records.traced.seal(row.id, kept)
        return Answered(
            State.VERIFIED if same else State.REVIEW,
            reason,
            outcome.passes,
            requests,
            found.person.nhs_number_status,
            found.label,
            found.score,
            self._blind(number) if same else None,
            content,
        )

    def _record(self, connection: Connection, record_id: str) -> Record | None:
        """A record; None where it was erased or does not open, so that one keeps nobody else from being traced."""
        try:
            return self._services.records.load(connection, [record_id]).get(record_id)
        except ContentUnreadable:
            return None

    def _count(self, result: Answered | NotDelivered) -> None:
        """Leave PDS alone for a while once it has failed several times one after another."""
        if not isinstance(result, TryAgain):
            self._failures, self._paused = 0, None
            return
        self._failures += 1
        if self._failures >= FAILURES_MAX:
            self._failures, self._paused = 0, self._clock() + PAUSE

    def _asked(self, person: Person | None) -> bytes | None:
        """What would be asked, keyed: a later version that changes none of it asks nothing."""
        question = pds.question(person) if person is not None else None
        if question is None or person is None:
            return None
        said = [question.family, question.given, question.born.isoformat(), question.area, person.nhs_number]
        return self._services.records.blind("trace", orjson.dumps(said).decode())

    def _blind(self, number: str | None) -> bytes | None:
        return self._services.records.blind("nhs-number", number) if number else None


def _children(record: Record | None, victim: str) -> list[Person]:
    """The children of a victim's referral who have a name: of one who is not born nobody can be asked."""
    own = record.for_victim(victim) if record is not None else None
    return [one for one in own.of_role(Role.CHILD) if one.names] if own is not None else []


def _event(record: Record) -> datetime | None:
    times = record.times
    return (times.occurred_from or times.reported or times.recorded) if times else None
