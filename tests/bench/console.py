"""What a page of the console costs where thousands of referrals are open: the server's time for a whole page, sealed.

The cases are copies of one that was really pushed, spread over grades, areas, advisers and clocks: what is measured is
finding, deciding, sealing and writing a page, and one content is as good as another for that.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import orjson
from sqlalchemy import insert, select

from audit.entry import timestamp
from gateway.app import create_app
from gateway.console.live import Live
from gateway.demo.run import JSON_API, LOG
from gateway.facts import facts_of
from gateway.services import Services, open_services
from gateway.settings import Settings
from gateway.signin.claims import Person, Role
from gateway.signin.cookies import SESSION, Cookies
from gateway.signin.sessions import Sessions
from gateway.store import tables
from mappings.record import Feedback, FeedbackCode, Record, RecordKind, Source
from mappings.record import Person as Someone
from mappings.record import Role as InRecord
from tests.bench.figures import MILLISECONDS, Row, middle
from tests.bench.households import household_incident

ADVISER = Person("idva-0042", "Rosalind Featherstone", "RXL", "idva-team", LOG, (Role.ADVISER,))
OFFICER = Person("collar-1234", "Barnaby Thornquist", "04", "police-officer", LOG, (Role.OFFICER,))
WORKLIST_MOST_MS = 100.0
REFERRAL_MOST_MS = 150.0
OFFICER_MOST_MS = 150.0
ROUNDS = 9
_A_SECOND = (MILLISECONDS, 1_000.0)
_WAIT_SECONDS = 2.0
_FIRST_SERIAL = 7_000_000  # beyond those of the other figures
PAGES: Mapping[str, tuple[Person, str, float]] = {
    "page_worklist": (ADVISER, "/console/worklist", WORKLIST_MOST_MS),
    "page_referral": (ADVISER, "/console/referrals/{referral}?reason=follow-up", REFERRAL_MOST_MS),
    "page_overdue": (OFFICER, "/console/officer?only=overdue", OFFICER_MOST_MS),
}
"""Each figure with whose page it is, and what it may take; `{referral}` stands for the id of an open one."""
ANSWERED_OF = 100
"""Of so many cases all but one were answered: an officer looks for the one."""


def measure(settings: Settings, engine: str, cases: int, token: str) -> list[Row]:
    """The middle time of each page with so many open cases, and as many closed ones beside them.

    `token` is one of the record system's, whose push a page that is open shows.
    """
    services = open_services(settings)
    try:
        fill(services, cases)
        return asyncio.run(_measure(services, engine, cases, token))
    finally:
        services.close()


async def _measure(services: Services, engine: str, cases: int, token: str) -> list[Row]:
    referral = _open_one(services)
    transport = httpx.ASGITransport(create_app(services))
    found: list[Row] = []
    async with httpx.AsyncClient(transport=transport, base_url=services.settings.public_url) as client:
        for name, (person, path, most) in PAGES.items():
            await _sign_in(services, client, person)
            taken: list[float] = []
            for round_ in range(ROUNDS + 1):
                began = time.perf_counter()
                answer = await client.get(path.format(referral=referral))
                if answer.status_code != httpx.codes.OK:
                    raise RuntimeError(f"{path} answered {answer.status_code}")
                if round_:  # one before the others, to warm up
                    taken.append((time.perf_counter() - began) * 1e3)
            found.append(Row(f"{name}_{cases}", engine, middle(taken), MILLISECONDS, most))
        await _sign_in(services, client, ADVISER)
        found.append(Row(f"worklist_update_{cases}", engine, await _update(services, client, token), *_A_SECOND))
    return found


async def _sign_in(services: Services, client: httpx.AsyncClient, person: Person) -> None:
    secret = await Sessions(services).open(person, person.caller("bench"))
    client.cookies = httpx.Cookies({Cookies(services.settings).name(SESSION): secret})


async def _update(services: Services, client: httpx.AsyncClient, token: str) -> float:
    """From the beginning of a push until a page that watches was told and has its rows: the middle time, in ms."""
    police = {"Authorization": f"Bearer {token}", "Content-Type": JSON_API}
    taken: list[float] = []
    async with Live(services).watching((LOG, ADVISER.organisation, ADVISER.recipient or "")) as watch:
        for round_ in range(ROUNDS + 1):
            body = orjson.dumps(household_incident(_FIRST_SERIAL + round_))
            began = time.perf_counter()
            (await client.post("/police/v1/incidents", content=body, headers=police)).raise_for_status()
            await asyncio.wait_for(watch.changed.wait(), _WAIT_SECONDS)
            watch.changed.clear()
            (await client.get("/console/worklist/rows")).raise_for_status()
            if round_:
                taken.append((time.perf_counter() - began) * 1e3)
    return middle(taken)


def _open_one(services: Services) -> str:
    """The id of a referral among the others, with an adviser and a clock."""
    table = tables.referral.c
    query = select(table.id).where(table.closed_at.is_(None), table.assigned_to == ADVISER.id).order_by(table.id)
    with services.database.reading() as connection:
        return str(connection.execute(query.limit(1)).scalar_one())


def fill(services: Services, cases: int) -> None:
    """Copy the newest open referral so often, with its clocks; and as many closed."""
    referral, timer = tables.referral, tables.case_timer
    with services.database.writing() as connection:
        newest = select(referral).where(referral.c.closed_at.is_(None)).order_by(referral.c.created_at.desc()).limit(1)
        row = dict(connection.execute(newest).one()._mapping)
        timers = [
            dict(one._mapping) for one in connection.execute(select(timer).where(timer.c.referral_id == row["id"]))
        ]
        places, number = count(_FIRST_PLACE), count()
        for copies in _slices(row, cases):
            connection.execute(insert(referral), copies)
            for one in timers:
                clocks = [{**one, "id": str(uuid.uuid4()), "referral_id": copy["id"]} for copy in copies]
                for clock, copy in zip(clocks, copies, strict=True):
                    clock |= {"due_at": copy["respond_by"], "stopped_at": copy["closed_at"]}
                connection.execute(insert(timer), clocks)
            words = [_answer(copy, next(places)) for copy in copies if next(number) % ANSWERED_OF]
            connection.execute(insert(tables.feedback), words)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")  # as the server does by itself within a minute of such a change


def _answer(case: Mapping[str, Any], place: int) -> dict[str, Any]:
    """The place of a word in the force's feed: that a case was acknowledged. No page measured here opens it."""
    word = Record(
        kind=RecordKind.STATUS,
        source=Source(organisation=case["organisation"], system="bench"),
        area=case["area"],
        people=(Someone(ref="victim-1", role=InRecord.VICTIM),),
        feedback=(Feedback(code=FeedbackCode.ACKNOWLEDGED, at=datetime.fromisoformat(case["created_at"])),),
    )
    return {
        "log_id": case["log_id"],
        "seq": place,
        "force": case["force"],
        "referral_id": case["id"],
        "record_id": str(uuid.uuid4()),
        "created_at": case["created_at"],
        "code": FeedbackCode.ACKNOWLEDGED.value,
        "word_facts": orjson.dumps(facts_of(word, datetime.now(UTC)).to_json()).decode(),
    }


def _slices(row: Mapping[str, Any], cases: int) -> Iterator[list[dict[str, Any]]]:
    now = datetime.now(UTC)
    made: list[dict[str, Any]] = []
    for number in range(2 * cases):
        at = now - timedelta(minutes=7 * number)
        made.append(
            {
                **row,
                "id": str(uuid.uuid4()),
                "grade": ("high", "medium", "standard", None)[number % 4],
                "area": ("blackpool", "fylde", "wyre", "lancaster", "morecambe")[number % 5],
                "assigned_to": (None, "idva-0042", "idva-0043")[number % 3],
                "created_at": timestamp(at),
                "updated_at": timestamp(at),
                "respond_by": timestamp(at + timedelta(days=30)),
                "closed_at": timestamp(at) if number % 2 else None,
            }
        )
        if len(made) == _SLICE:
            yield made
            made = []
    if made:
        yield made


_SLICE = 500
_FIRST_PLACE = 10**12  # beyond those of real words
