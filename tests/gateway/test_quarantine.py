"""Quarantine: encrypted for one place, due by risk, owned by a named human."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.agreement import shipped
from gateway.evidence import Caller
from gateway.quarantine import Quarantine, due_at, owner_named
from gateway.store.envelope import ContentUnreadable

KEY = bytes(range(32))
CALLER = Caller("rms", "04", None, frozenset(), frozenset())


def keep(body: bytes = b"Ashdown", grade: str | None = None) -> Any:
    return Quarantine(KEY).keep(
        body, log_id="x", caller=CALLER, reason="malformed", media_type="text/csv", grade=grade, owner="Duty"
    )


def test_what_is_kept_can_be_opened_by_the_key_alone() -> None:
    kept = keep()
    row = SimpleNamespace(**kept.row)
    assert b"Ashdown" not in kept.row["content"]
    assert Quarantine(KEY).open(row, kept.key) == b"Ashdown"
    with pytest.raises(ContentUnreadable):
        Quarantine(bytes(32)).open(row, kept.key)


def test_a_row_does_not_open_in_anothers_place() -> None:
    one, other = keep(), keep()
    swapped = SimpleNamespace(**{**one.row, "id": other.id})
    with pytest.raises(ContentUnreadable):
        Quarantine(KEY).open(swapped, one.key)


@pytest.mark.parametrize("risk", ["high", "unknown", "", "nonsense"])
def test_what_may_be_high_is_due_within_the_hour(risk: str) -> None:
    """On a Saturday night as well."""
    saturday = datetime(2026, 4, 11, 23, 30, tzinfo=UTC)
    assert due_at(risk, saturday) == saturday + timedelta(hours=1)


@pytest.mark.parametrize("risk", ["standard", "medium"])
def test_the_rest_is_due_within_a_working_day(risk: str) -> None:
    monday, friday = datetime(2026, 4, 13, 9, tzinfo=UTC), datetime(2026, 4, 17, 9, tzinfo=UTC)
    assert due_at(risk, monday) == monday + timedelta(days=1)
    assert due_at(risk, friday) == friday + timedelta(days=3)


def test_a_grade_nobody_stated_is_unknown() -> None:
    assert keep(grade=None).risk == "unknown"
    assert keep(grade="standard").risk == "standard"


def test_the_owner_is_a_person_by_name_and_post() -> None:
    content = shipped().content
    assert owner_named(content, None, "Duty") == "Imogen Fairhurst, Lead adviser, Operation Provide"
    assert owner_named(content, "trust-caldicott", "Duty") == "Desmond Achterberg, Caldicott Guardian"
    assert owner_named(content, "nobody", "Duty") == "Duty"
    assert owner_named(None, "trust-caldicott", "Duty") == "Duty"
