"""The referral to a conference as a document: what is known, what is left open, and what is on no paper."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pypdf
import pytest

from gateway.casework.acts import MaracReferral
from gateway.casework.marac import OPEN, From, document
from gateway.paper import pdf
from gateway.paper.tree import Document, Table, Text
from mappings.record import Criterion, Record, RecordKind
from tests.support.records import incident

SENDER = From("A trust", "Advisers", "idva-0042, idva", "3f0e", date(2026, 4, 13))
SAID = MaracReferral(
    criteria=("professional-judgement", "repeat"),
    aware=True,
    consent={"state": "given"},
    reason="He has a key.",
    afraid_of="Piers Harbottle",
)


def form(record: Record | None = None, **changes: Any) -> Document:
    said = MaracReferral(**{**SAID.model_dump(exclude_none=True), **changes})
    return document(record or incident(), said, SENDER)


def texts(made: Document) -> str:
    """Everything on the page."""
    found = [made.title, made.mark]
    for block in made.blocks:
        if isinstance(block, Table):
            found += [block.caption, *block.head, *(line for row in block.rows for cell in row for line in cell)]
        else:
            found.append(block.text)
    return "\n".join(found)


def stated(made: Document, what: str) -> tuple[str, ...]:
    """What stands beside a heading of a row, the first of that name."""
    rows = (row for block in made.blocks if isinstance(block, Table) for row in block.rows)
    return next(row[-1] for row in rows if row[0] == (what,))


def test_what_is_known_is_filled_in() -> None:
    made = form()
    assert stated(made, "Name") == ("Marianne Elise Ashdown",)
    assert stated(made, "Date of birth") == ("03 February 1991",)
    assert stated(made, "Address") == ("12 Example Row, Blackpool, ZZ99 3CZ",)
    assert stated(made, "Whom she is afraid of") == ("Piers Harbottle",)
    assert "He has a key." in texts(made)
    assert "must not learn of this referral" in next(b.text for b in made.blocks if isinstance(b, Text))


def test_what_is_not_known_is_left_open_and_said_to_be() -> None:
    nothing = form(Record(kind=RecordKind.INCIDENT), reason=None, afraid_of=None)
    for what in ("Name", "Date of birth", "Address", "Telephone and e-mail", "Assessment", "Whom she is afraid of"):
        assert stated(nothing, what) == (OPEN,), what
    assert "None is known here" in texts(nothing)


def test_a_telephone_that_nobody_stated_safe_is_not() -> None:
    safe, unknown = stated(form(), "Telephone and e-mail")
    assert safe == "phone 07700 900123: safe; leave no message"
    assert unknown == "phone 01632 960124: not stated to be safe, so it is not"


def test_some_things_are_on_no_paper() -> None:
    """Where she is safe, her word for the telephone, her NHS number (N1, N5)."""
    text = texts(form())
    for never in ("Refuge", "ZZ99 3VZ", "bluebell", "9990000018"):
        assert never not in text


def test_the_criteria_are_the_advisers_beside_what_is_known_here() -> None:
    record = incident().model_copy(
        update={"criteria": (Criterion(code="escalation", met=True, basis="found", count=3, since=date(2026, 1, 2)),)}
    )
    rows = next(b.rows for b in form(record).blocks if isinstance(b, Table) and b.caption == "Criteria")
    assert [(row[1], row[2]) for row in rows] == [
        (("yes",), ("",)),
        (("no",), ("",)),
        (("no",), ("found, 3, since 02 January 2026",)),  # shown, and never decided
        (("yes",), ("",)),
    ]


@pytest.mark.parametrize("state", ["refused", "not-asked", "withdrawn", "lacks-capacity", "overridden"])
def test_without_consent_there_is_an_annex(state: str) -> None:
    assert "shared without consent" not in texts(form())
    text = texts(form(consent={"state": state}, justification="He said he would kill her."))
    assert "Annex: shared without consent" in text
    assert "He said he would kill her." in text


def test_grade_count_instrument_assessor_and_day_stand_together() -> None:
    """P10."""
    (assessment,) = incident().assessments
    said = stated(form(), assessment.instrument.value)[0]
    assert assessment.grade is not None
    assert said.startswith(f"{assessment.grade.value}; ")
    assert str(assessment.assessor_role) in said


def test_it_is_a_file_that_prints_the_same_twice() -> None:
    made = form()
    file = pdf.write(made)
    assert file == pdf.write(made)
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(file)).pages)
    assert "Ashdown" in printed
