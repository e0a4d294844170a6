"""The report: columns of an edition, what they mean, and what stood before, ready to be shown.

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
from gateway.evaluation.counting import Counted, Spread, Tables
from gateway.evaluation.definitions import CHILDREN, REFERRED
from gateway.evaluation.edition import Edition
from gateway.evaluation.period import Period
from gateway.evaluation.suppression import Shown


@dataclass(frozen=True, slots=True)
class Report:
    """The report on a period, for one recipient of one agreement. `made` is when it was asked for.

    `edition` is what it is cut from, and what of it holds for the whole; `before` are the tables of an earlier period,
    where one was asked for.
    """

    title: str
    agreement: str
    version: int
    hash: str
    recipient: str
    period: Period
    made: datetime
    edition: Edition
    tables: Tables
    published: tuple[Published, ...]
    before: Tables | None = None
    before_period: Period | None = None

    @property
    def refused(self) -> tuple[tuple[str, int | None], ...]:
        """Referrals of the whole edition of which nothing may be counted, by reason."""
        return self.edition.refused

    @property
    def not_released(self) -> frozenset[str]:
        """The ids of figures that the agreement does not release."""
        return self.edition.not_released

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
            "edition": {
                "id": self.edition.name.id,
                "from": self.edition.name.period.starts.isoformat(),
                "until": self.edition.name.period.until.isoformat(),
                "finished": self.edition.name.closed,
                "revision": self.edition.revision,
                "counted": timestamp(self.edition.counted),
            },
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
    edition: Edition,
    agreement: Agreement,
    recipient: str,
    period: Period,
    now: datetime,
    *,
    published: Sequence[Published],
    before: Period | None = None,
) -> Report:
    """The report on quarters of an edition. Raises BadParameter where they are not of it."""
    return Report(
        title=agreement.content.title,
        agreement=agreement.id,
        version=agreement.version,
        hash=agreement.hash,
        recipient=recipient,
        period=period,
        made=now,
        edition=edition,
        tables=edition.tables.part(edition.name.columns(period)),
        published=tuple(published),
        before=edition.tables.part(edition.name.columns(before)) if before else None,
        before_period=before,
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
