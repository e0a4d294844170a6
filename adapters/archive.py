"""A zip of delimited text, opened in memory: each file's name and bytes, or `Unreadable` naming which and why.

Nothing is written anywhere. Nothing of the archive is trusted: what comes out is counted while it comes out, and a
file that is packed too well, encrypted, a link, another archive, or called after a place elsewhere refuses the whole.
A folder around the files is passed over. A file is named in a path by its number (`entries[2]`): its own name is the
sender's text.

Source: PKWARE APPNOTE 6.3.3, sections 4.3 and 4.4; OWASP on decompression bombs.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable

from adapters.socket import Fault, Problem, Unreadable
from mappings.tree import rendered

MAX_ENTRIES = 100
"""Files of one archive: an export has about ten."""

_MAX_RATIO = 200  # delimited text packs 5 to 40 times; a bomb a thousand times
_SMALL = 64 * 1024  # bytes that any file may unpack to, however well it is packed
_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_END_BYTES = 22  # APPNOTE 4.3.16: the end record, without its comment
_NOTHING = 2  # bytes that nothing packs to, where a writer packs folders too
_CHUNK = 64 * 1024
_TEXT = (".csv", ".txt", ".tsv", ".psv")
_ELSEWHERE = re.compile(r"[\x00-\x1f\\:]|^/|(?:^|/)\.{1,2}(?:/|$)|//")
_ENCRYPTED = 0x1 | 0x40  # APPNOTE 4.4.4: bit 0, and bit 6 for strong encryption
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can say
_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # and what a compression or a version raises that zipfile does not know
    ValueError,
    OverflowError,
    IndexError,
)


def is_archive(body: bytes) -> bool:
    """Whether these bytes begin as a zip does."""
    return body.startswith(_MARKS)


def opened(body: bytes, limit: int) -> list[tuple[str, bytes]]:
    """The files of an archive, in its order, of at most `limit` bytes together. Raises `Unreadable`."""
    if len(body) > limit:
        raise Unreadable(Problem("", Fault.TOO_LARGE))
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise Unreadable(Problem("entries", Fault.TOO_MANY_ELEMENTS))
            if not _is_all(body, archive, entries):
                raise Unreadable(Problem("", Fault.MALFORMED))
            files = [(i, entry) for i, entry in enumerate(entries) if not _is_folder(entry)]
            _unlike(files)
            for index, entry in files:
                _plain(index, entry)
            found: list[tuple[str, bytes]] = []
            for index, entry in files:
                content = _content(archive, entry, limit, index)
                limit -= len(content)
                found.append((entry.filename, content))
            return found
    except _READ_ERRORS:
        raise Unreadable(Problem("", Fault.MALFORMED)) from None


def packed(files: Iterable[tuple[str, bytes]]) -> bytes:
    """An archive of these files, the same bytes for the same files: nothing packed, and no time but the first."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # else it would say on which system it was made
            entry.external_attr = (stat.S_IFREG | 0o600) << 16
            archive.writestr(entry, content)
    return made.getvalue()


def _is_all(body: bytes, archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> bool:
    """Whether the archive is all there is: nothing before its first file or behind its end, no byte in two files.

    Of what lies around it, or in two files at once, another reader might make another export.
    """
    begins = min((entry.header_offset for entry in entries), default=0)
    ends = body.rfind(_MARKS[1]) + _END_BYTES + len(archive.comment)
    return begins == 0 and ends == len(body) and sum(entry.compress_size for entry in entries) <= len(body)


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    empty = entry.file_size == 0 and entry.compress_size <= _NOTHING
    return entry.filename.endswith("/") and empty and not _ELSEWHERE.search(entry.filename)


def _unlike(files: list[tuple[int, zipfile.ZipInfo]]) -> None:
    """No two files may have one name: which of them is read would be chance."""
    seen: set[str] = set()
    for index, entry in files:
        name = entry.filename.casefold()
        if name in seen:
            raise _unreadable(Fault.DUPLICATE_KEY, index)
        seen.add(name)


def _plain(index: int, entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise _unreadable(Fault.ARCHIVE_ENCRYPTED, index)
    if _ELSEWHERE.search(entry.filename) or entry.filename != entry.orig_filename:
        raise _unreadable(Fault.ARCHIVE_UNSAFE_NAME, index)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise _unreadable(Fault.ARCHIVE_NOT_A_FILE, index)
    if not entry.filename.casefold().endswith(_TEXT):
        raise _unreadable(Fault.ARCHIVE_NOT_CSV, index)
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise _unreadable(Fault.ARCHIVE_NOT_CSV, index)


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int, index: int) -> bytes:
    found = bytearray()
    most = max(_SMALL, entry.compress_size * _MAX_RATIO)
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            found += chunk
            if len(found) > limit:
                raise Unreadable(Problem("", Fault.TOO_LARGE))
            if len(found) > most:
                raise _unreadable(Fault.ARCHIVE_TOO_PACKED, index)
    if is_archive(bytes(found[:4])):
        raise _unreadable(Fault.ARCHIVE_NOT_CSV, index)
    return bytes(found)


def _unreadable(fault: Fault, index: int) -> Unreadable:
    return Unreadable(Problem(rendered(("entries", index)), fault))
