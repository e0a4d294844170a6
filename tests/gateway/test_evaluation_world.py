"""The evaluation in a world: synthetic years loaded through the interfaces, and a report that gives them back exactly.

`TEST_EVALUATION_VICTIMS=1664` loads the whole two years.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.measure import Measure
from fhir.resources.R4B.measurereport import MeasureReport
from lxml import etree
from sqlalchemy import select

from gateway.agreement import shipped
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evaluation.baseline import shipped as published
from gateway.evaluation.edition import edition_for
from gateway.evaluation.making import Asked, count_edition, make_here
from gateway.evaluation.period import Period
from gateway.evaluation.reading import Coded, read_coded, releasable
from gateway.evaluation.report import Report, make_report
from gateway.evaluation.sheets import sheets
from gateway.evaluation.synthetic.plan import Plan, Shares
from gateway.evaluation.synthetic.truth import truth
from gateway.oversight.entries import LogSource
from gateway.oversight.replay import rederive
from gateway.store import tables
from tests.journeys.support import change, output, pushed, status, world_on
from tests.support.agreements import clause, edited
from tests.support.evaluation import compare, evaluator, loaded, wrong, years
from tests.support.world import World

VICTIMS = int(os.environ.get("TEST_EVALUATION_VICTIMS", "60"))
NOW = datetime.now(UTC).replace(microsecond=0)
ADDRESS = "/evaluation/v1/report"


@pytest.fixture(scope="module")
def story(seed: int) -> Plan:
    return years(NOW, VICTIMS, seed)


@pytest.fixture(scope="module")
def world(story: Plan, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two synthetic years, loaded once."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("evaluation") / "world") as opened:
        done = loaded(opened, story)
        assert done.referrals == sum(len(one.incidents) for one in story.stories)
        yield opened


def report(world: World) -> Report:
    return make_here(world.services, LOG, Asked(Period.closed(NOW))).report


def test_the_report_gives_the_loaded_figures_back(world: World, story: Plan) -> None:
    known, shares = truth(story), Shares(VICTIMS)
    found = report(world).tables
    assert wrong(found, known, shipped().content.areas) == []
    totals = {one.definition.id: (one.above[-1][-1], one.below[-1][-1]) for one in found.rates}
    assert found.referred[-1][-1] == VICTIMS
    assert totals["reached"] == (shares.reached, VICTIMS)
    assert totals["engaged"] == (shares.engaged, VICTIMS)
    assert totals["supporting"] == (shares.supporting, VICTIMS)
    assert totals["safer"] == (shares.safer, shares.asked)
    assert totals["repeated"] == (shares.repeated, VICTIMS)
    assert totals["with-children"] == (shares.with_children, VICTIMS)
    assert totals["timed"] == (VICTIMS, VICTIMS)
    assert (found.spreads[-1][-1].median, found.spreads[-1][-1].slow) == (known.median, known.slow)


def test_of_the_published_number_of_victims_the_published_figures_come() -> None:
    shares = Shares(1_664)
    assert (shares.engaged, shares.supporting) == (1_248, 832)
    assert shares.safer / shares.asked == 0.77


def test_every_form_of_the_report_says_the_same_and_is_sealed(world: World) -> None:
    client = evaluator(world)
    before = len(world.entries())
    plain = client.get(ADDRESS)
    assert plain.status_code == 200
    assert plain.json()["referred"][-1][-1] == VICTIMS
    entry = world.entries()[-1].entry()
    assert (entry.event, entry.operation.value, entry.purpose) == ("report-made", "consultation", "evaluation")
    assert entry.clauses == ("F6-extract", "F6-wishes")
    assert "engagement.wishes" in entry.items.generalised
    assert [one.recipient for one in entry.recipients] == ["evaluation"]
    assert entry.subjects == ()
    assert plain.json()["receipt"]["index"] == before

    sheet = client.get(ADDRESS, params={"form": "csv", "table": "summary"})
    rows = {row[0]: row for row in csv.reader(io.StringIO(sheet.text))}
    assert rows["Victims referred"][1] == str(VICTIMS)
    page = etree.HTML(client.get(ADDRESS, params={"form": "html"}).content)
    assert page.xpath("//script") == page.xpath("//*[@style]") == []
    assert rows["Engaged in safeguarding"][1] in page.xpath("string(//section[@aria-labelledby='summary']//table)")
    assert len(page.xpath("//svg[@role='img']/title")) >= 8
    assert client.get(ADDRESS, params={"form": "pdf"}).content.startswith(b"%PDF")
    drawn = client.get(ADDRESS, params={"form": "svg", "table": "engaged"})
    assert drawn.headers["content-type"] == "image/svg+xml"
    root = etree.fromstring(drawn.content)
    assert not [one for one in root.iter(etree.Element) if etree.QName(one).localname in {"style", "script"}]
    assert not root.xpath("//@style | //@class | //@onclick")
    assert len(world.entries()) == before + 5


def test_the_report_is_measure_reports_of_fhir(world: World) -> None:
    body = evaluator(world).get(ADDRESS, params={"form": "fhir"}).content
    Bundle.model_validate_json(body)
    resources = [one["resource"] for one in orjson.loads(body)["entry"]]
    measures = [Measure.model_validate(one) for one in resources[::2]]
    counted = [MeasureReport.model_validate(one) for one in resources[1::2]]
    for definition, numbers in zip(measures, counted, strict=True):
        assert numbers.measure == f"{definition.url}|1"
    for definition, numbers in zip(resources[::2], resources[1::2], strict=True):
        named = [[group["code"]["text"] for group in one["group"]] for one in (definition, numbers)]
        assert named[0] == named[1]
    engaged = next(group for group in resources[1]["group"] if group["code"]["text"] == "engaged")
    assert [one["count"] for one in engaged["population"]] == [Shares(VICTIMS).engaged, VICTIMS]
    of_all = [row[-1] for one in report(world).to_json()["figures"] for row in (*one["above"], one["above"][-1])]
    assert None not in of_all or b'"valueCode":"masked"' in body, "a hidden count is absent, and says why"


def test_nothing_of_the_report_leads_to_a_person(world: World, story: Plan) -> None:
    body = evaluator(world).get(ADDRESS, params={"form": "html"}).text
    for one in story.stories[:50]:
        home = one.household
        for said in (home.victim.family, home.postcode, home.line, home.phone):
            assert said not in body
    with world.services.database.reading() as connection:
        ids = connection.execute(select(tables.referral.c.id)).scalars().all()
    assert not [one for one in ids if one in body]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"from": "2026-01-02", "until": "2026-04-01"}, 400),
        ({"from": "2026-01-01"}, 400),
        ({"form": "xlsx"}, 400),
        ({"form": "csv"}, 400),
        ({"area": "blackpool"}, 400),
        ({"form": "csv", "table": "people"}, 404),
        ({"form": "svg", "table": "definitions"}, 404),
    ],
)
def test_what_is_not_a_report_on_whole_quarters_is_refused(world: World, query: dict[str, str], status: int) -> None:
    assert evaluator(world).get(ADDRESS, params=query).status_code == status


def test_only_the_agreements_recipient_for_evaluation_is_given_it(world: World) -> None:
    for other in (world.hospital, world.police, world.auditor, world.guardian):
        assert other.get(ADDRESS).status_code == 403


def test_a_period_that_was_asked_for_before_stands_beside_this_one(world: World) -> None:
    now = Period.closed(NOW)
    earlier = {"before_from": now.starts.isoformat(), "before_until": now.quarters[4].starts.isoformat()}
    body = evaluator(world).get(ADDRESS, params=earlier).json()
    assert body["before"]["from"] == earlier["before_from"]
    assert {one["id"] for one in body["before"]["figures"]} >= {"engaged", "supporting", "safer"}


def test_the_decisions_of_the_log_can_be_made_again_with_reports_in_it(world: World) -> None:
    report(world)
    with world.services.database.reading() as connection:
        found = rederive(LogSource(connection, LOG))
    assert not [one for one in found.differences if one.event == "report-made"]


def test_who_withdrew_is_not_counted_and_it_says_so(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with small(request, tmp_path_factory) as world:
        tasks = [pushed(world)[1] for _ in range(6)]
        for task in tasks[:5]:
            answer = world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "withdrawn"})
            assert answer.is_success
        found = report(world)
        assert found.refused == (("no-clause", 5),)
        assert found.tables.referred[-1][-1] is None  # one is left, and is hidden


def test_what_she_wishes_is_counted_with_her_consent_alone(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with small(request, tmp_path_factory) as world:
        for consent in ({"state": "given"}, {"state": "refused"}, None):
            for _ in range(6):
                task = pushed(world)[1]
                wish = {"act": "supports-prosecution", "value": "yes"} | ({"consent": consent} if consent else {})
                reached = {"act": "contact-attempt", "channel": "phone", "result": "reached"}
                done = world.hospital.post(f"/team/v1/referrals/{task}/acts", json={"acts": [reached, wish]})
                assert done.status_code == 200, done.text
        counted = report(world).tables.rate("supporting")
        assert (counted.above[-1][-1], counted.below[-1][-1], counted.withheld) == (6, 18, 12)


def test_a_wish_told_over_fhir_counts_as_one_told_as_an_act(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with small(request, tmp_path_factory) as world:
        for _ in range(5):
            task = pushed(world)[1]
            said = output("supports-prosecution", value="yes", consent="given")
            assert (
                change(
                    world, task, 1, status("accepted"), {"op": "add", "path": "/output", "value": [said]}
                ).status_code
                == 200
            )
        counted = report(world).tables.rate("supporting")
        assert (counted.above[-1][-1], counted.below[-1][-1]) == (5, 5)


def test_a_figure_that_the_agreement_does_not_release_is_withheld_and_says_so() -> None:
    agreement = edited(lambda content: clause(content, "F6-extract")["generalise"].pop("engagement.status"))
    coded = Coded((), {}, frozenset(), frozenset(), releasable(agreement, "evaluation"))
    edition = count_edition(coded, agreement, edition_for(Period.closed(NOW), NOW), 1, NOW)
    made = make_report(edition, agreement, "evaluation", Period.closed(NOW), NOW, published=published())
    assert made.not_released == {"reached", "engaged", "safer", "timed", "latency"}
    summary = {row[0]: row[1] for row in sheets(made)[0].rows}
    assert summary["Engaged in safeguarding"] == "The agreement does not release it to the evaluation."
    assert "engaged" not in {one["id"] for one in made.to_json()["figures"]}


def test_a_few_victims_with_repeats_are_counted_once_each_on_both_engines(
    engine_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Their people are compared after their referrals were answered: a word to police takes nothing of that away."""
    wanted = years(NOW, 16, seed + 1)
    with world_on(engine_name, request, tmp_path_factory.mktemp("few") / "world") as world:
        loaded(world, wanted)
        found = report(world).tables
        assert found.referred[-1][-1] == 16
        assert wrong(found, truth(wanted), shipped().content.areas) == []


def test_an_update_of_a_victims_second_incident_loses_neither_the_first_nor_the_third(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """She has moved: the second is most like the third, and the first is one person with it as before."""
    with small(request, tmp_path_factory) as world:
        first, second, third = (incident(number) for number in (1, 2, 3))
        for one in first["included"]:
            if one["type"] == "location":
                one["attributes"] |= {"addressLine1": "88 Former Road", "postcode": "ZZ99 9ZZ"}
        for document in (first, second, third, incident(2, version=2, description="Victim states more.")):
            assert world.push(document).is_success
            compare(world)
        standing = world.services.standing(LOG)
        with world.services.database.reading() as connection:
            coded = read_coded(connection, LOG, standing, Period.closed(NOW), NOW)
        assert [len(one.cases) for one in coded.victims] == [3]


def small(request: pytest.FixtureRequest, paths: pytest.TempPathFactory) -> contextlib.AbstractContextManager[World]:
    """A world with nothing in it."""
    return world_on("sqlite", request, paths.mktemp("small") / "world")
