"""The guardian's pages: what cannot go on by itself waits here for a named person, with a clock, until they decide it.

    waiting      everything that waits, late first, by nobody's name
    holds        a record that is held back: let it go on, on a ground, or keep it back; a stopped case likewise
    reviews      what somebody else overrode, or broke the glass for
    matches      people who may be one: both sides next to each other; one, two, or two after all
    hospital     what a hospital would tell police, and waits
    deliveries   what did not arrive at a team's system: sent again
    contacts     a contact at the scene that no police record has joined
    notices      what nobody has acknowledged
    again        what is held back, read again after a profile was mended
    staff        who must not see whose case
    traces       whose NHS number waits for a person of her own team

Everything is asked of the functions that the interfaces ask, which seal it; nothing is decided here. What waits for
another organisation, and what does not wait at all, is answered alike (P8).

Source: design.md (P6); domain.md sections 4.1, 4.5 (N7, N9, N11), 4.6, 4.7.
"""

from __future__ import annotations

from fastapi import APIRouter

from gateway.console.console import Console
from gateway.console.desk import router_of
from gateway.console.guardian import (
    again,
    contacts,
    deliveries,
    holds,
    hospital,
    matches,
    notices,
    reviews,
    staff,
    traces,
    waiting,
)

_PAGES = (waiting, holds, reviews, matches, hospital, deliveries, contacts, notices, again, staff, traces)


def routes(console: Console) -> APIRouter:
    """The routes."""
    return router_of(console, _PAGES)
