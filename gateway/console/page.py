"""Pages: templates compiled once, what every page shows, the headers every page has, and errors in words for a person.

A page is whole without scripts. It may show nothing, and run nothing, that this address does not serve: the policy
below leaves out inline scripts and styles altogether, so a text that somebody typed can never become either.

What a page says of a record was decided and sealed before it came here; this module knows nothing of records.

Source: WCAG 2.2 AA; CSP Level 3; OWASP ASVS 5.0 section 3.4; the NHS design system's markup (nhsuk-frontend-jinja).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from jinja2 import ChainableUndefined, Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.console import times
from gateway.console.forms import FieldError
from gateway.console.guard import CSRF, HOME, SignInNeeded, Visit
from gateway.console.static_files import static_files
from gateway.console.words import words
from gateway.errors import GatewayError, face
from gateway.settings import Settings
from gateway.signin.claims import Role
from gateway.web.http import receipt_header

PREFIX = HOME
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",  # the same as frame-ancestors, for browsers that do not know it
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
"""What every page is sent with; `X-Content-Type-Options` is on every answer of the gateway."""


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the console: its name in the menu, where it is, and whose it is."""

    text: str
    href: str
    roles: frozenset[Role]


AREAS: tuple[Area, ...] = (
    Area("Worklist", f"{PREFIX}/worklist", frozenset({Role.ADVISER, Role.SAFEGUARDING})),
    Area("NHS numbers", f"{PREFIX}/traces", frozenset({Role.ADVISER, Role.SAFEGUARDING})),
    Area("My cases", f"{PREFIX}/officer", frozenset({Role.OFFICER})),
    Area("Log", f"{PREFIX}/auditor", frozenset({Role.AUDITOR})),
    Area("Operation", f"{PREFIX}/operator", frozenset({Role.OPERATOR})),
    Area("Reviews", f"{PREFIX}/guardian", frozenset({Role.GUARDIAN})),
    Area("Agreement", f"{PREFIX}/agreement", frozenset({Role.AUDITOR, Role.GUARDIAN})),
    Area("Evaluation", f"{PREFIX}/evaluation", frozenset({Role.EVALUATOR})),
)
"""The menu, in its order; the first of a person's areas is where they begin."""


def areas_of(roles: Iterable[Role]) -> tuple[Area, ...]:
    """The areas of somebody with these roles."""
    return tuple(area for area in AREAS if not area.roles.isdisjoint(roles))


class Pages:
    """Writes pages. Built once for an application; safe to share between requests."""

    def __init__(self, settings: Settings) -> None:
        self._environment = environment()
        self._blank_seconds = settings.console_blank_seconds
        self._idle_seconds = settings.console_idle_seconds

    def page(
        self,
        request: Request,
        template: str,
        visit: Visit | None,
        status: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
        **view: Any,  # noqa: ANN401 - what a template is given
    ) -> Response:
        """A page of a template, for a visitor or for somebody who has not signed in.

        Every template has `now`, `path`, `visit`, `printing`, `errors` (FieldError, none by default) and `typed` (what
        was typed, by field). A page that was sealed is given its `receipt` and the `log_id`, and says so below and in
        the header that every interface has.
        """
        text = self._environment.get_template(template).render(self._common(request, visit) | view)
        given = {**HEADERS, **_sealed(view), **(headers or {})}
        return Response(text, status, headers=given, media_type="text/html")

    def fragment(self, request: Request, template: str, visit: Visit, **view: Any) -> Response:  # noqa: ANN401 - as above
        """A part of a page, for a script of ours that puts it in its place."""
        text = self._environment.get_template(template).render(self._common(request, visit) | view)
        return Response(text, headers={**HEADERS, **_sealed(view)}, media_type="text/html")

    def failure(self, request: Request, error: BaseException) -> Response:
        """An error as a page; somebody who has not signed in is led to where they can.

        It names nobody: a page of another role and an address that does not exist are the same to the letter (P8).
        """
        if isinstance(error, SignInNeeded):
            return RedirectResponse(f"{PREFIX}/sign-in?to={quote(error.to, safe='/')}", 303, headers=HEADERS)
        shown = face(error)
        title, advice = _IN_WORDS.get(shown.status, _IN_WORDS[500])
        said = error.words if isinstance(error, GatewayError) and shown.status in _SAYS_WHY else None
        headers = error.headers if isinstance(error, GatewayError) else {}
        view = {"title": title, "advice": advice, "said": said}
        return self.page(request, "error.html.jinja", None, shown.status, headers=headers, **view)

    def _common(self, request: Request, visit: Visit | None) -> dict[str, Any]:
        return {
            "now": datetime.now(UTC),
            "path": request.url.path,
            "visit": visit,
            "csrf_field": CSRF,
            "menu": areas_of(visit.person.roles) if visit else (),
            "printing": "print" in request.query_params,
            "blank_seconds": self._blank_seconds,
            "idle_seconds": self._idle_seconds,
            "errors": (),
            "typed": {},
            "receipt": None,
        }


def _sealed(view: Mapping[str, Any]) -> dict[str, str]:
    receipt, log_id = view.get("receipt"), view.get("log_id")
    return {} if receipt is None or log_id is None else receipt_header(receipt, log_id)


_SAYS_WHY = frozenset({400, 403, 409, 413, 415, 422})
"""Where the gateway's own words help whoever reads them; they hold no personal data (P7)."""

_IN_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("This could not be read", "Go back, check what you entered, and send it again."),
    403: ("You cannot do this", "If you need to, ask whoever looks after your account, or your Caldicott Guardian."),
    404: (
        "Page not found",
        "If you typed the address, check it. What a link led to may be of another team, or may no longer be held.",
    ),
    405: ("This page cannot be used like that", "Go back to your first page and start again from there."),
    409: ("Somebody else was quicker", "This has changed since you opened it. Open it again, and look before you act."),
    412: ("Somebody else was quicker", "This has changed since you opened it. Open it again, and look before you act."),
    413: ("That is too long", "Go back and shorten what you entered."),
    422: ("This cannot be done as it was entered", "Go back, check what you entered, and send it again."),
    500: ("Something went wrong", "Nothing was shown or changed. Try again; if it goes on, tell your service desk."),
    503: (
        "Try again in a moment",
        "What you asked for could not be sealed, and so it was not shown or changed. If it goes on, telephone.",
    ),
}
"""Of a status, its title and what to do."""


@cache
def environment() -> Environment:
    """Our templates, strict, with the NHS macros as `nhsuk`.

    Each is compiled when it is first shown, in some 20 ms: all of them would keep every start waiting for 1.4 s.
    """
    found = Environment(
        loader=PackageLoader("gateway.console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    found.globals |= {"nhsuk": _nhsuk(), "static": static_files().address}
    found.filters |= {
        "words": words,
        "when": times.when,
        "clock_time": times.clock_time,
        "day": times.day,
        "short_when": times.short_when,
        "ago": times.ago,
        "due": times.due,
        "span": times.span,
        "error_of": error_of,
        "choices": choices,
    }
    return found


def error_of(errors: Iterable[FieldError], field: str) -> str | None:
    """What is wrong with a field."""
    return next((one.message for one in errors if one.field == field), None)


def choices(options: Iterable[tuple[str, ...]]) -> list[dict[str, Any]]:
    """What may be chosen, as the NHS macros take it: of each its value and text, and a hint where there is one."""
    return [{"value": one[0], "text": one[1], "hint": {"text": one[2]} if len(one) > _PAIR else {}} for one in options]


_PAIR = 2  # a value and a text; a third is the hint


def _nhsuk() -> SimpleNamespace:
    """The NHS macros by their names; their own environment lets values be undefined, as they are written for."""
    folder = files("nhsuk_frontend_jinja").joinpath("templates", "nhsuk", "components")
    lenient = Environment(
        loader=PackageLoader("nhsuk_frontend_jinja", "templates"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    macros: dict[str, Any] = {}
    for one in folder.iterdir():
        if one.name not in _NOT_USED and one.joinpath("macro.jinja").is_file():
            module = lenient.get_template(f"nhsuk/components/{one.name}/macro.jinja").module
            macros |= {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return SimpleNamespace(**macros)


_NOT_USED = frozenset({"footer", "header", "hero", "images", "file-upload", "password-input", "search-input", "tabs"})
