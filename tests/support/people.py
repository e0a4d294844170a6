"""Labelled people of others, found beside the project, and the halves they are divided into.

A half is drawn by the person, never by the record: weights are estimated on one, and nothing of the other is looked at
until they are reported.
"""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.matching.traits import Day, Traits, code, letters, words

FAKE_1000 = ("people", "splink", "fake_1000.csv")
FEBRL_1 = ("people", "febrl", "dataset1.csv")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A record of a labelled set: which person it is of, and what it says."""

    person: str
    traits: Traits


def fake_1000(path: Path) -> list[Labelled]:
    """Splink's fake_1000: 1,000 records of 251 people, with heavy slips; `cluster` is the truth."""
    return [
        Labelled(
            row["cluster"],
            Traits(
                names=((letters(row["surname"]), letters(row["first_name"])),),
                born=_day(row["dob"].replace("-", "")),
                towns=_known(letters(row["city"])),
                emails=_known(row["email"].strip().casefold()),
            ),
        )
        for row in _rows(path)
    ]


def febrl_1(path: Path) -> list[Labelled]:
    """FEBRL's dataset1: 500 people, each once and once again with a slip; the number in `rec_id` is the truth."""
    return [
        Labelled(
            row["rec_id"].split("-")[1],
            Traits(
                names=((letters(row["surname"]), letters(row["given_name"])),),
                born=_day(row["date_of_birth"].strip()),
                numbers=_known(f"ssn:{number}" if (number := code(row["soc_sec_id"])) else ""),
                postcodes=_known(code(row["postcode"])),
                places=_known(words(f"{row['street_number']} {row['address_1']}")),
                towns=_known(letters(row["suburb"])),
            ),
        )
        for row in _rows(path)
    ]


def half(records: Sequence[Labelled], which: int) -> list[Labelled]:
    """The records of one half of the people (0 or 1), in an order that the file does not give away."""
    chosen = [one for one in records if hashlib.sha256(f"half {one.person}".encode()).digest()[0] % 2 == which]
    random.Random(2026).shuffle(chosen)
    return chosen


def pairs(records: Sequence[Labelled]) -> Iterator[tuple[Labelled, Labelled]]:
    """Every pair of records of one person."""
    of: dict[str, list[Labelled]] = {}
    for one in records:
        for other in of.setdefault(one.person, []):
            yield one, other
        of[one.person].append(one)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, skipinitialspace=True))


def _known(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def _day(digits: str) -> tuple[Day, ...]:
    """Eight digits as a day; what is no day, such as month 13, is kept part by part: slips are made so."""
    if len(digits) != len("YYYYMMDD") or not digits.isdigit():
        return ()
    return ((int(digits[:4]), int(digits[4:6]), int(digits[6:])),)
