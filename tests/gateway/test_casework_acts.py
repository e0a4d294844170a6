"""Acts: what may follow what, what police are told, and what is kept open of it. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gateway.casework import NEXT_STATE, NEXT_STATUS, acts
from gateway.casework.acts import KINDS, Act, AnyAct
from gateway.casework.codes import Channel, How, Result, Supports
from gateway.casework.effects import Effect, affected, happened
from gateway.casework.rules import ATTEMPTS, Case
from gateway.errors import TransitionRefused
from mappings.record import ConsentState, Contact, FeedbackCode
from mappings.referral import ReferralState as State
from mappings.referral import ReferralStatus as Status

NOW = datetime(2026, 4, 13, 9, 30, tzinfo=UTC)
TODAY = date(2026, 4, 13)
READ: TypeAdapter[Act] = TypeAdapter(AnyAct)
OFFERED = Case(
    Status.REQUESTED, State.OFFERED, areas=frozenset({"blackpool", "fylde"}), children=frozenset({"child-1"})
)
SAFE = Contact(system="phone", value="07700 900123", safe=True, voicemail=True, text=True)
GIVEN = {"state": "given", "ref": "consent-7"}

EVERY: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "assign": {"to": "idva-0007"},
    "hand-over": {"note": "Ring her mother's number after six."},
    "contact-attempt": {"channel": "phone", "result": "no-answer"},
    "engage": {"level": "limited"},
    "decline": {"reason": "not-now", "consent": GIVEN},
    "unable-to-contact": {"ground": "no-channel"},
    "unsafe-to-contact": {"ground": "suspect-answers"},
    "already-supported": {"by": "refuge"},
    "transfer": {"area": "fylde"},
    "safety-plan": {"in_place": True, "review_on": "2026-05-01"},
    "marac-referral": {
        "criteria": ["repeat"],
        "aware": False,
        "consent": {"state": "refused"},
        "why_not_aware": "He reads her post.",
        "justification": "He has threatened to kill her.",
        "afraid_of": "Her husband.",
    },
    "marac-heard": {"on": "2026-04-10"},
    "marac-feedback": {},
    "child-referral": {"children": ["child-1", "unborn"], "to": "safeguarding-hub"},
    "cpis-checked": {"child": "child-1"},
    "request-call": {"from": "2026-04-14T09:00:00+01:00", "until": "2026-04-14T11:00:00+01:00"},
    "supports-prosecution": {"value": "yes", "consent": GIVEN},
    "risk-change": {"direction": "up"},
    "welfare-concern": {},
    "close": {"how": "planned", "exit": {"safer": "yes"}},
}
"""One of each act, as JSON says it."""

WORD = {
    "acknowledge": FeedbackCode.ACKNOWLEDGED,
    "contact-attempt": FeedbackCode.CONTACT_ATTEMPTED,
    "engage": FeedbackCode.ENGAGED_LIMITED,
    "decline": FeedbackCode.DECLINED_SUPPORT,
    "unable-to-contact": FeedbackCode.UNABLE_TO_CONTACT,
    "unsafe-to-contact": FeedbackCode.UNSAFE_TO_CONTACT,
    "already-supported": FeedbackCode.ALREADY_SUPPORTED,
    "transfer": FeedbackCode.TRANSFERRED,
    "safety-plan": FeedbackCode.SAFETY_PLAN_IN_PLACE,
    "marac-referral": FeedbackCode.MARAC_REFERRED,
    "child-referral": FeedbackCode.CHILD_REFERRAL_MADE,
    "request-call": FeedbackCode.VICTIM_REQUESTS_CALL,
    "supports-prosecution": FeedbackCode.SUPPORTS_PROSECUTION,
    "risk-change": FeedbackCode.RISK_CHANGE,
    "welfare-concern": FeedbackCode.WELFARE_CONCERN,
    "close": FeedbackCode.CLOSED,
}
"""What police hear of each act; of the others nothing."""


def said(kind: str, **changes: Any) -> Act:
    given = {name: value for name, value in (EVERY[kind] | changes).items() if value is not None}
    return READ.validate_python({"act": kind, **given})


def done(act: Act, case: Case = OFFERED, now: datetime = NOW) -> Effect:
    return affected(act, case, "idva", now, at="acts[0]", consent_ref="consent-1")


def codes(effect: Effect) -> list[FeedbackCode]:
    return [told.feedback.code for told in effect.step.told]


def refusal(act: Act, case: Case = OFFERED) -> str:
    with pytest.raises(TransitionRefused) as refused:
        done(act, case)
    return refused.value.details[0].path


# What each act is


def test_there_is_one_of_each() -> None:
    assert EVERY.keys() == KINDS


@pytest.mark.parametrize("kind", sorted(EVERY))
def test_an_act_can_be_the_first_thing_done_and_tells_police_its_word(kind: str) -> None:
    effect = done(said(kind))
    assert codes(effect)[-1:] == ([WORD[kind]] if kind in WORD else [])
    taken = bool(WORD.get(kind))  # who does something that is told has taken the referral, and says so
    assert (effect.case.status is not Status.REQUESTED) is taken
    if taken:
        assert codes(effect)[0] is FeedbackCode.ACKNOWLEDGED


@pytest.mark.parametrize("kind", sorted(EVERY))
def test_codes_hold_no_words_and_no_words_are_codes(kind: str) -> None:
    act = said(kind, note="She is at her sister's.")
    assert act.words.keys() >= {"note"}
    assert not {"note", "happened_at", "act"} & act.codes.keys()
    texts = [one for one in act.codes.values() if isinstance(one, str)]
    assert all(" " not in one for one in texts), "a code is no place for words"
    assert "sister" not in repr(act.codes)


def test_what_the_conference_is_told_and_when_she_can_be_rung_are_kept_encrypted() -> None:
    assert said("marac-referral").codes == {
        "criteria": ["repeat"],
        "aware": False,
        "consent": {"state": "refused"},
    }
    assert said("request-call").codes == {}
    assert said("request-call").words.keys() == {"from", "until"}


def test_an_unknown_key_or_code_is_refused() -> None:
    for wrong in ({"act": "acknowledge", "x": 1}, {"act": "engage", "level": "quite"}, {"act": "fly"}):
        with pytest.raises(ValueError, match="act"):
            READ.validate_python(wrong)


# What may follow


@pytest.mark.parametrize(
    ("kind", "changes", "path"),
    [
        ("unable-to-contact", {"ground": None}, "ground"),
        ("transfer", {"area": "atlantis"}, "area"),
        ("safety-plan", {"review_on": None}, "review_on"),
        ("safety-plan", {"review_on": "2026-04-12"}, "review_on"),
        ("safety-plan", {"review_on": "9999-12-31"}, "review_on"),
        ("marac-referral", {"why_not_aware": None}, "why_not_aware"),
        ("marac-referral", {"justification": None}, "justification"),
        ("marac-referral", {"referred_before": "2026-04-14"}, "referred_before"),
        ("marac-heard", {"on": "2026-04-14"}, "on"),
        ("marac-heard", {"on": "0001-01-01"}, "on"),
        ("child-referral", {"children": ["unborn", "child-2"]}, "children[1]"),
        ("cpis-checked", {"child": "child-2"}, "child"),
        ("request-call", {"until": "2026-04-14T08:00:00+01:00"}, "until"),
        ("request-call", {"until": "2026-04-22T08:00:00+01:00"}, "until"),
        ("request-call", {"from": "2026-04-12T08:00:00Z", "until": "2026-04-13T08:00:00Z"}, "until"),
        ("request-call", {"from": "9999-12-31T08:00:00-12:00", "until": "9999-12-31T09:00:00-12:00"}, "until"),
        ("close", {"exit": None}, "exit"),
        ("contact-attempt", {"contact": 0}, "contact"),
        ("contact-attempt", {"channel": "text"}, "channel"),
        ("contact-attempt", {"channel": "voicemail"}, "channel"),
        ("contact-attempt", {"channel": "email"}, "channel"),
        ("contact-attempt", {"result": "message-left"}, "channel"),
        ("acknowledge", {"happened_at": "2026-04-13T10:00:00Z"}, "happened_at"),
        ("acknowledge", {"happened_at": "0001-01-01T00:00:00+14:00"}, "happened_at"),
        ("decline", {"consent": {"state": "given", "expiry": "2026-04-13T09:00:00Z"}}, "consent.expiry"),
        ("decline", {"consent": {"state": "given", "expiry": "9999-12-31T23:59:00-12:00"}}, "consent.expiry"),
    ],
)
def test_what_may_not_be_is_refused_by_its_path(kind: str, changes: dict[str, Any], path: str) -> None:
    assert refusal(said(kind, **changes)) == f"acts[0].{path}"


def test_out_of_reach_takes_three_attempts_since_she_was_last_reached() -> None:
    case, missed, reached = OFFERED, said("contact-attempt"), said("contact-attempt", result="reached")
    give_up = said("unable-to-contact", ground=None)
    for number, act in enumerate((missed, missed, reached, missed, missed, missed), start=1):
        assert refusal(give_up, case) == "acts[0].ground"
        effect = done(act, case)
        assert effect.step.told[-1].feedback.count == number
        case = effect.case
    assert case.fruitless == ATTEMPTS
    assert done(give_up, case).case.state is State.UNABLE_TO_CONTACT


@given(
    st.builds(
        Contact,
        system=st.sampled_from(["phone", "email"]),
        safe=st.none() | st.booleans(),
        voicemail=st.none() | st.booleans(),
        text=st.none() | st.booleans(),
        shared_with_suspect=st.none() | st.booleans(),
    ),
    st.sampled_from([Channel.TEXT, Channel.VOICEMAIL, Channel.EMAIL]),
)
def test_only_what_is_stated_may_be_used(contact: Contact, channel: Channel) -> None:
    """Unknown is unsafe (P5), and so is what he shares (N8); nothing but True is a permission."""
    stated = contact.safe is True and contact.shared_with_suspect is not True
    stated &= {
        Channel.TEXT: contact.text is True,
        Channel.VOICEMAIL: contact.voicemail is True,
        Channel.EMAIL: contact.system == "email",
    }[channel]
    case = Case(Status.ACCEPTED, State.ACKNOWLEDGED, contacts=(Contact(system="phone"), contact))
    act = said("contact-attempt", channel=channel.value, contact=1)
    if stated:
        assert done(act, case).case.attempts == 1
    else:
        assert refusal(act, case) == "acts[0].channel"
    assert refusal(said("contact-attempt", channel=channel.value, contact=0), case) == "acts[0].channel"


def test_one_safe_channel_does_not_make_another_safe() -> None:
    case = Case(Status.ACCEPTED, State.ACKNOWLEDGED, contacts=(Contact(system="phone"), SAFE))
    assert refusal(said("contact-attempt", channel="voicemail", contact=0), case) == "acts[0].channel"
    assert done(said("contact-attempt", channel="voicemail"), case).case.attempts == 1


# What police hear


@pytest.mark.parametrize("state", [None, *ConsentState])
@pytest.mark.parametrize("kind", ["decline", "supports-prosecution"])
def test_what_she_wishes_is_told_with_her_consent_alone(kind: str, state: ConsentState | None) -> None:
    effect = done(said(kind, consent={"state": state} if state else None))
    lets = state in {ConsentState.GIVEN, ConsentState.OVERRIDDEN}
    wishes = [one for one in effect.step.told if one.feedback.code is WORD[kind] and one.consent is not None]
    assert bool(wishes) is lets
    assert effect.happened.kind == kind  # what was done is kept all the same


def test_words_are_of_when_it_happened() -> None:
    then = NOW - timedelta(hours=5)
    effect = done(said("contact-attempt", happened_at=then.isoformat()))
    assert {one.feedback.at for one in effect.step.told} == {then}
    assert effect.happened.at == then
    soon = done(said("contact-attempt", happened_at=(NOW + timedelta(minutes=2)).isoformat()))
    assert soon.happened.at == NOW  # a watch that runs fast


def test_a_safe_time_to_ring_is_told_in_utc() -> None:
    (told,) = [one for one in done(said("request-call")).step.told if one.feedback.value]
    assert told.feedback.value == "20260414t0800z-20260414t1000z"


def test_limited_engagement_is_one_word() -> None:
    assert codes(done(said("engage"), Case(Status.ACCEPTED, State.ACKNOWLEDGED))) == [FeedbackCode.ENGAGED_LIMITED]


# Any life of a case


STATES = [None, *({"state": one.value} for one in ConsentState)]
POOL = [
    *map(said, sorted(EVERY.keys() - {"contact-attempt", "decline", "supports-prosecution", "close"})),
    *(said("contact-attempt", result=result, channel=channel) for result in Result for channel in Channel),
    *(said("decline", consent=one) for one in STATES),
    *(said("supports-prosecution", consent=one, value=value) for one in STATES for value in Supports),
    *(said("close", how=how) for how in How),
    said("unable-to-contact", ground=None),
]
ANYTHING = st.sampled_from(POOL)


@given(st.lists(ANYTHING, max_size=12), st.booleans())
def test_any_life_of_a_case_keeps_to_the_machine(life: list[Act], stated: bool) -> None:  # noqa: FBT001 - drawn
    """Refused acts change nothing; others lead from state to state; wishes go with consent; the end is the end."""
    case = Case(**{**_fields(OFFERED), "contacts": (SAFE,) if stated else ()})
    for act in life:
        try:
            effect = done(act, case)
        except TransitionRefused:
            continue
        after = effect.case
        assert after.status is case.status or after.status in NEXT_STATUS[case.status] | {
            two for one in NEXT_STATUS[case.status] for two in NEXT_STATUS[one]
        }
        assert after.state is case.state or after.state in NEXT_STATE[case.state] | {
            two for one in NEXT_STATE[case.state] for two in NEXT_STATE[one]
        }
        if not NEXT_STATUS[case.status]:
            assert (after.status, after.state) == (case.status, case.state)
        for told in effect.step.told:
            wish = told.feedback.code in {FeedbackCode.DECLINED_SUPPORT, FeedbackCode.SUPPORTS_PROSECUTION}
            if wish and told.feedback.value is not None:
                assert told.consent in {ConsentState.GIVEN, ConsentState.OVERRIDDEN}
        assert isinstance(act, acts.ContactAttempt) or after.attempts == case.attempts
        case = after


@given(st.lists(ANYTHING, max_size=8))
def test_what_a_task_would_have_said_is_the_same_act(life: list[Act]) -> None:
    """Of the words that an act tells, a change of a Task makes an act of the same kind."""
    case = OFFERED
    for act in life:
        try:
            effect = done(act, case)
        except TransitionRefused:
            continue
        if effect.step.told:
            same = happened((case.status, case.state), effect.step, NOW)
            assert same[-1].kind == act.act
            assert _flat(same[-1].codes) - {("count", effect.case.attempts)} <= _flat(effect.happened.codes)
        case = effect.case


def _fields(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in Case.__dataclass_fields__}


def _flat(found: Any) -> set[tuple[str, Any]]:
    return {(name, value) for name, value in found.items() if isinstance(value, str | int | bool)}
