"""The forms of a FHIR answer: JSON or XML, pretty or not, compressed where it may be; and what is not sent twice."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
from starlette.requests import Request

from adapters.nhs.fhir import JSON_TYPE, TYPES, XML_TYPE, parse
from audit.entry import Operation
from gateway.errors import NotAcceptable
from gateway.evidence import Event
from gateway.web.fhirform import form_of
from tests.journeys.channels import Case, case
from tests.journeys.support import header_index, last, output, pushed, sealed, set_state, size, status, world_on
from tests.support.world import World

BASE = "/fhir/R4"


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("forms") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def one(world: World) -> Case:
    return case(world)


def get(world: World, path: str, accept: str | None = None, **headers: str) -> httpx.Response:
    return world.hospital.get(f"{BASE}/{path}", headers={**({"Accept": accept} if accept else {}), **headers})


def asking(accept: str | None = None, query: str = "") -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    return Request({"type": "http", "method": "GET", "headers": headers, "query_string": query.encode()})


# Which form


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON_TYPE),
        ("", JSON_TYPE),
        ("*/*", JSON_TYPE),
        ("application/*", JSON_TYPE),
        ("application/fhir+xml", XML_TYPE),
        ("application/xml", XML_TYPE),
        ("text/xml", XML_TYPE),
        ("APPLICATION/FHIR+XML", XML_TYPE),
        ("application/fhir+json;q=0.5, application/fhir+xml", XML_TYPE),
        ("application/fhir+json;q=0.5, application/fhir+xml;q=0.4", JSON_TYPE),
        ("application/fhir+xml, application/fhir+json", JSON_TYPE),
        ("*/*;q=0.1, application/fhir+xml;q=0.2", XML_TYPE),
        ("application/fhir+json;q=0, */*", XML_TYPE),
        ("application/fhir+xml, */*", XML_TYPE),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", XML_TYPE),
        ("text/turtle, application/fhir+json;q=0.001", JSON_TYPE),
        ("application/fhir+json; fhirVersion=4.0", JSON_TYPE),
        ('application/fhir+xml; fhirVersion="4.0"; q=0.9, application/fhir+json; fhirVersion=5.0', XML_TYPE),
        ("application/fhir+json; fhirVersion=3.0", None),
        ("application/fhir+json;q=0", None),
        ("application/fhir+json;q=2", None),
        ("text/turtle", None),
        ("text/html", None),
        (";;,,=", None),
    ],
)
def test_the_form_is_the_one_that_weighs_most(accept: str | None, media: str | None) -> None:
    if media is None:
        with pytest.raises(NotAcceptable):
            form_of(asking(accept))
    else:
        assert form_of(asking(accept)).media == media


@pytest.mark.parametrize(
    ("form", "media"),
    [
        ("json", JSON_TYPE),
        ("xml", XML_TYPE),
        ("text/xml", XML_TYPE),
        ("application/fhir%2Bxml", XML_TYPE),
        ("application/fhir+xml", XML_TYPE),
        ("application/fhir%2Bjson;fhirVersion=4.0", JSON_TYPE),
        ("application/fhir%2Bjson;fhirVersion=5.0", None),
        ("ttl", None),
        ("html", None),
        ("*/*", None),
        ("json,xml", None),
        ("application/fhir%2Bjson,application/fhir%2Bxml", None),
        ("", None),
    ],
)
def test_format_overrides_accept(form: str, media: str | None) -> None:
    request = asking("text/turtle", f"_format={form}")
    if media is None:
        with pytest.raises(NotAcceptable):
            form_of(request)
    else:
        assert form_of(request).media == media


@pytest.mark.parametrize("type_", TYPES)
def test_xml_says_what_json_says(world: World, one: Case, type_: str) -> None:
    """Every type, read alone and in a searchset with its receipts, is the same resource in both formats."""
    for path in (f"{type_}/{one.ids[type_]}", f"{type_}?_id={one.ids[type_]}"):
        plain, xml = get(world, path), get(world, path, "application/fhir+xml")
        assert (plain.status_code, xml.status_code) == (200, 200)
        assert xml.headers["content-type"] == "application/fhir+xml"
        assert xml.headers.get("ETag") == plain.headers.get("ETag")
        read, said = parse(xml.content).content, plain.json()
        if said["resourceType"] == "Bundle":
            for bundle in (read, said):  # each answer is sealed apart, and its links repeat its own address
                assert bundle.pop("meta")["extension"]
                assert [e["search"].pop("extension") for e in bundle["entry"]]
        assert read == said


def test_an_answer_is_sealed_before_it_is_written_in_xml(world: World, one: Case) -> None:
    before = size(world)
    answer = get(world, f"Patient/{one.ids['Patient']}", "application/fhir+xml")
    assert header_index(answer) == size(world) - 1 == before
    assert last(world).event == Event.REFERRAL_READ


def test_what_cannot_be_given_in_any_form_is_not_looked_up(world: World, one: Case) -> None:
    before = size(world)
    answer = get(world, f"Patient/{one.ids['Patient']}", "text/turtle")
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (406, "not-supported")
    assert size(world) == before


def test_the_format_parameter_wins(world: World) -> None:
    answer = get(world, "Task?_format=json", "application/fhir+xml")
    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON_TYPE)
    assert get(world, "Task?_format=xml", "text/html").headers["content-type"] == XML_TYPE
    assert get(world, "Task?_format=ttl").status_code == 406


def test_a_failure_comes_in_the_form_asked_for(world: World) -> None:
    answer = get(world, "Task/none", "application/fhir+xml")
    assert (answer.status_code, parse(answer.content).type) == (404, "OperationOutcome")
    assert get(world, "Task?_pretty=maybe").status_code == 400


def test_pretty_is_for_readers(world: World, one: Case) -> None:
    path = f"Task/{one.task}"
    plain, pretty = get(world, path), get(world, f"{path}?_pretty=true")
    assert plain.json() == pretty.json()
    assert plain.text.count("\n") == 0
    assert pretty.text.count("\n") > 20
    xml = get(world, f"{path}?_pretty=true&_format=xml")
    assert xml.text.count("\n") > 20
    assert parse(xml.content).content == plain.json()


def test_metadata_declares_the_forms(world: World) -> None:
    said = world.hospital.http.get(f"{BASE}/metadata?_format=xml")
    found = parse(said.content).content
    assert found["format"] == ["application/fhir+json", "application/fhir+xml"]
    kinds = {one["type"]: one["conditionalRead"] for one in found["rest"][0]["resource"]}
    assert {kinds[type_] for type_ in TYPES} == {"not-match"}


# Compressed


def test_a_compressed_body_is_read(world: World) -> None:
    _, task = pushed(world)
    read = get(world, f"Task/{task}")
    whole = read.json() | {"status": "accepted"}
    answer = world.hospital.http.put(
        f"{BASE}/Task/{task}",
        content=gzip.compress(orjson.dumps(whole)),
        headers={"Content-Type": JSON_TYPE, "Content-Encoding": "gzip", "If-Match": read.headers["ETag"]},
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")


@pytest.mark.parametrize(
    ("body", "encoding", "status_code"),
    [
        (gzip.compress(b" " * 50_000_000, mtime=0), "gzip", 413),
        (gzip.compress(b"{}", mtime=0)[:-1], "gzip", 400),
        (gzip.compress(b"{}", mtime=0) + b"more", "gzip", 400),
        (gzip.compress(b"{}", mtime=0) + gzip.compress(b"{}", mtime=0), "gzip", 400),
        (b"{}", "gzip", 400),
        (b"{}", "br", 415),
        (b"{}", "gzip, gzip", 415),
        (b"{}", "deflate", 415),
    ],
)
def test_a_compressed_body_that_lies_is_refused(world: World, body: bytes, encoding: str, status_code: int) -> None:
    _, task = pushed(world)
    headers = {"Content-Type": JSON_TYPE, "Content-Encoding": encoding, "If-Match": 'W/"1"'}
    answer = world.hospital.http.put(f"{BASE}/Task/{task}", content=body, headers=headers)
    assert answer.status_code == status_code, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_body_of_another_fhir_version_is_refused(world: World) -> None:
    _, task = pushed(world)
    headers = {"Content-Type": "application/fhir+json; fhirVersion=5.0", "If-Match": 'W/"1"'}
    assert world.hospital.http.put(f"{BASE}/Task/{task}", content=b"{}", headers=headers).status_code == 415


def test_only_what_is_the_same_for_everybody_is_compressed(world: World, one: Case) -> None:
    """A length that depends on what somebody wrote beside a secret would tell the secret."""
    asked = ["metadata", "Questionnaire", "Questionnaire/dara", "metadatas", "Questionnaires/dara"]
    asked += [f"Patient/{one.ids['Patient']}", "Task?_count=50", "Task?_count=50&_format=xml"]
    said = {"Accept-Encoding": "gzip", "Authorization": world.hospital.http.headers["Authorization"]}

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(world.app)  # the world's own client expands what it gets
        async with httpx.AsyncClient(transport=transport, base_url="https://gateway.test", headers=said) as client:
            return [await client.get(f"{BASE}/{path}") for path in asked]

    answers = asyncio.run(ask())
    assert [one.status_code for one in answers] == [200, 200, 200, 404, 404, 200, 200, 200]
    assert [one.headers.get("content-encoding") for one in answers] == ["gzip"] * 3 + [None] * 5


# A Task sent in XML


def test_a_task_is_changed_in_xml(world: World) -> None:
    _, task = pushed(world)
    read = get(world, f"Task/{task}", "application/fhir+xml")
    document = read.text.replace('<status value="requested"/>', '<status value="accepted"/>')
    assert document != read.text
    answer = world.hospital.http.put(
        f"{BASE}/Task/{task}",
        content=document,
        headers={"Content-Type": XML_TYPE, "If-Match": read.headers["ETag"], "Accept": XML_TYPE},
    )
    assert answer.status_code == 200, answer.text
    assert parse(answer.content).content["status"] == "accepted"


@pytest.mark.parametrize(
    ("document", "status_code"),
    [
        ('<!DOCTYPE Task [<!ENTITY a "b">]><Task xmlns="http://hl7.org/fhir"/>', 400),
        ('<Task xmlns="http://hl7.org/fhir"><status value="accepted"', 400),
        ('<Task xmlns="http://hl7.org/fhir"><secret value="x"/></Task>', 422),
        ('<Task xmlns="http://hl7.org/fhir"><status value="accepted"/><status value="accepted"/></Task>', 422),
        ('<Task xmlns="http://hl7.org/fhir"><status/></Task>', 422),
        ('<Task xmlns="http://hl7.org/fhir">words</Task>', 422),
        ('<Task xmlns="http://example.org/other"/>', 422),
    ],
)
def test_a_task_in_bad_xml_changes_nothing(world: World, document: str, status_code: int) -> None:
    _, task = pushed(world)
    answer = world.hospital.http.put(
        f"{BASE}/Task/{task}", content=document, headers={"Content-Type": XML_TYPE, "If-Match": 'W/"1"'}
    )
    assert answer.status_code == status_code, answer.text
    assert "secret" not in answer.text
    assert get(world, f"Task/{task}").json()["status"] == "requested"


# What is held already


def held(world: World, path: str, tag: str) -> httpx.Response:
    return get(world, path, **{"If-None-Match": tag})


def test_what_is_held_is_confirmed_and_sealed_as_a_consultation(world: World, one: Case) -> None:
    path = f"Patient/{one.ids['Patient']}"
    tag = get(world, path).headers["ETag"]
    before = size(world)
    answer = held(world, path, tag)
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    assert header_index(answer) == size(world) - 1 == before
    entry = last(world)
    assert (entry.operation, entry.event) == (Operation.CONSULTATION, Event.REFERRAL_CONFIRMED)
    assert (entry.case, entry.items.released, entry.items.generalised, entry.items.withheld) == (one.task, (), (), ())
    assert entry.subjects


@pytest.mark.parametrize("form", ['{tag}, "2-00000000"', '"0-1",{tag}', "*", "{strong}"])
def test_any_of_the_tags_held_will_do(world: World, one: Case, form: str) -> None:
    path = f"Task/{one.task}"
    tag = get(world, path).headers["ETag"]
    assert held(world, path, form.format(tag=tag, strong=tag.removeprefix("W/"))).status_code == 304


@pytest.mark.parametrize("tag", ['W/"1"', '"1-00000000"', 'W/"999-5f8a9c01"'])
def test_another_version_is_given_whole(world: World, one: Case, tag: str) -> None:
    answer = held(world, f"Task/{one.task}", tag)
    assert (answer.status_code, answer.json()["resourceType"]) == (200, "Task")


@pytest.mark.parametrize("tag", ["1", 'W/"', '"a" "b"', "W/1"])
def test_what_is_no_tag_is_refused(world: World, one: Case, tag: str) -> None:
    assert held(world, f"Task/{one.task}", tag).status_code == 400


def test_a_date_does_not_prove_that_nothing_changed(world: World, one: Case) -> None:
    path = f"Task/{one.task}"
    since = get(world, path).headers["Last-Modified"]
    assert get(world, path, **{"If-Modified-Since": since}).status_code == 200


def test_nothing_of_another_team_is_confirmed(world: World) -> None:
    """None, and none for this caller, are the same whatever is said to be held (P8)."""
    answers = [held(world, f"Task/{id_}", "*") for id_ in ("none", "6f1c0a52-0d3e-4f7b-9a51-0c2f4f7f1d10")]
    assert {one.status_code for one in answers} == {404}
    assert len({one.text for one in answers}) == 1


def test_a_change_makes_what_is_held_old(world: World) -> None:
    _, task = pushed(world)
    tag = get(world, f"Task/{task}").headers["ETag"]
    patch = json.dumps([status("accepted"), {"op": "add", "path": "/output", "value": [output("contact-attempted")]}])
    headers = {"Content-Type": "application/json-patch+json", "If-Match": tag}
    assert world.hospital.patch(f"{BASE}/Task/{task}", content=patch, headers=headers).status_code == 200
    assert held(world, f"Task/{task}", tag).status_code == 200


def test_the_version_is_of_what_is_shown(world: World) -> None:
    """The same record, decided otherwise, is another showing: a copy from before is not confirmed."""
    from tests.journeys.support import bring_into_force  # noqa: PLC0415 - the last test, for it changes the agreement

    reference, task = pushed(world)
    assert reference
    path = f"Patient/{task}.victim-1"
    first = get(world, path)
    bring_into_force(world, _without_names)
    second = held(world, path, first.headers["ETag"])
    assert second.status_code == 200
    assert second.headers["ETag"].partition("-")[0] == first.headers["ETag"].partition("-")[0]
    assert "name" in first.json()
    assert "name" not in second.json()
    assert second.json()["meta"]["versionId"] == second.headers["ETag"][3:-1]


def _without_names(content: dict[str, Any]) -> None:
    for clause in content["clauses"]:
        if len(clause.get("release", ())) > 1:
            clause["release"] = [item for item in clause["release"] if item != "victim.name"]


def test_head_tells_what_get_would_and_sends_nothing(world: World, one: Case) -> None:
    path = f"{BASE}/Task/{one.task}"
    read = world.hospital.get(path)
    before = size(world)
    answer = world.hospital.http.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length"):
        assert answer.headers[name] == read.headers[name]
    assert size(world) == before + 1
    assert last(world).operation == Operation.CONSULTATION
    assert world.hospital.http.head(f"{BASE}/Task/none").status_code == 404


@pytest.mark.parametrize("part", ["_elements=name", "_elements=birthDate,identifier", "_summary=true"])
@pytest.mark.parametrize("form", ["", "&_format=xml"])
def test_head_of_a_part_discloses_nothing_not_even_its_length(world: World, one: Case, part: str, form: str) -> None:
    start = size(world)
    answer = world.hospital.http.head(f"{BASE}/Patient/{one.ids['Patient']}?{part}{form}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert "content-length" not in answer.headers
    assert "etag" not in answer.headers, "a part has no version of its own"
    (entry,) = sealed(world, start=start)
    assert (entry.event, entry.operation, entry.items.released) == (Event.REFERRAL_CONFIRMED, "consultation", ())


@pytest.mark.parametrize("path", ["Task/{id}/_history", "Task/{id}/_history/1", "Task/none/_history/1", "_history"])
def test_earlier_versions_are_refused_whatever_they_are_of(world: World, one: Case, path: str) -> None:
    before = size(world)
    answer = get(world, path.format(id=one.task))
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (405, "not-supported")
    assert size(world) == before
    assert world.hospital.http.get(f"{BASE}/{path}", headers={"Authorization": ""}).status_code in {400, 401}


def test_a_suspended_agreement_confirms_nothing(world: World, one: Case) -> None:
    from gateway.agreement import State  # noqa: PLC0415 - as above

    path = f"Task/{one.task}"
    tag = get(world, path).headers["ETag"]
    set_state(world, State.SUSPENDED)
    try:
        assert held(world, path, tag).status_code in {403, 404}
    finally:
        set_state(world, State.IN_FORCE)


def test_provenance_names_what_was_sealed_at_the_intake(world: World) -> None:
    """The hash that a recipient is told is the one the log holds of the record that was taken in."""
    before = size(world)
    _, task = pushed(world)
    (taken,) = [entry for entry in sealed(world, start=before) if entry.event == Event.INCIDENT_ACCEPTED]
    found = world.hospital.get(f"{BASE}/ServiceRequest?_id={task}&_revinclude=Provenance:target").json()
    (told,) = [one["resource"] for one in found["entry"] if one["resource"]["resourceType"] == "Provenance"]
    hashes = {one["what"]["identifier"]["value"] for one in told["entity"]}
    assert hashes == {taken.payload, taken.mapping}
