"""P1: no byte of a record leaves, by any channel, before the entry that describes its leaving is committed.

Three things are shown of every channel: where the entry cannot be committed, nothing leaves but 503; where it can, it
is there for any other connection before the first byte is sent; and the receipt in the answer leads to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from audit.errors import HeadMoved
from gateway.agreement import State
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.disclosure import Reader
from gateway.evidence import OPERATOR_LOG, Event
from gateway.store.journal import Journal
from gateway.terms import ChangeState
from tests.journeys.channels import AUDIT, CALLS, CHANNELS, UNSEALED, Call, Case, case
from tests.journeys.support import (
    change,
    entry_at,
    header_index,
    receipts_in,
    serial,
    set_state,
    size,
    status,
    verified,
    version_of,
)
from tests.support.routes import routes_of
from tests.support.world import World

NAMES = [name for _, name, _ in CALLS]


@pytest.fixture(scope="module")
def read_before(world: World) -> Case:
    """A referral with feedback, and every client signed in, before anything fails."""
    world.auditor.get("/health/live")
    return case(world)


@pytest.fixture(scope="module")
def outside(world: World) -> Iterator[Engine]:
    """A connection to the database that is none of the gateway's."""
    engine = create_engine(world.services.settings.database)
    yield engine
    engine.dispose()


def test_every_route_is_tried_or_says_why_it_seals_nothing(world: World) -> None:
    pages = {("HEAD", path) for method, path in UNSEALED.keys() | CHANNELS.keys() if path.startswith("/console")}
    routes = routes_of(world.app) - pages  # a page's HEAD is its GET, by the same handler: see console/test_heads.py
    assert routes == CHANNELS.keys() | UNSEALED.keys()


@contextmanager
def commit_fails(world: World) -> Iterator[None]:
    """The database says at the commit that it could not."""
    with _listening(world.services.database.writer, "commit", lambda _: _raise("the connection was lost")):
        yield


@contextmanager
def disk_is_full(world: World) -> Iterator[None]:
    """The database has no room for the entry."""

    def refuse(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "INSERT INTO" in statement and "log_entry" in statement:
            _raise("database or disk is full")

    with _listening(world.services.database.writer, "before_cursor_execute", refuse):
        yield


@contextmanager
def lock_is_lost(world: World) -> Iterator[None]:
    """Another writer has moved the head of the log."""

    def refuse(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE log_head"):
            raise HeadMoved("the head is not the one this batch grew from")

    with _listening(world.services.database.writer, "before_cursor_execute", refuse):
        yield


FAILURES = [commit_fails, disk_is_full, lock_is_lost]


@pytest.mark.parametrize(("name", "call"), [(name, call) for _, name, call in CALLS], ids=NAMES)
def test_what_cannot_be_sealed_is_not_released(world: World, read_before: Case, name: str, call: Call) -> None:
    """Whatever keeps the entry from being committed: one of the failures in turn."""
    before, rows = size(world), _rows(world)
    with FAILURES[NAMES.index(name) % len(FAILURES)](world):
        answer = call(world, read_before)
    assert answer.status_code == 503, name
    _tells_nothing(answer)
    assert (size(world), _rows(world)) == (before, rows)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: one.__name__)
def test_a_change_that_cannot_be_sealed_is_not_made(
    world: World, read_before: Case, failure: Callable[[World], Any]
) -> None:
    read = world.hospital.get(f"/fhir/R4/Task/{read_before.task}")
    version = version_of(read.json())
    whole = {"If-Match": f'"{version}"', "Content-Type": "application/fhir+json"}
    with failure(world):
        answers = [
            world.hospital.http.put(
                f"/fhir/R4/Task/{read_before.task}", json={**read.json(), "status": "in-progress"}, headers=whole
            ),
            change(world, read_before.task, version, status("in-progress")),
        ]
    for answer in answers:
        assert answer.status_code == 503
        _tells_nothing(answer)
    assert world.hospital.get(f"/fhir/R4/Task/{read_before.task}").json() == read.json()


@pytest.mark.usefixtures("read_before")
@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: one.__name__)
def test_what_was_not_sealed_can_be_sent_again(world: World, failure: Callable[[World], Any]) -> None:
    """A push that was told 503 left nothing behind, so that its repeat is a first."""
    document = incident(serial())
    with failure(world):
        assert world.push(document, key=f"again-{document['data']['id']}").status_code == 503
    assert world.push(document, key=f"again-{document['data']['id']}").status_code == 201


@pytest.mark.usefixtures("read_before")
def test_a_refusal_that_cannot_be_sealed_is_not_given(world: World) -> None:
    """Not even that a token is missing is said without its entry."""
    with commit_fails(world):
        answer = world.police.http.get("/police/v1/feedback", headers={"Authorization": "Bearer x.y.z"})
    assert answer.status_code == 503
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(("name", "call"), [(name, call) for _, name, call in CALLS], ids=NAMES)
def test_the_entry_is_committed_before_the_first_byte(
    world: World, read_before: Case, outside: Engine, name: str, call: Call
) -> None:
    """Looked at from a connection of its own at the instant the answer starts; the receipts lead to what is there."""
    seen: list[int] = []
    with _watched(world, lambda: seen.append(_committed(outside))):
        answer = call(world, read_before)
    assert answer.status_code < 500, name
    assert size(world) == seen[-1], f"{name} sealed something after it had answered"
    request = answer.headers["X-Request-Id"]
    receipts = receipts_in(answer)
    for receipt in receipts:
        entry = verified(world, receipt)
        assert receipt.index < seen[-1]
        assert name == "entry" or entry.request == request  # the entry it shows is an older one, with its receipt
    if name.startswith(("search", "accepted", "feedback", "state", "acknowledged")) and "without" not in name:
        assert receipts, f"{name} carries no whole receipt"
    if "Gateway-Receipt" in answer.headers:
        assert header_index(answer) < seen[-1]
        assert entry_at(world, header_index(answer)).request == request
    else:
        last = entry_at(world, seen[-1] - 1)
        assert (last.outcome in {"failed", "denied"}, last.request) == (True, request), f"{name} has no receipt"


def test_the_proof_a_receipt_names_can_be_fetched(world: World) -> None:
    """By the client that was told of it, without a scope for the log."""
    answer = world.push(incident(serial()))
    proof = world.police.get(answer.json()["receipt"]["proof"])
    assert proof.status_code == 200
    assert proof.text.startswith("c2sp.org/tlog-proof@v1\n")


def test_a_pack_covers_its_own_export_and_streams_nothing_before_it(world: World) -> None:
    answer = world.auditor.get(f"{AUDIT}/pack")
    index = header_index(answer)
    exported = entry_at(world, index)
    assert (exported.event, exported.request) == (Event.LOG_EXPORTED, answer.headers["X-Request-Id"])
    assert f"entry {index} ".encode() in answer.content


def test_a_suspension_between_reading_and_sealing_stops_it(
    world: World, read_before: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing leaves of what was read before it."""
    found = Reader.find
    done: list[int] = []

    def find_then_suspend(self: Reader, *args: Any, **options: Any) -> Any:
        result = found(self, *args, **options)
        if not done:
            done.append(1)
            terms = world.services.standing(LOG).terms
            assert terms is not None
            world.services.journals.of(LOG).submit_and_wait(ChangeState(terms.agreement, State.SUSPENDED))
        return result

    monkeypatch.setattr(Reader, "find", find_then_suspend)
    answer = world.hospital.get(f"/fhir/R4/Task/{read_before.task}")
    monkeypatch.undo()
    set_state(world, State.IN_FORCE)
    assert answer.status_code == 404
    assert b"victim" not in answer.content


def _raise(words: str) -> None:
    raise OperationalError(words, None, Exception(words))


@contextmanager
def _listening(engine: Engine, name: str, listener: Callable[..., Any]) -> Iterator[None]:
    event.listen(engine, name, listener)
    try:
        yield
    finally:
        event.remove(engine, name, listener)


def _tells_nothing(answer: httpx.Response) -> None:
    """The face of NotSealed and nothing else: no word of a record, no id, no receipt."""
    if answer.request.method == "HEAD":
        assert answer.content == b""
        body: dict[str, Any] = {
            "resourceType": "OperationOutcome",
            "issue": [{"code": "transient"}],
        }  # what GET would have been told
    elif answer.headers["content-type"].startswith("text/html"):
        assert "could not be sealed" in answer.text  # a page of the console: in words for a person
        body = {"type": "urn:provide-gateway:problem:not-sealed", "title": "", "status": 503, "detail": ""}
    else:
        body = answer.json()
    if body.get("resourceType") == "OperationOutcome":
        assert [issue["code"] for issue in body["issue"]] == ["transient"]
    else:
        assert body["type"] == "urn:provide-gateway:problem:not-sealed"
        assert body.keys() == {"type", "title", "status", "detail"}
    for word in ("Ashdown", "Blackpool", "victim-1", "receipt", '"high"', "engaged", "incident-accepted"):
        assert word not in answer.text
    assert not {"gateway-receipt", "location", "etag", "last-modified"} & {name.lower() for name in answer.headers}


def _rows(world: World) -> list[int]:
    tables = ("record", "data_key", "referral", "feedback", "outbox", "quarantine", "claim", "blind_index")
    with world.services.database.reading() as connection:
        return [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables]  # noqa: S608 - our own


def _committed(engine: Engine) -> int:
    with engine.connect() as connection:
        found: int = connection.execute(
            text("SELECT size FROM log_head WHERE log_id = :log"), {"log": LOG}
        ).scalar_one()
        return found


@contextmanager
def _watched(world: World, at_start: Callable[[], object]) -> Iterator[None]:
    """Call back at the instant an answer begins to leave, inside every other middleware."""
    inner: ASGIApp = world.app.middleware_stack or world.app.build_middleware_stack()

    async def watching(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                at_start()
            await send(message)

        await inner(scope, receive, sending)

    world.app.middleware_stack = watching
    try:
        yield
    finally:
        world.app.middleware_stack = inner


def test_the_journal_answers_nobody_before_it_commits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's log too: a token is not given before its entry is committed."""
    order: list[str] = []
    settled, transacted = Journal._commit, Journal._transact

    def committing(self: Journal, waiting: Any) -> None:
        settled(self, waiting)
        order.append("committed")

    police = world.police  # signed in once, unless another test was first
    monkeypatch.setattr(Journal, "_commit", committing)
    before = size(world, OPERATOR_LOG)
    police.sign_in()
    order.append("answered")
    assert order == ["committed", "answered"]
    assert (size(world, OPERATOR_LOG), transacted) == (before + 1, Journal._transact)
