"""What every area of the console works with, opened once for an application.

An area is a module with `routes(console) -> APIRouter`, whose pages begin with `console.guard` and end with
`console.pages`; in between they ask what the interfaces ask.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.console.guard import Guard
from gateway.console.page import Pages
from gateway.disclosure import Reader
from gateway.services import Services
from gateway.signin.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Console:
    """The parts: `library` opens cases (`gateway.casefile`), as the FHIR interface does."""

    services: Services
    pages: Pages
    guard: Guard
    sessions: Sessions
    library: Reader


def open_console(services: Services) -> Console:
    """The console over open services."""
    sessions = Sessions(services)
    return Console(
        services=services,
        pages=Pages(services.settings),
        guard=Guard(services, sessions),
        sessions=sessions,
        library=Reader(services.records, services.settings.public_url),
    )
