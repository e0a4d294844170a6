"""What a victim information request says, item by item, and why one is a blanket request.

Each item names what is asked for, the days it concerns, why it is needed, its legal basis, why it bears on the line of
enquiry, and what the victim was told. A request for everything, for too long a time, or with one reason for several
items is a blanket request. What the agreement could never release through the gateway, clinical facts and counselling
notes among it, is not asked here: that is asked of the hospital in writing. Pure.

Source: domain.md section 3.6; PCSC Act 2022 s.44A (reasonable line of enquiry, necessity, proportionality).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum

import orjson

from gateway.agreement import Terms
from gateway.agreement.flows import Flow
from gateway.errors import Detail
from gateway.informing import VICTIM_INFORMATION
from gateway.route import route

CARRIED = frozenset({"statement.summary"})
"""The items an answer can carry: a statement, in the words of whoever answers."""

MOST_ITEMS = 10
MOST_DAYS = 731  # two years; what is older has a request, and reasons, of its own


class VictimTold(StrEnum):
    """What the victim was told of the request."""

    TOLD = "told"  # she was given written notice
    AGREES = "agrees"  # and says that she agrees
    OBJECTS = "objects"  # and says that she does not
    NOT_TOLD = "not-told"  # the reason stands beside it


@dataclass(frozen=True, slots=True)
class Wanted:
    """One item asked for. `basis` is a power that the flow names; `since` and `until` are days of London."""

    item: str
    what: str
    since: date
    until: date
    why: str
    basis: str
    relevance: str
    victim_told: VictimTold
    why_not_told: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A request about one referral; `authorised_by` is the officer who authorised it, by post or number."""

    referral: str
    line_of_enquiry: str
    alternatives: str
    authorised_by: str
    items: tuple[Wanted, ...]

    def faults(self, flow: Flow, askable: frozenset[str]) -> Iterator[Detail]:
        """Everything for which it is refused, by its place; no words of the request are repeated (P7)."""
        if not 1 <= len(self.items) <= MOST_ITEMS:
            yield Detail("items", BLANKET, f"ask for one to {MOST_ITEMS} things, each by itself")
        reasons: dict[str, int] = {}
        for at, one in enumerate(self.items):
            path = f"items[{at}]"
            if one.item not in askable:
                yield Detail(f"{path}.item", NOT_HERE, "no clause releases it through the gateway: ask in writing")
            if one.basis not in flow.lawful_basis.powers:
                yield Detail(f"{path}.basis", NO_BASIS, "the flow of the agreement does not name this power")
            if one.until < one.since or (one.until - one.since).days > MOST_DAYS:
                yield Detail(f"{path}.until", BLANKET, f"name at most {MOST_DAYS} days, the first one first")
            if _EVERYTHING.search(one.what):
                yield Detail(f"{path}.what", BLANKET, "ask for what bears on the enquiry, not for everything there is")
            for name, text in (("why", one.why), ("relevance", one.relevance)):
                folded = f"{name}|{' '.join(text.split()).casefold()}"
                if reasons.setdefault(folded, at) != at:
                    yield Detail(f"{path}.{name}", BLANKET, "each item has a reason of its own")
            if one.victim_told is VictimTold.NOT_TOLD and one.why_not_told is None:
                yield Detail(f"{path}.why_not_told", NOT_TOLD, "is missing, and she was not told")

    def content(self) -> bytes:
        """What is kept encrypted."""
        return orjson.dumps(asdict(self))


BLANKET, NOT_HERE, NO_BASIS, NOT_TOLD = "blanket", "not-askable", "no-basis", "victim-not-told"
_EVERYTHING = re.compile(
    r"\b(all|any|every|entire|full|complete|whole|everything|anything)\b"
    r"(?=.{0,30}\b(records?|notes?|files?|history|histories|information|data|documents?)\b)"
    r"|\b(everything|anything)\b",
    re.IGNORECASE | re.DOTALL,
)


def asking_recipient(terms: Terms | None, organisation: str) -> str | None:
    """The recipient of a force that such requests are answered to; None where the agreement has none."""
    if terms is None:
        return None
    content = terms.agreement.content
    found = content.told(organisation, VICTIM_INFORMATION)
    return found.id if found and content.party(found.party).is_police else None


def askable_items(terms: Terms, recipient: str, hospital: str) -> tuple[Flow | None, frozenset[str]]:
    """The flow from a hospital, and the items that a clause of it releases and an answer can carry."""
    way = route(terms.agreement, recipient, VICTIM_INFORMATION, hospital)
    flow = next((one for one in terms.agreement.content.flows if one.id == way.flow), None)
    released = frozenset(item for clause in way.clauses for item in clause.releases)
    return flow, (released - way.prohibited.keys()) & CARRIED
