"""The table of faults and counts that `python -m tests.faults` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from tests.faults.calls import Series
from tests.faults.disk import Way
from tests.faults.kinds import Fault, Result


@dataclass(frozen=True)
class Row:
    """What came of one kind of fault on one engine. The names of the fields are the head of the table.

    `lost`: answered 2xx or AA and not there. `unsealed`: receipts given out whose entry is not there. Where referrals
    are delivered, each is one more that was accepted, is lost where it is neither there nor with a human, and a message
    that arrived is a receipt. `verified`: how often the whole log was verified, after each fault and of each crash
    image. `misses`: promises that did not hold, which are said below the table.
    """

    fault: str
    engine: str
    faults: int
    accepted: int
    lost: int
    duplicates: int
    receipts: int
    unsealed: int
    verified: int
    refused: int
    misses: tuple[str, ...]
    seconds: int
    with_human: int
    passed: bool


_NUMBERS = (
    *("faults", "accepted", "lost", "duplicates", "receipts", "unsealed", "verified", "refused", "seconds"),
    "with_human",
)
_UNTOLD = frozenset({"passed", "with_human"})
"""What the table has no column for."""


def row_of(result: Result | Series, seconds: float) -> Row:
    """The row of one trial or one series."""
    account = result.account
    if isinstance(result, Result):
        plan = result.plan
        kinds = [str(fault) for fault, _ in plan.faults]
        name = f"{', '.join(kinds)}{'' if plan.gateways == 1 else f' ({plan.gateways} gateways)'}"
        engine, count, seed = plan.engine, result.done, plan.seed
    else:
        name, engine, count, seed = _series(result), "sqlite", result.failed, result.plan.seed
    return Row(
        fault=name,
        engine=engine,
        faults=count,
        accepted=account.accepted,
        lost=account.accepted - account.found_once,
        duplicates=account.duplicates,
        receipts=account.receipts,
        unsealed=account.receipts - account.entries_found,
        verified=account.looks + account.pack_verified,
        refused=result.refused,
        misses=tuple(f"{name} on {engine}, seed {seed}: {miss}" for miss in account.misses),
        seconds=round(seconds),
        with_human=account.with_human,
        passed=result.passed,
    )


def counts(row: Row) -> str:
    """What one trial counted, on a line: said as soon as it ends, so that a run that is stopped has told it."""
    return ", ".join(f"{name} {getattr(row, name)}" for name in _NUMBERS)


def _series(series: Series) -> str:
    plan = series.plan
    if plan.way is Way.POWER_CUT:
        return "power cut at every call of a commit"
    return f"{plan.way} at every call of a commit, {'from then on' if plan.persistent else 'once'}"


def merged(rows: Iterable[Row]) -> list[Row]:
    """One row for each fault and engine."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        before = found.get((row.fault, row.engine))
        if before is not None:
            sums = {name: getattr(before, name) + getattr(row, name) for name in (*_NUMBERS, "misses")}
            row = replace(row, **sums, passed=before.passed and row.passed)  # noqa: PLW2901 - the sum so far
        found[row.fault, row.engine] = row
    return sorted(found.values(), key=_place)


def _place(row: Row) -> tuple[int, str, str]:
    names = [str(one) for one in Fault]
    first = row.fault.partition(",")[0].partition(" (")[0]
    return names.index(first) if first in names else len(names), row.fault, row.engine


def total(rows: Iterable[Row]) -> Row:
    """The sum of all."""
    return merged(replace(row, fault="total", engine="") for row in rows)[0]


def text(rows: Iterable[Row]) -> str:
    """The table in Markdown, with its sum; a miss counts once."""
    listed = list(rows)
    heads = [field.name for field in fields(Row) if field.name not in _UNTOLD]
    lines = [heads, *(_cells(row, heads) for row in (*listed, total(listed)))]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    told = ["| " + " | ".join(_padded(line, widths)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 1) + (":" if at > 1 else "-") for at, width in enumerate(widths)) + "|"
    return "\n".join([told[0], rule, *told[1:]])


def _cells(row: Row, heads: list[str]) -> list[str]:
    return [str(len(row.misses)) if name == "misses" else str(getattr(row, name)) for name in heads]


def _padded(line: list[str], widths: list[int]) -> list[str]:
    """Words to the left, numbers to the right."""
    words, numbers = zip(line[:2], widths[:2], strict=True), zip(line[2:], widths[2:], strict=True)
    return [*(cell.ljust(width) for cell, width in words), *(cell.rjust(width) for cell, width in numbers)]
