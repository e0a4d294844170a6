"""What agreement is worth: Fellegi-Sunter weights as data, the probability they come to, and the band it falls into.

A level weighs log2(m/u) bits: m is how often it is seen between two records of one person, u between two people. The
weights lie in `weights.json` with where each comes from and the date; the file is read strictly. The probability
depends on how many people there are to choose from: what is convincing among a thousand is not among a million.

Automatic linking needs more than a high probability (domain.md section 4.7): at least three independent things agree,
nothing contradicts, and what tells twins, brothers and fathers from each other is known. Pure: no storage, no clock.

Source: Fellegi and Sunter (1969); domain.md section 4.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from math import log2
from typing import Any

import orjson

from gateway.matching.comparisons import FIELDS, LEVELS, Level
from gateway.matching.traits import Traits, together


class WeightsInvalid(Exception):
    """The weights file is not what the comparisons need; names the place."""


class Band(StrEnum):
    """What a score leads to."""

    LINK = "link"
    REVIEW = "review"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Score:
    """Two people compared: the level of each field that both state, and the weight in bits."""

    levels: Mapping[str, Level]
    bits: float

    @property
    def agreeing(self) -> int:
        """How many independent things agree: an address counts once, however many fields it has."""
        return len({GROUPS[field] for field, level in self.levels.items() if level in AGREES[field]})

    @property
    def doubtful(self) -> bool:
        """Whether something keeps it from being linked without a person, however high the weight."""
        return _doubtful(self.levels)


@dataclass(frozen=True)
class Model:
    """Weights, and the bands. `weights[field][level]` is in bits; `family_bits` is for one family name exactly."""

    weights: Mapping[str, Mapping[Level, float]]
    family_bits: Mapping[str, float]
    link: float
    review: float

    def score(self, a: Traits, b: Traits) -> Score:
        """Compare two people."""
        weights = self.weights
        levels: dict[str, Level] = {}
        bits = 0.0
        for field, compare in FIELDS.items():
            level = compare(a, b)
            if level is not None:
                levels[field] = level
                bits += weights[field][level]
        if levels.get("family") == "exact":
            bits += self._commonness(a, b)
        return Score(levels, bits)

    def _commonness(self, a: Traits, b: Traits) -> float:
        """What is taken from the weight of a family name that many people have; the rarest that agrees counts."""
        both = {name for name, _ in a.names} & {name for name, _ in b.names}
        exact = self.weights["family"]["exact"]
        return max(self.family_bits.get(name, exact) for name in both if name) - exact

    def probability(self, score: Score, people: int) -> float:
        """How likely it is that both are one person, where one of `people` is the right one."""
        exponent = score.bits - log2(max(people, 2))
        return 1.0 if exponent > MOST_BITS else 2.0**exponent / (1.0 + 2.0**exponent)

    def band(self, score: Score, people: int) -> Band:
        """What the score of two people leads to, before it is known whether anybody else comes as near."""
        probability = self.probability(score, people)
        if probability < self.review or _strangers(score.levels):
            return Band.NONE
        sure = probability >= self.link and score.agreeing >= LEAST_AGREEING and not score.doubtful
        return Band.LINK if sure else Band.REVIEW


LEAST_AGREEING = 3
"""Independent things that must agree before anything is linked without a person (domain.md section 4.7)."""

MOST_BITS = 1000.0  # beyond, two to its power is no float

GROUPS: Mapping[str, str] = {field: field for field in FIELDS} | {
    "place": "postcode",
    "town": "postcode",
    "number": "nhs_number",
}
"""Fields of one group say one thing: who lives at one address shares its line, its postcode and its town."""

AGREES: Mapping[str, frozenset[Level]] = {
    "family": frozenset({"exact", "alias", "similar", "near", "swapped"}),
    "given": frozenset({"exact", "nickname", "slip", "similar", "near", "swapped"}),
    "birth": frozenset({"exact", "swapped", "slip", "year", "close", "near", "decade"}),
    "sex": frozenset(),  # half of all people agree
    "nhs_number": frozenset({"exact"}),
    "number": frozenset({"exact"}),
    "postcode": frozenset({"exact", "slip"}),
    "place": frozenset({"exact", "similar"}),
    "town": frozenset({"exact", "similar"}),
    "phone": frozenset({"exact", "slip"}),
    "email": frozenset({"exact", "slip", "similar"}),
}
"""The levels that count as agreement."""

_CONTRADICTS: Mapping[str, frozenset[Level]] = {
    "sex": frozenset({"other"}),
    "nhs_number": frozenset({"slip", "other"}),
}
"""What nothing else makes up for."""
_NUMBERED = ("nhs_number", "number")
_APART: Mapping[str, frozenset[Level]] = {
    "given": frozenset({"other", "apart"}),  # twins and sisters
    "birth": frozenset({"far"}),  # father and son
}
"""What speaks against one person, unless a number of their own agrees."""
_SURE: Mapping[str, frozenset[Level]] = {
    "given": frozenset({"exact", "nickname", "slip", "swapped"}),
    "birth": frozenset({"exact", "swapped", "slip", "year", "close", "near"}),
}
"""What tells the people of one household from each other: a name and a birthday, without much of a slip in either."""


def _doubtful(levels: Mapping[str, Level]) -> bool:
    """Whether something speaks against it, or only a household is known.

    One family name, address and telephone with another spelling of the given name, an initial alone or another birthday
    is how twins and brothers look; there, something of their own must agree as well.
    """
    if _any(levels, _CONTRADICTS):
        return True
    if any(levels.get(field) == "exact" for field in _NUMBERED):
        return False
    if _any(levels, _APART):
        return True
    sure = all(levels.get(field) in enough for field, enough in _SURE.items())
    slipped_twice = levels.get("given") == "slip" and levels.get("birth") == "near"  # sisters may look like that
    return (not sure or slipped_twice) and levels.get("email") not in AGREES["email"]


def _two_people(levels: Mapping[str, Level]) -> bool:
    """Whether two candidates cannot both be somebody: names that are known and not one, a generation, a number."""
    numbered = any(levels.get(field) == "exact" for field in _NUMBERED)
    apart = levels.get("given") == "apart" or levels.get("birth") == "far"
    return _any(levels, _CONTRADICTS) or (apart and not numbered)


def _strangers(levels: Mapping[str, Level]) -> bool:
    """Whether neither name nor birthday agrees, nor a number: two who share a house and a telephone."""
    apart = all(levels.get(field) in {"other", "apart", "far"} for field in ("given", "birth"))
    return apart and not any(levels.get(field) == "exact" for field in _NUMBERED)


def _any(levels: Mapping[str, Level], of: Mapping[str, frozenset[Level]]) -> bool:
    return any(levels.get(field) in against for field, against in of.items())


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate and what it came to."""

    score: Score
    band: Band
    probability: float


def judge(model: Model, one: Traits, candidates: Sequence[Traits], people: int) -> list[Judged]:
    """Judge every candidate for one person, in their order.

    What is linked counts as known of the person from then on, and the others are judged again with it: a record that
    gives a maiden name and an address joins one that has only the name to one that has only the address.

    Where two candidates would both be linked and are not one person between themselves, neither is: a person decides.
    """
    found = _each(model, one, candidates, people)
    linked = [at for at, each in enumerate(found) if each.band is Band.LINK]
    if not linked:
        return found
    if not _one_person(model, [candidates[at] for at in linked], people):
        return [each if each.band is not Band.LINK else replace(each, band=Band.REVIEW) for each in found]
    known = one
    while len(linked) < len(candidates):
        before, known = known, together([one, *(candidates[at] for at in linked)])
        if known == before:  # who is linked says nothing new: the others come to what they came to
            break
        left = [at for at in range(len(candidates)) if at not in linked]
        again = _each(model, known, [candidates[at] for at in left], people)
        more = {at: each for at, each in zip(left, again, strict=True) if each.band is Band.LINK}
        if not more or not _one_person(model, [candidates[at] for at in more], people):
            break
        for at, each in more.items():
            found[at] = each
        linked += more
    return found


def _each(model: Model, one: Traits, candidates: Sequence[Traits], people: int) -> list[Judged]:
    scores = [model.score(one, other) for other in candidates]
    return [Judged(score, model.band(score, people), model.probability(score, people)) for score in scores]


def _one_person(model: Model, candidates: Sequence[Traits], people: int) -> bool:
    """Whether nothing keeps candidates from being one person: each of them is near enough to the first."""
    scores = [model.score(candidates[0], other) for other in candidates[1:]]
    return all(model.band(score, people) is not Band.NONE and not _two_people(score.levels) for score in scores)


def load(document: Mapping[str, Any]) -> Model:
    """The model of a weights document. Raises WeightsInvalid naming the place."""
    fields = document.get("fields")
    if not isinstance(fields, dict) or fields.keys() != LEVELS.keys():
        raise WeightsInvalid("fields: not exactly the fields that are compared")
    weights: dict[str, dict[Level, float]] = {}
    for field, levels in fields.items():
        if levels.keys() != set(LEVELS[field]):
            raise WeightsInvalid(f"fields.{field}: not exactly its levels")
        for level, one in levels.items():
            if one.keys() != {"m", "u", "from"} or not (0 < one["m"] <= 1 and 0 < one["u"] <= 1):
                raise WeightsInvalid(f"fields.{field}.{level}: wants m and u between 0 and 1, and where they are from")
        weights[field] = {level: log2(one["m"] / one["u"]) for level, one in levels.items()}
    exact = fields["family"]["exact"]["m"]
    common = document["family_names"]
    bands = document["bands"]
    if not 0 < bands["review"] < bands["link"] < 1:
        raise WeightsInvalid("bands: review is below link, both between 0 and 1")
    return Model(weights, {name: log2(exact / share) for name, share in common.items()}, bands["link"], bands["review"])


@cache
def shipped() -> Model:
    """The model that ships with the gateway."""
    return load(orjson.loads(files("gateway.matching").joinpath("weights.json").read_bytes()))
