"""What the values of a sample look like, as far as it speaks for or against a target. Nothing of a value is kept.

The transforms themselves are asked: what they cannot read speaks against a row that would use them. The number is how
large a share of the values can be read, and the code maps are asked the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from mappings.codemap import CODES, fold, load_codemap
from mappings.outcome import Cannot
from mappings.transforms import TRANSFORMS, Takes

_DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{8}|\d{1,2} [A-Za-z]{3,9} \d{4}")
_TIMES = frozenset({"moment", "moment-from", "moment-to", "date", "birth-date", "date-or-moment"})
_TELLING = frozenset({"phone", "email", "postcode", "nhs-number", "force-code", "boolean"}) | _TIMES
"""The transforms that read little by accident: what they read speaks for the target."""

_MANY_WORDS = 4  # a code or a line of a name has fewer


def fit(values: Sequence[object], transform: str, codemap: str) -> float:
    """From 0, these values cannot be it, to 1, they can hardly be anything else; 0.5 where they say little."""
    said = [one for one in values if one is not None and str(one).strip()]
    if not said:
        return 0.5
    if codemap:
        share = _known(said, codemap)
        return share if share or not TRANSFORMS[transform].keeps else 0.4
    share = sum(_reads(one, transform) for one in said) / len(said)
    if not share:
        return 0.0
    if transform in _TELLING:
        return share
    if transform in {"text", "line", "slug", "code", "reference"}:
        return _plain(said, transform)
    return 0.5 * share


def known_share(values: Sequence[object], codemap: str) -> float:
    """How large a share of the values a code map knows."""
    return _known([one for one in values if one is not None and str(one).strip()], codemap)


def _known(values: Sequence[object], codemap: str) -> float:
    codes = _codes(codemap)
    found = [fold(str(one).lower() if isinstance(one, bool) else str(one)) in codes for one in values]
    return sum(found) / len(found) if found else 0.0


@lru_cache(maxsize=64)
def _codes(codemap: str) -> frozenset[str]:
    return frozenset(load_codemap(CODES / f"{codemap}.json").codes)


def _reads(value: object, transform: str) -> bool:
    verb = TRANSFORMS[transform]
    if transform in _TIMES and not (isinstance(value, str) and (_DATE_LIKE.search(value) or ":" in value)):
        return False
    try:
        if verb.takes is Takes.LIST:
            verb.run((value,))
        elif verb.takes is Takes.ONE:
            verb.run(value)
        elif transform == "birth-date":
            verb.run(value, None)
        else:
            verb.run(value)
    except Cannot:
        return transform == "moment-to" and isinstance(value, str) and ":" in value
    return True


def _plain(values: Sequence[object], transform: str) -> float:
    """How well texts fit a target that would read any: a narrative is no code, and a date is no name."""
    texts = [str(one) for one in values]
    if any(isinstance(one, bool) for one in values):
        return 0.1
    long = sum(len(one.split()) > _MANY_WORDS for one in texts) / len(texts)
    if transform == "text":
        return 0.5 + 0.4 * long
    dated = sum(bool(_DATE_LIKE.fullmatch(one[:10])) for one in texts) / len(texts)
    return max(0.0, 0.6 - 0.6 * long - (0.4 * dated if transform == "line" else 0.0))
