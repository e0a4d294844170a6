"""What XML alone has that can be hostile. Source: XML 1.0 sections 2.2, 2.8, 3.1, 4.3.3; OWASP on external entities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.hostile.formats import NICHE
from tests.hostile.inputs import READ, Body, Input, filled, whole

_TENFOLD = b"".join(b'<!ENTITY e%d "%s">' % (i + 1, b"&e%d;" % i * 10) for i in range(30))
_LAUGHS = b'<!DOCTYPE a [<!ENTITY e0 "zqx">%s]><a>&e30;</a>' % _TENFOLD
_QUADRATIC = b'<!DOCTYPE a [<!ENTITY e "' + b"z" * 50_000 + b'">]><a>' + b"&e;" * 50_000 + b"</a>"


def outside(place: str) -> Mapping[str, bytes]:
    """Documents that would have a reader fetch something from a place."""
    at = place.encode()
    return {
        "an external entity": b'<!DOCTYPE a [<!ENTITY e SYSTEM "%s">]><a>&e;</a>' % at,
        "an external parameter entity": b'<!DOCTYPE a [<!ENTITY %% p SYSTEM "%s"> %%p;]><a/>' % at,
        "an external subset": b'<!DOCTYPE a SYSTEM "%s"><a/>' % at,
        "a public subset": b'<!DOCTYPE a PUBLIC "-//zqx//EN" "%s"><a/>' % at,
        "an XInclude": b'<a xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="%s" parse="text"/></a>' % at,
        "a schema": b'<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:noNamespaceSchemaLocation="%s"/>' % at,
        "a stylesheet": b'<?xml-stylesheet type="text/xsl" href="%s"?><a/>' % at,
    }


def xml() -> Iterator[Input]:
    """What XML alone has."""
    one = NICHE
    yield whole(one, "billion laughs", _LAUGHS, "doctype")
    yield whole(one, "quadratic blowup", _QUADRATIC, "doctype")
    yield whole(one, "a DOCTYPE", b"<!DOCTYPE a><a/>", "doctype")
    yield whole(one, "a DOCTYPE in UTF-16", "<!DOCTYPE a><a/>".encode("utf-16"), "doctype")
    for place in ("file:///etc/passwd", "http://192.0.2.1/zqx", "jar:http://192.0.2.1/a!/b", "//192.0.2.1/zqx"):
        for attack, body in outside(place).items():
            if attack in {"a schema", "a stylesheet"}:
                code, path = "missing", None
            else:
                code, path = ("part-elsewhere", "a{}") if attack == "an XInclude" else ("doctype", "")
            yield whole(one, f"{attack} at {place.partition(':')[0][:4]}", body, code, path)
    yield filled(one, "an undeclared entity", b"&zqx;", "malformed", one.path)
    yield filled(one, "NUL by number", b"zqx&#0;", "malformed", one.path)
    yield filled(one, "half a pair by number", b"zqx&#xD800;", "malformed", one.path)
    yield filled(one, "a control character", b"zqx\x01", "malformed", one.path)
    yield filled(one, "CDATA that is a tag", b"<![CDATA[<zqx>]]>", READ)
    yield filled(one, "CDATA without end", b"<![CDATA[zqx", "malformed", one.path)
    yield filled(one, "an attribute twice", b'<b zqx="1" zqx="2"/>', "duplicate-key", one.path)
    yield filled(one, "100,000 levels", b"<b>" * 100_000 + b"</b>" * 100_000, "too-deep", None)
    yield filled(one, "100,000 elements", b"<b/>" * 100_000, "too-many-elements", None)
    many = b"<b " + b" ".join(b'a%d="1"' % i for i in range(90_000)) + b"/>"
    yield filled(one, "90,000 attributes", many, "too-many-elements", None)
    million = b"<b " + b" ".join(b'a%d=""' % i for i in range(1_000_000)) + b"/>"
    yield filled(one, "1,000,000 attributes", million, "too-large")
    spaces = b"<b " + b" ".join(b'xmlns:n%d="u%d"' % (i, i) for i in range(40_000)) + b"/>"
    yield filled(one, "40,000 namespaces", spaces, READ)
    yield filled(one, "a name of 500,000", b"<" + b"z" * 500_000 + b"/>", "malformed", one.path)
    yield filled(one, "a comment of 900,000", b"<!--" + b"z" * 900_000 + b"-->", READ)
    yield filled(one, "200,000 comments", b"<!---->" * 140_000, READ)
    for charset in ("utf-7", "utf-32", "utf-16-le", "cp037", "utf-8-sig"):
        declared = f'<?xml version="1.0" encoding="{charset}"?><a>zqx</a>'
        yield whole(one, f"declared {charset}, is UTF-8", declared.encode(), "wrong-charset")
    for charset in ("utf-16-le", "utf-16-be"):
        yield whole(one, f"{charset} without a mark", niche_in(charset), READ)
        yield whole(one, f"{charset} declared UTF-8", niche_in(charset, declared="UTF-8"), "wrong-charset")
    yield whole(one, "UTF-32", "<a>zqx</a>".encode("utf-32"), "nul-character")
    yield whole(one, "UTF-7", "<a>zqx</a>".encode("utf-7").replace(b"<", b"+ADw-"), "malformed")
    yield whole(
        one,
        "marked UTF-8, declared latin-1",
        b'\xef\xbb\xbf<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
        "wrong-charset",
    )
    yield whole(one, "marked UTF-16, is UTF-8", b"\xff\xfe<a>zqx</a>!", "truncated")
    yield whole(one, "declared XML 1.1", b'<?xml version="1.1"?><a>&#1;zqx</a>', "malformed", None)
    yield whole(one, "two roots", b"<a/><zqx/>", "malformed")
    yield whole(one, "nothing of an occurrence", b"<a>zqx</a>", "missing", None)
    yield whole(one, "JSON", b'{"zqx": 1}', "malformed")
    yield whole(one, "binary", bytes(range(256)), "wrong-charset")


def niche_in(charset: str, declared: str = "") -> Body:
    """An occurrence in a charset, with the declaration left out or saying another."""

    def made(serial: int) -> bytes:
        text = NICHE.good(serial).decode().partition("?>\n")[2]
        head = f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else ""
        return (head + text).encode(charset)

    return made
