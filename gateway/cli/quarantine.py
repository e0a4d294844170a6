"""`gateway quarantine`: what waits for a human, one of them, and reading all of it again after a profile was mended.

For the operator at the gateway itself; people of a party do the same at `/governance/v1/holds`. Everything here is
sealed. Nothing of the content is shown but on request, for a stated reason.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.support import check_log, opened, refuse, write_private

if TYPE_CHECKING:
    from sqlalchemy import Row

    from gateway.intake import Offer
    from gateway.replaying import Reread

app = typer.Typer(no_args_is_help=True, help="What cannot go on by itself: list it, look at it, read it again.")

LogId = Annotated[str, typer.Argument(help="The agreement's id, or `operator`.")]
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@app.command("list")
def list_(log_id: LogId) -> None:
    """List what waits, the one due first at the top: why, for whom, since when, from which client. No content."""
    from gateway.evidence import Event
    from gateway.quarantine import holds
    from gateway.reading_log import Look

    with opened() as services:
        check_log(services, log_id)
        services.journals.of(log_id).submit_and_wait(Look(None, {"what": "list"}, Event.HOLD_READ))
        with services.database.reading() as connection:
            rows = holds(connection, log_id)
    now = datetime.now(UTC)
    for row in rows:
        typer.echo("\t".join((row.id, *_facts(row, now))))
    if not rows:
        typer.echo("nothing waits")


@app.command("show")
def show(
    log_id: LogId,
    hold: Annotated[str, typer.Argument(help="The input's reference.")],
    content: Annotated[Path | None, typer.Option(help="Write its bytes to this new file, for a stated reason.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why somebody must see the content, in a code; sealed.")] = None,
) -> None:
    """Show one: its problems by path as its profile of today sees them, or each victim's facts and decisions."""
    import asyncio

    from gateway.errors import GatewayError
    from gateway.replaying import look_at

    if (content is None) != (reason is None) or (reason is not None and not _CODE.fullmatch(reason)):
        raise typer.BadParameter("the content needs a file and a reason, in a code", param_hint="--content, --reason")
    if content is not None and content.exists():
        refuse(f"{content} is there already")
    with opened() as services:
        check_log(services, log_id)
        try:
            again, judged, _ = asyncio.run(look_at(services, log_id, None, hold, reason))
        except GatewayError as refused:
            refuse(refused.words)
    _print(again, judged)
    if content is not None:
        write_private(content, again.body)
        typer.echo(f"content\t{len(again.body)} bytes written to {content}")


@app.command("replay")
def replay(
    log_id: LogId,
    *,
    profile: Annotated[str | None, typer.Option(help="Only what this profile reads.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only what waits for this reason.")] = None,
    since: Annotated[str | None, typer.Option(help="Only what came in since this day (YYYY-MM-DD, UTC).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read it again, and change nothing.")] = False,
) -> None:
    """Read what waits again by the profiles of today: what reads is taken in, the rest stays with its new reason."""
    import asyncio

    from gateway.errors import GatewayError
    from gateway.replaying import Wanted
    from gateway.replaying import replay as run

    if since is not None:
        try:
            since = date.fromisoformat(since).isoformat()
        except ValueError:
            raise typer.BadParameter("a day is YYYY-MM-DD", param_hint="--since") from None
    with opened() as services:
        check_log(services, log_id)
        if profile is not None and profile not in services.profiles.names:
            refuse(f"no profile is called {profile}; there are {', '.join(sorted(services.profiles.names))}")
        try:
            done = asyncio.run(run(services, log_id, None, Wanted(profile, reason, since), dry_run=dry_run))
        except GatewayError as refused:
            refuse(refused.words)
    for state, count in sorted(done.counts.items()):
        typer.echo(f"{count}\t{state}")
    for hash_ in done.profiles:
        typer.echo(f"profile\t{hash_}")
    if not done.counts:
        typer.echo("nothing waits that fits")


def _facts(row: Row[Any], now: datetime) -> tuple[str, ...]:
    """What is known of an input without anybody's name: state, due, age in hours, reason, risk, owner, client."""
    due, opened_at = datetime.fromisoformat(row.due_at), datetime.fromisoformat(row.opened_at)
    age = f"{(now - opened_at).total_seconds() / 3600:.1f} h"
    late = "LATE" if due < now else "open"
    return late, row.due_at, age, row.reason, row.risk, row.owner, f"{row.organisation}/{row.client}", row.media_type


def _print(again: Reread, judged: tuple[Offer, ...]) -> None:
    typer.echo("\t".join(("waits", *_facts(again.row, datetime.now(UTC)))))
    if again.profile is not None:
        typer.echo(f"profile\t{again.profile.name}\t{again.profile.hash}")
    for path, code in again.problems:
        typer.echo(f"problem\t{path or '(whole)'}\t{code}")
    if again.reading is not None:
        for finding in again.reading.findings:
            typer.echo(f"quality\t{finding.path}\t{finding.code}")
        typer.echo(f"losses\t{again.reading.loss_count}")
    for offer in judged:
        said = offer.decision
        typer.echo(f"judged\t{offer.victim}\t{offer.recipient or 'nobody'}\t{offer.purpose}\t{said.reason.value}")
