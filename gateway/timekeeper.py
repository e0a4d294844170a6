"""What happens by the clock rather than by request: one background thread, and a list of jobs with their intervals.

Every replica keeps time. A job is safe to run in several at once, because each of its effects is a unit that decides
under the log's head what is still to be done. A job that fails is said on the process log and tried again at its next
turn; it stops no other. Nothing here knows what the jobs do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.logs import Line, say


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every so often: `run` is given the time it is run at.

    A job of much work does a part, and answers True where more waits: its next turn is then at once, behind the others'
    and unless time has stopped.
    """

    name: str
    interval: timedelta
    run: Callable[[datetime], object]


@dataclass
class Timekeeper:
    """Runs jobs when they are due, one after another. Start it once; close it before what the jobs work with."""

    jobs: Sequence[Job]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _next: dict[str, datetime] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Keep time in a thread; each job runs at once, and then at its interval."""
        self._thread = threading.Thread(target=self._run, name="timekeeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let the job that runs come to its end, and stop."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def tick(self, now: datetime) -> timedelta:
        """Run the jobs that are due, in their order; returns how long until the next one is.

        A job's turn is counted from the beginning of the last. A clock that was set back does not keep it waiting.
        """
        for job in self.jobs:
            if self._closing.is_set():
                break
            due = self._next.get(job.name)
            if due is None or due <= now or due > now + job.interval:
                self._next[job.name] = now + job.interval
                if self._attempt(job, now):
                    self._next[job.name] = now
        return min((due - now for due in self._next.values()), default=IDLE)

    def _attempt(self, job: Job, now: datetime) -> bool:
        try:
            return job.run(now) is True
        except Exception as error:  # noqa: BLE001 - whatever went wrong with one, the others are kept
            say(Line.JOB_FAILED, job=job.name, error=type(error).__name__)
            return False

    def _run(self) -> None:
        while not self._closing.is_set():
            wait = self.tick(self.clock())
            self._closing.wait(min(wait, IDLE).total_seconds())


IDLE = timedelta(minutes=1)
"""The longest sleep: a clock that is set forward is noticed within it."""
