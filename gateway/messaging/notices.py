"""A hospital's notice over MLLP: REF^I12, or an ADT message that carries a safeguarding code.

The notice is kept, decided and sealed by `gateway.hospital`, which keeps the bytes as well; the message is kept with
its name beside it. A crash in between leaves a message that is sent again, and a notice that knows it.

Every movement of a patient repeats the codes of an ADT message: of the same patient with the same codes there is one.

Source: domain.md sections 2.9, 3.1 (F2, F3).
"""

from __future__ import annotations

from typing import Final

from adapters.nhs import hl7v2
from gateway.hospital import take_notice
from gateway.messages.keeping import Became, Given
from gateway.messaging.arriving import Arriving
from mappings.record import Record, Reference

MEDIA_TYPE: Final = "application/hl7-v2"


async def take(arriving: Arriving) -> Given:
    """Take a notice in. Raises Unreadable, IdempotencyConflict, StaleVersion, MarkingRefused, NotPermitted."""
    if await arriving.kept_before():
        return await arriving.keep(Became.NOTICE, kept_elsewhere=True)
    taken = await _take(arriving, hl7v2.notice(arriving.message), arriving.name)
    return await arriving.keep(Became.NOTICE, about=taken, kept_elsewhere=True)


async def take_beside(arriving: Arriving) -> bytes | None:
    """Take in the notice in an ADT message, unless this patient's codes were told before; returns the name to keep.

    None where the message carries no safeguarding code. Raises as `take` does.
    """
    if not hl7v2.concerns(arriving.message):
        return None
    record = hl7v2.notice(arriving.message)
    person = record.people[0]
    identity = hl7v2.patient_change(arriving.message).patient.identity
    who = person.nhs_number or next((f"{one.authority}|{one.value}" for one in identity.local), "")
    said = f"{arriving.caller.organisation}|{who}|{','.join(record.flags)}"
    also = arriving.services.keyring.blind("hl7-adt-notice", said)
    if not await arriving.kept_before() and not await arriving.kept_before(also):
        references = (*record.references, Reference(type="occurrence", value=also.hex()))
        await _take(arriving, record.model_copy(update={"references": references}), arriving.name)
    return also


async def _take(arriving: Arriving, record: Record, document: str) -> str:
    taken = await take_notice(arriving.services, arriving.caller, record, arriving.raw, MEDIA_TYPE, document=document)
    return taken.notice
