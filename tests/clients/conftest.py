"""One server for all of them: `gateway serve` on loopback, with a few referrals on the worklist of one team."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.demo.client import Client, key_of
from gateway.demo.incidents import incident
from gateway.demo.run import ADVISER, OFFICER
from gateway.demo.setting import free_port, settings_of
from tests.support.forked import serving
from tests.support.linking import await_linked
from tests.support.world import copy_template

REFERRALS = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the server is, the referrals on it, oldest first, and how the hospital's system proves who it is."""

    base_url: str
    tasks: tuple[str, ...]
    token: Callable[[], str]
    assertion: Callable[[], str]


@pytest.fixture(scope="package")
def stage(prepared_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    settings = settings_of(tmp_path_factory.mktemp("clients") / "data", free_port())
    copy_template(prepared_world, settings.data_dir, with_database=True)
    keys = settings.data_dir / "clients"
    url = settings.public_url
    with (
        serving(settings),
        Client(url, "demo-rms", key_of(keys / "demo-rms.pem"), OFFICER) as police,
        Client(url, "demo-hospital", key_of(keys / "demo-hospital.pem"), ADVISER) as hospital,
    ):
        police.sign_in()
        tasks = []
        for number in range(REFERRALS):
            answer = police.post(
                "/police/v1/incidents",
                json=incident(number + 1, grade="HIGH"),
                headers={"Content-Type": "application/vnd.api+json"},
            )
            answer.raise_for_status()
            tasks.append(answer.json()["referrals"][0]["reference"])
        await_linked(settings)  # or a version would move on between a client's reading and its change

        def token() -> str:
            given: str = hospital.sign_in()["access_token"]
            return given

        yield Stage(f"{url}/fhir/R4", tuple(tasks), token, hospital.assertion)
