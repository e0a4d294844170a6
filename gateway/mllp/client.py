"""One message out: connect, send, and wait for the acknowledgement of this very message.

Every message has a connection of its own, so that one is in flight on each, and what an earlier one left behind is gone
with its line. MSA-2 is always checked: what is said of another message counts for nothing, however often it is said.
The whole ends by one deadline. For a thread that may block.

What a refusal means is its code and what it says is wrong (table 0357): a key that is not known in RF1 is our referral,
which the receiver then surely has not; whatever the next try would meet again is refused for good.

Source: HL7 v2.4 sections 2.9.2 and 2.9.3 (acknowledgement), 2.16.5 (ERR), 2.16.10 (MSA); Implementation Guide,
appendix C.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from adapters.mllp import Framer, framed
from adapters.nhs import hl7v2
from adapters.nhs.hl7v2 import Wrong
from adapters.socket import Unreadable
from gateway.delivery.fault import NotSent, Refused, TryAgain, Unknown

CONNECT_SECONDS: Final = 5.0
ANSWER_MAX_BYTES: Final = (
    262_144  # an acknowledgement is a few hundred bytes; an application's with errors, a few thousand
)
STRANGERS_MAX: Final = 64  # acknowledgements of other messages, or bytes that are none: beyond, the line talks nonsense
_READ_BYTES: Final = 65_536
_PORT = 2575  # IANA: hl7


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes."""

    host: str
    port: int
    secure: bool


def target(address: str) -> Target:
    """The target of `mllp://host:port` or `mllps://host:port`. Raises ValueError, which never repeats the address."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError("the address is not mllp://host:port or mllps://host:port")
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the address names a port there is not") from None
    if not parts.hostname:
        raise ValueError("the address names no host")
    return Target(parts.hostname, port or _PORT, parts.scheme == "mllps")


@dataclass(frozen=True, slots=True)
class Said:
    """What the receiver said of the message: MSA-1, its own control id (MSH-10), and what it says is wrong."""

    code: str
    reference: str | None
    wrong: tuple[Wrong, ...] = ()


def exchange(
    to: Target,
    message: bytes,
    control_id: str,
    deadline_seconds: float,
    tls: ssl.SSLContext | None,
    *,
    last: str = "AA",
) -> Said:
    """Send a message and wait until it is acknowledged: by `AA`, or by `last` (`CA`) where no more comes.

    Raises NotSent where no connection was made, TLS included; TryAgain where nobody can tell whether it arrived, or it
    may later (AR, CR); Refused where the receiver says that this message will not do (AE, CE, or AR and CR with such a
    reason), Unknown where it says that it knows no such referral.
    """
    ends = time.monotonic() + deadline_seconds
    committed = False
    try:
        with _connected(to, min(CONNECT_SECONDS, deadline_seconds), tls) as line:
            line.settimeout(_left(ends))
            line.sendall(framed(message))
            for said in _answers(line, control_id, ends):
                if said.code in {last, "AA"}:
                    return said
                _judge(said)
                committed = True
    except TimeoutError:
        raise TryAgain("no-application-ack" if committed else "timeout") from None
    except ssl.SSLError:
        raise TryAgain("tls") from None  # it may have come with the message: a certificate of ours that is refused
    except OSError:
        raise TryAgain("connection") from None
    raise TryAgain("no-application-ack" if committed else "no-ack")


def _judge(said: Said) -> None:
    """Raise what an answer means; a commit acknowledgement means that the application's is still to come."""
    if said.code == "CA":
        return
    if said.code not in _REFUSALS:
        raise TryAgain("ack-unknown")
    if said.wrong and all(one == _NO_SUCH_REFERRAL for one in said.wrong):
        raise Unknown("unknown-referral")
    if said.code in _FOR_GOOD or (said.wrong and all(one.code in _AGAIN_THE_SAME for one in said.wrong)):
        raise Refused(f"nack-{said.code.lower()}")
    raise TryAgain(f"nack-{said.code.lower()}")


@contextmanager
def _connected(to: Target, seconds: float, tls: ssl.SSLContext | None) -> Iterator[socket.socket]:
    """A line to the receiver. Raises NotSent where there is none: not a byte of the message has left then."""
    try:
        line = socket.create_connection((to.host, to.port), timeout=seconds)
        try:
            line = tls.wrap_socket(line, server_hostname=to.host) if to.secure and tls is not None else line
        except BaseException:
            line.close()
            raise
    except TimeoutError:
        raise NotSent("timeout") from None
    except ssl.SSLCertVerificationError:
        raise NotSent("certificate") from None
    except ssl.SSLError:
        raise NotSent("tls") from None
    except (OSError, UnicodeError):  # UnicodeError: a name that no resolver can be asked for
        raise NotSent("connection") from None
    with line:
        yield line


def _answers(line: socket.socket, control_id: str, ends: float) -> Iterator[Said]:
    """What the receiver says of this message, until it hangs up. Raises OSError, TimeoutError, TryAgain."""
    framer = Framer(ANSWER_MAX_BYTES)
    strangers = 0
    while True:
        line.settimeout(_left(ends))
        data = line.recv(_READ_BYTES)
        if not data:
            return
        for found in framer.feed(data):
            said = _said(found, control_id) if isinstance(found, bytes) else None
            if said is not None:
                yield said
                continue
            strangers += 1
            if strangers > STRANGERS_MAX:
                raise TryAgain("other-acks")


def _said(raw: bytes, control_id: str) -> Said | None:
    """What an acknowledgement says of this message; None where it is of another, or is none."""
    try:
        message = hl7v2.read(raw)
    except Unreadable:
        return None
    if message.text("MSA", 2) != control_id:
        return None
    named = "".join(one for one in message.control_id if one.isprintable())[:200]
    return Said(message.text("MSA", 1).upper(), named or None, hl7v2.wrong(message))


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


_FOR_GOOD: Final = frozenset({"AE", "CE"})
_REFUSALS: Final = _FOR_GOOD | {"AR", "CR"}
_AGAIN_THE_SAME: Final = frozenset({"100", "101", "102", "103", "200", "201", "202", "203", "204", "205"})
"""Table 0357 without 206, a record that is locked, and 207, an error within the application: those pass."""
_NO_SUCH_REFERRAL: Final = Wrong("RF1", "204")
_ADDRESS: Final = re.compile(r"mllps?://[A-Za-z0-9.\-\[\]:]{1,255}")
