"""P8: to a caller outside, a record that exists and one that does not look the same, and cost the same work.

Each question is asked twice: about something that is there but not for this caller, and about something that is not
there at all. Status, headers, body, count and paging must be equal, and so must the statements that ran and the shape
of what was sealed. Ids, times and places in the log are made equal first; nothing is timed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_plus

import httpx
import orjson
import pytest
from sqlalchemy import event

from adapters.nhs.fhir import SEARCH, TYPES, chains
from gateway.chance import fresh_id
from gateway.demo.client import Client
from gateway.demo.run import ADVISER, LOG, OFFICER
from gateway.evidence import OPERATOR_LOG
from tests.journeys.channels import Case, case
from tests.journeys.support import PATCH, add_client, like, sealed, size
from tests.support.searches import fitting, has
from tests.support.world import World

OTHER = "other-provide"
pytestmark = pytest.mark.usefixtures("outside")  # every test here needs the other agreement to be there
Ask = Callable[[Client, str], httpx.Response]


@pytest.fixture(scope="module")
def there(world: World) -> Case:
    """A referral of the first hospital's team."""
    return case(world)


@pytest.fixture(scope="module")
def outside(world: World) -> Client:
    """A system of another trust's team, under an agreement of its own, drafted from the same text."""
    from gateway.agreement import State, parse, shipped, sign  # noqa: PLC0415 - this fixture alone
    from gateway.initialise import party_key  # noqa: PLC0415 - as above
    from gateway.terms import ChangeState, DraftAgreement, RegisterKey, SignAgreement  # noqa: PLC0415 - as above

    content: dict[str, Any] = orjson.loads(shipped().canonical)
    content["id"] = OTHER
    agreement = parse(orjson.dumps(content))
    world.services.open_log(OTHER)
    journal = world.services.journals.of(OTHER)
    journal.submit_and_wait(DraftAgreement(agreement))
    for party in agreement.content.parties:
        signature = sign(agreement.hash, party_key(world.keys_dir / f"party-{party.id}.pem"), party.id)
        journal.submit_and_wait(RegisterKey(agreement, party.id, signature.public_key))
        journal.submit_and_wait(SignAgreement(agreement, signature))
    journal.submit_and_wait(ChangeState(agreement, State.IN_FORCE))
    return add_client(world, "outside-hospital", ADVISER, **like("demo-hospital", agreements=[OTHER]))


def _read(type_: str) -> Ask:
    return lambda client, id_: client.get(f"/fhir/R4/{type_}/{id_}")


def _search(type_: str, name: str) -> Ask:
    return lambda client, id_: client.get(f"/fhir/R4/{type_}", params={name: id_, "_count": 1})


def _change(method: str) -> Ask:
    def ask(client: Client, id_: str) -> httpx.Response:
        media = PATCH if method == "PATCH" else "application/fhir+json"
        headers = {"If-Match": 'W/"1"', "Content-Type": media}
        return client.http.request(method, f"/fhir/R4/Task/{id_}", content=b"[]", headers=headers)

    return ask


def _batch(client: Client, *urls: str) -> httpx.Response:
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    body = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    return client.post("/fhir/R4", json=body, headers={"Content-Type": "application/fhir+json"})


ASKED: dict[str, tuple[str, Ask]] = {
    **{f"read {type_}": (type_, _read(type_)) for type_ in TYPES},
    **{f"search {type_} by _id": (type_, _search(type_, "_id")) for type_ in TYPES},
    **{
        f"search {type_} by {name}": ("Patient", _search(type_, name))
        for type_, declared in SEARCH.items()
        for name, parameter in declared.items()
        if parameter.targets == ("Patient",)
    },
    "count": ("Task", lambda client, id_: client.get("/fhir/R4/Task", params={"_id": id_, "_summary": "count"})),
    "everything": ("Task", lambda client, id_: client.get(f"/fhir/R4/ServiceRequest/{id_}/$everything")),
    "in a batch": ("Task", lambda client, id_: _batch(client, f"Task?_id={id_}&_include=Task:patient")),
    "put": ("Task", _change("PUT")),
    "patch": ("Task", _change("PATCH")),
    "act": ("Task", lambda c, id_: c.post(f"/team/v1/referrals/{id_}/acts", json={"acts": [{"act": "acknowledge"}]})),
    "what was done": ("Task", lambda client, id_: client.get(f"/team/v1/referrals/{id_}/acts")),
    "form for the conference": ("Task", lambda client, id_: client.get(f"/team/v1/referrals/{id_}/marac-referral.pdf")),
}


@pytest.mark.parametrize("name", ASKED)
def test_the_referral_of_another_team_is_as_good_as_none(world: World, there: Case, outside: Client, name: str) -> None:
    type_, ask = ASKED[name]
    _same(world, outside, ask, there.ids[type_], absent_like(there.ids[type_]), OTHER)


@pytest.mark.parametrize("type_", TYPES)
def test_by_no_parameter_can_anothers_referral_be_told_from_none(
    world: World, there: Case, outside: Client, type_: str
) -> None:
    """Whatever is known of somebody, asking for it tells nobody outside that there is a referral with it."""
    read = world.hospital.get(f"/fhir/R4/{type_}/{there.ids[type_]}").json()
    occurrence = world.hospital.get(f"/fhir/R4/ServiceRequest/{there.task}").json()["identifier"][0]
    number, case_ = "https://fhir.nhs.uk/Id/nhs-number|9990000018", f"{occurrence['system']}|{occurrence['value']}"
    # A code of a closed list is known to everybody, and which are asked for is in the statement.
    known = [name for name, one in SEARCH[type_].items() if has(read, type_, name) and one.system is None]
    asked = [way for name in known for way in fitting(read, type_, name) if not way[1].endswith("|")]
    asked += [(chain, case_ if ":ServiceRequest" in chain else number) for chain in chains(type_)]
    for name, value in asked:

        def ask(client: Client, text: str, name: str = name) -> httpx.Response:
            return client.post(f"/fhir/R4/{type_}/_search", data={name: text, "_sort": "-_lastUpdated", "_count": "1"})

        _same(world, outside, ask, value, _none_like(type_, name, value), OTHER)


def _none_like(type_: str, name: str, value: str) -> str:
    """A value of the same form that nothing has."""
    parameter = SEARCH[type_].get(name.partition(":")[0].partition(".")[0])
    if parameter is not None and parameter.kind == "date":
        return "1890-01-01"
    system, stroke, _ = value.rpartition("|")
    return f"{system}{stroke}{fresh_id()}"


def test_the_whole_worklist_of_another_team_is_empty(there: Case, outside: Client) -> None:
    assert there.task
    for type_ in TYPES:
        answer = outside.get(f"/fhir/R4/{type_}")
        body = answer.json()
        assert answer.status_code == 200
        assert "entry" not in body
        assert body.get("total", 0) == 0
        assert [one["relation"] for one in body["link"]] == ["self"]


def test_another_recipient_of_the_same_agreement_sees_none_of_it(world: World, there: Case) -> None:
    evaluation = add_client(world, "evaluation", ADVISER, **like("demo-hospital", recipient="evaluation"))
    for type_, ask in ASKED.values():
        _same(world, evaluation, ask, there.ids[type_], absent_like(there.ids[type_]), LOG)


def test_anothers_incident_and_none_look_the_same_to_police(world: World, there: Case) -> None:
    """Another force, and the same force under another agreement."""
    other = add_client(world, "outside-rms", OFFICER, **like("demo-rms", agreements=[OTHER]))

    def ask(client: Client, reference: str) -> httpx.Response:
        return client.get(f"/police/v1/incidents/{reference}")

    _same(world, other, ask, there.incident, fresh_id(), OTHER)
    _same(world, world.police, ask, there.task, fresh_id(), LOG)  # a referral's reference is no incident's


def test_anothers_feedback_is_none(world: World, there: Case) -> None:
    other = add_client(world, "outside-rms", OFFICER, **like("demo-rms", agreements=[OTHER]))
    assert there.incident
    answer = other.get("/police/v1/feedback").json()
    assert (answer["feedback"], answer["next"], answer["more"]) == ([], -1, False)


@pytest.mark.parametrize(
    "path",
    [
        "checkpoint",
        "entries",
        "entries/0",
        "entries/0/proof",
        "consistency?first=1&second=2",
        "subjects/x/disclosures",
        "pack",
    ],
)
def test_a_log_of_others_and_no_log_look_the_same_to_an_auditor(
    world: World, there: Case, outside: Client, path: str
) -> None:
    auditor = add_client(world, "outside-auditor", None, **like("demo-auditor", agreements=[OTHER]))
    assert there.task
    assert outside.client_id

    def ask(client: Client, log_id: str) -> httpx.Response:
        return client.get(f"/audit/v1/logs/{log_id}/{path}")

    for existing in (LOG, OPERATOR_LOG):
        _same(world, auditor, ask, existing, "no-such-log", OTHER)
    assert [one["id"] for one in auditor.get("/audit/v1/logs").json()["logs"]] == [OTHER]


def test_a_person_who_is_there_and_one_who_is_not_look_the_same_in_anothers_log(world: World, there: Case) -> None:
    auditor = add_client(world, "outside-auditor", None, **like("demo-auditor", agreements=[OTHER]))
    assert there.task

    def ask(client: Client, family: str) -> httpx.Response:
        person = {"family": family, "given": "Marianne", "birth_date": "1991-02-03"}
        return client.post(f"/audit/v1/logs/{OTHER}/subjects", json=person)

    _same(world, auditor, ask, "Ashdown", "Nobody", OTHER)

    def disclosures(client: Client, subject: str) -> httpx.Response:
        return client.get(f"/audit/v1/logs/{OTHER}/subjects/{subject}/disclosures")

    reference = next(one.subjects[0] for one in sealed(world) if one.subjects)
    _same(world, auditor, disclosures, reference, f"{fresh_id()}.victim-1", OTHER)


def test_without_a_token_nothing_tells_one_from_the_other(world: World, there: Case) -> None:
    def ask(client: Client, id_: str) -> httpx.Response:
        return client.http.get(f"/fhir/R4/Task/{id_}", headers={"Authorization": "Bearer none"})

    _same(world, world.hospital, ask, there.task, fresh_id(), OPERATOR_LOG)


def absent_like(id_: str) -> str:
    """An id of the same form that nothing has."""
    return fresh_id() + id_[36:]


def _same(world: World, client: Client, ask: Ask, existing: str, absent: str, log_id: str) -> None:
    """Ask about both, in both orders, so that what is remembered between them shows as well."""
    seen = [_asked(world, client, ask, one, log_id) for one in (existing, absent, existing, absent, absent, existing)]
    for found in seen[1:]:
        assert found == seen[1]
    assert seen[0][:3] == seen[1][:3]


def _asked(world: World, client: Client, ask: Ask, id_: str, log_id: str) -> tuple[Any, ...]:
    """Everything a caller can see of an answer, then the work behind it, ids and times aside."""
    before = size(world, log_id)
    with _statements(world) as statements:
        answer = ask(client, id_)
    assert answer.status_code < 500
    entries = sealed(world, log_id, before)
    headers = sorted((name, value) for name, value in answer.headers.items() if name.lower() not in _VARIES)
    return (
        answer.status_code,
        [(name, _plain(value, id_) if name != "content-length" else "") for name, value in headers],
        _plain(answer.text, id_),
        [_plain(repr(one), id_) for one in entries],
        statements,
    )


_VARIES = frozenset({"x-request-id", "gateway-receipt"})
_CHANGING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)"), "TIME"),
    (re.compile(r'"valueString":"[^"]+/logs/[^"]*"'), "CHECKPOINT"),
    (re.compile(r'"(index|size)":\d+'), "INDEX"),
    (re.compile(r'"next":\d+'), "NEXT"),
    (re.compile(r"_cursor=[\w-]+"), "CURSOR"),
)


def _plain(text: str, id_: str) -> str:
    """A text without what differs between any two calls."""
    text = text.replace(id_, "ASKED").replace(quote_plus(id_), "ASKED")
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text


@contextmanager
def _statements(world: World) -> Iterator[list[str]]:
    """Every statement any connection runs meanwhile, but those that no question decides.

    The register of clients is read again when it is old; the tree has a new inner node at every other size, and the
    index of what entries say a new block, made of the entries of it, at every so many.
    """
    ran: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: Any) -> None:
        if 'INSERT INTO "log_block"' in statement:
            assert "FROM log_entry" in ran.pop()
        elif not re.search(r"FROM (client|revocation)\b|INSERT INTO \"log_node\"", statement):
            ran.append(re.sub(r"\s+", " ", statement))

    engines = (world.services.database.reader, world.services.database.writer)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
