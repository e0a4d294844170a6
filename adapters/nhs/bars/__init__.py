"""Messaging in the shape of the NHS Booking and Referral Standard (BaRS), as referrals go out and answers come in.

Pure: a minimised `Record` and its `Referral` in, a message Bundle out; bytes in, a frame out; headers both ways; the
standard's errors as OperationOutcomes. It opens no connection, decides nothing and knows no agreement. The standard has
no use case for police and domestic abuse: its pattern is followed, and conformance is claimed nowhere.

Source: domain.md section 2.5; the words and errors are `mappings/nhs/bars/words.toml`.
"""

from adapters.nhs.bars.declared import NOT_CONFORMANT, capability, definitions
from adapters.nhs.bars.errors import BarsRefused
from adapters.nhs.bars.headers import (
    CORRELATION_ID,
    ORGANISATION,
    REQUEST_ID,
    SOFTWARE,
    TARGET,
    Headers,
    Service,
    read_headers,
    write_headers,
)
from adapters.nhs.bars.message import (
    TYPES,
    Event,
    Frame,
    Message,
    Reason,
    organisation,
    read_message,
    write_message,
)
from adapters.nhs.bars.outcome import ANSWER_MAX_BYTES, Answer, Meaning, judge, outcome
from adapters.nhs.bars.response import response_change
from adapters.nhs.bars.words import Fault, words

__all__ = [
    "ANSWER_MAX_BYTES",
    "CORRELATION_ID",
    "NOT_CONFORMANT",
    "ORGANISATION",
    "REQUEST_ID",
    "SOFTWARE",
    "TARGET",
    "TYPES",
    "Answer",
    "BarsRefused",
    "Event",
    "Fault",
    "Frame",
    "Headers",
    "Meaning",
    "Message",
    "Reason",
    "Service",
    "capability",
    "definitions",
    "judge",
    "organisation",
    "outcome",
    "read_headers",
    "read_message",
    "response_change",
    "words",
    "write_headers",
    "write_message",
]
