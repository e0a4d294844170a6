"""An audit entry: one act of DPA 2018 s.62 (domain.md 3.2) or of administration, as canonical JSON.

An entry holds no personal data but staff identity: every string outside `facts` is a code or an opaque
reference, without spaces and in printable ASCII, so that free text has no place to go. The room checks an
entry's form; what the codes mean is the caller's. Entries are named tuples because they are built on the
path of every disclosure, and a frozen dataclass of this size takes three times as long.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple, Self

import orjson

from audit.canonical import encode
from audit.errors import EntryInvalid, NotCanonical
from audit.form import check_form
from audit.grammar import glance


class Operation(StrEnum):
    """The six kinds of act that DPA 2018 s.62(1) has logged, and administration of the system."""

    COLLECTION = "collection"
    ALTERATION = "alteration"
    CONSULTATION = "consultation"
    DISCLOSURE = "disclosure"
    COMBINATION = "combination"
    ERASURE = "erasure"
    ADMINISTRATION = "administration"


class Outcome(StrEnum):
    """What came of the act."""

    PERMITTED = "permitted"
    DENIED = "denied"
    FAILED = "failed"


class Actor(NamedTuple):
    """Who acted: an organisation's client, and the human on whose behalf, with the role they acted in."""

    organisation: str
    client: str
    user: str | None = None
    role: str | None = None


class Recipient(NamedTuple):
    """To whom: an organisation and, within it, the recipient (a team, a system, a mailbox)."""

    organisation: str
    recipient: str


class AgreementRef(NamedTuple):
    """The agreement acted under; `hash` is the lower-case hex SHA-256 of its canonical text."""

    id: str
    version: str
    hash: str


class Items(NamedTuple):
    """The names of the data items released, generalised and withheld."""

    released: tuple[str, ...] = ()
    generalised: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


_NO_ITEMS = Items()


class Entry(NamedTuple):
    """One act. `mapping` and `payload` are 64 lower-case hex digits, the payload's under the caller's key.

    `time` is what `timestamp` returns. `facts` are what a decision read (any canonical JSON object);
    `detail` is a flat object of codes, integers and booleans.
    """

    id: str
    time: str
    operation: Operation
    outcome: Outcome
    event: str
    actor: Actor
    recipients: tuple[Recipient, ...] = ()
    subjects: tuple[str, ...] = ()
    record: str | None = None
    case: str | None = None
    agreement: AgreementRef | None = None
    clauses: tuple[str, ...] = ()
    items: Items = _NO_ITEMS
    purpose: str | None = None
    reason: str | None = None
    facts: Mapping[str, Any] | None = None
    mapping: str | None = None
    payload: str | None = None
    request: str | None = None
    correlation: str | None = None
    detail: Mapping[str, str | int] | None = None

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, the leaf of the log. Raises `EntryInvalid` on a value out of form.

        What this returns, `parse` reads: a malformed entry cannot be sealed.
        """
        organisation, client, user, role = self.actor
        released, generalised, withheld = self.items
        agreement = self.agreement
        value = {
            "actor": {"client": client, "organisation": organisation, "role": role, "user": user},
            "agreement": None
            if agreement is None
            else {"hash": agreement.hash, "id": agreement.id, "version": agreement.version},
            "case": self.case,
            "clauses": self.clauses,
            "correlation": self.correlation,
            "detail": self.detail,
            "event": self.event,
            "facts": self.facts,
            "id": self.id,
            "items": {"generalised": generalised, "released": released, "withheld": withheld},
            "mapping": self.mapping,
            "operation": self.operation.value,
            "outcome": self.outcome.value,
            "payload": self.payload,
            "purpose": self.purpose,
            "reason": self.reason,
            "recipients": [
                {"organisation": organisation, "recipient": recipient} for organisation, recipient in self.recipients
            ],
            "record": self.record,
            "request": self.request,
            "subjects": self.subjects,
            "time": self.time,
            "v": 1,
        }
        try:
            raw = encode(value)
        except NotCanonical as fault:
            raise EntryInvalid(fault.path, fault.reason) from None
        check_form(value, raw)
        return raw

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read an entry's canonical bytes; raise `EntryInvalid`, naming the path, for anything else."""
        value = document(raw)
        actor, items, agreement = value["actor"], value["items"], value["agreement"]
        return cls(
            id=value["id"],
            time=value["time"],
            operation=Operation(value["operation"]),
            outcome=Outcome(value["outcome"]),
            event=value["event"],
            actor=Actor(**actor),
            recipients=tuple(Recipient(**one) for one in value["recipients"]),
            subjects=tuple(value["subjects"]),
            record=value["record"],
            case=value["case"],
            agreement=None if agreement is None else AgreementRef(**agreement),
            clauses=tuple(value["clauses"]),
            items=Items(tuple(items["released"]), tuple(items["generalised"]), tuple(items["withheld"])),
            purpose=value["purpose"],
            reason=value["reason"],
            facts=value["facts"],
            mapping=value["mapping"],
            payload=value["payload"],
            request=value["request"],
            correlation=value["correlation"],
            detail=value["detail"],
        )


def document(raw: bytes) -> dict[str, Any]:
    """Return an entry's JSON object, checked as `Entry.parse` checks it; raise `EntryInvalid`."""
    try:
        value: dict[str, Any] = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise EntryInvalid("", "is not JSON") from None
    if glance(raw) is not None:
        return value
    try:
        again = encode(value)
    except NotCanonical as fault:
        raise EntryInvalid(fault.path, fault.reason) from None
    check_form(value, raw)
    if again != raw:
        raise EntryInvalid("", "is not in canonical form")
    return value


def timestamp(moment: datetime) -> str:
    """Return an aware time as RFC 3339 in UTC with milliseconds and Z, as every entry has it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
