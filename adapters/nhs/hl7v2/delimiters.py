"""The characters that divide a message, and the escapes that stand for them and for other characters in a text.

A message says its own in MSH-1 and MSH-2. Odd ones are taken where they are punctuation and differ from each other.

Source: HL7 v2.4 sections 2.7 (delimiters) and 2.10 (escape sequences).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_DEFAULT: Final = "^~\\&"
_HEADER: Final = 4  # characters of `MSH|`
_MOST: Final = 5  # MSH-2 has four characters; version 2.7 adds one for cut-off texts
_HEX: Final = 2
_LINE_BREAKS: Final = {".br", ".sp", ".ce"}
_LAYOUT: Final = {".in": "", ".ti": "", ".sk": " "}  # where a line begins, and how far it is indented
_SIGNS: Final = set("FSTRE")
_STYLES: Final = {"H", "N", ".nf", ".fi"}


@dataclass(frozen=True, slots=True)
class Delimiters:
    """MSH-1 and the first four of MSH-2, one character each."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    @property
    def encoding(self) -> str:
        """MSH-2 as it is written."""
        return self.component + self.repetition + self.escape + self.subcomponent


STANDARD: Final = Delimiters()
"""What we write with."""


def delimiters(header: str) -> Delimiters | None:
    """The delimiters that a header segment (`MSH`, `FHS` or `BHS`) says; None where it says none that can be used."""
    field = header[3:_HEADER]
    said = header[_HEADER:].partition(field)[0] if field else ""
    if not 1 <= len(said) <= _MOST:
        return None
    five = field + said[:_HEADER] + _DEFAULT[len(said) :]
    if len(set(five)) != len(five) or not all("!" <= one <= "~" and not one.isalnum() for one in five):
        return None
    return Delimiters(*five)


def unescaped(text: str, by: Delimiters, charset: str) -> str:
    """A text with its escapes read; hexadecimal ones in the message's character set. An unknown one stays as it is."""
    if by.escape not in text:
        return text

    def meant(found: re.Match[str]) -> str:
        if found[1] is None:
            return _bytes(found[0].replace(by.escape, "").split("X")[1:], charset)
        return _meant(found[1], by, charset) if _known(found[1]) else found[0]

    return _sequences(by.escape).sub(meant, text)


def escaped(text: str) -> str:
    """A text as it is written between standard delimiters: no delimiter, no control character, line breaks as `.br`."""
    return text if text.isalnum() else text.replace("\r\n", "\n").translate(_WRITTEN)


_WRITTEN: Final = str.maketrans(
    {chr(code): " " for code in (*range(32), 127)}
    | {"|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\", "\\": "\\E\\", "\r": "\\.br\\", "\n": "\\.br\\"}
)


@lru_cache(maxsize=64)
def _sequences(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    octets = f"{mark}X(?:[0-9A-Fa-f]{{2}})+{mark}"
    return re.compile(f"(?:{octets}){{2,}}|{mark}([^{mark}]{{1,200}}){mark}")


def _known(code: str) -> bool:
    spaced = code[:3] in _LINE_BREAKS or code[:3] in _LAYOUT
    return code in _SIGNS or code in _STYLES or spaced or bool(_XHH.fullmatch(code))


_XHH: Final = re.compile(r"X(?:[0-9A-Fa-f]{2})+")


def _meant(code: str, by: Delimiters, charset: str) -> str:
    if code[0] == "X":
        return _text(bytes.fromhex(code[1:]), charset).replace("\0", " ")
    if code in _STYLES:
        return ""
    if code[0] == ".":
        return _LAYOUT.get(code[:3], "\n")
    return {
        "F": by.field,
        "S": by.component,
        "T": by.subcomponent,
        "R": by.repetition,
        "E": by.escape,
    }[code]


def _bytes(parts: list[str], charset: str) -> str:
    """Hexadecimal escapes that follow one another: some systems write each byte of one character by itself."""
    try:
        found = bytes.fromhex("".join(parts)).decode(charset)
    except UnicodeDecodeError:
        found = "".join(_text(bytes.fromhex(one), charset) for one in parts)
    return found.replace("\0", " ")


def _text(octets: bytes, charset: str) -> str:
    """Bytes that an escape gives, in the message's character set, or else as Windows writes them."""
    try:
        return octets.decode(charset)
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")
