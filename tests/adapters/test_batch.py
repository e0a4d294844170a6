"""Batches cut into documents: each of them is read alone, and the same bytes give the same ones however they come."""

from __future__ import annotations

import csv
import io
import random
import tracemalloc
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import archive
from adapters.batch import MEDIA_TYPES, Broken, Part, splitter
from adapters.cutting import Cutter
from adapters.socket import Fault, Limits, Unreadable, reader
from mappings.profile import Profile, profile
from tests.support import connect

FLAT, CONNECT, IHUB = profile("flat"), profile("connect"), profile("ihub")
NDJSON, CSV, ZIP = "application/x-ndjson", "text/csv", "application/zip"
PROFILES = {NDJSON: IHUB, CSV: FLAT, ZIP: CONNECT}
READER = reader("police.csv")


def cut(media_type: str, chunks: list[bytes], limits: Limits | None = None) -> list[Part | Broken]:
    one = splitter(media_type, PROFILES[media_type], limits or Limits())
    return [*(piece for chunk in chunks for piece in one.feed(chunk)), *one.close()]


def at_random(body: bytes, dice: random.Random) -> Iterator[bytes]:
    while body:
        size = dice.choice([0, 1, 2, 7, 40, 400])
        yield body[:size]
        body = body[size:]


def faults(pieces: list[Part | Broken]) -> list[tuple[int | None, str, Fault]]:
    return [(p.line, p.problem.path, p.problem.fault) for p in pieces if isinstance(p, Broken)]


def occurrences(pieces: list[Part | Broken]) -> list[str | None]:
    read = [READER.read(p.body, FLAT, Limits()) for p in pieces if isinstance(p, Part)]
    return [reading.record.reference("occurrence") for reading in read]


ROWS = connect.flat(*[connect.flat_row(OccurrenceRef=f"04/2026/{n:06}") for n in range(3)])
STRANGE_ROWS = (
    connect.flat(
        connect.flat_row(Summary='A "quoted" word,\r\nand a second line\rand a third\n'),
        connect.flat_row(Summary='""'),
    )
    + "\r\n,,,\r\n  \r\n"
    + 'incident,"04/7'
)


def test_a_csv_batch_is_the_header_and_each_row() -> None:
    pieces = cut(CSV, [ROWS.encode()])
    assert [(p.number, p.line) for p in pieces] == [(1, 2), (2, 3), (3, 4)]
    assert occurrences(pieces) == ["04/2026/000000", "04/2026/000001", "04/2026/000002"]
    assert pieces[0].body == b"\r\n".join(ROWS.encode().split(b"\r\n")[:2]).replace(b"\r\n", b"\n") + b"\n"


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (CSV, ROWS.encode()),
        (CSV, STRANGE_ROWS.encode("cp1252")),
        (CSV, b"\xef\xbb\xbf" + STRANGE_ROWS.encode()),
        (CSV, STRANGE_ROWS.encode("utf-16")),
        (CSV, STRANGE_ROWS.replace("\r\n", "\r").encode()),
        (NDJSON, b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"b": "\\u2028"}\n{"c": 3}'),
    ],
    ids=["csv", "windows-1252", "marked", "utf-16", "cr", "ndjson"],
)
def test_a_split_at_any_byte_gives_the_same_documents(media_type: str, body: bytes) -> None:
    whole = cut(media_type, [body])
    assert len(whole) > 2
    for at in range(len(body) + 1):
        assert cut(media_type, [body[:at], body[at:]]) == whole
    assert cut(media_type, [bytes([b]) for b in body]) == whole


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet='a,|;"\r\n \t\ufeffé', max_size=60), st.integers(0, 2**32), st.integers(2, 30))
def test_any_text_gives_the_same_documents_however_it_comes(text: str, seed: int, limit: int) -> None:
    body, limits = ("h,i\n" + text).encode(), Limits(max_bytes=limit)
    dice = random.Random(seed)
    for media_type in (CSV, NDJSON):
        whole = cut(media_type, [body], limits)
        assert cut(media_type, list(at_random(body, dice)), limits) == whole
        assert [p.number for p in whole] == list(range(1, len(whole) + 1))


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(["a", ",", '"', '""', "\r", "\n", "\r\n", " ", '5" nail', ',"', '",']), max_size=25))
def test_a_stream_is_cut_where_python_s_csv_ends_its_rows(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        expected = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        return
    cutter = Cutter(",", 1000)
    cuts = [*cutter.feed(text.encode()), *cutter.close()]
    assert {c.fault for c in cuts} <= {None}
    apart = [list(csv.reader(io.StringIO(c.raw.decode(), newline=""), strict=True)) for c in cuts]
    assert apart == [[row] for row in expected]


def test_a_mark_of_inches_inside_a_cell_opens_nothing() -> None:
    rows = [connect.flat_row(OccurrenceRef=ref) for ref in "abc"]
    body = connect.flat(*rows).replace("b,LC", 'b,5" nail', 1)
    assert occurrences(cut(CSV, [body.encode()])) == ["A", "B", "C"]


def test_lines_are_counted_where_a_cell_holds_line_ends() -> None:
    pieces = cut(CSV, [STRANGE_ROWS.encode()])
    assert [p.line for p in pieces] == [2, 6, 10]
    assert faults(pieces) == [(10, "incidents", Fault.TRUNCATED)]


def test_an_overlong_record_is_one_broken_piece_and_the_next_is_read() -> None:
    long = connect.flat_row(OccurrenceRef="long", Summary="x" * 5000)
    body = connect.flat(connect.flat_row(OccurrenceRef="a"), long, connect.flat_row(OccurrenceRef="b")).encode()
    pieces = cut(CSV, [body], Limits(max_bytes=2000))
    assert faults(pieces) == [(3, "incidents", Fault.TOO_LARGE)]
    assert occurrences(pieces) == ["A", "B"]
    assert len(pieces[1].body) < 2000 + 2000
    ndjson = b'{"a": 1}\n' + b"x" * 5000 + b'\n{"b": 2}\n'
    lines = cut(NDJSON, [ndjson], Limits(max_bytes=2000))
    assert [(type(p), p.line, len(p.body)) for p in lines] == [(Part, 1, 8), (Broken, 2, 2000), (Part, 3, 8)]


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_the_batch() -> None:
    row = connect.flat(connect.flat_row(OccurrenceRef="z")).partition("\r\n")[2]
    body = connect.flat(connect.flat_row(OccurrenceRef="a")) + 'incident,"04/7,\r\n' + row * 40
    pieces = cut(CSV, [body.encode()], Limits(max_bytes=1500))
    assert faults(pieces) == [(3, "incidents", Fault.TOO_LARGE)]
    assert len(occurrences(pieces)) > 30


def test_what_follows_a_closing_mark_is_a_broken_record_up_to_its_line_end() -> None:
    row = connect.flat(connect.flat_row(OccurrenceRef="z")).partition("\r\n")[2]
    pieces = cut(CSV, [(connect.flat() + 'incident,"04/7" or so,"x\r\n' + row).encode()])
    assert faults(pieces) == [(3, "incidents", Fault.MALFORMED)]
    assert occurrences(pieces) == ["04/2026/000345", "Z"]


@pytest.mark.parametrize(
    ("body", "path", "fault"),
    [
        (b"", "incidents", Fault.NO_HEADER),
        (b"\r\n\r\n", "incidents", Fault.NO_HEADER),
        (b"a,,b\n1,2,3\n", "incidents.header[1]", Fault.NO_HEADER),
        (b"a;b|c\n1,2,3\n", "incidents", Fault.NO_HEADER),
        (b"a,b,a\n1,2,3\n", "incidents.a", Fault.DUPLICATE_KEY),
        (b'a,"b\n', "incidents", Fault.TRUNCATED),
        (b'a,"b"c\n1,2\n', "incidents", Fault.MALFORMED),
        (b"a,\x81\n1,2\n", "incidents", Fault.WRONG_CHARSET),
        (b"x" * 70_000 + b"\n1\n", "incidents", Fault.TOO_LARGE),
    ],
)
def test_a_header_that_is_none_ends_the_batch_with_one_problem(body: bytes, path: str, fault: Fault) -> None:
    for chunks in ([body], [bytes([b]) for b in body[:70_100]]):
        pieces = cut(CSV, chunks)
        assert faults(pieces) == [(1, path, fault)]
        assert len(pieces) == 1
        assert len(pieces[0].body) <= 64 * 1024


def test_a_row_of_half_a_surrogate_pair_is_refused_and_those_around_it_are_read() -> None:
    rows = [connect.flat_row(OccurrenceRef=ref, Summary="x") for ref in "abc"]
    body = connect.flat(*rows).replace("b,", "b\ud800,", 1).encode("utf-16", "surrogatepass")
    pieces = cut(CSV, [body])
    assert [outcome(p.body) for p in pieces] == ["A", Fault.WRONG_CHARSET, "C"]


def test_a_wide_stream_that_breaks_off_inside_a_character_loses_nothing_but_its_last_row() -> None:
    rows = [connect.flat_row(OccurrenceRef=ref, Child1Forename="x") for ref in "ab"]
    body = connect.flat(*rows).rstrip().encode("utf-16")[:-1]
    assert [outcome(p.body) for p in cut(CSV, [body])] == ["A", Fault.WRONG_CHARSET]


def outcome(body: bytes, used: Profile = FLAT) -> str | Fault | None:
    try:
        return READER.read(body, used, Limits()).record.reference("occurrence")
    except Unreadable as refused:
        return refused.fault


@pytest.mark.parametrize("media_type", [NDJSON, CSV])
def test_a_long_stream_is_cut_in_bounded_memory(media_type: str) -> None:
    """Sixteen MiB in pieces of 64 KiB, one of them a record without an end."""
    line = b'{"a": "' + b"x" * 1000 + b'"}\n' if media_type == NDJSON else b"x" * 1000 + b',"y"\n'
    chunk = line * 64
    one = splitter(media_type, PROFILES[media_type], Limits())
    list(one.feed(b"a,b\n"))
    tracemalloc.start()
    count = sum(1 for _ in range(128) for _ in one.feed(chunk))
    count += sum(1 for _ in range(128) for _ in one.feed(b"z" * len(chunk)))
    count += sum(1 for _ in one.close())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count >= 128 * 64
    assert most < 4 * Limits().max_bytes


def test_an_export_becomes_one_archive_for_each_incident() -> None:
    whole = connect.zipped(connect.together(connect.export("04/1"), connect.export("04/2")))
    pieces = cut(ZIP, [whole[:100], whole[100:]])
    assert [(type(p), p.number, p.line) for p in pieces] == [(Part, 1, None), (Part, 2, None)]
    for ref, piece in zip(("04/1", "04/2"), pieces, strict=True):
        alone = READER.read(connect.zipped(connect.export(ref)), CONNECT, Limits())
        apart = READER.read(piece.body, CONNECT, Limits())
        assert apart.record == alone.record
        assert (apart.leaf_count, apart.loss_count) == (alone.leaf_count, alone.loss_count)


def test_the_same_export_gives_the_same_bytes() -> None:
    """Sent again, packed otherwise and in another order of files, each incident is the one that was sent before."""
    made = connect.together(connect.export("04/1"), connect.export("04/2"))
    files = {f"{name}.csv": connect.text(rows).encode("cp1252") for name, rows in made.items()}
    turned = dict(reversed(files.items()))
    assert cut(ZIP, [connect.packed(files)]) == cut(ZIP, [connect.packed(turned)])
    with zipfile.ZipFile(io.BytesIO(cut(ZIP, [connect.packed(files)])[0].body)) as archived:
        assert {e.date_time for e in archived.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(archived.namelist()) == set(files)


def test_an_export_in_utf_16_is_cut_like_another() -> None:
    made = connect.together(connect.export("04/1"), connect.export("04/2"))
    wide = cut(ZIP, [connect.zipped(made, charset="utf-16")])
    plain = cut(ZIP, [connect.zipped(made)])
    assert [READER.read(p.body, CONNECT, Limits()).record for p in wide] == [
        READER.read(p.body, CONNECT, Limits()).record for p in plain
    ]


def test_rows_of_an_incident_that_is_not_there_are_kept_apart() -> None:
    made = connect.together(connect.export("04/1"), connect.export("04/2"))
    del made["incidents"][1]
    pieces = cut(ZIP, [connect.zipped(made)])
    assert isinstance(pieces[0], Part)
    assert {fault for _, _, fault in faults(pieces)} == {Fault.ROW_WITHOUT_INCIDENT}
    assert ("persons[4].OCC_REF") in {path for _, path, _ in faults(pieces)}
    everywhere = b"".join(p.body for p in pieces)
    for rows in made.values():
        assert all(cell.encode("cp1252") in everywhere for row in rows for cell in row.values() if '"' not in cell)


def test_an_incident_given_twice_is_a_problem_and_not_a_choice() -> None:
    made = connect.together(connect.export("04/1"), connect.export("04/1"), connect.export("04/2"))
    pieces = cut(ZIP, [connect.zipped(made)])
    assert faults(pieces) == [(None, "incidents[1].OCC_REF", Fault.DUPLICATE_KEY)]
    assert len(pieces) == 2


def test_a_ragged_row_goes_with_its_incident_which_is_then_refused_whole() -> None:
    """An incident must not go on without a child because the child's row was torn."""
    made = connect.together(connect.export("04/1"), connect.export("04/2"))
    files = {f"{name}.csv": connect.text(rows).encode("cp1252") for name, rows in made.items()}
    rows = files["persons.csv"].split(b"\r\n")
    files["persons.csv"] = b"\r\n".join([*rows[:3], rows[3] + b"|extra", *rows[4:]])
    first, second = cut(ZIP, [connect.packed(files)])
    with pytest.raises(Unreadable) as refused:
        READER.read(first.body, CONNECT, Limits())
    assert [(p.path, p.fault) for p in refused.value.problems] == [("persons[2]", Fault.RAGGED_ROW)]
    assert READER.read(second.body, CONNECT, Limits()).record.reference("occurrence") == "04/2"


def test_a_torn_quotation_goes_to_every_incident_that_it_swallowed() -> None:
    made = connect.together(*(connect.export(f"04/{n}") for n in range(1, 5)))
    files = {f"{name}.csv": connect.text(rows).encode("cp1252") for name, rows in made.items()}
    files["contacts.csv"] = files["contacts.csv"].replace(b"blue door", b'"blue door', 2).replace(b'"blue', b"blue", 1)
    torn = files["contacts.csv"].split(b"\r\n")
    assert torn[3].startswith(b"V-04/2")
    outcomes = [outcome(piece.body, CONNECT) for piece in cut(ZIP, [connect.packed(files)])]
    assert outcomes == ["04/1", Fault.TRUNCATED, Fault.TRUNCATED, Fault.TRUNCATED]


def test_a_file_that_the_profile_does_not_know_is_kept_and_the_incidents_go_on() -> None:
    files = {f"{name}.csv": connect.text(rows).encode("cp1252") for name, rows in connect.export().items()}
    pieces = cut(ZIP, [connect.packed({"vehicles.csv": b"a|b\n1|2\n"} | files)])
    assert faults(pieces) == [(None, "entries[0]", Fault.UNKNOWN_FILE)]
    assert isinstance(pieces[0], Part)
    assert archive.opened(pieces[1].body, 1000) == [("vehicles.csv", b"a|b\n1|2\n")]


@pytest.mark.parametrize(
    ("files", "path", "fault"),
    [
        ({"persons.csv": b"OCC_REF|PERSON_ID\n1|2\n"}, "incidents", Fault.MISSING),
        ({"incidents.csv": b""}, "incidents", Fault.NO_HEADER),
        ({"incidents.csv": b"OCC_REF||X\n1|2|3\n"}, "incidents.header[1]", Fault.NO_HEADER),
        ({"incidents.csv": b"a|b\n", "INCIDENTS_2.csv": b"a|b\n"}, "entries[1]", Fault.DUPLICATE_KEY),
    ],
)
def test_an_export_that_cannot_be_read_is_one_problem(files: dict[str, bytes], path: str, fault: Fault) -> None:
    assert faults(cut(ZIP, [connect.packed(files)])) == [(None, path, fault)]


def test_an_archive_larger_than_is_held_is_refused_without_being_held() -> None:
    one = splitter(ZIP, CONNECT, Limits(max_archive=10_000, max_bytes=1000))
    for _ in range(100):
        assert list(one.feed(b"PK\x03\x04" * 1000)) == []
    (broken,) = one.close()
    assert isinstance(broken, Broken)
    assert (broken.problem.fault, len(broken.body)) == (Fault.TOO_LARGE, 1000)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_disturbed_export_is_cut_without_an_error(data: st.DataObject) -> None:
    body = bytearray(connect.zipped(connect.together(connect.export("04/1"), connect.export("04/2"))))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    pieces = cut(ZIP, [bytes(body)])
    assert pieces
    for piece in pieces:
        if isinstance(piece, Part):
            assert outcome(piece.body, CONNECT) is not Fault.READER_FAILED


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_batch_is_of_the_profiles_own_format(media_type: str) -> None:
    """An unknown media type, and one of a format that the profile does not read, are no batch."""
    with pytest.raises(LookupError):
        splitter(media_type, IHUB if media_type != NDJSON else FLAT, Limits())
    with pytest.raises(LookupError):
        splitter("application/json", PROFILES[media_type], Limits())


def test_an_ndjson_line_is_what_the_profiles_reader_reads() -> None:
    line = b'{"data": {"type": "incident", "id": "1"}}'
    (part,) = cut(NDJSON, [line + b"\n"])
    assert reader("police.json").read(part.body, IHUB, Limits()).record.reference("document") == "1"
