"""A hostile document as a row of a batch, with a good row before and behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.hostile.formats import COMMA, CSV, EXPORT, JSON_API, NDJSON, ZIP, exported
from tests.hostile.inputs import Input
from tests.support import connect

_OTHERWISE = {
    (COMMA.name, "a quote that never closes"): (
        1,
        1,
    ),  # takes the row behind it into the same quarantine: it ends nowhere
    (COMMA.name, "a line end outside"): (2, 2),  # makes two rows of one, and neither is whole
    (EXPORT.name, "in no charset"): (2, 9),  # of a row without a key, the rows of eight other files are nobody's
}
"""Of what is not itself alone set aside: the rows that are accepted, and those that are not."""


@dataclass(frozen=True, slots=True)
class AmongGood:
    """A batch of three rows, the hostile one in the middle: how many are accepted and how many are not."""

    media: str
    body: Callable[[int, int, int], bytes]
    accepted: int
    refused: int


def among_good(one: Input) -> AmongGood | None:
    """The batch of an input; None where what it does is not done in a row."""
    if one.value is None:
        return None
    accepted, refused = _OTHERWISE.get((one.format.name, one.attack), (2, 1))
    make, media = {JSON_API.name: (_lines, NDJSON), COMMA.name: (_rows, CSV), EXPORT.name: (_files, ZIP)}[
        one.format.name
    ]
    return AmongGood(media, lambda *serials: make(one, *serials), accepted, refused)


def _lines(one: Input, first: int, own: int, last: int) -> bytes:
    return b"\n".join((one.format.good(first), one.body(own), one.format.good(last)))


def _rows(one: Input, first: int, own: int, last: int) -> bytes:
    head, _, row = one.format.good(first).partition(b"\r\n")
    rows = [one.body(own).partition(b"\r\n")[2].removesuffix(b"\r\n"), one.format.good(last).partition(b"\r\n")[2]]
    return b"\r\n".join((head, row.removesuffix(b"\r\n"), *rows))


def _files(one: Input, first: int, own: int, last: int) -> bytes:
    made: dict[str, bytes] = {}
    for serial, value in ((first, b"zqx"), (own, one.value or b""), (last, b"zqx")):
        for name, content in exported(serial, value).items():
            made[name] = made[name] + content.partition(b"\r\n")[2] if name in made else content
    return connect.packed(made)
