"""The compiled schemas against the models they are made of: they say yes to nothing that a model refuses."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from adapters.nhs import fhir
from adapters.nhs.fhir.models import model
from adapters.nhs.fhir.strict import strict_json
from adapters.nhs.fhir.structure import is_plain
from tests.adapters.fhir_support import BASE, full_record, referral
from tests.support.bundles import body, bundle
from tests.support.shared import shared_data

Json = dict[str, Any]

DAMAGED = 500
OTHER_NAMES = (
    "id",
    "url",
    "value",
    "valueString",
    "valueCode",
    "valueUrl",
    "valueReference",
    "valueQuantity",
    "extension",
    "_status",
    "_birthDate",
    "birthDate__ext",
    "code",
    "fhir_comments",
    "resource_type",
    "resourceType",
    "contained",
    "resource",
    "deceasedBoolean",
    "deceasedDateTime",
    "period",
    "coding",
    "system",
)
"""Names that belong elsewhere, choices that are made twice, and what only the models know."""
OTHER_VALUES: tuple[Any, ...] = (
    None,
    "",
    " ",
    "a  b",
    "x" * 70,
    "true",
    "2026-02-30",
    "2026-11-23",
    "2026-11-23T10:00:00",
    "2016-12-31T23:59:60Z",
    "urn:oid:1.2",
    "/Patient/1",
    '{"coding": []}',
    0,
    -1,
    2**31,
    True,
    Decimal("1.50"),
    [],
    {},
    [None],
    [[]],
    ["x", None],
    {"resourceType": "Patient"},
    {"resourceType": "Nobody"},
    {"resourceType": ["Patient"]},
    {"extension": [{"url": "urn:x", "valueString": "x"}]},
    {"url": "urn:x", "valueString": "x", "valueCode": "x"},
    {"url": "urn:x", "valueAge": {"value": 3}},
    {"reference": "#x"},
)


def sound() -> list[Json]:
    """A notice of either kind, and each type that we write."""
    notices = [strict_json(body(bundle(7, kind=kind, children=True))) for kind in ("transaction", "message")]
    ours = [one for type_ in fhir.TYPES for one in fhir.write(type_, full_record(), referral(), BASE)]
    return [*notices, *(strict_json(one.body) for one in ours)]


def is_taken(resource: Json) -> bool:
    """Whether the model takes it."""
    try:
        model(resource["resourceType"]).model_validate(copy.deepcopy(resource))
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError):
        return False
    return True


def test_what_is_sent_and_written_every_day_is_plain() -> None:
    assert all(is_plain(one) for one in sound())


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"fullName": "x"}, "an element that R4 has not"),
        ({"deceasedBoolean": True, "deceasedDateTime": "2026-11-23"}, "a choice made twice"),
        ({"gender": None}, "a null"),
        ({"birthDate": "2026-02-30"}, "no day"),
        ({"link": [{"other": {"reference": "#x"}}]}, "a required element that is not there"),
        ({"extension": [{"valueString": "x"}]}, "an extension of nothing"),
        ({"contained": [{"resourceType": "Nobody"}]}, "a resource of no type"),
        ({"contained": [{"resourceType": "Patient", "gender": ["x"]}]}, "a resource that is wrong within"),
        ({"_birthDate": {"extension": [{"url": "urn:x", "valueTime": "10:00:00"}]}}, "for the model to say"),
        ({"name": [{"family": "x", "fhir_comments": "x"}]}, "for the model to say"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_wrong_or_unusual_is_left_to_the_model(changed: Json, why: str) -> None:
    patient = {"resourceType": "Patient", "gender": "female"}
    assert is_plain(patient)
    assert not is_plain(patient | changed), why


def test_no_damage_is_plain_that_the_model_refuses() -> None:
    """The differential: names, values and nesting changed at any place."""
    print("seed", seed := random.randrange(2**32))
    chance, whole = random.Random(seed), sound()
    plain = taken = 0
    for _ in range(DAMAGED):
        damaged = copy.deepcopy(chance.choice(whole))
        for _ in range(chance.choice((1, 1, 1, 2))):
            damage(damaged, chance)
        said, judged = is_plain(damaged), is_taken(damaged)
        assert judged or not said, json.dumps(damaged, default=str)
        plain, taken = plain + said, taken + judged
    assert plain > 0.6 * taken > 0  # else it is of no use


def damage(resource: Json, chance: random.Random) -> None:
    """Change one place, but not the resource's own type."""
    holder = chance.choice(list(_holders(resource)))
    if isinstance(holder, list):
        at: Any = chance.randrange(len(holder))
    else:
        names = [name for name in holder if not (holder is resource and name == "resourceType")]
        at = chance.choice(names or ["id"])
    match chance.randrange(6):
        case 0 if isinstance(holder, dict):
            holder.pop(at, None)
        case 1 if isinstance(holder, dict) and at in holder:
            holder[_other_name(holder, resource, chance)] = holder.pop(at)
        case 2 if isinstance(holder, dict):
            holder[_other_name(holder, resource, chance)] = copy.deepcopy(chance.choice(OTHER_VALUES))
        case 3 if isinstance(holder, list) or at in holder:
            holder[at] = [holder[at]]
        case 4 if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[at]))
        case _:
            holder[at] = copy.deepcopy(chance.choice(OTHER_VALUES))


def _other_name(holder: Json, root: Json, chance: random.Random) -> str:
    return chance.choice([name for name in OTHER_NAMES if not (holder is root and name == "resourceType")])


def _holders(node: Any) -> Iterator[Any]:
    if isinstance(node, dict | list) and (node or isinstance(node, dict)):
        yield node
        for one in node.values() if isinstance(node, dict) else node:
            yield from _holders(one)


def test_published_examples_are_plain_only_where_the_model_takes_them() -> None:
    """A few of each type that others published: most are plain."""
    files = sorted(shared_data("ukcore", "ukcore_r4", "examples").rglob("*.xml"))[::12]
    found = []
    for file in files:
        try:
            content = fhir.parse(file.read_bytes()).content
        except fhir.FhirRefused:
            continue
        found.append(is_plain(content))
        assert is_taken(content), file.name
    assert sum(found) > len(found) / 2
