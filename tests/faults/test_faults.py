"""The short form of `python -m tests.faults`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import calls, trial
from tests.faults.calls import Act, Calls, Stage
from tests.faults.disk import Way
from tests.faults.kinds import Fault, Plan
from tests.support.postgres import binaries

ANSWERS = 8  # between two faults, at most; the long form lets 60 come

NEEDS_POSTGRES = pytest.mark.skipif(binaries() is None, reason="no PostgreSQL server is installed")


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(
            Plan("sqlite", ((Fault.DELIVERING, 1), (Fault.MLLP, 1), (Fault.BATCH, 1), (Fault.DISK, 1)), 0), id="sqlite"
        ),
        pytest.param(Plan("sqlite", ((Fault.CLOCK, 2),), 0), id="clock"),
        pytest.param(
            Plan(
                "postgresql",
                ((Fault.DELIVERING, 1), (Fault.SUSPEND, 1), (Fault.CUT, 1), (Fault.SERVER, 1)),
                0,
                gateways=2,
            ),
            id="two-gateways-on-postgresql",
            marks=NEEDS_POSTGRES,
        ),
    ],
)
def test_nothing_accepted_is_lost_and_nothing_leaves_unsealed(plan: Plan, prepared_world: Path, seed: int) -> None:
    """Broken under load at random moments, the gateway keeps every promise it made, and goes on by itself."""
    result = trial.run(replace(plan, seed=seed, between=ANSWERS, forked=True), prepared_world)
    assert result.account.misses == []
    assert result.passed, result
    assert result.account.accepted > 0 < result.account.receipts


@pytest.mark.parametrize(
    "plan",
    [
        Calls(Act.TAKE_IN, Stage.COMMIT, Way.EIO, persistent=False, seed=0, step=23),
        Calls(Act.DISCLOSE, Stage.CHECKPOINT, Way.SHORT, persistent=False, seed=0, step=9),
        Calls(Act.CHANGE, Stage.REOPEN, Way.ENOSPC, persistent=True, seed=0, step=31),
        Calls(Act.DISCLOSE, Stage.COMMIT, Way.POWER_CUT, persistent=False, seed=0, step=7),
    ],
    ids=lambda plan: f"{plan.act}-{plan.stage}-{plan.way}".replace(" ", "-"),
)
def test_a_commit_of_which_a_call_fails_is_refused_or_durable(plan: Calls, prepared_world: Path, seed: int) -> None:
    """What was answered 2xx is in every image a crash could leave; the rest is 503, and the next request works."""
    series = calls.run(replace(plan, seed=seed, first=seed % plan.step), prepared_world)
    assert series.account.misses == []
    assert series.passed, series
