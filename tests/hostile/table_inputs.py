"""What delimited text alone has that can be hostile, in each of its spellings. Source: RFC 4180."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.formats import COMMA, CP1252, PIPE, Format
from tests.hostile.inputs import READ, Input, changed, filled, recoded, whole


def tables() -> Iterator[Input]:
    """What delimited text alone has."""
    yield from _spelt(COMMA, b",", "utf-8")
    yield from _spelt(PIPE, b"|", "utf-8")
    yield from _spelt(CP1252, b";", "cp1252")
    yield whole(COMMA, "a million line ends", b"\r" * 1_000_000, "no-header", "incidents")
    yield whole(COMMA, "a million quotes", b'"' * 1_000_000, "text-too-long", "incidents.header")
    yield whole(
        COMMA,
        "half a pair in UTF-16",
        b"\xff\xfe" + "a,b\n".encode("utf-16-le") + b"\x00\xd8",
        "wrong-charset",
        "incidents",
    )
    yield whole(COMMA, "JSON", b'{"zqx": 1}', "missing", None)


def _spelt(one: Format, mark: bytes, charset: str) -> Iterator[Input]:
    """The same in one spelling."""
    yield filled(one, "a quote that never closes", b'"zqx', "truncated", "incidents")
    yield filled(one, "a text behind a quote", b'"zqx"zqx', "malformed", "incidents")
    yield filled(one, "a cell too many", b"zqx" + mark + b"zqx", "ragged-row", "incidents[0]")
    yield filled(one, "a line end in a cell", b'"zqx\r\nzqx"', READ)
    yield filled(one, "a line end outside", b"zqx\r\nzqx", "ragged-row", None)
    yield changed(
        one,
        "a cell too few",
        lambda body: body.rstrip(b"\r\n").rpartition(mark)[0],
        "ragged-row",
        None,
    )
    yield changed(one, "a header alone", lambda body: body.partition(b"\r\n")[0], "missing", "incidents")
    yield changed(one, "the header twice", _twice, "several-incidents", "incidents")
    yield changed(
        one,
        "a name twice",
        lambda body: body.replace(b"LogRef", b"System", 1),
        "duplicate-key",
        "incidents.System",
    )
    yield changed(one, "no name", lambda body: body.replace(b"LogRef", b" ", 1), "no-header", "incidents.header[2]")
    yield changed(
        one,
        "NUL in a name",
        lambda body: body.replace(b"LogRef", b"Log\0", 1),
        "nul-character",
        "incidents.header",
    )
    yield changed(
        one,
        "an open quote in the header",
        lambda body: body.replace(b"LogRef", b'"zqx', 1),
        "truncated",
        "incidents.header",
    )
    yield changed(one, "carriage returns alone", lambda body: body.replace(b"\r\n", b"\r"), READ)
    columns = mark.join(b"c%d" % i for i in range(100_000))
    yield whole(one, "100,000 columns", columns + b"\n" + mark * 99_999 + b"zqx\n", "too-many-elements", "incidents")
    yield whole(one, "100,000 columns, no name", mark * 99_999 + b"\nzqx", "no-header", "incidents.header[0]")
    yield whole(
        one,
        "100,000 rows",
        b"a" + mark + b"b\n" + (b"zqx" + mark + b"1\n") * 100_000,
        "too-many-elements",
        "incidents",
    )
    yield changed(
        one,
        "UTF-16",
        recoded("utf-16", charset),
        READ,
    )
    yield changed(
        one,
        "UTF-16 without a mark",
        recoded("utf-16-le", charset),
        "nul-character",
        "incidents.header",
    )
    yield changed(
        one,
        "UTF-32",
        recoded("utf-32", charset),
        "nul-character",
        "incidents.header",
    )
    yield changed(
        one,
        "marked UTF-8 and is not",
        lambda body: b"\xef\xbb\xbf" + body + b"zqx\xed\xa0\x80",
        "wrong-charset",
        "incidents",
    )
    yield whole(one, "nothing of an incident", b"a" + mark + b"b\nzqx" + mark + b"2\n", "missing", None)


def _twice(body: bytes) -> bytes:
    return body.partition(b"\r\n")[0] + b"\r\n" + body
