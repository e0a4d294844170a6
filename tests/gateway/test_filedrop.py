"""The file that stands in for a team's system: the same bytes, whole or not at all, and never in production."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from adapters.nhs import bars
from adapters.nhs.fhir import LIMITS
from gateway.channels import finder
from gateway.cli import app
from gateway.delivery.channel import Endpoint, Refused, TryAgain
from gateway.delivery.courier import Courier
from gateway.delivery.endpoints import EndpointRefused, RemoveEndpoint
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from gateway.filedrop import TWINS, FileDrop, FilesRefused, check_none
from gateway.settings import Environment
from gateway.webhook.address import AddressRefused
from gateway.webhook.endpoints import AddEndpoint as AddWebhook
from gateway.webhook.endpoints import Pushed
from gateway.webhook.endpoints import RemoveEndpoint as RemoveWebhook
from gateway.webhook.folder import url_of
from tests.gateway.delivery_support import endpoint_unit
from tests.journeys.support import pushed, world_on
from tests.support.world import World, copy_template

OPTIONS = {
    "bars": {"as": "bars", "service": "2000099999"},
    "mllp": {"as": "mllp"},
    "subscription": {"as": "subscription", "criteria": "Task", "payload": "id-only"},
}
GOOD = OPTIONS["bars"]


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The agreement in force and its clients, shared by the module."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("filedrop") / "world") as opened:
        yield opened


def registered(world: World, folder: Path, options: dict[str, str]) -> str:
    find = finder(world.services)
    channel = find("file", options)
    assert channel is not None
    unit = endpoint_unit(world, channel, find=find, address=str(folder), options=options)
    id_: str = world.services.journals.of(LOG).submit_and_wait(unit).value
    return id_


def remove(world: World, id_: str) -> None:
    world.services.journals.of(LOG).submit_and_wait(RemoveEndpoint(id_, world.services.standing(LOG)))


@pytest.mark.parametrize("real", TWINS)
def test_every_channel_has_a_twin_that_writes_what_it_would_send(world: World, tmp_path: Path, real: str) -> None:
    id_ = registered(world, tmp_path, OPTIONS[real])
    courier = Courier(world.services, finder(world.services))
    try:
        _, task = pushed(world)
        courier.round(datetime.now(UTC))
        courier.wait()
    finally:
        courier.close()
        remove(world, id_)
    (path,) = tmp_path.iterdir()
    body = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.suffix == f".{TWINS[real][0]}"
    assert task.encode() in body
    if real == "bars":
        said = bars.read_message(body, LIMITS)
        assert (path.stem, said.request["id"]) == (said.id, task)


def test_files_are_refused_in_production_and_where_there_is_no_folder(world: World, tmp_path: Path) -> None:
    find = finder(world.services)
    for address, options, production in (
        (str(tmp_path), GOOD, True),
        ("relative", GOOD, False),
        (str(tmp_path / "absent"), GOOD, False),
        (str(tmp_path), {"as": "bars"}, False),
        (str(tmp_path), {"as": "file"}, False),
        (str(tmp_path), {}, False),
    ):
        drop = find("file", GOOD)
        assert drop is not None
        unit = endpoint_unit(world, drop, find=find, address=address, options=options, production=production)
        with pytest.raises(EndpointRefused):
            unit.check()


def test_production_does_not_start_over_a_database_where_referrals_go_to_files(world: World, tmp_path: Path) -> None:
    production = world.services.settings.model_copy(update={"environment": Environment.PRODUCTION})
    services = replace(world.services, settings=production)
    check_none(services)
    id_ = registered(world, tmp_path, GOOD)
    try:
        check_none(world.services)
        with pytest.raises(FilesRefused, match=id_):
            check_none(services)
    finally:
        remove(world, id_)


def test_production_does_not_start_over_a_database_where_words_go_to_files(world: World, tmp_path: Path) -> None:
    production = world.services.settings.model_copy(update={"environment": Environment.PRODUCTION})
    services = replace(world.services, settings=production)
    journal = world.services.journals.of(OPERATOR_LOG)
    unit = AddWebhook("demo-rms", LOG, url_of(tmp_path), Pushed.WORDS, "dc-4411", "officer-in-case", production=False)
    with pytest.raises(AddressRefused):
        replace(unit, production=True).check()
    journal.submit_and_wait(unit)
    try:
        check_none(world.services)
        with pytest.raises(FilesRefused, match="demo-rms"):
            check_none(services)
    finally:
        journal.submit_and_wait(RemoveWebhook("demo-rms"))


def test_a_file_is_there_whole_or_not_at_all(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = finder(world.services)("bars", GOOD)
    assert real is not None
    drop = FileDrop(real, production=False)
    at = Endpoint("e", LOG, "RXL", "idva-team", "file", str(tmp_path), {}, hides_from_online_access=True)

    def fail(_: int) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(TryAgain):
            drop.send(at, str(uuid4()), b"x", 1.0)
    assert not [one for one in tmp_path.iterdir() if not one.name.startswith(".")]
    same = str(uuid4())
    assert drop.send(at, same, b"once", 1.0) == drop.send(at, same, b"once", 1.0)
    assert [one.read_bytes() for one in tmp_path.iterdir() if one.name.startswith(same)] == [b"once"]


def test_nothing_is_written_under_another_name_or_in_production(world: World, tmp_path: Path) -> None:
    real = finder(world.services)("bars", GOOD)
    assert real is not None
    at = Endpoint("e", LOG, "RXL", "idva-team", "file", str(tmp_path), {}, hides_from_online_access=True)
    with pytest.raises(Refused):
        FileDrop(real, production=False).send(at, "../../etc/passwd", b"x", 1.0)
    with pytest.raises(Refused):
        FileDrop(real, production=True).send(at, str(uuid4()), b"x", 1.0)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def data(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of a gateway that nobody serves."""
    copy_template(prepared_world, tmp_path / "data", with_database=True)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://gateway.test")
    return tmp_path


def test_an_operator_registers_a_file_as_the_twin_of_a_channel(data: Path) -> None:
    add = ["endpoint", "add", "demo-hospital", "--channel", "file", "--as", "bars", "--option", "service=2000099999"]
    add += ["--address", str(data), "--agreement", LOG, "--person", "idva-0042", "--hides-from-online-access"]
    made = CliRunner().invoke(app, add)
    assert made.exit_code == 0, made.output
    assert f"file\t{data}" in CliRunner().invoke(app, ["endpoint", "list"]).output
    without = [one for one in add if one not in {"--as", "bars"}]
    assert CliRunner().invoke(app, without).exit_code == 1


@pytest.mark.usefixtures("data")
def test_serve_asks_whether_files_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise FilesRefused("not here")

    monkeypatch.setattr("gateway.logs.configure", lambda: None)  # the log of the test run is not this command's
    monkeypatch.setattr("gateway.filedrop.check_none", refuse)
    result = CliRunner().invoke(app, ["serve", "--port", "0"])
    assert (result.exit_code, "not here" in result.output) == (3, True)
