"""Whether the patient PDS found is the one who was meant: pure judgement of two descriptions.

PDS says that nobody else fits the question; it was asked with three letters of a name, so that is no proof. The two are
compared as any two people are (`gateway.matching`), among everybody there is. Without a person a number counts only
where that comes to a link, both names agree and the birthday is the same, PDS is sure enough, says that the number is
verified, and knows of no death. Whoever shares neither a name nor the birthday was not asked for, and is shown to
nobody.

Source: domain.md sections 2.1 (only status 01), 2.6, 4.7 (bands).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from adapters.nhs.pds import Found
from gateway.matching.comparisons import Level
from gateway.matching.model import Band, Model
from gateway.matching.traits import traits_of
from mappings.record import Person

PEOPLE = 60_000_000  # patients on PDS, to the nearest ten million
LEAST_SCORE = (
    0.75  # what PDS's own sandbox gives for its single matches; 1.0 is an exact match, which a wildcard is not
)
VERIFIED = "01"
TEST_NUMBERS = ("999", "900000")  # how the numbers of nobody begin (domain.md section 2.1)

_FAMILY = frozenset({"exact", "alias"})
_GIVEN = frozenset({"exact", "nickname"})
_BORN = frozenset({"exact"})
_NEAR_BORN = frozenset({"exact", "default"})
_APART = frozenset({"other", "apart"})


class Verdict(StrEnum):
    """What becomes of the patient who was found."""

    SAME = "same"
    REVIEW = "review"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and what it rests on: how far the two agree, field by field."""

    verdict: Verdict
    levels: Mapping[str, Level]


def judge(meant: Person, found: Found, event: date | None, model: Model) -> Judgement:
    """Compare who was meant with who was found; `event` is the day an age was stated for."""
    score = model.score(traits_of(meant, event), traits_of(found.person, None))
    levels = score.levels
    if _stranger(levels):
        return Judgement(Verdict.STRANGER, levels)
    sure = (
        model.band(score, PEOPLE) is Band.LINK
        and levels.get("family") in _FAMILY
        and levels.get("given") in _GIVEN
        and levels.get("birth") in _BORN
        and (found.score is not None and found.score >= LEAST_SCORE)
        and found.person.nhs_number_status == VERIFIED
        and found.person.deceased is not True
    )
    return Judgement(Verdict.SAME if sure else Verdict.REVIEW, levels)


def _stranger(levels: Mapping[str, Level]) -> bool:
    """Whether the birthday, which was asked for, is another one, or no name that is stated agrees."""
    born = levels.get("birth")
    names = [levels[field] for field in ("family", "given") if field in levels]
    return (born is not None and born not in _NEAR_BORN) or (bool(names) and all(one in _APART for one in names))
