"""Looking up whom messages mean, for all that wait at once: most of a feed is of nobody here, and must cost little.

While one question is with the database those that come are gathered, and asked together. One per event loop.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from gateway.messages.known import Case, cases
from gateway.store.database import Database

AT_ONCE = 64
"""Messages asked about together: each has a few numbers, and an engine's list of parameters has an end."""


@dataclass(frozen=True, slots=True)
class _Question:
    log_id: str
    organisation: str
    digests: frozenset[bytes]
    promise: asyncio.Future[list[Case]]


class Lookups:
    """Answers which open cases some numbers lead to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Question] = []
        self._asking: asyncio.Task[None] | None = None

    async def cases(self, log_id: str, organisation: str, digests: Sequence[bytes]) -> list[Case]:
        """The open cases of an organisation that these numbers lead to. Raises Unreachable."""
        if not digests:
            return []
        loop = asyncio.get_running_loop()
        question = _Question(log_id, organisation, frozenset(digests), loop.create_future())
        self._waiting.append(question)
        if self._asking is None:
            self._asking = loop.create_task(self._ask_all())
        return await question.promise

    async def _ask_all(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            try:
                answers = await self._database.read(partial(_answers, taken))
            except Exception as error:  # noqa: BLE001 - whatever it was, each that waits must hear it
                for one in taken:
                    if not one.promise.done():
                        one.promise.set_exception(error)
                continue
            for one, found in zip(taken, answers, strict=True):
                if not one.promise.done():
                    one.promise.set_result(found)
        self._asking = None


def _answers(asked: Sequence[_Question], connection: Connection) -> list[list[Case]]:
    """The cases of each question, all of one log and organisation found at once."""
    together: defaultdict[tuple[str, str], set[bytes]] = defaultdict(set)
    for one in asked:
        together[one.log_id, one.organisation] |= one.digests
    found = {of: cases(connection, *of, sorted(digests)) for of, digests in together.items()}
    answers = []
    for one in asked:
        own = ((case, case.by & one.digests) for case in found[one.log_id, one.organisation])
        answers.append([Case(case.row, by) for case, by in own if by])
    return answers
