"""The tables beside the log's own (`audit.sql`): what the gateway keeps, and for how long it must be able to find it.

    records     what was taken in, the keys that open it, and the names it is recognised by
    referrals   a referral, and what is said about it
    casework    what is done in a case, its clocks, and who is on call
    waiting     what waits for a human, or was decided by one
    exports     what a force sends as a whole, and in which shape
    matching    who may be one person
    deliveries  the systems of teams that are delivered to, and what waits for them
    hospital    what hospitals tell police, and what police ask of them
    tracing     whose NHS number is looked for, and what became of it
    messages    what comes over MLLP, and what it proposes to change
    parties     who may ask, under which agreement, and who witnesses the log
    people      who signs in to the console, and for how long
    evaluation  what was counted, as it was given

Content lies encrypted; what must be searched is either not personal (area, grade, state) or a keyed blind index.
Times are UTC text (RFC 3339, milliseconds), the same on both engines, so that they sort and compare as written.
The steps in `migrations` make the same tables; a test compares.
"""

from gateway.store.tables.casework import case_event, case_timer, on_call
from gateway.store.tables.declared import metadata
from gateway.store.tables.deliveries import delivery, endpoint
from gateway.store.tables.evaluation import evaluation_edition
from gateway.store.tables.exports import batch, batch_row, mapping_drift, mapping_shape
from gateway.store.tables.hospital import (
    hospital_document,
    hospital_feed,
    hospital_notice,
    information_item,
    information_request,
)
from gateway.store.tables.matching import match_event, match_key, match_review, person_link
from gateway.store.tables.messages import client_certificate, demographic_change, hl7_message
from gateway.store.tables.parties import (
    agreement,
    agreement_signature,
    client,
    party_key,
    revocation,
    staff_mark,
    witness,
)
from gateway.store.tables.people import console_session, person, sign_in_code, sign_in_failure
from gateway.store.tables.records import blind_index, claim, data_key, legal_hold, record
from gateway.store.tables.referrals import feedback, notice, outbox, referral, webhook_endpoint
from gateway.store.tables.tracing import trace
from gateway.store.tables.waiting import break_glass, co_response, consent_override, quarantine

__all__ = [
    "agreement",
    "agreement_signature",
    "batch",
    "batch_row",
    "blind_index",
    "break_glass",
    "case_event",
    "case_timer",
    "claim",
    "client",
    "client_certificate",
    "co_response",
    "consent_override",
    "console_session",
    "data_key",
    "delivery",
    "demographic_change",
    "endpoint",
    "evaluation_edition",
    "feedback",
    "hl7_message",
    "hospital_document",
    "hospital_feed",
    "hospital_notice",
    "information_item",
    "information_request",
    "legal_hold",
    "mapping_drift",
    "mapping_shape",
    "match_event",
    "match_key",
    "match_review",
    "metadata",
    "notice",
    "on_call",
    "outbox",
    "party_key",
    "person",
    "person_link",
    "quarantine",
    "record",
    "referral",
    "revocation",
    "sign_in_code",
    "sign_in_failure",
    "staff_mark",
    "trace",
    "webhook_endpoint",
    "witness",
]
