"""The command an auditor runs: its exit codes and its words."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from audit.__main__ import main
from audit.log import empty_head
from audit.note import Cosigner, Signer
from audit.progress import Bar
from tests.audit.worked import ORIGIN, cosigned, entry, grown, packed, small_log

FORCE = Cosigner.from_seed("witness.example/force", bytes([1]) * 32)
TRUST = Cosigner.from_seed("witness.example/trust", bytes([2]) * 32)


@pytest.fixture
def pack_file(tmp_path: Path, signer: Signer) -> Path:
    file = tmp_path / "northshire.pack"
    file.write_bytes(packed(*small_log(7, signer), signer))
    return file


def test_a_whole_pack_exits_0_and_says_where_the_key_came_from(
    pack_file: Path, signer: Signer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(pack_file)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Verified: 7 entries and 2 texts of {ORIGIN}.")
    assert "The key came from the pack itself" in said
    assert f"--key '{signer.verifier.text}'" in said


def test_a_pinned_key_is_taken_as_text_or_from_a_file(
    pack_file: Path, signer: Signer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(signer.verifier.text + "\n")
    for key in (signer.verifier.text, str(key_file)):
        assert main(["verify", str(pack_file), "--key", key]) == 0
        assert "Checked with the key you gave" in capsys.readouterr().out


def test_an_altered_pack_exits_1_and_names_the_entry(pack_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack_file.write_bytes(pack_file.read_bytes().replace(b'"rec-4"', b'"rec-5"'))
    assert main(["verify", str(pack_file)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("REFUTED: 1 fault found in this pack.")
    assert f"entry 4 ({entry(4).id}) has been altered" in said


def test_the_report_as_json(pack_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(pack_file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is True
    pack_file.write_bytes(pack_file.read_bytes().replace(b'"rec-4"', b'"rec-5"'))
    assert main(["verify", str(pack_file), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["index"] == 4


def test_an_earlier_checkpoint(
    pack_file: Path, signer: Signer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = tmp_path / "checkpoint"
    earlier.write_text(small_log(7, signer)[1][0])
    assert main(["verify", str(pack_file), "--checkpoint", str(earlier)]) == 0
    assert "The earlier checkpoint of 3 entries is a part of this log." in capsys.readouterr().out
    fork = grown(empty_head(ORIGIN, signer), [entry(9).to_bytes()], signer)
    earlier.write_text(fork.checkpoint)
    assert main(["verify", str(pack_file), "--checkpoint", str(earlier)]) == 1


def test_witnesses_are_named_with_what_they_saw_and_when(
    tmp_path: Path, signer: Signer, capsys: pytest.CaptureFixture[str]
) -> None:
    leaves, checkpoints = small_log(7, signer)
    notes = [cosigned(note, FORCE, TRUST) for note in checkpoints]
    file = tmp_path / "seen.pack"
    file.write_bytes(packed(leaves, notes, signer, [FORCE.verifier, TRUST.verifier]))
    assert main(["verify", str(file), "--witness", FORCE.verifier.text]) == 0
    said = capsys.readouterr().out
    assert f"Witness {FORCE.name} cosigned 7 entries at 2026-03-01T10:13:20Z (2 cosignatures in all)." in said
    assert f"Witness {TRUST.name} cosigned 7 entries" in said
    assert f"its key came from the pack itself: --witness '{TRUST.verifier.text}'" in said
    keys = tmp_path / "witnesses"
    keys.write_text(f"{FORCE.verifier.text}\n{TRUST.verifier.text}\n")
    assert main(["verify", str(file), "--witness", str(keys), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["cosigned"]
    assert [(one["witness"], one["size"], one["key_pinned"]) for one in shown if one["size"] == 3] == [
        (FORCE.name, 3, True),
        (TRUST.name, 3, True),
    ]


def test_a_pinned_witness_that_saw_nothing_exits_1(pack_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(pack_file)]) == 0
    assert "No witness has cosigned" in capsys.readouterr().out
    assert main(["verify", str(pack_file), "--witness", FORCE.verifier.text]) == 1
    assert "which is pinned, has cosigned no checkpoint" in capsys.readouterr().out
    assert main(["verify", str(pack_file), "--witness", "no key"]) == 2


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_drawn_on_a_terminal_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    out = _Terminal()
    moments = iter((0.0, 0.05, 0.2, 0.25, 2.0))
    monkeypatch.setattr("audit.progress.time.monotonic", lambda: next(moments))
    bar = Bar(out)
    for done in (1, 1024, 2048, 4096):
        bar.show(done, 4096)
    bar.wipe()
    drawn = out.getvalue().split("\r")
    assert "25%  1,024 entries  5,120/s" in drawn[1]
    assert "100%  4,096 entries  2,048/s" in drawn[2]
    assert drawn[3] == "\x1b[K"
    assert len(drawn) == 4  # no more than ten times a second


def test_no_progress_is_drawn_where_nobody_looks_or_none_is_wanted(
    pack_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(pack_file)]) == 0
    assert capsys.readouterr().err == ""
    out = _Terminal()
    monkeypatch.setattr("audit.progress._EVERY_SECONDS", -1)
    monkeypatch.setattr("sys.stderr", out)
    assert main(["verify", str(pack_file), "--quiet"]) == 0
    assert out.getvalue() == ""
    assert main(["verify", str(pack_file)]) == 0
    assert "7 entries" in out.getvalue()


def test_what_cannot_be_read_exits_2(pack_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(pack_file.parent / "none")]) == 2
    assert capsys.readouterr().out == f"Not checked: {pack_file.parent / 'none'}: No such file or directory\n"
    assert main(["verify", str(pack_file), "--key", str(pack_file)]) == 2
    assert main(["receipt", str(pack_file), "--key", "none"]) == 2
    assert "Not checked" in capsys.readouterr().out
    with pytest.raises(SystemExit) as usage:
        main([])
    assert usage.value.code == 2


def test_a_receipt(tmp_path: Path, signer: Signer, capsys: pytest.CaptureFixture[str]) -> None:
    sealed = grown(empty_head(ORIGIN, signer), [entry(number).to_bytes() for number in range(5)], signer)
    file = tmp_path / "three.tlog-proof"
    file.write_text(sealed.receipt(3).to_text())
    assert main(["receipt", str(file), "--key", signer.verifier.text]) == 0
    assert f"entry 3 of {ORIGIN}" in capsys.readouterr().out
    file.write_text(sealed.receipt(3).to_text().replace("index 3", "index 2"))
    assert main(["receipt", str(file), "--key", signer.verifier.text]) == 1
    file.write_text("not a receipt")
    assert main(["receipt", str(file), "--key", signer.verifier.text]) == 2


def test_the_module_runs_alone_and_loads_no_database_or_web_framework(pack_file: Path) -> None:
    program = (
        "import sys; from audit.__main__ import main; code = main(sys.argv[1:]); print(*sys.modules); sys.exit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "verify", str(pack_file)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert not {"sqlalchemy", "fastapi", "gateway", "pydantic"} & set(ran.stdout.split())
