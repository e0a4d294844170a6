"""A document as PDF on A4: the same words as the HTML page, with its mark and `page n of m` on every page.

The typeface (Bitstream Vera, which ships with reportlab) is embedded. A character it has no glyph for is written as its
code, `[U+0142]`, so that nothing is silently left out; the HTML page has it whole. No time and no chance goes into the
file: the same document gives the same bytes.
"""

from __future__ import annotations

import io
from functools import cache, partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    TableStyle,
)

from gateway.paper.tree import LANGUAGE, Block, Cell, Document, Heading, Table, Text

_MARGIN = 18 * mm
_FOOT = 9 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_ROOM = 30 * mm  # a heading stays with this much of what follows it
_LINES = 14  # a cell of more lines runs on, so that a table of items stays short


def write(document: Document) -> bytes:
    """The PDF file."""
    _fonts()
    out = io.BytesIO()
    template = BaseDocTemplate(
        out,
        pagesize=A4,
        title=_said(document.title),
        subject=_said(document.mark),
        author="",
        lang=LANGUAGE,
        invariant=1,
        initialFontName=_REGULAR,
    )
    frame = Frame(_MARGIN, _MARGIN, _WIDTH, A4[1] - 2 * _MARGIN, 0, 0, 0, 0)
    template.addPageTemplates([PageTemplate(frames=[frame])])
    story = [*_headline(Heading(1, document.title), "top"), Paragraph(_text(document.mark), _STYLES["mark"])]
    for at, block in enumerate(document.blocks):
        story += _flowables(block, f"s{at}")
    try:
        template.build(story, canvasmaker=partial(_Numbered, mark=_said(document.mark)))
    finally:
        for font in _typeface():
            font.measured.clear()  # a document may be about people, and nothing of it stays
    return out.getvalue()


class _Entry(Flowable):
    """A place in the outline. It takes no room; the headline stands right after it."""

    def __init__(self, text: str, level: int, key: str) -> None:
        super().__init__()
        self._title, self._depth, self._key = _said(text), level - 1, key

    def draw(self) -> None:
        """Enter the place where it comes to stand."""
        self.canv.bookmarkPage(self._key)
        self.canv.addOutlineEntry(self._title, self._key, self._depth, closed=self._depth > 0)


class _Numbered(Canvas):
    """Writes the mark and the page's number, of how many, at the foot of every page."""

    def __init__(self, *args: Any, mark: str, **options: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(*args, **options)
        self._mark = mark
        self._finished: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - named by reportlab
        self._finished.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]  # there, but not in the types

    def save(self) -> None:
        for number, page in enumerate(self._finished, 1):
            self.__dict__.update(page)
            self.setFont(_REGULAR, 6.5)
            self.drawString(_MARGIN, _FOOT, self._mark)
            self.drawRightString(A4[0] - _MARGIN, _FOOT, f"page {number} of {len(self._finished)}")
            super().showPage()
        super().save()


def _headline(heading: Heading, key: str) -> list[Flowable]:
    entry = _Entry(heading.text, heading.level, key)
    return [CondPageBreak(_ROOM), entry, Paragraph(_text(heading.text), _STYLES[f"h{heading.level}"])]


def _flowables(block: Block, key: str) -> list[Flowable]:
    if isinstance(block, Heading):
        return _headline(block, key)
    if isinstance(block, Text):
        return [Paragraph(_text(block.text), _STYLES["text"])]
    return [CondPageBreak(_ROOM), Paragraph(_text(block.caption), _STYLES["caption"]), _table(block), Spacer(0, 3 * mm)]


def _table(table: Table) -> Flowable:
    head = [Paragraph(_text(one), _STYLES["head"]) for one in table.head]
    rows = [[_cell(cell, "row" if at == 0 else "cell") for at, cell in enumerate(row)] for row in table.rows]
    count = len(table.head)
    widths = [0.26 * _WIDTH, 0.74 * _WIDTH] if count == _PAIR else [_WIDTH / count] * count
    # A row stays on one page, unless no page could hold it.
    tall = any(_lines(cell, width) > _TALL for row in table.rows for cell, width in zip(row, widths, strict=True))
    high = any(_lines((one,), width) > _TALL for one, width in zip(table.head, widths, strict=True))
    return LongTable(
        [head, *rows], colWidths=widths, style=_GRID, repeatRows=int(not high), splitInRow=int(tall or high)
    )


_PAIR = 2
_TALL = 40  # a page holds some 70 lines of a cell; the rest is room for letters wider than most
_LETTER = 4.6  # points: the mean width of a letter in a cell


def _lines(cell: Cell, width: float) -> float:
    return sum(1 + len(line) * _LETTER / width for line in cell)


def _cell(cell: Cell, style: str) -> Paragraph:
    if len(cell) > _LINES:
        return Paragraph("; ".join(map(_text, cell)), _STYLES[style])
    return Paragraph("<br/>".join(map(_text, cell)), _STYLES[style])


# Type


_REGULAR, _BOLD = "Vera", "VeraBd"
_GRID = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.4, colors.Color(0.69, 0.71, 0.71)),
        ("BACKGROUND", (0, 0), (-1, 0), colors.Color(0.95, 0.95, 0.95)),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
)


def _style(name: str, font: str, size: float, *, before: float = 0, after: float = 0) -> ParagraphStyle:
    # splitLongWords: a word wider than its cell is broken, not drawn over its neighbour.
    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=size * 1.35, spaceBefore=before, spaceAfter=after, splitLongWords=1
    )


_STYLES = {
    "h1": _style("h1", _BOLD, 17, after=4),
    "h2": _style("h2", _BOLD, 13, before=14, after=5),
    "h3": _style("h3", _BOLD, 10.5, before=10, after=4),
    "h4": _style("h4", _BOLD, 9, before=8, after=3),
    "text": _style("text", _REGULAR, 8.5, after=6),
    "mark": _style("mark", _REGULAR, 7, after=8),
    "caption": _style("caption", _BOLD, 8, before=3, after=3),
    "head": _style("head", _BOLD, 7.5),
    "row": _style("row", _BOLD, 7.5),
    "cell": _style("cell", _REGULAR, 7.5),
}


def _text(text: str) -> str:
    """A text for a paragraph: markup in it is text."""
    return escape(_said(text))


def _said(text: str) -> str:
    """A text in the characters of the typeface; any other by its code."""
    known = _fonts()
    if known.issuperset(map(ord, text)):
        return text
    return "".join(one if ord(one) in known else f"[U+{ord(one):04X}]" for one in text)


@cache
def _fonts() -> frozenset[int]:
    """Register the typeface once; the characters that both its weights have."""
    for font in _typeface():
        pdfmetrics.registerFont(font)
    regular, bold = (frozenset(font.face.charToGlyph) for font in _typeface())
    return regular & bold


class _Measured(TTFont):
    """A weight of the typeface that measures each word of a document once, which is a third of the work otherwise."""

    def __init__(self, name: str) -> None:
        super().__init__(name, str(Path(reportlab.__file__).parent / "fonts" / f"{name}.ttf"))
        self.measured: dict[tuple[str | bytes, float], float] = {}

    def stringWidth(self, text: str | bytes, size: float, encoding: str = "utf8") -> float:  # noqa: N802 - reportlab's
        known = self.measured.get((text, size))
        if known is None:
            known = self.measured[text, size] = super().stringWidth(text, size, encoding)
        return known


@cache
def _typeface() -> tuple[_Measured, _Measured]:
    return _Measured(_REGULAR), _Measured(_BOLD)
