"""The referral to a conference as a file: made of the case as the adviser may see it, and of what they said of it.

The file is the adviser's to send, by the conference's own road: to whom they give it is theirs to record as what was
said (`byways.record_oral`). Opening the case and reading what was said are sealed before the file is made (P1).

Source: domain.md section 1.8.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.receipt import Receipt
from gateway.case_history import read_acts
from gateway.casefile import CaseFile, open_case
from gateway.casework.acts import MaracReferral
from gateway.casework.marac import From, document
from gateway.casework.reading import Done
from gateway.disclosure import Reader
from gateway.errors import Unprocessable
from gateway.evidence import Caller
from gateway.london import day_of
from gateway.services import Services
from gateway.under_agreement import standing_of

REASON = "marac-referral"
"""The coded reason that opening the case is sealed with."""


@dataclass(frozen=True, slots=True)
class Form:
    """The file (PDF), and where its making is sealed."""

    pdf: bytes
    receipt: Receipt
    log_id: str


async def marac_form(services: Services, library: Reader, caller: Caller, referral_id: str) -> Form:
    """The form of the referral recorded last. Raises NotFound, Unprocessable, NotPermitted, Busy, NotSealed."""
    file = await open_case(services, library, caller, referral_id, REASON)
    found = await read_acts(services, library, caller, referral_id, REASON)
    said = [one for one in found.done if one.kind == REASON and one.referral_id == referral_id and one.stands]
    if not said or said[-1].words is None or not said[-1].codes:
        raise Unprocessable("record the referral to the conference first: the form holds what it says")
    sender = await _sender(services, caller, file)
    return Form(await asyncio.to_thread(_pdf, file, said[-1], sender), file.receipt, file.log_id)


def _pdf(file: CaseFile, said: Done, sender: From) -> bytes:
    from gateway.paper import pdf  # noqa: PLC0415 - 150 ms of every start that only this answer needs

    return pdf.write(document(file.record, MaracReferral(**said.codes, **dict(said.words or {})), sender))


async def _sender(services: Services, caller: Caller, file: CaseFile) -> From:
    """Who refers, by the names that the agreement gives them."""
    standing = await standing_of(services, file.log_id)
    content = standing.content
    team = content.recipient(caller.recipient or "") if content else None
    party = content.party(team.party).name if content and team else caller.organisation
    adviser = ", ".join(one for one in (caller.user, caller.role) if one)
    name = team.name if team else caller.recipient or ""
    return From(party, name, adviser, file.referral.id, day_of(datetime.now(UTC)))
