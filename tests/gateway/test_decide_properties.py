"""The NEVER rules of domain.md section 4.5, for any agreement, any facts and any recipient (P3).

The agreements are made of a few flows of the shipped one and clauses, holds and prohibitions at random; the models and
the names are checked as ever, the static checks are not: what they would refuse is decided all the same.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.agreement import Terms, parse
from gateway.decide import Decision, Facts, Outcome, Reason, decide_on
from gateway.generalise import AGE_BANDS, Method, fits
from mappings.items import CATALOGUE
from mappings.record import Classification, ConsentState, Grade, RecordKind
from tests.support.agreements import plain, signed
from tests.support.records import NOW

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # making a failure smaller reads an agreement at every step
ITEMS = sorted(CATALOGUE)
FLOWS = {
    "F1": ["idva-team"],
    "F2": ["police-officer"],
    "F5-POLICE": ["mash"],
    "F6": ["evaluation"],
    "F8": ["police-officer"],
}
ROADS = [
    ("idva-team", "safeguarding", "04"),
    ("police-officer", "feedback", "RXL"),
    ("mash", "children", "04"),
    ("evaluation", "evaluation", "RXL"),
    ("police-officer", "own-record", "04"),
    ("press", "safeguarding", "04"),
    ("idva-team", "safeguarding", "05"),
]
CONNECTED = {"declared", "same-name", "same-address"}

words = {
    "kinds": [kind.value for kind in RecordKind],
    "areas": ["blackpool", "fylde", "wyre", "lancaster", "morecambe"],
    "grades": [*(grade.value for grade in Grade), "unknown"],
    "consent": [*(state.value for state in ConsentState), "unknown"],
    "ages": [*AGE_BANDS, "unknown"],
    "markings": [*(one.value for one in Classification), "unknown"],
    "relationships": ["assigned", "team", "unknown"],
}


def mostly(narrow: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """`any` three times in four, so that some clause applies often enough to be tried."""
    return st.sampled_from([True, True, True, False]).flatmap(lambda wide: st.just("any") if wide else narrow)


conditions = st.fixed_dictionaries(
    {
        name: mostly(st.lists(st.sampled_from(of), min_size=max(1, len(of) // 2), unique=True))
        for name, of in words.items()
    }
    | {"children": mostly(st.booleans()), "within_days": mostly(st.integers(1, 800))}
)
names = st.lists(st.sampled_from(ITEMS), unique=True, max_size=60)
methods = st.dictionaries(st.sampled_from(ITEMS), st.sampled_from(list(Method)), max_size=12)


@st.composite
def clauses(draw: st.DrawFn) -> dict[str, Any]:
    flow = draw(st.sampled_from(sorted(FLOWS)))
    found: dict[str, Any] = {
        "title": "a clause",
        "flow": flow,
        "recipients": FLOWS[flow],
        "emergency": draw(st.booleans()),
        "when": draw(conditions),
        "release": draw(names),
        "generalise": {item: method.value for item, method in draw(methods).items() if fits(method, item)},
    }
    if kept := draw(st.lists(st.sampled_from(ITEMS), unique=True, max_size=5)):
        found["withhold"] = [{"items": kept, "reason": "kept"}]
    return {name: value for name, value in found.items() if value or name == "emergency"}


holds = st.fixed_dictionaries(
    {
        "title": st.just("a hold"),
        "flow": st.sampled_from(sorted(FLOWS)),
        "when": conditions,
        "owner": st.just("trust-caldicott"),
        "reason": st.just("a human decides"),
    }
)
prohibitions = st.fixed_dictionaries(
    {
        "items": st.lists(st.sampled_from([*ITEMS, "victim.*", "*.name"]), min_size=1, max_size=8, unique=True),
        "recipients": st.lists(
            st.sampled_from(["idva-team", "police-officer", "mash", "evaluation"]), min_size=1, unique=True
        ),
        "reason": st.just("never"),
    }
)
facts = st.builds(
    Facts,
    kind=st.sampled_from(words["kinds"]),
    source=st.none(),
    area=st.none() | st.sampled_from([*words["areas"], "preston"]),
    grade=st.none() | st.sampled_from([grade.value for grade in Grade]),
    consent=st.none() | st.sampled_from([state.value for state in ConsentState]),
    classification=st.sampled_from([None, None, None, *(one.value for one in Classification)]),
    handling=st.sampled_from([None, None, None, "P", "C"]),
    information_grade=st.sampled_from([None, None, None, "A", "E"]),
    children=st.booleans(),
    hours_since_event=st.none() | st.integers(0, 24 * 900),
    items=st.just(tuple(ITEMS)),
    age_band=st.none() | st.sampled_from(AGE_BANDS),
    relationship=st.sampled_from([None, None, "assigned", "assigned", "team", "team", *sorted(CONNECTED)]),
    break_glass=st.sampled_from([None, None, "life-at-risk"]),
)


def base() -> dict[str, Any]:
    content = plain()
    content["flows"] = [one for one in content["flows"] if one["id"] in FLOWS]
    del content["holds"], content["prohibitions"]
    content["governance"] = {name: "x" if isinstance(one, str) else one for name, one in content["governance"].items()}
    content["clocks"]["closed"] = ["2026-12-25"]
    reached = {to for one in content["flows"] for to in one["to"]}
    content["recipients"] = [one for one in content["recipients"] if one["id"] in reached]
    return content


BASE = json.dumps(base())


def agreed(rules: list[dict[str, Any]], stops: list[dict[str, Any]], barred: list[dict[str, Any]]) -> Terms:
    """Terms of these clauses, holds and prohibitions, signed and in force."""
    content = json.loads(BASE)
    for group, letter, found in (("clauses", "c", rules), ("holds", "h", stops), ("prohibitions", "p", barred)):
        if found:
            content[group] = [one | {"id": f"{letter}-{at}"} for at, one in enumerate(found)]
    return signed(parse(json.dumps(content).encode()))


def decided(known: Facts, road: tuple[str, str, str], terms: Terms) -> Decision:
    recipient, purpose, source = road
    fresh = known.to_json() | {"source": source}
    return decide_on(Facts.from_json(fresh), recipient, purpose, terms, NOW)


def leaving(decision: Decision) -> set[str]:
    return {*decision.released, *decision.generalised}


def named(rules: list[dict[str, Any]], decision: Decision, known: Facts) -> set[str]:
    """What the clauses of this flow name, those of an emergency where the glass is broken and the others where not."""
    return {
        item
        for one in rules
        if one["flow"] == decision.flow and one["emergency"] is (known.break_glass is not None)
        for item in (*one.get("release", ()), *one.get("generalise", ()))
    }


some_clauses = st.lists(clauses(), min_size=1, max_size=5)


@given(
    some_clauses,
    st.lists(holds, max_size=2),
    st.lists(prohibitions, max_size=2),
    st.lists(facts, min_size=12, max_size=12),
)
@settings(max_examples=40, deadline=None, phases=PHASES)
def test_nothing_leaves_that_no_clause_names_and_prohibitions_and_rules_win(
    rules: list[dict[str, Any]], stops: list[dict[str, Any]], barred: list[dict[str, Any]], seen: list[Facts]
) -> None:
    terms = agreed(rules, stops, barred)
    prohibited = {
        (to, item) for one in terms.agreement.content.prohibitions for to in one.recipients for item in one.each()
    }
    for known in seen:
        for road in ROADS:
            decision = decided(known, road, terms)
            went = leaving(decision)
            assert went <= named(rules, decision, known)
            assert not {item for item in went if (road[0], item) in prohibited}
            assert {verdict.item for verdict in decision.verdicts} == set(ITEMS)
            assert (decision.outcome is Outcome.PERMITTED) is bool(went)
            _never(decision, known, road)


def _never(decision: Decision, known: Facts, road: tuple[str, str, str]) -> None:
    """N3, N4, N5, N7 and N15, whatever the agreement says and whatever glass is broken."""
    recipient, purpose, source = road
    went, police, own = leaving(decision), recipient == "police-officer", purpose == "own-record"
    if recipient == "press" or source == "05":
        assert not went
    if not police:
        assert not {i for i in went if i.startswith("third_party.") or i == "statement.third_party"}
        assert "risk.answers.suspect_background" not in decision.released
        assert "police.covert" not in went
    if police:
        assert not {i for i in went if i.endswith((".nhs_number", ".general_practice", ".clinical"))}
        health = {"risk.answers.suspect_background", "risk.answers.victim_health", "police.covert"}
        assert own or not health & went
    if known.classification in {"secret", "top-secret"}:
        assert not went
    if not own and (known.handling == "C" or known.information_grade == "E"):
        assert not went
    if known.relationship in CONNECTED and known.break_glass is None:
        assert not went
        assert decision.reason is not Reason.CLAUSE


@given(
    some_clauses,
    st.lists(holds, max_size=1),
    st.lists(prohibitions, max_size=1),
    clauses().map(lambda one: {name: value for name, value in one.items() if name not in {"generalise", "withhold"}}),
    st.lists(facts, min_size=12, max_size=12),
)
@settings(max_examples=30, deadline=None, phases=PHASES)
def test_a_releasing_clause_adds_what_it_names_and_taking_it_away_gives_no_more(
    rules: list[dict[str, Any]],
    stops: list[dict[str, Any]],
    barred: list[dict[str, Any]],
    more: dict[str, Any],
    seen: list[Facts],
) -> None:
    """Read forwards, a clause is added; read backwards, it is removed. A clause that withholds is another matter."""
    before, after = agreed(rules, stops, barred), agreed([*rules, more], stops, barred)
    adds = set(more.get("release", ()))
    for known in seen:
        for road in ROADS:
            was, now = decided(known, road, before), decided(known, road, after)
            assert leaving(was) <= leaving(now)
            assert leaving(now) <= leaving(was) | adds
            assert set(now.released) <= set(was.released) | adds
            assert {v for v in was.verdicts if v.method} <= set(now.verdicts)
