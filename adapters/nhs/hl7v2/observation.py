"""Our own observation codes (`notice.toml`): grade, count, instrument, assessor and consent, each in an OBX of its own.

What stands under one OBR is one assessment. A grade is read as it is written and never computed (P10); what is not in
the list of its words is left out, with a finding. Consent that nobody states is not asked.

Source: HL7 v2.4 section 7.4.2 (OBX); domain.md sections 1.6 and 4.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from adapters.nhs.hl7v2.finding import Finding, Said
from adapters.nhs.hl7v2.message import NULL, Message, Segment
from adapters.nhs.hl7v2.moments import moment
from adapters.nhs.hl7v2.words import words
from mappings.codemap import CODES, fold, load_codemap
from mappings.record import Assessment, Consent, ConsentState

_MAPS: Final = {"grade": "grade", "instrument": "instrument", "consent": "consent"}
_NUMBERS: Final = {"yes", "items"}
_OURS: Final = frozenset({"", "L"})
_MOST: Final = 64  # questions: no instrument has more; and characters of a role


def retired(segment: Segment) -> bool:
    """Whether an observation, a problem or a diagnosis does not stand any more."""
    of, said = words().retired.get(segment.name, (0, frozenset()))
    return segment.text(of).upper() in said if said else False


def assessments(message: Message, subject: str, findings: list[Finding]) -> tuple[Assessment, ...]:
    """The risk assessments that the observations state; one that has neither grade nor count is none.

    What one assessment says twice and differently, it does not say.
    """
    groups: dict[int, dict[str, Any]] = {}
    for group, meaning, obx in _ours(message):
        if meaning == "consent":
            continue
        value = _value(meaning, obx)
        if value is None:
            findings.append(Finding(obx.place(5), Said.NOT_IN_TABLE))
            continue
        found = groups.setdefault(group, {})
        if found.setdefault(meaning, value) != value:
            found[meaning] = None  # choosing between two grades could lower one
            findings.append(Finding(obx.place(5), Said.NOT_IN_TABLE))
        found["at"] = found.get("at") or moment(obx.text(14))
    said = [{key: value for key, value in one.items() if value is not None} for one in groups.values()]
    stated = [one for one in said if one.keys() & {"grade", "yes"}]
    return tuple(Assessment(ref=f"assessment-{n}", subject=subject, **one) for n, one in enumerate(stated, start=1))


def consent(message: Message, subject: str, findings: list[Finding]) -> Consent | None:
    """What the patient is said to have answered about sharing; None where nothing is said, or two things are.

    A CON segment is not read for leave, since nobody says what for; one that is not active (CON-11, table 0498)
    contradicts leave that stands elsewhere.
    """
    found: Consent | None = None
    for _, meaning, obx in _ours(message):
        if meaning != "consent":
            continue
        state = _value(meaning, obx)
        if state is None or (found is not None and found.state != state):
            findings.append(Finding(obx.place(5), Said.NOT_IN_TABLE))
            return None
        found = Consent(ref="consent-1", subject=subject, state=state, at=moment(obx.text(14)))
    denied = next((one for one in message.all("CON") if one.text(11).upper() not in _ACTIVE), None)
    if denied is not None and found is not None and found.state is ConsentState.GIVEN:
        findings.append(Finding(denied.place(11), Said.NOT_IN_TABLE))
        return None
    return found


_ACTIVE: Final = frozenset({"", "A"})


def _ours(message: Message) -> Iterator[tuple[int, str, Segment]]:
    """The observations in our own codes that say something: the number of their OBR, and what they mean."""
    group = 0
    for segment in message.segments:
        if segment.name == "OBR":
            group = segment.number
        elif segment.name == "OBX":
            meaning = words().observations.get(segment.text(3).upper())
            says = meaning is not None and segment.text(3, 3).upper() in _OURS and segment.text(5) not in ("", NULL)
            if meaning is not None and says and not retired(segment):
                yield group, meaning, segment


def _value(meaning: str, obx: Segment) -> Any:  # noqa: ANN401 - a word or a number, as the leaf has it
    """The value of an observation in our words; None where it is none, or where it is repeated and differs."""
    said = {_meant(meaning, obx.text(5, repetition=n)) for n in range(1, obx.repetitions(5) + 1)}
    return said.pop() if len(said) == 1 else None


def _meant(meaning: str, text: str) -> Any:  # noqa: ANN401 - as above
    if meaning in _MAPS:
        return _map(_MAPS[meaning]).get(fold(text))
    if meaning in _NUMBERS:
        return int(text) if text in _counts() else None
    plain = text != "" and text.isascii() and text.replace("-", "").isalnum() and text[0].isalnum()
    return text.lower() if plain and len(text) <= _MOST else None


@cache
def _counts() -> frozenset[str]:
    return frozenset(str(n) for n in range(_MOST + 1))


@cache
def _map(name: str) -> Mapping[str, str]:
    return load_codemap(CODES / f"{name}.json").codes
