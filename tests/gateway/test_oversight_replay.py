"""Decisions made again, and candidates tried on the past: from a log made by hand, in memory and as a pack."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.entry import Operation
from gateway.agreement import State, shipped
from gateway.decide import Effect, Facts, decide_on
from gateway.evidence import Event
from gateway.oversight.entries import PackSource, SourceUnreadable
from gateway.oversight.judge import Judge, asked
from gateway.oversight.replay import rederive
from gateway.oversight.standing import Supposed
from gateway.oversight.what_if import EXAMPLES_MAX, try_on
from gateway.searching import Search
from mappings.items import CATALOGUE
from tests.gateway.oversight_support import AT, ITEMS, Log, facts_like
from tests.support.agreements import clause, edited


@pytest.fixture
def log() -> Log:
    """Decisions of several kinds while the agreement was in force, suspended, and in force again."""
    made = Log()
    made.step(Event.AGREEMENT_ACTIVATED)
    made.read("a", types="ServiceRequest,Patient")
    made.later(minutes=5).read("b", facts=facts_like(area="wyre", grade="standard", consent="refused"))
    made.later(minutes=5).note(Event.NOTHING_FOUND, operation=Operation.CONSULTATION)
    made.later(minutes=5).read("a", event=Event.WORKLIST_READ, types="Task", reason="case-review")
    return made


def test_a_log_as_it_was_sealed_comes_out_again(log: Log) -> None:
    found = rederive(log)
    assert (found.entries, found.same, found.nothing, found.different) == (5, 3, 2, 0)
    assert found.not_derivable == {}


def altered(body: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    said = orjson.loads(body)
    change(said)
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("clauses", lambda said: said.update(clauses=["F1-other"])),
        ("items.released", lambda said: said["items"]["released"].append("victim.clinical")),
        ("items.generalised", lambda said: said["items"]["generalised"].append("suspect.home_address")),
        ("items.withheld", lambda said: said["items"]["withheld"].append("victim.clinical")),
        ("recipients", lambda said: said["recipients"][0].update(organisation="RTX")),
        ("items.released", lambda said: said["facts"]["items"].remove("victim.name")),
        ("outcome", lambda said: said["facts"].update(grade="high", consent="refused")),
    ],
)
def test_what_was_sealed_otherwise_than_the_agreement_says_is_named(
    log: Log, part: str, change: Callable[[dict[str, Any]], object]
) -> None:
    log.bodies[1] = altered(log.bodies[1], change)
    found = rederive(log)
    assert (found.different, found.same) == (1, 2)
    assert found.differences[0].index == 1
    assert part in found.differences[0].parts


def test_a_release_while_the_agreement_was_suspended_is_a_difference(log: Log) -> None:
    log.later(minutes=5).step(Event.AGREEMENT_SUSPENDED)
    index = log.later(minutes=5).read("c")
    log.later(minutes=5).step(Event.AGREEMENT_RESUMED)
    log.later(minutes=5).read("c")
    found = rederive(log)
    assert [one.index for one in found.differences] == [index]
    assert "outcome" in found.differences[0].parts


def test_a_release_under_a_version_that_never_came_into_force_is_a_difference() -> None:
    log = Log()
    log.read("a")
    assert rederive(log).different == 1


def test_a_range_knows_what_came_before_it(log: Log) -> None:
    """The activation lies before the range; decisions in it come out all the same."""
    start = log.now
    log.later(minutes=5).read("d")
    found = rederive(log, start)
    assert (found.entries, found.same, found.different) == (2, 2, 0)
    assert rederive(log, None, start).entries == 4


def test_what_cannot_be_made_again_says_why(log: Log) -> None:
    log.bodies[1] = altered(log.bodies[1], lambda said: said["agreement"].update(hash="0" * 64))
    log.bodies[2] = altered(log.bodies[2], lambda said: said["facts"].pop("items"))
    log.bodies[4] = altered(log.bodies[4], lambda said: said["detail"].update(types="Condition"))
    assert rederive(log).not_derivable == {"no-text": 1, "unknown-types": 1, "unreadable-facts": 1}


def test_an_oral_disclosure_has_nothing_to_derive(log: Log) -> None:
    log.note(Event.ORAL_DISCLOSURE, operation=Operation.DISCLOSURE, case="a", detail={"channel": "phone"})
    assert rederive(log).nothing == 3


def test_a_pack_gives_what_the_log_gives(log: Log, tmp_path: Path) -> None:
    source = PackSource(log.to_pack(tmp_path / "log.pack"))
    assert source.size == log.size
    assert list(source.entries()) == list(log.entries())
    assert rederive(source) == rederive(log)
    middle = next(log.entries()).at.replace(minute=6)
    assert list(source.entries(middle)) == list(log.entries(middle))
    assert list(source.entries(None, middle)) == list(log.entries(None, middle))
    steps = frozenset({Event.AGREEMENT_ACTIVATED.value})
    assert list(source.earlier(steps, middle)) == list(log.earlier(steps, middle)) != []
    assert source.seen == ()


def test_a_file_that_is_no_whole_pack_is_refused(log: Log, tmp_path: Path) -> None:
    whole = log.to_pack(tmp_path / "log.pack").read_bytes()
    text = whole.index(b"document ")
    for name, content in {
        "another": b"not a pack\n",
        "short": whole[: whole.index(b"end ")],
        "text": whole[: text + 200] + b"!" + whole[text + 201 :],
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceUnreadable, match=name):
            PackSource(tmp_path / name)
    with pytest.raises(SourceUnreadable, match="no such file"):
        PackSource(tmp_path / "missing")


def without_ethnicity(content: dict[str, Any]) -> None:
    content["version"] = 2
    clause(content, "F1-referral")["release"].remove("victim.ethnicity")


def test_the_agreement_itself_changes_nothing(log: Log) -> None:
    found = try_on(log, log.agreement)
    assert (found.decisions, found.changed, found.rows) == (3, 0, ())


def test_an_item_no_longer_released_is_counted_where_it_would_have_gone(log: Log) -> None:
    found = try_on(log, edited(without_ethnicity))
    assert (found.decisions, found.changed) == (3, 1)
    assert found.by("item") == {"victim.ethnicity": {"whole to withheld": 1}}
    assert found.by("clause") == {
        "F1-referral": {"whole to withheld": 1},
        "default": {"whole to withheld": 1},
    }
    assert found.by("recipient") == {"idva-team": {"whole to withheld": 1}}
    assert found.by("area") == {"blackpool": {"whole to withheld": 1}}
    assert found.rows[0].examples == (1,)
    assert found.outcomes() == {}


def test_a_changed_condition_changes_the_outcome(log: Log) -> None:
    def only_fylde(content: dict[str, Any]) -> None:
        for one in content["clauses"]:
            if one["flow"] == "F1":
                one["when"]["areas"] = ["fylde"]

    found = try_on(log, edited(only_fylde))
    assert found.outcomes() == {"permitted to refused": 3}
    assert set(found.by("area")) == {"blackpool", "wyre"}
    assert all(set(kinds) <= {"whole to withheld", "generalised to withheld"} for kinds in found.by("item").values())


def test_a_method_instead_of_the_whole_is_seen(log: Log) -> None:
    facts = facts_like(items=(*ITEMS, "victim.birth"))
    log.later(minutes=5).read("e", facts=facts, types="Patient")

    def year(content: dict[str, Any]) -> None:
        one = clause(content, "F1-referral")
        one["release"].remove("victim.birth")
        one["generalise"]["victim.birth"] = "year"

    found = try_on(log, edited(year))
    assert found.by("item") == {"victim.birth": {"whole to generalised": 1}}
    assert (found.rows[0].change.before, found.rows[0].change.after) == ("whole", "year")


def test_a_candidate_is_tried_whatever_its_dates_say(log: Log) -> None:
    def next_year(content: dict[str, Any]) -> None:
        content["in_force"]["from"] = "2027-01-01T00:00:00+00:00"

    assert try_on(log, edited(next_year)).changed == 0


def test_counts_are_those_of_a_slow_twin(seed: int) -> None:
    """Random facts, asked again one by one without any memory."""
    order, log = random.Random(seed), Log()
    log.step(Event.AGREEMENT_ACTIVATED)
    for number in range(60):
        facts = facts_like(
            area=order.choice(["blackpool", "wyre", "lancaster", None]),
            grade=order.choice(["high", "medium", "standard", None]),
            consent=order.choice(["given", "refused", "withdrawn", None]),
            items=tuple(sorted(order.sample(ITEMS, order.randrange(1, len(ITEMS))))),
        )
        log.later(minutes=1).read(f"case-{number}", facts=facts)
    candidate = edited(without_ethnicity)
    found = try_on(log, candidate)
    expected: dict[str, int] = {}
    for one in list(log.entries())[1:]:
        facts = facts_like(**{**one.said["facts"], "items": tuple(one.said["facts"]["items"])})
        before = log.decide(facts, types="ServiceRequest").ruling
        log.agreement, kept = candidate, log.agreement
        after = log.decide(facts, types="ServiceRequest").ruling
        log.agreement = kept
        for item in set(before.methods) - set(after.methods):
            expected[item] = expected.get(item, 0) + 1
    assert {item: sum(kinds.values()) for item, kinds in found.by("item").items()} == expected


_ODD = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["update", "correction", "retraction", "notice"]),
        "source": st.sampled_from(["05", None]),
        "area": st.sampled_from(["lancaster", "elsewhere", None]),
        "grade": st.sampled_from(["medium", "standard", None]),
        "consent": st.sampled_from(["refused", "withdrawn", "not-asked", "overridden", None]),
        "classification": st.sampled_from(["SECRET", None]),
        "handling": st.sampled_from(["P", "C"]),
        "information_grade": st.sampled_from(["A", "E"]),
        "children": st.just(value=True),
        "age_band": st.sampled_from(["under-16", "16-17", "35-44"]),
        "relationship": st.sampled_from(["assigned", "team", "declared", "same-name"]),
        "break_glass": st.just("life-or-limb"),
    },
)
_CONTENT = shipped().content
_LIMITS = sorted({one.when.within_days * 24 for one in _CONTENT.clauses if one.when.within_days is not None})
_HOURS = st.one_of(st.none(), st.integers(0, 50_000), *(st.integers(limit - 1, limit) for limit in _LIMITS))
_ITEMS = st.one_of(
    st.lists(st.sampled_from([*sorted(CATALOGUE), "no.such_item"]), unique=True, max_size=12).map(sorted),
    st.lists(st.sampled_from(["police.covert", "no.such_item"]), unique=True).map(sorted),
)
_FLOWS = [(flow, to, sender) for flow in _CONTENT.flows for to in flow.to for sender in flow.from_]


@st.composite
def asked_facts(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[str, str]]:
    """Facts that a flow of the agreement fits, but for a few; with the recipient and the purpose."""
    flow, to, sender = draw(st.sampled_from(_FLOWS))
    odd = draw(_ODD)
    kept = draw(st.sets(st.sampled_from(sorted(odd)), max_size=2)) if odd else set()
    kind = "incident" if _CONTENT.party(sender).is_police else "status"
    plain = facts_like(kind=kind, source=_CONTENT.party(sender).organisation).to_json()
    plain |= {"hours_since_event": draw(_HOURS), "items": draw(_ITEMS)} | {name: odd[name] for name in sorted(kept)}
    purpose = draw(st.sampled_from([flow.purpose] * 8 + ["no-such-purpose"]))
    return plain, (draw(st.sampled_from([to] * 8 + ["nobody"])), purpose)


_TYPES = st.sampled_from([None, "Task", "ServiceRequest,Patient", "RiskAssessment"])
_STATES = st.sampled_from([None, State.IN_FORCE, State.IN_FORCE, State.SUSPENDED])
_TIMES = st.sampled_from([AT, AT, AT.replace(year=2025), AT.replace(year=2031)])


@settings(max_examples=400, deadline=None)
@given(asked_facts(), _TYPES, _STATES, _TIMES)
def test_an_answer_is_the_decision(
    asking: tuple[dict[str, Any], tuple[str, str]], types: str | None, state: State | None, at: datetime
) -> None:
    """Asked as if the record held every item, and cut to what it holds, the answer is what `decide_on` says."""
    (plain, way), terms = asking, JUDGED[state]
    said = {
        "facts": plain,
        "recipients": [{"organisation": "any", "recipient": way[0]}],
        "purpose": way[1],
        "detail": {"types": types} if types else None,
    }
    answer = JUDGE.answer(asked(said), at, terms)
    decision = decide_on(Facts.from_json(dict(plain)), *way, terms, at)
    if types:
        decision = decision.narrow(Search(types=tuple(types.split(","))).items)
    assert (answer.outcome, answer.reason) == (decision.outcome, decision.reason)
    assert answer.clauses == list(decision.clauses)
    assert (answer.organisation, answer.recipient, answer.agreement) == (
        decision.organisation,
        decision.recipient,
        decision.agreement,
    )
    assert [answer.question.verdicts[item] for item in answer.items] == list(decision.verdicts)
    for effect, items in (
        (Effect.RELEASED, decision.released),
        (Effect.GENERALISED, decision.generalised),
        (Effect.WITHHELD, decision.withheld),
    ):
        assert answer.named(effect) == list(items)


JUDGE = Judge()
"""One for all examples, so that it remembers."""
JUDGED: dict[State | None, Supposed] = {state: Supposed(shipped(), state) for state in (None, *State)}


def test_examples_are_few_and_the_first(log: Log) -> None:
    for _ in range(EXAMPLES_MAX + 5):
        log.later(minutes=1).read("f", types="Patient")
    row = try_on(log, edited(without_ethnicity)).rows[0]
    assert row.count >= EXAMPLES_MAX + 5
    assert len(row.examples) == EXAMPLES_MAX
    assert list(row.examples) == sorted(row.examples)
