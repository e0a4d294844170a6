"""Names in the ways they can be meant: cut down, with their format, with what they are in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.workbench.naming import spoken, words_of


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("VIC_DOB", "victim dob"),
        ("birthDt", "birth date"),
        ("sexCd", "sex"),
        ("nc:PersonSurName", "sur name"),
        ("j:IncidentReportedDate", "reported date"),
        ("interpReqInd", "interpreter"),
        ("occurDttm", "occur date time"),
        ("CONSENT_YN", "consent"),
    ],
)
def test_a_name_is_read_in_one_of_the_ways_it_is_meant(name: str, meant: str) -> None:
    assert meant in [way for way, _ in spoken(name)]


@given(st.text(max_size=40))
def test_the_plainest_way_comes_first_and_is_trusted_most(name: str) -> None:
    ways = spoken(name)
    assert ways[0] == (words_of(name), 1.0)
    assert [trust for _, trust in ways] == sorted((trust for _, trust in ways), reverse=True)
    assert len({way for way, _ in ways}) == len(ways)
