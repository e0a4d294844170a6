"""How names of fields are compared: in small letters, one word apart, and in each of the ways they can be meant.

`dateOfBirth`, `DATE_OF_BIRTH` and `date-of-birth` are one name; `DOB_DT`, `sexCd` and `PersonSurName` are cut down, or
say their format or what they are in. For proposing a profile only: what a profile reads, it names exactly.

Source: domain.md section 1.2; NIEM and GJXDM for names that repeat what they are in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_of(name: str) -> str:
    """A name as it is compared, without its namespace's prefix."""
    return " ".join(_WORDS.findall(name.rpartition(":")[2])).lower()


@lru_cache(maxsize=4096)
def spoken(name: str) -> tuple[tuple[str, float], ...]:
    """The ways a name can be meant, each with how far it can be trusted, of 1, the plainest first.

    As it stands; with its abbreviations spelt out; without what says its format only (`sexCd`); without what it is in
    (`PersonSurName`, as NIEM and GJXDM say it).
    """
    plain = words_of(name)
    words = " ".join(_SHORT.get(one, one) for one in plain.split()).split()
    ways = [(plain, 1.0), (" ".join(words), 0.99)]
    while len(words) > 1 and words[-1] in _TAILS:
        words = words[:-1]
        ways.append((" ".join(words), 0.97))
    if len(words) > 1 and words[0] in _FRONTS:
        ways.append((" ".join(words[1:]), 0.95))
    return tuple(dict(reversed(ways)).items())[::-1]


_SHORT: Mapping[str, str] = {
    short: long
    for long, shorts in {
        "number": "nbr no num nr",
        "date time": "dttm dtm datetime",
        "date": "dt dte",
        "time": "tm",
        "code": "cd",
        "indicator": "ind yn",
        "name": "nm",
        "reference": "ref",
        "address": "addr",
        "phone": "ph",
        "telephone": "tel",
        "mobile": "mob cell",
        "count": "cnt",
        "assessment": "assmt assess",
        "relationship": "rel reln",
        "victim": "vic",
        "offender": "off",
        "suspect": "sus susp",
        "subject": "subj",
        "officer": "ofc offr",
        "order": "ord",
        "orders": "ords",
        "expiry": "exp",
        "level": "lvl",
        "evaluation": "eval",
        "information": "info",
        "source": "src",
        "protective": "prot",
        "marking": "mark",
        "language": "lang",
        "interpreter": "interp",
        "communication": "comm comms",
        "surname": "sname lname",
        "forename": "fname",
        "middle name": "mname",
        "middle": "mid",
        "narrative": "narr",
        "incident": "inc",
        "occurrence": "occ",
        "version": "ver rev",
        "conditions": "conds",
        "location": "loc",
        "description": "desc",
        "required": "reqd req",
        "voicemail": "vm",
        "message": "msg",
        "answer": "ans",
        "question": "q qs",
        "caution": "caut",
    }.items()
    for short in shorts.split()
}
"""What names of columns and members are cut down to."""
_TAILS = frozenset({"code", "indicator", "flag", "text", "literal", "required", "value"})
_FRONTS = frozenset(
    {"person", "incident", "activity", "location", "contact", "risk", "row", "record", "event", "victim"}
)
