"""Who judges the stretches of a pack: this process when asked, or others while this one reads on.

Neither changes a verdict. The others are started afresh (spawned), so that they hold nothing of this process.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import Final

from audit.lines import Judges, Verdict
from audit.stretch import SPAN, judge

_WORTH_IT: Final = 64 * SPAN  # entries; below, starting a process costs more than it saves


@contextmanager
def judges(jobs: int, entries: int) -> Iterator[Judges]:
    """Yield as many judges as are worth it for a log of some entries; `jobs` is the most processes to start."""
    if jobs < 2 or entries < _WORTH_IT:  # noqa: PLR2004 - one other process alone would only be waited for
        yield _Here()
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        yield _Elsewhere(pool, jobs)


class _Here:
    ahead: Final = 1

    def submit(self, raw: bytes, start: int, wanted: tuple[int, ...]) -> Verdict:
        return partial(judge, raw, start, wanted)


class _Elsewhere:
    def __init__(self, pool: ProcessPoolExecutor, jobs: int) -> None:
        self._pool = pool
        self.ahead: Final = 2 * jobs + 1  # each process has one piece in hand and one to go on with

    def submit(self, raw: bytes, start: int, wanted: tuple[int, ...]) -> Verdict:
        return self._pool.submit(judge, raw, start, wanted).result
