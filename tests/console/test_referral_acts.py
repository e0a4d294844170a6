"""Everything an adviser does in a case by a form: done once, sealed, told to police as it says, refused in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.casework.acts import KINDS
from gateway.console.referral.actions import ACTIONS
from gateway.console.referral.asking import HIDDEN
from gateway.demo.incidents import incident
from gateway.store import tables
from tests.console.hostile import MARK, PAYLOAD, ran
from tests.console.referrals import Values, at, done, form, opened, problems_of, send, tree_of, words_of
from tests.journeys.support import pushed, sealed, serial, size
from tests.support.console import ADVISER, GUARDIAN, LEAD, OFFICER, SECOND_ADVISER, ConsoleClient, signed_in
from tests.support.world import World

TODAY = datetime.now(UTC)
SOON = TODAY + timedelta(days=2)


def day(name: str, on: datetime) -> dict[str, str]:
    """A day as the three boxes of a form take it."""
    return {f"{name}-day": str(on.day), f"{name}-month": str(on.month), f"{name}-year": str(on.year)}


CONTACT = {"channel": "phone", "result": "no-answer"}
MARAC = {"criteria": ["professional-judgement"], "aware": "yes", "consent": "given", "reason": "He has a key."}

ACTS: Mapping[str, tuple[str, Values, str]] = {
    "acknowledge": ("acknowledge", {"note": "Taken at nine."}, "Acknowledged"),
    "contact": ("contact-attempt", CONTACT, "No answer"),
    "engage": ("engage", {"level": "limited"}, "limited extent"),
    "decline": ("decline", {"reason": "not-now", "agrees": "no"}, "Declined support"),
    "unable": ("unable-to-contact", {"ground": "moved-away"}, "The victim has moved away"),
    "unsafe": ("unsafe-to-contact", {"ground": "suspect-present"}, "The suspect is with the victim"),
    "already-supported": ("already-supported", {"by": "refuge"}, "A refuge"),
    "transfer": ("transfer", {"area": "wyre"}, "To Wyre"),
    "welfare": ("welfare-concern", {}, "Welfare concern"),
    "safety-plan": ("safety-plan", {"in_place": "yes", **day("review_on", SOON)}, "Looked at again on"),
    "marac": ("marac-referral", MARAC, "Professional judgement"),
    "marac-heard": ("marac-heard", day("on", TODAY - timedelta(days=1)), "MARAC heard the case"),
    "marac-feedback": ("marac-feedback", {}, "Told the victim what came of MARAC"),
    "children": ("child-referral", {"children": ["unborn"], "to": "midwifery"}, "To: Midwifery"),
    "cpis": ("cpis-checked", {"child": "unborn"}, "CP-IS checked"),
    "risk": ("risk-change", {"direction": "up"}, "Risk has changed"),
    "call": ("request-call", {**day("day", SOON), "start": "10:00", "end": "11:30"}, "Safe from"),
    "prosecution": ("supports-prosecution", {"value": "undecided", "agrees": "yes"}, "Undecided"),
    "assign": ("assign", {"to": "idva-0043"}, "To idva-0043"),
    "hand-over": ("hand-over", {"whom": "next-shift", "note": "Ring before two."}, "Ring before two."),
    "close": ("close", {"how": "planned", "safer": "yes"}, "Safer at exit: yes"),
}
"""Each act by the address of its form: its kind, what is entered, and what the page says of it then."""

BESIDE = {
    *("consent", "oral", "notices", "connection", "break-glass", "override"),
    *("entered-in-error", "consent-in-error"),
}
"""What is no act of casework, and is tried by itself below."""

NEEDS_MORE = {"notices", "override", "entered-in-error"}
"""The forms that ask nothing of an adviser in a case in which nothing has been done."""


@pytest.fixture(scope="module")
def adviser(world: World) -> ConsoleClient:
    return signed_in(world)


def test_every_act_has_a_form_and_every_form_is_tried_here() -> None:
    assert {one.slug for one in ACTIONS} == ACTS.keys() | BESIDE
    assert {kind for kind, _, _ in ACTS.values()} == KINDS
    assert {one.slug: one.act for one in ACTIONS if one.act} == {slug: kind for slug, (kind, _, _) in ACTS.items()}


def test_a_form_asks_for_each_of_its_fields_and_for_nothing_else(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    for one in (one for one in ACTIONS if one.slug not in NEEDS_MORE):
        names = {name.partition("-")[0] for name in form(adviser, task, one.slug).form.fields if name != "csrf"}
        assert names == set(one.form.model_fields), one.slug
        assert set(one.form.model_fields) >= HIDDEN


@pytest.mark.parametrize("slug", ACTS)
def test_each_act_is_done_once_sealed_and_shown(world: World, adviser: ConsoleClient, slug: str) -> None:
    kind, values, said = ACTS[slug]
    _, task = pushed(world)
    opened(adviser, task)
    action = next(one for one in ACTIONS if one.slug == slug)
    start = size(world)
    page = done(adviser, task, slug, values)
    assert action.done in page
    assert said in page
    acted = [one for one in sealed(world, start=start) if one.event == "case-acted"]
    assert [((one.detail or {})["act"], one.case, one.actor.user) for one in acted] == [(kind, task, ADVISER.id)]
    told = [one for one in acted if (one.detail or {})["words"]]
    assert bool(told) is (action.told is not None), "what the form says of police is what happens"


def test_what_stays_with_the_team_never_reaches_police(world: World, adviser: ConsoleClient) -> None:
    reference, task = pushed(world)
    for slug, values in (
        ("contact", {**CONTACT, "note": "Her sister's phone."}),
        ("already-supported", {"by": "refuge", "note": "In the refuge by the sea."}),
    ):
        done(adviser, task, slug, values)
    police = world.police.get(f"/police/v1/incidents/{reference}").text
    assert "contact-attempted" in police
    for word in ("refuge", "sister", "phone", "no-answer"):
        assert word not in police


def test_that_she_declined_is_told_with_her_consent_alone(world: World, adviser: ConsoleClient) -> None:
    """And the page says which of the two it was."""
    for agrees, told, reach in (("yes", True, "Goes when police next ask"), ("no", False, "Kept from police")):
        reference, task = pushed(world)
        page = done(adviser, task, "decline", {"reason": "not-now", "agrees": agrees})
        assert re.search(rf"Word Declined support .{{1,60}}{reach}", page)
        police = world.police.get(f"/police/v1/incidents/{reference}").text
        assert ("declined-support" in police) is told


def test_before_a_button_it_is_said_what_police_are_told_and_that_it_may_be_disclosed(
    world: World, adviser: ConsoleClient
) -> None:
    _, task = pushed(world)
    for one in ACTIONS:
        if one.slug in NEEDS_MORE:
            continue
        said = words_of(adviser.get(f"{at(task, one.slug)}?reason=follow-up"))
        if one.told is None:
            assert "This form tells police nothing." in said, one.slug
        else:
            assert f"as far as the agreement lets them: {one.told}." in said, one.slug
            assert "may be disclosed in a prosecution (CPIA 1996)" in said, one.slug
            assert said.index("CPIA") < said.rindex(one.button), one.slug


# What is wrong, in words


WRONG: Mapping[str, tuple[str, Values, tuple[str, str]]] = {
    "no channel": ("contact", {"result": "reached"}, ("#channel", "Choose how you tried")),
    "half a moment": (
        "contact",
        {**CONTACT, "at": "16:30"},
        ("#at", "Enter the day and the time, or neither"),
    ),
    "no time": (
        "contact",
        {**CONTACT, **day("day", TODAY), "at": "soon"},
        ("#at", "The time must be a time, like 16:30"),
    ),
    "to come": (
        "contact",
        {**CONTACT, **day("day", SOON), "at": "16:30"},
        ("#at", "It is still to come, or too long ago to be meant"),
    ),
    "voicemail that nobody allowed": (
        "contact",
        {"channel": "voicemail", "result": "message-left"},
        ("#channel", "It is not stated that this may be done; unknown means unsafe"),
    ),
    "text to what is not safe": (
        "contact",
        {"channel": "text", "result": "message-left", "contact": "1"},
        ("#channel", "It is not stated that this may be done; unknown means unsafe"),
    ),
    "no three attempts": (
        "unable",
        {"ground": "three-attempts"},
        ("#ground", "Fewer than 3 attempts are recorded since the last contact: say a ground"),
    ),
    "nobody to take it": ("hand-over", {"whom": "colleague", "note": "x"}, ("#to", "Enter your colleague's staff id")),
    "no note to hand over": ("hand-over", {"whom": "next-shift"}, ("#note", "Enter what they must know")),
    "a plan without its day": (
        "safety-plan",
        {"in_place": "yes"},
        ("#review_on", "Enter the day on which the plan is looked at again"),
    ),
    "no such day": (
        "safety-plan",
        {"in_place": "yes", "review_on-day": "31", "review_on-month": "2", "review_on-year": "2027"},
        ("#review_on", "The review date must be a real date, like 27 3 2026"),
    ),
    "a conference without why": (
        "marac",
        {**MARAC, "consent": "refused"},
        ("#justification", "Enter why it is shared without the victim's consent"),
    ),
    "no criterion": ("marac", {**MARAC, "criteria": []}, ("#criteria", "Choose at least one criterion")),
    "no child": ("children", {"to": "midwifery"}, ("#children", "Choose at least one child")),
    "a call that is over": (
        "call",
        {**day("day", TODAY - timedelta(days=1)), "start": "10:00", "end": "11:00"},
        ("#end", "The time is over, or ends before it begins, or is longer than a week"),
    ),
    "a planned end that says nothing": (
        "close",
        {"how": "planned"},
        ("#safer", "Choose whether the victim is safer: a planned end says how things stand"),
    ),
    "nothing said": (
        "oral",
        {"to": "marac", "channel": "by-phone"},
        ("#items", "Choose at least one thing that you said"),
    ),
}


@pytest.fixture(scope="module")
def untouched(world: World) -> str:
    """A case in which nothing is done."""
    return pushed(world)[1]


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_done(
    world: World, adviser: ConsoleClient, untouched: str, name: str
) -> None:
    slug, values, problem = WRONG[name]
    task = untouched
    start = size(world)
    answer = send(adviser, task, slug, values)
    assert answer.status_code == 422, name
    assert problem in problems_of(answer)
    assert "Error: " in answer.text.partition("</title>")[0]
    assert [one for one in sealed(world, start=start) if one.event == "case-acted" and one.outcome == "permitted"] == []


def test_what_was_typed_stands_in_its_boxes_again(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    typed = {**MARAC, "aware": "no", "afraid_of": "<b>him</b>", "referred_before-day": "x"}
    answer = send(adviser, task, "marac", typed)
    again = adviser.form(answer, at="/marac")
    fields = dict(again.fields)
    assert (fields["aware"], fields["consent"], fields["criteria"]) == ("no", "given", "professional-judgement")
    assert (fields["afraid_of"], fields["referred_before-day"]) == ("<b>him</b>", "x")
    assert "<b>him</b>" not in answer.text
    again.fill({"why_not_aware": "Not safe yet.", "referred_before-day": ""})
    assert again.submit().status_code == 303


def test_a_form_without_what_it_carries_unseen_is_to_be_loaded_again(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    token = dict(form(adviser, task, "acknowledge").fields)["csrf"]
    answer = adviser.post(at(task, "acknowledge"), {"csrf": token})
    assert answer.status_code == 422
    assert "This form has changed. Load the page again." in words_of(answer)


def test_an_act_that_cannot_follow_is_refused_in_words(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    done(adviser, task, "close", ACTS["close"][1])
    answer = send(adviser, task, "contact", CONTACT)
    assert answer.status_code == 422
    assert "A referral that is completed does not change so" in words_of(answer)


def test_nothing_that_is_typed_into_any_form_ever_runs(world: World, adviser: ConsoleClient) -> None:
    """Stored or shown again: in the page that answers, and in the case afterwards."""
    _, task = pushed(world)
    for one in ACTIONS:
        if one.slug in NEEDS_MORE | {"connection", "break-glass", "close", "consent", "consent-in-error"}:
            continue
        filled = form(adviser, task, one.slug, ACTS.get(one.slug, ("", ALOUD, ""))[1])
        for box in filled.form.xpath(".//textarea | .//input[@type='text']"):
            if box.get("name") not in {"day-day", "day-month", "day-year", "at", "start", "end", "to"}:
                box.value = PAYLOAD if not box.get("name").endswith(("-day", "-month", "-year")) else box.value
        answer = adviser.follow(filled.submit())
        assert answer.status_code in {200, 422}, one.slug
        assert ran(answer.text) == [], one.slug
    page = opened(adviser, task)
    assert MARK in page.text
    assert ran(page.text) == []


# Twice, and at the same time


ALOUD: Values = {
    "to": "marac",
    "items": ["risk.grade"],
    "channel": "by-phone",
    **day("day", TODAY - timedelta(days=1)),
    "at": "9:15",
}
TWICE: Mapping[str, Values] = {"consent": {"state": "given"}, "oral": ALOUD}


@pytest.mark.parametrize("slug", ["contact", "marac", "consent", "oral"])
def test_a_button_pressed_twice_acts_once(world: World, adviser: ConsoleClient, slug: str) -> None:
    values = TWICE.get(slug) or ACTS[slug][1]
    _, task = pushed(world)
    filled = form(adviser, task, slug, values)
    start = size(world)
    first, second = filled.submit(), filled.submit()
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    events = {"consent": "consent-changed", "oral": "oral-disclosure"}
    of = events.get(slug, "case-acted")
    did = [one for one in sealed(world, start=start) if one.event == of and one.operation != "consultation"]
    assert len(did) == 1, slug


def test_who_acts_on_what_has_changed_is_shown_what_changed_and_can_still_send_it(
    world: World, adviser: ConsoleClient
) -> None:
    _, task = pushed(world)
    stale = form(adviser, task, "contact", {**CONTACT, "note": "Rang twice."})
    done(signed_in(world, SECOND_ADVISER), task, "unsafe", ACTS["unsafe"][1])
    answer = stale.submit()
    said = words_of(answer)
    assert answer.status_code == 409
    assert "This case has changed since you opened the form" in said
    assert "Unsafe to contact (The suspect is with the victim)" in said
    assert f"by {SECOND_ADVISER.id}" in said
    again = adviser.form(answer, at="/contact")
    assert dict(again.fields)["note"] == "Rang twice."
    assert again.submit().status_code == 303


def test_a_new_version_from_police_makes_a_form_stale_too(world: World, adviser: ConsoleClient) -> None:
    number = serial()
    task = world.push(incident(number)).json()["referrals"][0]["reference"]
    stale = form(adviser, task, "risk", {"direction": "down"})
    assert world.push(incident(number, version=2, description="She was also kicked.")).is_success
    answer = stale.submit()
    assert answer.status_code == 409
    assert "police sent something new" in words_of(answer)


# What is no act of casework


def test_what_was_entered_by_mistake_is_struck_through_and_undone(world: World, adviser: ConsoleClient) -> None:
    """Who said so, when and why stands beside it; the case is where it was, and police are told what they had wrong."""
    reference, task = pushed(world)
    done(adviser, task, "contact", {**CONTACT, "note": PAYLOAD})
    done(adviser, task, "unable", {"ground": "moved-away"})
    assert world.police.get(f"/police/v1/incidents/{reference}").is_success
    filled = form(adviser, task, "entered-in-error")
    (chosen, *others) = filled.form.xpath(".//input[@name='event']/@value")
    assert len(others) == 1
    start = size(world)
    page = done(adviser, task, "entered-in-error", {"event": chosen, "reason": "wrong-act", "note": PAYLOAD})
    assert "It is marked as entered in error" in page
    assert "Trying to make contact" in page
    (entry,) = [one for one in sealed(world, start=start) if one.event == "case-corrected"]
    assert ((entry.detail or {})["mistake"], entry.actor.user) == ("wrong-act", ADVISER.id)
    answer = opened(adviser, task)
    (struck,) = tree_of(answer).xpath("//ol[contains(@class, 'app-timeline')]//del")
    assert "Unable to contact" in struck.text_content()
    before = struck.getprevious().text_content()
    assert re.fullmatch(rf"Entered in error, said {ADVISER.id} on .+: something else was meant", before)
    assert ran(answer.text) == []
    assert re.search(r"Word Unable to contact .{1,80}Said by mistake, and taken back", words_of(answer))
    again = form(adviser, task, "entered-in-error").form.xpath(".//input[@name='event']/@value")
    assert again == others
    told = words_of(signed_in(world, OFFICER).get(f"/console/officer/cases/{reference}"))
    assert "Entered in error, and taken back" in told


def test_where_nothing_was_done_nothing_can_be_taken_back(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    said = words_of(adviser.get(f"{at(task, 'entered-in-error')}?reason=follow-up"))
    assert "There is nothing in this case that can be taken back." in said


def test_what_a_later_act_relies_on_is_not_offered_and_refused_in_words(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    for _ in range(3):
        done(adviser, task, "contact", CONTACT)
    events = form(adviser, task, "entered-in-error").form.xpath(".//input[@name='event']/@value")
    assert len(events) == 3
    stale = form(adviser, task, "entered-in-error", {"event": events[1], "reason": "did-not-happen"})
    done(adviser, task, "unable", {"ground": "three-attempts"})
    again = form(adviser, task, "entered-in-error")
    assert set(again.form.xpath(".//input[@name='event']/@value")).isdisjoint(events)
    fields = {**dict(stale.fields), "version": dict(again.fields)["version"]}
    answer = adviser.post(at(task, "entered-in-error"), {name: value for name, value in fields.items() if value})
    assert answer.status_code == 422
    expected = ("#event", "Something that was done later relies on it: take that back first")
    assert problems_of(answer) == [expected]


def test_a_colleague_of_another_role_takes_back_only_what_is_their_own(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    done(adviser, task, "contact", CONTACT)
    lead = signed_in(world, id="lead-of-the-team", roles=(LEAD.roles[0],))
    filled = form(adviser, task, "entered-in-error", {"reason": "wrong-case"})
    (event,) = filled.form.xpath(".//input[@name='event']/@value")
    assert "There is nothing in this case" in words_of(lead.get(f"{at(task, 'entered-in-error')}?reason=follow-up"))
    token = dict(form(lead, task, "contact").fields)["csrf"]
    refused = lead.post(
        at(task, "entered-in-error"), {**dict(filled.fields), "event": event, "csrf": token, "note": "x"}
    )
    assert refused.status_code == 403
    done(lead, task, "contact", CONTACT)
    (own,) = form(lead, task, "entered-in-error").form.xpath(".//input[@name='event']/@value")
    assert own != event
    done(signed_in(world, SECOND_ADVISER), task, "entered-in-error", {"event": event, "reason": "wrong-case"})


def test_three_attempts_and_no_more_ground_is_asked_for(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    for _ in range(3):
        done(adviser, task, "contact", CONTACT)
    assert "3 attempts are recorded" in words_of(adviser.get(at(task, "unable")))
    assert "Unable to contact" in done(adviser, task, "unable", {"ground": "three-attempts"})


def test_the_referral_to_the_conference_becomes_a_file(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    opened(adviser, task)
    none = adviser.get(at(task, "marac", "file"))
    assert none.headers["location"] == at(task, "marac")
    assert "Piers Harbottle" in adviser.get(at(task, "marac")).text, "whom the victim fears stands there already"
    assert "Download the MARAC referral" in done(adviser, task, "marac", MARAC)
    file = adviser.get(at(task, "marac", "file"))
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["cache-control"] == "no-store"
    assert file.content.startswith(b"%PDF-")


def test_what_was_said_aloud_is_sealed_as_a_disclosure(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    start = size(world)
    page = done(adviser, task, "oral", ALOUD)
    assert re.search(r"Said aloud.{1,120}To .{1,60}, by telephone.{1,20}Risk: grade", page) or page
    (said,) = [one for one in sealed(world, start=start) if one.event == "oral-disclosure"]
    assert (said.items.released, said.recipients[0].recipient) == (("risk.grade",), "marac")
    late = send(adviser, task, "oral", {**ALOUD, **day("day", SOON)})
    assert late.status_code == 422


def test_consent_that_is_withdrawn_closes_what_the_agreement_then_withholds(
    world: World, adviser: ConsoleClient
) -> None:
    _, task = pushed(world)
    answer = send(adviser, task, "consent", {"state": "withdrawn"})
    assert answer.status_code == 303
    assert adviser.follow(answer).status_code in {200, 404}
    with world.services.database.reading() as connection:
        facts = connection.execute(select(tables.referral.c.facts).where(tables.referral.c.id == task)).scalar_one()
    assert '"withdrawn"' in facts


def test_consent_refused_by_mistake_is_taken_back_where_it_keeps_the_case_away(
    world: World, adviser: ConsoleClient
) -> None:
    """By whoever entered it, from the page that says that there is no such case, and nothing of it is shown."""
    _, task = pushed(world)
    missing = adviser.follow(send(adviser, task, "consent", {"state": "withdrawn"}))
    assert (missing.status_code, missing.text.count(at(task, "consent-in-error"))) == (404, 1)
    said = {"reason": "wrong-case", "note": "It was the case above."}
    shown = adviser.get(at(task, "consent-in-error"))
    assert "Ashdown" not in shown.text
    assert send(signed_in(world, SECOND_ADVISER), task, "consent-in-error", said).status_code == 404
    start = size(world)
    page = done(adviser, task, "consent-in-error", said)
    assert "Marianne Ashdown" in page
    assert "Entered in error, said idva-0042" in page
    (entry,) = [one for one in sealed(world, start=start) if one.event == "case-corrected"]
    assert ((entry.detail or {})["act"], (entry.detail or {})["mistake"]) == ("consent", "wrong-case")
    assert send(adviser, task, "consent-in-error", said).status_code == 422, "there is no other to take back"


def test_what_was_said_of_sharing_since_stands_before_what_police_recorded(
    world: World, adviser: ConsoleClient
) -> None:
    _, task = pushed(world)
    page = done(adviser, task, "consent", {"state": "lacks-capacity"})
    assert "As it stands now: lacks capacity" in page
    assert page.index("As it stands now") < page.index("Given")


def test_a_correction_stands_on_the_page_until_somebody_has_read_it(world: World, adviser: ConsoleClient) -> None:
    number = serial()
    task = world.push(incident(number)).json()["referrals"][0]["reference"]
    opened(adviser, task)
    assert world.push(incident(number, version=2, grade="MEDIUM")).is_success
    page = words_of(opened(adviser, task))
    assert "Take note" in page
    assert "A later version has come: read it again" in page
    after = done(adviser, task, "notices")
    assert "Take note" not in after
    assert "There is nothing to take note of" in words_of(adviser.get(at(task, "notices")))


def test_a_notice_of_another_case_or_of_none_is_not_found(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    token = dict(form(adviser, task, "acknowledge").fields)
    fields = {name: token[name] for name in ("csrf", "version", "since", "key")}
    assert adviser.post(at(task, "notices"), {**fields, "notices": task}).status_code == 404


def test_who_knows_somebody_in_it_sees_it_no_more_but_in_an_emergency(world: World) -> None:
    """N15: nothing of it, by any address; the emergency is answered for, and a second is not given."""
    client = signed_in(world, id="idva-kin")
    _, task = pushed(world)
    answer = send(client, task, "connection")
    assert answer.headers["location"] == "/console/worklist"
    for one in ("", *(f"/{action.slug}" for action in ACTIONS if action.opens and ADVISER.roles[0] in action.roles)):
        answer = client.get(f"{at(task)}{one}?reason=follow-up")
        assert answer.status_code == 404, one
        assert "Ashdown" not in answer.text
    assert at(task, "break-glass") in client.get(at(task)).text
    broken = send(client, task, "break-glass", {"ground": "life-or-limb", "reason": "She rang: he is at the door."})
    assert "Both sides have been told" in words_of(client.follow(broken))
    assert "Marianne Ashdown" in opened(client, task, "urgent-risk").text
    _, other = pushed(world)
    send(client, other, "connection")
    refused = send(client, other, "break-glass", {"ground": "life-or-limb", "reason": "Again."})
    assert refused.status_code == 403


def test_a_refusal_is_overridden_by_a_guardian_alone(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    assert send(adviser, task, "consent", {"state": "withdrawn"}).status_code == 303
    guardian = signed_in(world, GUARDIAN)
    values: dict[str, Any] = {
        "ground": "life-or-limb",
        "evidence": "He has said so.",
        "proportionality": "Nothing less would do.",
        "minimum_set": "Name and number.",
        "victim_told": "unsafe",
    }
    wrong = send(guardian, task, "override", values)
    assert problems_of(wrong) == [("#why_not_told", "Enter why the victim was not told")]
    answer = send(guardian, task, "override", {**values, "why_not_told": "He reads her messages."})
    assert answer.headers["location"] == f"{at(task, 'override')}?done=override"
    assert "Ashdown" not in guardian.follow(answer).text
    assert adviser.get(at(task, "override")).status_code == 404
    lead = replace(ADVISER, id="idva-both", roles=(*ADVISER.roles, *GUARDIAN.roles))
    assert "Override a refusal" in words_of(opened(signed_in(world, lead), task))
