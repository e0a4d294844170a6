"""The short form of `python -m tests.faults`, and that its account would notice a loss."""

from __future__ import annotations

import pytest

from tests.faults.trial import Plan, run
from tests.support.postgres import binaries


@pytest.mark.parametrize(
    "plan",
    [
        Plan("sqlite", kills=3, seed=0, full_disks=1),
        pytest.param(
            Plan("postgresql", kills=2, seed=0, database_kills=1),
            marks=pytest.mark.skipif(binaries() is None, reason="no PostgreSQL server is installed"),
        ),
    ],
    ids=lambda plan: plan.engine,
)
def test_nothing_accepted_is_lost_and_nothing_leaves_unsealed(plan: Plan, seed: int) -> None:
    """Killed under load at random moments, the gateway keeps every promise it made, and starts again by itself."""
    result = run(Plan(plan.engine, plan.kills, seed, plan.database_kills, plan.full_disks))
    assert result.account.misses == []
    assert result.passed, result
    assert result.refused > 0  # the disk was full, or the database gone, and clients were told 503
    assert result.account.accepted > 0 < result.account.receipts
