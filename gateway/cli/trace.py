"""`gateway trace`: NHS numbers that are looked for at PDS: the key, what waits, and what a person of the NHS side says.

`key` and `waiting` are the operator's and show nobody's name. `show` and `decide` are a client of the gateway, with the
client's own key and the person on whose behalf it asks: what they see is decided and sealed like any other reading.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gateway.cli import files
from gateway.cli.support import NOT_SET_UP, check_log, end, opened, refuse

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True, help="NHS numbers that are looked for at PDS.")

RSA_BITS = 4096

Url = Annotated[str, typer.Option(help="The gateway's address.")]
Client = Annotated[str, typer.Option(help="The client's id at the gateway; it acts for the team.")]
Key = Annotated[Path, typer.Option(help="The client's private key (PEM).")]
PersonId = Annotated[str, typer.Option(help="On whose behalf, as the agreement wants it named.")]
RoleOf = Annotated[str, typer.Option(help="That person's role.")]


@app.command("key")
def key(file: Annotated[Path, typer.Argument(help="Where the private half is left; a new file.")]) -> None:
    """Make the key the gateway signs in to PDS with. Its public half stands in the gateway's JWKS once it is set."""
    import os

    from joserfc.jwk import RSAKey

    made = RSAKey.generate_key(RSA_BITS, private=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        refuse(f"{file} is there already")
    except OSError as failed:
        refuse(f"{file}: {failed.strerror}")
    with os.fdopen(descriptor, "wb") as out:
        out.write(made.as_pem(private=True))
    typer.echo(f"kid {made.thumbprint()}; set GATEWAY_PDS_KEY_FILE={file}, and register the JWKS of `gateway serve`")


@app.command("waiting")
def waiting(log_id: Annotated[str, typer.Argument(help="The agreement's id.")]) -> None:
    """List the traces that wait for a person: the one due first at the top. Looking is sealed."""
    from datetime import UTC, datetime

    from audit.entry import timestamp
    from gateway.evidence import Event
    from gateway.reading_log import Look
    from gateway.tracing.overdue import open_traces

    with opened() as services:
        check_log(services, log_id)
        services.journals.of(log_id).submit_and_wait(Look(None, {"what": "waiting"}, Event.TRACE_READ))
        with services.database.reading() as connection:
            rows = open_traces(connection, log_id)
    now = timestamp(datetime.now(UTC))
    for row in rows:
        late = "LATE" if row.due_at < now else "open"
        typer.echo(f"{row.due_at}\t{late}\t{row.state}\t{row.id}\t{row.organisation}\t{row.reason or '-'}")
    if not rows:
        typer.echo("nothing waits")


@app.command("show")
def show(trace: str, url: Url, client: Client, key: Key, person: PersonId, role: RoleOf = "idva") -> None:
    """Show who was meant and who was found, next to each other, as far as the agreement lets this person see them."""
    answer = _called(_Who(url, client, key, person, role), "GET", f"/team/v1/traces/{trace}")
    sides = answer.json()
    typer.echo(f"{sides['state']}, status {sides['verification_status']}, score {sides['score'] or '-'}")
    if sides["household_restricted"]:
        typer.echo("RESTRICTED: write no address of the household to any system")
    meant, found = (_lines(sides[side]) for side in ("meant", "found"))
    typer.echo(f"{'':24}{'POLICE':32}PDS")
    for name in dict.fromkeys([*meant, *found]):
        typer.echo(f"{name:24}{meant.get(name, '-'):32}{found.get(name, '-')}")
    for field, level in sides["compared"].items():
        typer.echo(f"{field}: {level}")
    typer.echo(f"may be: {', '.join(sides['may_be']) or 'nothing more'}")


@app.command("decide")
def decide(
    trace: str,
    outcome: Annotated[str, typer.Argument(help="same, different, again or noted.")],
    url: Url,
    client: Client,
    key: Key,
    person: PersonId,
    role: RoleOf = "idva",
) -> None:
    """Say what it is: `same` files a number that PDS says is verified, and no other."""
    who = _Who(url, client, key, person, role)
    answer = _called(who, "POST", f"/team/v1/traces/{trace}/decision", {"outcome": outcome})
    typer.echo(f"{trace} is {answer.json()['state']}")


class _Who(NamedTuple):
    """The gateway, and who asks it."""

    url: str
    client: str
    key: Path
    person: str
    role: str


def _called(who: _Who, method: str, path: str, body: dict[str, str] | None = None) -> httpx.Response:
    """Sign in and call; a refusal ends the command, in the gateway's words."""
    import httpx

    from gateway.demo.client import Client as Gateway

    private = files.private_key(who.key)
    with Gateway(who.url.rstrip("/"), who.client, private, {"id": who.person, "role": who.role}) as gateway:
        try:
            gateway.sign_in()
            answer = gateway.http.request(method, path, json=body)
        except httpx.HTTPStatusError as refused:
            refuse(f"the gateway gave no token: {refused.response.status_code}")
        except httpx.HTTPError as failed:
            end(f"{who.url} does not answer: {type(failed).__name__}", NOT_SET_UP)
    if not answer.is_success:
        refuse(f"{answer.status_code}: {_detail(answer)}")
    return answer


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except json.JSONDecodeError:
        return "no reason given"
    return str(problem.get("detail") or problem.get("title"))


def _lines(person: dict[str, Any] | None) -> dict[str, str]:
    """A person as one line for each thing that is said of her."""
    if person is None:
        return {}
    found: dict[str, str] = {}
    for name in person.get("names", ()):
        found[f"name ({name.get('use', 'usual')})"] = " ".join([*name.get("given", ()), name.get("family", "")]).strip()
    if birth := person.get("birth"):
        found["birth"] = ", ".join(str(value) for value in birth.values())
    for at, home in enumerate(person.get("addresses", ())):
        parts = [*home.get("lines", ()), home.get("town", ""), home.get("postcode", home.get("district", ""))]
        found[f"address {at + 1}"] = ", ".join(part for part in parts if part)
    return found | {name: str(person[name]) for name in ("sex", "nhs_number", "nhs_number_status") if name in person}
