"""Whether a message is taken, by our own rules: findings with the answer that each asks for. Pure; nothing is changed.

What we never take (a version, a type, another processing id) is said alone: nothing else of such a message matters.
`answer(findings)` is AA, AE or AR. A finding names a place and never a value (P7).

Source: HL7 v2.4 section 2.9.2 (processing rules) and table 0357; domain.md section 2.9.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.nhs.hl7v2.finding import Finding, Level, Said, bounded
from adapters.nhs.hl7v2.identity import identity
from adapters.nhs.hl7v2.message import NULL, Message, Segment
from adapters.nhs.hl7v2.moments import day, moment
from adapters.nhs.hl7v2.rules import Check, Rule, Rules


def judge(message: Message, rules: Rules, *, processing: str = "P") -> tuple[Finding, ...]:
    """What there is to say of a message. `processing` is the one MSH-11 that is taken: P in production, T elsewhere."""
    never = tuple(_never(message, rules, processing))
    if never:
        return never
    found = list(message.noted)
    if message.text("DSC", 1):  # half a message could be taken for a whole one; in MSH-14 some systems write a time
        found.append(Finding("DSC-1", Said.IN_PARTS, Level.ERROR))
    for rule in rules.by_type[message.type]:
        found += _looked(message, rule)
    found += (Finding(name, Said.Z_SEGMENT) for name in message.counts if name.startswith("Z"))
    return bounded(found)


def _never(message: Message, rules: Rules, processing: str) -> Iterator[Finding]:
    if message.type not in rules.types:
        code = message.type.partition("^")[0]
        said = Said.EVENT if code in rules.codes else Said.TYPE if code else Said.MISSING
        yield Finding("MSH-9.2" if said is Said.EVENT else "MSH-9", said, Level.REJECT)
    if message.version not in rules.versions:
        yield Finding("MSH-12", Said.VERSION, Level.REJECT)
    if message.processing != processing:
        yield Finding("MSH-11", Said.PROCESSING, Level.REJECT)


def _looked(message: Message, rule: Rule) -> Iterator[Finding]:
    if rule.check is Check.SEGMENT:
        if rule.segment not in message.counts:
            yield Finding(rule.segment, Said.SEGMENT_MISSING, rule.level)
        return
    for segment in message.all(rule.segment):
        if rule.check is Check.NUMBERS:
            yield from identity(segment, rule.field, level=rule.level)[1]
        elif (said := _wrong(segment, rule)) is not None:
            yield Finding(segment.place(rule.field, rule.component), said, rule.level)


def _wrong(segment: Segment, rule: Rule) -> Said | None:
    """What is wrong with the value at a place; None where nothing is."""
    part = rule.component or 1
    value = segment.text(rule.field, part)
    if rule.check is Check.VALUE:  # in any repetition: systems keep the place of a number that they do not have
        there = (segment.text(rule.field, part, repetition=n) for n in range(1, segment.repetitions(rule.field) + 1))
        return None if any(one not in ("", NULL) for one in there) else Said.MISSING
    if value in ("", NULL):
        return None
    match rule.check:
        case Check.DATE:
            return None if day(value) else Said.NOT_A_DATE
        case Check.TIME:
            return None if moment(value) else Said.NOT_A_TIME
        case _:
            return None if value.upper() in rule.table else Said.NOT_IN_TABLE
