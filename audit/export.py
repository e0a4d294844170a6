"""Entries as CSV (RFC 4180) or NDJSON, for an inspector's own tools; evidence is the pack, not this.

CSV has one row an entry, and columns that do not change: what an entry lacks is an empty cell, lists are parted by
spaces, which no code has, and `facts` and `detail` are JSON. A spreadsheet takes a cell that begins with one of
`= + - @`, a tab or a carriage return for a formula; such a cell, and one that begins with an apostrophe, gets an
apostrophe in front. Whoever reads the file by program takes one leading apostrophe away.

NDJSON has the entry itself, as it was sealed, with its index and leaf hash. Pure: entries in, bytes out.
"""

import csv
import io
from collections.abc import Iterable
from typing import Any, Final, Protocol

import orjson

from audit.encoding import to_base64

COLUMNS: Final = (
    *("index", "time", "id", "operation", "outcome", "event", "organisation", "client", "user", "role"),
    *("recipient_organisations", "recipients", "subjects", "record", "case", "agreement", "agreement_version"),
    *("agreement_hash", "clauses", "released", "generalised", "withheld", "purpose", "reason", "facts", "mapping"),
    *("payload", "request", "correlation", "detail", "leaf_hash"),
)
"""The columns of the CSV, in order."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")


class Kept(Protocol):
    """An entry as it is kept: its index, its canonical bytes, its leaf hash."""

    @property
    def idx(self) -> int: ...  # noqa: D102 - said by the class
    @property
    def body(self) -> bytes: ...  # noqa: D102 - said by the class
    @property
    def leaf_hash(self) -> bytes: ...  # noqa: D102 - said by the class


def csv_header() -> bytes:
    """Return the first line of the CSV."""
    return _lines([COLUMNS])


def csv_rows(entries: Iterable[Kept]) -> bytes:
    """Return the CSV lines of entries, in UTF-8."""
    return _lines([[_safe(cell) for cell in _cells(one)] for one in entries])


def ndjson_rows(entries: Iterable[Kept]) -> bytes:
    """Return the NDJSON lines of entries."""
    return b"".join(
        orjson.dumps(
            {"index": one.idx, "leaf_hash": to_base64(one.leaf_hash), "entry": orjson.Fragment(one.body)},
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for one in entries
    )


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cells(one: Kept) -> list[str]:
    said: dict[str, Any] = orjson.loads(one.body)
    actor, items, agreement = said["actor"], said["items"], said["agreement"] or {}
    values = {
        **said,
        **actor,
        **items,
        "index": str(one.idx),
        "recipient_organisations": [to["organisation"] for to in said["recipients"]],
        "recipients": [to["recipient"] for to in said["recipients"]],
        "agreement": agreement.get("id"),
        "agreement_version": agreement.get("version"),
        "agreement_hash": agreement.get("hash"),
        "leaf_hash": one.leaf_hash.hex(),
    }
    return [_cell(values[column]) for column in COLUMNS]


def _cell(value: Any) -> str:  # noqa: ANN401 - foreign JSON
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if isinstance(value, dict) else str(value)


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
