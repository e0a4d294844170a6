"""`gateway governance`: what waits for a person, on the operator's own screen."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.support import check_log, opened

app = typer.Typer(no_args_is_help=True, help="What waits for a person: holds, reviews, matches, notices.")


@app.command("waiting")
def waiting(
    log_id: Annotated[str, typer.Argument(help="The agreement's id.")],
    *,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is late.")] = False,
) -> None:
    """List what waits: the one due first at the top. Nobody's name is in it; looking is sealed."""
    from datetime import UTC, datetime

    from audit.entry import timestamp
    from gateway.evidence import Event
    from gateway.linking.unreviewed import open_matches
    from gateway.notices import outstanding
    from gateway.quarantine import holds
    from gateway.reading_log import Look
    from gateway.reviews import reviews_due
    from gateway.tracing.overdue import open_traces

    with opened() as services:
        check_log(services, log_id)
        services.journals.of(log_id).submit_and_wait(Look(None, {"what": "waiting"}, Event.REVIEWS_READ))
        with services.database.reading() as connection:
            rows = [
                *((row.due_at, "hold", row.id, f"{row.reason}, {row.owner}") for row in holds(connection, log_id)),
                *((row.due_at, "match", row.id, "may be one person") for row in open_matches(connection, log_id)),
                *(
                    (row.due_at, "trace", row.id, f"{row.state}, {row.organisation}")
                    for row in open_traces(connection, log_id)
                ),
                *((row.review_due, what, row.id, row.ground) for what, row in reviews_due(connection, log_id)),
                *(
                    (row.due_at, "notice", row.id, f"{row.kind} to {row.organisation}/{row.recipient or 'all'}")
                    for row in outstanding(connection, log_id)
                ),
            ]
    now = timestamp(datetime.now(UTC))
    for due, what, id_, words in sorted(rows):
        if due < now or not overdue:
            typer.echo(f"{due}\t{'LATE' if due < now else 'open'}\t{what}\t{id_}\t{words}")
    if not rows:
        typer.echo("nothing waits")
