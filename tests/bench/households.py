"""Incidents of many households, for load: no two name the same people, as an area's do not.

The demonstration's incident names one pair. Sent a thousand times it is one pair's thousandth incident: linking it with
all the others would be measured, and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from gateway.demo.incidents import incident

_FIRST = ("Al", "Be", "Cor", "Da", "El", "Fen", "Gil", "Ha", "Is", "Jo", "Ka", "Lin", "Mar", "Nor", "Os", "Pip")
_MIDDLE = ("a", "e", "i", "o", "an", "en", "in", "on", "ar", "el", "il", "or")
_LAST = ("by", "dale", "field", "ford", "ham", "holm", "ley", "more", "ridge", "stead", "ton", "wick", "wood", "worth")
_YOUNGEST, _DAYS = date(2004, 1, 1), 15_000


def household_incident(serial: int) -> dict[str, Any]:
    """One incident of a household of its own; the same serial gives the same document."""
    document = incident(serial)
    draw = random.Random(serial)
    surnames: dict[str, str] = {}
    for attributes in _entities(document):
        attributes.update(_drawn(draw, surnames, attributes))
    return document


def _entities(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in document["included"]:
        yield resource["attributes"]


def _drawn(draw: random.Random, surnames: dict[str, str], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What tells a household from another, in the place of what the demonstration's has; who shares a name still do."""
    found: dict[str, Any] = {}
    if "surname" in attributes:
        found["surname"] = surnames.setdefault(attributes["surname"], _name(draw))
    if "givenName" in attributes:
        found["givenName"] = _name(draw)[:7] if isinstance(attributes["givenName"], str) else [_name(draw)[:7]]
    if "dateOfBirth" in attributes:
        born = date(2019, 1, 1) if attributes.get("under18") else _YOUNGEST
        found["dateOfBirth"] = (born - timedelta(draw.randrange(_DAYS if born == _YOUNGEST else 900))).isoformat()
    if "addressLine1" in attributes:
        found["addressLine1"] = f"{draw.randrange(1, 200)} {_name(draw)} Row"
    if "postcode" in attributes:
        found["postcode"] = f"ZZ99 {draw.randrange(10)}{''.join(draw.choices('ABDEFGHJLNPQRSTUWXYZ', k=2))}"
    if "telephoneNumber" in attributes:
        kind = "07700 900" if attributes["telephoneNumber"].startswith("07700") else "01632 960"
        found["telephoneNumber"] = f"{kind}{draw.randrange(1000):03}"
    return found


def _name(draw: random.Random) -> str:
    return draw.choice(_FIRST) + "".join(draw.choices(_MIDDLE, k=2)) + draw.choice(_LAST)
