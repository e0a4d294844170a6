"""Searching over FHIR: what the CapabilityStatement declares, tried from it; shapes, sorts, pages, and what is refused.

Both engines: what a search finds is decided by statements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson
import pytest
from sqlalchemy import insert, select, update

from adapters.nhs.fhir import EVERYTHING, SEARCH, TYPES, elements, parse
from gateway.demo.run import ADVISER, LOG
from gateway.evidence import Event
from gateway.store import tables
from gateway.store.records import Records, subject_of
from mappings.record import Record, Role
from tests.journeys.channels import Case, case
from tests.journeys.support import (
    add_client,
    bring_into_force,
    change,
    last,
    like,
    pushed,
    sealed,
    size,
    status,
    world_on,
)
from tests.support.searches import NONE, fitting
from tests.support.world import World

BASE = "/fhir/R4"
NUMBER = "9990000018"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
ASKED_AT = datetime(2026, 4, 12, 20, 40, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on(request.param, request, tmp_path_factory.mktemp("search") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def one(world: World) -> Iterator[Case]:
    """A referral whose victim's NHS number is known, and when consent was asked."""
    with pytest.MonkeyPatch.context() as patch:
        told: dict[str, str] = {}
        fill(patch, told)
        found = case(world)
        number(world, found.task, told)
        yield found


def fill(patch: pytest.MonkeyPatch, told: Mapping[str, str]) -> None:
    """Read records with what the demonstration's incidents do not say; `told` are NHS numbers by record."""
    loaded = Records.load

    def load(self: Records, connection: Any, ids: Any) -> dict[str, Record]:
        return {id_: filled(record, told.get(id_)) for id_, record in loaded(self, connection, ids).items()}

    patch.setattr(Records, "load", load)


def filled(record: Record, number: str | None) -> Record:
    known = {"nhs_number": number} if number else {}
    people = [p.model_copy(update=known) if p.role is Role.VICTIM else p for p in record.people]
    consents = [c.model_copy(update={"at": ASKED_AT}) for c in record.consents]
    return record.model_copy(update={"people": tuple(people), "consents": tuple(consents)})


def number(world: World, task: str, told: dict[str, str]) -> None:
    """Let the victim of a referral have an NHS number: found by it, and judged on it."""
    table = tables.referral
    with world.services.database.writing() as connection:
        row = connection.execute(select(table).where(table.c.id == task)).one()
        facts = orjson.loads(row.facts)
        facts["items"] = sorted({*facts["items"], "victim.nhs_number"})
        connection.execute(update(table).where(table.c.id == task).values(facts=orjson.dumps(facts).decode()))
        index = {
            "log_id": LOG,
            "digest": world.services.records.blind("nhs-number", NUMBER),
            "record_id": row.record_id,
            "subject": subject_of(row.record_id, row.victim),
        }
        connection.execute(insert(tables.blind_index).values(index))
    told[row.record_id] = NUMBER


def get(world: World, path: str, params: Any = None, **headers: str) -> httpx.Response:
    return world.hospital.get(f"{BASE}/{path}", params=params, headers=headers)


def post(world: World, type_: str, form: Mapping[str, Any], **headers: str) -> httpx.Response:
    return world.hospital.post(f"{BASE}/{type_}/_search", data=form, headers=headers)


def entries(answer: httpx.Response, mode: str = "match") -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [e["resource"] for e in answer.json().get("entry", []) if e["search"]["mode"] == mode]


def ids(answer: httpx.Response, mode: str = "match") -> list[str]:
    return [one["id"] for one in entries(answer, mode)]


def links(answer: httpx.Response) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in answer.json()["link"]}


def follow(world: World, url: str) -> httpx.Response:
    parts = urlsplit(url)
    return world.hospital.get(parts.path, params=parse_qsl(parts.query))


def refused(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome"), answer.text
    assert answer.json()["issue"][0]["code"] == "invalid"
    words: str = answer.json()["issue"][0]["diagnostics"]
    return words


# What is declared


def declared(world: World, type_: str) -> dict[str, Any]:
    found = world.hospital.http.get(f"{BASE}/metadata").json()["rest"][0]["resource"]
    return next(one for one in found if one["type"] == type_)


def codes(parameter: Mapping[str, Any], kind: str) -> list[str]:
    return [one["valueCode"] for one in parameter.get("extension", []) if one["url"].endswith(f"/search-{kind}")]


FAR: Mapping[str, Mapping[str, bool]] = {
    "eq": {"1890": False, "2090": False},
    "ne": {"1890": True, "2090": True},
    "gt": {"1890": True, "2090": False},
    "lt": {"1890": False, "2090": True},
    "ge": {"1890": True, "2090": False},
    "le": {"1890": False, "2090": True},
    "sa": {"1890": True, "2090": False},
    "eb": {"1890": False, "2090": True},
}
"""Each prefix before a year long ago and one far ahead, and whether anything of now fits."""
DAY: Mapping[str, bool] = {
    "eq": True,
    "ne": False,
    "gt": False,
    "lt": False,
    "ge": True,
    "le": True,
    "sa": False,
    "eb": False,
}
"""Each prefix before the very day."""


@pytest.mark.parametrize("type_", TYPES)
def test_every_declared_parameter_selects_in_every_declared_way(world: World, one: Case, type_: str) -> None:
    """What fits is found, and what does not fit is not: a parameter that is passed over would show everything."""
    id_ = one.ids[type_]
    resource = get(world, f"{type_}/{id_}").json()
    tried = 0
    for parameter in declared(world, type_)["searchParam"]:
        name = parameter["name"]
        if "." in name:
            continue  # chained: below
        ways = fitting(resource, type_, name)
        other = NONE[SEARCH[type_][name].kind]
        asked = [(way, value, True) for way, value in ways]
        asked += [(ways[0][0], f"urn:none|{other}" if ":identifier" in ways[0][0] else other, False)]
        way, value = ways[0]
        for modifier in codes(parameter, "modifier"):
            asked += {
                "missing": [(f"{name}:missing", "false", True), (f"{name}:missing", "true", False)],
                "not": [(f"{name}:not", other, True), (f"{name}:not", value, False)],
                "exact": [(f"{name}:exact", value, True), (f"{name}:exact", value.upper(), False)],
                "contains": [(f"{name}:contains", value[1:].upper(), True), (f"{name}:contains", other, False)],
            }.get(modifier, [])
        assert set(codes(parameter, "prefix")) == ({*FAR} if SEARCH[type_][name].kind == "date" else set())
        for prefix in codes(parameter, "prefix"):
            asked += [(name, prefix + text, fit) for text, fit in FAR[prefix].items()]
            if type_ != "Flag":  # the day of what is an instant or a day itself
                asked += [(name, prefix + value[:10], DAY[prefix])]
        for way, value, fit in asked:
            form = [("_count", "100"), (way, value)]
            answer = post(world, type_, dict(form))
            assert (id_ in ids(answer)) is fit, f"{type_}?{way}={value}"
            tried += 1
            if (way, value, fit) not in asked[:: len(asked) - 1]:
                continue  # an address is read as a form is: the first and the last of each parameter show it
            if SEARCH[type_][name].personal:
                assert "form" in refused(get(world, type_, form))
            else:
                assert ids(get(world, type_, form)) == ids(answer)
    assert tried > 8


@pytest.mark.parametrize("type_", TYPES)
def test_every_declared_chain_leads_to_what_it_names(world: World, one: Case, type_: str) -> None:
    occurrence = get(world, f"ServiceRequest/{one.task}").json()["identifier"][0]
    for name in (p["name"] for p in declared(world, type_)["searchParam"] if "." in p["name"]):
        system, value = (NHS, NUMBER) if ":Patient" in name else (occurrence["system"], occurrence["value"])
        for way in (name, name.replace(":Patient", "").replace(":ServiceRequest", "")):
            assert one.ids[type_] in ids(post(world, type_, {way: f"{system}|{value}"})), way
            assert ids(post(world, type_, {way: f"{system}|0000000000"})) == []
            assert "form" in refused(get(world, type_, {way: f"{system}|{value}"}))


@pytest.mark.parametrize("type_", TYPES)
def test_every_declared_include_brings_what_is_referred_to(world: World, one: Case, type_: str) -> None:
    for include in declared(world, type_).get("searchInclude", []):
        (target,) = SEARCH[type_][include.partition(":")[2]].targets
        for value in (include, f"{include}:{target}"):
            answer = get(world, type_, {"_id": one.ids[type_], "_include": value})
            assert ids(answer, "include") == [one.ids[target]], value
            assert {found["resourceType"] for found in entries(answer, "include")} == {target}
            assert target in str((last(world).detail or {})["types"])
            parse(answer.content)
        assert entries(get(world, type_, {"_id": one.ids[type_]}), "include") == []


@pytest.mark.parametrize("type_", TYPES)
def test_every_declared_reverse_include_brings_what_refers_to_it(world: World, one: Case, type_: str) -> None:
    for include in declared(world, type_).get("searchRevInclude", []):
        source = include.partition(":")[0]
        answer = get(world, type_, {"_id": one.ids[type_], "_revinclude": include})
        assert one.ids[source] in ids(answer, "include"), include
        assert {found["resourceType"] for found in entries(answer, "include")} == {source}
        assert source in str((last(world).detail or {})["types"])


def test_what_refers_to_somebody_else_does_not_come_along(world: World, one: Case) -> None:
    child = one.ids["Patient"].replace("victim", "child")
    assert ids(get(world, "Patient", {"_id": child})) == [child]
    for include in ("Task:patient", "ServiceRequest:subject", "Flag:subject", "RiskAssessment:subject"):
        assert ids(get(world, "Patient", {"_id": child, "_revinclude": include}), "include") == []


@pytest.mark.parametrize("type_", TYPES)
def test_every_declared_sort_orders_both_ways_and_its_pages_are_the_whole(world: World, one: Case, type_: str) -> None:
    assert one
    whole = sorted(walk(world, type_, {"_count": "100"}))
    for key in codes(declared(world, type_), "sort"):
        up, down = (walk(world, type_, {"_sort": sign + key, "_count": "2"}) for sign in ("", "-"))
        assert sorted(up) == sorted(down) == whole
        parameter = SEARCH[type_][key]
        ranks = {"routine": 0, "urgent": 1, "asap": 2}
        values = {
            found["id"]: ranks.get(value, _in_order(value))
            for found in entries(get(world, type_, {"_count": "100"}))
            for value in elements(found, parameter.paths[0])
        }
        assert [values[id_] for id_ in up] == sorted(values[id_] for id_ in up)
        assert [values[id_] for id_ in down] == sorted((values[id_] for id_ in down), reverse=True)


def _in_order(value: str) -> str | datetime:
    """What is compared: of a time the instant, for one on the second is written without a fraction."""
    return datetime.fromisoformat(value) if re.fullmatch(r"[0-9-]{10}T[0-9:.]+Z", value) else value


def walk(world: World, type_: str, params: Mapping[str, str]) -> list[str]:
    """The ids of every page."""
    answer = get(world, type_, params)
    found = ids(answer)
    while "next" in links(answer):
        answer = follow(world, links(answer)["next"])
        found += ids(answer)
    return found


def test_several_keys_sort_one_after_the_other(world: World, one: Case) -> None:
    assert one
    pushed(world, grade="STANDARD")
    found = entries(get(world, "Task", {"_sort": "-priority,-authored-on", "_count": "100"}))
    keys = [({"routine": 0, "urgent": 1, "asap": 2}[task["priority"]], task["authoredOn"]) for task in found]
    assert keys == sorted(keys, reverse=True)
    assert len({key[0] for key in keys}) > 1


# What shapes a result


def test_elements_and_what_must_be_there_are_all_that_comes(world: World, one: Case) -> None:
    (found,) = entries(get(world, "ServiceRequest", {"_id": one.task, "_elements": "priority,authoredOn"}))
    assert found.keys() == {"resourceType", "id", "meta", "status", "intent", "subject", "priority", "authoredOn"}
    assert found["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert (last(world).detail or {})["elements"] == "priority,authoredOn"


def test_a_summary_is_shorter_and_a_part_of_the_whole(world: World, one: Case) -> None:
    for type_ in TYPES:
        whole = get(world, f"{type_}/{one.ids[type_]}").json()
        for summary in ("true", "text"):
            answer = get(world, type_, {"_id": one.ids[type_], "_summary": summary})
            (found,) = entries(answer)
            assert all(whole[name] == value for name, value in found.items() if name != "meta")
            assert len(found) <= len(whole)
            parse(answer.content)
        for summary in ("data", "false"):
            assert entries(get(world, type_, {"_id": one.ids[type_], "_summary": summary})) == [whole]


def test_one_resource_can_be_read_in_part(world: World, one: Case) -> None:
    answer = get(world, f"Patient/{one.ids['Patient']}", {"_elements": "gender"})
    assert answer.json().keys() == {"resourceType", "id", "meta", "gender"}
    assert "ETag" not in answer.headers, "a part has no version of its own"


@pytest.mark.parametrize("asked", [{"_summary": "count"}, {"_count": "0"}])
def test_a_count_tells_a_number_and_seals_that(world: World, one: Case, asked: dict[str, str]) -> None:
    assert one
    whole = get(world, "Task", {"_count": "100"}).json()["total"]
    before = size(world)
    answer = get(world, "Task", asked)
    assert (answer.json()["total"], answer.json().get("entry")) == (whole, None)
    (entry,) = sealed(world, LOG, before)
    assert (entry.event, entry.outcome) == (Event.REFERRALS_COUNTED, "permitted")
    assert (entry.detail or {})["total"] == whole


def test_a_count_by_what_a_record_says_seals_each_that_was_counted(world: World, one: Case) -> None:
    before = size(world)
    answer = post(world, "Patient", {"identifier": f"{NHS}|{NUMBER}", "_summary": "count"})
    assert (answer.json()["total"], answer.json().get("entry")) == (1, None)
    (entry,) = sealed(world, LOG, before)
    assert (entry.case, "victim.nhs_number" in entry.items.released) == (one.task, True)


def test_a_total_is_told_where_it_tells_nothing_more(world: World, one: Case) -> None:
    assert one
    for count in ("1", "100"):
        assert "total" not in get(world, "Task", {"_total": "none", "_count": count}).json()
    for wanted in ("estimate", "accurate"):
        assert get(world, "Task", {"_total": wanted, "_count": "1"}).json()["total"] > 1
    assert "total" not in get(world, "Patient", {"_total": "accurate", "_count": "1"}).json()
    assert post(world, "Patient", {"identifier": NUMBER, "_total": "accurate"}).json()["total"] == 1


# What identifies somebody


def test_a_patient_is_found_by_nhs_number_and_no_address_says_so(world: World, one: Case) -> None:
    answer = post(world, "Patient", {"identifier": f"{NHS}|{NUMBER}"})
    assert ids(answer) == [one.ids["Patient"]]
    assert NUMBER not in "".join(links(answer).values())
    assert ids(follow(world, links(answer)["self"])) == [one.ids["Patient"]]


def test_a_number_that_is_withheld_finds_nobody(world: World, one: Case) -> None:
    """Found by the index, and told to nobody: the condition is asked of what was decided."""
    terms = world.services.standing(LOG).terms
    assert terms is not None
    before: dict[str, Any] = orjson.loads(terms.agreement.canonical)

    def withhold(content: dict[str, Any]) -> None:
        for clause in content["clauses"]:
            if "release" in clause:
                kept = [item for item in clause["release"] if item != "victim.nhs_number"]
                clause["release"] = kept or ["event.kind"]

    bring_into_force(world, withhold)
    try:
        found, missing = (post(world, "Patient", {"identifier": f"{NHS}|{n}"}) for n in (NUMBER, "9990000026"))
        assert ids(found) == ids(missing) == []
        assert ids(post(world, "Task", {"patient.identifier": NUMBER})) == []
        without = post(world, "Patient", {"identifier:missing": "true", "_id": one.ids["Patient"]})
        assert ids(without) == [one.ids["Patient"]]
    finally:
        bring_into_force(world, lambda content: content.update(clauses=before["clauses"]))


# What is not declared


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "_has:Task:patient:status=x",
        "birthdate=1991",
        "status:text=x",
        "status=",
        "_sort=status",
        "_sort=-",
        "_sort=",
        "_sort=_lastUpdated,modified,priority,authored-on",
        "_sort=priority&_sort=modified",
        "_include=Task:owner",
        "_include=Patient:link",
        "_include=*",
        "_include=Task:focus:Patient",
        "_revinclude=Task:focus",
        "_include:iterate=Task:focus",
        "_summary=some",
        "_summary=true&_elements=status",
        "_summary=text&_include=Task:focus",
        "_summary=count&_include=Task:focus",
        "_elements=name",
        "_elements=",
        "_elements=status,",
        "_elements=Patient.name",
        "_total=some",
        "_count=-1",
        "authored-on=ap2026",
        "patient:Group=x",
        "patient.name=x",
        "owner.identifier=x",
        "_cursor=x&_count=1",
        "_cursor=x&_cursor=y",
        "&".join(["status=requested"] * 51),
    ],
)
def test_what_is_not_declared_is_refused_and_never_passed_over(world: World, query: str) -> None:
    words = refused(world.hospital.get(f"{BASE}/Task?{query}"))
    assert "red" not in words.replace("declared", "")


@pytest.mark.parametrize(
    "query", ["_has:Task:patient:status=x", "_filter=status eq x", "_query=all", "_list=1", "_text=x", "_content=x"]
)
def test_what_r4_selects_by_and_is_not_served_is_refused_whatever_the_caller_wishes(world: World, query: str) -> None:
    """A filter that is passed over gives everything, which nobody who sends one can mean."""
    name, _, value = query.partition("=")
    refused(get(world, "Patient", [(name, value)], Prefer="handling=lenient"))
    refused(get(world, "Patient", [(name, value)]))
    assert name.partition(":")[0] not in world.hospital.get(f"{BASE}/metadata").text


def test_an_unknown_parameter_is_passed_over_where_the_caller_wishes_so(world: World, one: Case) -> None:
    params = [("_id", one.task), ("colour", "Zaqxu"), ("size", "9")]
    assert refused(get(world, "Task", params))
    assert refused(get(world, "Task", params, Prefer="handling=strict"))
    answer = get(world, "Task", params, Prefer="return=minimal; handling=lenient")
    assert ids(answer) == [one.task]
    assert links(answer)["self"].endswith(f"/Task?_id={one.task}")
    (said,) = entries(answer, "outcome")
    assert said["issue"][0]["severity"] == "warning"
    assert said["issue"][0]["diagnostics"].startswith("2 ")
    assert "Zaqxu" not in answer.text
    parse(answer.content)


@pytest.mark.parametrize("query", ["status:text=x", "authored-on=never", "_sort=colour", "_include=x"])
def test_what_is_known_and_not_served_is_refused_even_then(world: World, query: str) -> None:
    refused(world.hospital.get(f"{BASE}/Task?{query}", headers={"Prefer": "handling=lenient"}))


@pytest.mark.parametrize(
    ("body", "media", "status_code"),
    [
        (b"_id=%zz%", "application/x-www-form-urlencoded", 200),
        (b"status", "application/x-www-form-urlencoded", 400),
        (b"status=%00", "application/x-www-form-urlencoded", 400),
        ("status=é".encode(), "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"_id=" + b"x" * 9000, "application/x-www-form-urlencoded", 413),
        (b"", "application/x-www-form-urlencoded", 200),
    ],
)
def test_a_form_is_read_or_refused(world: World, body: bytes, media: str, status_code: int) -> None:
    answer = world.hospital.post(f"{BASE}/Task/_search", content=body, headers={"Content-Type": media})
    assert answer.status_code == status_code, answer.text


def test_parameters_of_the_address_and_of_the_form_count_alike(world: World, one: Case) -> None:
    answer = world.hospital.post(f"{BASE}/Task/_search?_id={one.task}", data={"status": "accepted"})
    assert ids(answer) == [one.task]
    assert ids(world.hospital.post(f"{BASE}/Task/_search?_id={one.task}", data={"status": "rejected"})) == []
    assert "form" in refused(world.hospital.post(f"{BASE}/Patient/_search?family=x", data={"gender": "female"}))


def test_a_parameter_that_is_repeated_narrows_each_time(world: World, one: Case) -> None:
    query = [("_id", one.task), ("status", "accepted,requested"), ("status", "accepted,rejected")]
    assert ids(get(world, "Task", query)) == [one.task]
    assert ids(get(world, "Task", [*query, ("status", "rejected")])) == []


# Pages


def test_a_cursor_is_of_no_use_to_anybody_else_or_anywhere_else(world: World, one: Case) -> None:
    assert one
    url = links(get(world, "Task", {"_count": "1"}))["next"]
    cursor = dict(parse_qsl(urlsplit(url).query))["_cursor"]
    colleague = world.client("demo-hospital", {"id": "idva-0043", "role": "idva"})
    evaluation = add_client(world, "evaluation", ADVISER, **like("demo-hospital", recipient="evaluation"))
    tries = [
        colleague.get(f"{BASE}/Task", params={"_cursor": cursor}),
        evaluation.get(f"{BASE}/Task", params={"_cursor": cursor}),
        get(world, "ServiceRequest", {"_cursor": cursor}),
        get(world, f"ServiceRequest/{one.task}/$everything", {"_cursor": cursor}),
        get(world, "Task", {"_cursor": cursor[:-2] + "AA"}),
        get(world, "Task", {"_cursor": cursor, "status": "accepted"}),
        get(world, "Task", {"_cursor": "x"}),
    ]
    assert len({(answer.status_code, answer.text) for answer in tries}) == 1
    refused(tries[0])
    assert follow(world, url).status_code == 200


def test_a_referral_that_is_stopped_between_pages_is_not_on_the_next(world: World, one: Case) -> None:
    assert one
    mine = [pushed(world)[1] for _ in range(4)]
    first = get(world, "Task", {"_count": "2", "_sort": "-authored-on"})
    assert ids(first) == [mine[3], mine[2]]
    stop = world.hospital.post(f"/team/v1/referrals/{mine[1]}/consent", json={"state": "withdrawn"})
    assert stop.is_success, stop.text
    second = follow(world, links(first)["next"])
    assert mine[1] not in ids(second)
    assert mine[0] in ids(second)


def test_a_page_that_looks_far_ends_and_leads_on(world: World, one: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """What columns cannot tell is looked for in so many referrals; the link goes on from there."""
    for _ in range(2):
        pushed(world)
    monkeypatch.setattr("gateway.disclosure.LOOKED_AT_MAX", 2)
    answer = post(world, "Patient", {"given": "marianne", "gender:not": "male", "_count": "2"})
    found, pages = ids(answer), 1
    while "next" in links(answer):
        answer = follow(world, links(answer)["next"])
        assert len({id_.partition(".")[0] for id_ in ids(answer)}) <= 2
        found += ids(answer)
        pages += 1
    monkeypatch.undo()
    assert pages > 2
    assert one.ids["Patient"] in found
    assert sorted(found) == sorted(ids(post(world, "Patient", {"given": "marianne", "_count": "100"})))


# Everything of a referral


def test_everything_of_a_referral_comes_in_pages_and_is_sealed(world: World, one: Case) -> None:
    whole = get(world, f"ServiceRequest/{one.task}/$everything", {"_count": "100"})
    types = [found["resourceType"] for found in entries(whole)]
    assert set(types) == set(EVERYTHING)
    assert types[0] == "ServiceRequest"
    assert {"victim.name", "child.name", "risk.answers"} <= set(last(world).items.released)
    parse(whole.content)
    answer = get(world, f"ServiceRequest/{one.task}/$everything", {"_count": "3"})
    found = entries(answer)
    assert len(found) == 3
    while "next" in links(answer):
        before = size(world)
        answer = follow(world, links(answer)["next"])
        page = entries(answer)
        found += page
        (entry,) = sealed(world, LOG, before)
        assert set(str((entry.detail or {})["types"]).split(",")) == {one["resourceType"] for one in page}
        assert ids(follow(world, links(answer)["self"])) == ids(answer)
    assert found == entries(whole)


def test_everything_can_be_of_some_types(world: World, one: Case) -> None:
    answer = get(world, f"ServiceRequest/{one.task}/$everything", {"_type": "Task,Flag"})
    assert [found["resourceType"] for found in entries(answer)] == ["Task", "Flag"]
    assert "victim.name" not in last(world).items.released


@pytest.mark.parametrize("query", ["_type=Observation", "_type=", "colour=red", "_count=1&_count=2", "start=2026"])
def test_everything_takes_nothing_else(world: World, one: Case, query: str) -> None:
    refused(world.hospital.get(f"{BASE}/ServiceRequest/{one.task}/$everything?{query}"))


def test_everything_is_of_a_referral_alone(world: World, one: Case) -> None:
    for path in (f"Task/{one.task}", f"Patient/{one.ids['Patient']}", "ServiceRequest/none"):
        assert get(world, f"{path}/$everything").status_code == 404


def test_a_page_of_everything_goes_on_where_it_stood_when_the_referral_changes(world: World, one: Case) -> None:
    assert one
    task = pushed(world)[1]
    first = get(world, f"ServiceRequest/{task}/$everything", {"_count": "2"})
    assert change(world, task, 1, status("accepted")).status_code == 200
    second = follow(world, links(first)["next"])
    assert not set(ids(first)) & {f"{task}.victim-1"}
    assert f"{task}.victim-1" in ids(second)


# How a SMART client signs in


def test_the_smart_configuration_says_what_is_there_and_no_more(world: World) -> None:
    answer = world.hospital.http.get(f"{BASE}/.well-known/smart-configuration")
    found = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert found["token_endpoint"] == "https://gateway.test/oauth2/token"
    assert found["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert found["grant_types_supported"] == ["client_credentials"]
    assert found["capabilities"] == ["client-confidential-asymmetric"]
    assert "authorization_endpoint" not in found
    assert "health:referral.read" in found["scopes_supported"]
