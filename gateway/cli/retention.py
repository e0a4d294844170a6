"""The command line's group `retention`: what is due for erasure, erasing it now, and legal holds.

`gateway serve` sweeps by itself; these commands are for whoever has to show, to stop, or to hurry it. What `due` prints
are counts alone; a list of holds names cases, so that looking at it is sealed in each log.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.support import commit, opened, refuse

if TYPE_CHECKING:
    from audit.entry import Actor
    from gateway.services import Services

app = typer.Typer(no_args_is_help=True, help="Retention: what is due for erasure, sweeping, legal holds.")

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_CODE_HELP = "letters, digits and . _ / - alone, at most 64"
_BY_HELP = "Who does it: the staff id that stands in the log."


@app.command("due")
def due() -> None:
    """Show how much is due for erasure, by agreement and class, and how much of it only a legal hold keeps."""
    with opened() as services:
        _show_due(services)


@app.command("sweep")
def sweep_now(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be erased.")] = False,
) -> None:
    """Erase what is due, now. Erasing cannot be undone; each erasure is sealed."""
    from datetime import UTC, datetime

    from gateway.errors import GatewayError
    from gateway.retention.sweep import sweep

    with opened() as services:
        if dry_run:
            _show_due(services)
            return
        try:
            erased = sweep(services.database, services.journals, services.records, datetime.now(UTC))
        except GatewayError as failed:
            refuse(failed.words)
    for (log_id, kept), count in erased.items():
        typer.echo(f"{log_id}\t{kept.value}\t{count} erased")
    if not erased:
        typer.echo("nothing was due")


@app.command("hold")
def hold(
    reference: Annotated[str, typer.Argument(help="The incident, a referral of it, or an input in quarantine.")],
    ground: Annotated[str, typer.Option(help="dardr, iopc, inquest, court or complaint.")],
    authority: Annotated[str, typer.Option(help="The reference of whoever ordered it, without spaces.")],
    by: Annotated[str | None, typer.Option(help=_BY_HELP)] = None,
) -> None:
    """Hold content whatever its days are, until the hold is lifted."""
    from gateway.retention.holds import Ground, PlaceHold, place_of

    try:
        why = Ground(ground)
    except ValueError:
        raise typer.BadParameter(f"one of {', '.join(Ground)}", param_hint="--ground") from None
    if not _CODE.fullmatch(authority):
        raise typer.BadParameter(_CODE_HELP, param_hint="--authority")
    actor = _actor(by)
    with opened() as services:
        with services.database.reading() as connection:
            place = place_of(connection, reference)
        if place is None:
            refuse("there is no such incident, referral or input")
        log_id, of = place
        hold_id = commit(services, log_id, PlaceHold(of, why, authority, actor))
    typer.echo(f"held {of} as {hold_id}")


@app.command("lift")
def lift(
    hold_id: Annotated[str, typer.Argument(help="The hold's id.")],
    by: Annotated[str | None, typer.Option(help=_BY_HELP)] = None,
) -> None:
    """Lift a hold: from now on the agreement's days count again."""
    from gateway.retention.holds import LiftHold, hold_of

    actor = _actor(by)
    with opened() as services:
        with services.database.reading() as connection:
            found = hold_of(connection, hold_id)
        if found is None:
            refuse("there is no such hold")
        commit(services, found.log_id, LiftHold(hold_id, actor))
    typer.echo(f"lifted {hold_id}")


@app.command("list")
def list_holds() -> None:
    """List the holds that are open, oldest first. Looking is sealed."""
    from gateway.reading_log import Look
    from gateway.retention.holds import open_holds
    from gateway.terms import agreement_ids

    with opened() as services:
        with services.database.reading() as connection:
            found = {log_id: open_holds(connection, log_id) for log_id in agreement_ids(connection)}
        for log_id, rows in found.items():
            services.journals.of(log_id).submit_and_wait(Look(None, {"what": "legal-holds"}))
            for row in rows:
                shown = (row.id, log_id, row.event_id, row.ground, row.authority, row.placed_by, row.placed_at)
                typer.echo("\t".join(shown))


def _show_due(services: Services) -> None:
    from datetime import UTC, datetime

    from gateway.retention.sweep import all_due

    with services.database.reading() as connection:
        found = all_due(connection, datetime.now(UTC))
    for one in found:
        typer.echo(f"{one.log_id}\t{one.kept.value}\t{one.count} due\t{one.on_hold} on hold")
    if not found:
        typer.echo("no agreement says when anything is to be erased: nothing is")


def _actor(by: str | None) -> Actor:
    from audit.entry import Actor
    from gateway.evidence import GATEWAY

    if by is None:
        return GATEWAY
    if not _CODE.fullmatch(by):
        raise typer.BadParameter(_CODE_HELP, param_hint="--by")
    return Actor(GATEWAY.organisation, GATEWAY.client, by)
