"""What police were given of a hospital's notice and may not be given any more is said to be withdrawn, without content.

Police who were never given it hear nothing: that there was one would tell them of her (N2).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from gateway.duties import jobs
from gateway.evidence import Event
from gateway.store import tables
from tests.journeys.test_hospital_notices import OVERRIDE, pull, sealed, send, state, told
from tests.support.bundles import bundle, number
from tests.support.world import World


def released(world: World, serial: int | None = None) -> str:
    """A notice that she refused and a person let go; its reference."""
    notice: str = send(world, bundle(serial or number(), consent="refused")).json()["identifier"]["value"]
    url = f"/governance/v1/hospital-notices/{notice}/release"
    assert world.guardian.post(url, json=OVERRIDE).is_success
    return notice


def ran_out(world: World, notice: str) -> None:
    """Let the day of its override come, and the gateway notice it."""
    with world.services.database.writing() as connection:
        table = tables.consent_override
        past = table.update().where(table.c.event_id == notice).values(expires_at="2026-01-01T00:00:00.000Z")
        connection.execute(past)
    by_the_clock(world)


def by_the_clock(world: World) -> None:
    """Do the duties that end what has run out."""
    for job in jobs(world.services):
        if job.name in {"overrides-ended", "releases-ended"}:
            job.run(datetime.now(UTC))


def lines(world: World, notice: str, after: int = -1) -> list[tuple[str, bool]]:
    """What police read of a notice: each line's state, and whether there is content."""
    return [(one["state"], "record" in one) for one in told(world, notice, after)]


def said(world: World, notice: str) -> set[str]:
    """The kinds of what police are told and have not acknowledged."""
    return {one["kind"] for one in world.police.get("/notices/v1").json()["notices"] if one["incident"] == notice}


def test_when_an_override_has_run_out_police_read_that_the_notice_is_withdrawn(world: World) -> None:
    notice = released(world)
    assert lines(world, notice) == [("current", True)]
    after = pull(world)["next"]
    ran_out(world, notice)
    assert lines(world, notice, after) == [("withdrawn", False)], "a line under a new cursor"
    assert lines(world, notice) == [("withdrawn", False)], "and the one with content is gone"
    assert sealed(world, Event.HOSPITAL_NOTICE_READ, notice)[-1].reason == "withdrawn"
    decided = sealed(world, Event.HOSPITAL_NOTICE_DECIDED, notice)[-1]
    assert (decided.reason, decided.facts["consent"]) == ("override-ended", "refused")  # type: ignore[index]  # it has facts
    assert state(world, notice) == "held", "somebody of the hospital decides again"
    assert "stopped" in said(world, notice)
    world.police.post("/police/v1/notices/acknowledgements", params={"through": pull(world)["next"]})
    assert said(world, notice) == set()
    by_the_clock(world)
    assert len(sealed(world, Event.HOSPITAL_NOTICE_DECIDED, notice)) == 2, "once"


def test_a_review_that_finds_it_unjustified_withdraws_it_too(world: World) -> None:
    notice = released(world)
    assert lines(world, notice) == [("current", True)]
    with world.services.database.reading() as connection:
        table = tables.consent_override
        id_ = connection.execute(select(table.c.id).where(table.c.event_id == notice)).scalar_one()
    other = world.client("demo-guardian", {"id": "another-guardian", "role": "caldicott-guardian"})
    assert other.post(f"/governance/v1/overrides/{id_}/review", json={"outcome": "not-justified"}).is_success
    assert lines(world, notice) == [], "nothing is given from that instant"
    by_the_clock(world)
    assert lines(world, notice) == [("withdrawn", False)]


def test_who_was_never_given_it_hears_nothing(world: World) -> None:
    """N2: the notice went on an override, nobody read it, the override ended."""
    before = pull(world)["next"]
    notice = released(world)
    ran_out(world, notice)
    assert lines(world, notice, before) == []
    assert "stopped" not in said(world, notice)


def test_let_go_again_it_is_read_again_once(world: World) -> None:
    notice = released(world)
    assert lines(world, notice) == [("current", True)]
    ran_out(world, notice)
    again = world.guardian.post(f"/governance/v1/hospital-notices/{notice}/release", json=OVERRIDE)
    assert again.is_success, again.text
    assert lines(world, notice) == [("current", True)]


def test_a_later_version_that_waits_withdraws_the_one_before(world: World) -> None:
    serial = number()
    notice: str = send(world, bundle(serial)).json()["identifier"]["value"]
    assert lines(world, notice) == [("current", True)]
    send(world, bundle(serial, consent="refused", authored="2026-11-22T10:00:00Z"))
    assert state(world, notice) == "held"
    assert lines(world, notice) == [("withdrawn", False)]


@pytest.mark.parametrize("consent", ["refused", "given"])
def test_a_retraction_reaches_who_read_it_whatever_the_later_document_says_of_consent(
    world: World, consent: str
) -> None:
    """N14: police read it under an override; that she refused does not keep them from hearing that it was an error."""
    serial = number()
    notice = released(world, serial)
    assert lines(world, notice) == [("current", True)]
    wrong: dict[str, Any] = bundle(serial, consent=consent, status="entered-in-error", authored="2026-11-22T10:00:00Z")
    assert send(world, wrong).is_success
    assert lines(world, notice) == [("retracted", False)]
