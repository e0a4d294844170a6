"""What every command of the operator's command line shares: the services it opens, and how it ends.

Exit codes: 0 done; 1 refused (the message says why); 2 the command was used wrongly; 3 the gateway is not set up.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from gateway.services import Services
    from gateway.store.batch import Unit

T = TypeVar("T")

REFUSED = 1
NOT_SET_UP = 3

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@contextmanager
def opened() -> Iterator[Services]:
    """The services for one command; what keeps them from opening ends it with a reason."""
    from pydantic import ValidationError

    from gateway.keys import KeyringInvalid
    from gateway.services import SettingsRefused, open_services
    from gateway.settings import Settings
    from mappings.profile import ProfileInvalid

    try:
        services = open_services(Settings())
    except ValidationError as invalid:
        named = ", ".join(f"GATEWAY_{str(one['loc'][0]).upper()}: {one['msg']}" for one in invalid.errors())
        end(f"a setting is not usable: {named}", NOT_SET_UP)
    except (KeyringInvalid, ProfileInvalid, SettingsRefused) as refused:
        end(str(refused), NOT_SET_UP)
    try:
        yield services
    finally:
        services.close()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Import what stays for the life of the process without looking it through for waste, now or ever after.

    It is a tenth of a start, and later a pause of every request that waits meanwhile.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the process through every `finally`, with 0; it is heard once, so that none of them is cut short.

    For the main thread. A web server that has stopped raises the signal it was stopped by again: by default that ends
    the process at once, with journals that are open and messages that are kept and not yet answered.
    """
    ending = False

    def end_once(*_: object) -> None:
        nonlocal ending
        if not ending:
            ending = True
            raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, end_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def check_log(services: Services, log_id: str) -> None:
    """End the command unless there is such a log."""
    from audit import sql
    from audit.errors import LogUnknown

    try:
        with services.database.reading() as connection:
            sql.read_head(connection, log_id)
    except LogUnknown:
        refuse(f"there is no log {log_id}")


def commit(services: Services, log_id: str, unit: Unit[T]) -> T:
    """Hand a unit to a log's journal; returns its answer once it is sealed. A refusal ends the command, in words."""
    from gateway.errors import GatewayError

    try:
        return services.journals.of(log_id).submit_and_wait(unit).value
    except GatewayError as refused:
        refuse(refused.words)


def refuse(why: str) -> NoReturn:
    """End the command as refused, saying why."""
    end(why, REFUSED)


def end(why: str, code: int) -> NoReturn:
    """End the command with a code, saying why on standard error."""
    print(f"gateway: {why}", file=sys.stderr)  # noqa: T201 - a command line speaks
    raise typer.Exit(code)


def write_private(path: Path, body: bytes) -> None:
    """Write to a new file that nobody else may read."""
    import os

    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(body)
