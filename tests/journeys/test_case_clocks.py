"""The clocks of cases: they remind, call whoever is on call and lapse; after a restart, and once over all replicas.

No test waits: time passes by moving the rows of a referral's clocks back.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from audit.entry import Outcome, timestamp
from audit.note import Signer
from audit.receipt import Receipt
from gateway.case_clocks import KeepClocks
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.duties import jobs, keep_clocks
from gateway.evidence import Event
from gateway.linking.looking import link_waiting
from gateway.matching.model import shipped
from gateway.services import Services, open_services
from gateway.shifts import Shifts, shifts
from gateway.store import tables
from gateway.store.batch import Batch
from tests.journeys.support import add_client, like, pushed, sealed, serial, size
from tests.journeys.test_casework import act, acted, attempt, done, rows
from tests.support.world import World

NEVER = Shifts(((),) * 7)
ALWAYS = shifts("always")
_t = tables.case_timer


def pass_time(services: Services, referral: str, by: timedelta, kind: str | None = None) -> None:
    """Let time pass for the clocks of a referral that run."""
    with services.database.writing() as connection:
        which = (_t.c.referral_id == referral) & _t.c.stopped_at.is_(None)
        for row in connection.execute(select(_t).where(which)).all():
            if kind in {None, row.kind}:
                moved = {
                    name: timestamp(datetime.fromisoformat(at) - by)
                    for name in ("started_at", "remind_at", "escalate_at", "due_at", "next_at")
                    if (at := getattr(row, name)) is not None
                }
                connection.execute(update(_t).where(_t.c.id == row.id).values(moved))


def keep(services: Services, there: Shifts = ALWAYS) -> int:
    """Keep the clocks once."""
    return services.journals.of(LOG).submit_and_wait(KeepClocks(services.standing(LOG), there)).value


def said(world: World, referral: str) -> list[tuple[str, str, str, str | None]]:
    """The notices of a referral's clocks: kind, which clock, to whom, for which person."""
    found = [one for one in rows(world, tables.notice, referral_id=referral) if one.kind.startswith("clock-")]
    return [(one.kind, one.reason, one.recipient, one.person) for one in sorted(found, key=lambda one: one.seq)]


def test_a_clock_reminds_and_lapses_and_each_is_sealed(world: World) -> None:
    _, referral = pushed(world)
    start = size(world)
    keep(world.services)
    assert said(world, referral) == []
    pass_time(world.services, referral, timedelta(minutes=50), "acknowledge")
    keep(world.services)
    keep(world.services)
    assert said(world, referral) == [("clock-reminder", "acknowledge", "idva-team", None)]
    pass_time(world.services, referral, timedelta(minutes=11), "acknowledge")
    keep(world.services)
    assert said(world, referral)[1:] == [("clock-lapsed", "acknowledge", "idva-team", None)]
    found = [one for one in sealed(world, start=start) if one.event in {Event.CASE_REMINDED, Event.CASE_LAPSED}]
    assert [(one.event, one.outcome, one.reason, one.case) for one in found] == [
        (Event.CASE_REMINDED, Outcome.PERMITTED, "acknowledge", referral),
        (Event.CASE_LAPSED, Outcome.FAILED, "acknowledge", referral),
    ]
    (clock,) = [one for one in done(world, referral)["clocks"] if one["clock"] == "acknowledge"]
    assert (clock["reminded"], clock["escalated"], clock["lapsed"]) == (True, False, True)


def test_a_clock_that_was_stopped_says_nothing_more_and_what_it_said_is_settled(world: World) -> None:
    _, referral = pushed(world)
    pass_time(world.services, referral, timedelta(minutes=50))
    keep(world.services)
    acted(world, referral, {"act": "acknowledge"})
    pass_time(world.services, referral, timedelta(days=1), "acknowledge")
    keep(world.services)
    assert [one[:2] for one in said(world, referral)] == [("clock-reminder", "acknowledge")]
    (notice,) = [one for one in rows(world, tables.notice, referral_id=referral) if one.kind == "clock-reminder"]
    assert (notice.acknowledged_at is not None, notice.acknowledged_by) == (True, "gateway")


def test_whoever_has_the_case_is_who_is_reminded(world: World) -> None:
    _, referral = pushed(world)
    acted(world, referral, attempt())
    pass_time(world.services, referral, timedelta(days=9), "next-attempt")
    keep(world.services)
    assert said(world, referral) == [("clock-lapsed", "next-attempt", "idva-team", "idva-0042")]
    found = world.hospital.get("/notices/v1?state=open").json()["notices"]
    assert ("clock-lapsed", "next-attempt", "idva-0042") in {(n["kind"], n["reason"], n["person"]) for n in found}


def test_where_nobody_is_there_whoever_is_on_call_is_told(world: World) -> None:
    now = datetime.now(UTC)
    times = {"from": (now - timedelta(hours=1)).isoformat(), "until": (now + timedelta(hours=8)).isoformat()}
    made = world.hospital.post("/team/v1/on-call", json={"person": "idva-0099", **times})
    assert made.status_code == 201
    _, referral = pushed(world)
    keep(world.services, NEVER)
    keep(world.services, NEVER)
    escalated = ("clock-escalated", "acknowledge", "idva-team", "idva-0099")
    assert said(world, referral) == [escalated, ("clock-escalated", "first-contact", "idva-team", "idva-0099")]
    times_ = world.hospital.get("/team/v1/on-call").json()["times"]
    assert [one["person"] for one in times_] == ["idva-0099"]
    path = f"/team/v1/on-call/{made.json()['on_call']}"
    assert world.hospital.http.delete(path).status_code == 200
    assert world.hospital.http.delete(path).status_code == 404
    start = size(world)
    _, referral = pushed(world)
    keep(world.services, NEVER)
    assert {one[2:] for one in said(world, referral)} == {("", None)}  # an organisation, for its named human
    entries = [one for one in sealed(world, start=start) if one.event == Event.CASE_ESCALATED]
    assert {((one.detail or {})["owner"], one.recipients[0].organisation) for one in entries} == {
        ("provide-lead", "RXL")
    }


def test_where_nobody_is_on_call_it_is_the_trust_of_the_case_that_is_told(world: World) -> None:
    """A referral to Morecambe Bay is not put before the guardian of the advisers' trust."""
    world.push(incident(serial(), town="Lancaster"))
    start = size(world)
    keep(world.services, NEVER)
    entries = [one for one in sealed(world, start=start) if one.event == Event.CASE_ESCALATED]
    told = {((one.detail or {})["owner"], one.recipients[0].organisation) for one in entries}
    assert told == {("provide-lead", "RXL"), ("bay-safeguarding", "RTX")}


def test_a_rota_is_of_one_team(world: World) -> None:
    now = datetime.now(UTC)
    times = {"from": now.isoformat(), "until": (now + timedelta(hours=8)).isoformat()}
    other = add_client(
        world,
        "bay-hospital",
        {"id": "bay-0001", "role": "safeguarding-lead"},
        **like("demo-hospital", organisation="RTX", recipient="uhmb-safeguarding"),
    )
    made = other.post("/team/v1/on-call", json={"person": "bay-0002", **times}).json()["on_call"]
    assert world.hospital.http.delete(f"/team/v1/on-call/{made}").status_code == 404
    assert world.hospital.get("/team/v1/on-call").json()["times"] == []
    assert [one["on_call"] for one in other.get("/team/v1/on-call").json()["times"]] == [made]
    wrong = times | {"until": "9999-12-31T23:59:00-12:00"}
    assert world.hospital.post("/team/v1/on-call", json={"person": "x", **wrong}).status_code == 422


def test_a_new_incident_after_the_end_re_opens_the_case(world: World) -> None:
    """Within twelve months the work goes on: what was done is read with it, and the flag's clock starts anew."""
    _, first = pushed(world)
    acted(world, first, attempt(note="Reached her at work."), {"act": "engage"}, {"act": "close", "how": "unplanned"})
    assert [one["clock"] for one in done(world, first)["clocks"]] == ["flag-review"]
    document = incident(serial())
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds")
    document["data"]["attributes"]["incidentStartDateTime"] = {"dateFrom": later, "dateTo": later[:10]}
    second = world.push(document).json()["referrals"][0]["reference"]
    services = world.services
    start = size(world)
    for _ in range(2):
        link_waiting(services.database, services.journals, services.records, shipped(), LOG)
    assert len([one for one in sealed(world, start=start) if one.case == second and one.event == "case-reopened"]) == 1
    read = done(world, second)
    assert first in read["joined"]
    assert second not in done(world, first)["joined"]  # what came later is no history
    kinds = [(one["referral"], one["act"]) for one in read["acts"] if one["referral"] in {first, second}]
    assert (first, "contact-attempt") in kinds
    assert (second, "reopened") in kinds
    assert not [one for one in rows(world, _t, referral_id=first) if one.stopped_at is None]
    request = world.hospital.get(f"/fhir/R4/ServiceRequest/{second}").text
    assert '"repeat"' in request  # stated as a fact, and no grade comes of it


# Restart, replicas, crashes


@pytest.fixture
def replica(world: World) -> Iterator[Services]:
    """A second set of services over the same database."""
    opened = open_services(world.services.settings)
    yield opened
    opened.close()


def test_a_duty_keeps_the_clocks(world: World) -> None:
    _, referral = pushed(world)
    pass_time(world.services, referral, timedelta(days=3))
    job = next(one for one in jobs(world.services) if one.name == "case-clocks")
    job.run(datetime.now(UTC))
    assert [one[:2] for one in said(world, referral)] == [
        ("clock-lapsed", "acknowledge"),
        ("clock-lapsed", "first-contact"),
    ]


def test_a_clock_survives_a_restart(world: World) -> None:
    _, referral = pushed(world)
    keep(world.services)
    pass_time(world.services, referral, timedelta(days=3))
    again = open_services(world.services.settings)
    try:
        keep_clocks(again)
        keep_clocks(again)
    finally:
        again.close()
    assert Counter(one[:2] for one in said(world, referral)) == {
        ("clock-lapsed", "acknowledge"): 1,
        ("clock-lapsed", "first-contact"): 1,
    }


def failing(chance: random.Random) -> Callable[[Batch, Signer], list[Receipt]]:
    """A commit that fails now and then, as if the process had died before it."""
    whole, turn = Batch.seal_growth, threading.Lock()

    def seal_growth(batch: Batch, signer: Signer) -> list[Receipt]:
        with turn:
            dies = chance.random() < 0.3
        if dies:
            raise OSError("the process died before it committed")
        return whole(batch, signer)

    return seal_growth


def look(services: Services) -> None:
    """Keep the clocks again and again, whatever fails."""
    for _ in range(8):
        with suppress(Exception):  # whatever a failed commit comes out as: the next turn tries again
            keep(services, NEVER)


def together(*replicas: Services) -> None:
    """Have several look at the same time."""
    threads = [threading.Thread(target=look, args=(one,)) for one in replicas]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def test_a_clock_fires_once_whichever_replica_looks_and_whatever_fails(
    world: World, replica: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two replicas keep the clocks of many cases while time passes, and commits fail at random points."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    cases = [pushed(world)[1] for _ in range(4)]
    for _ in range(4):
        with monkeypatch.context() as patch:
            patch.setattr(Batch, "seal_growth", failing(chance))
            together(world.services, replica)
        for one in cases:
            pass_time(world.services, one, timedelta(minutes=chance.choice([10, 50, 61, 3000])))
    for one in cases:
        pass_time(world.services, one, timedelta(days=3))
    while keep(replica, NEVER):
        pass
    for referral in cases:
        counted = Counter(one[:2] for one in said(world, referral))
        assert counted["clock-lapsed", "acknowledge"] == counted["clock-lapsed", "first-contact"] == 1
        assert max(counted.values()) == 1
        names = {"clock-reminder": "case-reminded", "clock-escalated": "case-escalated", "clock-lapsed": "case-lapsed"}
        entries = [one for one in sealed(world) if one.case == referral and one.event in names.values()]
        assert Counter((one.event, one.reason) for one in entries) == {
            (names[kind], which): times for (kind, which), times in counted.items()
        }


def test_of_an_act_and_a_lapse_at_once_only_one_comes_first(world: World, replica: Services) -> None:
    """Whoever acknowledges in the moment of the lapse: it has lapsed or it has not, and never both halves."""
    for _ in range(3):
        _, referral = pushed(world)
        keep(world.services)
        pass_time(world.services, referral, timedelta(hours=2), "acknowledge")
        other = threading.Thread(target=keep, args=(replica,))
        other.start()
        assert act(world, referral, {"act": "acknowledge"}).status_code == 200
        other.join()
        (row,) = rows(world, _t, referral_id=referral, kind="acknowledge")
        assert row.stopped_at is not None
        assert row.next_at is None
        notices = [one for one in rows(world, tables.notice, referral_id=referral) if one.reason == "acknowledge"]
        assert [one.kind for one in notices] == (["clock-lapsed"] if row.fired_at else [])
        assert all(one.acknowledged_at for one in notices)
