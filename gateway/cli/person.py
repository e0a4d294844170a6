"""`gateway person`: accounts of the embedded provider, and ending anybody's sign-ins. Each change is sealed.

Accounts are for development; in production people sign in at the provider that `GATEWAY_OIDC_ISSUER` names, and only
`sign-out` is of use there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.support import commit, opened, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gateway.services import Services
    from gateway.signin.claims import Person
    from gateway.signin.provider.accounts import Account, Accounts

app = typer.Typer(no_args_is_help=True, help="People who sign in to the console.")

Team = Annotated[str | None, typer.Option(help="Their team, as the agreement calls it: idva-team.")]
Agreement = Annotated[str | None, typer.Option(help="Their agreement; none for an operator.")]
Roles = Annotated[
    list[str],
    typer.Option(help="adviser, safeguarding-lead, officer, guardian, auditor, operator or evaluator; repeat."),
]
Areas = Annotated[list[str] | None, typer.Option(help="An area they work; repeat. None is all of their team's.")]


@app.command("add")
def person_add(
    person_id: Annotated[str, typer.Argument(help="Their staff id, which is sealed: idva-0042.")],
    name: Annotated[str, typer.Option(help="What they are called.")],
    organisation: Annotated[str, typer.Option(help="ODS code (RXL), force code (04), or `operator`.")],
    role: Roles,
    team: Team = None,
    agreement: Agreement = None,
    area: Areas = None,
    no_second_factor: Annotated[
        bool, typer.Option("--no-second-factor", help="Password alone, to try it out.")
    ] = False,
) -> None:
    """Add somebody who can sign in; prints the password, once. They set up their second factor when they first come."""
    from gateway.signin.provider import passwords
    from gateway.signin.provider.accounts import AddPerson

    with opened() as services:
        accounts = _accounts(services)
        person = _person(person_id, name, organisation, team, agreement, role, area)
        password = passwords.made()
        columns = accounts.columns(person, second_factor=not no_second_factor)
        _commit(services, AddPerson(person, columns, accounts.factor(person.id, None), passwords.hashed(password)))
    typer.echo(f"added {person_id}; they sign in with {password}")


@app.command("change")
def person_change(
    person_id: str,
    organisation: Annotated[str | None, typer.Option(help="Their new organisation.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="Their roles from now on; repeat.")] = None,
    team: Team = None,
    agreement: Agreement = None,
    area: Areas = None,
) -> None:
    """Change what somebody does; what is not named stays. It ends their sign-ins at once."""
    with opened() as services:
        accounts = _accounts(services)
        account = _account(services, accounts, person_id)
        before = account.person
        changed = _person(
            person_id,
            before.name,
            organisation or before.organisation,
            team or before.recipient,
            agreement or before.agreement,
            role or [one.value for one in before.roles],
            area or list(before.areas),
        )
        _change(services, person_id, "roles", accounts.columns(changed, second_factor=account.second_factor))
    typer.echo(f"changed {person_id}; they sign in anew")


@app.command("password")
def person_password(person_id: str) -> None:
    """Give somebody a new password and print it, once. It ends their sign-ins at once."""
    from gateway.signin.provider import passwords

    with opened() as services:
        _account(services, _accounts(services), person_id)
        password = passwords.made()
        _change(services, person_id, "password", {"password": passwords.hashed(password)})
    typer.echo(f"{person_id} signs in with {password}")


@app.command("totp")
def person_totp(
    person_id: str,
    square: Annotated[Path | None, typer.Option(help="Make it now: leave a QR code (SVG) here, print its key.")] = None,
) -> None:
    """Take somebody's second factor back, so that they set up a new one when they next come; or make it for them."""
    from gateway.signin.provider import totp

    with opened() as services:
        accounts = _accounts(services)
        _account(services, accounts, person_id)
        secret = totp.made() if square is not None else None
        if square is not None and secret is not None:
            try:
                with square.open("x") as file:
                    file.write(totp.square(secret, person_id))
            except OSError as failed:
                refuse(f"{square}: {failed.strerror}")
        _change(services, person_id, "second-factor", accounts.factor(person_id, secret))
    typer.echo(
        f"{person_id}: {secret}" if secret else f"{person_id} sets up a new second factor when they next sign in"
    )


@app.command("list")
def person_list() -> None:
    """List the accounts, removed ones too."""
    with opened() as services:
        accounts = _accounts(services)
        with services.database.reading() as connection:
            found = accounts.all(connection)
    for one in found:
        person = one.person
        state = f"removed {one.removed_at}" if one.removed_at else "active"
        of = f"{person.organisation}/{person.recipient}" if person.recipient else person.organisation
        factor = "second-factor" if one.secret else "to-set-up" if one.second_factor else "password-alone"
        roles = ",".join(role.value for role in person.roles)
        typer.echo(f"{person.id}\t{person.name}\t{of}\t{roles}\t{factor}\t{state}")


@app.command("remove")
def person_remove(person_id: str) -> None:
    """Remove somebody for good, and end their sign-ins at once. Their id stays theirs, for entries name them by it."""
    from gateway.signin.provider.accounts import NO_PASSWORD, REMOVED

    with opened() as services:
        _accounts(services)
        _change(services, person_id, REMOVED, NO_PASSWORD)
    typer.echo(f"removed {person_id}")


@app.command("sign-out")
def person_sign_out(
    person_id: str,
    organisation: Annotated[str, typer.Option(help="Their organisation, as their provider says it.")],
) -> None:
    """End every sign-in of somebody, whoever signed them in: for a lost telephone, or somebody who has left."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.signin.sessions import end_by_operator

    with opened() as services:
        ended = 0
        while some := commit(services, OPERATOR_LOG, end_by_operator(organisation, person_id)):
            ended += some
    typer.echo(f"ended {ended} sign-ins of {person_id}")


def _accounts(services: Services) -> Accounts:
    """The accounts; where there are none to be, the command ends."""
    from gateway.signin.provider.accounts import Accounts
    from gateway.signin.registered import embedded
    from gateway.signin.secrets import SignInKeys

    if not embedded(services.settings):
        refuse("accounts are the embedded provider's, which is for development: people sign in elsewhere here")
    return Accounts(SignInKeys(services.keyring))


def _account(services: Services, accounts: Accounts, person_id: str) -> Account:
    with services.database.reading() as connection:
        found = accounts.get(connection, person_id)
    if found is None or found.removed_at is not None:
        refuse("there is no such account")
    return found


def _person(
    person_id: str,
    name: str,
    organisation: str,
    team: str | None,
    agreement: str | None,
    roles: list[str],
    areas: list[str] | None,
) -> Person:
    """The person that the console would take from these claims; what it would not ends the command."""
    from gateway.signin.claims import ClaimNames, ClaimsRefused, Role, person_of

    if unknown := set(roles) - {role.value for role in Role}:
        refuse(f"there is no role {', '.join(sorted(unknown))}")
    said = {"staff_id": person_id, "name": name, "organisation": organisation, "roles": roles, "areas": areas or []}
    try:
        return person_of({**said, "team": team, "agreement": agreement}, ClaimNames())
    except ClaimsRefused as refused:
        refuse(str(refused))


def _change(services: Services, person_id: str, what: str, values: Mapping[str, Any]) -> None:
    from gateway.signin.provider.accounts import ChangePerson

    _commit(services, ChangePerson(person_id, what, values))


def _commit(services: Services, unit: Any) -> None:  # noqa: ANN401 - a unit of accounts
    from gateway.evidence import OPERATOR_LOG
    from gateway.signin.provider.accounts import PersonRefused

    try:
        commit(services, OPERATOR_LOG, unit)
    except PersonRefused as refused:
        refuse(str(refused))
