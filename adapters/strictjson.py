"""Strict JSON: bytes into a tree, or `Unreadable` naming where and why.

Stricter than RFC 8259 where leniency lets two readers see two documents (sections 4 and 8.1; I-JSON, RFC 7493): UTF-8
only, no duplicate names, no NaN or infinity, no half surrogates, no NUL, and bounds on size, depth, count and text. A
byte-order mark is tolerated. Knows nothing of what the document is about.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from adapters.socket import Fault, Limits, Problem, Unreadable
from mappings.tree import Trail, Value, rendered

_GREAT = 10**18  # beyond, the fast parser may have rounded; as `_MAX_DIGITS`
_PARTED = re.compile(rb'"\s+:')
_MAX_DIGITS = 18  # fits a 64-bit integer in every system behind us
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,4})?$")
_LITERALS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_CUT_NUMBER = re.compile(r"-|\.|[eE][+-]?")


@dataclass(frozen=True, slots=True)
class _Bad:
    """What a hook leaves in the tree where it cannot read: the hook does not know its place, the check does."""

    fault: Fault
    key: str = ""


def parse(body: bytes, limits: Limits) -> dict[str, Value]:
    """One JSON object as a tree. Raises `Unreadable`."""
    if len(body) > limits.max_bytes:
        raise _unreadable(Fault.TOO_LARGE)
    quick = _quick(body, limits)
    if quick is not None:
        return quick
    text = _decoded(body)
    try:
        tree = _DECODER.decode(text)
    except json.JSONDecodeError as exc:
        raise _unreadable(_fault(exc)) from None
    except RecursionError:
        raise _unreadable(Fault.TOO_DEEP) from None
    if isinstance(tree, _Bad):
        raise _unreadable(tree.fault, ("", tree.key) if tree.key else "")
    if not isinstance(tree, dict):
        raise _unreadable(Fault.WRONG_TYPE)
    survey = _survey(tree)
    if survey.bad or not survey.within(limits) or b"\\u" in body or len(body) > limits.max_text:
        _check(tree, limits)
    return tree


def _quick(body: bytes, limits: Limits) -> dict[str, Any] | None:
    """The tree of a document that is plainly well behaved, by the fast parser; None sends it to the careful one.

    The fast parser takes the last of two equal names, so names are counted: each is followed by a quote and a colon,
    and where no more of those stand in the bytes than the tree has names, none was given twice. A text may hold them
    too, and white space may part them: then the careful parser decides. So it does for every escaped code point (half
    surrogates, NUL), for fractions and great integers, and for everything that is to be refused.
    """
    if len(body) > limits.max_text or b"\\u" in body or _PARTED.search(body):
        return None
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if type(tree) is not dict:
        return None
    survey = _survey(tree)
    plain = survey.names == body.count(b'":') and not survey.numbers
    return tree if plain and survey.within(limits) else None


@dataclass(slots=True)
class _Survey:
    """What a walk through a tree counts: names, members of any kind, depth; and whether it met what needs care."""

    names: int = 0
    members: int = 0
    depth: int = 0
    bad: bool = False
    numbers: bool = False

    def within(self, limits: Limits) -> bool:
        """Whether depth and count are within the limits."""
        return self.depth <= limits.max_depth and self.members <= limits.max_elements


def _survey(tree: dict[str, Any]) -> _Survey:
    """Walk a tree, level by level: quick, and without saying where."""
    found = _Survey()
    level: list[Any] = [tree]
    while level:
        found.depth += 1
        below: list[Any] = []
        for node in level:
            found.members += len(node)
            if type(node) is dict:
                found.names += len(node)
                values: Iterable[Any] = node.values()
            else:
                values = node
            for value in values:
                kind = type(value)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    below.append(value)
                elif kind is float or (kind is int and not -_GREAT < value < _GREAT):
                    found.numbers = True
                elif kind is _Bad:
                    found.bad = True
        level = below
    return found


def _check(tree: dict[str, Any], limits: Limits) -> None:
    """Find what is wrong, texts and names included, and say where. Raises `Unreadable`."""
    count = 0
    stack: list[tuple[Trail, Any, int]] = [("", tree, 1)]
    while stack:
        path, node, depth = stack.pop()
        if isinstance(node, _Bad):
            raise _unreadable(node.fault, (path, node.key) if node.key else path)
        if isinstance(node, str):
            _check_text(node, path, limits)
        elif isinstance(node, dict | list):
            count += len(node)
            if depth > limits.max_depth:
                raise _unreadable(Fault.TOO_DEEP, path)
            if count > limits.max_elements:
                raise _unreadable(Fault.TOO_MANY_ELEMENTS)
            if isinstance(node, dict):
                for key in node:
                    _check_text(key, (path, key), limits)
            members = node.items() if isinstance(node, dict) else enumerate(node)
            stack.extend(((path, step), value, depth + 1) for step, value in members)


def _check_text(text: str, path: Trail, limits: Limits) -> None:
    if len(text) > limits.max_text:
        raise _unreadable(Fault.TEXT_TOO_LONG, path)
    if "\0" in text:
        raise _unreadable(Fault.NUL_CHARACTER, path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _unreadable(Fault.LONE_SURROGATE, path) from None


def _decoded(body: bytes) -> str:
    if body.startswith(_WIDE_BOMS) or b"\0" in body[:4]:
        raise _unreadable(Fault.WRONG_CHARSET)
    try:
        text = body.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as exc:
        cut = exc.end == len(exc.object) and exc.reason == "unexpected end of data"
        raise _unreadable(Fault.TRUNCATED if cut else Fault.WRONG_CHARSET) from None
    if "\0" in text:
        raise _unreadable(Fault.NUL_CHARACTER)
    return text


def _fault(exc: json.JSONDecodeError) -> Fault:
    """Whether the text ends too early, or is wrong where the parser stopped."""
    rest = exc.doc[exc.pos :].rstrip()
    cut = (
        not rest
        or exc.msg.startswith("Unterminated string")
        or any(literal.startswith(rest) for literal in _LITERALS)
        or _CUT_NUMBER.fullmatch(rest) is not None
        or (exc.msg.startswith("Invalid \\") and _ESCAPE.search(exc.doc) is not None)
    )
    return Fault.TRUNCATED if cut else Fault.MALFORMED


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Bad:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return _Bad(Fault.DUPLICATE_KEY, key)
        seen.add(key)
    raise AssertionError  # pragma: no cover - a shorter dict has a key twice


def _float(text: str) -> float | _Bad:
    found = float(text)
    return found if math.isfinite(found) else _Bad(Fault.NOT_A_NUMBER)


def _int(text: str) -> int | _Bad:
    return int(text) if len(text.lstrip("-")) <= _MAX_DIGITS else _Bad(Fault.NUMBER_TOO_LARGE)


def _constant(_: str) -> _Bad:
    return _Bad(Fault.NOT_A_NUMBER)


def _unreadable(fault: Fault, path: Trail = "") -> Unreadable:
    return Unreadable(Problem(rendered(path), fault))


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant, strict=True
)
