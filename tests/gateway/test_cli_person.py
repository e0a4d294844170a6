"""The command line's group `person`: accounts of the embedded provider, and what production refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pyotp
import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.evidence import OPERATOR_LOG
from tests.support.console import ADVISER, ConsoleClient, sign_in, signed_in
from tests.support.world import URL, World, copy_template, open_world, settings_for

WHO = ("--name", ADVISER.name, "--organisation", "RXL", "--team", "idva-team", "--agreement", "operation-provide")


@pytest.fixture
def folder(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway's data, as a command finds it."""
    found = tmp_path / "data"
    copy_template(prepared_world, found, with_database=True)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(found))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", URL)
    return found


def run(*words: str, ends: int = 0) -> Result:
    result = CliRunner().invoke(app, ["person", *words])
    assert result.exit_code == ends, result.output + result.stderr
    return result


def added(*more: str) -> str:
    """An account; its password."""
    said = run("add", ADVISER.id, *WHO, "--role", "adviser", *more).stdout
    found = re.search(r"sign in with (\S+)", said)
    assert found is not None
    return found[1]


def open_at(folder: Path) -> World:
    return open_world(settings_for(folder))


def stands(client: ConsoleClient) -> bool:
    return client.get("/console/sign-out").status_code == 200


def test_somebody_who_was_added_signs_in_and_is_listed(folder: Path) -> None:
    password = added("--no-second-factor")
    assert len(set(password.replace("-", ""))) > 8
    world = open_at(folder)
    assert sign_in(world, ADVISER, password=password)[1].status_code == 200
    entry = next(one.entry() for one in world.entries(OPERATOR_LOG) if one.entry().event == "person-added")
    assert entry.detail == {"person": ADVISER.id, "roles": "adviser"}
    world.close()
    assert run("list").stdout == (f"{ADVISER.id}\t{ADVISER.name}\tRXL/idva-team\tadviser\tpassword-alone\tactive\n")


def test_a_change_or_a_removal_ends_their_sign_ins(folder: Path) -> None:
    added()
    for command in (
        ("change", ADVISER.id, "--role", "safeguarding-lead", "--team", "bth-safeguarding"),
        ("password", ADVISER.id),
        ("totp", ADVISER.id),
        ("sign-out", ADVISER.id, "--organisation", "RXL"),
        ("remove", ADVISER.id),
    ):
        world = open_at(folder)
        client, other = signed_in(world), signed_in(world, id="idva-0043")
        run(*command)
        assert not stands(client), command
        assert stands(other), command
        world.close()
    assert "safeguarding-lead" in run("list").stdout
    assert "removed 2" in run("list").stdout


def test_a_new_password_takes_the_old_one_s_place(folder: Path) -> None:
    old = added("--no-second-factor")
    new = run("password", ADVISER.id).stdout.split()[-1]
    world = open_at(folder)
    assert sign_in(world, ADVISER, password=old)[1].status_code == 403
    assert sign_in(world, ADVISER, password=new)[1].status_code == 200
    world.close()


def test_a_second_factor_can_be_made_for_somebody(folder: Path, tmp_path: Path) -> None:
    password = added()
    square = tmp_path / "square.svg"
    secret = run("totp", ADVISER.id, "--square", str(square)).stdout.split()[-1]
    assert square.read_text().startswith("<svg")
    world = open_at(folder)
    code = pyotp.TOTP(secret).now()
    assert sign_in(world, ADVISER, password=password, code=code)[1].status_code == 200
    world.close()
    assert "exists" in run("totp", ADVISER.id, "--square", str(square), ends=1).stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--role", "consultant"), "there is no role consultant"),
        (("--role", "operator"), "an operator is of no party"),
        (("--role", "adviser", "--role", "auditor"), "roles that one person cannot have together"),
    ],
)
def test_somebody_the_console_would_not_take_is_not_added(folder: Path, words: tuple[str, ...], why: str) -> None:
    assert folder.exists()
    assert why in run("add", "somebody", *WHO, *words, ends=1).stderr


def test_an_id_is_given_once(folder: Path) -> None:
    assert folder.exists()
    added()
    assert "given once" in run("add", ADVISER.id, *WHO, "--role", "adviser", ends=1).stderr
    run("remove", ADVISER.id)
    assert "given once" in run("add", ADVISER.id, *WHO, "--role", "adviser", ends=1).stderr
    assert "no such account" in run("password", ADVISER.id, ends=1).stderr
    assert "no such account" in run("remove", "nobody", ends=1).stderr


def test_where_another_provider_is_named_there_are_no_accounts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in production, named or not; ending sign-ins works everywhere."""
    assert folder.exists()
    monkeypatch.setenv("GATEWAY_OIDC_ISSUER", "https://login.example")
    for words in (("list",), ("remove", ADVISER.id), ("add", ADVISER.id, *WHO, "--role", "adviser")):
        assert "for development" in run(*words, ends=1).stderr
    assert run("sign-out", ADVISER.id, "--organisation", "RXL").stdout == f"ended 0 sign-ins of {ADVISER.id}\n"
