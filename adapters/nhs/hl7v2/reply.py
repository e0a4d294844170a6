"""What a receiver says to a referral it was sent (RRI^I12, I13, I14): taken, refused, or failed, and why in codes.

Which referral is meant is the caller's to compare: MSA-2 is the control id of ours, RF1-6 our case. Neither stands for
the other, and nothing here trusts one alone. Words are not read; a refusal's reason is a code or nothing.

Source: HL7 v2.4 sections 11.3.2 to 11.3.5 (RRI), 11.5.1 (RF1), 2.16.10 (MSA); domain.md section 2.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.nhs.hl7v2.message import NULL, Message
from adapters.socket import Fault, Problem, Unreadable

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}", re.ASCII)
_MAX: Final = 199


class Verdict(StrEnum):
    """What the receiver says of a referral."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that an acknowledgement says is wrong: the segment, "" where it names none, and the code."""

    segment: str
    code: str


def wrong(message: Message) -> tuple[Wrong, ...]:
    """What an acknowledgement says is wrong, by ERR as any version has it, or else by MSA-6; at most twenty."""
    found: list[Wrong] = []
    for one in message.all("ERR"):
        if one.text(3):
            found.append(Wrong(one.text(2).upper(), one.text(3)))
        else:  # to version 2.4 the code is inside ERR-1, with its place
            places = range(1, min(one.repetitions(1), _MAX_WRONG) + 1)
            found += [Wrong(one.text(1, repetition=at).upper(), one.text(1, 4, repetition=at)) for at in places]
    condition = message.text("MSA", 6)
    if not found and condition:
        found.append(Wrong("", condition))
    return tuple(found[:_MAX_WRONG])


_MAX_WRONG: Final = 20  # of a message with thousands of faults nobody reads more
_STATUS: Final = {"A": Verdict.ACCEPTED, "P": Verdict.PENDING, "R": Verdict.REJECTED, "E": Verdict.EXPIRED}
_GOOD: Final = frozenset({"AA", "CA"})


@dataclass(frozen=True, slots=True)
class ReferralReply:
    """One reply. `code` is MSA-1, `control_id` MSA-2: the message of ours that it answers.

    `case` is RF1-6, our name of the referral, `reference` RF1-11, the receiver's own; `reason` is a code of RF1-10 or
    ERR, `reason_system` its coding system. "" where a reply does not say.
    """

    verdict: Verdict
    code: str
    control_id: str
    case: str
    reference: str
    reason: str
    reason_system: str


def referral_reply(message: Message) -> ReferralReply:
    """Read a reply. Raises `Unreadable` at `MSA-1`, `MSA-2` or `RF1-1` where it does not say what it answers, or what.

    A reply that takes the message (AA) and says nothing of the referral leaves it pending; one that does not (AE, AR)
    is a failure of the message, whatever RF1 says.
    """
    code, control_id = message.text("MSA", 1).upper(), message.text("MSA", 2)
    if not code or not control_id:
        raise Unreadable(Problem("MSA-2" if code else "MSA-1", Fault.MISSING))
    status = message.text("RF1", 1).upper()
    if status and status != NULL and status not in _STATUS:
        raise Unreadable(Problem("RF1-1", Fault.UNKNOWN_CODE))
    verdict = _STATUS.get(status, Verdict.PENDING) if code in _GOOD else Verdict.FAILED
    reason, system = _reason(message, verdict)
    return ReferralReply(
        verdict, code, control_id, message.text("RF1", 6)[:_MAX], message.text("RF1", 11)[:_MAX], reason, system
    )


def _reason(message: Message, verdict: Verdict) -> tuple[str, str]:
    """The reason and its coding system, where it is a code: of the referral, or of the message that failed."""
    segment = message.first("ERR" if verdict is Verdict.FAILED else "RF1")
    if segment is None:
        return "", ""
    if verdict is not Verdict.FAILED:
        code, system = segment.text(10), segment.text(10, 3)
    elif segment.text(3):
        code, system = segment.text(3), segment.text(3, 3)
    else:  # to version 2.4 the code is inside ERR-1
        code, system = segment.text(1, 4), segment.text(1, 4, subcomponent=3)
    if not _CODE.fullmatch(code):
        return "", ""
    return code, system if _CODE.fullmatch(system) else ""
