"""Logs made for the tests of oversight: entries by hand, in memory, sealed as the gateway seals them."""

from __future__ import annotations

import io
import itertools
import uuid
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import pack
from audit.entry import AgreementRef, Entry, Operation, Outcome, timestamp
from audit.log import Growth, empty_head
from audit.note import Signer
from gateway.agreement import Agreement, shipped
from gateway.decide import Decision, Facts, decide_on
from gateway.evidence import Caller, Event, act, administration
from gateway.intake import SAFEGUARDING
from gateway.oversight.entries import Sealed, Seen
from gateway.oversight.standing import Supposed
from gateway.searching import Search

ORIGIN = "gateway.test/logs/operation-provide"
AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
"""A Monday morning in winter, when London keeps UTC."""


class Log:
    """A log in memory, and a source: entries are added in order, each at a time of its own."""

    def __init__(self, agreement: Agreement | None = None, at: datetime = AT) -> None:
        self.agreement = agreement or shipped()
        self.bodies: list[bytes] = []
        self.now = at
        self.seen: tuple[Seen, ...] = ()
        self._texts = {self.agreement.hash: self.agreement.canonical}
        self._serial = itertools.count(1)

    @property
    def size(self) -> int:
        return len(self.bodies)

    @property
    def texts(self) -> Mapping[str, bytes]:
        return self._texts

    def entries(self, start: datetime | None = None, stop: datetime | None = None) -> Iterator[Sealed]:
        for index, body in enumerate(self.bodies):
            one = Sealed(index, orjson.loads(body))
            if (start is None or one.at >= start) and (stop is None or one.at < stop):
                yield one

    def earlier(self, events: AbstractSet[str], start: datetime | None) -> Iterator[Sealed]:
        found = self.entries(None, start) if start else iter(())
        return (one for one in found if one.said["event"] in events)

    def later(self, **ago: float) -> Log:
        """Let time pass: `minutes=5`, `hours=1`."""
        self.now += timedelta(**ago)
        return self

    def seal(self, entry: Entry) -> int:
        """Seal an entry as it is, but for its id, which is in order, and its time."""
        numbered = str(uuid.UUID(int=next(self._serial), version=4))
        self.bodies.append(entry._replace(id=numbered, time=timestamp(self.now)).to_bytes())
        return len(self.bodies) - 1

    @property
    def ref(self) -> AgreementRef:
        return AgreementRef(self.agreement.id, str(self.agreement.version), self.agreement.hash)

    def step(self, event: Event) -> int:
        """A step of the agreement's life."""
        return self.seal(administration(event, at=timestamp(self.now))._replace(agreement=self.ref))

    def amend(self, agreement: Agreement) -> int:
        """Another version comes into force."""
        self.agreement = agreement
        self._texts[agreement.hash] = agreement.canonical
        return self.step(Event.AGREEMENT_ACTIVATED)

    def decide(
        self, facts: Facts, recipient: str = "idva-team", purpose: str = SAFEGUARDING, types: str | None = None
    ) -> Decision:
        """A decision under the agreement, taken as in force."""
        decision = decide_on(facts, recipient, purpose, Supposed(self.agreement), self.now)
        return decision.narrow(Search(types=tuple(types.split(","))).items) if types else decision

    def read(
        self,
        case: str,
        user: str = "idva-0042",
        *,
        event: Event = Event.REFERRAL_READ,
        facts: Facts | None = None,
        types: str = "ServiceRequest",
        decision: Decision | None = None,
        outcome: Outcome = Outcome.PERMITTED,
        reason: str | None = None,
    ) -> int:
        """Somebody of the advisers opens a referral."""
        stated = facts or facts_like()
        made = decision or self.decide(stated, types=types)
        return self.seal(
            act(
                event,
                Operation.DISCLOSURE,
                at=timestamp(self.now),
                caller=caller(user),
                outcome=outcome,
                decision=made,
                facts=stated,
                record=f"record-of-{case}",
                case=case,
                subjects=(f"record-of-{case}.victim-1",),
                reason=reason,
                detail={"types": types, "version": 1},
            )
        )

    def note(  # noqa: PLR0913 - an entry says many things, each by its name
        self,
        event: Event,
        user: str | None = "idva-0042",
        *,
        operation: Operation = Operation.ALTERATION,
        outcome: Outcome = Outcome.PERMITTED,
        case: str | None = None,
        reason: str | None = None,
        facts: Facts | None = None,
        detail: Mapping[str, str | int] | None = None,
        who: Caller | None = None,
    ) -> int:
        """Any other act of somebody of the advisers."""
        made = act(
            event,
            operation,
            at=timestamp(self.now),
            caller=who or caller(user),
            outcome=outcome,
            case=case,
            reason=reason,
            facts=facts,
            agreement=self.ref,
            detail=detail,
        )
        return self.seal(made)

    def to_pack(self, path: Path, documents: Mapping[str, bytes] | None = None) -> Path:
        """The log as an auditor's pack in a file."""
        signer = Signer.of(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"k" * 32))
        growth = Growth(empty_head(ORIGIN, signer))
        for body in self.bodies:
            growth.append(body)
        sealed = growth.seal(signer)
        out = io.BytesIO()
        leaves = [_Leaf(body, leaf) for _, body, leaf in sealed.leaves]
        pack.write(out, signer.verifier, [sealed.head.checkpoint], leaves, (documents or self._texts).get)
        path.write_bytes(out.getvalue())
        return path


class _Leaf:
    def __init__(self, body: bytes, leaf_hash: bytes) -> None:
        self.body = body
        self.leaf_hash = leaf_hash


def caller(user: str | None = "idva-0042", client: str = "trust-safeguarding", organisation: str = "RXL") -> Caller:
    return Caller(client, organisation, "idva-team", frozenset(), frozenset({"operation-provide"}), user, "idva")


ITEMS = ("event.kind", "event.area", "risk.grade", "victim.listed", "victim.name", "victim.ethnicity", "child.school")


def facts_like(**changes: Any) -> Facts:
    """Facts of an incident that the shipped agreement releases to the advisers."""
    plain: dict[str, Any] = dict.fromkeys(Facts.__dataclass_fields__)
    plain |= {"kind": "incident", "source": "04", "area": "blackpool", "grade": "high", "consent": "given"}
    plain |= {"classification": "OFFICIAL", "children": False, "hours_since_event": 2, "items": ITEMS}
    return Facts(**(plain | changes))
