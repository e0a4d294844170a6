"""The addresses of profiles, code systems and identifiers: those of others as published, and those of our own.

Addresses only: which of them goes where is the writers' business. UK Core and NHS addresses: domain.md sections 2.3,
2.4, 2.10 and 2.11; HL7 terminology: R4 (4.0.1).
"""

from __future__ import annotations

from typing import Final

CANONICAL: Final = "https://provide-gateway.example/fhir"
"""The base of every artefact of our own: `{CANONICAL}/StructureDefinition/…`, `/CodeSystem/…`, `/Id/…`."""

FHIR_VERSION: Final = "4.0.1"
JSON_TYPE: Final = "application/fhir+json"
XML_TYPE: Final = "application/fhir+xml"

UK_CORE: Final = "https://fhir.hl7.org.uk/StructureDefinition/"
NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
ODS: Final = "https://fhir.nhs.uk/Id/ods-organization-code"
VERIFICATION: Final = f"{UK_CORE}Extension-UKCore-NHSNumberVerificationStatus"
VERIFICATION_ENGLAND: Final = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"
ETHNIC_CATEGORY: Final = f"{UK_CORE}Extension-UKCore-EthnicCategory"
ETHNIC_CATEGORIES: Final = "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategory"
ADDRESS_KEY: Final = f"{UK_CORE}Extension-UKCore-AddressKey"
ADDRESS_KEYS: Final = "https://fhir.hl7.org.uk/CodeSystem/UKCore-AddressKeyType"
FLAG_CATEGORIES: Final = "https://fhir.nhs.uk/CodeSystem/flag-categories-bars"

SNOMED: Final = "http://snomed.info/sct"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
LANGUAGE: Final = "urn:ietf:bcp:47"
DATA_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
INTERPRETER: Final = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
SMART_OAUTH: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"

AT_RISK: Final = ("707087005", "At risk of domestic violence")
SUSPECTED_ABUSE: Final = ("697950003", "Suspected domestic abuse")
"""SNOMED CT, from the table of domain.md section 2.10. No UK code for a referral to an adviser is public there."""


def extension_url(name: str) -> str:
    """The address of an extension of our own."""
    return f"{CANONICAL}/StructureDefinition/{name}"


def code_system(name: str) -> str:
    """The address of a code system of our own."""
    return f"{CANONICAL}/CodeSystem/{name}"


def police_id(type_: str) -> str:
    """The identifier system of a police reference (`occurrence`, `log`, `crime`) or of a force (`force`)."""
    return f"{CANONICAL}/Id/police-{type_}"
