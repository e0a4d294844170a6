"""The hostile inputs: what is sent, in which format, and what must become of it.

An input that is read all the same says so: a formula is text, a byte-order mark is tolerated. Everything else is
refused by a code and, wherever one place is at fault, by its path. Archives are in `archives`.

Source: RFC 8259 section 9, RFC 7493; XML 1.0 sections 2.2, 2.8, 4.3.3; RFC 4180; OWASP on XXE, CSV injection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.hostile.formats import COMMA, CP1252, EXPORT, FORMATS, JSON_API, NICHE, PIPE, PLAIN, TEXTUAL, Format

Body = Callable[[int], bytes]

READ = "read"
"""The code of an input that is accepted: what looks hostile in it is text and only text."""


@dataclass(frozen=True, slots=True)
class Input:
    """One cell of the table. `path` None is any path but none at all."""

    attack: str
    format: Format
    body: Body
    code: str
    path: str | None = ""
    status: int = 400
    headers: Mapping[str, str] = field(default_factory=dict)
    value: bytes | None = None
    """What stands in the field, where the rest of the document is good."""

    @property
    def name(self) -> str:
        """How the table shows it."""
        where = f" at {self.path}" if self.path else ""
        return f"{self.format.name}: {self.attack} -> {self.status} {self.code}{where}"


_WHERE = {"wrong-charset": 415, "media-type": 415, "too-large": 413, "missing": 422, "wrong-type": 422, READ: 201}


def filled(format_: Format, attack: str, value: bytes, code: str, path: str | None = "") -> Input:
    """A good document with one raw value in its field."""
    return Input(attack, format_, lambda n: format_.filled(n, value), code, path, _WHERE.get(code, 400), value=value)


def whole(format_: Format, attack: str, body: bytes | Body, code: str, path: str | None = "") -> Input:
    """A document that is hostile as a whole."""
    return Input(attack, format_, body if callable(body) else lambda _: body, code, path, _WHERE.get(code, 400))


def changed(format_: Format, attack: str, change: Callable[[bytes], bytes], code: str, path: str | None = "") -> Input:
    """A good document of which something is changed."""
    return whole(format_, attack, lambda n: change(format_.good(n)), code, path)


def recoded(to: str, said: str = "utf-8") -> Callable[[bytes], bytes]:
    """A change into another charset, from the one that it is in."""
    return lambda body: body.decode(said).encode(to)


def fields() -> Iterator[Input]:
    """What stands in one field of a document that is good otherwise."""
    for one in FORMATS:
        table = one in {COMMA, PIPE, CP1252, EXPORT}
        escape = "" if one in {JSON_API, PLAIN, NICHE} else one.path
        yield filled(one, "a text of 70,000", one.text(b"zqx" * 24_000), "text-too-long", one.path)
        yield filled(one, "NUL", one.text(b"zqx\0zqx"), "nul-character", escape)
        # Half a pair in UTF-8 is no UTF-8, and three letters in windows-1252, which the profiles of tables name.
        yield filled(one, "half a surrogate pair", one.text(b"zqx\xed\xa0\x80"), READ if table else "wrong-charset")
        yield filled(one, "overlong UTF-8", one.text(b"zqx\xc0\xaf"), READ if table else "wrong-charset")
        yield filled(one, "in no charset", one.text(b"zqx\x81"), "wrong-charset", "incidents" if table else "")
        yield filled(one, "a tag in UTF-7", one.text(b"+ADw-zqx+AD4-"), READ)
        for sign in ("=", "+", "-", "@", "\t="):
            cell = sign.encode().replace(b"\t", b"\\t" if one in {JSON_API, PLAIN} else b"\t") + b"cmd!zqx"
            yield filled(one, f"a formula by {sign!r}", one.text(cell), READ)
        if one is not EXPORT:
            yield filled(one, "a text of 20 MB", one.text(b"zqx" * 7_000_000), "too-large")


def everywhere() -> Iterator[Input]:
    """What has nothing to do with the format."""
    for one in TEXTUAL:
        empty = ("no-header", "incidents") if one in {COMMA, PIPE, CP1252} else ("truncated", "")
        yield whole(one, "nothing", b"", *empty)
        yield changed(one, "cut in the middle", lambda body: body[: len(body) * 2 // 3], *_cut(one))
    for one in FORMATS:
        for attack, headers in {
            "compressed": {"Content-Encoding": "gzip"},
            "compressed by two": {"Content-Encoding": "identity, br"},
            "as a form of parts": {"Content-Type": "multipart/form-data; boundary=zqx"},
            "as octets": {"Content-Type": "application/octet-stream"},
            "with no type": {"Content-Type": ""},
            "as two types in one": {"Content-Type": f"{one.media}, text/html"},
            "as a type without end": {"Content-Type": "z" * 5_000},
        }.items():
            yield Input(attack, one, one.good, "media-type", "", 415, headers)
    for one in (JSON_API, PLAIN):
        for charset in ("utf-16", "utf-7", "windows-1252", "zqx", "utf-8''zqx"):
            headers = {"Content-Type": f"{one.media}; charset={charset}"}
            yield Input(f"said to be {charset}", one, one.good, "media-type", "", 415, headers)
        headers = {"Content-Type": f"{one.media}; charset*{'9' * 5_000}=utf-8"}
        yield Input("with a parameter of 5,000 digits", one, one.good, "media-type", "", 415, headers)


def _cut(one: Format) -> tuple[str, str | None]:
    return ("ragged-row", None) if one in {COMMA, PIPE, CP1252} else ("truncated", None if one is NICHE else "")
