"""One message out: connect, send, and wait for the acknowledgement of this very message.

Every message has a connection of its own, so that one is in flight on each, and what an earlier one left behind is gone
with its line. MSA-2 is always checked: what is said of another message counts for nothing, however often it is said.
The whole ends by one deadline. For a thread that may block.

Source: HL7 v2.4 sections 2.9.2 and 2.9.3 (acknowledgement), 2.16.10 (MSA); Implementation Guide, appendix C.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from adapters.mllp import Framer, framed
from adapters.nhs import hl7v2
from adapters.socket import Unreadable
from gateway.delivery.fault import Refused, TryAgain
from gateway.mllp.tls import TlsUnusable

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
    """What the receiver said of the message: MSA-1, and its own control id (MSH-10)."""

    code: str
    reference: str | None


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

    Raises TryAgain where nobody can tell whether it arrived, or it may later (AR, CR); Refused where the receiver says
    that this message will not do (AE, CE).
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
    except ssl.SSLCertVerificationError:
        raise TryAgain("certificate") from None
    except (ssl.SSLError, TlsUnusable):
        raise TryAgain("tls") from None
    except OSError:
        raise TryAgain("connection") from None
    raise TryAgain("no-application-ack" if committed else "no-ack")


def _judge(said: Said) -> None:
    """Raise what an answer means; a commit acknowledgement means that the application's is still to come."""
    if said.code in {"AE", "CE"}:
        raise Refused(f"nack-{said.code.lower()}")
    if said.code in {"AR", "CR"}:
        raise TryAgain(f"nack-{said.code.lower()}")
    if said.code != "CA":
        raise TryAgain("ack-unknown")


def _connected(to: Target, seconds: float, tls: ssl.SSLContext | None) -> socket.socket:
    line = socket.create_connection((to.host, to.port), timeout=seconds)
    if not to.secure or tls is None:
        return line
    try:
        return tls.wrap_socket(line, server_hostname=to.host)
    except BaseException:
        line.close()
        raise


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
    return Said(message.text("MSA", 1).upper(), named or None)


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


_ADDRESS: Final = re.compile(r"mllps?://[A-Za-z0-9.\-\[\]:]{1,255}")
