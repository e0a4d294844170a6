"""Commands of the evaluation: the report as files, and synthetic years to try it with.

The report is made here for the recipient that the agreement's flow for evaluation goes to, and sealed before it is
written. Synthetic years are loaded through a gateway's own interfaces, by two clients that are registered there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import files
from gateway.cli.support import check_log, opened, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.evaluation.baseline import Published
    from gateway.evaluation.period import Period

app = typer.Typer(no_args_is_help=True, help="How many were reached, engaged and are safer; small numbers are hidden.")


@app.command("report")
def report(
    agreement_id: Annotated[str, typer.Argument(metavar="AGREEMENT", help="The agreement.")],
    out: Annotated[Path, typer.Option(help="The directory to write to.")],
    starts: Annotated[
        str | None,
        typer.Option("--from", help="The first day of a quarter, as 2024-04-01; the last eight that are closed."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Up to, and not including, the first day of another.")] = None,
    before_from: Annotated[str | None, typer.Option(help="The first day of an earlier period to compare with.")] = None,
    before_until: Annotated[str | None, typer.Option(help="Up to, and not including, this day.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Figures of before in a TOML file, for those published.")
    ] = None,
    revise: Annotated[
        bool, typer.Option("--revise", help="Count again what was counted before, and mark it as a revision.")
    ] = False,
) -> None:
    """Write the report: a printable page, a PDF, a CSV file and a picture for each table, and FHIR MeasureReports."""
    from datetime import UTC, datetime

    from adapters.nhs.fhir.canonical import CANONICAL
    from gateway.errors import GatewayError
    from gateway.evaluation.files import write
    from gateway.evaluation.making import Asked, NoEvaluation, make_here
    from gateway.evaluation.period import Period

    period = _period(starts, until, "--from") or Period.closed(datetime.now(UTC))
    asked = Asked(period, _published(baseline), _period(before_from, before_until, "--before-from"), revise)
    with opened() as services:
        check_log(services, agreement_id)
        try:
            made = make_here(services, agreement_id, asked)
        except NoEvaluation as none:
            refuse(str(none))
        except GatewayError as refused:
            refuse(refused.words)
    try:
        written = write(made.report, out, CANONICAL)
    except OSError as failed:
        refuse(f"{out}: {failed.strerror}")
    for path in written:
        typer.echo(str(path))


@app.command("load")
def load(
    url: Annotated[str, typer.Option(help="The gateway to load into: not one that holds anybody's records.")],
    police: Annotated[str, typer.Option(help="A client that sends incidents.")],
    police_key: Annotated[Path, typer.Option(help="Its private key, PEM.")],
    team: Annotated[str, typer.Option(help="A client of the advisers' team.")],
    team_key: Annotated[Path, typer.Option(help="Its private key, PEM.")],
    years: Annotated[int, typer.Option(help="How many years, up to the last quarter that is closed.")] = 2,
    victims: Annotated[int, typer.Option(help="How many victims.")] = 1_664,
    seed: Annotated[int, typer.Option(help="The same seed tells the same stories.")] = 0,
) -> None:
    """Load synthetic years with a known truth through a gateway's interfaces, and print that truth."""
    import asyncio
    from datetime import UTC, datetime

    import httpx

    from gateway.demo.client import Client
    from gateway.evaluation.period import Period
    from gateway.evaluation.sheets import duration
    from gateway.evaluation.synthetic.loading import Loaded, LoadFailed
    from gateway.evaluation.synthetic.loading import load as load_plan
    from gateway.evaluation.synthetic.plan import plan
    from gateway.evaluation.synthetic.truth import truth

    try:
        wanted = plan(Period.closed(datetime.now(UTC)).last_instant, years=years, seed=seed, victims=victims)
    except ValueError as invalid:
        raise typer.BadParameter(str(invalid), param_hint="--victims") from None
    keys = (files.private_key(police_key), files.private_key(team_key))
    users = ((police, keys[0], _OFFICER), (team, keys[1], _ADVISER))
    try:
        headers = []
        for client_id, key, user in users:
            with Client(url, client_id, key, user) as client:
                headers.append({"Authorization": f"Bearer {client.sign_in()['access_token']}"})

        async def run() -> Loaded:
            async with (
                httpx.AsyncClient(base_url=url, headers=headers[0]) as sending,
                httpx.AsyncClient(base_url=url, headers=headers[1]) as working,
            ):
                return await load_plan(wanted, sending, working)

        done = asyncio.run(run())
    except (LoadFailed, httpx.HTTPError, OSError, ValueError) as failed:
        refuse(str(failed))
    typer.echo(f"incidents  {sum(done.incidents.values())}")
    typer.echo(f"referrals  {done.referrals}")
    typer.echo(f"acts       {done.acts}")
    known = truth(wanted)
    for name in known.figures:
        typer.echo(f"{name:<14} {known.total(name)}")
    typer.echo(f"median         {duration(known.median)}")
    typer.echo(f"95 % within    {duration(known.slow)}")
    typer.echo("A victim's incidents are joined by the clock of `gateway serve`, within a few minutes. A report made")
    typer.echo("before then stays as it is until `gateway evaluation report … --revise`.")


_OFFICER = {"id": "synthetic-officer", "role": "officer-in-case"}
_ADVISER = {"id": "synthetic-adviser", "role": "idva"}


def _period(starts: str | None, until: str | None, option: str) -> Period | None:
    from gateway.evaluation.period import Period, PeriodInvalid

    if starts is None and until is None:
        return None
    if starts is None or until is None:
        raise typer.BadParameter("a period has a first day and an end", param_hint=option)
    try:
        return Period.parse(starts, until)
    except PeriodInvalid as invalid:
        raise typer.BadParameter(str(invalid), param_hint=option) from None


def _published(file: Path | None) -> Sequence[Published]:
    from gateway.evaluation.baseline import BaselineInvalid, read_baseline, shipped

    if file is None:
        return shipped()
    try:
        return read_baseline(files.text(file))
    except BaselineInvalid as invalid:
        refuse(f"{file}: {invalid}")
