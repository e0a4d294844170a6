"""A plan of synthetic years: how many of whom, and each victim's story, drawn by a seed and otherwise the same.

The shares are exact, not drawn: of 1,664 victims 1,248 engaged, 832 support the police, and of 900 who were asked 693
are safer. Chance decides who they are, when and where: more in summer and about Christmas, more at weekends and in the
evening, some areas larger than others, most reports with an adviser within the hour and a few after days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from gateway.evaluation.synthetic.people import MOST, TOWNS, Household, household
from gateway.london import LONDON

VICTIMS = 1_664
DAYS_OF_YEAR = 365
SETTLED = timedelta(days=120)
"""Of a case younger than this nobody was asked at its end whether she is safer."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of a number of victims; 1,664 of them give the figures that were published."""

    victims: int = VICTIMS

    def of(self, published: int) -> int:
        """The same share of these victims as so many of 1,664."""
        return round(published * self.victims / VICTIMS)

    @property
    def engaged(self) -> int:
        """Three quarters."""
        return self.of(1_248)

    @property
    def supporting(self) -> int:
        """A half."""
        return self.of(832)

    @property
    def reached(self) -> int:
        """Those an adviser spoke with, whether they engaged or not."""
        return self.of(1_415)

    @property
    def asked(self) -> int:
        """Those who answered at exit."""
        return self.of(900)

    @property
    def safer(self) -> int:
        """Of those who answered, 77 of 100."""
        return round(self.asked * 0.77)

    @property
    def repeated(self) -> int:
        """Those with another incident within twelve months."""
        return self.of(318)

    @property
    def with_children(self) -> int:
        """Those in whose record there is a child: about a half."""
        return self.of(849)


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident: its serial number among all, when it happened, when police were told, and the grade given."""

    serial: int
    occurred: datetime
    reported: datetime
    grade: str


@dataclass(frozen=True, slots=True)
class Story:
    """One victim, and everything that is to become of her. Times are in UTC; `had` of the first incident.

    `supports` is None where nobody spoke of it with her, `safer` where she was not asked.
    """

    serial: int
    area: str
    household: Household
    incidents: tuple[Incident, ...]
    had: datetime
    reached: bool
    engaged: bool
    supports: bool | None
    safer: bool | None

    @property
    def first(self) -> Incident:
        """Her first incident."""
        return self.incidents[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """The stories, by their first incident. `until` is the instant they were told at, the end of the years."""

    until: datetime
    seed: int
    shares: Shares
    stories: tuple[Story, ...]

    def incidents(self) -> Iterator[tuple[Story, Incident]]:
        """Every incident, in the order it was reported."""
        every = [(story, one) for story in self.stories for one in story.incidents]
        return iter(sorted(every, key=lambda pair: (pair[1].reported, pair[1].serial)))


def plan(until: datetime, *, years: int = 2, seed: int = 0, victims: int = VICTIMS) -> Plan:
    """The plan of the years up to an instant. Raises ValueError for more victims, or years, than there can be."""
    if not (0 < victims <= MOST and 1 <= years <= _MOST_YEARS):
        raise ValueError(f"there can be 1 to {MOST} victims, in 1 to {_MOST_YEARS} years")
    random = Random(seed)  # noqa: S311 - not for secrets: the same seed tells the same stories
    shares = Shares(victims)
    until = until.astimezone(UTC).replace(microsecond=0)
    begins = sorted(_moments(until, years, victims, random))
    used = set(begins)
    parts = _Parts.of(shares, begins, until, random)
    stories = [_story(serial, at, parts, until, used, random) for serial, at in enumerate(begins)]
    return Plan(until, seed, shares, _numbered(stories))


_MOST_YEARS = 5
_AREAS = {"blackpool": 38, "wyre": 18, "lancaster": 18, "morecambe": 14, "fylde": 12}  # of a hundred
_MONTHS = (1.12, 0.92, 0.95, 0.96, 1.0, 1.05, 1.14, 1.13, 1.0, 0.96, 0.94, 1.15)  # January first
_WEEKDAYS = (0.95, 0.88, 0.88, 0.92, 1.02, 1.2, 1.15)  # Monday first
_HOURS = (6, 5, 4, 3, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 7, 8, 9, 9, 9, 8, 7)
_GRADES = {"HIGH": 31, "MEDIUM": 45, "STANDARD": 24}  # of a hundred


def _moments(until: datetime, years: int, number: int, random: Random) -> list[datetime]:
    """When victims' first incidents are reported."""
    last = until.astimezone(LONDON).date()
    days = [last - timedelta(days=back) for back in range(1, years * DAYS_OF_YEAR)]
    weights = [_MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()] for day in days]
    found: set[datetime] = set()
    for day in random.choices(days, weights, k=number):
        hour = random.choices(range(24), _HOURS)[0]
        local = datetime(day.year, day.month, day.day, hour, random.randrange(60), random.randrange(60), tzinfo=LONDON)
        found.add(_unused(local.astimezone(UTC), found))
    return list(found)


def _unused(at: datetime, used: set[datetime]) -> datetime:
    """The first second from an instant on that no report has: a team's worklist tells referrals apart by it."""
    while at in used:
        at += timedelta(seconds=1)
    return at


@dataclass(frozen=True, slots=True)
class _Parts:
    """Who is among whom, by serial number."""

    reached: frozenset[int]
    engaged: frozenset[int]
    supporting: frozenset[int]
    spoke_of_it: frozenset[int]
    asked: frozenset[int]
    safer: frozenset[int]
    repeated: frozenset[int]
    with_children: frozenset[int]

    @classmethod
    def of(cls, shares: Shares, begins: Sequence[datetime], until: datetime, random: Random) -> _Parts:
        every = range(len(begins))
        settled = [one for one in every if until - begins[one] > SETTLED]
        # Those who answered at exit first, for they are among those who engaged, and those among the reached.
        asked = random.sample(settled, shares.asked)
        engaged = _grown(asked, every, shares.engaged, random)
        reached = _grown(engaged, every, shares.reached, random)
        supporting = random.sample(reached, shares.supporting)
        others = [one for one in reached if one not in set(supporting)]
        return cls(
            reached=frozenset(reached),
            engaged=frozenset(engaged),
            supporting=frozenset(supporting),
            spoke_of_it=frozenset(random.sample(others, len(others) * 3 // 4)),
            asked=frozenset(asked),
            safer=frozenset(random.sample(asked, shares.safer)),
            repeated=frozenset(random.sample(settled, shares.repeated)),
            with_children=frozenset(random.sample(every, shares.with_children)),
        )


def _grown(some: Sequence[int], among: Sequence[int], number: int, random: Random) -> list[int]:
    """Some, and as many more of others as make a number of them all."""
    known = set(some)
    return [*some, *random.sample([one for one in among if one not in known], number - len(some))]


def _story(
    serial: int, reported: datetime, parts: _Parts, until: datetime, used: set[datetime], random: Random
) -> Story:
    area = random.choices(list(_AREAS), list(_AREAS.values()))[0]
    children = random.choices((1, 2, 3), (5, 3, 2))[0] if serial in parts.with_children else 0
    home = household(serial, area, children, until.date(), random)
    incidents = [_incident(reported, random)]
    if serial in parts.repeated:
        incidents += _again(reported, until, used, random)
    supports = None
    if serial in parts.supporting or serial in parts.spoke_of_it:
        supports = serial in parts.supporting
    return Story(
        serial=serial,
        area=area,
        household=home,
        incidents=tuple(incidents),
        had=min(reported + _took(random), until),
        reached=serial in parts.reached,
        engaged=serial in parts.engaged,
        supports=supports,
        safer=serial in parts.safer if serial in parts.asked else None,
    )


def _incident(reported: datetime, random: Random) -> Incident:
    grade = random.choices(list(_GRADES), list(_GRADES.values()))[0]
    return Incident(0, reported - timedelta(minutes=random.randint(4, 55)), reported, grade)


def _again(first: datetime, until: datetime, used: set[datetime], random: Random) -> Iterator[Incident]:
    """One more incident, seldom two, each within twelve months of the one before and a day before the end."""
    at = first
    for _ in range(random.choices((1, 2), (4, 1))[0]):
        room = min(until - timedelta(days=2) - at, timedelta(days=330))
        if room < timedelta(days=3):
            return
        at += timedelta(days=2) + (room - timedelta(days=2)) * random.random()
        at = _unused(at.replace(microsecond=0), used)
        used.add(at)
        yield _incident(at, random)


def _took(random: Random) -> timedelta:
    """From report to adviser: most within the hour, a few after days."""
    minutes = min(max(random.lognormvariate(3.6, 1.25), 1.0), 8_000.0)
    return timedelta(seconds=round(minutes * 60))


def _numbered(stories: Sequence[Story]) -> tuple[Story, ...]:
    """The stories, their incidents numbered from one in the order they were reported."""
    order = sorted(one.reported.isoformat() + f" {story.serial:06}" for story in stories for one in story.incidents)
    number = {key: at for at, key in enumerate(order, start=1)}
    return tuple(
        Story(
            **{name: getattr(story, name) for name in Story.__slots__ if name != "incidents"},
            incidents=tuple(
                Incident(number[f"{one.reported.isoformat()} {story.serial:06}"], one.occurred, one.reported, one.grade)
                for one in story.incidents
            ),
        )
        for story in stories
    )


if set(_AREAS) != set(TOWNS):  # pragma: no cover - a mistake in this file
    raise AssertionError("areas and their towns")
