"""What the database can tell of a search's conditions, so that little is opened to be looked at.

A plain code, a date, an id: where a column of the referral holds what a condition asks for, the database decides alone.
A reference or an identifier it can only narrow: what the resource says, as it was decided, is then asked as well.
"""

from __future__ import annotations

from datetime import datetime

from adapters.nhs import fhir
from gateway.store.records import Records
from mappings.referral import ReferralStatus

_COLUMNS = {
    ("Task", "status"): "status",
    ("Task", "business-status"): "state",
    ("Task", "priority"): "priority",
    ("ServiceRequest", "status"): "status",
    ("ServiceRequest", "priority"): "priority",
}
"""The parameters whose plain codes a column of the referral holds."""
_TIMES = {"_lastUpdated": "updated_at", "modified": "updated_at", "authored-on": "created_at"}
"""The parameters whose dates a column holds."""


def time_column(type_: str, name: str) -> str | None:
    """The column that holds what a parameter of a type dates; None where none does."""
    return "created_at" if (type_, name) == ("ServiceRequest", "authored") else _TIMES.get(name)


class Narrowed:
    """What the database can tell of each condition, so that little is opened to be looked at."""

    def __init__(self, type_: str, records: Records) -> None:
        self._type = type_
        self._records = records
        self.ids: tuple[str, ...] | None = None
        self.named: list[frozenset[str]] = []
        self.columns: dict[str, tuple[str, ...]] = {}
        self.times: list[tuple[str, str, datetime, datetime]] = []
        self.indexed: list[tuple[bytes, ...]] = []
        self.conditions: list[fhir.Condition] = []

    def by(self, condition: fhir.Condition) -> None:
        """Take a condition in: as one of the database's, or to be asked of what is written, or both."""
        if not self._by_column(condition):
            self.conditions.append(condition)
            self._by_reference(condition)
            self._by_index(condition)

    def _by_column(self, condition: fhir.Condition) -> bool:
        """Whether the database alone can tell."""
        if condition.modifier is not None or condition.through is not None:
            return False
        column = time_column(self._type, condition.name)
        dates = [one for one in condition.values if isinstance(one, tuple)]
        if column is not None and len(dates) == 1 == len(condition.values):
            prefix, (start, end) = dates[0]
            self.times.append((column, prefix, start, end))
            return True
        codes = _plain_codes(condition)
        if codes is None:
            return False
        if condition.name == "_id" and self.ids is None:
            self.ids = codes
            return True
        column = _COLUMNS.get((self._type, condition.name))
        if column is None or column in self.columns:
            return False
        if (self._type, column) == ("ServiceRequest", "status"):
            codes = tuple(one.value for one in ReferralStatus if fhir.request_status(one) in codes)
        self.columns[column] = codes
        return True

    def _by_reference(self, condition: fhir.Condition) -> None:
        links = [one for one in condition.values if isinstance(one, fhir.Link)]
        if links and condition.through is None:
            self.named.append(frozenset(split[0] for one in links if (split := fhir.split_id(one.id)) is not None))

    def _by_index(self, condition: fhir.Condition) -> None:
        """Narrow by the blind index where every value says what kind of identifier it is."""
        of = condition.through or (self._type if condition.name == "identifier" else None)
        if of is None or not condition.positive:
            return
        kinds = [fhir.identifier_kind(of, one) for one in condition.values if isinstance(one, fhir.Token)]
        if kinds and None not in kinds:
            self.indexed.append(tuple(self._records.blind(*kind) for kind in kinds if kind is not None))


def _plain_codes(condition: fhir.Condition) -> tuple[str, ...] | None:
    """The codes of a condition whose systems are the element's own or none; None where it asks for more."""
    tokens = [one for one in condition.values if isinstance(one, fhir.Token)]
    system = condition.parameter.system
    known = {None} if system is None else {None, system.casefold()}
    if not tokens or any(one.code is None or one.system not in known for one in tokens):
        return None
    return tuple(one.code for one in tokens if one.code is not None)
