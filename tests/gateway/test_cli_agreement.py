"""The life of an agreement on the command line, and what puts it into words: each said, sealed, and ended by a code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway import initialise
from gateway.agreement import parse, shipped
from gateway.cli.support import REFUSED
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from tests.gateway.test_cli import MISUSED, Shell
from tests.support.agreements import clause, edited
from tests.support.athena import investigation
from tests.support.world import URL


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", URL)
    monkeypatch.setattr(initialise, "RSA_BITS", 2048)
    return Shell(tmp_path)


def second(shell: Shell) -> Path:
    """The file of a next version, which lets one item less out."""

    def change(content: dict[str, Any]) -> None:
        content["version"] = 2
        clause(content, "F1-referral")["release"].remove("victim.ethnicity")

    path = shell.folder / "second.yaml"
    path.write_bytes(edited(change).text)
    return path


def sign(shell: Shell, file: Path) -> None:
    for party in shipped().content.parties:
        shell("agreement", "sign", str(file), "--party", party.id, "--key", str(shell.folder / f"{party.id}.pem"))


def test_an_agreement_is_drafted_amended_and_superseded(shell: Shell) -> None:
    shell("init")
    assert "is not known here" in shell("agreement", "amend", str(shell.file), ends=REFUSED).stderr
    drafted = shell("agreement", "draft", str(shell.file))
    assert shipped().hash in drafted.output
    assert "standing  draft" in shell("agreement", "show", LOG).output
    assert f"{LOG}\tnot in force" in shell("agreement", "list").output
    sign(shell, shell.file)
    shell("agreement", "activate", LOG)
    assert "is known here: amend it" in shell("agreement", "draft", str(second(shell)), ends=REFUSED).stderr
    amended = shell("agreement", "amend", str(second(shell)))
    assert "less   F1-referral, to idva-team: self-defined ethnicity" in amended.output.replace("victim: ", "")
    assert "is known" in shell("agreement", "amend", str(second(shell)), ends=REFUSED).stderr
    sign(shell, second(shell))
    # What stops an agreement stops the one in force, though a newer draft lies beside it.
    assert "version 1 is suspended" in shell("agreement", "suspend", LOG).output
    assert "version 1 is in-force" in shell("agreement", "resume", LOG).output
    assert "is not suspended" in shell("agreement", "resume", LOG, ends=REFUSED).stderr
    assert "version 2 is in-force" in shell("agreement", "activate", LOG).output
    assert "standing  superseded" in shell("agreement", "show", LOG, "--version", "1").output
    assert f"{LOG}\tversion 2, " in shell("agreement", "list").output
    assert "version 2 is ended" in shell("agreement", "end", LOG).output
    assert "cannot become in-force" in shell("agreement", "activate", LOG, ends=REFUSED).stderr


def test_an_agreement_with_errors_is_not_drafted_and_its_line_is_named(shell: Shell) -> None:
    shell("init")
    shell.file.write_text(shell.file.read_text().replace('until: "2029', 'until: "2025', 1))
    refused = shell("agreement", "draft", str(shell.file), ends=REFUSED)
    assert f"{shell.file}:" in refused.stderr
    assert "before it begins" in refused.stderr
    assert "not drafted" in refused.stderr
    assert shell("agreement", "list").output == ""


def test_the_document_is_rendered_without_a_database_and_overwrites_nothing(shell: Shell) -> None:
    rendered = shell("agreement", "render", str(shell.file), "--html", "a.html", "--pdf", "a.pdf")
    assert rendered.output.count(shipped().hash) == 2
    assert shipped().hash in (shell.folder / "a.html").read_text()
    assert (shell.folder / "a.pdf").read_bytes().startswith(b"%PDF-")
    shell("agreement", "render", str(shell.file), "--pdf", "b.pdf")
    assert (shell.folder / "b.pdf").read_bytes() == (shell.folder / "a.pdf").read_bytes()
    assert "there already" in shell("agreement", "render", str(shell.file), "--html", "a.html", ends=REFUSED).stderr
    assert shell("agreement", "render", str(shell.file), "--html", "no/such/a.html", ends=REFUSED).stderr
    shell("agreement", "render", str(shell.file), ends=MISUSED)
    assert not (shell.folder / "data").exists()


def test_two_files_are_compared_without_a_database(shell: Shell) -> None:
    said = shell("agreement", "diff", str(shell.file), str(second(shell))).output
    assert (
        "less   idva-team for safeguarding: victim: self-defined ethnicity (victim.ethnicity): whole → nothing" in said
    )
    found = json.loads(shell("agreement", "diff", str(shell.file), str(second(shell)), "--json").output)
    assert (found["same"], found["counts"]) == (False, {"more": 0, "less": 1, "other": 1})
    same = shell("agreement", "diff", str(shell.file), str(shell.file)).output
    assert same.endswith("the two say the same\n")
    assert not (shell.folder / "data").exists()


def test_two_versions_kept_here_are_compared(shell: Shell) -> None:
    shell("init")
    shell("agreement", "draft", str(shell.file))
    shell("agreement", "amend", str(second(shell)))
    said = shell("agreement", "diff", "--id", LOG, "--from", "1", "--to", "2").output
    assert "victim.ethnicity" in said
    assert (
        "in both versions" in shell("agreement", "diff", "--id", LOG, "--from", "1", "--to", "7", ends=REFUSED).stderr
    )
    for words in ([], [str(shell.file)], ["--id", LOG], [str(shell.file), "--id", LOG, "--from", "1", "--to", "2"]):
        shell("agreement", "diff", *words, ends=MISUSED)


# Explaining


@pytest.fixture
def record(shell: Shell) -> str:
    path = shell.folder / "incident.json"
    path.write_text(json.dumps(incident(1)))
    return str(path)


def explained(shell: Shell, record: str, *words: str, ends: int = 0) -> Any:
    base = ["explain", "--record", record, "--recipient", "idva-team", "--from", "04"]
    return shell(*base, *words, ends=ends)


def test_a_record_is_explained_by_the_profile_it_is_written_for(shell: Shell) -> None:
    path = shell.folder / "investigation.json"
    path.write_text(json.dumps(investigation()))
    words = ["--agreement", str(shell.file)]
    assert "PERMITTED" in explained(shell, str(path), *words, "--profile", "athena").output
    assert "data: a value is required" in explained(shell, str(path), *words, ends=1).stderr
    assert "there are athena" in explained(shell, str(path), *words, "--profile", "atlantis", ends=2).stderr


def test_a_record_is_explained_under_a_file_without_a_database(shell: Shell, record: str) -> None:
    said = explained(shell, record, "--agreement", str(shell.file)).output
    assert "victim-1:\n  PERMITTED: " in said
    assert "victim: name (victim.name): F1-referral: The full referral" in said
    assert "suspect: home address (suspect.home_address), as town and postcode district: F1-referral" in said
    assert "clause F1-refused" in said
    whole = json.loads(explained(shell, record, "--agreement", str(shell.file), "--json").output)
    assert whole["victim-1"]["facts"]["source"] == "04"
    assert not (shell.folder / "data").exists()


def test_each_side_is_told_its_own_words(shell: Shell, record: str) -> None:
    sender = explained(shell, record, "--agreement", str(shell.file), "--for", "sender").output
    assert "withheld: third party:" in sender
    assert "less exact: suspect: home address (suspect.home_address): town and postcode district" in sender
    assert "victim.name" not in sender
    recipient = explained(shell, record, "--agreement", str(shell.file), "--for", "recipient").output
    assert recipient == "victim-1:\n  Some information was withheld under the agreement.\n"


def test_no_value_of_the_record_is_said(shell: Shell, record: str) -> None:
    said = explained(shell, record, "--agreement", str(shell.file)).output
    said += explained(shell, record, "--agreement", str(shell.file), "--json").output
    for value in ("Ashdown", "Marianne", "07700", "Example Row"):
        assert value not in said


def test_an_agreement_kept_here_is_taken_as_it_stands(shell: Shell, record: str) -> None:
    shell("init")
    assert "there are 0 agreements" in explained(shell, record, ends=REFUSED).stderr
    shell("agreement", "draft", str(shell.file))
    assert "HELD: the agreement is a draft (no-agreement)" in explained(shell, record).output
    sign(shell, shell.file)
    shell("agreement", "activate", LOG)
    assert "PERMITTED" in explained(shell, record, "--id", LOG).output
    assert "there is no agreement" in explained(shell, record, "--id", "unknown", ends=REFUSED).stderr
    explained(shell, record, "--id", LOG, "--agreement", str(shell.file), ends=MISUSED)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no such file"), (b"{", "incident.json"), (b"[]", "incident.json")]
)
def test_a_record_that_cannot_be_read_is_refused_by_its_path(
    shell: Shell, record: str, content: bytes | None, said: str
) -> None:
    path = Path(record)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert said in explained(shell, record, "--agreement", str(shell.file), ends=REFUSED).stderr


def test_the_hash_is_the_same_wherever_it_is_said(shell: Shell) -> None:
    checked = shell("agreement", "check", str(shell.file)).output
    rendered = shell("agreement", "render", str(shell.file), "--html", "a.html").output
    compared = shell("agreement", "diff", str(shell.file), str(shell.file)).output
    digest = parse(shell.file.read_bytes()).hash
    assert all(digest in said for said in (checked, rendered, compared))
