"""An XML occurrence goes the whole road; a hostile one is refused by place, kept for a human, and tells no value."""

from __future__ import annotations

import pytest

from adapters.socket import Fault
from gateway.evidence import Event
from mappings.profile import profile
from tests.adapters.test_police_xml import HOSTILE
from tests.journeys.support import serial
from tests.journeys.test_profiles import last, send
from tests.support import niche
from tests.support.world import World

XML = "application/xml"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1252"])
def test_an_occurrence_is_accepted_and_offered(world: World, encoding: str) -> None:
    text = niche.text(serial()).replace('"UTF-8"', f'"{encoding}"').replace("Marianne", "Zoë")
    answer = send(world, ("niche",), text.encode(encoding), "text/xml; charset=" + encoding)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert len(told["referrals"]) == 1
    assert [one["path"] for one in told["losses"]["paths"]] == ["OccurrenceExport.Occurrence.Attachment"]
    assert last(world, Event.INCIDENT_ACCEPTED).mapping == profile("niche").hash


def test_the_same_occurrence_again_makes_no_second_case(world: World) -> None:
    body = niche.text(serial()).encode()
    assert [send(world, ("niche",), body, XML).status_code for _ in range(2)] == [201, 200]


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)  # what a reader refuses, no engine decides
@pytest.mark.parametrize(("body", "fault", "path"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_hostile_is_told_where_and_kept(world: World, body: bytes, fault: Fault, path: str | None) -> None:
    answer = send(world, ("niche",), body, XML)
    assert 400 <= answer.status_code < 500, answer.text
    assert "zqx" not in answer.text
    told = answer.json()
    if fault is not Fault.TOO_LARGE:
        found = {(one["path"].replace("{}", ""), one["code"]) for one in told["errors"]}
        assert (path, fault) in found or (path is None and fault in {code for _, code in found})
        assert (told.get("quarantine") is not None) == bool(body)
