"""The monthly report: its counts add up, it says what is open, and its page is safe and readable."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.entry import Operation, Outcome, Recipient, timestamp
from gateway.evidence import Event, act
from gateway.oversight.entries import PackSource, Seen
from gateway.oversight.month import Month
from gateway.oversight.report import Report, report
from gateway.oversight.report_page import html, write_files
from gateway.oversight.spreadsheet import to_csv
from gateway.oversight.tally import NoSuchAgreement
from tests.gateway.oversight_support import Log, caller, facts_like

NOVEMBER = Month.parse("2026-11")
AFTER = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def notice(log: Log, id_: str, due: str = "2026-11-04T09:00:00.000Z") -> None:
    """Tell the trust, as a whole, of a correction."""
    entry = act(
        Event.NOTICE_SENT,
        Operation.ALTERATION,
        at=timestamp(log.now),
        caller=None,
        case="a",
        reason="corrected",
        detail={"notice": id_, "due": due},
        agreement=log.ref,
    )
    log.seal(entry._replace(recipients=(Recipient("RXL", "all"),)))


@pytest.fixture
def log() -> Log:
    """A month with something in every table; October has what is still open in November."""
    made = Log(at=datetime(2026, 10, 20, 9, 0, tzinfo=UTC))
    made.step(Event.AGREEMENT_ACTIVATED)
    made.note(Event.LEGAL_HOLD_PLACED, "dpo-1", case="h", reason="inquest", detail={"hold": "hold-1"})
    notice(made, "notice-old", due="2026-10-21T09:00:00.000Z")
    notice(made, "notice-done")
    made.note(Event.NOTICE_ACKNOWLEDGED, operation=Operation.CONSULTATION, detail={"notice": "notice-done"})
    made.read("a")
    made.now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    made.read("a", types="ServiceRequest,Patient")
    made.later(minutes=5).read("b", facts=facts_like(area="wyre", grade="standard", consent="refused"))
    made.later(minutes=5).note(
        Event.ACCESS_REFUSED, operation=Operation.CONSULTATION, outcome=Outcome.DENIED, reason="not-a-recipient"
    )
    notice(made.later(minutes=5), "notice-new")
    made.note(Event.NOTICE_ACKNOWLEDGED, operation=Operation.CONSULTATION, detail={"notice": "notice-new"})
    detail: dict[str, Any] = {"override": "override-1", "review-due": "2026-11-03T09:00:00.000Z"}
    made.note(Event.OVERRIDE_RECORDED, "caldicott-1", case="c", reason="child-at-risk", detail=detail)
    made.note(
        Event.BREAK_GLASS_OPENED,
        operation=Operation.CONSULTATION,
        case="d",
        reason="life-or-limb",
        detail={"break-glass": "emergency-1", "repeated": False},
    )
    made.later(hours=2).note(
        Event.BREAK_GLASS_REVIEWED,
        "dpo-1",
        operation=Operation.ADMINISTRATION,
        case="d",
        reason="justified",
        detail={"break-glass": "emergency-1"},
    )
    made.note(
        Event.ORAL_DISCLOSURE, operation=Operation.DISCLOSURE, case="a", detail={"channel": "by-phone", "beyond": 2}
    )
    made.note(Event.RECORD_ERASED, None, operation=Operation.ERASURE, reason="closed", detail={"class": "record"})
    made.step(Event.AGREEMENT_EXPIRING)
    made.now = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    made.read("z")
    return made


def made_of(log: Log, **more: Any) -> Report:
    return report(log, "operation-provide", NOVEMBER, AFTER, **more)


def test_the_counts_add_up_to_the_entries_of_the_month(log: Log) -> None:
    found = made_of(log)
    entries = list(log.entries(NOVEMBER.start, NOVEMBER.stop))
    assert found.entries == len(entries)
    assert sum(int(row[-1]) for row in found.table("volumes").rows) == len(entries)
    by_event = Counter(one.said["event"] for one in entries)
    for row in found.table("volumes").rows:
        by_event[str(row[2])] -= int(row[-1])
    assert set(by_event.values()) == {0}


def test_flows_are_worked_out_from_the_agreement(log: Log) -> None:
    reads = [row for row in made_of(log).table("volumes").rows if row[2] == Event.REFERRAL_READ.value]
    assert [(row[0], row[4], row[-1]) for row in reads] == [("F1", "RXL/idva-team", 2)]
    clauses = {(row[0], row[1]): row[-1] for row in made_of(log).table("clauses").rows}
    assert clauses["F1", "F1-referral"] == 1
    assert clauses["F1", "F1-refused"] == 1


def test_what_is_open_at_the_end_is_shown_also_from_before(log: Log) -> None:
    found = made_of(log)
    assert found.table("notices").rows == (
        ("corrected", "RXL/all", "overdue", 1),
        ("corrected", "RXL/all", "settled", 1),
    )
    ((_, by, case, ground, due, state, review, _),) = found.table("overrides").rows
    assert (by, case, ground, due, state, review) == (
        "caldicott-1",
        "c",
        "child-at-risk",
        "2026-11-03T09:00:00.000Z",
        "overdue",
        "",
    )
    (row,) = found.table("break-glass").rows
    assert row[4:7] == ("2026-11-03T09:15:00.000Z", "settled", "justified")
    (hold,) = found.table("legal-holds").rows
    assert hold[2:5] == ("h", "inquest", "")


def test_denials_spoken_words_erasures_and_the_agreement_s_life_have_tables(log: Log) -> None:
    found = made_of(log)
    assert ("not-a-recipient", "access-refused", "RXL", "denied", 1) in found.table("denials").rows
    assert found.table("oral").rows == (("RXL", "", "by-phone", "yes", 1),)
    assert found.table("erasures").rows == (("record", "closed", 1),)
    assert [row[1] for row in found.table("life").rows] == ["agreement-expiring"]
    assert dict(found.facts)["Standing at the end"] == "in-force"
    assert dict(found.facts)["Indexes"] == "6 to 16"


def test_expiry_is_counted_from_the_agreement_s_text(log: Log) -> None:
    last = Month.parse("2028-11")
    head = dict(report(log, "operation-provide", last, datetime(2029, 1, 1, tzinfo=UTC)).facts)
    assert head["Expiry"] == "in 31 days; the 60-day warning has been reached"
    later = dict(report(log, "operation-provide", Month.parse("2029-02"), datetime(2029, 3, 1, tzinfo=UTC)).facts)
    assert later["Expiry"] == "expired: nothing passes under it"


def test_a_month_that_is_not_over_is_reported_as_far_as_it_has_come(log: Log) -> None:
    early = report(log, "operation-provide", NOVEMBER, datetime(2026, 11, 3, 8, 0, tzinfo=UTC))
    (override,) = early.table("overrides").rows
    assert override[5] == "open"


def test_findings_are_those_of_the_month_with_every_rule_named(log: Log) -> None:
    found = made_of(log)
    counts = {str(rule): int(count) for rule, count in found.table("rules").rows}
    assert counts["read-without-action"] == 1
    assert {row[0] for row in found.table("findings").rows} == {rule for rule, count in counts.items() if count}


def test_witnesses_are_shown_and_their_absence_is_said(log: Log) -> None:
    assert "nobody outside" in html(made_of(log))
    log.seen = (
        Seen("witness.example/w", 4, datetime(2026, 10, 30, tzinfo=UTC)),
        Seen("witness.example/w", 9, datetime(2026, 11, 30, tzinfo=UTC)),
        Seen("witness.example/w", 17, datetime(2026, 12, 2, tzinfo=UTC)),
    )
    assert made_of(log).table("witnesses").rows == (("witness.example/w", 9, "2026-11-30T00:00:00.000Z"),)


def test_the_report_from_a_pack_is_the_same(log: Log, tmp_path: Path) -> None:
    source = PackSource(log.to_pack(tmp_path / "log.pack"))
    assert report(source, "operation-provide", NOVEMBER, AFTER) == made_of(log)


def test_an_agreement_the_entries_do_not_name_is_refused(log: Log) -> None:
    with pytest.raises(NoSuchAgreement):
        report(log, "another", NOVEMBER, AFTER)


def test_an_empty_month_says_so(log: Log) -> None:
    found = report(log, "operation-provide", Month.parse("2026-09"), AFTER)
    assert found.entries == 0
    assert "Nothing happened under the agreement in this month." in html(found)


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.stack: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag != "meta":
            self.stack.append(tag)
        assert not any(name.startswith("on") or name == "src" for name, _ in attrs)
        if tag == "th":
            assert ("scope", "col") in attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read_page(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page.stack == []
    return page


def test_the_page_is_whole_has_captions_and_no_script(log: Log) -> None:
    text = html(made_of(log))
    page = read_page(text)
    assert page.tags["table"] == page.tags["caption"] > 0
    assert page.tags["script"] == page.tags["link"] == page.tags["img"] == 0
    assert 'lang="en-GB"' in text
    assert text == html(made_of(log))


def test_hostile_words_are_text(log: Log) -> None:
    """A code may hold angle brackets; it must not become an element."""
    log.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    log.note(
        Event.ACCESS_REFUSED,
        who=caller("<script>alert(1)</script>"),
        outcome=Outcome.DENIED,
        reason="<img/onerror=alert(1)>",
        operation=Operation.CONSULTATION,
    )
    text = html(made_of(log))
    assert "<img" not in text
    assert "<script" not in text
    assert "<img/onerror=alert(1)>" in "".join(read_page(text).text)


def test_every_table_is_a_file_beside_the_page(log: Log, tmp_path: Path) -> None:
    found = made_of(log)
    page, *tables = write_files(found, tmp_path / "out")
    assert page.name == "operation-provide-2026-11.html"
    assert [path.stem.removeprefix("operation-provide-2026-11-") for path in tables] == [t.id for t in found.tables]
    for path, table in zip(tables, found.tables, strict=True):
        columns, *rows = csv.reader(io.StringIO(path.read_text(), newline=""))
        assert tuple(columns) == table.columns
        assert [tuple(row) for row in rows] == [tuple(map(str, row)) for row in table.rows]


@settings(max_examples=200)
@given(st.lists(st.lists(st.one_of(st.text(max_size=8), st.integers()), min_size=2, max_size=2), max_size=5))
def test_no_cell_begins_a_formula(rows: list[list[str | int]]) -> None:
    text = to_csv(("a", "b"), rows)
    read = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert len(read) == len(rows)
    for cells, row in zip(read, rows, strict=True):
        for cell, given_ in zip(cells, row, strict=True):
            if isinstance(given_, str):
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
                assert cell.removeprefix("'") == given_
            else:
                assert cell == str(given_)


@pytest.mark.parametrize(
    ("text", "start", "hours"),
    [
        ("2026-11", datetime(2026, 11, 1, tzinfo=UTC), 30 * 24),
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC), 31 * 24 - 1),  # the clock goes forward
        ("2026-10", datetime(2026, 9, 30, 23, tzinfo=UTC), 31 * 24 + 1),  # and back
        ("2026-12", datetime(2026, 12, 1, tzinfo=UTC), 31 * 24),
    ],
)
def test_a_month_is_that_of_the_clock_in_london(text: str, start: datetime, hours: int) -> None:
    month = Month.parse(text)
    assert (month.start, month.stop - month.start) == (start, timedelta(hours=hours))
    assert str(month) == text


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "26-11", "2026-11-01", "٢٠٢٦-11"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2026-11"):
        Month.parse(text)
