"""Provenance: from which record, and by which mapping, the resources of a referral were made (domain.md section 5.3).

The record is named by its keyed hash, which the log holds as well, and the mapping by the hash of its profile: so that
what was read can be held against what was sealed, and nobody learns a word of the record by it. UK Core Provenance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapters.nhs.fhir.canonical import CANONICAL
from adapters.nhs.fhir.elements import concept, force, instant, own, reference, sender, start
from adapters.nhs.fhir.ids import MAPPING
from adapters.nhs.fhir.models import Json
from mappings.record import Record, Role
from mappings.referral import Referral

RECORD_HASH: Final = f"{CANONICAL}/Id/record-hash"
PROFILE_HASH: Final = f"{CANONICAL}/Id/mapping-profile-hash"
_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def write_provenance(record: Record, referral: Referral) -> Iterator[Json]:
    """The one Provenance of a referral: of the request, and of each Patient that leaves."""
    patients = (*record.of_role(Role.VICTIM), *record.of_role(Role.CHILD))
    gateway = {"type": "Organization", "identifier": {"system": f"{CANONICAL}/Id/system", "value": "provide-gateway"}}
    agents = [{"type": concept(_PARTICIPANT, "assembler", "Assembler"), "who": gateway}]
    if sender(record) is not None:
        agents.insert(0, {"type": concept(_PARTICIPANT, "author", "Author"), "who": force(referral.force)})
    found = start("Provenance", MAPPING, referral) | {
        "target": [
            reference("ServiceRequest", referral),
            *(reference("Patient", referral, one.ref) for one in patients),
        ],
        "recorded": instant(referral.updated_at),
        "activity": own("provenance-activity", "mapping"),
        "agent": agents,
    }
    if entities := list(_entities(record, referral)):
        found["entity"] = entities
    yield found


def _entities(record: Record, referral: Referral) -> Iterator[Json]:
    source = record.source
    if source is None:
        return
    if referral.payload is not None:
        yield _entity(RECORD_HASH, referral.payload, "the record as it was kept")
    if source.profile_hash is not None:
        yield _entity(PROFILE_HASH, source.profile_hash, f"mapping profile {source.profile or ''}".strip())


def _entity(system: str, hash_: str, words: str) -> Json:
    return {"role": "source", "what": {"identifier": {"system": system, "value": hash_}, "display": words}}
