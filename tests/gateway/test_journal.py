"""The journal: what a batch shares, what fails alone, and what nobody is told before it is committed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, event, func, select, update
from sqlalchemy.exc import OperationalError

from audit import sql as log_sql
from audit.entry import Entry
from audit.note import Signer
from gateway.errors import Busy, NotSealed
from gateway.evidence import Event, administration
from gateway.store import journal, tables
from gateway.store.batch import Batch, DecideAgain, ReferralHead, Unit
from gateway.store.database import Database
from gateway.store.journal import Committed, Journal, _Waiting
from gateway.terms import Standing
from tests.support.evidence import verify_log

LOG = "a"
SIGNER = Signer.from_seed("gateway.test/logs/a", bytes(range(32)))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Do(Unit[Any]):
    """A unit that does what it is given."""

    work: Callable[[Batch], Any]
    claims: Sequence[bytes] = ()
    referrals: Sequence[str] = ()
    patient: bool = False

    def apply(self, batch: Batch) -> Any:
        return self.work(batch)


def note(batch: Batch, number: int = 0) -> int:
    return batch.seal(administration(Event.GATEWAY_STARTED, at=batch.at, detail={"number": number}))


def noted(number: int) -> Do:
    return Do(lambda batch: note(batch, number))


def revocation(jti: str) -> dict[str, str]:
    return {"jti": jti, "expires_at": "2026-03-01T12:00:00.000Z"}


def write(jti: str) -> Do:
    """Write a row and seal it."""

    def work(batch: Batch) -> int:
        batch.insert(tables.revocation, revocation(jti))
        return note(batch)

    return Do(work)


@dataclass
class Gate:
    """A unit that holds the writer until it is opened, so that what is submitted meanwhile is one batch."""

    entered: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait(self, batch: Batch) -> int:
        self.entered.set()
        assert self.opened.wait(30)
        return note(batch)


class Desk:
    """A journal, and a way to have several units in one batch."""

    def __init__(self, database: Database, **options: Any) -> None:
        self.database = database
        with database.writing() as connection:
            log_sql.create_log(connection, LOG, SIGNER.name, SIGNER, NOW)
        self.journal = Journal(database, LOG, SIGNER, **options)

    def one(self, unit: Unit[Any]) -> Committed[Any]:
        return self.journal.submit_and_wait(unit)

    def hold(self) -> Gate:
        gate = Gate()
        self.submit(Do(gate.wait))
        assert gate.entered.wait(30)
        return gate

    def submit(self, unit: Unit[Any]) -> Future[Committed[Any]]:
        """Have a unit wait, as `submit_and_wait` does, without waiting for it."""
        promise: Future[Committed[Any]] = Future()
        self.journal._put(_Waiting(unit, promise, None))
        return promise

    def together(self, *units: Unit[Any]) -> list[Future[Committed[Any]]]:
        """The units, in one batch, in this order."""
        gate = self.hold()
        futures = [self.submit(unit) for unit in units]
        gate.opened.set()
        for one in futures:
            one.exception(30)
        return futures

    def read(self, reading: Callable[[Connection], Any]) -> Any:
        with self.database.reading() as connection:
            return reading(connection)

    def head(self) -> Any:
        return self.read(lambda connection: log_sql.read_head(connection, LOG))

    def entries(self) -> list[Entry]:
        return [one.entry() for one in self.read(lambda c: list(log_sql.leaves(c, LOG, 0, self.head().size)))]

    def revoked(self) -> set[str]:
        return set(self.read(lambda c: c.execute(select(tables.revocation.c.jti)).scalars().all()))

    def claims(self) -> dict[bytes, bytes]:
        query = select(tables.claim.c.key, tables.claim.c.value)
        return dict(self.read(lambda c: [tuple(row) for row in c.execute(query)]))

    def close(self) -> None:
        self.journal.close()


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    opened = Desk(database)
    yield opened
    opened.close()


def test_units_that_wait_together_share_one_commit_and_one_checkpoint(desk: Desk) -> None:
    done = [one.result() for one in desk.together(*(noted(number) for number in range(40)))]
    assert len({one.receipt.checkpoint_text for one in done}) == 1
    assert [one.receipt.index for one in done] == list(range(1, 41))
    for one in done:
        assert one.receipt.verify(SIGNER.verifier).size == 41
    assert desk.head().checkpoint == done[0].receipt.checkpoint_text
    assert verify_log(desk.database, LOG, SIGNER.verifier).verified


def test_patient_units_wait_for_company_and_then_share_one_commit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough of them go at once; one of them alone goes with whoever is in a hurry; and nobody waits for ever."""
    monkeypatch.setattr(journal, "PATIENCE_SECONDS", 3600)
    row = Do(note, patient=True)
    done = [one.result(30) for one in [desk.submit(row) for _ in range(journal.COMPANY)]]
    assert len({one.receipt.checkpoint_text for one in done}) == 1
    alone = desk.submit(row)
    hurried = desk.one(noted(1))
    assert alone.result(30).receipt.checkpoint_text == hurried.receipt.checkpoint_text
    monkeypatch.setattr(journal, "PATIENCE_SECONDS", 0.001)
    assert desk.one(row).receipt.verify(SIGNER.verifier).size == journal.COMPANY + 3
    monkeypatch.setattr(journal, "PATIENCE_SECONDS", 3600)
    last = desk.submit(row)
    desk.close()
    assert last.result(0).receipt.index == journal.COMPANY + 3


def test_a_unit_s_receipts_are_of_its_own_entries_in_order(desk: Desk) -> None:
    several = Do(lambda batch: [note(batch, number) for number in (7, 8, 9)])
    first, second = (one.result() for one in desk.together(several, noted(10)))
    assert [one.index for one in first.receipts] == first.value == [1, 2, 3]
    assert second.receipt.index == second.value == 4


def test_a_unit_without_an_entry_grows_nothing(desk: Desk) -> None:
    before = desk.head()
    assert desk.one(Do(lambda batch: batch.at)).receipts == ()
    assert desk.head() == before


class Wrong(Exception):
    pass


REFERRAL = {
    **dict.fromkeys(("record_id", "event_id", "victim", "force", "organisation", "team", "facts"), "x"),
    **dict.fromkeys(("created_at", "updated_at"), "2026-03-01T12:00:00.000Z"),
    "id": "r",
    "log_id": LOG,
    "priority": "asap",
    "status": "requested",
    "state": "offered",
    "version": 1,
    "feedback": "[]",
}
NEXT = ReferralHead(2, "accepted", "accepted", "x")
KEY, TAKEN = b"key", b"taken"


@pytest.mark.parametrize("reads_first", [False, True])
def test_a_unit_that_raises_leaves_no_trace_and_its_neighbours_stand(desk: Desk, *, reads_first: bool) -> None:
    def prepare(batch: Batch) -> None:
        batch.insert(tables.referral, REFERRAL)
        batch.claim(TAKEN, b"before")

    desk.one(Do(prepare))

    def fail(batch: Batch) -> None:
        if reads_first:  # which writes what the neighbours before have buffered
            assert len(batch.read(select(tables.revocation.c.jti), {})) == 1
        batch.insert(tables.revocation, revocation("bad"))
        batch.claim(KEY, b"bad")
        batch.reclaim(TAKEN, b"bad")
        batch.change_referral("r", NEXT, {})
        changed = update(tables.claim).where(tables.claim.c.key == bindparam("of")).values(expires_at="x")
        batch.update(changed, {"of": TAKEN})
        batch.change_terms()
        note(batch)
        raise Wrong

    def look(batch: Batch) -> tuple[object, ...]:
        """What the unit after it sees."""
        return batch.owner(KEY), batch.owner(TAKEN), batch.referral("r"), batch.terms_epoch

    names: dict[str, Any] = {"claims": (KEY, TAKEN), "referrals": ("r",)}
    good, bad, after, last = desk.together(write("one"), Do(fail, **names), Do(look, **names), write("two"))
    with pytest.raises(Wrong):
        bad.result()
    assert after.result().value == (None, b"before", ReferralHead(1, "requested", "offered", "x"), 0)
    assert desk.revoked() == {"one", "two"}
    assert desk.claims() == {TAKEN: b"before"}
    assert desk.read(lambda c: c.execute(select(tables.claim.c.expires_at)).scalar_one()) is None
    assert desk.read(lambda c: c.execute(select(tables.referral.c.version)).scalar_one()) == 1
    assert desk.head().terms_epoch == 0
    assert [good.result().receipt.index, last.result().receipt.index, desk.head().size] == [1, 2, 3]
    assert verify_log(desk.database, LOG, SIGNER.verifier).verified


@pytest.mark.parametrize("raises", [False, True])
def test_a_referral_that_no_unit_named_beforehand_can_be_changed_and_the_change_taken_back(
    desk: Desk, *, raises: bool
) -> None:
    """As an update does, which finds the referrals of its event only when it is applied."""
    desk.one(Do(lambda batch: batch.insert(tables.referral, REFERRAL)))

    def change(batch: Batch) -> None:
        batch.change_referral("r", NEXT, {})
        assert batch.referral("r") == NEXT
        if raises:
            raise Wrong

    changed, after = desk.together(Do(change), Do(lambda batch: batch.referral("r")))
    assert isinstance(changed.exception(), Wrong if raises else type(None))
    assert after.result().value == (None if raises else NEXT)
    assert desk.read(lambda c: c.execute(select(tables.referral.c.version)).scalar_one()) == (1 if raises else 2)


def test_a_unit_reads_before_it_writes(desk: Desk) -> None:
    def work(batch: Batch) -> None:
        batch.insert(tables.revocation, revocation("one"))
        batch.read(select(tables.revocation.c.jti), {})

    with pytest.raises(TypeError, match="before it writes"):
        desk.one(Do(work))
    assert desk.revoked() == set()


def test_a_unit_whose_row_the_database_refuses_fails_alone(desk: Desk) -> None:
    desk.one(write("there"))
    done = desk.together(write("one"), write("there"), write("two"), write("two"), write("three"))
    failed = [type(one.exception()) for one in done]
    assert failed == [type(None), NotSealed, type(None), NotSealed, type(None)]
    assert desk.revoked() == {"there", "one", "two", "three"}
    assert desk.head().size == 5  # the gate's entry, and one of each row
    assert verify_log(desk.database, LOG, SIGNER.verifier).verified


def test_a_unit_sees_what_the_units_before_it_in_the_batch_have_done(desk: Desk) -> None:
    def take(batch: Batch) -> bytes | None:
        owner = batch.owner(KEY)
        if owner is None:
            batch.claim(KEY, b"mine")
            note(batch)
        return owner

    first, second = desk.together(Do(take, claims=(KEY,)), Do(take, claims=(KEY,)))
    assert (first.result().value, second.result().value) == (None, b"mine")
    assert desk.one(Do(take, claims=(KEY,))).value == b"mine"
    assert desk.claims() == {KEY: b"mine"}


def test_a_key_is_claimed_once(desk: Desk) -> None:
    desk.one(Do(lambda batch: batch.claim(KEY, b"one"), claims=(KEY,)))
    with pytest.raises(ValueError, match="claimed once"):
        desk.one(Do(lambda batch: batch.claim(KEY, b"two"), claims=(KEY,)))


def test_what_cannot_be_committed_is_told_to_nobody_and_the_next_batch_works(desk: Desk) -> None:
    def full(_: Connection) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk full"))

    gate = desk.hold()
    done = [desk.submit(write("one")), desk.submit(Do(fail_with(Wrong))), desk.submit(write("two"))]
    event.listen(desk.database.writer, "commit", full)
    gate.opened.set()
    assert [type(one.exception(30)) for one in done] == [NotSealed] * 3
    event.remove(desk.database.writer, "commit", full)
    assert desk.revoked() == set()
    assert desk.head().size == 0
    assert desk.one(write("one")).receipt.index == 0
    assert verify_log(desk.database, LOG, SIGNER.verifier).verified


def fail_with(error: type[Exception]) -> Callable[[Batch], None]:
    def work(_: Batch) -> None:
        raise error

    return work


def test_what_was_decided_under_other_terms_is_decided_again(desk: Desk) -> None:
    def decided(batch: Batch) -> int:
        Standing(None, 0).check(batch)
        return note(batch)

    before, _, after = desk.together(Do(decided), Do(lambda batch: batch.change_terms()), Do(decided))
    assert before.result().receipt.index == 1
    with pytest.raises(DecideAgain):
        after.result()
    assert desk.head().terms_epoch == 1
    with pytest.raises(DecideAgain):
        desk.one(Do(decided))
    desk.together(Do(lambda batch: batch.change_terms()), Do(lambda batch: batch.change_terms()))
    assert desk.head().terms_epoch == 3


def test_beyond_its_limit_the_journal_is_busy_and_says_when_to_come_back(database: Database) -> None:
    desk = Desk(database, waiting_max=2)
    gate = desk.hold()
    waiting = [desk.submit(noted(1)), desk.submit(noted(2))]
    with pytest.raises(Busy) as busy:
        desk.one(noted(3))
    assert busy.value.headers == {"Retry-After": "1"}
    gate.opened.set()
    assert [one.result().value for one in waiting] == [1, 2]
    assert desk.one(noted(4)).value == 3
    desk.close()


def test_a_batch_is_no_larger_than_its_limit(database: Database) -> None:
    desk = Desk(database, batch_max=3)
    done = desk.together(*(noted(number) for number in range(7)))
    sizes = [one.result().receipt.verify(SIGNER.verifier).size for one in done]
    assert sizes == [4, 4, 4, 7, 7, 7, 8]
    desk.close()


def test_a_caller_that_goes_away_does_not_take_its_unit_with_it(desk: Desk) -> None:
    async def go_away() -> None:
        task = asyncio.create_task(desk.journal.submit(write("gone")))
        await asyncio.sleep(0)  # the task runs until it waits for its commit
        assert desk.journal.waiting == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    gate = desk.hold()
    asyncio.run(go_away())  # and its event loop is closed before the unit is committed
    gate.opened.set()
    assert desk.one(noted(1)).value == 2
    assert desk.revoked() == {"gone"}


def test_an_event_loop_goes_on_while_its_units_wait(desk: Desk) -> None:
    async def several() -> list[int]:
        done = await asyncio.gather(*(desk.journal.submit(noted(number)) for number in range(50)))
        return [one.value for one in done]

    assert sorted(asyncio.run(several())) == list(range(50))


def test_closing_commits_what_waits_and_takes_nothing_more(desk: Desk) -> None:
    gate = desk.hold()
    waiting = [desk.submit(write(str(number))) for number in range(5)]
    closing = threading.Thread(target=desk.journal.close)
    closing.start()
    gate.opened.set()
    closing.join(30)
    assert {one.result().value for one in waiting} == set(range(1, 6))
    assert desk.revoked() == set("01234")
    with pytest.raises(NotSealed):
        desk.one(noted(1))


def test_time_never_runs_backwards_in_a_log_when_the_clock_does(database: Database) -> None:
    times = iter([NOW, NOW - timedelta(hours=1), NOW + timedelta(microseconds=1900), NOW, NOW + timedelta(seconds=1)])
    desk = Desk(database, clock=lambda: next(times))
    for number in range(5):
        desk.one(noted(number))
    assert [one.time[14:] for one in desk.entries()] == [
        "00:00.000Z",
        "00:00.000Z",
        "00:00.001Z",
        "00:00.001Z",
        "00:01.000Z",
    ]
    desk.close()


def test_two_journals_over_one_database_take_turns_and_the_log_is_one(desk: Desk, seed: int) -> None:
    """Two replicas: each has connections of its own and knows nothing of the other's."""
    other = Database(desk.database.url.render_as_string(hide_password=False))
    replica = Journal(other, LOG, SIGNER)

    async def write_all() -> list[Committed[Any]]:
        journals = (desk.journal, replica)
        units = [journals[number % 2].submit(write(f"{seed}-{number}")) for number in range(120)]
        return await asyncio.gather(*units)

    done = asyncio.run(write_all())
    replica.close()
    other.close()
    assert sorted(one.receipt.index for one in done) == list(range(120))
    stored = desk.read(lambda c: list(log_sql.leaves(c, LOG, 0, 120)))
    for one in done:
        one.receipt.verify(SIGNER.verifier)
        assert stored[one.receipt.index].leaf_hash == one.receipt.leaf
    assert desk.read(lambda c: c.execute(select(func.count()).select_from(tables.revocation)).scalar_one()) == 120
    assert verify_log(desk.database, LOG, SIGNER.verifier).verified


def test_two_journals_never_both_claim_a_key(desk: Desk) -> None:
    other = Database(desk.database.url.render_as_string(hide_password=False))
    replica = Journal(other, LOG, SIGNER)

    def take(key: bytes) -> Do:
        def work(batch: Batch) -> bool:
            note(batch)
            if batch.owner(key) is not None:
                return False
            batch.claim(key, b"mine")
            return True

        return Do(work, claims=(key,))

    async def race() -> list[tuple[bool, bool]]:
        async def one(number: int) -> tuple[bool, bool]:
            key = f"key {number}".encode()
            first, second = await asyncio.gather(desk.journal.submit(take(key)), replica.submit(take(key)))
            return first.value, second.value

        return await asyncio.gather(*(one(number) for number in range(60)))

    assert all(sorted(pair) == [False, True] for pair in asyncio.run(race()))
    replica.close()
    other.close()
    assert len(desk.claims()) == 60


@dataclass
class Hours:
    """A clock that only moves when somebody sleeps."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.on_sleep()


def test_work_in_the_background_gives_way_to_callers_and_not_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = Hours()
    monkeypatch.setattr(journal, "time", hours)
    one = desk.journal
    one.give_way(1.0)
    assert hours.slept == []  # nobody has come
    one.submit_and_wait(Do(note, patient=True))
    one.give_way(1.0)
    assert hours.slept == []  # nobody who wants an answer by itself
    one.submit_and_wait(noted(1))
    one.give_way(1.0)
    assert sum(hours.slept) == pytest.approx(journal.STILL_SECONDS)  # nobody came after
    hours.slept.clear()
    hours.on_sleep = lambda: one.submit_and_wait(noted(2))
    hours.on_sleep()
    one.give_way(1.0)
    assert sum(hours.slept) == pytest.approx(1.0)  # somebody always came, and it goes on all the same
