"""What the log says of each act: the closed vocabulary of events, and entries all built in one place.

An entry is made when its unit is applied, so that its time is that of the batch that seals it. No personal data but
staff identity goes in (P7); what a decision read goes in as facts, so that it can be made again (P4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from audit.entry import Actor, AgreementRef, Entry, Items, Operation, Outcome, Recipient
from gateway.chance import fresh_id
from gateway.decision import Decision
from gateway.facts import Facts

OPERATOR_LOG = "operator"
"""The log of what belongs to no agreement: clients, keys, agreements, configuration, sign-ins (design.md section 7)."""


class Event(StrEnum):
    """Everything an entry can be about."""

    GATEWAY_INITIALISED = "gateway-initialised"
    GATEWAY_STARTED = "gateway-started"
    CLIENT_ADDED = "client-added"
    CLIENT_PROFILES_SET = "client-profiles-set"
    CLIENT_REVOKED = "client-revoked"
    CERTIFICATE_ADDED = "certificate-added"
    CERTIFICATE_REMOVED = "certificate-removed"
    CERTIFICATE_ENDING = "certificate-ending"
    TOKEN_ISSUED = "token-issued"  # noqa: S105 - an event
    TOKEN_REFUSED = "token-refused"  # noqa: S105 - an event
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - an event
    TOKEN_INTROSPECTED = "token-introspected"  # noqa: S105 - an event
    ACCESS_REFUSED = "access-refused"
    AGREEMENT_DRAFTED = "agreement-drafted"
    PARTY_KEY_REGISTERED = "party-key-registered"
    AGREEMENT_SIGNED = "agreement-signed"
    AGREEMENT_ACTIVATED = "agreement-activated"
    AGREEMENT_SUSPENDED = "agreement-suspended"
    AGREEMENT_RESUMED = "agreement-resumed"
    AGREEMENT_SUPERSEDED = "agreement-superseded"
    AGREEMENT_ENDED = "agreement-ended"
    AGREEMENT_EXPIRING = "agreement-expiring"
    AGREEMENT_EXPIRED = "agreement-expired"
    AGREEMENT_READ = "agreement-read"
    AGREEMENT_REPLAYED = "agreement-replayed"
    DECISION_EXPLAINED = "decision-explained"
    INCIDENT_ACCEPTED = "incident-accepted"
    INCIDENT_UPDATED = "incident-updated"
    INCIDENT_REPEATED = "incident-repeated"
    INCIDENT_CONFLICT = "incident-conflict"
    INCIDENT_HELD = "incident-held"
    INCIDENT_JOINED = "incident-joined"
    INCIDENT_LINKED = "incident-linked"
    SUSPECT_RELEASED = "suspect-released"
    ORDER_EXPIRED = "order-expired"
    INCIDENT_REFUSED = "incident-refused"
    INPUT_UNREADABLE = "input-unreadable"
    BATCH_BEGUN = "batch-begun"
    BATCH_ENDED = "batch-ended"
    BATCH_READ = "batch-read"
    WORKLIST_READ = "worklist-read"
    REFERRAL_READ = "referral-read"
    REFERRAL_CONFIRMED = "referral-confirmed"
    REFERRALS_COUNTED = "referrals-counted"
    REFERRAL_CHANGED = "referral-changed"
    FEEDBACK_READ = "feedback-read"
    FEEDBACK_ACKNOWLEDGED = "feedback-acknowledged"
    INCIDENT_STATUS_READ = "incident-status-read"
    FEEDBACK_PUSHED = "feedback-pushed"
    PUSH_DELIVERED = "push-delivered"
    PUSH_FAILED = "push-failed"
    WEBHOOK_ADDED = "webhook-added"
    WEBHOOK_REMOVED = "webhook-removed"
    WEBHOOK_TESTED = "webhook-tested"
    ENDPOINT_ADDED = "endpoint-added"
    ENDPOINT_DECLARED = "endpoint-declared"
    ENDPOINT_REMOVED = "endpoint-removed"
    REFERRAL_DELIVERED = "referral-delivered"
    REFERRAL_RECALLED = "referral-recalled"
    DELIVERY_ACKNOWLEDGED = "delivery-acknowledged"
    DELIVERY_FAILED = "delivery-failed"
    DELIVERY_RENEWED = "delivery-renewed"
    DELIVERIES_READ = "deliveries-read"
    HOSPITAL_NOTICE_TAKEN = "hospital-notice-taken"
    HOSPITAL_NOTICE_REPEATED = "hospital-notice-repeated"
    HOSPITAL_NOTICE_CONFLICT = "hospital-notice-conflict"
    HOSPITAL_NOTICE_DECIDED = "hospital-notice-decided"
    HOSPITAL_NOTICE_SEEN = "hospital-notice-seen"
    HOSPITAL_NOTICE_READ = "hospital-notice-read"
    HOSPITAL_NOTICE_ACKNOWLEDGED = "hospital-notice-acknowledged"
    HOSPITAL_NOTICE_OVERDUE = "hospital-notice-overdue"
    INFORMATION_REQUESTED = "information-requested"
    INFORMATION_REQUEST_REFUSED = "information-request-refused"
    INFORMATION_REQUEST_READ = "information-request-read"
    INFORMATION_ITEM_ANSWERED = "information-item-answered"
    INFORMATION_READ = "information-read"
    INFORMATION_ACKNOWLEDGED = "information-acknowledged"
    INFORMATION_OVERDUE = "information-overdue"
    SUBSCRIPTION_CREATED = "subscription-created"
    SUBSCRIPTION_ENDED = "subscription-ended"
    CO_RESPONSE_RECORDED = "co-response-recorded"
    CO_RESPONSE_DETAILED = "co-response-detailed"
    CO_RESPONSE_READ = "co-response-read"
    CO_RESPONSE_JOINED = "co-response-joined"
    CO_RESPONSE_CLOSED = "co-response-closed"
    CO_RESPONSE_OVERDUE = "co-response-overdue"
    NOTHING_FOUND = "nothing-found"
    CASE_ACTED = "case-acted"
    CASE_CORRECTED = "case-corrected"
    CASE_READ = "case-read"
    CASE_REMINDED = "case-reminded"
    CASE_ESCALATED = "case-escalated"
    CASE_LAPSED = "case-lapsed"
    CASE_REOPENED = "case-reopened"
    ON_CALL_SET = "on-call-set"
    ON_CALL_REMOVED = "on-call-removed"
    ON_CALL_READ = "on-call-read"
    CONSENT_CHANGED = "consent-changed"
    OVERRIDE_RECORDED = "override-recorded"
    OVERRIDE_REVIEWED = "override-reviewed"
    HOLD_READ = "hold-read"
    HOLD_UPHELD = "hold-upheld"
    HOLD_OVERDUE = "hold-overdue"
    HOLD_REPLAYED = "hold-replayed"
    QUARANTINE_REPLAYED = "quarantine-replayed"
    MAPPING_DRIFT = "mapping-drift"
    BREAK_GLASS_OPENED = "break-glass-opened"
    BREAK_GLASS_REFUSED = "break-glass-refused"
    BREAK_GLASS_REVIEWED = "break-glass-reviewed"
    REVIEW_OVERDUE = "review-overdue"
    REVIEWS_READ = "reviews-read"
    REVIEW_WORDS_READ = "review-words-read"
    NOTICE_SENT = "notice-sent"
    NOTICE_READ = "notice-read"
    NOTICE_ACKNOWLEDGED = "notice-acknowledged"
    NOTICE_OVERDUE = "notice-overdue"
    ORAL_DISCLOSURE = "oral-disclosure"
    STAFF_REGISTERED = "staff-registered"
    PERSON_SIGNED_IN = "person-signed-in"
    PERSON_SIGNED_OUT = "person-signed-out"
    SIGN_IN_REFUSED = "sign-in-refused"
    PERSON_ADDED = "person-added"
    PERSON_CHANGED = "person-changed"
    PERSON_REMOVED = "person-removed"
    CONNECTION_DECLARED = "connection-declared"
    MESSAGE_RECEIVED = "message-received"
    MESSAGE_REPEATED = "message-repeated"
    MESSAGE_REFUSED = "message-refused"
    DEMOGRAPHICS_PROPOSED = "demographics-proposed"
    DEMOGRAPHICS_READ = "demographics-read"
    DEMOGRAPHICS_DECIDED = "demographics-decided"
    NUMBERS_MERGED = "numbers-merged"
    SUBJECTS_MATCHED = "subjects-matched"
    MATCH_READ = "match-read"
    MATCH_DECIDED = "match-decided"
    MATCH_UNDONE = "match-undone"
    MATCH_OVERDUE = "match-overdue"
    TRACE_ASKED = "trace-asked"
    PATIENT_TRACED = "patient-traced"
    TRACE_READ = "trace-read"
    TRACE_DECIDED = "trace-decided"
    TRACE_OVERDUE = "trace-overdue"
    RECORD_ERASED = "record-erased"
    LEGAL_HOLD_PLACED = "legal-hold-placed"
    LEGAL_HOLD_LIFTED = "legal-hold-lifted"
    CANARY_PLACED = "canary-placed"
    WITNESS_ADDED = "witness-added"
    WITNESS_REMOVED = "witness-removed"
    WITNESS_ALARM = "witness-alarm"
    REPORT_MADE = "report-made"
    OPERATION_READ = "operation-read"
    OWN_RECORD_READ = "own-record-read"
    LOG_READ = "log-read"
    LOG_EXPORTED = "log-exported"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the client, its organisation and recipient, and the person on whose behalf.

    `scopes` and `agreements` are what the token allows. `user` is None where no person was named. `request` and
    `correlation` are the caller's ids, mirrored in the reply. `profiles` are the names of the mapping profiles that
    read what it sends, as it is registered; none for the deployment's own choice.
    """

    client: str
    organisation: str
    recipient: str | None
    scopes: frozenset[str]
    agreements: frozenset[str]
    user: str | None = None
    role: str | None = None
    token: str | None = None
    request: str | None = None
    correlation: str | None = None
    profiles: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """Whoever acts, as a row names them: the person, or the system that names none."""
        return self.user or self.client

    @property
    def actor(self) -> Actor:
        """The caller as an entry names it."""
        return Actor(self.organisation, self.client, self.user, self.role)


GATEWAY = Actor("gateway", "gateway")
"""The gateway itself, where nobody outside acts."""


def administration(
    event: Event,
    *,
    at: str,
    actor: Actor = GATEWAY,
    outcome: Outcome = Outcome.PERMITTED,
    reason: str | None = None,
    detail: Mapping[str, str | int] | None = None,
    caller: Caller | None = None,
) -> Entry:
    """The entry of an act of administration; `caller`, where there is one, overrides `actor` and gives the ids."""
    return Entry(
        id=fresh_id(),
        time=at,
        operation=Operation.ADMINISTRATION,
        outcome=outcome,
        event=event.value,
        actor=caller.actor if caller else actor,
        reason=reason,
        detail=detail,
        request=caller.request if caller else None,
        correlation=caller.correlation if caller else None,
    )


_NOBODY = Caller("gateway", "gateway", None, frozenset(), frozenset())


def act(  # noqa: PLR0913 - an entry says many things, each by its name
    event: Event,
    operation: Operation,
    *,
    at: str,
    caller: Caller | None,
    outcome: Outcome = Outcome.PERMITTED,
    decision: Decision | None = None,
    facts: Facts | None = None,
    subjects: tuple[str, ...] = (),
    record: str | None = None,
    case: str | None = None,
    agreement: AgreementRef | None = None,
    reason: str | None = None,
    mapping: str | None = None,
    payload: str | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> Entry:
    """The entry of an act under an agreement.

    What a decision released, to whom, by which clauses and under which text comes from the decision, and what it read
    from the facts, so that the two can never differ from what was done. `caller` None is the gateway itself. The id of
    the caller's token goes into `detail`, where it leads to the entry of its issue.
    """
    who = caller or _NOBODY
    items = Items()
    recipients: tuple[Recipient, ...] = ()
    clauses: tuple[str, ...] = ()
    purpose: str | None = None
    if decision is not None:
        items = Items(decision.released, decision.generalised, decision.withheld)
        recipients = (Recipient(decision.organisation, decision.recipient),) if decision.organisation else ()
        clauses, purpose, reason = decision.clauses, decision.purpose, reason or decision.reason.value
        found = decision.agreement
        agreement = AgreementRef(found.id, str(found.version), found.hash) if found else agreement
    return Entry(
        id=fresh_id(),
        time=at,
        operation=operation,
        outcome=outcome,
        event=event.value,
        actor=who.actor,
        recipients=recipients,
        subjects=subjects,
        record=record,
        case=case,
        agreement=agreement,
        clauses=clauses,
        items=items,
        purpose=purpose,
        reason=reason,
        facts=facts.to_json() if facts else None,
        mapping=mapping,
        payload=payload,
        request=who.request,
        correlation=who.correlation,
        detail=detail if who.token is None else {**(detail or {}), "token": who.token},
    )
