"""SIGTERM ends the gateway in order, with 0: journals and database are closed, couriers stopped.

With the listener, and of the listener alone: `test_mllp_commands`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from gateway.demo.run import LOG
from gateway.demo.setting import free_port
from tests.support.mllp import HOST
from tests.support.world import URL, copy_template, open_world, settings_for

READY_SECONDS = 30


def started(folder: Path, words: list[str]) -> subprocess.Popen[bytes]:
    """`gateway` with these words, over the prepared directory."""
    named = {"GATEWAY_DATA_DIR": str(folder), "GATEWAY_PUBLIC_URL": URL}
    command = [sys.executable, "-m", "gateway", *words]
    return subprocess.Popen(command, env=os.environ | named, stderr=subprocess.PIPE)


@pytest.fixture
def folder(prepared_world: Path, tmp_path: Path) -> Path:
    """A prepared gateway."""
    copy_template(prepared_world, tmp_path / "data", with_database=True)
    return tmp_path / "data"


def test_sigterm_ends_the_web_alone_with_0_and_everything_closed(folder: Path) -> None:
    """A database that was closed has no write-ahead log beside it; one whose process was ended has."""
    port = str(free_port())
    process = started(folder, ["serve", "--port", port])
    assert process.stderr is not None
    try:
        _until_live(process, port)
        assert list(folder.glob("*.sqlite3-wal"))
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=READY_SECONDS)[1].decode()
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert not list(folder.glob("*.sqlite3-wal"))
    world = open_world(settings_for(folder))
    try:
        assert world.services.standing(LOG).terms is not None
    finally:
        world.close()


def test_a_second_sigterm_cuts_nothing_short() -> None:
    """Whoever stops a gateway twice does not end it in the middle of what closes it."""
    program = """
import os, signal
from gateway.cli.support import ended_by_sigterm
with ended_by_sigterm():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        print("closed")
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, timeout=READY_SECONDS)
    assert (done.returncode, done.stdout) == (0, b"closed\n")


def _until_live(process: subprocess.Popen[bytes], port: str) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, "it ended before it served"
        try:
            if httpx.get(f"http://{HOST}:{port}/health/live").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.02)  # polled with a deadline: another process says when it is there
    raise AssertionError("it never served")
