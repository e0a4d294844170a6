"""`python -m tests.faults`: kills the gateway under load at random moments and counts what was lost. Nothing may be.

    --engine sqlite|postgresql|both   --kills N   --seed N

Exit codes: 0 nothing was lost; 1 something was, or an engine that was asked for is not installed.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from tests.faults.trial import Plan, Result, run
from tests.support.postgres import binaries

KILLS = {"sqlite": 50, "postgresql": 20}
OTHER_FAULTS = 3  # full disks on SQLite, database kills on PostgreSQL

_COLUMNS = (
    "engine",
    "kills",
    "other faults",
    "2xx",
    "found once",
    "duplicates",
    "with receipt",
    "entries found",
    "pack verified",
    "restarts",
    "503",
    "cut off",
    "seconds",
)


def main() -> int:
    """Run the trials, print the table and the totals."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", choices=[*KILLS, "both"], default="both")
    parser.add_argument(
        "--kills", type=int, help="gateway kills an engine; 50 on SQLite, 20 on PostgreSQL unless given"
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    asked = parser.parse_args()
    engines = [engine for engine in KILLS if asked.engine in {engine, "both"}]
    if "postgresql" in engines and binaries() is None:
        print("postgresql: no server is installed")
        return 1
    print(f"seed {asked.seed}", flush=True)
    rows: list[tuple[str, ...]] = []
    results: list[Result] = []
    for engine in engines:
        kills = KILLS[engine] if asked.kills is None else asked.kills
        other = {"full_disks" if engine == "sqlite" else "database_kills": OTHER_FAULTS}
        began = time.monotonic()
        results.append(run(Plan(engine, kills, asked.seed, **other)))
        rows.append(_row(results[-1], time.monotonic() - began))
    _print_table(rows)
    for result in results:
        for miss in result.account.misses:
            print(f"{result.plan.engine}: {miss}")
    print(_totals(results))
    return 0 if all(result.passed for result in results) else 1


def _row(result: Result, seconds: float) -> tuple[str, ...]:
    account, plan = result.account, result.plan
    figures = (plan.kills, plan.full_disks + plan.database_kills, account.accepted, account.found_once)
    figures += (account.duplicates, account.receipts, account.entries_found)  # type: ignore[assignment]
    verified = "yes" if account.pack_verified else "NO"
    after = (result.restarts, result.refused, result.cut_off, round(seconds))
    return (plan.engine, *map(str, figures), verified, *map(str, after))


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[at]) for row in (_COLUMNS, *rows)) for at in range(len(_COLUMNS))]
    for row in (_COLUMNS, *rows):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def _totals(results: list[Result]) -> str:
    accounts = [result.account for result in results]
    lost = sum(account.accepted - account.found_once for account in accounts)
    unsealed = sum(account.receipts - account.entries_found for account in accounts)
    return (
        f"total: {sum(result.plan.kills for result in results)} kills, "
        f"{sum(account.accepted for account in accounts)} accepted, {lost} lost, "
        f"{sum(account.duplicates for account in accounts)} duplicates, "
        f"{sum(account.receipts for account in accounts)} receipts, {unsealed} without entry, "
        f"{sum(not account.pack_verified for account in accounts)} logs refuted, "
        f"{sum(len(account.misses) for account in accounts)} other misses"
    )


if __name__ == "__main__":
    sys.exit(main())
