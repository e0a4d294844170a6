"""Every leaf of the schema has exactly one item, and every item a leaf (design.md section 5, P3)."""

from __future__ import annotations

from typing import Annotated

import pytest

from mappings import items
from mappings.record import Item, Name, Part


def test_the_catalogue_and_the_schema_name_the_same_items() -> None:
    assert items.possible_items() == frozenset(items.CATALOGUE)


class Bare(Part):
    leaf: str


class Doubled(Part):
    leaf: Annotated[str, Item("event.area"), Item("event.type")]


class Marked(Part):
    name: Annotated[Name, Item("event.area")]


@pytest.mark.parametrize("cls", [Bare, Doubled, Marked])
def test_a_class_whose_leaf_has_not_exactly_one_item_is_refused(cls: type[Part]) -> None:
    with pytest.raises(TypeError, match=cls.__name__):
        items.plan(cls)
