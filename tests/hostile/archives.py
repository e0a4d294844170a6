"""Hostile archives: what a writer of zips would not write. Each holds a good export, but for what the attack does.

Source: PKWARE APPNOTE 6.3.3, sections 4.3 and 4.4; Fifield, A better zip bomb (WOOT 2019).
"""

from __future__ import annotations

import stat
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.hostile.formats import EXPORT, exported
from tests.hostile.inputs import READ, Input

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive, and what its record in the directory says of it; None says the truth."""

    name: bytes
    content: bytes
    method: int = zipfile.ZIP_DEFLATED
    mode: int = stat.S_IFREG | 0o600
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    packed: int | None = None
    extra: bytes = b""
    local_name: bytes | None = None
    at: int | None = None
    """Where the directory says it begins."""


def written(entries: Sequence[Entry], *, before: bytes = b"", after: bytes = b"", count: int | None = None) -> bytes:
    """An archive of entries as they are, with the local headers saying what the directory says."""
    body, directory = bytearray(before), bytearray()
    for one in entries:
        packer = zipfile._get_compressor(one.method)  # type: ignore[attr-defined]
        content = packer.compress(one.content) + packer.flush() if packer else one.content
        crc = zipfile.crc32(one.content) if one.crc is None else one.crc  # type: ignore[attr-defined]
        size = len(one.content) if one.size is None else one.size
        packed = len(content) if one.packed is None else one.packed
        local = one.name if one.local_name is None else one.local_name
        facts = struct.pack("<HHHHIII", one.flags, one.method, 0, 33, crc, packed, size)
        at = len(body) if one.at is None else one.at
        body += (
            b"PK\x03\x04\x14\0" + facts + struct.pack("<HH", len(local), len(one.extra)) + local + one.extra + content
        )
        directory += b"PK\x01\x02\x14\x03\x14\0" + facts + struct.pack("<HHHHH", len(one.name), len(one.extra), 0, 0, 0)
        directory += struct.pack("<II", one.mode << 16, at) + one.name + one.extra
    number = len(entries) if count is None else count
    end = struct.pack("<HHHHIIH", 0, 0, number, number, len(directory), len(body), 0)
    return bytes(body + directory + b"PK\x05\x06" + end + after)


def archives() -> Iterator[Input]:
    """Every attack on an archive, with what must become of it."""
    yield from _of_names()
    yield from _of_entries()
    yield from _of_the_whole()
    yield from _bombs()


def _one(attack: str, code: str, path: str | None = "", status: int = 400, **changes: Any) -> Input:
    """The incidents' file changed, the others as they are."""

    def made(serial: int) -> bytes:
        first, *others = entries(serial)
        return written([replace(first, **changes), *others])

    return Input(attack, EXPORT, made, code, path, 201 if code == READ else status)


def _more(attack: str, *added: Entry, code: str, path: str | None = "") -> Input:
    """A good export with more files behind it, which is number 13 and so on."""
    return Input(attack, EXPORT, lambda n: written([*entries(n), *added]), code, path, 201 if code == READ else 400)


def _whole(attack: str, body: Callable[[int], bytes], code: str, path: str | None = "", status: int = 400) -> Input:
    return Input(attack, EXPORT, body, code, path, 201 if code == READ else status)


def entries(serial: int) -> list[Entry]:
    """A good export."""
    return [Entry(name.encode(), content) for name, content in exported(serial, b"Shouting was heard.").items()]


def _of_names() -> Iterator[Input]:
    for attack, name in {
        "an absolute name": b"/etc/incidents.csv",
        "a name that climbs": b"../incidents.csv",
        "a name that climbs inside": b"a/../../incidents.csv",
        "a name with a backslash": b"..\\incidents.csv",
        "a name with a drive": b"C:incidents.csv",
        "a name with two slashes": b"a//incidents.csv",
        "a name with a dot alone": b"./incidents.csv",
        "a name with NUL": b"incidents.csv\0.txt",
        "a name with a line end": b"incidents\n.csv",
    }.items():
        yield _one(attack, "archive-unsafe-name", "entries[0]", name=name)
    yield _one("a name in no charset", "malformed", name=b"incidents\xff.csv", flags=0x800)
    yield _one("no name", "archive-not-csv", "entries[0]", name=b"")
    yield _one("a name of 60,000", READ, name=b"incidents_" + b"z" * 60_000 + b".csv")
    yield _one("another name in its header", "malformed", local_name=b"zqx.csv")
    first = Entry(b"INCIDENTS_20260413.CSV", b"zqx")
    yield _more(
        "a name twice", replace(first, name=b"incidents_20260413.csv"), code="duplicate-key", path="entries[13]"
    )
    yield _more("a name twice but for case", first, code="duplicate-key", path="entries[13]")
    yield _more("a file twice", replace(first, name=b"incidents-b.csv"), code="duplicate-key", path="entries[13]")
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "incidents_é.csv").encode()
        twin = replace(first, name=name, flags=0x800)
        yield _more(f"a twin in {form}", twin, code="duplicate-key", path="entries[13]")
    yield _more("a file nobody knows", replace(first, name=b"zqx.csv"), code=READ)
    yield _more("what a Mac leaves", replace(first, name=b"__MACOSX/._incidents.csv"), code=READ)
    yield _more("a program", replace(first, name=b"zqx.exe"), code="archive-not-csv", path="entries[13]")
    yield _more("a folder", Entry(b"zqx/", b"", method=0), code=READ)
    hiding = Entry(b"zqx/", b"zqx,1\n" * 100, size=0)
    yield _more("a folder with something in it", hiding, code="archive-not-csv", path="entries[13]")
    yield _more("a folder that climbs", Entry(b"../", b"", method=0), code="archive-unsafe-name", path="entries[13]")


def _of_entries() -> Iterator[Input]:
    for attack, mode in {
        "a symbolic link": 0o120777,
        "a device": 0o020666,
        "a pipe": 0o010666,
        "a socket": 0o140666,
    }.items():
        yield _one(attack, "archive-not-a-file", "entries[0]", mode=mode)
    for attack, flags in {"encrypted": 0x1, "strongly encrypted": 0x41}.items():
        yield _one(attack, "archive-encrypted", "entries[0]", flags=flags)
    yield _one("patched data", "malformed", flags=0x20)
    for attack, method in {"bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA}.items():
        yield _one(attack, "archive-not-csv", "entries[0]", method=method)
    inner = written([Entry(b"incidents.csv", b"zqx")])
    yield _one("an archive in it", "archive-not-csv", "entries[0]", name=b"incidents.zip", content=inner)
    yield _one("an archive called csv", "archive-not-csv", "entries[0]", content=inner)
    yield _one("a wrong sum", "malformed", crc=7)
    yield _one("smaller than it says", READ, size=10**9)
    yield _one("larger than it says", "malformed", size=10)
    yield _one("packed smaller than it says", "malformed", packed=10**9)
    yield _one("packed larger than it says", "malformed", packed=10)
    yield _one("no data", "no-header", "incidents", content=b"")
    huge = struct.pack("<HHQQ", 1, 16, 2**60, 2**60)
    yield _one("zip64 of 2^60 bytes", "malformed", size=2**32 - 1, packed=2**32 - 1, extra=huge)
    yield _one("zip64 cut short", "malformed", size=2**32 - 1, extra=struct.pack("<HH", 1, 0))
    yield _one("an extra field too long", "malformed", extra=struct.pack("<HH", 9, 60_000))
    yield _one("a place behind the end", "malformed", at=2**31)


def _of_the_whole() -> Iterator[Input]:
    def good(serial: int) -> bytes:
        return written(entries(serial))

    yield _whole("data after its end", lambda n: written(entries(n), after=b"zqx"), "malformed")
    yield _whole("data before its first file", lambda n: b"PK\x03\x04zqx" + good(n), "malformed")
    yield _whole("two archives in a row", lambda n: good(n) + good(n), "malformed")
    yield _whole("cut", lambda n: good(n)[:-30], "malformed")
    yield _whole("cut in its directory", lambda n: good(n)[:-300] + good(n)[-22:], "malformed")
    yield _whole("a directory of one less", lambda n: written(entries(n), count=3), READ)
    yield _whole("a directory of 65,535", lambda n: written(entries(n), count=65_535), READ)
    yield _whole("empty", lambda _: b"PK\x05\x06" + b"\0" * 18, "missing", "incidents", 422)
    yield _whole("begun", lambda _: b"PK\x03\x04", "malformed")
    yield _whole("zip64 that lies of its directory", lambda n: _zip64(entries(n)), "malformed")
    yield _whole(
        "10,000 files",
        lambda _: written([Entry(b"p%d.csv" % i, b"") for i in range(10_000)]),
        "too-many-elements",
        "entries",
    )
    yield _whole("none of the incidents", lambda n: written(entries(n)[1:]), "missing", "incidents", 422)
    yield _whole("a comment", lambda n: written(entries(n))[:-2] + b"\3\0zqx", READ)
    yield _whole("CSV that is no archive", lambda _: b"a,b\nzqx,1\n", "missing", "incidents.RECORD_TYPE", 422)


def _bombs() -> Iterator[Input]:
    yield _one("a bomb of 1 to 1,000", "archive-too-packed", "entries[0]", content=b"z" * 600_000)
    yield _one("a bomb of 50 MB", "too-large", "", 413, content=b"z" * 50_000_000)
    many = [Entry(b"incidents%d.csv" % i, b"z" * 60_000) for i in range(90)]
    yield _whole("a bomb of small files", lambda n: written([*entries(n), *many[:50]]), "too-large", "", 413)
    yield _whole("entries that overlap", lambda _: _overlapping(), "malformed")
    yield _whole("a bomb in a bomb", lambda _: _nested(), "archive-not-csv", "entries[0]")


def _zip64(files: Sequence[Entry]) -> bytes:
    """An archive whose larger end record says a directory of 2^62 bytes."""
    body = bytearray(written(files))
    end = body.rindex(b"PK\x05\x06")
    larger = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, len(files), len(files), 2**62, 0)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    return bytes(body[:end]) + larger + locator + bytes(body[end:])


def _overlapping() -> bytes:
    """Fifty names for the bytes of one file."""
    first = Entry(b"incidents0.csv", b"zqx,1\n" * 8_000)
    return written([first, *(Entry(b"incidents%d.csv" % i, b"", at=0) for i in range(1, 50))])


def _nested() -> bytes:
    """Archives of archives, four deep, ten a level: 600 MB in the end."""
    inner = written([Entry(b"incidents.csv", b"z" * 60_000)])
    for _ in range(4):
        inner = written([Entry(b"p%d.csv" % i, inner) for i in range(10)])
    return inner
