"""The grades a victim was given, version by version: kept beside the referral, and put back before it is read (P10).

A later version of a record says the grade that stands now. What stood before is in a record that may be erased by
then, so each grade is noted with its instrument, count, time and who gave it: codes and numbers that identify nobody.
It is shown as the history of the current assessment, under the items that a grade belongs to, if the agreement lets
them go. A lower grade is taken over only from somebody: where neither role nor time stands beside it, the referral
keeps its place on the worklist.

Source: domain.md sections 1.3 (`risk_assessment`: keep history), 4.5 (N10).
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Row

from mappings.record import GRADE_ORDER, Assessment, Grading, Record

MOST_GRADES = 50
"""Grades kept of one referral: a case is regraded a few times, and a sender that regrades without end fills no page."""


def noted(record: Record, victim: str, row: Row[Any] | None = None) -> str:
    """The grades of a victim up to this record, as they are kept; `row` is her referral before it."""
    kept = _kept(row) if row is not None else []
    for one in _gradings(record, victim):
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    return orjson.dumps([_plain(one) for one in kept[-MOST_GRADES:]]).decode()


def with_history(record: Record, row: Row[Any]) -> Record:
    """The record with the grades that stood before it as the history of the victim's graded assessment."""
    if row.grades is None or row.grades.count("grade") < 2:  # noqa: PLR2004 - one grade has no history
        return record
    current = _gradings(record, row.victim)
    at = next((i for i, one in enumerate(record.assessments) if one.grade and one.subject in {None, row.victim}), None)
    if at is None:
        return record
    assessment = record.assessments[at]
    known = [*current, *assessment.history]
    earlier = tuple(one for one in _kept(row) if not any(_same(one, other) for other in known))
    if not earlier:
        return record
    told = assessment.model_copy(update={"history": (*earlier, *assessment.history)})
    return record.model_copy(update={"assessments": (*record.assessments[:at], told, *record.assessments[at + 1 :])})


def is_lower(grade: str | None, before: str | None) -> bool:
    """Whether a grade is below another; an unknown one is below none, being as urgent as high."""
    return GRADE_ORDER.get(grade or "", len(GRADE_ORDER)) < GRADE_ORDER.get(before or "", 0)


def signed(record: Record, victim: str) -> bool:
    """Whether every current grade of a victim was given by somebody, at a time."""
    return all(one.by and one.at for one in _gradings(record, victim))


def _gradings(record: Record, victim: str) -> list[Grading]:
    """The current grades of a victim: those of assessments that no other supersedes."""
    superseded = {one.supersedes for one in record.assessments}
    found = [one for one in record.assessments if one.ref not in superseded and one.subject in {None, victim}]
    return [grading for one in found if (grading := _of(one, record.version)) is not None]


def _of(one: Assessment, version: int) -> Grading | None:
    return one.grading(version)


def _same(one: Grading, other: Grading) -> bool:
    """Whether two are one grading, said again by another version."""
    return (one.grade, one.at, one.by, one.instrument or other.instrument) == (
        other.grade,
        other.at,
        other.by,
        other.instrument or one.instrument,
    )


def _kept(row: Row[Any]) -> list[Grading]:
    if row.grades is not None:
        return [Grading.model_validate(one, strict=False) for one in orjson.loads(row.grades)]
    if row.grade is None:
        return []
    return [Grading.model_validate({"grade": row.grade, "at": row.assessed_at})]  # noted before histories were


def _plain(one: Grading) -> dict[str, Any]:
    return one.model_dump(mode="json", exclude_none=True)
