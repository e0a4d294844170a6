"""The evaluation's page: figures with what they count, an area, before and after, files; for whom, and sealed."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from lxml import html

from audit.entry import Operation
from gateway.console.about import WORDS
from gateway.console.page import AREAS, areas_of
from gateway.demo.run import LOG
from gateway.evaluation.making import Asked, make_here
from gateway.evaluation.period import Period
from gateway.evaluation.report import Report
from gateway.evaluation.sheets import sheets
from gateway.evaluation.synthetic.plan import Plan, Shares
from tests.console.referrals import words_of
from tests.journeys.support import world_on
from tests.support.console import ADVISER, EVALUATOR, GUARDIAN, LEAD, OFFICER, OTHER_TEAM, PEOPLE, signed_in
from tests.support.evaluation import loaded, years
from tests.support.world import World

VICTIMS = int(os.environ.get("TEST_EVALUATION_VICTIMS", "40"))
NOW = datetime.now(UTC).replace(microsecond=0)
PATH = "/console/evaluation"


@pytest.fixture(scope="module")
def story(seed: int) -> Plan:
    return years(NOW, VICTIMS, seed)


@pytest.fixture(scope="module")
def world(story: Plan, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two synthetic years, loaded once."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("evaluated") / "world") as opened:
        loaded(opened, story)
        yield opened


def tree(answer: httpx.Response) -> Any:
    return html.document_fromstring(answer.text)  # type: ignore[no-untyped-call]  # lxml has no types


def named(link: str) -> str:
    return link[len(PATH) + 1 :].partition("?")[0]


def made(world: World) -> Report:
    return make_here(world.services, LOG, Asked(Period.two_years_to(NOW))).report


def test_the_page_gives_the_loaded_figures_with_what_they_count_and_of_whom(world: World) -> None:
    answer = signed_in(world, EVALUATOR).get(PATH)
    assert answer.status_code == httpx.codes.OK
    shares, said = Shares(VICTIMS), words_of(answer)
    assert f"{shares.engaged} of {VICTIMS}" in said
    assert f"{shares.supporting} of {VICTIMS}" in said
    assert f"{shares.safer} of {shares.asked}" in said
    for words in ("[c] is a number that is hidden", "Victims who were asked it when their case closed", "21.5 %"):
        assert words in said


def test_each_chart_has_a_name_and_its_own_table_and_no_style(world: World) -> None:
    page = tree(signed_in(world, EVALUATOR).get(PATH))
    sections = page.xpath("//section[contains(@class, 'app-evaluated')][.//svg]")
    assert len(sections) >= 8
    for section in sections:
        (svg,) = section.xpath(".//svg")
        assert svg.get("aria-label")
        assert section.xpath(".//table//th[@scope='row']")
    assert not page.xpath("//svg//@style | //svg//style | //svg//script | //svg//@class")


def test_an_area_shows_the_numbers_of_its_row_and_no_other(world: World) -> None:
    client, report = signed_in(world, GUARDIAN), made(world)
    row = report.tables.axes.areas.index("Wyre")
    answer = client.get(f"{PATH}?area=wyre")
    assert answer.status_code == httpx.codes.OK
    section = tree(answer).get_element_by_id("referred").getparent()
    cells = [one.text_content() for one in section.xpath(".//tbody//td")]
    assert cells == ["[c]" if one is None else str(one) for one in report.tables.referred[row]]
    assert not tree(answer).xpath("//*[@id='before']")


def test_as_long_a_time_before_stands_beside(world: World) -> None:
    said = words_of(signed_in(world, EVALUATOR).get(f"{PATH}?first=2024-Q1&last=2024-Q4&beside=1"))
    assert "The same figure, 2023-01-01 to 2024-01-01" in said


def test_a_period_that_ends_before_it_begins_is_an_error_beside_its_box_and_makes_no_report(world: World) -> None:
    size = len(world.entries())
    answer = signed_in(world, EVALUATOR).get(f"{PATH}?first=2026-Q1&last=2025-Q1")
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "The last quarter must not be before the first" in words_of(answer)
    assert len(world.entries()) == size
    assert signed_in(world, EVALUATOR).get(f"{PATH}/report.pdf?first=2026-Q1&last=2025-Q1").status_code == 404


def test_files_are_the_same_report(world: World) -> None:
    client, report = signed_in(world, LEAD), made(world)
    page = tree(client.get(PATH))
    links = [one for one in page.xpath("//main//a/@href") if one.startswith(f"{PATH}/")]
    assert {f"tables/{one.id}.csv" for one in sheets(report)} < {named(one) for one in links}
    given: dict[str, bytes] = {}
    for link in links[:4]:
        answer = client.get(link)
        assert answer.status_code == httpx.codes.OK, link
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert "Gateway-Receipt" in answer.headers
        given[named(link)] = answer.content
    assert given["report.pdf"].startswith(b"%PDF-")
    bundle = orjson.loads(given["report.fhir.json"])
    assert {one["resource"]["resourceType"] for one in bundle["entry"]} == {"Measure", "MeasureReport"}
    rows = list(csv.reader(io.StringIO(client.get(f"{PATH}/tables/referred.csv").text)))
    assert rows[-1][-1] == str(report.tables.referred[-1][-1])
    assert client.get(f"{PATH}/tables/nobody.csv").status_code == httpx.codes.NOT_FOUND


def test_everybody_is_told_what_this_is_and_what_each_of_their_pages_is_for(world: World) -> None:
    assert {one.href for one in AREAS} <= WORDS.keys()
    for person in PEOPLE.values():
        said = words_of(signed_in(world, person).get("/console/about"))
        assert all(WORDS[one.href] in said for one in areas_of(person.roles))


def test_on_paper_there_is_nothing_to_press(world: World) -> None:
    page = tree(signed_in(world, EVALUATOR).get(f"{PATH}?print=1"))
    assert not page.xpath("//form | //button | //main//a")
    assert page.xpath("//main//svg")


def test_it_is_for_the_organisation_the_evaluation_goes_to_and_for_no_other(world: World) -> None:
    for person in (EVALUATOR, GUARDIAN, LEAD):
        assert signed_in(world, person).get(PATH).status_code == httpx.codes.OK
    for person in (ADVISER, OFFICER):
        assert signed_in(world, person).get(PATH).status_code == httpx.codes.NOT_FOUND
    size = len(world.entries())
    for path in (PATH, f"{PATH}/report.pdf", f"{PATH}/report.fhir.json", f"{PATH}/tables/summary.csv"):
        answer = signed_in(world, OTHER_TEAM).get(path)
        assert answer.status_code == httpx.codes.FORBIDDEN
        assert "Victims referred" not in answer.text
    assert [one["outcome"] for one in map(_body, world.entries()[size:])] == ["denied"] * 4


def test_each_page_and_each_file_is_a_sealed_consultation_that_names_who_read_and_no_subject(world: World) -> None:
    client, size = signed_in(world, GUARDIAN), len(world.entries())
    for path in (PATH, f"{PATH}/report.pdf", f"{PATH}/report.fhir.json", f"{PATH}/tables/summary.csv"):
        assert client.get(path).status_code == httpx.codes.OK
    entries = [_body(one) for one in world.entries()[size:]]
    assert [one["event"] for one in entries] == ["report-made"] * 4
    for one in entries:
        assert one["operation"] == Operation.CONSULTATION.value
        assert (one["actor"]["user"], one["reason"]) == (GUARDIAN.id, "evaluation")
        assert one["subjects"] == []


def _body(stored: Any) -> Any:
    return orjson.loads(stored.body)
