"""CSV and NDJSON: every entry comes back whole, and no cell is a formula to a spreadsheet."""

import csv
import io
from typing import NamedTuple

import orjson
from hypothesis import given
from hypothesis import strategies as st

from audit.encoding import hash_from_base64
from audit.entry import Actor, Entry
from audit.export import COLUMNS, csv_header, csv_rows, ndjson_rows
from tests.audit.worked import entry

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Kept(NamedTuple):
    idx: int
    body: bytes
    leaf_hash: bytes


codes = st.text([chr(one) for one in range(0x21, 0x7F) if chr(one) not in '"\\'], min_size=1, max_size=12)
risky = codes | st.tuples(st.sampled_from("=+-@'"), codes).map("".join)


def kept(*entries: Entry) -> list[Kept]:
    return [Kept(index, one.to_bytes(), bytes([index]) * 32) for index, one in enumerate(entries)]


def table(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode(), newline=""), strict=True))


def plain(cell: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from calculating."""
    return cell.removeprefix("'")


@given(
    user=st.none() | risky,
    role=st.none() | risky,
    reason=st.none() | risky,
    subjects=st.lists(risky, max_size=3),
    clauses=st.lists(risky, max_size=3),
    facts=st.none() | st.dictionaries(codes, st.text(max_size=10) | st.booleans() | st.none(), max_size=3),
    detail=st.none() | st.dictionaries(codes, risky | st.integers(-9, 9), max_size=3),
)
def test_no_cell_is_a_formula_and_every_cell_comes_back(
    user: str | None,
    role: str | None,
    reason: str | None,
    subjects: list[str],
    clauses: list[str],
    facts: dict[str, str | bool | None] | None,
    detail: dict[str, str | int] | None,
) -> None:
    one = entry(3)._replace(
        actor=Actor("04", "rms", user, role),
        reason=reason,
        subjects=tuple(subjects),
        clauses=tuple(clauses),
        facts=facts,
        detail=detail,
    )
    (row,) = table(csv_header() + csv_rows(kept(one)))
    assert not any(cell.startswith(FORMULA) for cell in row.values())
    assert plain(row["user"]) == (user or "")
    assert plain(row["role"]) == (role or "")
    assert plain(row["reason"]) == (reason or "")
    assert plain(row["subjects"]).split() == subjects
    assert plain(row["clauses"]).split() == clauses
    assert (orjson.loads(row["facts"]) if row["facts"] else None) == facts
    assert (orjson.loads(row["detail"]) if row["detail"] else None) == detail


def test_a_row_says_all_of_an_entry() -> None:
    one = entry(3)
    (row,) = table(csv_header() + csv_rows(kept(one)))
    assert tuple(row) == COLUMNS
    assert all(row.values()), "the worked entry lacks nothing"
    assert (row["index"], row["time"], row["id"]) == ("0", one.time, one.id)
    assert (row["recipient_organisations"], row["recipients"]) == ("RZZ", "safeguarding")
    assert (row["released"], row["withheld"]) == ("victim.name risk.grade", "suspect.name")
    assert (row["agreement"], row["agreement_version"]) == ("northshire-provide", "3")
    assert row["leaf_hash"] == bytes(32).hex()


def test_columns_are_those_that_inspectors_have_read_before() -> None:
    assert csv_header().decode().startswith("index,time,id,operation,outcome,event,organisation,client,user,role,")
    assert csv_header().endswith(b",detail,leaf_hash\r\n")


def test_what_an_entry_lacks_is_an_empty_cell() -> None:
    bare = Entry(entry(1).id, entry(1).time, entry(1).operation, entry(1).outcome, "gateway-started", Actor("g", "g"))
    (row,) = table(csv_header() + csv_rows(kept(bare)))
    assert {name for name, cell in row.items() if cell} == {
        *("index", "time", "id", "operation", "outcome", "event", "organisation", "client", "leaf_hash"),
    }


def test_ndjson_holds_the_entry_as_it_was_sealed() -> None:
    ones = kept(entry(1), entry(2))
    lines = ndjson_rows(ones).splitlines()
    for line, one in zip(lines, ones, strict=True):
        assert one.body in line
        said = orjson.loads(line)
        assert (said["index"], hash_from_base64(said["leaf_hash"])) == (one.idx, one.leaf_hash)
