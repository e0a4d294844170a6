"""What happened, the latest first: incidents, what police and courts did, and what was done in the case.

Pure. What is told of an act are its codes in words, and the words that were written beside it for the team.

Source: domain.md sections 1.9, 4.2; 1.8 (a repeat goes on with the same case).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from gateway.case_page import CasePage
from gateway.casework.acts import IN_ERROR, NEXT_SHIFT
from gateway.casework.reading import Done
from gateway.casework.rules import ELSEWHERE
from gateway.console.times import day, when
from gateway.console.words import words
from gateway.london import LONDON


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened: when (aware), what, and by whom; `lines` say more, `note` is the team's own.

    `on` is a day without a time. `index` is that of the entry, for an act; `earlier` says that it was in a case that
    this one goes on with, and `in_error` that it was entered by mistake: by whom that was said, when and why.
    """

    at: datetime
    title: str
    lines: tuple[str, ...] = ()
    by: str | None = None
    note: str | None = None
    on: date | None = None
    index: int | None = None
    earlier: bool = False
    in_error: str | None = None


def timeline(page: CasePage) -> tuple[Moment, ...]:
    """Everything that happened, the latest first."""
    found = [*_incident(page), *(moment_of(one, page) for one in page.acts.done)]
    return tuple(sorted(found, key=lambda one: (one.at, one.index or 0), reverse=True))


def since(page: CasePage, index: int) -> tuple[Moment, ...]:
    """What was done in the case after an entry of the log, the latest first."""
    return tuple(one for one in timeline(page) if one.index is not None and one.index > index)


def moment_of(done: Done, page: CasePage) -> Moment:
    """An act as it is shown."""
    return Moment(
        at=done.happened_at,
        title=words(done.kind, "act"),
        lines=tuple(_said(done, page)),
        by=done.by,
        note=_note(done),
        index=done.index,
        earlier=done.referral_id != page.file.referral.id,
        in_error=_taken_back(done.in_error) if done.in_error is not None else None,
    )


def _taken_back(by: Done) -> str:
    """By whom it was said that something was a mistake, when and why."""
    return (
        f"Entered in error, said {by.by} on {when(by.recorded_at)}: {words(by.codes['reason'], 'why-in-error').lower()}"
    )


_NEVER = datetime(1900, 1, 1, tzinfo=LONDON)  # nobody said when

_KINDS: Mapping[str, str] = {
    "channel": "channel",
    "result": "result",
    "level": "level",
    "by": "service",
    "how": "how",
    "direction": "direction",
    "value": "supports",
}
"""What kind of code a field of an act holds."""

_REASONS: Mapping[str, str] = {"decline": "why-declined", IN_ERROR: "why-in-error"}
"""What kind of code the reason of an act is."""

_GROUNDS: Mapping[str, str] = {"unable-to-contact": "why-unable", "unsafe-to-contact": "why-unsafe"}


def _said(done: Done, page: CasePage) -> Iterator[str]:
    """What an act says in codes, a line for each."""
    codes = done.codes
    for name, kind in _KINDS.items():
        if isinstance(codes.get(name), str) and (name != "value" or done.kind == "supports-prosecution"):
            yield words(codes[name], kind)
    if done.kind in _REASONS and "reason" in codes:
        yield words(codes["reason"], _REASONS[done.kind])
    if done.kind in _OF_KIND:
        yield from _OF_KIND[done.kind](done, page)


def _ground(done: Done, _: CasePage) -> Iterator[str]:
    if "ground" in done.codes:
        yield words(done.codes["ground"], _GROUNDS[done.kind])


def _plan(done: Done, _: CasePage) -> Iterator[str]:
    yield "In place" if done.codes.get("in_place") else "Not in place"
    if "review_on" in done.codes:
        yield f"Looked at again on {day(date.fromisoformat(done.codes['review_on']))}"


def _given(done: Done, _: CasePage) -> Iterator[str]:
    to = done.codes.get("to")
    yield "To the next shift" if to == NEXT_SHIFT else f"To {to}"


def _moved(done: Done, page: CasePage) -> Iterator[str]:
    area = done.codes.get("area", ELSEWHERE)
    yield "To an area outside this agreement" if area == ELSEWHERE else f"To {page.areas.get(area, area)}"


def _criteria(done: Done, _: CasePage) -> Iterator[str]:
    yield ", ".join(words(one, "criterion") for one in done.codes.get("criteria", ()))


def _children(done: Done, _: CasePage) -> Iterator[str]:
    if "to" in done.codes:
        yield f"To: {words(done.codes['to'], 'child-service')}"


def _call(done: Done, _: CasePage) -> Iterator[str]:
    said = done.words or {}
    if {"from", "until"} <= said.keys():
        start, end = (when(datetime.fromisoformat(said[name])) for name in ("from", "until"))
        yield f"Safe from {start} until {end}"


def _closed(done: Done, _: CasePage) -> Iterator[str]:
    if isinstance(done.codes.get("exit"), Mapping):
        yield from _exit(done.codes["exit"])


def _consent(done: Done, _: CasePage) -> Iterator[str]:
    yield words(done.codes["state"], "consent")


def _aloud(done: Done, page: CasePage) -> Iterator[str]:
    to = done.codes["to"]
    yield f"To {page.recipients.get(to, to)}, {words(done.codes['aloud'], 'oral-channel').lower()}"
    yield "; ".join(words(one, "item") for one in done.codes["items"])


_OF_KIND: Mapping[str, Callable[[Done, CasePage], Iterator[str]]] = {
    "unable-to-contact": _ground,
    "unsafe-to-contact": _ground,
    "safety-plan": _plan,
    "consent": _consent,
    "spoken": _aloud,
    "assign": _given,
    "hand-over": _given,
    "transfer": _moved,
    "marac-referral": _criteria,
    "child-referral": _children,
    "request-call": _call,
    "close": _closed,
}
"""What else an act of a kind says."""


def _exit(stands: Mapping[str, Any]) -> Iterator[str]:
    yield f"Safer at exit: {words(stands.get('safer'), 'answer').lower()}"
    yield f"Risk: {words(stands.get('risk_reduction'), 'risk-reduction').lower()}"


def _note(done: Done) -> str | None:
    if done.words is None:
        return "What was written here has been erased."
    note = done.words.get("note")
    return note if isinstance(note, str) else None


def _incident(page: CasePage) -> Sequence[Moment]:
    record = page.file.record
    found = [Moment(page.file.referral.created_at, "The referral came in")]
    times = record.times
    if times is not None:
        for at, title in (
            (times.occurred_from, "The incident"),
            (times.reported, "Reported to police"),
            (times.attended, "Police attended"),
        ):
            if at is not None:
                found.append(Moment(at, title))
    found += [Moment(one.at, "Risk assessed") for one in record.assessments if one.at is not None]
    found += [Moment(one.at or _NEVER, words(one.event, "custody")) for one in record.custody]
    for one in record.earlier:
        grade = f"Graded {words(one.grade.value, 'grade').lower()} then" if one.grade else "Not graded then"
        pair = ("The same suspect",) if one.pair else ()
        at = datetime.combine(one.on, time(), tzinfo=LONDON)
        found.append(Moment(at, "An earlier incident", (grade, *pair), on=one.on))
    return found
