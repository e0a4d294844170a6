"""The glance never says yes where the law says no; and it says yes to the entries that are written."""

import json
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.canonical import encode
from audit.entry import Actor, Entry, Operation, Outcome, timestamp
from audit.errors import EntryInvalid, NotCanonical
from audit.form import check_form
from audit.grammar import MOST_BYTES, Glance, glance, whole
from tests.audit.test_entry import ENTRIES
from tests.audit.worked import AGREEMENT_HASH, MAPPING_HASH, entry

SHORTEST = Entry(
    id=entry(0).id,
    time="2026-03-01T10:00:00.000Z",
    operation=Operation.ADMINISTRATION,
    outcome=Outcome.DENIED,
    event="token-refused",
    actor=Actor("RZZ", "client"),
)
PIECES = [
    *(
        b"null",
        b"true",
        b"1",
        b"1.0",
        b"-0",
        b"01",
        b"1e3",
        b'""',
        b'"a"',
        b'"a b"',
        b'"\xc3\xa9"',
        b'"\\u0061"',
        b"{}",
    ),
    *(b"[]", b"[1]", b"{", b"}", b"[", b"]", b'"', b",", b":", b" ", b"\n", b"\x00", b"\xff", b"9007199254740993"),
    *(
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":{"b":1.5}}',
        b'"facts":null',
        b'"v":1',
        b"T24:00:00.000Z",
        b"2026-02-30",
    ),
]


def _by_law(raw: bytes) -> Glance | None:
    """The slow twin: read, write again and compare, then the whole grammar and what it leaves open."""
    try:
        value = json.loads(raw.decode(), parse_float=lambda _: object())
        if encode(value) != raw or whole(raw) is None:
            return None
        datetime.fromisoformat(value["time"])
    except (ValueError, NotCanonical, RecursionError):
        return None
    if len(raw) > MOST_BYTES or not all(key.isascii() for key in _keys(value)):
        return None
    agreement = value["agreement"]
    return value["time"], None if agreement is None else agreement["hash"], value["mapping"]


def _keys(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for one in value.values() for key in _keys(one))]
    return [key for one in value for key in _keys(one)] if isinstance(value, list) else []


@pytest.mark.parametrize("one", [entry(1), SHORTEST, SHORTEST._replace(detail={"n": 1, "a": "x"}, facts={})])
def test_entries_as_they_are_written_need_no_closer_look(one: Entry) -> None:
    raw = one.to_bytes()
    assert glance(raw) == _by_law(raw)
    assert glance(raw) is not None


def test_the_glance_tells_what_the_entry_names() -> None:
    assert glance(entry(1).to_bytes()) == (entry(1).time, AGREEMENT_HASH, MAPPING_HASH)


@given(ENTRIES)
@settings(deadline=None, max_examples=200)
def test_the_glance_agrees_with_the_law_on_entries(one: Entry) -> None:
    """It may decline, as where a code holds a bracket; then `check_form` asks the law."""
    raw = one.to_bytes()
    assert glance(raw) in (None, _by_law(raw))
    check_form(json.loads(raw), raw)


@given(ENTRIES, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=150)
def test_the_glance_never_says_yes_where_the_law_says_no(one: Entry, chance: random.Random) -> None:
    raw = one.to_bytes()
    for _ in range(20):
        at = chance.randrange(len(raw))
        end = min(len(raw), at + chance.choice([0, 1, 1, 4, 40]))
        altered = raw[:at] + chance.choice([*PIECES, bytes([chance.randrange(256)])]) + raw[end:]
        said = glance(altered)
        assert said is None or said == _by_law(altered), altered


def test_every_byte_of_an_entry_altered_in_turn_gives_the_law_s_verdict() -> None:
    raw = entry(1).to_bytes()
    for at in range(len(raw)):
        for other in (0, 10, 32, 34, 44, 49, 92, 93, 125, raw[at] ^ 1, raw[at] ^ 32):
            altered = raw[:at] + bytes([other]) + raw[at + 1 :]
            said = glance(altered)
            assert said == _by_law(altered) or (said is None and other in b"]}"), (at, other)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'"grade":"high"', b'"grade":1.5'),
        (b'"grade":"high"', b'"grade":9007199254740993'),
        (b'"grade":"high"', b'"grade":-0'),
        (b'"grade":"high"', b'"grade":"high","grade":"high"'),
        (b'"grade":"high"', b'"zz":1,"grade":"high"'),
        (b'"grade":"high"', '"é":1'.encode()),
        (b'"attempt":1', b'"attempt":01'),
        (b'"attempt":1', b'"attempt":1,"attempt":1'),
        (b'"attempt":1,"channel":"fhir"', b'"channel":"fhir","attempt":1'),
        (b'"attempt":1', b'"attempt":9007199254740993'),
        (b"2026-03-01T", b"2026-02-29T"),
        (b"2026-03-01T10", b"2026-03-01T24"),
        (b"2026-03-01T10", b"0000-03-01T10"),
    ],
)
def test_what_is_no_canonical_entry_is_refused_at_a_glance_and_by_the_law(was: bytes, becomes: bytes) -> None:
    raw = entry(1).to_bytes()
    assert was in raw
    altered = raw.replace(was, becomes)
    assert glance(altered) is None
    with pytest.raises(EntryInvalid):
        Entry.parse(altered)


def test_text_outside_ascii_may_stand_in_a_fact() -> None:
    raw = entry(1)._replace(facts={"area": "Ynys Môn"}).to_bytes()
    assert glance(raw) == _by_law(raw) is not None


def test_an_entry_that_is_too_long_is_refused() -> None:
    fact = "x" * (MOST_BYTES - len(entry(1)._replace(facts={"a": ""}).to_bytes()))
    raw = entry(1)._replace(facts={"a": fact}).to_bytes()
    assert len(raw) == MOST_BYTES
    assert glance(raw) is not None
    longer = raw.replace(b"xx", b"xxx", 1)
    assert glance(longer) is None
    with pytest.raises(EntryInvalid, match="longer"):
        Entry.parse(longer)


@pytest.mark.parametrize("deep", [b"[" * 900 + b"1.5" + b"]" * 900, b"[" * 900 + b"]" * 900, b"[" * 30_000])
def test_facts_nested_without_end_are_refused_and_not_followed(deep: bytes) -> None:
    raw = entry(1).to_bytes().replace(b'"grade":"high"', b'"grade":' + deep)
    with pytest.raises(EntryInvalid):
        Entry.parse(raw)


def test_a_time_of_any_century_is_read() -> None:
    raw = SHORTEST._replace(time=timestamp(datetime(1000, 1, 1, tzinfo=UTC))).to_bytes()
    assert glance(raw) is not None
