"""Editions: what is counted is counted once, kept with its small numbers hidden, and given unchanged from then on.

    closed       the eight quarters that are closed, counted when somebody first asks after the last was closed
    unfinished   the quarters since, counted when somebody first asks in a calendar week

Whoever could ask today and again tomorrow would see in the difference what became of the one person whose case changed
in between. So a report is never counted anew: it is columns of an edition, and figures change from one edition to the
next alone, all at once. An edition belongs to the agreement's version it was counted under; one that is counted again,
because what was recorded was wrong, is a revision and says so. One of nobody is not kept.

Source: Code of Practice for Statistics (2022), T3.7 and Q2 (scheduled revisions); domain.md section 4.1 (step 15).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select

from audit.entry import timestamp
from gateway.chance import fresh_id
from gateway.errors import BadParameter
from gateway.evaluation.counting import Axes, Columns, Counted, Spread, Tables
from gateway.evaluation.definitions import RATES
from gateway.evaluation.period import Period, Quarter
from gateway.evaluation.suppression import Shown
from gateway.london import LONDON
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Name:
    """Which edition: its id, the quarters it counts, and whether they are closed."""

    id: str
    period: Period
    closed: bool

    def columns(self, period: Period) -> Columns:
        """Where a period's quarters are among this edition's. Raises BadParameter where they are not."""
        ours, theirs = self.period.quarters, period.quarters
        if not set(theirs) <= set(ours):
            raise BadParameter(f"this edition is of the quarters from {self.period.starts} up to {self.period.until}")
        first = ours.index(theirs[0])
        return first, first + len(theirs)


@dataclass(frozen=True, slots=True)
class Edition:
    """What was counted, `counted` at an instant; the first is revision 1.

    `refused` are referrals of which nothing may be counted, by the reason's code, None for a hidden number;
    `not_released` the ids of figures that the agreement does not release; `items` and `clauses` what was counted, and
    under what.
    """

    name: Name
    revision: int
    counted: datetime
    tables: Tables
    refused: tuple[tuple[str, int | None], ...]
    not_released: frozenset[str]
    items: tuple[str, ...]
    clauses: tuple[str, ...]

    @property
    def again(self) -> datetime:
        """When the next edition may be counted, in UTC."""
        if self.name.closed:
            return Period(self.name.period.until, Quarter.of(self.name.period.last_instant).next.starts).closes
        day = self.counted.astimezone(LONDON).date()
        monday = day + timedelta(days=7 - day.weekday())
        return datetime(monday.year, monday.month, monday.day, tzinfo=LONDON).astimezone(self.counted.tzinfo)


def edition_for(period: Period, now: datetime) -> Name:
    """The edition that a period's quarters are of at an instant. Raises BadParameter where they are of none."""
    closed, unfinished = Period.closed(now), Period.unfinished(now)
    if closed.starts <= period.starts and period.until <= closed.until:
        return Name(_code(closed), closed, closed=True)
    if unfinished.starts <= period.starts and period.until <= unfinished.until:
        year, week, _ = now.astimezone(LONDON).isocalendar()
        return Name(f"{_code(unfinished)}-{year}-W{week:02}", unfinished, closed=False)
    raise BadParameter(
        f"reports are made on quarters from {closed.starts} up to {closed.until}, which are closed, or from then up to "
        f"{unfinished.until}, which are not"
    )


def _code(period: Period) -> str:
    return str(period.quarters[-1]).replace(" ", "-")


def latest(connection: Connection, log_id: str, name: Name, agreement_hash: str) -> tuple[Edition | None, int]:
    """The edition as it was kept last and its revision; none, and 0. Also none where it lacks a figure of today's."""
    row = connection.execute(_LATEST, {"log": log_id, "edition": name.id, "hash": agreement_hash}).first()
    return (None, 0) if row is None else (_read(name, row), row.revision)


def keep(batch: Batch, edition: Edition, agreement_hash: str) -> None:
    """Keep an edition. Raises DecideAgain where another was kept since it was counted."""
    name = edition.name
    _, last = batch.ask(lambda connection: latest(connection, batch.log_id, name, agreement_hash))
    if last != edition.revision - 1:
        raise DecideAgain
    batch.insert(
        tables.evaluation_edition,
        {
            "id": fresh_id(),
            "log_id": batch.log_id,
            "edition": name.id,
            "agreement_hash": agreement_hash,
            "revision": edition.revision,
            "counted_at": timestamp(edition.counted),
            "body": _written(edition),
        },
    )


def _written(one: Edition) -> str:
    found = one.tables
    body: Json = {
        "areas": found.axes.areas,
        "quarters": found.axes.quarters,
        "referred": found.referred,
        "children": found.children,
        "figures": {each.definition.id: [each.above, each.below, each.unstated, each.withheld] for each in found.rates},
        "spreads": [_seconds(line) for line in found.spreads],
        "over": [[*columns, _seconds(line)] for columns, line in found.over.items()],
        "refused": one.refused,
        "not_released": sorted(one.not_released),
        "items": one.items,
        "clauses": one.clauses,
    }
    return orjson.dumps(body).decode()


def _read(name: Name, row: Any) -> Edition | None:  # noqa: ANN401 - a row
    body = orjson.loads(row.body)
    figures: Mapping[str, Sequence[Any]] = body["figures"]
    if [one.id for one in RATES] != list(figures):
        return None
    return Edition(
        name=name,
        revision=row.revision,
        counted=datetime.fromisoformat(row.counted_at),
        tables=Tables(
            axes=Axes(tuple(body["areas"]), tuple(body["quarters"])),
            referred=_shown(body["referred"]),
            children=_shown(body["children"]),
            rates=tuple(
                Counted(one, _shown(above), _shown(below), unstated, withheld)
                for one, (above, below, unstated, withheld) in zip(RATES, figures.values(), strict=True)
            ),
            spreads=tuple(_spreads(line) for line in body["spreads"]),
            over={(first, until): _spreads(line) for first, until, line in body["over"]},
        ),
        refused=tuple((reason, number) for reason, number in body["refused"]),
        not_released=frozenset(body["not_released"]),
        items=tuple(body["items"]),
        clauses=tuple(body["clauses"]),
    )


def _seconds(line: Sequence[Spread]) -> list[tuple[float | None, float | None]]:
    return [(_of(one.median), _of(one.slow)) for one in line]


def _of(took: timedelta | None) -> float | None:
    return None if took is None else took.total_seconds()


def _spreads(line: Sequence[Sequence[float | None]]) -> tuple[Spread, ...]:
    return tuple(Spread(*(None if one is None else timedelta(seconds=one) for one in pair)) for pair in line)


def _shown(lines: Sequence[Sequence[int | None]]) -> Shown:
    return tuple(tuple(line) for line in lines)


_t = tables.evaluation_edition
_LATEST = (
    select(_t.c.revision, _t.c.counted_at, _t.c.body)
    .where(
        _t.c.log_id == bindparam("log"),
        _t.c.edition == bindparam("edition"),
        _t.c.agreement_hash == bindparam("hash"),
    )
    .order_by(_t.c.revision.desc())
    .limit(1)
)
