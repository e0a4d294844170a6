"""A document as one HTML page that stands alone: no script, no picture, nothing fetched; readable aloud and on paper.

Headings in order, a table of contents, tables with captions and headings of rows and columns (WCAG 2.2, 1.3.1). Every
text is escaped by the template. The page forbids itself everything but its own style (Content Security Policy).
The same document gives the same bytes.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from gateway.paper.tree import LANGUAGE, Document, Heading

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do with the page: show it."""


def write(document: Document) -> bytes:
    """The page in UTF-8."""
    blocks = [(type(block).__name__.lower(), f"s{at}", block) for at, block in enumerate(document.blocks)]
    contents = [(anchor, one) for _, anchor, one in blocks if isinstance(one, Heading) and one.level <= _LISTED]
    page = _template().render(
        language=LANGUAGE, policy=POLICY, document=document, blocks=blocks, contents=contents, most_lines=_IN_LINE
    )
    return page.encode("utf-8")


_LISTED = 3  # clauses are found under their flows
_IN_LINE = 1  # a cell of more lines is a list


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("gateway.paper", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("paper.html.j2")
