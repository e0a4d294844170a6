"""The figures: what each counts, of whom, in words and as a function over coded rows. Fixed, so that years compare.

The two rates of the evaluation by Liverpool John Moores University (engaged, prosecution) have every victim referred
below the line; the share made safer has those who were asked when their case closed. A victim is counted once in an
edition, however many referrals she has, in the area and the quarter of her first. What nobody recorded is never taken
for an answer: it is counted beside the figure.

Pure: no storage, no clock. Source: domain.md sections 0a (LJMU21, BTH22, GAZ20), 1.8 (repeat), 1.9, 5.2 point 15.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise

from gateway.evaluation.coded import Case, Victim
from gateway.repeats import year_before


class Found(StrEnum):
    """What a figure finds of one victim."""

    YES = "yes"
    NO = "no"
    UNSTATED = "unstated"  # nobody recorded it, or she was not asked
    WITHHELD = "withheld"  # the agreement does not release it to the evaluation


class Below(StrEnum):
    """Whom the line has below it."""

    REFERRED = "referred"  # every victim referred
    ASKED = "asked"  # those of whom there is an answer


@dataclass(frozen=True, slots=True)
class Definition:
    """A figure: `above` and `below` say in words what stands above and below the line, `unstated` what is not known.

    `items` are the data items the agreement must release to the evaluation, or the figure is withheld as a whole.
    `within` is a figure that everybody of this one is in: whoever subtracts one from the other must learn of no few.
    """

    id: str
    title: str
    above: str
    below: str
    unstated: str
    items: frozenset[str]
    line: Below
    finds: Callable[[Victim], Found]
    within: str | None = None


STATUS = "engagement.status"
WISHES = "engagement.wishes"
TIMES = "event.times"
AREA = "event.area"
CHILDREN = "child.listed"
LISTED = "victim.listed"

ENGAGED = "engaged"
ENGAGED_LIMITED = "engaged-limited"
SPOKEN = "spoken-to"  # of a contact, whoever sought it: she was reached
SUPPORTS = "supports-prosecution"
SAFER = "exit-safer"
CLOSED = "closed"

_REACHED = (SPOKEN, ENGAGED, ENGAGED_LIMITED)
_VICTIMS = "Victims referred to the advisers in the quarters counted, each once, whatever became of the referral."


def reached(victim: Victim) -> Found:
    """Whether anybody of the team spoke with her."""
    return _status(victim, bool(victim.said(*_REACHED)))


def engaged(victim: Victim) -> Found:
    """Whether she engaged with the advisers at any time, wholly or in part."""
    return _status(victim, bool(victim.said(ENGAGED, ENGAGED_LIMITED)))


def supports(victim: Victim) -> Found:
    """Whether the last thing she said of it was that she supports the police."""
    said = victim.said(SUPPORTS)
    if said:
        return _YES_NO.get(said[-1].value or "", Found.UNSTATED)
    return Found.WITHHELD if victim.withheld(WISHES) else Found.UNSTATED


def safer(victim: Victim) -> Found:
    """Whether she said at the end of her last case in which she was asked that she is safer."""
    answers = [one for one in victim.said(SAFER) if one.value in _YES_NO]
    if answers:
        return _YES_NO[answers[-1].value or ""]
    return Found.WITHHELD if victim.withheld(STATUS) else Found.UNSTATED


def repeated(victim: Victim) -> Found:
    """Whether there was another incident, on a later day within twelve months of one before it."""
    days = victim.days
    again = any(year_before(later) <= earlier for earlier, later in pairwise(days))
    return Found.YES if again else Found.NO


def with_children(victim: Victim) -> Found:
    """Whether there is a child in a record of hers."""
    known = [case.child for case in victim.cases if case.child is not None]
    if any(known):
        return Found.YES
    if victim.withheld(CHILDREN) and not known:
        return Found.WITHHELD
    return Found.NO if known else Found.UNSTATED


def timed(victim: Victim) -> Found:
    """Whether it is known how long her first referral took."""
    if latency(victim.first) is not None:
        return Found.YES
    return Found.WITHHELD if victim.withheld(TIMES) else Found.UNSTATED


def latency(case: Case) -> timedelta | None:
    """From the report to police until an adviser had it; nothing where an adviser at the scene was first."""
    if case.reported is None or case.had is None:
        return None
    return max(case.had - case.reported, timedelta(0))


def children(victim: Victim) -> int:
    """How many children the record of her first referral holds, as far as it is known."""
    return victim.first.children or 0


def _status(victim: Victim, yes: bool) -> Found:  # noqa: FBT001 - what was found
    if yes:
        return Found.YES
    if victim.withheld(STATUS):
        return Found.WITHHELD
    return Found.NO if any(case.words for case in victim.cases) else Found.UNSTATED


_YES_NO: Mapping[str, Found] = {"yes": Found.YES, "no": Found.NO, "withdrawn": Found.NO}


RATES: tuple[Definition, ...] = (
    Definition(
        "reached",
        "Victims reached",
        "Victims an adviser spoke with, at the scene or after: a contact attempt that reached her, or a word that she "
        "engaged or declined.",
        _VICTIMS,
        "Victims of whom no adviser has recorded anything yet.",
        frozenset({STATUS}),
        Below.REFERRED,
        reached,
    ),
    Definition(
        "engaged",
        "Engaged in safeguarding",
        "Victims who engaged with the advisers at any time, wholly or in part (the rate that LJMU gives as 21.5 % "
        "before Operation Provide and 67.2 % with it).",
        _VICTIMS,
        "Victims of whom no adviser has recorded anything yet.",
        frozenset({STATUS}),
        Below.REFERRED,
        engaged,
        within="reached",
    ),
    Definition(
        "supporting",
        "Supporting the police investigation",
        "Victims whose last recorded wish is to support it (the rate that LJMU gives as 14.4 % before Operation "
        "Provide and 41.3 % with it). Counted only where she agreed that it is told; who withdrew is not counted.",
        _VICTIMS,
        "Victims of whom no wish is recorded.",
        frozenset({WISHES}),
        Below.REFERRED,
        supports,
    ),
    Definition(
        "safer",
        "Made safer",
        "Victims who said, when their case closed, that they are safer (Blackpool Teaching Hospitals gives 77 %).",
        "Victims who were asked it when their case closed, and answered.",
        "Victims who were not asked, or did not answer, or whose case is open.",
        frozenset({STATUS}),
        Below.ASKED,
        safer,
    ),
    Definition(
        "repeated",
        "Repeat within twelve months",
        "Victims with another incident in the quarters counted, on a later day within twelve months of one before.",
        _VICTIMS,
        "None: a repeat is what was reported here. Of whoever was referred late, less can have been.",
        frozenset({LISTED, TIMES}),
        Below.REFERRED,
        repeated,
    ),
    Definition(
        "with-children",
        "Victims with children",
        "Victims in whose record there is at least one child, a victim too.",
        _VICTIMS,
        "Victims of whose record nobody knows any more whether it holds a child.",
        frozenset({CHILDREN}),
        Below.REFERRED,
        with_children,
    ),
    Definition(
        "timed",
        "Referrals whose time is known",
        "Victims of whose first referral both times are known: when police were told, and when an adviser had it.",
        _VICTIMS,
        "Victims one of whose times nobody stated.",
        frozenset({TIMES, STATUS}),
        Below.REFERRED,
        timed,
    ),
)
"""The figures that are a share of something. `timed` is what the median and the 95th percentile rest on."""

REFERRED = Definition(
    "referred",
    "Victims referred",
    _VICTIMS,
    "",
    "",
    frozenset({LISTED, TIMES}),
    Below.REFERRED,
    lambda _: Found.YES,
)
"""The count that most figures have below the line."""

LATENCY_WORDS = (
    "From the time police were told of the incident until an adviser had it: the first time the gateway gave the "
    "referral to the team, or the earliest time stated for its receipt, its acknowledgement, a contact at the scene or "
    "whatever else the team did; nothing where an adviser was at the scene before. Of each victim's first referral. "
    "The median, and the 95th percentile where at least 20 are counted."
)
CHILDREN_WORDS = "Children in the record of each victim's first referral."
