"""Watching a log: it grows and is cosigned, it forks or shrinks and is refused, it is silent and is asked again."""

from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint
from audit.errors import WitnessFault
from audit.note import Signer
from audit.witness import log_keys
from audit.witness_client import GatewayRefuses, GatewayUnreachable
from audit.witness_state import Witness
from audit.witness_watch import ATTEMPTS, Disagreement, watch_once
from tests.audit.witnessed import AT, LOG, WITNESS, MemoryGateway, checkpoint, forked, numbered, submission


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(WITNESS, log_keys([LOG.verifier]), tmp_path / "state", lambda: AT)


def watched(witness: Witness, gateway: MemoryGateway) -> int:
    return watch_once(witness, LOG.verifier, gateway, lambda _: None).checkpoint.size


def test_a_growing_log_is_cosigned_and_the_line_handed_in(witness: Witness) -> None:
    gateway = MemoryGateway(numbered(0))
    for size in (0, 3, 3, 20):
        gateway.entries = numbered(size)
        assert watched(witness, gateway) == size
        seen = witness.seen(LOG.name)
        assert seen is not None
        assert gateway.handed_in[-1] == seen[1]


@pytest.mark.parametrize("size", [5, 6, 11])
def test_a_fork_is_refused_kept_as_evidence_and_told(witness: Witness, size: int) -> None:
    gateway = MemoryGateway(numbered(5))
    watched(witness, gateway)
    gateway.entries = forked(size, 4)
    before = witness.seen(LOG.name)
    assert before is not None
    with pytest.raises(Disagreement, match="two histories") as found:
        watched(witness, gateway)
    assert witness.seen(LOG.name) == before
    assert (found.value.evidence / "seen").read_text(encoding="utf-8") == before[1]
    offered = (found.value.evidence / "offered").read_text(encoding="utf-8")
    assert Checkpoint.open(offered, LOG.verifier).size == size
    assert gateway.handed_in == [before[1], before[1]], "the gateway hears what the witness holds against it"


def test_a_log_that_was_put_back_is_refused(witness: Witness) -> None:
    gateway = MemoryGateway(numbered(8))
    watched(witness, gateway)
    gateway.entries = numbered(6)
    with pytest.raises(Disagreement, match="shrunk: 8 entries were cosigned, and it now shows 6") as found:
        watched(witness, gateway)
    assert {path.name for path in found.value.evidence.iterdir()} == {"seen", "offered"}
    gateway.entries = [*numbered(6), b"what came", b"after", b"the copy"]
    with pytest.raises(Disagreement, match="two histories"):
        watched(witness, gateway)


def test_a_log_that_does_not_answer_is_asked_again(witness: Witness) -> None:
    gateway = MemoryGateway(numbered(3), faults=[GatewayUnreachable("off")] * (ATTEMPTS - 1))
    waits: list[float] = []
    assert watch_once(witness, LOG.verifier, gateway, waits.append).checkpoint.size == 3
    assert len(waits) == ATTEMPTS - 1
    assert waits == sorted(waits), "each pause is longer than the one before"
    gateway.faults = [GatewayUnreachable("off")] * ATTEMPTS
    with pytest.raises(GatewayUnreachable):
        watched(witness, gateway)


def test_a_refusal_is_not_asked_again(witness: Witness) -> None:
    gateway = MemoryGateway(numbered(3), faults=[GatewayRefuses("the checkpoint", 403)])
    with pytest.raises(GatewayRefuses):
        watched(witness, gateway)
    assert gateway.handed_in == []


def test_a_checkpoint_of_another_key_is_not_the_log_s(witness: Witness) -> None:
    """Somebody between the two cannot make the witness accuse the log."""
    gateway = MemoryGateway(numbered(3))
    watched(witness, gateway)
    gateway.checkpoint = lambda: checkpoint(numbered(1), Signer.from_seed(LOG.name, bytes(32)))  # type: ignore[method-assign]
    with pytest.raises(WitnessFault, match="not one of this log"):
        watched(witness, gateway)
    assert not (witness.directory / "evidence").exists()


def test_another_process_of_the_same_witness_may_be_ahead(witness: Witness) -> None:
    gateway = MemoryGateway(numbered(5))
    watched(witness, gateway)

    def overtake() -> None:
        gateway.before = lambda: None
        witness.add(submission(5, numbered(7)))

    gateway.entries = numbered(9)
    gateway.before = overtake
    assert watched(witness, gateway) == 9


def test_a_state_that_keeps_moving_is_given_up(witness: Witness) -> None:
    gateway = MemoryGateway(numbered(1))
    watched(witness, gateway)

    def overtake() -> None:
        size = len(gateway.entries)
        gateway.entries = numbered(size + 1)
        witness.add(submission(size, gateway.entries))

    gateway.before = overtake
    with pytest.raises(WitnessFault, match="keeps moving"):
        watched(witness, gateway)
