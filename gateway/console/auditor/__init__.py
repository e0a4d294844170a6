"""The auditor's pages: what is in the log of their agreement, and how they can know that it is all of it.

An auditor sees the one log of the agreement they are named for, so no address names a log. Every page is an entry of
that log before it is shown, as every reading over `/audit/v1` is; what holds hashes alone is not.
"""

from __future__ import annotations

from fastapi import APIRouter

from gateway.console.auditor import (
    agreement,
    clauses,
    entry,
    findings,
    overview,
    pack,
    search,
    subjects,
    trying,
    witnesses,
)
from gateway.console.console import Console
from gateway.console.desk import router_of

_PAGES = (overview, search, entry, subjects, clauses, findings, witnesses, pack, agreement, trying)


def routes(console: Console) -> APIRouter:
    """The routes of the auditor's pages, and of the agreement's, which a guardian reads as well."""
    return router_of(console, _PAGES)
