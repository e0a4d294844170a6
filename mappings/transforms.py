"""The closed set of transforms: each reads one kind of value, and says so where it cannot.

A transform is pure. It never guesses: what it cannot read raises `Cannot` with the code of a finding, and the value is
left out; what it reads with a doubt comes back as `Noted`. A row that wants an *if* wants a transform of its own here.

Source: domain.md sections 1.1 (booleans as text), 1.3 (fields), 1.6 (answers), 2.1 (NHS number, Modulus 11).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mappings import times
from mappings.codemap import fold
from mappings.outcome import Cannot, Noted

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}", re.ASCII)
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_DIGITS = re.compile(r"-?\d{1,18}", re.ASCII)
_TOO_LONG = 10**18  # as far as digits are read: every system behind us holds 64 bits
_PHONE_NOISE = re.compile(r"[\s().\-\u2010-\u2015]|tel:?", re.IGNORECASE)
_PHONE = re.compile(r"0\d{9,10}|\+\d{8,15}", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;.]+(?:\.[^\s@<>,;.]+)+")
_POSTCODE = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})", re.ASCII)
_TRUE = frozenset({"true", "yes", "y", "t", "1"})
_FALSE = frozenset({"false", "no", "n", "f", "0"})
_SAYS_NOTHING = frozenset({"unknown", "not known", "not-known", "not asked", "not-asked", "n/k", "nk", "u", "?"})
_MAX_CODE = 64
_MAX_REFERENCE = 100
_NHS_DIGITS = 10


class Takes(StrEnum):
    """What a transform is given."""

    ONE = "one"  # a scalar
    LIST = "list"  # a sequence of scalars; one scalar stands for a list of one
    MANY = "many"  # a scalar, or None, for each place the row reads
    LINK = "link"  # a link to a person
    LINKS = "links"  # a link to any number of persons


class Gives(StrEnum):
    """What kind of value comes out; a row's target must be a leaf of that kind."""

    TEXT = "text"
    TEXTS = "texts"
    CODE = "code"
    CODES = "codes"
    FLAG = "flag"
    NUMBER = "number"
    DATE = "date"
    MOMENT = "moment"
    DATE_OR_MOMENT = "date-or-moment"
    REF = "ref"


@dataclass(frozen=True, slots=True)
class Transform:
    """One verb. `run` is given the value, or one for each place; where `maps`, it is given codes and makes that.

    A row that names fewer places than `least` or more than `most` does not load; `most` is 0 where any number will do.
    """

    run: Callable[..., Any]
    takes: Takes
    gives: Gives
    maps: bool = False
    keeps: bool = False  # whether a code that the map does not hold is kept
    least: int = 1
    most: int = 0


def text(value: object) -> str:
    """Text without outer space; control characters become spaces, since XML and HL7 cannot carry them."""
    if type(value) is str and value.isprintable():
        return value.strip()
    if not isinstance(value, str):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise Cannot("wrong-type")
    return (_CONTROL.sub(" ", value) if not value.isprintable() else value).strip()


def line(value: object) -> str:
    """Text on one line, its words one space apart."""
    if type(value) is str and value.isprintable():
        return " ".join(value.split())
    return " ".join(text(value).split())


def lines(*values: object) -> tuple[str, ...] | None:
    """One line for each value there is: number and street stand together as they are given."""
    return tuple(line(v) for v in values if v is not None) or None


def joined(*values: object) -> str | None:
    """The lines as one, with commas."""
    return ", ".join(lines(*values) or ()) or None


def texts(values: Sequence[object]) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(line(v) for v in values)


def reference(value: object) -> str:
    """An identifier: opaque, without outer space, in capitals, so that two spellings are one key."""
    found = unicodedata.normalize("NFC", line(value)).upper()
    if len(found) > _MAX_REFERENCE:
        raise Cannot("reference-too-long")
    return found


def force_code(value: object) -> str | Noted:
    """A two-digit force code; a leading zero that a spreadsheet took is put back, with a finding."""
    found = line(value)
    if not _DIGITS.fullmatch(found) or len(found) > 2 or found.startswith("-"):  # noqa: PLR2004 - force codes have two
        raise Cannot("force-code-unreadable")
    return found if len(found) == 2 else Noted(found.zfill(2), "leading-zero-restored")  # noqa: PLR2004 - as above


def code(value: object) -> str:
    """A code as it stands."""
    found = line(value)
    if not _CODE.fullmatch(found):
        raise Cannot("not-a-code")
    return found


def mapped(codes: Mapping[str, str]) -> Callable[[object], str]:
    """The code that a map gives; another code is unknown."""

    def read(value: object) -> str:
        found = codes.get(value.strip().casefold() if type(value) is str else _key(value))
        if found is None:
            raise Cannot("unknown-code")
        return found

    return read


def mapped_first(codes: Mapping[str, str]) -> Callable[..., str | None]:
    """The code of the first value that the map knows; there may be several ways to name a place."""

    def read(*values: object) -> str | None:
        for value in values:
            if value is not None and (found := codes.get(_key(value))) is not None:
                return found
        raise Cannot("unknown-code")

    return read


def mapped_agreed(codes: Mapping[str, str]) -> Callable[..., str]:
    """The code of the first value, where nothing else that is given with it says another: a code and its words."""

    def read(*values: object) -> str:
        first, *others = (codes.get(_key(value)) for value in values if value is not None)
        if first is None:
            raise Cannot("unknown-code")
        if any(other not in (None, first) for other in others):
            raise Cannot("codes-disagree")
        return first

    return read


def mapped_or_kept(codes: Mapping[str, str]) -> Callable[[object], str | Noted]:
    """The code that a map gives; an unknown one is kept, with a finding (domain.md section 1.3)."""

    def read(value: object) -> str | Noted:
        found = codes.get(_key(value))
        return found if found is not None else Noted(slug(value), "unknown-code")

    return read


def codes_kept(codes: Mapping[str, str]) -> Callable[[Sequence[object]], tuple[str, ...] | Noted]:
    """Each code by the map; unknown ones are kept, with a finding."""

    def read(values: Sequence[object]) -> tuple[str, ...] | Noted:
        found = tuple(dict.fromkeys(codes.get(_key(v)) or slug(v) for v in values))
        return found if all(_key(v) in codes for v in values) else Noted(found, "unknown-code")

    return read


def slug(value: object) -> str:
    """Words as a code: a code is kept, other text becomes small letters and hyphens."""
    found = line(value)
    if _CODE.fullmatch(found):
        return found
    found = _NOT_SLUG.sub("-", found.casefold()).strip("-")[:_MAX_CODE].rstrip("-")
    if not found:
        raise Cannot("not-a-code")
    return found


def boolean(value: object) -> bool | None:
    """Yes or no, as a boolean or in words. Unknown is None, and None is never a permission (P5)."""
    if isinstance(value, bool):
        return value
    word = fold(str(value))
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    if word in _SAYS_NOTHING:
        return None
    raise Cannot("not-yes-or-no")


def integer(value: object) -> int:
    """A whole number, as a number or in digits."""
    if isinstance(value, bool):
        raise Cannot("not-a-number")
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < _TOO_LONG:
        return int(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    raise Cannot("not-a-number")


def phone(value: object) -> str:
    """A telephone number in digits: British ones begin with 0, others with + and their country code."""
    if isinstance(value, str) and value.strip().startswith(("00", "+")):
        found = "+" + _PHONE_NOISE.sub("", value.replace("(0)", "")).lstrip("+0")
    else:
        found = _PHONE_NOISE.sub("", text(value))
    if found.startswith("+44"):
        found = "0" + found[3:].lstrip("0")
    if not _PHONE.fullmatch(found):
        raise Cannot("phone-unreadable")
    return found


def email(value: object) -> str:
    """An e-mail address; the domain in small letters."""
    found = line(value)
    if not _EMAIL.fullmatch(found):
        raise Cannot("email-unreadable")
    name, _, domain = found.rpartition("@")
    return f"{name}@{domain.lower()}"


def postcode(value: object) -> str:
    """A British postcode in capitals with one space."""
    match = _POSTCODE.fullmatch("".join(text(value).split()).upper())
    if match is None:
        raise Cannot("postcode-unreadable")
    return f"{match[1]} {match[2]}"


def nhs_number(value: object) -> str:
    """Ten digits with a right check digit (Modulus 11); ten equal digits pass the sum and are refused."""
    found = line(value).replace(" ", "").replace("-", "")
    if len(found) != _NHS_DIGITS or not _DIGITS.fullmatch(found):
        raise Cannot("nhs-number-unreadable")
    if len(set(found)) == 1:
        raise Cannot("nhs-number-placeholder")
    check = -sum(int(d) * w for d, w in zip(found, range(10, 1, -1), strict=False)) % 11
    if check != int(found[9]):
        raise Cannot("nhs-number-check-digit")
    return found


def _key(value: object) -> str:
    """A scalar as maps compare it: JSON's true is the code `true`."""
    if isinstance(value, str):
        return value.strip().casefold()
    return "true" if value is True else "false" if value is False else str(value)


def _in_role(role: str) -> Callable[[Sequence[tuple[str, str]]], str]:
    """The reference of a person in a role, of all the references they have."""

    def read(refs: Sequence[tuple[str, str]]) -> str:
        for own, ref in refs:
            if own == role:
                return ref
        raise Cannot("person-not-in-role")

    return read


def _person(refs: Sequence[tuple[str, str]]) -> str | Noted:
    """The reference of a person as the victim, or where they are none, as whoever they are, with a remark."""
    found = dict(refs)
    if "victim" in found:
        return found["victim"]
    if not refs:
        raise Cannot("person-not-in-role")
    return Noted(refs[0][1], "person-not-in-role")


def _all_in_role(role: str) -> Callable[[Sequence[Sequence[tuple[str, str]]]], tuple[str, ...]]:
    """The references in a role of everybody a link leads to; somebody who is not in that role is left out."""

    def read(people: Sequence[Sequence[tuple[str, str]]]) -> tuple[str, ...] | Noted:
        found = tuple(ref for refs in people for own, ref in refs if own == role)
        if not found:
            raise Cannot("person-not-in-role")
        return found if len(found) == len(people) else Noted(found, "person-not-in-role")

    return read  # type: ignore[return-value] # what comes back as `Noted` is such a tuple, with a remark


TRANSFORMS: Mapping[str, Transform] = {
    "text": Transform(text, Takes.ONE, Gives.TEXT),
    "line": Transform(line, Takes.ONE, Gives.TEXT),
    "lines": Transform(lines, Takes.MANY, Gives.TEXTS),
    "joined": Transform(joined, Takes.MANY, Gives.TEXT),
    "texts": Transform(texts, Takes.LIST, Gives.TEXTS),
    "reference": Transform(reference, Takes.ONE, Gives.TEXT),
    "force-code": Transform(force_code, Takes.ONE, Gives.TEXT),
    "code": Transform(code, Takes.ONE, Gives.CODE),
    "slug": Transform(slug, Takes.ONE, Gives.CODE),
    "mapped": Transform(mapped, Takes.ONE, Gives.CODE, maps=True),
    "mapped-first": Transform(mapped_first, Takes.MANY, Gives.CODE, maps=True),
    "mapped-agreed": Transform(mapped_agreed, Takes.MANY, Gives.CODE, maps=True, least=2),
    "mapped-or-kept": Transform(mapped_or_kept, Takes.ONE, Gives.CODE, maps=True, keeps=True),
    "codes-kept": Transform(codes_kept, Takes.LIST, Gives.CODES, maps=True, keeps=True),
    "boolean": Transform(boolean, Takes.ONE, Gives.FLAG),
    "integer": Transform(integer, Takes.ONE, Gives.NUMBER),
    "phone": Transform(phone, Takes.ONE, Gives.TEXT),
    "email": Transform(email, Takes.ONE, Gives.TEXT),
    "postcode": Transform(postcode, Takes.ONE, Gives.TEXT),
    "nhs-number": Transform(nhs_number, Takes.ONE, Gives.TEXT),
    "date": Transform(times.read_date, Takes.ONE, Gives.DATE),
    "birth-date": Transform(times.read_birth_date, Takes.MANY, Gives.DATE, most=2),
    "year-alone": Transform(times.read_year_alone, Takes.ONE, Gives.NUMBER),
    "moment": Transform(times.read_moment, Takes.ONE, Gives.MOMENT),
    "moment-from": Transform(times.read_moment_from, Takes.ONE, Gives.MOMENT),
    "moment-to": Transform(times.read_moment_to, Takes.MANY, Gives.MOMENT, most=2),
    "date-or-moment": Transform(times.read_date_or_moment, Takes.ONE, Gives.DATE_OR_MOMENT),
    "person": Transform(_person, Takes.LINK, Gives.REF, most=1),
    "victim": Transform(_in_role("victim"), Takes.LINK, Gives.REF, most=1),
    "suspect": Transform(_in_role("suspect"), Takes.LINK, Gives.REF, most=1),
    "victims": Transform(_all_in_role("victim"), Takes.LINKS, Gives.CODES, most=1),
}
"""Every transform a row can name. Those that take a link are given (role, reference) for each role of the person."""
