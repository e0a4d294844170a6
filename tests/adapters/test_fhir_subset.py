"""Part of a resource: what is asked for, what must be there, and the tag that says it is not the whole."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.nhs.fhir import Subset, Written, is_element, parse

Resource = dict[str, object]
AT = datetime(2026, 4, 12, tzinfo=UTC)
WHOLE: Resource = {
    "resourceType": "Patient",
    "id": "a",
    "meta": {"versionId": "1", "security": [{"code": "R"}]},
    "extension": [{"url": "urn:need", "valueString": "ramp"}],
    "name": [{"family": "Ashdown"}],
    "telecom": [{"system": "phone", "value": "01632 960001"}],
    "gender": "female",
    "birthDate": "1991-02-03",
    "communication": [{"language": {"text": "Welsh"}}],
}
FLAG: Resource = {
    "resourceType": "Flag",
    "id": "a.flag",
    "meta": {"versionId": "1"},
    "status": "active",
    "code": {"text": "at risk"},
    "subject": {"reference": "Patient/a"},
    "period": {"start": "2026-04-12"},
}


def written(resource: Resource) -> Written:
    return Written(str(resource["resourceType"]), str(resource["id"]), 1, AT, orjson.dumps(resource), "urn:a")


def part(resource: Resource, subset: Subset, **options: bool) -> dict[str, object]:
    found = subset.of(written(resource), **options)
    parse(found.body)
    content: dict[str, object] = orjson.loads(found.body)
    return content


@pytest.mark.parametrize("summary", ["false", "data"])
def test_the_whole_is_the_same_bytes(summary: str) -> None:
    one = written(WHOLE)
    assert Subset(summary).of(one) is one
    assert Subset(summary).whole


def test_a_summary_has_the_elements_that_r4_marks() -> None:
    found = part(WHOLE, Subset("true"))
    assert found.keys() == {"resourceType", "id", "meta", "name", "telecom", "gender", "birthDate"}


def test_a_text_summary_has_what_must_be_there() -> None:
    assert part(WHOLE, Subset("text")).keys() == {"resourceType", "id", "meta"}
    assert part(FLAG, Subset("text")).keys() == {"resourceType", "id", "meta", "status", "code", "subject"}


def test_elements_are_given_with_what_a_type_cannot_stand_without() -> None:
    found = part(FLAG, Subset(elements=("period",)))
    assert found.keys() == {"resourceType", "id", "meta", "status", "code", "subject", "period"}


def test_what_comes_along_is_whole_where_elements_were_named() -> None:
    one = written(FLAG)
    assert Subset(elements=("period",)).of(one, included=True) is one
    assert part(FLAG, Subset("text"), included=True).keys() == {
        "resourceType",
        "id",
        "meta",
        "status",
        "code",
        "subject",
    }


def test_a_part_says_that_it_is_one_and_keeps_its_labels() -> None:
    found = part(WHOLE, Subset("true"))["meta"]
    assert isinstance(found, dict)
    assert [tag["code"] for tag in found["tag"]] == ["SUBSETTED"]
    assert found["security"] == [{"code": "R"}]


@given(names=st.sets(st.sampled_from(["name", "gender", "photo", "telecom", "link", "extension"])))
def test_a_part_never_holds_more_than_the_whole(names: set[str]) -> None:
    for subset in (Subset(elements=tuple(sorted(names))), Subset("true"), Subset("text")):
        found = part(WHOLE, subset)
        assert all(value == WHOLE[name] for name, value in found.items() if name != "meta")


def test_only_elements_of_the_type_are_elements() -> None:
    assert is_element("Patient", "birthDate")
    assert is_element("Task", "for")
    assert not is_element("Patient", "for")
    assert not is_element("Patient", "name.family")
    assert not is_element("Patient", "")
