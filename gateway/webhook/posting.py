"""One POST to a judged address: nothing is followed, nothing is read but the status, and it ends in time.

The connection goes to an address that was judged before; the certificate must be that of the name. A receiver that
hangs, drips or never ends its answer is cut off by one deadline for the whole.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx

from gateway.webhook.address import Target
from gateway.webhook.fault import Refused, TryAgain
from gateway.webhook.policy import retry_after

DEADLINE_SECONDS = 15.0  # for a whole try, from the first connection on; far below the lease of a delivery
CONNECT_SECONDS = 5.0
_SUCCESS = range(200, 300)
_SERVER_ERROR = range(500, 600)
_LATER = frozenset({408, 425, 429})  # request timeout, too early, too many requests


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
    try:
        status, after = asyncio.run(_post(to, addresses, headers, body, ca, deadline_seconds))
    except TimeoutError:
        raise TryAgain("timeout") from None
    except httpx.TimeoutException:
        raise TryAgain("timeout") from None
    except (httpx.TransportError, ssl.SSLError, OSError) as error:
        raise TryAgain("tls" if _of_tls(error) else "connection") from None
    if status in _SUCCESS:
        return status
    if status in _LATER or status in _SERVER_ERROR:
        raise TryAgain(f"status-{status}", retry_after(after, now))
    raise Refused(f"status-{status}")


async def _post(
    to: Target, addresses: Sequence[str], headers: Mapping[str, str], body: bytes, ca: str | None, deadline: float
) -> tuple[int, str | None]:
    verify = ssl.create_default_context(cadata=ca) if to.secure else False
    timeout = httpx.Timeout(deadline, connect=CONNECT_SECONDS)
    async with asyncio.timeout(deadline), httpx.AsyncClient(verify=verify, timeout=timeout, trust_env=False) as client:
        *others, last = addresses
        for address in others:
            try:
                return await _one(client, to, address, headers, body)
            except httpx.ConnectError:  # nothing was sent: the next address may answer
                continue
        return await _one(client, to, last, headers, body)


async def _one(
    client: httpx.AsyncClient, to: Target, address: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, str | None]:
    host = f"[{address}]" if ":" in address else address
    url = f"{'https' if to.secure else 'http'}://{host}:{to.port}{to.path}"
    said = {**headers, "Host": to.authority, "Accept": "*/*", "User-Agent": "provide-gateway"}
    named = {"sni_hostname": to.host} if to.secure else {}
    async with client.stream("POST", url, headers=said, content=body, extensions=named) as answer:
        return answer.status_code, answer.headers.get("retry-after")


def _of_tls(error: BaseException | None) -> bool:
    """Whether a certificate, or another part of TLS, is behind an error."""
    seen = 0
    while error is not None and seen < _CAUSES:
        if isinstance(error, ssl.SSLError):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


_CAUSES = 8  # how deep the libraries wrap
