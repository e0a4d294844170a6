"""The acts of a case as the words that are counted: what each says of reaching, engaging, supporting and being safer.

The one page that knows the codes of an act. An act that says nothing of a figure still tells that the team had the
referral. Pure.

Source: domain.md sections 1.9 (exit), 4.2, 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.casework.codes import Level, Result
from gateway.evaluation.definitions import (
    CLOSED,
    ENGAGED,
    ENGAGED_LIMITED,
    SAFER,
    SPOKEN,
    STATUS,
    SUPPORTS,
    WISHES,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an act: the data item it belongs to, its value, and what she said of telling it."""

    code: str
    item: str
    value: str | None = None
    consent: str | None = None


def word_of(kind: str, codes: Mapping[str, Any]) -> tuple[Word, ...]:
    """The words of an act of this kind with these codes."""
    consent = (codes.get("consent") or {}).get("state")
    if kind == "contact-attempt":
        return (Word(SPOKEN if codes.get("result") == Result.REACHED else kind, STATUS),)
    if kind == "engage":
        return (Word(ENGAGED_LIMITED if codes.get("level") == Level.LIMITED else ENGAGED, STATUS),)
    if kind == "decline":
        return (Word(SPOKEN, STATUS),)  # that she was reached; what she wishes is not counted
    if kind == SUPPORTS:
        return (Word(SUPPORTS, WISHES, codes.get("value"), consent),)
    if kind == "close":
        safer = (codes.get("exit") or {}).get("safer")
        closed = Word(CLOSED, STATUS, codes.get("how"))
        return (closed, Word(SAFER, STATUS, safer)) if safer else (closed,)
    return (Word(kind, STATUS),)
