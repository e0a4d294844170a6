"""Who reported it stays apart from what happened (domain.md section 4.5, N3).

Free text is cut into sentences (`sentences`), and each is judged (`told`): what is not known to come from victim,
suspect or officers becomes part of a statement on the third party, which is an item of its own. The rule errs on that
side: what is withheld in doubt can be asked for, what is disclosed cannot be called back. No text is lost: every
sentence stands in one statement or the other, in its order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from mappings.plainwords import wordset
from mappings.sentences import sentences
from mappings.speakers import NOBODY, Cast, Whose
from mappings.told import judge

_WORD = re.compile(r"[^\W\d_]+")

_TEXTS = (
    ("assessments", "answers", "text"),
    ("consents", "", "reason"),
    ("criteria", "", "text"),
)
"""Texts of the victim's beside the summary: the list they are in, the list within that, and the field."""
_OPEN_TEXTS = (("orders", "conditions"), ("people", "description"), ("", "location"))
"""Texts that only a name or a word for a source sets apart: an adviser must know where he may not go, and his looks."""
_SOURCES = wordset(
    """aunt brother caller callers colleague cousin father friend friends informant informants landlady landlord mother
    mum neighbor neighbors neighbour neighbours relative reported reporter sister son source stepfather stepmother uncle
    witness witnesses"""
)


def split(text: str, cast: Cast = NOBODY, whose: Whose = Whose.START) -> tuple[str, str]:
    """What may be told, and what says or may say who reported it, each in the order of the text.

    `cast` has the names of the record's people, `whose` says whose account the text is. Sentences are joined by one
    space.
    """
    kept: list[str] = []
    apart: list[str] = []
    for sentence in sentences(text):
        told, whose = judge(sentence, cast, whose)
        (kept if told else apart).append(sentence)
    return " ".join(kept), " ".join(apart)


def separate(out: dict[str, Any]) -> None:
    """Set third-party sentences apart in a record under construction: in its summaries and its other free texts."""
    cast = cast_of(out.get("people", ()))
    found: list[dict[str, Any]] = []
    for statement in out.get("statements", ()):
        if statement["topic"] == "summary" and "text" in statement:
            _move(statement, "text", (cast, Whose.START), found, statement.get("about", ()))
    for place, inner, leaf in _TEXTS:
        for part in out.get(place, ()):
            about = [part["subject"]] if "subject" in part else []
            for one in part.get(inner, ()) if inner else (part,):
                if leaf in one:
                    _move(one, leaf, (cast, Whose.VICTIM), found, about)
    found.extend(_named(out, cast.others | _SOURCES))
    if found:
        statements = [s for s in out.get("statements", ()) if "text" in s]
        out["statements"] = [*statements, *found]


def _move(
    part: dict[str, Any],
    leaf: str,
    within: tuple[Cast, Whose],
    found: list[dict[str, Any]],
    about: Collection[str],
) -> None:
    kept, apart = split(part[leaf], *within)
    if not apart:
        return
    if kept:
        part[leaf] = kept
    else:
        del part[leaf]
    found.append(_apart(part, apart, about))


def _named(out: dict[str, Any], words: AbstractSet[str]) -> Iterator[dict[str, Any]]:
    """The open texts that hold one of some words, taken out whole."""
    for place, leaf in _OPEN_TEXTS:
        for part in out.get(place, ()) if place else (out,):
            if not words.isdisjoint(_WORD.findall(part.get(leaf, "").casefold())):
                yield _apart(part, part.pop(leaf), ())


def _apart(part: dict[str, Any], text: str, about: Collection[str]) -> dict[str, Any]:
    kind = part.get("kind", "allegation") if "topic" in part else "allegation"
    return {"topic": "third-party", "kind": kind, "about": list(about), "text": text}


def cast_of(people: Collection[dict[str, Any]]) -> Cast:
    """The names of a record's people; one that is both a party's and somebody else's is somebody else's."""
    named: dict[str, set[str]] = {"parties": set(), "children": set(), "others": set()}
    for person in people:
        role = person["role"]
        into = named["parties" if role in {"victim", "suspect"} else "children" if role == "child" else "others"]
        for name in person.get("names", ()):
            for one in (name.get("family"), *name.get("given", ())):
                into.update(part for part in _WORD.findall((one or "").casefold()) if len(part) > 1)
    others, children = named["others"], named["children"] - named["others"]
    return Cast(frozenset(named["parties"] - others - children), frozenset(children), frozenset(others))
