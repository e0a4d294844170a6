"""The tables beside the log's own (`audit.sql`): what the gateway keeps, and for how long it must be able to find it.

    records     what was taken in, the keys that open it, and the names it is recognised by
    referrals   a referral, and what is said about it
    waiting     what waits for a human, or was decided by one
    exports     what a force sends as a whole, and in which shape
    matching    who may be one person
    parties     who may ask, under which agreement, and who witnesses the log

Content lies encrypted; what must be searched is either not personal (area, grade, state) or a keyed blind index.
Times are UTC text (RFC 3339, milliseconds), the same on both engines, so that they sort and compare as written.
The steps in `migrations` make the same tables; a test compares.
"""

from gateway.store.tables.declared import metadata
from gateway.store.tables.exports import batch, batch_row, mapping_drift, mapping_shape
from gateway.store.tables.matching import match_event, match_key, match_review, person_link
from gateway.store.tables.parties import (
    agreement,
    agreement_signature,
    client,
    party_key,
    revocation,
    staff_mark,
    witness,
)
from gateway.store.tables.records import blind_index, claim, data_key, legal_hold, record
from gateway.store.tables.referrals import feedback, notice, outbox, referral, webhook_endpoint
from gateway.store.tables.waiting import break_glass, co_response, consent_override, quarantine

__all__ = [
    "agreement",
    "agreement_signature",
    "batch",
    "batch_row",
    "blind_index",
    "break_glass",
    "claim",
    "client",
    "co_response",
    "consent_override",
    "data_key",
    "feedback",
    "legal_hold",
    "mapping_drift",
    "mapping_shape",
    "match_event",
    "match_key",
    "match_review",
    "metadata",
    "notice",
    "outbox",
    "party_key",
    "person_link",
    "quarantine",
    "record",
    "referral",
    "revocation",
    "staff_mark",
    "webhook_endpoint",
    "witness",
]
