"""Bad agreements and signatures at the command line: each refused with file, line and reason, and nothing is kept."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway import initialise
from gateway.agreement import shipped
from gateway.cli import app

TEXT = shipped().text.decode()
POLICE, HOSPITAL, *_ = (party.id for party in shipped().content.parties)
BOMB = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(initialise, "RSA_BITS", 2048)  # the least that is taken; larger ones take a second to make
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["agreement", *words])


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("review_by:", "reviewed_by:", "reviewed_by: an unknown key"),
        ("review_by:", "version: 1\nreview_by:", "version: said twice"),
        ("review_by:", "a0: &a0 boom\n" + BOMB + "review_by:", "anchors and aliases are refused"),
        ("    release: [engagement.wishes]", "    release: [engagement.hopes]", "not an item of the catalogue"),
        ("      - suspect.description\n", "      - suspect.shoe_size\n", "not an item of the catalogue"),
        ("    flow: F2\n", "    flow: F7\n", "no such flow"),
        ('  until: "2029-01-01T00:00:00+00:00"', '  until: "soon"', "in_force.until: "),
        ("governance:\n", "governance: [\n", "not YAML"),
    ],
)
def test_an_unreadable_agreement_is_refused_with_file_line_and_reason(
    folder: Path, old: str, new: str, said: str
) -> None:
    faulty = TEXT.replace(old, new, 1)
    (folder / "faulty.yaml").write_text(faulty)
    for words in (["check", "faulty.yaml"], ["sign", "faulty.yaml", "--party", POLICE, "--key", "police.pem"]):
        result = run(*words)
        assert result.exit_code == 1
        found = re.search(r"faulty\.yaml:(\d+): (.*)", result.stderr)
        assert found is not None, result.stderr
        assert said in found[2]
        assert 0 <= int(found[1]) - line_of(faulty, new) <= 12
    assert [path.name for path in folder.iterdir()] == ["faulty.yaml"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '  until: "2029-01-01T00:00:00+00:00"',
            '  until: "2025-06-01T00:00:00+00:00"',
            "error: in_force until: it ends before it begins (never-in-force)",
        ),
        ('review_by: "2026-12-31"', 'review_by: "2031-12-31"', "error: review_by: the review is due after"),
        (
            "      article_6: [6(1)(e)]",
            "      article_6: [6(1)(a)]",
            "error: flows F1: consent answers confidentiality",
        ),
    ],
)
def test_an_unwise_agreement_is_shown_its_lines_and_not_signed(folder: Path, old: str, new: str, said: str) -> None:
    faulty = TEXT.replace(old, new, 1)
    (folder / "faulty.yaml").write_text(faulty)
    line = f"faulty.yaml:{line_of(faulty, new)}: {said}"
    checked = run("check", "faulty.yaml")
    assert checked.exit_code == 1
    assert line in checked.output
    signed = run("sign", "faulty.yaml", "--party", POLICE, "--key", "police.pem", "--out", "police.sig")
    assert signed.exit_code == 1
    assert line in signed.stderr
    assert [path.name for path in folder.iterdir()] == ["faulty.yaml"]


def signature_of(folder: Path, text: str, name: str, party: str = POLICE) -> dict[str, str]:
    (folder / f"{name}.yaml").write_text(text)
    assert run("sign", f"{name}.yaml", "--party", party, "--key", f"{party}.pem", "--out", f"{name}.sig").exit_code == 0
    found: dict[str, str] = json.loads((folder / f"{name}.sig").read_text())
    return found


def test_a_wrong_signature_is_refused_with_its_file_and_the_reason(folder: Path) -> None:
    good = signature_of(folder, TEXT, "one")
    (folder / "forged.sig").write_text(json.dumps(good | {"signature": good["signature"][::-1].lstrip("=") + "=="}))
    CliRunner().invoke(app, ["init"])
    result = run("sign", "one.yaml", "--party", POLICE, "--signature", "forged.sig")
    assert result.exit_code == 1
    assert "forged.sig: " in result.stderr
    assert run("sign", "one.yaml", "--party", POLICE, "--signature", "one.sig").exit_code == 0


def test_a_signature_over_another_version_is_refused_with_its_file_and_the_reason(folder: Path) -> None:
    signature_of(folder, TEXT, "one")
    signature_of(folder, TEXT.replace("\nversion: 1\n", "\nversion: 2\n"), "two")
    CliRunner().invoke(app, ["init"])
    result = run("sign", "one.yaml", "--party", POLICE, "--signature", "two.sig")
    assert result.exit_code == 1
    assert re.search(r"two\.sig: .*not over this text", result.stderr), result.stderr
    result = run("sign", "one.yaml", "--party", HOSPITAL, "--signature", "one.sig")
    assert f"the signature is for {POLICE}, not for {HOSPITAL}" in result.stderr
