"""An entry of the log as a page shows it: its codes, in the order a person asks: what, who, to whom, under what.

An entry that cannot be read as JSON is shown by its number alone; `verify` names what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from audit.sql import Stored


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a list. `who` is the person, and where none is named the system; `items` are counts."""

    index: int
    at: datetime | None
    event: str
    operation: str
    outcome: str
    organisation: str
    who: str
    to: tuple[str, ...]
    clauses: tuple[str, ...]
    reason: str
    purpose: str
    released: int
    generalised: int
    withheld: int


def said_of(body: bytes) -> Mapping[str, Any]:
    """What an entry says; nothing where it cannot be read."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def row_of(stored: Stored) -> Row:
    """An entry as a row."""
    said = said_of(stored.body)
    actor, items = said.get("actor") or {}, said.get("items") or {}
    return Row(
        index=stored.idx,
        at=datetime.fromisoformat(said["time"]) if "time" in said else None,
        event=said.get("event", ""),
        operation=said.get("operation", ""),
        outcome=said.get("outcome", ""),
        organisation=actor.get("organisation", ""),
        who=actor.get("user") or actor.get("client", ""),
        to=tuple(f"{one['organisation']}/{one['recipient']}" for one in said.get("recipients", ())),
        clauses=tuple(said.get("clauses", ())),
        reason=said.get("reason") or "",
        purpose=said.get("purpose") or "",
        released=len(items.get("released", ())),
        generalised=len(items.get("generalised", ())),
        withheld=len(items.get("withheld", ())),
    )
