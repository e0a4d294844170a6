"""What an auditor's reading costs on a log of 10^6: the first page of every filter, of pairs of them, and of nothing.

The log is generated: a year of two forces, two trusts, forty advisers, and a case with a few acts each. Its bodies are
small, for what is measured is finding them. The worst pairs are made on purpose: each half of the log has one of the
two, so that a search through either walks half the log and finds nothing.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from audit import search
from audit import sql as log_sql
from audit.entry import Actor, AgreementRef, Entry, Items, Operation, Outcome, Recipient, timestamp
from audit.log import Growth
from audit.note import Signer
from audit.search import Query
from gateway.store.database import Database
from gateway.store.migrations import upgrade
from tests.bench.figures import MILLISECONDS, Row, middle

LOG = "reads"
FILL = 5_000  # entries of one filling transaction
ROUNDS = 5
MOST_MS = 50.0  # what an auditor may wait for a first page
CASE_ACTS = 20  # entries of one case
BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
_HASH = "ab" * 32


def measure(url: str, engine: str, size: int) -> list[Row]:
    """The worst of every group of searches, in milliseconds."""
    database = Database(url)
    try:
        upgrade(database)
        fill(database, size)
        with database.reading() as connection:
            costs = {name: _cost(connection, ask) for name, ask in asked(size).items()}
            exponent = len(str(size)) - 1
            worst: dict[str, float] = {}
            for name, cost in costs.items():
                group = f"read_{name.partition(' ')[0]}_1e{exponent}"
                worst[group] = max(cost, worst.get(group, 0))
            return [Row(group, engine, cost, MILLISECONDS, MOST_MS) for group, cost in worst.items()]
    finally:
        database.close()


def asked(size: int) -> dict[str, Callable[[Connection], object]]:
    """Every search that is measured, by its group and name."""
    middle, case = size // 2, size // 2 // CASE_ACTS
    day = (timestamp(at(middle)), timestamp(at(middle) + timedelta(days=1)))
    subject = f"{record(case)}.victim-1"
    single = {
        "from": Query(time_from=day[0]),
        "day": Query(time_from=day[0], time_to=day[1]),
        "organisation": Query(organisation="RXL"),
        "client": Query(client="rms-13"),
        "user": Query(user="idva-0007"),
        "subject": Query(subject=subject),
        "record": Query(record=record(case)),
        "case": Query(case=record(case + 1)),
        "clause": Query(clause="4.1"),
        "agreement": Query(agreement=_HASH),
        "recipient": Query(recipient="RTX"),
        "operation": Query(operation=Operation.COLLECTION),
        "outcome": Query(outcome=Outcome.DENIED),
        "event": Query(event="incident-refused"),
        "nothing": Query(event="never"),
    }
    pairs = {
        "common-and-never-together": Query(organisation="RXL", operation=Operation.COLLECTION),
        "halves": Query(clause="first-half", user="idva-second-half"),
        "rare-and-common": Query(event="incident-refused", outcome=Outcome.PERMITTED),
        "day-and-event": Query(time_from=day[0], time_to=day[1], event="incident-refused"),
        "all": Query(
            *day,
            organisation="RXL",
            client="hospital",
            operation=Operation.DISCLOSURE,
            outcome=Outcome.PERMITTED,
            clause="4.1",
        ),
    }
    found: dict[str, Callable[[Connection], object]] = {}
    for kind, queries in (("filter", single), ("pair", pairs)):
        for name, query in queries.items():
            for newest in (False, True):
                found[f"{kind} {name}{' newest first' if newest else ''}"] = _page(query, newest_first=newest)
    found["accounting"] = lambda conn: list(search.disclosures_about(conn, LOG, subject))
    found["count worst"] = lambda conn: search.count(conn, LOG, pairs["common-and-never-together"])
    return found


def _page(query: Query, *, newest_first: bool) -> Callable[[Connection], object]:
    return lambda conn: search.entries(conn, LOG, query, newest_first=newest_first)


def _cost(connection: Connection, ask: Callable[[Connection], object]) -> float:
    """The milliseconds of a round, the middle one of a few; one before them warms the cache."""
    ask(connection)
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask(connection)
        taken.append((time.perf_counter() - began) * 1e3)
    return middle(taken)


def fill(database: Database, size: int) -> None:
    """Make the log and fill it."""
    signer = Signer.of("bench.test/logs/reads", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with database.writing() as connection:
        log_sql.create_log(connection, LOG, signer.name, signer, BEGINS)
    for start in range(0, size, FILL):
        with database.writing() as connection:
            growth = Growth(log_sql.lock_head(connection, LOG))
            for body in bodies(start, min(start + FILL, size), size):
                growth.append(body)
            log_sql.append(connection, LOG, growth.seal(signer), BEGINS)


def at(index: int) -> datetime:
    """When an entry was sealed: about thirty seconds apart, a year in 10^6."""
    return BEGINS + timedelta(milliseconds=31_536 * index)


def record(case: int) -> str:
    """The reference of a case's record."""
    return str(uuid.UUID(int=case))


def bodies(start: int, stop: int, size: int) -> Iterator[bytes]:
    """The entries [start, stop) of a log of a size, in canonical form."""
    for index in range(start, stop):
        case = index // CASE_ACTS
        collection, denied = index % CASE_ACTS == 0, index % 997 == 0
        half = "first-half" if index < size // 2 else "second-half"
        trust = "RXL" if case % 2 else "RTX"
        entry = Entry(
            id=str(uuid.UUID(int=index)),
            time=timestamp(at(index)),
            operation=Operation.COLLECTION if collection else Operation.DISCLOSURE,
            outcome=Outcome.DENIED if denied else Outcome.PERMITTED,
            event="incident-refused" if denied else "incident-accepted" if collection else "referral-read",
            actor=Actor("04", f"rms-{case % 20}") if collection else Actor(trust, "hospital", _user(index, half)),
            recipients=() if collection else (Recipient(trust, "idva-team"),),
            subjects=(f"{record(case)}.victim-1",),
            record=record(case),
            case=record(case + 1),
            agreement=AgreementRef("operation-provide", "1", _HASH),
            clauses=() if denied else ("4.1", "4.2", half),
            items=Items(released=("risk.grade", "victim.name")),
        )
        yield entry.to_bytes()


def _user(index: int, half: str) -> str:
    return f"idva-{half}" if index % 3 == 0 else f"idva-{index % 40:04}"
