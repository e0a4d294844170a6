"""The form of an entry: the verdict over its bytes, and what to say where they leave it.

`audit.grammar` is the law; it leaves `facts` open, and `audit.canonical.check` closes it. The table below does
not judge. It finds the path to name once the grammar has refused, and a property test holds it to the same
verdict.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from audit.canonical import check
from audit.errors import EntryInvalid, NotCanonical
from audit.grammar import CODE, EVENT, HASH, MOST_BYTES, OPERATION, OUTCOME, TIME, UUID, glance, whole


def check_form(entry: Any, raw: bytes) -> None:  # noqa: ANN401 - foreign JSON
    """Raise `EntryInvalid`, naming the path, unless `raw` has the form of an entry; `entry` is what it says.

    That `raw` is the canonical form of `entry` is for the caller to see to.
    """
    if len(raw) > MOST_BYTES:
        raise EntryInvalid("", "is longer than 65,535 bytes")
    if glance(raw) is not None:
        return
    form = whole(raw)
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
    yield "id", entry["id"], _matches(UUID), "is not a lower-case UUID"
    yield "time", entry["time"], _is_time, "is not an RFC 3339 UTC time with milliseconds"
    yield "operation", entry["operation"], _matches(OPERATION), "is not an operation known here"
    yield "outcome", entry["outcome"], _matches(OUTCOME), "is not an outcome known here"
    yield "event", entry["event"], _matches(EVENT), "is not a lower-kebab code"
    for key in ("organisation", "client"):
        yield f"actor.{key}", entry["actor"][key], _is_code, _NOT_CODE
    for key in ("user", "role"):
        yield f"actor.{key}", entry["actor"][key], _or_null(_is_code), _NOT_CODE
    for key in ("record", "case", "purpose", "reason", "request", "correlation"):
        yield key, entry[key], _or_null(_is_code), _NOT_CODE
    for key in ("mapping", "payload"):
        yield key, entry[key], _or_null(_matches(HASH)), _NOT_HASH
    if entry["agreement"] is not None:
        yield "agreement.id", entry["agreement"]["id"], _is_code, _NOT_CODE
        yield "agreement.version", entry["agreement"]["version"], _is_code, _NOT_CODE
        yield "agreement.hash", entry["agreement"]["hash"], _matches(HASH), _NOT_HASH
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


_is_code: Final = _matches(CODE)


def _or_null(fits: Test) -> Test:
    return lambda value: value is None or fits(value)


def _is_scalar(value: Any) -> bool:  # noqa: ANN401 - foreign JSON
    return type(value) in (int, bool) or _is_code(value)


def _is_object(value: Any) -> bool:  # noqa: ANN401 - foreign JSON
    return type(value) is dict


def _is_array(value: Any) -> bool:  # noqa: ANN401 - foreign JSON
    return type(value) in (list, tuple)


def _is_time(value: Any) -> bool:  # noqa: ANN401 - foreign JSON
    return _matches(TIME)(value) and _is_in_calendar(value)


def _is_in_calendar(time: str) -> bool:
    try:
        datetime.fromisoformat(time)
    except ValueError:
        return False
    return True
