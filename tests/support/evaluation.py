"""The evaluation's client in a world, synthetic years loaded into it, and what a report says beside what is true."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache

import httpx

from gateway.demo.client import Client
from gateway.demo.run import LOG
from gateway.duties import link_people
from gateway.evaluation.counting import Tables
from gateway.evaluation.period import Period
from gateway.evaluation.suppression import Shown
from gateway.evaluation.synthetic.loading import Loaded, load
from gateway.evaluation.synthetic.plan import Plan, plan
from gateway.evaluation.synthetic.truth import Truth
from gateway.evidence import OPERATOR_LOG
from gateway.tokens.clients import AddClient
from tests.support.world import URL, World, client_key

EVALUATOR = {"id": "evaluator-0003", "role": "evaluator"}


def evaluator(world: World) -> Client:
    """The evaluation's system, registered where it is not yet."""
    if "evaluation-extract" not in world.services.clients.current().clients:
        key = client_key(world.keys_dir / "demo-auditor.pem")
        world.services.journals.of(OPERATOR_LOG).submit_and_wait(
            AddClient(
                "evaluation-extract",
                "Evaluation",
                "RXL",
                recipient="evaluation",
                scopes=["evaluation:read"],
                agreements=[LOG],
                jwks={"keys": [{**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": "RS512"}]},
            )
        )
        world.services.clients.refresh()
    return world.client("evaluation-extract", EVALUATOR, client_key(world.keys_dir / "demo-auditor.pem"))


@cache
def years(now: datetime, victims: int, seed: int) -> Plan:
    """Synthetic years of the quarters that are closed, drawn once."""
    return plan(Period.closed(now).last_instant, seed=seed, victims=victims)


def loaded(world: World, wanted: Plan) -> Loaded:
    """Load a plan over the application itself, and let its people be compared."""
    headers = [dict(client.http.headers) for client in (world.police, world.hospital)]

    async def run() -> Loaded:
        transport = httpx.ASGITransport(world.app)
        async with (
            httpx.AsyncClient(transport=transport, base_url=URL, headers=headers[0]) as police,
            httpx.AsyncClient(transport=transport, base_url=URL, headers=headers[1]) as team,
        ):
            return await load(wanted, police, team)

    done = world.run(run())
    compare(world)
    return done


def compare(world: World) -> None:
    """Compare the people of everything that was taken in, as the timekeeper does round by round."""
    while link_people(world.services):
        pass


def wrong(found: Tables, known: Truth, areas: Mapping[str, str]) -> list[str]:
    """Where a number that is shown is not the true one, in words; hidden numbers say nothing."""
    shown: dict[str, Shown] = {one.definition.id: one.above for one in found.rates}
    shown |= {"referred": found.referred, "children": found.children, "asked": found.rate("safer").below}
    return [
        f"{figure}, {area}, {quarter}: {number}, and not {true}"
        for figure, table in shown.items()
        for area, row in zip([*areas, None], table, strict=True)
        for quarter, number in zip([*found.axes.quarters[:-1], None], row, strict=True)
        if number is not None and number != (true := known.of(figure, area, quarter))
    ]
