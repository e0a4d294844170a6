"""The command line's group `webhook`: where a force has its feedback pushed to, and whether it arrives there.

The endpoint is the client's: one for each. Every push is signed by the gateway's key in its JWKS, and sealed before it
goes. Each change is sealed in the operator's log.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import files
from gateway.cli.support import check_log, commit, opened, refuse

app = typer.Typer(no_args_is_help=True, help="Webhooks of police systems: add, list, remove, test.")


@app.command("add")
def add(
    client: Annotated[str, typer.Argument(help="The client whose force is told.")],
    agreement: Annotated[str, typer.Option(help="The agreement whose feedback it is.")],
    person: Annotated[
        str, typer.Option(help="Who of the force answers for what arrives there; sealed with each push.")
    ],
    url: Annotated[str | None, typer.Option(help="Where the words are pushed to; https, and a public address.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="A folder each signed request is put into instead; for development.")
    ] = None,
    role: Annotated[str, typer.Option(help="That person's role.")] = "officer-in-case",
    ca: Annotated[Path | None, typer.Option(help="PEM of the authorities it is trusted by, not the machine's.")] = None,
    reference_only: Annotated[bool, typer.Option(help="Push that there are words, not the words; they pull.")] = False,
) -> None:
    """Register an endpoint: from now on what may be told to the force is pushed there as well."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.settings import Environment
    from gateway.webhook.address import AddressRefused
    from gateway.webhook.endpoints import AddEndpoint, EndpointRefused, Pushed
    from gateway.webhook.folder import url_of

    if folder is not None:
        if url is not None or ca is not None:
            refuse("a folder is in the place of --url, and needs no --ca")
        url = url_of(folder)
    if url is None:
        refuse("say where to: --url, or --folder for development")
    with opened() as services:
        check_log(services, agreement)
        authorities = files.authorities(ca) if ca else None
        content = Pushed.REFERENCE if reference_only else Pushed.WORDS
        production = services.settings.environment is Environment.PRODUCTION
        unit = AddEndpoint(client, agreement, url, content, person, role, authorities, production)
        try:
            unit.check()
            commit(services, OPERATOR_LOG, unit)
        except (AddressRefused, EndpointRefused) as refused:
            refuse(str(refused))
        key = services.keyring.message_key.kid
    typer.echo(f"added; pushes are signed with the key {key} of {services.settings.public_url}/.well-known/jwks.json")


@app.command("list")
def list_() -> None:
    """List the endpoints: whose each is, where, and how many words wait or could not be delivered."""
    from gateway.webhook.endpoints import endpoints, waiting

    with opened() as services, services.database.reading() as connection:
        for one in endpoints(connection):
            waits, given_up = waiting(connection, one)
            state = f"{waits} waiting\t{given_up} undelivered"
            typer.echo(f"{one.client}\t{one.log_id}\t{one.url}\t{one.content}\t{one.user}\t{state}")


@app.command("remove")
def remove(client: str) -> None:
    """Remove a client's endpoint: nothing more is pushed to it; everything can still be pulled."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.webhook.endpoints import EndpointRefused, RemoveEndpoint

    with opened() as services:
        try:
            commit(services, OPERATOR_LOG, RemoveEndpoint(client))
        except EndpointRefused as refused:
            refuse(str(refused))
    typer.echo(f"removed the endpoint of {client}")


@app.command("test")
def test(client: str) -> None:
    """Push a signed message with nothing in it, once, and say what came of it."""
    from gateway.delivery.fault import NotDelivered
    from gateway.evidence import OPERATOR_LOG
    from gateway.webhook.courier import Courier
    from gateway.webhook.endpoints import NoteTest, endpoints

    with opened() as services:
        with services.database.reading() as connection:
            found = next((one for one in endpoints(connection) if one.client == client), None)
        if found is None:
            refuse("the client has no endpoint")
        commit(services, OPERATOR_LOG, NoteTest(client))
        courier = Courier(services)
        try:
            status = courier.test(found)
        except NotDelivered as fault:
            refuse(f"it did not arrive: {fault.code}")
        finally:
            courier.close()
    typer.echo(f"it arrived: status {status}")
