"""The console's people, and a browser without scripts: pages are fetched, and their real forms filled in and sent.

`signed_in` takes the quick path: it opens a session as the sign-in does, without a provider. `sign_in` takes the long
one: the OpenID Connect code flow, through the embedded provider's own pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import httpx
from lxml import html

from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from gateway.signin.claims import Person, Role
from gateway.signin.cookies import SESSION, Cookies
from gateway.signin.provider import totp
from gateway.signin.provider.accounts import Accounts, AddPerson
from gateway.signin.provider.passwords import hashed
from gateway.signin.secrets import SignInKeys
from gateway.signin.sessions import Sessions
from tests.support.world import URL, Bridge, World

ADVISER = Person("idva-0042", "Rosalind Featherstone", "RXL", "idva-team", LOG, (Role.ADVISER,))
SECOND_ADVISER = Person("idva-0043", "Agnes Winterbourne", "RXL", "idva-team", LOG, (Role.ADVISER,))
OTHER_TEAM = Person("lead-0007", "Clement Hathersage", "RTX", "uhmb-safeguarding", LOG, (Role.SAFEGUARDING,))
LEAD = Person("lead-0001", "Winifred Ashgrove", "RXL", "bth-safeguarding", LOG, (Role.SAFEGUARDING,))
OFFICER = Person("collar-1234", "Barnaby Thornquist", "04", "police-officer", LOG, (Role.OFFICER,))
OTHER_FORCE = Person("collar-9876", "Sybil Ravensworth", "03", "police-officer", LOG, (Role.OFFICER,))
GUARDIAN = Person("caldicott-1", "Desmond Achterberg", "RXL", None, LOG, (Role.GUARDIAN,))
AUDITOR = Person("auditor-7", "Leopold Marchbanks", "RXL", None, LOG, (Role.AUDITOR,))
OPERATOR = Person("operator-1", "Philippa Underhill", "operator", None, None, (Role.OPERATOR,))
EVALUATOR = Person("evaluator-3", "Octavia Penhaligon", "RXL", "evaluation", LOG, (Role.EVALUATOR,))

PEOPLE: Mapping[str, Person] = {
    "adviser": ADVISER,
    "second adviser": SECOND_ADVISER,
    "lead of the same trust": LEAD,
    "lead of another trust": OTHER_TEAM,
    "officer": OFFICER,
    "officer of another force": OTHER_FORCE,
    "guardian": GUARDIAN,
    "auditor": AUDITOR,
    "operator": OPERATOR,
    "evaluator": EVALUATOR,
}
"""Everybody; the agreement of the world names the teams of all but the other force."""

NAVIGATING = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Origin": "null"}
"""What a browser says of a form sent from a page with the console's headers: such pages send no referrer."""


def signed_in(world: World, person: Person = ADVISER, **changes: Any) -> ConsoleClient:
    """A browser in which a person has signed in; `changes` are to the person."""
    who = replace(person, **changes)
    sessions = Sessions(world.services)
    secret = world.run(sessions.open(who, who.caller("test")))
    client = visitor(world)
    client.http.cookies.set(Cookies(world.services.settings).name(SESSION), secret, domain="gateway.test", path="/")
    return client


def visitor(world: World) -> ConsoleClient:
    """A browser in which nobody has signed in."""
    return ConsoleClient(httpx.Client(base_url=URL, transport=Bridge(world.app, world._runner)))


PASSWORD = "mossy-lantern-walk"


def add_account(world: World, person: Person = ADVISER, *, second_factor: bool = False) -> str:
    """An account at the embedded provider, with `PASSWORD`; with a second factor, returns its secret."""
    accounts = Accounts(SignInKeys(world.services.keyring))
    secret = totp.made() if second_factor else None
    unit = AddPerson(
        person,
        accounts.columns(person, second_factor=second_factor),
        accounts.factor(person.id, secret),
        _hashed(PASSWORD),
    )
    world.services.journals.of(OPERATOR_LOG).submit_and_wait(unit)
    return secret or ""


@cache
def _hashed(password: str) -> str:
    return hashed(password)


def sign_in(
    world: World, person: Person = ADVISER, *, password: str = PASSWORD, code: str = "", to: str = "/console/worklist"
) -> tuple[ConsoleClient, httpx.Response]:
    """Sign in by the provider's own page, with an account; the browser, and what it was answered at last."""
    client = visitor(world)
    page = client.follow(client.get("/console/sign-in", params={"to": to}))
    answer = client.form(page, {"person": person.id, "password": password, "code": code}).submit()
    return client, client.follow(answer)


@dataclass
class ConsoleClient:
    """A browser: keeps cookies, follows nothing by itself."""

    http: httpx.Client

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Open a page."""
        return self.http.get(path, **options)

    def post(self, path: str, fields: Mapping[str, str | Sequence[str]], **options: Any) -> httpx.Response:
        """Send a form that no page holds, as an attacker would; `headers` override what a browser says."""
        headers = {**NAVIGATING, **options.pop("headers", {})}
        data = {name: value if isinstance(value, str) else list(value) for name, value in fields.items()}
        return self.http.post(path, data=data, headers={k: v for k, v in headers.items() if v}, **options)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """The page that redirections lead to, ten at most."""
        for _ in range(10):
            if not answer.is_redirect or answer.next_request is None:
                return answer
            answer = self.http.send(answer.next_request)
        raise AssertionError(f"redirected in a circle at {answer.url}")

    def form(
        self, page: str | httpx.Response, values: Mapping[str, str | Sequence[str]] | None = None, *, at: str = ""
    ) -> FilledForm:
        """A form of a page (an address, or an answer that was given), filled in.

        `at` is a part of its action, its id or the words of its button, where the page has several. A field that the
        form does not have fails the test; so does a choice it does not offer.
        """
        answer = self.get(page) if isinstance(page, str) else page
        assert answer.status_code < 500, answer.text
        tree = html.document_fromstring(answer.text)  # type: ignore[no-untyped-call]  # lxml has no types
        forms = [one for one in tree.forms if one.get("method", "get").lower() == "post"] or list(tree.forms)
        wanted = [one for one in forms if not at or at in _about(one)]
        assert len(wanted) == 1, f"{len(wanted)} forms at {answer.url} for {at!r}: {[_about(one) for one in forms]}"
        return FilledForm(self, str(answer.url), wanted[0]).fill(values or {})


@dataclass
class FilledForm:
    """A real form of a page, with its hidden fields and what is chosen in it."""

    client: ConsoleClient
    page: str
    form: Any
    button: tuple[str, str] | None = field(default=None)

    def fill(self, values: Mapping[str, str | Sequence[str]]) -> FilledForm:
        """Type into boxes, choose radios and options, tick boxes (a list of values)."""
        for name, value in values.items():
            self._set(name, value)
        return self

    def press(self, button: str) -> FilledForm:
        """Choose the button of these words, where there are several."""
        found = next(one for one in self.form.xpath(".//button|.//input[@type='submit']") if button in _words(one))
        self.button = (found.get("name"), found.get("value", "")) if found.get("name") else None
        return self

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What would be sent."""
        return [*self.form.form_values(), *([self.button] if self.button else [])]

    def submit(self, **options: Any) -> httpx.Response:
        """Send it as a browser does; a redirection is not followed."""
        action = str(httpx.URL(self.page).join(self.form.get("action") or self.page))
        data: dict[str, list[str]] = {}
        for name, value in self.fields:
            data.setdefault(name, []).append(value)
        if self.form.get("method", "get").lower() == "get":
            return self.client.get(action, params=data, **options)
        return self.client.post(action, data, **options)

    def _set(self, name: str, value: str | Sequence[str]) -> None:
        named = self.form.xpath(".//*[@name=$name]", name=name)
        assert named, f"the form has no field {name}: {sorted(self.form.fields)}"
        kind = named[0].get("type", "").lower()
        if kind in {"radio", "checkbox"}:
            chosen = {value} if isinstance(value, str) else set(value)
            offered = {one.get("value", "on") for one in named}
            assert chosen <= offered, f"{name} does not offer {chosen - offered}"
            for one in named:
                one.checked = one.get("value", "on") in chosen
        elif named[0].tag == "select":
            self.form.inputs[name].value = value
        else:
            assert isinstance(value, str)
            named[0].value = value


def _about(form: Any) -> str:
    buttons = " ".join(_words(one) for one in form.xpath(".//button|.//input[@type='submit']"))
    return f"{form.get('action', '')} #{form.get('id', '')} {buttons}"


def _words(button: Any) -> str:
    return " ".join((button.text_content() or button.get("value", "")).split())
