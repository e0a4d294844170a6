"""Every call of a commit fails once: SQLite's writes, syncs, truncations and openings, one after another.

The gateway runs in this process over a `Disk`. An act (taking in, disclosing, changing) is asked with its first call
failing, then its second, and so on until an act makes fewer calls than that. After each the files are looked at as a
crash would have left them, and the same request is sent again.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import httpx
import orjson
from sqlalchemy import event

from audit.note import Verifier
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.store.database import Database
from tests.faults.account import Account, look, settle
from tests.faults.disk import Disk, Images, Way
from tests.faults.ledger import Ledger
from tests.faults.load import JSON_API, JSON_PATCH
from tests.faults.vfs import watching
from tests.support.world import URL, World, copy_template, open_world, settings_for

CHECKPOINTS = 0.3  # how often, between two points, the write-ahead log is emptied: it must not grow for ever
TRIES = 3  # a request that was refused while the disk failed must be answered soon after it works again


class Act(StrEnum):
    """What is asked."""

    TAKE_IN = "take in"
    DISCLOSE = "disclose"
    CHANGE = "change"


class Stage(StrEnum):
    """What SQLite does beside the commit."""

    COMMIT = "commit"
    CHECKPOINT = "commit and checkpoint"
    REOPEN = "close, open and commit"


@dataclass(frozen=True)
class Calls:
    """One series: every `step`-th call of an act, beginning with the first, fails this way, once or from then on."""

    act: Act
    stage: Stage
    way: Way
    persistent: bool
    seed: int
    step: int = 1
    first: int = 0


@dataclass
class Series:
    """What came of it. `calls` is how many calls the act makes when nothing fails."""

    plan: Calls
    account: Account
    points: int = 0
    failed: int = 0
    calls: int = 0
    refused: int = 0

    @property
    def passed(self) -> bool:
        """Whether every promise held, and something did fail."""
        return self.account.clean and self.failed > 0


def run(plan: Calls, template: Path) -> Series:
    """Run a series in a copy of the prepared world."""
    with tempfile.TemporaryDirectory(prefix="provide-calls-") as folder:
        data_dir = Path(folder).resolve() / "data"
        copy_template(template, data_dir, with_database=True)
        disk = Disk(data_dir)
        with watching(disk):
            world = open_world(settings_for(data_dir, token_lifetime_seconds=3600))
            try:
                return _Series(plan, world, disk, Path(folder).resolve() / "image").run()
            finally:
                world.close()


@dataclass
class _Series:
    plan: Calls
    world: World
    disk: Disk
    folder: Path
    ledger: Ledger = field(default_factory=Ledger)
    misses: list[str] = field(default_factory=list)
    serial: int = 0
    looks: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.plan}")
        self.verifier: Verifier = self.world.services.signer(LOG).verifier
        self.auditor = self.world.auditor  # all sign in before anything fails
        pages = 1 if self.plan.stage is Stage.CHECKPOINT else 0
        writer = self.world.services.database.writer
        event.listen(writer, "connect", lambda raw, _: raw.execute(f"PRAGMA wal_autocheckpoint={pages}"))
        writer.dispose()

    def run(self) -> Series:
        """1. Act without a fault. 2. Fail call after call. 3. Hold the gateway to account."""
        self._ask(self._push(self._next()))
        series = Series(self.plan, Account())
        at = self.plan.first
        while self._point(at, series):
            at += self.plan.step
        series.calls = len(self.disk.calls)
        series.refused = self.ledger.statuses[httpx.codes.SERVICE_UNAVAILABLE]
        series.account = self._settled()
        series.account.misses += self.misses
        series.account.looks += self.looks
        return series

    def _point(self, at: int, series: Series) -> bool:
        """Fail one call; False where the act makes fewer."""
        plan = self.plan
        request = self._request()
        if self.chance.random() < CHECKPOINTS:
            self._checkpoint()
        seen = self.ledger.snapshot()
        self.disk.arm(at, plan.way, self.chance, persistent=plan.persistent)
        if plan.stage is Stage.REOPEN:
            self.world.services.database.writer.dispose()
            self.world.services.database.reader.dispose()
        self._ask(request)
        left = [self.disk.images(self.chance)]
        if plan.persistent and self.disk.fired:
            self._ask(request)
            left.append(self.disk.images(self.chance))
        cut = self.disk.cut
        failed = self.disk.disarm()
        if not failed:
            return False
        before = len(self.misses)
        for images in left:
            self._look(images, self.ledger)
        if cut is not None:
            self._look(cut, seen)
        if not any(self._served(self._ask(request)) for _ in range(TRIES)):
            self.misses.append("a request was still refused when nothing failed any more")
        now = self.disk.images(self.chance)
        self._look({"power": now["power"]}, self.ledger)
        how = f"{plan.way}{', persistent' if plan.persistent else ''}"
        where = f"call {at} ({self.disk.calls[at]}) of {plan.act}, {plan.stage}, {how}"
        self.misses[before:] = [f"{where}: {miss}" for miss in self.misses[before:]]
        series.points += 1
        series.failed += failed
        return True

    def _request(self) -> httpx.Request:
        """The next request of the act."""
        if self.plan.act is Act.TAKE_IN:
            return self._push(self._next())
        hospital = self.world.hospital.http
        if self.plan.act is Act.DISCLOSE:
            known = self.ledger.pushed[self.serial].referrals[0]
            asked = {"_id": known, "_include": "ServiceRequest:subject"}
            return hospital.build_request("GET", "/fhir/R4/ServiceRequest", params=asked)
        self._ask(self._push(self._next()))
        known = self.ledger.pushed[self.serial].referrals[0]
        return hospital.build_request(
            "PATCH",
            f"/fhir/R4/Task/{known}",
            content=orjson.dumps([{"op": "replace", "path": "/status", "value": "accepted"}]),
            headers={"If-Match": 'W/"1"', "Content-Type": JSON_PATCH},
        )

    def _checkpoint(self) -> None:
        with self.world.services.database.reader.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _next(self) -> int:
        self.serial += 1
        return self.serial

    def _push(self, serial: int) -> httpx.Request:
        headers = {"Content-Type": JSON_API, "Idempotency-Key": f"push-{serial}"}
        return self.world.police.http.build_request(
            "POST", "/police/v1/incidents", json=incident(serial), headers=headers
        )

    def _ask(self, request: httpx.Request) -> httpx.Response:
        """Send a request once and note its answer; what is neither done nor 503 is a miss."""
        client = self.world.police.http if request.method == "POST" else self.world.hospital.http
        answer = client.send(request)
        self.ledger.whole(answer)
        if answer.is_success and request.method == "POST":
            self.ledger.push(self.serial, request.headers["Idempotency-Key"], answer)
        elif answer.is_success and request.method == "PATCH":
            self.ledger.changed[answer.json()["id"]] = 2
        elif not self._served(answer) and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            self.misses.append(f"{request.method} {request.url.path} was answered {answer.status_code}")
        return answer

    def _served(self, answer: httpx.Response) -> bool:
        """Done now, or done before: a change that was confirmed has moved the version on."""
        known = answer.request.url.path.rpartition("/")[2]
        before = answer.status_code == httpx.codes.PRECONDITION_FAILED and known in self.ledger.changed
        return answer.is_success or before

    def _look(self, images: Images, ledger: Ledger) -> None:
        """Open the database from each image, as the gateway would after a crash."""
        for kind, files in images.items():
            folder = self.folder / f"{self.looks}-{kind}"
            folder.mkdir(parents=True)
            for name, content in files.items():
                (folder / name).write_bytes(content)
            database = Database(f"sqlite:///{folder / 'gateway.sqlite3'}")
            try:
                found = look(database, ledger, self.verifier)
            finally:
                database.close()
            shutil.rmtree(folder)
            self.misses += [f"after a crash ({kind}): {miss}" for miss in found.misses]
            self.looks += not found.misses

    def _settled(self) -> Account:
        world = self.world
        pack = self.auditor.get(f"/audit/v1/logs/{LOG}/pack").content
        authorization = {"Authorization": world.police.http.headers["Authorization"]}

        async def settled() -> Account:
            transport = httpx.ASGITransport(world.app)
            async with httpx.AsyncClient(transport=transport, base_url=URL, headers=authorization) as client:

                async def push(serial: int) -> httpx.Response:
                    answer = await client.send(self._push(serial))
                    self.ledger.whole(answer)
                    if answer.is_success:
                        self.ledger.push(serial, f"push-{serial}", answer)
                    return answer

                return await settle(world.services.settings, self.ledger, push, self.verifier.text, pack)

        return world.run(settled())
