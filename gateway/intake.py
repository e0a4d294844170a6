"""What a police record becomes before it is taken in: judged for every recipient, encrypted, and named.

A `Submission` is what came in; `offers` judges it; `prepare` encrypts it and computes the names a repeat is recognised
by: the caller's idempotency key, and the record's own name (organisation, system, occurrence, version). Nothing here
is true yet: `taking.TakeIn` makes it so in the journal's transaction.

Source: domain.md sections 4.1 (steps 4 and 6), 4.7 (keys).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.agreement import Terms
from gateway.agreement.content import Content
from gateway.chance import fresh_id
from gateway.coresponse.contact import scene_keys
from gateway.decide import Decision, Facts, Outcome, Reason, decide_on, facts_of
from gateway.evidence import Caller
from gateway.keys import Keyring
from gateway.quarantine import Kept, Quarantine, owner_named
from gateway.same_incident import people_names, shared_names
from gateway.sealing import decided_again
from gateway.store.records import Records, StoredRecord
from mappings.profile import Profile
from mappings.record import GRADE_ORDER, Grade, Record, Role, Source

SAFEGUARDING = "safeguarding"
"""The purpose of the flows whose recipients are offered a referral; the others only say what they would release."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What came in: the bytes and their media type, from whom, under which key, for which log."""

    caller: Caller
    body: bytes
    media_type: str
    idempotency_key: str | None
    log_id: str


@dataclass(frozen=True, slots=True)
class Offer:
    """One victim's record, judged for one recipient."""

    victim: str
    recipient: str
    purpose: str
    facts: Facts
    decision: Decision

    @property
    def is_referral(self) -> bool:
        """Whether it makes a referral where it is permitted."""
        return self.purpose == SAFEGUARDING

    def decided_at(self, terms: Terms | None, now: datetime) -> Offer:
        """The same offer decided at another instant. Raises DecideAgain where it comes out otherwise."""
        return replace(self, decision=decided_again(self.facts, self.decision, terms, now))

    @property
    def makes_referral(self) -> bool:
        """Whether it does make one."""
        return self.is_referral and self.decision.outcome is Outcome.PERMITTED


def stamped(record: Record, caller: Caller, profile: Profile) -> Record:
    """The record under the name of who sent it: the token says the organisation, not the document."""
    source = Source(
        organisation=caller.organisation,
        system=record.source.system if record.source else None,
        adapter=profile.adapter,
        profile=profile.name,
        profile_hash=profile.hash,
    )
    return record.model_copy(update={"source": source})


def offers(record: Record, terms: Terms | None, now: datetime) -> tuple[Offer, ...]:
    """Every victim of a record judged for every recipient that the agreement's flows name for its sender.

    Without terms, or where no flow makes a referral, there is one offer to nobody in particular, so that it is held.
    """
    sender = record.source.organisation if record.source else None
    roads = [("", SAFEGUARDING)]
    if terms is not None:
        content = terms.agreement.content
        party = next((p.id for p in content.parties if p.organisation == sender), None)
        own = [(to, flow.purpose) for flow in content.flows if party in flow.from_ for to in flow.to]
        roads = own if any(purpose == SAFEGUARDING for _, purpose in own) else [*own, *roads]
    found: list[Offer] = []
    for victim in record.of_role(Role.VICTIM):
        facts = facts_of(record.for_victim(victim.ref), now)
        for to, purpose in roads:
            found.append(Offer(victim.ref, to, purpose, facts, decide_on(facts, to, purpose, terms, now)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record ready for the journal: judged, encrypted, its names computed.

    `hold` is the input sealed for a human, where the record, or one victim's part of it, does not go on by itself.
    `shared` are the blind names it shares with other records of its incident, each with its kind; `people` the blind
    names of its victims and suspects, each with the reference.
    """

    submission: Submission
    record: Record
    record_id: str
    stored: StoredRecord
    offers: tuple[Offer, ...]
    hold: Kept | None
    hold_words: str | None
    refusal: Offer | None
    natural: bytes
    occurrence: bytes
    shared: tuple[tuple[str, bytes], ...]
    people: tuple[tuple[str, bytes], ...]
    idempotency: bytes | None
    fingerprint: str
    body: str
    scenes: tuple[bytes, ...] = ()  # under which contacts at the scene may wait for it


@dataclass(frozen=True, slots=True)
class Preparer:
    """Makes prepared records. `duty` is the human who decides where no agreement names one."""

    keyring: Keyring
    records: Records
    duty: str

    def prepare(
        self, submission: Submission, record: Record, made: Sequence[Offer], content: Content | None
    ) -> Prepared:
        """Encrypt a judged record and compute the names a repeat is recognised by."""
        record_id = fresh_id()
        refusal = next((o for o in made if o.decision.reason is Reason.TOO_SECRET), None)
        hold, hold_words = (None, None) if refusal else self._hold(submission, record, made, content)
        stored = self.records.seal(record, record_id=record_id, log_id=submission.log_id)
        source = record.source or Source(organisation=submission.caller.organisation)
        occurrence = (record.reference("occurrence") or "").casefold()
        name = "|".join([source.organisation, source.system or "", occurrence])
        key = submission.idempotency_key
        blind = self.keyring.blind
        shared = tuple((kind, blind(kind, key)) for kind, key in shared_names(record, source.organisation))
        return Prepared(
            submission=submission,
            record=record,
            record_id=record_id,
            stored=stored,
            offers=tuple(made),
            hold=hold,
            hold_words=hold_words,
            refusal=refusal,
            natural=blind("record", f"{name}|{record.version}"),
            occurrence=blind("occurrence", name),
            shared=shared,
            people=people_names(record, blind),
            idempotency=blind("idempotency", f"{submission.caller.client}|{key}") if key else None,
            fingerprint=stored.record["payload"],
            body=self.keyring.payload_hash(submission.body),
            scenes=scene_keys(record, source.organisation, shared, blind),
        )

    def _hold(
        self, submission: Submission, record: Record, made: Sequence[Offer], content: Content | None
    ) -> tuple[Kept | None, str | None]:
        """The input sealed for a human, and why in words, where a human must decide."""
        worst = worst_hold(made)
        if worst is not None:
            decision, grade = worst.decision, worst.facts.grade
            reason, words, owner = decision.reason.value, decision.words, decision.owner
        elif not record.of_role(Role.VICTIM):
            reason, words, owner, grade = "no-victim", "no victim is named: a human must look at it", None, None
        else:
            return None, None
        kept = Quarantine(self.keyring.content_key).keep(
            submission.body,
            log_id=submission.log_id,
            caller=submission.caller,
            reason=reason,
            media_type=submission.media_type,
            grade=grade,
            owner=owner_named(content, owner, self.duty),
        )
        return kept, words


def worst_hold(offers_made: Sequence[Offer]) -> Offer | None:
    """The offer that puts the record in front of a human: any that was to make a referral and does not.

    A recipient who does not work in the area is nobody's loss where another one of the same victim does.
    """
    referrals = [o for o in offers_made if o.is_referral]
    served = {o.victim for o in referrals if o.decision.reason is not Reason.OUTSIDE_AREA}
    stopped = [
        o
        for o in referrals
        if o.decision.outcome is not Outcome.PERMITTED
        and not (o.decision.reason is Reason.OUTSIDE_AREA and o.victim in served)
    ]
    return max(stopped, key=lambda o: GRADE_ORDER.get(o.facts.grade or "", GRADE_ORDER[Grade.HIGH]), default=None)
