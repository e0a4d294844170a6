"""What an auditor looks for, as a form says it and as an address carries it: codes and days, and nothing of a person.

A day is London's, and the last one counts whole. An item is no facet of the log's index: the entries that the rest
finds are looked through for it, so many at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from audit.entry import Operation, Outcome, timestamp
from audit.search import Query
from gateway.console.forms import FormModel
from gateway.evidence import Event
from gateway.london import LONDON
from mappings.items import CATALOGUE

Code = Annotated[str, Field(pattern=r"^[!-~]{1,128}$")]
"""What an entry can hold: printable, and without spaces."""

Fate = Literal["released", "generalised", "withheld"]


class Filters(FormModel):
    """The filters; those not given ask for nothing. `to` is the last day looked at."""

    operation: Operation | None = Field(None, title="the kind of act")
    outcome: Outcome | None = Field(None, title="the outcome")
    event: Event | None = Field(None, title="the event")
    organisation: Code | None = Field(None, title="the organisation that acted")
    recipient: Code | None = Field(None, title="the organisation that was told")
    client: Code | None = Field(None, title="the system, without spaces")
    user: Code | None = Field(None, title="the member of staff, without spaces")
    clause: Code | None = Field(None, title="the clause")
    item: Code | None = Field(None, title="the item")
    fate: Fate | None = Field(None, title="what became of the item")
    subject: Code | None = Field(None, title="the person's reference, without spaces")
    case: Code | None = Field(None, title="the case, without spaces")
    record: Code | None = Field(None, title="the record, without spaces")
    since: date | None = Field(None, title="the first day", ge=date(2000, 1, 1), le=date(2200, 1, 1))
    until: date | None = Field(None, title="the last day", ge=date(2000, 1, 1), le=date(2200, 1, 1))

    def query(self) -> Query:
        """What the log's index is asked."""
        return Query(
            time_from=timestamp(_midnight(self.since)) if self.since else None,
            time_to=timestamp(_midnight(self.until + timedelta(days=1))) if self.until else None,
            organisation=self.organisation,
            recipient=self.recipient,
            client=self.client,
            user=self.user,
            subject=self.subject,
            record=self.record,
            case=self.case,
            clause=self.clause,
            operation=self.operation,
            outcome=self.outcome,
            event=self.event.value if self.event else None,
        )

    def has_item(self, said: Mapping[str, Any]) -> bool:
        """Whether an entry names the item, and that became of it which is asked for."""
        items = said.get("items") or {}
        return any(self.item in items.get(one, ()) for one in ([self.fate] if self.fate else _FATES))

    def given(self) -> dict[str, str]:
        """The filters that are given, as an address carries them."""
        return {name: str(value) for name, value in self.model_dump(mode="json", exclude_none=True).items()}


_FATES = ("released", "generalised", "withheld")

ITEMS = tuple(CATALOGUE)
"""Every item, in the catalogue's order."""


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON).astimezone(UTC)
