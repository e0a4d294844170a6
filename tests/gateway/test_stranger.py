"""A force nobody has seen: a home-grown export goes from sample to adviser with a drafted profile and no code.

The sample is of our own making, with names no profile of ours has. What the draft leaves to a person is done here as a
person would: the force's own codes get maps of their own, beside the profile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import shapes
from gateway.drift import sightings
from gateway.workbench.check import ERROR, check
from gateway.workbench.draft import draft
from gateway.workbench.drafted import text_of
from gateway.workbench.reading import drawn
from gateway.workbench.samples import sampled
from mappings.profile import load
from tests.journeys.deeper import everything, extensions, read, request_of
from tests.journeys.support import add_client, like, serial, world_on
from tests.support.world import World

SAMPLE = Path(__file__).parents[1] / "fixtures" / "stranger" / "homegrown.json"
NAME = "homegrown"
ANSWERS = {"1": "INJ", "18": "STRG", "24": "SUB"}


def drafted() -> str:
    return text_of(draft(drawn(SAMPLE)), NAME, date(2026, 11, 23))


def code_map(name: str, codes: dict[str, str]) -> str:
    element = [{"code": one, "target": [{"code": to, "equivalence": "equivalent"}]} for one, to in codes.items()]
    group = {"source": "urn:example:homegrown", "target": f"urn:provide-gateway:{name}", "element": element}
    about = {"version": "1.0.0", "status": "active", "date": "2026-11-23", "description": "The force's own codes."}
    named = {"id": name, "name": "".join(map(str.capitalize, name.split("-"))), "title": name}
    return json.dumps({"resourceType": "ConceptMap", **named, **about, "group": [group]})


def finish(folder: Path) -> Path:
    """The draft, with the two maps that it says it needs."""
    text = drafted()
    for known, own in (("instrument", "homegrown-instrument"), ("risk-item", "homegrown-questions")):
        assert f'map = "{known}" }},  # ' in text
        text = text.replace(f'map = "{known}"', f'map = "{own}"')
        text = "\n".join(
            line.replace(f'"{known}"', f'"{own}"') if line.startswith("maps = ") else line for line in text.split("\n")
        )
    (folder / "homegrown-instrument.json").write_text(code_map("homegrown-instrument", {"DASH": "dash-2009-police-27"}))
    (folder / "homegrown-questions.json").write_text(code_map("homegrown-questions", ANSWERS))
    path = folder / f"{NAME}.toml"
    path.write_text(text)
    return path


def document(number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SAMPLE.read_text())
    found["caseFile"] |= {"caseNbr": f"41-2026-{number:06}", "cadEventId": f"LC-20261025-{number:04}"}
    return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("profiles")
    finish(folder)
    where = tmp_path_factory.mktemp("stranger") / "world"
    with world_on(request.param, request, where, profiles_dir=folder) as opened:
        yield opened


def test_every_leaf_of_the_draft_is_read_or_named() -> None:
    text = drafted()
    left = {line.partition(": ")[2] for line in text.splitlines() if line.startswith("# not mapped: ")}
    assert left == {
        "caseFile.offense.domesticViolenceInd",
        "fileNm",
        "subjId",
        "involvementCd",
    }
    assert text.count("the map knows 0% of the sample's codes") == 2


def test_the_finished_profile_checks_and_loses_nothing_in_silence(tmp_path: Path) -> None:
    path = finish(tmp_path)
    checked = check(path)
    assert checked.loads
    assert [one.words for one in checked.remarks if one.severity == ERROR] == []
    (one,) = sampled(SAMPLE, load(path))
    assert one.reading is not None
    assert {loss.path for loss in one.reading.losses} == {
        "caseFile.offense.domesticViolenceInd",
        "caseFile.attachments[0]",
        "caseFile.attachments[0].fileNm",
    }
    assert {finding.code for finding in one.reading.findings} == {
        "time-ambiguous",
        "count-disagrees",  # 15 are said to be yes, and two are there
    }


def test_a_force_nobody_has_seen_reaches_the_adviser(world: World) -> None:
    force = add_client(world, "stranger-rms", **like("demo-rms", profiles=(NAME,)))
    answer = force.post("/police/v1/incidents", json=document(serial()))
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert {"path": "caseFile.reportDttm", "code": "time-ambiguous"} in told["quality"]
    assert {one["subject"] for one in told["decisions"]} == {"victim-1"}
    task = told["referrals"][0]["reference"]
    victim = read(world, "Patient", read(world, "Task", task)["for"]["reference"].partition("/")[2])
    assert victim["name"][0]["family"] == "Quillfeather"
    safe = {one["value"]: extensions(one, "safe-contact") for one in victim["telecom"]}
    assert list(safe) == ["07700900111"]  # the other is not safe, and no number to call
    assert safe["07700900111"][0]["voicemail"] is False
    text = everything(world, task)
    for stays in ("kitchen.jpg", "shouting", "raceCd", "badgeNbr"):
        assert stays not in text
    for goes in ("dash-2009-police-27", "STRG", "lip reads", "not to contact", "weapons"):
        assert goes in text, goes
    (child,) = [one for one in request_of(world, task)["supportingInfo"] if "child-1" in one.get("reference", "")]
    assert "Nowhere Primary" in json.dumps(read(world, "Patient", child["reference"].partition("/")[2]))


def test_somebody_in_a_role_the_sample_did_not_show_is_kept_as_a_third_party(tmp_path: Path) -> None:
    """And goes no further: never dropped, and never shown as what they may not be."""
    sample = tmp_path / "sample.json"
    changed = document(1)
    changed["caseFile"]["subjects"][2]["involvementCd"] = "BYS"
    sample.write_text(json.dumps(changed))
    (one,) = sampled(sample, load(finish(tmp_path)))
    assert one.reading is not None
    assert [person.role.value for person in one.reading.record.people] == ["victim", "suspect", "other"]


def test_the_suspect_is_nobodys_patient_and_the_victims_address_is_not_vaulted_by_guess(world: World) -> None:
    force = add_client(world, "stranger-rms", **like("demo-rms", profiles=(NAME,)))
    sent = document(serial())
    sent["caseFile"]["subjects"][1]["nm"] = {"lastNm": "Brambleshaw", "firstNm": "Bram"}
    task = force.post("/police/v1/incidents", json=sent).json()["referrals"][0]["reference"]
    found = world.hospital.get("/fhir/R4/Patient", params={"family": "Brambleshaw"})
    assert found.status_code != 200 or found.json().get("total", 0) == 0
    assert "Brambleshaw" in everything(world, task)  # an adviser needs his name to plan


@pytest.mark.parametrize("version", [2**31, 20261123101530, 10**18 - 1])
def test_a_version_that_is_a_date_and_time_is_one(world: World, version: int) -> None:
    force = add_client(world, "stranger-rms", **like("demo-rms", profiles=(NAME,)))
    sent = document(serial())
    sent["caseFile"]["rev"] = version
    assert force.post("/police/v1/incidents", json=sent).json()["state"] == "accepted"
    assert force.post("/police/v1/incidents", json=sent).json()["state"] == "known"


@pytest.mark.parametrize("version", [1e300, -1e300, 1e18])
def test_a_version_no_system_holds_is_refused_by_its_path(world: World, version: float) -> None:
    force = add_client(world, "stranger-rms", **like("demo-rms", profiles=(NAME,)))
    sent = document(serial())
    sent["caseFile"]["rev"] = version
    answer = force.post("/police/v1/incidents", json=sent)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "caseFile.rev"


def test_a_shape_that_changes_is_said_to_the_operator_the_same_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a push to what `gateway mapping drift` lists, for a profile of one's own: by names, and no value."""
    monkeypatch.setattr(shapes, "KNOWN_AFTER", 2)
    services = world.services
    force = add_client(world, "drifting-rms", **like("demo-rms", profiles=(NAME,)))
    for _ in range(2):
        assert force.post("/police/v1/incidents", json=document(serial())).status_code == 201
    services.drift.flush(services.journals)
    sent = document(serial())
    sent["caseFile"]["subjects"][0]["sexCd"] = "Quillish"
    sent["caseFile"]["bodyCam"] = {"clip": "one"}
    answer = force.post("/police/v1/incidents", json=sent)
    assert {"path": "caseFile.subjects[0].sexCd", "code": "unknown-code"} in answer.json()["quality"]
    assert {"path": "caseFile.bodyCam.clip", "reason": "no-row"} in answer.json()["losses"]["paths"]
    services.drift.flush(services.journals)
    with services.database.reading() as connection:
        told = [one for one in sightings(connection, datetime.now(UTC) - timedelta(days=1)) if one.profile == NAME]
    assert {(one.client, one.change.kind, one.change.path) for one in told} == {
        ("drifting-rms", shapes.Kind.NEW_ELEMENT, "caseFile.bodyCam"),
        ("drifting-rms", shapes.Kind.NEW_CODE, "caseFile.subjects[].sexCd"),
    }
    assert "Quillish" not in repr(told)
