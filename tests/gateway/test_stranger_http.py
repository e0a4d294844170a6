"""What a stranger sends over HTTP that is no attack on a format: addresses, hosts, slashes, odd values in place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.support import world_on
from tests.support.bundles import JSON, body, bundle, number
from tests.support.routes import routes_of
from tests.support.world import World


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("stranger") / "world") as opened:
        yield opened


def test_no_address_leads_to_where_the_host_header_says(world: World) -> None:
    """A slash too many is no such address, and never a redirection: a token would follow it, by plain HTTP."""
    for method, path in sorted(routes_of(world.app)):
        if path.endswith(("/", "}")):
            continue
        answer = world.hospital.http.request(method, f"{path}/", headers={"Host": "zqx.example"})
        assert "zqx.example" not in answer.headers.get("location", ""), path
        assert answer.status_code != 307, path


def test_a_base_address_with_a_slash_is_the_base_address(world: World) -> None:
    """Some clients end it so, and post their Bundles there."""
    assert world.hospital.post("/fhir/R4/", content=body(bundle(number())), headers=JSON).status_code == 200
    assert world.hospital.http.get("/console/", headers={"Accept": "text/html"}).status_code == 303
