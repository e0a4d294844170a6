"""A year of decisions looked at again: a candidate tried on it, its decisions re-derived, its findings.

The log is made by really deciding on random facts under the shipped agreement, and written as an auditor's pack. Facts
differ in area, grade, consent, age, hours and in which items the record holds. The commands then read the file as
anybody who has it would, each in a process of its own.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import pack
from audit.checkpoint import Checkpoint
from audit.entry import AgreementRef, Entry, Operation, timestamp
from audit.note import Signer
from audit.tree import append, leaf_hash, root
from gateway.agreement import Agreement, shipped
from gateway.decide import Decision, Facts, Outcome, decide_on
from gateway.evidence import Caller, Event, act, administration
from gateway.intake import SAFEGUARDING
from gateway.oversight.standing import Supposed
from gateway.searching import Search
from mappings.items import CATALOGUE
from tests.bench.figures import MIB, PER_SECOND, SECONDS, Row
from tests.bench.packs import Leaf

NATIONAL_YEAR = 1_460_000
"""Decisions of one national year, as issue 3 counts them."""
SEED = 20260414
QUESTIONS = 50_000
"""Different facts, each of them drawn many times, with other hours since the event."""
ORIGIN = "bench.test/logs/operation-provide"
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_YEAR = timedelta(days=365)
_STAFF = 3000
_CANDIDATE_ITEM = "victim.ethnicity"
_HAVE_CHILDREN, _IS_FILLED = 0.4, 0.5
_HOURS = 24 * 60  # no condition of the shipped agreement parts the first sixty days
_DAY_HOURS = (7, 22)  # when advisers work; a log of nights would be findings alone


def measure(directory: Path, decisions: int) -> list[Row]:
    """Make a year of so many decisions, look at it three ways, and remove it."""
    agreement = shipped()
    file, candidate = directory / "year.pack", directory / "candidate.yaml"
    candidate.write_bytes(_amended(agreement))
    try:
        _write(file, directory / "entries", agreement, decisions)
        rows: list[Row] = []
        for name, command in (
            ("what_if", ("agreement", "replay", str(candidate))),
            ("rederive", ("agreement", "rederive")),
            ("findings", ("audit", "findings")),
        ):
            seconds, said = _run(*command, "--pack", str(file), "--json")
            _check(name, said, decisions)
            rows += [
                Row(f"{name}_{decisions}", "none", decisions / seconds, PER_SECOND),
                Row(f"{name}_{decisions}_takes", "none", seconds, SECONDS),
            ]
    finally:
        for one in (file, candidate):
            one.unlink(missing_ok=True)
    return [*rows, Row(f"oversight_memory_{decisions}", "none", _peak_mib(), MIB)]


def entries(agreement: Agreement, decisions: int) -> Iterator[Entry]:
    """The activation, and then the decisions, evenly over the year's working hours."""
    order = random.Random(SEED)
    ref = AgreementRef(agreement.id, str(agreement.version), agreement.hash)
    yield administration(Event.AGREEMENT_ACTIVATED, at=timestamp(_BEGAN))._replace(agreement=ref)
    made = [_decision(order, agreement) for _ in range(min(decisions, QUESTIONS))]
    for number in range(decisions):
        facts, types, decision = order.choice(made)
        permitted = decision.outcome is Outcome.PERMITTED
        person = f"idva-{order.randrange(_STAFF)}"
        yield act(
            Event.REFERRAL_READ if permitted else Event.INCIDENT_HELD,
            Operation.DISCLOSURE if permitted else Operation.COLLECTION,
            at=timestamp(_moment(number, decisions)),
            caller=Caller("trust", "RXL", "idva-team", frozenset(), frozenset(), person, "idva"),
            decision=decision,
            facts=facts.asked_by("team", None, order.randrange(_HOURS)),
            case=str(uuid.UUID(int=order.getrandbits(128), version=4)),
            detail={"types": ",".join(types), "version": 1},
        )


def _decision(order: random.Random, agreement: Agreement) -> tuple[Facts, tuple[str, ...], Decision]:
    """Random facts, the types somebody asked for, and the decision."""
    items = sorted(CATALOGUE)
    facts = Facts(
        kind=order.choice(("incident", "incident", "update", "correction")),
        source="04",
        area=order.choice((*agreement.content.areas, None)),
        grade=order.choice(("high", "medium", "standard", None)),
        consent=order.choice(("given", "given", "not-asked", "refused", None)),
        classification="OFFICIAL-SENSITIVE",
        handling=order.choice((None, "P", "C")),
        information_grade=None,
        children=order.random() < _HAVE_CHILDREN,
        hours_since_event=0,
        items=tuple(sorted([*items[::2], *(one for one in items[1::2] if order.random() < _IS_FILLED)])),
        age_band=order.choice(("18-24", "25-34", "35-44", None)),
        relationship="team",
    )
    types = order.choice((("Task",), ("ServiceRequest",), ("ServiceRequest", "Patient"), ("RiskAssessment",)))
    decision = decide_on(facts, "idva-team", SAFEGUARDING, Supposed(agreement), _BEGAN)
    return facts, types, decision.narrow(Search(types=types).items)


def _moment(number: int, decisions: int) -> datetime:
    """The time of a decision: rising, and within working hours."""
    days, within = divmod(number / decisions * _YEAR.days, 1)
    opens, closes = _DAY_HOURS
    return _BEGAN + timedelta(days=int(days), hours=opens + 1 + within * (closes - opens - 2))


def _write(file: Path, scratch: Path, agreement: Agreement, decisions: int) -> None:
    """Write the pack. The entries wait on disk, for a pack begins with the checkpoint that ends them."""
    signer, size = Signer.of(ORIGIN, Ed25519PrivateKey.generate()), 0
    compact: list[bytes] = []
    try:
        with scratch.open("wb") as out:
            for size, entry in enumerate(entries(agreement, decisions), 1):
                body = entry.to_bytes()
                append(compact, size - 1, leaf_hash(body))
                out.write(body + b"\n")
        note = Checkpoint(ORIGIN, size, root(compact)).sign(signer)
        with scratch.open("rb") as kept, file.open("wb") as out:
            leaves = (Leaf(line[:-1], leaf_hash(line[:-1])) for line in kept)
            pack.write(out, signer.verifier, [note], leaves, {agreement.hash: agreement.canonical}.get)
    finally:
        scratch.unlink(missing_ok=True)


def _amended(agreement: Agreement) -> bytes:
    """The next version, which releases one item less."""
    content: dict[str, Any] = orjson.loads(agreement.canonical)
    content["version"] += 1
    for clause in content["clauses"]:
        if _CANDIDATE_ITEM in clause.get("release", ()):
            clause["release"].remove(_CANDIDATE_ITEM)
    return orjson.dumps(content)


def _run(*words: str) -> tuple[float, dict[str, Any]]:
    """A command's seconds and what it says. It must end well."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "gateway", *words], stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - began, json.loads(done.stdout)


def _check(name: str, said: dict[str, Any], decisions: int) -> None:
    """What was measured did its work. Raises ValueError."""
    if name == "what_if":
        right = said["decisions"] == decisions and set(said["by_item"]) == {_CANDIDATE_ITEM}
    elif name == "rederive":
        right = (said["same"], said["different"]) == (decisions, 0)
    else:
        right = said["counts"].keys() >= {"many-cases"}
    if not right:
        raise ValueError(f"{name} did not find what the log holds")


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
