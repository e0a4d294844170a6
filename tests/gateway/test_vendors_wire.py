"""Other vendors' systems at the gateway: their searches and Bundles over FHIR, their messages over a real MLLP socket.

Each is answered with the status it should have and a reason that repeats no value; what may be safeguarding and cannot
be taken waits for a person; what comes late or twice moves nothing back.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import orjson
import pytest

from adapters.mllp import framed
from adapters.nhs.fhir import parse
from gateway.store import tables
from tests.gateway.test_mllp_demographics import SHE, became, born, case_with_number
from tests.gateway.test_mllp_messages import answers, rows, sealed, talk
from tests.journeys.channels import Case, case
from tests.journeys.support import world_on
from tests.support.bundles import JSON, body, bundle, number
from tests.support.mllp import Sender, adt, codes, header, told
from tests.support.world import World

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""What has nothing to do with the engine."""
BASE = "/fhir/R4"
FORM = {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}
HAPI = (
    "application/fhir+xml;q=1.0, application/fhir+json;q=1.0, application/xml+fhir;q=0.9, application/json+fhir;q=0.9"
)
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
"""What HttpURLConnection asks for where nobody says what."""


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("vendors") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def one(world: World) -> Case:
    return case(world)


# FHIR: how they search


SEARCHES: dict[str, tuple[str, dict[str, str], int]] = {
    "HAPI": ("Task?status=requested", {"Accept": HAPI, "Accept-Charset": "utf-8"}, 200),
    "Firely": ("Task?_format=application%2Ffhir%2Bjson", {"Accept": "application/fhir+json; fhirVersion=4.0"}, 200),
    "Java without a library": ("Task", {"Accept": JAVA}, 200),
    "media type in capitals": ("Task", {"Accept": "Application/FHIR+JSON; Charset=UTF-8"}, 200),
    "a weight without its zero": ("Task", {"Accept": "application/fhir+json;q=.5"}, 200),
    "a weight that is none": ("Task", {"Accept": "application/fhir+json;q=high"}, 406),
    "the media type of DSTU2": ("Task", {"Accept": "application/json+fhir"}, 406),
    "another FHIR version first": ("Task", {"Accept": "application/fhir+json;fhirVersion=5.0, */*;q=0.1"}, 200),
    "pages of another server": ("Task?_getpages=1f&_getpagesoffset=10&_bundletype=searchset", {}, 400),
    "no result wanted": ("Task?_count=0", {}, 200),
    "no result wanted, twice zero": ("Task?_count=00", {}, 200),
    "less than none": ("Task?_count=-1", {}, 400),
    "half of one": ("Task?_count=1.5", {}, 400),
    "a count without a number": ("Task?_count=", {}, 400),
    "of everything none": ("ServiceRequest/x/$everything?_count=0", {}, 400),
    "strict": ("Task?vendor-extra=1", {"Prefer": "handling=strict"}, 400),
    "lenient": ("Task?vendor-extra=1", {"Prefer": "return=minimal; Handling=Lenient"}, 200),
    "asynchronous": ("Task", {"Prefer": "respond-async"}, 200),
    "escaped signs": ("Task?code=" + quote(r"a\,b\|c\$d", safe=""), {}, 200),
    "a sign escaped at the end": ("Task?code=a%5C", {}, 200),
    "an empty alternative": ("Task?status=,requested", {}, 400),
    "missing, in capitals": ("Task?priority:missing=TRUE", {}, 400),
    "identifier of a literal reference": ("Task?patient:identifier=x%7C9990000018", {}, 400),
    "a modifier that is not served": ("Task?code:text=x", {}, 400),
    "a sort of DSTU1": ("Task?_sort:desc=_lastUpdated", {}, 400),
    "an include of everything": ("Task?_include=*", {}, 400),
    "a reverse chain": ("Patient?_has:Task:patient:status=requested", {}, 400),
    "a plus that nobody escaped": ("Task?authored-on=ge2026-01-01T00:00:00+00:00", {}, 400),
    "a type in lower case": ("task", {}, 404),
    "a slash behind": ("Task/", {}, 404),
    "two slashes": ("/Task", {}, 404),
    "a path parameter": ("Task;v=1", {}, 404),
}


@pytest.mark.parametrize("habit", SEARCHES)
def test_a_search_is_answered_or_refused_for_what_it_is(world: World, one: Case, habit: str) -> None:
    assert one.task
    query, headers, status = SEARCHES[habit]
    before = len(world.entries())
    answer = world.hospital.http.get(f"{BASE}/{query}", headers=headers)
    assert answer.status_code == status, answer.text
    if status == 200:
        assert len(world.entries()) > before, "what is given is sealed"
        return
    issue = answer.json()["issue"][0]
    assert issue["diagnostics"]
    assert "9990000018" not in answer.text
    assert "vendor-extra" not in answer.text


def test_of_a_count_that_is_none_it_is_said_what_one_is(world: World) -> None:
    for value in ("-1", "1.5", "+5", "9" * 12):
        said = world.hospital.get(f"{BASE}/Task", params={"_count": value}).json()["issue"][0]["diagnostics"]
        assert said == "_count is a whole number, without a sign and of at most nine figures"


def test_a_form_says_how_its_answer_is_written(world: World, one: Case) -> None:
    """A client that posts its search posts `_format` as well: R4 puts the parameters in the body."""
    assert one.task
    path = f"{BASE}/Task/_search?status=requested,accepted,received"
    in_xml = world.hospital.http.post(path, content="_format=xml&priority=asap,urgent,routine", headers=FORM)
    assert in_xml.headers["content-type"].startswith("application/fhir+xml")
    assert parse(in_xml.content).content["total"] > 0
    laid_out = world.hospital.http.post(path, content="_pretty=true", headers=FORM)
    assert b'\n  "resourceType"' in laid_out.content
    wrong = world.hospital.http.post(path, content="_format=xml&_sort=colour", headers=FORM)
    assert (wrong.status_code, wrong.content[:5]) == (400, b"<?xml")
    before = len(world.entries())
    refused = world.hospital.http.post(path, content="_format=html", headers=FORM)
    assert refused.status_code == 406
    assert len(world.entries()) == before, "what cannot be given in any form is not looked up"


def test_a_search_is_posted_with_nothing_in_it(world: World, one: Case) -> None:
    assert one.task
    assert world.hospital.http.post(f"{BASE}/Task/_search?_id={one.task}").json()["total"] == 1
    assert world.hospital.http.post(f"{BASE}/Task/_search", content=b"x").status_code == 415


@pytest.mark.parametrize(
    ("method", "path", "served"),
    [
        ("POST", "Task", "GET"),
        ("DELETE", "Task/x", "GET, HEAD, PATCH, PUT"),
        ("PUT", "Patient/x", "GET, HEAD"),
        ("OPTIONS", "Task", "GET"),
        ("HEAD", "Task", "GET"),
        ("GET", "", "POST"),
        ("PUT", "Subscription/x", "DELETE, GET, HEAD"),
    ],
)
def test_a_method_that_is_not_served_is_answered_by_those_that_are(
    world: World, method: str, path: str, served: str
) -> None:
    """Whatever there is at the address, and no script of another site is let in."""
    answer = world.hospital.http.request(
        method, f"{BASE}/{path}".rstrip("/"), headers={"Origin": "https://another.example"}
    )
    assert (answer.status_code, answer.headers["allow"]) == (405, served)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert method == "HEAD" or answer.json()["issue"][0]["code"] == "not-supported"


# FHIR: what they bring


@pytest.mark.parametrize("kind", ["document", "collection", "searchset", "history", "batch", "transaction-response"])
def test_a_notice_in_a_bundle_of_another_type_waits_for_a_person(world: World, kind: str) -> None:
    before = len(world.guardian.get("/governance/v1/holds").json()["holds"])
    answer = world.hospital.post(BASE, content=body(bundle(number()) | {"type": kind}), headers=JSON)
    assert answer.status_code == 400, answer.text
    assert answer.json()["issue"][0]["expression"] == ["Bundle.type"]
    assert len(world.guardian.get("/governance/v1/holds").json()["holds"]) == before + 1


def test_a_resource_that_is_sent_alone_waits_for_a_person(world: World) -> None:
    before = len(world.guardian.get("/governance/v1/holds").json()["holds"])
    request = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": {"display": "x"}}
    assert world.hospital.post(BASE, content=orjson.dumps(request), headers=JSON).status_code == 400
    assert len(world.guardian.get("/governance/v1/holds").json()["holds"]) == before + 1


# HL7 v2 over MLLP


MODES = ("", "AL", "NE", "ER", "SU")
_GOOD, _BAD = {"AL", "SU"}, {"AL", "ER"}


def wanted(accept: str, application: str, *, good: bool) -> list[str]:
    """What HL7 v2.4 section 2.9.3 has answered, and at least one over MLLP."""
    asked = _GOOD if good else _BAD
    code = "AA" if good else "AE"
    if not accept and not application:
        return [code]
    first = ["CA" if good else "CE"] if accept in asked else []
    second = [code] if application in asked and (good or not first) else []
    return [*first, *second] or [code]


@SQLITE
def test_every_pair_of_modes_is_answered_as_it_asks_and_in_order(demo: World) -> None:
    asked: list[tuple[str, list[str]]] = []
    sent = b""
    for accept in MODES:
        for application in MODES:
            for good in (True, False):
                name = f"E{len(asked):03d}"
                message = adt(identifier=name, modes=f"||{accept}|{application}")
                sent += framed(message if good else message.replace(b"\rPID|", b"\rZID|"))
                asked.append((name, wanted(accept, application, good=good)))

    async def work(sender: Sender) -> None:
        await sender.send(sent)
        for name, said in asked:
            assert [told(await sender.answer()) for _ in said] == [(code, name) for code in said]

    talk(demo, work)


@SQLITE
def test_numbers_that_are_merged_in_a_chain_and_back_lead_to_one_case(demo: World) -> None:
    """A40 from A to B, B to C, and C to A again: every number finds the case, none is lost, and it ends."""
    case_with_number(demo)

    def merged(kept: str, gone: str) -> bytes:
        return born(demo, adt("A40", **SHE | {"nhs": ""}, local=kept, more=[f"MRG|{gone}^^^RXL^MR"]))

    first = born(demo, adt("A31", **SHE, local="A1"))
    chain = [merged("B2", "A1"), merged("C3", "B2"), merged("A1", "C3"), merged("C3", "C3")]
    assert codes(answers(demo, first, *chain)) == ["AA"] * 5
    assert became(demo)[1:] == ["merged", "merged", "nothing-new", "nothing-new"]
    assert codes(answers(demo, born(demo, adt("A31", **SHE | {"nhs": ""}, local="C3", phone="07700900777")))) == ["AA"]
    assert became(demo)[-1] == "proposed"


@SQLITE
def test_each_pair_of_a_merge_is_judged_by_its_own_person(demo: World) -> None:
    """In a message of two pairs the second is hers: it is not judged by somebody else's birth date, of the first."""
    case_with_number(demo)
    known = born(demo, adt("A31", **SHE, local="A1"))
    hers = next(line for line in born(demo, adt(**SHE | {"nhs": ""}, local="B2")).split(b"\r") if line[:3] == b"PID")
    other = "PID|1||9^^^RXL^MR||OTHER^ANN||19500101|F"
    text = [header("ADT^A40"), "EVN|A40|20260301090000", other, "MRG|8^^^RXL^MR", hers.decode(), "MRG|A1^^^RXL^MR", ""]
    assert codes(answers(demo, known, "\r".join(text).encode())) == ["AA", "AA"]
    assert became(demo)[-1] == "merged"


def recorded(message: bytes, at: str) -> bytes:
    """The message as it was recorded at another time."""
    return message.replace(b"|20260301090000\r", f"|{at}\r".encode())


def test_what_was_recorded_earlier_and_comes_late_moves_nothing_back(demo: World) -> None:
    """A queue that was held up lets go of an old address after the new one has come."""
    task = case_with_number(demo)
    new = recorded(born(demo, adt("A31", **SHE, street="2 NEW ROW")), "20260301120000")
    old = recorded(born(demo, adt("A31", **SHE, street="1 OLD ROW")), "20260301110000+0000")
    assert codes(answers(demo, new, old)) == ["AA", "AA"]
    assert became(demo) == ["proposed", "older-than-known"]
    [shown] = demo.hospital.get(f"/team/v1/referrals/{task}/demographics").json()["proposals"]
    assert shown["says"]["addresses"][0]["lines"] == ["2 NEW ROW"]
    later = recorded(born(demo, adt("A31", **SHE, street="3 NEXT ROW")), "20260301120001")
    assert codes(answers(demo, later)) == ["AA"]
    [shown] = demo.hospital.get(f"/team/v1/referrals/{task}/demographics").json()["proposals"]
    assert shown["says"]["addresses"][0]["lines"] == ["3 NEXT ROW"]


@SQLITE
def test_a_message_of_two_patients_is_for_a_person_and_proposes_nothing(demo: World) -> None:
    case_with_number(demo)
    hers = born(demo, adt("A31", **SHE, phone="07700900555"))
    found = answers(demo, hers + b"PID|2||1^^^RXL^MR||OTHER^ANN||19700101|F\r")
    assert codes(found) == ["AE"]
    assert b"PID^2" in found[0]
    assert b"OTHER" not in found[0]
    assert len(rows(demo, tables.quarantine)) == 1
    assert not rows(demo, tables.demographic_change)


@SQLITE
def test_a_batch_whose_frame_is_wrong_is_whole_in_no_part(demo: World) -> None:
    trailers = [b"BTS|3\rFTS|1\r", b"BTS|2\rFTS|2\r", b"BTS|2\r", b"FTS|1\rBTS|2\r", b"BTS|2\rFTS|1\rBTS|0\r"]
    head = b"FHS|^~\\&|A|B\rBHS|^~\\&|A|B\r"

    async def work(sender: Sender) -> None:
        for at, trailer in enumerate(trailers):
            await sender.send(framed(head + adt(identifier=f"A{at}") + adt(identifier=f"B{at}") + trailer))
            assert [told(await sender.answer()) for _ in range(2)] == [("AE", f"A{at}"), ("AE", f"B{at}")]

    talk(demo, work)
    assert not sealed(demo, "message-received")
    assert len(rows(demo, tables.quarantine)) == len(trailers)


@SQLITE
def test_a_version_that_is_not_taken_is_refused_by_its_place(demo: World) -> None:
    versions = ["2.1", "2.2", "2.6", "2.7", "2.8", "2.8.2", "v2.4", ""]
    sent = [adt(identifier="V").replace(b"|2.4|", f"|{version}|".encode()) for version in versions]
    for answer in answers(demo, *sent):
        assert told(answer) == ("AR", "V")
        assert b"MSH^1^12" in answer
    assert [one["reason"] for one in sealed(demo, "message-refused")] == ["version-not-taken"] * len(versions)


@SQLITE
def test_a_place_that_is_kept_for_a_number_nobody_has_is_no_fault(demo: World) -> None:
    """A newborn, or a visitor: the NHS number's place in PID-3 is empty, and her local number stands behind it."""
    message = adt(identifier="M").replace(b"|PAS|", b"|{}|")
    places = [b"^^^NHS^NH", b'""^^^NHS^NH', b""]
    sent = [message.replace(b"9990000026^^^NHS^NH", one).replace(b"{}", b"P%d" % at) for at, one in enumerate(places)]
    assert [told(one) for one in answers(demo, *sent)] == [("AA", "M")] * len(places)
