"""`gateway client`: the systems that may ask for tokens, registered, listed and revoked. Each change is sealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import files
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
    certificate: Annotated[
        Path | None, typer.Option(help="PEM of the certificate it shows over MLLP; alone, it has no tokens.")
    ] = None,
) -> None:
    """Register a system. It proves itself with its private key (private_key_jwt); the gateway keeps the public half."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.initialise import new_client_key
    from gateway.tokens.certificates import AddCertificate
    from gateway.tokens.clients import AddClient, ClientRefused
    from gateway.tokens.jwks import KeysInvalid

    if (jwks is not None and new_key is not None) or (jwks is None and new_key is None and certificate is None):
        raise typer.BadParameter("give --jwks or --new-key, or --certificate alone", param_hint="--jwks")
    with opened() as services:
        _check_profiles(services, profile)
        shown = files.certificate(certificate) if certificate else None
        public = files.json_object(jwks) if jwks else None
        try:
            public = new_client_key(new_key) if new_key else public
        except FileExistsError:
            refuse(f"{new_key} is there already")
        except OSError as failed:
            refuse(f"{new_key}: {failed.strerror}")
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
            if shown is not None:
                commit(services, OPERATOR_LOG, AddCertificate(client_id, shown))
        except (ClientRefused, KeysInvalid) as refused:
            refuse(str(refused))
    if public is not None:
        typer.echo(f"added {client_id}; its tokens come from {services.settings.public_url}/oauth2/token")
    if shown is not None:
        typer.echo(f"added {client_id}; over MLLP it is known by the certificate {shown.fingerprint}")


@app.command("list")
def client_list() -> None:
    """List the systems, revoked ones too, and when the first of its certificates runs out."""
    from gateway.tokens.certificates import certificates

    with opened() as services:
        with services.database.reading() as connection:
            known = certificates(connection)
        for client in services.clients.current().clients.values():
            state = f"revoked {client.revoked_at}" if client.revoked_at else "active"
            of = f"{client.organisation}/{client.recipient}" if client.recipient else client.organisation
            by = ",".join(client.profiles) or "-"
            own = [row.not_after for row in known if row.client == client.id]
            until = min((one for one in own if one), default="not known" if own else "-")
            typer.echo(f"{client.id}\t{of}\t{state}\t{' '.join(sorted(client.scopes))}\t{by}\t{until}")


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


@app.command("certificate")
def client_certificate(
    client_id: str,
    add: Annotated[
        Path | None, typer.Option(help="PEM of a certificate that speaks for it over MLLP from now on.")
    ] = None,
    remove: Annotated[str | None, typer.Option(help="The fingerprint of one that does no longer.")] = None,
) -> None:
    """Add or remove a certificate of a system, or list those it has, each with its end: add the next before."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.tokens.certificates import AddCertificate, RemoveCertificate, certificates
    from gateway.tokens.clients import ClientRefused

    with opened() as services:
        try:
            if add is not None:
                commit(services, OPERATOR_LOG, AddCertificate(client_id, files.certificate(add)))
            if remove is not None:
                commit(services, OPERATOR_LOG, RemoveCertificate(client_id, remove))
        except ClientRefused as refused:
            refuse(str(refused))
        with services.database.reading() as connection:
            for row in certificates(connection):
                if row.client == client_id:
                    typer.echo(f"{row.fingerprint}\t{row.not_after or 'not known'}")


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
