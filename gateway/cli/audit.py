"""`gateway audit`: the evidence as a file for somebody else. What can be seen in it is `oversight.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.cli.support import check_log, opened, refuse

app = typer.Typer(no_args_is_help=True, help="The evidence.")


@app.command("export")
def audit_export(
    log_id: Annotated[str, typer.Argument(help="The log: an agreement's id, or `operator`.")],
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    form: Annotated[
        Literal["pack", "csv", "ndjson"], typer.Option("--format", help="The pack, or entries for a spreadsheet.")
    ] = "pack",
) -> None:
    """Export the auditor's pack of a log. Check it anywhere with `python -m audit verify FILE --key KEY`."""
    from audit.search import Query
    from gateway.evidence import Event
    from gateway.reading_log import Extract, Form, Look, write_pack

    with opened() as services:
        check_log(services, log_id)
        look = services.journals.of(log_id).submit_and_wait(Look(None, {"what": form}, Event.LOG_EXPORTED))
        try:
            with services.database.reading() as connection, out.open("xb") as file:
                if form == "pack":
                    size = write_pack(services, connection, log_id, file)
                else:
                    size = look.receipt.index + 1
                    extract = Extract(log_id, Query(), Form(form), size)
                    while piece := extract.piece(connection):
                        file.write(piece)
        except FileExistsError:
            refuse(f"{out} is there already")
        except OSError as failed:
            refuse(f"{out}: {failed.strerror}")
        typer.echo(f"{size} entries in {out}\nkey {services.signer(log_id).verifier.text}")
