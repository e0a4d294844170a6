"""Figures: one row each, and how rows are shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

PER_SECOND = "/s"
MICROSECONDS = "us"
MILLISECONDS = "ms"
SECONDS = "s"
MIB = "MiB"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `engine` is sqlite, postgresql, or none where no database is in it. `floor` has the figure's unit."""

    name: str
    engine: str
    value: float
    unit: str
    floor: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as good as the floor: above 1 is better, whether the figure is a rate or a cost."""
        if not self.floor or not self.value:
            return None
        return self.value / self.floor if self.unit == PER_SECOND else self.floor / self.value

    def to_json(self) -> dict[str, Any]:
        """The row as `--json` prints it."""
        ratio = self.ratio
        return {
            "name": self.name,
            "engine": self.engine,
            "value": round(self.value, 3),
            "unit": self.unit,
            "floor": None if self.floor is None else round(self.floor, 3),
            "ratio": None if ratio is None else round(ratio, 3),
        }


AIMS = {
    ("accept", "ratio"): (1.0, "at least"),
    ("disclose", "ratio"): (1.0, "at least"),
    ("mllp_in", "ratio"): (0.5, "at least"),
    ("token_check", "value"): (50.0, "at most"),
    ("read_json_api", "value"): (1000.0, "at most"),
    ("read_plain_json", "value"): (1000.0, "at most"),
    ("read_xml_30k", "value"): (5000.0, "at most"),
    ("read_fhir_notice", "value"): (1000.0, "at most"),
    ("read_csv_flat", "value"): (5000.0, "at least"),
    ("read_csv_related", "value"): (5000.0, "at least"),
    ("hl7_to_record", "value"): (1000.0, "at most"),
    ("record_to_hl7", "value"): (10_000.0, "at most"),
    ("append_1e6", "ratio"): (0.67, "at least"),  # flat: a tree of 10^6 has twice the height of one of 10^3, no more
    ("match_100000_p99", "value"): (20.0, "at most"),
    ("match_1000000_p99", "value"): (20.0, "at most"),
    ("read_filter_1e6", "value"): (50.0, "at most"),
    ("read_pair_1e6", "value"): (50.0, "at most"),
    ("read_accounting_1e6", "value"): (50.0, "at most"),
    ("page_worklist_10000", "value"): (100.0, "at most"),
    ("page_referral_10000", "value"): (150.0, "at most"),
    ("worklist_update_10000", "value"): (1_000.0, "at most"),
    ("verify", "value"): (100_000.0, "at least"),  # two cores, once a log is long enough to keep both busy
    ("idle_memory", "value"): (200.0, "at most"),
    ("cold_start", "value"): (2.0, "at most"),
}
"""What a figure is meant to be, by name and by what of the row is compared."""


def middle(values: Sequence[float]) -> float:
    """The median: one noisy round moves it little."""
    return median(values)


def percentile(values: Sequence[float], percent: int) -> float:
    """A percentile of at least one value."""
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def table(rows: Sequence[Row]) -> str:
    """The rows as a table for people."""
    lines = [f"{'figure':<26} {'engine':<11} {'value':>12} {'unit':<5} {'floor':>12} {'ratio':>6}  aim"]
    lines += [
        f"{row.name:<26} {row.engine:<11} {row.value:>12,.1f} {row.unit:<5} {_or_dash(row.floor, 12, 1)} "
        f"{_or_dash(row.ratio, 6, 2)}  {_aim(row)}".rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def _or_dash(value: float | None, width: int, digits: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:>{width},.{digits}f}"


def _aim(row: Row) -> str:
    for of in ("value", "ratio"):
        aim = AIMS.get((row.name, of))
        if aim is None:
            continue
        wanted, direction = aim
        found = row.value if of == "value" else row.ratio
        met = found is not None and (found >= wanted if direction == "at least" else found <= wanted)
        return f"{of} {direction} {wanted:,g}: {'met' if met else 'MISSED'}"
    return ""
