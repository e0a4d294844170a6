"""A case as a page shows it: the record, what was done, which words police have, and what the team is to take note of.

    read_page   open the case, then read what is beside it; each sealed before anything is given

The record leaves out where somebody is kept safe: that is opened by a click of its own (`open_safe_address`), sealed as
just that. Whether a word to police may go is decided as it would be if they asked now; what it says was the team's own.

Source: domain.md sections 4.3, 4.4, 4.5 (N1, N14); design.md section 2 (P1, P9).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from audit.receipt import Receipt
from gateway.case_history import CaseActs, read_acts
from gateway.casefile import CaseFile, open_case
from gateway.casework.rota import on_call_for
from gateway.disclosure import Reader
from gateway.evidence import Caller
from gateway.feedback import expired, feedback_recipient, find_word
from gateway.mistakes import Past, past_of
from gateway.notices import ReadCaseNotices
from gateway.oral import purpose_to
from gateway.services import Services
from gateway.shown import CASE_PAGE, SAFE_ADDRESS
from gateway.store import tables
from gateway.terms import Standing
from gateway.tracing.said import children_traced
from gateway.under_agreement import decided, standing_of
from mappings.record import Feedback


class Reach(StrEnum):
    """How far a word to police has come."""

    TAKEN = "taken"  # police have it
    WAITING = "waiting"  # it goes when police ask
    WITHHELD = "withheld"
    IN_ERROR = "in-error"  # it was said by mistake, and is told no more
    EXPIRED = "expired"  # what let it be told has come to its end


@dataclass(frozen=True, slots=True)
class Word:
    """A word to police, and how far it has come."""

    feedback: Feedback
    reach: Reach


@dataclass(frozen=True, slots=True)
class CasePage:
    """A case: the record and what was done; `words` the latest first; `on_call` whoever is on call for the team now.

    `areas` are the agreement's, by id, with their names; `recipients` whom the team tells anything, likewise.
    `safe_address` says that there is one to open, `past` what of it can be taken back, `traced` where the search
    for each child's NHS number stands. `notices` are those that nobody of the team has taken note of.
    """

    file: CaseFile
    acts: CaseActs
    words: tuple[Word, ...]
    notices: tuple[Row[Any], ...]
    on_call: str | None
    areas: Mapping[str, str]
    recipients: Mapping[str, str]
    safe_address: bool
    past: Past
    traced: Mapping[str, Row[Any]]

    @property
    def receipt(self) -> Receipt:
        """Where the opening is sealed."""
        return self.file.receipt


async def read_page(services: Services, library: Reader, caller: Caller, referral_id: str, reason: str) -> CasePage:
    """Everything of a case that a page shows. Raises NotFound, NotPermitted, BadParameter, Busy, NotSealed."""
    file = await open_case(services, library, caller, referral_id, reason, CASE_PAGE)
    standing = await standing_of(services, file.log_id)

    def find(connection: Connection) -> tuple[tuple[Word, ...], str | None, Mapping[str, Row[Any]]]:
        now = datetime.now(UTC)
        on_call = on_call_for(connection, file.log_id, file.row.organisation, file.row.team, now)
        traced = children_traced(connection, file.row, standing, now)
        return _words(connection, services, file, standing, now), on_call, traced

    parts = (
        asyncio.create_task(read_acts(services, library, caller, referral_id, reason)),
        asyncio.create_task(services.database.read(find)),
        asyncio.create_task(_notices(services, caller, file)),
    )
    await asyncio.wait(parts)  # where one fails, the others are not sealed behind the answer
    acts, (words, on_call, traced), notices = await asyncio.gather(*parts)
    past = await services.database.read(lambda c: past_of(c, file.row, acts.done, standing.content))
    content = standing.content
    return CasePage(
        file,
        acts,
        words,
        notices,
        on_call,
        dict(content.areas) if content else {},
        {one.id: one.name for one in content.recipients if _may_be_told(standing, caller, one.id)} if content else {},
        safe_address=any(item.endswith(".safe_address") for item in file.decision.ruling.methods),
        past=past,
        traced=traced,
    )


async def open_safe_address(services: Services, library: Reader, caller: Caller, referral_id: str) -> CaseFile:
    """Where she is kept safe, and nothing else. Raises as `read_page`."""
    return await open_case(services, library, caller, referral_id, SAFE_ADDRESS_REASON, SAFE_ADDRESS)


SAFE_ADDRESS_REASON = "safe-address"
"""The coded reason that looking it up is sealed with: the one that there is."""

_MOST_WORDS = 100  # a case of two years tells some fifty


def _words(
    connection: Connection, services: Services, file: CaseFile, standing: Standing, now: datetime
) -> tuple[Word, ...]:
    """The words to police of a case, and what would become of each if police asked now."""
    rows = connection.execute(_OF_CASE, {"of": file.row.id, "most": _MOST_WORDS}).all()
    recipient = feedback_recipient(standing.terms, file.row.force)
    loaded = services.records.load(connection, [row.record_id for row in rows])
    found: list[Word] = []
    for row in rows:
        record = loaded.get(row.record_id)
        if record is None or not record.feedback:
            continue
        word = record.feedback[0]
        telling = recipient and find_word(
            connection, services.records, standing, file.log_id, now, seq=row.seq, recipient=recipient
        )
        if row.in_error_at is not None:
            reach = Reach.IN_ERROR
        elif expired(word, now):
            reach = Reach.EXPIRED
        elif not telling:
            reach = Reach.WITHHELD
        else:
            reach = Reach.TAKEN if row.acknowledged_at is not None else Reach.WAITING
        found.append(Word(word, reach))
    return tuple(found)


def _may_be_told(standing: Standing, caller: Caller, recipient: str) -> bool:
    """Whether the agreement has a flow from the caller's organisation to a recipient that is not the caller's own."""
    return recipient != caller.recipient and purpose_to(standing, caller.organisation, recipient) is not None


async def _notices(services: Services, caller: Caller, file: CaseFile) -> tuple[Row[Any], ...]:
    """What the team is to take note of in this case, sealed where there is any."""
    waiting: Sequence[Row[Any]] = await services.database.read(
        lambda connection: connection.execute(_NOTICES, {"of": file.row.id}).all()
    )
    if not waiting:
        return ()

    async def attempt() -> tuple[Row[Any], ...]:
        standing = await standing_of(services, file.log_id)
        unit = ReadCaseNotices(caller, standing, file.row.id)
        return (await services.journals.of(file.log_id).submit(unit)).value

    return await decided(services, caller, file.log_id, attempt)


_f, _n = tables.feedback, tables.notice
_OF_CASE = select(_f).where(_f.c.referral_id == bindparam("of")).order_by(_f.c.seq.desc()).limit(bindparam("most"))
_NOTICES = select(_n.c.id).where(_n.c.referral_id == bindparam("of"), _n.c.acknowledged_at.is_(None)).limit(1)
