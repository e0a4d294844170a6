"""A replica that is stopped leaves before it goes: it answers on for a while, and says that it is not ready.

A proxy that asks whether it is ready sends its requests elsewhere meanwhile. Without this, a request that arrives on a
line which was kept open, just as the process closes it, is lost, and no proxy repeats what may have begun.
"""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

from gateway.web.wire import SERVED

GRACE_SECONDS = 10
"""How long requests may take to end when the gateway is stopped: the line of a live page would stay for minutes."""
NOT_SERVING = 3  # as uvicorn's own command ends where it cannot open its port, or start


def run(app: FastAPI, host: str, port: int, leave_seconds: float) -> None:
    """Serve an application until stopped. Raises SystemExit where its port cannot be opened."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        **SERVED,
    )
    server = Server(app, config, leave_seconds)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(NOT_SERVING)


def is_leaving(app: FastAPI) -> bool:
    """Whether it was told to stop."""
    return getattr(app.state, "leaving", False)


class Server(uvicorn.Server):
    """uvicorn's server of one application, which goes on for so many seconds after its first SIGTERM."""

    def __init__(self, app: FastAPI, config: uvicorn.Config, seconds: float) -> None:
        super().__init__(config)
        self._app = app
        self._seconds = seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Leave first; a second signal, or an interrupt, ends it at once."""
        if sig != signal.SIGTERM or not self._seconds or is_leaving(self._app):
            super().handle_exit(sig, frame)
            return
        self._app.state.leaving = True
        timer = threading.Timer(self._seconds, super().handle_exit, (sig, frame))
        timer.daemon = True  # ended otherwise meanwhile, nothing waits for it
        timer.start()
