"""The command line's group `endpoint`: which systems of teams referrals are delivered to, and what they declare.

Each change is sealed in the agreement's own log. An endpoint is given what is made or changed from then on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import files
from gateway.cli.support import check_log, commit, opened, refuse

app = typer.Typer(no_args_is_help=True, help="Systems that referrals are delivered to: add, list, declare, remove.")

Hides = Annotated[
    bool,
    typer.Option(
        "--hides-from-online-access/--shows-in-online-access",
        help="What its supplier declares: whether the patient's online access shows what is delivered. Where it does, "
        "nothing is delivered.",
    ),
]
Log = Annotated[str, typer.Option(help="The agreement whose referrals they are.")]


@app.command("add")
def add(  # noqa: PLR0913, PLR0917 - each is an option of the command
    client: Annotated[str, typer.Argument(help="The client of the team whose system it is.")],
    channel: Annotated[str, typer.Option(help="How it is spoken to: mllp, bars, file.")],
    address: Annotated[str, typer.Option(help="Where it is, as the channel has it: mllps://host:port, https://…")],
    agreement: Log,
    person: Annotated[str, typer.Option(help="Who of the team answers for what arrives; sealed with each delivery.")],
    hides: Hides,
    role: Annotated[str, typer.Option(help="That person's role.")] = "idva",
    as_: Annotated[str | None, typer.Option("--as", help="For files: whose messages they hold, mllp or bars.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the channel; @FILE reads it.")] = None,
) -> None:
    """Register a system: from now on the team's referrals are delivered there as well."""
    from gateway.channels import finder
    from gateway.delivery.endpoints import AddEndpoint, EndpointRefused
    from gateway.settings import Environment

    with opened() as services:
        check_log(services, agreement)
        unit = AddEndpoint(
            client=client,
            channel=channel,
            address=address,
            options={**({"as": as_} if as_ else {}), **dict(map(_option, option or ()))},
            user=person,
            role=role,
            hides_from_online_access=hides,
            standing=services.standing(agreement),
            find=finder(services),
            production=services.settings.environment is Environment.PRODUCTION,
        )
        try:
            id_ = commit(services, agreement, unit)
        except EndpointRefused as refused:
            refuse(str(refused))
    typer.echo(f"added {id_}")
    if not hides:
        typer.echo("nothing is delivered to it: it shows what it is given in the patient's online access")


@app.command("list")
def list_() -> None:
    """List the systems: whose each is, where, what it declares, and how many referrals wait or lie with a human."""
    from gateway.delivery.endpoints import counts, endpoints

    with opened() as services, services.database.reading() as connection:
        for one in endpoints(connection):
            at = one.endpoint
            waits, with_human = counts(connection, at.log_id).get(one.id, (0, 0))
            hides = "hidden from online access" if at.hides_from_online_access else "SHOWN IN ONLINE ACCESS"
            state = f"{waits} waiting\t{with_human} with a human\t{one.circuit.failures} failures"
            typer.echo(f"{one.id}\t{one.client}\t{at.log_id}\t{at.channel}\t{at.address}\t{hides}\t{state}")


@app.command("declare")
def declare(endpoint: str, agreement: Log, hides: Hides) -> None:
    """Note what the supplier of a system declares by now."""
    from gateway.delivery.endpoints import DeclareEndpoint, EndpointRefused

    with opened() as services:
        check_log(services, agreement)
        try:
            commit(services, agreement, DeclareEndpoint(endpoint, hides, services.standing(agreement)))
        except EndpointRefused as refused:
            refuse(str(refused))
    typer.echo("noted")


@app.command("remove")
def remove(endpoint: str, agreement: Log) -> None:
    """Remove a system: nothing more goes there; what waited is put in front of its team, and can be read as ever."""
    from gateway.delivery.endpoints import EndpointRefused, RemoveEndpoint

    with opened() as services:
        check_log(services, agreement)
        try:
            waited = commit(services, agreement, RemoveEndpoint(endpoint, services.standing(agreement)))
        except EndpointRefused as refused:
            refuse(str(refused))
    typer.echo(f"removed; {waited} deliveries lie with the team")


def _option(text: str) -> tuple[str, str]:
    """A channel's option; what begins with @ names a file that holds it, as a certificate's PEM."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        refuse("an option is NAME=VALUE")
    return name, files.text(Path(value[1:])) if value.startswith("@") else value
