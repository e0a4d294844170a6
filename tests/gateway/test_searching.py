"""Cursors between pages: what is written is read again, and what somebody made up is refused."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.nhs.fhir import TYPES, carries
from gateway.errors import BadParameter
from gateway.searching import Search, read_cursor, write_cursor


@given(at=st.datetimes().map(lambda one: one.isoformat(timespec="milliseconds") + "Z"), id_=st.uuids().map(str))
def test_a_cursor_is_read_as_it_was_written(at: str, id_: str) -> None:
    row: Any = SimpleNamespace(created_at=at, id=id_)
    assert read_cursor(write_cursor(row)) == (at, id_)


@given(text=st.text(max_size=80))
def test_any_other_text_is_refused_or_is_a_place(text: str) -> None:
    """Never an error of another kind: a cursor comes from outside."""
    try:
        found = read_cursor(text)
    except BadParameter:
        return
    assert len(found) == 2


@pytest.mark.parametrize("text", ["", "x", "====", "AAAgAA", base64.urlsafe_b64encode(b"one").decode(), "é", "\ud800"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        read_cursor(text)


def test_what_is_included_is_about_the_victim_alone() -> None:
    """The children's details come when a child is asked for, never along with something else."""
    search = Search(types=("Task", "Patient"))
    assert not any(item.startswith("child.") for item in search.items)
    assert "victim.name" in search.items
    assert any(item.startswith("child.") for item in Search(types=("Patient",)).items)


@pytest.mark.parametrize("type_", TYPES)
def test_an_answer_of_one_type_carries_what_the_type_can(type_: str) -> None:
    assert Search(types=(type_,)).items == carries(type_)
