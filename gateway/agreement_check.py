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
from gateway.agreement_content import POWERS, UNKNOWN, Clause, Conditions, Content, Flow
from gateway.generalise import TALLIED
from mappings.items import Words, plan
from mappings.record import Grade, Part, Record


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark: how grave, a code, where (`clauses F1-referral`), and words."""

    severity: Literal["error", "warning"]
    code: str
    where: str
    words: str


def check(agreement: Agreement) -> tuple[Finding, ...]:
    """Everything found, errors first, otherwise in the order of the agreement."""
    content = agreement.content
    found = [*_dates(content), *_clocks(content), *_bases(content), *_reach(content)]
    for clause in content.clauses:
        found += [*_once(clause), *_forbidden(content, clause), *_possible(content, clause), *_gated(clause)]
    found += _disagreeing(content)
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


def _dates(content: Content) -> Iterator[Finding]:
    dates = content.in_force
    if dates.until <= dates.starts:
        yield Finding("error", "never-in-force", "in_force", "it ends before it begins")
    if content.review_by > dates.until.date():
        yield Finding("error", "review-after-end", "review_by", "the review is due after the agreement has ended")


def _clocks(content: Content) -> Iterator[Finding]:
    for name in ("acknowledge", "first_contact", "review"):
        stated = {str(grade) for grade in getattr(content.clocks, name)}
        for grade in (*(g.value for g in Grade), UNKNOWN):
            if grade not in stated:
                yield Finding("error", "missing-clock", f"clocks {name}", f"no clock for grade {grade}")


def _bases(content: Content) -> Iterator[Finding]:
    for flow in content.flows:
        where, basis = f"flows {flow.id}", flow.lawful_basis
        if basis.article_6 == "6(1)(a)":
            words = "consent answers confidentiality; it is not the Article 6 basis of this sharing"
            yield Finding("error", "consent-as-lawful-basis", where, words)
        if basis.article_6 == "6(1)(ea)":
            words = "recognised legitimate interests are not open to public authorities in their tasks"
            yield Finding("error", "basis-closed-to-authorities", where, words)
        from_nhs = any(not content.party(id_).is_police for id_ in flow.from_)
        for power in basis.powers:
            if power in _TRAPS or (power == "pcsc-2022-s16" and from_nhs):
                yield Finding("error", "power-cannot-carry", where, f"{POWERS[power]}: {_TRAPS.get(power, _PCSC)}")


_PCSC = "s.16(4) authorises no disclosure of patient information, nor of personal information by a health authority"
_TRAPS = {
    "care-act-2014-s42": "most victims of domestic abuse are not adults within this section",
    "vpa-2024-s13": "binds commissioners, not a trust or a force, and gives no power to disclose",
}


def _reach(content: Content) -> Iterator[Finding]:
    for flow in content.flows:
        for recipient in flow.to:
            if not any(c.flow == flow.id and recipient in c.recipients for c in content.clauses):
                words = f"no clause gives {recipient} anything"
                yield Finding("error", "flow-without-clause", f"flows {flow.id}", words)
    reached = {recipient for flow in content.flows for recipient in flow.to}
    for one in content.recipients:
        if one.id not in reached:
            yield Finding("error", "recipient-without-flow", f"recipients {one.id}", "no flow leads to this recipient")


def _once(clause: Clause) -> Iterator[Finding]:
    named = Counter([*clause.release, *clause.generalise, *(i for kept in clause.withhold for i in kept.each())])
    for item, times in named.items():
        if times > 1:
            yield Finding("error", "named-twice", f"clauses {clause.id}", f"{item} is named more than once")


def _forbidden(content: Content, clause: Clause) -> Iterator[Finding]:
    where, flow = f"clauses {clause.id}", _flow(content, clause)
    for known in (r for r in content.recipients if r.id in clause.recipients):
        party = content.party(known.party)
        prohibited = {item: one.id for one in content.prohibitions if known.id in one.recipients for item in one.each()}
        for item in _leaving(clause):
            if item in prohibited:
                words = f"{item} is prohibited to {known.id} by {prohibited[item]}"
                yield Finding("error", "released-and-prohibited", where, words)
            own = flow.from_ == (known.party,)
            if rule := rules.bar(item, clause.generalise.get(item), police=party.is_police, own=own):
                yield Finding("error", "released-against-rule", where, f"{item}: {rule.words} ({rule.id})")


def _possible(content: Content, clause: Clause) -> Iterator[Finding]:
    where = f"clauses {clause.id}"
    if not _leaving(clause):
        yield Finding("error", "never-applies", where, "it releases nothing")
    for known in (r for r in content.recipients if r.id in clause.recipients):
        if not _meet(known.areas, clause.when.areas):
            yield Finding("error", "never-applies", where, f"{known.id} works in none of its areas")
    for hold in content.holds:
        if hold.flow == clause.flow and _covers(hold.when, clause.when):
            yield Finding("error", "never-applies", where, f"{hold.id} holds whatever it would release")


def _gated(clause: Clause) -> Iterator[Finding]:
    """Items inside a part that stays: `victim.name` goes only with `victim.listed`."""
    walked = {item for item in _leaving(clause) if clause.generalise.get(item) not in TALLIED}
    for item in _leaving(clause):
        if not any(gates - {item} <= walked for gates in _gates().get(item, [frozenset()])):
            words = f"{item} never leaves: the part it stands in is not released"
            yield Finding("warning", "part-withheld", f"clauses {clause.id}", words)


def _disagreeing(content: Content) -> Iterator[Finding]:
    """Clauses that can apply at once and say different things of one item; the stricter wins, and hides the other."""
    for one, other in combinations(content.clauses, 2):
        shared = one.flow == other.flow and set(one.recipients) & set(other.recipients)
        if not shared or not _overlap(one.when, other.when):
            continue
        first, second = _says(one), _says(other)
        for item in sorted(first.keys() & second.keys()):
            if first[item] != second[item]:
                words = f"{other.id} says something else of {item} in the same case"
                yield Finding("error", "clauses-disagree", f"clauses {one.id}", words)


def _says(clause: Clause) -> dict[str, str]:
    kept = {item: "withhold" for kept in clause.withhold for item in kept.each()}
    return dict.fromkeys(clause.release, "release") | {i: m.value for i, m in clause.generalise.items()} | kept


def _leaving(clause: Clause) -> tuple[str, ...]:
    return (*clause.release, *clause.generalise)


def _flow(content: Content, clause: Clause) -> Flow:
    return next(flow for flow in content.flows if flow.id == clause.flow)


def _meet(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> bool:
    return one is None or other is None or bool(set(one) & set(other))


def _overlap(one: Conditions, other: Conditions) -> bool:
    """Whether some record could meet both. Ages always overlap: every limit counts from now."""
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


_SETS = ("kinds", "areas", "grades", "consent")


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
