"""The tie between a victim and a child of the household: a RelatedPerson of the child, inside the victim's Patient.

A child is a Patient of her or his own; that the victim is the child's mother is said as R4 has it: the Patient is
linked to the RelatedPerson that she also is. Only what was stated is written, and only between a victim and a child: a
suspect is never a related person, for that surfaces as next of kin (domain.md section 2.3). It holds no name and no
number; the labels of the Patient hold for it. R4 Patient.link, RelatedPerson; codes: HL7 v3 RoleCode, as UK Core has
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.nhs.fhir.elements import concept, own, reference
from adapters.nhs.fhir.models import Json
from mappings.record import Person, Record, Role
from mappings.referral import Referral

ROLE_CODES: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"

_ROLES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        **dict.fromkeys(("parent", "mother", "father", "child"), ("PRN", "parent")),
        **dict.fromkeys(("step-parent", "step-child"), ("STPPRN", "step parent")),
        **dict.fromkeys(("grandparent", "grandchild"), ("GRPRN", "grandparent")),
        "sibling": ("SIB", "sibling"),
    }
)
"""What an adult is to a child, whichever of the two the sender's word was said of."""


def ties(person: Person, record: Record, referral: Referral) -> Json:
    """`contained` and `link` of a victim's Patient; nothing for anybody else, or where nothing was stated."""
    if person.role is not Role.VICTIM:
        return {}
    children = {child.ref: child for child in record.of_role(Role.CHILD)}
    found: dict[str, Json] = {}
    for one in record.relationships:
        other = one.b if one.a == person.ref else one.a if one.b == person.ref else None
        if other in children and one.type is not None:
            found.setdefault(other, _related(other, one.type, referral))
    links = [{"other": {"reference": f"#{one['id']}"}, "type": "seealso"} for one in found.values()]
    return {"contained": list(found.values()), "link": links}


def _related(child: str, type_: str, referral: Referral) -> Json:
    role = _ROLES.get(type_)
    return {
        "resourceType": "RelatedPerson",
        "id": child,
        "patient": reference("Patient", referral, child),
        "relationship": [concept(ROLE_CODES, *role) if role is not None else own("relationship", type_)],
    }
