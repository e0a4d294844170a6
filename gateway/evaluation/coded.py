"""What is counted: a referral as codes, areas and times, and a victim as all of hers that are linked.

A value is None where nobody stated it. Where the agreement does not release an item of a referral to the evaluation,
the item's name stands in `withheld` and its value is not here at all: no figure can be worked out from it.

Source: domain.md sections 4.3 (words), 4.4 (evaluation column), 1.9 (exit).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from gateway.london import day_of


@dataclass(frozen=True, slots=True)
class Said:
    """A coded word on a case: what, when, and its value where it has one."""

    code: str
    at: datetime
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A referral of one victim to the advisers, in codes.

    `at` is when the incident happened; `reported` when police were told of it; `had` when an adviser had it first.
    `child` is whether a child is in the record, `children` how many are.
    """

    id: str
    at: datetime
    area: str | None = None
    reported: datetime | None = None
    had: datetime | None = None
    child: bool | None = None
    children: int | None = None
    words: tuple[Said, ...] = ()
    withheld: frozenset[str] = field(default_factory=frozenset)

    @property
    def placed(self) -> datetime:
        """What puts it in a quarter: when police were told; where nobody stated it, when it happened."""
        return self.reported or self.at

    def said(self, *codes: str) -> tuple[Said, ...]:
        """The words of these codes, the earliest first."""
        return tuple(sorted((one for one in self.words if one.code in codes), key=lambda one: one.at))


@dataclass(frozen=True)
class Victim:
    """One victim: all her referrals counted, the earliest first, which places her in an area and a quarter."""

    cases: tuple[Case, ...]

    def __post_init__(self) -> None:
        """Raise ValueError where there is none."""
        if not self.cases:
            raise ValueError("a victim has at least one referral")

    @property
    def first(self) -> Case:
        """Her first referral in the quarters counted."""
        return self.cases[0]

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The days of her incidents, each once, in order."""
        return tuple(sorted({day_of(case.at) for case in self.cases}))

    def said(self, *codes: str) -> tuple[Said, ...]:
        """The words of these codes in all her referrals, the earliest first."""
        return tuple(sorted((one for case in self.cases for one in case.said(*codes)), key=lambda one: one.at))

    def withheld(self, item: str) -> bool:
        """Whether the agreement withholds an item of any of her referrals."""
        return any(item in case.withheld for case in self.cases)
