"""What is asked of a team's referrals over FHIR, whether alone or in a batch: read, search, everything of one.

Each asks the journey, which seals before it gives. How a request is read and an answer is written is `fhir.py`,
`fhirsearch.py` and `fhirpages.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.nhs import fhir
from gateway import journey
from gateway.cursors import Cursors
from gateway.disclosure import Reader
from gateway.errors import NotFound
from gateway.everything import hand_out_everything
from gateway.evidence import Caller, Event
from gateway.journey import Page
from gateway.searching import Search
from gateway.services import Services
from gateway.web.fhirbatch import Given
from gateway.web.fhirpages import PageWriter
from gateway.web.fhirsearch import Asked, Pairs, SearchReader, known, subset_of


class Desk:
    """Answers what is asked of a team's referrals, whether alone or in a batch."""

    def __init__(self, services: Services, base_url: str) -> None:
        self._services = services
        self.library = Reader(services.records, base_url)
        cursors = Cursors(services.keyring)
        self.searches = SearchReader(services.settings, services.records, cursors, base_url)
        self._pages = PageWriter(cursors, base_url)

    async def search(self, caller: Caller, type_: str, asked: Asked, reason: str | None) -> Given:
        """A page of a search."""
        page = await journey.hand_out(self._services, self.library, caller, asked.search, reason)
        return Given(self._pages.written(page, asked, caller, type_), page.receipts[0], page.log_id)

    async def read(
        self,
        caller: Caller,
        type_: str,
        id_: str,
        reason: str | None,
        held: Callable[[fhir.Written], bool] | None = None,
    ) -> Page:
        """One resource, if there is one for this caller; `held` says whether the caller has it already."""
        wanted = Search(types=(type_,), ids=(id_,), event=Event.REFERRAL_READ)
        return await journey.hand_out(self._services, self.library, caller, wanted, reason, held)

    async def everything(self, caller: Caller, id_: str, pairs: Pairs, reason: str | None) -> Given:
        """A page of everything of a referral. Raises NotFound where there is none for this caller."""
        asked = self.searches.everything(caller, id_, pairs)
        page = await hand_out_everything(self._services, self.library, caller, asked.wanted, reason)
        if not page.found.opened:
            raise NotFound("there is no such resource")
        return Given(self._pages.everything(page, asked, caller), page.receipts[0], page.log_id)

    async def given(self, caller: Caller, asked: fhir.Request, reason: str | None, *, lenient: bool) -> Given:
        """What one entry of a batch gives: its address stands in a body, and so may say what identifies somebody."""
        match asked.path:
            case (type_,):
                wanted = self.searches.asked(caller, type_, (), asked.query, lenient=lenient)
                return await self.search(caller, type_, wanted, reason)
            case (type_, id_):
                known(type_)
                subset = subset_of(type_, asked.query)
                page = await self.read(caller, type_, id_, reason)
                one = subset.of(only(page))
                return Given(one.body, page.receipts[0], page.log_id, one)
            case ("ServiceRequest", id_, "$everything"):
                return await self.everything(caller, id_, asked.query, reason)
        raise NotFound("there is nothing at this address")


def only(page: Page) -> fhir.Written:
    """The one resource of a page. Raises NotFound where there is none for this caller."""
    if not page.found.opened:
        raise NotFound("there is no such resource")
    return page.found.opened[0].matches[0]
