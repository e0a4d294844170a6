"""Searching a log: what is found is what a walk would find, in any order, and no search walks."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine, delete, event, text, update

from audit import search, sql
from audit.entry import Actor, Entry, Operation, Outcome, Recipient
from audit.errors import StorageFault
from audit.facets import BLOCK, bitmaps, facets_of, pack_bits, unpack_bits
from audit.note import Signer
from audit.search import Query
from gateway.store.database import Database
from tests.audit.worked import ORIGIN, entry, grown
from tests.bench import reads

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SMALL = 8  # entries of a block, so that a log of a hundred has many
CHOICES: dict[str, tuple[Any, ...]] = {
    "organisation": ("04", "RXL"),
    "client": ("rms", "hospital"),
    "user": ("idva-1", "idva-2"),
    "subject": ("s-1", "s-2", "s-3"),
    "record": ("r-1", "r-2", "r-3"),
    "case": ("c-1", "c-2", "c-3"),
    "clause": ("4.1", "4.2"),
    "recipient": ("RXL", "RTX"),
    "agreement": ("northshire-provide", "northshire-provide:3", "none"),
    "operation": (Operation.DISCLOSURE, Operation.COLLECTION),
    "outcome": tuple(Outcome),
    "event": ("referral-read", "incident-accepted"),
}


def drawn(chance: random.Random, number: int) -> Entry:
    """An entry with a value of every facet, or none where it can lack one."""

    def one(name: str) -> Any:
        return chance.choice(CHOICES[name])

    return entry(number)._replace(
        operation=one("operation"),
        outcome=one("outcome"),
        event=one("event"),
        actor=Actor(one("organisation"), one("client"), chance.choice([None, *CHOICES["user"]])),
        recipients=tuple(Recipient(one("recipient"), "team") for _ in range(chance.randrange(3))),
        subjects=tuple(chance.sample(CHOICES["subject"], chance.randrange(3))),
        record=chance.choice([None, *CHOICES["record"]]),
        case=chance.choice([None, *CHOICES["case"]]),
        clauses=tuple(chance.sample(CHOICES["clause"], chance.randrange(3))),
        agreement=chance.choice([None, entry(0).agreement]),
    )


def matches(one: Entry, query: Query) -> bool:
    """What a walk would say of an entry."""
    held = facets_of(one.to_bytes())
    in_time = (query.time_from or "") <= one.time and (query.time_to is None or one.time < query.time_to)
    return in_time and all(held & set(term) for term in query.terms())


queries = st.builds(
    Query,
    **{name: st.none() | st.sampled_from(values) for name, values in CHOICES.items()},
    time_from=st.none() | st.integers(0, 110).map(lambda number: entry(number).time),
    time_to=st.none() | st.integers(0, 110).map(lambda number: entry(number).time),
    any_of=st.lists(
        st.lists(st.sampled_from([("event", "referral-read"), ("case", "c-1"), ("user", "idva-2")]), max_size=2).map(
            tuple
        ),
        max_size=2,
    ).map(tuple),
)


@pytest.fixture
def log(engine: Engine, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> tuple[Engine, list[Entry]]:
    """A log of 100 drawn entries in uneven batches, twelve full blocks and a half."""
    for module in (sql.head, search):
        monkeypatch.setattr(module, "BLOCK", SMALL)
    for name, number in (("_PAGE", 7), ("_WINDOW", 2), ("_WIDEST", 4), ("_STRETCH", 3), ("_POINTS", 4)):
        monkeypatch.setattr(search, name, number)
    print("seed", 11)
    chance = random.Random(11)
    made = [drawn(chance, number) for number in range(100)]
    with engine.begin() as conn:
        sql.create_log(conn, "a", ORIGIN, signer, NOW)
    start = 0
    while start < len(made):
        upto = min(start + chance.randrange(1, 25), len(made))
        append(engine, made[start:upto], signer)
        start = upto
    return engine, made


def append(engine: Engine, entries: Sequence[Entry], signer: Signer) -> None:
    with engine.begin() as conn:
        bodies = [one.to_bytes() for one in entries]
        sql.append(conn, "a", grown(sql.lock_head(conn, "a"), bodies, signer), NOW)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=queries, after=st.integers(-1, 105), before=st.none() | st.integers(0, 110), limit=st.integers(1, 40))
def test_what_is_found_is_what_a_walk_finds(
    log: tuple[Engine, list[Entry]], query: Query, after: int, before: int | None, limit: int
) -> None:
    """Forwards and backwards, from any cursor, by pages of any length; and as many as are counted."""
    engine, made = log
    upto = len(made) if before is None else before
    every = [index for index, one in enumerate(made) if matches(one, query)]
    expected = [index for index in every if after < index < upto]
    with engine.connect() as conn:

        def found(*, newest_first: bool) -> list[int]:
            page = search.entries(conn, "a", query, after, limit, before=before, newest_first=newest_first)
            return [one.idx for one in page]

        assert found(newest_first=False) == expected[:limit]
        assert found(newest_first=True) == expected[::-1][:limit]
        assert search.count(conn, "a", query, before=before) == sum(index < upto for index in every)
        assert [one.idx for one in search.matching(conn, "a", query, stop=before)] == [i for i in every if i < upto]


def test_every_filter_is_a_facet_or_a_time() -> None:
    """Else a field of a query would be passed over, and more be shown than was asked for."""
    named = {one.name for one in fields(Query)} - {"time_from", "time_to", "any_of"}
    every: dict[str, Any] = dict.fromkeys(named, "x")
    assert named == {term[0][0] for term in Query(**every).terms()}
    assert named == {name for name, _ in facets_of(entry(1).to_bytes())} == set(CHOICES)


def test_a_spoilt_entry_holds_nothing_up_and_is_found_by_nothing(
    log: tuple[Engine, list[Entry]], signer: Signer
) -> None:
    engine, made = log
    with engine.begin() as conn:
        of = sql.log_entry.c.idx
        conn.execute(update(sql.log_entry).where(of == 98).values(body=b"{"))
        conn.execute(update(sql.log_entry).where(of == 99).values(body=b"[]"))
    append(engine, [entry(number) for number in range(100, 110)], signer)
    with engine.connect() as conn:
        found = [one.idx for one in search.entries(conn, "a", Query(client="rms"), limit=200)]
    assert found == [index for index, one in enumerate(made[:98]) if one.actor.client == "rms"]


def test_a_lost_entry_holds_up_no_sealing_and_is_said_to_be_missing(
    log: tuple[Engine, list[Entry]], signer: Signer
) -> None:
    engine, _ = log
    with engine.begin() as conn:
        conn.execute(delete(sql.log_entry).where(sql.log_entry.c.idx.in_((3, 98))))
    append(engine, [entry(number) for number in range(100, 110)], signer)
    with engine.connect() as conn:
        assert [one.idx for one in search.entries(conn, "a", Query(case="case-34"))] == [102, 103, 104]
        with pytest.raises(StorageFault):
            search.entries(conn, "a", Query(), limit=10)


@given(st.sets(st.integers(0, BLOCK - 1)))
def test_a_bitmap_survives_being_packed(places: set[int]) -> None:
    bits = sum(1 << place for place in places)
    assert unpack_bits(pack_bits(bits)) == bits
    assert bitmaps((place, entry(1).to_bytes()) for place in places).get(("case", "case-0"), 0) == bits


# The plans, on a log large enough that a planner would rather not read all of it.

FILLED = 8 * BLOCK + 300


@pytest.fixture(scope="module")
def large_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from filled(f"sqlite:///{tmp_path_factory.mktemp('reads') / 'log.sqlite3'}")


@pytest.fixture(scope="module")
def large_postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    yield from filled(request.getfixturevalue("postgres").create("reads"))


def filled(url: str) -> Iterator[str]:
    database = Database(url)
    with database.writing() as conn:
        sql.metadata.create_all(conn)
    reads.fill(database, FILLED)
    with database.writing() as conn:
        conn.execute(text("ANALYZE"))
    database.close()
    yield url


@pytest.fixture
def large(engine_name: str, request: pytest.FixtureRequest) -> Iterator[Connection]:
    engine = create_engine(request.getfixturevalue(f"large_{engine_name}"), isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        yield conn
    engine.dispose()


def asked_for() -> dict[str, Query]:
    """Every filter, every pair of filters, and every filter with a range of times."""
    single: dict[str, Any] = {
        "organisation": "RXL",
        "recipient": "RTX",
        "client": "rms-13",
        "user": "idva-0007",
        "subject": f"{reads.record(7)}.victim-1",
        "record": reads.record(7),
        "case": reads.record(8),
        "agreement": "operation-provide:1",
        "clause": "4.1",
        "operation": Operation.COLLECTION,
        "outcome": Outcome.DENIED,
        "event": "incident-refused",
    }
    times: dict[str, Any] = {"time_from": "2026-01-02T00:00:00.000Z", "time_to": "2026-01-03T00:00:00.000Z"}
    found = {"no filter": Query(), "times": Query(**times)}
    for name, value in single.items():
        found[name] = Query(**{name: value})
        found[f"{name} and times"] = replace(found[name], **times)
    for (one, first), (other, second) in combinations(single.items(), 2):
        found[f"{one} and {other}"] = Query(**{one: first, other: second})
    return found


def test_no_search_walks_through_a_log(large: Connection) -> None:
    """The plan of every statement that a search runs, of every filter and every pair: each goes by a primary key."""
    ran: dict[str, Any] = {}

    def seen(_conn: object, _cursor: object, statement: str, parameters: Any, _context: object, _many: object) -> None:
        given_values = parameters.values() if isinstance(parameters, dict) else parameters
        facet = next((one for one in given_values if one in CHOICES), "")
        shape = re.sub(r"\(\S+(, \S+)*\)", "(…)", statement)
        ran.setdefault(f"{facet} {shape}", (statement, parameters))

    event.listen(large.engine, "before_cursor_execute", seen)
    for query in asked_for().values():
        for newest_first in (False, True):
            search.entries(large, reads.LOG, query, newest_first=newest_first)
        search.count(large, reads.LOG, query)
    list(search.disclosures_about(large, reads.LOG, f"{reads.record(7)}.victim-1"))
    event.remove(large.engine, "before_cursor_execute", seen)
    assert {name for name, _, _ in (key.partition(" ") for key in ran)} == {"", *CHOICES}
    for shape, (statement, parameters) in ran.items():
        plan = planned(large, statement, parameters)
        print(shape, "\n   ", "\n    ".join(plan))
        assert plan
        assert not any(walks(line) for line in plan), (statement, plan)


def planned(conn: Connection, statement: str, parameters: Any) -> list[str]:
    if conn.dialect.name == "sqlite":
        return [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    return [row[0] for row in conn.exec_driver_sql(f"EXPLAIN {statement}", parameters)]


def walks(line: str) -> bool:
    """Whether a line of a plan reads a whole table of entries or of what they are found by."""
    large_table = any(name in line for name in ("log_entry", "log_block", "log_node"))
    return large_table and ("SCAN" in line or "Seq Scan" in line)


def test_the_test_would_notice_a_walk(large: Connection) -> None:
    plan = planned(large, "SELECT count(*) FROM log_entry WHERE organisation = 'RXL'", ())
    assert any(walks(line) for line in plan)
