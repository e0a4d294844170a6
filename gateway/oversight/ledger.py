"""What is open at an instant, followed from entry to entry: notices, reviews, legal holds, canaries.

Each has an entry that opens it and one that settles it; what is left is what somebody still has to do. Memory holds
what is open, and what was settled since the ledger was last cleared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from audit.entry import timestamp
from gateway.clock import clock
from gateway.evidence import Event
from gateway.oversight.entries import Sealed

_REVIEW = clock("1 working day")  # design.md section 6: review is due in one working day


@dataclass(frozen=True, slots=True)
class Item:
    """Something opened by an entry: of a kind, by whom, about what, due when; settled when and how."""

    index: int
    id: str
    kind: str
    reason: str
    who: str
    organisation: str
    recipient: str
    case: str
    opened: str
    due: str
    settled: str = ""
    outcome: str = ""

    def late(self, now: str) -> bool:
        """Whether it was due and not settled by then."""
        return bool(self.due) and self.due < (self.settled or now)


_OPENS: Mapping[str, tuple[str, str]] = {
    Event.NOTICE_SENT.value: ("notice", "notice"),
    Event.OVERRIDE_RECORDED.value: ("override", "override"),
    Event.BREAK_GLASS_OPENED.value: ("break-glass", "break-glass"),
    Event.LEGAL_HOLD_PLACED.value: ("legal-hold", "hold"),
}
"""What an event opens, and the detail that names it."""

_SETTLES: Mapping[str, tuple[str, str]] = {
    Event.NOTICE_ACKNOWLEDGED.value: ("notice", "notice"),
    Event.OVERRIDE_REVIEWED.value: ("override", "override"),
    Event.BREAK_GLASS_REVIEWED.value: ("break-glass", "break-glass"),
    Event.LEGAL_HOLD_LIFTED.value: ("legal-hold", "hold"),
}
"""What an event settles."""

LEDGER_EVENTS = frozenset({*_OPENS, *_SETTLES})


@dataclass(slots=True)
class Ledger:
    """What is open, by kind and name, and what was settled since `clear`."""

    open: dict[tuple[str, str], Item] = field(default_factory=dict)
    settled: list[Item] = field(default_factory=list)

    def follow(self, one: Sealed, closed: frozenset[date] = frozenset()) -> None:
        """Take note of an entry. `closed` are the days a working day leaves out."""
        said = one.said
        if said["outcome"] != "permitted":
            return
        if (opens := _OPENS.get(said["event"])) is not None:
            item = _item(one, opens[0], opens[1], closed)
            self.open.setdefault((item.kind, item.id), item)  # said again, it is the same one
        elif (settles := _SETTLES.get(said["event"])) is not None:
            known = self.open.pop((settles[0], _name(said, settles[1])), None)
            if known is not None:
                self.settled.append(replace(known, settled=said["time"], outcome=said["reason"] or ""))

    def clear(self) -> None:
        """Forget what was settled."""
        self.settled.clear()

    def of(self, kind: str) -> list[Item]:
        """What was open or settled of a kind, in the order in which it was opened."""
        found = [one for one in (*self.open.values(), *self.settled) if one.kind == kind]
        return sorted(found, key=lambda one: one.index)


def _item(one: Sealed, kind: str, named: str, closed: frozenset[date]) -> Item:
    said = one.said
    actor, detail = said["actor"], said["detail"] or {}
    to = said["recipients"][0] if said["recipients"] else {"organisation": actor["organisation"], "recipient": ""}
    due = str(detail.get("due", detail.get("review-due", "")))
    if kind == "break-glass" and not due:
        due = timestamp(_REVIEW.from_(datetime.fromisoformat(said["time"]), closed))
    return Item(
        index=one.index,
        id=_name(said, named),
        kind=kind,
        reason=said["reason"] or "",
        who=actor["user"] or actor["client"],
        organisation=to["organisation"],
        recipient=to["recipient"],
        case=said["case"] or said["record"] or "",
        opened=said["time"],
        due=due,
    )


def _name(said: Mapping[str, Any], named: str) -> str:
    return str((said["detail"] or {}).get(named, said["id"]))
