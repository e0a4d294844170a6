"""What a clause does with each data item, and what the clauses of an agreement add up to.

Read from the plain content (the JSON that is hashed). A fate is a method of `generalise.py`, or one of three words:
`whole`, `withheld` by name, `nothing` said. Which of two fates tells more is a fixed order, so that a change can be
said to release more or less. Conditions are left aside: this is what could go at best.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from gateway.agreement import phrases as words
from gateway.agreement.words import expand


class Way(StrEnum):
    """Which way a difference points, for whoever is given something."""

    MORE = "more"  # something may go that did not, or more exactly
    LESS = "less"  # something stays that went, or goes less exactly
    OTHER = "other"


WHOLE, NOTHING, WITHHELD = "whole", "nothing", "withheld"
_EXACTNESS = {
    NOTHING: 0,
    WITHHELD: 0,
    "existence": 1,
    "count": 2,
    "yes-no": 3,
    "age-band": 3,
    "locality": 3,
    "coded": 4,
    "year": 4,
    "lsoa": 4,
    WHOLE: 9,
}
"""How much an item tells, least first; methods of one rank are never of the same item."""


def way_of(before: str, after: str) -> Way:
    """Which way it points when an item's fate changes: a method, or `WHOLE`, `WITHHELD`, `NOTHING`."""
    was, now = _EXACTNESS.get(before, 1), _EXACTNESS.get(after, 1)
    return Way.OTHER if was == now else Way.MORE if now > was else Way.LESS


def fate_words(fate: str) -> str:
    """A fate as people read it."""
    return {WHOLE: "whole", NOTHING: "nothing", WITHHELD: "withheld"}.get(fate) or words.method(fate)


def fates(clause: Mapping[str, Any]) -> dict[str, tuple[str, str | None]]:
    """What a clause does with each item it names, and why where it withholds."""
    found: dict[str, tuple[str, str | None]] = dict.fromkeys(clause.get("release", ()), (WHOLE, None))
    found |= {item: (str(method), None) for item, method in clause.get("generalise", {}).items()}
    found |= {item: (WITHHELD, str(one["reason"])) for one in clause.get("withhold", ()) for item in one["items"]}
    return found


def reach_of(content: Mapping[str, Any]) -> dict[tuple[str, str, str], str]:
    """What each recipient could be given at best for each purpose, by item; prohibitions taken off."""
    purposes = {flow["id"]: flow["purpose"] for flow in content["flows"]}
    barred = {
        (to, item)
        for one in content.get("prohibitions", ())
        for to in one["recipients"]
        for pattern in one["items"]
        for item in expand(pattern)
    }
    best: dict[tuple[str, str, str], str] = {}
    for clause in content["clauses"]:
        for item, (fate, _) in fates(clause).items():
            for to in clause["recipients"]:
                road = (str(to), str(purposes[clause["flow"]]), item)
                leaves = _EXACTNESS.get(fate, 1) and (to, item) not in barred
                if leaves and way_of(best.get(road, NOTHING), fate) is Way.MORE:
                    best[road] = fate
    return best
