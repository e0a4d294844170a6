"""The operator's command line. Each command says what it does, does it, and ends with a code a script can use.

Exit codes: 0 done; 1 refused (the message says why); 2 the command was used wrongly; 3 the gateway is not set up.
Everything heavy is imported by the command that needs it, so that help is quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from gateway.agreement import Agreement, Signature, State, Terms
    from gateway.services import Services

REFUSED = 1
NOT_SET_UP = 3

_VERSION_HELP = "Which version; the newest where none is named."

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Shares domestic-abuse records between police and NHS teams under a signed agreement, and seals the evidence "
    "before it releases the data. Settings are environment variables GATEWAY_…; the README lists them.",
)
client_app = typer.Typer(no_args_is_help=True, help="The systems that may ask for tokens.")
agreement_app = typer.Typer(no_args_is_help=True, help="Agreements: check, sign, activate, show, suspend, end.")
audit_app = typer.Typer(no_args_is_help=True, help="The evidence.")
app.add_typer(client_app, name="client")
app.add_typer(agreement_app, name="agreement")
app.add_typer(audit_app, name="audit")


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
    with _services() as services:
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
    from gateway.evidence import OPERATOR_LOG, Event
    from gateway.initialise import Note, configuration_hash
    from gateway.logs import Line, configure, say

    configure()
    with _services() as services:
        note = Note(Event.GATEWAY_STARTED, {"configuration": configuration_hash(services.settings)})
        services.journals.of(OPERATOR_LOG).submit_and_wait(note)
        say(
            Line.STARTED,
            address=f"{host}:{port}",
            database=services.database.url.get_backend_name(),
            environment=services.settings.environment.value,
        )
        uvicorn.run(
            create_app(services),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
        )


@app.command()
def demo(
    keep: Annotated[Path | None, typer.Option(help="Leave the data in this new directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Walk the whole road once, over real HTTP on this machine: police, hospital, auditor. Ends by itself."""
    from gateway.demo.run import DemoFailed, run

    if keep is not None and keep.exists() and any(keep.iterdir()):
        _refuse(f"{keep} is not empty: name a new directory")
    try:
        result = run(keep, quiet=as_json)
    except DemoFailed as failed:
        _refuse(str(failed))
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
    with _services() as services:
        try:
            public: dict[str, Any] = json.loads(jwks.read_text()) if jwks else new_client_key(new_key or Path())
        except FileExistsError:
            _refuse(f"{new_key} is there already")
        except (OSError, ValueError):
            _refuse(f"{jwks or new_key}: not a file that can be used")
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
            _refuse(str(refused))
    typer.echo(f"added {client_id}; its tokens come from {services.settings.public_url}/oauth2/token")


@client_app.command("list")
def client_list() -> None:
    """List the systems, revoked ones too."""
    with _services() as services:
        for client in services.clients.current().clients.values():
            state = f"revoked {client.revoked_at}" if client.revoked_at else "active"
            of = f"{client.organisation}/{client.recipient}" if client.recipient else client.organisation
            typer.echo(f"{client.id}\t{of}\t{state}\t{' '.join(sorted(client.scopes))}")


@client_app.command("revoke")
def client_revoke(client_id: str) -> None:
    """Revoke a system and every token it holds, for good."""
    from gateway.tokens.clients import ClientRefused, RevokeClient

    with _services() as services:
        try:
            _commit(services, RevokeClient(client_id))
        except ClientRefused as refused:
            _refuse(str(refused))
    typer.echo(f"revoked {client_id}")


@agreement_app.command("check")
def agreement_check(file: Path) -> None:
    """Read an agreement strictly and say what is wrong, or what a lawyer should look at again."""
    from gateway.agreement_check import check

    agreement = _read_agreement(file)
    findings = check(agreement)
    typer.echo(f"{agreement.id} version {agreement.version}\nhash {agreement.hash}")
    for finding in findings:
        typer.echo(f"{finding.severity}  {finding.where}: {finding.words} ({finding.code})")
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(REFUSED)
    typer.echo("nothing stands against signing it")


@agreement_app.command("sign")
def agreement_sign(
    file: Annotated[Path, typer.Argument(help="The agreement's file.")],
    party: Annotated[str, typer.Option(help="The party that signs, as the file calls it.")],
    key: Annotated[Path | None, typer.Option(help="Its Ed25519 private key (PEM); made here if there is none.")] = None,
    out: Annotated[Path | None, typer.Option(help="Only write the signature here, to be handed in.")] = None,
    signature: Annotated[Path | None, typer.Option(help="Hand in a signature that was made elsewhere.")] = None,
) -> None:
    """Sign an agreement for a party. With --out nothing but the file and the key is needed: sign on your own machine.

    The first signature of a party registers its public key; another key for the same party is refused from then on.
    """
    from gateway.agreement_check import check
    from gateway.initialise import party_key, read_signature, write_signature

    agreement = _read_agreement(file)
    if any(finding.severity == "error" for finding in check(agreement)):
        _refuse("the agreement does not pass `gateway agreement check`")
    if party not in {one.id for one in agreement.content.parties}:
        _refuse(f"the agreement has no party {party}")
    if (key is None) == (signature is None):
        raise typer.BadParameter("give --key or --signature", param_hint="--key")
    from gateway.agreement import sign
    from gateway.errors import Unprocessable

    try:
        signed = sign(agreement.hash, party_key(key), party) if key else read_signature(signature or Path())
    except Unprocessable as refused:
        _refuse(refused.words)
    if signed.party != party:
        _refuse(f"the signature is for {signed.party}, not for {party}")
    if out is not None:
        write_signature(out, signed)
        typer.echo(f"signed {agreement.id} version {agreement.version} for {party}: hand in {out}")
        return
    with _services() as services:
        _hand_in(services, agreement, signed)
    typer.echo(f"{party} has signed {agreement.id} version {agreement.version}")


@agreement_app.command("activate")
def agreement_activate(
    agreement_id: str, version: Annotated[int | None, typer.Option(help=_VERSION_HELP)] = None
) -> None:
    """Bring a version into force. Every party must have signed it."""
    _change_state(agreement_id, version, "in-force")


@agreement_app.command("suspend")
def agreement_suspend(
    agreement_id: str, version: Annotated[int | None, typer.Option(help=_VERSION_HELP)] = None
) -> None:
    """Suspend the agreement: nothing passes under it from this moment, in any process."""
    _change_state(agreement_id, version, "suspended")


@agreement_app.command("end")
def agreement_end(agreement_id: str, version: Annotated[int | None, typer.Option(help=_VERSION_HELP)] = None) -> None:
    """End the agreement for good."""
    _change_state(agreement_id, version, "ended")


@agreement_app.command("show")
def agreement_show(agreement_id: str, version: Annotated[int | None, typer.Option(help=_VERSION_HELP)] = None) -> None:
    """Show where an agreement stands: version, hash, who signed, from when until when."""
    from datetime import UTC, datetime

    with _services() as services:
        terms = _terms(services, agreement_id, version)
    content, standing = terms.agreement.content, terms.standing(datetime.now(UTC))
    typer.echo(f"{content.id} version {content.version}: {content.title}")
    typer.echo(f"hash      {terms.agreement.hash}")
    typer.echo(f"standing  {standing.status.value}")
    for one in content.parties:
        typer.echo(f"party     {one.id} ({one.organisation}): {'not signed' if one.id in terms.missing else 'signed'}")
    typer.echo(f"in force  {content.in_force.starts.isoformat()} to {content.in_force.until.isoformat()}")


@audit_app.command("export")
def audit_export(
    log_id: Annotated[str, typer.Argument(help="The log: an agreement's id, or `operator`.")],
    out: Annotated[Path, typer.Argument(help="The file to write.")],
) -> None:
    """Export the auditor's pack of a log. Check it anywhere with `python -m audit verify FILE --key KEY`."""
    from gateway.evidence import Event
    from gateway.reading_log import Look, write_pack

    with _services() as services:
        _check_log(services, log_id)
        services.journals.of(log_id).submit_and_wait(Look(None, {"what": "pack"}, Event.LOG_EXPORTED))
        try:
            with services.database.reading() as connection, out.open("xb") as file:
                size = write_pack(services, connection, log_id, file)
        except FileExistsError:
            _refuse(f"{out} is there already")
        typer.echo(f"{size} entries in {out}\nkey {services.signer(log_id).verifier.text}")


def _check_log(services: Services, log_id: str) -> None:
    from audit import sql
    from audit.errors import LogUnknown

    try:
        with services.database.reading() as connection:
            sql.read_head(connection, log_id)
    except LogUnknown:
        _refuse(f"there is no log {log_id}")


def _read_agreement(file: Path) -> Agreement:
    from gateway.agreement import AgreementUnreadable, parse

    try:
        return parse(file.read_bytes())
    except FileNotFoundError:
        _refuse(f"{file}: there is no such file")
    except AgreementUnreadable as unreadable:
        _refuse(f"{file}: {unreadable}")


def _hand_in(services: Services, agreement: Agreement, signed: Signature) -> None:
    """Keep the text as a draft where it is new, then the signature."""
    from gateway.errors import GatewayError
    from gateway.terms import DraftAgreement, RegisterKey, SignAgreement, terms_of

    services.open_log(agreement.id)
    journal = services.journals.of(agreement.id)
    with services.database.reading() as connection:
        known = terms_of(connection, agreement.id, agreement.version)
    try:
        if known is None:
            journal.submit_and_wait(DraftAgreement(agreement))
        elif known.agreement.hash != agreement.hash:
            _refuse(f"version {agreement.version} is kept with another content: a change is a new version")
        journal.submit_and_wait(RegisterKey(agreement, signed.party, signed.public_key))
        journal.submit_and_wait(SignAgreement(agreement, signed))
    except GatewayError as refused:
        _refuse(refused.words)


def _change_state(agreement_id: str, version: int | None, state: str) -> None:
    from gateway.agreement import State
    from gateway.errors import GatewayError
    from gateway.terms import ChangeState

    wanted: State = State(state)
    with _services() as services:
        terms = _terms(services, agreement_id, version)
        try:
            services.journals.of(agreement_id).submit_and_wait(ChangeState(terms.agreement, wanted))
        except GatewayError as refused:
            _refuse(refused.words)
    typer.echo(f"{agreement_id} version {terms.agreement.version} is {state}")


def _terms(services: Services, agreement_id: str, version: int | None) -> Terms:
    from gateway.terms import terms_of

    with services.database.reading() as connection:
        found = terms_of(connection, agreement_id, version)
    if found is None:
        _refuse(f"there is no agreement {agreement_id}" + (f" version {version}" if version else ""))
    return found


def _commit(services: Services, unit: Any) -> None:  # noqa: ANN401 - any unit of the operator's log
    from gateway.evidence import OPERATOR_LOG

    services.journals.of(OPERATOR_LOG).submit_and_wait(unit)


@contextmanager
def _services() -> Iterator[Services]:
    """The services for one command; what keeps them from opening ends it with a reason."""
    from pydantic import ValidationError

    from gateway.keys import KeyringInvalid
    from gateway.services import SettingsRefused, open_services
    from gateway.settings import Settings

    try:
        services = open_services(Settings())
    except ValidationError as invalid:
        named = ", ".join(f"GATEWAY_{str(one['loc'][0]).upper()}: {one['msg']}" for one in invalid.errors())
        _end(f"a setting is not usable: {named}", NOT_SET_UP)
    except (KeyringInvalid, SettingsRefused) as refused:
        _end(str(refused), NOT_SET_UP)
    try:
        yield services
    finally:
        services.close()


def _refuse(why: str) -> NoReturn:
    _end(why, REFUSED)


def _end(why: str, code: int) -> NoReturn:
    print(f"gateway: {why}", file=sys.stderr)  # noqa: T201 - a command line speaks
    raise typer.Exit(code)
