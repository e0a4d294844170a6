"""The demonstration's console as a visitor starts it: from an empty directory, until every page has answered."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.agreement import shipped
from gateway.cli.program import app
from gateway.demo.console import MOST_VICTIMS
from gateway.demo.people import LOG, PEOPLE, Account
from gateway.demo.today import CASES
from gateway.evaluation.making import Asked, make_here
from gateway.evaluation.period import Period
from gateway.evaluation.synthetic.people import MOST
from gateway.evaluation.synthetic.plan import Shares, plan
from gateway.evaluation.synthetic.truth import truth
from gateway.services import open_services
from gateway.settings import Settings
from gateway.signin.claims import Role, check
from gateway.signin.provider import totp
from tests.support.evaluation import wrong

VICTIMS = 8  # the least of whom somebody comes back


def demo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    command = [sys.executable, "-m", "gateway", "demo", "--console", *words]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, check=False, timeout=120, text=True)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What one run printed, and where it left its data."""
    folder = tmp_path_factory.mktemp("empty")
    done = demo(folder, "--once", "--victims", str(VICTIMS), "--keep", "left")
    assert done.returncode == 0, done.stderr
    return folder / "left", done.stdout


def test_it_prints_where_to_look_and_whom_to_sign_in_as(shown: tuple[Path, str]) -> None:
    _, said = shown
    assert re.search(r"http://127\.0\.0\.1:\d+/console/sign-in\?to=/console/about", said)
    for person in PEOPLE:
        assert re.search(rf"{re.escape(person.id)} +[a-z0-9-]{{29}} +[A-Z2-7]{{32}}\n", said)
    assert f"{VICTIMS} victims" in said
    assert "Somebody who came back: http" in said
    assert re.search(r"Pin this key there first: 127\.0\.0\.1:\d+/logs/operation-provide\+[0-9a-f]{8}\+\S+\n", said)


def test_the_evaluation_was_opened_with_what_was_loaded_and_today_beside_it(shown: tuple[Path, str]) -> None:
    directory, said = shown
    assert f"{VICTIMS} victims, {Shares(VICTIMS).engaged} engaged" in said
    services, now = open_services(Settings(data_dir=directory)), datetime.now(UTC)
    try:
        found = make_here(services, LOG, Asked(Period.closed(now))).report
        since = make_here(services, LOG, Asked(Period.unfinished(now))).report
    finally:
        services.close()
    assert found.edition.counted < now, "as the page gave it"
    assert found.tables.referred[-1][-1] == VICTIMS
    known = truth(plan(Period.closed(now).last_instant, victims=VICTIMS))
    assert wrong(found.tables, known, shipped().content.areas) == []
    assert since.tables.referred[-1][-1] == len(CASES) + 2


def test_the_pages_of_everybody_answer(shown: tuple[Path, str]) -> None:
    _, said = shown
    answered = set(re.findall(r"^  (\S+) +(/console\S+) +\d+ ms$", said, re.MULTILINE))
    assert {person for person, _ in answered} == {one.id for one in PEOPLE}
    for path in ("/console/worklist", "/console/officer", "/console/auditor", "/console/operator"):
        assert any(path == one for _, one in answered), path
    assert any(one.startswith("/console/referrals/") for _, one in answered)


def test_neither_the_servers_log_nor_the_database_holds_anybody_of_the_day(shown: tuple[Path, str]) -> None:
    directory, _ = shown
    for file in (directory / "server.log", *directory.glob("*.sqlite3*")):
        content = file.read_bytes()
        for word in (b"Ashdown", b"Harbottle", b"07700 900", b"01632 960", b"She is at work until four"):
            assert word not in content, f"{file.name} holds {word!r}"
    assert '"level":"error"' not in (directory / "server.log").read_text()


def test_everybody_of_the_demonstration_can_be_who_they_are() -> None:
    for person in PEOPLE:
        check(person)
    assert {role for person in PEOPLE for role in person.roles} == set(Role) - {Role.SAFEGUARDING}


def test_the_code_of_the_half_minute_before_leaves_the_one_of_now_to_a_visitor() -> None:
    account = Account(PEOPLE[0], "", totp.made())
    now = 1_800_000_000.0
    used = totp.step_of(account.secret, account.code_at(now - totp.STEP_SECONDS), now, None)
    assert totp.step_of(account.secret, account.code_at(now), now, used) is not None


def test_there_are_numbers_for_the_day_beside_those_of_the_years() -> None:
    assert MOST_VICTIMS + len(CASES) <= MOST
    done = CliRunner().invoke(app, ["demo", "--console", "--once", "--victims", str(MOST_VICTIMS + 1)])
    assert done.exit_code == 2
    assert f"at most {MOST_VICTIMS}" in done.stderr
