"""Drift alarms: what a client sends changes shape, and the operator sees it the same day."""

from __future__ import annotations

import copy
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from adapters.socket import Limits, reader
from audit import sql as log_sql
from gateway import shapes
from gateway.demo.incidents import incident
from gateway.drift import Drift, Sighting, counts, sightings
from gateway.duties import jobs
from gateway.errors import NotSealed
from gateway.evidence import OPERATOR_LOG, Event
from gateway.services import Services
from gateway.shapes import Change, Kind
from gateway.store import tables
from mappings.profile import profile
from tests.support.world import World

ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
IHUB = profile("ihub")
SECRET = "Quillfeather"


def saw(drift: Drift, document: dict[str, Any], times: int = 1, client: str = "demo-rms") -> None:
    reading = reader("police.json").read(orjson.dumps(document), IHUB, Limits())
    for _ in range(times):
        drift.saw(client, IHUB, reading)


def changed(**attributes: Any) -> dict[str, Any]:
    document = copy.deepcopy(incident(1))
    document["data"]["attributes"] |= attributes
    return document


def all_told(services: Services) -> list[Sighting]:
    with services.database.reading() as connection:
        return list(sightings(connection, datetime.now(UTC) - timedelta(days=1)))


def sealed(services: Services) -> list[Any]:
    with services.database.reading() as connection:
        size = log_sql.read_head(connection, OPERATOR_LOG).size
        found = [one.entry() for one in log_sql.leaves(connection, OPERATOR_LOG, 0, size)]
    return [one for one in found if one.event == Event.MAPPING_DRIFT]


def test_a_new_element_is_sealed_said_and_listed(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    saw(services.drift, incident(1), shapes.KNOWN_AFTER)
    assert services.drift.flush(services.journals) == []
    saw(services.drift, changed(bodyWornVideo=SECRET))
    with caplog.at_level(logging.WARNING, logger="gateway"):
        services.drift.flush(services.journals)
    (found,) = all_told(services)
    assert (found.client, found.profile) == ("demo-rms", "ihub")
    assert found.change == Change(Kind.NEW_ELEMENT, "data.attributes.bodyWornVideo")
    (entry,) = sealed(services)
    assert entry.reason == "new-element"
    assert entry.detail == {"client": "demo-rms", "profile": "ihub", "path": "data.attributes.bodyWornVideo"}
    (line,) = caplog.records
    assert line.__dict__["fields"]["path"] == "data.attributes.bodyWornVideo"
    assert SECRET not in repr(line.__dict__)


def test_no_value_is_kept_not_even_of_a_code(services: Services) -> None:
    saw(services.drift, incident(1), shapes.KNOWN_AFTER)
    services.drift.flush(services.journals)
    saw(services.drift, changed(hoFlags=["DA", SECRET]))
    services.drift.flush(services.journals)
    (found,) = all_told(services)
    assert (found.change.kind, found.change.path) == (Kind.NEW_CODE, "data.attributes.hoFlags")
    assert len(found.change.code) == 16
    with services.database.reading() as connection:
        rows = connection.execute(select(tables.mapping_shape)).all()
    assert SECRET not in repr(rows)
    assert SECRET not in repr(sealed(services))


def test_a_thing_is_told_once_a_day_whichever_process_saw_it(services: Services) -> None:
    other = Drift(services.keyring)
    saw(services.drift, incident(1), shapes.KNOWN_AFTER)
    services.drift.flush(services.journals)
    for drift in (services.drift, other):
        saw(drift, changed(bodyWornVideo="yes"))
        drift.flush(services.journals)
    assert len(all_told(services)) == len(sealed(services)) == 1


@ONE_ENGINE
def test_a_vanished_element_is_told_over_a_restart(services: Services) -> None:
    less = copy.deepcopy(incident(1))
    del less["data"]["attributes"]["incidentDescription"]
    saw(services.drift, incident(1), shapes.WINDOW)
    services.drift.flush(services.journals)
    again = Drift(services.keyring)
    saw(again, less, shapes.GONE_AFTER)
    again.flush(services.journals)
    (found,) = all_told(services)
    assert found.change == Change(Kind.VANISHED_ELEMENT, "data.attributes.incidentDescription")


@ONE_ENGINE
def test_an_element_that_comes_and_goes_is_told_once_a_day(services: Services) -> None:
    less = copy.deepcopy(incident(1))
    del less["data"]["attributes"]["incidentDescription"]
    for _ in range(2):
        saw(services.drift, incident(1), shapes.WINDOW)
        saw(services.drift, less, shapes.GONE_AFTER)
        services.drift.flush(services.journals)
    assert len(all_told(services)) == len(sealed(services)) == 1


@ONE_ENGINE
def test_what_could_not_be_sealed_is_told_the_next_time(services: Services) -> None:
    class Broken:
        def of(self, _: str) -> Any:
            raise NotSealed("no")

    saw(services.drift, incident(1), shapes.KNOWN_AFTER)
    services.drift.flush(services.journals)
    saw(services.drift, changed(bodyWornVideo="yes"))
    with pytest.raises(NotSealed):
        services.drift.flush(Broken())  # type: ignore[arg-type] # a journal that seals nothing
    saw(services.drift, incident(1))
    services.drift.flush(services.journals)
    assert [one.change.path for one in all_told(services)] == ["data.attributes.bodyWornVideo"]


@ONE_ENGINE
def test_clients_are_watched_apart(services: Services) -> None:
    saw(services.drift, incident(1), shapes.KNOWN_AFTER)
    saw(services.drift, changed(bodyWornVideo="yes"), client="another")
    services.drift.flush(services.journals)
    assert all_told(services) == []


def test_intake_notes_the_shape_and_the_clock_tells(demo: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "KNOWN_AFTER", 2)
    services = demo.services
    job = next(one for one in jobs(services) if one.name == "mapping-drift")
    for number in (1, 2):
        assert demo.push(incident(number)).status_code == 201
    job.run(datetime.now(UTC))
    document = incident(3)
    document["data"]["attributes"]["bodyWornVideo"] = "yes"
    assert demo.push(document).status_code == 201
    job.run(datetime.now(UTC))
    assert [one.change.path for one in all_told(services)] == ["data.attributes.bodyWornVideo"]
    with services.database.reading() as connection:
        assert counts(connection, datetime.now(UTC))[Kind.NEW_ELEMENT] == 1
    shown = demo.police.http.get("/metrics").text
    assert 'gateway_mapping_drift{kind="new-element"} 1.0' in shown
