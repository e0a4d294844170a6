"""Corrections pushed to a force: after what they correct, and never the other way round; tried again until they arrive.

A word counts as given once its push is sealed, whether or not it is known to have arrived: it may have been read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.delivery.policy import TRIES
from gateway.evidence import Event
from gateway.webhook.endpoints import Pushed
from tests.journeys.support import size
from tests.journeys.test_casework import acted, attempt
from tests.journeys.test_entered_in_error import ONE_ENGINE, ids, undone
from tests.journeys.test_webhook import Hook, events, hook_of, outstanding, said
from tests.support.receiver import HANG, RESET
from tests.support.world import World

pytestmark = ONE_ENGINE


@pytest.fixture
def hook(world: World, tmp_path: Path) -> Iterator[Hook]:
    """A new client of the force with an endpoint that takes whole words."""
    yield from hook_of(world, tmp_path, Pushed.WORDS)


def codes(got: list[Any]) -> list[str]:
    return [one.json["code"] for one in got]


def tried(hook: Hook) -> tuple[str, str]:
    """A case in which police were pushed that she was tried."""
    incident, task = said(hook.world)
    acted(hook.world, task, attempt())
    assert codes(hook.round()) == ["acknowledged", "contact-attempted"]
    return incident, task


def test_a_correction_is_pushed_as_it_would_be_pulled_after_what_it_corrects(hook: Hook) -> None:
    incident, task = tried(hook)
    mistaken = hook.receiver.got[-1].json
    undone(hook.world, task)
    start = size(hook.world)
    (got,) = hook.round()
    pulled = hook.police.get(f"/police/v1/incidents/{incident}").json()["feedback"][-1]
    assert {name: got.json[name] for name in ("code", "value", "count", "at")} == {
        "code": "entered-in-error",
        "value": "contact-attempted",
        "count": mistaken["count"],
        "at": mistaken["at"],
    }
    assert {name: pulled[name] for name in ("cursor", "code", "value")} == {
        name: got.json[name] for name in ("cursor", "code", "value")
    }
    assert got.json["cursor"] > mistaken["cursor"]
    assert [one.event for one in events(hook.world, start)][:2] == [Event.FEEDBACK_PUSHED, Event.PUSH_DELIVERED]
    assert hook.round(timedelta(hours=1)) == []


@pytest.mark.parametrize("what", [500, RESET], ids=str)
def test_a_correction_is_tried_again_under_the_same_delivery(hook: Hook, what: Any) -> None:
    _, task = tried(hook)
    undone(hook.world, task)
    hook.receiver.script.append(what)
    assert len(hook.round()) == 1
    assert hook.round(timedelta(seconds=1)) == []
    assert codes(hook.round(timedelta(minutes=2))) == ["entered-in-error"]
    assert len(set(hook.receiver.deliveries()[-2:])) == 1


def test_what_was_taken_back_while_it_waited_to_be_tried_again_goes_no_more_and_its_correction_does(hook: Hook) -> None:
    """It was sealed as given: what the receiver made of it nobody knows."""
    _, task = said(hook.world)
    hook.round()
    acted(hook.world, task, attempt())
    hook.receiver.script.append(500)
    assert codes(hook.round()) == ["contact-attempted"]
    undone(hook.world, task)
    acted(hook.world, task, {"act": "engage"})
    assert codes(hook.round(timedelta(minutes=2))) == ["entered-in-error", "engaged"]
    assert hook.round(timedelta(days=1)) == []


def test_what_was_taken_back_before_it_was_pushed_is_neither_pushed_nor_corrected(hook: Hook) -> None:
    _, task = said(hook.world)
    hook.round()
    acted(hook.world, task, attempt())
    undone(hook.world, task)
    assert hook.round() == []
    assert hook.round(timedelta(days=1)) == []


def test_what_is_taken_back_while_it_is_on_its_way_is_corrected_once_it_has_arrived(hook: Hook) -> None:
    _, task = said(hook.world)
    hook.round()
    acted(hook.world, task, attempt())
    hook.receiver.arrived.clear()
    hook.receiver.script.append(HANG)
    hook.courier.round(hook.now)
    assert hook.receiver.arrived.wait(10)
    undone(hook.world, task)
    hook.receiver.let_go.set()
    hook.courier.wait()
    hook.round()
    hook.round(timedelta(minutes=10))
    told = [one.json["code"] for one in hook.receiver.got]
    assert told[:2] == ["acknowledged", "contact-attempted"]
    assert told[-1] == "entered-in-error"
    assert told.count("entered-in-error") == 1


def test_two_corrections_go_in_the_order_of_what_they_correct(hook: Hook) -> None:
    _, task = tried(hook)
    acted(hook.world, task, {"act": "engage"}, {"act": "welfare-concern"})
    assert codes(hook.round()) == ["engaged", "welfare-concern"]
    hook.receiver.script.append(500)
    undone(hook.world, task, -1)
    undone(hook.world, task, len(ids(hook.world, task)) - 3)
    hook.round()
    hook.round(timedelta(minutes=2))
    found = [one.json["value"] for one in hook.receiver.got if one.json["code"] == "entered-in-error"]
    assert found == ["welfare-concern", "welfare-concern", "engaged"]  # the first was tried again before the second


def test_a_correction_that_does_not_arrive_lies_with_a_human_and_stays_to_be_pulled(hook: Hook) -> None:
    incident, task = tried(hook)
    undone(hook.world, task)
    hook.receiver.script.extend([503] * TRIES)
    for _ in range(TRIES):
        hook.round(timedelta(hours=2))
    assert hook.round(timedelta(days=1)) == []
    assert len(outstanding(hook.world, task)) == 1
    page = hook.police.get(f"/police/v1/incidents/{incident}").json()["feedback"]
    assert page[-1]["code"] == "entered-in-error"
