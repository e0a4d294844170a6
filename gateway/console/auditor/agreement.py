"""The agreement in a browser: its versions and who signed them, its text, the document, and what changed between two.

    /agreement                                     where every version stands
    /agreement/versions/{version}                  the text, as it was drafted and hashed
    /agreement/versions/{version}/text             the same as a file
    /agreement/versions/{version}/document.pdf     the document that people sign
    /agreement/diff?from=1&to=2                    who may learn more, who less, and every other word

For auditors, and for guardians, who answer for it. Each look is sealed in the agreement's own log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from gateway.agreement import Agreement, Terms
from gateway.agreement import diff as differences
from gateway.agreement_life import ReadAgreement, overview
from gateway.console.auditor.desk import Desk, as_file
from gateway.console.console import Console
from gateway.console.desk import Route, Sight
from gateway.console.guard import Visit
from gateway.errors import NotFound
from gateway.paper.written import written
from gateway.signin.claims import Role
from gateway.terms import agreement_ref, terms_of
from gateway.web.auth import seal_refusal

PATH = "/agreement"
WHO = (Role.AUDITOR, Role.GUARDIAN)
REASON = "audit"


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    desk = _Agreement(console)
    version = f"{PATH}/versions/{{version:version}}"
    return (
        (PATH, desk.versions, "GET"),
        (f"{PATH}/diff", desk.diff, "GET"),
        (version, desk.text, "GET"),
        (f"{version}/text", desk.file, "GET"),
        (f"{version}/document.pdf", desk.print, "GET"),
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """What changed between two versions: what could go to whom, and every difference."""

    reach: Sequence[differences.Change]
    changes: Sequence[differences.Change]


class _Agreement:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def versions(self, request: Request) -> Response:
        """Every version, the newest first."""
        visit, terms = await self._own(request, None)
        sight = await self._seal(visit, terms, {"what": "standing"})
        now = datetime.now(UTC)
        stands = await self._desk.read(lambda connection: overview(connection, sight.log_id, now))
        return self._desk.page(request, "agreement.html.jinja", sight, stands=stands)

    async def text(self, request: Request, version: int) -> Response:
        """The text of a version."""
        sight, terms = await self._look(request, version, "text")
        view: dict[str, Any] = {"agreement": terms.agreement, "text": terms.agreement.text.decode()}
        return self._desk.page(request, "agreement_text.html.jinja", sight, **view)

    async def file(self, request: Request, version: int) -> Response:
        """The text of a version as a file."""
        sight, terms = await self._look(request, version, "text")
        return as_file(terms.agreement.text, _name(terms.agreement, "yaml"), "application/yaml", sight)

    async def print(self, request: Request, version: int) -> Response:
        """The document that people sign, on paper."""
        sight, terms = await self._look(request, version, "document-pdf")
        signed = await self._desk.read(lambda connection: _signed(connection, terms.agreement))
        body = await asyncio.to_thread(written, "pdf", terms.agreement, signed)
        return as_file(body, _name(terms.agreement, "pdf"), "application/pdf", sight)

    async def diff(self, request: Request) -> Response:
        """What changed between two versions; nothing chosen yet is the newest against the one before."""
        visit, newest = await self._own(request, None)
        last = newest.agreement.version
        first = _version(request, "from", max(1, last - 1))
        second = _version(request, "to", last)
        old, new = await self._terms(visit, first), await self._terms(visit, second)
        sight = await self._seal(visit, new, {"what": "diff", "from": first, "to": second})
        compared = await asyncio.to_thread(_compared, old.agreement, new.agreement)
        view: dict[str, Any] = {"first": first, "second": second, "last": last, "compared": compared}
        return self._desk.page(request, "agreement_diff.html.jinja", sight, **view)

    async def _look(self, request: Request, version: int, what: str) -> tuple[Sight, Terms]:
        visit, terms = await self._own(request, version)
        return await self._seal(visit, terms, {"what": what, "version": version}), terms

    async def _own(self, request: Request, version: int | None) -> tuple[Visit, Terms]:
        visit, _ = await self._desk.visit(request, *WHO)
        return visit, await self._terms(visit, version)

    async def _terms(self, visit: Visit, version: int | None) -> Terms:
        """A version of the visitor's agreement, or the newest. Raises NotFound, sealed."""
        id_ = visit.person.agreement or ""
        terms = await self._desk.read(lambda connection: terms_of(connection, id_, version))
        if terms is None:
            await seal_refusal(self._desk.services, visit.request, visit.caller, "agreement-not-found")
            raise NotFound("there is no such agreement")
        return terms

    async def _seal(self, visit: Visit, terms: Terms, what: Mapping[str, str | int]) -> Sight:
        unit = ReadAgreement(visit.caller, agreement_ref(terms.agreement), what, reason=REASON)
        log_id = terms.agreement.id
        committed = await self._desk.services.journals.of(log_id).submit(unit)
        return Sight(visit, log_id, committed.receipt)


_MOST_FIGURES = 9


def _version(request: Request, name: str, otherwise: int) -> int:
    """The number of a version in an address; what is none is as good as not asked."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_FIGURES else otherwise


def _name(agreement: Agreement, ending: str) -> str:
    return f"{agreement.id}-{agreement.version}.{ending}"


def _signed(connection: Connection, agreement: Agreement) -> dict[str, str]:
    """Which parties signed a version, and when."""
    stands: Mapping[str, Any] = overview(connection, agreement.id, datetime.now(UTC)) or {"versions": []}
    of = next(one for one in stands["versions"] if one["version"] == agreement.version)
    return {one["id"]: one["signed_at"] for one in of["parties"] if one["signed_at"]}


def _compared(old: Agreement, new: Agreement) -> Compared:
    return Compared(differences.reach(old, new), differences.diff(old, new))
