"""A browser without scripts or pictures, enough to sign in by the provider's own pages and to open pages after it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import httpx
from lxml import html

from gateway.demo.client import trusted
from gateway.demo.people import Account
from gateway.demo.run import DemoFailed

_NAVIGATING = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
"""What a browser says of a link or a form of the page itself (W3C Fetch Metadata)."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A page that answered: its address, and how long it took."""

    path: str
    milliseconds: float


class Visitor:
    """One person's browser; signed in from the start. Raises DemoFailed where a page does not answer as it must."""

    def __init__(self, url: str, account: Account) -> None:
        self._http = httpx.Client(
            base_url=url, follow_redirects=True, headers=_NAVIGATING, timeout=60, verify=trusted()
        )
        self._sign_in(account)

    def __enter__(self) -> Self:
        """The visitor itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the browser."""
        self._http.close()

    def open(self, path: str) -> Opened:
        """Open a page, which must be shown."""
        began = time.perf_counter()
        answer = self._http.get(path)
        took = (time.perf_counter() - began) * 1e3
        if answer.status_code != httpx.codes.OK or answer.url.path != urljoin("/", path.partition("?")[0]):
            raise DemoFailed(f"{path}: {answer.status_code} at {answer.url.path}")
        return Opened(path, took)

    def _sign_in(self, account: Account) -> None:
        page = self._http.get("/console/sign-in", params={"to": "/console/about"})
        form: Any = html.document_fromstring(page.text).forms[0]  # type: ignore[no-untyped-call]  # lxml has no types
        filled = {"person": account.person.id, "password": account.password, "code": account.earlier_code}
        action = urljoin(str(page.url), form.get("action", ""))
        answer = self._http.post(action, data={**dict(form.form_values()), **filled})
        if answer.url.path != "/console/about":
            raise DemoFailed(f"{account.person.id} could not sign in: {answer.status_code} at {answer.url.path}")
