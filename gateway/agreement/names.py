"""Whether the names inside an agreement name something, and name it once.

A clause that names a party, recipient, area, flow or contact which the agreement does not have would apply to nobody,
and nobody would see it: such a text is refused when it is read. Whether what is named makes sense is for
`agreement_check.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from gateway.agreement.content import Conditions, Content
from gateway.agreement.governance import KEPT
from gateway.agreement.text import Path

Fault = tuple[Path, str]


def faults(content: Content) -> Iterator[Fault]:
    """Every name that names nothing, and every name given twice: path and reason."""
    yield from _people(content)
    yield from _data(content)
    yield from _flows(content)
    yield from _rules(content)
    for group in _NAMED:
        yield from _twice((group,), [str(one.id) for one in getattr(content, group)])
    yield from _twice(
        ("clauses",),
        [c.id for c in content.clauses] + [h.id for h in content.holds] + [p.id for p in content.prohibitions],
    )
    yield from _twice(("parties",), [p.organisation for p in content.parties])
    roads = [f"{source} {to} {f.purpose}" for f in content.flows for source in f.from_ for to in f.to]
    yield from _twice(("flows",), roads)


_NAMED = (
    "parties",
    "other_organisations",
    "contacts",
    "recipients",
    "flows",
    "clauses",
    "holds",
    "prohibitions",
)
"""What has an id of its own, each in its list once."""


def _people(content: Content) -> Iterator[Fault]:
    parties, contacts = {p.id for p in content.parties}, {c.id for c in content.contacts}
    yield from _unknown(("owner",), content.owner, contacts, "contact")
    for at, party in enumerate(content.parties):
        here: Path = ("parties", at)
        yield from _unknown((*here, "signatory"), party.signatory, contacts, "contact")
        yield from _unknown((*here, "data_protection_officer"), party.data_protection_officer, contacts, "contact")
        if party.caldicott_guardian:
            yield from _unknown((*here, "caldicott_guardian"), party.caldicott_guardian, contacts, "contact")
    for at, other in enumerate(content.other_organisations):
        yield from _unknown(("other_organisations", at, "acts_for"), other.acts_for, parties, "party")
    for at, contact in enumerate(content.contacts):
        yield from _unknown(("contacts", at, "party"), contact.party, parties, "party")
    for at, recipient in enumerate(content.recipients):
        yield from _unknown(("recipients", at, "party"), recipient.party, parties, "party")
        yield from _unknown(("recipients", at, "areas"), recipient.areas or (), content.areas, "area")


def _data(content: Content) -> Iterator[Fault]:
    data, contacts = content.data, {c.id for c in content.contacts}
    yield from _twice(("data", "subjects"), [one.id for one in data.subjects])
    yield from _twice(("data", "categories"), [one.id for one in data.categories])
    kept = [one.data for one in content.retention.classes]
    yield from _twice(("retention", "classes"), kept)
    for missing in sorted(set(KEPT) - set(kept)):
        yield ("retention", "classes"), f"nothing is said of how long a {missing} is kept"
    governance: Path = ("governance",)
    rights, breach = content.governance.individual_rights, content.governance.breach
    yield from _unknown((*governance, "individual_rights", "contact"), rights.contact, contacts, "contact")
    yield from _unknown((*governance, "breach", "contacts"), breach.contacts, contacts, "contact")


def _flows(content: Content) -> Iterator[Fault]:
    parties, recipients = {p.id for p in content.parties}, {r.id for r in content.recipients}
    subjects, categories = {s.id for s in content.data.subjects}, {c.id for c in content.data.categories}
    contacts = {c.id for c in content.contacts}
    for at, flow in enumerate(content.flows):
        register, here = flow.register_, ("flows", at, "register")
        yield from _unknown((*here, "data_subjects"), register.data_subjects, subjects, "type of person")
        yield from _unknown((*here, "data_categories"), register.data_categories, categories, "category of data")
        yield from _unknown((*here, "owner"), register.owner, contacts, "contact")
        yield from _unknown(("flows", at, "from"), flow.from_, parties, "party")
        yield from _unknown(("flows", at, "to"), flow.to, recipients, "recipient")


def _rules(content: Content) -> Iterator[Fault]:
    recipients, contacts = {r.id for r in content.recipients}, {c.id for c in content.contacts}
    flows = {f.id: f.to for f in content.flows}
    for at, clause in enumerate(content.clauses):
        here: Path = ("clauses", at)
        yield from _unknown((*here, "flow"), clause.flow, flows, "flow")
        yield from _unknown(
            (*here, "recipients"), clause.recipients, flows.get(clause.flow, ()), "recipient of its flow"
        )
        yield from _areas((*here, "when"), clause.when, content)
    for at, hold in enumerate(content.holds):
        yield from _unknown(("holds", at, "flow"), hold.flow, flows, "flow")
        yield from _unknown(("holds", at, "owner"), hold.owner, contacts, "contact")
        yield from _areas(("holds", at, "when"), hold.when, content)
    for at, prohibition in enumerate(content.prohibitions):
        yield from _unknown(("prohibitions", at, "recipients"), prohibition.recipients, recipients, "recipient")


def _areas(path: Path, when: Conditions, content: Content) -> Iterator[Fault]:
    yield from _unknown((*path, "areas"), when.areas or (), content.areas, "area")


def _unknown(path: Path, names: str | Collection[str], known: Collection[str], what: str) -> Iterator[Fault]:
    if isinstance(names, str):
        if names not in known:
            yield path, f"no such {what}"
        return
    for at, name in enumerate(names):
        if name not in known:
            yield (*path, at), f"no such {what}"


def _twice(path: Path, names: Collection[str]) -> Iterator[Fault]:
    if any(count > 1 for count in Counter(names).values()):
        yield path, "a name is given twice"
