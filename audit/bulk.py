"""Many rows in one statement, past SQLAlchemy's per-row processing, which costs more than the database does.

For tables whose columns need no conversion: bytes, text, integers, and times as the driver takes them. It commits
nothing.
"""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, Dialect, Table


def insert_rows(conn: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert full rows, their values in the order of the table's columns."""
    if not rows:
        return
    if conn.dialect.name == "postgresql" and len(rows) > 1:
        conn.exec_driver_sql(_arrays(table, conn.dialect), tuple(list(column) for column in zip(*rows, strict=True)))
    else:
        conn.exec_driver_sql(_values(table, conn.dialect.paramstyle), list(rows))


@cache
def _arrays(table: Table, dialect: Dialect) -> str:
    """One array a column: psycopg's executemany is a round of messages per row, and far slower from two rows on."""
    arrays = ", ".join(f"%s::{column.type.compile(dialect)}[]" for column in table.columns)
    return f'INSERT INTO "{table.name}" ({_columns(table)}) SELECT * FROM unnest({arrays})'  # noqa: S608 - names are ours


@cache
def _values(table: Table, paramstyle: str) -> str:
    marks = ", ".join(["?" if paramstyle == "qmark" else "%s"] * len(table.columns))
    return f'INSERT INTO "{table.name}" ({_columns(table)}) VALUES ({marks})'  # noqa: S608 - names are ours


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)
