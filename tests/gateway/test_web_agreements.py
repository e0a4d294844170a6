"""Agreements over HTTP: each step by whom it belongs to, sealed; what is another's is as good as none."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit.entry import Entry
from gateway.agreement import Agreement, State, parse, shipped, sign
from gateway.agreement.text import MAX_BYTES
from gateway.decide import facts_of
from gateway.demo.client import Client
from gateway.demo.incidents import incident as document
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from gateway.initialise import party_key
from gateway.paper import html as paper_html
from gateway.terms import ChangeState
from tests.journeys.support import add_client, last, pushed, receipts_in, sealed, serial, size, verified, world_on
from tests.support.agreements import edited
from tests.support.records import NOW, incident
from tests.support.world import World

AT = f"/agreements/v1/{LOG}"
YAML = {"Content-Type": "application/yaml"}
SCOPES = ["agreement:read", "agreement:manage"]
PARTIES = {party.id: party.organisation for party in shipped().content.parties}
POLICE, TRUST, *_ = PARTIES


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for what changes nothing that another test relies on."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("agreements") / "world") as opened:
        yield opened


@pytest.fixture
def fresh(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world of one test's own, on either engine."""
    with world_on(engine_name, request, tmp_path / "world") as opened:
        yield opened


def steward(world: World, organisation: str, *more: str, agreements: list[str] | None = None) -> Client:
    """A client of an organisation that may read and manage the agreement."""
    bound = agreements or [LOG, *more]
    about = {"organisation": organisation, "scopes": SCOPES, "agreements": bound}
    return add_client(world, "-".join([organisation, *bound]).lower(), {"id": "dpo-1", "role": "dpo"}, **about)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def good(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    return problem(answer, status)


def signature(world: World, agreement: Agreement, party: str, hash_: str | None = None) -> dict[str, str]:
    key = party_key(world.keys_dir / f"party-{party}.pem")
    made = sign(hash_ or agreement.hash, key, party)
    return {
        "party": party,
        "public_key": base64.b64encode(made.public_key).decode(),
        "signature": base64.b64encode(made.signature).decode(),
    }


def text_of(agreement: Agreement) -> bytes:
    return agreement.text


def amended(version: int, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Agreement:
    def both(content: dict[str, Any]) -> None:
        content["version"] = version
        change(content)

    return edited(both)


# A life


def test_an_amendment_goes_through_its_life_over_http(fresh: World) -> None:
    """Draft, sign by each party's own client, activate, suspend, let go on, end: an entry for each."""
    second = amended(2, lambda c: c["clauses"][0]["release"].remove("victim.ethnicity"))
    trust, before = steward(fresh, "RXL"), size(fresh)
    drafted = trust.post("/agreements/v1", content=text_of(second), headers=YAML)
    body = good(drafted, 201)
    assert drafted.headers["Location"] == f"{AT}/versions/2"
    assert (body["hash"], body["state"], body["amends"]["counts"]["less"]) == (second.hash, "draft", 1)
    for party, organisation in PARTIES.items():
        signed = steward(fresh, organisation).post(f"{AT}/versions/2/signatures", json=signature(fresh, second, party))
        assert good(signed, 201)["party"] == party
    assert signed.json()["not_signed"] == []
    assert good(trust.get(AT))["in_force"] == 1
    for wanted in ("in-force", "suspended", "in-force", "ended"):
        changed = trust.post(f"{AT}/versions/2/state", json={"state": wanted, "reason": "board"})
        assert good(changed)["state"] == wanted
    stands = good(trust.get(AT))
    assert [(one["version"], one["status"]) for one in stands["versions"]] == [(2, "ended"), (1, "superseded")]
    assert stands["in_force"] is None
    entries = [one for one in sealed(fresh, LOG, before) if one.event != "agreement-read"]
    assert [one.event for one in entries] == [
        "agreement-drafted",
        *["agreement-signed"] * len(PARTIES),
        "agreement-superseded",
        "agreement-activated",
        "agreement-suspended",
        "agreement-resumed",
        "agreement-ended",
    ]
    assert {one.actor.user for one in entries} == {"dpo-1"}
    assert [one.actor.organisation for one in entries[1:5]] == list(PARTIES.values())
    assert entries[-1].reason == "board"
    assert entries[0].detail == {"amends": 1}


def test_what_a_party_suspended_no_other_lets_go_on(fresh: World) -> None:
    trust, force = steward(fresh, "RXL"), steward(fresh, "04")
    go_on = {"state": "in-force"}
    assert good(trust.post(f"{AT}/versions/1/state", json={"state": "suspended"}))["state"] == "suspended"
    assert "another has suspended" in problem(force.post(f"{AT}/versions/1/state", json=go_on), 422)["detail"]
    assert last(fresh, OPERATOR_LOG).reason == "state-refused"
    assert good(trust.post(f"{AT}/versions/1/state", json=go_on))["state"] == "in-force"
    fresh.services.journals.of(LOG).submit_and_wait(ChangeState(shipped(), State.SUSPENDED))
    problem(trust.post(f"{AT}/versions/1/state", json=go_on), 422)


def test_a_new_agreement_is_drafted_by_a_client_bound_to_the_operator(world: World) -> None:
    other = edited(lambda content: content.update(id="operation-other"))
    bound = steward(world, "RXL", OPERATOR_LOG)
    assert good(bound.post("/agreements/v1", content=text_of(other), headers=YAML), 201)["version"] == 1
    assert last(world, "operation-other").event == "agreement-drafted"
    again = bound.post("/agreements/v1", content=text_of(other), headers=YAML)
    problem(again, 404)  # from now on it is an agreement like any other, and this client is not bound to it


def test_whoever_is_not_bound_to_it_cannot_draft_it(world: World) -> None:
    stranger = steward(world, "RXZ", agreements=["operation-else"])
    before = size(world)
    answer = stranger.post("/agreements/v1", content=text_of(amended(2)), headers=YAML)
    assert problem(answer, 404)["detail"] == "there is no such agreement"
    assert size(world) == before
    assert last(world, OPERATOR_LOG).reason == "agreement-not-found"


# What is refused, where, and why


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        (("version: 1", "version: one"), "version", "line "),
        (("purpose: >-", "porpoise: >-"), "porpoise", "unknown key"),
        (("id: operation-provide", "id: operation-provide\nid: twice"), "id", "said twice"),
        (("title: Sharing", "title: &a Sharing"), "title", "anchors and aliases are refused"),
        (("title: Sharing", 'title: "a\\u202e"  # Sharing'), "title", "nobody sees (U+202E)"),
        (("title: Sharing", 'title: "a\\ud83d"  # Sharing'), "", "not YAML: found invalid Unicode"),
        (("      - event.kind", "      - event.nothing"), "clauses", "not an item of the catalogue"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_by_its_line(
    world: World, change: tuple[str, str], path: str, said: str
) -> None:
    text = shipped().text.decode().replace(*change, 1).encode()
    for address in ("/agreements/v1", "/agreements/v1/check"):
        (error,) = problem(steward(world, "RXL").post(address, content=text, headers=YAML), 422)["errors"]
        assert error["path"].startswith(path)
        assert error["detail"].startswith("line ")
        assert said in error["detail"]


def test_an_agreement_with_errors_is_not_drafted_and_each_is_named(world: World) -> None:
    wrong = amended(2, lambda c: c["flows"][0]["lawful_basis"].update(article_6=["6(1)(a)"]))
    before = size(world)
    body = problem(steward(world, "RXL").post("/agreements/v1", content=text_of(wrong), headers=YAML), 422)
    assert any(one["path"].startswith("flows F1") and "line" in one["detail"] for one in body["errors"])
    assert size(world) == before
    checked = good(steward(world, "RXL").post("/agreements/v1/check", content=text_of(wrong), headers=YAML))
    assert checked["may_be_signed"] is False
    assert checked["findings"][0]["severity"] == "error"


def test_a_good_text_passes_the_check_and_nothing_is_kept(world: World) -> None:
    before = size(world)
    body = good(steward(world, "RXL").post("/agreements/v1/check", content=shipped().text, headers=YAML))
    assert (body["may_be_signed"], body["hash"]) == (True, shipped().hash)
    assert size(world) == before


def test_another_type_and_too_large_a_text_are_refused(world: World) -> None:
    trust = steward(world, "RXL")
    json_type = {"Content-Type": "application/json"}
    problem(trust.post("/agreements/v1", content=shipped().text, headers=json_type), 415)
    problem(trust.post("/agreements/v1", content=b" " * (MAX_BYTES + 1), headers=YAML), 413)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_signature_is_refused_naming_the_party_and_the_reason(fresh: World) -> None:
    second = amended(2)
    police = steward(fresh, "04")
    good(police.post("/agreements/v1", content=text_of(second), headers=YAML), 201)
    at, before = f"{AT}/versions/2/signatures", size(fresh)
    own = signature(fresh, second, POLICE)
    refused = {
        "it is over version 1": signature(fresh, second, POLICE, shipped().hash),
        "it is not over this text": signature(fresh, second, POLICE, "0" * 64),
        "not by its registered key": {**own, "public_key": signature(fresh, second, TRUST)["public_key"]},
        "bytes in Base 64": {**own, "signature": "é"},
    }
    for said, body in refused.items():
        answer = problem(police.post(at, json=body), 422)
        assert said in answer["detail"]
        assert POLICE in answer["detail"] or "Base 64" in said
        assert "Base 64" in said or last(fresh, OPERATOR_LOG).reason == "signature-refused"
    assert size(fresh) == before
    # Nobody signs for another, with whatever key.
    for party in (TRUST, "nobody"):
        key = signature(fresh, second, TRUST)
        problem(police.post(at, json={**key, "party": party}), 403)
        assert last(fresh, OPERATOR_LOG).reason == "not-the-party"
    good(police.post(at, json=own), 201)
    assert "has signed" in problem(police.post(at, json=own), 422)["detail"]
    unsigned = problem(police.post(f"{AT}/versions/2/state", json={"state": "in-force"}), 422)
    assert f"not signed by {TRUST}" in unsigned["detail"]
    assert last(fresh, OPERATOR_LOG).reason == "state-refused"


def test_a_partys_first_key_is_registered_only_through_the_operator(world: World) -> None:
    """A client of the party alone cannot bring a key along: whoever holds the client would sign as the party."""
    other = edited(lambda content: content.update(id="operation-keys"))
    good(steward(world, "RXL", OPERATOR_LOG).post("/agreements/v1", content=text_of(other), headers=YAML), 201)
    at = "/agreements/v1/operation-keys/versions/1/signatures"
    body = signature(world, other, TRUST)
    alone = steward(world, "RXL", "operation-keys")
    assert "not by its registered key" in problem(alone.post(at, json=body), 422)["detail"]
    through = steward(world, "RXL", "operation-keys", OPERATOR_LOG)
    before = size(world, "operation-keys")
    for stray in (
        {"signature": body["signature"][::-1]},
        {"public_key": signature(world, other, POLICE)["public_key"]},
    ):
        problem(through.post(at, json=body | stray), 422)
    assert size(world, "operation-keys") == before, "a key that signs nothing is registered"
    good(through.post(at, json=body), 201)
    assert [one.event for one in sealed(world, "operation-keys", 1)] == ["party-key-registered", "agreement-signed"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"state": "draft"},
        {"state": "superseded"},
        {"state": "ended", "more": 1},
        {"state": "ended", "reason": "a b"},
    ],
)
def test_a_state_nobody_can_ask_for_is_refused(world: World, body: dict[str, Any]) -> None:
    problem(steward(world, "RXL").post(f"{AT}/versions/1/state", json=body), 422)


# Reading


def test_what_is_read_is_sealed_and_carries_its_receipt(world: World) -> None:
    trust = steward(world, "RXL")
    for path, media in (
        ("", "application/json"),
        ("/versions/1", "application/yaml"),
        ("/versions/1/document.html", "text/html"),
        ("/versions/1/document.pdf", "application/pdf"),
        ("/diff?from=1&to=1", "application/json"),
    ):
        answer = trust.get(f"{AT}{path}", headers={"Gateway-Reason": "review"})
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith(media)
        entry: Entry = last(world)
        assert (entry.event, entry.operation, entry.reason) == ("agreement-read", "consultation", "review")
        assert entry.request == answer.headers["X-Request-Id"]
        assert "Gateway-Receipt" in answer.headers
    listed = good(trust.get("/agreements/v1"))["agreements"]
    assert [(one["id"], one["in_force"]) for one in listed] == [(LOG, 1)]


def test_the_text_is_the_signed_one_and_the_documents_are_of_it(world: World) -> None:
    trust = steward(world, "RXL")
    text = trust.get(f"{AT}/versions/1")
    assert parse(text.content).hash == shipped().hash
    assert "operation-provide-1.yaml" in text.headers["Content-Disposition"]
    page = trust.get(f"{AT}/versions/1/document.html")
    assert page.headers["Content-Security-Policy"] == paper_html.POLICY
    assert shipped().hash in page.text
    assert page.text.count("<td>signed 20") == len(PARTIES)
    paper = trust.get(f"{AT}/versions/1/document.pdf")
    assert paper.content.startswith(b"%PDF-")
    assert trust.get(f"{AT}/versions/1/document.pdf").content == paper.content


def test_the_standing_names_who_signed_and_what_is_left(world: World) -> None:
    body = good(steward(world, "RXL").get(AT))
    (first,) = body["versions"]
    assert (body["in_force"], first["status"], first["hash"]) == (1, "in-force", shipped().hash)
    assert body["days_left"] > 0
    assert [one["organisation"] for one in first["parties"]] == list(PARTIES.values())
    assert all(one["signed_at"] for one in first["parties"])


@pytest.mark.parametrize(
    "query", ["", "?from=1", "?from=1&to=x", "?from=1&from=1&to=1", "?from=-1&to=1", "?from=1&to=²"]
)
def test_a_comparison_is_of_two_versions(world: World, query: str) -> None:
    problem(steward(world, "RXL").get(f"{AT}/diff{query}"), 400)


def test_what_is_anothers_looks_like_what_is_not_there(world: World) -> None:
    """Status, body and what is sealed are the same, on every address."""
    stranger, trust = steward(world, "RXZ", agreements=["operation-else"]), steward(world, "RXL")
    state, explain_ = {"state": "suspended"}, {"recipient": "idva-team", "incident": "0" * 36}
    calls: list[Callable[[Client, str], httpx.Response]] = [
        lambda client, at: client.get(at),
        lambda client, at: client.get(f"{at}/versions/1"),
        lambda client, at: client.get(f"{at}/versions/1/document.html"),
        lambda client, at: client.get(f"{at}/versions/1/document.pdf"),
        lambda client, at: client.get(f"{at}/diff?from=1&to=1"),
        lambda client, at: client.post(f"{at}/versions/1/state", json=state),
        lambda client, at: client.post(f"{at}/versions/1/signatures", json=signature(world, shipped(), TRUST)),
        lambda client, at: client.post(f"{at}/explain", json=explain_),
    ]
    before = size(world)
    for call in calls:
        answers = [call(stranger, AT), call(stranger, "/agreements/v1/none"), call(trust, "/agreements/v1/none")]
        bodies = [problem(answer, 404) for answer in answers]
        assert bodies[0] == bodies[1] == bodies[2]
        assert last(world, OPERATOR_LOG).reason == "agreement-not-found"
    assert size(world) == before
    for path in ("/versions/7", "/diff?from=1&to=7", "/versions/7/document.pdf"):
        assert problem(trust.get(f"{AT}{path}"), 404)["detail"] == "there is no such agreement"
    assert good(stranger.get("/agreements/v1"))["agreements"] == []


@pytest.mark.parametrize("scope", SCOPES)
def test_reading_and_managing_are_scopes_of_their_own(world: World, scope: str) -> None:
    about = {"organisation": "RXL", "scopes": [scope], "agreements": [LOG]}
    client = add_client(world, f"only-{scope.partition(':')[2]}", {"id": "dpo-1", "role": "dpo"}, **about)
    may_read = scope == "agreement:read"
    assert client.get(AT).status_code == (200 if may_read else 403)
    assert client.post(f"{AT}/versions/1/state", json={"state": "x"}).status_code == (403 if may_read else 422)


# Explaining


def explained(client: Client, **asked: Any) -> httpx.Response:
    return client.post(f"{AT}/explain", json={"recipient": "idva-team", **asked})


def test_a_decision_on_facts_is_explained_to_whoever_answers_for_it(world: World) -> None:
    facts = facts_of(incident(), NOW).to_json()
    body = good(explained(steward(world, "RXL"), facts=facts))
    (one,) = body["explanations"]
    assert (one["outcome"], one["clauses"]) == ("permitted", ["F1-referral"])
    by_item = {item["item"]: item for item in one["items"]}
    assert by_item["victim.name"]["effect"] == "released"
    assert by_item["victim.name"]["title"] == "victim: name"
    assert [clause["applies"] for clause in one["looked_at"]["clauses"]].count(True) == 1
    entry = last(world)
    assert (entry.event, entry.operation, entry.facts) == ("decision-explained", "consultation", None)
    asked = {"recipient": "idva-team", "purpose": "safeguarding", "for": "whole", "found": 1}
    assert (entry.detail or {}).items() >= asked.items()


def test_a_force_has_its_own_incident_explained_and_nobody_elses(world: World) -> None:
    reference, _ = pushed(world)
    police, trust = steward(world, "04"), steward(world, "RXL")
    body = good(explained(police, incident=reference, **{"for": "sender"}))
    (one,) = body["explanations"]
    assert one["subject"] == "victim-1"
    assert one["outcome"] == "permitted"
    assert {item["item"] for item in one["withheld"]} & {"statement.third_party", "third_party.name"}
    assert last(world).record == reference
    (told,) = good(explained(police, incident=reference, **{"for": "recipient"}))["explanations"]
    assert told == {
        "subject": "victim-1",
        "withheld": True,
        "words": "Some information was withheld under the agreement.",
    }
    none = [explained(trust, incident=reference), explained(police, incident=f"{'0' * 8}-{reference[9:]}")]
    assert problem(none[0], 404) == problem(none[1], 404)
    assert (last(world).event, last(world).outcome) == ("decision-explained", "denied")


def test_an_explanation_says_what_was_decided_when_it_was_sent(world: World) -> None:
    """The words of the reply to the push and those of the explanation are the same."""
    pushed_ = good(world.push(document(serial())), 201)
    said = next(one for one in pushed_["decisions"] if one["recipient"] == "idva-team")
    (one,) = good(explained(steward(world, "04"), incident=pushed_["incident"], **{"for": "sender"}))["explanations"]
    assert {key: one[key] for key in ("withheld", "generalised", "words")} == {
        key: said[key] for key in ("withheld", "generalised", "words")
    }


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"facts": {}, "incident": "0" * 36},
        {"facts": {}},
        {"facts": facts_of(incident(), NOW).to_json() | {"items": ["no.item"]}},
        {"facts": facts_of(incident(), NOW).to_json() | {"more": 1}},
        {"incident": "x"},
        {"facts": facts_of(incident(), NOW).to_json(), "recipient": "a b"},
        {"facts": facts_of(incident(), NOW).to_json(), "for": "press"},
    ],
    ids=str,
)
def test_what_cannot_be_explained_is_refused(world: World, asked: dict[str, Any]) -> None:
    body = problem(explained(steward(world, "RXL"), **asked), 422)
    assert "no.item" not in json.dumps(body)


def test_receipts_of_agreements_hold(world: World) -> None:
    answer = steward(world, "RXL").get(AT)
    (receipt,) = receipts_in(answer)
    assert verified(world, receipt).event == "agreement-read"
