"""Watching a gateway's log: fetch its checkpoint, check that it continues what was seen, cosign, hand the line in.

One round is `watch_once`. Where the log shows another history than before, the round keeps both checkpoints as
evidence, tells the gateway by handing in what was cosigned earlier, and raises: nothing is cosigned any more.
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, TypeVar

from audit.checkpoint import Checkpoint
from audit.errors import AuditError, Inconsistent, NoteMalformed, SignatureInvalid, SizeMoved, WitnessFault
from audit.note import Verifier
from audit.witness import Cosigned, Submission
from audit.witness_client import GatewayUnreachable
from audit.witness_state import Witness

T = TypeVar("T")

ATTEMPTS: Final = 5
_FIRST_WAIT_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 30.0


class Log(Protocol):
    """What is asked of the gateway; `audit.witness_client.GatewayClient` is the real one."""

    def checkpoint(self) -> str:
        """The log's last signed checkpoint."""
        ...

    def consistency(self, first: int, second: int) -> tuple[bytes, ...]:
        """The proof from one size to another."""
        ...

    def hand_in(self, note: str) -> None:
        """Give the gateway a cosigned checkpoint."""
        ...


class Disagreement(AuditError):
    """The log shows another history than this witness has seen. `evidence` is where both checkpoints are kept."""

    def __init__(self, words: str, evidence: Path) -> None:
        super().__init__(words)
        self.evidence = evidence


def watch_once(witness: Witness, verifier: Verifier, log: Log, pause: Callable[[float], None] = time.sleep) -> Cosigned:
    """One round: returns what was cosigned and handed in.

    Raises Disagreement; WitnessFault where the gateway cannot be asked or answers nonsense, or the state cannot be
    read. Transport errors are tried again, with growing pauses.
    """
    for _ in range(ATTEMPTS):
        try:
            granted = _cosign(witness, verifier, log, pause)
        except SizeMoved:
            continue  # another process of this witness cosigned meanwhile
        patiently(lambda: log.hand_in(granted.note), pause)  # noqa: B023 - called before the next round binds another
        return granted
    raise WitnessFault("another process of this witness keeps moving its state")


def patiently(ask: Callable[[], T], pause: Callable[[float], None] = time.sleep) -> T:
    """Ask until it is answered, at most `ATTEMPTS` times. Raises GatewayUnreachable."""
    wait = _FIRST_WAIT_SECONDS
    for _ in range(ATTEMPTS - 1):
        with suppress(GatewayUnreachable):
            return ask()
        pause(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads witnesses that were cut off together
        wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
    return ask()


def _cosign(witness: Witness, verifier: Verifier, log: Log, pause: Callable[[float], None]) -> Cosigned:
    # What was seen is read before the log is asked, so that an honest log can only answer with as much or more.
    seen = witness.seen(verifier.name)
    note = patiently(log.checkpoint, pause)
    try:
        offered = Checkpoint.open(note, verifier)
    except (NoteMalformed, SignatureInvalid) as fault:
        raise WitnessFault(f"the gateway's checkpoint is not one of this log: {fault}") from None
    old_size = seen[0].size if seen else 0
    if offered.size < old_size:
        words = f"the log has shrunk: {old_size} entries were cosigned, and it now shows {offered.size}"
        raise _disagreement(words, witness, verifier, log, note)
    proof: tuple[bytes, ...] = ()
    if 0 < old_size < offered.size:
        proof = patiently(lambda: log.consistency(old_size, offered.size), pause)
    try:
        return witness.add(Submission(old_size, proof, note))
    except Inconsistent as fault:
        raise _disagreement(f"the log shows two histories: {fault}", witness, verifier, log, note) from None


def _disagreement(words: str, witness: Witness, verifier: Verifier, log: Log, offered: str) -> Disagreement:
    """Keep the evidence, and let the gateway's operator know from the log's own signature over the other history."""
    kept = witness.accuse(verifier.name, offered)
    seen = witness.seen(verifier.name)
    if seen is not None:
        with suppress(WitnessFault):  # the gateway is expected to refuse; whether it hears of it changes nothing here
            log.hand_in(seen[1])
    return Disagreement(words, kept)
