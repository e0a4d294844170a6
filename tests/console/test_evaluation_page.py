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
from gateway.agreement import shipped
from gateway.console.about import WORDS
from gateway.console.page import AREAS, areas_of
from gateway.demo.run import LOG
from gateway.demo.today import CASES, bring
from gateway.evaluation.definitions import RATES
from gateway.evaluation.making import Asked, make_here
from gateway.evaluation.period import Period, Quarter
from gateway.evaluation.report import Report
from gateway.evaluation.sheets import duration, sheets
from gateway.evaluation.synthetic.plan import Plan, Shares
from gateway.evaluation.synthetic.truth import truth
from tests.console.referrals import words_of
from tests.journeys.support import world_on
from tests.support.console import ADVISER, EVALUATOR, GUARDIAN, LEAD, OFFICER, OTHER_TEAM, PEOPLE, signed_in
from tests.support.evaluation import compare, loaded, wrong, years
from tests.support.world import World

VICTIMS = int(os.environ.get("TEST_EVALUATION_VICTIMS", "48"))  # the fewest of whom every share is shown
NOW = datetime.now(UTC).replace(microsecond=0)
PATH = "/console/evaluation"
TODAY = len(CASES) + 2  # one who came back, and the walk's own


@pytest.fixture(scope="module")
def story(seed: int) -> Plan:
    return years(NOW, VICTIMS, seed)


@pytest.fixture(scope="module")
def world(story: Plan, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two synthetic years and what the demonstration brings in today, loaded once."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("evaluated") / "world") as opened:
        loaded(opened, story)
        today = bring(story, opened.police, opened.hospital, lambda _: None)
        assert (today.referrals, today.again is not None) == (TODAY, True)
        compare(opened)
        yield opened


def tree(answer: httpx.Response) -> Any:
    return html.document_fromstring(answer.text)  # type: ignore[no-untyped-call]  # lxml has no types


def named(link: str) -> str:
    return link[len(PATH) + 1 :].partition("?")[0]


def code(quarter: Quarter) -> str:
    return str(quarter).replace(" ", "-")


def made(world: World) -> Report:
    return make_here(world.services, LOG, Asked(Period.closed(NOW))).report


def test_the_page_opens_with_the_known_truth_whatever_came_in_today(world: World, story: Plan) -> None:
    page, known, shares = tree(signed_in(world, EVALUATOR).get(PATH)), truth(story), Shares(VICTIMS)
    large = {
        one.xpath("string(.//h2)").strip(): one.xpath("string(.//p[@class='app-figure'])").strip()
        for one in page.xpath("//ul[contains(@class, 'app-tiles')]/li")
    }
    of = {"reached": shares.reached, "engaged": shares.engaged, "supporting": shares.supporting}
    of |= {"repeated": shares.repeated, "with-children": shares.with_children}
    titles = {one.id: one.title for one in RATES}
    assert large == {
        "Victims referred": str(VICTIMS),
        **{titles[id_]: f"{number / VICTIMS * 100:.1f} %" for id_, number in of.items()},
        "Made safer": f"{shares.safer / shares.asked * 100:.1f} %",
        "From report to adviser": duration(known.median),
        "Children": str(known.total("children")),
    }
    assert wrong(made(world).tables, known, shipped().content.areas) == []


def test_the_quarter_that_is_not_over_is_apart_and_marked_and_counts_who_is_new_in_it(world: World) -> None:
    closed = tree(signed_in(world, EVALUATOR).get(PATH))
    (link,) = closed.xpath("//main//a[contains(@href, 'unfinished')]")
    assert str(Quarter.of(NOW)) in link.text_content()
    assert str(Quarter.of(NOW)) not in [one.get("value") for one in closed.xpath("//select/option")]
    answer = signed_in(world, EVALUATOR).get(link.get("href"))
    assert "They are counted once a week and compare with no closed quarter." in words_of(answer)
    section = tree(answer).get_element_by_id("referred").getparent()
    assert section.xpath("string(.//p[@class='app-figure'])").strip() == str(TODAY)


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
    client, report = signed_in(world, EVALUATOR), made(world)
    row = report.tables.axes.areas.index("Wyre")
    answer = client.get(f"{PATH}?area=wyre")
    assert answer.status_code == httpx.codes.OK
    section = tree(answer).get_element_by_id("referred").getparent()
    cells = [one.text_content() for one in section.xpath(".//tbody//td")]
    assert cells == ["[c]" if one is None else str(one) for one in report.tables.referred[row]]
    assert not tree(answer).xpath("//*[@id='before']")


def test_as_long_a_time_before_stands_beside(world: World) -> None:
    quarters = Period.closed(NOW).quarters
    answer = signed_in(world, EVALUATOR).get(f"{PATH}?first={code(quarters[4])}&beside=1")
    assert f"The same figure, {quarters[0].starts} to {quarters[4].starts}" in words_of(answer)


@pytest.mark.parametrize(
    ("first", "last", "more", "wrong"),
    [
        (5, 3, "", "The last quarter must not be before the first"),
        (3, 7, "&beside=1", "Choose at most 4 quarters"),
    ],
)
def test_quarters_that_make_no_report_are_an_error_beside_their_box(
    world: World, first: int, last: int, more: str, wrong: str
) -> None:
    size, quarters = len(world.entries()), Period.closed(NOW).quarters
    query = f"first={code(quarters[first])}&last={code(quarters[last])}{more}"
    answer = signed_in(world, EVALUATOR).get(f"{PATH}?{query}")
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert wrong in words_of(answer)
    assert len(world.entries()) == size
    assert signed_in(world, EVALUATOR).get(f"{PATH}/report.pdf?{query}").status_code == 404


def test_files_are_the_same_report(world: World) -> None:
    client, report = signed_in(world, EVALUATOR), made(world)
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


PAPERS = (PATH, f"{PATH}/report.pdf", f"{PATH}/report.fhir.json", f"{PATH}/tables/summary.csv")


def test_it_is_for_who_is_the_recipient_that_the_agreement_names_and_for_nobody_who_speaks_for_it(world: World) -> None:
    """A guardian and a lead are of the trust, and the agreement's evaluation goes to neither."""
    assert signed_in(world, EVALUATOR).get(PATH).status_code == httpx.codes.OK
    for person in (ADVISER, OFFICER, GUARDIAN, LEAD, OTHER_TEAM):
        assert f'{PATH}"' not in signed_in(world, person).get("/console/about").text
        assert [signed_in(world, person).get(path).status_code for path in PAPERS] == [httpx.codes.NOT_FOUND] * 4
    others = (
        {"organisation": "RTX"},
        {"recipient": "idva-team"},
        {"recipient": None},
        {"recipient": "bth-safeguarding"},
    )
    for other in others:
        size = len(world.entries())
        for path in PAPERS:
            answer = signed_in(world, EVALUATOR, **other).get(path)
            assert answer.status_code == httpx.codes.FORBIDDEN
            assert "Victims referred" not in answer.text
        assert [one["outcome"] for one in map(_body, world.entries()[size:])] == ["denied"] * 4


def test_each_page_and_each_file_is_a_sealed_consultation_that_names_who_read_and_no_subject(world: World) -> None:
    client, size = signed_in(world, EVALUATOR), len(world.entries())
    for path in PAPERS:
        assert client.get(path).status_code == httpx.codes.OK
    entries = [_body(one) for one in world.entries()[size:]]
    assert [one["event"] for one in entries] == ["report-made"] * 4
    for one in entries:
        assert one["operation"] == Operation.CONSULTATION.value
        assert (one["actor"]["user"], one["reason"]) == (EVALUATOR.id, "evaluation")
        assert one["subjects"] == []


def _body(stored: Any) -> Any:
    return orjson.loads(stored.body)
