"""The guardian's pages: a hold is decided and a decision reviewed, each in one form, and by nobody's name."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
from lxml import html

from gateway.chance import fresh_id
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from tests.journeys.support import sealed, serial, size
from tests.support.console import ADVISER, AUDITOR, GUARDIAN, ConsoleClient, signed_in
from tests.support.world import World

AT = "/console/guardian"
GIVEN: Mapping[str, str] = {
    "ground": "life-or-limb",
    "evidence": "The officer saw fresh injuries to her neck.",
    "proportionality": "Nothing short of a call today keeps her safe.",
    "minimum_set": "Her name, a safe number and the risk alone.",
    "victim_told": "yes",
}


@pytest.fixture(scope="module")
def guardian(world: World) -> ConsoleClient:
    """A guardian at their page."""
    return signed_in(world, GUARDIAN)


def held(world: World) -> str:
    """A record that waits for a human, because she refused consent."""
    answer = world.push(incident(serial(), grade="STANDARD", consent="REFUSED")).json()
    return str(answer["held"]["reference"])


def words(page: httpx.Response) -> str:
    """The words of a page."""
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    return " ".join(" ".join(tree.xpath("//main")[0].itertext()).split())


def test_a_hold_goes_on_by_one_form_and_its_ground_is_sealed(world: World, guardian: ConsoleClient) -> None:
    hold = held(world)
    assert f"{AT}/holds/{hold}" in guardian.get(AT).text
    page = guardian.get(f"{AT}/holds/{hold}")
    assert "Ashdown" not in page.text
    before = size(world, LOG)
    answer = guardian.form(page, GIVEN, at="Let it go on").submit()
    assert answer.headers["location"] == f"{AT}?done=released", words(answer)
    events = {one.event: one for one in sealed(world, LOG, before)}
    assert events["override-recorded"].reason == "life-or-limb"
    assert events["override-recorded"].actor.user == GUARDIAN.id
    assert not any(b"injuries" in one.body for one in world.entries())
    after = guardian.follow(answer)
    assert "It goes on." in words(after)
    assert hold not in after.text


def test_what_was_decided_is_reviewed_by_somebody_else(world: World, guardian: ConsoleClient) -> None:
    hold = held(world)
    guardian.form(f"{AT}/holds/{hold}", GIVEN, at="Let it go on").submit()
    tree = html.document_fromstring(guardian.get(AT).text)  # type: ignore[no-untyped-call]  # lxml has no types
    address = str(tree.xpath("//main//a/@href[contains(., '/reviews/override/')]")[-1])
    own = guardian.form(address, {"outcome": "justified"}, at="Seal my review").submit()
    assert own.status_code == 422
    assert "Nobody reviews what they decided themselves" in words(own)
    other = signed_in(world, GUARDIAN, id="caldicott-2")
    before = size(world, LOG)
    answer = other.form(address, {"outcome": "justified"}, at="Seal my review").submit()
    assert answer.headers["location"] == f"{AT}?done=reviewed"
    assert "override-reviewed" in {one.event for one in sealed(world, LOG, before)}
    assert other.get(address).status_code == 404


def test_a_reviewer_reads_by_one_click_why_it_was_done(world: World, guardian: ConsoleClient) -> None:
    hold = held(world)
    guardian.form(f"{AT}/holds/{hold}", GIVEN, at="Let it go on").submit()
    tree = html.document_fromstring(guardian.get(f"{AT}?kind=reviews").text)  # type: ignore[no-untyped-call]  # as above
    address = str(tree.xpath("//main//a/@href[contains(., '/reviews/override/')]")[-1])
    own = guardian.get(address)
    assert "Read what was written" not in own.text, "its author needs nobody's leave, and is no reviewer of it"
    other = signed_in(world, GUARDIAN, id="caldicott-2")
    page = other.get(address)
    assert GIVEN["evidence"] not in page.text
    before = size(world, LOG)
    shown = other.form(page, {}, at="/words").submit()
    assert shown.status_code == 200
    for name in ("evidence", "proportionality", "minimum_set"):
        assert GIVEN[name] in words(shown)
    (entry,) = [one for one in sealed(world, LOG, before) if one.event == "review-words-read"]
    assert (entry.actor.user, entry.reason) == ("caldicott-2", "review")
    assert "Seal my review" in words(shown)
    token = dict(other.form(page, {}, at="/words").fields)["csrf"]
    refused = guardian.post(f"{address}/words", {"csrf": dict(guardian.form(own, {}, at="/reviews").fields)["csrf"]})
    assert GIVEN["evidence"] not in refused.text
    assert other.post(f"{AT}/reviews/override/{fresh_id()}/words", {"csrf": token}).status_code == 404
    assert other.post(f"{AT}/reviews/gossip/{fresh_id()}/words", {"csrf": token}).status_code == 404
    assert other.post(f"{address}/words", {"csrf": "another"}).status_code == 403


def test_another_party_sees_that_a_review_is_due_and_nothing_that_was_written(
    world: World, guardian: ConsoleClient
) -> None:
    hold = held(world)
    guardian.form(f"{AT}/holds/{hold}", GIVEN, at="Let it go on").submit()
    theirs = signed_in(world, GUARDIAN, id="caldicott-9", organisation="RTX")
    listed = theirs.get(f"{AT}?kind=reviews")
    assert "For somebody of RXL to review" in words(listed)
    tree = html.document_fromstring(listed.text)  # type: ignore[no-untyped-call]  # as above
    address = str(tree.xpath("//main//a/@href[contains(., '/reviews/override/')]")[-1])
    page = theirs.get(address)
    assert "somebody else there reviews it" in words(page)
    assert "Seal my review" not in page.text
    token = dict(theirs.form("/console/sign-out", at="this browser").fields)["csrf"]
    assert theirs.post(f"{address}/words", {"csrf": token}).status_code == 404
    assert theirs.post(address, {"csrf": token, "outcome": "not-justified"}).status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"evidence": ""}, "Enter what you know"),
        ({"victim_told": "unsafe"}, "Enter why the victim was not told"),
        ({"days": "91"}, "For how many days must be 90 or less"),
    ],
)
def test_an_override_that_is_not_whole_is_not_taken(
    world: World, guardian: ConsoleClient, change: Mapping[str, str], said: str
) -> None:
    hold = held(world)
    before = size(world, LOG)
    answer = guardian.form(f"{AT}/holds/{hold}", {**GIVEN, **change}, at="Let it go on").submit()
    assert answer.status_code == 422
    assert said in words(answer)
    assert {one.event for one in sealed(world, LOG, before)} == {"hold-read"}


def test_a_hold_is_kept_back_for_a_reason(world: World, guardian: ConsoleClient) -> None:
    hold = held(world)
    before = size(world, LOG)
    form = guardian.form(f"{AT}/holds/{hold}", {"reason": "not-proportionate"}, at="Keep it back")
    assert form.submit().headers["location"] == f"{AT}?done=kept"
    assert [one.reason for one in sealed(world, LOG, before) if one.event == "hold-upheld"] == ["not-proportionate"]
    assert guardian.get(f"{AT}/holds/{hold}").status_code == 404


def test_the_pages_are_the_guardian_s_alone(world: World, guardian: ConsoleClient) -> None:
    hold = held(world)
    for person in (ADVISER, AUDITOR):
        client = signed_in(world, person)
        for path in (AT, f"{AT}/holds/{hold}", f"{AT}/reviews/override/{fresh_id()}"):
            assert client.get(path).status_code == 404
    assert guardian.get(f"{AT}/holds/{fresh_id()}").status_code == 404
    assert guardian.get(f"{AT}/reviews/gossip/{fresh_id()}").status_code == 404
