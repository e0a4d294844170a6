"""The demonstration's console: two synthetic years and an open day, served on loopback for a visitor to walk about in.

    1. a directory: keys, database, the agreement in force, systems, and people to sign in as
    2. two synthetic years through the interfaces, then what lies open today
    3. the gateway served; every page of everybody opened once; where to look, printed; until Ctrl-C

Everybody in it is invented. It is for looking, on this machine alone: the embedded provider is for development.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import func, select

from gateway.demo.client import Client, key_of, trusted
from gateway.demo.people import LOG, Account, add_people, code_seconds
from gateway.demo.run import ADVISER, OFFICER, DemoFailed
from gateway.demo.setting import NotReady, free_port, prepare, serving, settings_of
from gateway.demo.today import CASES, Today, bring, call_on
from gateway.demo.visitor import Opened, Visitor
from gateway.duties import keep_clocks, link_people
from gateway.evaluation.period import Period
from gateway.evaluation.synthetic.loading import Loaded, LoadFailed, load
from gateway.evaluation.synthetic.people import MOST
from gateway.evaluation.synthetic.plan import Plan, Shares, plan
from gateway.services import open_services
from gateway.settings import Settings
from gateway.signin.claims import Role
from gateway.store import tables

MOST_VICTIMS = MOST - len(CASES)
"""Each of today has a telephone number of her own too."""
_TOKEN_SECONDS = 240.0  # of five minutes that a token is good for


def run(keep: Path | None, *, victims: int, port: int | None, once: bool) -> None:
    """Prepare, load, serve and wait; with `once` end when every page has answered. Raises DemoFailed."""
    screen = Screen()
    with tempfile.TemporaryDirectory(prefix="provide-demo-") as scratch:
        directory = keep or Path(scratch) / "data"
        settings = settings_of(directory, port or free_port())
        with suppress(KeyboardInterrupt):
            try:
                accounts, key = _prepared(settings, screen)
                with serving(settings) as process:
                    today = _filled(settings, victims, screen)
                    _joined(settings, screen)
                    opened = _looked(settings, accounts, today)
                    _show(screen, settings.public_url, accounts, today, opened, key, victims)
                    if not once:
                        stays = f"The data stays in {keep}." if keep else "Everything is removed then."
                        screen.say("", f"The six figures change every thirty seconds. Ctrl-C ends it. {stays}")
                        _wait(screen, process, accounts)
            except (NotReady, LoadFailed, httpx.HTTPError) as failed:
                raise DemoFailed(str(failed)) from failed
        screen.end()


class Screen:
    """Where a visitor reads: lines, and one that is written over where that is possible."""

    def __init__(self) -> None:
        self._over = sys.stdout.isatty()
        self._open = False
        self._last = ""

    def say(self, *lines: str) -> None:
        """Lines that stay."""
        self.end()
        for line in lines:
            print(line, flush=True)  # noqa: T201 - the demonstration speaks

    def now(self, line: str, *, milestone: bool = True) -> None:
        """How things stand; where nothing can be written over, at milestones alone."""
        if self._over:
            print(f"\r\x1b[K{line}", end="", flush=True)  # noqa: T201 - as above
            self._open = True
        elif milestone and line != self._last:
            print(line, flush=True)  # noqa: T201 - as above
        self._last = line

    def end(self) -> None:
        """Leave the line that is written over as it stands."""
        if self._open:
            print(flush=True)  # noqa: T201 - as above
            self._open = False


def _prepared(settings: Settings, screen: Screen) -> tuple[Sequence[Account], str]:
    """Set everything up; returns who can sign in, and the verifier key of the log."""
    services = open_services(settings)
    try:
        prepare(services, _keys(settings))
        accounts, key = add_people(services), services.signer(LOG).verifier.text
    finally:
        services.close()
    screen.say("The agreement is in force, signed by every party. Six people can sign in.")
    return accounts, key


def _filled(settings: Settings, victims: int, screen: Screen) -> Today:
    """Load the years and the day through the gateway's interfaces."""
    wanted = plan(Period.closed(datetime.now(UTC)).last_instant, victims=victims)
    with (
        Client(settings.public_url, "demo-rms", key_of(_keys(settings) / "demo-rms.pem"), OFFICER) as police,
        Client(settings.public_url, "demo-hospital", key_of(_keys(settings) / "demo-hospital.pem"), ADVISER) as team,
    ):
        team.sign_in()
        call_on(team, datetime.now(UTC).replace(microsecond=0))
        began = time.monotonic()
        done = asyncio.run(_years(wanted, police, team, screen))
        took = time.monotonic() - began
        incidents = sum(done.incidents.values())
        screen.say(
            f"Two synthetic years: {victims:,} victims, {incidents:,} incidents sent by police, {done.acts:,} acts of "
            f"advisers, in {took:.0f} s."
        )
        for one in (police, team):
            one.sign_in()
        today = bring(wanted, police, team, lambda number: screen.now(f"Today: {number} referrals", milestone=False))
    screen.say(f"Today: {today.referrals} referrals, each in another state.")
    return today


async def _years(wanted: Plan, police: Client, team: Client, screen: Screen) -> Loaded:
    """Load a plan, and tell how far it has come."""
    incidents = sum(len(story.incidents) for story in wanted.stories)
    heard = _Heard(screen, incidents)
    async with (
        httpx.AsyncClient(base_url=police.base_url, auth=_Token(police), verify=trusted()) as sending,
        httpx.AsyncClient(
            base_url=team.base_url, auth=_Token(team), verify=trusted(), event_hooks={"response": [heard.acts]}
        ) as working,
    ):
        waiting = asyncio.create_task(heard.wait())
        try:
            return await load(wanted, sending, working)
        finally:
            waiting.cancel()


@dataclass
class _Heard:
    """How far loading has come, by the answers that come in."""

    screen: Screen
    incidents: int
    worked: int = 0

    async def wait(self) -> None:
        """Until the first referral is worked on, tell how long police have been sending."""
        began = time.monotonic()
        while not self.worked:
            seconds = time.monotonic() - began
            words = f"Police send {self.incidents:,} incidents of two years in one batch"
            self.screen.now(f"{words} … {seconds:.0f} s", milestone=seconds < 1)
            await asyncio.sleep(1)

    async def acts(self, answer: httpx.Response) -> None:
        """Another referral was worked on."""
        if answer.request.url.path.endswith("/acts"):
            self.worked += 1
            whole = self.worked * 10 // self.incidents != (self.worked - 1) * 10 // self.incidents
            words = f"Advisers work on {self.worked:,} of {self.incidents:,} referrals"
            self.screen.now(words, milestone=whole)


class _Token(httpx.Auth):
    """A client's token, taken anew before it ends."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._until = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token that is good."""
        if time.monotonic() > self._until:
            self._client.sign_in()
            self._until = time.monotonic() + _TOKEN_SECONDS
        request.headers["Authorization"] = self._client.http.headers["Authorization"]
        yield request


def _joined(settings: Settings, screen: Screen) -> None:
    """Join each victim's incidents and let the clocks of cases run, as the gateway does, but all at once."""
    services = open_services(settings)
    waiting = select(func.count()).select_from(tables.match_event).where(tables.match_event.c.matched_at.is_(None))
    try:
        left = -1
        while left:
            link_people(services)
            with services.database.reading() as connection:
                left = connection.execute(waiting).scalar_one()
            screen.now(f"Incidents that may be of one person are compared: {left:,} left", milestone=False)
        keep_clocks(services)
    finally:
        services.close()


def _looked(settings: Settings, accounts: Sequence[Account], today: Today) -> Sequence[tuple[Account, Opened]]:
    """Sign in as everybody and open their pages."""
    from gateway.console.page import areas_of  # noqa: PLC0415 - loads every template

    found: list[tuple[Account, Opened]] = []
    for account in accounts:
        paths = ["/console/about", *(one.href for one in areas_of(account.person.roles))]
        if Role.ADVISER in account.person.roles:
            paths.append(f"/console/referrals/{today.first}?reason=follow-up")
        with Visitor(settings.public_url, account) as visitor:
            found += [(account, visitor.open(path)) for path in paths]
    return found


def _show(
    screen: Screen,
    url: str,
    accounts: Sequence[Account],
    today: Today,
    opened: Sequence[tuple[Account, Opened]],
    key: str,
    victims: int,
) -> None:
    """One page: where to look, and who to sign in as."""
    from gateway.console.words import words  # noqa: PLC0415 - as above

    shares = Shares(victims)
    screen.say(
        "",
        "Open in a browser:",
        f"    {url}/console/sign-in?to=/console/about",
        "",
        f"{'Sign in as':<22} {'staff ID':<12} {'password':<31} authenticator key",
        *(
            f"{words(one.person.roles[0].value, 'person-role'):<22} {one.person.id:<12} {one.password:<31} {one.secret}"
            for one in accounts
        ),
        "",
        "Where to look, in three minutes:",
        "  Adviser     Worklist: open the first case, with a reason. Risk first, then what is safe; record a contact.",
        f"              {url}/console/referrals/{today.first}",
        *([f"              Somebody who came back: {url}/console/referrals/{today.again}"] if today.again else []),
        "  Officer     What became of the incidents: in codes, and whom she asks to ring.",
        "  Auditor     What you just did as the adviser, as an entry your own browser checks. Nobody's name is in it.",
        f"              Pin this key there first: {key}",
        "  Evaluator   Two years by quarter and area, with small numbers hidden. What was loaded, and must be there:",
        f"              {victims:,} victims, {shares.engaged:,} engaged, {shares.supporting:,} supporting the police, "
        f"{shares.safer:,} of {shares.asked:,} safer.",
        "  Guardian    The agreement; try another version of it on everything that was decided.",
        "  Operator    Something that could not be read waits for a person.",
        "",
        f"{len(opened)} pages answered, the slowest in {max(one.milliseconds for _, one in opened):.0f} ms:",
        *(f"  {account.person.id:<12} {one.path:<60} {one.milliseconds:>6.0f} ms" for account, one in opened),
    )


def _wait(screen: Screen, process: subprocess.Popen[bytes], accounts: Sequence[Account]) -> None:
    """Show the codes of now until somebody stops it. Raises DemoFailed where the gateway ends by itself."""
    while True:
        screen.now("Codes now: " + "   ".join(f"{one.person.id} {one.code}" for one in accounts))
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=code_seconds())
            raise DemoFailed(f"the gateway ended with {process.returncode}")


def _keys(settings: Settings) -> Path:
    return settings.data_dir / "demo-clients"
