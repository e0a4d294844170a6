"""The webhook end to end: `gateway serve` as a process, a force's receiver over real TLS, and what comes between them.

The receiver checks each push as a stranger would who has read RFC 9421 and RFC 9530 and has the published keys: with
nothing of ours and no library of signatures. Time is turned by the test, so that waits of hours pass at once; what it
waits for is a request that arrived, or a line that the gateway said.
"""

from __future__ import annotations

import base64
import hashlib
import multiprocessing
import os
import queue
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.cli import main
from gateway.demo.client import Client, key_of
from gateway.demo.incidents import incident
from gateway.demo.run import ADVISER, GUARDIAN, LOG, OFFICER
from gateway.demo.setting import STOP_SECONDS, environment, free_port, settings_of, wait_ready
from gateway.logs import Line
from gateway.settings import Settings
from tests.faults import skewed
from tests.support.forked import Forked
from tests.support.receiver import HANG, Got, Receiver, receiver
from tests.support.world import copy_template

PATIENCE_SECONDS = 60  # of anything that is waited for; on an idle machine it comes within three
HOUR, LEASE_AND_MORE = 3600, 150
TRIES = 6
COVERED: Final = ("@method", "@target-uri", "content-type", "content-digest", "idempotency-key")


_PARAMETER = re.compile(r';([a-z]+)=(?:"([^"]*)"|([0-9]+))')


class Forged(Exception):
    """A request that is not what the gateway signed."""


@dataclass
class Force:
    """A receiver's judgement: whether a request is the gateway's, whole, meant for this address, and new."""

    address: str
    keys: Mapping[str, Ed25519PublicKey]
    nonces: set[str] = field(default_factory=set)
    deliveries: set[str] = field(default_factory=set)

    def take(self, got: Got, now: float) -> bool:
        """Whether the word in a request is one not had before. Raises Forged. RFC 9421 sections 2.5 and 3.2."""
        headers = got.headers
        label, _, said = headers["signature-input"].partition("=")
        inner = re.fullmatch(r"\(([^)]*)\)((?:;[a-z]+=(?:\"[^\"]*\"|[0-9]+))+)", said)
        if inner is None:
            raise Forged("signature-input")
        names = re.findall(r'"([^"]+)"', inner[1])
        about = {
            name: text or number for name, text, number in re.findall(r';([a-z]+)=(?:"([^"]*)"|([0-9]+))', inner[2])
        }
        if not set(COVERED) <= set(names) or about["alg"] != "ed25519" or about["tag"] != "provide-gateway-feedback":
            raise Forged("what is covered")
        if abs(int(about["created"]) - now) > 300:
            raise Forged("created")
        digest = base64.b64encode(hashlib.sha256(got.body).digest()).decode()
        if headers["content-digest"] != f"sha-256=:{digest}:":  # RFC 9530 section 2
            raise Forged("content-digest")
        derived = {"@method": got.method, "@target-uri": self.address}
        base = "".join(f'"{name}": {derived.get(name) or headers[name].strip()}\n' for name in names)
        base += f'"@signature-params": {said}'
        signature = re.fullmatch(rf"{label}=:([A-Za-z0-9+/=]+):", headers["signature"])
        if signature is None or about["keyid"] not in self.keys:
            raise Forged("signature")
        try:
            self.keys[about["keyid"]].verify(base64.b64decode(signature[1]), base.encode())
        except InvalidSignature:
            raise Forged("signature") from None
        if about["nonce"] in self.nonces:
            raise Forged("a replay")
        self.nonces.add(about["nonce"])
        fresh = headers["idempotency-key"] not in self.deliveries
        self.deliveries.add(headers["idempotency-key"])
        return fresh


class Gateway:
    """`gateway serve` with a clock that can be turned; its log is read as it is written."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ahead = 0
        self._clock = settings.data_dir / "clock"
        self._clock.write_text("0")
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._process: Forked | None = None

    def start(self) -> None:
        """Start, and return when it answers."""
        port = self.settings.public_url.rpartition(":")[2]
        variables = environment(self.settings) | {skewed.VARIABLE: str(self._clock)}
        here, there = multiprocessing.Pipe(duplex=False)
        self._process = Forked(skewed.main, ["serve", "--port", port], variables, there)
        there.close()
        threading.Thread(target=self._read, args=(here,), daemon=True).start()
        wait_ready(self.settings.public_url, self._process, self._clock)

    def turn(self, seconds: int) -> None:
        """Set its clock ahead by so much more; 0 sets it right."""
        self.ahead = self.ahead + seconds if seconds else 0
        fresh = self._clock.with_suffix(".next")
        fresh.write_text(str(self.ahead))
        fresh.replace(self._clock)

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def said(self, kind: Line) -> dict[str, Any]:
        """The next line of the log of this kind."""
        while True:
            line = self._lines.get(timeout=PATIENCE_SECONDS)
            if line.get("line") == kind.name:
                return line

    def command(self, *arguments: str) -> None:
        """Run `gateway` as its operator does."""
        said = self.settings.data_dir / "commands.log"
        assert Forked(main, arguments, environment(self.settings), said).wait() == 0, said.read_text()

    def _read(self, said: Connection) -> None:
        with os.fdopen(os.dup(said.fileno()), "rb") as lines:
            said.close()
            for line in lines:
                if line.startswith(b"{"):
                    self._lines.put(orjson.loads(line))


@dataclass
class Case:
    """A gateway that serves, who speaks to it, and the force's receiver."""

    gateway: Gateway
    police: Client
    hospital: Client
    guardian: Client
    receiver: Receiver
    force: Force
    serial: int = 900_000

    def say(self) -> str:
        """Have police push an incident and the team accept it, which is a word to police; returns the referral."""
        self.serial += 1
        media = {"Content-Type": "application/vnd.api+json"}
        answer = self.police.post("/police/v1/incidents", json=incident(self.serial), headers=media)
        task: str = answer.raise_for_status().json()["referrals"][0]["reference"]
        accepted = [{"op": "replace", "path": "/status", "value": "accepted"}]
        self.hospital.change(f"/fhir/R4/Task/{task}", lambda _: accepted).raise_for_status()
        return task

    def next(self) -> Got:
        """The next request that arrives."""
        assert self.receiver.arrived.wait(PATIENCE_SECONDS)
        self.receiver.arrived.clear()
        return self.receiver.got[-1]

    def judged(self, got: Got) -> bool:
        """Whether the force takes it for new. Raises Forged."""
        return self.force.take(got, time.time() + self.gateway.ahead)


@contextmanager
def served(prepared_world: Path, folder: Path) -> Iterator[Case]:
    """A gateway as a process, with the endpoint of `demo-rms` registered by the command line."""
    settings = settings_of(folder / "data", free_port(), token_lifetime_seconds=HOUR)
    copy_template(prepared_world, settings.data_dir, with_database=True)
    gateway = Gateway(settings)
    with ExitStack() as stack:
        made = stack.enter_context(receiver(folder))
        (folder / "ca.pem").write_text(made.ca)
        gateway.command(
            *("webhook", "add", "demo-rms", "--url", made.url, "--agreement", LOG),
            *("--person", "dc-4411", "--ca", str(folder / "ca.pem")),
        )
        stack.callback(gateway.kill)
        gateway.start()
        signed_in = []
        for name, user in (("demo-rms", OFFICER), ("demo-hospital", ADVISER), ("demo-guardian", GUARDIAN)):
            key = key_of(settings.data_dir / "clients" / f"{name}.pem")
            signed_in.append(stack.enter_context(Client(settings.public_url, name, key, user)))
            signed_in[-1].sign_in()
        published = httpx.get(f"{settings.public_url}/.well-known/jwks.json").json()["keys"]
        keys = {one["kid"]: _public(one["x"]) for one in published if one["kty"] == "OKP"}
        police, hospital, guardian = signed_in
        yield Case(gateway, police, hospital, guardian, made, Force(made.url, keys))


def _public(x: str) -> Ed25519PublicKey:
    """The key of a JWK (RFC 8037 section 2)."""
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=" * (-len(x) % 4)))


def test_a_force_is_told_over_tls_and_can_tell_who_told_it(prepared_world: Path, tmp_path: Path) -> None:
    """What was altered, was meant for another or is shown twice is none.

    A gateway that is killed before it heard the answer tells it again under the same id. What six tries could not bring
    lies with a human, and is there to be pulled.
    """
    with served(prepared_world, tmp_path) as case:
        # 1. One word, taken.
        task = case.say()
        got = case.next()
        assert case.judged(got)
        assert (got.json["referral"], got.json["code"]) == (task, "acknowledged")
        _forgeries(case, got)

        # 2. Killed between the word and its answer: it comes again, is known, and is settled.
        case.receiver.script.append(HANG)
        task = case.say()
        first = case.next()
        assert case.judged(first)
        case.gateway.kill()
        case.receiver.let_go.set()
        case.gateway.start()
        case.gateway.turn(LEASE_AND_MORE)
        again = case.next()
        assert not case.judged(again)
        assert again.json["referral"] == first.json["referral"] == task
        assert again.headers["idempotency-key"] == first.headers["idempotency-key"]
        assert again.headers["signature"] != first.headers["signature"]

        # 3. Six times not taken, then no seventh: a human of the team has it, and the force can still pull it.
        case.gateway.turn(0)
        case.receiver.script.extend([503] * TRIES)
        task = case.say()
        tries = []
        for number in range(TRIES):
            tries.append(case.next())
            assert case.judged(tries[-1]) == (number == 0)
            line = case.gateway.said(Line.PUSH_FAILED)
            assert line["why"] == "status-503"
            case.gateway.turn(2 * HOUR)
        assert {one.headers["idempotency-key"] for one in tries} == {tries[0].headers["idempotency-key"]}
        case.gateway.turn(0)
        found = case.guardian.get("/governance/v1/outstanding").raise_for_status().json()["notices"]
        (notice,) = [one for one in found if one["case"] == task]
        assert (notice["kind"], notice["to"]["recipient"]) == ("undelivered", "idva-team")
        page = case.police.get("/police/v1/feedback").raise_for_status().json()["feedback"]
        assert task in {one["referral"] for one in page}

        # 4. The next word goes as if nothing had been, and none of the others with it.
        task = case.say()
        assert (case.next().json["referral"], len(case.receiver.got)) == (task, 1 + 2 + TRIES + 1)


def _forgeries(case: Case, got: Got) -> None:
    """The same request, altered in each thing that matters: none passes."""
    with pytest.raises(Forged, match="replay"):
        case.judged(got)
    elsewhere = Force("https://elsewhere.example/feedback", case.force.keys)
    with pytest.raises(Forged, match="signature"):
        elsewhere.take(got, time.time())
    with pytest.raises(Forged, match="created"):
        Force(case.force.address, case.force.keys).take(got, time.time() + HOUR)
    altered = [
        Got(got.method, got.path, got.headers, got.body.replace(b"acknowledged", b"engaged")),
        Got("PUT", got.path, got.headers, got.body),
        *(Got(got.method, got.path, {**got.headers, name: "text/plain"}, got.body) for name in COVERED[2:]),
        Got(got.method, got.path, _with(got, "signature-input", 'tag="', 'tag="x'), got.body),
        Got(got.method, got.path, _with(got, "signature-input", 'nonce="', 'nonce="x'), got.body),
        Got(got.method, got.path, _with(got, "signature-input", '"content-digest" ', ""), got.body),
    ]
    for one in altered:
        with pytest.raises(Forged):
            Force(case.force.address, case.force.keys).take(one, time.time())


def _with(got: Got, name: str, old: str, new: str) -> dict[str, str]:
    return {**got.headers, name: got.headers[name].replace(old, new)}
