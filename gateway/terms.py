"""Agreements as they are kept: every version and signature, and which one is in force now.

`TermsBook` answers from memory; each answer carries the epoch of the log's head it was read at. A unit that releases
anything compares that epoch with the head it is sealed under, so that a suspension by any process stops the very next
release. The units here are the steps of an agreement's life; each is sealed in the agreement's own log, which its
parties witness. Who may take a step, and whether a signature is good, is `agreement.Terms`'s to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from audit import sql as log_sql
from audit.ed25519 import usable_key
from audit.entry import AgreementRef, Entry
from gateway import pending
from gateway.agreement import Agreement, Signature, State, Terms, parse, signs
from gateway.agreement.content import Content
from gateway.errors import Unprocessable
from gateway.evidence import OPERATOR_LOG, Caller, Event, administration
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, Unit


@dataclass(frozen=True, slots=True)
class Standing:
    """The terms of a log as last read, or None where no version was ever activated, and the epoch they hold for."""

    terms: Terms | None
    epoch: int

    @property
    def agreement(self) -> Agreement | None:
        """The agreement that stands."""
        return self.terms.agreement if self.terms else None

    @property
    def content(self) -> Content | None:
        """What the agreement that stands says."""
        return self.terms.agreement.content if self.terms else None

    @property
    def agreement_ref(self) -> AgreementRef | None:
        """The agreement that stands, as an entry names it."""
        return agreement_ref(self.terms.agreement) if self.terms else None

    def check(self, batch: Batch) -> None:
        """Raise DecideAgain where the standing has changed since it was read."""
        if batch.terms_epoch != self.epoch:
            raise DecideAgain("the agreement's standing changed")


class TermsBook:
    """Which terms hold for which log. Safe to share between threads: each answer is whole."""

    def __init__(self) -> None:
        self._known: dict[str, Standing] = {}

    def peek(self, log_id: str) -> Standing | None:
        """The standing as last read, without asking the database."""
        return self._known.get(log_id)

    def read(self, connection: Connection, log_id: str) -> Standing:
        """The standing of a log's agreement as it is now; raises LogUnknown where there is no such log."""
        epoch = log_sql.read_head(connection, log_id).terms_epoch
        found = self._known[log_id] = Standing(current_terms(connection, log_id), epoch)
        return found

    def forget(self, log_id: str) -> None:
        """Read the standing again the next time."""
        self._known.pop(log_id, None)


def current_terms(connection: Connection, agreement_id: str) -> Terms | None:
    """The version that was activated last, as it stands."""
    table = tables.agreement
    row = connection.execute(
        select(table.c.version, table.c.text, table.c.state).where(table.c.id == agreement_id, table.c.current)
    ).one_or_none()
    return None if row is None else _terms(connection, agreement_id, row)


def terms_of(connection: Connection, agreement_id: str, version: int | None = None) -> Terms | None:
    """One version, or the newest."""
    table = tables.agreement
    query = select(table.c.version, table.c.text, table.c.state).where(table.c.id == agreement_id)
    if version is not None:
        query = query.where(table.c.version == version)
    row = connection.execute(query.order_by(table.c.version.desc()).limit(1)).one_or_none()
    return None if row is None else _terms(connection, agreement_id, row)


def texts(connection: Connection, agreement_id: str) -> Sequence[tuple[int, str, bytes]]:
    """Every version of an agreement as (version, hash, canonical text), oldest first."""
    table = tables.agreement
    query = select(table.c.version, table.c.hash, table.c.text).where(table.c.id == agreement_id)
    rows = connection.execute(query.order_by(table.c.version)).all()
    return [(row.version, row.hash, _parsed(row.text).canonical) for row in rows]


def agreement_ids(connection: Connection) -> Sequence[str]:
    """Every agreement ever drafted here."""
    return [row.id for row in connection.execute(select(tables.agreement.c.id).distinct().order_by("id"))]


def _terms(connection: Connection, agreement_id: str, row: Any) -> Terms:  # noqa: ANN401 - a row
    of = {"id": agreement_id, "version": row.version}
    keys = {one.party: one.public_key for one in connection.execute(_PARTY_KEYS, of)}
    signatures = tuple(
        Signature(one.party, keys[one.party], one.signature)
        for one in connection.execute(_SIGNATURES, of)
        if one.party in keys
    )
    return Terms(_parsed(row.text), signatures, keys, State(row.state))


_parsed = lru_cache(maxsize=64)(parse)
"""Reading an agreement takes some 50 ms, and a standing is read again after every change by any process."""

_PARTY_KEYS = select(tables.party_key.c.party, tables.party_key.c.public_key).where(
    tables.party_key.c.agreement_id == bindparam("id")
)
_SIGNATURES = select(tables.agreement_signature.c.party, tables.agreement_signature.c.signature).where(
    tables.agreement_signature.c.agreement_id == bindparam("id"),
    tables.agreement_signature.c.version == bindparam("version"),
)


def agreement_ref(agreement: Agreement) -> AgreementRef:
    """An agreement as an entry names it."""
    return AgreementRef(agreement.id, str(agreement.version), agreement.hash)


def step(
    event: Event,
    batch: Batch,
    agreement: AgreementRef,
    caller: Caller | None,
    detail: Mapping[str, str | int],
    reason: str | None = None,
) -> Entry:
    """The entry of a step in an agreement's life. `caller` None is the operator at the gateway itself."""
    entry = administration(event, at=batch.at, caller=caller, reason=reason, detail=detail)
    return entry._replace(agreement=agreement)


@dataclass(frozen=True, slots=True)
class DraftAgreement(Unit[None]):
    """Keep a version's text as a draft. Raises Unprocessable where the version is known, or does not follow.

    An amendment is the next version of the same agreement: the versions of an agreement have no gaps.
    """

    agreement: Agreement
    caller: Caller | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        if self.agreement.id == OPERATOR_LOG:
            raise Unprocessable("that is the name of the gateway's own log: the agreement needs another")
        of = {"id": self.agreement.id, "version": self.agreement.version}
        known = {row.version for row in batch.read(_VERSIONS, of)}
        if self.agreement.version in known:
            raise Unprocessable("this version of the agreement is known; a change is a new version")
        if known and self.agreement.version != max(known) + 1:
            raise Unprocessable(f"the next version of the agreement is {max(known) + 1}")
        batch.insert(
            tables.agreement,
            {
                **of,
                "hash": self.agreement.hash,
                "text": self.agreement.text,
                "state": State.DRAFT.value,
                "current": False,
                "created_at": batch.at,
                "changed_at": batch.at,
            },
        )
        amends = {"amends": max(known)} if known else {}
        batch.seal(step(Event.AGREEMENT_DRAFTED, batch, agreement_ref(self.agreement), self.caller, amends))


@dataclass(frozen=True, slots=True)
class RegisterKey(Unit[None]):
    """Register the key a party signs with. Raises Unprocessable for another key, so that nobody signs in its place.

    Nor may it be another party's key, whose signature would then stand for both, or one that anybody can sign for.
    """

    agreement: Agreement
    party: str
    public_key: bytes
    caller: Caller | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        of = {"id": self.agreement.id}
        known = {row.party: row.public_key for row in batch.read(_PARTY_KEYS, of)}
        if known.get(self.party) == self.public_key:
            return
        if self.party in known:
            raise Unprocessable(f"party {self.party} has registered another key")
        if self.public_key in known.values():
            raise Unprocessable(f"party {self.party} needs a key of its own; this is another party's")
        try:
            usable_key(self.public_key)
        except ValueError as invalid:
            raise Unprocessable(f"party {self.party}: {invalid}") from None
        row = {"agreement_id": self.agreement.id, "party": self.party, "public_key": self.public_key}
        batch.insert(tables.party_key, {**row, "registered_at": batch.at})
        detail = {"party": self.party, "key": hashlib.sha256(self.public_key).hexdigest()}
        batch.seal(step(Event.PARTY_KEY_REGISTERED, batch, agreement_ref(self.agreement), self.caller, detail))


_VERSIONS = select(
    tables.agreement.c.version,
    tables.agreement.c.hash,
    tables.agreement.c.state,
    tables.agreement.c.current,
    tables.agreement.c.changed_by,
).where(tables.agreement.c.id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class SignAgreement(Unit[None]):
    """Keep a party's signature. Raises Unprocessable where it is not good, or not by the party's registered key."""

    agreement: Agreement
    signature: Signature
    caller: Caller | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        of = {"id": self.agreement.id, "version": self.agreement.version}
        keys = {row.party: row.public_key for row in batch.read(_PARTY_KEYS, of)}
        signed = {row.party for row in batch.read(_SIGNATURES, of)}
        party = self.signature.party
        if party not in {one.id for one in self.agreement.content.parties}:
            raise Unprocessable("the agreement has no such party")
        if keys.get(party) != self.signature.public_key:
            raise Unprocessable(f"the signature of {party} is not by its registered key")
        if not signs(self.signature, self.agreement.hash):
            known = batch.read(_VERSIONS, {"id": self.agreement.id})
            others = (row.version for row in known if signs(self.signature, row.hash))
            over = next((f"it is over version {other}" for other in others), "it is not over this text")
            raise Unprocessable(f"the signature of {party} is by its registered key, but {over}")
        if party in signed:
            raise Unprocessable(f"{party} has signed this version")
        batch.insert(
            tables.agreement_signature,
            {
                "agreement_id": self.agreement.id,
                "version": self.agreement.version,
                "party": party,
                "signature": self.signature.signature,
                "signed_at": batch.at,
            },
        )
        batch.seal(step(Event.AGREEMENT_SIGNED, batch, agreement_ref(self.agreement), self.caller, {"party": party}))


_BEFORE: Mapping[State, frozenset[State]] = {
    State.IN_FORCE: frozenset({State.DRAFT, State.SUSPENDED}),
    State.SUSPENDED: frozenset({State.IN_FORCE}),
    State.ENDED: frozenset({State.DRAFT, State.IN_FORCE, State.SUSPENDED}),
}
"""From where each step is taken. Whatever is ended or superseded stays so."""

_EVENTS: Mapping[State, Event] = {
    State.IN_FORCE: Event.AGREEMENT_ACTIVATED,
    State.SUSPENDED: Event.AGREEMENT_SUSPENDED,
    State.ENDED: Event.AGREEMENT_ENDED,
}


@dataclass(frozen=True, slots=True)
class ChangeState(Unit[None]):
    """Bring a version into force, suspend it or end it. Raises Unprocessable where the step does not follow.

    Only what every party signed comes into force, in its dates, and then it supersedes the version before it. What is
    suspended or ended takes the deliveries that wait with it. What a party suspended only that party lets go on, or
    the operator at the gateway itself. `reason` is a code of the caller's.
    """

    agreement: Agreement
    state: State
    caller: Caller | None = None
    reason: str | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        rows = batch.read(_VERSIONS, {"id": self.agreement.id})
        own = next((row for row in rows if row.version == self.agreement.version), None)
        current = next((row for row in rows if row.current), None)
        if own is None or State(own.state) not in _BEFORE[self.state]:
            raise Unprocessable(f"the agreement cannot become {self.state.value} from where it stands")
        event, detail = _EVENTS[self.state], {}
        if self.state is State.IN_FORCE:
            self._check(batch, current if current is not own else None)
            if own.state == State.SUSPENDED:
                event = Event.AGREEMENT_RESUMED
                if self.caller is not None and self.caller.organisation != own.changed_by:
                    raise Unprocessable("another has suspended the agreement, who alone lets it go on")
            detail = {"deliveries_resumed": pending.count_stopped(batch)}
            if current is not None and current is not own:
                self._supersede(batch, current)
            pending.resume(batch)
        elif own is current:
            detail = {"deliveries_stopped": pending.count_waiting(batch)}
            pending.stop(batch)
        # Only coming into force makes a version the current one: ending a draft leaves the version in force as it is.
        becomes = self.state is State.IN_FORCE or own is current
        batch.update(_BECOME, self._becoming(self.agreement.version, self.state, batch, current=becomes))
        batch.change_terms()
        batch.seal(step(event, batch, agreement_ref(self.agreement), self.caller, detail, self.reason))

    def _check(self, batch: Batch, other: Any) -> None:  # noqa: ANN401 - the row of the version before, or None
        """Whether the version may come into force now."""
        of = {"id": self.agreement.id, "version": self.agreement.version}
        keys = {row.party: row.public_key for row in batch.read(_PARTY_KEYS, of)}
        rows = batch.read(_SIGNATURES, of)
        signatures = tuple(Signature(row.party, keys[row.party], row.signature) for row in rows if row.party in keys)
        missing = Terms(self.agreement, signatures, keys, State.DRAFT).missing
        if missing:
            raise Unprocessable(f"not signed by {', '.join(missing)}")
        if other is not None and other.version > self.agreement.version and other.state != State.ENDED:
            raise Unprocessable(f"version {other.version} is the later one")
        dates = self.agreement.content.in_force
        if batch.now >= dates.until:
            raise Unprocessable("its dates are over: a later date is a new version")
        if other is not None and other.state == State.IN_FORCE and batch.now < dates.starts:
            raise Unprocessable("its dates have not begun, and another version is in force until they do")

    def _supersede(self, batch: Batch, row: Any) -> None:  # noqa: ANN401 - the row of the version before
        ended = row.state == State.ENDED
        state = State.ENDED if ended else State.SUPERSEDED
        batch.update(_BECOME, self._becoming(row.version, state, batch, current=False))
        if not ended:
            before = AgreementRef(self.agreement.id, str(row.version), row.hash)
            by = {"by_version": self.agreement.version}
            batch.seal(step(Event.AGREEMENT_SUPERSEDED, batch, before, self.caller, by))

    def _becoming(self, version: int, state: State, batch: Batch, *, current: bool) -> dict[str, Any]:
        of = {"of_id": self.agreement.id, "of_version": version}
        by = self.caller.organisation if self.caller else None
        return {**of, "to_state": state.value, "to_current": current, "at": batch.at, "by": by}


_BECOME = (
    update(tables.agreement)
    .where(tables.agreement.c.id == bindparam("of_id"), tables.agreement.c.version == bindparam("of_version"))
    .values(
        state=bindparam("to_state"),
        current=bindparam("to_current"),
        changed_at=bindparam("at"),
        changed_by=bindparam("by"),
    )
)
