"""The risk instruments as FHIR Questionnaires, so that a linkId in an answer can be looked up.

The short codes are those of domain.md sections 1.6 and 1.7; the words are our own short paraphrase, for the published
forms are not ours to copy. DASH 24, DASH 27 and DARA are three questionnaires, and nothing converts one into another
(P10). They hold no threshold and no score. UK Core Questionnaire.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

import orjson

from adapters.nhs.fhir.canonical import CANONICAL, UK_CORE, code_system
from adapters.nhs.fhir.models import Json, check
from mappings.record import Instrument, Reply

_DASH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "INJ": "This incident caused an injury",
        "FRI": "The victim is very frightened",
        "FEAR": "What the victim is afraid of: more violence, being killed, and to whom",
        "ISO": "Kept apart from family, friends or a doctor",
        "DEP": "The victim feels depressed or suicidal",
        "SEP": "Separated, or tried to separate, in the past year",
        "CCON": "Conflict over contact with children",
        "STK": "Constant contact, following, stalking or harassment",
        "PREG": "Pregnant, or a baby in the last 18 months",
        "HHCH": "Step-children or other dependants live in the household",
        "HRTC": "The suspect has hurt the children or dependants",
        "THRC": "The suspect has threatened the children or dependants",
        "FREQ": "The abuse happens more often",
        "SEV": "The abuse is getting worse",
        "CTRL": "The suspect controls what the victim does, or is excessively jealous",
        "WPN": "Weapons or objects have been used to hurt",
        "KILL": "A threat to kill that was believed",
        "STRG": "An attempt to strangle, choke, suffocate or drown",
        "SEX": "Sexual acts that hurt the victim",
        "OTHP": "Somebody else threatens the victim, or the family or community does",
        "HRTO": "The suspect has hurt others: children, elderly people, earlier partners, police",
        "ANI": "An animal has been mistreated",
        "FIN": "Money troubles, or money held back",
        "SUB": "The suspect's use of drugs or alcohol, or mental health",
        "SUI": "The suspect has threatened or attempted suicide",
        "BRCH": "Bail, an injunction or a contact order has been breached",
        "CRIM": "The suspect has been in trouble with the police",
    }
)
"""The items of DASH in the order of the police form of 2009."""

_SAFELIVES: Final = (
    *("INJ", "FRI", "FEAR", "ISO", "DEP", "SEP", "CCON", "STK", "PREG", "FREQ", "SEV", "CTRL", "WPN", "KILL", "STRG"),
    *("SEX", "OTHP", "HRTO", "ANI", "FIN", "SUB", "SUI", "BRCH", "CRIM"),
)
"""The 24 items of the SafeLives form, in its order; what hurts children is asked there with who else was hurt."""

_DARA: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DARA.ISOL": "Kept apart from others",
        "DARA.MONIT": "Watched, followed or checked on",
        "DARA.HUMIL": "Humiliated or put down",
        "DARA.MONEY": "Money controlled",
        "DARA.DAILY": "Daily life controlled",
        "DARA.THREAT": "Threatened",
        "DARA.PHYS": "Physically hurt",
        "DARA.STRANG": "Strangled or choked",
        "DARA.SEX": "Sexual acts against the victim's will",
        "DARA.WEAP": "A weapon used or shown",
        "DARA.STALK": "Stalked or harassed",
        "DARA.CHILD": "Children hurt, threatened or used against the victim",
        "DARA.PETS": "Pets hurt or threatened",
        "DARA.SEPAR": "Separation, or plans for it",
        "DARA.FEAR": "What the victim is afraid of",
        "DARA.ESCAL": "The abuse is getting worse or more frequent",
        "DARA.SUBST": "The suspect's use of drugs or alcohol",
        "DARA.SUIC": "The suspect has threatened or attempted suicide",
        "DARA.ORDER": "Orders or bail conditions, and breaches of them",
        "DARA.HIST": "The suspect's history of abuse",
        "DARA.OTHER": "Anything else that matters",
    }
)

_INSTRUMENTS: Final[Mapping[Instrument, tuple[str, Mapping[str, str]]]] = MappingProxyType(
    {
        Instrument.DASH_POLICE_27: ("DASH 2009, police form of 27 items", _DASH),
        Instrument.DASH_SAFELIVES_24: (
            "DASH risk checklist, SafeLives form of 24 items",
            {c: _DASH[c] for c in _SAFELIVES},
        ),
        Instrument.DARA: ("Domestic Abuse Risk Assessment (DARA)", _DARA),
    }
)

QUESTIONNAIRES: Final[tuple[str, ...]] = tuple(one.value for one in _INSTRUMENTS)
"""The ids of the questionnaires. An instrument that the sender did not name has none."""

QUESTIONNAIRES_CHANGED: Final = "2026-11-23"
"""When an item or its words last changed."""

QUESTIONNAIRE_SEARCH: Final[Mapping[str, str]] = MappingProxyType({"_id": "token", "url": "uri"})
"""How questionnaires can be searched, by R4's names, with the kind of each."""


def questionnaire_url(instrument: Instrument) -> str | None:
    """The canonical address of an instrument's questionnaire; None for one that nobody named."""
    return f"{CANONICAL}/Questionnaire/{instrument.value}" if instrument in _INSTRUMENTS else None


@cache
def questionnaire(id_: str) -> bytes | None:
    """The Questionnaire of an instrument in JSON, or None where there is none of that id."""
    if id_ not in QUESTIONNAIRES:
        return None
    title, items = _INSTRUMENTS[Instrument(id_)]
    found: Json = {
        "resourceType": "Questionnaire",
        "id": id_,
        "meta": {"profile": [f"{UK_CORE}UKCore-Questionnaire"]},
        "url": f"{CANONICAL}/Questionnaire/{id_}",
        "version": "1.0",
        "name": "".join(part.capitalize() for part in id_.split("-")),
        "title": title,
        "status": "active",
        "experimental": False,
        "subjectType": ["Patient"],
        "date": QUESTIONNAIRES_CHANGED,
        "description": "Short codes and a short paraphrase of each item, to read answers by. It is not the form "
        "itself, and it holds no threshold: a grade is a professional's judgement.",
        "item": [_item(code, words) for code, words in items.items()],
    }
    check(found)
    return orjson.dumps(found)


def _item(code: str, words: str) -> Json:
    return {
        "linkId": code,
        "text": words,
        "type": "choice",
        "answerOption": [{"valueCoding": {"system": code_system("reply"), "code": one.value}} for one in Reply],
        "item": [{"linkId": f"{code}.text", "text": "What was said", "type": "string"}],
    }
