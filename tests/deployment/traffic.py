"""Traffic while something is broken: police push over HTTPS, a hospital's engine sends over one MLLP line.

Nobody retries at once and in silence: what a sender is answered, and what cuts it off, is counted, and then the same
is sent again until it is accepted, as the README tells a sender to.
"""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from adapters.mllp import Framer, framed
from tests.bench.households import household_incident
from tests.deployment.stand import MLLP, Stand
from tests.support.mllp import adt, told

JSON_API = "application/vnd.api+json"
PUSHERS = 3
WAIT_SECONDS = 60
PAUSE_SECONDS = 0.1  # between two tries of one push, and between two pushes of one sender
_serials = itertools.count(1000)


def push(http: httpx.Client, serial: int) -> httpx.Response:
    """Push one incident under its own key."""
    headers = {"Content-Type": JSON_API, "Idempotency-Key": f"push-{serial}"}
    return http.post("/police/v1/incidents", json=household_incident(serial), headers=headers)


def said(control_id: str) -> bytes:
    """A hospital's message about a patient nobody here knows, as production takes it."""
    return adt(identifier=control_id, processing="P")


@dataclass
class Traffic:
    """Senders at work while this is held. `failed` counts what they met; `longest` is the longest one push took."""

    stand: Stand
    accepted: dict[int, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Begin."""
        self._threads = [threading.Thread(target=self._push) for _ in range(PUSHERS)]
        self._threads.append(threading.Thread(target=self._send))
        for thread in self._threads:
            thread.start()
        self.more(PUSHERS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let every sender end what it is at."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Return when so many more pushes, and one more message, were accepted."""
        wanted, messages = len(self.accepted) + count, len(self.messages) + 1
        self._until(lambda: len(self.accepted) >= wanted and len(self.messages) >= messages)

    def in_words(self) -> str:
        """What the senders met."""
        failed = ", ".join(f"{count} x {what}" for what, count in sorted(self.failed.items())) or "none failed"
        counts = f"{len(self.accepted)} pushes and {len(self.messages)} messages"
        return f"{counts} accepted; {failed}; longest {self.longest:.1f} s"

    def _until(self, enough: Callable[[], bool]) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while not enough():
            assert time.monotonic() < until, f"nothing was accepted any more: {self.in_words()}"
            time.sleep(PAUSE_SECONDS)

    def _push(self) -> None:
        client = self.stand.client("force-rms")
        while not self._stop.is_set():
            serial = next(_serials)
            began = time.monotonic()
            while True:
                try:
                    answer = push(client.http, serial)
                except httpx.TransportError as error:
                    self.failed[f"push {type(error).__name__}"] += 1
                    time.sleep(PAUSE_SECONDS)
                    continue
                if answer.is_success:
                    break
                self.failed[f"push {answer.status_code}"] += 1
                if answer.status_code == httpx.codes.UNAUTHORIZED:
                    client.sign_in()
                time.sleep(PAUSE_SECONDS)
            self.longest = max(self.longest, time.monotonic() - began)
            self.accepted[serial] = answer.json()["incident"]
            time.sleep(PAUSE_SECONDS)
        client.http.close()

    def _send(self) -> None:
        line: Line | None = None
        for number in itertools.count(1):
            if self._stop.is_set():
                break
            named = f"T{id(self) % 10**8}-{number}"
            while named not in self.messages:
                try:
                    line = line or Line(self.stand.engine_tls())
                    code, of = told(line.ask(said(named)))
                except (OSError, EOFError) as error:
                    self.failed[f"MLLP {type(error).__name__}"] += 1
                    line = None
                    time.sleep(PAUSE_SECONDS)
                    continue
                assert of == named
                if code == "AA":
                    self.messages.append(named)
                else:
                    self.failed[f"MLLP {code}"] += 1
            time.sleep(PAUSE_SECONDS)


class Line:
    """One MLLP line through the proxy. Raises OSError, EOFError."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._framer = Framer(1 << 20)
        self._socket = tls.wrap_socket(socket.create_connection((MLLP, 2575), timeout=20), server_hostname=MLLP)

    def ask(self, message: bytes) -> bytes:
        """Send a message; its answer."""
        self._socket.sendall(framed(message))
        while True:
            data = self._socket.recv(65_536)
            if not data:
                raise EOFError
            for one in self._framer.feed(data):
                if isinstance(one, bytes):
                    return one

    @property
    def certificate(self) -> bytes:
        """The other side's (DER)."""
        return self._socket.getpeercert(binary_form=True) or b""
