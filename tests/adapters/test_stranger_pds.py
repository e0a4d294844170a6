"""PDS with several labels on one patient, in any order: the strictest counts, whichever stands first."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from adapters.nhs import pds
from adapters.nhs.pds import Found, Nobody
from gateway.demo.pds import Patient, bundle, number

SOMEBODY = Patient(number(1), (("Ashdown", "Marianne"),), "1991-02-03")


def labelled(*codes: str) -> pds.Answer:
    tree = json.loads(bundle(SOMEBODY))
    tree["entry"][0]["resource"]["meta"] = {"security": [{"code": code} for code in codes]}
    return pds.read(json.dumps(tree).encode())


@pytest.mark.parametrize(("codes", "label"), [("UR", "R"), ("UV", "V"), ("RV", "V"), ("UUV", "V"), ("UU", None)])
def test_the_strictest_label_counts(codes: str, label: str | None) -> None:
    for order in permutations(codes):
        found = labelled(*order)
        assert isinstance(found, Found)
        assert found.label == label
        assert bool(found.person.addresses) is (label is None)


def test_a_record_that_is_invalidated_is_nobody_s_whatever_else_is_said() -> None:
    assert labelled("U", "REDACTED") == labelled("REDACTED", "U") == Nobody("invalidated")
