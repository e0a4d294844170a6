"""One search at PDS over HTTP: signed in, bounded in time and size, sent again where the type of the fault says so.

Sent again, a search keeps its `X-Request-ID`; the names in it stand in the address alone, which is never logged here.
Nothing is followed. A token is kept until shortly before it ends, and forgotten once it was refused.

Source: domain.md sections 2.6 (headers), 2.7; RFC 9110 section 10.2.3 (Retry-After).
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import httpx
import orjson
from joserfc.jwk import RSAKey
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_exponential_jitter,
)
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_base

from adapters.nhs import pds
from adapters.socket import Unreadable
from gateway.delivery.fault import NotDelivered, Refused, TryAgain
from gateway.delivery.policy import retry_after
from gateway.tracing.sign_in import Token, statement

DEADLINE_SECONDS = 15.0  # of one exchange, from the connection to the last byte; PDS answers in less than one
CONNECT_SECONDS = 5.0
TRIES = 3  # in one go; what does not come of it is a matter of minutes, and not waited for here
AT_ONCE_MAX = timedelta(seconds=5)  # a longer Retry-After is kept by whoever asked
MOST_BYTES = pds.LIMITS.max_bytes
_UNAUTHORISED = 401
_NOT_FOUND = 404
_LATER = frozenset({408, 425, 429})
_SERVER_ERROR = range(500, 600)
_SUCCESS = 200
_GONE = frozenset({"INVALIDATED_RESOURCE", "RESOURCE_NOT_FOUND"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where PDS is and who asks: `url` is the FHIR base, `ca` the PEM that is trusted in place of the machine's own."""

    url: str
    token_url: str
    api_key: str
    key: RSAKey
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One question: `request` stays the same when it is sent again.

    `organisation` is the ODS code of the end user's organisation: the party of the agreement's recipient for PDS, for
    one answer serves the referrals of several trusts, and the agreement says which of them asks.
    """

    parameters: pds.Parameters
    request: str
    correlation: str
    organisation: str


@dataclass
class Pds:
    """Asks PDS. `closing` ends waits, so that stop really stops."""

    place: Place
    closing: threading.Event = field(default_factory=threading.Event)
    deadline_seconds: float = DEADLINE_SECONDS
    first_wait_seconds: float = 0.5
    _token: Token | None = None

    def search(self, call: Call) -> pds.Answer:
        """Ask, and once more where that may help. Raises TryAgain, Refused."""
        policy = Retrying(
            retry=retry_if_exception_type(TryAgain),
            stop=_Enough(self.closing),
            wait=self._wait,
            sleep=sleep_using_event(self.closing),
            reraise=True,
        )
        return policy(self._once, call)

    def _wait(self, state: RetryCallState) -> float:
        jittered = wait_exponential_jitter(multiplier=self.first_wait_seconds, max=4, jitter=self.first_wait_seconds)
        return max(jittered(state), _asked(state).total_seconds())

    def _once(self, call: Call) -> pds.Answer:
        token = self._token
        if token is None or token.until <= time.monotonic():
            token = self._token = self._sign_in()
        headers = {
            "Authorization": f"Bearer {token.value}",
            "Accept": "application/fhir+json",
            "X-Request-ID": call.request,
            "X-Correlation-ID": call.correlation,
            "NHSD-End-User-Organisation-ODS": call.organisation,
        }
        got = self._exchange("GET", f"{self.place.url}/Patient", headers, params=call.parameters)
        if got.status == _UNAUTHORISED:
            self._token = None  # ended early, or was revoked: the next try signs in anew
            raise TryAgain("status-401")
        if got.status == _NOT_FOUND and pds.error_code(got.body) in _GONE:
            return pds.Nobody("invalidated")
        self._check(got)
        try:
            return pds.read(got.body)
        except Unreadable:
            raise Refused("answer-unreadable") from None

    def _sign_in(self) -> Token:
        form = statement(self.place.key, self.place.api_key, self.place.token_url)
        got = self._exchange("POST", self.place.token_url, {"Accept": "application/json"}, form=form)
        if got.status != _SUCCESS and got.status not in _LATER and got.status not in _SERVER_ERROR:
            raise TryAgain("sign-in-refused")  # for the operator to put right: the question stays to be asked
        self._check(got)
        try:
            token = Token.of(orjson.loads(got.body), time.monotonic())
        except orjson.JSONDecodeError:
            token = None
        if token is None:
            raise TryAgain("token-unreadable")
        return token

    @staticmethod
    def _check(got: _Got) -> None:
        """Raise unless all was well."""
        if got.status == _SUCCESS:
            return
        if got.status in _LATER or got.status in _SERVER_ERROR:
            raise TryAgain(f"status-{got.status}", retry_after(got.after, datetime.now(UTC)))
        raise Refused(f"status-{got.status}")

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        params: pds.Parameters | None = None,
        form: Mapping[str, str] | None = None,
    ) -> _Got:
        request = httpx.Request(
            method, url, headers={**headers, "Accept-Encoding": "identity"}, params=params, data=form
        )
        try:
            return asyncio.run(self._send(request))
        except (TimeoutError, httpx.TimeoutException):
            raise TryAgain("timeout") from None
        except (httpx.HTTPError, ssl.SSLError, OSError):
            raise TryAgain("connection") from None

    async def _send(self, request: httpx.Request) -> _Got:
        verify = _trusted(self.place.ca)
        timeout = httpx.Timeout(self.deadline_seconds, connect=CONNECT_SECONDS)
        async with (
            asyncio.timeout(self.deadline_seconds),
            httpx.AsyncClient(verify=verify, timeout=timeout, trust_env=False) as client,
        ):
            answer = await client.send(request, stream=True)
            try:
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise Refused("answer-encoded")  # nobody asked for it, and it may unpack to anything
                body = b""
                async for piece in answer.aiter_raw():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise Refused("answer-too-large")
                return _Got(answer.status_code, answer.headers.get("retry-after"), body)
            finally:
                await answer.aclose()


@lru_cache(maxsize=4)  # one place, and room for a few in tests
def _trusted(ca: str | None) -> ssl.SSLContext:
    """Whom to believe to be PDS. Reading the system's certificates costs 20 ms; new ones are known after a restart."""
    return ssl.create_default_context(cadata=ca)


@dataclass(frozen=True, slots=True)
class _Got:
    status: int
    after: str | None
    body: bytes


def _asked(state: RetryCallState) -> timedelta:
    """What the last answer asked us to wait."""
    fault = state.outcome.exception() if state.outcome else None
    return (fault.after if isinstance(fault, NotDelivered) else None) or timedelta()


@dataclass(frozen=True)
class _Enough(stop_base):
    """No further try: there were enough, it was asked to wait for longer than this, or the gateway stops."""

    closing: threading.Event

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Whether to stop."""
        return retry_state.attempt_number >= TRIES or _asked(retry_state) > AT_ONCE_MAX or self.closing.is_set()
