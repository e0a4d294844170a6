"""A hospital tells police: a safeguarding notice is taken in, decided, and read by police under the agreement.

    taking     take_notice: what every format calls
    keeping    keep it once, decide it for each police recipient, seal, give it a place in the feed
    bundles    a FHIR Bundle, read as a notice by its sender's profile
    coded      what of an NHS record may be called a code, so that no clinical fact travels as one (N4, N5)
    standing   how a notice stands: for whom, under which consent or override, decided now
    deciding   what a person decides of one that waits: let it go, keep it back, record what she says now
    ending     an override that one went on has ended
    pulling    police read what may go, and acknowledge it

`take_notice(services, caller, record, raw, media_type)` is called by FHIR, HL7 v2 and message-based callers alike.

Source: domain.md sections 3.1 (F2, F3), 4.5 (N4, N5), 4.6 (consent, override).
"""

from gateway.hospital.keeping import How
from gateway.hospital.standing import State
from gateway.hospital.taking import Taken, take_notice, unreadable_notice

__all__ = ["How", "State", "Taken", "take_notice", "unreadable_notice"]
