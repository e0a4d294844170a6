"""Published messages of real-shaped feeds over a real socket: every one is answered AA, AE or AR, and none with less.

The files are not part of the product; where they are not beside it, the test says so.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path

from gateway.messaging.serving import listener_of, tls_of
from tests.support.mllp import HOST, Sender, codes
from tests.support.shared import shared_data
from tests.support.world import World

CONNECTIONS = 16
_PROCESSING = re.compile(rb"(?m)(^MSH\|(?:[^|\r\n]*\|){9})[A-Z]")
_FRAME = bytes.maketrans(b"\x0b\x1c", b"  ")


def test_every_published_message_is_answered_with_a_code_and_a_reason(demo: World) -> None:
    """A development gateway refuses production messages, which some are: each of those goes as a trial as well."""
    folder = shared_data("hl7v2")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    contents = [content for path in files for content in _sendable(path)]
    settings = demo.services.settings.model_copy(update={"mllp_plain_client": "demo-hospital"})
    object.__setattr__(demo.services, "settings", settings)
    said: Counter[str] = Counter()

    async def converse(port: int, messages: list[bytes]) -> None:
        sender = await Sender.connect(port)
        for one in messages:
            answer = await sender.ask(one)
            [code] = codes([answer])
            said[code] += 1
            assert code in {"AA", "AE", "AR", "CA", "CE", "CR"}
            assert code in {"AA", "CA"} or b"\rERR|" in answer
        await sender.close()

    async def work() -> None:
        listener = listener_of(demo.services, tls_of(settings, HOST))
        port = await listener.open(HOST, 0)
        async with asyncio.timeout(240):
            await asyncio.gather(*(converse(port, contents[at::CONNECTIONS]) for at in range(CONNECTIONS)))
        await listener.stop()

    demo.run(work())
    print(dict(said))
    assert said.total() == len(contents)
    assert said["AA"] + said["CA"] > len(contents) / 4, "a third of the feeds is of types that are taken"


def _sendable(path: Path) -> list[bytes]:
    """A file as it is, where it holds more than one message each of them, and each once more as a trial."""
    whole = path.read_bytes().translate(_FRAME)
    parts = [b"MSH|" + part for part in re.split(rb"(?m)^MSH\|", whole)[1:]] or [whole]
    trials = [_PROCESSING.sub(rb"\1T", part) for part in parts]
    return [*parts, *(trial for trial, part in zip(trials, parts, strict=True) if trial != part)]
