"""The document of an agreement as a file: a page or paper, each written once for each standing of its signatures.

Paper takes more than a second of work, and the same agreement gives the same bytes. Nothing of a person is kept: an
agreement names parties, and who answers for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Literal

from cachetools import LRUCache, cached

from gateway.agreement import Agreement
from gateway.paper import html
from gateway.paper.agreement import document

Form = Literal["html", "pdf"]


def _key(form: Form, agreement: Agreement, signed: Mapping[str, str]) -> tuple[object, ...]:
    return form, agreement.hash, *sorted(signed.items())


@cached(LRUCache[tuple[object, ...], bytes](maxsize=16), key=_key, lock=Lock())
def written(form: Form, agreement: Agreement, signed: Mapping[str, str]) -> bytes:
    """The file. `signed` says, for each party that signed, when."""
    paper = document(agreement, signed)
    if form == "html":
        return html.write(paper)
    from gateway.paper import pdf  # noqa: PLC0415 - 150 ms of every start that only this answer needs

    return pdf.write(paper)
