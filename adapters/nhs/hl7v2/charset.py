"""From the bytes of a message to its text, by what MSH-18 says (`charsets.toml`).

Source: HL7 v2.4 section 2.16.9.18 and table 0211; domain.md section 2.9.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from adapters.nhs.hl7v2.facts import FactsInvalid, facts, only, texts
from adapters.nhs.hl7v2.finding import Finding, Said
from adapters.socket import Fault, Problem, Unreadable

_PLACE: Final = "MSH-18"
_WIDE: Final = (
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"M\0S\0H\0", "utf-16-le"),
    (b"\0M\0S\0H", "utf-16-be"),
)
_LINE: Final = re.compile(rb"[\r\n]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message as text, the Python codec it was read with, and what was noted."""

    text: str
    codec: str
    noted: tuple[Finding, ...] = ()


def decoded(raw: bytes) -> Decoded:
    """The text of a message. Raises `Unreadable` at `MSH-18`."""
    for begins, codec in _WIDE:
        if raw.startswith(begins):
            return _with((codec,), raw.removeprefix(codecs.BOM_UTF16_LE).removeprefix(codecs.BOM_UTF16_BE))
    marked = raw.startswith(codecs.BOM_UTF8)
    raw = raw.removeprefix(codecs.BOM_UTF8)
    ways = ("utf-8",) if marked else charsets().get(_said(raw).upper())
    if ways is None:
        if not raw.isascii():
            raise Unreadable(Problem(_PLACE, Fault.UNKNOWN_CODE))
        return Decoded(raw.decode("ascii"), "utf-8", (Finding(_PLACE, Said.NOT_IN_TABLE),))
    if raw.isascii():
        return Decoded(raw.decode("ascii"), ways[0] if ways[0] != "ascii" else "utf-8")  # for its escapes
    return _with(ways, raw)


@cache
def charsets() -> dict[str, tuple[str, ...]]:
    """The codecs to try for each word of MSH-18, in their order. Raises `FactsInvalid`."""
    found = {}
    for word, row in facts("charsets", {"charsets"})["charsets"].items():
        where = f"charsets.toml: charsets.{word!r}"
        only(where, row, {"codec", "then"}, {"codec"})
        ways = (row["codec"], *(texts(f"{where}.then", row["then"]) if "then" in row else ()))
        for way in ways:
            try:
                codecs.lookup(way)
            except LookupError:
                raise FactsInvalid(f"{where}: there is no codec {way!r}") from None
        found[word] = ways
    return found


def _with(ways: tuple[str, ...], raw: bytes) -> Decoded:
    for way in ways:
        try:
            text = raw.decode(way)
        except UnicodeDecodeError:
            continue
        return Decoded(text, way, () if way == ways[0] else (Finding(_PLACE, Said.CHARSET_ASSUMED),))
    raise Unreadable(Problem(_PLACE, Fault.WRONG_CHARSET))


def _said(raw: bytes) -> str:
    """The first word of MSH-18, from bytes that are not text yet; "" where the header is no header."""
    header = _LINE.split(raw[:4096].lstrip(), 1)[0]
    fields = header.split(header[3:4]) if header[3:4] else []
    if len(fields) < 18:  # noqa: PLR2004 - MSH-1 is the sign itself, so that MSH-18 is the eighteenth part
        return ""
    repetition = header[5:6] or b"~"
    first = next((one for one in fields[17].split(repetition) if one.strip()), b"")
    return " ".join(first.decode("latin-1").split())
