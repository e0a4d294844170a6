"""The common record: what police and NHS systems say to each other, in one schema.

A `Record` is one event about people: an incident, an update, a correction, a retraction, a notice or a status. It is
built once, at the edge, and never changed: minimising gives another, smaller `Record`. Every leaf belongs to exactly
one data item (`mappings.items` finds it by the `Item` beside the field), so that an agreement can name it; every leaf
but the few that say what a part *is* has a default, so that it can be withheld.

A role belongs to the event, not to the person: somebody who is victim and suspect of one event appears twice, under
two references, and is never merged (domain.md section 4.5, N9). `Person.also` says so, and no agreement needs to know:
what concerns one victim (`Record.for_victim`) carries nothing that the other said as a victim.

Each page is one section of the schema; `whole.py` puts them together, and what others import is named here.

Source: domain.md section 5.3 for the shape; 1.3 for the police fields; 1.6 for assessments; 4.6 for consent.
"""

from __future__ import annotations

from mappings.record.consent import Consent
from mappings.record.event import Attachment, Link, Marking, Officer, Reference, Statement, Times
from mappings.record.feedback import Feedback
from mappings.record.measures import Custody, Order
from mappings.record.part import Code, Item, Part, Ref
from mappings.record.person import Address, Birth, Contact, Encompass, Identifier, Name, Person, Relationship
from mappings.record.provenance import Finding, Source, Tally
from mappings.record.risk import Answer, Assessment, Criterion, Earlier, Grading
from mappings.record.vocabulary import (
    GRADE_ORDER,
    AddressUse,
    Classification,
    ConsentState,
    FeedbackCode,
    Grade,
    Instrument,
    RecordKind,
    Reply,
    Role,
    Topic,
)
from mappings.record.whole import Record

__all__ = [
    "GRADE_ORDER",
    "Address",
    "AddressUse",
    "Answer",
    "Assessment",
    "Attachment",
    "Birth",
    "Classification",
    "Code",
    "Consent",
    "ConsentState",
    "Contact",
    "Criterion",
    "Custody",
    "Earlier",
    "Encompass",
    "Feedback",
    "FeedbackCode",
    "Finding",
    "Grade",
    "Grading",
    "Identifier",
    "Instrument",
    "Item",
    "Link",
    "Marking",
    "Name",
    "Officer",
    "Order",
    "Part",
    "Person",
    "Record",
    "RecordKind",
    "Ref",
    "Reference",
    "Relationship",
    "Reply",
    "Role",
    "Source",
    "Statement",
    "Tally",
    "Times",
    "Topic",
]
