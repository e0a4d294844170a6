"""Which shape of IHE BALP each event of the log has, and what a search of AuditEvents looks for in the log.

The table is complete: a test finds the event without a shape. What was denied is a decision that refused, whatever was
asked for, so a shape depends on the event and the outcome alone; that is what lets a search by action, type or subtype
be answered from the log's own facets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from audit.entry import Outcome
from audit.facets import Facet
from audit.shapes import (
    ACTIVITY,
    CREATE,
    DECIDED,
    DELETE,
    DISCLOSED,
    LOGIN,
    LOGOUT,
    QUERY,
    READ,
    RECEIVED,
    SIGNED_IN,
    UPDATE,
    Shape,
)
from gateway.evidence import Event

_E = Event
SHAPES: Final[Mapping[Event, Shape]] = MappingProxyType(
    {
        event: shape
        for shape, events in (
            (ACTIVITY, (_E.GATEWAY_INITIALISED, _E.GATEWAY_STARTED, _E.WITNESS_ALARM)),
            (SIGNED_IN, (_E.TOKEN_ISSUED,)),
            (LOGIN, (_E.PERSON_SIGNED_IN,)),
            (LOGOUT, (_E.PERSON_SIGNED_OUT,)),
            (DECIDED, (_E.SIGN_IN_REFUSED,)),
            (CREATE, (_E.PERSON_ADDED,)),
            (UPDATE, (_E.PERSON_CHANGED, _E.PERSON_REMOVED)),
            (DECIDED, (_E.TOKEN_REFUSED, _E.ACCESS_REFUSED, _E.INCIDENT_REFUSED, _E.BREAK_GLASS_REFUSED)),
            (DECIDED, (_E.OVERRIDE_RECORDED, _E.OVERRIDE_REVIEWED, _E.BREAK_GLASS_OPENED, _E.BREAK_GLASS_REVIEWED)),
            (DECIDED, (_E.HOLD_UPHELD, _E.DECISION_EXPLAINED)),
            (RECEIVED, (_E.INCIDENT_ACCEPTED, _E.INCIDENT_HELD)),
            (DISCLOSED, (_E.WORKLIST_READ, _E.REFERRAL_READ, _E.FEEDBACK_READ, _E.INCIDENT_STATUS_READ)),
            (DISCLOSED, (_E.ORAL_DISCLOSURE,)),
            (CREATE, (_E.CLIENT_ADDED, _E.AGREEMENT_DRAFTED, _E.PARTY_KEY_REGISTERED, _E.INPUT_UNREADABLE)),
            (CREATE, (_E.INCIDENT_REPEATED, _E.INCIDENT_CONFLICT, _E.NOTICE_SENT, _E.STAFF_REGISTERED)),
            (CREATE, (_E.CONNECTION_DECLARED, _E.LEGAL_HOLD_PLACED, _E.CANARY_PLACED, _E.WITNESS_ADDED)),
            (UPDATE, (_E.CLIENT_PROFILES_SET,)),
            (UPDATE, (_E.CLIENT_REVOKED, _E.TOKEN_REVOKED, _E.AGREEMENT_SIGNED, _E.AGREEMENT_ACTIVATED)),
            (UPDATE, (_E.AGREEMENT_SUSPENDED, _E.AGREEMENT_RESUMED, _E.AGREEMENT_SUPERSEDED, _E.AGREEMENT_ENDED)),
            (UPDATE, (_E.AGREEMENT_EXPIRING, _E.AGREEMENT_EXPIRED, _E.INCIDENT_UPDATED, _E.REFERRAL_CHANGED)),
            (UPDATE, (_E.FEEDBACK_ACKNOWLEDGED, _E.CONSENT_CHANGED, _E.REVIEW_OVERDUE, _E.NOTICE_ACKNOWLEDGED)),
            (UPDATE, (_E.NOTICE_OVERDUE, _E.LEGAL_HOLD_LIFTED, _E.WITNESS_REMOVED)),
            (READ, (_E.TOKEN_INTROSPECTED, _E.AGREEMENT_READ, _E.HOLD_READ, _E.REVIEWS_READ, _E.NOTICE_READ)),
            (UPDATE, (_E.MATCH_DECIDED, _E.MATCH_UNDONE, _E.MATCH_OVERDUE)),
            (DISCLOSED, (_E.MATCH_READ,)),
            (READ, (_E.REVIEW_WORDS_READ,)),
            (DISCLOSED, (_E.TRACE_ASKED, _E.TRACE_READ)),
            (UPDATE, (_E.PATIENT_TRACED, _E.TRACE_DECIDED, _E.TRACE_OVERDUE)),
            (READ, (_E.LOG_EXPORTED, _E.REPORT_MADE, _E.REFERRAL_CONFIRMED)),
            (QUERY, (_E.REFERRALS_COUNTED,)),
            (QUERY, (_E.LOG_READ, _E.NOTHING_FOUND, _E.AGREEMENT_REPLAYED, _E.SUBJECTS_MATCHED)),
            (CREATE, (_E.BATCH_BEGUN,)),
            (UPDATE, (_E.BATCH_ENDED, _E.HOLD_OVERDUE, _E.HOLD_REPLAYED, _E.QUARANTINE_REPLAYED)),
            (READ, (_E.BATCH_READ,)),
            (DISCLOSED, (_E.FEEDBACK_PUSHED,)),
            (DISCLOSED, (_E.REFERRAL_DELIVERED,)),
            (CREATE, (_E.ENDPOINT_ADDED,)),
            (CREATE, (_E.SUBSCRIPTION_CREATED,)),
            (DELETE, (_E.SUBSCRIPTION_ENDED,)),
            (READ, (_E.DELIVERIES_READ,)),
            (UPDATE, (_E.ENDPOINT_DECLARED, _E.ENDPOINT_REMOVED, _E.REFERRAL_RECALLED)),
            (UPDATE, (_E.DELIVERY_ACKNOWLEDGED, _E.DELIVERY_FAILED, _E.DELIVERY_RENEWED)),
            (RECEIVED, (_E.HOSPITAL_NOTICE_TAKEN, _E.INFORMATION_REQUESTED)),
            (CREATE, (_E.HOSPITAL_NOTICE_REPEATED, _E.HOSPITAL_NOTICE_CONFLICT)),
            (READ, (_E.HOSPITAL_NOTICE_SEEN, _E.INFORMATION_REQUEST_READ)),
            (DISCLOSED, (_E.HOSPITAL_NOTICE_READ, _E.INFORMATION_READ)),
            (UPDATE, (_E.HOSPITAL_NOTICE_DECIDED, _E.HOSPITAL_NOTICE_ACKNOWLEDGED, _E.HOSPITAL_NOTICE_OVERDUE)),
            (UPDATE, (_E.INFORMATION_ITEM_ANSWERED, _E.INFORMATION_ACKNOWLEDGED, _E.INFORMATION_OVERDUE)),
            (DECIDED, (_E.INFORMATION_REQUEST_REFUSED,)),
            (ACTIVITY, (_E.WEBHOOK_TESTED, _E.MAPPING_DRIFT)),
            (CREATE, (_E.WEBHOOK_ADDED, _E.CO_RESPONSE_RECORDED)),
            (UPDATE, (_E.PUSH_DELIVERED, _E.PUSH_FAILED, _E.WEBHOOK_REMOVED, _E.CO_RESPONSE_DETAILED)),
            (UPDATE, (_E.CO_RESPONSE_JOINED, _E.CO_RESPONSE_CLOSED, _E.CO_RESPONSE_OVERDUE)),
            (READ, (_E.CO_RESPONSE_READ,)),
            (UPDATE, (_E.INCIDENT_JOINED, _E.INCIDENT_LINKED, _E.SUSPECT_RELEASED, _E.ORDER_EXPIRED)),
            (CREATE, (_E.CERTIFICATE_ADDED, _E.MESSAGE_REPEATED, _E.MESSAGE_REFUSED)),
            (RECEIVED, (_E.MESSAGE_RECEIVED,)),
            (UPDATE, (_E.CERTIFICATE_ENDING,)),
            (UPDATE, (_E.CERTIFICATE_REMOVED, _E.DEMOGRAPHICS_PROPOSED, _E.DEMOGRAPHICS_DECIDED)),
            (UPDATE, (_E.NUMBERS_MERGED,)),
            (DISCLOSED, (_E.DEMOGRAPHICS_READ,)),
            (UPDATE, (_E.CASE_ACTED, _E.CASE_REMINDED, _E.CASE_ESCALATED, _E.CASE_LAPSED, _E.CASE_REOPENED)),
            (UPDATE, (_E.CASE_CORRECTED,)),
            (READ, (_E.CASE_READ, _E.ON_CALL_READ)),
            (READ, (_E.OPERATION_READ, _E.OWN_RECORD_READ)),
            (CREATE, (_E.ON_CALL_SET,)),
            (UPDATE, (_E.ON_CALL_REMOVED,)),
            (DELETE, (_E.RECORD_ERASED,)),
        )
        for event in events
    }
)
"""The shape of every event, where it was not denied."""

Terms = tuple[tuple[Facet, ...], ...]
"""What a search looks for: of each term at least one facet (`audit.search.Query.any_of`)."""

_GRANTED: Final[tuple[Facet, ...]] = tuple(("outcome", one.value) for one in Outcome if one is not Outcome.DENIED)
_DENIED: Final[Facet] = ("outcome", Outcome.DENIED.value)


def shape_of(event: str, outcome: Outcome) -> Shape:
    """The shape of an entry; of an event that a later version of the gateway sealed, an activity."""
    if outcome is Outcome.DENIED:
        return DECIDED
    return SHAPES[Event(event)] if event in _KNOWN else ACTIVITY


_KNOWN: Final = frozenset(one.value for one in SHAPES)


def having(wanted: Callable[[Shape], bool]) -> Terms:
    """What finds the entries whose shape is one that is wanted."""
    events: tuple[Facet, ...] = tuple(("event", event.value) for event, shape in SHAPES.items() if wanted(shape))
    if wanted(DECIDED):
        return ((*events, _DENIED),)
    return (events, _GRANTED)


def is_patient(subject: str) -> bool:
    """Whether a subject of the log is somebody who can be a Patient: the victim or a child, never the suspect.

    A subject is the record's id, a full stop and the person's place in it, as in `….victim-1`.
    """
    return subject.rpartition(".")[2].rpartition("-")[0] in {"victim", "child"}
