"""Witnesses for the gateway's tests: cosigned checkpoints, real witness servers, and what the operator's log says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit import sql as log_sql
from audit.checkpoint import Checkpoint
from audit.log import Head
from audit.note import Cosigner
from audit.witness import log_keys
from audit.witness_server import WitnessServer
from audit.witness_state import Witness
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG, Event
from gateway.witnesses import AddWitness
from tests.journeys.support import sealed
from tests.support.world import World

TRUST = Cosigner.from_seed("trust.example/w1", bytes(range(1, 33)))
FORCE = Cosigner.from_seed("force.example/w1", bytes(range(2, 34)))


def register(world: World, name: str, cosigner: Cosigner, url: str | None = None, log_id: str = LOG) -> None:
    """Have the operator register a witness."""
    unit = AddWitness(log_id, name, cosigner.verifier.text, url)
    world.services.journals.of(OPERATOR_LOG).submit_and_wait(unit)


def head(world: World, log_id: str = LOG) -> Head:
    """Where the log stands."""
    with world.services.database.reading() as connection:
        return log_sql.read_head(connection, log_id)


def signed(world: World, size: int, root: bytes) -> str:
    """A checkpoint that the log's own key signs, whatever it says."""
    signer = world.services.signer(LOG)
    return Checkpoint(signer.name, size, root).sign(signer)


def cosigned(note: str, *cosigners: Cosigner, at: float | None = None) -> str:
    """The note with cosignatures."""
    text = note.partition("\n\n")[0] + "\n"
    return note + "".join(one.cosign(text, int(at or time.time())) for one in cosigners)


def told(world: World) -> list[tuple[str, str, str]]:
    """Every alarm sealed: witness, condition, begins or ends."""
    found = [one for one in sealed(world, OPERATOR_LOG) if one.event == Event.WITNESS_ALARM]
    return [(str(one.detail["witness"]), str(one.reason), str(one.detail["alarm"])) for one in found if one.detail]


@contextmanager
def witness_server(world: World, directory: Path, cosigner: Cosigner) -> Iterator[tuple[WitnessServer, str]]:
    """A witness of the agreement's log on loopback, and its address."""
    witness = Witness(cosigner, log_keys([world.services.signer(LOG).verifier]), directory)
    with WitnessServer(("127.0.0.1", 0), witness) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
