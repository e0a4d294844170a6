"""What the victim said of sharing, time after time, and what it would be had one of them never been entered. Pure.

What a case is decided on comes of the police record, of what she says afterwards, and of what a human overrides. Taken
back is what was entered; what counts then is what counted before it. A newer record, and what she said later, stand.

Source: domain.md section 4.6; UK GDPR articles 5(1)(d), 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.casework.rules import refused
from mappings.record import ConsentState


@dataclass(frozen=True, slots=True)
class Heard:
    """What she was said to have said: the act, its entry, the consent, that before it, and the record of the case then.

    `gone` is the entry that took it back, None while it stands.
    """

    id: str
    index: int
    consent: str
    before: str | None
    record: str
    gone: int | None = None


def consent_without(heard: Sequence[Heard], event: str, consent: str | None, record: str) -> str | None:
    """The consent that a case of this record, decided on this consent, has without one of what was heard, in order.

    Raises TransitionRefused where a human has overridden what she said, or the consent came of something else.
    """
    place = next(number for number, one in enumerate(heard) if one.id == event)
    one, later = heard[place], heard[place + 1 :]
    if one.record != record or any(after.record == record and after.gone is None for after in later):
        return consent
    if consent == ConsentState.OVERRIDDEN:
        raise refused("event", "somebody has overridden it since: that has to be reviewed or to end first")
    if consent != one.consent:
        raise refused("event", "what the case is decided on has changed since by more than what was said")
    return _before(heard, place)


def _before(heard: Sequence[Heard], place: int) -> str | None:
    """What counted before something was heard; where that was what was taken back since, what counted before that."""
    one = heard[place]
    earlier = [number for number in range(place) if _counted(heard[number], one)]
    if not earlier:
        return one.before
    last = heard[earlier[-1]]
    came_of_it = last.record == one.record and last.consent == one.before
    return _before(heard, earlier[-1]) if came_of_it and last.gone is not None else one.before


def _counted(earlier: Heard, one: Heard) -> bool:
    """Whether something that was heard earlier still counted when another was."""
    return earlier.gone is None or earlier.gone > one.index
