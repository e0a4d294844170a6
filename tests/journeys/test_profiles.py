"""A client is read by the profiles it is registered with: what it sends, what is held, and what nobody reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.entry import Entry, Outcome
from gateway.demo.incidents import incident
from gateway.evidence import OPERATOR_LOG, Event
from gateway.store import tables
from gateway.tokens.clients import ClientRefused, SetProfiles
from mappings.profile import profile, profiles
from tests.adapters.test_police_plain import HOSTILE
from tests.gateway.test_profiles import version
from tests.journeys.support import add_client, like, serial, world_on
from tests.journeys.test_people_decide import OVERRIDE
from tests.support.athena import investigation
from tests.support.courts import common_platform, libra
from tests.support.world import World

JSON = "application/json"


def send(world: World, names: tuple[str, ...], body: bytes | dict[str, Any], media: str = JSON) -> Any:
    client = add_client(world, "_".join(("rms", *names)), **like("demo-rms", profiles=names))
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/police/v1/incidents", content=content, headers={"Content-Type": media})


def investigated(**more: Any) -> dict[str, Any]:
    return investigation(f"04-2026-{serial():06}", **more)


def last(world: World, event: Event, log: str = "operation-provide") -> Entry:
    return next(entry for one in reversed(world.entries(log)) if (entry := one.entry()).event == event)


def kept(world: World, reference: str) -> Any:
    with world.services.database.reading() as connection:
        table = tables.quarantine
        return connection.execute(table.select().where(table.c.id == reference)).one()


def test_a_client_is_read_by_its_own_profile_and_the_entry_names_it(world: World) -> None:
    answer = send(world, ("athena",), investigated())
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert {one["path"] for one in told["losses"]["paths"]} == {
        "attachments[0]",
        "persons[0].addresses[2].addressType",
        "persons[0].addresses[2].line1",
    }
    assert last(world, Event.INCIDENT_ACCEPTED).mapping == profile("athena").hash


def test_one_client_may_send_several_formats(world: World) -> None:
    both = ("athena", "ihub")
    assert send(world, both, investigated()).status_code == 201
    answer = send(world, both, incident(serial()), "application/vnd.api+json")
    assert answer.status_code == 201
    assert last(world, Event.INCIDENT_ACCEPTED).mapping == profile("ihub").hash


def test_a_later_version_takes_the_place_of_the_one_before(world: World) -> None:
    document = investigated()
    reference = document["investigation"]["investigationReference"]
    assert send(world, ("athena",), document).status_code == 201
    assert send(world, ("athena",), document).json()["state"] == "known"
    assert send(world, ("athena",), investigation(reference, 2, "Update")).json()["state"] == "updated"


@pytest.mark.parametrize("media", ["application/vnd.api+json", "text/plain", "text/html", "application/pdf", ""])
def test_what_none_of_its_profiles_reads_is_refused_and_kept_for_a_human(world: World, media: str) -> None:
    answer = send(world, ("athena",), investigated(), media)
    assert answer.status_code == 415, answer.text
    row = kept(world, answer.json()["quarantine"])
    assert (row.reason, row.closed_at) == ("media-type", None)
    assert last(world, Event.INPUT_UNREADABLE).outcome is Outcome.FAILED


def test_json_in_another_character_set_is_refused_and_kept(world: World) -> None:
    answer = send(world, ("athena",), b"{}", "application/json; charset=windows-1252")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (415, "media-type")


@pytest.mark.parametrize(("name", "document"), [("libra", libra()), ("common-platform", common_platform())])
def test_a_court_message_is_held_for_a_human_and_offered_to_nobody(
    world: World, name: str, document: dict[str, Any]
) -> None:
    if name == "libra":
        document["caseId"] = serial()
    else:
        document["hearing"]["id"] = f"hearing-{serial()}"
    answer = send(world, (name,), document)
    assert (answer.status_code, answer.json()["reason"]) == (202, "no-victim")
    assert (answer.json()["referrals"], answer.json()["decisions"]) == ([], [])
    row = kept(world, answer.json()["held"]["reference"])
    assert (row.reason, row.risk) == ("no-victim", "unknown")


def test_a_changed_court_message_is_a_conflict_unless_it_says_its_version(world: World) -> None:
    document = libra() | {"caseId": serial()}
    assert send(world, ("libra",), document).status_code == 202
    changed = document | {"courtRoom": "07"}
    assert send(world, ("libra",), changed).status_code == 422
    assert send(world, ("libra",), changed | {"recordVersion": 2}).status_code == 202


def test_what_is_held_is_read_again_by_the_clients_profile(world: World) -> None:
    document = investigated()
    document["investigation"]["marking"] |= {"handlingCode": "C", "handlingConditions": "Ask first."}
    answer = send(world, ("athena",), document)
    assert answer.status_code == 202, answer.text
    hold = answer.json()["held"]["reference"]
    assert world.guardian.get(f"/governance/v1/holds/{hold}").json()["judged"]
    released = world.guardian.post(f"/governance/v1/holds/{hold}/release", json=OVERRIDE)
    assert released.status_code == 200, released.text
    assert len(released.json()["referrals"]) == 1
    assert last(world, Event.INCIDENT_ACCEPTED).mapping == profile("athena").hash


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)  # what a reader refuses, no engine decides
@pytest.mark.parametrize(("body", "path", "fault"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
def test_what_is_hostile_is_told_where_and_kept(world: World, body: bytes, path: str, fault: str) -> None:
    """Never a 5xx; the sender learns the path and never a value; what was there is kept."""
    answer = send(world, ("athena",), body)
    assert 400 <= answer.status_code < 500, answer.text
    told = answer.json()
    assert (path, fault) in {(one["path"], one["code"]) for one in told["errors"]} or fault == "too-large"
    assert (told.get("quarantine") is not None) == (bool(body) and fault != "too-large")


# The register


def test_the_profiles_of_a_client_are_set_anew_and_sealed(world: World) -> None:
    name = f"moving-{serial()}"
    client = add_client(world, name, **like("demo-rms"))
    document = json.dumps(investigated()).encode()
    headers = {"Content-Type": JSON}
    assert client.post("/police/v1/incidents", content=document, headers=headers).status_code == 422
    journal = world.services.journals.of(OPERATOR_LOG)
    journal.submit_and_wait(SetProfiles(name, ["athena", "ihub"]))
    assert client.post("/police/v1/incidents", content=document, headers=headers).status_code == 201
    assert last(world, Event.CLIENT_PROFILES_SET, OPERATOR_LOG).detail == {"client": name, "profiles": "athena,ihub"}
    journal.submit_and_wait(SetProfiles(name, []))
    assert world.services.clients.get(name).profiles == ()  # type: ignore[union-attr] # it is there


@pytest.mark.parametrize("names", [["a b"], ["x" * 33], [""]])
def test_a_name_no_profile_can_have_is_refused(names: list[str]) -> None:
    with pytest.raises(ClientRefused, match=r"profiles\[0\]"):
        SetProfiles("demo-rms", names)


def test_the_profiles_of_nobody_are_not_set(world: World) -> None:
    with pytest.raises(ClientRefused):
        world.services.journals.of(OPERATOR_LOG).submit_and_wait(SetProfiles("nobody", ["ihub"]))


GENERIC = {
    "nothing": b"",
    "zeros": bytes(64),
    "a byte-order mark": b"\xef\xbb\xbf",
    "half a character": b"\xc3",
    "brackets": b"[" * 100_000,
    "tags": b"<a>" * 100_000,
    "quotes": b'"' * 100_001,
    "delimiters": b"|,;\t" * 20_000,
    "a zip that is none": b"PK\x03\x04" + bytes(range(256)),
    "an entity": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
    "a formula": b"=cmd|'/c calc'!A1",
}


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)  # as above
@pytest.mark.parametrize("name", profiles())
@pytest.mark.parametrize("body", GENERIC.values(), ids=GENERIC)
def test_no_media_type_of_any_profile_is_answered_with_a_failure(world: World, name: str, body: bytes) -> None:
    for media in world.services.profiles.media_types((name,)):
        answer = send(world, (name,), body, media)
        assert 400 <= answer.status_code < 500, (media, answer.text)
        assert (answer.json().get("quarantine") is not None) == bool(body)


# A deployment's own


@pytest.fixture
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A gateway with two versions of a profile of its own: one that ended, one that begins later than any test."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    version(folder, 1, "2020-01-01", "2020-12-31")
    version(folder, 2, "2190-01-01")
    with world_on("sqlite", request, tmp_path / "world", profiles_dir=folder) as opened:
        yield opened


def test_a_profile_that_is_not_valid_today_reads_nothing_and_nothing_is_lost(own: World) -> None:
    answer = send(own, ("kestrel",), {"number": "1"})
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (
        415,
        "no profile for this media type is valid today",
    )
    assert kept(own, answer.json()["quarantine"]).media_type == JSON
    assert send(own, ("kestrel", "athena"), investigated()).status_code == 201


def test_a_character_set_of_its_own_is_for_the_reader_to_judge(world: World) -> None:
    """A CSV in windows-1252 is what many forces send: its header does not keep it from being read."""
    answer = send(world, ("connect",), b"nothing of use\r\n", 'text/csv; charset="windows-1252"')
    assert 400 <= answer.status_code < 500
    assert answer.status_code != 415
