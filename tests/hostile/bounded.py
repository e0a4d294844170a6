"""What the heaviest inputs cost: run as a process of its own, because what a parser in C takes is seen only there.

`python -m tests.hostile.bounded FOLDER` opens the prepared world in the folder and prints, for each input, the answer's
status, how far the process grew while it was answered, and how many calls its reader made.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from adapters.socket import Limits, Unreadable, reader
from gateway.demo.client import Client
from mappings.profile import profile
from tests.hostile import archives, inputs, json_inputs, table_inputs, xml_inputs
from tests.hostile.formats import CP1252, FORMATS, INCIDENTS, PIPE
from tests.hostile.inputs import Input
from tests.journeys.support import add_client, like
from tests.support.world import open_world, settings_for

HEAVY_BYTES = 40_000
CPU_SECONDS = 240  # no test of time: it ends a process that would not end
ADDRESS_SPACE = 4 * 1024**3  # bytes: likewise, before a bomb takes the machine


def heavy() -> Iterator[Input]:
    """What is large, or becomes large: all but what is refused by its length alone, and each table in one spelling."""
    families = (inputs.fields(), json_inputs.json(), xml_inputs.xml(), table_inputs.tables(), archives.archives())
    for one in (one for family in families for one in family):
        if one.format in {PIPE, CP1252} or one.attack in _BY_LENGTH:
            continue
        if "bomb" in one.attack or len(one.body(1)) > HEAVY_BYTES:
            yield one


_BY_LENGTH = frozenset({"a text of 20 MB", "1,000,000 attributes"})


def calls(one: Input, body: bytes) -> int:
    """How many calls reading makes, of Python and of C."""
    count = 0

    def counting(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counting)
    try:
        reader(profile(one.format.profile).adapter).read(body, profile(one.format.profile), Limits())
    except Unreadable:
        pass
    finally:
        sys.setprofile(None)
    return count


def grown(client: Client, one: Input, body: bytes) -> tuple[int, int]:
    """The answer's status, and by how many KiB the process was larger at most than before."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _kib("VmRSS")
    answer = client.post(INCIDENTS, content=body, headers={"Content-Type": one.format.media})
    return answer.status_code, _kib("VmHWM") - before


def _kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def main() -> None:
    """Print a line of JSON for each input."""
    folder = Path(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    world = open_world(settings_for(folder, revocation_refresh_seconds=1e-6))
    try:
        clients = {
            one.profile: add_client(world, one.profile, **like("demo-rms", profiles=[one.profile])) for one in FORMATS
        }
        for serial, format_ in enumerate(FORMATS):  # what is loaded once is no cost of an input
            clients[format_.profile].post(
                INCIDENTS, content=format_.good(serial), headers={"Content-Type": format_.media}
            )
        for serial, one in enumerate(heavy(), start=100):
            body = one.body(serial)
            status, kib = grown(clients[one.format.profile], one, body)
            said = {"name": one.name, "status": status, "expected": one.status, "bytes": len(body), "kib": kib}
            print(json.dumps(said | {"calls": calls(one, body)}))
    finally:
        world.close()


if __name__ == "__main__":
    main()
