"""What this gateway does by the clock: erase, warn of ends, end overrides, seal what has run late, ask witnesses.

The list is here, and nothing else; each duty is the work of the module that owns it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from audit.sql import log_head
from gateway.agreement_life import note_expiries
from gateway.batch_rows import EndBroken
from gateway.case_clocks import KeepClocks
from gateway.certificate_ends import note_ends
from gateway.consent import EndOverrides
from gateway.coresponse.unjoined import EraseContacts, NoteMissing
from gateway.delivery.courier import Courier as Deliverer
from gateway.delivery.handing import NoteLate
from gateway.evidence import OPERATOR_LOG
from gateway.hospital.changing import NoteNoticesOverdue
from gateway.hospital.ending import end_releases
from gateway.informing.keeping import NoteRequestsOverdue
from gateway.linking.looking import link_waiting
from gateway.linking.unreviewed import NoteMatchesOverdue
from gateway.logs import Line, say
from gateway.matching.model import shipped
from gateway.messages.erasing import EraseMessages
from gateway.notices import NoteOverdue
from gateway.order_ends import NoteOrdersEnded
from gateway.quarantine import NoteHoldsOverdue
from gateway.retention.schedule import Kept, schedule_of
from gateway.retention.sweep import sweep
from gateway.reviews import NoteReviewsOverdue
from gateway.services import Services
from gateway.shifts import shifts
from gateway.signin.provider.attempts import Tidy
from gateway.signin.sessions import EndLapsed
from gateway.store.batch import Unit
from gateway.terms import agreement_ids
from gateway.timekeeper import Job
from gateway.tracing.overdue import NoteTracesOverdue
from gateway.tracing.tracer import Tracer
from gateway.webhook.courier import Courier
from gateway.witnessing import Collector

OFTEN = timedelta(minutes=1)
"""An override or an agreement that has run out, and a notice that is late, are noticed within it."""

HOURLY = timedelta(hours=1)
"""How often certificates are looked at, of whose end is warned by days."""

MATCH_EVERY = timedelta(seconds=2)
"""How soon after an incident was taken in its people are compared with those of others."""


def jobs(services: Services) -> tuple[Job, ...]:
    """The duties of a gateway over open services."""

    def erase(now: datetime) -> None:
        sweep(services.database, services.journals, services.records, now)
        erase_contacts(services, now)
        erase_messages(services, now)

    def warn(now: datetime) -> None:
        note_expiries(services.database, services.journals, now)

    def end_orders(_: datetime) -> None:
        for log_id in _logs(services):
            unit = NoteOrdersEnded(services.standing(log_id))
            while services.journals.of(log_id).submit_and_wait(unit).value:
                pass

    def note_late_deliveries(_: datetime) -> None:
        for log_id in _logs(services):
            unit = NoteLate(services.standing(log_id))
            while services.journals.of(log_id).submit_and_wait(unit).value:
                pass

    every = timedelta(seconds=services.settings.retention_sweep_seconds)
    return (
        Job("people-linked", MATCH_EVERY, _of(link_people, services)),
        Job("orders-ended", OFTEN, end_orders),
        Job("case-clocks", OFTEN, _of(keep_clocks, services)),
        Job("overrides-ended", OFTEN, _in_every_log(services, EndOverrides)),
        Job("releases-ended", OFTEN, _of(end_hospital_releases, services)),
        Job("deliveries-late", OFTEN, note_late_deliveries),
        Job("notices-overdue", OFTEN, _in_every_log(services, NoteOverdue)),
        Job("contacts-without-record", OFTEN, _in_every_log(services, NoteMissing)),
        Job("reviews-overdue", OFTEN, _in_every_log(services, NoteReviewsOverdue)),
        Job("matches-overdue", OFTEN, _of(note_late_matches, services)),
        Job("traces-overdue", OFTEN, _of(note_late_traces, services)),
        Job("hospital-notices-overdue", OFTEN, _in_every_log(services, NoteNoticesOverdue)),
        Job("information-requests-overdue", OFTEN, _in_every_log(services, NoteRequestsOverdue)),
        Job("holds-overdue", OFTEN, _in_every_log(services, NoteHoldsOverdue)),
        Job("batches-broken", OFTEN, _in_every_log(services, EndBroken)),
        Job("agreements-expiring", OFTEN, warn),
        Job("certificates-ending", HOURLY, lambda now: note_ends(services, now)),
        Job("mapping-drift", OFTEN, _of(note_drift, services)),
        Job("sign-ins-ended", OFTEN, _of(end_sign_ins, services)),
        Job("retention-sweep", every, erase),
    )


def keep_clocks(services: Services) -> None:
    """Remind, escalate and lapse by the clocks of cases."""
    there = shifts(services.settings.shifts)
    for log_id in _logs(services):
        unit = KeepClocks(services.standing(log_id), there)
        while services.journals.of(log_id).submit_and_wait(unit).value:
            pass


def erase_contacts(services: Services, now: datetime) -> None:
    """Erase contacts at the scene that met no record, when an input that nobody could use would go."""
    with services.database.reading() as connection:
        rules = {one: schedule_of(connection, one) for one in agreement_ids(connection)}
    for log_id, schedule in rules.items():
        rule = schedule.rules.get(Kept.QUARANTINE) if schedule else None
        while rule and services.journals.of(log_id).submit_and_wait(EraseContacts(rule.cutoffs(now)[0])).value:
            pass


def erase_messages(services: Services, now: datetime) -> None:
    """Erase messages of NHS systems: those of nobody here after a day, the others as inputs that nobody could use."""
    for log_id in _logs(services):
        with services.database.reading() as connection:
            schedule = schedule_of(connection, log_id)
        rule = schedule.rules.get(Kept.QUARANTINE) if schedule else None
        unit = EraseMessages(rule.cutoffs(now)[0] if rule else None)
        while services.journals.of(log_id).submit_and_wait(unit).value:
            pass


def end_hospital_releases(services: Services) -> None:
    """Decide again the hospitals' notices that went on an override which has ended."""
    for log_id in _logs(services):
        while end_releases(services, log_id):
            pass


def note_late_matches(services: Services) -> None:
    """Seal the matches that nobody decided in time, and say so on the process log, once for each."""
    for log_id in _logs(services):
        while late := services.journals.of(log_id).submit_and_wait(NoteMatchesOverdue()).value:
            say(Line.MATCHES_OVERDUE, log=log_id, matches=late)


def link_people(services: Services) -> bool:
    """Compare the people of what was taken in with those of others, a part; returns whether more may wait."""
    logs = _logs(services)
    done = [link_waiting(services.database, services.journals, services.records, shipped(), one) for one in logs]
    return any(done)


def note_late_traces(services: Services) -> None:
    """Seal the traces that nobody decided in time, and say so on the process log, once for each."""
    for log_id in _logs(services):
        while late := services.journals.of(log_id).submit_and_wait(NoteTracesOverdue()).value:
            say(Line.TRACES_OVERDUE, log=log_id, traces=late)


def note_drift(services: Services) -> None:
    """Seal what has changed in the shape of what forces send."""
    services.drift.flush(services.journals)


def end_sign_ins(services: Services) -> None:
    """End the sessions of the console whose time is over, and forget what was left of signing in."""
    journal = services.journals.of(OPERATOR_LOG)
    while journal.submit_and_wait(EndLapsed(services.settings.console_idle_seconds)).value:
        pass
    journal.submit_and_wait(Tidy())


def _of(duty: Callable[[Services], object], services: Services) -> Callable[[datetime], object]:
    return lambda _: duty(services)


def _in_every_log(services: Services, unit: Callable[[], Unit[int]]) -> Callable[[datetime], None]:
    """A duty done by a unit in each log, until it finds nothing more; the unit asks the time of its batch."""

    def run(_: datetime) -> None:
        for log_id in _logs(services):
            while services.journals.of(log_id).submit_and_wait(unit()).value:
                pass

    return run


def _logs(services: Services) -> Sequence[str]:
    with services.database.reading() as connection:
        return connection.execute(select(log_head.c.log_id).order_by(log_head.c.log_id)).scalars().all()


def witness_rounds(services: Services) -> tuple[Job, ...]:
    """The one duty that waits for other people's machines, and so is given a thread of its own."""
    every = timedelta(seconds=services.settings.witness_interval_seconds)
    return (Job("witness-round", every, Collector(services).round),)


def webhook_rounds(courier: Courier) -> tuple[Job, ...]:
    """The rounds of pushing feedback: they hand the work on, and a thread of their own keeps them in time."""
    return (Job("webhook-round", WEBHOOK_EVERY, courier.round),)


def delivery_rounds(deliverer: Deliverer) -> tuple[Job, ...]:
    """The rounds of delivering referrals: as those of pushing."""
    return (Job("delivery-round", DELIVERY_EVERY, deliverer.round),)


DELIVERY_EVERY = timedelta(seconds=1)
"""How soon a referral is delivered after it was made or changed."""

WEBHOOK_EVERY = timedelta(seconds=2)
"""How soon a word is pushed after it was said."""


def trace_rounds(tracer: Tracer) -> tuple[Job, ...]:
    """The rounds of looking for NHS numbers: they wait for PDS, and so are given a thread of their own."""
    return (Job("trace-round", TRACE_EVERY, tracer.round),)


TRACE_EVERY = timedelta(seconds=5)
"""How soon a new victim is looked for; her referral does not wait for it."""
