"""QuestionnaireResponse: the answers of a risk instrument; RiskAssessment: the grade a professional gave.

Each instrument has a questionnaire of its own, and an answer stands under its short code (domain.md section 1.6). A
grade is qualitative: there is no probability and no score, ever (P10). UK Core QuestionnaireResponse; RiskAssessment
has no UK Core profile. An assessment is written as both, so that what the grade rests on is always found.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.nhs.fhir.assessment import assessment_details
from adapters.nhs.fhir.canonical import code_system
from adapters.nhs.fhir.elements import extension, instant, nested, own, reference, start, subject, text
from adapters.nhs.fhir.instruments import questionnaire_url
from adapters.nhs.fhir.models import Json
from mappings.record import Answer, Assessment, Record
from mappings.referral import Referral


def write_answers(record: Record, referral: Referral) -> Iterator[Json]:
    """A QuestionnaireResponse for each assessment."""
    for one in record.assessments:
        response = start("QuestionnaireResponse", one.ref, referral) | {
            "extension": nested("assessment", assessment_details(one)),
            "status": "completed" if one.supersedes is None else "amended",
            "subject": subject(record, referral, one.subject),
        }
        if (questionnaire := questionnaire_url(one.instrument)) is not None:
            response["questionnaire"] = questionnaire
        if one.at is not None:
            response["authored"] = instant(one.at)
        if one.assessor_role is not None:
            response["author"] = {"type": "PractitionerRole", "display": one.assessor_role}
        if one.answers:
            response["item"] = [_item(answer) for answer in one.answers]
        yield response


def write_risks(record: Record, referral: Referral) -> Iterator[Json]:
    """A RiskAssessment for each assessment; one without a grade has no prediction."""
    for one in record.assessments:
        risk = start("RiskAssessment", one.ref, referral, profiled=False) | {
            "extension": nested("assessment", assessment_details(one)),
            "status": "final" if one.supersedes is None else "amended",
            "method": own("instrument", one.instrument),
            "subject": subject(record, referral, one.subject),
            "basis": [reference("QuestionnaireResponse", referral, one.ref)],
        }
        if one.at is not None:
            risk["occurrenceDateTime"] = instant(one.at)
        if one.assessor_role is not None:
            risk["performer"] = {"type": "PractitionerRole", "display": one.assessor_role}
        if one.grade is not None:
            risk["prediction"] = [_prediction(one)]
        yield risk


def _item(answer: Answer) -> Json:
    given: Json = {"valueCoding": {"system": code_system("reply"), "code": answer.reply.value}}
    if words := text(answer.text):
        given["item"] = [{"linkId": f"{answer.code}.text", "answer": [{"valueString": words}]}]
    item: Json = {"linkId": answer.code, "answer": [given]}
    if answer.source is not None:
        item["extension"] = [extension("answer-source", valueCode=answer.source)]
    return item


def _prediction(one: Assessment) -> Json:
    return {"outcome": own("risk-outcome", "serious-harm"), "qualitativeRisk": own("risk-grade", str(one.grade))}
