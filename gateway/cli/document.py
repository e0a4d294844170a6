"""Commands that put an agreement into words: the document people sign, what changed between versions, and why.

None of them changes anything. With files alone (`render`, `diff OLD NEW`, `explain --agreement`) no database is opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.cli import files
from gateway.cli.support import AsJson, opened, refuse

if TYPE_CHECKING:
    from gateway.agreement import Agreement, Terms
    from gateway.explain import Explanation
    from mappings.record import Record

agreement = typer.Typer()
"""What is added to `gateway agreement`."""
top = typer.Typer()
"""What is added to `gateway`."""


@agreement.command("render")
def render(
    file: Annotated[Path, typer.Argument(help="The agreement's file.")],
    html: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write the paper here.")] = None,
) -> None:
    """Write the document people sign, from the file the gateway enforces. It shows the hash that they sign."""
    from gateway.paper import html as paper_html
    from gateway.paper import pdf as paper_pdf
    from gateway.paper.agreement import document

    if html is None and pdf is None:
        raise typer.BadParameter("give --html or --pdf", param_hint="--html")
    made = document(files.agreement(file))
    for out, write in ((html, paper_html.write), (pdf, paper_pdf.write)):
        if out is None:
            continue
        try:
            with out.open("xb") as opened_:
                opened_.write(write(made))
        except FileExistsError:
            refuse(f"{out} is there already")
        except OSError as failed:
            refuse(f"{out}: {failed.strerror}")
        typer.echo(f"{out}\t{made.mark}")


@agreement.command("diff")
def diff(
    old: Annotated[Path | None, typer.Argument(help="The file of the one before.")] = None,
    new: Annotated[Path | None, typer.Argument(help="The file of the one after.")] = None,
    agreement_id: Annotated[str | None, typer.Option("--id", help="In place of files: an agreement kept here.")] = None,
    first: Annotated[int | None, typer.Option("--from", help="Its version before.")] = None,
    second: Annotated[int | None, typer.Option("--to", help="Its version after.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two versions: who may learn more, who less, and every other word."""
    from gateway.agreement import diff as differences

    before, after = _two(old, new, agreement_id, first, second)
    if as_json:
        typer.echo(json.dumps(differences.to_json(before, after), ensure_ascii=False, indent=1))
        return
    typer.echo(f"from {before.id} version {before.version}, hash {before.hash}")
    typer.echo(f"to   {after.id} version {after.version}, hash {after.hash}")
    reached, changes = differences.reach(before, after), differences.diff(before, after)
    for title, group in (("What each recipient could be given at best", reached), ("Every change", changes)):
        if group:
            typer.echo(f"\n{title}:")
        for one in group:
            typer.echo(f"{one.way.value:5}  {one.words}")
    if not changes:
        typer.echo("the two say the same")


@top.command("explain")
def explain(  # noqa: PLR0913, PLR0917 - an option for each thing that decides
    record: Annotated[Path, typer.Option(help="The record, as police send it.")],
    recipient: Annotated[str, typer.Option(help="Who would be given it, as the agreement calls it.")],
    purpose: Annotated[str, typer.Option(help="For which purpose.")] = "safeguarding",
    agreement_file: Annotated[
        Path | None, typer.Option("--agreement", help="Under this file, taken as signed and in force.")
    ] = None,
    agreement_id: Annotated[str | None, typer.Option("--id", help="Or as an agreement kept here stands.")] = None,
    sender: Annotated[str | None, typer.Option("--from", help="The code of who sends it.")] = None,
    profile: Annotated[str | None, typer.Option(help="The mapping profile it is written for.")] = None,
    face: Annotated[
        Literal["whole", "sender", "recipient"], typer.Option("--for", help="Who is told: all, or one side's words.")
    ] = "whole",
    as_json: AsJson = False,
) -> None:
    """Explain what would be given of a record, item by item: what goes, what goes less exact, what stays, and why."""
    from datetime import UTC, datetime

    from gateway.decide import facts_of
    from gateway.explain import explain as explain_
    from mappings.record import Role

    if agreement_file is not None and agreement_id is not None:
        raise typer.BadParameter("give --agreement or --id, not both", param_hint="--agreement")
    read, now = _record(record, sender, profile), datetime.now(UTC)
    terms = _supposed(agreement_file) if agreement_file else _kept(agreement_id)
    found = {
        victim.ref: explain_(facts_of(read.for_victim(victim.ref), now), recipient, purpose, terms, now)
        for victim in read.of_role(Role.VICTIM)
    }
    if not found:
        refuse(f"{record}: no victim is named, so that a human must look at it")
    told = {ref: _told(one, face) for ref, one in found.items()}
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    for ref, one in found.items():
        typer.echo(f"{ref}:")
        for line in one.in_words() if face == "whole" else _lines(told[ref]):
            typer.echo(f"  {line}")


def _told(found: Explanation, face: str) -> dict[str, Any]:
    from gateway.explain import for_recipient, for_sender

    if face == "recipient":
        return for_recipient(found.decision)
    return for_sender(found.decision) if face == "sender" else found.whole()


def _lines(told: dict[str, Any]) -> list[str]:
    """One side's words as lines."""
    groups = {"less exact": told.get("generalised", ()), "withheld": told["withheld"]}
    return [told["words"]] + [
        f"{group}: {one['title']} ({one['item']}): {one['words']} ({one['clause']})"
        for group, listed in groups.items()
        if not isinstance(listed, bool)
        for one in listed
    ]


def _record(file: Path, sender: str | None, profile: str | None) -> Record:
    """The record in a file, read as one that is pushed today; from whom is said by its sender's code."""
    from datetime import UTC, datetime

    from adapters.socket import Limits, Unreadable, reader
    from gateway.london import day_of
    from gateway.profiles import open_profiles
    from gateway.settings import Settings
    from mappings.profile import ProfileInvalid
    from mappings.record import Source

    settings, today = Settings(), day_of(datetime.now(UTC))
    try:
        kept = open_profiles(settings.profiles_dir, settings.police_profile)
    except ProfileInvalid as invalid:
        refuse(str(invalid))
    known = next((one for one in kept.of((profile,) if profile else ()) if one.is_valid(today)), None)
    if known is None:
        raise typer.BadParameter(f"there is none; there are {', '.join(sorted(kept.names))}", param_hint="--profile")
    try:
        found = reader(known.adapter).read(files.content(file, files.LARGE), known, Limits()).record
    except Unreadable as unreadable:
        refuse("\n".join(f"{file}: {one.path}: {one.words}" for one in unreadable.problems))
    said = sender or (found.source.organisation if found.source else "")
    if not said:
        raise typer.BadParameter("the file does not say who sends: give its code", param_hint="--from")
    return found.model_copy(update={"source": Source(organisation=said)})


def _supposed(file: Path) -> Terms:
    from gateway.oversight.standing import Supposed

    return Supposed(files.agreement(file))


def _kept(agreement_id: str | None) -> Terms:
    """The terms of an agreement kept here, as they stand; the only one where none is named."""
    from gateway.terms import agreement_ids, current_terms, terms_of

    with opened() as services, services.database.reading() as connection:
        known = [agreement_id] if agreement_id else list(agreement_ids(connection))
        if len(known) != 1:
            refuse(f"there are {len(known)} agreements here: name one with --id, or a file with --agreement")
        found = current_terms(connection, known[0]) or terms_of(connection, known[0])
    if found is None:
        refuse(f"there is no agreement {known[0]}")
    return found


def _two(
    old: Path | None, new: Path | None, agreement_id: str | None, first: int | None, second: int | None
) -> tuple[Agreement, Agreement]:
    """The two agreements a comparison is of."""
    from gateway.terms import terms_of

    if old is not None and new is not None and agreement_id is None:
        return files.agreement(old), files.agreement(new)
    if agreement_id is None or first is None or second is None or old is not None:
        raise typer.BadParameter("give two files, or --id with --from and --to", param_hint="OLD NEW")
    with opened() as services, services.database.reading() as connection:
        found = [terms_of(connection, agreement_id, version) for version in (first, second)]
    before, after = found
    if before is None or after is None:
        refuse(f"there is no agreement {agreement_id} in both versions")
    return before.agreement, after.agreement
