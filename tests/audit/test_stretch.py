"""Looking ahead changes how long a verification takes, and nothing that it says."""

import io
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from audit import judges, pack
from audit.checkpoint import Checkpoint
from audit.lines import LONGEST_LINE, Lines
from audit.log import empty_head
from audit.note import Signer
from audit.report import Report
from audit.stretch import SPAN, judge
from audit.tree import append, root
from audit.verify import verify
from tests.audit.worked import ORIGIN, TEXTS, Leaf, entry, grown, packed

SIZE = 2 * SPAN + 300


@cache
def _whole() -> bytes:
    """A log of two stretches and a part of one, with checkpoints within and between them."""
    signer = Signer.from_seed(ORIGIN, bytes(range(32)))
    head, checkpoints, leaves = empty_head(ORIGIN, signer), [], []
    for stop in (700, SPAN, SPAN + 1, 2 * SPAN, SIZE):
        bodies = [entry(number).to_bytes() for number in range(head.size, stop)]
        sealed = grown(head, bodies, signer)
        head = sealed.head
        checkpoints.append(sealed.checkpoint)
        leaves += [Leaf(body, leaf) for _, body, leaf in sealed.leaves]
    return packed(leaves, checkpoints, signer)


def _line_by_line(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> Report:
    with monkeypatch.context() as patch:
        patch.setattr(Lines, "stretch", lambda _: None)
        return verify(io.BytesIO(raw))


def test_a_whole_pack_is_judged_by_stretches_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.replay.Replay._entry", None)  # the reading of one line: not needed here
    report = verify(io.BytesIO(_whole()))
    assert report.verified
    assert report.size == SIZE


def test_a_pack_altered_anywhere_gives_the_same_report_as_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes changed, put in, taken out; lines taken out, repeated, swapped; in one place or several."""
    seed = 20260301
    print("seed", seed)
    chance = random.Random(seed)
    for number in range(24):
        raw = _altered(_whole(), chance, number % 3 + 1)
        found = verify(io.BytesIO(raw))
        assert not found.verified, number
        assert found == _line_by_line(raw, monkeypatch), number


def _altered(raw: bytes, chance: random.Random, times: int) -> bytes:
    for _ in range(times):
        at = chance.randrange(len(raw))
        start = raw.rfind(b"\n", 0, at) + 1
        end = raw.find(b"\n", at) + 1
        line = raw[start:end]
        raw = chance.choice(
            [
                raw[:at] + bytes([raw[at] ^ (1 << chance.randrange(8))]) + raw[at + 1 :],
                raw[:at] + b"\n" + raw[at:],
                raw[:at] + raw[at + 1 :],
                raw[:start] + raw[end:],
                raw[:end] + line + raw[end:],
                raw[:start] + raw[end : end + 4000] + line + raw[end + 4000 :],
                raw[:start] + raw[min(len(raw), start + 1_500_000) :],
                raw[:at],
            ]
        )
    return raw


@pytest.mark.parametrize("index", [0, 1, SPAN - 1, SPAN, 2 * SPAN - 1, 2 * SPAN, SIZE - 1])
def test_an_entry_at_the_edge_of_a_stretch_is_named(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _whole().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith(b"entry %d " % index))
    for new in (b"", lines[at].replace(b'"idva"', b'"idvb"')):
        raw = b"".join([*lines[:at], new, *lines[at + 1 :]])
        report = verify(io.BytesIO(raw))
        assert [one.index for one in report.findings if one.index is not None] == [index]
        assert report == _line_by_line(raw, monkeypatch)


def test_a_time_that_runs_backwards_between_stretches_is_a_warning(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [entry(0)._replace(time=f"2026-03-01T10:00:00.{n:03}Z").to_bytes() for n in (1, 5)]
    sealed = grown(empty_head(ORIGIN, signer), [bodies[n >= SPAN - 1] for n in range(SPAN)] + bodies[:1], signer)
    raw = packed([Leaf(body, leaf) for _, body, leaf in sealed.leaves], [sealed.checkpoint], signer)
    report = verify(io.BytesIO(raw))
    assert report.verified
    assert [(one.index, one.warning) for one in report.findings] == [(SPAN, True)]
    assert report == _line_by_line(raw, monkeypatch)


def test_other_processes_find_what_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "_WORTH_IT", 0)
    chance = random.Random(5)
    for raw in (_whole(), *(_altered(_whole(), chance, 2) for _ in range(2))):
        assert verify(io.BytesIO(raw), jobs=2) == verify(io.BytesIO(raw))


def test_a_log_too_short_to_be_worth_it_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "ProcessPoolExecutor", None)
    assert verify(io.BytesIO(_whole()), jobs=8).verified


def test_progress_is_told_up_to_the_end() -> None:
    told: list[tuple[int, int | None]] = []
    verify(io.BytesIO(_whole()), progress=lambda done, of: told.append((done, of)))
    assert told == sorted(told)
    assert told[0] == (0, SIZE)
    assert told[-1] == (SIZE, SIZE)


def test_lines_are_the_same_however_the_pack_is_cut() -> None:
    chance = random.Random(7)
    raw = b"".join(
        chance.choice([b"entry %d x\n" % (n * SPAN), b"\n", b"y" * chance.choice([5, LONGEST_LINE, 200_000])])
        for n in range(60)
    )
    whole, cut = Lines(io.BytesIO(raw)), Lines(io.BytesIO(raw))
    with judges.judges(1, 0) as crew:
        cut.divide(60 * SPAN, (), crew)
        while line := whole.next():
            assert cut.next() == line
            assert len(line) <= LONGEST_LINE
            assert (cut.number, cut.next()) == (whole.number, whole.next())
            if chance.random() < 0.2:
                continue
            for one in (whole, cut):
                line = one.next()
                one.hand_back(line)
    assert cut.next() == b""


def test_a_stretch_without_its_last_newline_is_not_flawless() -> None:
    start = _whole().index(b"entry 0 ")
    one = _whole()[start : _whole().index(b"entry 1 ")]
    assert judge(one, 0, ()) is not None
    assert judge(one[:-1], 0, ()) is None
    assert judge(b"", 0, ()) is None


class _MadeAsRead:
    """A pack that is made while it is read, so that only the verifier's own memory counts."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        given, self._rest = self._rest[:size], self._rest[size:]
        return given


def _made(size: int, signer: Signer) -> Iterator[bytes]:
    """The pack of a log of one entry sealed again and again; its leaves are made as they are asked for."""
    body = entry(0).to_bytes()
    sealed = grown(empty_head(ORIGIN, signer), [body], signer)
    leaf = Leaf(body, sealed.leaves[0][2])
    compact: list[bytes] = []
    for number in range(size):
        append(compact, number, leaf.leaf_hash)
    checkpoint = Checkpoint(ORIGIN, size, root(compact)).sign(signer)
    return pack.pieces(signer.verifier, [checkpoint], (leaf for _ in range(size)), TEXTS.get)


def _peak(size: int, signer: Signer) -> int:
    tracemalloc.start()
    try:
        assert verify(_MadeAsRead(_made(size, signer))).verified
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_log(signer: Signer) -> None:
    """Writing and verifying together: eight thousand entries, some 10 MB, take no more than three thousand."""
    few, many = _peak(3 * SPAN, signer), _peak(8 * SPAN, signer)
    assert many < few + 500_000, (few, many)
    assert many < 16_000_000


def test_a_pack_is_written_as_it_is_read(signer: Signer) -> None:
    """Nothing is asked of storage before the piece before it has been taken."""
    asked = 0
    body = entry(0).to_bytes()
    leaf = Leaf(body, grown(empty_head(ORIGIN, signer), [body], signer).leaves[0][2])

    def leaves() -> Iterator[Leaf]:
        nonlocal asked
        while True:
            asked += 1
            yield leaf

    checkpoint = Checkpoint(ORIGIN, 1 << 40, bytes(32)).sign(signer)
    pieces = pack.pieces(signer.verifier, [checkpoint], leaves(), TEXTS.get)
    next(pieces)
    assert asked == 0
    for number in range(1, 6):
        piece = next(pieces)
        assert 262_144 <= len(piece) < 262_144 + 70_000
        assert asked * len(body) < number * (len(piece) + 1000)


def test_a_killed_process_is_not_taken_for_a_refutation(tmp_path: Path) -> None:
    """`python -m audit` ends with 2, not checked, when a process that looks ahead is killed."""
    file = tmp_path / "whole.pack"
    file.write_bytes(_whole())
    program = """\
import os, sys, audit.judges
from audit.__main__ import main
def killed(*_):
    os._exit(9)
if __name__ == "__main__":
    audit.judges._WORTH_IT, audit.judges.judge = 0, killed
    sys.exit(main(sys.argv[1:]))
"""
    script = tmp_path / "program.py"
    script.write_text(program)
    ran = subprocess.run(
        [sys.executable, str(script), "verify", str(file), "--jobs", "2"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(pack.__file__).parents[1])},
    )
    assert ran.returncode == 2, ran.stderr
    assert "Not checked" in ran.stdout
