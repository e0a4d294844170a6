"""Proving who one is to the embedded provider: id, password and the six figures, in one step with one answer.

Whoever has no second factor yet is shown one to set up, once the password was right, and gives its first figures. An
id that nobody has costs the same work as one that somebody has, and is answered in the same words.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.signin.provider import passwords, totp
from gateway.signin.provider.accounts import Account, ChangePerson, PersonRefused
from gateway.signin.provider.attempts import Attempt
from gateway.signin.provider.server import ONE_FACTOR, TWO_FACTORS, Server

ENROL_SECONDS = 900
_SPARE_SECRET = "A" * 32  # nobody's: what an unknown id's figures are compared with


@dataclass(frozen=True, slots=True)
class Proved:
    """Somebody who is who they say, and how they showed it."""

    account: Account
    how: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Enrol:
    """Somebody whose password was right and who has no second factor yet. `ticket` goes back with the first figures."""

    account: Account
    secret: str
    ticket: str


class SignIn:
    """Judges what was typed. Safe to share between threads; blocks."""

    def __init__(self, server: Server, clock: Callable[[], float] = time.time) -> None:
        self._server = server
        self._clock = clock

    def tried(self, person_id: str, password: str, code: str, ids: tuple[str, str | None]) -> Proved | Enrol | None:
        """One try. None where it did not get in. Raises NotSealed and Busy."""
        server, now = self._server, self._clock()
        account = server.account(person_id) if person_id.isprintable() and len(person_id) <= _ID_MAX else None
        right = len(password) <= passwords.MOST_CHARACTERS and passwords.right(
            account.password if account else None, password
        )
        secret = account.secret if account else None
        step = totp.step_of(secret or _SPARE_SECRET, code, now, account.step if account else None)
        if secret is None:
            step = None
        elif step is None:
            right = False
        attempt = Attempt(
            account=server.keys.account(person_id[: _ID_MAX + 1]),
            person_id=account.person.id if account else None,
            version=account.version if account else None,
            right=right,
            step=step,
            ids=ids,
        )
        if not server.submit(attempt) or account is None:
            return None
        if account.second_factor and secret is None:
            return self._enrol(account, totp.made())
        return Proved(account, self._how(account))

    def enrolled(self, ticket: str, code: str, ids: tuple[str, str | None]) -> Proved | Enrol | None:
        """The first figures of a new second factor. None where the ticket is not good, and one begins anew.

        Wrong figures give the same square again. Raises NotSealed and Busy.
        """
        server = self._server
        found = server.keys.enrolling.open(ticket, self._clock())
        account = server.account(found["person"]) if found else None
        if found is None or account is None or account.version != found["version"] or account.secret is not None:
            return None
        step = totp.step_of(found["secret"], code, self._clock(), None)
        if step is None:
            return self._enrol(account, found["secret"])
        values = server.accounts.factor(account.person.id, found["secret"]) | {"totp_step": step}
        caller = account.person.caller(*ids)
        try:
            server.submit(ChangePerson(account.person.id, "second-factor-set", values, caller, account.version))
        except PersonRefused:
            return None
        changed = server.account(account.person.id)
        return Proved(changed, self._how(changed)) if changed else None

    def _enrol(self, account: Account, secret: str) -> Enrol:
        content = {"person": account.person.id, "version": account.version, "secret": secret}
        return Enrol(account, secret, self._server.keys.enrolling.seal(content, self._clock() + ENROL_SECONDS))

    def _how(self, account: Account) -> dict[str, Any]:
        two = account.secret is not None
        return {
            "acr": TWO_FACTORS if two else ONE_FACTOR,
            "amr": ["pwd", "otp"] if two else ["pwd"],
            "auth_time": int(self._clock()),
        }


_ID_MAX = 64
