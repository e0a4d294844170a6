"""Counting a month: one pass over its entries, and what was open when it began.

The flow of an act is not in its entry; it is worked out here from the agreement's text, by recipient, purpose and
sender. Everything is counted by codes; nobody is named but the staff who must answer for something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gateway.agreement import Agreement
from gateway.evidence import Event
from gateway.oversight.entries import Sealed, Source
from gateway.oversight.judge import NotDerivable
from gateway.oversight.ledger import LEDGER_EVENTS, Ledger
from gateway.oversight.month import Month
from gateway.oversight.spreadsheet import Cell
from gateway.oversight.standing import STEPS, Past, Texts
from gateway.route import route

NO_FLOW = "none"
"""The flow of an act that passes nothing from one party to another under a purpose."""


class NoSuchAgreement(Exception):
    """The entries name no agreement of this id whose text is at hand."""


@dataclass(slots=True)
class Tally:
    """What one pass over the month counts."""

    newest: Agreement
    ledger: Ledger = field(default_factory=Ledger)
    entries: int = 0
    first: int | None = None
    last: int | None = None
    state: str = "draft"
    volumes: Counter[tuple[str, ...]] = field(default_factory=Counter)
    clauses: Counter[tuple[str, ...]] = field(default_factory=Counter)
    denials: Counter[tuple[str, ...]] = field(default_factory=Counter)
    oral: Counter[tuple[str, ...]] = field(default_factory=Counter)
    erased: Counter[tuple[str, ...]] = field(default_factory=Counter)
    life: list[tuple[Cell, ...]] = field(default_factory=list)


_LIFE = frozenset(
    {
        *STEPS,
        Event.AGREEMENT_DRAFTED.value,
        Event.AGREEMENT_SIGNED.value,
        Event.AGREEMENT_EXPIRING.value,
        Event.AGREEMENT_EXPIRED.value,
        Event.PARTY_KEY_REGISTERED.value,
    }
)


def tally_of(source: Source, agreement_id: str, month: Month) -> Tally:
    """Count a month. Raises NoSuchAgreement."""
    texts = Texts(source.texts)
    past, flows = Past(texts), _Flows(texts)
    tally = Tally(_newest(texts, source.texts, agreement_id))
    ledger = tally.ledger
    for one in source.earlier(LEDGER_EVENTS | frozenset(STEPS), month.start):
        past.follow(one)
        ledger.follow(one, _closed(past))
        ledger.clear()
    for one in source.entries(month.start, month.stop):
        past.follow(one)
        ledger.follow(one, _closed(past))
        _count(tally, one, flows)
    in_force = past.in_force()
    if in_force is not None:
        tally.newest = in_force
    tally.state = past.state(tally.newest.hash).value
    return tally


def _newest(texts: Texts, known: Mapping[str, bytes], agreement_id: str) -> Agreement:
    """The newest version whose text is at hand. Raises NoSuchAgreement."""
    found: list[Agreement] = []
    for digest in known:
        try:
            agreement = texts.of(digest)
        except NotDerivable:  # a mapping's listing, or a text for another version of the gateway
            continue
        if agreement.id == agreement_id:
            found.append(agreement)
    if not found:
        raise NoSuchAgreement(f"the entries name no agreement {agreement_id}")
    return max(found, key=lambda one: one.version)


def _closed(past: Past) -> frozenset[date]:
    agreement = past.in_force()
    return frozenset(agreement.content.clocks.closed) if agreement else frozenset()


def _count(tally: Tally, one: Sealed, flows: _Flows) -> None:
    said = one.said
    actor, detail = said["actor"], said["detail"] or {}
    event, outcome, reason = said["event"], said["outcome"], said["reason"] or "unstated"
    to = said["recipients"][0] if said["recipients"] else {"organisation": "", "recipient": ""}
    told = f"{to['organisation']}/{to['recipient']}" if to["organisation"] else ""
    flow = flows.of(said)
    tally.entries += 1
    tally.first = one.index if tally.first is None else tally.first
    tally.last = one.index
    tally.volumes[(flow, said["operation"], event, actor["organisation"], told, outcome)] += 1
    for clause in said["clauses"] or (("none",) if said["purpose"] else ()):
        tally.clauses[(flow, clause, told, outcome)] += 1
    if outcome != "permitted":
        tally.denials[(reason, event, actor["organisation"], outcome)] += 1
    if event == Event.ORAL_DISCLOSURE.value:
        beyond = "yes" if detail.get("beyond") else "no"
        tally.oral[(actor["organisation"], told, str(detail.get("channel", "unstated")), beyond)] += 1
    if said["operation"] == "erasure":
        tally.erased[(str(detail.get("class", "unstated")), reason)] += 1
    if event in _LIFE:
        version = said["agreement"]["version"] if said["agreement"] else ""
        party = str(detail.get("party", detail.get("days", "")))
        tally.life.append((said["time"], event, version, party, said["reason"] or "", one.index))


class _Flows:
    """The flow of an entry, worked out from the text it names, once for each way."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._known: dict[tuple[str | None, ...], str] = {}

    def of(self, said: Mapping[str, Any]) -> str:
        """The flow's id; `none` where nothing passes under a purpose, `unknown` where the text is not at hand."""
        if said["purpose"] is None or said["agreement"] is None:
            return NO_FLOW
        to = said["recipients"][0]["recipient"] if said["recipients"] else ""
        source = said["facts"]["source"] if said["facts"] else said["actor"]["organisation"]
        key = (said["agreement"]["hash"], to, said["purpose"], source)
        if key not in self._known:
            try:
                agreement = self._texts.of(said["agreement"]["hash"])
            except NotDerivable:
                self._known[key] = "unknown"
            else:
                self._known[key] = route(agreement, to, said["purpose"], source).flow or NO_FLOW
        return self._known[key]
