"""The walk: police push, a hospital's people and systems act, police read the answer, an auditor checks everything.

Everything is real but the people: a server process, HTTP, MLLP, signed tokens, a signed agreement, an encrypted
database, a Merkle log, and a verifier in a process of its own. Only PDS is a simulator. Each step says in words what
happened; `--json` says it in figures.

    police.py    push, read feedback, correct          team.py       an adviser acts, breaks the glass
    systems.py   delivery over MLLP, tracing at PDS    telling.py    the hospital tells police
    auditor.py   receipts, the pack, a byte altered
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from gateway.agreement import shipped
from gateway.demo import auditor, police, systems, team, telling
from gateway.demo.client import Client, key_of
from gateway.demo.engine import listening
from gateway.demo.pds_process import pds_running
from gateway.demo.setting import free_port, prepared, serving, settings_of
from gateway.demo.walk import ADVISER, AUDITOR, GUARDIAN, JSON_API, LOG, OFFICER, Cast, DemoFailed, Walk
from gateway.initialise import new_client_key
from gateway.settings import Settings

__all__ = ["ADVISER", "AUDITOR", "GUARDIAN", "JSON_API", "LOG", "OFFICER", "DemoFailed", "run"]

STEPS = (
    police.push,
    systems.deliver,
    team.act,
    police.read_feedback,
    systems.answer,
    police.correct,
    systems.trace,
    telling.notify,
    telling.inform,
    team.life_at_risk,
    systems.sealed_first,
    auditor.check,
)


def run(keep: Path | None, *, quiet: bool) -> dict[str, Any]:
    """Walk the road; returns what was found. Raises DemoFailed."""
    with tempfile.TemporaryDirectory(prefix="provide-demo-") as scratch:
        directory = keep or Path(scratch) / "data"
        walk = Walk(quiet, Path(scratch))
        with _stage(walk, directory) as (cast, settings):
            walk.say("Each system signs in with a JWT of its own (RS512) and is given a token for five minutes.")
            for step in STEPS:
                step(walk, cast)
        if keep is not None:
            url = settings.public_url
            walk.say(
                "The data is left for you. Serve it with:",
                f"GATEWAY_DATA_DIR={directory} GATEWAY_PUBLIC_URL={url} gateway serve --port {url.rpartition(':')[2]}",
                f"The clients' keys are in {directory / 'demo-clients'}. PDS and the engine ended with the walk.",
            )
        return walk.found


@contextmanager
def _stage(walk: Walk, directory: Path) -> Iterator[tuple[Cast, Settings]]:
    """Everything that runs while the walk is walked; stopped in the other order when it ends."""
    keys_dir, mllp_port = directory / "demo-clients", free_port()
    with ExitStack() as stack:
        signers = walk.work / "pds.jwks.json"
        key_file = walk.work / "pds.pem"
        signers.write_text(json.dumps(new_client_key(key_file)))
        pds = stack.enter_context(pds_running(signers, "503"))
        engine = stack.enter_context(listening(["AE"]))
        more = {"mllp_port": mllp_port, "mllp_plain_client": "demo-hospital"}
        settings = settings_of(directory, free_port(), **pds.settings(key_file), **more)
        prepared(settings, keys_dir, engine.address)
        walk.say(
            "A gateway is set up: keys, an encrypted SQLite database, four clients, a team's engine.",
            "The Operation Provide agreement is in force, signed by every party with its own key:",
            *(party.name for party in shipped().content.parties),
            "Without it nothing could pass.",
        )
        stack.enter_context(serving(settings))

        def client(name: str, user: dict[str, str]) -> Client:
            return stack.enter_context(Client(settings.public_url, name, key_of(keys_dir / f"{name}.pem"), user))

        yield (
            Cast(
                client("demo-rms", OFFICER),
                client("demo-hospital", ADVISER),
                client("demo-guardian", GUARDIAN),
                client("demo-auditor", AUDITOR),
                engine,
                pds,
                mllp_port,
            ),
            settings,
        )
