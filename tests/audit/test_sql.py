"""The log in a database: what a writer may do, what a reader sees, and every way of searching."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, update

from audit import search, sql
from audit.checkpoint import Checkpoint
from audit.entry import Actor, Operation, Outcome
from audit.errors import HeadMoved, IndexUnknown, LogExists, LogUnknown, NodesMissing, NoteMalformed, StorageFault
from audit.log import Sealed, empty_head
from audit.note import Signer
from audit.proof import verify_consistency, verify_inclusion
from audit.search import Query
from audit.storage import LogStorage
from tests.audit.worked import ORIGIN, entry, grown

NOW = datetime(2026, 3, 1, tzinfo=UTC)
STORAGE: LogStorage[Connection] = sql  # the module is the storage: the type checker holds it to the protocol


def _append(engine: Engine, bodies: Sequence[bytes], signer: Signer) -> Sealed:
    with engine.begin() as conn:
        sealed = grown(STORAGE.lock_head(conn, "a"), bodies, signer)
        STORAGE.append(conn, "a", sealed, NOW)
    return sealed


@pytest.fixture
def filled(engine: Engine, signer: Signer) -> Engine:
    """A log of 40 entries in uneven batches."""
    with engine.begin() as conn:
        STORAGE.create_log(conn, "a", ORIGIN, signer, NOW)
    start = 0
    for size in (1, 0, 2, 16, 21):
        _append(engine, [entry(number).to_bytes() for number in range(start, start + size)], signer)
        start += size
    return engine


def test_the_batch_s_receipts_equal_the_stored_ones(engine: Engine, signer: Signer) -> None:
    with engine.begin() as conn:
        sql.create_log(conn, "a", ORIGIN, signer, NOW)
    print("seed", 7)
    chance = random.Random(7)
    for _ in range(8):
        sealed = _append(
            engine, [entry(chance.randrange(99)).to_bytes() for _ in range(chance.randrange(1, 30))], signer
        )
        with engine.connect() as conn:
            assert [sql.receipt(conn, "a", index) for index, _, _ in sealed.leaves] == sealed.receipts()
            assert sql.read_head(conn, "a") == sealed.head


def test_any_entry_of_any_size_can_be_proved(filled: Engine, signer: Signer) -> None:
    with filled.connect() as conn:
        head = sql.read_head(conn, "a")
        root = Checkpoint.open(head.checkpoint, signer.verifier).root
        for index in range(40):
            assert sql.receipt(conn, "a", index).verify(signer.verifier).size == 40
            path = sql.inclusion(conn, "a", index, 40)
            verify_inclusion(index, 40, sql.entry(conn, "a", index).leaf_hash, path, root)
        bodies = [stored.body for stored in sql.leaves(conn, "a", 0, 40)]
        for first in range(1, 40):
            old = _root(bodies[:first], signer)
            verify_consistency(first, 40, old, root, sql.consistency(conn, "a", first, 40))


def test_what_is_stored_is_what_was_sealed(filled: Engine) -> None:
    with filled.connect() as conn:
        for number in (0, 17, 39):
            assert sql.entry(conn, "a", number).entry() == entry(number)
        assert [one.idx for one in sql.leaves(conn, "a", 5, 38)] == list(range(5, 38))


def test_leaves_stream_across_pages(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql.entries, "_PAGE", 7)
    with filled.connect() as conn:
        assert [one.idx for one in sql.leaves(conn, "a", 0, 40)] == list(range(40))
        with pytest.raises(StorageFault):
            list(sql.leaves(conn, "a", 30, 41))


def test_a_batch_that_does_not_grow_from_the_stored_head_is_refused(filled: Engine, signer: Signer) -> None:
    with filled.begin() as conn:
        head = sql.lock_head(conn, "a")
    stale = grown(head, [entry(1).to_bytes()], signer)
    _append(filled, [entry(2).to_bytes()], signer)
    with pytest.raises(HeadMoved), filled.begin() as conn:
        sql.append(conn, "a", stale, NOW)
    with filled.connect() as conn:
        assert sql.read_head(conn, "a").size == 41


def test_a_rolled_back_batch_leaves_nothing(filled: Engine, signer: Signer) -> None:
    with filled.connect() as conn:
        before = sql.read_head(conn, "a")
    with filled.connect() as conn:
        sql.append(conn, "a", grown(sql.lock_head(conn, "a"), [entry(1).to_bytes()], signer), NOW)
        conn.rollback()
    with filled.connect() as conn:
        assert sql.read_head(conn, "a") == before
        with pytest.raises(IndexUnknown):
            sql.entry(conn, "a", 40)


def test_logs_are_apart(filled: Engine) -> None:
    other = Signer.from_seed("log.example/other", bytes(32))
    with filled.begin() as conn:
        sql.create_log(conn, "b", other.name, other, NOW)
        sql.append(conn, "b", grown(sql.lock_head(conn, "b"), [entry(99).to_bytes()], other), NOW)
    with filled.connect() as conn:
        assert sql.read_head(conn, "b").size == 1
        assert sql.read_head(conn, "a").size == 40
        assert sql.receipt(conn, "b", 0).verify(other.verifier).size == 1
        assert search.entries(conn, "a", Query(subject="s-99")) == []


def test_a_log_is_created_once_under_its_key_s_name(filled: Engine, signer: Signer) -> None:
    with pytest.raises(LogExists), filled.begin() as conn:
        sql.create_log(conn, "a", ORIGIN, signer, NOW)
    with pytest.raises(LogExists), filled.begin() as conn:
        sql.create_log(conn, "c", ORIGIN, signer, NOW)
    with pytest.raises(NoteMalformed), filled.begin() as conn:
        sql.create_log(conn, "c", "log.example/other", signer, NOW)


def test_what_is_not_there_is_said_to_be_unknown(filled: Engine) -> None:
    with filled.begin() as conn:
        for ask in (sql.lock_head, sql.read_head, sql.bump_terms):
            with pytest.raises(LogUnknown):
                ask(conn, "none")
        for index in (-1, 40):
            with pytest.raises(IndexUnknown):
                sql.receipt(conn, "a", index)
        with pytest.raises(IndexUnknown):
            sql.consistency(conn, "a", 5, 4)
        with pytest.raises(NodesMissing):
            sql.consistency(conn, "a", 5, 41)


def test_the_terms_epoch_is_read_with_the_head_and_a_batch_leaves_it_alone(filled: Engine, signer: Signer) -> None:
    with filled.begin() as conn:
        sql.bump_terms(conn, "a")
        assert sql.lock_head(conn, "a").terms_epoch == 1
    _append(filled, [entry(1).to_bytes()], signer)
    with filled.connect() as conn:
        assert sql.read_head(conn, "a").terms_epoch == 1


def test_a_head_whose_range_does_not_fit_its_size_is_refused(filled: Engine) -> None:
    with filled.begin() as conn:
        conn.execute(update(sql.log_head).values(range=b"x" * 32))
        with pytest.raises(StorageFault):
            sql.lock_head(conn, "a")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), range(40)),
        (Query(subject="s-7"), [7]),
        (Query(subject="s-everybody"), range(40)),
        (Query(record="rec-11"), [11]),
        (Query(case="case-2"), [6, 7, 8]),
        (Query(user="staff.0001"), range(40)),
        (Query(clause="c2.3"), range(40)),
        (Query(clause="c9"), []),
        (Query(subject="s-7", case="case-3"), []),
        (Query(subject="s-7", case="case-2"), [7]),
        (Query(organisation="RZZ", client="trust-safeguarding"), range(40)),
        (Query(organisation="RXX"), []),
        (Query(operation=Operation.DISCLOSURE, outcome=Outcome.PERMITTED, event="incident-disclosed"), range(40)),
        (Query(operation=Operation.ERASURE), []),
        (Query(outcome=Outcome.DENIED), []),
        (Query(event="token-refused"), []),
        (Query(time_from="2026-03-01T10:00:37.345Z"), [37, 38, 39]),
        (Query(time_to="2026-03-01T10:00:02.345Z"), [0, 1]),
        (Query(time_from="2026-03-01T10:00:05", time_to="2026-03-01T10:00:07"), [5, 6]),
    ],
)
def test_searching(filled: Engine, query: Query, expected: Sequence[int]) -> None:
    with filled.connect() as conn:
        found = search.entries(conn, "a", query)
        assert [one.idx for one in found] == list(expected)
        paged: list[int] = []
        while page := search.entries(conn, "a", query, after=paged[-1] if paged else -1, limit=7):
            paged += [one.idx for one in page]
        assert paged == list(expected)


def test_the_accounting_of_disclosures_holds_all_permitted_ones_and_nothing_else(
    filled: Engine, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_PAGE", 3)
    others = [
        entry(7)._replace(operation=Operation.CONSULTATION),
        entry(7)._replace(outcome=Outcome.DENIED),
        entry(8)._replace(subjects=("s-7", "s-7")),
        entry(9)._replace(actor=Actor("RZZ", "c")),
    ]
    _append(filled, [one.to_bytes() for one in others], signer)
    with filled.connect() as conn:
        assert [one.idx for one in search.disclosures_about(conn, "a", "s-7")] == [7, 42]
        assert len(list(search.disclosures_about(conn, "a", "s-everybody"))) == 41


def _root(bodies: Sequence[bytes], signer: Signer) -> bytes:
    return Checkpoint.unverified(grown(empty_head(ORIGIN, signer), bodies, signer).checkpoint).root
