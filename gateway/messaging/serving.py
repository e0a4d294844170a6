"""The listener over open services: in `gateway mllp serve` by itself, or beside the web in a thread of its own.

Without TLS it listens on loopback alone, outside production, and speaks for one client that the settings name.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from ipaddress import ip_address

from gateway.logs import Line, say
from gateway.messaging.receiving import Receiver
from gateway.mllp.door import Door
from gateway.mllp.listener import Bounds, Listener
from gateway.mllp.tls import TlsUnusable, server_context
from gateway.services import Services
from gateway.settings import Environment, Settings


class MllpRefused(Exception):
    """The settings do not say how to listen. The message names the setting."""


class MllpServer:
    """A listener with an event loop of its own thread. Close it before the services. Raises MllpRefused."""

    def __init__(self, services: Services, host: str, port: int) -> None:
        self._services = services
        self._host, self._port = host, port
        try:
            self._tls = tls_of(services.settings, host)
        except TlsUnusable as unusable:
            raise MllpRefused(f"MLLP: {unusable}") from None
        self._opened: Future[int] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="mllp", daemon=True)

    @classmethod
    def of(cls, services: Services) -> MllpServer | None:
        """The listener the settings ask for; None where they name no port. Raises MllpRefused."""
        chosen = services.settings
        return cls(services, chosen.mllp_host, chosen.mllp_port) if chosen.mllp_port is not None else None

    def open(self) -> int:
        """Begin to listen; returns the port. Raises OSError."""
        self._thread.start()
        port = self._opened.result()
        say(Line.MLLP_STARTED, address=f"{self._host}:{port}", tls=self._tls is not None)
        return port

    def close(self) -> None:
        """Answer what is being kept, and stop."""
        if self._loop is None or self._stop is None:  # it never opened
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        say(Line.MLLP_STOPPED)

    async def _run(self) -> None:
        listener = listener_of(self._services, self._tls)
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            port = await listener.open(self._host, self._port)
        except OSError as error:
            self._stop = None
            self._opened.set_exception(error)
            return
        self._opened.set_result(port)
        await self._stop.wait()
        await listener.stop()


@contextmanager
def heard(listener: MllpServer | None) -> Iterator[None]:
    """Have a listener, where there is one, open while something else runs. Ends the process where it cannot."""
    if listener is None:
        yield
        return
    try:
        listener.open()
    except OSError as failed:
        raise SystemExit(f"gateway: GATEWAY_MLLP_PORT: {failed.strerror}") from None
    try:
        yield
    finally:
        listener.close()


def listener_of(services: Services, tls: ssl.SSLContext | None) -> Listener:
    """A listener that is not yet open."""
    chosen = services.settings
    bounds = Bounds(
        message_bytes=chosen.body_max_bytes,
        message_seconds=chosen.mllp_message_seconds,
        idle_seconds=chosen.mllp_idle_seconds,
        connections=chosen.mllp_connections,
        connections_per_client=chosen.mllp_connections_per_client,
    )
    plain = chosen.mllp_plain_client if tls is None else None
    return Listener(Door(services, plain), Receiver(services), bounds, tls)


def tls_of(settings: Settings, host: str) -> ssl.SSLContext | None:
    """How the listener proves itself; None where it is plain. Raises MllpRefused, TlsUnusable."""
    certificate, key, client_ca = settings.mllp_certificate, settings.mllp_key, settings.mllp_client_ca
    if certificate is not None and key is not None and client_ca is not None:
        return server_context(certificate, key, client_ca)
    if settings.environment is Environment.PRODUCTION:
        raise MllpRefused("GATEWAY_MLLP_CERTIFICATE, GATEWAY_MLLP_KEY and GATEWAY_MLLP_CLIENT_CA must be set")
    if settings.mllp_plain_client is None:
        raise MllpRefused("set GATEWAY_MLLP_CERTIFICATE, _KEY and _CLIENT_CA, or GATEWAY_MLLP_PLAIN_CLIENT")
    if not _is_loopback(host):
        raise MllpRefused("without TLS it listens on loopback alone: set GATEWAY_MLLP_HOST to 127.0.0.1")
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
