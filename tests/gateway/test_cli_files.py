"""Files named on the command line: missing, a directory, not readable, empty, too large, something else: each said."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.agreement import shipped
from gateway.cli import app, files
from gateway.cli.support import NOT_SET_UP, REFUSED
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from tests.support.mllp import authority
from tests.support.world import URL, copy_template

CLIENT = "--organisation RXL --agreement operation-provide --scope health:referral.write"
HOOK = f"webhook add demo-rms --agreement {LOG} --person dc-1 --url https://force.example/f"
POINT = f"endpoint add demo-hospital --channel mllp --address mllps://e.example:1 --agreement {LOG} --person idva-1"
ASKS = "--url http://localhost:9 --client one"
LOADS = "evaluation load --url http://localhost:9 --police one --team two --victims 10"
SENDS = "mllp send FEED --to mllps://localhost:9"

READ: Mapping[tuple[str, str], str] = {
    ("client add", "jwks"): f"client add one {CLIENT} --jwks FILE",
    ("client add", "certificate"): f"client add one {CLIENT} --certificate FILE",
    ("client certificate", "add"): "client certificate demo-hospital --add FILE",
    ("agreement check", "file"): "agreement check FILE",
    ("agreement draft", "file"): "agreement draft FILE",
    ("agreement amend", "file"): "agreement amend FILE",
    ("agreement sign", "file"): "agreement sign FILE --party lancashire-constabulary --key new.pem",
    ("agreement sign", "key"): "agreement sign AGREEMENT --party lancashire-constabulary --key FILE",
    ("agreement sign", "signature"): "agreement sign AGREEMENT --party lancashire-constabulary --signature FILE",
    ("agreement render", "file"): "agreement render FILE --html out.html",
    ("agreement diff", "old"): "agreement diff FILE AGREEMENT",
    ("agreement diff", "new"): "agreement diff AGREEMENT FILE",
    ("agreement replay", "candidate"): f"agreement replay FILE --log {LOG}",
    ("agreement replay", "pack"): "agreement replay AGREEMENT --pack FILE",
    ("agreement rederive", "pack"): "agreement rederive --pack FILE",
    ("audit findings", "pack"): "audit findings --pack FILE",
    ("report", "pack"): f"report {LOG} --month 2026-10 --out out --pack FILE",
    ("police send", "file"): "police send FILE --media-type application/x-ndjson --profile ihub --dry-run",
    ("police send", "key"): f"police send RECORD --media-type application/x-ndjson {ASKS} --key FILE",
    ("evaluation report", "baseline"): f"evaluation report {LOG} --out out --baseline FILE",
    ("evaluation load", "police_key"): f"{LOADS} --police-key FILE --team-key KEY",
    ("evaluation load", "team_key"): f"{LOADS} --police-key KEY --team-key FILE",
    ("webhook add", "ca"): f"{HOOK} --ca FILE",
    ("endpoint add", "option"): f"{POINT} --hides-from-online-access --option ca=@FILE",
    ("mapping check", "file"): "mapping check FILE",
    ("mapping try", "sample"): "mapping try ihub FILE",
    ("mapping try", "agreement"): "mapping try ihub RECORD --agreement FILE",
    ("mapping draft", "sample"): "mapping draft FILE",
    ("mapping diff", "more"): "mapping diff ihub ihub FILE",
    ("mapping diff", "over"): "mapping diff ihub ihub --over FILE",
    ("trace show", "key"): f"trace show one {ASKS} --person idva-1 --key FILE",
    ("trace decide", "key"): f"trace decide one same {ASKS} --person idva-1 --key FILE",
    ("mllp send", "file"): "mllp send FILE --to mllps://localhost:9",
    ("mllp send", "ca"): f"{SENDS} --ca FILE",
    ("mllp send", "certificate"): f"{SENDS} --certificate FILE --key KEY",
    ("mllp send", "key"): f"{SENDS} --certificate SHOWN --key FILE",
    ("explain", "record"): "explain --record FILE --recipient idva-team --from 04 --agreement AGREEMENT",
    ("explain", "agreement_file"): "explain --record RECORD --recipient idva-team --from 04 --agreement FILE",
}
"""Every file a command reads, and how it is named."""

WRITTEN = {
    *(("agreement render", name) for name in ("html", "pdf")),
    ("agreement sign", "out"),
    ("audit export", "out"),
    ("client add", "new_key"),
    ("demo", "keep"),
    ("evaluation report", "out"),
    ("hospital request", "content"),
    ("person totp", "square"),
    ("quarantine show", "content"),
    ("report", "out"),
    ("trace key", "file"),
    ("webhook add", "folder"),
}
"""Files and folders that are made."""

SIGNS_IN = [
    READ[one]
    for one in (
        ("police send", "key"),
        ("evaluation load", "police_key"),
        ("evaluation load", "team_key"),
        ("trace show", "key"),
        ("trace decide", "key"),
    )
]
"""Commands whose file is the key a client signs in with."""

MADE = {("agreement sign", "key")}
"""Files that are read where they are there, and made where they are not."""


@pytest.fixture(scope="module")
def folder(prepared_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A prepared gateway; nothing that is tried here changes it."""
    folder = tmp_path_factory.mktemp("files")
    copy_template(prepared_world, folder / "data", with_database=True)
    shown, _ = authority().issue("engine").write(folder, "engine")
    shown.rename(folder / "SHOWN")
    (folder / "AGREEMENT").write_bytes(shipped().text)
    (folder / "RECORD").write_text(json.dumps(incident(1)))
    (folder / "FEED").write_bytes(b"MSH|^~\\&|\r")
    (folder / "KEY").write_bytes((folder / "data" / "clients" / "demo-rms.pem").read_bytes())
    (folder / "folder").mkdir()
    (folder / "empty").touch()
    (folder / "wrong").write_bytes(b"\xff\xfe is neither one nor the other\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GATEWAY_DATA_DIR", str(folder / "data"))
        patch.setenv("GATEWAY_PUBLIC_URL", URL)
        yield folder


def said(words: str, file: str) -> str:
    """What a command that is refused says of the file it is given."""
    result = CliRunner().invoke(app, words.replace("FILE", file).split())
    ends = NOT_SET_UP if words in SIGNS_IN else REFUSED
    assert result.exit_code == ends, result.output + result.stderr + repr(result.exception)
    return (result.stdout + result.stderr).strip()


@pytest.mark.parametrize("which", READ, ids=" ".join)
@pytest.mark.usefixtures("folder")
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(which: tuple[str, str]) -> None:
    words = READ[which]
    if which not in MADE:
        assert said(words, "nowhere") == "gateway: nowhere: there is no such file"
        assert said(words, "AGREEMENT/below") == "gateway: AGREEMENT/below: there is no such file"
    assert said(words, "folder") == "gateway: folder: is a directory, not a file"
    assert said(words, "empty") == "gateway: empty: is empty"


@pytest.mark.parametrize("which", [one for one in READ if one[0] != "mapping diff"], ids=" ".join)
@pytest.mark.usefixtures("folder")
def test_a_file_of_another_kind_is_refused_and_nothing_of_it_is_shown(which: tuple[str, str]) -> None:
    """`mapping diff` says that two profiles read the same of it, which is nothing."""
    wrong = said(READ[which], "wrong")
    assert wrong
    assert "neither one" not in wrong


def paths() -> Iterator[tuple[str, str]]:
    """Every file, by its command and its name."""
    for words, command in commands(typer.main.get_command(app)):
        if command.callback is not None and not getattr(command, "commands", None):
            for name, one in inspect.signature(inspect.unwrap(command.callback), eval_str=True).parameters.items():
                if "Path" in str(one.annotation):
                    yield words, name


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        yield " ".join((*words, name)), command
        yield from commands(command, (*words, name))


def test_every_file_of_every_command_is_tried_here() -> None:
    assert set(paths()) == (READ.keys() | WRITTEN) - {("endpoint add", "option")}


def test_a_file_this_user_may_not_read_is_said_to_be_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kept.pem"
    file.write_text("kept")

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    for read in (files.content, files.text, files.usable):
        with pytest.raises(typer.Exit) as ended:
            read(file)
        assert ended.value.exit_code == REFUSED
        assert capsys.readouterr().err == f"gateway: {file}: may not be read by this user\n"


def test_a_file_that_is_too_large_is_read_no_further(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "large.pem"
    with file.open("wb") as opened:
        opened.truncate(files.SMALL + 1)
    with pytest.raises(typer.Exit):
        files.text(file)
    assert capsys.readouterr().err == f"gateway: {file}: is larger than 1024 KiB\n"
    with file.open("wb") as opened:
        opened.truncate(files.SMALL)
    assert len(files.content(file)) == files.SMALL


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (READ["client add", "jwks"], "not a JSON object"),
        (READ["client add", "certificate"], "not one PEM certificate"),
        (READ["webhook add", "ca"], "not PEM certificates"),
        (READ["police send", "key"], "not a private RSA key in PEM"),
        (READ["trace show", "key"], "not a private RSA key in PEM"),
        (READ["agreement sign", "key"], "not an Ed25519 private key without a password"),
        (READ["agreement sign", "signature"], "not a signature file"),
    ],
)
def test_what_a_file_should_be_and_is_not_is_said(folder: Path, words: str, kind: str) -> None:
    (folder / "text").write_text("[1, 2]")
    assert said(words, "text") == f"gateway: text: {kind}"


def test_the_public_half_of_a_key_is_no_private_key(folder: Path) -> None:
    key = files.private_key(folder / "KEY")
    (folder / "public").write_bytes(key.as_pem(private=False))
    assert said(READ["police send", "key"], "public") == "gateway: public: not a private RSA key in PEM"
