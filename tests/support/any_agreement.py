"""Strategies for properties: any agreement the models allow, any record, and anybody who asks.

An agreement is the shipped one with clauses, holds and prohibitions drawn by chance, most of them unwise. A record is
the one that holds everything, with people, parts and marks taken away or changed by chance.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from gateway.agreement import Terms, shipped
from gateway.agreement.content import Clause, Conditions, Content, Prohibition, Withheld
from gateway.decide import Facts, facts_of
from gateway.generalise import AGE_BANDS, Method, fits
from mappings.items import CATALOGUE
from mappings.record import Classification, ConsentState, Grade, Marking, Record, RecordKind, Role, Source
from tests.support.agreements import signed
from tests.support.everything import everything
from tests.support.records import NOW

ITEMS = sorted(CATALOGUE)
ABLE = sorted(item for item in CATALOGUE if any(fits(method, item) for method in Method))
METHODS = {item: [method for method in Method if fits(method, item)] for item in ABLE}
WHOLE = everything()
SHIPPED = shipped()
_SIGNED = signed(SHIPPED)
ROADS = sorted({(to, flow.purpose) for flow in SHIPPED.content.flows for to in flow.to})
"""Every recipient, with every purpose the agreement has for it."""
_FLOWS = [(flow.id, to) for flow in SHIPPED.content.flows for to in flow.to]


def contents() -> st.SearchStrategy[Content]:
    """Any content: parties, flows and recipients of the shipped agreement, everything else by chance."""
    return st.integers(0, 2**32).map(_content)


def releasing_clauses(name: str) -> st.SearchStrategy[Clause]:
    """Any clause that does nothing but release."""
    return st.integers(0, 2**32).map(lambda seed: _clause(random.Random(seed), name, _FLOWS, releasing=True))


def _content(seed: int) -> Content:
    """Drawn from a seed at once: drawing choice by choice takes a hundred times as long."""
    chance = random.Random(seed)
    prohibited = [few for _ in range(chance.randint(0, 2)) if (few := _some(chance, ITEMS, 0.1))]
    recipients = [recipient.id for recipient in SHIPPED.content.recipients]
    few_flows = chance.sample(_FLOWS, 4)  # few, so that clauses meet
    return SHIPPED.content.model_copy(
        update={
            "clauses": tuple(_clause(chance, f"C{number}", few_flows) for number in range(chance.randint(3, 9))),
            "holds": SHIPPED.content.holds if chance.random() < 0.5 else (),
            "prohibitions": tuple(
                Prohibition(
                    id=f"P{number}",
                    items=tuple(items),
                    recipients=tuple(_some(chance, recipients, 0.5)) or (recipients[0],),
                    reason="drawn",
                )
                for number, items in enumerate(prohibited)
            ),
        }
    )


def _clause(chance: random.Random, name: str, flows: Sequence[tuple[str, str]], *, releasing: bool = False) -> Clause:
    flow, to = chance.choice(flows)
    coarse = [] if releasing else _some(chance, ABLE, 0.1)
    kept = [] if releasing else _some(chance, ITEMS, 0.1)
    share = chance.choice([0.2, 0.6, 1.0])
    return Clause(
        id=name,
        title=f"clause {name}",
        flow=flow,
        recipients=(to,),
        emergency=chance.random() < 0.2,
        when=_conditions(chance) if chance.random() < 0.5 else ANY_CONDITIONS,
        release=tuple(item for item in _some(chance, ITEMS, share) if item not in coarse),
        generalise={item: chance.choice(METHODS[item]) for item in coarse},
        withhold=(Withheld(items=tuple(kept), reason="drawn"),) if kept else (),
    )


def _conditions(chance: random.Random) -> Conditions:
    def among(values: Sequence[Any]) -> tuple[Any, ...] | None:
        return tuple(_some(chance, values, 0.6)) or None if chance.random() < 0.3 else None

    return Conditions(
        kinds=among(list(RecordKind)),
        areas=among(sorted(SHIPPED.content.areas)),
        grades=among([*Grade, "unknown"]),
        consent=among([*ConsentState, "unknown"]),
        children=chance.choice([None, None, True, False]),
        within_days=chance.choice([None, None, 1, 30, 400]),
        ages=among([*AGE_BANDS, "unknown"]),
        markings=among([*Classification, "unknown"]),
        relationships=among(["assigned", "team", "unknown"]),
    )


def _some(chance: random.Random, values: Sequence[Any], share: float) -> list[Any]:
    return [value for value in values if chance.random() < share]


ANY_CONDITIONS = Conditions(
    kinds=None,
    areas=None,
    grades=None,
    consent=None,
    children=None,
    within_days=None,
    ages=None,
    markings=None,
    relationships=None,
)


def terms(content: Content) -> Terms:
    """The content as an agreement that every party has signed, in force; its hash is one for all of them."""
    return replace(_SIGNED, agreement=replace(SHIPPED, content=content))


def records() -> st.SearchStrategy[Record]:
    """Any record: of either side, of any kind and marking, with any of its people and parts."""
    return st.integers(0, 2**32).map(_record)


def _record(seed: int) -> Record:
    chance = random.Random(seed)
    roles = _some(chance, list(Role), 0.5)
    consent = chance.choice([None, *ConsentState])
    update: dict[str, Any] = {
        "kind": chance.choice(list(RecordKind)),
        "area": chance.choice([None, *sorted(SHIPPED.content.areas)]),
        "source": Source(organisation=chance.choice([p.organisation for p in SHIPPED.content.parties])),
        "people": tuple(p for p in WHOLE.people if p.role is Role.VICTIM or p.role in roles),
        "marking": _marking(chance) if chance.random() < 0.5 else None,
        "consents": tuple(c.model_copy(update={"state": consent}) for c in WHOLE.consents) if consent else (),
        "assessments": tuple(
            WHOLE.assessments[0].model_copy(
                update={"ref": f"dash-{number}", "grade": chance.choice([None, *Grade]), "supersedes": None}
            )
            for number in range(chance.randint(1, 3))
        ),
    }
    for name in ("statements", "orders", "relationships", "references", "assessments"):
        if chance.random() < 0.25:
            update[name] = ()
    return WHOLE.model_copy(update=update)


def _marking(chance: random.Random) -> Marking:
    return Marking(
        classification=chance.choice([None, Classification.OFFICIAL, *Classification]),
        handling=chance.choice([None, None, None, "P", "C"]),
        information_grade=chance.choice([None, "A", "E"]),
    )


def facts() -> st.SearchStrategy[Facts]:
    """The facts of any record, asked by anybody."""
    return st.integers(0, 2**32).map(_facts)


def _facts(seed: int) -> Facts:
    chance = random.Random(f"asked {seed}")
    found = facts_of(_record(seed), NOW)
    relationship = chance.choice([None, "assigned", "team", "declared", "same-name", "same-address"])
    return found.asked_by(relationship, chance.choice([None, None, None, "life-or-limb"]), found.hours_since_event)
