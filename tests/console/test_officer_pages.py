"""The officer's pages, without scripts: what they say comes from the words police may be told, and each is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from lxml import html
from sqlalchemy import update

from gateway.console.times import when
from gateway.console.words import words
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from gateway.feedback import Telling
from gateway.officers import collars, window_of
from gateway.store import tables
from mappings.record import Feedback, FeedbackCode
from tests.journeys.hospital_channels import send
from tests.journeys.support import sealed, serial, size
from tests.support.console import OFFICER, OTHER_FORCE, ConsoleClient, signed_in
from tests.support.world import World

AT = "/console/officer"
ANALYST = {"recipient": "police-analyst", "id": "analyst-1"}


@pytest.fixture(scope="module")
def officer(world: World) -> ConsoleClient:
    """The officer in the case of every incident of the demonstration."""
    return signed_in(world, OFFICER)


def sent(world: World, collar: str = "1234") -> tuple[str, str, str]:
    """An incident with an officer in the case; the gateway's references of it and of its referral, and the force's."""
    number = serial()
    document = incident(number)
    next(one for one in document["included"] if one["type"] == "officer")["attributes"]["collarNumber"] = collar
    body = world.push(document).json()
    return body["incident"], body["referrals"][0]["reference"], f"04-2026-{number:06d}"


def act(world: World, referral: str, *acts: Mapping[str, Any]) -> None:
    """Do something in a case, as the adviser."""
    answer = world.hospital.post(f"/team/v1/referrals/{referral}/acts", json={"acts": list(acts)})
    assert answer.status_code == 200, answer.text


def read(page: httpx.Response) -> str:
    """The words of a page, as they are read."""
    assert page.status_code == 200, page.text
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    return " ".join(tree.xpath("//main")[0].text_content().split())


def row(page: httpx.Response, reference: str) -> str:
    """What a list says of a case; "" where it is not on it."""
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    rows = [" ".join(" ".join(one.itertext()).split()) for one in tree.xpath("//tbody/tr")]
    return next((one for one in rows if reference in one), "")


_TRY = {"act": "contact-attempt", "channel": "phone", "result": "no-answer"}
_NO = {"act": "decline", "reason": "not-now"}


@pytest.mark.parametrize(
    ("acts", "said"),
    [
        ((), "Nobody has answered"),
        (({"act": "acknowledge"},), "Not yet: the team has it"),
        ((_TRY,), "Tried, not reached"),
        (({"act": "engage"},), "Reached"),
        (({"act": "engage"}, _TRY), "Reached"),
        (({"act": "already-supported", "by": "refuge"},), "Supported already"),
        (({"act": "unsafe-to-contact", "ground": "suspect-answers"},), "Unsafe to contact"),
        ((_TRY, _NO | {"consent": {"state": "given"}}), "Reached"),
        ((_TRY, _NO), "Tried, not reached"),  # what she wishes stays with the team, and leaves no trace
    ],
)
def test_whether_anybody_reached_her_is_concluded_from_the_words_that_may_be_told(
    world: World, officer: ConsoleClient, acts: tuple[Mapping[str, Any], ...], said: str
) -> None:
    reference, referral, occurrence = sent(world)
    if acts:
        act(world, referral, *acts)
    assert f"Did anyone reach her? {said}" in row(officer.get(AT), occurrence)
    page = read(officer.get(f"{AT}/cases/{reference}"))
    assert said in page
    heard = world.police.get(f"/police/v1/incidents/{reference}").json()["feedback"]
    for one in heard:
        assert words(one["code"], "feedback") in page
    assert ("Declined support" in page) is ("declined-support" in {one["code"] for one in heard})


def test_a_case_nobody_answered_in_time_is_overdue_until_somebody_does(world: World, officer: ConsoleClient) -> None:
    reference, referral, occurrence = sent(world)
    assert row(officer.get(f"{AT}?only=overdue"), occurrence) == ""
    late = (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with world.services.database.writing() as connection:
        of = tables.referral.c.id == referral
        connection.execute(update(tables.referral).where(of).values(respond_by=late))
    assert "Overdue by 2 hours" in row(officer.get(f"{AT}?only=overdue"), occurrence)
    assert "Overdue by 2 hours" in read(officer.get(f"{AT}/cases/{reference}"))
    act(world, referral, {"act": "acknowledge"})
    assert row(officer.get(f"{AT}?only=overdue"), occurrence) == ""


def test_a_call_she_asks_for_is_shown_with_the_time_that_is_safe(world: World, officer: ConsoleClient) -> None:
    reference, referral, occurrence = sent(world)
    assert row(officer.get(f"{AT}?only=calls"), occurrence) == ""
    safe = datetime.now(UTC).replace(hour=10, minute=30) + timedelta(days=1)
    window = {"from": safe.isoformat(), "until": (safe + timedelta(hours=1)).isoformat()}
    act(world, referral, {"act": "request-call", **window})
    for page in (row(officer.get(f"{AT}?only=calls"), occurrence), read(officer.get(f"{AT}/cases/{reference}"))):
        assert "asks you to ring her" in page
        assert f"Safe from {when(safe)} until {when(safe + timedelta(hours=1))}" in page


def test_a_safe_time_that_is_over_is_said_to_be_and_goes_from_the_list_after_days(
    world: World, officer: ConsoleClient
) -> None:
    reference, referral, occurrence = sent(world)
    soon = datetime.now(UTC) + timedelta(minutes=5)
    window = {"from": soon.isoformat(), "until": (soon + timedelta(hours=1)).isoformat()}
    act(world, referral, {"act": "request-call", **window})
    for days, listed in ((2, True), (4, False)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gateway.officers.datetime", _clock(days))
            patch.setattr("gateway.console.officer.datetime", _clock(days))
            assert bool(row(officer.get(f"{AT}?only=calls"), occurrence)) is listed
            assert "That time is over" in read(officer.get(f"{AT}/cases/{reference}"))
    assert "That time is over" not in read(officer.get(f"{AT}/cases/{reference}"))


def _clock(days: int) -> type[datetime]:
    """The time so many days from now."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Later:
            return cls.fromtimestamp(datetime.now(UTC).timestamp() + days * 86_400, tz)

    return Later


def test_a_safe_time_that_is_none_is_a_code_of_the_parties_own() -> None:
    for code in ("mornings", "20261399t2561z-20261399t2661z", "20261124t1030z", None):
        assert window_of(_word(code)) is None
    start, end = window_of(_word("20261124t1030z-20261124t1130z")) or (None, None)
    assert (start, end) == (datetime(2026, 11, 24, 10, 30, tzinfo=UTC), datetime(2026, 11, 24, 11, 30, tzinfo=UTC))


def _word(value: str | None) -> Telling:
    feedback = Feedback(code=FeedbackCode.VICTIM_REQUESTS_CALL, at=datetime.now(UTC), value=value)
    return Telling(Mock(), Mock(), Mock(), feedback)


def test_an_officer_begins_with_their_own_cases_and_may_look_at_the_force_s(
    world: World, officer: ConsoleClient
) -> None:
    _, _, own = sent(world)
    _, _, other = sent(world, collar="9999")
    mine, force = officer.get(AT), officer.get(f"{AT}?whose=force")
    assert (row(mine, own) != "", row(mine, other)) == (True, "")
    assert row(force, own)
    assert row(force, other)


def test_a_collar_number_is_a_staff_id_or_its_last_part() -> None:
    assert collars("collar-1234") == ("collar-1234", "1234")
    assert collars("LC1234") == ("lc1234",)


def test_a_case_is_found_by_the_force_s_own_reference_which_no_address_holds(
    world: World, officer: ConsoleClient
) -> None:
    reference, _, occurrence = sent(world)
    answer = officer.form(AT, {"reference": f" {occurrence} "}, at="/search").submit()
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{AT}/cases/{reference}"
    nothing = officer.form(AT, {"reference": "04-2026-999999"}, at="/search").submit()
    assert "No case that your force sent has this reference" in read(nothing)
    empty = officer.form(AT, {}, at="/search").submit()
    assert (empty.status_code, "Enter the reference" in empty.text) == (422, True)
    entry = sealed(world, LOG)[-1]
    assert occurrence not in str(entry)


def test_every_case_and_every_word_that_is_shown_is_sealed(world: World, officer: ConsoleClient) -> None:
    reference, referral, _ = sent(world)
    act(world, referral, {"act": "acknowledge"}, _TRY, {"act": "engage"}, {"act": "risk-change", "direction": "up"})
    before = size(world)
    whole = officer.get(f"{AT}/cases/{reference}")
    entries = sealed(world, start=before)
    assert [(one.event, one.operation) for one in entries[:1]] == [("own-record-read", "consultation")]
    assert {one.operation for one in entries[1:]} == {"disclosure"}
    assert len(entries) == 1 + 4
    assert all((one.actor.user, one.case, one.outcome) == (OFFICER.id, referral, "permitted") for one in entries)
    assert f"Sealed as entry {before}" in read(whole)
    before = size(world)
    officer.get(AT)
    of_list = [one for one in sealed(world, start=before) if one.case == referral]
    assert [one.event for one in of_list] == ["own-record-read", "incident-status-read", "incident-status-read"]


def test_nobody_s_name_and_nothing_of_the_case_is_on_a_page(world: World, officer: ConsoleClient) -> None:
    """The force has its own record; what comes back are words."""
    reference, referral, _ = sent(world)
    act(world, referral, {"act": "engage"})
    for path in ("", "?whose=force", "?only=calls", f"/cases/{reference}", "/notices"):
        page = officer.get(f"{AT}{path}").text
        for word in ("Ashdown", "Brackwater", "pushed against a wall", "07700"):
            assert word not in page, path


def test_a_force_s_case_is_nothing_to_another_force_or_to_another_team(world: World) -> None:
    reference, _, occurrence = sent(world)
    for client in (signed_in(world, OTHER_FORCE), signed_in(world, OFFICER, **ANALYST)):
        before = size(world, LOG)
        for path in ("", f"/cases/{reference}", "/cases/00000000-0000-4000-8000-000000000000", "/notices", "/hospital"):
            answer = client.get(f"{AT}{path}")
            assert answer.status_code == 403, path
            assert occurrence not in answer.text
        assert {one.event for one in sealed(world, LOG, before)} == {"access-refused"}


def test_a_correction_is_taken_note_of_once_and_for_the_force(world: World, officer: ConsoleClient) -> None:
    assert send(world).status_code == 200
    page = officer.get(f"{AT}/notices")
    assert "A hospital tells police" in read(page)
    open_ones = page.text.count("I have seen it")
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    notice = tree.xpath("//input[@name='notice']/@value")[0]
    token = tree.xpath("//input[@name='csrf']/@value")[0]
    answer = officer.post(f"{AT}/notices/acknowledgement", {"csrf": token, "notice": notice})
    assert answer.status_code == 303
    assert "Noted" in read(officer.follow(answer))
    entry = next(one for one in reversed(sealed(world)) if one.event == "notice-acknowledged")
    assert (entry.actor.user, entry.outcome) == (OFFICER.id, "permitted")
    assert officer.get(f"{AT}/notices").text.count("I have seen it") == open_ones - 1
    for of_none in ("x", "00000000-0000-4000-8000-000000000000"):
        assert officer.post(f"{AT}/notices/acknowledgement", {"csrf": token, "notice": of_none}).status_code == 404


def test_what_a_hospital_tells_is_shown_as_far_as_the_agreement_lets_it_and_sealed(
    world: World, officer: ConsoleClient
) -> None:
    reference = send(world).json()["identifier"]["value"]
    before = size(world)
    found = read(officer.get(f"{AT}/hospital"))
    assert f"Notice {reference[:8]}" in found
    assert "Marianne Ashdown" in found
    read_ones = [one for one in sealed(world, start=before) if one.case == reference]
    assert [(one.event, one.actor.user) for one in read_ones] == [("hospital-notice-read", OFFICER.id)]


def test_a_page_that_is_none_is_the_first(officer: ConsoleClient) -> None:
    for query in ("?page=x", "?page=-1", "?whose=nobody", "?only=everything", "?page=" + "9" * 40):
        assert "My cases" in read(officer.get(f"{AT}{query}")), query
    assert officer.get(f"{AT}/hospital?after=x").status_code == 200


def test_a_page_of_another_role_is_sealed_as_refused(world: World, officer: ConsoleClient) -> None:
    before = size(world, OPERATOR_LOG)
    assert officer.get("/console/operator").status_code == 404
    assert sealed(world, OPERATOR_LOG, before)[-1].event == "access-refused"
