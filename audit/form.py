"""The form of an entry: the grammar of its canonical bytes, and what to say where they leave it.

The grammar is the law: keys, order, types and alphabets in one expression, matched in one pass, because
every disclosure waits for it. Only `facts` is left open there; `audit.canonical.check` closes it. The
table at the end does not judge. It finds the path to name once the grammar has refused, and a property
test holds it to the same verdict.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from audit.canonical import check
from audit.errors import EntryInvalid, NotCanonical

_MOST_BYTES: Final = 65_535  # an entry bundle of tlog-tiles counts an entry in 16 bits

_CODE: Final = r"[!#-\[\]-~]++"  # printable ASCII but space, quote and backslash: no room for free text
_HASH: Final = "[0-9a-f]{64}"
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TIME: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z"
_EVENT: Final = "[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_OPERATION: Final = "collection|alteration|consultation|disclosure|combination|erasure|administration"
_OUTCOME: Final = "permitted|denied|failed"


def _maybe(pattern: str) -> str:
    return f"(?:null|{pattern})"


def _many(pattern: str) -> str:
    return f"(?:{pattern}(?:,{pattern})*)?"


def _object(**values: str) -> str:
    return r"\{" + ",".join(f'"{key}":{value}' for key, value in values.items()) + r"\}"


_code: Final = f'"{_CODE}"'
_hash: Final = f'"{_HASH}"'
_codes: Final = rf"\[{_many(_code)}\]"
_scalar: Final = rf"(?:{_code}|-?[0-9]+|true|false)"
_grammar: Final = re.compile(
    _object(
        actor=_object(client=_code, organisation=_code, role=_maybe(_code), user=_maybe(_code)),
        agreement=_maybe(_object(hash=_hash, id=_code, version=_code)),
        case=_maybe(_code),
        clauses=_codes,
        correlation=_maybe(_code),
        detail=_maybe(r"\{" + _many(f"{_code}:{_scalar}") + r"\}"),
        event=f'"{_EVENT}"',
        facts=r"(null|\{.*\})",
        id=f'"{_UUID}"',
        items=_object(generalised=_codes, released=_codes, withheld=_codes),
        mapping=_maybe(_hash),
        operation=f'"(?:{_OPERATION})"',
        outcome=f'"(?:{_OUTCOME})"',
        payload=_maybe(_hash),
        purpose=_maybe(_code),
        reason=_maybe(_code),
        recipients=rf"\[{_many(_object(organisation=_code, recipient=_code))}\]",
        record=_maybe(_code),
        request=_maybe(_code),
        subjects=_codes,
        time=f'"{_TIME}"',
        v="1",
    ).encode()
).fullmatch


def check_form(entry: Any, raw: bytes) -> None:  # noqa: ANN401 - foreign JSON
    """Raise `EntryInvalid`, naming the path, unless `raw` has the form of an entry; `entry` is what it says.

    That `raw` is the canonical form of `entry` is for the caller to see to.
    """
    if len(raw) > _MOST_BYTES:
        raise EntryInvalid("", "is longer than 65,535 bytes")
    form = _grammar(raw)
    if form is None or not _is_in_calendar(entry["time"]):
        for path, reason in _faults(entry):
            raise EntryInvalid(path, reason)
        raise EntryInvalid("", "is not in canonical form")
    # Of what `check` refuses, only floats and keys outside ASCII get past the encoder: look before walking.
    if not raw.isascii() or _perhaps_float(raw, *form.span(1)):
        try:
            check(entry["facts"])
        except NotCanonical as fault:
            raise EntryInvalid(fault.under("facts").path, fault.reason) from None


_perhaps_float: Final = re.compile(rb"[:,[]-?[0-9]+[.eE]").search


Test = Callable[[Any], bool]
_KEYS: Final = {
    "": frozenset(
        {
            *("actor", "agreement", "case", "clauses", "correlation", "detail", "event", "facts", "id"),
            *("items", "mapping", "operation", "outcome", "payload", "purpose", "reason", "recipients"),
            *("record", "request", "subjects", "time", "v"),
        }
    ),
    "actor": frozenset({"client", "organisation", "role", "user"}),
    "agreement": frozenset({"hash", "id", "version"}),
    "items": frozenset({"generalised", "released", "withheld"}),
    "recipients": frozenset({"organisation", "recipient"}),
}
_NOT_CODE: Final = "is not a code: printable ASCII without space, quote or backslash"
_NOT_HASH: Final = "is not 64 lower-case hex digits"


def _faults(entry: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - foreign JSON
    """Name every path that is out of form, with the reason; keys first, for the rest relies on them."""
    yield from _key_faults(entry, "", "")
    yield from _key_faults(entry["actor"], "actor", "actor")
    yield from _key_faults(entry["items"], "items", "items")
    if entry["agreement"] is not None:
        yield from _key_faults(entry["agreement"], "agreement", "agreement")
    if not _is_array(entry["recipients"]):
        yield "recipients", "is not an array"
    for at, one in enumerate(entry["recipients"]):
        yield from _key_faults(one, "recipients", f"recipients[{at}]")
    for path, value, fits, reason in _told(entry):
        if not fits(value):
            yield path, reason


def _key_faults(value: Any, kind: str, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - foreign JSON
    """Hold a value to the keys of its kind. A key that is not known is not named: it may be anything."""
    wanted = _KEYS[kind]
    if type(value) is not dict:
        yield path, "is not an object"
    elif missing := sorted(wanted - value.keys()):
        yield f"{path}.{missing[0]}".lstrip("."), "is missing"
    elif value.keys() != wanted:
        yield path, "has a key that is not known"


def _told(entry: dict[str, Any]) -> Iterator[tuple[str, Any, Test, str]]:
    """Tell the form value by value: the path, the value, its test, and what to say."""
    yield "v", entry["v"], lambda v: type(v) is int and v == 1, "is not a version known here"
    yield "id", entry["id"], _matches(_UUID), "is not a lower-case UUID"
    yield "time", entry["time"], _is_time, "is not an RFC 3339 UTC time with milliseconds"
    yield "operation", entry["operation"], _matches(_OPERATION), "is not an operation known here"
    yield "outcome", entry["outcome"], _matches(_OUTCOME), "is not an outcome known here"
    yield "event", entry["event"], _matches(_EVENT), "is not a lower-kebab code"
    for key in ("organisation", "client"):
        yield f"actor.{key}", entry["actor"][key], _is_code, _NOT_CODE
    for key in ("user", "role"):
        yield f"actor.{key}", entry["actor"][key], _or_null(_is_code), _NOT_CODE
    for key in ("record", "case", "purpose", "reason", "request", "correlation"):
        yield key, entry[key], _or_null(_is_code), _NOT_CODE
    for key in ("mapping", "payload"):
        yield key, entry[key], _or_null(_matches(_HASH)), _NOT_HASH
    if entry["agreement"] is not None:
        yield "agreement.id", entry["agreement"]["id"], _is_code, _NOT_CODE
        yield "agreement.version", entry["agreement"]["version"], _is_code, _NOT_CODE
        yield "agreement.hash", entry["agreement"]["hash"], _matches(_HASH), _NOT_HASH
    for at, one in enumerate(entry["recipients"]):
        for key in ("organisation", "recipient"):
            yield f"recipients[{at}].{key}", one[key], _is_code, _NOT_CODE
    for key in ("subjects", "clauses"):
        yield from _told_codes(key, entry[key])
    for key in ("released", "generalised", "withheld"):
        yield from _told_codes(f"items.{key}", entry["items"][key])
    yield "facts", entry["facts"], _or_null(_is_object), "is not an object"
    yield from _told_detail(entry["detail"])


def _told_codes(path: str, value: Any) -> Iterator[tuple[str, Any, Test, str]]:  # noqa: ANN401 - foreign JSON
    yield path, value, _is_array, "is not an array"
    if _is_array(value):
        for at, one in enumerate(value):
            yield f"{path}[{at}]", one, _is_code, _NOT_CODE


def _told_detail(value: Any) -> Iterator[tuple[str, Any, Test, str]]:  # noqa: ANN401 - foreign JSON
    yield "detail", value, _or_null(_is_object), "is not an object"
    if _is_object(value):
        for key, one in value.items():
            yield "detail", key, _is_code, "has a key that is not a code"
            yield f"detail.{key}", one, _is_scalar, "is not a code, an integer or a boolean"


def _matches(pattern: str) -> Test:
    return lambda value: type(value) is str and re.fullmatch(pattern, value) is not None


_is_code: Final = _matches(_CODE)


def _or_null(fits: Test) -> Test:
    return lambda value: value is None or fits(value)


def _is_scalar(value: Any) -> bool:  # noqa: ANN401 - foreign JSON
    return type(value) in (int, bool) or _is_code(value)


def _is_object(value: Any) -> bool:  # noqa: ANN401 - foreign JSON
    return type(value) is dict


def _is_array(value: Any) -> bool:  # noqa: ANN401 - foreign JSON
    return type(value) in (list, tuple)


def _is_time(value: Any) -> bool:  # noqa: ANN401 - foreign JSON
    return _matches(_TIME)(value) and _is_in_calendar(value)


def _is_in_calendar(time: str) -> bool:
    try:
        datetime.fromisoformat(time)
    except ValueError:
        return False
    return True
