"""The field rules of `rules.toml`, loaded strictly: which versions and types are taken, and what is looked at in each.

Source: style.md habits 7 and 8; `mappings/nhs/hl7v2/rules.toml` says what each key means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

from adapters.nhs.hl7v2.facts import FactsInvalid, facts, only, texts
from adapters.nhs.hl7v2.finding import Level

_AT: Final = re.compile(r"([A-Z][A-Z0-9]{2})(?:-(\d{1,2})(?:\.(\d{1,2}))?)?")
_LEVELS: Final = {"noted": Level.NOTED, "error": Level.ERROR}


class Purpose(StrEnum):
    """What a message of a type is for."""

    DEMOGRAPHICS = "demographics"
    MERGE = "merge"
    NOTICE = "notice"
    REPLY = "reply"
    NOTHING = "nothing"


class Check(StrEnum):
    """What is looked at."""

    SEGMENT = "segment"
    VALUE = "value"
    DATE = "date"
    TIME = "time"
    TABLE = "table"
    NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class Rule:
    """One look at one place. `field` is 0 for a segment as a whole; `component` is 0 where none is named."""

    segment: str
    field: int
    component: int
    check: Check
    level: Level
    table: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is taken. `types` gives the purpose of each, `codes` their first halves, `by_type` their rules in order."""

    versions: frozenset[str]
    types: Mapping[str, Purpose]
    codes: frozenset[str]
    by_type: Mapping[str, tuple[Rule, ...]]


@cache
def rules() -> Rules:
    """The rules that ship with the product. Raises `FactsInvalid` naming the key."""
    return compiled(facts("rules", {"versions", "types", "tables", "rules"}))


def compiled(found: Mapping[str, Any]) -> Rules:
    """Rules out of the content of a file. Raises `FactsInvalid` naming the key."""
    types = {name: _purpose(name, word) for name, word in found["types"].items()}
    codes = {name.partition("^")[0] for name in types}
    tables = {name: frozenset(texts(f"tables.{name}", codes)) for name, codes in found["tables"].items()}
    by_type: dict[str, list[Rule]] = {name: [] for name in types}
    used: set[str] = set()
    for index, row in enumerate(found["rules"]):
        where = f"rules[{index}]"
        only(where, row, {"for", "at", "check", "level", "table"}, {"for", "at", "check", "level"})
        rule = _rule(where, row, tables)
        used.add(row.get("table", ""))
        for meant in texts(f"{where}.for", row["for"]):
            if meant not in types and meant not in codes:
                raise FactsInvalid(f"{where}.for: no type is {meant!r}")
            for name, purpose in types.items():
                idle = purpose is Purpose.NOTHING and rule.segment != "MSH"
                if meant in (name, name.partition("^")[0]) and not idle:
                    by_type[name].append(rule)
    for name in sorted(set(tables) - used):
        raise FactsInvalid(f"tables.{name}: no rule uses it")
    versions = frozenset(texts("versions", found["versions"]))
    return Rules(versions, types, frozenset(codes), {name: tuple(those) for name, those in by_type.items()})


def _purpose(name: str, word: object) -> Purpose:
    if word not in list(Purpose):
        raise FactsInvalid(f"types.{name!r}: there is no purpose {word!r}")
    return Purpose(str(word))


def _rule(where: str, row: Mapping[str, Any], tables: Mapping[str, frozenset[str]]) -> Rule:
    at = _AT.fullmatch(str(row["at"]))
    if at is None:
        raise FactsInvalid(f"{where}.at: no place is {row['at']!r}")
    if row["check"] not in list(Check):
        raise FactsInvalid(f"{where}.check: there is no {row['check']!r}")
    check = Check(row["check"])
    if row["level"] not in _LEVELS:
        raise FactsInvalid(f"{where}.level: there is no {row['level']!r}")
    if (check is Check.SEGMENT) != (at[2] is None):
        raise FactsInvalid(f"{where}.at: {check.value!r} is of a {'segment' if check is Check.SEGMENT else 'field'}")
    if (check is Check.TABLE) != ("table" in row) or ("table" in row and row["table"] not in tables):
        raise FactsInvalid(f"{where}.table: a rule for a table, and no other, names one of those in the file")
    table = tables[row["table"]] if check is Check.TABLE else frozenset()
    return Rule(at[1], int(at[2] or 0), int(at[3] or 0), check, _LEVELS[row["level"]], table)
