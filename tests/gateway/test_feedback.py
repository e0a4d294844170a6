"""The words to police: what of the referral they are decided on, and who they are for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from adapters.nhs.fhir import FeedbackIn, TaskChange
from gateway.agreement import State, shipped
from gateway.casework import Step, step
from gateway.decide import Outcome, decide_on, facts_of
from gateway.errors import TransitionRefused
from gateway.feedback import FEEDBACK, expired, feedback_recipient, told_facts
from mappings.record import (
    Consent,
    ConsentState,
    Feedback,
    FeedbackCode,
    Grade,
    Person,
    Record,
    RecordKind,
    Role,
    Source,
)
from mappings.referral import ReferralState, ReferralStatus
from tests.support.agreements import provide, signed
from tests.support.records import NOW, incident

AT = datetime(2026, 4, 12, 21, 0, tzinfo=UTC)
_LETS = (ConsentState.GIVEN, ConsentState.OVERRIDDEN)


def said(code: FeedbackCode, consent: ConsentState | None = None) -> Record:
    return Record(
        kind=RecordKind.STATUS,
        source=Source(organisation="RXL", system="hospital"),
        area="blackpool",
        people=(Person(ref="victim-1", role=Role.VICTIM),),
        consents=(Consent(ref="consent-1", state=consent, subject="victim-1"),) if consent else (),
        feedback=(Feedback(code=code, at=AT),),
    )


def told(
    code: FeedbackCode, consent: ConsentState | None, referred: ConsentState, grade: Grade = Grade.STANDARD
) -> tuple[Outcome, bool]:
    """The outcome, and whether the word itself would go."""
    record = incident(consent=referred, grade=grade)
    people = tuple(one for one in record.people if one.role is not Role.CHILD)
    referral = facts_of(record.model_copy(update={"people": people}), NOW)
    facts = told_facts(facts_of(said(code, consent), NOW), referral)
    decision = decide_on(facts, "police-officer", FEEDBACK, provide(), NOW)
    return decision.outcome, code.item_word in {*decision.released, *decision.generalised}


@pytest.mark.parametrize("consent", [None, *ConsentState])
def test_wishes_go_with_her_consent_alone(consent: ConsentState | None) -> None:
    _, goes = told(FeedbackCode.DECLINED_SUPPORT, consent, ConsentState.GIVEN)
    assert goes is (consent is ConsentState.GIVEN)


@pytest.mark.parametrize("consent", [None, ConsentState.NOT_ASKED, ConsentState.LACKS_CAPACITY])
def test_consent_to_the_referral_is_no_consent_to_tell_police(consent: ConsentState | None) -> None:
    assert told(FeedbackCode.SUPPORTS_PROSECUTION, consent, ConsentState.GIVEN)[1] is False


@pytest.mark.parametrize("referred", [ConsentState.REFUSED, ConsentState.WITHDRAWN])
def test_a_refusal_of_the_referral_carries_over(referred: ConsentState) -> None:
    """Unless she said otherwise of the word itself."""
    assert told(FeedbackCode.ENGAGED, None, referred)[1] is False
    assert told(FeedbackCode.ENGAGED, ConsentState.GIVEN, referred)[1] is True


def test_whether_she_was_reached_goes_in_codes() -> None:
    assert told(FeedbackCode.CONTACT_ATTEMPTED, None, ConsentState.GIVEN) == (Outcome.PERMITTED, True)


def test_the_recipient_is_the_forces_own_of_the_feedback_flow() -> None:
    assert feedback_recipient(provide(), "04") == "police-officer"
    for organisation in ("RXL", "05", ""):
        assert feedback_recipient(provide(), organisation) is None
    assert feedback_recipient(None, "04") is None
    assert feedback_recipient(signed(shipped(), State.SUSPENDED), "04") == "police-officer"


def wish(
    consent: ConsentState | None, expiry: datetime | None = None, ref: str | None = None
) -> Callable[[str | None], Step]:
    one = FeedbackIn(FeedbackCode.SUPPORTS_PROSECUTION, "yes", None, None, consent, ref, expiry)
    change = TaskChange(None, None, (one,), None)
    return lambda made: step(ReferralStatus.IN_PROGRESS, ReferralState.ENGAGED, change, "idva", NOW, made)


@pytest.mark.parametrize("consent", [None, *(one for one in ConsentState if one not in _LETS)])
def test_what_needs_consent_is_refused_without_it(consent: ConsentState | None) -> None:
    """Whoever writes it is told, rather than believe that police know."""
    with pytest.raises(TransitionRefused) as refused:
        wish(consent)("made")
    assert [one.path for one in refused.value.details] == ["Task.output.extension"]


@pytest.mark.parametrize("expiry", [NOW, NOW - timedelta(days=1)])
def test_a_consent_that_has_expired_lets_nothing_be_told(expiry: datetime) -> None:
    with pytest.raises(TransitionRefused):
        wish(ConsentState.GIVEN, expiry)("made")


def test_a_reference_to_a_consent_nobody_stated_is_refused() -> None:
    one = FeedbackIn(FeedbackCode.ENGAGED, None, None, None, None, "their-own")
    with pytest.raises(TransitionRefused):
        step(ReferralStatus.IN_PROGRESS, ReferralState.ENGAGED, TaskChange(None, None, (one,), None), "idva", NOW)


def test_a_word_names_its_consent_by_the_teams_reference_or_by_ours() -> None:
    later = NOW + timedelta(days=1)
    for given, expected in ((None, "made"), ("their-own", "their-own")):
        (told,) = wish(ConsentState.GIVEN, later, given)("made").told
        assert (told.feedback.consent_ref, told.feedback.expiry) == (expected, later)
        assert not expired(told.feedback, later - timedelta(seconds=1))
        assert expired(told.feedback, later)


def test_a_decline_is_a_word_with_the_consent_that_came_with_it() -> None:
    later = NOW + timedelta(days=1)
    agreed = FeedbackIn(FeedbackCode.MARAC_REFERRED, None, None, None, ConsentState.GIVEN, None, later)
    found = step(
        ReferralStatus.IN_PROGRESS,
        ReferralState.CONTACTING,
        TaskChange(None, ReferralState.DECLINED, (agreed,), None),
        "idva",
        NOW,
        "made",
    )
    assert {(one.feedback.consent_ref, one.feedback.expiry) for one in found.told} == {("made", later)}
    assert {one.feedback.code: one.consent for one in found.told} == {
        FeedbackCode.MARAC_REFERRED: ConsentState.GIVEN,
        FeedbackCode.DECLINED_SUPPORT: ConsentState.GIVEN,
    }
