"""Messages over MLLP: the gateway's listener, whose AA comes after the sealed commit, beside python-hl7's server.

`python -m tests.bench.messages PORT` is the floor: python-hl7's own asyncio server, which parses a message, makes its
acknowledgement and stores nothing. Rounds of both alternate; 16 connections each send one message at a time.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server

from adapters.mllp import framed
from gateway.demo.setting import environment, free_port
from gateway.settings import Settings
from tests.bench.figures import PER_SECOND, Row, middle
from tests.bench.load import HOST
from tests.bench.scale import Scale
from tests.support.mllp import adt

CONNECTIONS = 16
ROUND_MAX = 5_000
READY_SECONDS = 20.0


def measure(settings: Settings, engine: str, scale: Scale) -> list[Row]:
    """Messages a second, of a feed about patients whose cases are not open here, as most are."""
    rates: dict[int, list[float]] = {}
    with _gateway(settings) as port, _floor() as floor:
        for each in (port, floor):
            _fire(each, scale.warm_up)
            rates[each] = []
        for _ in range(scale.rounds):
            for each, found in rates.items():
                number = min(ROUND_MAX, int(_fire(each, scale.warm_up) * scale.round_seconds) or scale.warm_up)
                found.append(_fire(each, number))
        return [Row("mllp_in", engine, middle(rates[port]), PER_SECOND, middle(rates[floor]))]


def _fire(port: int, number: int) -> float:
    """Send as many new messages; returns how many a second were acknowledged AA."""
    messages = [framed(adt()) for _ in range(number)]

    async def converse(share: Sequence[bytes]) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        for one in share:
            writer.write(one)
            answer = await reader.readuntil(b"\x1c\r")
            assert b"\rMSA|AA|" in answer, answer
        writer.close()
        await writer.wait_closed()

    async def all_at_once() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(converse(messages[at::CONNECTIONS]) for at in range(CONNECTIONS)))
        return number / (time.perf_counter() - began)

    return asyncio.run(all_at_once())


@contextmanager
def _gateway(settings: Settings) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "gateway", "mllp", "serve", "--port", str(port)]
    more = {"GATEWAY_MLLP_PLAIN_CLIENT": "demo-hospital"}
    with _process(command, environment(settings) | more, port):
        yield port


@contextmanager
def _floor() -> Iterator[int]:
    port = free_port()
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "tests.bench.messages", str(port)]
    with _process(command, os.environ | {"PYTHONPATH": os.pathsep.join(paths)}, port):
        yield port


@contextmanager
def _process(command: Sequence[str], env: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_wait_ready(process, port))
        yield
    finally:
        process.terminate()
        process.wait(timeout=READY_SECONDS)


async def _wait_ready(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(0.02)  # the port is not open yet; asking faster does not open it sooner
            continue
        writer.close()
        return
    raise RuntimeError("the server did not open its port")


async def _serve(port: int) -> None:
    async def answer(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        try:
            while not writer.is_closing():
                message = await reader.readmessage()  # type: ignore[no-untyped-call]  # python-hl7 has no types
                writer.writemessage(message.create_ack())  # type: ignore[no-untyped-call]  # as above
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()

    async with await start_hl7_server(answer, port=port, host=HOST) as server:  # type: ignore[no-untyped-call]  # as above
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
