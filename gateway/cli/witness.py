"""The command line's group `witness`: who witnesses a log, registering and removing them, and how far each has seen.

A witness is a program on somebody else's machine: `python -m audit witness`. Here the operator says whose cosignatures
count. Each change is sealed in the operator's log.
"""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.support import check_log, commit, opened, refuse

app = typer.Typer(no_args_is_help=True, help="Witnesses of the logs: add, list, remove.")

_LOG_HELP = "The log: an agreement's id, or `operator`."


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the witness is called here; a name is used once.")],
    log: Annotated[str, typer.Option(help=_LOG_HELP)],
    key: Annotated[str, typer.Option(help="Its verifier key, as `python -m audit witness keygen` printed it.")],
    url: Annotated[str | None, typer.Option(help="Where it is asked; without one it asks by itself.")] = None,
) -> None:
    """Register a witness: from now on its cosignatures of this log count, and its silence raises an alarm."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.witnesses import AddWitness, WitnessRefused

    with opened() as services:
        check_log(services, log)
        try:
            commit(services, OPERATOR_LOG, AddWitness(log, name, key, url))
        except WitnessRefused as refused:
            refuse(str(refused))
        typer.echo(f"added {name}; it needs the log's key:\n{services.signer(log).verifier.text}")


@app.command("list")
def list_(
    log: Annotated[str | None, typer.Option(help=f"{_LOG_HELP} All of them where none is named.")] = None,
) -> None:
    """List the witnesses: where each stands, how far it has seen, and how long the next entry has waited for it."""
    from datetime import UTC, datetime

    from gateway.witnesses import standings, witnesses

    with opened() as services:
        limit, now = services.settings.witness_lag_seconds, datetime.now(UTC)
        with services.database.reading() as connection:
            for log_id in sorted({one.log_id for one in witnesses(connection, log)}):
                for one in standings(connection, log_id, now, limit):
                    seen = f"{one.last.size} entries" if one.last else "nothing"
                    lag = f"{one.lag_entries} behind, {one.lag_seconds} s"
                    where = one.witness.url or "asks by itself"
                    typer.echo(f"{log_id}\t{one.witness.name}\t{one.state}\tseen {seen}\t{lag}\t{where}")


@app.command("remove")
def remove(name: str, log: Annotated[str, typer.Option(help=_LOG_HELP)]) -> None:
    """Remove a witness: its cosignatures count no more from now on. Those it gave are kept."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.witnesses import RemoveWitness, WitnessRefused

    with opened() as services:
        try:
            commit(services, OPERATOR_LOG, RemoveWitness(log, name))
        except WitnessRefused as refused:
            refuse(str(refused))
    typer.echo(f"removed {name}")
