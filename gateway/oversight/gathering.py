"""What the rules of findings work with: an entry as an act, a finding, and acts gathered until the matter is over."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from audit.entry import timestamp
from gateway.oversight.entries import Sealed

EVIDENCE_MAX = 100
"""Entries named beside a finding, the first; `count` says how many there are."""

Evidence = tuple[int, str]
"""An entry: its index in the log, and its id."""


@dataclass(frozen=True, slots=True)
class Act:
    """An entry as the rules read it."""

    index: int
    id: str
    at: datetime
    event: str
    operation: str
    outcome: str
    organisation: str
    client: str
    user: str | None
    case: str | None
    reason: str | None
    facts: Mapping[str, Any]
    detail: Mapping[str, str | int]

    @classmethod
    def of(cls, one: Sealed) -> Act:
        """The act of an entry."""
        said = one.said
        actor = said["actor"]
        return cls(
            one.index,
            said["id"],
            one.at,
            said["event"],
            said["operation"],
            said["outcome"],
            actor["organisation"],
            actor["client"],
            actor["user"],
            said["case"],
            said["reason"],
            said["facts"] or _NONE,
            said["detail"] or _NONE,
        )

    @property
    def entry(self) -> Evidence:
        """The entry as evidence."""
        return (self.index, self.id)


_NONE: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: who, about which case where it is about one, when, in words, and the entries it rests on.

    `known` is when it could first be made; a finding belongs to the range that holds this instant.
    """

    rule: str
    words: str
    organisation: str
    client: str
    user: str | None
    case: str | None
    known: datetime
    first: datetime
    last: datetime
    count: int
    evidence: tuple[Evidence, ...]

    def to_json(self) -> dict[str, Any]:
        """The finding as plain JSON values."""
        return {
            "rule": self.rule,
            "words": self.words,
            "organisation": self.organisation,
            "client": self.client,
            "user": self.user,
            "case": self.case,
            "known": timestamp(self.known),
            "first": timestamp(self.first),
            "last": timestamp(self.last),
            "count": self.count,
            "entries": [{"index": index, "id": id_} for index, id_ in self.evidence],
        }


@dataclass(slots=True)
class Matter:
    """Acts that belong together."""

    opener: Act
    known: datetime
    first: datetime
    last: datetime
    count: int = 0
    evidence: list[Evidence] = field(default_factory=list)

    def add(self, acts: Iterable[Act]) -> None:
        """Add acts, in order."""
        for act in acts:
            self.first, self.last = min(self.first, act.at), max(self.last, act.at)
            self.count += 1
            if len(self.evidence) < EVIDENCE_MAX:
                self.evidence.append(act.entry)

    def finding(self, rule: str, words: str, *, case: str | None, known: datetime | None = None) -> Finding:
        """The finding these acts make."""
        who = self.opener
        return Finding(
            rule,
            words,
            who.organisation,
            who.client,
            who.user,
            case,
            known or self.known,
            self.first,
            self.last,
            self.count,
            tuple(self.evidence),
        )


def matter(opener: Act) -> Matter:
    """A matter that an act opens."""
    return Matter(opener, opener.at, opener.at, opener.at)


class Gathering:
    """Matters under way, by key; one is over when none of its acts has followed for `apart`."""

    def __init__(self, rule: str, words: str, apart: timedelta, *, about_case: bool) -> None:
        self._rule = rule
        self._words = words
        self._apart = apart
        self._about_case = about_case
        self._open: OrderedDict[Hashable, Matter] = OrderedDict()

    def add(self, key: Hashable, acts: Iterable[Act], latest: Act) -> None:
        """Add acts to a matter, the latest of which has just been seen."""
        found = self._open.pop(key, None) or matter(latest)
        found.add(acts)
        self._open[key] = found

    def __contains__(self, key: Hashable) -> bool:
        return key in self._open

    def over(self, now: datetime) -> Iterator[Finding]:
        """The findings of matters that are over at an instant."""
        while self._open and next(iter(self._open.values())).last + self._apart < now:
            yield self._finding(self._open.popitem(last=False)[1])

    def end(self) -> Iterator[Finding]:
        """The findings of all that are still open."""
        while self._open:
            yield self._finding(self._open.popitem(last=False)[1])

    def _finding(self, found: Matter) -> Finding:
        return found.finding(self._rule, self._words, case=found.opener.case if self._about_case else None)
