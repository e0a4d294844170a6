"""Sessions: their limits by a clock of the test, their end everywhere at once, and what the log says of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

from audit import sql as log_sql
from audit.entry import Entry
from gateway.evidence import OPERATOR_LOG, Event
from gateway.services import Services
from gateway.signin.logouttoken import AtProvider, Ended
from gateway.signin.provider.accounts import REMOVED, Accounts, AddPerson, ChangePerson, PersonRefused
from gateway.signin.secrets import SignInKeys
from gateway.signin.sessions import AccountChanged, EndLapsed, Sessions
from gateway.store import tables
from tests.support.console import ADVISER, OFFICER, SECOND_ADVISER

T = TypeVar("T")
CALLER = ADVISER.caller("request-1")


@dataclass
class Clock:
    """A clock that the test sets forward."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
def sessions(services: Services, clock: Clock) -> Sessions:
    return Sessions(services, clock)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def sealed(services: Services, *events: Event) -> list[Entry]:
    with services.database.reading() as connection:
        size = log_sql.read_head(connection, OPERATOR_LOG).size
        entries = [one.entry() for one in log_sql.leaves(connection, OPERATOR_LOG, 0, size)]
    return [one for one in entries if one.event in {event.value for event in events}]


def kept(services: Services) -> list[Any]:
    with services.database.reading() as connection:
        return list(connection.execute(select(tables.console_session)))


def test_a_session_is_found_by_its_secret_alone_which_is_kept_nowhere(services: Services, sessions: Sessions) -> None:
    secret = run(sessions.open(ADVISER, CALLER))
    found = run(sessions.find(secret))
    assert found is not None
    assert found.person == ADVISER
    (row,) = kept(services)
    assert row.id == found.id
    assert not any(secret.encode() in (value if isinstance(value, bytes) else str(value).encode()) for value in row)
    assert ADVISER.name.encode() not in row.content  # who it is lies encrypted
    for wrong in (None, "", found.id, secret[:-1], f"{secret}A", "\udcff"):
        assert run(sessions.find(wrong)) is None


def test_two_sessions_share_nothing_and_tokens_of_forms_are_their_own(sessions: Sessions) -> None:
    first, second = (run(sessions.find(run(sessions.open(ADVISER, CALLER)))) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert first.csrf != second.csrf


def test_idle_ends_it_and_use_keeps_it(services: Services, sessions: Sessions, clock: Clock) -> None:
    secret = run(sessions.open(ADVISER, CALLER))
    for _ in range(4):
        clock.forward(seconds=services.settings.console_idle_seconds - 1)
        assert run(sessions.find(secret)) is not None
    clock.forward(seconds=services.settings.console_idle_seconds)
    assert run(sessions.find(secret)) is None
    assert [one.reason for one in sealed(services, Event.PERSON_SIGNED_OUT)] == ["idle"]
    assert kept(services) == []


def test_what_a_script_asks_by_itself_does_not_keep_it(sessions: Sessions, clock: Clock) -> None:
    secret = run(sessions.open(ADVISER, CALLER))
    for _ in range(14):
        clock.forward(minutes=1)
        assert run(sessions.find(secret, active=False)) is not None
    clock.forward(minutes=1)
    assert run(sessions.find(secret)) is None


def test_it_ends_after_the_longest_time_however_it_is_used(
    services: Services, sessions: Sessions, clock: Clock
) -> None:
    secret = run(sessions.open(ADVISER, CALLER))
    for _ in range(services.settings.console_session_seconds // 600 - 1):
        clock.forward(seconds=600)
        assert run(sessions.find(secret)) is not None
    clock.forward(seconds=600)
    assert run(sessions.find(secret)) is None
    assert [one.reason for one in sealed(services, Event.PERSON_SIGNED_OUT)] == ["longest"]


def test_being_used_is_written_down_once_a_minute_at_most(services: Services, sessions: Sessions, clock: Clock) -> None:
    secret = run(sessions.open(ADVISER, CALLER))
    before = kept(services)[0].seen_at
    clock.forward(seconds=59)
    run(sessions.find(secret))
    assert kept(services)[0].seen_at == before
    clock.forward(seconds=1)
    run(sessions.find(secret))
    assert kept(services)[0].seen_at > before


def test_a_sign_in_ends_the_session_the_browser_came_with(sessions: Sessions, services: Services) -> None:
    """Fixation: a name that somebody else put into the browser is never the one that is signed in."""
    planted = run(sessions.open(SECOND_ADVISER, CALLER))
    secret = run(sessions.open(ADVISER, CALLER, instead_of=planted))
    assert secret != planted
    assert run(sessions.find(planted)) is None
    assert [one.reason for one in sealed(services, Event.PERSON_SIGNED_OUT)] == ["signed-in-anew"]


def test_signing_out_everywhere_ends_every_session_of_the_person_and_nobody_else_s(sessions: Sessions) -> None:
    mine = [run(sessions.open(ADVISER, CALLER)) for _ in range(3)]
    namesake = replace(OFFICER, id=ADVISER.id)  # the same id in another organisation is somebody else
    others = [run(sessions.open(one, one.caller("r"))) for one in (SECOND_ADVISER, namesake)]
    assert run(sessions.end_all(ADVISER, CALLER)) == 3
    assert [run(sessions.find(one)) for one in mine] == [None] * 3
    assert None not in [run(sessions.find(one)) for one in others]


def test_ending_it_once_or_twice_is_sealed_once(sessions: Sessions, services: Services) -> None:
    secret = run(sessions.open(ADVISER, CALLER))
    session = run(sessions.find(secret))
    assert session is not None
    assert run(sessions.stands(session))
    run(sessions.end(session, CALLER))
    run(sessions.end(session, CALLER))
    assert not run(sessions.stands(session))
    (ended,) = sealed(services, Event.PERSON_SIGNED_OUT)
    (began,) = sealed(services, Event.PERSON_SIGNED_IN)
    assert (ended.actor.user, ended.reason) == (ADVISER.id, "signed-out")
    assert began.detail is not None
    assert ended.detail is not None
    assert began.detail["session"] == ended.detail["session"] == session.reference
    assert ADVISER.name not in repr((began, ended))  # names are sealed nowhere


def test_two_replicas_see_the_same_sessions(services: Services, sessions: Sessions) -> None:
    secret = run(sessions.open(ADVISER, CALLER))
    other = Sessions(services)
    found = run(other.find(secret))
    assert found is not None
    run(other.end(found, CALLER))
    assert run(sessions.find(secret)) is None


def test_what_nobody_came_back_to_is_swept_and_sealed(services: Services, clock: Clock) -> None:
    clock.forward(hours=-13)
    run(Sessions(services, clock).open(ADVISER, CALLER))  # past its longest time
    clock.forward(hours=12, minutes=30)
    run(Sessions(services, clock).open(ADVISER, CALLER))  # idle since half an hour
    fresh = run(Sessions(services).open(SECOND_ADVISER, CALLER))
    journal = services.journals.of(OPERATOR_LOG)
    assert journal.submit_and_wait(EndLapsed(services.settings.console_idle_seconds)).value == 2
    assert journal.submit_and_wait(EndLapsed(services.settings.console_idle_seconds)).value == 0
    assert run(Sessions(services).find(fresh)) is not None


def test_an_account_that_is_changed_or_removed_ends_its_sessions_at_once(
    services: Services, sessions: Sessions
) -> None:
    accounts = Accounts(SignInKeys(services.keyring))
    journal = services.journals.of(OPERATOR_LOG)
    columns = accounts.columns(ADVISER, second_factor=True)
    journal.submit_and_wait(AddPerson(ADVISER, columns, accounts.factor(ADVISER.id, None), "kept"))
    for version, what in enumerate(("roles", REMOVED), 1):
        secret = run(sessions.open(ADVISER, CALLER, account_version=version))
        assert run(sessions.find(secret)) is not None
        journal.submit_and_wait(ChangePerson(ADVISER.id, what, {}))
        assert run(sessions.find(secret)) is None
    assert [one.reason for one in sealed(services, Event.PERSON_SIGNED_OUT)] == ["account-roles", "account-removed"]
    for version in (1, 2, 3):  # a sign-in that was on its way meanwhile comes too late
        with pytest.raises(AccountChanged):
            run(sessions.open(ADVISER, CALLER, account_version=version))
    with pytest.raises(PersonRefused):
        journal.submit_and_wait(ChangePerson(ADVISER.id, "roles", {}))
    with pytest.raises(PersonRefused):  # an id is given once
        journal.submit_and_wait(AddPerson(ADVISER, columns, accounts.factor(ADVISER.id, None), "kept"))


def test_a_provider_ends_the_sessions_it_names_and_no_others(sessions: Sessions, clock: Clock) -> None:
    def began(subject: str, session: str) -> str:
        return run(sessions.open(ADVISER, CALLER, at_provider=AtProvider(subject, session)))

    def end(subject: str | None, session: str | None, ago: int = 0) -> int:
        at = int(clock.now.timestamp()) - ago
        return run(sessions.end_at_provider(Ended(AtProvider(subject, session), at), 30))

    desk, phone, other = began("rosalind", "s1"), began("rosalind", "s2"), began("leopold", "s3")
    without = run(sessions.open(ADVISER, CALLER))

    def stand() -> list[bool]:
        return [run(sessions.find(one)) is not None for one in (desk, phone, other, without)]

    assert end("leopold", "s1") == 0  # another's
    assert end(None, "s9") == 0
    assert end("rosalind", None, ago=60) == 0  # said before they began
    assert stand() == [True, True, True, True]
    assert end(None, "s1") == 1
    assert stand() == [False, True, True, True]
    assert end("rosalind", None) == 1
    assert stand() == [False, False, True, True]
