"""A page of a search as a Bundle: its links, its receipts, and as much of each resource as was asked for.

The links of a search that would identify somebody hold it sealed (`gateway.cursors`); the link to a next page always
does. What was passed over is said in words, and the link to the page itself leaves it out.

Source: FHIR R4 search, sections 3.1.1.6 (links) and 3.1.1.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from adapters.nhs import fhir
from audit.receipt import Receipt
from gateway.cursors import Cursor, Cursors
from gateway.evidence import Caller
from gateway.journey import Page
from gateway.web.fhirsearch import CURSOR, Asked, AskedForAll


@dataclass(frozen=True, slots=True)
class PageWriter:
    """Writes the pages of one deployment."""

    cursors: Cursors
    base_url: str

    def written(self, page: Page, asked: Asked, caller: Caller, type_: str) -> bytes:
        """The searchset of a page."""
        found = page.found
        matches, proofs = ([], []) if asked.search.counted else matched(page, asked.subset)
        included = {(one.type, one.id): one for opened in found.opened for one in opened.included}
        return fhir.bundle(
            matches,
            included=[asked.subset.of(one, included=True) for one in included.values()],
            total=found.total,
            self_link=self._self(asked, caller, type_),
            next_link=None if found.next is None else self._link(asked, found.next, caller, type_),
            receipts=proofs,
            checkpoint=page.receipts[0].checkpoint_text,
            outcome=_said(asked.passed_over),
        )

    def everything(self, page: Page, asked: AskedForAll, caller: Caller) -> bytes:
        """The searchset of a page of everything of a referral."""
        found = page.found
        matches, proofs = matched(page, fhir.Subset())
        url = f"{self.base_url}/{asked.address}"
        here = _asking(url, asked.pairs)
        if asked.wanted.after is not None:
            here = self._to(url, Cursor(asked.pairs, asked.wanted.after), caller, asked.address)
        following = None
        if found.next is not None:
            following = self._to(url, Cursor(asked.pairs, found.next), caller, asked.address)
        return fhir.bundle(
            matches,
            total=found.total,
            self_link=here,
            next_link=following,
            receipts=proofs,
            checkpoint=page.receipts[0].checkpoint_text,
        )

    def _self(self, asked: Asked, caller: Caller, type_: str) -> str:
        after = asked.search.after
        if asked.hidden or after is not None:
            return self._link(asked, after, caller, type_)
        return _asking(f"{self.base_url}/{type_}", asked.pairs)

    def _link(self, asked: Asked, place: tuple[str, ...] | None, caller: Caller, type_: str) -> str:
        return self._to(f"{self.base_url}/{type_}", Cursor(asked.pairs, place), caller, type_)

    def _to(self, url: str, cursor: Cursor, caller: Caller, address: str) -> str:
        return f"{url}?{CURSOR}={self.cursors.seal(cursor, caller, address)}"


def _asking(url: str, pairs: Sequence[tuple[str, str]]) -> str:
    """An address with its question, where there is one."""
    return f"{url}?{urlencode(pairs)}" if pairs else url


def matched(page: Page, subset: fhir.Subset) -> tuple[list[fhir.Written], Sequence[fhir.Receipt | None]]:
    """The matches of a page in their order, and the receipt of each."""
    matches: list[fhir.Written] = []
    proofs: list[fhir.Receipt | None] = []
    for opened, receipt in zip(page.found.opened, page.receipts, strict=False):
        matches += [subset.of(one) for one in opened.matches]
        proofs += [proof(receipt)] * len(opened.matches)
    return matches, proofs


def proof(receipt: Receipt) -> fhir.Receipt:
    """A receipt as a Bundle carries it."""
    plain = receipt.to_json()
    return fhir.Receipt(plain["log"], plain["index"], plain["leaf_hash"], tuple(plain["hashes"]))


def _said(passed_over: int) -> bytes | None:
    """What is to be said of parameters that were passed over: how many, and nothing of what they said."""
    if not passed_over:
        return None
    words = f"{passed_over} search parameters that this server does not declare were passed over: see metadata"
    return fhir.operation_outcome([fhir.Issue("warning", "not-supported", words)])
