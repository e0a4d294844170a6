"""What a stated fact rests on: the facts of the record that bear on it, set beside it as codes and counts.

Two facts are of law and of practice rather than of one leaf: whether two people are personally connected, and whether
a criterion for a conference (MARAC) is met. The sender states them; this page says what else the record holds that
speaks for or against it, and remarks where the two disagree. It changes no statement and no grade. One criterion is
counted where nobody stated it: fourteen answers yes or more on the SafeLives instrument, which is what the criterion
is; the police instrument has other questions and is never counted for it (P10).

Source: Domestic Abuse Act 2021 s.1(2)(a) and s.2 with Family Law Act 1996 s.63(1) (relatives); domain.md sections 1.6
and 1.8 (criteria).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from mappings.tree import Trail

Built = dict[str, Any]
Findings = list[tuple[Trail, str]]

CONNECTED = frozenset(
    {
        "spouse",
        "ex-spouse",
        "partner",
        "ex-partner",
        "engaged",
        "ex-engaged",
        "co-parent",
        "parent",
        "child",
        "step-parent",
        "step-child",
        "grandparent",
        "grandchild",
        "sibling",
        "aunt-uncle",
        "niece-nephew",
        "cousin",
        "in-law",
    }
)
"""Relationships of `codes/relationship.json` that section 2 lists, relatives included."""

NOT_CONNECTED = frozenset(
    {"friend", "neighbour", "carer", "housemate", "colleague", "acquaintance", "stranger", "none"}
)
"""Relationships that it does not list; of any other the record does not say."""

ADULT = 16  # years: both are 16 or over (s.1(2)(a))
VISIBLE_HIGH_RISK = 14  # answers yes on the SafeLives 24 (domain.md section 1.8)
ESCALATION = 3  # incidents reported in twelve months (the same)


def add(out: Built, findings: Findings) -> None:
    """Put the evidence beside what a record under construction states, and remark where they disagree."""
    _connections(out, findings)
    _criteria(out, findings)


def _connections(out: Built, findings: Findings) -> None:
    relationships: list[Built] = out.get("relationships", [])
    if not relationships:
        return
    people = {person["ref"]: person for person in out.get("people", ())}
    times = out.get("times", {})
    moment = times.get("occurred_from") or times.get("reported") or times.get("recorded")
    day = moment.date() if moment else None
    for index, one in enumerate(relationships):
        found = [_listed(one.get("type"))]
        ages = [_age(people.get(one.get(end), {}).get("birth", {}), day) for end in ("a", "b")]
        found.append(_ages(ages))
        stated = one.get("personally_connected")
        if stated is not None:
            found.append("stated-by-sender")
        one["evidence"] = tuple(found)
        against = {"relationship-not-listed", "one-under-16"} & set(found)
        supported = found[:2] == ["relationship-listed", "both-16-or-over"]
        if (stated is True and against) or (stated is False and supported):
            findings.append((f"relationships[{index}].personally_connected", "evidence-disagrees"))


def _listed(type_: str | None) -> str:
    if type_ in CONNECTED:
        return "relationship-listed"
    return "relationship-not-listed" if type_ in NOT_CONNECTED else "relationship-not-known"


def _ages(ages: list[tuple[int, int] | None]) -> str:
    """What the ages on the day say: each is the least and the greatest that is possible, or None."""
    if any(one is not None and one[1] < ADULT for one in ages):
        return "one-under-16"
    if all(one is not None and one[0] >= ADULT for one in ages):
        return "both-16-or-over"
    return "age-not-known"


def _age(birth: Built, day: date | None) -> tuple[int, int] | None:
    born: date | None = birth.get("on")
    if born is not None and day is not None:
        age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        return age, age
    if "age" in birth:
        return birth["age"], birth["age"]
    if "year" in birth and day is not None:
        return day.year - birth["year"] - 1, day.year - birth["year"]
    if "age_from" in birth and "age_to" in birth:
        return birth["age_from"], birth["age_to"]
    return _BANDS.get(birth.get("age_band", ""))


_BANDS = {"under-16": (0, 15), "18-or-over": (18, 130)}


def _criteria(out: Built, findings: Findings) -> None:
    criteria: list[Built] = out.get("criteria", [])
    for index, one in enumerate(criteria):
        path = f"criteria[{index}]"
        if one["code"] == "visible-high-risk":
            _visible(one, out, path, findings)
        elif one.get("met") and not _rests(one):
            findings.append((path, "without-evidence"))
        elif one["code"] == "escalation" and "count" in one and one.get("met") is (one["count"] < ESCALATION):
            findings.append((path, "evidence-disagrees"))
    stated = {one.get("subject") for one in criteria if one["code"] == "visible-high-risk"}
    for part in out.get("assessments", ()):
        if _counted(part) >= VISIBLE_HIGH_RISK and part.get("subject") not in stated:
            stated.add(part.get("subject"))
            made = {"code": "visible-high-risk", "met": True, "basis": "counted", **_evidence(part)}
            out.setdefault("criteria", []).append(made)


def _rests(one: Built) -> bool:
    """Whether anything stands beside a criterion: a count, a day, words, or who judged it."""
    return any(leaf in one for leaf in ("count", "since", "text", "by"))


def _visible(one: Built, out: Built, path: str, findings: Findings) -> None:
    """The count on the SafeLives instrument beside the statement; where there is none, the statement stands alone."""
    counted = [p for p in out.get("assessments", ()) if p.get("subject") == one.get("subject") and _counted(p) >= 0]
    if counted:
        best = max(counted, key=_counted)
        for leaf, value in _evidence(best).items():
            one.setdefault(leaf, value)
    if "met" not in one:
        return
    if "count" not in one:
        if one["met"]:
            findings.append((path, "without-evidence"))
    elif one.get("instrument") == "dash-safelives-24" and one["met"] is not (one["count"] >= VISIBLE_HIGH_RISK):
        findings.append((path, "evidence-disagrees"))


def _counted(part: Built) -> int:
    """How many answers were yes on the SafeLives instrument, as stated or, failing that, as given; -1 on another."""
    if part.get("instrument") != "dash-safelives-24":
        return -1
    given = sum(answer["reply"] == "yes" for answer in part.get("answers", ()))
    found: int = part.get("yes", given)
    return found


def _evidence(part: Built) -> Built:
    found = {"instrument": "dash-safelives-24", "count": _counted(part)}
    return found | {
        to: part[leaf] for leaf, to in (("subject", "subject"), ("at", "at"), ("assessor_role", "by")) if leaf in part
    }
