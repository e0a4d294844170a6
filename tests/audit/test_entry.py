import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import form, grammar
from audit.entry import (
    Actor,
    AgreementRef,
    Entry,
    Items,
    Operation,
    Outcome,
    Recipient,
    timestamp,
)
from audit.errors import EntryInvalid
from tests.audit.worked import entry

CODES = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"\\'), min_size=1, max_size=20)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
MANY = st.lists(CODES, max_size=3).map(tuple)
FACTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner, max_size=3)
    ),
    max_leaves=8,
)
ENTRIES = st.builds(
    Entry,
    id=st.uuids().map(str),
    time=st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)).map(timestamp),  # noqa: DTZ001 - the strategy wants it naive
    operation=st.sampled_from(Operation),
    outcome=st.sampled_from(Outcome),
    event=st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True),
    actor=st.builds(Actor, CODES, CODES, st.none() | CODES, st.none() | CODES),
    recipients=st.lists(st.builds(Recipient, CODES, CODES), max_size=2).map(tuple),
    subjects=MANY,
    record=st.none() | CODES,
    case=st.none() | CODES,
    agreement=st.none() | st.builds(AgreementRef, CODES, CODES, HASHES),
    clauses=MANY,
    items=st.builds(Items, MANY, MANY, MANY),
    purpose=st.none() | CODES,
    reason=st.none() | CODES,
    facts=st.none() | st.dictionaries(st.text(st.characters(max_codepoint=127)), FACTS, max_size=4),
    mapping=st.none() | HASHES,
    payload=st.none() | HASHES,
    request=st.none() | CODES,
    correlation=st.none() | CODES,
    detail=st.none() | st.dictionaries(CODES, CODES | st.integers(-9, 9) | st.booleans(), max_size=3),
)


@given(ENTRIES)
@settings(deadline=None, max_examples=100)
def test_an_entry_is_canonical_and_reads_back_to_itself(one: Entry) -> None:
    raw = one.to_bytes()
    assert raw == rfc8785.dumps(json.loads(raw))
    assert Entry.parse(raw) == one


def test_the_shortest_entry_has_every_key() -> None:
    one = Entry(
        id=entry(0).id,
        time="2026-03-01T10:00:00.000Z",
        operation=Operation.ADMINISTRATION,
        outcome=Outcome.DENIED,
        event="token-refused",
        actor=Actor("RZZ", "client"),
    )
    said = json.loads(one.to_bytes())
    assert said["v"] == 1
    assert [key for key, value in said.items() if value is None] == [
        *("agreement", "case", "correlation", "detail", "facts", "mapping", "payload", "purpose", "reason"),
        *("record", "request"),
    ]


def _set(*path: str | int, to: Any) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = to

    return change


def _drop(*path: str | int) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        del value[path[-1]]

    return change


FAULTS = [
    (_drop("purpose"), "purpose"),
    (_drop("actor", "role"), "actor.role"),
    (_drop("items", "withheld"), "items.withheld"),
    (_drop("agreement", "hash"), "agreement.hash"),
    (_drop("recipients", 0, "recipient"), "recipients[0].recipient"),
    (_set("surname", to="x"), ""),
    (_set("actor", "surname", to="x"), "actor"),
    (_set("recipients", 0, "surname", to="x"), "recipients[0]"),
    (_set("actor", to=None), "actor"),
    (_set("items", to=[]), "items"),
    (_set("recipients", to=None), "recipients"),
    (_set("recipients", to={}), "recipients"),
    (_set("agreement", to="x"), "agreement"),
    (_set("v", to=2), "v"),
    (_set("v", to=True), "v"),
    (_set("v", to=1.0), "v"),
    (_set("id", to="0B8F1C9E-6C1E-4F39-9D5E-000000000001"), "id"),
    (_set("id", to=None), "id"),
    (_set("time", to="2026-03-01T10:11:12Z"), "time"),
    (_set("time", to="2026-03-01T10:11:12.345+00:00"), "time"),
    (_set("time", to="2026-02-30T10:11:12.345Z"), "time"),
    (_set("time", to="2026-W01-1T10:11:12.34Z"), "time"),
    (_set("time", to=5), "time"),
    (_set("operation", to="peeking"), "operation"),
    (_set("operation", to=["disclosure"]), "operation"),
    (_set("outcome", to=None), "outcome"),
    (_set("event", to="Incident"), "event"),
    (_set("event", to="incident--x"), "event"),
    (_set("event", to="incident accepted"), "event"),
    (_set("actor", "organisation", to=""), "actor.organisation"),
    (_set("actor", "client", to=None), "actor.client"),
    (_set("actor", "user", to="Jo Bloggs"), "actor.user"),
    (_set("actor", "role", to=7), "actor.role"),
    (_set("subjects", to="s-1"), "subjects"),
    (_set("subjects", to=None), "subjects"),
    (_set("subjects", 1, to="a b"), "subjects[1]"),
    (_set("subjects", 1, to=5), "subjects[1]"),
    (_set("clauses", 0, to=None), "clauses[0]"),
    (_set("items", "released", 1, to='"'), "items.released[1]"),
    (_set("items", "generalised", to={}), "items.generalised"),
    (_set("agreement", "hash", to="ab"), "agreement.hash"),
    (_set("agreement", "version", to=3), "agreement.version"),
    (_set("mapping", to="AB" * 32), "mapping"),
    (_set("payload", to=""), "payload"),
    (_set("record", to="é"), "record"),
    (_set("case", to="a\\b"), "case"),
    (_set("reason", to="because she said so"), "reason"),
    (_set("request", to="a\nb"), "request"),
    (_set("correlation", to="\x7f"), "correlation"),
    (_set("facts", to=[]), "facts"),
    (_set("facts", "age", to=1.5), "facts.age"),
    (_set("facts", "items", 1, to=1.5), "facts.items[1]"),
    (_set("facts", "é", to=1), "facts"),
    (_set("detail", to="x"), "detail"),
    (_set("detail", "note", to="free text"), "detail.note"),
    (_set("detail", "note", to=None), "detail.note"),
    (_set("detail", "a b", to=1), "detail"),
    (_set("detail", "n", to=1.5), "detail.n"),
]


@pytest.mark.parametrize(("change", "path"), FAULTS)
def test_an_entry_out_of_form_is_refused_with_its_path_and_without_its_value(
    change: Callable[[Any], None], path: str
) -> None:
    value = json.loads(entry(1).to_bytes())
    change(value)
    raw = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(EntryInvalid) as refusal:
        Entry.parse(raw)
    assert refusal.value.path == path
    assert "Bloggs" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"event": "Not kebab"}, "event"),
        ({"subjects": ("a b",)}, "subjects[0]"),
        ({"subjects": "s-1"}, "subjects"),
        ({"time": "2026-03-01T10:11:12Z"}, "time"),
        ({"detail": {"note": "free text"}}, "detail.note"),
        ({"facts": {"age": 1.5}}, "facts.age"),
        ({"facts": {"when": datetime(2026, 1, 1, tzinfo=UTC)}}, "facts.when"),
        ({"facts": {"n": 2**60}}, "facts.n"),
        ({"facts": {"x": "\ud800"}}, "facts.x"),
        ({"record": "x" * 70_000}, ""),
        ({"mapping": "abc"}, "mapping"),
    ],
)
def test_an_entry_out_of_form_cannot_be_written(change: dict[str, Any], path: str) -> None:
    with pytest.raises(EntryInvalid) as refusal:
        entry(1)._replace(**change).to_bytes()
    assert refusal.value.path == path


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw + b" ",
        lambda raw: b" " + raw,
        lambda raw: raw.replace(b'"v":1', b'"v": 1'),
        lambda raw: raw.replace(b'"v":1}', b'"v":1,"v":1}'),
        lambda raw: raw.replace(b'"facts":{', b'"facts":{"z":1,'),
        lambda raw: raw.replace(b'"facts":{', b'"facts":{"grade":"low",'),
        lambda raw: raw.replace(b'"detail":{', b'"detail":{"z":1,'),
        lambda raw: raw.replace(b"incident", rb"\u0069ncident"),
        lambda raw: raw.replace(b'"attempt":1', b'"attempt":01'),
        lambda raw: raw.replace(b'"attempt":1', b'"attempt":-0'),
        lambda raw: raw.replace(b'"attempt":1', b'"attempt":9007199254740993'),
        lambda raw: raw[:-1],
        lambda raw: raw + b"\n",
        lambda _: b"",
        lambda _: b"[]",
        lambda _: b"\xff",
    ],
)
def test_only_the_canonical_spelling_is_read(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(EntryInvalid):
        Entry.parse(spoil(entry(1).to_bytes()))


ODD = st.sampled_from(
    [None, True, 0, 1, -1, 1.5, "", "a", "a b", "é", '"', "x\n", [], ["a"], ["a b"], {}, {"a": 1}, "ab" * 32]
)


@given(st.lists(st.tuples(st.sampled_from(sorted(form._KEYS[""])), ODD), min_size=1, max_size=2))
@settings(deadline=None, max_examples=400)
def test_the_table_explains_exactly_what_the_grammar_refuses(changes: list[tuple[str, Any]]) -> None:
    value = json.loads(entry(1).to_bytes())
    value.update(changes)
    raw = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    refused = grammar.whole(raw) is None
    try:
        explained = next(form._faults(value), None) is not None
    except (TypeError, KeyError, AttributeError):  # one that goes on after its first finding
        explained = True
    assert explained == refused


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    summer = timezone(timedelta(hours=1))
    assert timestamp(datetime(2026, 7, 1, 9, 30, 0, 999999, summer)) == "2026-07-01T08:30:00.999Z"
    assert timestamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
