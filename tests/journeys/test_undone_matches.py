"""Two who were linked are two: a person says so, nobody links them again, and whoever was told is corrected.

And a match that nobody decided in time is seen to be late.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from audit.entry import Operation, Outcome
from gateway.demo.run import LOG
from gateway.duties import jobs
from gateway.evidence import Event
from gateway.linking.undoing import parting
from gateway.store import tables
from tests.journeys.support import sealed, serial, size, version_of
from tests.journeys.test_repeats import doubtful, erased, extensions, linked_up, on, pushed, request_of
from tests.support.evidence import verify_log
from tests.support.world import World

SYLLABLES = ("ba", "ke", "lin", "mo", "nur", "pa", "res", "si", "tol", "vu")


def named() -> dict[str, str]:
    """A victim of her own for each test, who is like nobody else's."""
    number = serial()
    parts = [SYLLABLES[int(digit)] for digit in f"{number:03}"]
    born = date(1948, 2, 3) + timedelta(days=number * 411 % 18_000)
    born = born.replace(day=2) if born.day == 1 else born  # the first of January may stand for an unknown day
    family, given = "".join(reversed(parts)), "".join(parts) + "a"
    return {"victim_surname": family.title(), "victim_given": given.title(), "victim_born": born.isoformat()}


def matches(world: World, incident: str) -> list[dict[str, Any]]:
    """What became of all that an incident was compared with, of victims alone."""
    found = world.guardian.get("/governance/v1/matches", params={"incident": incident}).json()["matches"]
    return [one for one in found if one["people"][0].startswith("victim")]


def between(world: World, one: str, other: str) -> dict[str, Any]:
    """The match of the victims of two incidents."""
    (match,) = [each for each in matches(world, one) if set(each["incidents"]) == {one, other}]
    return match


def undo(world: World, match: str, reason: str = "relatives") -> None:
    """Say that they are two."""
    answer = world.guardian.post(f"/governance/v1/matches/{match}/undo", json={"reason": reason})
    assert answer.status_code == 200, answer.text


def earlier(world: World, referral: str) -> list[str]:
    """The days of the earlier incidents that the adviser reads."""
    return [one["date"] for one in extensions(request_of(world, referral), "earlier-incident")]


def notices(world: World, referral: str) -> list[dict[str, Any]]:
    """What the team is told of a referral."""
    found = world.hospital.get("/notices/v1", params={"limit": 100}).json()["notices"]
    return [one for one in found if one["referral"] == referral]


def linked(world: World) -> tuple[str, str, str, dict[str, Any]]:
    """Two incidents that were linked without a person: theirs references, the later referral, and the names."""
    names = named()
    first, _ = pushed(world, on("2026-03-01", **names))
    second, now = pushed(world, on("2026-04-12", **names))
    linked_up(world)
    return first, second, now, names


def test_a_link_that_was_wrong_is_undone_and_whoever_was_told_is_corrected(world: World) -> None:
    first, second, now, _ = linked(world)
    assert earlier(world, now) == ["2026-03-01"]
    version = version_of(world.hospital.get(f"/fhir/R4/Task/{now}").json())
    match = between(world, first, second)
    assert (match["state"], match["due_at"], match["overdue"]) == ("linked", None, False)
    start = size(world)
    undo(world, match["match"])

    found = sealed(world, start=start)
    (undone,) = [one for one in found if one.event == Event.MATCH_UNDONE]
    assert (undone.operation, undone.reason, undone.outcome) == (
        Operation.COMBINATION,
        "relatives",
        Outcome.PERMITTED,
    )
    assert len(undone.subjects) == 2
    assert undone.actor.user
    (notice,) = notices(world, now)
    assert (notice["kind"], notice["reason"]) == ("corrected", "not-one-person")
    assert earlier(world, now) == []
    assert version_of(world.hospital.get(f"/fhir/R4/Task/{now}").json()) > version
    assert between(world, first, second)["state"] == "different"
    services = world.services
    verify_log(services.database, LOG, services.signer(LOG).verifier)


def test_who_was_told_nothing_of_it_is_not_corrected(world: World) -> None:
    """The referral was read before the link was there, and never since."""
    names = named()
    first, _ = pushed(world, on("2026-03-01", **names))
    second, now = pushed(world, on("2026-04-12", **names))
    assert earlier(world, now) == []
    linked_up(world)
    undo(world, between(world, first, second)["match"])
    assert notices(world, now) == []


def test_what_was_undone_is_never_linked_again_without_a_person(world: World) -> None:
    names = named()
    first, _ = pushed(world, on("2026-03-01", **names))
    later = on("2026-04-12", **names)
    second, now = pushed(world, later)
    linked_up(world)
    undo(world, between(world, first, second)["match"])
    later["data"]["attributes"]["recordVersion"] = 2
    pushed(world, later)
    linked_up(world)
    assert earlier(world, now) == []
    assert between(world, first, second)["state"] == "different"


def test_a_third_incident_that_is_both_joins_neither_without_a_person(world: World) -> None:
    """She may be the one or the other; linked with both, the two whom a person parted would be one again."""
    first, second, _, names = linked(world)
    undo(world, between(world, first, second)["match"])
    third, now = pushed(world, on("2026-05-20", **names))
    linked_up(world)
    assert earlier(world, now) == []
    assert {between(world, third, one)["state"] for one in (first, second)} == {"open"}

    one, other = (between(world, third, each)["match"] for each in (first, second))
    decided = world.guardian.post(f"/governance/v1/matches/{one}/decision", json={"outcome": "same"})
    assert decided.status_code == 200
    assert earlier(world, now) == ["2026-03-01"]
    start = size(world)
    refused = world.guardian.post(f"/governance/v1/matches/{other}/decision", json={"outcome": "same"})
    assert refused.status_code == 422
    assert not [each for each in sealed(world, start=start) if each.event == Event.MATCH_DECIDED]


def test_whoever_joins_the_two_all_the_same_is_put_to_a_person(world: World) -> None:
    """Three are linked, each with each: parting two leaves the third to one of them, and asks about the other."""
    names = named()
    (first, _), (second, _), (third, now) = (
        pushed(world, on(day, **names)) for day in ("2026-03-01", "2026-04-12", "2026-05-20")
    )
    linked_up(world)  # all at once, so that none was linked when the others were compared
    assert earlier(world, now) == ["2026-04-12", "2026-03-01"]
    start = size(world)
    undo(world, between(world, third, second)["match"], "told")
    undone = [each for each in sealed(world, start=start) if each.event == Event.MATCH_UNDONE]
    assert sorted(each.reason or "" for each in undone) == ["follows", "told"]
    left = {frozenset(one["incidents"]): one for one in [*matches(world, third), *matches(world, second)]}
    hers = [one for pair, one in left.items() if pair <= {first, second, third}]
    assert sorted(one["state"] for one in hers) == ["different", "linked", "open"]
    (asked,) = [one for one in hers if one["state"] == "open"]
    assert asked["due_at"] > asked["opened_at"]
    assert "2026-04-12" not in earlier(world, now)
    assert [each["kind"] for each in notices(world, now)] == ["corrected"]


def test_a_link_that_a_person_made_is_undone_like_any_other(world: World) -> None:
    family = named()["victim_surname"]
    match, _, now = doubtful(world, family, "1962-02-12")
    assert world.guardian.post(f"/governance/v1/matches/{match}/undo", json={"reason": "mistake"}).status_code == 422
    world.guardian.post(f"/governance/v1/matches/{match}/decision", json={"outcome": "same"})
    assert earlier(world, now) == ["2026-03-01"]
    undo(world, match, "mistake")
    assert earlier(world, now) == []
    assert [one["kind"] for one in notices(world, now)] == ["corrected"]
    again = world.guardian.post(f"/governance/v1/matches/{match}/undo", json={"reason": "mistake"})
    assert again.status_code == 422


def test_a_link_is_undone_after_the_incident_was_erased(world: World) -> None:
    names = named()
    first, before = pushed(world, on("2026-03-01", **names))
    second, now = pushed(world, on("2026-04-12", **names))
    linked_up(world)
    assert earlier(world, now) == ["2026-03-01"]
    erased(world, before)
    undo(world, between(world, first, second)["match"])
    assert earlier(world, now) == []
    assert [one["kind"] for one in notices(world, now)] == ["corrected"]


def test_a_later_version_that_takes_a_link_back_corrects_those_who_were_told(world: World) -> None:
    """The earlier incident turns out to be another woman's: the adviser of the later one was told of it."""
    names = named()
    wrong = on("2026-03-01", **names)
    pushed(world, wrong)
    _, now = pushed(world, on("2026-04-12", **names))
    linked_up(world)
    assert earlier(world, now) == ["2026-03-01"]
    victim = wrong["data"]["relationships"]["victim"]["data"][0]["id"]
    person = next(one for one in wrong["included"] if one["id"] == victim)
    person["attributes"] |= {"surname": "Elseby", "givenName": ["Vivian"], "dateOfBirth": "1995-05-05"}
    wrong["data"]["attributes"]["recordVersion"] = 2
    pushed(world, wrong)
    linked_up(world)
    assert earlier(world, now) == []
    assert ("corrected", "not-one-person") in {(one["kind"], one["reason"]) for one in notices(world, now)}


def test_another_suspect_after_all_is_a_correction_too(world: World) -> None:
    """The two incidents stay hers; that the suspect was the same is taken back."""
    names = named() | {"suspect_surname": "Samely", "suspect_given": "Abel", "suspect_born": "1960-01-31"}
    first, _ = pushed(world, on("2026-03-01", **names))
    second, now = pushed(world, on("2026-04-12", **names))
    linked_up(world)
    assert extensions(request_of(world, now), "earlier-incident")[0]["samePair"] is True
    found = world.guardian.get("/governance/v1/matches", params={"incident": now}).json()["matches"]
    (match,) = [
        one
        for one in found
        if set(one["incidents"]) == {first, second} and all(each.startswith("suspect") for each in one["people"])
    ]
    undo(world, match["match"])
    (shown,) = extensions(request_of(world, now), "earlier-incident")
    assert (shown["date"], shown["samePair"]) == ("2026-03-01", False)
    assert [one["kind"] for one in notices(world, now)] == ["corrected"]


@pytest.mark.parametrize("body", [{}, {"reason": "because she said so"}, {"reason": "told", "more": 1}])
def test_why_is_one_of_a_few_codes(world: World, body: dict[str, Any]) -> None:
    first, second, _, _ = linked(world)
    path = f"/governance/v1/matches/{between(world, first, second)['match']}/undo"
    assert world.guardian.post(path, json=body).status_code == 422
    assert between(world, first, second)["state"] == "linked"


def test_only_who_may_decide_undoes_and_what_is_not_there_is_sealed(world: World) -> None:
    first, second, _, _ = linked(world)
    path = f"/governance/v1/matches/{between(world, first, second)['match']}/undo"
    for client in (world.police, world.hospital):
        assert client.post(path, json={"reason": "told"}).status_code == 403
    none = world.guardian.post(f"/governance/v1/matches/{first}/undo", json={"reason": "told"})
    assert none.status_code == 404
    assert sealed(world)[-1].event == Event.NOTHING_FOUND


def test_an_incident_nobody_knows_has_no_matches_and_is_not_repeated(world: World) -> None:
    assert matches(world, "Zuleika Partingly") == []
    assert "incident" not in (sealed(world)[-1].detail or {})


def test_parting_takes_the_links_of_whoever_has_fewer() -> None:
    """A chain is cut at the end that hangs on one link; what leads elsewhere stays."""
    a, b, c, d, e = ((name, "victim-1") for name in "abcde")
    pairs = [(a, b), (b, c), (a, c), (a, d), (d, c), (c, e)]
    edges: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for one, other in pairs:
        edges.setdefault(one, set()).add(other)
        edges.setdefault(other, set()).add(one)
    assert parting(edges, b, d) == {frozenset((a, b)), frozenset((b, c))}
    assert parting(edges, e, a) == parting(edges, a, e) == {frozenset((c, e))}


def test_a_match_that_nobody_decided_is_sealed_and_said_as_late_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    match, _, _ = doubtful(world, named()["victim_surname"], "1962-02-12")
    table = tables.match_review
    with world.services.database.writing() as connection:
        late = update(table).where(table.c.id == match).values(due_at="2026-01-01T00:00:00.000Z")
        connection.execute(late)
    (job,) = [one for one in jobs(world.services) if one.name == "matches-overdue"]
    start = size(world)
    with caplog.at_level("WARNING", logger="gateway"):
        job.run(datetime.now(UTC))
        job.run(datetime.now(UTC))
    assert [one.__dict__["line"] for one in caplog.records] == ["MATCHES_OVERDUE"]
    found = [one for one in sealed(world, start=start) if one.event == Event.MATCH_OVERDUE]
    of_it = [one for one in found if (one.detail or {})["match"] == match]
    assert [(one.outcome, (one.detail or {})["due"]) for one in of_it] == [(Outcome.FAILED, "2026-01-01T00:00:00.000Z")]
    shown = world.guardian.get("/governance/v1/outstanding").json()["matches"]
    assert next(one["overdue"] for one in shown if one["match"] == match)
    world.guardian.post(f"/governance/v1/matches/{match}/decision", json={"outcome": "different"})
    shown = world.guardian.get("/governance/v1/outstanding").json()["matches"]
    assert match not in {one["match"] for one in shown}
    with world.services.database.reading() as connection:
        assert connection.execute(select(table.c.overdue_at).where(table.c.id == match)).scalar_one()
