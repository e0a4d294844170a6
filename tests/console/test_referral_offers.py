"""The page of a case offers exactly what its routes then do, to everybody and in every standing of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import select

from gateway.casework import NEXT_STATE, NEXT_STATUS
from gateway.casework.effects import affected, may_follow
from gateway.casework.rules import ATTEMPTS, Case
from gateway.console.referral.actions import ACTIONS, BY_SLUG
from gateway.demo.incidents import incident
from gateway.errors import TransitionRefused
from gateway.signin.claims import Person, Role
from gateway.store import tables
from mappings.referral import ReferralState, ReferralStatus
from tests.console.referrals import Values, at, done, opened, tree_of
from tests.console.test_referral_acts import ACTS, ALOUD, CONTACT
from tests.gateway.test_casework_acts import EVERY, NOW, SAFE, said
from tests.journeys.support import serial
from tests.support.console import ADVISER, PEOPLE, ConsoleClient, signed_in
from tests.support.world import World

# What casework lets follow


@pytest.mark.parametrize("status", ReferralStatus)
def test_an_act_is_offered_where_the_rules_let_it_follow_and_nowhere_else(status: ReferralStatus) -> None:
    """Every act, said as it should be, in every state of the work: the page asks the rules that the route obeys."""
    for state in ReferralState:
        case = Case(status, state, ATTEMPTS, ATTEMPTS, frozenset({"fylde"}), frozenset({"child-1"}), (SAFE,))
        found = {kind for kind in EVERY if may_follow(kind, status, state)}
        assert found == {kind for kind in EVERY if _done(kind, case)}, state
        if not NEXT_STATUS[status] and status is not ReferralStatus.COMPLETED:
            assert found == set()
    assert NEXT_STATE.keys() == set(ReferralState)


def _done(kind: str, case: Case) -> bool:
    try:
        affected(said(kind), case, "idva", NOW, at="acts[0]", consent_ref="consent-1")
    except TransitionRefused:
        return False
    return True


# What the page offers, and what the routes answer

EMERGENCY: Values = {"ground": "life-or-limb", "reason": "He is at the door."}
OVERRIDE: Values = {
    "ground": "life-or-limb",
    "evidence": "He has said so.",
    "proportionality": "Nothing less would do.",
    "minimum_set": "Name and number.",
    "victim_told": "yes",
    "days": "28",
}
RIGHT: Mapping[str, Values] = {
    **{slug: values for slug, (_, values, _) in ACTS.items()},
    "consent": {"state": "given"},
    "oral": ALOUD,
    "connection": {},
    "break-glass": EMERGENCY,
    "consent-in-error": {"reason": "wrong-case"},
    "override": OVERRIDE,
}
"""What is entered in each form, where it does not name something of the case."""

LEAD_HERE = replace(ADVISER, id="lead-of-the-team", roles=(Role.SAFEGUARDING,))
BOTH = replace(ADVISER, id="idva-and-guardian", roles=(Role.ADVISER, Role.GUARDIAN))
EVERYBODY = [(ADVISER, "new"), (ADVISER, "worked"), (ADVISER, "closed"), (LEAD_HERE, "worked"), (BOTH, "worked")]


def case_of(world: World, adviser: ConsoleClient, kind: str) -> str:
    """A case that nobody has touched; one in which something was done, and corrected; one that was closed."""
    number = serial()
    task: str = world.push(incident(number)).json()["referrals"][0]["reference"]
    if kind == "worked":
        opened(adviser, task)
        done(adviser, task, "contact", CONTACT)
        assert world.push(incident(number, version=2, grade="MEDIUM")).is_success
    if kind == "closed":
        done(adviser, task, "close", ACTS["close"][1])
    return task


def offers(client: ConsoleClient, task: str) -> set[str]:
    """The actions that the page of a case offers."""
    links = tree_of(opened(client, task)).xpath("//nav[@id='actions']//a/@href")
    return {link.rpartition("/")[2] for link in links} & BY_SLUG.keys()


def token_of(client: ConsoleClient) -> str:
    """The token of a session, which stands in every form; the one for signing out stands on every page."""
    (token,) = set(tree_of(client.get("/console/about")).xpath("//input[@name='csrf']/@value"))
    return str(token)


def answered(world: World, client: ConsoleClient, token: str, task: str, slug: str) -> int:
    """What a form that is filled in right is answered, whether or not a page offers it."""
    with world.services.database.reading() as connection:
        row = connection.execute(select(tables.referral).where(tables.referral.c.id == task)).one()
        event = select(tables.case_event.c.id).where(tables.case_event.c.referral_id == task)
        events = connection.execute(event.order_by(tables.case_event.c.seq)).scalars().all()
        notice = select(tables.notice.c.id).where(tables.notice.c.referral_id == task)
        notices = connection.execute(notice.where(tables.notice.c.recipient == row.team)).scalars().all()
    named = {
        "entered-in-error": {"event": events[-1] if events else task, "reason": "wrong-act"},
        "notices": {"notices": notices[0] if notices else task},
    }
    unseen = {"csrf": token, "version": str(row.version), "since": "0", "key": str(uuid4())}
    return client.post(at(task, slug), {**unseen, **(named.get(slug) or RIGHT[slug])}).status_code


@pytest.fixture(scope="module")
def adviser(world: World) -> ConsoleClient:
    return signed_in(world)


@pytest.mark.parametrize(("who", "kind"), EVERYBODY, ids=lambda one: one if isinstance(one, str) else one.id)
def test_what_is_not_offered_is_refused_and_what_is_offered_is_done(
    world: World, adviser: ConsoleClient, who: Person, kind: str
) -> None:
    client, task = signed_in(world, who), case_of(world, adviser, kind)
    found, token = offers(client, task), token_of(client)
    for one in ACTIONS:
        if one.slug not in found:
            assert answered(world, client, token, task, one.slug) in {403, 404, 422}, one.slug
    assert offers(client, task) == found, "what was refused has changed nothing"
    assert ("entered-in-error" in found) is (kind != "new" and who is not LEAD_HERE)
    assert ("notices" in found) is (kind == "worked")
    assert ("override" in found) is (who is BOTH)
    last = "connection"  # after it this person sees the case no more
    for slug in (*sorted(slug for slug in found if BY_SLUG[slug].act is None and slug != last), last):
        assert answered(world, client, token, task, slug) == 303, slug


@pytest.mark.parametrize("who", [one for one in PEOPLE if one not in {"adviser", "second adviser"}])
def test_to_whom_the_page_is_none_every_route_is_none(world: World, adviser: ConsoleClient, who: str) -> None:
    """By anybody of another role, team, trust or force; a guardian overrides what was refused, and sees nothing."""
    client, task = signed_in(world, PEOPLE[who]), case_of(world, adviser, "worked")
    assert client.get(at(task), params={"reason": "follow-up"}).status_code == 404
    may = {"override"} if who == "guardian" else set()
    token = token_of(client)
    found = {one.slug: answered(world, client, token, task, one.slug) for one in ACTIONS}
    assert {slug for slug, status in found.items() if status != 404} == may
    assert all(found[slug] == 303 for slug in may)
