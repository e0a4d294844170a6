"""A hospital's integration engine: a listener that takes what the gateway sends over MLLP, and a line back to it.

It answers as it is told, in that order, then with AA, and remembers what came when. It is plain, on loopback, as
development may be: in production the gateway speaks to none without TLS.

Source: HL7 v2.4 chapters 2.9 and 11.3; Implementation Guide, appendix C.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from adapters.mllp import Framer, framed
from adapters.nhs import hl7v2

Answer = Literal["AA", "AE"]


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came: its type, its control id, the referral it is about, when, and how it was answered."""

    type: str
    control_id: str
    case: str
    at: datetime
    answer: Answer


class Engine:
    """What came, and how the next ones are answered."""

    def __init__(self, port: int, answers: Iterable[Answer]) -> None:
        self.port = port
        self._answers = deque(answers)
        self._received: list[Received] = []
        self._came = threading.Condition()

    @property
    def address(self) -> str:
        """As an endpoint names it."""
        return f"mllp://{_HOST}:{self.port}"

    @property
    def received(self) -> tuple[Received, ...]:
        """Everything that came by now, in its order."""
        with self._came:
            return tuple(self._received)

    def wait_for(self, enough: Callable[[Sequence[Received]], bool], seconds: float) -> bool:
        """Wait until what came is enough; False where it was not in time."""
        with self._came:
            return self._came.wait_for(lambda: enough(self._received), seconds)

    def serve(self, line: socket.socket) -> None:
        """Answer what comes on one connection until the other side hangs up."""
        framer = Framer(_MOST_BYTES)
        with line:
            while data := line.recv(_READ_BYTES):
                for raw in framer.feed(data):
                    if isinstance(raw, bytes):
                        line.sendall(framed(self._taken(raw)))

    def tell(self, port: int, message: bytes) -> str:
        """Send a message to the gateway's listener; what its acknowledgement says (MSA-1). Raises OSError."""
        framer = Framer(_MOST_BYTES)
        with socket.create_connection((_HOST, port), timeout=_ANSWER_SECONDS) as line:
            line.sendall(framed(message))
            while data := line.recv(_READ_BYTES):
                for raw in framer.feed(data):
                    if isinstance(raw, bytes):
                        return hl7v2.read(raw).text("MSA", 1)
        raise ConnectionError("the gateway hung up without an answer")

    def _taken(self, raw: bytes) -> bytes:
        """Note a message; the acknowledgement it is answered with."""
        now = datetime.now(UTC)
        message = hl7v2.read(raw)
        with self._came:
            answer = self._answers.popleft() if self._answers else "AA"
            one = Received(message.type, message.control_id, message.text("RF1", 6), now, answer)
            self._received.append(one)
            number = len(self._received)
            self._came.notify_all()
        return hl7v2.ack(message, raw, answer, (), f"ENGINE{number}", now)


@contextmanager
def listening(answers: Iterable[Answer]) -> Iterator[Engine]:
    """An engine on a free port of this machine, in threads."""
    with socket.create_server((_HOST, 0)) as door:
        engine = Engine(door.getsockname()[1], answers)

        def let_in() -> None:
            while True:
                try:
                    line, _ = door.accept()
                except OSError:  # the door is shut
                    return
                threading.Thread(target=engine.serve, args=(line,), daemon=True).start()

        thread = threading.Thread(target=let_in, name="engine", daemon=True)
        thread.start()
        try:
            yield engine
        finally:
            door.shutdown(socket.SHUT_RDWR)  # closing alone does not end an accept that waits
            thread.join()


def accepting(answered: str, case: str) -> bytes:
    """An RRI^I12 by which the engine accepts the referral that the message `answered` brought."""
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    lines = [
        f"MSH|^~\\&|ENGINE|RXL|PROVIDE-GATEWAY|PROVIDE|{now}||RRI^I12|R{now}|T|2.4",
        f"MSA|AA|{answered}",
        f"RF1|A|R|SG|||{case}^PROVIDE",
        "PRD|RT^Referred to^HL70286",
        "PID|1||7700001^^^RXL^MR||ASHDOWN^MARIANNE",
        "",
    ]
    return "\r".join(lines).encode()


_HOST = "127.0.0.1"
_READ_BYTES = 65_536
_MOST_BYTES = 1_048_576  # a referral without narrative is a few thousand
_ANSWER_SECONDS = 30.0  # an acknowledgement comes after the sealed commit
