import json
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.canonical import canonical
from audit.entry import Operation
from audit.errors import NotCanonical
from tests.support.shared import shared_data

LARGEST = 2**53 - 1
ASCII = st.text(st.characters(max_codepoint=127))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ASCII, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
@settings(deadline=None, max_examples=300)
def test_equals_the_reference_implementation(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("name", ["arrays.json", "structures.json"])
def test_agrees_with_the_published_vectors(name: str) -> None:
    source = json.loads(
        shared_data("crypto", "rfc8785_jcs", "input", name).read_text(),
        parse_float=lambda text: int(float(text)),  # the vector writes the integer 56 as 56.0
    )
    assert canonical(source) == shared_data("crypto", "rfc8785_jcs", "output", name).read_bytes()


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (1.5, ""),
        ({"a": [{"b": 1.0}]}, "a[0].b"),
        ({"a": {"b": [0, float("nan")]}}, "a.b[1]"),
        ({"a": LARGEST + 1}, "a"),
        ({"a": [-LARGEST - 1]}, "a[0]"),
        ({"a": {"é": 1}}, "a"),
        ({"a": {1: 1}}, "a"),
        ({"a": ["x", "\ud800"]}, "a[1]"),
        ({"a": {"b": "\udfff"}}, "a.b"),
        ({"a": b"bytes"}, "a"),
        ({"a": datetime(2026, 1, 1, tzinfo=UTC)}, "a"),
        ({"a": Operation.DISCLOSURE}, "a"),
        ({"a": {1, 2}}, "a"),
    ],
)
def test_refuses_what_the_fast_encoder_would_get_wrong_and_names_the_path(value: Any, path: str) -> None:
    with pytest.raises(NotCanonical) as refusal:
        canonical(value)
    assert refusal.value.path == path


def test_nesting_beyond_the_encoder_is_refused() -> None:
    value: Any = 1
    for _ in range(300):
        value = [value]
    with pytest.raises(NotCanonical):
        canonical(value)
