"""Consent: what a person said about sharing; Flag: that there is a safeguarding concern, until its review.

Consent answers the confidentiality question and is not the lawful basis (domain.md sections 3.1 and 4.6): refusal does
not stop what the law requires, so the exact state always stands beside FHIR's coarser one. Consent given in the
suspect's presence counts as not asked. UK Core Consent and Flag; flag category: domain.md section 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from adapters.nhs.fhir.canonical import ACT_CODE, AT_RISK, CONSENT_SCOPE, FLAG_CATEGORIES, SNOMED
from adapters.nhs.fhir.elements import concept, extension, instant, own, sender, start, subject, text
from adapters.nhs.fhir.ids import FLAG
from adapters.nhs.fhir.models import Json
from mappings.record import Consent, ConsentState, Record
from mappings.referral import Referral, ReferralStatus

STATES: Final[Mapping[ConsentState, tuple[str, str]]] = MappingProxyType(
    {
        ConsentState.NOT_ASKED: ("draft", "deny"),
        ConsentState.GIVEN: ("active", "permit"),
        ConsentState.REFUSED: ("rejected", "deny"),
        ConsentState.WITHDRAWN: ("inactive", "deny"),
        ConsentState.LACKS_CAPACITY: ("draft", "deny"),
        ConsentState.UNDER_16_GILLICK: ("active", "permit"),
        ConsentState.OVERRIDDEN: ("rejected", "deny"),
    }
)
"""R4 Consent.status and provision.type for each state: only a consent that was given permits."""


def write_consents(record: Record, referral: Referral) -> Iterator[Json]:
    """A Consent for each consent recorded."""
    for one in record.consents:
        yield _consent(one, record, referral)


def write_flag(record: Record, referral: Referral) -> Iterator[Json]:
    """The one Flag of a referral: for review twelve months after it was made."""
    flag = start("Flag", FLAG, referral) | {
        "status": _FLAG_STATUS.get(referral.status, "active"),
        "category": [concept(FLAG_CATEGORIES, "SG", "Safeguarding Concern")],
        "code": concept(SNOMED, *AT_RISK),
        "subject": subject(record, referral),
        "period": {"start": instant(referral.created_at), "end": instant(_year_later(referral.created_at))},
    }
    if (force_ := sender(record)) is not None:
        flag["author"] = force_
    yield flag


def _consent(one: Consent, record: Record, referral: Referral) -> Json:
    status, type_ = STATES[one.effective]
    provision: Json = {"type": type_}
    if one.scope:
        provision["code"] = [own("consent-scope", scope) for scope in one.scope]
    consent = start("Consent", one.ref, referral) | {
        "extension": _details(one),
        "status": status,
        "scope": concept(CONSENT_SCOPE, "patient-privacy", "Privacy Consent"),
        "category": [concept(ACT_CODE, "IDSCL", "information disclosure")],
        "patient": subject(record, referral, one.subject),
        "policyRule": own("consent-policy", "information-sharing-agreement"),
        "provision": provision,
    }
    if one.at is not None:
        consent["dateTime"] = instant(one.at)
    return consent


def _details(one: Consent) -> list[Json]:
    found = [extension("consent-state", valueCode=one.effective.value)]
    if one.effective is not one.state:
        found.append(extension("consent-recorded-state", valueCode=one.state.value))
    if one.explained is not None:
        found.append(extension("consent-explained", valueBoolean=one.explained))
    if one.suspect_present is not None:
        found.append(extension("consent-suspect-present", valueBoolean=one.suspect_present))
    if one.suspect_channel is not None:
        found.append(extension("consent-suspect-channel", valueBoolean=one.suspect_channel))
    if one.asked_by is not None:
        found.append(extension("consent-asked-by", valueCode=one.asked_by))
    if reason := text(one.reason):
        found.append(extension("consent-reason", valueString=reason))
    return found


_FLAG_STATUS: Final = {
    ReferralStatus.ENTERED_IN_ERROR: "entered-in-error",
    ReferralStatus.REJECTED: "inactive",
}


def _year_later(start_: datetime) -> datetime:
    try:
        return start_.replace(year=start_.year + 1)
    except ValueError:  # 29 February
        return start_.replace(year=start_.year + 1, day=28)
