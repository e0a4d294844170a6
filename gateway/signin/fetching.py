"""Asking an OpenID provider over HTTP: bounded in time and size, at addresses as safe as its own, nothing followed.

Source: RFC 6749 section 3.2; OpenID Connect Discovery 1.0.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx
import orjson

DEADLINE_SECONDS = 10.0  # of one exchange; somebody looks at an empty page meanwhile
MOST_BYTES = 262_144  # a key set with certificates in it is some ten thousand


class SignInFailed(Exception):
    """Nobody was signed in. `reason` is the code to seal; nothing that the provider wrote goes into it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderFailed(SignInFailed):
    """The provider does not answer, or not as it should: to be tried again later."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """Asks for JSON objects.

    `ca` is the PEM that is trusted in place of the machine's own; `transport` leads to a provider in the same process.
    """

    ca: str | None = None
    transport: httpx.AsyncBaseTransport | None = None

    async def get(self, url: str, token: str | None = None) -> dict[str, Any]:
        """The JSON object at an address. Raises ProviderFailed."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self._exchange(httpx.Request("GET", url, headers={**_HEADERS, **headers}))

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object that a form is answered with. Raises ProviderFailed, SignInFailed where it is refused."""
        return await self._exchange(httpx.Request("POST", url, headers={**_HEADERS, **headers}, data=form))

    async def _exchange(self, request: httpx.Request) -> dict[str, Any]:
        try:
            status, body = await self._send(request)
        except (httpx.HTTPError, TimeoutError, ssl.SSLError, OSError):
            raise ProviderFailed("provider-unreachable") from None
        if status in _REFUSED:
            raise SignInFailed("provider-refused")
        try:
            found = orjson.loads(body) if status == _OK else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ProviderFailed("provider-answer")
        return found

    async def _send(self, request: httpx.Request) -> tuple[int, bytes]:
        verify = _trusted(self.ca) if self.transport is None else False
        async with (
            asyncio.timeout(DEADLINE_SECONDS),
            httpx.AsyncClient(
                verify=verify, transport=self.transport, timeout=DEADLINE_SECONDS, trust_env=False
            ) as client,
        ):
            answer = await client.send(request, stream=True)
            try:
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise ProviderFailed("provider-answer")  # nobody asked for it, and it may unpack to anything
                body = b""
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise ProviderFailed("provider-answer")
                return answer.status_code, body
            finally:
                await answer.aclose()


@lru_cache(maxsize=4)  # one provider, and room for a few in tests
def _trusted(ca: str | None) -> ssl.SSLContext:
    """Whom to believe to be the provider. Reading the system's certificates costs 30 ms; new ones need a restart."""
    return ssl.create_default_context(cadata=ca)


_HEADERS: Mapping[str, str] = {"Accept": "application/json", "Accept-Encoding": "identity"}
_OK = 200
_REFUSED = frozenset({400, 401, 403})
