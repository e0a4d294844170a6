"""`python -m tests.faults.skewed serve …`: the gateway with a clock that another process can turn.

The file that GATEWAY_TRIAL_CLOCK names holds how many seconds the clock is off. Only the clock of the day is turned:
the monotonic one never jumps. The gateway's modules see a `datetime` that differs from the real one in `now` alone.
"""

from __future__ import annotations

import os
import pkgutil
import sys
import time
from datetime import datetime, tzinfo
from importlib import import_module
from pathlib import Path

VARIABLE = "GATEWAY_TRIAL_CLOCK"
_PROGRAMS = ("__main__", ".env")  # they run when they are imported
_true_time = time.time


def off() -> float:
    """How far the clock is off, in seconds; it is not where nobody turns it."""
    return float(Path(os.environ[VARIABLE]).read_text() or 0) if VARIABLE in os.environ else 0


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class _Turned(datetime, metaclass=_Kind):
    """`datetime`, whose `now` follows the turned clock and returns the real class."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # the real class, not this one
        return datetime.fromtimestamp(_true_time() + off(), tz)


def follow() -> None:
    """Have the time of day follow the turned clock; before any module of ours takes it as a default."""
    time.time = lambda: _true_time() + off()


def import_all() -> None:
    """Import every module of ours."""
    for room in ("gateway", "audit"):
        for found in pkgutil.walk_packages(import_module(room).__path__, f"{room}."):
            if not found.name.endswith(_PROGRAMS) and ".versions" not in found.name:
                import_module(found.name)


def turn() -> None:
    """Have the `datetime` of every module of ours follow it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in {"gateway", "audit"} and vars(module).get("datetime") is datetime:
            module.datetime = _Turned  # type: ignore[attr-defined]  # as each module imported it


def main() -> None:
    """Turn the clock of every module of ours, then do what `gateway` does. In a fork, all is imported already."""
    follow()
    import_all()
    turn()
    from gateway.cli import main as gateway_main  # noqa: PLC0415 - after the clock is turned

    gateway_main()


if __name__ == "__main__":
    main()
