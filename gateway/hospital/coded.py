"""What of an NHS record may be called a code: a closed list for each, so that no clinical fact travels as one.

An agreement releases items. An item of codes is as safe as its list: a diagnosis written among the flags would be
released with them. What is not in a list is taken out and remarked on, whichever format the record came in. What is
free text is left where it is, for no clause of a notice names it.

An override is a person's act at the gateway, with its ground (domain.md section 4.6). One that a document merely states
is read as consent that nobody asked for, so that a person decides.

Source: domain.md section 4.5 (N4, N5).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from gateway.generalise import AGE_BANDS
from mappings.codemap import CODES, load_codemap
from mappings.concerns import concerns
from mappings.record import Assessment, Consent, ConsentState, Finding, Person, Record, RecordKind, Relationship

CATEGORY = "safeguarding-notice"
"""What type of event every notice is."""


def coded(record: Record, areas: Collection[str]) -> Record:
    """A record as a notice: of its kinds, and with no code outside the lists. `areas` are the agreement's. Pure."""
    found: list[Finding] = []
    kept = tuple(sorted({flag for flag in record.flags if flag in concerns()}))
    if len(kept) < len(set(record.flags)):
        found.append(Finding(path="flags", code="no-safeguarding-concern"))
    if any(one.state is ConsentState.OVERRIDDEN for one in record.consents):
        found.append(Finding(path="consents", code="override-needs-a-person"))
    kind = record.kind if record.kind is RecordKind.RETRACTION else RecordKind.NOTICE
    return record.model_copy(
        update={
            "kind": kind,
            "area": record.area if record.area in areas else None,
            "category": CATEGORY,
            "section": None,
            "offence": None,
            "flags": kept,
            "outcome": None,
            "people": tuple(_person(one) for one in record.people),
            "relationships": tuple(_relationship(one) for one in record.relationships),
            "assessments": tuple(_assessment(one) for one in record.assessments),
            "consents": tuple(_consent(one) for one in record.consents),
            "tallies": (),
            "quality": (*record.quality, *found),
        }
    )


_SEXES = frozenset({"female", "male", "other"})
_NAME_USES = frozenset({"usual", "former", "alias", "official", "maiden", "nickname"})
_ROLES = frozenset({"adviser", "clinician", "midwife", "nurse", "safeguarding-lead", "social-worker"})


def _person(one: Person) -> Person:
    names = tuple(n if n.use in _NAME_USES else n.model_copy(update={"use": "usual"}) for n in one.names)
    birth = one.birth
    if birth is not None and birth.age_band not in {None, *AGE_BANDS}:
        birth = birth.model_copy(update={"age_band": None})
    return one.model_copy(update={"names": names, "birth": birth, "sex": one.sex if one.sex in _SEXES else None})


def _relationship(one: Relationship) -> Relationship:
    return one.model_copy(update={"type": one.type if one.type in _relationships() else None, "evidence": ()})


@cache
def _relationships() -> frozenset[str]:
    return frozenset(load_codemap(CODES / "relationship.json").codes.values())


def _assessment(one: Assessment) -> Assessment:
    role = one.assessor_role if one.assessor_role in _ROLES else None
    return one.model_copy(update={"instrument_version": None, "assessor_role": role, "basis": None, "history": ()})


def _consent(one: Consent) -> Consent:
    state = ConsentState.NOT_ASKED if one.state is ConsentState.OVERRIDDEN else one.state
    return one.model_copy(update={"state": state, "scope": (), "asked_by": None})
