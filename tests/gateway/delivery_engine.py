"""An integration engine in a thread: it speaks HL7 v2 over MLLP, answers as it likes, and takes no message twice.

What hangs, hangs until the other side gives up; nothing sleeps.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.mllp import Framer, framed

DOES = ("AA", "AA", "AA", "AA", "AE", "AR", "hang", "reset", "late", "other", "twice", "nonsense", "half")
"""What it does with a message: an acknowledgement by its code, or something else."""


@dataclass
class Engine:
    """An integration engine. `taken` counts what it took, by control id; what it does next is drawn from `does`."""

    rng: random.Random
    does: Sequence[str] = DOES
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    taken: Counter[str] = field(default_factory=Counter)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    always: str | None = None
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    closing: threading.Event = field(default_factory=threading.Event)
    last: str = "nothing"

    @property
    def address(self) -> str:
        return f"mllp://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        """Answer one connection after another until it is closed."""
        while not self.closing.is_set():
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with line:
                line.settimeout(5)
                self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        try:
            message = self._message(line)
            control = message.split(b"\r", 1)[0].split(b"|")[9].decode()
            does = self.always or self.rng.choice(self.does)
            self.did[does] += 1
            self.sent.append((control, message))
            if does not in {"AE", "AR"} and not self.taken[control]:
                self.taken[control] += 1
            self.arrived.release()
            self._say(line, does, control)
            self.last = control
        except (OSError, IndexError):
            return

    def _say(self, line: socket.socket, does: str, control: str) -> None:
        if does == "hang":
            while line.recv(4096):  # until the other side gives up
                pass
        elif does == "reset":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif does == "late":  # the answer to the one before, and then none
            line.sendall(_ack("AA", self.last))
        elif does == "other":
            line.sendall(_ack("AA", "SOMEBODYELSES"))
        elif does == "twice":
            line.sendall(_ack("AA", control) * 2)
        elif does == "nonsense":
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        elif does == "half":
            line.sendall(_ack("AA", control)[:20])
        else:
            line.sendall(_ack(does, control))

    @staticmethod
    def _message(line: socket.socket) -> bytes:
        framer = Framer(1 << 20)
        while True:
            data = line.recv(65_536)
            if not data:
                raise OSError("gone")
            for one in framer.feed(data):
                if isinstance(one, bytes):
                    return one


def _ack(code: str, control: str) -> bytes:
    at = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    header = f"MSH|^~\\&|TIE|RXL|PROVIDE-GATEWAY|PROVIDE|{at}||ACK|{control[::-1]}|T|2.4"
    return framed(f"{header}\rMSA|{code}|{control}\r".encode())


@contextmanager
def serving(rng: random.Random, always: str | None = None, does: Sequence[str] = DOES) -> Iterator[Engine]:
    """An engine that serves until it is left."""
    engine = Engine(rng, does, always=always)
    thread = threading.Thread(target=engine.serve, daemon=True)
    thread.start()
    try:
        yield engine
    finally:
        engine.closing.set()
        engine.listener.shutdown(socket.SHUT_RDWR)
        engine.listener.close()
        thread.join(10)
