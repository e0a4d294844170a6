"""A message on its road, with what it needs there: who sent it, under which log, and how it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from sqlalchemy import bindparam, select

from adapters.nhs.hl7v2 import Message
from gateway.disclosure import Reader
from gateway.evidence import Caller
from gateway.messages.keeping import Became, Given, KeepMessage, Work, arrived, forgotten, message_name
from gateway.messaging.lookups import Lookups
from gateway.services import Services
from gateway.store import tables
from gateway.terms import Standing
from gateway.under_agreement import standing_of


@dataclass(frozen=True, slots=True)
class Arriving:
    """One message. `name` is what its sender calls it; `log_id` the log of its agreement."""

    services: Services
    library: Reader
    lookups: Lookups
    caller: Caller
    raw: bytes
    message: Message
    name: str
    log_id: str

    async def standing(self) -> Standing:
        """How the agreement stands."""
        return await standing_of(self.services, self.log_id)

    async def keep(
        self,
        became: Became,
        work: Work | None = None,
        *,
        about: str | None = None,
        also: bytes | None = None,
        kept_elsewhere: bool = False,
    ) -> Given:
        """Keep the message with what becomes of it. Raises DecideAgain, Busy, NotSealed."""
        one = arrived(
            self.services.keyring,
            self.caller,
            self.raw,
            type_=self.message.type,
            name=self.name,
            kept_elsewhere=kept_elsewhere,
            about=about,
            also=also,
        )
        return (await self.services.journals.of(self.log_id).submit(KeepMessage(one, became, work))).value

    async def kept_before(self, also: bytes | None = None) -> bool:
        """Whether a message of this name, or of another one, was kept: for what acts in a unit of its own before."""
        key = message_name(self.services.keyring, self.caller, self.name) if also is None else also
        asked = {"log": self.log_id, "key": key}
        found = await self.services.database.read(lambda connection: connection.execute(_CLAIM, asked).scalar())
        return found is not None and not forgotten(orjson.loads(found)["at"], datetime.now(UTC))


_CLAIM = select(tables.claim.c.value).where(
    tables.claim.c.log_id == bindparam("log"), tables.claim.c.key == bindparam("key")
)
