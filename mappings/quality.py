"""Remarks on a record as a whole: what a reader would miss, and what looks like a default rather than a fact.

A remark names the place in the record (`people[0].birth.on`), a transform's finding the place in the document. Nothing
is invented here and nothing is refused: a gap is said, and the record goes on (P6, P10). Five things are settled, all
towards what is known or safer: with one victim, an assessment, consent or criterion that names nobody is hers; consent
that names somebody who is no victim is nobody's; a contact that victim and suspect both have is shared with the suspect
(P5, N8); one that is said to be safe and said not to be is not; and who is victim and suspect of one event is marked as
such, so that neither referral carries the other's (N9). What rests on several facts of the record has its evidence
beside it (`evidence.py`).

Source: domain.md sections 3.2 (DPA 2018 s.38), 4.5 (N8, N9), 4.7 (01/01 and age only); design.md section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from mappings import evidence
from mappings.record import GRADE_ORDER
from mappings.tree import Trail

Built = dict[str, Any]
Findings = list[tuple[Trail, str]]


def settle(out: Built, findings: Findings, same: Collection[Collection[str]]) -> None:
    """Add the remarks on a record under construction, and settle what can be settled.

    `same` are the references under which one person stands in several roles.
    """
    people: list[Built] = out.get("people", [])
    victims = [p["ref"] for p in people if p["role"] == "victim"]
    _consents(out, victims)
    for place in ("area", "times", "assessments", "consents"):
        if not out.get(place):
            findings.append((place, "missing"))
    if not victims:
        findings.append(("people", "no-victim"))
    _subjects(out, victims, findings)
    _assessments(out, findings)
    _orders(out, findings)
    evidence.add(out, findings)
    _share_contacts(people, same)
    _keep_apart(out, same, findings)
    for index, person in enumerate(people):
        _person(person, ("people", index), findings)


def _consents(out: Built, victims: list[str]) -> None:
    """Leave out what somebody agreed to or refused who is no victim: its transform has remarked on it."""
    said: list[Built] = out.get("consents", [])
    hers = [one for one in said if one.get("subject") is None or one["subject"] in victims]
    if len(hers) < len(said):
        out["consents"] = hers


def _subjects(out: Built, victims: list[str], findings: Findings) -> None:
    for place in ("assessments", "consents", "criteria"):
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
        _instrument(part, codes, f"assessments[{index}]", findings)
        _lowered(part, f"assessments[{index}]", findings)


def _instrument(part: Built, codes: list[str], path: str, findings: Findings) -> None:
    """What the instrument that was used does not have: nothing is changed, and nothing converted (P10)."""
    instrument = part.get("instrument", "unknown")
    asked = _ITEMS_ASKED.get(instrument)
    if asked is not None:
        findings.extend(
            (f"{path}.{leaf}", "more-than-it-asks") for leaf in ("yes", "items") if part.get(leaf, 0) > asked
        )
    foreign = _NOT_ASKED.get(instrument)
    if foreign is not None and any(foreign(code) for code in codes):
        findings.append((f"{path}.answers", "not-of-this-instrument"))


def _lowered(part: Built, path: str, findings: Findings) -> None:
    """A grade below one before it: a person may lower it, by name of a role and with a time, and it is always said."""
    before = max((GRADE_ORDER[one["grade"]] for one in part.get("history", ())), default=0)
    if GRADE_ORDER.get(part.get("grade", ""), before) < before:
        signed = "assessor_role" in part and "at" in part
        findings.append((f"{path}.grade", "grade-lowered" if signed else "grade-lowered-by-nobody"))


_ITEMS_ASKED = {"dash-2009-police-27": 27, "dash-safelives-24": 24}  # domain.md section 1.6; DARA has no tick count
_POLICE_ONLY = frozenset({"HHCH", "THRC"})  # questions that the SafeLives 24 does not have
_NOT_ASKED: dict[str, Callable[[str], bool]] = {
    "dash-2009-police-27": lambda code: code.startswith("DARA."),
    "dash-safelives-24": lambda code: code.startswith("DARA.") or code in _POLICE_ONLY,
    "dara": lambda code: not code.startswith("DARA."),
}


def _orders(out: Built, findings: Findings) -> None:
    for place, leaves in (("orders", ("expires", "subject")), ("custody", ("at", "subject"))):
        for index, part in enumerate(out.get(place, ())):
            findings.extend((f"{place}[{index}].{leaf}", "missing") for leaf in leaves if leaf not in part)


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


def _keep_apart(out: Built, same: Collection[Collection[str]], findings: Findings) -> None:
    """Mark whoever is victim and suspect of this event: the same part of the document, or plainly the same person."""
    people: list[Built] = out.get("people", [])
    roles = {"victim", "suspect"}
    if not roles <= {person["role"] for person in people}:
        return
    who = {ref: number for number, refs in enumerate(same) for ref in refs}
    suspects = [person for person in people if person["role"] == "suspect"]
    for index, person in enumerate(people):
        if person["role"] != "victim":
            continue
        marks = _marks(person)
        for other in suspects:
            one_part = person["ref"] in who and who[person["ref"]] == who.get(other["ref"])
            if "also" not in other and (one_part or marks & _marks(other)):
                person["also"], other["also"] = other["ref"], person["ref"]
                findings.append((("people", index), "victim-and-suspect"))
                break
    if any("also" in person for person in people):
        findings.extend(
            (f"statements[{index}].about", "goes-to-every-victim")
            for index, one in enumerate(out.get("statements", ()))
            if one["topic"] == "summary" and "text" in one and not one.get("about")
        )


def _marks(person: Built) -> set[tuple[str, ...]]:
    """What shows that two entries are of one person: a number, or a whole name with a date of birth."""
    found: set[tuple[str, ...]] = {
        ("number", one["system"], one["value"]) for one in person.get("identifiers", ()) if "value" in one
    }
    if "nhs_number" in person:
        found.add(("nhs", person["nhs_number"]))
    born = person.get("birth", {}).get("on")
    for name in person.get("names", ()):
        if born and name.get("family") and name.get("given"):
            found.add(("name", name["family"].casefold(), name["given"][0].casefold(), born.isoformat()))
    return found


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
    unsafe = {one.get("value") for one in contacts if one.get("safe") is False}
    for i, contact in enumerate(contacts):
        if contact.get("safe") is True and contact.get("value") in unsafe:
            contact["safe"] = False
            findings.append((((path, "contacts"), i), "safe-and-unsafe"))
    if not any(c.get("safe") is True and c.get("shared_with_suspect") is not True for c in contacts):
        findings.append(((path, "contacts"), "no-safe-contact"))
    findings.extend(
        (((path, "contacts"), i), "shared-with-suspect")
        for i, contact in enumerate(contacts)
        if contact.get("shared_with_suspect") is True
    )
