"""The operator's command line. Each command says what it does, does it, and ends with a code a script can use.

Exit codes: 0 done; 1 refused (the message says why); 2 the command was used wrongly; 3 the gateway is not set up.
Everything heavy is imported by the command that needs it, so that help is quick.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway import cli_agreement, cli_document, cli_governance, cli_oversight, cli_retention, cli_witness
from gateway.cli_support import check_log, opened, refuse

if TYPE_CHECKING:
    from gateway.services import Services

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Shares domestic-abuse records between police and NHS teams under a signed agreement, and seals the evidence "
    "before it releases the data. Settings are environment variables GATEWAY_…; the README lists them.",
)
client_app = typer.Typer(no_args_is_help=True, help="The systems that may ask for tokens.")
audit_app = typer.Typer(no_args_is_help=True, help="The evidence.")
app.add_typer(client_app, name="client")
app.add_typer(cli_agreement.app, name="agreement")
app.add_typer(cli_retention.app, name="retention")
app.add_typer(cli_governance.app, name="governance")
app.add_typer(audit_app, name="audit")
app.add_typer(cli_witness.app, name="witness")
cli_agreement.app.add_typer(cli_document.agreement)
cli_agreement.app.add_typer(cli_oversight.agreement)
audit_app.add_typer(cli_oversight.audit)
app.add_typer(cli_document.top)
app.add_typer(cli_oversight.top)


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def init() -> None:
    """Make the keys, the database tables and the operator's log. Safe to run again; never overwrites a key."""
    from gateway import keys
    from gateway.settings import Settings

    settings = Settings()
    if not (settings.keys / keys.FILE_NAME).exists():
        keys.create(settings.keys, settings.environment.value)
        typer.echo(f"keys     made in {settings.keys} ({settings.environment.value}); back them up apart from the data")
    with opened() as services:
        from gateway.evidence import OPERATOR_LOG, Event
        from gateway.initialise import Note

        services.journals.of(OPERATOR_LOG).submit_and_wait(Note(Event.GATEWAY_INITIALISED))
        typer.echo(f"database {services.database.url.render_as_string(hide_password=True)}")
        typer.echo(f"log key  {services.signer(OPERATOR_LOG).verifier.text}")
    typer.echo("next     `gateway agreement check FILE`, `gateway client add …`, `gateway serve`")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8080,
) -> None:
    """Serve HTTP until stopped. Put a TLS proxy in front; production refuses to start without one being named."""
    import uvicorn

    from gateway.app import create_app
    from gateway.duties import jobs, witness_rounds
    from gateway.evidence import OPERATOR_LOG, Event
    from gateway.initialise import Note, configuration_hash
    from gateway.logs import Line, configure, say
    from gateway.timekeeper import Timekeeper

    configure()
    with opened() as services:
        note = Note(Event.GATEWAY_STARTED, {"configuration": configuration_hash(services.settings)})
        services.journals.of(OPERATOR_LOG).submit_and_wait(note)
        say(
            Line.STARTED,
            address=f"{host}:{port}",
            database=services.database.url.get_backend_name(),
            environment=services.settings.environment.value,
        )
        keepers = [Timekeeper(jobs(services)), Timekeeper(witness_rounds(services))]
        for keeper in keepers:
            keeper.start()
        try:
            uvicorn.run(
                create_app(services),
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
            )
        finally:
            for keeper in keepers:
                keeper.close()


@app.command()
def demo(
    keep: Annotated[Path | None, typer.Option(help="Leave the data in this new directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Walk the whole road once, over real HTTP on this machine: police, hospital, auditor. Ends by itself."""
    from gateway.demo.run import DemoFailed, run

    if keep is not None and keep.exists() and any(keep.iterdir()):
        refuse(f"{keep} is not empty: name a new directory")
    try:
        result = run(keep, quiet=as_json)
    except DemoFailed as failed:
        refuse(str(failed))
    if as_json:
        typer.echo(json.dumps(result, indent=1))


@client_app.command("add")
def client_add(
    client_id: Annotated[str, typer.Argument(help="The client's id: letters, digits and hyphens.")],
    organisation: Annotated[str, typer.Option(help="Force code (04) or ODS code (RXL).")],
    scope: Annotated[list[str], typer.Option(help="A scope it may ask for; repeat for more.")],
    agreement: Annotated[list[str], typer.Option(help="An agreement (or `operator`) it is bound to; repeat.")],
    name: Annotated[str, typer.Option(help="What people call the system.")] = "",
    recipient: Annotated[str | None, typer.Option(help="The team it acts for, as the agreement calls it.")] = None,
    jwks: Annotated[Path | None, typer.Option(help="A JWKS file with its public keys.")] = None,
    new_key: Annotated[Path | None, typer.Option(help="Make a key pair and leave the private half here.")] = None,
) -> None:
    """Register a system. It proves itself with its private key (private_key_jwt); the gateway keeps the public half."""
    from gateway.initialise import new_client_key
    from gateway.tokens.clients import AddClient, ClientRefused
    from gateway.tokens.jwks import KeysInvalid

    if (jwks is None) == (new_key is None):
        raise typer.BadParameter("give --jwks or --new-key", param_hint="--jwks")
    with opened() as services:
        try:
            public: dict[str, Any] = json.loads(jwks.read_text()) if jwks else new_client_key(new_key or Path())
        except FileExistsError:
            refuse(f"{new_key} is there already")
        except (OSError, ValueError):
            refuse(f"{jwks or new_key}: not a file that can be used")
        try:
            unit = AddClient(
                client_id,
                name or client_id,
                organisation,
                scopes=scope,
                agreements=agreement,
                jwks=public,
                recipient=recipient,
            )
            _commit(services, unit)
        except (ClientRefused, KeysInvalid) as refused:
            refuse(str(refused))
    typer.echo(f"added {client_id}; its tokens come from {services.settings.public_url}/oauth2/token")


@client_app.command("list")
def client_list() -> None:
    """List the systems, revoked ones too."""
    with opened() as services:
        for client in services.clients.current().clients.values():
            state = f"revoked {client.revoked_at}" if client.revoked_at else "active"
            of = f"{client.organisation}/{client.recipient}" if client.recipient else client.organisation
            typer.echo(f"{client.id}\t{of}\t{state}\t{' '.join(sorted(client.scopes))}")


@client_app.command("revoke")
def client_revoke(client_id: str) -> None:
    """Revoke a system and every token it holds, for good."""
    from gateway.tokens.clients import ClientRefused, RevokeClient

    with opened() as services:
        try:
            _commit(services, RevokeClient(client_id))
        except ClientRefused as refused:
            refuse(str(refused))
    typer.echo(f"revoked {client_id}")


@audit_app.command("export")
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
        typer.echo(f"{size} entries in {out}\nkey {services.signer(log_id).verifier.text}")


def _commit(services: Services, unit: Any) -> None:  # noqa: ANN401 - any unit of the operator's log
    from gateway.evidence import OPERATOR_LOG

    services.journals.of(OPERATOR_LOG).submit_and_wait(unit)
