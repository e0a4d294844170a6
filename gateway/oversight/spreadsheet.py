"""Tables as CSV (RFC 4180) that is safe to open in a spreadsheet.

A cell that a spreadsheet would take for a formula, and one that begins with an apostrophe, gets an apostrophe in front,
as in `audit.export`; whoever reads the file by program takes one leading apostrophe away.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

Cell = str | int

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The rows under their columns, as CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
