"""Strict JSON: bytes into a tree, or `Unreadable` naming where and why.

Stricter than RFC 8259 where leniency lets two readers see two documents (sections 4 and 8.1; I-JSON, RFC 7493): UTF-8
only, no duplicate names, no NaN or infinity, no half surrogates, no NUL, and bounds on size, depth, count and text. A
byte-order mark is tolerated. Knows nothing of what the document is about.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from adapters.quickjson import quick
from adapters.socket import Fault, Limits, Problem, Unreadable
from mappings.tree import Trail, Value, rendered

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
    if len(body) <= limits.max_text:
        found = quick(body, _QUICK_DECODER, max_depth=limits.max_depth, max_elements=limits.max_elements)
        if found is not None:
            return found
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
    if not _sound(tree, limits) or b"\\u" in body or len(body) > limits.max_text:
        _check(tree, limits)
    return tree


def _sound(tree: dict[str, Any], limits: Limits) -> bool:
    """Whether a tree keeps to depth and count and holds nothing bad: quick, and without saying where it does not."""
    count = depth = 0
    level: list[Any] = [tree]
    while level:
        depth += 1
        below: list[Any] = []
        for node in level:
            count += len(node)
            for value in node.values() if type(node) is dict else node:
                kind = type(value)
                if kind is dict or kind is list:
                    below.append(value)
                elif kind is _Bad:
                    return False
        level = below
    return depth <= limits.max_depth and count <= limits.max_elements


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
_QUICK_DECODER = json.JSONDecoder(parse_float=_float, parse_int=_int, parse_constant=_constant, strict=True)
