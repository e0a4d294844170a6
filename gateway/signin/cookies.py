"""The cookies of signing in: `__Host-` names, so that no other host and no plain connection can set or read them.

On a developer's machine, over plain HTTP on loopback, browsers refuse that prefix: there the names stand without it.
Source: RFC 6265bis section 4.1.3.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gateway.settings import Settings

SESSION = "console"
ASKED = "console-asked"


class Cookies:
    """Reads, sets and takes back cookies as the public address allows."""

    def __init__(self, settings: Settings) -> None:
        self._secure = settings.public_url.startswith("https://")

    def name(self, of: str) -> str:
        """What a cookie is called here."""
        return f"__Host-{of}" if self._secure else of

    def read(self, request: Request, of: str) -> str | None:
        """The value that the browser sent."""
        return request.cookies.get(self.name(of))

    def set(self, response: Response, of: str, value: str, *, max_age_seconds: int | None = None) -> None:
        """Give the browser a value: until it is closed, or for some seconds.

        SameSite=Lax, for a provider leads back here from its own site; forms are guarded by their tokens.
        """
        response.set_cookie(
            self.name(of), value, max_age=max_age_seconds, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def drop(self, response: Response, of: str) -> None:
        """Take a value back."""
        response.delete_cookie(self.name(of), path="/", secure=self._secure, httponly=True, samesite="lax")
