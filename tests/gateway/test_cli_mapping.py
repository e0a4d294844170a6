"""The command line's group `mapping`: exit codes, JSON, and that files alone are needed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from adapters.socket import Limits, reader
from gateway import shapes
from gateway.cli.program import app
from gateway.demo.incidents import incident
from gateway.services import Services
from mappings.profile import profile

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "mappings" / "police" / "ihub.toml"
AGREEMENT = ROOT / "gateway" / "agreements" / "operation-provide.yaml"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data directory that is not there: a command that opened a database would say so."""
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "nowhere"))


def ran(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["mapping", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def sample(folder: Path) -> Path:
    path = folder / "sample.json"
    path.write_text(json.dumps(incident(1)))
    return path


def test_check_prints_the_hash_and_ends_with_0(tmp_path: Path) -> None:
    code, out = ran("check", SHIPPED)
    assert code == 0
    assert f"hash {profile('ihub').hash}" in out
    assert not (tmp_path / "nowhere").exists()


def test_check_says_each_fault_as_an_editor_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "ihub.toml"
    path.write_text(SHIPPED.read_text().replace('to = "outcome"', 'to = "outcom"'))
    code, out = ran("check", path)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if '"outcom"' in text)
    assert code == 1
    assert out.startswith(f"{path}:{line}: error: shapes.incident.rows[")
    code, out = ran("check", path, "--json")
    told = json.loads(out)
    assert (code, told["loads"], told["remarks"][0]["line"]) == (1, False, line)


def test_try_shows_the_record_and_what_each_recipient_gets(tmp_path: Path) -> None:
    code, out = ran("try", "ihub", sample(tmp_path), "--agreement", AGREEMENT, "--as", "04")
    assert code == 0
    assert "for victim-1:" in out
    assert "PERMITTED" in out
    code, out = ran("try", "ihub", sample(tmp_path), "--agreement", AGREEMENT, "--as", "04", "--hide", "--json")
    told = json.loads(out)
    assert {one["recipient"] for one in told["recipients"]} >= {"idva-team"}
    assert all("value" not in one for one in told["record"])


def test_try_ends_with_1_where_a_document_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "sample.json"
    path.write_text("{}")
    code, out = ran("try", "ihub", path)
    assert code == 1
    assert "data: a value is required here" in out


def test_draft_writes_a_profile_that_checks(tmp_path: Path) -> None:
    code, out = ran("draft", sample(tmp_path), "--name", "mine")
    assert code == 0
    path = tmp_path / "mine.toml"
    path.write_text(out)
    assert ran("check", path)[0] == 0
    assert ran("try", path, sample(tmp_path))[0] == 0


def test_draft_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(b"PK")
    assert ran("draft", path)[0] == 1


def test_diff_ends_with_1_where_what_an_adviser_depends_on_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "ihub.toml"
    path.write_text(SHIPPED.read_text())
    assert ran("diff", "ihub", path, "--over", sample(tmp_path), sample(tmp_path))[0] == 0
    path.write_text(SHIPPED.read_text().replace('"attributes.riskGrade"', '"attributes.riskLevel"'))
    code, out = ran("diff", "ihub", path, "--over", sample(tmp_path))
    assert code == 1
    assert "lost    risk.grade: 1" in out
    assert json.loads(ran("diff", "ihub", path, "--over", sample(tmp_path), "--json")[1])["harm"] == ["risk.grade"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "nothere.toml"),
        ("try", "nobody", "nothere.json"),
        ("try", "ihub", "nothere.json"),
        ("draft", "nothere.json"),
        ("diff", "ihub", "ihub", "--over", "nothere.json"),
    ],
)
def test_a_file_that_is_not_there_is_a_refusal(arguments: tuple[str, ...]) -> None:
    assert ran(*arguments)[0] == 1


def test_diff_without_samples_is_wrong_use() -> None:
    assert ran("diff", "ihub", "ihub")[0] == 2


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_drift_lists_what_has_changed(services: Services, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    by = profile("ihub")
    for document in (incident(1), incident(1) | {"shift": "late"}):
        read = reader("police.json").read(orjson.dumps(document), by, Limits())
        for _ in range(shapes.KNOWN_AFTER):
            services.drift.saw("demo-rms", by, read)
        services.drift.flush(services.journals)
    for name, value in (("DATA_DIR", services.settings.data_dir), ("DATABASE_URL", database_url)):
        monkeypatch.setenv(f"GATEWAY_{name}", str(value))
    code, out = ran("drift")
    assert code == 0
    assert out.rstrip().endswith("demo-rms\tihub\tnew-element\tshift")
    (found,) = json.loads(ran("drift", "--json")[1])["drift"]
    assert (found["path"], found["code"]) == ("shift", None)
    assert found["at"][:10] == datetime.now(UTC).date().isoformat()
