"""What is wrong with an agreement before anybody signs it: static checks, in words for a lawyer.

An error makes an agreement that should not be signed; a warning is something its author should look at. The checks read
the agreement alone. What an agreement would have done to past records is another question.

Source: design.md section 6 (before signing); domain.md sections 3.1 and 3.4 (bases and powers that carry less than they
seem to), 4.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Literal

from gateway import rules
from gateway.agreement import Agreement
from gateway.agreement.content import Clause, Conditions, Content
from gateway.agreement.text import Path, line_of
from gateway.agreement.traps import Remark, traps
from gateway.agreement.words import UNKNOWN
from gateway.generalise import TALLIED
from gateway.route import OWN_RECORD
from gateway.shifts import bank_holidays
from mappings.items import Words, plan
from mappings.record import Grade, Part, Record


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark: how grave, a code, where (`clauses F1-referral`), on which line of the text, from 1, and words."""

    severity: Literal["error", "warning"]
    code: str
    where: str
    line: int
    words: str


def check(agreement: Agreement) -> tuple[Finding, ...]:
    """Everything found, errors first, otherwise in the order of the agreement."""
    content = agreement.content
    remarks = [
        *_dates(content),
        *_people(content),
        *_clocks(content),
        *_closed(content),
        *_kept(content),
        *traps(content),
    ]
    remarks += _reach(content)
    for at in range(len(content.clauses)):
        remarks += [*_once(content, at), *_forbidden(content, at), *_possible(content, at), *_gated(content, at)]
    remarks += _disagreeing(content)
    found = [
        Finding(
            severity="warning" if code in _WARNINGS else "error",
            code=code,
            where=_where(content, path),
            line=line_of(agreement.lines, path),
            words=words,
        )
        for code, path, words in remarks
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


_WARNINGS = {"part-withheld", "bank-holiday-open", "closed-without-holiday"}


def _where(content: Content, path: Path) -> str:
    """A path as a lawyer finds it: `clauses F1-referral`, `in_force`, `clocks acknowledge`."""
    group, *rest = path
    if rest and isinstance(rest[0], int):
        return f"{group} {getattr(content, str(group))[rest[0]].id}"
    return " ".join(str(step) for step in path[:2])


def _dates(content: Content) -> Iterator[Remark]:
    dates = content.in_force
    if dates.until <= dates.starts:
        yield "never-in-force", ("in_force", "until"), "it ends before it begins"
    if content.review_by > dates.until.date():
        yield "review-after-end", ("review_by",), "the review is due after the agreement has ended"
    if content.review_by < dates.starts.date():
        yield "review-before-start", ("review_by",), "the review is due before the agreement begins"


def _people(content: Content) -> Iterator[Remark]:
    of = {contact.id: contact.party for contact in content.contacts}
    for at, party in enumerate(content.parties):
        for name in ("signatory", "data_protection_officer", "caldicott_guardian"):
            person = getattr(party, name)
            if person and of[person] != party.id:
                yield "of-another-party", ("parties", at, name), f"{person} belongs to {of[person]}"
        if party.is_nhs and not party.caldicott_guardian:
            yield "no-caldicott-guardian", ("parties", at), "an NHS organisation has a Caldicott Guardian"


def _clocks(content: Content) -> Iterator[Remark]:
    for name in ("acknowledge", "first_contact", "review"):
        stated = {str(grade) for grade in getattr(content.clocks, name)}
        for grade in (*(g.value for g in Grade), UNKNOWN):
            if grade not in stated:
                yield "missing-clock", ("clocks", name), f"no clock for grade {grade}"


def _closed(content: Content) -> Iterator[Remark]:
    """Where the days that are closed and England's bank holidays differ: the agreement's count, so somebody looks."""
    starts, until = content.in_force.starts.date(), content.in_force.until.date()
    years = range(starts.year, min(until.year, starts.year + _YEARS_LOOKED_AT) + 1)
    days = {day for year in years for day in bank_holidays(year) if starts <= day < until and day.weekday() < _WEEKEND}
    here: Path = ("clocks", "closed")
    for day in sorted(days - set(content.clocks.closed)):
        yield "bank-holiday-open", here, f"{day} is a bank holiday in England, and the clocks count it as a working day"
    for at, day in enumerate(content.clocks.closed):
        if starts <= day < until and day not in bank_holidays(day.year) and day.weekday() < _WEEKEND:
            yield "closed-without-holiday", (*here, at), f"{day} is closed, and no bank holiday in England"


_YEARS_LOOKED_AT = 10  # bank holidays further ahead are a guess
_WEEKEND = 5  # Saturday, as Python counts


def _kept(content: Content) -> Iterator[Remark]:
    kept = content.retention
    path: Path = ("retention", "classes")
    record, log = kept.of("record"), kept.of("log")
    if kept.backstop_days < record.days:
        words = "a record nobody closed would go before one that was closed"
        yield "backstop-too-soon", ("retention", "backstop_days"), words
    if log.days < max(record.days, kept.backstop_days):
        yield "log-before-record", path, "the log would go before what it is the evidence of"
    if log.from_ != "created":
        yield "log-not-from-creation", path, "an entry of the log is never received or closed: it counts from creation"


def _reach(content: Content) -> Iterator[Remark]:
    for at, flow in enumerate(content.flows):
        for recipient in flow.to:
            if not any(c.flow == flow.id and recipient in c.recipients for c in content.clauses):
                yield "flow-without-clause", ("flows", at), f"no clause gives {recipient} anything"
    reached = {recipient for flow in content.flows for recipient in flow.to}
    for at, one in enumerate(content.recipients):
        if one.id not in reached:
            yield "recipient-without-flow", ("recipients", at), "no flow leads to this recipient"


def _once(content: Content, at: int) -> Iterator[Remark]:
    clause = content.clauses[at]
    named = Counter([*clause.release, *clause.generalise, *(i for kept in clause.withhold for i in kept.each())])
    for item, times in named.items():
        if times > 1:
            yield "named-twice", _place(at, clause, item), f"{item} is named more than once"


def _forbidden(content: Content, at: int) -> Iterator[Remark]:
    clause = content.clauses[at]
    flow = content.flow(clause.flow)
    for known in (r for r in content.recipients if r.id in clause.recipients):
        party = content.party(known.party)
        prohibited = {item: one.id for one in content.prohibitions if known.id in one.recipients for item in one.each()}
        for item in _leaving(clause):
            if item in prohibited:
                words = f"{item} is prohibited to {known.id} by {prohibited[item]}"
                yield "released-and-prohibited", _place(at, clause, item), words
            own = flow.from_ == (known.party,) and flow.purpose == OWN_RECORD
            if rule := rules.bar(item, clause.generalise.get(item), police=party.is_police, own=own):
                yield "released-against-rule", _place(at, clause, item), f"{item}: {rule.words} ({rule.id})"


def _possible(content: Content, at: int) -> Iterator[Remark]:
    clause = content.clauses[at]
    here: Path = ("clauses", at)
    if not _leaving(clause):
        yield "never-applies", here, "it releases nothing"
    if clause.emergency:  # the areas of the recipient, and the holds, wait for a human, who has decided
        return
    for known in (r for r in content.recipients if r.id in clause.recipients):
        if not _meet(known.areas, clause.when.areas):
            yield "never-applies", (*here, "when", "areas"), f"{known.id} works in none of its areas"
    for hold in content.holds:
        if hold.flow == clause.flow and _covers(hold.when, clause.when):
            yield "never-applies", here, f"{hold.id} holds whatever it would release"


def _gated(content: Content, at: int) -> Iterator[Remark]:
    """Items inside a part that stays: `victim.name` goes only with `victim.listed`."""
    clause = content.clauses[at]
    walked = {item for item in _leaving(clause) if clause.generalise.get(item) not in TALLIED}
    for item in _leaving(clause):
        if not any(gates - {item} <= walked for gates in _gates().get(item, [frozenset()])):
            words = f"{item} never leaves: the part it stands in is not released"
            yield "part-withheld", _place(at, clause, item), words


def _disagreeing(content: Content) -> Iterator[Remark]:
    """Clauses that can apply at once and say different things of one item; the stricter wins, and hides the other."""
    for (at, one), (_, other) in combinations(enumerate(content.clauses), 2):
        shared = one.flow == other.flow and set(one.recipients) & set(other.recipients)
        if not shared or one.emergency is not other.emergency or not _overlap(one.when, other.when):
            continue
        first, second = _says(one), _says(other)
        for item in sorted(first.keys() & second.keys()):
            if first[item] != second[item]:
                words = f"{other.id} says something else of {item} in the same case"
                yield "clauses-disagree", _place(at, one, item), words


def _says(clause: Clause) -> dict[str, str]:
    kept = {item: "withhold" for kept in clause.withhold for item in kept.each()}
    return dict.fromkeys(clause.release, "release") | {i: m.value for i, m in clause.generalise.items()} | kept


def _leaving(clause: Clause) -> tuple[str, ...]:
    return (*clause.release, *clause.generalise)


def _place(at: int, clause: Clause, item: str) -> Path:
    """Where a clause names an item."""
    if item in clause.release:
        return ("clauses", at, "release", clause.release.index(item))
    if item in clause.generalise:
        return ("clauses", at, "generalise", item)
    return ("clauses", at, "withhold", next(n for n, kept in enumerate(clause.withhold) if item in kept.each()))


def _meet(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> bool:
    return one is None or other is None or bool(set(one) & set(other))


def _overlap(one: Conditions, other: Conditions) -> bool:
    """Whether some record could meet both. Limits of time always overlap: each counts from now."""
    children = one.children is None or other.children is None or one.children is other.children
    return children and all(_meet(getattr(one, name), getattr(other, name)) for name in _SETS)


def _covers(wide: Conditions, narrow: Conditions) -> bool:
    """Whether every record that meets the second meets the first."""
    for name in _SETS:
        outer, inner = getattr(wide, name), getattr(narrow, name)
        if outer is not None and (inner is None or not set(inner) <= set(outer)):
            return False
    if wide.within_days is not None and (narrow.within_days is None or narrow.within_days > wide.within_days):
        return False
    return wide.children is None or wide.children is narrow.children


_SETS = ("kinds", "areas", "grades", "consent", "ages", "markings", "relationships")


@cache
def _gates() -> dict[str, list[frozenset[str]]]:
    """For each item, the gates around it, once for each place it can stand at."""
    found: dict[str, list[frozenset[str]]] = {}
    _gather(Record, (), frozenset(), found)
    return found


def _gather(cls: type[Part], outer: Words, above: frozenset[str], found: dict[str, list[frozenset[str]]]) -> None:
    for words in [(*outer, (cls.fills, choice)) for choice in cls.choices] if cls.fills else [outer]:
        here = plan(cls, words)
        gates = above | {here.gate} if here.gate else above
        for field in here.fields:
            if field.part is not None:
                _gather(field.part, words, gates, found)
            else:
                found.setdefault(field.item, []).append(gates)
