"""ADT: what a hospital knows of somebody whose case is open becomes a proposal; a merge makes a case be found by both.

A safeguarding code in it is a notice as well (`notices`). A message about nobody here says so and is kept for a day:
most of a hospital's feed is.

Source: domain.md section 2.9 (A01, A04, A08, A28, A31, A40).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from adapters.nhs.hl7v2 import Identity, Message, patient_change
from adapters.nhs.hl7v2.identity import identity
from gateway.messages.change import Proposal, Propose, proposal
from gateway.messages.keeping import Became, Given
from gateway.messages.known import Case, Numbers, digests, is_she
from gateway.messages.merging import Learned, MergeNumbers
from gateway.messaging.arriving import Arriving
from gateway.messaging.notices import take_beside
from gateway.store.batch import DecideAgain
from mappings.record import Person


async def take(arriving: Arriving) -> Given:
    """Keep an ADT message, with a proposal for each open case of its patient. Raises Unreadable, DecideAgain."""
    also = await take_beside(arriving)
    numbers = _numbers(_identity(arriving.message))
    named = digests(arriving.services.keyring, arriving.caller.organisation, numbers)
    standing = await arriving.standing()
    possible = await _cases(arriving, list(named))
    if not possible:
        return await arriving.keep(Became.NOBODY if also is None else Became.NOTICE, also=also)
    change = patient_change(arriving.message)
    found = await _hers(arriving, possible, change.patient.person, numbers)
    if not found:
        return await arriving.keep(Became.NOT_SURE if also is None else Became.NOTICE, also=also)
    proposals: list[Proposal] = []
    learned: list[Learned] = []
    for case, held in found:
        made = proposal(arriving.services.keyring, case, held, change.patient.person, restricted=change.restricted)
        if made is not None:
            proposals.append(made)
        other = tuple(digest for digest in named if digest not in case.by and _may_teach(named[digest], numbers))
        if other:
            learned.append(Learned(case, other))
    about = found[0][0].row.event_id
    if not proposals and not learned:
        return await arriving.keep(Became.NOTHING_NEW if also is None else Became.NOTICE, about=about, also=also)
    work = Propose(tuple(proposals), tuple(learned), arriving.caller, standing, change.recorded)
    return await arriving.keep(Became.PROPOSED, work, about=about, also=also)


async def merge(arriving: Arriving) -> Given:
    """Keep an A40, and have open cases found by the number that is kept. Raises Unreadable, DecideAgain."""
    change = patient_change(arriving.message)
    keyring, organisation = arriving.services.keyring, arriving.caller.organisation
    standing = await arriving.standing()
    learned: list[Learned] = []
    doubtful = False
    for one in change.merges:
        gone = _numbers(one.gone)
        possible = await _cases(arriving, list(digests(keyring, organisation, gone)))
        found = await _hers(arriving, possible, one.person, gone)
        doubtful = doubtful or len(found) < len(possible)
        kept = _numbers(one.kept)
        named = digests(keyring, organisation, kept)
        to = tuple(digest for digest in named if _may_teach(named[digest], kept))
        learned += [Learned(case, to) for case, _ in found if to]
    if not learned:
        return await arriving.keep(Became.NOT_SURE if doubtful else Became.NOBODY)
    work = MergeNumbers(tuple(learned), arriving.caller, standing)
    return await arriving.keep(Became.MERGED, work, about=learned[0].case.row.event_id)


async def _cases(arriving: Arriving, wanted: Sequence[bytes]) -> list[Case]:
    return await arriving.lookups.cases(arriving.log_id, arriving.caller.organisation, wanted)


async def _hers(
    arriving: Arriving, possible: Sequence[Case], said: Person, numbers: Numbers
) -> list[tuple[Case, Person]]:
    """Those of the cases that are the patient's, with her part of each record; the others only a number led to."""
    if not possible:
        return []
    records = arriving.services.records

    def load(connection: Connection) -> list[tuple[Case, Person]]:
        loaded = records.load(connection, sorted({case.row.record_id for case in possible}))
        hers: list[tuple[Case, Person]] = []
        for case in possible:
            record = loaded.get(case.row.record_id)
            if record is None:
                raise DecideAgain("the record was erased in between")
            held = next((one for one in record.people if one.ref == case.row.victim), None)
            if held is not None and is_she(held, said, numbers):
                hers.append((case, held))
        return hers

    return await arriving.services.database.read(load)


def _identity(message: Message) -> Identity:
    """Who the message is about: that alone costs a tenth of reading her whole, and most are nobody here."""
    pid = message.only("PID")
    return identity(pid, 3, pid.text(32))[0]


def _numbers(identity: Identity) -> Numbers:
    return Numbers(identity.nhs_number, identity.verified, tuple((one.authority, one.value) for one in identity.local))


def _may_teach(kind: str, numbers: Numbers) -> bool:
    """Whether a case may be found by a number from now on: a hospital's own, or an NHS number that is verified."""
    return kind != "nhs-number" or numbers.verified
