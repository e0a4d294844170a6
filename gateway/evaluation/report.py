"""The report: counts with their small numbers hidden, what they mean, and what stood before, ready to be shown.

A `Report` holds everything a page, a file or a system shows, and nothing that it may not: whoever renders it decides
nothing any more. Its tables in words are for `sheets`.

Source: domain.md sections 0a, 4.1 (step 15), 5.2 point 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.entry import timestamp
from gateway.agreement import Agreement
from gateway.evaluation.baseline import LATENCY, Published
from gateway.evaluation.counting import Counted, Spread, Tables, count
from gateway.evaluation.definitions import CHILDREN, RATES, REFERRED
from gateway.evaluation.period import Period
from gateway.evaluation.reading import Coded
from gateway.evaluation.suppression import Shown, is_small


@dataclass(frozen=True, slots=True)
class Report:
    """The report on a period, for one recipient of one agreement. `made` is when.

    `refused` are referrals of which nothing may be counted, by the reason's code, None for a hidden number;
    `not_released` the ids of figures the agreement does not release at all. `before` are the tables of an earlier
    period, where one was asked for.
    """

    title: str
    agreement: str
    version: int
    hash: str
    recipient: str
    period: Period
    made: datetime
    tables: Tables
    refused: tuple[tuple[str, int | None], ...]
    not_released: frozenset[str]
    published: tuple[Published, ...]
    before: Tables | None = None
    before_period: Period | None = None

    @property
    def rates(self) -> tuple[Counted, ...]:
        """The figures that the agreement releases."""
        return tuple(one for one in self.tables.rates if one.definition.id not in self.not_released)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values; a hidden number is null."""
        axes = self.tables.axes
        return {
            "title": self.title,
            "agreement": {"id": self.agreement, "version": self.version, "hash": self.hash},
            "recipient": self.recipient,
            "period": {"from": self.period.starts.isoformat(), "until": self.period.until.isoformat()},
            "made": timestamp(self.made),
            "areas": list(axes.areas),
            "quarters": list(axes.quarters),
            "referred": [] if REFERRED.id in self.not_released else _lists(self.tables.referred),
            "children": [] if CHILDREN in self.not_released else _lists(self.tables.children),
            "figures": [_figure(one) for one in self.rates],
            "latency": [] if LATENCY in self.not_released else _times(self.tables.spreads),
            "not_released": sorted(self.not_released),
            "not_counted": [{"reason": reason, "referrals": number} for reason, number in self.refused],
            "before": self.before
            and {
                "from": self.before_period and self.before_period.starts.isoformat(),
                "until": self.before_period and self.before_period.until.isoformat(),
                "figures": [_figure(one) for one in self.before.rates if one.definition.id not in self.not_released],
            },
            "published": [one.model_dump(mode="json", exclude_none=True) for one in self.published],
        }


def make_report(
    coded: Coded,
    agreement: Agreement,
    recipient: str,
    period: Period,
    now: datetime,
    *,
    published: Sequence[Published],
    before: Coded | None = None,
    before_period: Period | None = None,
) -> Report:
    """The report on who may be counted."""
    areas = agreement.content.areas
    closed = frozenset(one.id for one in (REFERRED, *RATES) if not one.items <= coded.releasable)
    if CHILDREN not in coded.releasable:
        closed |= {CHILDREN}
    if "timed" in closed:
        closed |= {LATENCY}
    earlier = count(before.victims, before_period, areas) if before and before_period else None
    return Report(
        title=agreement.content.title,
        agreement=agreement.id,
        version=agreement.version,
        hash=agreement.hash,
        recipient=recipient,
        period=period,
        made=now,
        tables=count(coded.victims, period, areas),
        refused=tuple((reason, None if is_small(n) else n) for reason, n in sorted(coded.refused.items())),
        not_released=closed,
        published=tuple(published),
        before=earlier,
        before_period=before_period if earlier else None,
    )


def _lists(shown: Shown) -> list[list[int | None]]:
    return [list(line) for line in shown]


def _figure(one: Counted) -> dict[str, Any]:
    found = one.definition
    return {
        "id": found.id,
        "title": found.title,
        "numerator": found.above,
        "denominator": found.below,
        "above": _lists(one.above),
        "below": _lists(one.below),
        "not_recorded": one.unstated,
        "not_released": one.withheld,
    }


def _times(spreads: Sequence[Sequence[Spread]]) -> list[list[dict[str, int | None]]]:
    return [
        [{"median_seconds": _seconds(one.median), "p95_seconds": _seconds(one.slow)} for one in line]
        for line in spreads
    ]


def _seconds(took: timedelta | None) -> int | None:
    return None if took is None else round(took.total_seconds())
