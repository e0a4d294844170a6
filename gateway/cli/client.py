"""`gateway client`: the systems that may ask for tokens, registered, listed and revoked. Each change is sealed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.support import commit, opened, refuse

if TYPE_CHECKING:
    from gateway.services import Services

app = typer.Typer(no_args_is_help=True, help="The systems that may ask for tokens.")


@app.command("add")
def client_add(  # noqa: PLR0913, PLR0917 - an option for each thing the register says of a client
    client_id: Annotated[str, typer.Argument(help="The client's id: letters, digits and hyphens.")],
    organisation: Annotated[str, typer.Option(help="Force code (04) or ODS code (RXL).")],
    scope: Annotated[list[str], typer.Option(help="A scope it may ask for; repeat for more.")],
    agreement: Annotated[list[str], typer.Option(help="An agreement (or `operator`) it is bound to; repeat.")],
    name: Annotated[str, typer.Option(help="What people call the system.")] = "",
    recipient: Annotated[str | None, typer.Option(help="The team it acts for, as the agreement calls it.")] = None,
    profile: Annotated[
        list[str] | None,
        typer.Option(help="A mapping profile that reads what it sends; repeat for more formats."),
    ] = None,
    jwks: Annotated[Path | None, typer.Option(help="A JWKS file with its public keys.")] = None,
    new_key: Annotated[Path | None, typer.Option(help="Make a key pair and leave the private half here.")] = None,
) -> None:
    """Register a system. It proves itself with its private key (private_key_jwt); the gateway keeps the public half."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.initialise import new_client_key
    from gateway.tokens.clients import AddClient, ClientRefused
    from gateway.tokens.jwks import KeysInvalid

    if (jwks is None) == (new_key is None):
        raise typer.BadParameter("give --jwks or --new-key", param_hint="--jwks")
    with opened() as services:
        _check_profiles(services, profile)
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
                profiles=profile or (),
            )
            commit(services, OPERATOR_LOG, unit)
        except (ClientRefused, KeysInvalid) as refused:
            refuse(str(refused))
    typer.echo(f"added {client_id}; its tokens come from {services.settings.public_url}/oauth2/token")


@app.command("list")
def client_list() -> None:
    """List the systems, revoked ones too."""
    with opened() as services:
        for client in services.clients.current().clients.values():
            state = f"revoked {client.revoked_at}" if client.revoked_at else "active"
            of = f"{client.organisation}/{client.recipient}" if client.recipient else client.organisation
            by = ",".join(client.profiles) or "-"
            typer.echo(f"{client.id}\t{of}\t{state}\t{' '.join(sorted(client.scopes))}\t{by}")


@app.command("profiles")
def client_profiles(
    client_id: str,
    profile: Annotated[
        list[str] | None,
        typer.Option(help="A mapping profile, first come first tried; none for the gateway's own choice."),
    ] = None,
) -> None:
    """Say anew which mapping profiles read what a system sends, as where a force changes its export."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.tokens.clients import ClientRefused, SetProfiles

    with opened() as services:
        _check_profiles(services, profile)
        try:
            commit(services, OPERATOR_LOG, SetProfiles(client_id, profile or ()))
        except ClientRefused as refused:
            refuse(str(refused))
    typer.echo(f"{client_id} is read by {', '.join(profile or ()) or services.settings.police_profile}")


@app.command("revoke")
def client_revoke(client_id: str) -> None:
    """Revoke a system and every token it holds, for good."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.tokens.clients import ClientRefused, RevokeClient

    with opened() as services:
        try:
            commit(services, OPERATOR_LOG, RevokeClient(client_id))
        except ClientRefused as refused:
            refuse(str(refused))
    typer.echo(f"revoked {client_id}")


def _check_profiles(services: Services, names: list[str] | None) -> None:
    """End the command where there is no profile of a name, or no telling two of them apart."""
    from mappings.profile import ProfileInvalid

    if unknown := set(names or ()) - services.profiles.names:
        known = ", ".join(sorted(services.profiles.names))
        refuse(f"there is no profile {', '.join(sorted(unknown))}; there are {known}")
    try:
        services.profiles.check(tuple(names or ()))
    except ProfileInvalid as invalid:
        refuse(str(invalid))
