"""The words of an agreement's keys, codes and conditions, as people read them in document, diff and explanation.

Works on the plain content (the JSON that is hashed), so that nothing in an agreement is without words: a key nobody
put in the table below is read as it is written. Every code stands beside its words, because entries, receipts and
refusals name the code. This page decides nothing and knows no law.

Source: design.md section 6 (a readable rendering; decisions explained in words).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.generalise import IN_WORDS
from mappings.items import CATALOGUE

ANY = "any"
"""How an agreement writes that a condition does not matter."""

LABELS: Mapping[str, str] = {
    "id": "Name in this agreement",
    "dpia": "Data protection impact assessment",
    "ods": "ODS code",
    "force": "Force code",
    "local_authority": "Local authority code",
    "controller": "Role in data protection law",
    "data_protection_officer": "Data protection officer",
    "caldicott_guardian": "Caldicott Guardian",
    "information_sharing_gateway": "Information Sharing Gateway",
    "in_force": "In force",
    "review_by": "To be reviewed by",
    "from": "From",
    "until": "Until, not including",
    "to": "To",
    "purpose_in_words": "Purpose, in words",
    "lawful_basis": "Lawful basis (data protection law)",
    "confidentiality": "Confidentiality basis (common law)",
    "confidentiality_basis": "Confidentiality basis (common law)",
    "discloser_regime": "Regime of who discloses",
    "recipient_regime": "Regime of who receives",
    "article_6": "UK GDPR Article 6",
    "article_9": "UK GDPR Article 9",
    "article_10": "UK GDPR Article 10",
    "schedule_1": "DPA 2018 Schedule 1, paragraphs",
    "end_user": "Person named on every call",
    "areas": "Area",
    "kinds": "Kind of record",
    "grades": "Risk grade",
    "consent": "Consent of the victim",
    "children": "A child is in the record",
    "within_days": "At most this many days after the event",
    "ages": "Age of the victim",
    "markings": "Protective marking",
    "relationships": "How whoever asks stands to the case",
    "acknowledge": "To acknowledge",
    "first_contact": "To try first contact",
    "review": "To look at the case again",
    "closed": "Days nobody works",
}
"""The keys whose name alone would not tell a reader what they hold."""

_CODES: Mapping[str, str] = {
    "dpa-part-3": "Data Protection Act 2018 Part 3, law enforcement",
    "uk-gdpr": "UK GDPR",
    "not-asked": "not asked",
    "unknown": "not known",
    "lacks-capacity": "she lacks capacity",
    "under-16-gillick": "under 16 and able to decide",
    "overridden": "overridden by a person on a recorded ground",
}


def label(key: str) -> str:
    """A key as a heading: `review_by` is *To be reviewed by*."""
    return LABELS.get(key) or key.replace("_", " ").capitalize()


def code(value: object) -> str:
    """A value as people read it: yes or no, a figure, a code with its words before it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    words = _CODES.get(text)
    return f"{words} ({text})" if words else text


def item(name: str) -> str:
    """A data item with its words: *victim: name (victim.name)*; a pattern: *NHS number, whoever's (*.nhs_number)*."""
    words = CATALOGUE.get(name) or _pattern(name)
    return f"{words} ({name})" if words else name


def _pattern(name: str) -> str | None:
    if name.endswith(".*"):
        return f"everything of {name[:-2].replace('_', ' ')}"
    named = next((words for item, words in CATALOGUE.items() if item.endswith(name[1:])), None)
    return f"{named.partition(': ')[2]}, whoever's" if name.startswith("*.") and named else None


def items(names: Iterable[str]) -> tuple[str, ...]:
    """Items in words, a line for each group of them: those on the event, on the victim, on a child, ..."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.partition(".")[0], []).append(item(name))
    return tuple("; ".join(group) for group in groups.values())


def method(value: str) -> str:
    """How an item is made less exact: *an age band (age-band)*."""
    return f"{_METHODS.get(value, value)} ({value})"


_METHODS = {method.value: words for method, words in IN_WORDS.items()}


def sentence(parts: Sequence[str], last: str = "and") -> str:
    """The parts as people list them: `a, b and c`."""
    return ", ".join(parts[:-1]) + f" {last} {parts[-1]}" if len(parts) > 1 else "".join(parts)


_FIRST = (
    *("name", "title", "id", "version", "format", "force", "ods", "local_authority", "role", "post", "party", "from"),
    *("to", "flow", "recipients", "emergency", "purpose", "purpose_in_words", "request", "when", "kinds", "areas"),
    *("grades", "consent", "children", "ages", "markings", "relationships", "within_days", "quality", "access"),
    *("security", "individual_rights", "breach"),
)
_RANK = {key: rank for rank, key in enumerate(_FIRST)}


def ordered(of: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys as people expect them: what it is, who, when, then the rest by name. The hashed form has no order."""
    return iter(sorted(of.items(), key=lambda pair: (_RANK.get(pair[0], len(_RANK)), pair[0])))


def conditions(when: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    """The conditions of a clause or hold, each a line; what may be anything stands together in the last.

    `names` gives the words of the agreement's own codes, such as its areas.
    """
    lines = [f"{label(key)}: {choice(value, names)}" for key, value in ordered(when) if value != ANY]
    free = [label(key).lower() for key, value in ordered(when) if value == ANY]
    return (*lines, f"{sentence(free).capitalize()}: any") if free else tuple(lines)


def choice(value: object, names: Mapping[str, str]) -> str:
    """The value of one condition in words."""
    if not isinstance(value, list):
        return code(value)
    return sentence([f"{names[one]} ({one})" if one in names else code(one) for one in value], "or")
