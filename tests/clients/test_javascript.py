"""fhir-kit-client (npm), run by node: a client that shares no line with any Python one."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Stage

CLIENT = "fhir-kit-client@2.0.3"
SCRIPT = Path(__file__).with_name("fhir_kit.mjs")
INSTALL_SECONDS = 60  # it has five small dependencies; a registry that takes longer does not answer


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of its own with the client and the script; skips where there is no node, or no registry."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("javascript")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), CLIENT]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip("the registry of npm does not answer")
    if done.returncode:
        pytest.skip("the client cannot be installed from the registry of npm")
    return Path(shutil.copy(SCRIPT, folder))


def test_a_javascript_client_does_all_that_the_others_do(installed: Path, stage: Stage) -> None:
    command = ["node", str(installed), stage.base_url, stage.token(), stage.tasks[2]]
    done = subprocess.run(command, cwd=installed.parent, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["version"] == "4.0.1"
    assert "tokenUrl" in found["smart"]
    assert sorted(id_ for page in found["pages"] for id_ in page) == sorted(stage.tasks)
    assert [len(page) for page in found["pages"]] == [2, 2, 1]
    assert (found["patient"], found["named"]) == ("Patient", True)
    assert found["included"] == ["Task", "Patient"]
    assert (found["status"], found["refused"], found["patched"]) == ("accepted", 412, "in-progress")
    assert found["missing"] == [404, "OperationOutcome"]
