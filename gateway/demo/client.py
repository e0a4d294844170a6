"""A small client of the gateway: proves itself with its private key, keeps its token, speaks plain HTTP.

It knows nothing of the gateway but its addresses, as any foreign client would (RFC 7523, RFC 6749 section 4.4).
"""

from __future__ import annotations

import json
import ssl
import time
import uuid
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 240  # the gateway takes at most 300
MOST_READS = 5  # a number that was traced, or people who were linked, come in between once or twice


@dataclass
class Client:
    """One system, acting for one person where `user` is given: {"id": …, "role": …}."""

    base_url: str
    client_id: str
    key: RSAKey
    user: dict[str, str] | None = None
    transport: InitVar[httpx.BaseTransport | None] = None
    http: httpx.Client = field(init=False)

    def __post_init__(self, transport: httpx.BaseTransport | None) -> None:
        """Open the connection; over a given transport none is opened."""
        self.http = httpx.Client(transport=transport, base_url=self.base_url, timeout=30, verify=trusted())

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.http.close()

    def assertion(self) -> str:
        """A signed statement of who the client is, good once (RFC 7523 section 3)."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": f"{self.base_url}/oauth2/token",
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        if self.user is not None:
            claims["end_user"] = self.user
        header = {"alg": "RS512", "typ": "JWT", "kid": self.key.thumbprint()}
        return jwt.encode(header, claims, self.key, algorithms=["RS512"])

    def sign_in(self) -> dict[str, Any]:
        """Take a token and use it from now on."""
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        self.http.headers.pop("Authorization", None)  # one way to prove oneself at a time (RFC 6749 section 2.3)
        answer = self.http.post("/oauth2/token", data=form)
        answer.raise_for_status()
        token: dict[str, Any] = answer.json()
        self.http.headers["Authorization"] = f"Bearer {token['access_token']}"
        return token

    def get(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """GET."""
        return self.http.get(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """POST."""
        return self.http.post(path, **options)

    def patch(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """PATCH."""
        return self.http.patch(path, **options)

    def change(self, path: str, patch: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> httpx.Response:
        """Change a resource as it was just read, by a JSON Patch; where something came in between, read it again.

        Returns the answer to the change, or to the reading where that failed (RFC 6902, RFC 9110 section 13.1.1).
        """
        for _ in range(MOST_READS):
            read = self.http.get(path)
            if not read.is_success:
                return read
            headers = {"If-Match": read.headers["ETag"], "Content-Type": "application/json-patch+json"}
            answer = self.http.patch(path, content=json.dumps(patch(read.json())), headers=headers)
            if answer.status_code != httpx.codes.PRECONDITION_FAILED:
                break
        return answer


@cache
def trusted() -> ssl.SSLContext:
    """The machine's own certificates, read once: a client left to itself reads them all, in a tenth of a second."""
    return httpx.create_ssl_context()


def key_of(path: Path) -> RSAKey:
    """A client's private key from the file `gateway client add --new-key` left."""
    return RSAKey.import_key(path.read_bytes())
