"""The rules that no agreement can lift. An agreement may be stricter; it is never wider.

Each has the name domain.md section 4.5 gives it, and words for the sender. The words say what kind of thing is barred
and never what the record holds.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from gateway.agreement.words import expand
from gateway.facts import Facts
from gateway.generalise import Method
from mappings.record import Classification


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its id and its words."""

    id: str
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Items barred to police, to everybody else, or to both; `own` lets a party have back what it sent itself.

    `methods` are the ways in which the item may go all the same.
    """

    rule: Rule
    items: AbstractSet[str]
    police: bool
    others: bool
    own: bool = False
    methods: AbstractSet[Method] = frozenset()


_TOO_SECRET = Rule("N7", "SECRET and TOP SECRET never travel through this gateway")
_CONNECTED = Rule("N15", "whoever is connected with a party to the case does not open it")
_CONDITIONS = Rule("N7", "handling code C: a human decides on the conditions before it goes on")
_SUSPECTED_FALSE = Rule("N7", "information graded E, suspected false: a human decides before it goes on")

BARS = (
    Bar(
        Rule("N3", "who reported it, and what third parties said, never goes beyond police"),
        expand("third_party.*") | expand("statement.third_party"),
        police=False,
        others=True,
    ),
    Bar(
        Rule("N4", "the suspect's health and past go beyond police as yes or no at most"),
        expand("risk.answers.suspect_background"),
        police=False,
        others=True,
        own=True,
        methods=frozenset({Method.YES_NO, Method.COUNT, Method.EXISTENCE}),
    ),
    Bar(
        Rule("N4", "answers on anybody's health go to police only where police asked them"),
        expand("risk.answers.suspect_background") | expand("risk.answers.victim_health"),
        police=True,
        others=False,
        own=True,
    ),
    Bar(
        Rule("N5", "NHS numbers, practices and clinical facts never go to police"),
        expand("*.nhs_number") | expand("*.general_practice") | expand("*.clinical"),
        police=True,
        others=False,
    ),
    Bar(
        Rule("N7", "covert activity and arrest plans never leave the force that holds them"),
        expand("police.covert"),
        police=True,
        others=True,
        own=True,
    ),
)

RULES: tuple[Rule, ...] = (_TOO_SECRET, _CONDITIONS, _SUSPECTED_FALSE, _CONNECTED, *(bar.rule for bar in BARS))
"""Every rule, for the document that parties sign to say what stands above it."""


def refuses(facts: Facts) -> Rule | None:
    """The rule that refuses a record outright, whoever is to have it."""
    return _TOO_SECRET if facts.classification in _SECRETS else None


CONNECTIONS = frozenset({"declared", "same-name", "same-address"})
"""The relationships that make somebody connected with a party: `gateway.ties` finds them."""


def connected(facts: Facts) -> Rule | None:
    """The rule that refuses whoever asks, for being connected with a party to the case. Break-glass opens it."""
    return _CONNECTED if facts.relationship in CONNECTIONS and facts.break_glass is None else None


def holds(facts: Facts) -> Rule | None:
    """The rule that puts a record before a human before another organisation may have it."""
    if facts.handling == "C":
        return _CONDITIONS
    return _SUSPECTED_FALSE if facts.information_grade == "E" else None


def bar(item: str, method: Method | None, *, police: bool, own: bool) -> Rule | None:
    """The rule that bars an item, released (None) or generalised, to a party. `own`: the party sent it itself."""
    for one in BARS:
        reaches = one.police if police else one.others
        if reaches and item in one.items and not (own and one.own) and method not in one.methods:
            return one.rule
    return None


_SECRETS = frozenset({Classification.SECRET.value, Classification.TOP_SECRET.value})
