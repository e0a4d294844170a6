"""`gateway hospital`: what hospitals tell police and wait to decide, and what police ask of them and wait to be told.

For the operator at the gateway itself, who decides nothing and answers nothing: that is for named people of the
hospital, at `/governance/v1/hospital-notices` and `/team/v1/information-requests`. Everything here is sealed. What
police say in a request is shown on request alone, for a stated reason, to be handed to the person who answers it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.support import check_log, opened, refuse, write_private

app = typer.Typer(no_args_is_help=True, help="Notices of hospitals, and victim information requests, that wait.")

LogId = Annotated[str, typer.Argument(help="The agreement's id.")]
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@app.command("notices")
def notices(log_id: LogId) -> None:
    """List the notices that wait for a person of the hospital, the one due first at the top. Nobody's name."""
    from gateway.evidence import Event
    from gateway.hospital.changing import HELD
    from gateway.reading_log import Look

    with opened() as services:
        check_log(services, log_id)
        look = Look(None, {"what": "list"}, Event.HOSPITAL_NOTICE_SEEN)
        services.journals.of(log_id).submit_and_wait(look)
        with services.database.reading() as connection:
            rows = HELD.find(connection, log_id)
    for row in rows:
        said = (row.reason or "-", row.grade or "unknown", row.owner or "-", row.organisation)
        typer.echo("\t".join((row.id, _late(row.due_at), row.due_at, *said)))
    if not rows:
        typer.echo("nothing waits")


@app.command("requests")
def requests(log_id: LogId) -> None:
    """List the requests that wait for an answer, the one due first at the top. No words of any."""
    from gateway.evidence import Event
    from gateway.informing.keeping import REQUESTS
    from gateway.reading_log import Look

    with opened() as services:
        check_log(services, log_id)
        look = Look(None, {"what": "list"}, Event.INFORMATION_REQUEST_READ)
        services.journals.of(log_id).submit_and_wait(look)
        with services.database.reading() as connection:
            rows = REQUESTS.find(connection, log_id)
    for row in rows:
        said = (row.force, f"{row.organisation}/{row.team}", row.owner)
        typer.echo("\t".join((row.id, _late(row.due_at), row.due_at, *said)))
    if not rows:
        typer.echo("nothing waits")


@app.command("request")
def request(
    log_id: LogId,
    id_: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's reference.")],
    content: Annotated[Path, typer.Option(help="Write what police ask to this new file.")],
    reason: Annotated[str, typer.Option(help="Why somebody must see it, in a code; sealed.")],
) -> None:
    """Write out what police ask, for the person of the hospital who answers it."""
    from gateway.evidence import Event
    from gateway.informing.answering import read_words
    from gateway.reading_log import Look

    if not _CODE.fullmatch(reason):
        raise typer.BadParameter("a code: small letters, digits and hyphens", param_hint="--reason")
    if content.exists():
        refuse(f"{content} is there already")
    with opened() as services:
        check_log(services, log_id)
        with services.database.reading() as connection:
            words = read_words(connection, services.keyring, log_id, id_)
        if words is None:
            refuse("there is no such request")
        look = Look(None, {"request": id_, "what": "content"}, Event.INFORMATION_REQUEST_READ, reason)
        services.journals.of(log_id).submit_and_wait(look)
    write_private(content, words)
    typer.echo(f"{len(words)} bytes written to {content}")


def _late(due_at: str) -> str:
    return "LATE" if datetime.fromisoformat(due_at) < datetime.now(UTC) else "open"
