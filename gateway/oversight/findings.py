"""Findings for an auditor: acts that somebody should look at, each by a named rule, with the entries as evidence.

There is no score. A rule states exactly what it takes for unusual (`unusual.py`, `thresholds.py`), the same entries
give the same findings, and each finding names the entries it rests on. One pass is made over the log, and memory does
not grow with it.

Source: domain.md section 5.2, point 14 (conflict of interest, canary records, break-glass review); DPA 2018 s.62(4)
(logs serve to verify lawfulness, self-monitoring and disciplinary proceedings).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.entry import timestamp
from gateway.oversight.entries import Source
from gateway.oversight.gathering import Act, Finding
from gateway.oversight.standing import STEPS, Past, Texts
from gateway.oversight.thresholds import Thresholds
from gateway.oversight.unusual import STANDING_EVENTS, Rule, rules

FINDINGS_MAX = 10_000
"""Findings kept; beyond, they are counted only."""


@dataclass(frozen=True, slots=True)
class Found:
    """The findings of a range, by the time they could first be made, and how many each rule made."""

    findings: tuple[Finding, ...]
    counts: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """The findings as plain JSON values."""
        return {"counts": dict(self.counts), "findings": [one.to_json() for one in self.findings]}

    def table(self) -> Iterator[tuple[str | int, ...]]:
        """The findings under `COLUMNS`, one row each."""
        for one in self.findings:
            evidence = " ".join(str(index) for index, _ in one.evidence)
            who = (one.organisation, one.client, one.user or "", one.case or "")
            yield (one.rule, *who, timestamp(one.first), timestamp(one.last), one.count, one.words, evidence)


COLUMNS = ("rule", "organisation", "client", "user", "case", "first", "last", "count", "words", "entries")


def find(
    source: Source,
    thresholds: Thresholds | None = None,
    start: datetime | None = None,
    stop: datetime | None = None,
    *,
    now: datetime | None = None,
) -> Found:
    """The findings that could first be made in a range.

    `now` is when the range is looked at, where that is before its end: what is not yet overdue then is no finding.
    Without either, it is the time of the last entry.
    """
    chosen = thresholds or Thresholds()
    past = Past(Texts(source.texts))
    at_work = rules(chosen, past)
    kept = _Kept(start, stop, at_work)
    begin = start - chosen.lookback if start else None
    for sealed in source.earlier(STANDING_EVENTS | frozenset(STEPS), begin):
        past.follow(sealed)
        for rule in at_work:
            rule.remember(Act.of(sealed))
    for rule in at_work:  # what became due between those and the range belongs to another range
        kept.take(rule.end(begin) if begin else ())
    last: datetime | None = None
    for sealed in source.entries(begin, stop):
        past.follow(sealed)
        act = Act.of(sealed)
        last = act.at
        for rule in at_work:
            kept.take(rule.see(act))
    end = min((moment for moment in (now, stop) if moment is not None), default=last)
    if end is not None:
        for rule in at_work:
            kept.take(rule.end(end))
    kept.found.sort(key=lambda one: (one.known, one.rule, one.evidence[0]))
    return Found(tuple(kept.found), dict(sorted(kept.counts.items())))


class _Kept:
    """The findings that belong to a range."""

    def __init__(self, start: datetime | None, stop: datetime | None, at_work: Iterable[Rule]) -> None:
        self._start = start
        self._stop = stop
        self.found: list[Finding] = []
        self.counts: Counter[str] = Counter({rule.name: 0 for rule in at_work})

    def take(self, findings: Iterable[Finding]) -> None:
        """Keep those of the range."""
        for one in findings:
            if (self._start is None or one.known >= self._start) and (self._stop is None or one.known < self._stop):
                self.counts[one.rule] += 1
                if len(self.found) < FINDINGS_MAX:
                    self.found.append(one)
