"""People who are easily taken for one, and are two; and people who are one and look like two. All invented.

Each case is two descriptions. `APART` must never be linked without a person; `ONE` must be found, linked or put to one.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.matching.traits import Traits

_HOME = Traits(postcodes=("zz993cz",), places=("12 example row",), towns=("blackpool",), phones=("07700900123",))


def _of(given: str, family: str, *born: int, home: Traits = _HOME, sex: str = "female") -> Traits:
    year, month, day = born
    return replace(home, names=((family, given),), born=((year, month, day),), sex=(sex,))


_MARIANNE = _of("marianne", "ashdown", 1991, 2, 3)
_MOVED = Traits(postcodes=("zz991ab",), places=("7 sample close",), towns=("lancaster",), phones=("07700900987",))
_SHARED_MAIL = replace(_HOME, emails=("ashdowns@mail.example",))

APART: dict[str, tuple[Traits, Traits]] = {
    "twins": (_of("jade", "pell", 1994, 6, 7), _of("jane", "pell", 1994, 6, 7)),
    "twins whose names sound alike": (_of("ella", "pell", 1994, 6, 7), _of("ellie", "pell", 1994, 6, 7)),
    "twin brothers": (
        _of("hassan", "mirza", 1994, 6, 7, sex="male"),
        _of("hussain", "mirza", 1994, 6, 7, sex="male"),
    ),
    "twins with names nobody knows": (_of("tamsyna", "pell", 1994, 6, 7), _of("tamryna", "pell", 1994, 6, 7)),
    "twins, one by an initial": (_of("j", "pell", 1994, 6, 7), _of("jane", "pell", 1994, 6, 7)),
    "twins, one without a given name": (_of("", "pell", 1994, 6, 7), _of("jane", "pell", 1994, 6, 7)),
    "twins with a telephone and an address for letters": (
        _of("jade", "pell", 1994, 6, 7, home=_SHARED_MAIL),
        _of("jane", "pell", 1994, 6, 7, home=_SHARED_MAIL),
    ),
    "twins with numbers next to each other": (
        replace(_of("jade", "pell", 1994, 6, 7), numbers=("nominal:1000417",)),
        replace(_of("jane", "pell", 1994, 6, 7), numbers=("nominal:1000418",)),
    ),
    "twins of two sexes": (_of("alex", "pell", 1994, 6, 7), _of("alex", "pell", 1994, 6, 7, sex="male")),
    "sisters": (_of("hannah", "pell", 1994, 6, 7), _of("sarah", "pell", 1996, 8, 9)),
    "sisters, eleven months apart": (_of("hannah", "pell", 1994, 6, 7), _of("hanna", "pell", 1995, 5, 7)),
    "father and son of one name": (
        _of("john", "pell", 1961, 6, 7, sex="male"),
        _of("john", "pell", 1989, 8, 9, sex="male"),
    ),
    "father and son born on one day of the year": (
        _of("john", "pell", 1961, 6, 7, sex="male"),
        _of("john", "pell", 1981, 6, 7, sex="male"),
    ),
    "mother and daughter with one address for letters": (
        _of("anne", "pell", 1961, 6, 7, home=_SHARED_MAIL),
        _of("anne", "pell", 1989, 8, 9, home=_SHARED_MAIL),
    ),
    "a couple": (_of("robin", "pell", 1988, 1, 9, sex="male"), _of("marianne", "pell", 1991, 2, 3)),
    "two who share a house": (_of("kim", "ford", 1999, 3, 4), _of("kim", "west", 2000, 9, 1)),
    "two who share a telephone": (
        replace(_of("kim", "ford", 1999, 3, 4), postcodes=(), places=()),
        replace(_of("jo", "west", 1999, 3, 4), postcodes=(), places=()),
    ),
    "two of one common name, both born on the first of January": (
        _of("mohammed", "khan", 1985, 1, 1, sex="male"),
        _of("mohammed", "khan", 1985, 1, 1, sex="male", home=_MOVED),
    ),
    "two of one name and year, in one town": (
        replace(_of("susan", "jones", 1970, 3, 8), postcodes=(), places=(), phones=()),
        replace(_of("susan", "jones", 1970, 11, 25), postcodes=(), places=(), phones=()),
    ),
    "two NHS numbers": (
        replace(_MARIANNE, nhs_number=("9990000018",)),
        replace(_MARIANNE, nhs_number=("9990000026",)),
    ),
}
"""Two people, by what makes them look like one."""

ONE: dict[str, tuple[Traits, Traits]] = {
    "nothing has changed": (_MARIANNE, _MARIANNE),
    "a short form of the name": (_of("elizabeth", "pell", 1991, 2, 3), _of("liz", "pell", 1991, 2, 3)),
    "married, and the telephone stayed": (
        _MARIANNE,
        replace(_of("marianne", "westbrook", 1991, 2, 3, home=_MOVED), phones=_HOME.phones),
    ),
    "married, and the maiden name was given": (
        _MARIANNE,
        replace(_of("marianne", "westbrook", 1991, 2, 3, home=_MOVED), aliases=(("ashdown", "marianne"),)),
    ),
    "moved, with the address before": (
        _MARIANNE,
        replace(_of("marianne", "ashdown", 1991, 2, 3, home=_MOVED), postcodes=("zz991ab", "zz993cz")),
    ),
    "day and month swapped": (_MARIANNE, _of("marianne", "ashdown", 1991, 3, 2)),
    "a slip in the name": (_MARIANNE, _of("marinane", "ashdown", 1991, 2, 3)),
    "family and given name swapped": (_MARIANNE, _of("ashdown", "marianne", 1991, 2, 3)),
    "a year off": (_MARIANNE, _of("marianne", "ashdown", 1992, 2, 3)),
}
"""One person, by what has changed."""
