"""Anything an agreement says, key by key: rows of a table, columns, sections, with words for every name and code.

Works on the plain content (the JSON that is hashed), and leaves nothing out: a key that nobody put into a column goes
into the last one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from gateway.agreement import phrases
from gateway.agreement.flows import CONFIDENCES, POWERS
from gateway.paper.tree import Block, Cell, Heading, Table, Text


class Names:
    """What the names inside an agreement stand for."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        def of(group: str, said: str = "name") -> dict[str, str]:
            return {str(one["id"]): str(one[said]) for one in content.get(group, ())}

        contacts = {str(one["id"]): f"{one['name']}, {one['post']}" for one in content["contacts"]}
        data = content.get("data", {})
        subjects = {str(one["id"]): str(one["title"]) for one in data.get("subjects", ())}
        categories = {str(one["id"]): str(one["title"]) for one in data.get("categories", ())}
        parties, recipients = of("parties"), of("recipients")
        self.areas: dict[str, str] = content["areas"]
        self._of: Mapping[str, Mapping[str, str]] = {
            "party": parties,
            "acts_for": parties,
            "from": parties,
            "to": recipients,
            "recipients": recipients,
            "areas": self.areas,
            **dict.fromkeys(
                ("signatory", "data_protection_officer", "caldicott_guardian", "owner", "contact", "contacts"), contacts
            ),
            "data_subjects": subjects,
            "data_categories": categories,
            "flow": of("flows", "title"),
            "powers": POWERS,
            "bases": CONFIDENCES,
        }

    def say(self, key: str, value: object) -> str:
        """A value under a key, with what it stands for before it."""
        text = str(value)
        if key == "items":
            return phrases.item(text)
        words = self._of.get(key, {}).get(text)
        return f"{words} ({text})" if words else _moment(text) or phrases.code(value)


def section(level: int, key: str, value: object, names: Names) -> Iterator[Block]:
    """A part of the agreement under a heading of its own: its words as paragraphs, the rest as a table."""
    yield Heading(level, phrases.label(key))
    if isinstance(value, dict):
        plain = {name: one for name, one in value.items() if not isinstance(one, str)}
        for name, one in phrases.ordered(value):
            if name not in plain:
                yield Heading(level + 1, phrases.label(name))
                yield Text(names.say(name, one))
        if plain:
            yield Table(phrases.label(key), ("What", "As agreed"), tuple(rows_of(plain, names)))
    elif isinstance(value, list):
        yield Table(phrases.label(key), ("What", "As agreed"), tuple(rows_of({key: value}, names)))
    else:
        yield Text(names.say(key, value))


def rows_of(of: Mapping[str, Any], names: Names, within: str = "") -> Iterator[tuple[Cell, ...]]:
    """A mapping as rows of label and value; a mapping inside it as rows of its own."""
    for key, value in phrases.ordered(of):
        label = f"{within}{phrases.label(key)}"
        if key == "when":
            yield ("When",), phrases.conditions(value, names.areas)
        elif isinstance(value, dict):
            yield from rows_of(value, names, f"{label}: ")
        elif isinstance(value, list) and any(isinstance(one, (dict, list)) for one in value):
            for at, one in enumerate(value, 1):
                yield from rows_of(one if isinstance(one, dict) else {key: one}, names, f"{label} {at}: ")
        else:
            lines = value if isinstance(value, list) else [value]
            yield (label,), tuple(names.say(key, one) for one in lines)


def columns(caption: str, of: Sequence[Mapping[str, Any]], keys: Sequence[str], names: Names) -> Table:
    """Parts of one kind as rows; a key that has no column of its own goes into the last one."""

    def cell(one: Mapping[str, Any], key: str) -> Cell:
        value = one.get(key, "none")
        return tuple(names.say(key, each) for each in (value if isinstance(value, list) else [value]))

    def others(one: Mapping[str, Any]) -> Cell:
        rest = {key: value for key, value in one.items() if key not in keys}
        return tuple(f"{label[0]}: {line}" for label, lines in rows_of(rest, names) for line in lines)

    more = any(others(one) for one in of)
    head = tuple(phrases.label(key) for key in keys)
    rows = tuple((*(cell(one, key) for key in keys), *((others(one),) if more else ())) for one in of)
    return Table(caption, (*head, *(("More",) if more else ())), rows)


def _moment(text: str) -> str | None:
    """A date or an instant as people write it, with the text it stands for."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        day = date.fromisoformat(text)
        return f"{day.day} {day:%B %Y} ({text})"
    if re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)", text):
        at = datetime.fromisoformat(text)
        return f"{at.day} {at:%B %Y}, {at:%H:%M} ({text})"
    return None


def duration(text: str) -> str:
    """A clock as people say it, with the text it stands for."""
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", text)
    if found is None:
        return text
    parts = [f"{n} {unit}{'' if n == '1' else 's'}" for n, unit in zip(found.groups(), _UNITS, strict=True) if n]
    return f"{phrases.sentence(parts)} ({text})"


_UNITS = ("day", "hour", "minute")
