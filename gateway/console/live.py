"""When a team's referrals change: one question to the database for everybody who watches in this process.

A commit of this process wakes the watch at once; those of other replicas are found within half a second. Who watches is
told that something changed, and nothing of what: the page then asks for what it may see, as a person's page does, and
that is sealed. While nobody watches, nothing is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, func, select

from gateway.errors import GatewayError
from gateway.services import Services
from gateway.store.tables import referral

POLL_SECONDS = 0.5
"""How soon a change by another replica is found: the promise is a second, from there to the screen."""
GATHER_SECONDS = 0.05
"""Changes that come within it are told as one: a batch of a hundred pushes is no hundred wake-ups."""

Team = tuple[str, str, str]
"""A log, an organisation and a team: whose referrals are watched."""


@dataclass(eq=False)
class Watch:
    """One page that watches: `changed` is set when its team's referrals have changed."""

    team: Team
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Live:
    """The watch of one process. All of it runs on the event loop of whoever watches; there is one."""

    def __init__(self, services: Services) -> None:
        self._database = services.database
        self._watches: set[Watch] = set()
        self._stands: dict[Team, str] = {}
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        services.journals.listen(self._committed)

    @asynccontextmanager
    async def watching(self, team: Team) -> AsyncIterator[Watch]:
        """A watch on a team's referrals, for as long as it is held: what changes from here on is told."""
        watch = Watch(team)
        self._watches.add(watch)
        self._begin()
        try:
            for stands in (await self._look({team})).values():
                self._stands.setdefault(team, stands)
            yield watch
        finally:
            self._watches.discard(watch)
            if not self._watches and self._task is not None:
                self._task.cancel()
                self._task = None
                self._stands.clear()

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
            self._task = asyncio.create_task(self._run(self._wake))

    def _committed(self) -> None:
        """Wake the watch: called in a journal's thread."""
        loop, wake = self._loop, self._wake
        if loop is None or wake is None or not self._watches:
            return
        try:
            loop.call_soon_threadsafe(wake.set)
        except RuntimeError:  # the loop has closed, and nobody watches any more
            return

    async def _run(self, wake: asyncio.Event) -> None:
        while True:
            for team, stands in (await self._look({watch.team for watch in self._watches})).items():
                if self._stands.setdefault(team, stands) != stands:
                    self._stands[team] = stands
                    for watch in self._watches:
                        if watch.team == team:
                            watch.changed.set()
            try:
                await asyncio.wait_for(wake.wait(), POLL_SECONDS)
            except TimeoutError:
                continue
            await asyncio.sleep(GATHER_SECONDS)
            wake.clear()

    async def _look(self, teams: set[Team]) -> Mapping[Team, str]:
        try:
            return await self._database.read(lambda connection: _standing(connection, teams))
        except GatewayError:  # the database does not answer: what changed is found when it does
            return {}


def _standing(connection: Connection, teams: set[Team]) -> Mapping[Team, str]:
    """How the referrals of each team stand: a text that is another once any of them has changed."""
    found: dict[Team, str] = {}
    for log_id, organisation, team in teams:
        of = {"log": log_id, "organisation": organisation, "team": team}
        newest, versions = connection.execute(_STANDS, of).one()
        found[log_id, organisation, team] = f"{newest} {versions}"
    return found


_r = referral.c
_of_team = (
    (_r.log_id == bindparam("log")) & (_r.organisation == bindparam("organisation")) & (_r.team == bindparam("team"))
)
_NEWEST = select(func.max(_r.updated_at)).where(_of_team).scalar_subquery()
# Two batches may have one time: those that are as new as the newest are told apart by their versions.
_STANDS = select(func.max(_r.updated_at), func.sum(_r.version)).where(_of_team, _r.updated_at == _NEWEST)
