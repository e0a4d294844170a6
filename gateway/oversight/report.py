"""The monthly report on an agreement for the board that governs it: built from entries alone, as tables.

Every entry of the month is in exactly one row of the first table, so that its counts add up to the number of entries.
What is open at the end of the month is followed from the beginning of the log (`tally.py`). No personal data but staff
identifiers where a person must answer for something. How tables are shown is `report_page.py`.

Source: domain.md sections 3.7 (review), 3.9 (retention), 4.6 (override reviews), 5.2 point 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from audit.entry import timestamp
from gateway.agreement import Agreement
from gateway.oversight.entries import Source
from gateway.oversight.findings import Found, find
from gateway.oversight.ledger import Item, Ledger
from gateway.oversight.month import Month
from gateway.oversight.spreadsheet import Cell
from gateway.oversight.standing import Supposed
from gateway.oversight.tally import NO_FLOW, Tally, tally_of
from gateway.oversight.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the report: an id for its file, a title, what it says and does not, columns, rows; what none means."""

    id: str
    title: str
    words: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    none: str = "None."


@dataclass(frozen=True, slots=True)
class Report:
    """The report on one month. `made` is when; `facts` are the lines at its head."""

    title: str
    agreement: str
    month: Month
    made: datetime
    entries: int
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]

    def table(self, id_: str) -> Table:
        """A table by its id. Raises KeyError."""
        return {one.id: one for one in self.tables}[id_]


def report(
    source: Source, agreement_id: str, month: Month, now: datetime, thresholds: Thresholds | None = None
) -> Report:
    """Build the report. `now` is when it is made; a month that is not over is reported as far as it has come.

    Raises NoSuchAgreement.
    """
    end = min(month.stop, now)
    tally = tally_of(source, agreement_id, month)
    chosen = thresholds or Thresholds()
    found = find(source, chosen, month.start, month.stop, now=now)
    current = tally.newest
    tables = (
        _volumes(tally),
        _clauses(tally),
        _denials(tally),
        _reviews("overrides", "Overrides and their reviews", "override", tally.ledger, end),
        _reviews("break-glass", "Break-glass and its reviews", "break-glass", tally.ledger, end),
        _notices(tally.ledger, end),
        _oral(tally),
        _findings(found),
        _rules(found),
        _witnesses(source, end),
        _life(tally),
        _erasures(tally),
        _holds(tally.ledger),
    )
    return Report(
        title=current.content.title,
        agreement=agreement_id,
        month=month,
        made=now,
        entries=tally.entries,
        facts=tuple(_facts(tally, current, end)),
        tables=tables,
    )


def _facts(tally: Tally, agreement: Agreement, end: datetime) -> Iterable[tuple[str, str]]:
    content = agreement.content
    left = (content.in_force.until - end).days
    warning = Supposed(agreement).expiry_warning(end)
    yield "Entries of the month", str(tally.entries)
    yield "Indexes", f"{tally.first} to {tally.last}" if tally.first is not None else "none"
    yield "Version", f"{agreement.version}, SHA-256 {agreement.hash}"
    yield "Standing at the end", tally.state
    yield "In force", f"from {timestamp(content.in_force.starts)} until {timestamp(content.in_force.until)}"
    if left < 0:
        yield "Expiry", "expired: nothing passes under it"
    else:
        yield "Expiry", f"in {left} days" + (f"; the {warning}-day warning has been reached" if warning else "")
    overdue = " (overdue)" if content.review_by < end.date() else ""
    yield "Review due", f"{content.review_by.isoformat()}{overdue}"


def _sorted(counts: Mapping[tuple[str, ...], int]) -> tuple[tuple[Cell, ...], ...]:
    return tuple((*key, counts[key]) for key in sorted(counts))


def _volumes(tally: Tally) -> Table:
    return Table(
        "volumes",
        "Volumes",
        "Every entry of the month once, by flow, act, who acted and to whom: the counts add up to the number of "
        f"entries. A flow of `{NO_FLOW}` is an act that passes nothing between the parties under a purpose.",
        ("flow", "operation", "event", "by", "to", "outcome", "entries"),
        _sorted(tally.volumes),
        "Nothing happened under the agreement in this month.",
    )


def _clauses(tally: Tally) -> Table:
    return Table(
        "clauses",
        "Clauses",
        "How many entries name each clause. An entry may name several, so the counts do not add up to the entries; "
        "`none` is a decision to which no clause gave anything.",
        ("flow", "clause", "to", "outcome", "entries"),
        _sorted(tally.clauses),
    )


def _denials(tally: Tally) -> Table:
    return Table(
        "denials",
        "Denials and failures",
        "What was not permitted, or failed, and the coded reason.",
        ("reason", "event", "by", "outcome", "entries"),
        _sorted(tally.denials),
    )


def _state(item: Item, end: str) -> str:
    if item.settled:
        return "settled late" if item.late(end) else "settled"
    return "overdue" if item.late(end) else "open"


def _reviews(id_: str, title: str, kind: str, ledger: Ledger, end: datetime) -> Table:
    now = timestamp(end)
    return Table(
        id_,
        title,
        "Those of the month, and earlier ones that were not reviewed when it began, each by the entry that opened it.",
        ("opened", "by", "case", "ground", "review due", "state", "review", "entry"),
        tuple(
            (one.opened, one.who, one.case, one.reason, one.due, _state(one, now), one.outcome, one.index)
            for one in ledger.of(kind)
        ),
    )


def _notices(ledger: Ledger, end: datetime) -> Table:
    now = timestamp(end)
    counts: Counter[tuple[str, ...]] = Counter(
        (one.reason, f"{one.organisation}/{one.recipient}", _state(one, now)) for one in ledger.of("notice")
    )
    return Table(
        "notices",
        "Corrections and other notices",
        "Who was told that something they were given has changed, and whether they have acknowledged it: notices of "
        "the month, and earlier ones that were outstanding when it began.",
        ("notice", "to", "state", "notices"),
        _sorted(counts),
    )


def _oral(tally: Tally) -> Table:
    return Table(
        "oral",
        "Spoken disclosures",
        "What was said at the scene or by phone and recorded afterwards, and whether it went beyond what a clause "
        "would have released.",
        ("by", "to", "channel", "beyond the agreement", "entries"),
        _sorted(tally.oral),
    )


def _findings(found: Found) -> Table:
    return Table(
        "findings",
        "Findings to look at",
        "Acts that a named rule takes for unusual. A finding is no judgement; the entries named are its evidence.",
        ("rule", "what", "by", "user", "case", "first", "last", "entries", "evidence"),
        tuple(
            (
                *(one.rule, one.words, f"{one.organisation}/{one.client}", one.user or "", one.case or ""),
                *(timestamp(one.first), timestamp(one.last), one.count),
                " ".join(str(index) for index, _ in one.evidence[:EVIDENCE_SHOWN]),
            )
            for one in found.findings[:FINDINGS_SHOWN]
        ),
    )


EVIDENCE_SHOWN = 10
FINDINGS_SHOWN = 500
"""What a board can read; the whole is `gateway audit findings`."""


def _rules(found: Found) -> Table:
    return Table(
        "rules",
        "Findings by rule",
        "Every rule that was run, and how many findings it made.",
        ("rule", "findings"),
        tuple(found.counts.items()),
    )


def _witnesses(source: Source, end: datetime) -> Table:
    last = {one.witness: one for one in source.seen if one.at < end}
    return Table(
        "witnesses",
        "Witnesses",
        "Who has cosigned this log, up to which size, and when they said so last. Cosignatures are kept beside the "
        "entries and not in them: they come from the database or the pack this report was made from.",
        ("witness", "size", "last seen"),
        tuple((name, one.size, timestamp(one.at)) for name, one in sorted(last.items())),
        "No cosignature is at hand: nobody outside the gateway has confirmed that the log has one history.",
    )


def _life(tally: Tally) -> Table:
    return Table(
        "life",
        "The agreement in this month",
        "Steps of its life: drafts, signatures, coming into force, suspension, warnings, end.",
        ("time", "step", "version", "party or days left", "reason", "entry"),
        tuple(tally.life),
    )


def _erasures(tally: Tally) -> Table:
    return Table(
        "erasures",
        "Erasures",
        "Contents whose keys were deleted, by retention class and by what set the date.",
        ("class", "by", "erased"),
        _sorted(tally.erased),
    )


def _holds(ledger: Ledger) -> Table:
    return Table(
        "legal-holds",
        "Legal holds",
        "What is kept beyond its time for an inquest, a review or a court: placed or lifted in the month, or open.",
        ("placed", "by", "about", "ground", "lifted", "entry"),
        tuple((one.opened, one.who, one.case, one.reason, one.settled, one.index) for one in ledger.of("legal-hold")),
    )
