"""A case without an act that was entered in error is the case in which it never was. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.agreement import shipped
from gateway.casework import ACCEPTING
from gateway.casework.acts import BESIDE, IN_ERROR, NEXT_SHIFT, Acknowledge, Act
from gateway.casework.codes import Result
from gateway.casework.effects import MOVED, affected
from gateway.casework.replay import Offer, Without, counted, lived, standing, without
from gateway.casework.rules import Case
from gateway.casework.timers import Kind, Stands, changed
from gateway.coresponse.contact import Attended, Contact
from gateway.coresponse.meeting import step_of
from gateway.errors import TransitionRefused
from gateway.store.batch import ReferralHead
from mappings.referral import ReferralState as State
from mappings.referral import ReferralStatus as Status
from tests.gateway.test_casework_acts import NOW, OFFERED, POOL, SAFE, said

CLOCKS = shipped().content.clocks
START = replace(OFFERED, contacts=(SAFE,))
OFFER = Offer({Kind.ACKNOWLEDGE: NOW + timedelta(hours=1), Kind.FIRST_CONTACT: NOW + timedelta(days=1)}, CLOCKS, "high")
REQUESTED: Stands = (Status.REQUESTED, State.OFFERED)


@dataclass(frozen=True)
class Kept:
    """What a row keeps of an act."""

    id: str
    kind: str
    codes: Mapping[str, Any]
    happened_at: datetime
    by: str = "idva-1"

    @property
    def recorded_at(self) -> datetime:
        """When it happened: nobody is late here."""
        return self.happened_at


@dataclass(frozen=True)
class Life:
    """A case as the acts themselves left it, each judged on the one before: no replay has touched it."""

    case: Case
    holder: str | None
    clocks: Mapping[Kind, tuple[str, datetime]]
    past: tuple[Kept, ...]

    @property
    def stands(self) -> Stands:
        """Where it stands."""
        return self.case.status, self.case.state


AtTheScene = Contact
Beside = str
Doing = tuple[str, Act | AtTheScene | Beside, datetime, str]
"""An act, a contact at the scene that joined the case, or the kind of what is entered beside the acts."""

BORN = Life(START, None, {kind: ("", due) for kind, due in OFFER.due.items()}, ())


def on(life: Life, doing: Doing) -> Life:
    """A case after one more act; what it has come to already may be said again. Raises TransitionRefused."""
    id_, act, now, who = doing
    if isinstance(act, AtTheScene):
        return met(life, id_, act, now, who)
    if isinstance(act, Beside):
        return replace(life, past=(*life.past, Kept(id_, act, {}, now, who)))
    try:
        effect = affected(act, life.case, "idva", now, at="acts[0]", consent_ref="consent-1")
    except TransitionRefused as cannot:
        if cannot.words != "nothing in it changes the referral":
            raise
        holder = _taken_by(who, act, life, life.case)
        return replace(life, holder=holder, past=(*life.past, Kept(id_, act.act, act.codes, now, who)))
    holder = _taken_by(who, act, life, effect.case)
    if effect.assigned is not None:
        holder = effect.assigned or None
    after = effect.case.status, effect.case.state
    plan = changed(life.stands, after, (effect.happened,), CLOCKS, "high", now)
    clocks = {kind: since for kind, since in life.clocks.items() if kind not in plan.stop}
    clocks |= {one.kind: (id_, one.due) for one in plan.start}
    kept = Kept(id_, act.act, effect.happened.codes, now, who)
    return Life(effect.case, holder, clocks, (*life.past, kept))


def met(life: Life, id_: str, contact: AtTheScene, now: datetime, who: str) -> Life:
    """A case after a contact at the scene joined it, as joining does it."""
    status, state = life.stands
    said_ = Attended(id_, "RXL", "idva-team", "demo", who, "idva", None, contact, now)
    step = step_of(said_, ReferralHead(1, status.value, state.value, "record-1"))
    reached = contact in {Contact.SPOKEN_TO, Contact.REFUSED}
    tried = replace(life.case, attempts=life.case.attempts + 1, fruitless=0 if reached else life.case.fruitless + 1)
    codes = {"channel": "at-the-scene", "result": (Result.REACHED if reached else Result.NO_ANSWER).value}
    return Life(
        replace(tried, status=step.status, state=step.state),
        who if step.status is not status else life.holder,
        {kind: since for kind, since in life.clocks.items() if kind is not Kind.ACKNOWLEDGE},
        (*life.past, Kept(id_, "contact-attempt", codes, now, who)),
    )


def offer_of(life: Life) -> Offer:
    """What the case began with, and which of its acts came of a contact at the scene."""
    return replace(OFFER, scenes=frozenset(one.id for one in life.past if one.id.startswith("scene-")))


def _taken_by(who: str, act: Act, life: Life, after: Case) -> str | None:
    """Whose the case is, after somebody did something in it: theirs, where it was nobody's or they say so."""
    takes = (life.holder is None or isinstance(act, Acknowledge)) and after.status in ACCEPTING
    return who if takes else life.holder


def whole(doings: Sequence[Doing]) -> Life | None:
    """A case in which all of this was done; None where something of it may not follow."""
    life = BORN
    try:
        for one in doings:
            life = on(life, one)
    except TransitionRefused:
        return None
    return life


DOINGS = st.one_of(st.sampled_from(POOL), st.sampled_from(AtTheScene), st.sampled_from(sorted(BESIDE)))


@given(st.lists(st.tuples(DOINGS, st.sampled_from(["idva-1", "idva-2"])), max_size=10))
def test_any_act_taken_back_leaves_the_case_as_if_it_had_not_been(wishes: list[tuple[Any, str]]) -> None:
    """State, whose it is, attempts and clocks; and it is refused exactly where a later act could not have been.

    Of acts, of contacts at the scene, and of what is entered beside them, in any order.
    """
    life, done = BORN, list[Doing]()
    for number, (act, who) in enumerate(wishes):
        name = f"scene-{number}" if isinstance(act, AtTheScene) else f"act-{number}"
        doing = (name, act, NOW + timedelta(minutes=number), who)
        try:
            life = on(life, doing)
        except TransitionRefused:
            continue
        done.append(doing)
    relived = lived(life.past, offer_of(life))
    assert (relived.stands, relived.holder, relived.clocks) == (life.stands, life.holder, life.clocks)
    assert counted(life.past) == (life.case.attempts, life.case.fruitless)
    for id_, *_ in done:
        never = whole([one for one in done if one[0] != id_])
        if never is None:
            with pytest.raises(TransitionRefused):
                taken(life, id_)
            continue
        after = taken(life, id_)
        assert (after.stands, after.holder) == (never.stands, never.holder)
        clocks = {kind: due for kind, (_, due) in life.clocks.items() if kind not in after.plan.stop}
        clocks |= {one.kind: one.due for one in after.plan.start}
        assert clocks == {kind: due for kind, (_, due) in never.clocks.items()}
        row = Kept("said", IN_ERROR, {"event": id_, "reason": "wrong-case"}, NOW)
        assert counted(standing([*life.past, row])) == (never.case.attempts, never.case.fruitless)


def taken(life: Life, id_: str) -> Without:
    return without(life.past, id_, offer_of(life), life.stands, life.holder)


def doing(*acts: Act) -> list[Doing]:
    return [(f"act-{number}", one, NOW + timedelta(minutes=number), "idva-1") for number, one in enumerate(acts)]


def of(*acts: Act) -> Life:
    """A case in which these were done."""
    life = whole(doing(*acts))
    assert life is not None
    return life


def test_an_outcome_goes_back_to_where_the_case_was() -> None:
    life = of(said("contact-attempt"), said("unable-to-contact"))
    after = taken(life, "act-1")
    assert after.stands == (Status.IN_PROGRESS, State.CONTACTING)
    assert (set(after.plan.stop), {one.kind for one in after.plan.start}) == ({Kind.REVIEW}, {Kind.NEXT_ATTEMPT})


def test_the_first_act_gives_the_referral_back_to_whoever_takes_it() -> None:
    after = taken(of(said("engage")), "act-0")
    assert (after.stands, after.holder) == (REQUESTED, None)
    assert {one.kind: one.due for one in after.plan.start} == OFFER.due


def test_an_act_that_a_later_one_relies_on_stays() -> None:
    """Three attempts before she counts as out of reach; engaged before she declines after all is no such thing."""
    missed = said("contact-attempt")
    life = of(missed, missed, missed, said("unable-to-contact", ground=None))
    for number in range(3):
        with pytest.raises(TransitionRefused) as refused:
            taken(life, f"act-{number}")
        assert refused.value.details[0].path == "event"
    assert taken(life, "act-3").stands == (Status.IN_PROGRESS, State.CONTACTING)


def test_a_close_opens_the_case_again_with_its_clocks() -> None:
    life = of(said("engage"), said("safety-plan"), said("close"))
    after = taken(life, "act-2")
    assert after.stands == (Status.IN_PROGRESS, State.ENGAGED)
    assert (set(after.plan.stop), {one.kind for one in after.plan.start}) == (
        {Kind.FLAG_REVIEW},
        {Kind.SAFETY_PLAN_REVIEW},
    )


def test_of_two_attempts_at_once_either_can_go_and_the_count_is_of_what_stands() -> None:
    life = of(said("contact-attempt"), said("contact-attempt", result="reached"))
    assert counted(life.past) == (2, 0)
    mistake = Kept("x", IN_ERROR, {"event": "act-1", "reason": "wrong-act"}, NOW)
    assert counted(standing([*life.past, mistake])) == (1, 1)
    assert {one.kind for one in taken(life, "act-1").plan.start} == {Kind.NEXT_ATTEMPT}


def test_what_changes_nothing_can_go_whatever_else_moved_the_case() -> None:
    """A change of a Task can move a case further than its words say; then nothing is guessed."""
    life = of(said("contact-attempt"), said("risk-change"))
    failed = (Status.FAILED, State.CONTACTING)
    assert without(life.past, "act-1", OFFER, failed, "idva-9") == Without(failed, "idva-9", plan_of_nothing())
    with pytest.raises(TransitionRefused):
        without(life.past, "act-0", OFFER, failed, "idva-9")


def plan_of_nothing() -> Any:
    return taken(of(said("acknowledge"), said("cpis-checked")), "act-1").plan


def test_a_system_that_turned_the_case_down_leaves_it_so() -> None:
    rejected = Kept("moved", MOVED, {"status": "rejected", "state": "offered"}, NOW + timedelta(minutes=9))
    past = [*of(said("cpis-checked")).past, rejected]
    assert lived(past, OFFER).stands == (Status.REJECTED, State.OFFERED)
    assert lived(past, OFFER).clocks == {}


def test_a_contact_at_the_scene_takes_the_case_and_is_no_first_contact() -> None:
    codes = {"channel": "at-the-scene", "result": Result.REACHED.value}
    met = Kept("met", "contact-attempt", codes, NOW, "idva-7")
    found = lived([met], replace(OFFER, scenes=frozenset({"met"})))
    assert (found.stands, found.holder) == ((Status.ACCEPTED, State.CONTACTING), "idva-7")
    assert found.clocks.keys() == {Kind.FIRST_CONTACT}


def test_who_had_the_case_is_not_guessed_either() -> None:
    life = of(said("acknowledge"), said("assign"))
    assert taken(life, "act-1").holder == "idva-1"
    assert without(life.past, "act-1", OFFER, life.stands, "idva-9").holder == "idva-9"


@pytest.mark.parametrize("kind", sorted(BESIDE))
def test_what_is_entered_beside_the_acts_takes_no_case_and_is_no_act_of_a_closed_one(kind: str) -> None:
    life = of(said("acknowledge"), said("hand-over", to=NEXT_SHIFT), said("close"))
    assert (life.holder, life.stands[0]) == (None, Status.COMPLETED)
    for place in (2, 3):
        past = [*life.past[:place], Kept("beside", kind, {}, NOW + timedelta(hours=1), "idva-7"), *life.past[place:]]
        found = lived(past, OFFER)
        assert (found.stands, found.holder, found.broken) == (life.stands, None, frozenset())
