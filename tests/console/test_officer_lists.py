"""What is overdue and where she asks for a call, of however many cases: found by columns, decided on the words."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import html
from sqlalchemy import insert, select, update

from audit.entry import timestamp
from gateway import officer_lists
from gateway.demo.run import LOG
from gateway.officer_lists import ASKED_WITHIN
from gateway.officers import ROWS
from gateway.store import tables
from gateway.store.records import Records
from tests.console.test_officer_pages import AT, act, sent
from tests.journeys.support import world_on
from tests.support.console import OFFICER, ConsoleClient, signed_in
from tests.support.world import World

MANY = 100
"""Newer cases that were answered: more than any page opens."""
_r, _f = tables.referral, tables.feedback
ACKNOWLEDGED = {"act": "acknowledge"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world on each engine, for what the database finds."""
    with world_on(request.param, request, tmp_path_factory.mktemp("officer") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def officer(world: World) -> ConsoleClient:
    return signed_in(world, OFFICER)


def listed(officer: ConsoleClient, query: str) -> list[str]:
    """The incidents of a list, over all its pages."""
    found: list[str] = []
    path: str | None = f"{AT}?{query}"
    while path:
        answer = officer.get(path)
        assert answer.status_code == 200, answer.text
        tree = html.document_fromstring(answer.text)  # type: ignore[no-untyped-call]  # lxml has no types
        found += [href.rpartition("/")[2] for href in tree.xpath("//tbody//a/@href")]
        path = next(iter(tree.xpath("//a[@rel='next']/@href")), None)
    return found


def change(world: World, referral: str, **values: Any) -> None:
    with world.services.database.writing() as connection:
        connection.execute(update(_r).where(_r.c.id == referral).values(**values))


def late(world: World, *acts: Mapping[str, Any], by: timedelta = timedelta(hours=2)) -> str:
    """An incident that had to be answered, in which so much has been done."""
    reference, referral, _ = sent(world)
    if acts:
        act(world, referral, *acts)
    change(world, referral, respond_by=timestamp(datetime.now(UTC) - by))
    return reference


def copied(world: World, reference: str, number: int) -> None:
    """So many newer cases like one, with its words."""
    with world.services.database.writing() as connection:
        row = dict(connection.execute(select(_r).where(_r.c.event_id == reference)).one()._mapping)
        words = [dict(one._mapping) for one in connection.execute(select(_f).where(_f.c.referral_id == row["id"]))]
        seq = 10**12
        for count in range(number):
            id_, at = str(uuid.uuid4()), timestamp(datetime.now(UTC) + timedelta(seconds=count))
            connection.execute(insert(_r), {**row, "id": id_, "created_at": at})
            for word in words:
                seq += 1
                connection.execute(insert(_f), {**word, "referral_id": id_, "seq": seq})


def test_an_old_case_is_found_behind_any_number_of_newer_ones_and_nothing_else_is_opened(
    both: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = signed_in(both, OFFICER)
    overdue = late(both)
    reference, referral, _ = sent(both)
    ahead = datetime.now(UTC) + timedelta(days=1)
    window = {"from": ahead.isoformat(), "until": (ahead + timedelta(hours=1)).isoformat()}
    act(both, referral, {"act": "request-call", **window})
    copied(both, late(both, ACKNOWLEDGED), MANY)
    opened: list[str] = []
    load = Records.load

    def counted(self: Records, connection: Any, record_ids: Sequence[str]) -> Any:
        opened.extend(record_ids)
        return load(self, connection, record_ids)

    monkeypatch.setattr(Records, "load", counted)
    for only, incident in (("overdue", overdue), ("calls", reference)):
        for whose in ("mine", "force"):
            opened.clear()
            assert incident in listed(officer, f"only={only}&whose={whose}"), (only, whose)
            assert len(opened) < 5 * ROWS, (only, whose)


def test_a_list_of_many_is_read_page_by_page(world: World, officer: ConsoleClient) -> None:
    made = {late(world) for _ in range(ROWS + 3)}
    found = listed(officer, "only=overdue")
    assert len(found) == len(set(found))
    assert made <= set(found)
    for reference in made:
        with world.services.database.writing() as connection:
            connection.execute(update(_r).where(_r.c.event_id == reference).values(respond_by=None))


@pytest.mark.parametrize("unsure", [False, True], ids=["found by columns", "and where columns cannot say"])
@pytest.mark.parametrize("old", [False, True], ids=["with what finds words", "words from before it was kept"])
def test_a_case_is_overdue_as_long_as_no_word_of_an_answer_may_be_told(
    world: World, officer: ConsoleClient, monkeypatch: pytest.MonkeyPatch, *, unsure: bool, old: bool
) -> None:
    """Columns find no case too few, and the words decide: whichever of the two says so, the list is the same."""
    answered = late(world, ACKNOWLEDGED)
    nobody, not_yet, in_error = late(world), late(world, by=-timedelta(hours=2)), late(world)
    expired = late(world, ACKNOWLEDGED)
    with world.services.database.writing() as connection:
        of = select(_r.c.id).where(_r.c.event_id == expired)
        connection.execute(update(_f).where(_f.c.referral_id.in_(of.scalar_subquery())).values(in_error_at="2026"))
        connection.execute(update(_r).where(_r.c.event_id == in_error).values(status="entered-in-error"))
        if old:
            connection.execute(update(_f).values(code=None, word_facts=None, expires_at=None))
    if unsure:
        monkeypatch.setattr(officer_lists, "_surely_told", lambda *_: [])
    made = {answered, nobody, not_yet, in_error, expired}
    assert made & set(listed(officer, "only=overdue")) == {nobody, expired}


@pytest.mark.parametrize("state", ["refused", "withdrawn"])
def test_what_may_not_be_told_is_no_answer(world: World, officer: ConsoleClient, state: str) -> None:
    """P8: a case whose words all stay with the team is as overdue as one that nobody has looked at."""
    reference, referral, _ = sent(world)
    act(world, referral, ACKNOWLEDGED)
    change(world, referral, respond_by=timestamp(datetime.now(UTC) - timedelta(hours=2)))
    assert reference not in listed(officer, "only=overdue")
    said = world.hospital.post(f"/team/v1/referrals/{referral}/consent", json={"state": state})
    assert said.is_success, said.text
    assert not world.police.get(f"/police/v1/incidents/{reference}").json()["feedback"]
    assert reference in listed(officer, "only=overdue")


def test_a_word_whose_consent_has_run_out_is_no_answer(world: World) -> None:
    reference, referral, _ = sent(world)
    act(world, referral, ACKNOWLEDGED)
    change(world, referral, respond_by=timestamp(datetime.now(UTC) - timedelta(hours=2)))
    with world.services.database.writing() as connection:
        connection.execute(update(_f).where(_f.c.referral_id == referral).values(expires_at="2026-01-01T00:00:00.000Z"))
        standing = world.services.standing(LOG)
        of = officer_lists.unanswered(connection, standing, LOG, "04", "police-officer", datetime.now(UTC))
        assert reference in connection.execute(select(_r.c.event_id).where(of)).scalars().all()


def test_a_call_is_found_by_its_word_old_or_new_and_not_for_ever(world: World, officer: ConsoleClient) -> None:
    ahead = datetime.now(UTC) + timedelta(days=1)
    window = {"from": ahead.isoformat(), "until": (ahead + timedelta(hours=1)).isoformat()}
    reference, referral, _ = sent(world)
    act(world, referral, {"act": "request-call", **window})
    assert reference in listed(officer, "only=calls")
    of = _f.c.referral_id == referral
    with world.services.database.writing() as connection:
        connection.execute(update(_f).where(of).values(code=None, word_facts=None))
    assert reference in listed(officer, "only=calls")
    with world.services.database.writing() as connection:
        then = timestamp(datetime.now(UTC) - ASKED_WITHIN - timedelta(days=1))
        connection.execute(update(_f).where(of).values(created_at=then))
    assert reference not in listed(officer, "only=calls")
