"""Exports that contradict themselves: what is settled is settled towards caution, and is remarked on."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import mappings
from adapters.socket import Limits, Reading, reader
from gateway.demo.incidents import incident
from gateway.facts import facts_of
from mappings.profile import profile
from mappings.record import Role

Json = dict[str, Any]


def read(change: Callable[[Json], object]) -> Reading:
    document = incident(5)
    change(document)
    known = profile("ihub")
    return reader(known.adapter).read(json.dumps(document).encode(), known, Limits())


def of(document: Json, type_: str, at: int = 0) -> Json:
    found: Json = [one for one in document["included"] if one["type"] == type_][at]
    return found


def codes(reading: Reading) -> set[str]:
    return {one.code for one in reading.findings}


def said_twice(**attributes: Any) -> Callable[[Json], None]:
    """The victim's safe telephone once more, spelt otherwise, with something else said of it."""

    def change(document: Json) -> None:
        again = copy.deepcopy(of(document, "telephone"))
        again |= {"id": "again", "attributes": {"telephoneNumber": "+44 7700 900123", **attributes}}
        document["included"].append(again)
        link = {"id": "again", "type": "telephone"}
        of(document, "person")["relationships"]["personalTelephone"]["data"].append(link)

    return change


def test_a_telephone_that_is_said_to_be_safe_and_not_to_be_is_not() -> None:
    found = read(said_twice(safeToContact="false"))
    (victim,) = found.record.of_role(Role.VICTIM)
    assert [one.is_safe for one in victim.contacts] == [False, False, False]
    assert {"safe-and-unsafe", "no-safe-contact"} <= codes(found)


def test_a_telephone_of_which_nothing_is_said_the_second_time_stays_what_it_was() -> None:
    found = read(said_twice())
    (victim,) = found.record.of_role(Role.VICTIM)
    assert [one.is_safe for one in victim.contacts] == [True, False, False]
    assert "safe-and-unsafe" not in codes(found)


@pytest.mark.parametrize("who", [1, 2], ids=["suspect", "child"])
@pytest.mark.parametrize("state", ["GIVEN", "REFUSED"])
def test_what_somebody_else_agreed_to_is_no_consent_of_hers(who: int, state: str) -> None:
    def change(document: Json) -> None:
        consent = of(document, "consent")
        consent["attributes"]["consentState"] = state
        consent["relationships"]["victim"]["data"][0]["id"] = of(document, "person", who)["id"]

    found = read(change)
    assert found.record.consents == ()
    assert facts_of(found.record, datetime.now(UTC)).consent is None
    assert {"person-not-in-role", "missing"} <= codes(found)


def test_consent_that_names_nobody_is_hers_where_there_is_one_victim() -> None:
    found = read(lambda document: of(document, "consent").pop("relationships"))
    assert [one.state.value for one in found.record.consents] == ["given"]


def test_every_profile_that_says_whose_consent_it_is_says_it_so() -> None:
    """A profile with the transform `victim` there would take what somebody else said for hers."""
    for path in sorted((Path(mappings.__file__).parent / "police").glob("*.toml")):
        shape = tomllib.loads(path.read_text())["shapes"].get("consent", {"rows": ()})
        assert {row["transform"] for row in shape["rows"] if row["to"] == "subject"} <= {"person"}, path.name
