"""The grammar of an entry's canonical bytes, twice: whole, and at a glance.

`whole` is the law: keys, order, types and alphabets in one expression. It leaves `facts` open, and the order of the
keys in `detail`. `glance` answers for nearly every honest entry at a third of the cost, because every disclosure and
every verification waits for it: it parts an entry into what is its own and what a thousand entries share (who acted,
under which agreement, which items), and remembers which shared parts it has found to be good. It never says yes where
the law and the canonical form say no; it may decline, and then the law is asked. A property test holds it to that.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Any, Final

import orjson

from audit.canonical import check, encode
from audit.errors import NotCanonical

MOST_BYTES: Final = 65_535  # an entry bundle of tlog-tiles counts an entry in 16 bits

CODE: Final = r"[!#-\[\]-~]++"  # printable ASCII but space, quote and backslash: no room for free text
HASH: Final = "[0-9a-f]{64}"
UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z"
EVENT: Final = "[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
OPERATION: Final = "collection|alteration|consultation|disclosure|combination|erasure|administration"
OUTCOME: Final = "permitted|denied|failed"


Glance = tuple[str, str | None, str | None]
"""What the verifier wants of an entry: its time, and the hashes, in hex, of its agreement and of its mapping."""


def glance(raw: bytes) -> Glance | None:
    """Return what an entry says if it is in form and canonical; None where that takes a closer look. About 3 us."""
    found = _outline(raw)
    if found is None or len(raw) > MOST_BYTES:
        return None
    who, clauses, did, facts, what, to_whom, time = found.groups()
    agreement, mapping = _who(who), _what(what)
    if (
        agreement is _ODD
        or mapping is _ODD
        or not _is_codes(clauses)
        or not _is_done(did)
        or not is_canonical(facts)
        or not _is_addressed(to_whom)
        or not _is_day(time[:10])
    ):
        return None
    return time.decode(), agreement, mapping


@lru_cache(16_384)
def is_canonical(facts: bytes) -> bool:
    """Tell whether some bytes are the canonical form of what they say."""
    try:
        value = orjson.loads(facts)
        check(value)
        return encode(value) == facts
    except (orjson.JSONDecodeError, NotCanonical, RecursionError):
        return False


def _maybe(pattern: str) -> str:
    return f"(?:null|{pattern})"


def _many(pattern: str) -> str:
    return f"(?:{pattern}(?:,{pattern})*)?"


def _members(**values: str) -> str:
    return ",".join(f'"{key}":{value}' for key, value in values.items())


def _object(**values: str) -> str:
    return r"\{" + _members(**values) + r"\}"


def _full(pattern: str) -> Any:  # noqa: ANN401 - a bound method of a pattern
    return re.compile(pattern.encode()).fullmatch


_code: Final = f'"{CODE}"'
_hash: Final = f'"{HASH}"'
_codes: Final = rf"\[{_many(_code)}\]"
_scalar: Final = rf"(?:{_code}|-?[0-9]+|true|false)"

_actor: Final = _object(client=_code, organisation=_code, role=_maybe(_code), user=_maybe(_code))
_agreement: Final = _maybe(_object(hash=_hash, id=_code, version=_code))
_detail: Final = _maybe(r"\{" + _many(f"{_code}:{_scalar}") + r"\}")
_items: Final = _object(generalised=_codes, released=_codes, withheld=_codes)
_recipients: Final = rf"\[{_many(_object(organisation=_code, recipient=_code))}\]"

whole: Final = _full(
    _object(
        actor=_actor,
        agreement=_agreement,
        case=_maybe(_code),
        clauses=_codes,
        correlation=_maybe(_code),
        detail=_detail,
        event=f'"{EVENT}"',
        facts=r"(null|\{.*\})",
        id=f'"{UUID}"',
        items=_items,
        mapping=_maybe(_hash),
        operation=f'"(?:{OPERATION})"',
        outcome=f'"(?:{OUTCOME})"',
        payload=_maybe(_hash),
        purpose=_maybe(_code),
        reason=_maybe(_code),
        recipients=_recipients,
        record=_maybe(_code),
        request=_maybe(_code),
        subjects=_codes,
        time=f'"{TIME}"',
        v="1",
    )
)

# The outline stops a shared part at the first bracket that could end it. Where a code holds a bracket it does not
# match, and the law is asked. Hours, minutes and seconds are held to the clock here, the day by `_is_day`.
_flat: Final = r"(?:null|\{[^}]*+\})"
_text: Final = '"[^"]*+"'
_list: Final = r"\[[^\]]*+\]"
_outline: Final = _full(
    r"\{"
    + ",".join(
        (
            "(" + _members(actor=r"\{[^}]*+\}", agreement=_flat) + ")",
            _members(case=_maybe(_code)),
            f'"clauses":({_list})',
            _members(correlation=_maybe(_code)),
            "(" + _members(detail=_flat, event=_text) + ")",
            f'"facts":({_flat})',
            _members(id=f'"{UUID}"'),
            "(" + _members(items=r"\{[^}]*+\}", mapping=_maybe(_text), operation=_text, outcome=_text) + ")",
            _members(payload=_maybe(_hash)),
            "(" + _members(purpose=_maybe(_text), reason=_maybe(_text), recipients=_list) + ")",
            _members(record=_maybe(_code), request=_maybe(_code), subjects=_codes),
            '"time":"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{3}Z)"',
            '"v":1',
        )
    )
    + r"\}"
)

_ODD: Final = "odd"  # a part out of form; not a hash, which is what else stands in its place
_full_who: Final = _full(_members(actor=_actor, agreement=_maybe(_object(hash=f'"({HASH})"', id=_code, version=_code))))
_full_done: Final = _full(_members(detail=f"({_detail})", event=f'"{EVENT}"'))
_full_what: Final = _full(
    _members(
        items=_items,
        mapping=_maybe(f'"({HASH})"'),
        operation=f'"(?:{OPERATION})"',
        outcome=f'"(?:{OUTCOME})"',
    )
)
_full_addressed: Final = _full(_members(purpose=_maybe(_code), reason=_maybe(_code), recipients=_recipients))
_full_codes: Final = _full(_codes)


@lru_cache(4096)
def _who(part: bytes) -> str | None:
    """Return the hash of the agreement, None where there is none."""
    return _hash_in(_full_who(part))


@lru_cache(4096)
def _what(part: bytes) -> str | None:
    """Return the hash of the mapping, None where there is none."""
    return _hash_in(_full_what(part))


def _hash_in(found: re.Match[bytes] | None) -> str | None:
    if found is None:
        return _ODD
    digest: bytes | None = found[1]
    return None if digest is None else digest.decode()


@lru_cache(4096)
def _is_codes(part: bytes) -> bool:
    return _full_codes(part) is not None


@lru_cache(4096)
def _is_done(part: bytes) -> bool:
    """Tell whether `detail` and `event` are in form; what `detail` says is no larger than the outline lets through."""
    found = _full_done(part)
    return found is not None and is_canonical(found[1])


@lru_cache(4096)
def _is_addressed(part: bytes) -> bool:
    return _full_addressed(part) is not None


@lru_cache(4096)
def _is_day(text: bytes) -> bool:
    try:
        date.fromisoformat(text.decode())
    except ValueError:
        return False
    return True
