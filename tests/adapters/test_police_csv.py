"""Police delimited text: every spelling of it that systems write, and everything hostile that calls itself one."""

from __future__ import annotations

import io
import json
import random
import struct
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import archive
from adapters.batch import Broken, Part, splitter
from adapters.delimited import rows
from adapters.socket import Fault, Limits, Problem, Reading, Unreadable, reader
from mappings.profile import Profile, profile
from mappings.record import Record
from tests.support import connect
from tests.support.shared import shared_data

FLAT, CONNECT = profile("flat"), profile("connect")
READER = reader("police.csv")
SECRET = "zqx"  # in what must not be told


def read(body: bytes | str, limits: Limits | None = None) -> Reading:
    return READER.read(body if isinstance(body, bytes) else body.encode(), FLAT, limits or Limits())


def read_zip(body: bytes, limits: Limits | None = None) -> Reading:
    return READER.read(body, CONNECT, limits or Limits())


def refusal(body: bytes | str, limits: Limits | None = None) -> list[tuple[str, Fault]]:
    with pytest.raises(Unreadable) as refused:
        read(body, limits)
    assert SECRET not in str(refused.value)
    return [(p.path, p.fault) for p in refused.value.problems]


def zip_refusal(body: bytes, limits: Limits | None = None) -> list[tuple[str, Fault]]:
    with pytest.raises(Unreadable) as refused:
        read_zip(body, limits)
    assert SECRET not in str(refused.value)
    return [(p.path, p.fault) for p in refused.value.problems]


def outcome(body: bytes, used: Profile) -> Reading | Unreadable:
    """What comes of a document: never that the reader failed."""
    try:
        return READER.read(body, used, Limits())
    except Unreadable as refused:
        if refused.fault is Fault.READER_FAILED:
            raise
        return refused


def found(reading: Reading) -> set[tuple[str, str]]:
    return {(f.path, f.code) for f in reading.findings}


def described(record: Record) -> str | None:
    """A text that is read as it stands."""
    return record.people[0].description


def row(**cells: str) -> dict[str, str]:
    return connect.flat_row(VictimDescription="tall") | cells


ACCENTED = row(VictimForename="Zoë", VictimDescription="Scar, caf\u00e9 badge: \u2018no\u2019\r\nand tall.")


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"], ids=["crlf", "lf", "cr"])
@pytest.mark.parametrize("delimiter", [",", "|", "\t", ";"], ids=["comma", "pipe", "tab", "semicolon"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_one_row_reads_the_same_in_every_spelling(charset: str, delimiter: str, end: str) -> None:
    body = connect.flat(ACCENTED, delimiter=delimiter, end=end).encode(charset)
    record = read(body).record
    assert record.people[0].names[0].given == ("Zoë",)
    assert described(record) == "Scar, café badge: \u2018no\u2019\r\nand tall."
    assert record == read(connect.flat(ACCENTED)).record


def test_quotes_and_line_ends_inside_cells_stay() -> None:
    text = 'Tattoo "never".\n\nThen ""left"", and tall.'
    assert described(read(connect.flat(row(VictimDescription=text))).record) == text


@pytest.mark.parametrize("cell", ["=1+1", "+44", "-2", "@SUM(A1)", '=HYPERLINK("http://example.org")', "\t=1"])
def test_a_formula_is_text_and_only_text(cell: str) -> None:
    record = read(connect.flat(connect.flat_row(VictimSurname=cell))).record
    assert record.people[0].names[0].family == cell.strip()


def test_leading_zeros_stay() -> None:
    row = connect.flat_row(OccurrenceRef="000345", LogRef="0007", ForceCode="04", VictimPhone="07700900123")
    record = read(connect.flat(row)).record
    assert (record.reference("occurrence"), record.reference("log")) == ("000345", "0007")
    assert record.source is not None
    assert record.source.organisation == "04"
    assert record.people[0].contacts[0].value == "07700900123"


def test_a_zero_that_a_spreadsheet_took_is_put_back_with_a_finding() -> None:
    reading = read(connect.flat(connect.flat_row(ForceCode="4")))
    assert ("incidents.ForceCode", "leading-zero-restored") in found(reading)


@pytest.mark.parametrize(
    ("written", "moment", "code"),
    [
        ("12/04/2026 21:40", "2026-04-12T20:40:00+00:00", None),
        ("12/04/2026 21:40:09", "2026-04-12T20:40:09+00:00", None),
        ("2/4/2026 9:05", "2026-04-02T08:05:00+00:00", None),
        ("12-JAN-2026 21:40", "2026-01-12T21:40:00+00:00", None),
        ("29/03/2026 01:30", None, "time-skipped"),
        ("25/10/2026 01:30", "2026-10-25T00:30:00+00:00", "time-ambiguous"),
        ("25/10/2026 02:30", "2026-10-25T02:30:00+00:00", None),
        ("12/04/2026", None, "time-missing"),
        ("31/02/2026 10:00", None, "date-impossible"),
        ("04/13/2026 10:00", None, "date-impossible"),
        ("12/04/26 10:00", None, "date-unreadable"),
        ("12/04/2026 25:00", None, "time-impossible"),
        ("46124.9", None, "date-unreadable"),
    ],
)
def test_british_times_are_read_in_london_and_never_guessed(written: str, moment: str | None, code: str | None) -> None:
    reading = read(connect.flat(connect.flat_row(Reported=written)))
    times = reading.record.times
    assert times is not None
    assert (times.reported and times.reported.isoformat()) == moment
    assert [c for path, c in found(reading) if path == "incidents.Reported"] == ([code] if code else [])


def test_a_column_that_nobody_reads_is_a_loss_by_its_name() -> None:
    reading = read(connect.flat(connect.flat_row() | {"Pet Name (if any)": SECRET, "Empty": ""}))
    assert [(loss.path, loss.reason) for loss in reading.losses] == [("incidents.Pet_Name_if_any", "no-row")]


def test_nobody_is_made_of_empty_columns() -> None:
    reading = read(connect.flat())
    assert [p.ref for p in reading.record.people] == ["victim-1", "suspect-1"]
    assert not any("child" in path for path, _ in found(reading))


def with_header(change: str, to: str) -> str:
    return connect.flat().replace(change, to, 1)


LONG = Limits(max_text=1500)
HOSTILE: dict[str, tuple[bytes | str, Limits, list[tuple[str, Fault]]]] = {
    "nothing": (b"", Limits(), [("incidents", Fault.NO_HEADER)]),
    "blank lines": (b"\r\n\n\r", Limits(), [("incidents", Fault.NO_HEADER)]),
    "a header alone": (connect.flat().split("\r\n")[0], Limits(), [("incidents", Fault.MISSING)]),
    "a header and blanks": (connect.flat().split("\r\n")[0] + "\n,,,\n \n", Limits(), [("incidents", Fault.MISSING)]),
    "several": (connect.flat(ACCENTED, ACCENTED), Limits(), [("incidents", Fault.SEVERAL_INCIDENTS)]),
    "a cell too many": (connect.flat().rstrip() + "," + SECRET, Limits(), [("incidents[0]", Fault.RAGGED_ROW)]),
    "a cell too few": (f"a,b,c\n1,{SECRET}\n", Limits(), [("incidents[0].c", Fault.RAGGED_ROW)]),
    "a name twice": (with_header("LogRef", "System"), Limits(), [("incidents.System", Fault.DUPLICATE_KEY)]),
    "names alike": (with_header("LogRef", " System "), Limits(), [("incidents.System", Fault.DUPLICATE_KEY)]),
    "no name": (with_header("LogRef", " "), Limits(), [("incidents.header[2]", Fault.NO_HEADER)]),
    "a name of signs": (with_header("LogRef", "#"), Limits(), [("incidents.header[2]", Fault.NO_HEADER)]),
    "nul in a name": (with_header("LogRef", "Log\0"), Limits(), [("incidents.header", Fault.NUL_CHARACTER)]),
    "a group's name": (with_header("LogRef", "victim"), Limits(), [("incidents.victim", Fault.DUPLICATE_KEY)]),
    "a lead's name": (
        with_header("LogRef", "Order_suspect"),
        Limits(),
        [("incidents.Order_suspect", Fault.DUPLICATE_KEY)],
    ),
    "two delimiters": ("a,b|c\n1,2|3\n", Limits(), [("incidents", Fault.NO_HEADER)]),
    "nul": (
        connect.flat(connect.flat_row(VictimSurname=SECRET + "\0")),
        Limits(),
        [("incidents[0].VictimSurname", Fault.NUL_CHARACTER)],
    ),
    "overlong text": (
        connect.flat(connect.flat_row(Summary=SECRET * 600)),
        LONG,
        [("incidents[0].Summary", Fault.TEXT_TOO_LONG)],
    ),
    "longer than a reader takes": (
        connect.flat(connect.flat_row(Summary=SECRET * 50_000)),
        Limits(),
        [("incidents", Fault.TEXT_TOO_LONG)],
    ),
    "larger": (b"a,b\n" * 1000, Limits(max_bytes=1000), [("", Fault.TOO_LARGE)]),
    "many columns": (
        ",".join(f"c{i}" for i in range(30_000)) + "\n" + ",".join("1" * 30_000),
        Limits(),
        [("incidents", Fault.TOO_MANY_ELEMENTS)],
    ),
    "an open quote": (connect.flat().rstrip() + ',"' + SECRET, Limits(), [("incidents", Fault.TRUNCATED)]),
    "text after a quote": (f'a,b\n"{SECRET}"x,2\n', Limits(), [("incidents", Fault.MALFORMED)]),
    "an open quote in the header": ('a,"b\n1,2\n', Limits(), [("incidents.header", Fault.TRUNCATED)]),
    "a quote inside a name": ('a"b\nc"d,e\n1,2\n', Limits(), [("incidents[0]", Fault.RAGGED_ROW)]),
    "neither charset": (b"a,b\n\x81,\xff\n", Limits(), [("incidents", Fault.WRONG_CHARSET)]),
    "a lying mark": (b"\xef\xbb\xbfa,b\n\xe9,1\n", Limits(), [("incidents", Fault.WRONG_CHARSET)]),
    "half a pair": (
        "a,b\n\ud800,1\n".encode("utf-16", "surrogatepass"),
        Limits(),
        [("incidents", Fault.WRONG_CHARSET)],
    ),
    "utf-16 cut": ("a,b\n1,2\n".encode("utf-16")[:-1], Limits(), [("incidents", Fault.WRONG_CHARSET)]),
    "utf-16 without a mark": ("a,b\n1,2\n".encode("utf-16-le"), Limits(), [("incidents.header", Fault.NUL_CHARACTER)]),
    "json": (b'{"data": {"type": "incident"}}', Limits(), [("incidents", Fault.MISSING)]),
    "xml": (b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>\n<a>&b;</a>\n", Limits(), []),
    "an unknown kind": (
        connect.flat(connect.flat_row(RecordType=SECRET)),
        Limits(),
        [("incidents.RecordType", Fault.UNKNOWN_CODE)],
    ),
    "an unreadable marking": (
        connect.flat(connect.flat_row(Marking=SECRET)),
        Limits(),
        [("incidents.Marking", Fault.UNKNOWN_CODE)],
    ),
    "no reference": (
        connect.flat(connect.flat_row(OccurrenceRef=" ")),
        Limits(),
        [("incidents.OccurrenceRef", Fault.MISSING)],
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_by_path(name: str) -> None:
    body, limits, problems = HOSTILE[name]
    begun = time.process_time()
    refused = refusal(body, limits)
    if problems:
        assert refused == problems
    assert time.process_time() - begun < 2  # a hundred times what any of them takes


@pytest.mark.parametrize(
    "body",
    [
        b'"' * 1_000_000,
        b'a,b\n"' + b'""' * 500_000,
        b"a,b\n" + b"\n" * 1_000_000,
        b"a,b\n" + b",\n" * 500_000,
        b'a"' * 500_000,
        b"\r" * 1_000_000,
        b",".join(b'"a"' for _ in range(250_000)),
        b"\xff\xfe" + b"\x0d\x00" * 500_000,
    ],
    ids=["quotes", "doubled", "blank", "empty rows", "stray quotes", "cr", "header", "wide cr"],
)
def test_a_megabyte_of_anything_is_refused_in_little_time(body: bytes) -> None:
    begun = time.process_time()
    refusal(body)
    assert time.process_time() - begun < 5  # each takes less than half a second


def test_the_csv_edge_cases_of_others_read_as_they_say() -> None:
    folder = shared_data("hostile_inputs", "csv_spectrum")
    paths = sorted((folder / "csvs").glob("*.csv"))
    assert paths
    for path in paths:
        expected = json.loads((folder / "json" / f"{path.stem}.json").read_text(encoding="utf-8"))
        if isinstance(expected, dict):
            continue  # the answer to another file
        _, cells = rows(path.read_bytes().decode(), "", path.stem, Limits(), quoted=True)
        said = [[value.replace("\r\n", "\n") for value in row.values()] for row in expected]
        assert [[cell.replace("\r\n", "\n") for cell in row] for row in cells] == said, path.stem


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_read_or_are_refused(body: bytes) -> None:
    for one, used in (
        (body, FLAT),
        (b"PK\x03\x04" + body, CONNECT),
        (b"RecordType,OccurrenceRef\nnew,1\n" + body, FLAT),
    ):
        outcome(one, used)


@pytest.mark.parametrize("seed", range(40))
def test_a_real_row_with_anything_in_it_reads_or_is_refused_and_no_value_is_told(seed: int) -> None:
    print("seed", seed)
    dice = random.Random(seed)
    odd = [
        "",
        SECRET,
        f'{SECRET}"',
        f"{SECRET}\n{SECRET}",
        "1",
        "Y",
        "12/04/2026",
        "é" + SECRET,
        "\0" + SECRET,
        "=" + SECRET,
    ]
    row = {name: dice.choice(odd) if dice.random() < 0.2 else cell for name, cell in connect.flat_row().items()}
    came = outcome(connect.flat(row, delimiter=dice.choice(",|;\t")).encode(), FLAT)
    if isinstance(came, Reading):
        told = [f.path + f.code for f in came.findings] + [loss.path + loss.reason for loss in came.losses]
        assert SECRET not in "".join(told)
    else:
        assert SECRET not in str(came)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(",|;\t"),
)
def test_what_is_written_is_what_is_read(cells: list[str], delimiter: str) -> None:
    """Writer and reader as a pair, and the splitter between them."""
    row = {f"c{i}": cell for i, cell in enumerate(cells)} | {"last": "x"}
    text = connect.text([row], delimiter=delimiter)
    assert rows(text, "", "x", Limits(), quoted=True)[1] == [list(row.values())]
    one = splitter("text/csv", FLAT, Limits())
    (part,) = (*one.feed(text.encode()), *one.close())
    assert isinstance(part, Part)
    assert rows(part.body.decode(), "", "x", Limits(), quoted=True)[1] == [list(row.values())]


INCIDENTS = connect.text(connect.export()["incidents"]).encode("cp1252")


def raw_zip(name: str, content: bytes = INCIDENTS, **fields: int) -> bytes:
    """A zip of one file, with fields of its entry set to what a writer would not set."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        entry = zipfile.ZipInfo(name)
        entry.compress_type = fields.pop("method", zipfile.ZIP_DEFLATED)
        entry.external_attr = fields.pop("mode", 0) << 16
        out.writestr(entry, content)
    body = bytearray(made.getvalue())
    central = body.index(b"PK\x01\x02")
    for at, shift, value in (
        (central + 8, 6, fields.get("flags")),
        (central + 24, 22, fields.get("size")),
        (central + 16, 14, fields.get("crc")),
    ):
        if value is not None:
            kind = "<H" if at == central + 8 else "<I"
            struct.pack_into(kind, body, at, value)
            struct.pack_into(kind, body, shift, value)
    return bytes(body)


def bomb(size: int) -> bytes:
    return raw_zip("incidents.csv", b"a" * size)


INNER = raw_zip("incidents.csv")
HOSTILE_ZIPS: dict[str, tuple[bytes, list[tuple[str, Fault]]]] = {
    "traversal": (raw_zip("../incidents.csv"), [("entries[0]", Fault.ARCHIVE_UNSAFE_NAME)]),
    "traversal inside": (raw_zip("a/../incidents.csv"), [("entries[0]", Fault.ARCHIVE_UNSAFE_NAME)]),
    "absolute": (raw_zip("/incidents.csv"), [("entries[0]", Fault.ARCHIVE_UNSAFE_NAME)]),
    "drive": (raw_zip("C:incidents.csv"), [("entries[0]", Fault.ARCHIVE_UNSAFE_NAME)]),
    "backslash": (raw_zip("..\\incidents.csv"), [("entries[0]", Fault.ARCHIVE_UNSAFE_NAME)]),
    "control": (raw_zip("incidents\n.csv"), [("entries[0]", Fault.ARCHIVE_UNSAFE_NAME)]),
    "symlink": (raw_zip("incidents.csv", mode=0o120777), [("entries[0]", Fault.ARCHIVE_NOT_A_FILE)]),
    "device": (raw_zip("incidents.csv", mode=0o020666), [("entries[0]", Fault.ARCHIVE_NOT_A_FILE)]),
    "encrypted": (raw_zip("incidents.csv", flags=1), [("entries[0]", Fault.ARCHIVE_ENCRYPTED)]),
    "another archive": (raw_zip("incidents.zip", INNER), [("entries[0]", Fault.ARCHIVE_NOT_CSV)]),
    "another archive in disguise": (raw_zip("incidents.csv", INNER), [("entries[0]", Fault.ARCHIVE_NOT_CSV)]),
    "a program": (raw_zip("incidents.exe"), [("entries[0]", Fault.ARCHIVE_NOT_CSV)]),
    "bzip2": (raw_zip("incidents.csv", method=zipfile.ZIP_BZIP2), [("entries[0]", Fault.ARCHIVE_NOT_CSV)]),
    "a name twice": (
        connect.packed({"x/incidents.csv": INCIDENTS, "X/incidents.csv": INCIDENTS}),
        [("entries[1]", Fault.DUPLICATE_KEY)],
    ),
    "a file twice": (
        connect.packed({"incidents_1.csv": INCIDENTS, "incidents_2.csv": INCIDENTS}),
        [("entries[1]", Fault.DUPLICATE_KEY)],
    ),
    "a bomb": (bomb(512 * 1024), [("entries[0]", Fault.ARCHIVE_TOO_PACKED)]),
    "a large bomb": (bomb(50 * 1024 * 1024), [("", Fault.TOO_LARGE)]),
    "larger than it says": (raw_zip("incidents.csv", size=10), [("", Fault.MALFORMED)]),
    "smaller than it says": (raw_zip("incidents.csv", size=10**9), []),
    "a wrong sum": (raw_zip("incidents.csv", crc=7), [("", Fault.MALFORMED)]),
    "cut": (connect.zipped(connect.export())[:-30], [("", Fault.MALFORMED)]),
    "empty": (b"PK\x05\x06" + b"\0" * 18, [("incidents", Fault.MISSING)]),
    "no incidents": (raw_zip("persons.csv", b"OCC_REF|PERSON_ID\n1|2\n"), [("incidents", Fault.MISSING)]),
    "many": (
        connect.packed({f"incidents_{n}.csv": b"" for n in range(101)}),
        [("entries", Fault.TOO_MANY_ELEMENTS)],
    ),
    "too much together": (
        connect.packed(
            {f"{name}.csv": random.Random(7).randbytes(450_000).hex().encode() for name in ("incidents", "persons")}
        ),
        [("", Fault.TOO_LARGE)],
    ),
}


@pytest.mark.parametrize("name", HOSTILE_ZIPS)
def test_a_hostile_archive_is_refused_by_entry(name: str) -> None:
    body, problems = HOSTILE_ZIPS[name]
    begun = time.process_time()
    if problems:
        assert zip_refusal(body, Limits(max_bytes=1_600_000)) == problems
    else:
        read_zip(body, Limits(max_bytes=1_600_000))
    assert time.process_time() - begun < 2


def test_a_file_that_says_it_is_larger_than_it_is_reads_as_what_it_is() -> None:
    assert read_zip(raw_zip("incidents.csv", size=10**9)).record.reference("crime") == "04/12345/26"


def test_a_folder_around_the_files_is_passed_over() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        out.writestr("export/", b"")
        out.writestr("export/Incidents-2026.CSV", INCIDENTS)
    assert read_zip(made.getvalue()).record.reference("crime") == "04/12345/26"


def test_overlapping_entries_cannot_multiply_what_comes_out() -> None:
    """Fifty names for the bytes of one file: what comes out is counted, whatever the directory says."""
    one = raw_zip("incidents.csv", INCIDENTS * 100, method=zipfile.ZIP_DEFLATED)
    central = one.index(b"PK\x01\x02")
    record, local = one[central : one.index(b"PK\x05\x06")], one[:central]
    records = [record.replace(b"incidents.csv", b"incident%02d.csv" % n) for n in range(50)]
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 50, 50, sum(map(len, records)), len(local), 0)
    assert zip_refusal(local + b"".join(records) + end)[0][1] in {Fault.MALFORMED, Fault.TOO_LARGE}


def test_an_archive_is_packed_the_same_each_time_and_opens_as_it_was() -> None:
    files = [("a.csv", b"1"), ("b.csv", b"")]
    assert archive.packed(files) == archive.packed(list(files))
    assert archive.opened(archive.packed(files), 1000) == files


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_disturbed_archive_reads_or_is_refused(data: st.DataObject) -> None:
    body = bytearray(connect.zipped(connect.export()))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    outcome(bytes(body), CONNECT)


def test_the_bomb_is_not_unpacked_to_be_refused() -> None:
    body = bomb(200 * 1024 * 1024)
    assert len(body) < 300_000
    begun = time.process_time()
    assert zip_refusal(body) == [("", Fault.TOO_LARGE)]
    assert time.process_time() - begun < 1
    one = splitter("application/zip", CONNECT, Limits())
    (broken,) = (*one.feed(body), *one.close())
    assert isinstance(broken, Broken)
    assert broken.problem == Problem("entries[0]", Fault.ARCHIVE_TOO_PACKED)
