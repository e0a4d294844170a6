"""A document as a tree of headings, texts and tables, which the writers turn into pages and add nothing to.

What a page cannot show is shown as its code: control characters, and marks that turn the direction of writing, could
make a page say something else than the text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LANGUAGE = "en-GB"

Cell = tuple[str, ...]
"""What stands in one place of a table: one line or several."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 2 to 4; level 1 is the title of the document."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption and a head; the first cell of each row is the row's heading."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


Block = Heading | Text | Table


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document. `mark` stands on every page: what was written down, and how to tell that it is the same."""

    title: str
    mark: str
    blocks: tuple[Block, ...]


def document(title: str, mark: str, blocks: Iterable[Block]) -> Document:
    """A document in which every character shows."""
    return Document(visible(title), visible(mark), tuple(map(_shown, blocks)))


def visible(text: str) -> str:
    """A text in which every character shows: controls and marks of direction as `[U+202E]`, any white space as one."""
    spaced = " ".join(text.split())
    if spaced.isprintable():  # most are, and this is asked of every word of a document
        return spaced
    return "".join(f"[U+{ord(one):04X}]" if unicodedata.category(one) in _UNSEEN else one for one in spaced)


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _shown(block: Block) -> Block:
    if isinstance(block, Heading):
        return Heading(block.level, visible(block.text))
    if isinstance(block, Text):
        return Text(visible(block.text))
    rows = tuple(tuple(tuple(map(visible, cell)) for cell in row) for row in block.rows)
    return Table(visible(block.caption), tuple(map(visible, block.head)), rows)
