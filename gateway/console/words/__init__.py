"""Every code a page can show, in words for a person: one table, so that one thing is called the same everywhere.

A code that is in no list (a force's own, kept as it came) is shown as it is written, and is said to be the force's.
The words of risk items are those of the questionnaires (`adapters.nhs.fhir`), our own paraphrase.

    record      what stands in a record
    casework    the work on a case
    identity    whether two are one person
    oversight   who looks after it all

Source: domain.md sections 1.3, 1.6, 4.2, 4.3 and 4.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import orjson

from adapters.nhs import fhir
from gateway.console.words.casework import CASEWORK
from gateway.console.words.identity import IDENTITY
from gateway.console.words.oversight import OVERSIGHT
from gateway.console.words.record import RECORD
from mappings.items import CATALOGUE

WORDS: Mapping[str, Mapping[str, str]] = {**RECORD, **CASEWORK, **IDENTITY, **OVERSIGHT}
"""Of each kind of code, its words. Codes of a kind that is a closed list are all here: a test compares."""


def words(code: str | None, kind: str) -> str:
    """A code of a kind in words; one that nobody listed as it is written; `Not stated` where there is none."""
    if code is None or code == "":
        return "Not stated"
    if kind == "risk-item":
        return risk_items().get(code, code)
    if kind == "item":
        return _capital(CATALOGUE.get(code, code))
    return WORDS[kind].get(code) or _capital(code.replace("-", " "))


@cache
def risk_items() -> Mapping[str, str]:
    """The items of every risk instrument, in words."""
    found: dict[str, str] = {}
    for id_ in fhir.QUESTIONNAIRES:
        body = fhir.questionnaire(id_)
        found |= {one["linkId"]: one["text"] for one in orjson.loads(body)["item"]} if body else {}
    return found


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
