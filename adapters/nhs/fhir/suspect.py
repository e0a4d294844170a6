"""The suspect: a Basic inside the ServiceRequest and nowhere else, so that no system files it as a person of its own.

Never a Patient, never a RelatedPerson, never a contact (domain.md sections 2.3 and 5.3). A contained resource has no
meta and no labels (R4 invariants dom-4, dom-5): those of the ServiceRequest hold for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from adapters.nhs.fhir.elements import extension, instant, nested, own, part, text
from adapters.nhs.fhir.models import Json
from adapters.nhs.fhir.person import SEX, address, age_details, birth_date, human_name
from mappings.record import Order, Person


def suspect_basic(person: Person, orders: Iterable[Order], warnings: Iterable[str]) -> Json:
    """The contained Basic of one suspect, with the orders that bind this person and any officer-safety codes."""
    found = [extension("person-name", valueHumanName=one) for name in person.names for one in human_name(name)]
    if person.birth is not None:
        if (day := birth_date(person.birth)) is not None:
            found.append(extension("person-birth-date", valueDate=day))
        found += nested("age", age_details(person.birth))
    if person.sex is not None and person.sex.lower() in SEX:
        found.append(extension("person-sex", valueCode=SEX[person.sex.lower()]))
    if words := text(person.description):
        found.append(extension("person-description", valueString=words))
    if words := text(person.occupation):
        found.append(extension("person-occupation", valueString=words))
    found += [extension("person-address", valueAddress=one) for place in person.addresses for one in address(place)]
    found += nested(
        "presence",
        [*part("present", "valueBoolean", person.present), *part("deceased", "valueBoolean", person.deceased)],
    )
    for order in orders:
        found += order_extension(order)
    found += [extension("safety-warning", valueCode=code) for code in warnings]
    basic: Json = {"resourceType": "Basic", "id": person.ref}
    if found:
        basic["extension"] = found
    return basic | {"code": own("person", "suspect")}


def order_extension(order: Order) -> list[Json]:
    """The `order` extension: a court or police order, or bail conditions, and when it ends."""
    ends = order.expires
    return nested(
        "order",
        [
            *part("type", "valueCode", order.type),
            *part("conditions", "valueString", order.conditions),
            *part("protectsVictim", "valueBoolean", True if order.protects is not None else None),
            *part("starts", "valueDateTime", _ends(order.starts) if order.starts is not None else None),
            *part("expires", "valueDateTime", _ends(ends) if ends is not None else None),
            *part("expired", "valueBoolean", order.expired),
        ],
    )


def _ends(ends: object) -> str:
    if isinstance(ends, datetime):
        # A time without an offset is not a FHIR dateTime, and guessing one would move a deadline: the day stands.
        return instant(ends) if ends.tzinfo is not None else ends.date().isoformat()
    return str(ends)
