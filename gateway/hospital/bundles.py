"""A Bundle that brings a notice, read by its sender's own profile or by the one that ships.

Source: domain.md section 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.nhs import fhir
from gateway.evidence import Caller
from gateway.intake import stamped
from gateway.london import day_of
from gateway.profiles import read_by
from gateway.services import Services
from mappings.record import Record

PROFILE = "notice"
"""The profile that reads the Bundles of a client registered with none for them."""
_XML = frozenset({"application/fhir+xml", "application/xml", "text/xml"})


@dataclass(frozen=True, slots=True)
class Brought:
    """What a Bundle brought: the record under its sender's name, its media type, and how much was not read."""

    record: Record
    media_type: str
    losses: int


def fhir_media(media: str) -> str:
    """The FHIR type of a media type in which a Bundle came."""
    return "application/fhir+xml" if media in _XML else fhir.JSON_TYPE


async def read_bundle(services: Services, caller: Caller, body: bytes, media: str) -> Brought:
    """Read a Bundle as a notice. Raises Unreadable, BadMediaType."""
    media_type = fhir_media(media)
    of = services.profiles.of(caller.profiles) if caller.profiles else ()
    own = tuple(dict.fromkeys(one.name for one in of if one.adapter == fhir.READER.name))
    profile = services.profiles.choose(own or (PROFILE,), media_type, day_of(datetime.now(UTC)))
    reading = await read_by(profile, body, services.limits)
    services.drift.saw(caller.client, profile, reading)
    return Brought(stamped(reading.record, caller, profile), media_type, reading.loss_count)
