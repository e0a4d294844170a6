"""Coded feedback over HTTP: the consent a word stands on, its end, and cursors that nobody can break."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway import feedback
from gateway.demo.run import ADVISER, LOG, OFFICER
from gateway.evidence import Caller
from gateway.feedback import Tell, Tellings, find_word
from gateway.store import tables
from gateway.store.batch import DecideAgain
from tests.journeys.support import add_client, change, like, output, pushed, status, world_on
from tests.support.world import World


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on(request.param, request, tmp_path_factory.mktemp("words") / "world") as opened:
        yield opened


def outputs(world: World, task: str) -> list[Any]:
    found: list[Any] = world.hospital.get(f"/fhir/R4/Task/{task}").json().get("output", [])
    return found


def tell(world: World, task: str, version: int, *words: dict[str, Any]) -> int:
    value = [*outputs(world, task), *words]
    return change(world, task, version, {"op": "add", "path": "/output", "value": value}).status_code


def page(world: World, **asked: int) -> Any:
    answer = world.police.get("/police/v1/feedback", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def last(world: World) -> int:
    found: int = page(world, limit=500)["next"]
    return found


def test_a_word_names_its_consent_and_its_end_to_both_sides(world: World) -> None:
    reference, task = pushed(world)
    assert change(world, task, 1, status("accepted")).is_success
    after = last(world)
    end = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    agreed = output("supports-prosecution", value="yes", consent="given", consent_ref="ours-17", expiry=end.isoformat())
    assert tell(world, task, 2, agreed) == 200
    (word,) = page(world, after=after)["feedback"]
    assert (word["code"], word["consent_ref"]) == ("supports-prosecution", "ours-17")
    assert datetime.fromisoformat(word["expiry"]) == end
    of_incident = world.police.get(f"/police/v1/incidents/{reference}").json()["feedback"]
    assert of_incident[-1]["consent_ref"] == "ours-17"
    said = {one["url"].rpartition("/")[2]: one for one in outputs(world, task)[-1]["extension"]}
    assert said["feedback-consent-ref"]["valueCode"] == "ours-17"
    assert datetime.fromisoformat(said["feedback-expiry"]["valueDateTime"]) == end
    assert tell(world, task, 3, output("engaged", consent="given")) == 200  # what was written is taken back as it is
    made = page(world, after=word["cursor"])["feedback"][0]["consent_ref"]
    assert made not in {None, "ours-17", "consent-1"}


@pytest.mark.parametrize(
    "word",
    [
        output("declined-support"),
        output("declined-support", consent="refused"),
        output("supports-prosecution", value="no", consent="withdrawn"),
        output("declined-support", consent="given", expiry="2026-01-01T00:00:00Z"),
        output("engaged", expiry="2026-01-01T00:00:00Z"),
        output("engaged", consent_ref="ours-17"),
    ],
)
def test_what_may_not_be_told_is_refused_and_changes_nothing(world: World, word: dict[str, Any]) -> None:
    _, task = pushed(world)
    assert change(world, task, 1, status("accepted")).is_success
    before, after = outputs(world, task), last(world)
    assert tell(world, task, 2, word) == 422
    assert outputs(world, task) == before
    assert page(world, after=after)["feedback"] == []


def test_a_word_is_told_until_its_end_and_then_leaves_no_trace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reference, task = pushed(world)
    assert change(world, task, 1, status("accepted")).is_success
    after = last(world)
    end = datetime.now(UTC) + timedelta(hours=1)
    assert tell(world, task, 2, output("declined-support", consent="given", expiry=end.isoformat())) == 200
    word = page(world, after=after)["feedback"][0]
    standing = world.services.standing(LOG)
    asked = {"seq": word["cursor"], "recipient": "police-officer"}
    with world.services.database.reading() as connection:
        assert find_word(connection, world.services.records, standing, LOG, end - timedelta(seconds=1), **asked)
        assert find_word(connection, world.services.records, standing, LOG, end, **asked) is None

    monkeypatch.setattr(feedback, "expired", lambda one, now: one.expiry is not None and now < one.expiry)
    assert page(world, after=after)["feedback"] == []
    assert "declined-support" not in world.police.get(f"/police/v1/incidents/{reference}").text


def test_a_word_that_ends_between_reading_and_sealing_is_decided_again(world: World) -> None:
    """The instant of sealing counts: what was read a moment before its end is not released after it."""
    _, task = pushed(world)
    assert change(world, task, 1, status("accepted")).is_success
    end = datetime.now(UTC) + timedelta(hours=1)
    assert tell(world, task, 2, output("engaged", expiry=end.isoformat())) == 200
    standing = world.services.standing(LOG)
    with world.services.database.reading() as connection:
        found = find_word(
            connection,
            world.services.records,
            standing,
            LOG,
            datetime.now(UTC),
            seq=page(world, after=last(world) - 1)["feedback"][-1]["cursor"],
            recipient="police-officer",
        )
    assert found is not None
    by = Caller("demo-rms", "04", None, frozenset(), frozenset(), OFFICER["id"])
    journal = world.services.journals.of(LOG)
    journal.submit_and_wait(Tell(Tellings((found,), 0, more=False), by, standing))
    past = found.feedback.model_copy(update={"expiry": datetime.now(UTC) - timedelta(seconds=1)})
    with pytest.raises(DecideAgain):
        journal.submit_and_wait(Tell(Tellings((replace(found, feedback=past),), 0, more=False), by, standing))


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        " ",
        "x",
        "1.5",
        "1e3",
        "0x10",
        "+1",
        "--1",
        "1 ",
        "\u0661",
        "1;drop table feedback",
        "9" * 19,
        "9" * 400,
        "1\x00",
    ],
)
def test_a_cursor_that_is_no_number_is_refused_by_name(world: World, cursor: str) -> None:
    for answer in (
        world.police.get("/police/v1/feedback", params={"after": cursor}),
        world.police.post("/police/v1/feedback/acknowledgements", params={"through": cursor}),
    ):
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_cursor_given_twice_or_not_at_all_is_refused(world: World) -> None:
    assert world.police.get("/police/v1/feedback?after=1&after=2").status_code == 400
    assert world.police.post("/police/v1/feedback/acknowledgements").status_code == 400


@pytest.mark.parametrize("cursor", [-(10**18) + 1, -1, 0, 10**18 - 1])
def test_a_cursor_from_elsewhere_is_only_a_place(world: World, cursor: int) -> None:
    """Before everything, or after it: nothing is lost, and a page ends where it began."""
    found = page(world, after=cursor, limit=1)
    assert found["next"] >= cursor
    if cursor > 0:
        assert (found["feedback"], found["next"], found["more"]) == ([], cursor, False)


def test_acknowledging_again_or_out_of_order_takes_nothing_back(world: World) -> None:
    _, task = pushed(world)
    assert change(world, task, 1, status("accepted")).is_success
    assert tell(world, task, 2, output("contact-attempted"), output("engaged")) == 200
    words = [one["cursor"] for one in page(world, limit=500)["feedback"]][-3:]
    acknowledge = "/police/v1/feedback/acknowledgements"
    for through in (words[2], words[0], words[2], words[1]):
        answer = world.police.post(acknowledge, params={"through": through})
        assert answer.status_code == 200
        assert answer.json()["acknowledged_through"] == through
    assert [one["cursor"] for one in page(world, limit=500)["feedback"]][-3:] == words  # it may be read again
    times = acknowledged(world, words)
    assert len(times) == 3
    assert len(set(times)) == 1  # the first acknowledgement stands


def test_another_forces_client_neither_reads_nor_acknowledges(world: World) -> None:
    _, task = pushed(world)
    assert change(world, task, 1, status("accepted")).is_success
    cursor = page(world, limit=500)["feedback"][-1]["cursor"]
    stranger = add_client(world, "other-force", OFFICER, **like("demo-rms", organisation="05"))
    hospital = add_client(world, "team-as-force", ADVISER, **like("demo-hospital"))
    for client in (stranger, hospital):
        assert client.get("/police/v1/feedback").status_code == 403
        assert client.post("/police/v1/feedback/acknowledgements", params={"through": cursor}).status_code == 403
    assert acknowledged(world, [cursor]) == [None]


def test_a_second_client_of_the_same_force_takes_its_words_for_it(world: World) -> None:
    _, task = pushed(world)
    assert change(world, task, 1, status("accepted")).is_success
    cursor = page(world, limit=500)["feedback"][-1]["cursor"]
    second = add_client(world, "second-rms", OFFICER, **like("demo-rms"))
    assert second.post("/police/v1/feedback/acknowledgements", params={"through": cursor}).status_code == 200
    assert acknowledged(world, [cursor]) != [None]


def acknowledged(world: World, cursors: list[int]) -> list[str | None]:
    table = tables.feedback
    with world.services.database.reading() as connection:
        query = table.select().where(table.c.log_id == LOG, table.c.seq.in_(cursors)).order_by(table.c.seq)
        return [row.acknowledged_at for row in connection.execute(query)]
