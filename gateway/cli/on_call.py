"""`gateway on-call`: the rota of a team, where nobody of it is at a screen. Each command is sealed.

It is done on the word of somebody of the team, whose staff id is sealed beside the command line's name (`--by`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from gateway.cli.support import check_log, opened, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from gateway.evidence import Caller
    from gateway.services import Services

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Who is on call for a team when nobody is there.")

Log = Annotated[str, typer.Argument(help="The agreement's id.")]
Team = Annotated[str, typer.Argument(help="The team, as the agreement calls it.")]
By = Annotated[str, typer.Option(help="On whose word: the staff id of one of the team.")]


@app.command("list")
def show(log_id: Log, team: Team, *, by: By) -> None:
    """List the times that are not over, the first first: id, from, until, person."""
    from gateway.on_call import read_rota

    rows, _ = _done(log_id, team, by, read_rota)
    for row in rows:
        typer.echo(f"{row.id}\t{row.starts_at}\t{row.ends_at}\t{row.person}")
    if not rows:
        typer.echo("nobody is on call")


@app.command("add")
def add(
    log_id: Log,
    team: Team,
    person: Annotated[str, typer.Argument(help="The staff id of whoever is on call.")],
    starts: Annotated[str, typer.Option("--from", help="ISO 8601; without an offset it is the time in London.")],
    ends: Annotated[str, typer.Option("--until", help="As `--from`; at most a month later.")],
    *,
    by: By,
) -> None:
    """Put somebody on call; prints the id of the time."""
    from gateway.on_call import set_on_call

    _check(person, "PERSON")
    begin, end = _time(starts, "--from"), _time(ends, "--until")
    duty, _ = _done(log_id, team, by, lambda services, caller: set_on_call(services, caller, person, begin, end))
    typer.echo(duty)


@app.command("remove")
def remove(
    log_id: Log, team: Team, duty: Annotated[str, typer.Argument(help="The id, as `list` shows it.")], *, by: By
) -> None:
    """Take a time off the rota."""
    from gateway.on_call import remove_on_call

    _done(log_id, team, by, lambda services, caller: remove_on_call(services, caller, duty))
    typer.echo(f"removed {duty}")


def _done(log_id: str, team: str, by: str, act: Callable[[Services, Caller], Coroutine[None, None, T]]) -> T:
    """Do it for the team; a refusal ends the command, in words."""
    import asyncio

    from gateway.errors import GatewayError
    from gateway.evidence import GATEWAY, Caller

    _check(by, "--by")
    with opened() as services:
        check_log(services, log_id)
        terms = services.standing(log_id).terms
        content = terms.agreement.content if terms else None
        found = content.recipient(team) if content else None
        if content is None or found is None:
            refuse(f"{log_id} has no team {team}")
        organisation = content.party(found.party).organisation
        agreements = frozenset({log_id})
        caller = Caller(GATEWAY.client, organisation, team, frozenset(), agreements, user=by, role=found.role)
        try:
            return asyncio.run(act(services, caller))
        except GatewayError as refused:
            refuse(refused.words)


def _check(person: str, where: str) -> None:
    """End the command unless it is a staff id, as tokens and sessions have them."""
    import re

    if not re.fullmatch(r"[\x21-\x7e]{1,128}", person):
        raise typer.BadParameter("a staff id: printed ASCII without spaces, at most 128", param_hint=where)


def _time(text: str, where: str) -> datetime:
    from datetime import datetime

    from gateway.london import LONDON

    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day and a time, such as 2026-12-24T18:00", param_hint=where) from None
    return time if time.tzinfo else time.replace(tzinfo=LONDON)
