"""Every trial in its order, and the table of what came of each. A later one finds what an earlier one has set up."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

from tests.deployment import breaks, uses
from tests.deployment.container import NotWell
from tests.deployment.stand import Stand

Trial = Callable[[Stand], str]
TRIALS: dict[str, Trial] = {
    "front door": uses.front_door,
    "forged headers": uses.forged_headers,
    "too large": uses.large_bodies,
    "slow head": uses.slow_head,
    "push and read": uses.push_and_read,
    "HL7 v2 in": uses.hl7_in,
    "HL7 v2 out": uses.hl7_out,
    "console, live": uses.console_live,
    "replica killed": breaks.replica_killed,
    "replica stopped": breaks.replica_stopped,
    "replicas renewed": breaks.replicas_renewed,
    "database restarted": breaks.database_restarted,
    "certificates rolled": breaks.certificates_rolled,
    "MLLP proxy renewed": breaks.mllp_proxy_renewed,
    "backup restored": breaks.restored,
    "the log verifies": uses.proof,
    "nothing told": breaks.nothing_told,
}


def run(stand: Stand, only: str) -> int:
    """Start everything, set it up, try it; prints a row for each trial. Returns the exit code."""
    held = True
    try:
        began = time.monotonic()
        try:
            stand.up()
        except NotWell as unwell:
            print(f"MISS started: {unwell}")
            return 1
        print(f"ok   {'started':20} {time.monotonic() - began:.0f} s", flush=True)
        for name, trial in {"set up": uses.set_up, **{one: TRIALS[one] for one in TRIALS if only in one}}.items():
            try:
                print(f"ok   {name:20} {trial(stand)}", flush=True)
            except Exception:  # noqa: BLE001 - said, and the exit code tells
                held = False
                print(f"MISS {name:20} {traceback.format_exc(limit=-4)}", flush=True)
    finally:
        stand.down()
    print("everything held" if held else "NOT EVERYTHING HELD")
    return 0 if held else 1
