"""An agreement's life as it is kept: every step in order, sealed, and felt at once by whoever relies on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from audit import sql as log_sql
from audit.errors import LogUnknown
from gateway.agreement import Agreement, Signature, State, Status, Terms, shipped, sign
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.errors import Unprocessable
from gateway.services import Services, open_services
from gateway.store import tables
from gateway.store.batch import Unit
from gateway.terms import (
    ChangeState,
    DraftAgreement,
    RegisterKey,
    SignAgreement,
    TermsBook,
    agreement_ids,
    current_terms,
    terms_of,
    texts,
)
from tests.support.agreements import edited, key_of
from tests.support.evidence import verify_log
from tests.support.world import World

FIRST = shipped()
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECOND = edited(lambda content: content.update(version=2))
THIRD = edited(lambda content: content.update(version=3))
PARTIES = tuple(party.id for party in FIRST.content.parties)
POLICE, HOSPITAL, *OTHERS = PARTIES


class Shelf:
    """The agreement's log, and the steps of its life."""

    def __init__(self, services: Services) -> None:
        self.services = services
        services.open_log(FIRST.id)

    def do(self, *units: Unit[Any]) -> None:
        for unit in units:
            self.services.journals.of(FIRST.id).submit_and_wait(unit)

    def signed(self, agreement: Agreement) -> None:
        """Draft a version and have every party sign it."""
        self.do(DraftAgreement(agreement))
        for party in PARTIES:
            self.do(register(party, agreement), signature(party, agreement))

    def current(self) -> Terms | None:
        with self.services.database.reading() as connection:
            return current_terms(connection, FIRST.id)

    def version(self, number: int | None = None) -> Terms | None:
        with self.services.database.reading() as connection:
            return terms_of(connection, FIRST.id, number)

    def head(self) -> Any:
        with self.services.database.reading() as connection:
            return log_sql.read_head(connection, FIRST.id)

    def events(self) -> list[str]:
        with self.services.database.reading() as connection:
            return [one.entry().event for one in log_sql.leaves(connection, FIRST.id, 0, self.head().size)]


def register(party: str, agreement: Agreement = FIRST, key: str | None = None) -> RegisterKey:
    return RegisterKey(agreement, party, key_of(key or party).public_key().public_bytes_raw())


def signature(party: str, agreement: Agreement = FIRST, key: str | None = None) -> SignAgreement:
    return SignAgreement(agreement, sign(agreement.hash, key_of(key or party), party))


@pytest.fixture
def shelf(services: Services) -> Shelf:
    return Shelf(services)


def test_every_step_of_a_life_is_kept_sealed_and_counted(shelf: Shelf) -> None:
    assert shelf.version() is None
    steps: list[tuple[Unit[Any], str, State, int]] = [
        (DraftAgreement(FIRST), "agreement-drafted", State.DRAFT, 0),
        *(
            step
            for party in PARTIES
            for step in (
                (register(party), "party-key-registered", State.DRAFT, 0),
                (signature(party), "agreement-signed", State.DRAFT, 0),
            )
        ),
        (ChangeState(FIRST, State.IN_FORCE), "agreement-activated", State.IN_FORCE, 1),
        (ChangeState(FIRST, State.SUSPENDED), "agreement-suspended", State.SUSPENDED, 2),
        (ChangeState(FIRST, State.IN_FORCE), "agreement-resumed", State.IN_FORCE, 3),
        (ChangeState(FIRST, State.ENDED), "agreement-ended", State.ENDED, 4),
    ]
    for number, (unit, event, state, epoch) in enumerate(steps):
        shelf.do(unit)
        terms = shelf.version()
        assert terms is not None
        assert (terms.state, shelf.head().terms_epoch, shelf.head().size) == (state, epoch, number + 1)
        assert shelf.events()[-1] == event
        assert (shelf.current() is not None) == (epoch > 0)
    services = shelf.services
    assert verify_log(services.database, FIRST.id, services.signer(FIRST.id).verifier).verified


def test_what_is_read_back_is_the_signed_text(shelf: Shelf) -> None:
    shelf.signed(FIRST)
    shelf.do(ChangeState(FIRST, State.IN_FORCE))
    terms = shelf.current()
    assert terms is not None
    assert (terms.agreement.hash, terms.agreement.text, terms.missing) == (FIRST.hash, FIRST.text, ())
    middle = FIRST.content.in_force.starts
    assert terms.standing(middle).status is Status.IN_FORCE
    with shelf.services.database.reading() as connection:
        assert list(texts(connection, FIRST.id)) == [(1, FIRST.hash, FIRST.canonical)]
        assert list(agreement_ids(connection)) == [FIRST.id]


_BEFORE: dict[str, tuple[State, ...]] = {
    "draft": (),
    "in force": (State.IN_FORCE,),
    "suspended": (State.IN_FORCE, State.SUSPENDED),
    "ended": (State.IN_FORCE, State.ENDED),
}


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("before", "step"),
    [
        ("draft", State.SUSPENDED),
        ("in force", State.IN_FORCE),
        ("suspended", State.SUSPENDED),
        ("ended", State.IN_FORCE),
        ("ended", State.SUSPENDED),
        ("ended", State.ENDED),
    ],
)
def test_a_step_that_does_not_follow_is_refused_and_leaves_nothing(shelf: Shelf, before: str, step: State) -> None:
    shelf.signed(FIRST)
    for state in _BEFORE[before]:
        shelf.do(ChangeState(FIRST, state))
    head = shelf.head()
    with pytest.raises(Unprocessable, match=f"cannot become {step.value}"):
        shelf.do(ChangeState(FIRST, step))
    assert shelf.head() == head


def test_a_version_nobody_drafted_cannot_be_brought_into_force(shelf: Shelf) -> None:
    with pytest.raises(Unprocessable, match="cannot become in-force"):
        shelf.do(ChangeState(FIRST, State.IN_FORCE))


def _drafted() -> list[Unit[Any]]:
    return [DraftAgreement(FIRST)]


def _keyed() -> list[Unit[Any]]:
    return [DraftAgreement(FIRST), register(POLICE)]


def _amended() -> list[Unit[Any]]:
    return [*_keyed(), DraftAgreement(SECOND)]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("before", "unit", "says"),
    [
        (_drafted, DraftAgreement(FIRST), "is known"),
        (_drafted, DraftAgreement(THIRD), "the next version of the agreement is 2"),
        (_drafted, signature(POLICE), "not by its registered key"),
        (_keyed, register(POLICE, key="another"), "registered another key"),
        (_keyed, signature(POLICE, key="another"), "not by its registered key"),
        (_keyed, signature(HOSPITAL), "not by its registered key"),
        (_keyed, SignAgreement(FIRST, sign(SECOND.hash, key_of(POLICE), POLICE)), "not over this text"),
        (_amended, SignAgreement(FIRST, sign(SECOND.hash, key_of(POLICE), POLICE)), "it is over version 2"),
        (
            _keyed,
            SignAgreement(FIRST, Signature(POLICE, key_of(POLICE).public_key().public_bytes_raw(), bytes(64))),
            "not over this text",
        ),
        (_keyed, SignAgreement(FIRST, sign(FIRST.hash, key_of(POLICE), "nobody")), "no such party"),
        (lambda: [*_keyed(), signature(POLICE)], signature(POLICE), "has signed"),
        (lambda: [*_keyed(), signature(POLICE)], ChangeState(FIRST, State.IN_FORCE), f"not signed by {HOSPITAL}, "),
    ],
)
def test_what_the_parties_did_not_do_is_not_done_for_them(
    shelf: Shelf, before: Callable[[], list[Unit[Any]]], unit: Unit[Any], says: str
) -> None:
    shelf.do(*before())
    head = shelf.head()
    with pytest.raises(Unprocessable, match=says):
        shelf.do(unit)
    assert shelf.head() == head


def test_a_key_that_is_registered_again_is_no_second_act(shelf: Shelf) -> None:
    shelf.do(*_keyed())
    head = shelf.head()
    shelf.do(register(POLICE))
    assert shelf.head() == head


def test_a_new_version_supersedes_the_one_before_which_is_kept(shelf: Shelf) -> None:
    shelf.signed(FIRST)
    shelf.do(ChangeState(FIRST, State.IN_FORCE))
    shelf.signed(SECOND)
    assert _version(shelf.current()) == 1
    shelf.do(ChangeState(SECOND, State.IN_FORCE))
    assert _version(shelf.current()) == 2
    first = shelf.version(1)
    assert first is not None
    assert first.state is State.SUPERSEDED
    assert first.standing(NOW).status is Status.SUPERSEDED
    assert shelf.events()[-2:] == ["agreement-superseded", "agreement-activated"]
    with shelf.services.database.reading() as connection:
        assert [version for version, _, _ in texts(connection, FIRST.id)] == [1, 2]
    for state in (State.IN_FORCE, State.SUSPENDED, State.ENDED):
        with pytest.raises(Unprocessable, match=f"cannot become {state.value}"):
            shelf.do(ChangeState(FIRST, state))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_an_earlier_draft_does_not_take_the_place_of_a_later_version(shelf: Shelf) -> None:
    shelf.signed(FIRST)
    shelf.signed(SECOND)
    shelf.do(ChangeState(SECOND, State.IN_FORCE))
    with pytest.raises(Unprocessable, match="version 2 is the later one"):
        shelf.do(ChangeState(FIRST, State.IN_FORCE))
    shelf.do(ChangeState(FIRST, State.ENDED))  # a draft that is given up
    assert _version(shelf.current()) == 2


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("starts", "until", "says"),
    [("2020-01-01", "2021-01-01", "its dates are over"), ("2090-01-01", "2091-01-01", "its dates have not begun")],
)
def test_a_version_comes_into_force_in_its_dates(shelf: Shelf, starts: str, until: str, says: str) -> None:
    """One that begins later waits where another is in force: in between, nothing would be."""

    def change(content: dict[str, Any]) -> None:
        dates = {"from": f"{starts}T00:00:00+00:00", "until": f"{until}T00:00:00+00:00"}
        content.update(version=2, review_by=starts, in_force=dates)

    amended = edited(change)
    shelf.signed(FIRST)
    shelf.do(ChangeState(FIRST, State.IN_FORCE))
    shelf.signed(amended)
    with pytest.raises(Unprocessable, match=says):
        shelf.do(ChangeState(amended, State.IN_FORCE))
    assert _version(shelf.current()) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_ending_a_draft_leaves_the_version_in_force(shelf: Shelf) -> None:
    shelf.signed(FIRST)
    shelf.do(ChangeState(FIRST, State.IN_FORCE))
    shelf.signed(SECOND)
    shelf.do(ChangeState(SECOND, State.ENDED))
    terms = shelf.current()
    assert terms is not None
    assert (terms.agreement.version, terms.state) == (1, State.IN_FORCE)


def _version(terms: Terms | None) -> int | None:
    return terms.agreement.version if terms else None


def test_the_book_remembers_until_it_is_told_to_forget(shelf: Shelf) -> None:
    book = TermsBook()
    assert book.peek(FIRST.id) is None
    with shelf.services.database.reading() as connection:
        before = book.read(connection, FIRST.id)
    assert (before.terms, before.epoch) == (None, 0)
    shelf.signed(FIRST)
    shelf.do(ChangeState(FIRST, State.IN_FORCE))
    assert book.peek(FIRST.id) is before
    book.forget(FIRST.id)
    assert book.peek(FIRST.id) is None
    with shelf.services.database.reading() as connection:
        after = book.read(connection, FIRST.id)
        with pytest.raises(LogUnknown):
            book.read(connection, "unknown")
    assert (_version(after.terms), after.epoch) == (1, 1)
    assert book.peek(FIRST.id) is after


def test_a_suspension_by_another_process_stops_the_very_next_disclosure(demo: World) -> None:
    """The replica that discloses has read the agreement before, and is told nothing."""
    reference = demo.push(incident(1)).json()["referrals"][0]["reference"]
    asked = f"/fhir/R4/ServiceRequest/{reference}"
    assert demo.hospital.get(asked).is_success
    known = demo.services.terms.peek(LOG)
    assert known is not None
    assert known.terms is not None
    replica = open_services(demo.services.settings)
    try:
        journal = replica.journals.of(LOG)
        journal.submit_and_wait(ChangeState(known.terms.agreement, State.SUSPENDED))
        refused = demo.hospital.get(asked)
        listed = demo.hospital.get("/fhir/R4/Task")
        assert reference not in refused.text + listed.text
        assert refused.status_code in {403, 404}
        held = demo.push(incident(2))
        assert (held.status_code, held.json()["state"]) == (202, "held")
        journal.submit_and_wait(ChangeState(known.terms.agreement, State.IN_FORCE))
        assert demo.hospital.get(asked).is_success
    finally:
        replica.close()
    assert verify_log(demo.services.database, LOG, demo.services.signer(LOG).verifier).verified


def waiting(world: World) -> tuple[int, int]:
    """How many deliveries wait, and how many are stopped."""
    table = tables.outbox
    with world.services.database.reading() as connection:
        rows = connection.execute(select(table.c.stopped_at).where(table.c.acknowledged_at.is_(None))).all()
    return sum(row.stopped_at is None for row in rows), sum(row.stopped_at is not None for row in rows)


def test_what_is_suspended_stops_its_deliveries_and_what_is_resumed_lets_the_current_ones_go_on(demo: World) -> None:
    """A delivery whose referral has moved on since stays where it is."""
    for number in (1, 2, 3):
        assert demo.push(incident(number)).status_code == 201
    journal = demo.services.journals.of(LOG)
    before = waiting(demo)[0]
    assert before >= 3
    journal.submit_and_wait(ChangeState(FIRST, State.SUSPENDED, reason="breach"))
    assert waiting(demo) == (0, before)
    stopped = demo.entries()[-1].entry()
    assert (stopped.event, stopped.reason) == ("agreement-suspended", "breach")
    assert stopped.detail == {"deliveries_stopped": before}
    with demo.services.database.writing() as connection:
        one = connection.execute(select(tables.outbox.c.referral_id).limit(1)).scalar_one()
        connection.execute(update(tables.referral).where(tables.referral.c.id == one).values(record_id="another"))
    journal.submit_and_wait(ChangeState(FIRST, State.IN_FORCE))
    assert waiting(demo) == (before - 1, 1)
    assert demo.entries()[-1].entry().detail == {"deliveries_resumed": before - 1}
    journal.submit_and_wait(ChangeState(FIRST, State.ENDED))
    assert waiting(demo) == (0, before)
    assert demo.entries()[-1].entry().detail == {"deliveries_stopped": before - 1}


def test_an_agreement_past_its_dates_decides_nothing(shelf: Shelf) -> None:
    shelf.signed(FIRST)
    shelf.do(ChangeState(FIRST, State.IN_FORCE))
    terms = shelf.current()
    assert terms is not None
    assert not terms.standing(datetime(2099, 1, 1, tzinfo=UTC)).in_force
