"""N3: whoever told police is in no byte that a recipient or an auditor gets, whichever field they were written into.

Every free text of a document names one source, and so do names, attachments and members that no profile reads. Then
every channel of the gateway is used, and what it answers, what it logs and what it seals is searched for the source.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.agreement import parse
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from gateway.logs import JsonLines
from gateway.oversight.standing import Supposed
from gateway.workbench.samples import sampled
from gateway.workbench.trying import try_on
from mappings.profile import profile
from tests.journeys import channels, support
from tests.journeys.channels import CALLS, Case, case
from tests.journeys.support import world_on
from tests.journeys.test_only_what_a_clause_names import everything_read, kept
from tests.support.world import World

SOURCE = "Zylphina"
TELLS = f"Neighbour {SOURCE} heard it all."
PLAIN = "The victim was pushed down the stairs."


def told(serial: int, **options: Any) -> dict[str, Any]:
    """An incident in which every text has a sentence about the source, and the summary a plain one too."""
    document = incident(serial, description=f"{PLAIN} {TELLS}", **options)
    data = document["data"]
    data["attributes"] |= {"noteOfTheProfileUnread": TELLS, "callDetails": {"informant": TELLS}}
    people = {one["id"]: one["attributes"] for one in document["included"] if one["type"] == "person"}
    links = data["relationships"]
    reporter, suspect = (links[role]["data"][0]["id"] for role in ("personReporting", "suspect"))
    people[reporter] |= {"surname": SOURCE, "formerSurname": SOURCE, "givenName": [SOURCE], "aliases": [SOURCE]}
    people[suspect]["personDescription"] = f"Tall, as {SOURCE} says"
    for one in document["included"]:
        if one["type"] == "riskAssessment":
            for answer in one["attributes"]["answers"]:
                answer["text"] = TELLS
        elif one["type"] == "consent":
            one["attributes"]["reason"] = TELLS
        elif one["type"] == "personRelationship":
            one["attributes"]["note"] = TELLS
    for name, type_, attributes in (
        ("order", "order", {"orderType": "bail", "conditions": f"Not to contact {SOURCE}.", "expires": "2026-05-10"}),
        ("maracCriterion", "maracCriterion", {"criterion": "professional-judgement", "met": True, "text": TELLS}),
        ("attachment", "attachment", {"kind": "photograph", "fileName": f"{SOURCE}.jpg", "description": TELLS}),
    ):
        document["included"].append({"id": name, "type": type_, "attributes": attributes})
        links[name] = {"data": [{"id": name, "type": type_}]}
    document["included"][-3]["relationships"] = {"suspect": {"data": [{"id": suspect, "type": "person"}]}}
    return document


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One engine is enough: what is withheld is decided above it."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("source") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def lines() -> Iterator[list[str]]:
    """What the process writes meanwhile."""
    kept: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(JsonLines().format(record))

    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield kept
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="module")
def known(world: World, lines: list[str]) -> Case:
    """A case whose every record was pushed with the source in it."""
    assert lines == [] or lines
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(support, "incident", told)
        patch.setattr(channels, "incident", told)
        return case(world)


def holds_nothing(where: str, content: bytes) -> None:
    at = content.lower().find(SOURCE.lower().encode())
    assert at < 0, f"{where} tells the source: {content[max(0, at - 80) : at + 40]!r}"


def test_the_record_holds_the_source_in_each_of_those_places(world: World, known: Case) -> None:
    """Or the tests below find nothing because nothing is there."""
    record = kept(world, known.task)
    apart = [s.text or "" for s in record.statements if s.topic == "third-party"]
    assert sum(SOURCE in text for text in apart) >= 10
    assert [s.text for s in record.statements if s.topic == "summary"] == [PLAIN]
    assert SOURCE in repr([p.names for p in record.people])


def test_no_resource_of_the_referral_tells_the_source(world: World, known: Case) -> None:
    read = everything_read(world, known.task)
    holds_nothing("a resource", read)
    assert PLAIN.encode() in read


def test_no_channel_of_any_recipient_or_auditor_tells_the_source(world: World, known: Case) -> None:
    """Every route of the interface, with what it says of errors, findings, history and evidence."""
    answered = 0
    for (method, path), name, call in CALLS:
        answer: httpx.Response = call(world, known)
        answered += answer.is_success
        holds_nothing(f"{method} {path} ({name})", answer.content)
        holds_nothing(f"the headers of {method} {path}", repr(sorted(answer.headers.items())).encode())
    assert answered > len(CALLS) // 2


def test_what_the_workbench_says_each_recipient_would_get_holds_no_source(tmp_path: Path) -> None:
    path = tmp_path / "sample.json"
    path.write_text(json.dumps(told(1)))
    (one,) = sampled(path, profile("ihub"))
    terms = Supposed(
        parse((Path(__file__).parents[2] / "gateway" / "agreements" / "operation-provide.yaml").read_bytes())
    )
    tried = try_on(one, terms, "04", datetime(2026, 4, 13, 9, tzinfo=UTC))
    shown = tried.to_json(hide=False)
    assert shown["recipients"]
    holds_nothing("what recipients get", json.dumps(shown["recipients"]).encode())
    holds_nothing("what is said of losses and findings", json.dumps({**shown, "record": None}).encode())
    holds_nothing("a sample whose values are hidden", json.dumps(tried.to_json(hide=True)).encode())


def test_no_entry_and_no_log_line_tells_the_source(world: World, known: Case, lines: list[str]) -> None:
    assert known.task
    for log_id in (LOG, OPERATOR_LOG):
        for stored in world.entries(log_id):
            holds_nothing(f"entry {stored.idx} of {log_id}", stored.body)
    assert lines
    holds_nothing("the log", "\n".join(lines).encode())
