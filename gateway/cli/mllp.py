"""The command line's group `mllp`: hear what NHS systems say in HL7 v2, and send a file as one of them would.

`serve` is the listener by itself, for a process beside `gateway serve` over the same database; `gateway serve` listens
as well where GATEWAY_MLLP_PORT is set. `send` needs no gateway here: it is a sending system to try a listener with.
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import files
from gateway.cli.support import NOT_SET_UP, end, opened, refuse

app = typer.Typer(no_args_is_help=True, help="HL7 v2 over MLLP: listen, and send a file.")


@app.command("serve")
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; GATEWAY_MLLP_HOST without.")] = None,
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 2575,
) -> None:
    """Listen until stopped; what is being kept is answered first. TLS with certificates as the settings say."""
    from gateway.evidence import OPERATOR_LOG
    from gateway.initialise import started
    from gateway.logs import configure
    from gateway.messaging.serving import MllpRefused, MllpServer

    configure()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened() as services:
        try:
            server = MllpServer(services, host or services.settings.mllp_host, port)
        except MllpRefused as refused:
            end(str(refused), NOT_SET_UP)
        services.journals.of(OPERATOR_LOG).submit_and_wait(started(services.settings, services.profiles))
        try:
            server.open()
        except OSError as failed:
            refuse(f"port {port}: {failed.strerror}")
        stop.wait()
        server.close()


@app.command("send")
def send(
    file: Annotated[Path, typer.Argument(help="A file with one message, many, or a batch.")],
    to: Annotated[str, typer.Option(help="mllps://host:port; mllp:// on this machine alone.")],
    ca: Annotated[Path | None, typer.Option(help="PEM of the authority the listener is trusted by.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM of the certificate to show.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None,
    seconds: Annotated[float, typer.Option(help="How long to wait for each answer.")] = 15.0,
) -> None:
    """Send the messages of a file in their order, and show what each was answered. Ends with 1 unless all are AA."""
    from adapters.nhs import hl7v2
    from adapters.socket import Unreadable
    from gateway.delivery.fault import NotDelivered
    from gateway.mllp.client import exchange, target
    from gateway.mllp.tls import TlsUnusable, client_context

    feed, trusted = files.content(file, files.LARGE), files.authorities(ca) if ca else None
    shown = [files.usable(one) if one else None for one in (certificate, key)]
    try:
        address = target(to)
        tls = client_context(trusted, *shown) if address.secure else None
        messages = hl7v2.messages(feed).messages
    except (ValueError, TlsUnusable, Unreadable) as fault:
        refuse(str(fault))
    bad = 0
    for number, raw in enumerate(messages, 1):
        try:
            named = hl7v2.read(raw).control_id
            said = exchange(address, raw, named, seconds, tls).code
        except Unreadable as unreadable:
            said = f"not sent: {unreadable}"
        except NotDelivered as fault:
            said = fault.code
        bad += said != "AA"
        typer.echo(f"{number}\t{said}")
    if bad:
        refuse(f"{bad} of {len(messages)} were not accepted")
