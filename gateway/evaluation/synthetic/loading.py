"""A plan through the gateway's own interfaces: incidents as police send them, outcomes as a team records them.

    1. police send every incident in one batch
    2. the team reads its worklist and finds each referral by the time of its report, without opening it
    3. the team records what became of each, many at once

Sent again it goes on where it broke off: what is known is known, and what is no longer new has its acts. Two clients
that are signed in are all it needs, over a socket or a bridge to the application.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from gateway.evaluation.synthetic.documents import MEDIA_TYPE, batch
from gateway.evaluation.synthetic.outcomes import acts
from gateway.evaluation.synthetic.plan import Incident, Plan, Story

AT_ONCE = 32
"""Referrals worked on at the same time: half wait for a commit while half are read."""

_PAGE = 100
_BATCH_SECONDS = 600.0


class LoadFailed(Exception):
    """The gateway did not take something; the words say what was asked and the status, and nobody's data."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded: incidents by what became of them, referrals that were worked on, and acts recorded."""

    incidents: Mapping[str, int]
    referrals: int
    acts: int


async def load(plan: Plan, police: httpx.AsyncClient, team: httpx.AsyncClient) -> Loaded:
    """Load a plan. Raises LoadFailed where the gateway refuses something."""
    # 1. Police: one batch.
    headers = {"Content-Type": MEDIA_TYPE, "Idempotency-Key": f"synthetic-{plan.seed}-{len(plan.stories)}"}
    sent = await police.post("/police/v1/batches", content=batch(plan), headers=headers, timeout=_BATCH_SECONDS)
    counts: dict[str, int] = {state: n for state, n in _good(sent, "the batch")["counts"].items() if n}
    taken = counts.get("accepted", 0) + counts.get("known", 0)
    expected = sum(len(story.incidents) for story in plan.stories)
    if taken != expected:
        raise LoadFailed(f"of {expected} incidents {taken} were taken in: {counts}")

    # 2. The team: its worklist.
    of = {one.reported: (story, one) for story, one in plan.incidents()}
    found: dict[str, tuple[Story, Incident]] = {}
    async for task in _new_tasks(team):
        reported = _reported(task)
        if reported in of:
            found[task["id"]] = of[reported]

    # 3. The team: what became of each.
    room = asyncio.Semaphore(AT_ONCE)

    async def work(id_: str, story: Story, incident: Incident) -> int:
        said = acts(plan, story, incident)
        async with room:
            key = {"Idempotency-Key": f"synthetic-{id_}"}
            answer = await team.post(f"/team/v1/referrals/{id_}/acts", json={"acts": said}, headers=key, timeout=120)
        _good(answer, "acts")
        return len(said)

    done = await asyncio.gather(*(work(id_, *one) for id_, one in found.items()))
    return Loaded(counts, len(done), sum(done))


async def _new_tasks(team: httpx.AsyncClient) -> AsyncIterator[Mapping[str, Any]]:
    """The referrals of the worklist that nobody has answered."""
    address: str | None = f"/fhir/R4/Task?status=requested&_count={_PAGE}&_total=none&_elements=input"
    while address:
        page = _good(await team.get(address, timeout=60), "the worklist")
        for entry in page.get("entry", ()):
            yield entry["resource"]
        address = next((one["url"] for one in page.get("link", ()) if one["relation"] == "next"), None)


def _reported(task: Mapping[str, Any]) -> datetime | None:
    """When police were told, as a task of the worklist says it."""
    for one in task.get("input", ()):
        if any(coding.get("code") == "reported" for coding in one["type"]["coding"]):
            return datetime.fromisoformat(one["valueDateTime"])
    return None


def _good(answer: httpx.Response, what: str) -> Any:  # noqa: ANN401 - JSON
    if not answer.is_success:
        problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        detail = problem.get("detail") or problem.get("title") or ""
        paths = [f"{one.get('path')}: {one.get('words', one.get('code'))}" for one in problem.get("errors", ())]
        raise LoadFailed(f"{what}: {answer.status_code} {detail} {'; '.join(paths)}".rstrip())
    return answer.json()
