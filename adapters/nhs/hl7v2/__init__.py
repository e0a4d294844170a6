"""HL7 v2 as UK trusts speak it (v2.4, and 2.3 to 2.5.1 inbound): read, judge, answer, take apart, and write.

Pure: bytes in, whole values out. It opens no connection, keeps nothing, decides nothing and knows no agreement. Framing
is `adapters.mllp`; what a message changes is for the gateway. Every segment is kept, and nothing is refused because it
is unknown; what is refused is named by its place, never by its value.

Source: HL7 v2.4 chapters 2, 3 and 11; domain.md section 2.9; the field rules are `mappings/nhs/hl7v2/`.
"""

from adapters.nhs.hl7v2.ack import Code, ack, answers
from adapters.nhs.hl7v2.batch import Batch, messages
from adapters.nhs.hl7v2.change import Merge, PatientChange, patient_change
from adapters.nhs.hl7v2.facts import FactsInvalid, digest, listing
from adapters.nhs.hl7v2.finding import Finding, Level, Said, answer
from adapters.nhs.hl7v2.identity import Identity, LocalNumber
from adapters.nhs.hl7v2.judge import judge
from adapters.nhs.hl7v2.message import Message, Segment
from adapters.nhs.hl7v2.notice import ADAPTER, concerns, notice
from adapters.nhs.hl7v2.oracle import CannotSay
from adapters.nhs.hl7v2.person import Patient
from adapters.nhs.hl7v2.reading import LIMITS, read
from adapters.nhs.hl7v2.reply import ReferralReply, Verdict, Wrong, referral_reply, wrong
from adapters.nhs.hl7v2.rules import Purpose, Rules, rules
from adapters.nhs.hl7v2.writing import ITEMS, write_referral
from adapters.socket import Limits, Unreadable

__all__ = [
    "ADAPTER",
    "ITEMS",
    "LIMITS",
    "Batch",
    "CannotSay",
    "Code",
    "FactsInvalid",
    "Finding",
    "Identity",
    "Level",
    "Limits",
    "LocalNumber",
    "Merge",
    "Message",
    "Patient",
    "PatientChange",
    "Purpose",
    "ReferralReply",
    "Rules",
    "Said",
    "Segment",
    "Unreadable",
    "Verdict",
    "Wrong",
    "ack",
    "answer",
    "answers",
    "concerns",
    "digest",
    "judge",
    "listing",
    "messages",
    "notice",
    "patient_change",
    "read",
    "referral_reply",
    "rules",
    "write_referral",
    "wrong",
]
