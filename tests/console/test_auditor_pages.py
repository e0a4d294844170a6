"""The auditor's other pages: one person's accounting, clauses, findings, witnesses, the pack, and the agreement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lxml import etree, html

from audit import sql as log_sql
from audit.note import Cosigner
from audit.verify import verify
from gateway.agreement import shipped
from gateway.chance import fresh_id
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from gateway.witnesses import AddWitness
from gateway.witnessing import accept
from tests.journeys.support import pushed, sealed, size
from tests.support.console import ADVISER, AUDITOR, GUARDIAN, ConsoleClient, signed_in
from tests.support.world import World

AT = "/console/auditor"
AGREEMENT = "/console/agreement"
PERSON: Mapping[str, Any] = {
    "by": "person",
    "family": "  ashdown ",
    "given": "Marianne",
    "born-day": "3",
    "born-month": "2",
    "born-year": "1991",
    "reason": "subject-access",
}


@pytest.fixture(scope="module")
def auditor(world: World) -> ConsoleClient:
    """An auditor, and a log in which a referral was taken in and read."""
    _, referral = pushed(world)
    assert world.hospital.get(f"/fhir/R4/Task/{referral}").status_code == 200
    return signed_in(world, AUDITOR)


def words(page: httpx.Response) -> str:
    """The words of a page."""
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    return " ".join(" ".join(tree.xpath("//main")[0].itertext()).split())


def links(page: httpx.Response, part: str) -> list[str]:
    """The links of a page to addresses with a part."""
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    return [str(one) for one in tree.xpath("//main//a/@href") if part in one]


PAGES: Mapping[str, str] = {
    f"{AT}/subjects/a-reference": "log-read",
    f"{AT}/clauses": "log-read",
    f"{AT}/clauses/chart.svg": "log-read",
    f"{AT}/findings": "log-read",
    f"{AT}/witnesses": "log-read",
    f"{AT}/pack": "log-read",
    f"{AT}/pack/file": "log-exported",
    AGREEMENT: "agreement-read",
    f"{AGREEMENT}/versions/1": "agreement-read",
    f"{AGREEMENT}/versions/1/text": "agreement-read",
    f"{AGREEMENT}/diff": "agreement-read",
}


@pytest.mark.parametrize(("path", "event"), PAGES.items())
def test_every_page_is_sealed_and_is_the_auditor_s_own(
    world: World, auditor: ConsoleClient, path: str, event: str
) -> None:
    before = size(world, LOG)
    assert auditor.get(path).status_code == 200
    (entry,) = sealed(world, LOG, before)
    assert (entry.event, entry.actor.user) == (event, AUDITOR.id)
    assert entry.reason
    for stranger in (signed_in(world, ADVISER), signed_in(world, AUDITOR, agreement="another-agreement")):
        start, refused = size(world, LOG), size(world, OPERATOR_LOG)
        assert stranger.get(path).status_code == 404
        assert size(world, LOG) == start
        assert [one.event for one in sealed(world, OPERATOR_LOG, refused)] == ["access-refused"]


def test_a_person_s_accounting_is_found_by_name_and_has_every_disclosure(world: World, auditor: ConsoleClient) -> None:
    """Nothing of the person is in an address, or sealed."""
    before = size(world, LOG)
    found = auditor.form(f"{AT}/subjects", PERSON, at="Find references").submit()
    assert found.status_code == 200
    entry = sealed(world, LOG, before)[-1]
    assert (entry.event, entry.operation, entry.reason) == ("subjects-matched", "combination", "subject-access")
    assert not any(b"shdown" in one.body for one in world.entries())
    (address,) = links(found, f"{AT}/subjects/")
    subject = address.rpartition("/")[2].partition("?")[0]
    about = [
        one.idx
        for one in world.entries()
        if (said := one.entry()).operation == "disclosure" and said.outcome == "permitted" and subject in said.subjects
    ]
    page = auditor.get(address)
    assert [int(one.rpartition("/")[2]) for one in links(page, "/entries/") if "export" not in one] == about
    assert len(about) > 0
    assert sealed(world, LOG, size(world, LOG) - 1)[0].reason == "subject-access"
    (export,) = links(page, "/entries/export")
    assert len(auditor.get(export).text.splitlines()) == len(about) + 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"family": ""}, "Enter the family name, first name and date of birth"),
        ({"by": "crime"}, "Enter the reference"),
        ({"born-month": "13"}, "The date of birth must be a real date"),
        ({"given": "x" * 201}, "The first name must be 200 characters or fewer"),
    ],
)
def test_a_person_who_is_not_named_whole_is_not_looked_for(
    world: World, auditor: ConsoleClient, change: Mapping[str, str], said: str
) -> None:
    before = size(world, LOG)
    answer = auditor.form(f"{AT}/subjects", {**PERSON, **change}, at="Find references").submit()
    assert answer.status_code == 422
    assert said in words(answer)
    assert size(world, LOG) == before


@pytest.mark.parametrize("path", [f"{AT}/subjects", f"{AGREEMENT}/try"])
def test_a_form_with_nothing_in_it_is_the_auditor_s_alone(world: World, auditor: ConsoleClient, path: str) -> None:
    before = size(world, LOG)
    assert auditor.get(path).status_code == 200
    assert size(world, LOG) == before
    for stranger in (signed_in(world, ADVISER), signed_in(world, AUDITOR, agreement="another-agreement")):
        assert stranger.get(path).status_code == 404


def test_somebody_who_is_in_no_record_is_not_found(auditor: ConsoleClient) -> None:
    answer = auditor.form(f"{AT}/subjects", {**PERSON, "given": "Nobody"}, at="Find references").submit()
    assert "Nobody found" in words(answer)


def test_a_clause_has_as_many_acts_as_the_log_names_it(world: World, auditor: ConsoleClient) -> None:
    page = auditor.get(f"{AT}/clauses", params={"days": "all"})
    tree = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    rows = {row.xpath("string(.//th/a)"): row.xpath(".//td//text()") for row in tree.xpath("//main//tbody/tr")}
    said = [one.entry() for one in world.entries()]
    assert list(rows) == [one.id for one in shipped().content.clauses]
    for clause, cells in rows.items():
        permitted = sum(clause in one.clauses and one.outcome == "permitted" for one in said)
        assert cells[1] == str(permitted), clause
    assert int(rows["F1-referral"][1]) > 0
    picture = etree.fromstring(auditor.get(f"{AT}/clauses/chart.svg", params={"days": "all"}).content)
    assert "F1-referral" in "".join(str(one) for one in picture.itertext())
    assert etree.tostring(picture).find(b"<style") == -1


def test_a_finding_names_the_entries_it_rests_on(world: World, auditor: ConsoleClient) -> None:
    assert "was refused 10 times or more" not in words(auditor.get(f"{AT}/findings"))
    for _ in range(11):
        assert world.hospital.get(f"/fhir/R4/Patient/{fresh_id()}").status_code == 404
    page = auditor.get(f"{AT}/findings", params={"days": "7"})
    assert "was refused 10 times or more" in words(page)
    evidence = links(page, f"{AT}/entries/")
    assert len(evidence) >= 10
    assert auditor.get(evidence[0]).status_code == 200


def test_a_witness_stands_where_its_last_cosignature_is(world: World, auditor: ConsoleClient) -> None:
    assert "No witness" in words(auditor.get(f"{AT}/witnesses"))
    witness = Cosigner.of("blackpool.example/witness", Ed25519PrivateKey.generate())
    add = AddWitness(LOG, "blackpool-audit", witness.verifier.text)
    world.services.journals.of(OPERATOR_LOG).submit_and_wait(add)
    assert "Never cosigned" in words(auditor.get(f"{AT}/witnesses"))
    with world.services.database.reading() as connection:
        head = log_sql.read_head(connection, LOG)
    text = head.checkpoint.rpartition("\n\n")[0] + "\n"
    entry = world.entries()[-1].entry()
    at = int(datetime.fromisoformat(entry.time).timestamp())
    accept(world.services, LOG, head.checkpoint + witness.cosign(text, at))
    page = words(auditor.get(f"{AT}/witnesses"))
    assert "blackpool-audit In order" in page
    assert f"{head.size} entries" in page
    assert "Behind by 1 entry" in page
    assert "All 1 in order" in words(auditor.get(AT))


def test_the_pack_has_the_length_it_says_and_verifies(world: World, auditor: ConsoleClient) -> None:
    answer = auditor.get(f"{AT}/pack/file")
    assert int(answer.headers["content-length"]) == len(answer.content)
    report = verify(BytesIO(answer.content), pinned_key=world.services.signer(LOG).verifier.text, jobs=1)
    assert report.verified
    assert report.size == size(world, LOG)


def test_the_agreement_is_shown_as_it_was_signed(world: World, auditor: ConsoleClient) -> None:
    assert "Version 1 is in force" in words(auditor.get(AGREEMENT))
    text = auditor.get(f"{AGREEMENT}/versions/1")
    tree = html.document_fromstring(text.text)  # type: ignore[no-untyped-call]  # lxml has no types
    in_force = auditor.get(f"{AGREEMENT}/versions/1/text").content
    assert tree.xpath("string(//pre)").encode() == in_force
    assert auditor.get(f"{AGREEMENT}/versions/2").status_code == 404
    assert auditor.get(f"{AGREEMENT}/diff", params={"from": 1, "to": 2}).status_code == 404
    assert "You compare version 1 with itself" in words(auditor.get(f"{AGREEMENT}/diff"))
    guardian = signed_in(world, GUARDIAN)
    assert guardian.get(AGREEMENT).status_code == 200
    assert "Try a candidate" not in guardian.get(AGREEMENT).text
    assert guardian.get(f"{AGREEMENT}/try").status_code == 404


def test_a_candidate_is_tried_on_the_past_and_not_kept(world: World, auditor: ConsoleClient) -> None:
    text = auditor.get(f"{AGREEMENT}/versions/1/text").text
    assert len(text) > 65_536  # more than another form may hold
    less = text.replace("victim.home_address, ", "", 1) if "victim.home_address, " in text else text
    before = size(world, LOG)
    answer = auditor.form(f"{AGREEMENT}/try", {"candidate": less, "days": "all"}, at="Try it").submit()
    assert answer.status_code == 200, words(answer)[:400]
    entry = sealed(world, LOG, before)[-1]
    assert entry.event == "agreement-replayed"
    assert "Decisions made again" in words(answer)
    rubbish = auditor.form(f"{AGREEMENT}/try", {"candidate": "id: [", "days": "all"}, at="Try it").submit()
    assert rubbish.status_code == 422
    assert "The text cannot be read" in words(rubbish)
    other = text.replace("operation-provide", "operation-other", 1)
    answer = auditor.form(f"{AGREEMENT}/try", {"candidate": other, "days": "all"}, at="Try it").submit()
    assert answer.status_code == 422
