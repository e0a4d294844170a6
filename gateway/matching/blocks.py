"""The keys under which a candidate is found: whoever shares one with a person is compared, nobody else.

Each key is narrow enough that few people of a million share it, and there are several, so that a slip in one field
leaves the others. They are text here; what is stored and asked for is their blind index. A person is looked for under
more keys than are stored: a birthday with day and month swapped, a year to either side.

Source: domain.md section 4.7; tech.md section 8 (what blocking costs in recall).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from jellyfish import soundex

from gateway.matching.traits import Day, FullName, Traits


def stored(traits: Traits) -> frozenset[str]:
    """The keys a person is kept under."""
    return frozenset(chain(_common(traits), _born(traits.born)))


def asked(traits: Traits) -> frozenset[str]:
    """The keys a person is looked for under."""
    swapped = [(year, day, month) for year, month, day in traits.born if day <= MONTHS]
    around = [(year + by, month, day) for year, month, day in traits.born for by in (-1, 1)]
    sounds = (f"s|{soundex(family)}|{day[0]}" for family, _ in _every(traits) if family for day in around)
    return frozenset(chain(_common(traits), _born(traits.born), _born(swapped), sounds))


MONTHS = 12


def _common(traits: Traits) -> Iterator[str]:
    yield from (f"n|{number}" for number in traits.nhs_number)
    yield from (f"i|{number}" for number in traits.numbers)
    yield from (f"t|{phone}" for phone in traits.phones)
    yield from (f"e|{part}" for email in traits.emails for part in (email, email.partition("@")[0]))
    initials = {given[0] for _, given in _every(traits) if given}
    where = (*traits.postcodes, *traits.places)
    yield from (f"p|{place}|{initial}" for place in where for initial in initials)
    for family, given in _every(traits):
        sounds = [soundex(name) for name in (family, given) if name]
        yield from (f"s|{sound}|{year}" for sound in sounds for year, _, _ in traits.born)
        if len(sounds) > 1:
            yield "f|" + "|".join(sorted(sounds))  # whichever way round they were typed


def _born(days: tuple[Day, ...] | list[Day]) -> Iterator[str]:
    """A birthday; the first of January is what is typed where nobody knows, and finds a crowd."""
    for year, month, day in days:
        if (month, day) != (1, 1):
            yield f"b|{year}-{month}-{day}"


def _every(traits: Traits) -> tuple[FullName, ...]:
    return traits.names + traits.aliases
