"""What a search brings: the items of each type it writes."""

from __future__ import annotations

import pytest

from adapters.nhs.fhir import TYPES, carries
from gateway.searching import Search


def test_what_is_included_is_about_the_victim_alone() -> None:
    """The children's details come when a child is asked for, never along with something else."""
    search = Search(types=("Task", "Patient"))
    assert not any(item.startswith("child.") for item in search.items)
    assert "victim.name" in search.items
    assert any(item.startswith("child.") for item in Search(types=("Patient",)).items)


@pytest.mark.parametrize("type_", TYPES)
def test_an_answer_of_one_type_carries_what_the_type_can(type_: str) -> None:
    assert Search(types=(type_,)).items == carries(type_)
