"""What JSON alone has that can be hostile. Source: RFC 8259 sections 4, 8 and 9; RFC 7493 section 2."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from tests.hostile.formats import JSON_API, PLAIN
from tests.hostile.inputs import READ, Input, changed, filled, recoded, whole


def json() -> Iterator[Input]:
    """What JSON alone has."""
    for one in (JSON_API, PLAIN):
        last = one.path.rpartition(".")[2]
        for value in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999"):
            yield filled(one, value.decode(), value, "not-a-number", one.path)
        yield filled(one, "a number of 400 digits", b"9" * 400, "number-too-large", one.path)
        yield filled(one, "a number of 100,000 digits", b"9" * 100_000, "number-too-large", one.path)
        yield filled(one, "a fraction of 100,000 digits", b"0." + b"9" * 100_000, READ)
        yield filled(one, "an exponent of 5,000 digits", b"1e" + b"9" * 5_000, "not-a-number", one.path)
        yield filled(one, "minus nought", b"-0", READ)
        yield filled(one, "an object for a text", b'{"zqx": 1}', READ)
        yield filled(one, "half a pair, escaped", rb'"zqx\ud800"', "lone-surrogate", one.path)
        yield filled(one, "halves in the wrong order", rb'"\udc00\ud800zqx"', "lone-surrogate", one.path)
        yield filled(one, "half a pair in a name", rb'{"\udfff": "zqx"}', "lone-surrogate", None)
        yield filled(one, "NUL, escaped", rb'"zqx\u0000"', "nul-character", one.path)
        yield filled(one, "NUL in a name", rb'{"\u0000zqx": 1}', "nul-character", None)
        yield filled(one, "a bare control character", b'"zqx\x1f"', "malformed")
        yield filled(one, "single quotes", b"'zqx'", "malformed")
        yield filled(one, "a comment", b'"zqx" /* zqx */', "malformed")
        yield filled(one, "a comma too many", b'["zqx",]', "malformed")
        yield filled(one, "a name twice", b'"zqx", "%s": "zqx"' % last.encode(), "duplicate-key", one.path)
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in last).encode()
        yield filled(one, "a name twice, once escaped", b'"zqx", "%s": "zqx"' % escaped, "duplicate-key", one.path)
        twice = b'[[{"a": {"b": "zqx", "b": "zqx"}}]]'
        yield filled(one, "a name twice, far below", twice, "duplicate-key", f"{one.path}[0][0].a.b")
        yield filled(one, "100,000 arrays", b"[" * 100_000 + b"]" * 100_000, "too-deep")
        yield filled(one, "100,000 objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too-deep")
        yield filled(one, "30 levels", b"[" * 30 + b"]" * 30, "too-deep", None)
        yield filled(one, "30,000 elements", b"[" + b"1," * 30_000 + b"1]", "too-many-elements")
        yield filled(
            one, "60,000 names", b"{" + b",".join(b'"%d":1' % i for i in range(60_000)) + b"}", "too-many-elements"
        )
        for charset in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"):
            yield changed(one, charset, recoded(charset), "wrong-charset")
        yield changed(one, "a byte-order mark", lambda body: b"\xef\xbb\xbf" + body, READ)
        yield changed(one, "two byte-order marks", lambda body: b"\xef\xbb\xbf" * 2 + body, "malformed")
        yield changed(one, "gzip without saying so", gzip.compress, "wrong-charset")
        yield changed(one, "a JSON sequence", lambda body: b"\x1e" + body, "malformed")
        yield whole(one, "a text alone", b'"zqx"', "wrong-type")
        yield whole(one, "null", b"null", "wrong-type")
        yield whole(one, "XML", b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "malformed")
    yield whole(JSON_API, "no data", b"{}", "missing", "data")
    yield whole(JSON_API, "two incidents", b'{"data": [{"id": "zqx"}, {}]}', "several-incidents", "data")
    yield whole(PLAIN, "two incidents", b'[{"zqx": 1}, {}]', "several-incidents")
    yield whole(PLAIN, "nothing in it", b"{}", "missing", None)
