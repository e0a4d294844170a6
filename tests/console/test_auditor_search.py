"""The auditor's overview, search and entry, without scripts: they show what is in the log, and each look is sealed."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import orjson
import pytest
from lxml import html

from audit.receipt import Receipt
from audit.tree import leaf_hash
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from tests.journeys.support import pushed, sealed, size
from tests.support.console import ADVISER, AUDITOR, ConsoleClient, signed_in
from tests.support.world import World

AT = "/console/auditor"


@pytest.fixture(scope="module")
def auditor(world: World) -> ConsoleClient:
    """An auditor, and a log in which a referral was taken in and read."""
    _, referral = pushed(world)
    assert world.hospital.get(f"/fhir/R4/Task/{referral}").status_code == 200
    return signed_in(world, AUDITOR)


def shown(page: httpx.Response) -> list[int]:
    """The entries of a page, as it lists them."""
    assert page.status_code == 200, page.text
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    return [int(link.rpartition("/")[2]) for link in tree.xpath("//main//tbody//a/@href")]


@pytest.mark.parametrize("path", ["", "/entries", "/entries/0", "/entries/0/entry.json"])
def test_every_look_is_sealed_in_the_log_it_is_of_before_it_is_shown(
    world: World, auditor: ConsoleClient, path: str
) -> None:
    before = size(world, LOG)
    answer = auditor.get(AT + path)
    (entry,) = sealed(world, LOG, before)
    assert (entry.event, entry.reason, entry.actor.user) == ("log-read", "audit", AUDITOR.id)
    assert answer.status_code == 200
    if path != "/entries/0/entry.json":
        assert f"Sealed as entry {before}" in " ".join(html.document_fromstring(answer.text).text_content().split())  # type: ignore[no-untyped-call]  # lxml has no types


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"operation": "disclosure"},
        {"outcome": "denied"},
        {"event": "referral-read"},
        {"organisation": "RXL"},
        {"recipient": "RXL"},
        {"user": "idva-0042"},
        {"clause": "F1-referral"},
        {"item": "victim.name"},
        {"item": "victim.name", "fate": "withheld"},
        {"item": "victim.name", "operation": "disclosure"},
        {"event": "referral-read", "outcome": "permitted"},
        {"until": "2001-01-01"},
        {"since": "2001-01-01"},
    ],
)
def test_a_search_finds_what_a_reading_of_the_whole_log_finds(
    world: World, auditor: ConsoleClient, asked: Mapping[str, str]
) -> None:
    upto = size(world, LOG)
    expected = [one.idx for one in world.entries()[:upto] if _has(orjson.loads(one.body), asked)]
    found, address = [], f"{AT}/entries?{httpx.QueryParams(dict(asked))}"
    while address:
        page = auditor.get(address)
        found += shown(page)
        tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
        address = next(iter(tree.xpath("//a[contains(., 'Older entries')]/@href")), "")
    assert [one for one in found if one < upto] == expected[::-1]


def _has(said: dict[str, object], asked: Mapping[str, str]) -> bool:
    actor, items = said["actor"], said["items"]
    assert isinstance(actor, dict)
    assert isinstance(items, dict)
    fates = [asked["fate"]] if "fate" in asked else list(items)
    values: Mapping[str, object] = {
        "operation": said["operation"],
        "outcome": said["outcome"],
        "event": said["event"],
        "organisation": actor["organisation"],
        "user": actor["user"],
    }
    told = {one["organisation"] for one in said["recipients"]}  # type: ignore[attr-defined]  # plain JSON
    return all(
        (name not in values or values[name] == value)
        and (name != "recipient" or value in told)
        and (name != "clause" or value in said["clauses"])  # type: ignore[operator]  # plain JSON
        and (name != "item" or any(value in items[fate] for fate in fates))
        and (name != "until")
        for name, value in asked.items()
    )


def test_the_counts_beside_a_search_are_those_of_the_log(world: World, auditor: ConsoleClient) -> None:
    upto = size(world, LOG)
    page = auditor.get(f"{AT}/entries", params={"organisation": "RXL"})
    said = [orjson.loads(one.body) for one in world.entries()[:upto]]
    reads = sum(one["actor"]["organisation"] == "RXL" and one["operation"] == "consultation" for one in said)
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    assert f"Consultation {reads}" in " ".join(tree.text_content().split())


def test_a_page_of_newer_entries_leads_back_to_the_one_before(world: World, auditor: ConsoleClient) -> None:
    while size(world, LOG) < 110:
        auditor.get(AT)
    first = auditor.get(f"{AT}/entries", params={"before": 105})
    links = html.document_fromstring(first.text).xpath("//nav[@aria-label='Pages of entries']//a/@href")  # type: ignore[no-untyped-call]  # lxml has no types
    older = auditor.get(links[1])
    back = html.document_fromstring(older.text).xpath("//a[contains(., 'Newer entries')]/@href")[0]  # type: ignore[no-untyped-call]  # lxml has no types
    assert shown(first) == list(range(104, 54, -1))
    assert shown(older) == list(range(54, 4, -1))
    assert shown(auditor.get(back)) == shown(first)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"operation": "gossip"}, "Choose the kind of act"),
        ({"since": "yesterday"}, "The first day must be a real date"),
        ({"user": "two words"}, "Enter the member of staff, without spaces"),
        ({"nonsense": "1"}, "This form has changed"),
    ],
)
def test_a_filter_that_is_none_is_said_beside_it(auditor: ConsoleClient, asked: dict[str, str], words: str) -> None:
    answer = auditor.get(f"{AT}/entries", params=asked)
    assert answer.status_code == 422
    assert words in answer.text


def test_an_entry_is_shown_with_the_very_bytes_that_are_the_leaf(world: World, auditor: ConsoleClient) -> None:
    before = next(one for one in world.entries() if b'"referral-read"' in one.body)
    tree = html.document_fromstring(auditor.get(f"{AT}/entries/{before.idx}").text)  # type: ignore[no-untyped-call]  # lxml has no types
    assert tree.get_element_by_id("own-entry").text_content().encode() == before.body
    proof = Receipt.from_text(tree.get_element_by_id("own-proof").text_content())
    checkpoint = proof.verify(world.services.signer(LOG).verifier)
    assert (proof.index, proof.leaf) == (before.idx, leaf_hash(before.body))
    assert checkpoint.size == size(world, LOG)
    words = " ".join(tree.text_content().split())
    assert "The server says it is good" in words
    assert "Victim's name" in words or "victim" in words


def test_the_files_of_an_entry_are_what_the_offline_check_reads(world: World, auditor: ConsoleClient) -> None:
    body = auditor.get(f"{AT}/entries/2/entry.json")
    assert body.content == world.entries()[2].body
    proof = auditor.get(f"{AT}/entries/2/proof")
    assert "attachment" in proof.headers["content-disposition"]
    assert Receipt.from_text(proof.text).verify(world.services.signer(LOG).verifier).size == size(world, LOG)


def test_hashes_alone_are_not_sealed_and_a_size_that_was_never_reached_is_not_found(
    world: World, auditor: ConsoleClient
) -> None:
    before = size(world, LOG)
    assert auditor.get(f"{AT}/consistency", params={"first": 1, "second": 3}).json()["second"] == 3
    assert auditor.get(f"{AT}/consistency", params={"first": 1, "second": 10**9}).status_code == 404
    assert auditor.get(f"{AT}/consistency", params={"first": 0, "second": 3}).status_code == 404
    assert size(world, LOG) == before


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_an_export_holds_what_the_search_finds_and_is_sealed_as_one(
    world: World, auditor: ConsoleClient, form: str
) -> None:
    before = size(world, LOG)
    answer = auditor.get(f"{AT}/entries/export", params={"event": "referral-read", "format": form})
    (entry,) = sealed(world, LOG, before)
    assert (entry.event, entry.operation) == ("log-exported", "disclosure")
    lines = answer.text.splitlines()[1 if form == "csv" else 0 :]
    assert len(lines) == sum(b'"event":"referral-read"' in one.body for one in world.entries())
    assert auditor.get(f"{AT}/entries/export", params={"item": "victim.name"}).status_code == 400


@pytest.mark.parametrize("path", ["", "/entries", "/entries/1", "/entries/1/proof", "/consistency?first=1&second=2"])
def test_the_log_is_the_auditor_s_own_alone(world: World, auditor: ConsoleClient, path: str) -> None:
    """Of another role it is as good as none, and of another agreement too; both are sealed as refused."""
    assert auditor.get(AT).status_code == 200
    nothing = signed_in(world, AUDITOR, agreement="another-agreement")
    for client in (signed_in(world, ADVISER), nothing):
        before, start = size(world, OPERATOR_LOG), size(world, LOG)
        assert client.get(AT + path).status_code == 404
        assert [one.event for one in sealed(world, OPERATOR_LOG, before)] == ["access-refused"]
        assert size(world, LOG) == start
