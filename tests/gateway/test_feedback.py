"""The words to police: what of the referral they are decided on, and who they are for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.nhs.fhir import FeedbackIn, TaskChange
from gateway.agreement import State, shipped
from gateway.casework import step
from gateway.decide import Outcome, decide_on, facts_of
from gateway.feedback import FEEDBACK, feedback_recipient, told_facts
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


def test_a_decline_is_a_word_with_the_consent_that_came_with_it() -> None:
    agreed = FeedbackIn(FeedbackCode.MARAC_REFERRED, None, None, None, ConsentState.GIVEN)
    found = step(
        ReferralStatus.IN_PROGRESS,
        ReferralState.CONTACTING,
        TaskChange(None, ReferralState.DECLINED, (agreed,), None),
        "idva",
        NOW,
    )
    assert {one.feedback.code: one.consent for one in found.told} == {
        FeedbackCode.MARAC_REFERRED: ConsentState.GIVEN,
        FeedbackCode.DECLINED_SUPPORT: ConsentState.GIVEN,
    }
