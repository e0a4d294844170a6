"""What a search brings: the items of each type it writes; and how far what it found is counted."""

from __future__ import annotations

import pytest

from adapters.nhs.fhir import TYPES, carries
from gateway import disclosure
from gateway.demo.incidents import incident
from gateway.searching import Search
from tests.support.world import World


def test_what_is_included_is_about_the_victim_alone() -> None:
    """The children's details come when a child is asked for, never along with something else."""
    search = Search(types=("Task", "Patient"))
    assert not any(item.startswith("child.") for item in search.items)
    assert "victim.name" in search.items
    assert any(item.startswith("child.") for item in Search(types=("Patient",)).items)


@pytest.mark.parametrize("type_", TYPES)
def test_an_answer_of_one_type_carries_what_the_type_can(type_: str) -> None:
    assert Search(types=(type_,)).items == carries(type_)


def test_a_total_is_given_as_far_as_counting_goes(demo: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One referral more than are counted, and no total is told; who asks for nothing else is told to ask for less."""
    for serial in range(3):
        assert demo.push(incident(serial)).status_code == 201
    page, number = "/fhir/R4/Task?_count=1", "/fhir/R4/Task?_summary=count"
    monkeypatch.setattr(disclosure, "COUNTED_MAX", 3)
    assert demo.hospital.get(page).json()["total"] == 3
    assert demo.hospital.get(number).json()["total"] == 3
    monkeypatch.setattr(disclosure, "COUNTED_MAX", 2)
    assert "total" not in demo.hospital.get(page).json()
    assert demo.hospital.get(number).status_code == 400
