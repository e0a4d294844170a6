"""One POST to a judged address: nothing is followed, no more is read than was asked for, and it ends in time.

The connection goes to an address that was judged before; the certificate must be that of the name. A receiver that
hangs, drips or never ends its answer is cut off by one deadline for the whole.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import httpx

from gateway.delivery.fault import NotSent, Refused, TryAgain
from gateway.delivery.policy import retry_after
from gateway.webhook.address import Target

DEADLINE_SECONDS = 15.0  # for a whole try, from the first connection on; far below the lease of a delivery
CONNECT_SECONDS = 5.0
_SUCCESS = range(200, 300)
_SERVER_ERROR = range(500, 600)
_LATER = frozenset({408, 425, 429})  # request timeout, too early, too many requests


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered: its status, how long it asks to be left alone, its body, cut off where long."""

    status: int
    after: timedelta | None
    body: bytes


def post(
    to: Target,
    addresses: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    ca: str | None,
    now: datetime,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> int:
    """Send a signed request; returns the status, a 2xx. Raises TryAgain, Refused.

    `ca` is the PEM of the authorities that are trusted in place of the machine's own.
    """
    answer = exchange(to, addresses, headers, body, ca=ca, now=now, deadline_seconds=deadline_seconds)
    if answer.status in _SUCCESS:
        return answer.status
    if answer.status in _LATER or answer.status in _SERVER_ERROR:
        raise TryAgain(f"status-{answer.status}", answer.after)
    raise Refused(f"status-{answer.status}")


def exchange(
    to: Target,
    addresses: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    ca: str | None,
    now: datetime,
    deadline_seconds: float = DEADLINE_SECONDS,
    answer_max_bytes: int = 0,
) -> Answer:
    """Send a request and give back what was answered, whatever it is.

    Raises TryAgain where nothing was, and NotSent where no address could be connected to, TLS included.
    """
    try:
        status, after, said = asyncio.run(_post(to, addresses, headers, body, ca, deadline_seconds, answer_max_bytes))
    except httpx.ConnectTimeout:
        raise NotSent("timeout") from None
    except httpx.ConnectError as error:
        raise NotSent("tls" if _of_tls(error) else "connection") from None
    except (TimeoutError, httpx.TimeoutException):
        raise TryAgain("timeout") from None
    except (httpx.HTTPError, ssl.SSLError, OSError) as error:
        raise TryAgain("tls" if _of_tls(error) else "connection") from None
    return Answer(status, retry_after(after, now), said)


_Said = tuple[int, str | None, bytes]


async def _post(
    to: Target,
    addresses: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    ca: str | None,
    deadline: float,
    most: int,
) -> _Said:
    verify = _trusted(ca) if to.secure else False
    timeout = httpx.Timeout(deadline, connect=CONNECT_SECONDS)
    async with asyncio.timeout(deadline), httpx.AsyncClient(verify=verify, timeout=timeout, trust_env=False) as client:
        *others, last = addresses
        for address in others:
            try:
                return await _one(client, to, address, headers, body, most)
            except (httpx.ConnectError, httpx.ConnectTimeout):  # nothing was sent: the next address may answer
                continue
        return await _one(client, to, last, headers, body, most)


@lru_cache(maxsize=64)  # one for each authority that a receiver was registered with; most have the machine's own
def _trusted(ca: str | None) -> ssl.SSLContext:
    """Whom to believe. Reading the system's certificates costs 30 ms; new ones are known after a restart."""
    return ssl.create_default_context(cadata=ca)


async def _one(
    client: httpx.AsyncClient, to: Target, address: str, headers: Mapping[str, str], body: bytes, most: int
) -> _Said:
    host = f"[{address}]" if ":" in address else address
    url = f"{'https' if to.secure else 'http'}://{host}:{to.port}{to.path}"
    said = {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        **headers,
        "Host": to.authority,
        "User-Agent": "provide-gateway",
    }
    named = {"sni_hostname": to.host} if to.secure else {}
    async with client.stream("POST", url, headers=said, content=body, extensions=named) as answer:
        return answer.status_code, answer.headers.get("retry-after"), await _read(answer, most)


async def _read(answer: httpx.Response, most: int) -> bytes:
    """The body of an answer, read no further than one byte beyond what was asked for, so that it shows."""
    if not most:
        return b""
    found = bytearray()
    async for chunk in answer.aiter_raw():
        found += chunk
        if len(found) > most:
            break
    return bytes(found[: most + 1])


def _of_tls(error: BaseException | None) -> bool:
    """Whether a certificate, or another part of TLS, is behind an error."""
    seen = 0
    while error is not None and seen < _CAUSES:
        if isinstance(error, ssl.SSLError):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


_CAUSES = 8  # how deep the libraries wrap
