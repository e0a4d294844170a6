"""A real browser before a real server: headless Chromium by Playwright, and the application on a port of loopback.

Playwright's event loop has a thread of its own, so that tests stay plain functions: `chromium.run(journey())`. What a
page complains of (its own errors, its policy) is heard. Screenshots are kept where `TEST_SCREENSHOTS` says.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, async_playwright
from sqlalchemy import select

from gateway.app import create_app
from gateway.demo.client import Client
from gateway.demo.run import ADVISER, OFFICER
from gateway.demo.setting import free_port
from gateway.services import Services, open_services
from gateway.settings import Settings
from gateway.signin.claims import Person
from gateway.signin.cookies import SESSION, Cookies
from gateway.signin.sessions import Sessions
from gateway.store import tables
from tests.support.world import client_key, copy_template

T = TypeVar("T")

DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=375, height=812)
SCREENSHOTS = os.environ.get("TEST_SCREENSHOTS")


def executable() -> str | None:
    """The machine's own Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Chromium:
    """A browser, driven from a thread of its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="browser", daemon=True)
        self._thread.start()
        self._browser = self.run(self._launch())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a journey to its end."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @asynccontextmanager
    async def context(
        self, live: Live, person: Person | None = None, *, scripts: bool = True, size: ViewportSize = DESK
    ) -> AsyncIterator[Visitor]:
        """A browser of its own, in which a person has signed in where one is named."""
        options: dict[str, Any] = {"viewport": size, "java_script_enabled": scripts, "locale": "en-GB"}
        context = await self._browser.new_context(**options)
        try:
            visitor = Visitor(context, live)
            await visitor.become(person)
            yield visitor
        finally:
            await context.close()

    def close(self) -> None:
        """Stop the browser and its thread."""
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _launch(self) -> Browser:
        self._playwright = await async_playwright().start()
        # As root, and in containers, Chromium cannot make its sandbox; what it opens here is our own.
        # What would be drawn by a graphics card is drawn by the browser's own process: one less to keep company.
        args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--in-process-gpu"]
        args.append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")  # no test leaves the machine
        return await self._playwright.chromium.launch(executable_path=self._path, args=args)

    async def _stop(self) -> None:
        await self._browser.close()
        await self._playwright.stop()


@dataclass
class Visitor:
    """A browser context before a live gateway. `said` is what pages complained of."""

    context: BrowserContext
    live: Live
    said: list[str] = field(default_factory=list)

    async def become(self, person: Person | None) -> None:
        """Be somebody who has signed in, or nobody; who it was before is forgotten."""
        await self.context.clear_cookies()
        if person is not None:
            await self.context.add_cookies([await asyncio.to_thread(self.live.cookie, person)])

    async def open(self, path: str) -> Page:
        """A new page at an address of the gateway, loaded."""
        page = await self.window()
        await self.go(page, path)
        return page

    async def window(self) -> Page:
        """A new page at no address yet. Each is a process of the browser's own, and half a second of its work."""
        page = await self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        return page

    async def go(self, page: Page, path: str) -> None:
        """Lead a page to an address of the gateway."""
        await page.goto(self.live.url + path)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.said.append(f"{message.type}: {message.text}")


async def objections(page: Page) -> list[Any]:
    """What axe objects to, by WCAG 2.2 AA and its own best practices: each with `id`, `help` and the `nodes`.

    All its rules are asked; of those that a page keeps, nothing is put together and sent.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(Axe().axe_script)
    found: list[Any] = await page.evaluate(
        "axe.run({resultTypes: ['violations']}).then(({passes, violations}) => passes.length ? violations : null)"
    )
    return found


async def shot(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep a picture of a page, where pictures are kept."""
    if SCREENSHOTS:
        await page.screenshot(path=f"{SCREENSHOTS}/{name}.png", full_page=whole)


async def phone_shot(page: Page, name: str) -> None:
    """The same as on a phone."""
    if SCREENSHOTS:
        await page.set_viewport_size(PHONE)
        await shot(page, name)


@dataclass
class Live:
    """The application on a port of loopback, and the systems that speak to it."""

    url: str
    services: Services
    app: FastAPI
    keys_dir: Path
    _clients: dict[str, Client] = field(default_factory=dict)
    _secrets: dict[Person, str] = field(default_factory=dict)

    @property
    def police(self) -> Client:
        """The record system, signed in."""
        return self.client("demo-rms", OFFICER)

    @property
    def hospital(self) -> Client:
        """The hospital's system, signed in."""
        return self.client("demo-hospital", ADVISER)

    def client(self, client_id: str, user: dict[str, str]) -> Client:
        """A signed-in system."""
        if client_id not in self._clients:
            made = Client(self.url, client_id, client_key(self.keys_dir / f"{client_id}.pem"), user)
            made.sign_in()
            self._clients[client_id] = made
        return self._clients[client_id]

    def push(self, document: Mapping[str, Any]) -> list[str]:
        """Push an incident; returns its referrals."""
        headers = {"Content-Type": "application/vnd.api+json"}
        answer = self.police.post("/police/v1/incidents", json=document, headers=headers)
        assert answer.is_success, answer.text
        return [one["reference"] for one in answer.json()["referrals"]]

    def cookie(self, person: Person) -> Any:
        """The cookie of a sign-in of a person, as a browser keeps it."""
        ((name, value),) = self.cookies(person).items()
        return {"name": name, "value": value, "url": self.url, "httpOnly": True, "sameSite": "Lax"}

    def cookies(self, person: Person) -> dict[str, str]:
        """The same by name; a person signs in once."""
        if person not in self._secrets:
            self._secrets[person] = asyncio.run(Sessions(self.services).open(person, person.caller("test")))
        return {Cookies(self.services.settings).name(SESSION): self._secrets[person]}

    def headers(self, person: Person | None) -> dict[str, str]:
        """The same as a header, for a client that several people share; of nobody, none."""
        if person is None:
            return {}
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies(person).items())}

    @property
    def referrals(self) -> Sequence[str]:
        """The ids of all referrals, the first that came in first."""
        table = tables.referral
        with self.services.database.reading() as connection:
            return [row.id for row in connection.execute(select(table.c.id).order_by(table.c.created_at))]


@contextmanager
def live_over(template: Path, folder: Path, **more: Any) -> Iterator[Live]:
    """Serve a copy of the prepared world, in this process, until left."""
    copy_template(template, folder, with_database=True)
    port = free_port()
    settings = Settings(data_dir=folder, public_url=f"http://127.0.0.1:{port}", **more)
    services = open_services(settings)
    app = create_app(services)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="served", daemon=True)
    thread.start()
    live = Live(settings.public_url, services, app, folder / "clients")
    try:
        until = 200
        while not server.started and until and thread.is_alive():
            thread.join(0.05)
            until -= 1
        assert server.started, "the application did not start"
        yield live
    finally:
        server.should_exit = True
        thread.join()
        for client in live._clients.values():
            client.http.close()
        services.close()


def chromium_or_skip() -> Chromium:
    """A browser; skips the test where the machine has none."""
    path = executable()
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    return Chromium(path)
