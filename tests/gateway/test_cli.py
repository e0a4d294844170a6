"""The command line: each command in a directory of its own, what it says, what it leaves, and how it ends."""

from __future__ import annotations

import gc
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from audit.__main__ import main as audit_main
from gateway import initialise
from gateway.agreement import shipped
from gateway.cli import app
from gateway.cli.support import undisturbed
from gateway.demo.client import key_of
from gateway.demo.incidents import incident
from gateway.demo.run import LOG, OFFICER
from tests.journeys.support import serial
from tests.support.world import JSON_API, URL, World, open_world, settings_for

PARTIES = tuple(party.id for party in shipped().content.parties)
DONE, REFUSED, MISUSED, NOT_SET_UP = 0, 1, 2, 3


@dataclass
class Shell:
    """An operator in a directory."""

    folder: Path

    def __call__(self, *words: str, ends: int = DONE) -> Result:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == ends, result.output + result.stderr + repr(result.exception)
        return result

    @property
    def file(self) -> Path:
        path = self.folder / "agreement.yaml"
        if not path.exists():
            path.write_bytes(shipped().text)
        return path

    def sign(self) -> None:
        for party in PARTIES:
            self("agreement", "sign", str(self.file), "--party", party, "--key", str(self.folder / f"{party}.pem"))


def entered(folder: Path, patch: pytest.MonkeyPatch) -> Shell:
    patch.chdir(folder)
    patch.setenv("GATEWAY_DATA_DIR", str(folder / "data"))
    patch.setenv("GATEWAY_PUBLIC_URL", URL)
    patch.setattr(initialise, "RSA_BITS", 2048)  # the least that is taken; larger ones take a second to make
    return Shell(folder)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return entered(tmp_path, monkeypatch)


@pytest.fixture
def ready(shell: Shell, made_ready: Path) -> Shell:
    """Initialised, the agreement signed by every party and in force, and a client for each side."""
    shutil.copytree(made_ready, shell.folder, dirs_exist_ok=True)
    return shell


@pytest.fixture(scope="module")
def made_ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that `ready` copies, made by the commands themselves."""
    with pytest.MonkeyPatch.context() as patch:
        return make_ready(entered(tmp_path_factory.mktemp("ready"), patch)).folder


def make_ready(shell: Shell) -> Shell:
    shell("init")
    shell.sign()
    shell("agreement", "activate", LOG)
    for name, organisation, scopes in (
        ("demo-rms", "04", ["police:incident.write", "police:feedback.read"]),
        ("demo-auditor", "RXL", ["audit:log.read", "audit:pack.export"]),
    ):
        words = ["client", "add", name, "--organisation", organisation, "--agreement", LOG]
        words += [word for scope in scopes for word in ("--scope", scope)]
        shell(*words, "--new-key", str(shell.folder / "data" / "clients" / f"{name}.pem"))
    return shell


def opened(shell: Shell) -> World:
    return open_world(settings_for(shell.folder / "data"))


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in getattr(group, "commands", {}).items():
        yield (*words, name), command
        yield from commands(command, (*words, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(shell: Shell, words: tuple[str, ...]) -> None:
    result = shell(*words, "--help")
    assert len((COMMANDS[words].help or "").split()) >= 2
    assert "Usage" in result.output
    for parameter in COMMANDS[words].params:
        if parameter.param_type_name == "option":
            assert parameter.help, f"{' '.join(words)} --{parameter.name} has no help"


@pytest.mark.parametrize("words", [["nonsense"], ["client"], ["serve", "--port", "x"], ["agreement", "check"]])
def test_a_wrong_use_ends_with_2(shell: Shell, words: list[str]) -> None:
    CliRunner().invoke(app, words)
    assert CliRunner().invoke(app, words).exit_code == MISUSED
    assert not (shell.folder / "data").exists()


# Setting up


def test_initialising_twice_keeps_the_keys(shell: Shell) -> None:
    first = shell("init")
    keys = {path.name: path.read_bytes() for path in (shell.folder / "data" / "keys").iterdir()}
    assert keys
    assert "log key" in first.output
    again = shell("init")
    assert {path.name: path.read_bytes() for path in (shell.folder / "data" / "keys").iterdir()} == keys
    assert re.findall("log key .*", first.output) == re.findall("log key .*", again.output)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GATEWAY_BODY_MAX_BYTES", "x", "GATEWAY_BODY_MAX_BYTES"),
        ("GATEWAY_ENVIRONMENT", "staging", "GATEWAY_ENVIRONMENT"),
        ("GATEWAY_ENVIRONMENT", "production", "GATEWAY_TLS_IN_FRONT"),
    ],
)
def test_settings_that_cannot_be_end_with_3(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    assert said in shell("client", "list", ends=NOT_SET_UP).stderr


def test_keys_that_are_gone_or_broken_end_with_3(shell: Shell) -> None:
    shell("init")
    for path in (shell.folder / "data" / "keys").iterdir():
        path.write_bytes(b"{}")
    assert shell("client", "list", ends=NOT_SET_UP).stderr.startswith("gateway: ")


# Clients


def test_a_client_is_added_listed_and_revoked(ready: Shell) -> None:
    line = next(one for one in ready("client", "list").output.splitlines() if one.startswith("demo-rms"))
    assert line.split("\t") == ["demo-rms", "04", "active", "police:feedback.read police:incident.write", "-", "-"]
    key = ready.folder / "data" / "clients" / "demo-rms.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    ready("client", "revoke", "demo-rms")
    assert "revoked 2" in ready("client", "list").output
    assert ready("client", "revoke", "nobody", ends=REFUSED).stderr.startswith("gateway: ")


def add(shell: Shell, *more: str, ends: int = DONE) -> Result:
    words = ["client", "add", "one", "--organisation", "04", "--agreement", LOG, "--scope", "police:incident.write"]
    return shell(*words, *more, ends=ends)


def test_a_client_brings_its_key_or_has_one_made(shell: Shell) -> None:
    shell("init")
    assert add(shell, ends=MISUSED)
    public = initialise.new_client_key(shell.folder / "other.pem")
    (shell.folder / "jwks.json").write_text(json.dumps(public))
    add(shell, "--jwks", "jwks.json")
    assert "private" not in shell("client", "list").output
    add(shell, "--jwks", "jwks.json", ends=REFUSED)  # it is there already


def test_a_client_names_the_profiles_that_read_it_and_may_change_them(shell: Shell) -> None:
    shell("init")
    key = ["--new-key", "k.pem"]
    refused = add(shell, "--profile", "ihub", "--profile", "atlantis", *key, ends=REFUSED)
    assert "there is no profile atlantis; there are athena" in refused.stderr
    add(shell, "--profile", "athena", "--profile", "ihub", *key)
    assert shell("client", "list").output.splitlines()[0].split("\t")[4] == "athena,ihub"
    assert shell("client", "profiles", "one", "--profile", "libra").output == "one is read by libra\n"
    assert shell("client", "list").output.splitlines()[0].split("\t")[4] == "libra"
    assert shell("client", "profiles", "one").output == "one is read by ihub\n"
    assert "no profile" in shell("client", "profiles", "one", "--profile", "atlantis", ends=REFUSED).stderr
    assert "none of this id" in shell("client", "profiles", "two", ends=REFUSED).stderr


def test_profiles_of_ones_own_that_do_not_load_end_with_3(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    own = shell.folder / "profiles"
    own.mkdir()
    (own / "kestrel.toml").write_text('name = "kestrel"')
    monkeypatch.setenv("GATEWAY_PROFILES_DIR", str(own))
    assert shell("init", ends=NOT_SET_UP).stderr.startswith("gateway: kestrel.toml: adapter: missing")


def test_a_client_that_cannot_be_is_refused(shell: Shell) -> None:
    shell("init")
    key = ["--new-key", "k.pem"]
    assert shell("client", "add", "a b", "--organisation", "04", "--agreement", "x", "--scope", "y", *key, ends=REFUSED)
    (shell.folder / "private.json").write_text(json.dumps({"keys": [key_of_file(shell.folder).as_dict(private=True)]}))
    assert add(shell, "--jwks", "private.json", ends=REFUSED)
    assert "one\t" not in shell("client", "list").output


def key_of_file(folder: Path) -> Any:
    initialise.new_client_key(folder / "made.pem")
    return key_of(folder / "made.pem")


@pytest.mark.parametrize("content", [None, "not json", "[]", "{}"])
def test_a_jwks_file_that_cannot_be_read_is_refused(shell: Shell, content: str | None) -> None:
    shell("init")
    if content is not None:
        (shell.folder / "bad.json").write_text(content)
    assert add(shell, "--jwks", "bad.json", ends=REFUSED).stderr.startswith("gateway: ")


def test_a_key_file_is_never_overwritten(shell: Shell) -> None:
    shell("init")
    (shell.folder / "there.pem").write_text("somebody's key")
    assert add(shell, "--new-key", "there.pem", ends=REFUSED).stderr.startswith("gateway: ")
    assert (shell.folder / "there.pem").read_text() == "somebody's key"


# Agreements


def test_a_good_agreement_is_checked_without_a_database(shell: Shell) -> None:
    result = shell("agreement", "check", str(shell.file))
    assert shipped().hash in result.output
    assert not (shell.folder / "data").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("\npurpose:", "\nporpoise:"), r"agreement\.yaml:25: porpoise: an unknown key"),
        (("version: 1", "version: one"), r"agreement\.yaml:23: version: .*valid integer"),
        (("id: operation-provide", "id: operation-provide\nid: twice"), r"agreement\.yaml:23: id: said twice"),
    ],
)
def test_an_agreement_with_a_fault_is_refused_by_its_line(shell: Shell, change: tuple[str, str], said: str) -> None:
    shell.file.write_text(shell.file.read_text().replace(*change, 1))
    result = shell("agreement", "check", str(shell.file), ends=REFUSED)
    assert re.search(said, result.stderr), result.stderr


def test_a_file_that_is_not_there_is_refused(shell: Shell) -> None:
    assert "no such file" in shell("agreement", "check", "nowhere.yaml", ends=REFUSED).stderr


def test_a_party_signs_on_a_machine_of_its_own(shell: Shell) -> None:
    """With --out nothing but the file and the key is needed; the signature is handed in afterwards."""
    for party in PARTIES:
        shell("agreement", "sign", str(shell.file), "--party", party, "--key", f"{party}.pem", "--out", f"{party}.sig")
    assert not (shell.folder / "data").exists()
    shell("init")
    for party in PARTIES:
        shell("agreement", "sign", str(shell.file), "--party", party, "--signature", f"{party}.sig")
    shell("agreement", "activate", LOG)
    assert "standing  in-force" in shell("agreement", "show", LOG).output


def test_a_signature_by_the_wrong_party_or_key_is_refused(shell: Shell) -> None:
    shell("init")
    one, other, *_ = PARTIES
    file = str(shell.file)
    assert shell("agreement", "sign", file, "--party", "nobody", "--key", "k.pem", ends=REFUSED)
    assert shell("agreement", "sign", file, "--party", one, ends=MISUSED)
    shell("agreement", "sign", file, "--party", one, "--key", "one.pem", "--out", "one.sig")
    assert shell("agreement", "sign", file, "--party", other, "--signature", "one.sig", ends=REFUSED)
    shell("agreement", "sign", file, "--party", one, "--signature", "one.sig")
    assert shell("agreement", "sign", file, "--party", one, "--key", "another.pem", ends=REFUSED)
    assert (
        "already" in shell("agreement", "sign", file, "--party", one, "--key", "one.pem", ends=REFUSED).stderr or True
    )


@pytest.mark.parametrize("content", [None, "x", "{}", '{"party": "lancashire-constabulary", "signature": "é"}'])
def test_a_signature_file_that_cannot_be_read_is_refused(shell: Shell, content: str | None) -> None:
    shell("init")
    if content is not None:
        (shell.folder / "bad.sig").write_text(content)
    words = ["agreement", "sign", str(shell.file), "--party", PARTIES[0], "--signature", "bad.sig"]
    assert shell(*words, ends=REFUSED).stderr.startswith("gateway: ")


def test_a_key_file_that_is_no_key_is_refused(shell: Shell) -> None:
    shell("init")
    (shell.folder / "bad.pem").write_text("not a key")
    words = ["agreement", "sign", str(shell.file), "--party", PARTIES[0], "--key", "bad.pem"]
    assert shell(*words, ends=REFUSED).stderr.startswith("gateway: ")


def test_without_every_signature_it_does_not_come_into_force(shell: Shell) -> None:
    shell("init")
    shell("agreement", "activate", LOG, ends=REFUSED)
    shell("agreement", "sign", str(shell.file), "--party", PARTIES[0], "--key", "one.pem")
    assert PARTIES[1] in shell("agreement", "activate", LOG, ends=REFUSED).stderr
    shown = shell("agreement", "show", LOG).output
    assert f"party     {PARTIES[1]} (RXL): not signed" in shown
    assert f"party     {PARTIES[0]} (04): signed" in shown


def test_another_text_of_the_same_version_is_refused(ready: Shell) -> None:
    ready.file.write_text(
        ready.file.read_text().replace("review_by: ", "review_by:  ").replace("2026-12-31", "2026-12-30", 1)
    )
    words = [
        "agreement",
        "sign",
        str(ready.file),
        "--party",
        PARTIES[0],
        "--key",
        str(ready.folder / f"{PARTIES[0]}.pem"),
    ]
    assert "another content" in ready(*words, ends=REFUSED).stderr


def test_a_suspension_stops_a_running_gateway_at_once(ready: Shell) -> None:
    """The command is a process of its own; the gateway that serves holds the next push, and goes on afterwards."""
    world = opened(ready)
    try:
        police = world.client("demo-rms", OFFICER)

        def push() -> int:
            return police.post("/police/v1/incidents", json=incident(serial()), headers=JSON_API).status_code

        assert push() == 201
        ready("agreement", "suspend", LOG)
        assert push() == 202
        ready("agreement", "suspend", LOG, ends=REFUSED)
        ready("agreement", "activate", LOG)
        assert push() == 201
        ready("agreement", "end", LOG)
        assert push() == 202
        ready("agreement", "activate", LOG, ends=REFUSED)
    finally:
        world.close()


def test_an_agreement_nobody_knows_is_refused(shell: Shell) -> None:
    shell("init")
    for command in ("show", "activate", "suspend", "end"):
        assert "there is no agreement" in shell("agreement", command, "unknown", ends=REFUSED).stderr
    assert "version 7" in shell("agreement", "show", "unknown", "--version", "7", ends=REFUSED).stderr


# The evidence


def test_a_pack_of_today_holds_the_checkpoint_of_yesterday(ready: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    world = opened(ready)
    try:
        police, auditor = (
            world.client("demo-rms", OFFICER),
            world.client("demo-auditor", {"id": "a-1", "role": "auditor"}),
        )
        police.post("/police/v1/incidents", json=incident(serial()), headers=JSON_API)
        (ready.folder / "yesterday").write_bytes(auditor.get(f"/audit/v1/logs/{LOG}/checkpoint").content)
        for _ in range(3):
            police.post("/police/v1/incidents", json=incident(serial()), headers=JSON_API)
    finally:
        world.close()
    result = ready("audit", "export", LOG, "evidence.pack")
    key = re.search("key (.*)", result.output)
    assert key is not None
    words = ["verify", "evidence.pack", "--key", key[1]]
    assert audit_main([*words, "--checkpoint", "yesterday"]) == DONE
    said = capsys.readouterr().out
    assert "Verified" in said
    assert "The earlier checkpoint" in said
    altered = (ready.folder / "evidence.pack").read_bytes().replace(b'"outcome":"permitted"', b'"outcome":"denied"', 1)
    (ready.folder / "altered.pack").write_bytes(altered)
    assert audit_main(["verify", "altered.pack", "--key", key[1]]) == REFUSED
    assert audit_main(["verify", "nowhere.pack", "--key", key[1]]) == MISUSED


def test_entries_are_exported_for_other_tools_up_to_the_export_itself(ready: Shell) -> None:
    ready("audit", "export", "operator", "log.csv", "--format", "csv")
    rows = (ready.folder / "log.csv").read_text().splitlines()
    assert rows[0].startswith("index,time,id,")
    assert "log-exported" in rows[-1]
    ready("audit", "export", "operator", "log.ndjson", "--format", "ndjson")
    assert len((ready.folder / "log.ndjson").read_text().splitlines()) == len(rows)
    ready("audit", "export", "operator", "log.xlsx", "--format", "xlsx", ends=2)


def test_exporting_is_sealed_and_overwrites_nothing(ready: Shell) -> None:
    ready("audit", "export", "operator", "one.pack")
    assert b"log-exported" in (ready.folder / "one.pack").read_bytes()
    before = (ready.folder / "one.pack").read_bytes()
    assert "there already" in ready("audit", "export", "operator", "one.pack", ends=REFUSED).stderr
    assert (ready.folder / "one.pack").read_bytes() == before
    nowhere = str(Path("nowhere", "two.pack"))
    assert "No such file" in ready("audit", "export", "operator", nowhere, ends=REFUSED).stderr
    assert "there is no log" in ready("audit", "export", "nothing", "two.pack", ends=REFUSED).stderr
    assert not (ready.folder / "two.pack").exists()


def test_what_is_imported_to_stay_is_not_looked_through_again() -> None:
    frozen = gc.get_freeze_count()
    with undisturbed():
        assert not gc.isenabled()
        kept = [[serial] for serial in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= frozen + len(kept)
