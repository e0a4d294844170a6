"""The command line's group `agreement`: from the text a lawyer writes to what is in force, and what it means.

What needs no database (check, sign with --out) opens none. What the steps of a life are, and who may take them, is
`terms.py`; commands that only put an agreement into words are in `document.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import files
from gateway.cli.support import REFUSED, commit, opened, refuse

if TYPE_CHECKING:
    from gateway.agreement import Agreement, Signature, State, Terms
    from gateway.agreement_check import Finding
    from gateway.services import Services

app = typer.Typer(
    no_args_is_help=True, help="Agreements: check, draft, render, sign, activate, amend, suspend, resume, end, compare."
)

_VERSION_HELP = "Which version; where none is named, the one in force for what stops it, else the newest."


@app.command("check")
def agreement_check(file: Path) -> None:
    """Read an agreement strictly and say what is wrong, or what a lawyer should look at again."""
    from gateway.agreement_check import check

    agreement = files.agreement(file)
    findings = check(agreement)
    typer.echo(f"{agreement.id} version {agreement.version}\nhash {agreement.hash}")
    for finding in findings:
        typer.echo(_said(file, finding))
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(REFUSED)
    typer.echo("nothing stands against signing it")


@app.command("draft")
def agreement_draft(file: Annotated[Path, typer.Argument(help="The agreement's file.")]) -> None:
    """Keep a new agreement as a draft, so that its parties can sign it. Nothing is shared under a draft."""
    _draft(file, amends=False)


@app.command("amend")
def agreement_amend(file: Annotated[Path, typer.Argument(help="The file of the next version.")]) -> None:
    """Keep the next version of an agreement as a draft, and say what it changes. The one in force stays until then."""
    _draft(file, amends=True)


@app.command("sign")
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

    agreement = files.agreement(file)
    _stop_at_errors(file, check(agreement), "an agreement with errors is not signed")
    if party not in {one.id for one in agreement.content.parties}:
        refuse(f"the agreement has no party {party}")
    if (key is None) == (signature is None):
        raise typer.BadParameter("give --key or --signature", param_hint="--key")
    from gateway.agreement import sign
    from gateway.errors import Unprocessable

    try:
        if key is not None:
            signed = sign(agreement.hash, party_key(files.usable(key) if key.exists() else key), party)
        else:
            signed = read_signature(files.usable(signature or Path()))
    except Unprocessable as refused:
        refuse(refused.words)
    if signed.party != party:
        refuse(f"the signature is for {signed.party}, not for {party}")
    if out is not None:
        write_signature(out, signed)
        typer.echo(f"signed {agreement.id} version {agreement.version} for {party}: hand in {out}")
        return
    with opened() as services:
        _hand_in(services, agreement, signed, f"{signature}: " if signature else "")
    typer.echo(f"{party} has signed {agreement.id} version {agreement.version}")


@app.command("activate")
def agreement_activate(
    agreement_id: str, version: Annotated[int | None, typer.Option(help=_VERSION_HELP)] = None
) -> None:
    """Bring a version into force. Every party must have signed it."""
    _change_state(agreement_id, version, "in-force")


@app.command("suspend")
def agreement_suspend(
    agreement_id: str, version: Annotated[int | None, typer.Option(help=_VERSION_HELP)] = None
) -> None:
    """Suspend the agreement: nothing passes under it from this moment, in any process."""
    _change_state(agreement_id, version, "suspended")


@app.command("resume")
def agreement_resume(
    agreement_id: str, version: Annotated[int | None, typer.Option(help=_VERSION_HELP)] = None
) -> None:
    """Let a suspended agreement go on, and with it the deliveries that are still current."""
    _change_state(agreement_id, version, "in-force", resuming=True)


@app.command("end")
def agreement_end(agreement_id: str, version: Annotated[int | None, typer.Option(help=_VERSION_HELP)] = None) -> None:
    """End the agreement for good."""
    _change_state(agreement_id, version, "ended")


@app.command("list")
def agreement_list() -> None:
    """List the agreements: which version is in force, and for how many days."""
    from datetime import UTC, datetime

    from gateway.agreement_life import overview
    from gateway.terms import agreement_ids

    with opened() as services, services.database.reading() as connection:
        for agreement_id in agreement_ids(connection):
            stands = overview(connection, agreement_id, datetime.now(UTC))
            if stands is not None:
                version = stands["in_force"]
                state = f"version {version}, {stands['days_left']} days left" if version else "not in force"
                typer.echo(f"{agreement_id}\t{state}\t{stands['title']}")


@app.command("show")
def agreement_show(agreement_id: str, version: Annotated[int | None, typer.Option(help=_VERSION_HELP)] = None) -> None:
    """Show where an agreement stands: version, hash, who signed, from when until when, and when it runs out."""
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    with opened() as services:
        terms = _terms(services, agreement_id, version)
    content, standing = terms.agreement.content, terms.standing(now)
    typer.echo(f"{content.id} version {content.version}: {content.title}")
    typer.echo(f"hash      {terms.agreement.hash}")
    typer.echo(f"standing  {standing.status.value}")
    for one in content.parties:
        typer.echo(f"party     {one.id} ({one.organisation}): {'not signed' if one.id in terms.missing else 'signed'}")
    typer.echo(f"in force  {content.in_force.starts.isoformat()} to {content.in_force.until.isoformat()}")
    if days := terms.expiry_warning(now):
        typer.echo(f"warning   it runs out within {days} days, and nothing passes under it after that")


def _draft(file: Path, *, amends: bool) -> None:
    from gateway.agreement.diff import diff, reach
    from gateway.agreement_check import check
    from gateway.errors import GatewayError
    from gateway.terms import DraftAgreement, terms_of

    agreement = files.agreement(file)
    _stop_at_errors(file, check(agreement), "an agreement with errors is not drafted")
    with opened() as services:
        with services.database.reading() as connection:
            before = terms_of(connection, agreement.id)
        if (before is not None) is not amends:
            known = "is known here: amend it" if before else "is not known here: draft it"
            refuse(f"{agreement.id} {known}")
        services.open_log(agreement.id)
        try:
            services.journals.of(agreement.id).submit_and_wait(DraftAgreement(agreement))
        except GatewayError as refused:
            refuse(f"{file}: {refused.words}")
    typer.echo(f"{agreement.id} version {agreement.version} is a draft, hash {agreement.hash}")
    if before is not None:
        for one in (*reach(before.agreement, agreement), *diff(before.agreement, agreement)):
            typer.echo(f"{one.way.value:5}  {one.words}")


def _stop_at_errors(file: Path, findings: Sequence[Finding], why: str) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        refuse("\n".join([*(_said(file, one) for one in errors), why]))


def _said(file: Path, finding: Finding) -> str:
    """A finding as compilers say it, so that an editor can go to its line."""
    return f"{file}:{finding.line}: {finding.severity}: {finding.where}: {finding.words} ({finding.code})"


def _hand_in(services: Services, agreement: Agreement, signed: Signature, source: str) -> None:
    """Keep the text as a draft where it is new, then the signature. `source` names its file in what is refused."""
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
            refuse(f"version {agreement.version} is kept with another content: a change is a new version")
        journal.submit_and_wait(RegisterKey(agreement, signed.party, signed.public_key))
        journal.submit_and_wait(SignAgreement(agreement, signed))
    except GatewayError as refused:
        refuse(f"{source}{refused.words}")


def _change_state(agreement_id: str, version: int | None, state: str, *, resuming: bool = False) -> None:
    """Take a step. Without a version it is the one that was activated last, but for coming into force: the newest."""
    from gateway.agreement import State
    from gateway.terms import ChangeState

    wanted: State = State(state)
    with opened() as services:
        terms = _terms(services, agreement_id, version, current=resuming or wanted is not State.IN_FORCE)
        if resuming and terms.state is not State.SUSPENDED:
            refuse(f"{agreement_id} version {terms.agreement.version} is not suspended")
        commit(services, agreement_id, ChangeState(terms.agreement, wanted))
    typer.echo(f"{agreement_id} version {terms.agreement.version} is {state}")


def _terms(services: Services, agreement_id: str, version: int | None, *, current: bool = False) -> Terms:
    from gateway.terms import current_terms, terms_of

    with services.database.reading() as connection:
        found = current_terms(connection, agreement_id) if current and version is None else None
        found = found or terms_of(connection, agreement_id, version)
    if found is None:
        refuse(f"there is no agreement {agreement_id}" + (f" version {version}" if version else ""))
    return found
