"""A try to sign in, judged and counted in one transaction: after five failures an account waits, longer each time.

Failures are counted under a keyed digest of what was typed, whether there is such an account or not, so that nobody
learns which there are; and a code of the second factor is used up in the same transaction. Each refusal is sealed.

Source: OWASP ASVS 5.0 section 6.3; NIST SP 800-63B section 3.2.2.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import bindparam, delete, select, update

from audit.entry import timestamp
from gateway.signin.acts import RefuseSignIn
from gateway.store import tables
from gateway.store.batch import Batch, Unit

FREE = 5
FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 900  # somebody who tries on purpose must not lock a ward out for the night
FORGOTTEN_AFTER = timedelta(days=1)
CODE_SECONDS = 60  # RFC 6749 section 4.1.2: short; the browser brings it at once


@dataclass(frozen=True, slots=True)
class Attempt(Unit[bool]):
    """One try: whether it got in (operator's log).

    `account` is the digest of the id that was typed. `person_id` is set where there is such an account, `right` where
    password and second factor were right of that `version`; `step` is the code's, to be used up.
    """

    account: bytes
    person_id: str | None
    version: int | None
    right: bool
    step: int | None
    ids: tuple[str, str | None]

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        wall = batch.now
        row = next(iter(batch.read(_FAILURES, {"account": self.account})), None)
        person = next(iter(batch.read(_PERSON, {"id": self.person_id})), None) if self.person_id else None
        if row is not None and row.locked_until and row.locked_until > timestamp(wall):
            return self._refuse(batch, "locked")
        if self.right and person is not None and self._fits(person):
            if self.step is not None:
                batch.update(_USE_STEP, {"of": self.person_id, "step": self.step})
            if row is not None:
                batch.update(_FORGET, {"of": self.account})
            return True
        self._count(batch, row)
        return self._refuse(batch, "not-right")

    def _fits(self, person: Any) -> bool:  # noqa: ANN401 - a row
        """Whether the account is the one that was judged, and the second factor's code was not used since."""
        unused = self.step is None or person.totp_step is None or person.totp_step < self.step
        return person.removed_at is None and person.version == self.version and unused

    def _count(self, batch: Batch, row: Any) -> None:  # noqa: ANN401 - a row
        wall = batch.now
        fresh = row is None or row.last_at < timestamp(wall - FORGOTTEN_AFTER)
        failures = 1 if fresh else row.failures + 1
        wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS << min(failures - FREE, 10)) if failures >= FREE else 0
        until = timestamp(wall + timedelta(seconds=wait)) if wait else None
        values = {"failures": failures, "last_at": timestamp(wall), "locked_until": until}
        if row is None:
            batch.insert(tables.sign_in_failure, {"account": self.account, **values})
        else:
            changed = update(tables.sign_in_failure).where(tables.sign_in_failure.c.account == bindparam("of"))
            batch.update(changed.values(values), {"of": self.account})

    def _refuse(self, batch: Batch, reason: str) -> bool:
        detail = {"person": self.person_id} if self.person_id else None
        RefuseSignIn(reason, *self.ids, detail).apply(batch)
        return False


@dataclass(frozen=True, slots=True)
class IssueCode(Unit[None]):
    """Keeps a code, by its digest, with what was asked and proved (operator's log; no entry, as nobody is in yet)."""

    code: str
    person_id: str
    request: Mapping[str, Any]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        until = timestamp(batch.now + timedelta(seconds=CODE_SECONDS))
        row = {"digest": _digest(self.code), "person_id": self.person_id, "expires_at": until}
        batch.insert(tables.sign_in_code, {**row, "request": orjson.dumps(dict(self.request)).decode()})


@dataclass(frozen=True, slots=True)
class TakeCode(Unit["tuple[str, dict[str, Any]] | None"]):
    """Takes a code, once: whose it is and what was asked; None of one that is not there, was used or has run out."""

    code: str

    def apply(self, batch: Batch) -> tuple[str, dict[str, Any]] | None:  # noqa: D102 - said by Unit.apply
        row = next(iter(batch.read(_CODE, {"digest": _digest(self.code)})), None)
        if row is None:
            return None
        batch.update(_USE_CODE, {"of": row.digest})
        if row.expires_at <= batch.clock:
            return None
        request: dict[str, Any] = orjson.loads(row.request)
        return row.person_id, request


@dataclass(frozen=True, slots=True)
class Tidy(Unit[int]):
    """Forgets codes that have run out, and failures of yesterday."""

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        batch.update(_OLD_CODES, {"now": batch.clock})
        batch.update(_OLD_FAILURES, {"before": timestamp(batch.now - FORGOTTEN_AFTER)})
        return 0


def new_code() -> str:
    """A code of 256 random bits."""
    return secrets.token_urlsafe(32)


def _digest(code: str) -> str:
    return sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


_F, _C, _P = tables.sign_in_failure, tables.sign_in_code, tables.person
_FAILURES = select(_F).where(_F.c.account == bindparam("account"))
_PERSON = select(_P.c.version, _P.c.removed_at, _P.c.totp_step).where(_P.c.id == bindparam("id"))
_FORGET = delete(_F).where(_F.c.account == bindparam("of"))
_USE_STEP = update(_P).where(_P.c.id == bindparam("of")).values(totp_step=bindparam("step"))
_CODE = select(_C).where(_C.c.digest == bindparam("digest"))
_USE_CODE = delete(_C).where(_C.c.digest == bindparam("of"))
_OLD_CODES = delete(_C).where(_C.c.expires_at <= bindparam("now"))
_OLD_FAILURES = delete(_F).where(_F.c.last_at < bindparam("before"))
