"""Who may sign in, who has, and ending every sign-in of somebody: a lost telephone, somebody who has left.

    /operator/people             open sessions, and the accounts where the embedded provider has them
    /operator/people/sign-out    ending those of one person (`organisation`, `person`): asked once more

People are named by their staff ids, as entries name them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from starlette.requests import Request
from starlette.responses import Response

from audit.entry import timestamp
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.operator.desk import HOME, Desk, one
from gateway.evidence import OPERATOR_LOG
from gateway.signin.provider.accounts import Account, Accounts
from gateway.signin.registered import embedded
from gateway.signin.secrets import SignInKeys
from gateway.signin.sessions import end_by_operator
from gateway.store import tables

SHOWN_MAX = 500


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area = _People(console)
    return (
        (f"{HOME}/people", area.page, "GET"),
        (f"{HOME}/people/sign-out", area.ask, "GET"),
        (f"{HOME}/people/sign-out", area.end, "POST"),
    )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody's open sessions: how many, and when the first began, one was last used, and the last ends."""

    organisation: str
    person: str
    count: int
    since: datetime
    seen: datetime
    until: datetime


class _People:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """Who has signed in, and who may."""
        sight = await self._desk.look(request, "people")
        services = self._desk.services
        idle = timedelta(seconds=services.settings.console_idle_seconds)
        accounts = Accounts(SignInKeys(services.keyring)) if embedded(services.settings) else None
        view: dict[str, Any] = {
            "signed_in": await self._desk.read(lambda connection: _signed_in(connection, datetime.now(UTC), idle)),
            "accounts": await self._desk.read(lambda connection: _accounts(connection, accounts)),
            "embedded": accounts is not None,
            "issuer": services.settings.oidc_issuer,
            "most": SHOWN_MAX,
            "done": "ended" if request.query_params.get("done") == "ended" else "",
        }
        return self._desk.page(request, "operator_people.html.jinja", sight, **view)

    async def ask(self, request: Request) -> Response:
        """Whether somebody's sign-ins are to end; nobody in the address leads back to the list."""
        visit = await self._desk.visit(request)
        organisation, person = (request.query_params.get(name, "") for name in ("organisation", "person"))
        found = await self._desk.read(lambda connection: _open(connection, organisation, person))
        if not found:
            return self._desk.to("/people")
        sight = await self._desk.seal(visit, {"what": "sessions", "organisation": organisation, "person": person})
        view: dict[str, Any] = {"organisation": organisation, "person": person, "count": found}
        return self._desk.page(request, "operator_sign_out.html.jinja", sight, **view)

    async def end(self, request: Request) -> Response:
        """End every sign-in of somebody."""
        visit, form = await self._desk.posted(request)
        unit = end_by_operator(one(form, "organisation"), one(form, "person"), visit.caller)
        ended = 0
        while some := (await self._desk.services.journals.of(OPERATOR_LOG).submit(unit)).value:
            ended += some
        return self._desk.to("/people", "ended" if ended else "")


def _signed_in(connection: Connection, now: datetime, idle: timedelta) -> Sequence[SignedIn]:
    asked = {"now": timestamp(now), "idle": timestamp(now - idle), "most": SHOWN_MAX}
    return [
        SignedIn(
            row.organisation, row.person, row.browsers, *map(datetime.fromisoformat, (row.since, row.seen, row.until))
        )
        for row in connection.execute(_OPEN, asked)
    ]


def _accounts(connection: Connection, accounts: Accounts | None) -> Sequence[Account]:
    return accounts.all(connection)[:SHOWN_MAX] if accounts else ()


def _open(connection: Connection, organisation: str, person: str) -> int:
    """How many sessions somebody has."""
    return int(connection.execute(_COUNT, {"organisation": organisation, "person": person}).scalar_one())


_s: Any = tables.console_session.c
_OPEN = (
    select(
        _s.organisation,
        _s.person,
        func.count().label("browsers"),
        func.min(_s.created_at).label("since"),
        func.max(_s.seen_at).label("seen"),
        func.max(_s.ends_at).label("until"),
    )
    .where(_s.ends_at > bindparam("now"), _s.seen_at > bindparam("idle"))
    .group_by(_s.organisation, _s.person)
    .order_by(func.max(_s.seen_at).desc(), _s.organisation, _s.person)
    .limit(bindparam("most"))
)
_COUNT = (
    select(func.count())
    .select_from(tables.console_session)
    .where(_s.organisation == bindparam("organisation"), _s.person == bindparam("person"))
)
