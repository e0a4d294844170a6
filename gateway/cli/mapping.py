"""The command line's group `mapping`: the workbench of whoever brings a police system to the gateway.

`check`, `try`, `draft` and `diff` work with files alone and open no database; `drift` shows what the gateway has seen.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import files
from gateway.cli.support import REFUSED, AsJson, opened, refuse

if TYPE_CHECKING:
    from mappings.profile import Profile

app = typer.Typer(
    no_args_is_help=True, help="Mapping profiles: check, try on a sample, draft from a sample, compare; and drift."
)


@app.command("check")
def mapping_check(file: Annotated[Path, typer.Argument(help="The profile's file.")], as_json: AsJson = False) -> None:
    """Read a profile strictly and say everything that is wrong, or that a usable referral lacks. Prints its hash."""
    from gateway.workbench.check import ERROR, check

    checked = check(files.usable(file))
    errors = not checked.loads or any(one.severity == ERROR for one in checked.remarks)
    if as_json:
        remarks = [
            {"severity": one.severity, "line": one.line, "key": one.key, "words": one.words} for one in checked.remarks
        ]
        told = {"loads": not errors, "hash": checked.profile and checked.profile.hash, "remarks": remarks}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        for one in checked.remarks:
            key = f"{one.key}: " if one.key else ""
            typer.echo(f"{file}:{one.line}: {one.severity}: {key}{one.words}")
        if checked.profile:
            typer.echo(f"{checked.profile.name} for {checked.profile.adapter}\nhash {checked.profile.hash}")
    if errors:
        raise typer.Exit(REFUSED)


@app.command("try")
def mapping_try(
    profile: Annotated[str, typer.Argument(help="The profile's file, or the name of one that ships.")],
    sample: Annotated[Path, typer.Argument(help="A document or a batch, as police send it.")],
    agreement: Annotated[Path | None, typer.Option(help="Under this file, taken as signed and in force.")] = None,
    sender: Annotated[str | None, typer.Option("--as", help="The code of the force that sends it.")] = None,
    hide: Annotated[bool, typer.Option(help="Show paths and items, and no value.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read a sample: the record by items, what was lost or assumed, and what each recipient would be given.

    Ends with 1 where a document of it is unreadable. With --json, one object on a line for each document.
    """
    from datetime import UTC, datetime

    from gateway.oversight.standing import Supposed
    from gateway.workbench.samples import sampled
    from gateway.workbench.trying import try_on

    by = _profile(profile)
    terms = Supposed(files.agreement(agreement)) if agreement else None
    now, unreadable = datetime.now(UTC), False
    for one in sampled(files.usable(sample), by):
        tried = try_on(one, terms, sender, now)
        unreadable |= one.reading is None
        if as_json:
            typer.echo(json.dumps(tried.to_json(hide=hide), ensure_ascii=False))
        else:
            typer.echo("\n".join(tried.in_words(hide=hide)))
    if unreadable:
        raise typer.Exit(REFUSED)


@app.command("draft")
def mapping_draft(
    sample: Annotated[Path, typer.Argument(help="As police send it: JSON, XML, a CSV file or a zip of related ones.")],
    name: Annotated[str, typer.Option(help="What the profile is called; its file must be NAME.toml.")] = "drafted",
) -> None:
    """Propose a profile from a sample, by names and values, on standard output; a person finishes it."""
    from datetime import UTC, datetime

    from adapters.socket import Unreadable
    from gateway.workbench.draft import draft
    from gateway.workbench.drafted import text_of
    from gateway.workbench.reading import NotDrafted, drawn

    try:
        proposed = draft(drawn(files.usable(sample)))
    except NotDrafted as reason:
        refuse(f"{sample}: {reason}")
    except Unreadable as unreadable:
        refuse("\n".join(f"{sample}: {one.path}: {one.words}" for one in unreadable.problems))
    typer.echo(text_of(proposed, name, datetime.now(UTC).date()), nl=False)


@app.command("diff")
def mapping_diff(
    old: Annotated[str, typer.Argument(help="The profile before: a file, or the name of one that ships.")],
    new: Annotated[str, typer.Argument(help="The profile after.")],
    more: Annotated[list[Path] | None, typer.Argument(help="More samples.", metavar="SAMPLES")] = None,
    over: Annotated[list[Path] | None, typer.Option(help="The samples: documents or batches.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which leaves of the records change between two profiles, by item and count, with examples by path.

    Ends with 1 where something of the victim, her safe contact, consent, a grade or a marking is lost.
    """
    from gateway.workbench.compare import compare

    samples = [files.usable(one) for one in (*(over or ()), *(more or ()))]
    if not samples:
        raise typer.BadParameter("name at least one sample", param_hint="--over")
    compared = compare(_profile(old), _profile(new), samples)
    if as_json:
        typer.echo(json.dumps(compared.to_json(), ensure_ascii=False, indent=1))
    else:
        typer.echo("\n".join(compared.in_words()))
    if compared.harm:
        raise typer.Exit(REFUSED)


@app.command("drift")
def mapping_drift(
    days: Annotated[int, typer.Option(min=1, max=366, help="Of how many days back.")] = 7,
    as_json: AsJson = False,
) -> None:
    """List how what clients send has changed shape: new and vanished elements, and codes nobody knows.

    Elements are named, and of a code the digest that its entry in the operator's log holds: no value is kept.
    """
    from datetime import UTC, datetime, timedelta

    from gateway.drift import sightings

    with opened() as services, services.database.reading() as connection:
        found = sightings(connection, datetime.now(UTC) - timedelta(days=days))
    if as_json:
        listed = [
            {
                "at": one.seen_at,
                "client": one.client,
                "profile": one.profile,
                "kind": one.change.kind.value,
                "path": one.change.path,
                "code": one.change.code or None,
            }
            for one in found
        ]
        typer.echo(json.dumps({"drift": listed}, ensure_ascii=False, indent=1))
        return
    for one in found:
        code = f"\tcode {one.change.code}" if one.change.code else ""
        kind = one.change.kind.value
        typer.echo(f"{one.seen_at}\t{one.client}\t{one.profile}\t{kind}\t{one.change.path}{code}")
    if not found:
        typer.echo(f"nothing has changed in {days} days")


def _profile(given: str) -> Profile:
    from gateway.workbench.samples import profile_named
    from mappings.profile import ProfileInvalid

    try:
        return profile_named(given)
    except ProfileInvalid as invalid:
        refuse(f"{invalid}: `gateway mapping check` says more")
    except OSError as failed:
        files.refuse_file(given, failed)
