"""Endpoints served side by side: each by a thread of its own, none twice at once, and the trouble of one is its own.

Serving is handed on and not waited for, so that an endpoint that hangs keeps none of the others waiting, nor the next
round. Any number of gateways may make rounds: what is leased by one is left alone by the others (`leases`). What
serving means is the courier's business, of referrals (`gateway.delivery.courier`) and of words to police
(`gateway.webhook.courier`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from gateway.logs import Line, say

THREADS = 64  # endpoints side by side; England and Wales have 43 forces, and an agreement a handful of teams


class Rounds:
    """Serves endpoints, each known by its id. Close it before what serving works with."""

    def __init__(self, name: str, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._turn = threading.Lock()
        self._serving: dict[str, Future[None]] = {}
        self._closing = False

    @property
    def closing(self) -> bool:
        """Whether nothing more is to be begun."""
        return self._closing

    def serve(self, endpoint: str, work: Callable[[], None]) -> None:
        """Have an endpoint served, unless it is being served; nothing once this is closing."""
        with self._turn:
            running = self._serving.get(endpoint)
            if (running is None or running.done()) and not self._closing:
                self._serving[endpoint] = self._pool.submit(_alone, endpoint, work)

    def wait(self) -> None:
        """Wait until what is being served is done with."""
        with self._turn:
            running = list(self._serving.values())
        wait(running)

    def close(self) -> None:
        """Let what runs come to its end, and stop."""
        with self._turn:
            self._closing = True
        self._pool.shutdown()


def _alone(endpoint: str, work: Callable[[], None]) -> None:
    """Whatever comes of serving one endpoint ends here."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - one endpoint's trouble must not keep the others from being served
        say(Line.PUSH_ABANDONED, endpoint=endpoint, error=type(error).__name__)
