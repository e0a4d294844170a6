"""The command an auditor runs: its exit codes and its words."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from audit.__main__ import main
from audit.log import empty_head
from audit.note import Signer
from tests.audit.worked import ORIGIN, entry, grown, packed, small_log


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


def test_what_cannot_be_read_exits_2(pack_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(pack_file.parent / "none")]) == 2
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
