"""Remarks on a record as a whole: what a reader would miss, and what looks like a default rather than a fact.

A remark names the place in the record (`people[0].birth.on`), a transform's finding the place in the document. Nothing
is invented here and nothing is refused: a gap is said, and the record goes on (P6, P10). Two things are settled, both
towards what is known or safer: with one victim, an assessment or consent that names nobody is hers; and a contact
that victim and suspect both have is shared with the suspect (P5, N8).

Source: domain.md sections 3.2 (DPA 2018 s.38), 4.5 (N8), 4.7 (01/01 and age only); design.md section 2.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mappings.tree import Trail

Built = dict[str, Any]
Findings = list[tuple[Trail, str]]


def settle(out: Built, findings: Findings, same: Collection[Collection[str]]) -> None:
    """Add the remarks on a record under construction, and settle what can be settled.

    `same` are the references under which one person stands in several roles.
    """
    people: list[Built] = out.get("people", [])
    for place in ("area", "times", "assessments", "consents"):
        if not out.get(place):
            findings.append((place, "missing"))
    victims = [p["ref"] for p in people if p["role"] == "victim"]
    if not victims:
        findings.append(("people", "no-victim"))
    _subjects(out, victims, findings)
    _assessments(out, findings)
    _share_contacts(people, same)
    for index, person in enumerate(people):
        _person(person, ("people", index), findings)


def _subjects(out: Built, victims: list[str], findings: Findings) -> None:
    for place in ("assessments", "consents"):
        for index, part in enumerate(out.get(place, ())):
            if "subject" in part:
                continue
            if len(victims) == 1:
                part["subject"] = victims[0]
            else:
                findings.append((f"{place}[{index}].subject", "missing"))


def _assessments(out: Built, findings: Findings) -> None:
    for index, part in enumerate(out.get("assessments", ())):
        findings.extend((f"assessments[{index}].{leaf}", "missing") for leaf in ("grade", "at") if leaf not in part)
        answers: list[Built] = part.get("answers", [])
        codes = [answer["code"] for answer in answers]
        if len(set(codes)) != len(codes):
            findings.append((f"assessments[{index}].answers", "answered-twice"))
        if answers and part.get("yes", -1) not in {-1, sum(a["reply"] == "yes" for a in answers)}:
            findings.append((f"assessments[{index}].yes", "count-disagrees"))


def _share_contacts(people: list[Built], same: Collection[Collection[str]]) -> None:
    who = {ref: number for number, refs in enumerate(same) for ref in refs}
    suspects: dict[str | None, set[int]] = {}
    for person in people:
        if person["role"] == "suspect":
            for contact in person.get("contacts", ()):
                suspects.setdefault(contact.get("value"), set()).add(who[person["ref"]])
    suspects.pop(None, None)  # a contact without a value is nobody's in particular
    if not suspects:
        return
    for person in people:
        own = {who[person["ref"]]}
        for contact in person.get("contacts", ()):
            if suspects.get(contact.get("value"), own) - own:
                contact["shared_with_suspect"] = True


def _person(person: Built, path: Trail, findings: Findings) -> None:
    victim = person["role"] == "victim"
    birth: Built | None = person.get("birth")
    if birth is None:
        if victim:
            findings.append(((path, "birth"), "missing"))
    elif "on" not in birth:
        findings.append(((path, "birth"), "age-only"))
    elif birth["on"].month == birth["on"].day == 1:
        findings.append(((path, "birth.on"), "first-of-january"))
    if not victim:
        return
    if "names" not in person:
        findings.append(((path, "names"), "missing"))
    contacts: list[Built] = person.get("contacts", [])
    if not any(c.get("safe") is True and c.get("shared_with_suspect") is not True for c in contacts):
        findings.append(((path, "contacts"), "no-safe-contact"))
    findings.extend(
        (((path, "contacts"), i), "shared-with-suspect")
        for i, contact in enumerate(contacts)
        if contact.get("shared_with_suspect") is True
    )
