"""The room runs where there is nothing of ours but itself: an auditor needs a Python and two libraries."""

import ast
import json
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

import audit
from audit.log import empty_head
from audit.note import Signer
from tests.audit.worked import ORIGIN, entry, grown, packed, small_log

ROOM = Path(audit.__file__).parent
DATABASE = {"bulk.py", "facets.py", "search.py", "sql"}
"""The keeping of the log, which the gateway uses and an auditor does not: it may import the database library."""
RUN = "import sys; sys.path[:0] = [sys.argv.pop(1)]; import runpy; runpy.run_module('audit', run_name='__main__')"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the room and the files of `cryptography`, what that needs, and `orjson`."""
    place = tmp_path_factory.mktemp("alone")
    shutil.copytree(ROOM, place / "audit", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cryptography", "cffi", "pycparser", "orjson"):
        library = distribution(name)
        for top in {file.parts[0] for file in library.files or []} - {"..", "__pycache__"}:
            (place / top).symlink_to(Path(str(library.locate_file(top))))
    return place


def _run(alone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", RUN, str(alone), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=alone,
    )


def test_a_pack_and_a_receipt_are_verified_by_the_room_alone(alone: Path, tmp_path: Path, signer: Signer) -> None:
    pack = tmp_path / "evidence.pack"
    pack.write_bytes(packed(*small_log(7, signer), signer))
    ran = _run(alone, "verify", str(pack), "--key", signer.verifier.text, "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["verified"] is True
    pack.write_bytes(pack.read_bytes().replace(b'"rec-4"', b'"rec-5"'))
    ran = _run(alone, "verify", str(pack), "--key", signer.verifier.text)
    assert ran.returncode == 1
    assert "entry 4" in ran.stdout
    sealed = grown(empty_head(ORIGIN, signer), [entry(0).to_bytes()], signer)
    proof = tmp_path / "one.tlog-proof"
    proof.write_text(sealed.receipt(0).to_text())
    ran = _run(alone, "receipt", str(proof), "--key", signer.verifier.text)
    assert ran.returncode == 0, ran.stderr


def test_processes_of_its_own_are_started_from_the_room_alone(alone: Path, tmp_path: Path, signer: Signer) -> None:
    """As a long log has it; here every log is one."""
    bodies = [entry(number).to_bytes() for number in range(1500)]
    sealed = grown(empty_head(ORIGIN, signer), bodies, signer)
    pack = tmp_path / "evidence.pack"
    leaves = [type("Leaf", (), {"body": body, "leaf_hash": leaf})() for _, body, leaf in sealed.leaves]
    pack.write_bytes(packed(leaves, [sealed.checkpoint], signer))
    program = tmp_path / "program.py"
    program.write_text(
        f"import sys; sys.path[:0] = [{str(alone)!r}]\n"
        "import audit.judges; from audit.__main__ import main\n"
        "if __name__ == '__main__':\n"
        "    audit.judges._WORTH_IT = 0\n"
        "    sys.exit(main(sys.argv[1:]))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(program), "verify", str(pack), "--jobs", "2", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Verified: 1500 entries" in ran.stdout


def test_the_program_loads_no_other_library(alone: Path) -> None:
    shown = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import audit.__main__; "
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", shown, str(alone)], capture_output=True, text=True, check=True
    )
    foreign = set(ran.stdout.split()) - sys.stdlib_module_names - {"__main__", "__mp_main__", "audit"}
    assert foreign <= {"cryptography", "_cffi_backend", "_openssl", "orjson"}  # the two others are parts of the first


def test_no_module_of_the_room_but_the_keeping_of_the_log_imports_another_library() -> None:
    for file in ROOM.rglob("*.py"):
        found = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(file.read_text()))
            for name in (
                [one.name for one in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        allowed = {"audit", "cryptography", "orjson"} | (
            {"sqlalchemy"} if file.relative_to(ROOM).parts[0] in DATABASE else set()
        )
        assert found <= sys.stdlib_module_names | allowed, file.relative_to(ROOM)
