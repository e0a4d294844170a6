"""Two people at two gateways at the same instant: exactly one of them does what they wanted, the other is told why not.

Each has services, threads and connections of their own over one database, and both have judged the same standing of the
case before either commits. On both engines.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from audit.entry import Operation
from gateway import governing
from gateway.acting import act_on
from gateway.casework.acts import EnteredInError, UnableToContact
from gateway.casework.codes import WhyInError
from gateway.demo.run import LOG
from gateway.disclosure import Reader
from gateway.entered_in_error import take_back
from gateway.errors import TransitionRefused, VersionConflict, face
from gateway.evidence import Caller, Event
from gateway.overrides import Ground, Override, VictimTold
from gateway.services import Services, open_services
from gateway.store.envelope import Envelope
from gateway.store.journal import Journal
from tests.journeys.support import pushed, size
from tests.journeys.test_casework import acted, attempt, done, entries, heard
from tests.journeys.test_entered_in_error import ids, stands
from tests.journeys.test_taken_back import consent, says
from tests.support.world import World

SAID = EnteredInError(reason=WhyInError.WRONG_ACT)
At = Callable[[Services], Coroutine[Any, Any, Any]]
"""What somebody does at the gateway of these services."""


@pytest.fixture
def replica(world: World) -> Iterator[Services]:
    """A second gateway over the same database."""
    opened = open_services(world.services.settings)
    yield opened
    opened.close()


def caller(user: str, role: str = "idva", recipient: str | None = "idva-team") -> Caller:
    return Caller(
        client="demo-hospital",
        organisation="RXL",
        recipient=recipient,
        scopes=frozenset(),
        agreements=frozenset([LOG]),
        user=user,
        role=role,
    )


FIRST, SECOND = caller("idva-0042"), caller("idva-0007")


def meeting(world: World, replica: Services, here: At, there: At) -> list[Any]:
    """What two people come to who both have judged before either commits: an answer each, or what was raised."""
    met, found = threading.Barrier(2), dict[int, Any]()
    submit, seen = Journal.submit, threading.local()

    async def together(journal: Journal, unit: Any) -> Any:
        if not getattr(seen, "met", False):
            seen.met = True
            met.wait(30)
        return await submit(journal, unit)

    def run(place: int, does: At, services: Services) -> None:
        try:
            found[place] = asyncio.run(does(services))
        except Exception as error:  # noqa: BLE001 - what one of them is told is what is asked for
            found[place] = error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "submit", together)
        each = ((0, here, world.services), (1, there, replica))
        people = [threading.Thread(target=run, args=one) for one in each]
        for one in people:
            one.start()
        for one in people:
            one.join(60)
    return [found[0], found[1]]


def taking_back(referral: str, event: str, who: Caller, version: int | None = None, key: str | None = None) -> At:
    """Somebody takes an act back; `version` is the one that they read."""

    async def does(services: Services) -> Any:
        library = Reader(services.records, services.settings.public_url)
        return await take_back(services, library, who, referral, event, SAID, _is(version), key)

    return does


def _is(version: int | None) -> Callable[[int], bool]:
    return lambda now: version is None or version == now


def test_of_two_who_read_the_same_version_one_takes_it_back(world: World, replica: Services) -> None:
    """The other has read what is no more, and is told to read again (412)."""
    incident_, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"}, attempt())
    assert heard(world, incident_) == ["acknowledged", "contact-attempted"]
    event, version, start = ids(world, referral)[-1], done(world, referral)["version"], size(world)
    found = meeting(
        world, replica, taking_back(referral, event, FIRST, version), taking_back(referral, event, SECOND, version)
    )
    assert sorted(type(one).__name__ for one in found) == ["TakenBack", "VersionConflict"]
    (told,) = [one for one in found if isinstance(one, VersionConflict)]
    assert face(told).status == 412
    assert len(_corrections(world, start)) == 1
    assert heard(world, incident_) == ["acknowledged", "entered-in-error"]


def test_of_two_who_named_no_version_one_is_told_that_it_is_done(world: World, replica: Services) -> None:
    _, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"}, attempt())
    event, start = ids(world, referral)[-1], size(world)
    found = meeting(world, replica, taking_back(referral, event, FIRST), taking_back(referral, event, SECOND))
    assert sorted(type(one).__name__ for one in found) == ["TakenBack", "TransitionRefused"]
    (told,) = [one for one in found if isinstance(one, TransitionRefused)]
    assert told.words == "it has been taken back already"
    assert len(_corrections(world, start)) == 1


def test_one_request_at_two_gateways_is_done_once(world: World, replica: Services) -> None:
    _, referral = pushed(world)
    acted(world, referral, attempt())
    (event,), start = ids(world, referral), size(world)
    both = [taking_back(referral, event, FIRST, key="form-1") for _ in range(2)]
    found = meeting(world, replica, *both)
    assert sorted(one.known for one in found) == [False, True]
    assert found[0].version == found[1].version
    assert len(_corrections(world, start)) == 1


@pytest.mark.parametrize("named", ["version", "nothing"])
def test_an_act_and_the_taking_back_of_what_it_relies_on_exclude_each_other(
    world: World, replica: Services, named: str
) -> None:
    """Three attempts, and that she is out of reach: never that she is after two."""
    _, referral = pushed(world)
    acted(world, referral, attempt(), attempt(), attempt())
    event, version = ids(world, referral)[-1], done(world, referral)["version"] if named == "version" else None

    async def gives_up(services: Services) -> Any:
        library = Reader(services.records, services.settings.public_url)
        return await act_on(services, library, SECOND, referral, (UnableToContact(),), _is(version))

    back, gone = meeting(world, replica, taking_back(referral, event, FIRST, version), gives_up)
    lost = [one for one in (back, gone) if isinstance(one, Exception)]
    assert [type(one) for one in lost] == [VersionConflict if version else TransitionRefused]
    _, state = stands(world, referral)
    counts = [one for one in done(world, referral)["acts"] if one["act"] == "contact-attempt"]
    standing = [one for one in counts if one["entered_in_error"] is None]
    assert (len(standing), state) in {(3, "unable-to-contact"), (2, "contacting")}
    assert (len(standing) == 3) is isinstance(back, Exception)


def test_a_refusal_is_taken_back_or_overridden_and_never_both(world: World, replica: Services) -> None:
    """An override of what was never said would let out what she agreed to on another ground than her consent."""
    _, referral = pushed(world)
    before = consent(world, referral)
    event = says(world, referral, "withdrawn")

    async def overrides(services: Services) -> Any:
        envelope = Envelope(services.keyring.content_key)
        words = {"evidence": "x", "proportionality": "x", "minimum_set": "x", "why_not_told": ""}
        given = Override.of(envelope, Ground.LIFE_OR_LIMB, VictimTold.YES, 28, words)
        guardian = caller("caldicott-1", "caldicott-guardian", None)
        return await governing.override(services, guardian, referral, given)

    back, _ = meeting(world, replica, taking_back(referral, event, FIRST), overrides)
    now = consent(world, referral)
    assert now == ("overridden" if isinstance(back, Exception) else before), back


def _corrections(world: World, start: int) -> list[Any]:
    return [one for one in entries(world, start, Event.CASE_CORRECTED) if one.operation is Operation.ALTERATION]
