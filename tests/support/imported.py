"""Imported by the process that the gateway's programs are forked from (tests/support/forked.py), and by nothing else.

It imports what a program of the gateway does, under a clock that can be turned in each, and makes what each would make
for itself once and for all. It starts no thread, opens nothing and reads no setting: those would not survive a fork.
"""

from __future__ import annotations

import threading
from importlib import import_module

from adapters.nhs.fhir import warm
from gateway.cli.support import undisturbed
from tests.faults import skewed

with undisturbed():
    skewed.follow()
    skewed.import_all()
    for name in ("pydantic.v1", "uvicorn.loops.auto", "uvicorn.protocols.http.auto"):  # imported at a start, and late
        import_module(name)

    from gateway.console.page import environment
    from mappings.profile import profile, profiles

    warm()
    environment()
    for name in profiles():
        profile(name)

if threading.active_count() > 1:
    raise RuntimeError(f"a fork would lose threads: {threading.enumerate()}")
