"""A case without what was entered of her consent is decided on what counts had it never been entered. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.casework.consents import Heard, consent_without
from gateway.errors import TransitionRefused
from mappings.record import ConsentState

STATES = [one.value for one in ConsentState if one is not ConsentState.OVERRIDDEN]
Doing = tuple[Literal["said", "record", "overridden", "taken-back"], str, int]
"""What happens to a consent: it is said, comes with a newer record, is overridden, or something said is taken back."""

DOINGS: st.SearchStrategy[list[Doing]] = st.lists(
    st.one_of(
        st.tuples(st.just("said"), st.sampled_from(STATES), st.just(0)),
        st.tuples(st.just("record"), st.sampled_from(STATES), st.just(0)),
        st.tuples(st.just("overridden"), st.just("overridden"), st.just(0)),
        st.tuples(st.just("taken-back"), st.just(""), st.integers(0, 9)),
    ),
    max_size=12,
)


@dataclass
class Case:
    """A case's consent as it is kept: what was said, what it is decided on, and of which record."""

    consent: str | None = None
    records: int = 0
    heard: list[Heard] = field(default_factory=list)
    index: int = 0

    @property
    def record(self) -> str:
        """The record of the case."""
        return f"record-{self.records}"

    def does(self, what: str, state: str, place: int) -> None:
        """Have something happen. Raises TransitionRefused."""
        self.index += 1
        if what == "said":
            name = f"said-{self.index}"
            self.heard.append(Heard(name, self.index, state, self.consent, self.record))
            self.consent = state
        elif what == "record":
            self.records += 1
            self.consent = state
        elif what == "overridden":
            self.consent = state
        elif stands := [one for one in self.heard if one.gone is None]:
            one = stands[place % len(stands)]
            self.consent = consent_without(self.heard, one.id, self.consent, self.record)
            self.heard[self.heard.index(one)] = replace(one, gone=self.index)


def never(doings: list[tuple[str, str]]) -> str | None:
    """What counts in the end of what happened; the slow twin."""
    return doings[-1][1] if doings else None


@given(DOINGS)
def test_what_was_said_and_taken_back_leaves_the_consent_as_if_it_had_not_been(doings: list[Doing]) -> None:
    """And it is refused exactly where what counts is that somebody has overridden it since."""
    case, stays = Case(), list[tuple[str, str, str]]()
    for what, state, place in doings:
        before = {one.id for one in case.heard if one.gone is None}
        try:
            case.does(what, state, place)
        except TransitionRefused:
            assert case.consent == ConsentState.OVERRIDDEN
            continue
        stands = {one.id for one in case.heard if one.gone is None}
        stays = [one for one in stays if one[2] == "" or one[2] in stands]
        if what != "taken-back":
            stays.append((what, state, next(iter(stands - before), "")))
        assert case.consent == never([one[:2] for one in stays])


def test_an_override_relies_on_what_it_overrode() -> None:
    heard = [Heard("a", 1, "refused", "given", "record-1")]
    with pytest.raises(TransitionRefused) as wrong:
        consent_without(heard, "a", "overridden", "record-1")
    assert wrong.value.details[0].path == "event"
    assert "overridden" in wrong.value.words


def test_what_was_moved_by_more_than_what_was_said_is_not_guessed() -> None:
    """An override that ended leaves `refused`, whatever was said before it."""
    heard = [Heard("a", 1, "withdrawn", "given", "record-1")]
    with pytest.raises(TransitionRefused):
        consent_without(heard, "a", "refused", "record-1")
