"""The tree of a JSON object that is plainly well behaved; a careful reader has the others, and says where and why.

A parser that is asked nothing for each object is twice as fast, and takes the last of two equal names. That is seen by
writing the tree out again, two spaces deeper at each level: fewer quotes with a colon behind them are written than were
read. An escaped code point (half surrogates, NUL) and white space before a colon are not looked into.

Source: RFC 8259; I-JSON (RFC 7493).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import orjson

_CARE = (b"\\u", b" :", b"\t:", b"\n:", b"\r:", b"\0")
_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_PASSTHROUGH_DATACLASS  # what a decoder leaves there is nothing of JSON


def quick(
    body: bytes,
    decoder: json.JSONDecoder,
    *,
    max_depth: int,
    max_elements: int = sys.maxsize,
    written_as: Callable[[Any], Any] | None = None,
) -> dict[str, Any] | None:
    """The tree, or None for a document that is to be read with care, whether or not it is sound.

    `decoder` has no hook for objects; what it makes of numbers `written_as` turns into something of JSON. A number of
    which neither makes anything is to be read with care. Nothing that is near either bound is read here.
    """
    if any(mark in body for mark in _CARE):
        return None
    try:
        tree = decoder.decode(body.decode("utf-8"))
        written = orjson.dumps(tree, default=written_as, option=_OPTIONS)
    except (ValueError, TypeError, RecursionError):
        return None
    plain = (
        type(tree) is dict
        and written.count(b'":') == body.count(b'":')
        and written.count(b"\n") < max_elements
        and b"\n" + b"  " * max_depth not in written
    )
    return tree if plain else None
