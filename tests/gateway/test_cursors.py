"""Cursors: what is sealed opens again for whoever was given it, and for nobody else in any way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import keys
from gateway.cursors import Cursor, Cursors
from gateway.errors import BadParameter
from gateway.evidence import Caller

CALLER = Caller("hospital", "RXL", "idva-team", frozenset(), frozenset({"provide"}), user="idva-1")
ASKED = Cursor((("identifier", "9990000018"), ("_count", "1")), ("2026-04-12T09:00:00.000Z", "a"))


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> keys.Keyring:
    return keys.create(tmp_path_factory.mktemp("keys"), "development")


@given(
    asked=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=30)), max_size=4).map(tuple),
    place=st.none() | st.lists(st.text(max_size=30), max_size=3).map(tuple),
)
@settings(deadline=None)
def test_a_cursor_opens_as_it_was_sealed(
    keyring: keys.Keyring, asked: tuple[tuple[str, str], ...], place: tuple[str, ...] | None
) -> None:
    cursors = Cursors(keyring)
    one = Cursor(asked, place)
    assert Cursors(keyring).open(cursors.seal(one, CALLER, "Patient"), CALLER, "Patient") == one


def test_a_cursor_shows_nothing_of_what_it_holds(keyring: keys.Keyring) -> None:
    cursors = Cursors(keyring)
    first, second = (cursors.seal(ASKED, CALLER, "Patient") for _ in range(2))
    assert "9990000018" not in first
    assert first != second, "whoever reads addresses sees that the same was asked twice"


@pytest.mark.parametrize(
    "other",
    [
        replace(CALLER, client="other"),
        replace(CALLER, user="idva-2"),
        replace(CALLER, user=None),
        replace(CALLER, recipient="evaluation"),
        replace(CALLER, organisation="RTX"),
        replace(CALLER, agreements=frozenset({"other"})),
    ],
)
def test_a_cursor_is_of_no_use_to_anybody_else(keyring: keys.Keyring, other: Caller) -> None:
    cursors = Cursors(keyring)
    with pytest.raises(BadParameter):
        cursors.open(cursors.seal(ASKED, CALLER, "Patient"), other, "Patient")


def test_a_cursor_is_of_no_use_elsewhere_or_under_other_keys(keyring: keys.Keyring, tmp_path: Path) -> None:
    cursors = Cursors(keyring)
    text = cursors.seal(ASKED, CALLER, "Patient")
    words = []
    for opening, address in ((cursors, "Task"), (Cursors(keys.create(tmp_path, "development")), "Patient")):
        with pytest.raises(BadParameter) as refused:
            opening.open(text, CALLER, address)
        words.append(refused.value.words)
    for at in range(0, len(text), 5):
        altered = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        with pytest.raises(BadParameter) as refused:
            cursors.open(altered, CALLER, "Patient")
        words.append(refused.value.words)
    assert len(set(words)) == 1


@given(text=st.text(max_size=80))
@settings(deadline=None)
def test_any_other_text_is_refused(keyring: keys.Keyring, text: str) -> None:
    with pytest.raises(BadParameter):
        Cursors(keyring).open(text, CALLER, "Patient")
