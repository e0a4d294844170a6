"""Who is at the page, and whether the page is theirs: asked before anything else by every page of the console.

A visitor without a session goes to sign in. A page of another role answers as an address that does not exist (P8), and
the refusal is sealed. What is sent by a form must come from a page of this session: its token, and what the browser
itself says of where it comes from (`Sec-Fetch-Site`, `Origin`), are both asked for.

Source: OWASP ASVS 5.0 sections 3.5 and 7.2; W3C Fetch Metadata.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from starlette.requests import Request

from gateway.console.forms import USUAL, Bounds, Form, received
from gateway.errors import NotAuthenticated, NotFound, NotPermitted
from gateway.evidence import Caller
from gateway.services import Services
from gateway.signin.claims import Person, Role
from gateway.signin.cookies import SESSION, Cookies
from gateway.signin.destination import HOME, checked
from gateway.signin.origin import from_elsewhere
from gateway.signin.sessions import Session, Sessions
from gateway.web.auth import seal_refusal
from gateway.web.http import call_ids

__all__ = [
    "CSRF",
    "HOME",
    "FormRefused",
    "Guard",
    "NotForRole",
    "SignInNeeded",
    "Visit",
    "by_person",
    "checked",
    "wanted",
]

CSRF = "csrf"
"""The field of the token in every form."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A person at a page. `session` is what entries name the session by; `csrf` stands in every form of the page."""

    person: Person
    caller: Caller
    session: str
    csrf: str
    request: Request


class SignInNeeded(NotAuthenticated):
    """Nobody has signed in in this browser, or no longer. `to` is the page they wanted."""

    def __init__(self, to: str) -> None:
        super().__init__("sign in first")
        self.to = to


class NotForRole(NotFound):
    """A page of another role: to this visitor it does not exist."""

    def __init__(self) -> None:
        super().__init__("there is nothing at this address")


class FormRefused(NotPermitted):
    """A form that no page of this session sent."""

    def __init__(self) -> None:
        words = "this form was not sent from a page of this sign-in: load the page again and send it once more"
        super().__init__(words, reason="form-not-ours")


class Guard:
    """Stands before every page."""

    def __init__(self, services: Services, sessions: Sessions) -> None:
        self._services = services
        self._sessions = sessions
        self._cookies = Cookies(services.settings)

    async def visit(self, request: Request, *roles: Role) -> Visit:
        """The visitor, who has one of the roles; any will do where none is named.

        Raises SignInNeeded, NotForRole (sealed).
        """
        session = await self.session(request)
        if session is None:
            raise SignInNeeded(wanted(request))
        acting = next((one for one in roles if one in session.person.roles), None)
        request_id, correlation = call_ids(request)
        caller = replace(session.person.caller(request_id, correlation, acting=acting), token=session.reference)
        if roles and acting is None:
            await seal_refusal(self._services, request, caller, "role-missing")
            raise NotForRole
        return Visit(session.person, caller, session.reference, session.csrf, request)

    async def posted(self, request: Request, *roles: Role, bounds: Bounds = USUAL) -> tuple[Visit, Form]:
        """The visitor and the form they sent, without its token.

        Raises SignInNeeded, NotForRole and FormRefused (sealed), and what an unreadable form raises.
        """
        visit = await self.visit(request, *roles)
        if from_elsewhere(request, self._services.settings.public_url):
            await seal_refusal(self._services, request, visit.caller, "form-from-elsewhere")
            raise FormRefused
        form = await received(request, bounds)
        token = form.get(CSRF, ())
        if len(token) != 1 or not hmac.compare_digest(token[0].encode(), visit.csrf.encode()):
            await seal_refusal(self._services, request, visit.caller, "form-not-ours")
            raise FormRefused
        return visit, {name: values for name, values in form.items() if name != CSRF}

    async def session(self, request: Request) -> Session | None:
        """The session of a request, where it has one that stands."""
        return await self._sessions.find(self._cookies.read(request, SESSION), active=by_person(request))

    async def stands(self, visit: Visit) -> bool:
        """Whether the session of a visit still stands, for an answer that goes on and on; it keeps nothing alive."""
        session = await self._sessions.find(self._cookies.read(visit.request, SESSION), active=False)
        return session is not None and session.reference == visit.session


def by_person(request: Request) -> bool:
    """Whether a person asked, and not a script of the page by itself: a worklist that renews itself is no activity."""
    return request.headers.get("sec-fetch-mode", "navigate") == "navigate"


def wanted(request: Request) -> str:
    """The page to come back to after signing in: the one that was asked for; of a form that was sent, its page."""
    if request.method not in {"GET", "HEAD"}:
        return HOME
    query = request.url.query
    return checked(f"{request.url.path}?{query}" if query else request.url.path)
