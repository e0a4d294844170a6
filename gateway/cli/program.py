"""The operator's command line. Each command says what it does, does it, and ends with a code a script can use.

Exit codes: 0 done; 1 refused (the message says why); 2 the command was used wrongly; 3 the gateway is not set up.
Everything heavy is imported by the command that needs it, so that help is quick.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import (
    agreement,
    audit,
    client,
    document,
    endpoint,
    evaluation,
    governance,
    hospital,
    mapping,
    mllp,
    on_call,
    oversight,
    person,
    police,
    quarantine,
    retention,
    trace,
    webhook,
    witness,
)
from gateway.cli.support import NOT_SET_UP, end, ended_by_sigterm, opened, refuse, undisturbed

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Shares domestic-abuse records between police and NHS teams under a signed agreement, and seals the evidence "
    "before it releases the data. Settings are environment variables GATEWAY_…; the README lists them.",
)
app.add_typer(client.app, name="client")
app.add_typer(agreement.app, name="agreement")
app.add_typer(retention.app, name="retention")
app.add_typer(governance.app, name="governance")
app.add_typer(audit.app, name="audit")
app.add_typer(witness.app, name="witness")
app.add_typer(police.app, name="police")
app.add_typer(evaluation.app, name="evaluation")
app.add_typer(person.app, name="person")
app.add_typer(on_call.app, name="on-call")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(webhook.app, name="webhook")
app.add_typer(hospital.app, name="hospital")
app.add_typer(endpoint.app, name="endpoint")
app.add_typer(mapping.app, name="mapping")
app.add_typer(trace.app, name="trace")
app.add_typer(mllp.app, name="mllp")
agreement.app.add_typer(document.agreement)
agreement.app.add_typer(oversight.agreement)
audit.app.add_typer(oversight.audit)
app.add_typer(document.top)
app.add_typer(oversight.top)


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
        with suppress(FileExistsError):  # another process made them meanwhile
            keys.create(settings.keys, settings.environment.value)
            where = f"{settings.keys} ({settings.environment.value})"
            typer.echo(f"keys     made in {where}; back them up apart from the data")
    with opened() as services:
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
    with undisturbed():
        from gateway.app import create_app
        from gateway.web.leaving import run
    from gateway.channels import finder
    from gateway.delivery.courier import Courier as Deliverer
    from gateway.duties import delivery_rounds, jobs, trace_rounds, webhook_rounds, witness_rounds
    from gateway.evidence import OPERATOR_LOG
    from gateway.filedrop import FilesRefused, check_none
    from gateway.initialise import check_clients, started
    from gateway.logs import Line, configure, say
    from gateway.messaging.serving import MllpRefused, MllpServer, heard
    from gateway.signin.registered import SignInUnusable
    from gateway.timekeeper import Timekeeper
    from gateway.tracing.tracer import Tracer, TracingRefused
    from gateway.webhook.courier import Courier
    from mappings.profile import ProfileInvalid

    configure()
    with ended_by_sigterm(), opened() as services:
        try:
            check_clients(services.profiles, services.clients.current().clients.values())
        except ProfileInvalid as invalid:
            end(str(invalid), NOT_SET_UP)
        try:
            tracer = Tracer.of(services)
            listener = MllpServer.of(services)
            check_none(services)
            served = create_app(services)
        except (TracingRefused, MllpRefused, FilesRefused, SignInUnusable) as refused:
            end(str(refused), NOT_SET_UP)
        services.journals.of(OPERATOR_LOG).submit_and_wait(started(services.settings, services.profiles))
        say(
            Line.STARTED,
            address=f"{host}:{port}",
            database=services.database.url.get_backend_name(),
            environment=services.settings.environment.value,
        )
        courier = Courier(services)
        deliverer = Deliverer(services, finder(services))
        keepers = [Timekeeper(jobs(services)), Timekeeper(witness_rounds(services))]
        keepers.append(Timekeeper(webhook_rounds(courier)))
        keepers.append(Timekeeper(delivery_rounds(deliverer)))
        if tracer is not None:
            keepers.append(Timekeeper(trace_rounds(tracer)))
        for keeper in keepers:
            keeper.start()
        try:
            with heard(listener):
                run(served, host, port, services.settings.leave_seconds)
        finally:
            if tracer is not None:
                tracer.close()
            for keeper in keepers:
                keeper.close()
            courier.close()
            deliverer.close()


@app.command()
def demo(
    keep: Annotated[Path | None, typer.Option(help="Leave the data in this new directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    console: Annotated[bool, typer.Option("--console", help="Two synthetic years to look at, until Ctrl-C.")] = False,
    victims: Annotated[int, typer.Option(min=1, help="With --console: how many victims they hold.")] = 1_664,
    port: Annotated[int | None, typer.Option(help="With --console: the port; one that is free if not said.")] = None,
    once: Annotated[bool, typer.Option("--once", help="With --console: end when every page has answered.")] = False,
) -> None:
    """Walk the whole road once, over real HTTP on this machine: police, hospital, auditor. Ends by itself."""
    if keep is not None and keep.exists() and any(keep.iterdir()):
        refuse(f"{keep} is not empty: name a new directory")
    if console:
        _demo_console(keep, victims=victims, port=port, once=once)
        return
    from gateway.demo.run import DemoFailed, run

    try:
        result = run(keep, quiet=as_json)
    except DemoFailed as failed:
        refuse(str(failed))
    if as_json:
        typer.echo(json.dumps(result, indent=1))


def _demo_console(keep: Path | None, *, victims: int, port: int | None, once: bool) -> None:
    from gateway.demo.console import MOST_VICTIMS, run
    from gateway.demo.run import DemoFailed

    if victims > MOST_VICTIMS:
        raise typer.BadParameter(f"at most {MOST_VICTIMS}", param_hint="--victims")
    try:
        with ended_by_sigterm():
            run(keep, victims=victims, port=port, once=once)
    except DemoFailed as failed:
        refuse(str(failed))
