"""Commands of oversight: decisions made again, candidates tried on the past, findings, canaries, the monthly report.

Each reads a log of this gateway (`--log`), sealed before it is read, or an auditor's pack in a file (`--pack`), which
needs neither database nor keys. Verify a pack first: `python -m audit verify`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import files
from gateway.cli.support import REFUSED, AsJson, check_log, commit, opened, refuse

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.evidence import Event
    from gateway.oversight.entries import Source
    from gateway.oversight.thresholds import Rota

agreement = typer.Typer()
"""What is added to `gateway agreement`."""
audit = typer.Typer()
"""What is added to `gateway audit`."""
top = typer.Typer()
"""What is added to `gateway`."""

Log = Annotated[str | None, typer.Option("--log", help="A log of this gateway: an agreement's id.")]
Pack = Annotated[Path | None, typer.Option("--pack", help="An auditor's pack in a file, in place of a log.")]
From = Annotated[str | None, typer.Option("--from", help="From this day (London) or time (RFC 3339) on.")]
To = Annotated[str | None, typer.Option("--to", help="Up to, and not including, this day or time.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV and nothing else.")]


@agreement.command("rederive")
def agreement_rederive(
    log: Log = None, pack: Pack = None, start: From = None, stop: To = None, as_json: AsJson = False
) -> None:
    """Make every decision again from its entry, and say which come out otherwise. Exit code 1 where one does."""
    from gateway.evidence import Event
    from gateway.oversight.asking import looked
    from gateway.oversight.replay import rederive

    since, until = _range(start, stop)
    with _source(log, pack, Event.LOG_READ, looked("rederive", since, until)) as source:
        found = rederive(source, since, until)
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=1))
    else:
        typer.echo(f"entries            {found.entries}")
        typer.echo(f"the same again     {found.same}")
        typer.echo(f"nothing to derive  {found.nothing}")
        for why, count in found.not_derivable.items():
            typer.echo(f"not derivable      {count}  {why}")
        typer.echo(f"different          {found.different}")
        for one in found.differences:
            typer.echo(f"  entry {one.index} ({one.id}, {one.event}): {', '.join(one.parts)}")
    if found.different:
        raise typer.Exit(REFUSED)


@agreement.command("replay")
def agreement_replay(
    candidate: Annotated[Path, typer.Argument(help="The candidate's file; it need not be signed.")],
    log: Log = None,
    pack: Pack = None,
    start: From = None,
    stop: To = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Try a candidate on the past: which releases would have changed, as if it had been in force all the time."""
    from gateway.evidence import Event
    from gateway.oversight.asking import tried
    from gateway.oversight.spreadsheet import to_csv
    from gateway.oversight.what_if import COLUMNS, DIMENSIONS, try_on

    since, until = _range(start, stop)
    read = files.agreement(candidate)
    with _source(log, pack, Event.AGREEMENT_REPLAYED, tried(read, since, until)) as source:
        result = try_on(source, read, since, until)
    if as_json:
        typer.echo(json.dumps(result.to_json(), indent=1))
        return
    if as_csv:
        typer.echo(to_csv(COLUMNS, result.table()), nl=False)
        return
    typer.echo(f"candidate      {read.id} version {read.version}, hash {read.hash}")
    typer.echo(f"decisions      {result.decisions}")
    typer.echo(f"changed        {result.changed}")
    if result.not_derivable:
        typer.echo(f"not derivable  {result.not_derivable}")
    _show("outcome", {kind: {"decisions": count} for kind, count in result.outcomes().items()})
    for dimension in DIMENSIONS:
        _show(dimension, result.by(dimension))


@audit.command("findings")
def audit_findings(  # noqa: PLR0913, PLR0917 - each option by its name
    log: Log = None,
    pack: Pack = None,
    start: From = None,
    stop: To = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    hours: Annotated[str, typer.Option(help="The team's working hours by the clock in London.")] = "07:00-22:00",
    days: Annotated[str, typer.Option(help="Its working days, Monday is 1.")] = "1234567",
    holidays: Annotated[bool, typer.Option(help="Whether the agreement's closed days are worked.")] = True,
) -> None:
    """Show what somebody should look at, by named rules, with the entries as evidence. No finding is a judgement."""
    from datetime import UTC, datetime

    from gateway.evidence import Event
    from gateway.oversight.asking import looked
    from gateway.oversight.findings import COLUMNS, find
    from gateway.oversight.spreadsheet import to_csv
    from gateway.oversight.thresholds import Thresholds

    since, until = _range(start, stop)
    thresholds = Thresholds(rota=_rota(hours, days, holidays=holidays))
    with _source(log, pack, Event.LOG_READ, looked("findings", since, until)) as source:
        found = find(source, thresholds, since, until, now=datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=1))
        return
    if as_csv:
        typer.echo(to_csv(COLUMNS, found.table()), nl=False)
        return
    for one in found.findings:
        who = f"{one.organisation}/{one.client} {one.user or ''}".rstrip()
        case = f" case {one.case}" if one.case else ""
        entries = ", ".join(str(index) for index, _ in one.evidence[:_SHOWN])
        more = f" and {one.count - _SHOWN} more" if one.count > _SHOWN else ""
        typer.echo(f"{one.rule}: {who}{case} {one.words}, {one.first:%Y-%m-%d %H:%M}Z: entries {entries}{more}")
    for rule, count in found.counts.items():
        typer.echo(f"{count:>7}  {rule}")


@audit.command("canary")
def audit_canary(
    log: Annotated[str, typer.Argument(help="The log: an agreement's id.")],
    case: Annotated[str, typer.Argument(help="The referral that nobody has a reason to open.")],
) -> None:
    """Mark a case as a canary: whoever opens it is found. The mark is an entry, and shows nowhere else."""
    from gateway.oversight.canary import PlaceCanary

    with opened() as services:
        check_log(services, log)
        commit(services, log, PlaceCanary(case))
    typer.echo(f"placed; `gateway audit findings --log {log}` shows whoever opens it")


@top.command("report")
def monthly_report(
    agreement_id: Annotated[str, typer.Argument(help="The agreement.")],
    month: Annotated[str, typer.Option(help="The month, as 2026-11.")],
    out: Annotated[Path, typer.Option(help="The directory to write to.")],
    pack: Pack = None,
) -> None:
    """Write the monthly report for the agreement's board: an HTML page, and a CSV file for each of its tables."""
    from datetime import UTC, datetime

    from gateway.evidence import Event
    from gateway.oversight.month import Month
    from gateway.oversight.report import report
    from gateway.oversight.report_page import write_files
    from gateway.oversight.tally import NoSuchAgreement

    try:
        wanted = Month.parse(month)
    except ValueError as invalid:
        raise typer.BadParameter(str(invalid), param_hint="--month") from None
    log = None if pack else agreement_id
    with _source(log, pack, Event.REPORT_MADE, {"month": month}) as source:
        try:
            made = report(source, agreement_id, wanted, datetime.now(UTC))
        except NoSuchAgreement as unknown:
            refuse(str(unknown))
    try:
        written = write_files(made, out)
    except OSError as failed:
        refuse(f"{out}: {failed.strerror}")
    for path in written:
        typer.echo(str(path))


_SHOWN = 10


@contextmanager
def _source(log: str | None, pack: Path | None, event: Event, detail: Mapping[str, str | int]) -> Iterator[Source]:
    """The entries to read: of a log, sealed first, or of a pack."""
    from gateway.oversight.entries import LogSource, PackSource, SourceUnreadable
    from gateway.reading_log import Look

    if (log is None) == (pack is None):
        raise typer.BadParameter("give --log or --pack", param_hint="--log")
    if pack is not None:
        try:
            yield PackSource(files.usable(pack))
        except SourceUnreadable as unreadable:
            refuse(str(unreadable))
        return
    with opened() as services:
        name = log or ""
        check_log(services, name)
        commit(services, name, Look(None, detail, event))
        with services.database.reading() as connection:
            yield LogSource(connection, name)


def _range(start: str | None, stop: str | None) -> tuple[datetime | None, datetime | None]:
    since, until = _moment(start, "--from"), _moment(stop, "--to")
    if since is not None and until is not None and until < since:
        raise typer.BadParameter("it is before --from", param_hint="--to")
    return since, until


def _moment(text: str | None, option: str) -> datetime | None:
    """A day, which begins at midnight in London, or a time with its offset."""
    from datetime import UTC, datetime

    from gateway.london import LONDON

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None or len(text) == len("2026-11-01"):
            return (moment if moment.tzinfo else moment.replace(tzinfo=LONDON)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise typer.BadParameter("a day (2026-11-01), or a time with its offset (RFC 3339)", param_hint=option)


def _rota(hours: str, days: str, *, holidays: bool) -> Rota:
    from datetime import time

    from gateway.oversight.thresholds import Rota

    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", hours, re.ASCII)
    if found is None:
        raise typer.BadParameter("working hours are written 07:00-22:00", param_hint="--hours")
    if not re.fullmatch("[1-7]{1,7}", days, re.ASCII):
        raise typer.BadParameter("working days are figures from 1 to 7", param_hint="--days")
    opens, closes = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    return Rota(frozenset(int(day) - 1 for day in days), opens, closes, holidays)


def _show(dimension: str, counts: Mapping[str, Mapping[str, int]]) -> None:
    """Print what changed by one dimension."""
    if counts:
        typer.echo(f"\nby {dimension}")
    for value, kinds in counts.items():
        for kind, count in kinds.items():
            typer.echo(f"{count:>9}  {value}  {kind}")
