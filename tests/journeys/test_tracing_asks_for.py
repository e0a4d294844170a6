"""For whom PDS is asked: the organisation that the agreement names, whichever trust a referral has gone to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.pds import Patient, number
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.store.traced import State
from tests.journeys.support import bring_into_force, pushed, sealed, world_on
from tests.support.tracing import desk
from tests.support.world import World

MARIANNE = Patient(number(1), (("Ashdown", "Marianne"),), "1991-02-03")


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path / "data") as made:
        yield made


def asked_for(party: str) -> Any:
    """The shipped agreement with its recipient for PDS made this party's."""

    def change(content: dict[str, Any]) -> None:
        next(one for one in content["recipients"] if one["id"] == "pds").update(party=party)

    return change


@pytest.mark.parametrize(
    ("party", "code"), [(None, "RXL"), ("blackpool-teaching-hospitals", "RXL"), ("morecambe-bay-hospitals", "RTX")]
)
def test_pds_is_asked_under_the_code_of_the_party_that_the_agreement_names(
    world: World, party: str | None, code: str
) -> None:
    """One answer serves the referrals of every trust, so what the referral says cannot be what PDS is told."""
    if party:
        bring_into_force(world, asked_for(party))
        world.services.terms.forget(LOG)
    with desk(world, MARIANNE) as at:
        _, referral = pushed(world)
        at.round()
        assert at.row(referral).organisation == "RXL"
        assert at.row(referral).state == State.VERIFIED
        assert {one.headers["nhsd-end-user-organisation-ods"] for one in at.pds.asked} == {code}
    asked = [one for one in sealed(world) if one.event == Event.TRACE_ASKED]
    assert {(one.detail or {})["organisation"] for one in asked} == {code}
    assert {one.recipients[0].organisation for one in asked} == {code}
