"""The people a visitor can be in the demonstration's console: one of each role, with a password and a second factor.

Both are made for this run alone and printed once; nothing outside the run's own directory knows them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import pyotp

from gateway.agreement import shipped
from gateway.evidence import OPERATOR_LOG
from gateway.services import Services
from gateway.signin.claims import Person, Role
from gateway.signin.provider import passwords, totp
from gateway.signin.provider.accounts import Accounts, AddPerson
from gateway.signin.secrets import SignInKeys

LOG = shipped().id

PEOPLE: Sequence[Person] = (
    Person("idva-0042", "Rosalind Featherstone", "RXL", "idva-team", LOG, (Role.ADVISER,)),
    Person("collar-1234", "Barnaby Thornquist", "04", "police-officer", LOG, (Role.OFFICER,)),
    Person("auditor-7", "Leopold Marchbanks", "RXL", None, LOG, (Role.AUDITOR,)),
    Person("caldicott-1", "Desmond Achterberg", "RXL", None, LOG, (Role.GUARDIAN,)),
    Person("evaluator-3", "Octavia Penhaligon", "RXL", "evaluation", LOG, (Role.EVALUATOR,)),
    Person("operator-1", "Philippa Underhill", OPERATOR_LOG, None, None, (Role.OPERATOR,)),
)
"""Everybody, in the order a visitor meets them. None of them exists."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person, and what they sign in with."""

    person: Person
    password: str
    secret: str

    @property
    def code(self) -> str:
        """The six figures that are good now."""
        return self.code_at(time.time())

    @property
    def earlier_code(self) -> str:
        """Those of the half minute before, which are taken too; using them leaves those of now to a visitor."""
        return self.code_at(time.time() - totp.STEP_SECONDS)

    def code_at(self, moment: float) -> str:
        """The six figures at an instant, in seconds since 1970."""
        return pyotp.TOTP(self.secret).at(int(moment))


def code_seconds() -> float:
    """How long the codes of now are good for, in seconds."""
    return totp.STEP_SECONDS - time.time() % totp.STEP_SECONDS


def add_people(services: Services) -> tuple[Account, ...]:
    """Add everybody to the embedded provider, sealed as `gateway person add` does."""
    accounts = Accounts(SignInKeys(services.keyring))
    journal = services.journals.of(OPERATOR_LOG)
    made: list[Account] = []
    for person in PEOPLE:
        one = Account(person, passwords.made(), totp.made())
        columns, factor = accounts.columns(person, second_factor=True), accounts.factor(person.id, one.secret)
        journal.submit_and_wait(AddPerson(person, columns, factor, passwords.hashed(one.password)))
        made.append(one)
    return tuple(made)
