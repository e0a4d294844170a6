"""Each way of being unreadable, by its bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.socket import Fault, Limits, Unreadable
from adapters.strictjson import parse

LIMITS = Limits(max_bytes=2_000_000, max_depth=5, max_elements=50, max_text=20)


def fault(body: bytes, limits: Limits = LIMITS) -> tuple[Fault, str]:
    with pytest.raises(Unreadable) as caught:
        parse(body, limits)
    (problem,) = caught.value.problems
    return problem.fault, problem.path


VECTORS: list[tuple[str, bytes, Fault, str]] = [
    ("utf-16 with mark", '{"a":1}'.encode("utf-16"), Fault.WRONG_CHARSET, ""),
    ("utf-16 little endian", '{"a":1}'.encode("utf-16-le"), Fault.WRONG_CHARSET, ""),
    ("utf-16 big endian", '{"a":1}'.encode("utf-16-be"), Fault.WRONG_CHARSET, ""),
    ("utf-32", '{"a":1}'.encode("utf-32"), Fault.WRONG_CHARSET, ""),
    ("latin-1", '{"a":"caf\u00e9 x"}'.encode("latin-1"), Fault.WRONG_CHARSET, ""),
    ("encoded surrogate", b'{"a":"\xed\xa0\x80"}', Fault.WRONG_CHARSET, ""),
    ("overlong", b'{"a":"\xc0\x80"}', Fault.WRONG_CHARSET, ""),
    ("duplicate key", b'{"a":{"b":[{"c":1,"d":2,"c":3}]}}', Fault.DUPLICATE_KEY, "a.b[0].c"),
    ("duplicate key at the top", b'{"a":1,"a":1}', Fault.DUPLICATE_KEY, "a"),
    ("duplicate key by escape", b'{"a":1,"\\u0061":1}', Fault.DUPLICATE_KEY, "a"),
    ("NaN", b'{"a":[1,NaN]}', Fault.NOT_A_NUMBER, "a[1]"),
    ("Infinity", b'{"a":-Infinity}', Fault.NOT_A_NUMBER, "a"),
    ("1e999", b'{"a":1e999}', Fault.NOT_A_NUMBER, "a"),
    ("huge integer", b'{"a":' + b"9" * 10_000 + b"}", Fault.NUMBER_TOO_LARGE, "a"),
    ("lone surrogate", b'{"a":{"b":"\\ud83d"}}', Fault.LONE_SURROGATE, "a.b"),
    ("lone surrogate in a key", b'{"\\udc00":1}', Fault.LONE_SURROGATE, "\\udc00"),
    ("surrogates the wrong way", b'{"a":"\\ude00\\ud83d"}', Fault.LONE_SURROGATE, "a"),
    ("NUL by escape", b'{"a":["\\u0000"]}', Fault.NUL_CHARACTER, "a[0]"),
    ("NUL in a key", b'{"\\u0000":1}', Fault.NUL_CHARACTER, "\\u0000"),
    ("NUL as it is", b'{"aaaa":"\0"}', Fault.NUL_CHARACTER, ""),
    ("nothing", b"", Fault.TRUNCATED, ""),
    ("white space", b" \n", Fault.TRUNCATED, ""),
    ("cut in a character", '{"a":"\u00e9'.encode()[:-1], Fault.TRUNCATED, ""),
    ("cut in an escape", b'{"a":"\\u00', Fault.TRUNCATED, ""),
    ("single quotes", b"{'a':1}", Fault.MALFORMED, ""),
    ("trailing comma", b'{"a":1,}', Fault.MALFORMED, ""),
    ("bare word", b'{"a":yes}', Fault.MALFORMED, ""),
    ("leading zero", b'{"a":04}', Fault.MALFORMED, ""),
    ("control character", b'{"a":"\x01"}', Fault.MALFORMED, ""),
    ("bad escape", b'{"a":"\\x41"}', Fault.MALFORMED, ""),
    ("garbage after", b'{"a":1}{"a":2}', Fault.MALFORMED, ""),
    ("comment", b'{"a":1} // x', Fault.MALFORMED, ""),
    ("a list at the top", b"[1]", Fault.WRONG_TYPE, ""),
    ("text at the top", b'"x"', Fault.WRONG_TYPE, ""),
    ("deep", b'{"a":' + b"[" * 5 + b"]" * 5 + b"}", Fault.TOO_DEEP, "a[0][0][0][0]"),
    ("very deep", b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", Fault.TOO_DEEP, ""),
    ("many elements", b'{"a":[' + b"1," * 60 + b"1]}", Fault.TOO_MANY_ELEMENTS, ""),
    ("long text", b'{"a":["' + b"x" * 21 + b'"]}', Fault.TEXT_TOO_LONG, "a[0]"),
    ("long key", b'{"' + b"x" * 80 + b'":1}', Fault.TEXT_TOO_LONG, "x" * 60 + "~"),
    ("large", b'{"a":"' + b" " * 2_000_000 + b'"}', Fault.TOO_LARGE, ""),
]


@pytest.mark.parametrize(("body", "kind", "path"), [v[1:] for v in VECTORS], ids=[v[0] for v in VECTORS])
def test_each_fault_is_named_with_its_place(body: bytes, kind: Fault, path: str) -> None:
    assert fault(body) == (kind, path)


@pytest.mark.parametrize("number", [b"NaN", b"1e999", b"9" * 19])
def test_a_bad_number_under_a_name_given_thrice_is_no_value(number: bytes) -> None:
    """What stands for the number until it is refused has members of its own, as many as the names that were lost."""
    with pytest.raises(Unreadable) as refused:
        parse(b'{"a":1,"a":2,"a":' + number + b"}", Limits())
    assert refused.value.fault is Fault.DUPLICATE_KEY


def test_all_faults_of_bytes_have_a_vector() -> None:
    of_mapping = {Fault.MISSING, Fault.UNKNOWN_CODE, Fault.NOT_READABLE, Fault.WRONG_PROFILE, Fault.READER_FAILED}
    of_mapping |= {Fault.SEVERAL_INCIDENTS, Fault.AMBIGUOUS_LINK}
    of_csv = {Fault.RAGGED_ROW, Fault.NO_HEADER, Fault.ROW_WITHOUT_INCIDENT, Fault.UNKNOWN_FILE}
    of_zip = {fault for fault in Fault if fault.name.startswith("ARCHIVE_")}
    of_xml = {Fault.DOCTYPE, Fault.PART_ELSEWHERE}
    assert {v[2] for v in VECTORS} == set(Fault) - of_mapping - of_csv - of_zip - of_xml


def test_a_byte_order_mark_is_tolerated() -> None:
    assert parse(b'\xef\xbb\xbf{"a":1}', LIMITS) == {"a": 1}


def test_what_lies_within_the_bounds_is_read() -> None:
    whole = {"a": [[[[]]]], "b": "x" * 20, "c": -(10**16), "d": 1.5e300, "e": "\U0001f600", "f": None}
    assert parse(json.dumps(whole).encode(), LIMITS) == whole


SAMPLE = json.dumps({"a": [1.5e10, True, None, "\u00e9\U0001f600", {"b\n": "x\\y", "c": -0.5}], "d": "\u2019"})


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_document_cut_anywhere_is_truncated_and_never_malformed(*, ascii_only: bool) -> None:
    """A sender whose connection broke is told so, wherever it broke."""
    body = json.dumps(json.loads(SAMPLE), ensure_ascii=ascii_only, indent=1).encode()
    for end in range(len(body)):
        assert fault(body[:end]) == (Fault.TRUNCATED, ""), body[:end]


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**17), 10**17),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=20,
)


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5))
def test_a_sound_document_reads_as_the_standard_library_reads_it(tree: dict[str, Any]) -> None:
    body = json.dumps(tree).encode()
    found = _parsed(body, Limits())
    if isinstance(found, Unreadable):
        assert found.fault is Fault.NUL_CHARACTER
        assert "\\u0000" in body.decode()
    else:
        assert found == json.loads(body)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60) | st.text('{}[]",:0123456789eE+-.\\untrfals \u00e9', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_unreadable(body: bytes) -> None:
    found = _parsed(body, LIMITS)
    assert found.problems if isinstance(found, Unreadable) else isinstance(found, dict)


def _parsed(body: bytes, limits: Limits) -> dict[str, Any] | Unreadable:
    try:
        return parse(body, limits)
    except Unreadable as refused:
        return refused
